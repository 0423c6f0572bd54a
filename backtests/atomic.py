"""Write a file or a folder whole or not at all.

Each file is first written into a temporary folder beside its target. It is moved to the target
when it is complete and on the disk, so an earlier file stays unchanged if the program stops before
that. A program that is killed leaves its temporary folder behind; the next one that writes there
removes it.
"""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock

from signals.errors import ConfigError, DataError

#: Begins the name of each folder that is written into.
PREFIX = ".drypowder-"
_LOCK, _FRESH, _EARLIER = "lock", "fresh", "earlier"


def expanded(path: Path | str) -> Path:
    """Return a path with ``~`` as the folder of its user.

    Raises
    ------
    ConfigError
        When there is no such user, or the path holds a null character.
    """
    try:
        found = Path(path).expanduser()
        os.fsencode(found)
    except (RuntimeError, ValueError) as error:
        why = "no such user" if isinstance(error, RuntimeError) else str(error)
        raise ConfigError(f"expected a path, was {str(path)!r}: {why}; name another") from None
    if "\0" in str(found):
        raise ConfigError(f"expected a path, was {str(path)!r}: null character; name another")
    return found


def resolved(path: Path | str) -> Path:
    """Return an absolute path without ``~`` and without links, to write to.

    Raises
    ------
    ConfigError
        As :func:`expanded`, and when the name is not UTF-8 or links lead in a circle.
    """
    found = expanded(path)
    try:
        str(found).encode()
    except UnicodeEncodeError:
        raise ConfigError(f"expected a path in UTF-8, was {str(path)!r}; name another") from None
    real = Path(os.path.realpath(found))
    if any(part.is_symlink() for part in (real, *real.parents)):
        raise ConfigError(f"expected a path, was {str(path)!r}: a loop of links; name another")
    return real


def write_text(path: Path, text: str) -> None:
    """Write a file in UTF-8, whole or not at all, see :func:`replacing`."""
    with replacing(path) as fresh:
        fresh.write_text(text, encoding="utf-8")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield where to write a file or folder; move it to ``path`` when the block ends well.

    Parameters
    ----------
    path
        The file or folder, replaced when it exists. Folders above it are made.

    Raises
    ------
    ConfigError
        When it is no path, see :func:`resolved`.
    DataError
        When it cannot be written. Nothing is changed then.
    """
    target = resolved(path)
    try:
        _check_target(target)
        with _parents_of(target), _beside(target) as folder:
            fresh = folder / _FRESH / target.name
            fresh.parent.mkdir()
            yield fresh
            _sync(fresh)
            _move(fresh, target, folder / _EARLIER)
    except OSError as error:
        raise DataError(
            f"expected to write to {path}: {error.strerror or error}; make room for it or name "
            "another; nothing there was changed"
        ) from error


def _check_target(target: Path) -> None:
    """Raise unless the target is absent, a folder, or a file that may be written."""
    if target.exists() and not (target.is_file() or target.is_dir()):
        raise DataError(f"expected a file at {target}, was a device or pipe; name another")
    if target.is_file() and not os.access(target, os.W_OK):
        raise DataError(
            f"expected to write to {target}, but the file is read-only; make it writable or name "
            "another"
        )


@contextmanager
def _parents_of(target: Path) -> Iterator[None]:
    """Make the folders above a path; remove those that were made when the block fails."""
    made = [parent for parent in target.parents if not parent.exists()]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for parent in made:
            with suppress(OSError):
                parent.rmdir()
        raise


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """Yield a new folder beside a path, locked while it is in use and removed afterwards.

    Its name is chosen before it is made, so that an interrupt at any moment finds it.
    """
    _remove_leftovers(target.parent)
    folder = target.parent / f"{PREFIX}{secrets.token_hex(6)}"
    lock = filelock.FileLock(folder / _LOCK)
    try:
        folder.mkdir()
        lock.acquire()
        yield folder
    finally:
        try:
            _remove(folder, lock)
        except BaseException:  # an interrupt just here
            _remove(folder, lock)
            raise


def _remove_leftovers(parent: Path) -> None:
    """Remove the folders that killed programs left; put an earlier run back that one had moved."""
    for folder in parent.iterdir():
        if not folder.name.startswith(PREFIX):
            continue
        lock = filelock.FileLock(folder / _LOCK, timeout=0)
        with suppress(filelock.Timeout, OSError):  # in use, or another user's
            if not (folder / _LOCK).is_file():
                continue
            lock.acquire()
            _put_back(folder / _EARLIER, parent)
            _remove(folder, lock)


def _put_back(earlier: Path, parent: Path) -> None:
    for moved in earlier.iterdir() if earlier.is_dir() else ():
        if not (parent / moved.name).exists():
            moved.rename(parent / moved.name)


def _remove(folder: Path, lock: filelock.BaseFileLock) -> None:
    """Remove a folder, its lock last."""
    for part in (_FRESH, _EARLIER):
        shutil.rmtree(folder / part, ignore_errors=True)
    lock.release()
    shutil.rmtree(folder, ignore_errors=True)


def _move(fresh: Path, target: Path, earlier: Path) -> None:
    """Replace the target with what was written; restore the target if that fails."""
    if target.is_file():
        shutil.copymode(target, fresh)
    if fresh.is_file() or not target.exists():
        fresh.replace(target)
    else:
        earlier.mkdir()
        try:
            target.rename(earlier / target.name)
            fresh.rename(target)
        except BaseException:
            _put_back(earlier, target.parent)
            raise
    _sync_one(target.parent)


def _sync(fresh: Path) -> None:
    """Wait until a file, or a folder's files, are on the disk."""
    for path in sorted(fresh.iterdir()) if fresh.is_dir() else [fresh]:
        _sync_one(path)


def _sync_one(path: Path) -> None:
    if path.is_dir() and os.name == "nt":  # which cannot open a folder
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
