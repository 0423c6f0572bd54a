"""Open the store's file for reading or writing, one operation at a time.

In DuckDB, either one program writes a file, or several programs read it. Every operation waits
until the file is free, and closes the file at the end. Three lock files in the store's folder
control which operation may start:

- ``.lock`` allows one writer at a time.

- ``.fetch.lock`` allows one fetch at a time.

- ``.door`` stops new readers while a writer waits or writes.

A writer locks ``.door`` before it waits for the readers. The writer unlocks ``.door`` after it has
closed the store. A new reader waits until the lock file ``.door`` is unlocked, at most
:data:`PATIENCE` seconds. Without the lock file ``.door``, a steady stream of new readers could
block a writer for ever.

A store from an untrusted person may be malicious. While a store is open, DuckDB refuses to read or
write any other file. SQL inside the store cannot give DuckDB access to other files.
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

PATIENCE = 20.0  # longest wait, in seconds, until other processes close the file
_PAUSE = 0.05
#: Settings with which DuckDB opens a store. With these settings, DuckDB refuses to open other
#: files.
SEALED = {"enable_external_access": False}
#: Words of DuckDB's error when another program or another thread has the file open.
_TAKEN = ("set lock on file", "different configuration")
#: Words of DuckDB's error about a file in a newer format.
_NEWER = "newer version of DuckDB"
_SYSTEM = re.compile(
    "No space left on device|File too large|Disk quota exceeded|Permission denied|"
    "Read-only file system|Input/output error|Too many open files",
)


@contextmanager
def reading(path: Path, also: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a store for one operation that only reads.

    ``also`` is a second file that DuckDB may open, for example the file that an export writes.

    Raises
    ------
    DataError
        Raised if the file is missing, if the file is not a store of drypowder, or if a writer keeps
        the file open for longer than :data:`PATIENCE`.
    """
    if path.is_dir():
        raise DataError(_is_a_folder(path))
    if not path.is_file():
        raise DataError(
            f"expected a store at {path}, found none; make it with "
            f"'drypowder import PATH --store {path}'"
        )
    _wait_for_writer(path)
    with _open(path, read_only=True, also=also) as connection:
        version_of(connection, path)
        yield connection


@contextmanager
def writing(path: Path, wait: float) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a store for one transaction. No other program can use the store at the same time.

    A missing store is created. ``wait`` is the time to wait for another writer, in seconds.

    Raises
    ------
    DataError
        Raised if the file cannot be written, or other programs do not close the file in time. After
        a DataError, the stored rows are unchanged. If the store was missing, an empty store may
        have been created.
    """
    check_writable(path)
    busy = (
        f"expected to be the only writer of {path}, but another import or fetch is running; wait "
        "for it to end"
    )
    held = _held_open("write", path)
    with alone(path, ".lock", busy, wait), alone(path, ".door", held, PATIENCE):
        if not path.is_file():
            with creating(path):
                pass
        with _open(path, read_only=False) as connection:
            connection.execute("BEGIN")
            migrate(connection, path)
            yield connection
            connection.execute("COMMIT")


def _is_a_folder(path: Path) -> str:
    return f"expected a file at {path}, but it is a folder; give a file in it"


def check_writable(path: Path) -> None:
    """Create the folder of a store; raise :class:`DataError` when the file cannot be written."""
    if path.is_dir():
        raise DataError(_is_a_folder(path))
    if path.exists() and not path.is_file():
        raise DataError(f"expected a file at {path}, but it is a device or pipe; give another path")
    if path.exists() and not (path.stat().st_mode & 0o222 and os.access(path, os.W_OK)):
        raise DataError(
            f"expected to write to {path}, but the file is read-only; make it writable "
            f"(chmod u+w) or give another path with --store"
        )
    folder = resolved(path).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise DataError(
            f"expected a folder at {folder} for the store, but it is a file or lies below a file; "
            "give another path with --store"
        ) from None
    except OSError as error:
        raise DataError(_system_says("write", path, error.strerror or str(error))) from None


@contextmanager
def alone(path: Path, ending: str, otherwise: str, wait: float = 0.0) -> Iterator[None]:
    """Hold a lock file in the store's folder. The file's name is the store's name + ``ending``.

    Raises
    ------
    DataError
        Raised if the system does not allow the lock, or if another program still holds the lock
        after ``wait`` seconds. If another program holds the lock, the text in ``otherwise`` is the
        error message.
    """
    lock = filelock.FileLock(f"{resolved(path)}{ending}")
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


def _wait_for_writer(path: Path) -> None:
    """Wait until no writer uses the store or waits for the store.

    Wait at most :data:`PATIENCE` seconds.
    """
    door = f"{resolved(path)}.door"
    if os.access(door, os.W_OK):  # a reader without write access to the lock file does not wait
        with suppress(filelock.Timeout), filelock.FileLock(door, timeout=PATIENCE):
            pass


@contextmanager
def _open(
    path: Path, *, read_only: bool, also: Path | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    # Allowed paths must be set after DuckDB opens the file, and before external access is off.
    config = SEALED if also is None else {}
    connection = connect(path, read_only=read_only, config=config)
    try:
        with _interruptible():
            _forbid_other_files(connection, also)
            yield connection
    except duckdb.Error as error:
        raise DataError(_reason(path, error, read_only=read_only)) from error
    finally:
        connection.close()


def _forbid_other_files(connection: duckdb.DuckDBPyConnection, also: Path | None) -> None:
    """Allow DuckDB to access only the store and the file ``also``."""
    if also is not None:
        quoted = str(also.absolute()).replace("'", "''")
        connection.execute(f"SET allowed_paths = ['{quoted}']")
        connection.execute("SET enable_external_access = false")
    # Threads share one DuckDB instance for a file. Another thread may already have locked the
    # settings of this instance.
    with suppress(duckdb.InvalidInputException):
        connection.execute("SET enable_progress_bar = false")
        connection.execute("SET lock_configuration = true")


def connect(
    path: Path, *, read_only: bool, config: Mapping[str, bool] = SEALED
) -> duckdb.DuckDBPyConnection:
    """Open the file. If another program uses the file, wait at most :data:`PATIENCE` seconds.

    The function also waits if another thread has opened the file with different DuckDB settings.
    """
    # DuckDB treats every absolute path as a file. DuckDB gives names such as ":memory:" and "md:x"
    # another meaning.
    file = str(path.absolute())
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with _interruptible():
                return duckdb.connect(file, read_only=read_only, config=dict(config))
        except duckdb.Error as error:
            if not any(sign in str(error).lower() for sign in _TAKEN):
                raise DataError(_reason(path, error, read_only=read_only)) from error
            if time.monotonic() > deadline:
                said = _held_open("read" if read_only else "write", path)
                raise DataError(said) from error
            time.sleep(_PAUSE)


@contextmanager
def _interruptible() -> Iterator[None]:
    """After Ctrl-C, raise KeyboardInterrupt instead of DuckDB's error."""
    try:
        yield
    except (duckdb.Error, RuntimeError) as error:
        if isinstance(error, duckdb.InterruptException) or str(error) == "Query interrupted":
            raise KeyboardInterrupt from error
        raise


