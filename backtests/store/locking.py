"""Who may open the store's file, and when.

DuckDB lets nobody into a file while a writer has it open, and no writer while anybody reads. So
every operation opens the file and closes it at once, and waits for its turn:

- ``.lock`` beside the store admits one writer, ``.fetch.lock`` one fetch;
- ``.door`` is shut by a writer from when it wants the file until it has left. Readers that come
  then wait before it, else a stream of them would keep the writer out for ever.

A store may come from a stranger. So DuckDB may read and write no other file while a store is open,
and nothing that the store contains can change that setting.
"""

import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb
import filelock

from backtests.atomic import replacing, resolved
from backtests.store.schema import migrate, version_of
from signals.errors import DataError

PATIENCE = 20.0  # seconds a reader or writer waits for others to leave the file
_PAUSE = 0.05
#: How DuckDB opens a store: it may open no other file.
SEALED = {"enable_external_access": False}
#: What DuckDB says when another program, or another thread of this one, has the file.
_TAKEN = ("set lock on file", "different configuration")
#: What DuckDB says of a file in a format that came after it.
_NEWER = "newer version of DuckDB"
_SYSTEM = re.compile(
    "No space left on device|File too large|Disk quota exceeded|Permission denied|"
    "Read-only file system|Input/output error|Too many open files",
)


