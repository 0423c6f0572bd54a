"""The store: one append-only DuckDB file of everything that was ever known.

A row says what a value describes (``observed_on``), when it could first have been known
(``available_at``) and when we recorded it. Nothing is ever changed or removed. A different value
for a date already held is a revision, available from when it was recorded. Prices are the
exception: splits and dividends rewrite adjusted closes as a whole, so closes that differ come in
as one whole vintage, which later days extend, and a reader uses the newest vintage alone. An
archive of vintages says itself when each value was known: once a series holds rows of one, a
reader uses those alone, since what other sources gave had been revised by the time they gave it.
"""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pandas as pd

from backtests.atomic import replacing, resolved, writable_name
from backtests.calendar import new_york_now
from backtests.store.append import (
    ARCHIVED,
    BEGAN,
    JITTER,
    ROUNDING,
    TO_COME,
    Added,
    changes,
    differ,
    precision,
)
from backtests.store.batch import Batch, is_price
from backtests.store.locking import alone, check_writable, reading, said_by_system, writing
from backtests.store.schema import version_of
from signals.catalog import CATALOG
from signals.errors import ConfigError, DataError

#: How far the clock may be behind the newest row: local time repeats an hour a year.
CLOCK_BACK = pd.Timedelta(hours=2)
FETCHED = "ok"  # the outcome of a fetch that brought what it was asked for

_COLUMNS = "series_id, observed_on, available_at, value, source, recorded_at"
#: Of an archive most rows revise dates that have passed, which no panel ever shows: those go here,
#: where that costs least.
_ROWS = f"""
WITH vintages AS ({BEGAN}),
kinds AS (
    SELECT series_id, bool_or({ARCHIVED}) AS archived FROM observations
    WHERE list_contains($others, series_id) AND recorded_at <= $until GROUP BY series_id
),
told AS (
    SELECT o.* FROM observations o
    JOIN (SELECT series_id FROM kinds WHERE archived) USING (series_id)
    WHERE {ARCHIVED} AND recorded_at <= $until
),
passed AS (
    SELECT series_id, available_at, max(newest) OVER (
        PARTITION BY series_id ORDER BY available_at
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS already
    FROM (SELECT series_id, available_at, max(observed_on) AS newest FROM told GROUP BY ALL)
)
SELECT series_id, observed_on, available_at, value, recorded_at
FROM observations JOIN vintages USING (series_id)
WHERE recorded_at BETWEEN began AND $until
UNION ALL
SELECT series_id, observed_on, available_at, value, recorded_at
FROM observations JOIN (SELECT series_id FROM kinds WHERE NOT archived) USING (series_id)
WHERE recorded_at <= $until
UNION ALL
SELECT series_id, observed_on, available_at, value, recorded_at
FROM told JOIN passed USING (series_id, available_at)
WHERE observed_on >= coalesce(already, observed_on)
ORDER BY series_id, available_at, observed_on, recorded_at
"""


def default_store() -> Path:
    """Return where the store lies when no other is named: the platform's data folder."""
    import platformdirs

    return Path(platformdirs.user_data_dir("drypowder", appauthor=False)) / "store.duckdb"


