"""A batch: the rows of one series that are to be stored."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.calendar import known_at
from signals.catalog import CATALOG, Rule
from signals.errors import DataError
from signals.universe import asset

#: Names of sources, each one word of letters. The source of every row from an archive of vintages
#: begins with ARCHIVE.
FRED, SEC, YAHOO, ARCHIVE = "FRED", "SEC", "Yahoo", "ALFRED"
#: Sources of imported files: price tables, and tables of flows, funding and cash flow.
PRICES, TABLE = "prices", "table"
#: Sources that have only series of the catalog, and no prices.
PUBLISHED = (FRED, SEC, TABLE, ARCHIVE)


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Rows of one series. A batch of prices is one whole vintage.

    Attributes
    ----------
    series_id
        Catalog id, or the ticker of a price series.
    rows
        Columns ``observed_on``, ``available_at``, ``value`` and ``source``; one row a date,
        ascending. A NaN value means that the source states: no figure for this date.
    note
        What was left out, for the summary.
    vintages
        True for rows of an archive of vintages. A date may then have several rows, each with the
        moment from which its value was known. Every source begins with :data:`ARCHIVE`. When two
        rows have the same date and moment, the last one counts.
    """

    series_id: str
    rows: pd.DataFrame
    note: str = ""
    vintages: bool = False

    def __post_init__(self) -> None:
        """Raise DataError when ``vintages`` does not agree with the sources of the rows."""
        archived = self.rows["source"].astype(str).str.startswith(ARCHIVE)
        if self.vintages and is_price(self.series_id):
            raise DataError(
                f"expected vintages of a series of the catalog, were prices of {self.series_id}; "
                "add prices as one whole vintage"
            )
        if not (archived == self.vintages).all():
            kind = f"a source that begins with {ARCHIVE}" if self.vintages else "another source"
            raise DataError(
                f"expected {kind} for {self.series_id}, was "
                f"{self.rows['source'][archived != self.vintages].iloc[0]!r}; only vintages come "
                f"from {ARCHIVE}"
            )


def is_price(series_id: str) -> bool:
    """Return whether an id is a ticker. Every id outside the catalog is one."""
    return series_id not in CATALOG


def rule_of(series_id: str) -> Rule:
    """Return the publication rule of a series or of a ticker's closes."""
    return asset(series_id).known if is_price(series_id) else CATALOG[series_id].known


def unit_of(series_id: str) -> str:
    """Return the unit of a series; prices are in USD."""
    return "USD" if is_price(series_id) else CATALOG[series_id].unit


def stale_after(series_id: str) -> int:
    """Return the number of calendar days after which a value is too old to be used."""
    return asset(series_id).stale_after if is_price(series_id) else CATALOG[series_id].stale_after


def dated(
    series_id: str, values: pd.Series, source: str, recorded_at: pd.Timestamp, note: str = ""
) -> Batch:
    """Return the batch of a series, with the moments known by its publication rule.

    ``values`` has the unit of the catalog. Its index holds the dates described, ascending and
    unique. ``recorded_at`` is the moment of recording, New York time.
    """
    dates = pd.DatetimeIndex(values.index).as_unit("us")
    rows = pd.DataFrame(
        {
            "observed_on": dates,
            "available_at": known_at(rule_of(series_id), dates, recorded_at).as_unit("us"),
            "value": values.to_numpy(dtype=np.float64),
            "source": source,
        }
    )
    return Batch(series_id=series_id, rows=rows, note=note)
