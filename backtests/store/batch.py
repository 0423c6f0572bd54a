"""A batch: the rows of one series on their way into the store, checked against the catalog."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.calendar import known_at
from signals.catalog import CATALOG, Rule
from signals.errors import DataError
from signals.universe import asset

#: Where rows come from. The source of one that comes from an archive of vintages begins so.
FRED, SEC, YAHOO, ARCHIVE = "FRED", "SEC", "Yahoo", "ALFRED"
#: Files: price tables, and tables of flows, funding and cash flow.
PRICES, TABLE = "prices", "table"


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Rows of one series; of a price, one whole vintage.

    Attributes
    ----------
    series_id
        Catalog id, or the ticker of a price series.
    rows
        Columns ``observed_on``, ``available_at``, ``value`` and ``source``; one row a date,
        ascending. A NaN value says that for this date there is expressly no figure.
    note
        What was left out on the way, for the summary.
    vintages
        True for rows of an archive of vintages: a date may come several times, each time with
        the moment from which that value was known, and every source begins with
        :data:`ARCHIVE`. Of rows of one date known at one moment the last one counts.

    Raises
    ------
    DataError
        When vintages are prices or come from no archive, or an archive's rows are no vintages.
    """

    series_id: str
    rows: pd.DataFrame
    note: str = ""
    vintages: bool = False

    def __post_init__(self) -> None:
        """Refuse rows that a reader would take for the other kind."""
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
                f"{self.rows['source'][archived != self.vintages].iloc[0]!r}; vintages alone come "
                f"from {ARCHIVE}"
            )


def is_price(series_id: str) -> bool:
    """Return whether an id is a ticker: whatever the catalog does not list."""
    return series_id not in CATALOG


def rule_of(series_id: str) -> Rule:
    """Return the publication rule of a series or of a ticker's closes."""
    return asset(series_id).known if is_price(series_id) else CATALOG[series_id].known


def unit_of(series_id: str) -> str:
    """Return the unit of a series; prices are in USD."""
    return "USD" if is_price(series_id) else CATALOG[series_id].unit


def stale_after(series_id: str) -> int:
    """Return the days past which a last value is no view."""
    return asset(series_id).stale_after if is_price(series_id) else CATALOG[series_id].stale_after


def dated(
    series_id: str,
    values: pd.Series,
    source: str,
    recorded_at: pd.Timestamp,
    note: str = "",
) -> Batch:
    """Return the batch of a series whose values are known by its publication rule.

    Parameters
    ----------
    values
        Index: the dates described, ascending and unique; values in the catalog's unit.
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
