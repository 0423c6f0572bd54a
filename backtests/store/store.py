"""The store: one DuckDB file with all values, and the moment at which each value became known.

Each row has a value, the date of the value, and two moments. ``observed_on`` is the date that the
value describes. ``available_at`` is the first moment at which the value could be known.
``recorded_at`` is the moment at which the store recorded the value. The store never changes or
removes a row.

A different value for a stored date is a revision. A revision is available from the later of two
moments: the moment of its recording, and the moment that the publication rule gives.

Splits and dividends rewrite all adjusted prices. If one new price differs from the stored price,
the store adds the whole new price history. A vintage of prices is a whole price history, plus the
days that the store added later. A panel is the table of values that a backtest reads. For prices, a
panel uses only the newest vintage.

ALFRED states when each value was published. For a series with rows from ALFRED, a panel uses only
these rows. Other sources give only the latest revised values.
"""

import datetime
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from backtests.atomic import replacing, writable_name
from backtests.calendar import new_york_now
from backtests.store import locking
from backtests.store.append import (
    ARCHIVED,
    BEGAN,
    END_OF_TIME,
    JITTER,
    ROUNDING,
    Added,
    differ,
    precision,
    rows_to_append,
)
from backtests.store.batch import ARCHIVE, Batch, is_price
from backtests.store.parquet import checked_export, write_rows
from backtests.store.recording import (
    COLUMNS,
    append_rows,
    note_fetches,
    note_recordings,
    recording_moment,
)
from backtests.store.schema import version_of
from signals.catalog import CATALOG
from signals.errors import ConfigError, DataError

FETCHED = "ok"  # outcome of a successful fetch
#: Characters that a path must not contain, because DuckDB gives them a meaning. DuckDB reads the
#: text after a question mark as options, and a backslash as a separator of folders.
_SPECIAL = {"?", "\\"} - {os.sep}


def _counting(chosen: str) -> str:
    """Return an SQL query for all rows of the series that an SQL condition chooses.

    A series is chosen if one of its rows meets the condition ``chosen``. If a chosen series has
    rows from ALFRED, the query returns only its rows from ALFRED.
    """
    return f"""
    SELECT o.*, archived FROM observations o JOIN (
        SELECT series_id, bool_or({ARCHIVED}) AS archived FROM observations
        WHERE {chosen} GROUP BY series_id
    ) USING (series_id)
    WHERE {ARCHIVED} = archived
    """


#: Most rows from ALFRED revise the value of an old date when a later date already has a value. A
#: panel shows only the value of the latest known date, so the query drops these rows.
_ROWS = f"""
WITH vintages AS ({BEGAN}),
counting AS (
    {_counting("list_contains($others, series_id) AND recorded_at <= $until")}
    AND recorded_at <= $until
),
passed AS (
    SELECT series_id, available_at, max(newest) OVER (
        PARTITION BY series_id ORDER BY available_at
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS already
    FROM (
        SELECT series_id, available_at, max(observed_on) AS newest FROM counting
        WHERE archived GROUP BY ALL
    )
)
SELECT series_id, observed_on, available_at, value, recorded_at
FROM observations JOIN vintages USING (series_id)
WHERE recorded_at BETWEEN began AND $until
UNION ALL
SELECT series_id, observed_on, available_at, value, recorded_at
FROM counting LEFT JOIN passed USING (series_id, available_at)
WHERE observed_on >= coalesce(already, observed_on)
ORDER BY series_id, available_at, observed_on, recorded_at
"""


def named_store(given: Path | None = None) -> Path | None:
    """Return ``given``, else the path in the variable DRYPOWDER_STORE, else None."""
    named = os.environ.get("DRYPOWDER_STORE")
    return given or (Path(named) if named else None)


def store_path(given: Path | None = None) -> Path:
    """Return :func:`named_store`, else the path of ``store.duckdb`` in the user's data folder."""
    import platformdirs

    folder = Path(platformdirs.user_data_dir("drypowder", appauthor=False))
    return named_store(given) or folder / "store.duckdb"


