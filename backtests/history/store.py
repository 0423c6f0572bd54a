"""The store: one append-only DuckDB file of everything that was ever known.

A row says what a value describes (``observed_on``), when it could first have been known
(``available_at``) and when we recorded it. Nothing is ever changed or removed. A different value
for a date already held is a revision, available from when it was recorded. Prices are the
exception: splits and dividends rewrite adjusted closes as a whole, so each import of a price
series is one whole vintage (one ``recorded_at``), and a reader uses the newest alone. An archive
of vintages says itself when each value was known: once a series holds rows of one, a reader uses
those alone, since what other sources gave had been revised by the time they gave it.

DuckDB lets nobody into a file while a writer has it open. So connections are opened for one
operation and closed at once, readers retry for a while, and a lock file admits one writer.
"""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import filelock
import pandas as pd

from backtests.history.batch import ARCHIVE, Batch, is_price
from signals.errors import DataError

PATIENCE = 20.0  # seconds a reader waits for a writer to leave
FETCHED = "ok"  # the outcome of a fetch that brought what it was asked for

#: What leads from each schema version to the next; an empty file has version 0. The table's name
#: is that of its version 1, which every later version has to find.
MIGRATIONS: dict[int, str] = {
    1: """
        CREATE TABLE drypowder (schema_version INTEGER NOT NULL);
        INSERT INTO drypowder VALUES (1);
        CREATE TABLE observations (
            series_id VARCHAR NOT NULL,
            observed_on DATE NOT NULL,
            available_at TIMESTAMP NOT NULL,
            value DOUBLE,
            source VARCHAR NOT NULL,
            recorded_at TIMESTAMP NOT NULL
        );
    """,
    2: """
        CREATE TABLE fetched (
            series_id VARCHAR NOT NULL,
            fetched_at TIMESTAMP NOT NULL,
            outcome VARCHAR NOT NULL
        );
    """,
}
SCHEMA_VERSION = max(MIGRATIONS)
_COLUMNS = "series_id, observed_on, available_at, value, source, recorded_at"
_ARCHIVED = f"starts_with(source, '{ARCHIVE}')"
#: Of an archive most rows revise dates that have passed, which no panel ever shows: those go here,
#: where that costs least.
_ROWS = f"""
WITH wanted AS (SELECT unnest(?) AS series_id, unnest(?) AS whole),
kinds AS (
    SELECT series_id, whole, max(recorded_at) AS newest, bool_or({_ARCHIVED}) AS archived
    FROM observations JOIN wanted USING (series_id)
    WHERE recorded_at <= ? GROUP BY series_id, whole
),
told AS (
    SELECT o.* FROM observations o
    JOIN (SELECT series_id FROM kinds WHERE NOT whole AND archived) USING (series_id)
    WHERE {_ARCHIVED} AND recorded_at <= ?
),
passed AS (
    SELECT series_id, available_at, max(newest) OVER (
        PARTITION BY series_id ORDER BY available_at
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS already
    FROM (SELECT series_id, available_at, max(observed_on) AS newest FROM told GROUP BY ALL)
)
SELECT o.series_id, o.observed_on, o.available_at, o.value, o.recorded_at
FROM observations o JOIN kinds USING (series_id)
WHERE (whole AND o.recorded_at = newest)
   OR (NOT whole AND NOT archived AND o.recorded_at <= ?)
UNION ALL
SELECT series_id, observed_on, available_at, value, recorded_at
FROM told JOIN passed USING (series_id, available_at)
WHERE observed_on >= coalesce(already, observed_on)
ORDER BY series_id, available_at, observed_on, recorded_at
"""
_TO_COME = pd.Timestamp("9999-12-31")


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

    def add(
        self,
        batches: Sequence[Batch],
        recorded_at: pd.Timestamp,
        wait: float = 0.0,
        fetched: Mapping[str, str] | None = None,
    ) -> list[Added]:
        """Append what is new in some batches, in one transaction.

        Parameters
        ----------
        batches
            At most one a series and kind.
        recorded_at
            The moment of recording, New York's clock. A revision is available from then, a
            vintage of an archive from when the archive says.
        wait
            Seconds to wait for another writer to end.
        fetched
            Outcome of the fetch of some series, :data:`FETCHED` for success; noted in the same
            transaction. A batch that is refused turns its series' outcome into the refusal.

        Returns
        -------
        What changed, one entry a batch, in their order.

        Raises
        ------
        DataError
            Also when another writer is still at work after ``wait``. Nothing is then added.
        """
        with self._writer(wait) as connection:
            at = _after_all(connection, recorded_at)
            changes = [_change(batch, _held(connection, batch), at) for batch in batches]
            _append(connection, [rows for rows, _ in changes if not rows.empty])
            refused = {added.series_id: added.refused for _, added in changes if added.refused}
            _note(connection, {**(fetched or {}), **refused} if fetched else {}, recorded_at)
        return [added for _, added in changes]

    def note_fetched(
        self,
        series_ids: str | Sequence[str],
        at: pd.Timestamp,
        outcome: str = FETCHED,
        wait: float = 0.0,
    ) -> None:
        """Note an attempt to fetch some series, and its outcome; waits for another writer."""
        ids = [series_ids] if isinstance(series_ids, str) else series_ids
        with self._writer(wait) as connection:
            _note(connection, dict.fromkeys(ids, outcome), at)

    def last_fetched(self) -> dict[str, pd.Timestamp]:
        """Return when each series was last fetched with success; empty without a store."""
        if not self.exists():
            return {}
        with self._reader() as connection:
            if _version(connection, self.path) < 2:
                return {}
            found = connection.execute(
                "SELECT series_id, max(fetched_at) FROM fetched WHERE outcome = ? "
                "GROUP BY 1 ORDER BY 1",
                [FETCHED],
            )
            return {id: pd.Timestamp(at).as_unit("us") for id, at in found.fetchall()}

    @contextmanager
    def fetching(self) -> Iterator[None]:
        """Be the only fetch into this store while inside; importing and reading stay possible.

        Raises
        ------
        DataError
            When another fetch is running.
        """
        with self._alone(
            ".fetch.lock",
            f"expected to be the only fetch into {self.path}, but another is running; wait for it "
            "to end",
        ):
            yield

    def rows(self, ids: Sequence[str], as_of: pd.Timestamp | None = None) -> pd.DataFrame:
        """Return the rows of some series that a panel may use.

        Of a price series only the newest vintage; of a series that holds vintages of an archive
        only those, and of them none that describes a date before one already known; of others
        every row. Columns ``series_id, observed_on, available_at, value,
        recorded_at``, ordered by series, moment known, date described and moment recorded.

        Parameters
        ----------
        ids
            Series ids; those not held have no row.
        as_of
            Leave out what was recorded later, as if it had never come; None for nothing.
        """
        names = list(dict.fromkeys(ids))
        until = as_of or _TO_COME
        frame = self.query(_ROWS, [names, [is_price(n) for n in names], until, until, until])
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

    def series_ids(self, as_of: pd.Timestamp | None = None) -> tuple[str, ...]:
        """Return the ids of all series held, or held by a moment."""
        with self._reader() as connection:
            found = connection.execute(
                "SELECT DISTINCT series_id FROM observations WHERE recorded_at <= ? ORDER BY 1",
                [as_of or _TO_COME],
            )
            return tuple(row[0] for row in found.fetchall())

    def first_dates(self, ids: Sequence[str]) -> dict[str, pd.Timestamp]:
        """Return the first date held of each of some series; those not held are left out."""
        with self._reader() as connection:
            found = connection.execute(
                "SELECT series_id, min(observed_on) FROM observations "
                "WHERE list_contains(?, series_id) GROUP BY 1 ORDER BY 1",
                [list(ids)],
            )
            return {id: pd.Timestamp(day) for id, day in found.fetchall()}

    def query(self, sql: str, parameters: Sequence[object] = ()) -> pd.DataFrame:
        """Return the answer to a query that only reads; the rows are in ``observations``."""
        with self._reader() as connection:
            return connection.execute(sql, list(parameters)).df()

    def vintages(self, series_id: str) -> pd.DataFrame:
        """Return every value that counts or once counted of the dates whose value was changed.

        Of a series that holds vintages of an archive those alone. Columns ``observed_on,
        available_at, value, recorded_at``, ordered by date described, moment known and recorded.
        """
        frame = self.query(
            f"""
            WITH told AS (
                SELECT * FROM observations WHERE series_id = ? AND {_ARCHIVED} = (
                    SELECT bool_or({_ARCHIVED}) FROM observations WHERE series_id = ?)
            )
            SELECT observed_on, available_at, value, recorded_at
            FROM told SEMI JOIN (
                SELECT observed_on FROM told GROUP BY observed_on
                HAVING count(DISTINCT coalesce(value, 'nan'::DOUBLE)) > 1
            ) USING (observed_on)
            ORDER BY observed_on, available_at, recorded_at
            """,
            [series_id, series_id],
        )
        return frame.astype({"observed_on": "datetime64[us]", "available_at": "datetime64[us]"})

    def export(self, path: Path) -> int:
        """Write every row with all its columns to a parquet file, whole or not at all.

        Parameters
        ----------
        path
            Ends in ``.parquet``; replaced when it exists.

        Returns
        -------
        The number of rows written.

        Raises
        ------
        DataError
            When the file has another ending or its folder does not exist.
        """
        target = _check_export(path, self.path)
        beside = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            with self._reader() as connection:
                table = connection.sql(
                    f"SELECT {_COLUMNS} FROM observations "
                    "ORDER BY series_id, observed_on, available_at, recorded_at"
                )
                table.write_parquet(str(beside))
                count = connection.execute("SELECT count(*) FROM observations").fetchall()[0][0]
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)
        return int(count)

    @contextmanager
    def _reader(self) -> Iterator[duckdb.DuckDBPyConnection]:
        if not self.exists():
            raise DataError(
                f"expected a store at {self.path}, found none; make it with "
                f"'drypowder import PATH --store {self.path}'"
            )
        connection = _connect(self.path, read_only=True)
        try:
            _version(connection, self.path)
            yield connection
        except duckdb.Error as error:
            raise DataError(_cannot_open(self.path, locked=False)) from error
        finally:
            connection.close()

    @contextmanager
    def _writer(self, wait: float) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open for writing inside one transaction, alone."""
        _check_writable(self.path)
        with self._alone(
            ".lock",
            f"expected to be the only writer of {self.path}, but another import or fetch is "
            "running; wait for it to end",
            wait,
        ):
            yield from self._transaction()

    @contextmanager
    def _alone(self, ending: str, otherwise: str, wait: float = 0.0) -> Iterator[None]:
        """Hold a lock file beside the store."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(f"{self.path}{ending}")
        try:
            lock.acquire(timeout=wait)
        except filelock.Timeout:
            raise DataError(otherwise) from None
        try:
            yield
        finally:
            lock.release()

    def _transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        if not self.exists():
            self._make()
        connection = _connect(self.path, read_only=False)
        try:
            connection.execute("BEGIN")
            _migrate(connection, self.path)
            yield connection
            connection.execute("COMMIT")
        except duckdb.Error as error:
            raise DataError(_cannot_open(self.path, locked=False)) from error
        finally:
            connection.close()

    def _make(self) -> None:
        """Put an empty store in place, whole: a file that is killed half made is none."""
        fresh = self.path.with_name(f".{self.path.name}.new")
        for left in (fresh, fresh.with_name(f"{fresh.name}.wal")):
            left.unlink(missing_ok=True)
        with duckdb.connect(str(fresh)) as connection:
            _migrate(connection, fresh)
        fresh.replace(self.path)


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


