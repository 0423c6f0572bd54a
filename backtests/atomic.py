"""Write a file or a folder either completely or not at all.

A file is first written into a temporary folder beside its target. When the file is complete and on
the disk, the program moves the file to its target. A program that is killed leaves its temporary
folder behind. The next program that writes to the same parent folder removes the temporary folders
of killed programs.
"""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock

from signals.errors import ConfigError, DataError

#: The name of every temporary folder begins with this text.
PREFIX = ".drypowder-"
_LOCK, _FRESH, _EARLIER = "lock", "fresh", "earlier"


def expanded(path: Path | str) -> Path:
    """Return a path to read from, with ``~`` or ``~name`` replaced by a home folder.

    ``~`` is the home folder of the current user. ``~name`` is the home folder of the user ``name``.
    ConfigError is raised if the user is unknown, or if the path contains a forbidden character.
    """
    try:
        found = Path(path).expanduser()
        os.fsencode(found)
    except (RuntimeError, ValueError) as error:
        raise _no_path(path, "no such user" if isinstance(error, RuntimeError) else error) from None
    except TypeError:
        raise _no_path(path, f"an object of {type(path).__name__}") from None
    if "\0" in str(found):
        raise _no_path(path, "null character")
    return found


def writable_name(path: Path | str) -> Path:
    """Return a path to write to, with ``~`` or ``~name`` replaced by a home folder.

    ConfigError is raised if :func:`expanded` or the system rejects the path, or if the path is not
    UTF-8. The system rejects a path if the path is too long, if its folder gives no access, or if
    symbolic links lead in a circle.
    """
    found = expanded(path)
    try:
        str(found).encode()
        with suppress(FileNotFoundError, NotADirectoryError):
            found.stat()
    except UnicodeEncodeError:
        raise _no_path(path, "the name is not UTF-8") from None
    except OSError as error:
        raise _no_path(path, error.strerror or error) from None
    return found


def resolved(path: Path | str) -> Path:
    """Return an absolute path to write to, with symbolic links replaced by their targets.

    ConfigError is raised if :func:`writable_name` rejects the path.
    """
    return Path(os.path.realpath(writable_name(path)))


def _no_path(path: Path | str, why: object) -> ConfigError:
    return ConfigError(f"expected a valid path, was {str(path)!a}: {why}; give another path")


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8, either completely or not at all; see :func:`replacing`."""
    with replacing(path) as fresh:
        fresh.write_text(text, encoding="utf-8")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path to write to, and move it to ``path`` when the block succeeds.

    An existing file is replaced. An existing folder is replaced only if the ``with`` block writes a
    folder. Missing parent folders are created. A path that :func:`writable_name` rejects raises
    ConfigError. A path that cannot be written raises DataError. After an error, the file or folder
    at ``path`` is unchanged, unless the error message says that ``path`` has its new content.
    """
    target, moved = resolved(path), False
    try:
        _check_target(target)
        with _parents_of(target), _beside(target) as folder:
            fresh = folder / _FRESH / target.name
            fresh.parent.mkdir()
            yield fresh
            for part in sorted(fresh.iterdir()) if fresh.is_dir() else [fresh]:
                _sync(part)
            _move(fresh, target, folder / _EARLIER)
            moved = True
            _sync(target.parent)
    except OSError as error:
        if moved:
            raise DataError(
                f"expected {path} to be saved on the disk, but the system reports: "
                f"{error.strerror or error}. {path} has its new content now, but "
                "a power failure could still remove it; check the disk, then write the file again"
            ) from error
        raise DataError(
            f"expected to write to {path}, but the system reports: {error.strerror or error}; free "
            f"some space or give another path. Nothing was changed at {path}"
        ) from error


def _check_target(target: Path) -> None:
    """Raise DataError if the target is a device, a pipe or a read-only file."""
    if target.exists() and not (target.is_file() or target.is_dir()):
        raise DataError(
            f"expected a file at {target}, but it is a device or a pipe; give another path"
        )
    if target.is_file() and not os.access(target, os.W_OK):
        raise DataError(
            f"expected to write to {target}, but the file is read-only; make it writable or give "
            "another path"
        )


@contextmanager
def _parents_of(target: Path) -> Iterator[None]:
    """Create the missing folders above a path, and remove them again if the block fails."""
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
    """Yield a new folder beside a path. The folder is locked during use and then removed."""
    _remove_leftovers(target.parent)
    # The path is set before the folder exists. So the cleanup finds the folder after any interrupt.
    folder = target.parent / f"{PREFIX}{secrets.token_hex(6)}"
    lock = filelock.FileLock(folder / _LOCK)
    try:
        folder.mkdir()
        lock.acquire()
        yield folder
    finally:
        try:
            _remove(folder, lock)
        except BaseException:  # for example, an interrupt during the cleanup
            _remove(folder, lock)
            raise


def _remove_leftovers(parent: Path) -> None:
    """Put back files that killed programs moved, and remove the programs' temporary folders."""
    for folder in parent.iterdir():
        if not folder.name.startswith(PREFIX):
            continue
        lock = filelock.FileLock(folder / _LOCK, timeout=0)
        with suppress(filelock.Timeout, OSError):  # the folder is in use, or another user owns it
            if not (folder / _LOCK).is_file():
                folder.rmdir()  # the program was killed before it locked the folder
                continue
            lock.acquire()
            _put_back(folder / _EARLIER, parent)
            _remove(folder, lock)


def _put_back(earlier: Path, parent: Path) -> None:
    for moved in earlier.iterdir() if earlier.is_dir() else ():
        if not (parent / moved.name).exists():
            moved.rename(parent / moved.name)


def _remove(folder: Path, lock: filelock.BaseFileLock) -> None:
    """Remove the content of a folder, then release its lock, then remove the folder."""
    for part in (_FRESH, _EARLIER):
        shutil.rmtree(folder / part, ignore_errors=True)
    lock.release()
    shutil.rmtree(folder, ignore_errors=True)


def _move(fresh: Path, target: Path, earlier: Path) -> None:
    """Replace the target with the new file or folder, or restore the target after an error."""
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


def _sync(path: Path) -> None:
    """Wait until the disk has stored the content of a file, or the file names of a folder."""
    if path.is_dir() and os.name == "nt":  # Windows cannot open a folder
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
