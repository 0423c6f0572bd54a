"""Write rows, and the moments of fetches and imports, into an open store."""

import datetime
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pandas as pd

from signals.errors import DataError

#: Columns of a stored row.
COLUMNS = "series_id, observed_on, available_at, value, source, recorded_at"
#: Longest time by which the computer's clock may be earlier than the newest row. New York time
#: repeats one hour each autumn, when clocks go back.
CLOCK_BACK = pd.Timedelta(hours=2)

#: The earliest moment for new rows. The moment is later than every stored row, and not earlier than
#: the start of the last fetch or import.
_EARLIEST_MOMENT = """
SELECT max(moment) FROM (
    SELECT recorded_at + INTERVAL 1 MICROSECOND AS moment FROM observations
    UNION ALL SELECT began_at FROM recordings
)
"""


def recording_moment(
    connection: duckdb.DuckDBPyConnection, recorded_at: pd.Timestamp, path: Path
) -> pd.Timestamp:
    """Return the value of ``recorded_at`` for new rows.

    The moment is later than ``recorded_at`` of every stored row. The moment is not earlier than the
    start of the last fetch or import.
    """
    # Local time repeats one hour each year, and two imports may have the same clock time. In both
    # cases, the moment is one microsecond after the newest row. If the clock is further behind, the
    # clock is wrong now, or the clock was wrong at the last import. If the clock is wrong now, new
    # values would count as known too early. If the clock was wrong at the last import, new values
    # would be hidden until the wrong moment, which is in the future.
    earliest = connection.execute(_EARLIEST_MOMENT).fetchall()[0][0]
    if earliest is None:
        return recorded_at
    held = pd.Timestamp(earliest)
    if held - recorded_at > CLOCK_BACK:
        raise DataError(
            f"expected a time later than {held:%Y-%m-%d %H:%M} (the last write to {path}), but "
            f"the time is {recorded_at:%Y-%m-%d %H:%M}; if the clock is wrong now, set the clock. "
            "If the clock was wrong at the last write, copy the earlier rows: drypowder data "
            f"--store {path} --copy NEW.duckdb --as-of {recorded_at:%Y-%m-%d}"
        )
    return max(recorded_at, held)


def append_rows(connection: duckdb.DuckDBPyConnection, rows: list[pd.DataFrame]) -> None:
    """Append rows to the stored rows. The new rows must have all columns in :data:`COLUMNS`."""
    if not rows:
        return
    connection.register("incoming", pd.concat(rows, ignore_index=True))
    connection.execute(
        f"INSERT INTO observations SELECT {COLUMNS} FROM incoming ORDER BY series_id, observed_on"
    )


def note_recordings(
    connection: duckdb.DuckDBPyConnection, began: Sequence[datetime.datetime]
) -> None:
    """Record the moments at which fetches or imports began."""
    if began:
        connection.executemany("INSERT INTO recordings VALUES (?)", [(at,) for at in began])


def note_fetches(
    connection: duckdb.DuckDBPyConnection, fetches: Sequence[tuple[str, datetime.datetime, str]]
) -> None:
    """Record the moment and the outcome of each series' fetch."""
    if fetches:
        connection.executemany("INSERT INTO fetched VALUES (?, ?, ?)", fetches)