@contextmanager
def reading(path: Path, also: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a store for one operation that only reads.

    Parameters
    ----------
    path
        The file.
    also
        The one other file that DuckDB may open meanwhile, as an export does; None for none.

    Raises
    ------
    DataError
        When there is none, a writer does not leave it in time, or it is no store of ours.
    """
    if not path.is_file():
        raise DataError(
            f"expected a store at {path}, found none; make it with "
            f"'drypowder import PATH --store {path}'"
        )
    _pass_the_door(path)
    with _open(path, read_only=True, also=also) as connection:
        version_of(connection, path)
        yield connection


@contextmanager
def writing(path: Path, wait: float) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a store for one transaction, alone; make it when there is none.

    Parameters
    ----------
    path
        The file.
    wait
        Seconds to wait for another writer to end.

    Raises
    ------
    DataError
        When it cannot be written, or others do not leave it in time. Nothing has changed then.
    """
    check_writable(path)
    busy = (
        f"expected to be the only writer of {path}, but another import or fetch is running; wait "
        "for it to end"
    )
    held = _held_open("write", path)
    with alone(path, ".lock", busy, wait), alone(path, ".door", held, PATIENCE):
        if not path.is_file():
            _make(path)
        with _open(path, read_only=False) as connection:
            connection.execute("BEGIN")
            migrate(connection, path)
            yield connection
            connection.execute("COMMIT")


def check_writable(path: Path) -> None:
    """Raise :class:`DataError` when no store can be written there; make its folder."""
    if path.is_dir():
        raise DataError(f"expected a file at {path}, but it is a folder; name a file in it")
    if path.exists() and not path.is_file():
        raise DataError(f"expected a file at {path}, but it is a device or pipe; name another")
    if path.exists() and not (path.stat().st_mode & 0o222 and os.access(path, os.W_OK)):
        raise DataError(
            f"expected to write to {path}, but the file is read-only; make it writable "
            f"(chmod u+w) or name another with --store"
        )
    try:
        resolved(path).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(_system_says("write", path, error.strerror or str(error))) from None


@contextmanager
def alone(path: Path, ending: str, otherwise: str, wait: float = 0.0) -> Iterator[None]:
    """Hold a lock file beside the store; raise :class:`DataError` ``otherwise``."""
    lock = filelock.FileLock(_beside(path, ending))
    try:
        lock.acquire(timeout=wait)
    except filelock.Timeout:
        raise DataError(otherwise) from None
    except OSError as error:
        said = f"{error.strerror or error} for {lock.lock_file}"
        raise DataError(_system_says("write", path, said)) from None
    try:
        yield
    finally:
        lock.release()


def _beside(path: Path, ending: str) -> str:
    """Return a file beside the store's own, wherever a link to it stands."""
    return f"{resolved(path)}{ending}"


def _pass_the_door(path: Path) -> None:
    """Wait while a writer wants the file; who may not write beside the store just goes on."""
    door = _beside(path, ".door")
    if os.access(door, os.W_OK):
        with suppress(filelock.Timeout), filelock.FileLock(door, timeout=PATIENCE):
            pass


@contextmanager
def _open(
    path: Path, *, read_only: bool, also: Path | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    # DuckDB takes allowed paths only once a file is open, and before external access is off.
    config = SEALED if also is None else {}
    connection = connect(path, read_only=read_only, config=config)
    try:
        _lock_up(connection, also)
        yield connection
    except duckdb.Error as error:
        raise DataError(_why(path, error, read_only=read_only)) from error
    finally:
        connection.close()


def _lock_up(connection: duckdb.DuckDBPyConnection, also: Path | None) -> None:
    """Forbid access to every file but the store and ``also``, for as long as it is open.

    Threads share one instance of DuckDB for a file, so another thread may have locked it already.
    """
    if also is not None:
        quoted = str(also.absolute()).replace("'", "''")
        connection.execute(f"SET allowed_paths = ['{quoted}']")
        connection.execute("SET enable_external_access = false")
    with suppress(duckdb.InvalidInputException):
        connection.execute("SET enable_progress_bar = false")
        connection.execute("SET lock_configuration = true")


def connect(
    path: Path, *, read_only: bool, config: Mapping[str, bool] = SEALED
) -> duckdb.DuckDBPyConnection:
    """Open the file, waiting for others to leave.

    Others are programs, and threads of this one that opened it with another configuration.
    """
    # An absolute path is always a file; DuckDB takes ":memory:" or "md:x" for other things.
    file = str(path.absolute())
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return duckdb.connect(file, read_only=read_only, config=dict(config))
        except duckdb.Error as error:
            if not any(sign in str(error).lower() for sign in _TAKEN):
                raise DataError(_why(path, error, read_only=read_only)) from error
            if time.monotonic() > deadline:
                said = _held_open("read" if read_only else "write", path)
                raise DataError(said) from error
            time.sleep(_PAUSE)


def _held_open(what: str, path: Path) -> str:
    return (
        f"expected to {what} {path} within {PATIENCE:.0f} s, but another program holds it open; "
        "close that program"
    )


def _why(path: Path, error: duckdb.Error, *, read_only: bool) -> str:
    """Return why DuckDB failed: what the system says, or else that the file is no store."""
    found = _SYSTEM.search(str(error))
    if found:
        return _system_says("read" if read_only else "write", path, found[0])
    if isinstance(error, duckdb.PermissionException):
        return (
            f"expected a store that holds data alone at {path}, but it tries to read another file; "
            "do not trust it: import into a new store"
        )
    if _NEWER in str(error):
        return (
            f"expected a store that DuckDB {duckdb.__version__} can read, but a newer DuckDB wrote "
            f"{path}; upgrade it (pip install --upgrade duckdb)"
        )
    return (
        f"expected a store of drypowder at {path}, but DuckDB cannot open it: it is damaged or of "
        "another kind; name another with --store, or import anew"
    )


def said_by_system(error: duckdb.Error) -> str:
    """Return what the system says inside an error of DuckDB's, else how the error begins."""
    found = _SYSTEM.search(str(error))
    return found[0] if found else str(error).partition("\n")[0]


def _system_says(what: str, path: Path, said: str) -> str:
    return f"expected to {what} {path}, but the system says: {said}; nothing held was changed"


def _make(path: Path) -> None:
    """Put an empty store in place, whole or not at all."""
    try:
        with replacing(path) as fresh:
            with duckdb.connect(str(fresh.absolute())) as connection:
                migrate(connection, fresh)
                connection.execute("CHECKPOINT")
            with duckdb.connect(str(fresh.absolute()), read_only=True) as connection:
                version_of(connection, fresh)
    except duckdb.Error as error:
        found = _SYSTEM.search(str(error))
        said = found[0] if found else "what was written cannot be read again"
        raise DataError(_system_says("write", path, said)) from error