def _version(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    """Return the schema version of a store; refuse what is none, or newer than we know."""
    try:
        found = connection.execute("SELECT schema_version FROM drypowder").fetchall()
    except duckdb.Error:
        raise DataError(
            f"expected a store of drypowder at {path}, but its tables are another program's; "
            "name another with --store"
        ) from None
    if len(found) != 1 or found[0][0] not in MIGRATIONS:
        raise DataError(
            f"expected schema version 1 to {SCHEMA_VERSION} in {path}, was "
            f"{', '.join(str(row[0]) for row in found) or 'none'}; "
            "use the version of drypowder that wrote it, or import anew"
        )
    return int(found[0][0])


def _migrate(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Bring a store to the present schema, inside the writer's transaction."""
    version = 0 if _is_empty(connection) else _version(connection, path)
    for newer in range(version + 1, SCHEMA_VERSION + 1):
        connection.execute(MIGRATIONS[newer])
        connection.execute("UPDATE drypowder SET schema_version = ?", [newer])


def _check_writable(path: Path) -> None:
    if path.exists() and not path.stat().st_mode & 0o222:
        raise DataError(
            f"expected to write to {path}, but the file is read-only; make it writable "
            f"(chmod u+w) or name another with --store"
        )
    if path.is_dir():
        raise DataError(f"expected a file at {path}, but it is a folder; name a file in it")


def _check_export(path: Path, store: Path) -> Path:
    """Return where to write an export; refuse what could not be one."""
    target = path.expanduser()
    if target.suffix != ".parquet":
        raise DataError(f"expected a file that ends in .parquet, was {path}; name one")
    if not target.parent.is_dir():
        raise DataError(f"expected a folder at {target.parent}, found none; make it first")
    if target.is_dir() or target.resolve() == store.resolve():
        raise DataError(f"expected a file to write at {path}, was a folder or the store itself")
    return target


def _after_all(connection: duckdb.DuckDBPyConnection, recorded_at: pd.Timestamp) -> pd.Timestamp:
    """Return a moment of recording later than any held, so that vintages stay in order.

    Local time repeats an hour a year, and two imports may share a clock tick.
    """
    newest = connection.execute("SELECT max(recorded_at) FROM observations").fetchall()[0][0]
    if newest is None:
        return recorded_at
    return max(recorded_at, pd.Timestamp(newest) + pd.Timedelta(microseconds=1))


def _append(connection: duckdb.DuckDBPyConnection, rows: list[pd.DataFrame]) -> None:
    if not rows:
        return
    connection.register("incoming", pd.concat(rows, ignore_index=True))
    connection.execute(
        f"INSERT INTO observations SELECT {_COLUMNS} FROM incoming ORDER BY series_id, observed_on"
    )


def _note(
    connection: duckdb.DuckDBPyConnection, outcomes: Mapping[str, str], at: pd.Timestamp
) -> None:
    if outcomes:
        rows = [[series_id, at, outcome] for series_id, outcome in outcomes.items()]
        connection.executemany("INSERT INTO fetched VALUES (?, ?, ?)", rows)


def _held(connection: duckdb.DuckDBPyConnection, batch: Batch) -> pd.DataFrame:
    """Return what a batch is compared with: what is held of its series and of its kind."""
    held = _held_vintages if batch.vintages else _held_values
    return held(connection, batch.series_id)


def _held_vintages(connection: duckdb.DuckDBPyConnection, series_id: str) -> pd.DataFrame:
    frame = connection.execute(
        "SELECT DISTINCT observed_on, available_at, value FROM observations "
        f"WHERE series_id = ? AND {_ARCHIVED}",
        [series_id],
    ).df()
    return frame.astype({"observed_on": "datetime64[us]", "available_at": "datetime64[us]"})


def _held_values(connection: duckdb.DuckDBPyConnection, series_id: str) -> pd.DataFrame:
    """Return the values that now count but for an archive's: one a date, the newest vintage."""
    frame = connection.execute(
        f"""
        SELECT observed_on, arg_max(value, (recorded_at, available_at)) AS value,
               max(recorded_at) AS recorded_at
        FROM (SELECT observed_on, coalesce(value, 'nan'::DOUBLE) AS value, recorded_at,
                     available_at FROM observations WHERE series_id = ? AND NOT {_ARCHIVED})
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
    elif batch.vintages:
        new, revised = _new_vintages(batch, held)
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


def _new_vintages(batch: Batch, held: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Return an archive's rows that are not held, and how many of them are of dates held."""
    told = batch.rows.drop_duplicates(["observed_on", "available_at"], keep="last")
    rows = told.merge(held, on=["observed_on", "available_at", "value"], how="left", indicator="in")
    rows = rows[rows["in"] == "left_only"].drop(columns="in")
    return rows, int(rows["observed_on"].isin(held["observed_on"]).sum())


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