class Store:
    """A store file.

    Parameters
    ----------
    path
        The file; :meth:`add` makes it when it does not exist.

    Raises
    ------
    ConfigError
        When the path names no such user or is not UTF-8.
    DataError
        From every method, when the file is missing, locked for too long, read-only, damaged or
        not a store of ours.
    """

    def __init__(self, path: Path | str) -> None:
        if str(path) == ":memory:":
            raise ConfigError("expected a file for the store, was ':memory:'; name a file")
        self.path = writable_name(path)

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
            Also when another writer is still at work after ``wait``, or the clock runs behind
            what is recorded. Nothing is then added.
        """
        with writing(self.path, wait) as connection:
            at = _moment(connection, recorded_at, self.path)
            made = list(changes(connection, batches, at))
            _append(connection, [rows for rows, _ in made if not rows.empty])
            refused = {added.series_id: added.refused for _, added in made if added.refused}
            _note(connection, {**(fetched or {}), **refused} if fetched else {}, recorded_at)
        return [added for _, added in made]

    def note_fetched(
        self,
        series_ids: str | Sequence[str],
        at: pd.Timestamp,
        outcome: str = FETCHED,
        wait: float = 0.0,
    ) -> None:
        """Note an attempt to fetch some series, and its outcome; waits for another writer."""
        ids = [series_ids] if isinstance(series_ids, str) else series_ids
        with writing(self.path, wait) as connection:
            _note(connection, dict.fromkeys(ids, outcome), at)

    def last_fetched(self) -> dict[str, pd.Timestamp]:
        """Return when each series was last fetched with success; empty without a store."""
        return self._last("outcome = ?", FETCHED)

    def last_tried(self) -> dict[str, pd.Timestamp]:
        """Return when each series was last asked for, in vain or not; empty without a store."""
        return self._last("true")

    def _last(self, which: str, *given: str) -> dict[str, pd.Timestamp]:
        last: dict[str, pd.Timestamp] = {}
        for id, at, _ in sorted(self._fetches(which, *given)):
            last[id] = pd.Timestamp(at).as_unit("us")
        return last

    def _fetches(self, which: str, *given: object) -> list[tuple[str, datetime.datetime, str]]:
        """Return series, moment and outcome of the fetches that a condition holds for."""
        if not self.exists():
            return []
        with reading(self.path) as connection:
            if version_of(connection, self.path) < 2:
                return []
            return connection.execute(f"SELECT * FROM fetched WHERE {which}", given).fetchall()

    @contextmanager
    def fetching(self) -> Iterator[None]:
        """Be the only fetch into this store while inside; importing and reading stay possible.

        Raises
        ------
        DataError
            When another fetch is running, the store cannot be written, or the clock runs behind
            what is recorded.
        """
        check_writable(self.path)
        if self.exists():
            with reading(self.path) as connection:
                _moment(connection, new_york_now(), self.path)
        busy = (
            f"expected to be the only fetch into {self.path}, but another is running; wait for it "
            "to end"
        )
        with alone(self.path, ".fetch.lock", busy):
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
        prices, others = [n for n in names if is_price(n)], [n for n in names if not is_price(n)]
        given = {"prices": prices, "others": others, "until": as_of or TO_COME}
        frame = self.query(_ROWS, given)
        return frame.astype({"observed_on": "datetime64[us]", "available_at": "datetime64[us]"})

    def summary(self) -> pd.DataFrame:
        """Return one row a series: dates, first and last, dates revised, last moments.

        Of a series that holds vintages of an archive those alone.
        """
        return self.query(
            f"""
            WITH kinds AS (
                SELECT series_id, bool_or({ARCHIVED}) AS archived FROM observations
                GROUP BY series_id
            )
            SELECT series_id, count(*) AS rows, min(observed_on) AS first,
                   max(observed_on) AS last, max(last_known) AS last_known,
                   count(*) FILTER ({differ("low", "high", "same")}) AS revisions,
                   max(recorded_at) AS recorded_at
            FROM (
                SELECT series_id, observed_on, max(available_at) AS last_known,
                       max(recorded_at) AS recorded_at,
                       min(coalesce(value, 'nan'::DOUBLE)) AS low,
                       max(coalesce(value, 'nan'::DOUBLE)) AS high,
                       CASE WHEN list_contains($known, series_id) THEN $rounding ELSE $jitter END
                       AS same
                FROM observations JOIN kinds USING (series_id)
                WHERE {ARCHIVED} = archived GROUP BY series_id, observed_on
            ) GROUP BY series_id ORDER BY series_id
            """,
            {"known": list(CATALOG), "rounding": ROUNDING, "jitter": JITTER},
        )

    def series_ids(self, as_of: pd.Timestamp | None = None) -> tuple[str, ...]:
        """Return the ids of all series held, or held by a moment."""
        with reading(self.path) as connection:
            found = connection.execute(
                "SELECT DISTINCT series_id FROM observations WHERE recorded_at <= ? ORDER BY 1",
                [as_of or TO_COME],
            )
            return tuple(row[0] for row in found.fetchall())

    def archived_ids(
        self, ids: Sequence[str], as_of: pd.Timestamp | None = None
    ) -> tuple[str, ...]:
        """Return those of some series that hold vintages of an archive, or held some by a moment.

        A reader uses the vintages of such a series alone, see :meth:`rows`.
        """
        with reading(self.path) as connection:
            found = connection.execute(
                f"SELECT DISTINCT series_id FROM observations WHERE {ARCHIVED} "
                "AND list_contains(?, series_id) AND recorded_at <= ? ORDER BY 1",
                [list(ids), as_of or TO_COME],
            )
            return tuple(row[0] for row in found.fetchall())

    def first_dates(self, ids: Sequence[str]) -> dict[str, pd.Timestamp]:
        """Return the first date held of each of some series; those not held are left out."""
        with reading(self.path) as connection:
            found = connection.execute(
                "SELECT series_id, min(observed_on) FROM observations "
                "WHERE list_contains(?, series_id) GROUP BY 1 ORDER BY 1",
                [list(ids)],
            )
            return {id: pd.Timestamp(day) for id, day in found.fetchall()}

    def query(
        self, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()
    ) -> pd.DataFrame:
        """Return the answer to a query that only reads; the rows are in ``observations``."""
        with reading(self.path) as connection:
            return connection.execute(sql, parameters).df()

    def vintages(self, series_id: str) -> pd.DataFrame:
        """Return every value that counts or once counted of the dates whose value was changed.

        Of a series that holds vintages of an archive those alone. Columns ``observed_on,
        available_at, value, recorded_at``, ordered by date described, moment known and recorded.
        """
        frame = self.query(
            f"""
            WITH told AS (
                SELECT *, coalesce(value, 'nan'::DOUBLE) AS given FROM observations
                WHERE series_id = $id AND {ARCHIVED} = (
                    SELECT bool_or({ARCHIVED}) FROM observations WHERE series_id = $id)
            )
            SELECT observed_on, available_at, value, recorded_at
            FROM told SEMI JOIN (
                SELECT observed_on FROM told GROUP BY observed_on
                HAVING {differ("min(given)", "max(given)", "$same")}
            ) USING (observed_on)
            ORDER BY observed_on, available_at, recorded_at
            """,
            {"id": series_id, "same": precision(series_id)},
        )
        return frame.astype({"observed_on": "datetime64[us]", "available_at": "datetime64[us]"})

    def copy(self, path: Path | str, as_of: pd.Timestamp) -> int:
        """Write what was recorded by a moment to a new store, and leave this one as it is.

        Parameters
        ----------
        path
            The new store's file.
        as_of
            Leave out what was recorded later, New York's clock.

        Returns
        -------
        The number of rows copied.

        Raises
        ------
        DataError
            Also when the new file exists.
        """
        target = Store(path)
        if target.path.exists() or target.path.is_symlink():
            raise DataError(f"expected no file at {target.path}, found one; name a new file")
        rows = self.query(f"SELECT {_COLUMNS} FROM observations WHERE recorded_at <= ?", [as_of])
        tried = self._fetches("fetched_at <= ?", as_of)
        try:
            with writing(target.path, 0.0) as connection:
                _append(connection, [rows])
                if tried:
                    connection.executemany("INSERT INTO fetched VALUES (?, ?, ?)", tried)
        except BaseException:
            target.path.unlink(missing_ok=True)
            raise
        return len(rows)

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
        with replacing(target) as fresh, reading(self.path, also=fresh) as connection:
            table = connection.sql(
                f"SELECT {_COLUMNS} FROM observations "
                "ORDER BY series_id, observed_on, available_at, recorded_at"
            )
            _write_parquet(table, fresh)
            count = connection.execute("SELECT count(*) FROM observations").fetchall()[0][0]
        return int(count)


def write_parquet(table: pd.DataFrame, path: Path) -> None:
    """Write a table to a parquet file, one column each, by DuckDB; whole or not at all."""
    with replacing(path) as fresh, duckdb.connect() as connection:
        connection.register("given", table)
        _write_parquet(connection.sql("SELECT * FROM given"), fresh)


def _write_parquet(rows: duckdb.DuckDBPyRelation, path: Path) -> None:
    """Write rows to a parquet file; raise what DuckDB says of the system as OSError."""
    try:
        rows.write_parquet(str(path))
    except duckdb.Error as error:
        raise OSError(None, said_by_system(error)) from error


def _check_export(path: Path, store: Path) -> Path:
    """Return where to write an export; refuse what could not be one."""
    target = resolved(path)
    if target.suffix != ".parquet":
        raise DataError(f"expected a file that ends in .parquet, was {path}; name one")
    if not target.parent.is_dir():
        raise DataError(f"expected a folder at {target.parent}, found none; make it first")
    if target.is_dir() or target == resolved(store):
        raise DataError(f"expected a file to write at {path}, was a folder or the store itself")
    return target


def _moment(
    connection: duckdb.DuckDBPyConnection, recorded_at: pd.Timestamp, path: Path
) -> pd.Timestamp:
    """Return a moment of recording later than any held, so that vintages stay in order.

    Local time repeats an hour a year, and two imports may share a clock tick: then it is the next
    microsecond. A clock further behind is wrong now or was wrong then, and we cannot tell which:
    values would be dated too early, or hidden until the wrong date comes.

    Raises
    ------
    DataError
        When the clock is more than :data:`CLOCK_BACK` behind the newest row.
    """
    newest = connection.execute("SELECT max(recorded_at) FROM observations").fetchall()[0][0]
    if newest is None:
        return recorded_at
    held = pd.Timestamp(newest)
    if held - recorded_at > CLOCK_BACK:
        raise DataError(
            f"expected a clock later than {held:%Y-%m-%d %H:%M}, when {path} was last written, was "
            f"{recorded_at:%Y-%m-%d %H:%M}; set the clock, or, if it was wrong then, copy what "
            f"came before: drypowder data --store {path} --copy NEW.duckdb --as-of "
            f"{recorded_at:%Y-%m-%d}"
        )
    return max(recorded_at, held + pd.Timedelta(microseconds=1))


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
