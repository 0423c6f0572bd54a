"""The store: one append-only DuckDB file of everything that was ever known.

A row says what a value describes (``observed_on``), when it could first have been known
(``available_at``) and when we recorded it. Nothing is ever changed or removed. A different value
for a date already held is a revision, available from when it was recorded. Prices are the
exception: splits and dividends rewrite adjusted closes as a whole, so each import of a price
series is one whole vintage (one ``recorded_at``), and a reader uses the newest alone.

DuckDB lets nobody into a file while a writer has it open. So connections are opened for one
operation and closed at once, readers retry for a while, and a lock file admits one writer.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import filelock
import pandas as pd

from backtests.history.batch import Batch, is_price
from signals.errors import DataError

SCHEMA_VERSION = 1
PATIENCE = 20.0  # seconds a reader waits for a writer to leave
_SCHEMA = """
CREATE TABLE IF NOT EXISTS drypowder (schema_version INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS observations (
    series_id VARCHAR NOT NULL,
    observed_on DATE NOT NULL,
    available_at TIMESTAMP NOT NULL,
    value DOUBLE,
    source VARCHAR NOT NULL,
    recorded_at TIMESTAMP NOT NULL
);
"""
_COLUMNS = "series_id, observed_on, available_at, value, source, recorded_at"


def default_store() -> Path:
    """Return where the store lies when no other is named: the platform's data folder."""
    import platformdirs

    return Path(platformdirs.user_data_dir("drypowder", appauthor=False)) / "store.duckdb"


@dataclass(frozen=True, kw_only=True)
class Added:
    """What adding a batch changed: rows new, rows that revise earlier ones, or why it was refused.

    A price vintage is refused when it lacks a date that is held: adding it would lose history.
    """

    series_id: str
    new: int = 0
    revised: int = 0
    refused: str = ""


class Store:
    """A store file.

    Parameters
    ----------
    path
        The file; :meth:`add` makes it when it does not exist.

    Raises
    ------
    DataError
        From every method, when the file is missing, locked for too long, read-only, damaged or
        not a store of ours.
    """

    def __init__(self, path: Path | str) -> None:
        try:
            self.path = Path(path).expanduser()
        except RuntimeError:
            raise DataError(
                f"expected a path, was {str(path)!r}: no such user; name a file"
            ) from None

    def __repr__(self) -> str:
        """Return an expression that makes the same object."""
        return f"Store({str(self.path)!r})"

    def exists(self) -> bool:
        """Return whether the file exists."""
        return self.path.is_file()

    def add(self, batches: Sequence[Batch], recorded_at: pd.Timestamp) -> list[Added]:
        """Append what is new in some batches, in one transaction.

        Parameters
        ----------
        batches
            At most one a series.
        recorded_at
            The moment of recording, New York's clock. A revision is available from then.

        Returns
        -------
        What changed, one entry a batch, in their order.
        """
        with self._writer() as connection:
            recorded_at = _after_all(connection, recorded_at)
            held = {batch.series_id: _held(connection, batch.series_id) for batch in batches}
            changes = [_change(batch, held[batch.series_id], recorded_at) for batch in batches]
            rows = [rows for rows, _ in changes if not rows.empty]
            if rows:
                incoming = pd.concat(rows, ignore_index=True)
                connection.register("incoming", incoming)
                connection.execute(
                    f"INSERT INTO observations SELECT {_COLUMNS} FROM incoming "
                    "ORDER BY series_id, observed_on"
                )
        return [added for _, added in changes]

    def rows(self, ids: Sequence[str]) -> pd.DataFrame:
        """Return the rows of some series that a panel may use.

        Of a price series only the newest vintage, of others every vintage. Columns
        ``series_id, observed_on, available_at, value, recorded_at``, ordered by series, moment
        known, date described and moment recorded.
        """
        query = """
            SELECT o.series_id, o.observed_on, o.available_at, o.value, o.recorded_at
            FROM observations o
            JOIN (SELECT unnest(?) AS series_id, unnest(?) AS whole) w USING (series_id)
            LEFT JOIN (
                SELECT series_id, max(recorded_at) AS newest FROM observations
                WHERE series_id IN (SELECT unnest(?)) GROUP BY series_id
            ) v USING (series_id)
            WHERE NOT w.whole OR o.recorded_at = v.newest
            ORDER BY o.series_id, o.available_at, o.observed_on, o.recorded_at
        """
        names = list(dict.fromkeys(ids))
        with self._reader() as connection:
            frame = connection.execute(query, [names, [is_price(n) for n in names], names]).df()
        return frame.astype({"observed_on": "datetime64[us]", "available_at": "datetime64[us]"})

    def summary(self) -> pd.DataFrame:
        """Return one row a series: rows that count, first and last date, last moment recorded."""
        with self._reader() as connection:
            return connection.execute(
                """
                SELECT series_id, count(DISTINCT observed_on) AS rows,
                       min(observed_on) AS first, max(observed_on) AS last,
                       max(available_at) AS last_known,
                       count(*) - count(DISTINCT observed_on) AS revisions,
                       max(recorded_at) AS recorded_at
                FROM observations o
                GROUP BY series_id ORDER BY series_id
                """
            ).df()

    def series_ids(self) -> tuple[str, ...]:
        """Return the ids of all series held."""
        with self._reader() as connection:
            found = connection.execute("SELECT DISTINCT series_id FROM observations ORDER BY 1")
            return tuple(row[0] for row in found.fetchall())

    @contextmanager
    def _reader(self) -> Iterator[duckdb.DuckDBPyConnection]:
        if not self.exists():
            raise DataError(
                f"expected a store at {self.path}, found none; make it with "
                f"'drypowder import PATH --store {self.path}'"
            )
        connection = _connect(self.path, read_only=True)
        try:
            _check_ours(connection, self.path)
            yield connection
        except duckdb.Error as error:
            raise DataError(_cannot_open(self.path, locked=False)) from error
        finally:
            connection.close()

    @contextmanager
    def _writer(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open for writing inside one transaction, alone."""
        _check_writable(self.path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(f"{self.path}.lock")
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            raise DataError(
                f"expected to be the only writer of {self.path}, but another import or fetch is "
                "running; wait for it to end"
            ) from None
        try:
            yield from self._transaction()
        finally:
            lock.release()

    def _transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        fresh = not self.exists()
        connection = _connect(self.path, read_only=False)
        try:
            connection.execute("BEGIN")
            if fresh or _is_empty(connection):
                connection.execute(_SCHEMA)
                connection.execute("INSERT INTO drypowder VALUES (?)", [SCHEMA_VERSION])
            _check_ours(connection, self.path)
            yield connection
            connection.execute("COMMIT")
        except duckdb.Error as error:
            raise DataError(_cannot_open(self.path, locked=False)) from error
        finally:
            connection.close()


def write_parquet(table: pd.DataFrame, path: Path) -> None:
    """Write a table to a parquet file, one column each, by DuckDB."""
    with duckdb.connect() as connection:
        connection.register("given", table)
        connection.sql("SELECT * FROM given").write_parquet(str(path))


def _connect(path: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    """Open the file, waiting for a writer to leave."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return duckdb.connect(str(path), read_only=read_only)
        except duckdb.Error as error:
            locked = "set lock on file" in str(error).lower()
            if not locked or time.monotonic() > deadline:
                raise DataError(_cannot_open(path, locked)) from error
            time.sleep(0.05)


def _cannot_open(path: Path, locked: bool) -> str:
    if locked:
        return (
            f"expected to read {path} within {PATIENCE:.0f} s, but another program holds it open; "
            "close that program"
        )
    return (
        f"expected a store of drypowder at {path}, but DuckDB cannot open it: it is damaged, of "
        "another kind or of a newer version; name another with --store, or import anew"
    )


def _is_empty(connection: duckdb.DuckDBPyConnection) -> bool:
    return not connection.execute("SELECT 1 FROM duckdb_tables() LIMIT 1").fetchall()


def _check_ours(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    try:
        found = connection.execute("SELECT schema_version FROM drypowder").fetchall()
    except duckdb.Error:
        raise DataError(
            f"expected a store of drypowder at {path}, but its tables are another program's; "
            "name another with --store"
        ) from None
    if found != [(SCHEMA_VERSION,)]:
        raise DataError(
            f"expected schema version {SCHEMA_VERSION} in {path}, was {found}; "
            "use the version of drypowder that wrote it, or import anew"
        )


def _check_writable(path: Path) -> None:
    if path.exists() and not path.stat().st_mode & 0o222:
        raise DataError(
            f"expected to write to {path}, but the file is read-only; make it writable "
            f"(chmod u+w) or name another with --store"
        )
    if path.is_dir():
        raise DataError(f"expected a file at {path}, but it is a folder; name a file in it")


def _after_all(connection: duckdb.DuckDBPyConnection, recorded_at: pd.Timestamp) -> pd.Timestamp:
    """Return a moment of recording later than any held, so that vintages stay in order.

    Local time repeats an hour a year, and two imports may share a clock tick.
    """
    newest = connection.execute("SELECT max(recorded_at) FROM observations").fetchall()[0][0]
    if newest is None:
        return recorded_at
    return max(recorded_at, pd.Timestamp(newest) + pd.Timedelta(microseconds=1))


def _held(connection: duckdb.DuckDBPyConnection, series_id: str) -> pd.DataFrame:
    """Return the values that now count, one a date: the newest vintage of each."""
    frame = connection.execute(
        """
        SELECT observed_on, arg_max(value, (recorded_at, available_at)) AS value,
               max(recorded_at) AS recorded_at
        FROM (SELECT observed_on, coalesce(value, 'nan'::DOUBLE) AS value, recorded_at,
                     available_at FROM observations WHERE series_id = ?)
        GROUP BY observed_on ORDER BY observed_on
        """,
        [series_id],
    ).df()
    if is_price(series_id) and not frame.empty:
        frame = frame[frame["recorded_at"] == frame["recorded_at"].max()]
    return frame.astype({"observed_on": "datetime64[us]"}).reset_index(drop=True)


def _change(
    batch: Batch, held: pd.DataFrame, recorded_at: pd.Timestamp
) -> tuple[pd.DataFrame, Added]:
    """Return the rows of a batch that have to be stored, and their count."""
    lost = _lost(batch, held) if batch.whole else ""
    if lost:
        return batch.rows.iloc[:0], Added(series_id=batch.series_id, refused=lost)
    if batch.whole:
        new, revised = _new_vintage(batch, held), 0
    else:
        new, revised = _new_rows(batch, held, recorded_at)
    rows = new.assign(series_id=batch.series_id, recorded_at=recorded_at)
    return rows, Added(series_id=batch.series_id, new=len(new) - revised, revised=revised)


def _lost(batch: Batch, held: pd.DataFrame) -> str:
    """Return what a price vintage would lose of what is held, as a message; empty if nothing."""
    missing = held["observed_on"][~held["observed_on"].isin(batch.rows["observed_on"])]
    if missing.empty or batch.rows.empty:
        return ""
    return (
        f"expected prices of {batch.series_id} on every date the store holds, but {len(missing)} "
        f"are missing, the first {missing.iloc[0].date()}; adjusted closes change as a whole with "
        "every split and dividend, so import the whole history"
    )


def _new_vintage(batch: Batch, held: pd.DataFrame) -> pd.DataFrame:
    """Return the whole batch unless it is what is held."""
    rows = batch.rows
    if held.empty or rows.empty:
        return rows
    same = rows[["observed_on", "value"]].reset_index(drop=True)
    return rows.iloc[:0] if same.equals(held[["observed_on", "value"]]) else rows


def _new_rows(
    batch: Batch, held: pd.DataFrame, recorded_at: pd.Timestamp
) -> tuple[pd.DataFrame, int]:
    """Return the rows whose date is new or whose value differs, and how many differ."""
    rows = batch.rows.merge(
        held[["observed_on", "value"]].rename(columns={"value": "before"}),
        on="observed_on",
        how="left",
        indicator="where",
    )
    is_new = rows["where"] == "left_only"
    both_missing = rows["value"].isna() & rows["before"].isna()
    differs = ~is_new & ~both_missing & (rows["value"] != rows["before"])
    early = differs & (rows["available_at"] < recorded_at)
    rows["available_at"] = rows["available_at"].mask(early, recorded_at)
    chosen = rows[is_new | differs].drop(columns=["before", "where"])
    return chosen, int(differs.sum())