def _held_open(what: str, path: Path) -> str:
    return (
        f"expected to {what} {path} within {PATIENCE:.0f} s, but another program holds it open; "
        "close that program"
    )


def _reason(path: Path, error: duckdb.Error, *, read_only: bool) -> str:
    """Return a message for a DuckDB error: the system's message, or the problem with the file."""
    if found := _SYSTEM.search(str(error)):
        return _system_says("read" if read_only else "write", path, found[0])
    if isinstance(error, duckdb.PermissionException) and is_duckdb(path):
        return (
            f"expected the store {path} to contain only data, but the store tries to read another "
            "file; do not trust this store, and import the data into a new store"
        )
    if _NEWER in str(error):
        return (
            f"expected a store that DuckDB {duckdb.__version__} can read, but a newer DuckDB wrote "
            f"{path}; upgrade DuckDB (pip install --upgrade duckdb)"
        )
    return (
        f"expected a store of drypowder at {path}, but DuckDB cannot open it: it is damaged or of "
        "another kind; give another path with --store, or import into a new store"
    )


def is_duckdb(path: Path) -> bool:
    """Return whether a path is a DuckDB file, which has ``DUCK`` after its first eight bytes."""
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return file.read(12)[8:] == b"DUCK"
    except OSError:
        return False


def said_by_system(error: duckdb.Error) -> str:
    """Return the operating system's message in a DuckDB error, else the error's first line."""
    found = _SYSTEM.search(str(error))
    return found[0] if found else str(error).partition("\n")[0]


def _system_says(what: str, path: Path, said: str) -> str:
    # Ledgers, trial logs and sweeps use alone(), so the message does not speak of a store.
    return (
        f"expected to {what} {path}, but the system says: {said}; remove the cause, then try "
        f"again. Nothing was changed at {path}"
    )


@contextmanager
def creating(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Create a store, and open it for its first rows. After a failure, no partial file remains."""
    try:
        with replacing(path) as fresh, _interruptible():
            with duckdb.connect(str(fresh.absolute())) as connection:
                migrate(connection, path)
                yield connection
                connection.execute("CHECKPOINT")
            with duckdb.connect(str(fresh.absolute()), read_only=True) as connection:
                version_of(connection, path)
    except duckdb.Error as error:
        found = _SYSTEM.search(str(error))
        said = found[0] if found else "the written file cannot be read"
        raise DataError(_system_says("write", path, said)) from error