class Store:
    """A store file. If the file does not exist, :meth:`add` creates the file.

    Raises
    ------
    ConfigError
        Raised if the path is invalid, see :func:`backtests.atomic.writable_name`. DuckDB cannot
        open a path that contains a question mark or a backslash, so such a path is invalid, too.
    DataError
        Every method that reads or writes the file raises DataError when the file is locked for too
        long, damaged, or not a store of drypowder. Most methods that read also raise DataError when
        the file is missing. Methods that write also raise DataError when the file is read-only.
    """

    def __init__(self, path: Path | str) -> None:
        if str(path) == ":memory:":
            raise ConfigError("expected a file for the store, was ':memory:'; give a path")
        self.path = writable_name(path)
        if found := sorted(_SPECIAL & set(str(self.path.absolute()))):
            raise ConfigError(
                f"expected a path without {found[0]} for the store, was "
                f"{str(self.path.absolute())!a}; give another path, because DuckDB cannot open a "
                f"path with {found[0]}"
            )

    def __repr__(self) -> str:
        """Return a Python expression for a Store object with the same path."""
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
        """Add the new rows of several batches in one transaction. Return each batch's changes.

        Parameters
        ----------
        batches
            For each series, at most one ordinary batch and one batch of vintages.
        recorded_at
            The moment of recording, New York time. A revision is not available before
            ``recorded_at``. A vintage of ALFRED is available from the moment that its batch states.
        wait
            The time to wait for another writer, in seconds.
        fetched
            A mapping from each fetched series to the outcome; :data:`FETCHED` means success. The
            store records the outcomes of the fetch in the same transaction as the rows. If a batch
            is refused, the reason is stored in place of the outcome.

        Raises
        ------
        DataError
            Raised for the reasons listed in :class:`Store`. Also raised if another program still
            writes after ``wait`` seconds. Also raised if ``recorded_at`` is more than
            :data:`~backtests.store.recording.CLOCK_BACK` before the last moment in the store. The
            last moment is the later of two moments: the moment of the newest row, and the start of
            the last fetch or import. After an error, nothing is added.
        """
        with locking.writing(self.path, wait) as connection:
            at = recording_moment(connection, recorded_at, self.path)
            changes = list(rows_to_append(connection, batches, at))
            append_rows(connection, [rows for rows, _ in changes if not rows.empty])
            refused = {added.series_id: added.refused for _, added in changes if added.refused}
            outcomes = {**fetched, **refused} if fetched else {}
            note_fetches(connection, [(id, recorded_at, said) for id, said in outcomes.items()])
        return [added for _, added in changes]

    def note_fetched(
        self,
        series_ids: Sequence[str],
        at: pd.Timestamp,
        outcome: str = FETCHED,
        wait: float = 0.0,
    ) -> None:
        """Record the outcome of a fetch of one or more series.

        ``at`` is the moment of the fetch, New York time. After a success, ``outcome`` is
        :data:`FETCHED`. After a failure, ``outcome`` is the reason. ``wait`` is the time to wait
        for another writer, in seconds.
        """
        with locking.writing(self.path, wait) as connection:
            note_fetches(connection, [(id, at, outcome) for id in series_ids])

    def last_tried(self) -> dict[str, pd.Timestamp]:
        """Map each series to the moment of its last fetch; failed fetches count, too.

        Without a store file, the result is empty.
        """
        fetches = sorted(self._fetches("true"))
        return {id: pd.Timestamp(at).as_unit("us") for id, at, _ in fetches}

    def _fetches(self, which: str, *given: object) -> list[tuple[str, datetime.datetime, str]]:
        """Return series, moment and outcome of each fetch that meets an SQL condition."""
        if not self.exists():
            return []
        with locking.reading(self.path) as connection:
            if version_of(connection, self.path) < 2:
                return []
            return connection.execute(f"SELECT * FROM fetched WHERE {which}", given).fetchall()

    def note_recording(self, at: pd.Timestamp, wait: float = 0.0) -> None:
        """Record the moment ``at`` (New York time) at which a fetch or an import begins.

        The store records the latest of three moments: ``at``, one microsecond after the newest row,
        and the start of the last fetch or import. If the store does not exist yet, nothing is
        recorded. ``wait`` is the time to wait for another writer, in seconds.
        """
        if not self.exists():
            return
        with locking.writing(self.path, wait) as connection:
            began = recording_moment(connection, at, self.path)
            note_recordings(connection, [began])

    def last_recording(self) -> pd.Timestamp | None:
        """Return the moment at which the last fetch or import began, New York time.

        Every row that was stored before the fetch or import began has an earlier ``recorded_at``.
        The result ignores the fetch or import that created the store. The result is None if no
        fetch or import has begun since the store was created.
        """
        return max(self._recordings(END_OF_TIME), default=None)

    def _recordings(self, until: pd.Timestamp) -> list[pd.Timestamp]:
        """Return the moments, up to ``until``, at which fetches and imports began."""
        with locking.reading(self.path) as connection:
            if version_of(connection, self.path) < 3:
                return []
            found = connection.execute("SELECT * FROM recordings WHERE began_at <= ?", [until])
            return [pd.Timestamp(began).as_unit("us") for (began,) in found.fetchall()]

    @contextmanager
    def fetching(self, at: pd.Timestamp | None = None, wait: float = 0.0) -> Iterator[None]:
        """Prevent other fetches into this store in a ``with`` block; imports are allowed.

        ``at`` is the moment at which the fetch begins, New York time; by default now. ``wait`` is
        the time to wait for another writer, in seconds.

        Raises
        ------
        DataError
            Raised if another fetch is running, or if the store cannot be written. Also raised if
            ``at`` is more than :data:`~backtests.store.recording.CLOCK_BACK` before the last moment
            in the store. The last moment is the later of two moments: the moment of the newest row,
            and the start of the last fetch or import.
        """
        locking.check_writable(self.path)
        busy = (
            f"expected to be the only fetch into {self.path}, but another fetch is running; wait "
            "for it to end"
        )
        with locking.alone(self.path, ".fetch.lock", busy):
            self.note_recording(at or new_york_now(), wait)
            yield

    def rows(self, ids: Sequence[str], as_of: pd.Timestamp | None = None) -> pd.DataFrame:
        """Return the rows that a backtest may use.

        If ``as_of`` is given, rows that were recorded after ``as_of`` are ignored.

        For prices, only the rows of the newest vintage are returned. If a series has rows from
        ALFRED, only the rows from ALFRED are returned. A value from ALFRED is left out if the value
        of a later date was already known. For a series of the catalog without rows from ALFRED, all
        rows are returned. A series that is not in the store has no row. The columns are
        ``series_id, observed_on, available_at, value, recorded_at``. The rows are sorted by
        ``series_id``, ``available_at``, ``observed_on`` and ``recorded_at``.
        """
        prices, others = [i for i in ids if is_price(i)], [i for i in ids if not is_price(i)]
        return self.query(
            _ROWS, {"prices": prices, "others": others, "until": as_of or END_OF_TIME}
        )

    def summary(self) -> pd.DataFrame:
        """Return a table that describes the stored dates of each series.

        ``rows`` is the number of dates, and ``first`` and ``last`` are the first and the last date.
        ``last_known`` is the last moment at which a value became known. ``revisions`` is the number
        of revised dates. ``recorded_at`` is the moment of the last recording. If a series has rows
        from ALFRED, only these rows are used.
        """
        return self.query(
            f"""
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
                FROM ({_counting("true")}) GROUP BY series_id, observed_on
            ) GROUP BY series_id ORDER BY series_id
            """,
            {"known": list(CATALOG), "rounding": ROUNDING, "jitter": JITTER},
        )

    def series_ids(self, as_of: pd.Timestamp | None = None) -> tuple[str, ...]:
        """Return the ids of all stored series. Rows recorded after ``as_of`` are ignored."""
        found = self.query(
            "SELECT DISTINCT series_id FROM observations WHERE recorded_at <= ? ORDER BY 1",
            [as_of or END_OF_TIME],
        )
        return tuple(found["series_id"])

    def archived_since(
        self, ids: Sequence[str], as_of: pd.Timestamp | None
    ) -> dict[str, pd.Timestamp]:
        """Map each series with rows from ALFRED to the moment at which its archive begins.

        If a series has rows from ALFRED, a panel uses only these rows, see :meth:`rows`. Before the
        archive begins, the panel shows the values of the first vintage. The values of the first
        vintage may already be revised. Rows recorded after ``as_of`` are ignored.
        """
        found = self.query(
            "SELECT series_id, "
            "coalesce(min(available_at) FILTER (WHERE source = ?), max(available_at)) AS began "
            f"FROM observations WHERE {ARCHIVED} AND list_contains(?, series_id) "
            "AND recorded_at <= ? GROUP BY 1 ORDER BY 1",
            [ARCHIVE, list(ids), as_of or END_OF_TIME],
        )
        return dict(zip(found["series_id"], found["began"], strict=True))

    def first_dates(self, ids: Sequence[str]) -> dict[str, pd.Timestamp]:
        """Map each stored id in ``ids`` to the first date of its series."""
        found = self.query(
            "SELECT series_id, min(observed_on) AS first FROM observations "
            "WHERE list_contains(?, series_id) GROUP BY 1 ORDER BY 1",
            [list(ids)],
        )
        return dict(zip(found["series_id"], found["first"], strict=True))

    def query(
        self, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()
    ) -> pd.DataFrame:
        """Run an SQL query that only reads. The table ``observations`` has the store's rows."""
        with locking.reading(self.path) as connection:
            return connection.execute(sql, parameters).df()

    def revisions(self, series_id: str) -> pd.DataFrame:
        """Return all values of each date that was revised.

        If a series has rows from ALFRED, only these rows are used. The columns are ``observed_on,
        available_at, value, recorded_at``. The rows are sorted by ``observed_on``, ``available_at``
        and ``recorded_at``.
        """
        return self.query(
            f"""
            WITH counted AS (
                SELECT *, coalesce(value, 'nan'::DOUBLE) AS given
                FROM ({_counting("series_id = $id")})
            )
            SELECT observed_on, available_at, value, recorded_at
            FROM counted SEMI JOIN (
                SELECT observed_on FROM counted GROUP BY observed_on
                HAVING {differ("min(given)", "max(given)", "$same")}
            ) USING (observed_on)
            ORDER BY observed_on, available_at, recorded_at
            """,
            {"id": series_id, "same": precision(series_id)},
        )

    def copy(self, path: Path | str, as_of: pd.Timestamp) -> int:
        """Create a new store with copies of some rows, and return the number of copied rows.

        A row is copied if it was recorded at or before ``as_of`` (New York time). After a failure,
        no new store remains.

        Raises
        ------
        DataError
            Raised for the reasons listed in :class:`Store`. Also raised if the new file already
            exists, or if all rows were recorded after ``as_of``.
        """
        target = Store(path)
        if target.path.exists() or target.path.is_symlink():
            raise DataError(f"expected no file at {target.path}, found one; give a new path")
        self._check_recorded(as_of)
        rows = self.query(f"SELECT {COLUMNS} FROM observations WHERE recorded_at <= ?", [as_of])
        tried, began = self._fetches("fetched_at <= ?", as_of), self._recordings(as_of)
        with locking.creating(target.path) as connection:
            append_rows(connection, [rows])
            note_fetches(connection, tried)
            note_recordings(connection, began)
        return len(rows)

    def _check_recorded(self, as_of: pd.Timestamp) -> None:
        first = self.query("SELECT min(recorded_at) AS first FROM observations")["first"].iloc[0]
        if first > as_of:
            raise DataError(
                f"expected a date on or after {first.date()}, was {as_of.date()}; no row of "
                f"{self.path} was recorded before {first.date()}; to end a run at a session, use "
                "drypowder run --end"
            )

    def export(self, path: Path) -> int:
        """Write every row with all its columns to a parquet file, and return the number of rows.

        The moments in ``available_at`` and ``recorded_at`` are New York times without a time zone.
        ``observed_on`` is midnight of its date. An existing file is replaced, and missing folders
        are created. After a failure, an existing file is unchanged.

        Raises
        ------
        DataError
            Raised for the reasons listed in :class:`Store`. Also raised if the path does not end in
            ``.parquet``, is a folder, is the store itself, or cannot be written.
        """
        target = checked_export(path, self.path)
        with replacing(target) as fresh, locking.reading(self.path, also=fresh) as connection:
            # pandas would read a DATE as an object
            whole = "SELECT * REPLACE (observed_on::TIMESTAMP AS observed_on) FROM observations"
            table = connection.sql(
                f"SELECT {COLUMNS} FROM ({whole}) "
                "ORDER BY series_id, observed_on, available_at, recorded_at"
            )
            write_rows(table, fresh)
            count = connection.execute("SELECT count(*) FROM observations").fetchall()[0][0]
        return int(count)
