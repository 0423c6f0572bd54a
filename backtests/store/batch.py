"""A batch: new rows of one series, from one file or one fetch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.calendar import OPEN, known_at, session_from
from signals.catalog import CATALOG, Dates, Rule
from signals.errors import DataError
from signals.universe import asset

#: Names of sources. Each name consists of letters only. In every row from ALFRED, ``source`` begins
#: with ARCHIVE.
FRED, SEC, NYFED, YAHOO, ARCHIVE = "FRED", "SEC", "NYFed", "Yahoo", "ALFRED"
#: Sources of imported files: price tables, and tables of flows, funding and cash flow.
PRICES, TABLE = "prices", "table"
#: Sources whose series are all in the catalog. These sources have no prices.
PUBLISHED = (FRED, SEC, NYFED, TABLE, ARCHIVE)
#: Largest number of calendar days from one date of a series to the next, by frequency.
LONGEST_STEP = {"day": 5, "week": 10, "month": 32, "quarter": 100, "year": 380}
#: Map each convention of :attr:`signals.catalog.Series.dates` to a function that marks the days of
#: the convention.
_ON: Mapping[Dates, Callable[[pd.DatetimeIndex], np.ndarray]] = {
    "any day": lambda dates: np.ones(len(dates), dtype=bool),
    "Monday to Friday": lambda dates: np.asarray(dates.day_of_week < 5),
    "Monday": lambda dates: np.asarray(dates.day_of_week == 0),
    "Wednesday": lambda dates: np.asarray(dates.day_of_week == 2),
    "Friday": lambda dates: np.asarray(dates.day_of_week == 4),
    "the first day of a month": lambda dates: dates.is_month_start,
    "the first day of a quarter": lambda dates: dates.is_quarter_start,
}


@dataclass(frozen=True, kw_only=True)
class Batch:
    """New rows of one series for the store.

    If the series is a ticker, the batch contains the whole price history of the ticker.

    Attributes
    ----------
    series_id
        Catalog id, or the ticker of a price series.
    rows
        The columns are ``observed_on``, ``available_at``, ``value`` and ``source``. There is one
        row for each date, in the order of the dates. NaN means that the source lists this date
        without a value.
    note
        A text for the user, for example about rows that were left out, or about a price shift.
    refused
        A text for the user: why the whole series was refused. If ``refused`` is not empty, the
        batch has no rows.
    vintages
        True if the rows are vintages from ALFRED. A date may have several vintages. Each vintage
        has the moment from which its value was known. Each ``source`` begins with :data:`ARCHIVE`.
        If several rows have the same date and moment, the store uses the row that comes last.
    """

    series_id: str
    rows: pd.DataFrame
    note: str = ""
    vintages: bool = False
    refused: str = ""

    def __post_init__(self) -> None:
        """Raise DataError if a ticker has vintages, or if ``vintages`` and ``source`` disagree."""
        sources = [str(source) for source in self.rows["source"].unique()]
        strange = [each for each in sources if each.startswith(ARCHIVE) != self.vintages]
        if self.vintages and is_price(self.series_id):
            raise DataError(
                f"expected vintages of a series in the catalog, but {self.series_id} is a price; "
                "add prices as one whole vintage"
            )
        if strange:
            begin = "to begin" if self.vintages else "not to begin"
            raise DataError(
                f"expected the source of {self.series_id} {begin} with {ARCHIVE}, was "
                f"{strange[0]!r}; only the source of vintages begins with {ARCHIVE}"
            )


def is_price(series_id: str) -> bool:
    """Return whether an id is a ticker. Every id outside the catalog counts as a ticker."""
    return series_id not in CATALOG


def is_event(series_id: str) -> bool:
    """Return whether a series has one value for each event, such as an earnings release."""
    return not is_price(series_id) and CATALOG[series_id].frequency == "event"


def rule_of(series_id: str) -> Rule:
    """Return the publication rule of a series, or of the closing prices of a ticker."""
    return asset(series_id).known if is_price(series_id) else CATALOG[series_id].known


def unit_of(series_id: str) -> str:
    """Return the unit of a series; prices are in USD."""
    return "USD" if is_price(series_id) else CATALOG[series_id].unit


def stale_after(series_id: str) -> int:
    """Return the number of calendar days after which a value is too old to be used."""
    return asset(series_id).stale_after if is_price(series_id) else CATALOG[series_id].stale_after


def is_over(series_id: str, last: pd.Timestamp) -> bool:
    """Return True if the publisher ended the series on or before the date ``last``."""
    ended = None if is_price(series_id) else CATALOG[series_id].ended
    return ended is not None and last >= pd.Timestamp(ended)


def wrong_dates(series_id: str, dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return the dates that the publisher of a series cannot have used; no dates for prices."""
    if is_price(series_id):
        return dates[:0]
    return dates[~_ON[CATALOG[series_id].dates](dates)]


def wrong_date_said(series_id: str, day: pd.Timestamp) -> str:
    """Return a message about a date that the publisher of a series cannot have used."""
    return (
        f"expected each date of {series_id} on {CATALOG[series_id].dates}, like the dates of its "
        f"publisher, was {day:%Y-%m-%d}, a {day:%A}"
    )


def dated(
    series_id: str,
    values: pd.Series,
    source: str,
    recorded_at: pd.Timestamp,
    note: str = "",
    stated: pd.Series | None = None,
) -> Batch:
    """Return a batch of values, with the moment at which each value is known.

    ``values`` are in the unit of the catalog. The index contains the dates that the values
    describe. The dates are ascending and unique. ``recorded_at`` is the moment of recording, New
    York time. Some imported tables state the day from which a value is known. ``stated`` maps each
    value's date to the day that the table states. The value counts as known from the open of the
    first session on or after the day in ``stated``. For a value without a day in ``stated``, the
    publication rule determines when the value is known.

    Raises
    ------
    DataError
        Raised if the dates are farther apart than the frequency of the series allows, if a date is
        on a day that the publisher does not use, or if the values are known from filing dates. For
        these values, the publication rule would be wrong. A batch with ``stated`` is not checked.
    """
    dates = pd.DatetimeIndex(values.index).as_unit("us")
    if stated is None:
        _check_rule(series_id, dates)
    known = known_at(rule_of(series_id), dates, recorded_at).as_unit("us")
    if stated is not None:
        days = pd.DatetimeIndex(stated.reindex(dates))
        opens = session_from(days.where(days.notna(), dates)) + OPEN
        known = known.where(days.isna(), opens.as_unit("us"))
    return batch_of(series_id, values, known, source, note)


def batch_of(
    series_id: str, values: pd.Series, known: pd.DatetimeIndex, source: str, note: str = ""
) -> Batch:
    """Return a batch of values; ``known`` gives the moment from which each value is known."""
    rows = pd.DataFrame(
        {
            "observed_on": pd.DatetimeIndex(values.index).as_unit("us"),
            "available_at": known,
            "value": values.to_numpy(dtype=np.float64),
            "source": source,
        }
    )
    return Batch(series_id=series_id, rows=rows, note=note)


def _check_rule(series_id: str, dates: pd.DatetimeIndex) -> None:
    """Raise DataError if a series' publication rule cannot be right for values with these dates.

    A file of monthly averages often has the header of the daily series. In such a file, each
    average has the date of the first day of its month. Under the rule of the daily series, the
    average would be known before the month ends.
    """
    if rule_of(series_id).kind == "filed":
        raise DataError(
            f"expected no values of {series_id} in a table, because they are known from filing "
            "dates; import the company's facts from the SEC instead"
        )
    frequency = "day" if is_price(series_id) else CATALOG[series_id].frequency
    usual = np.median(np.diff(dates.to_numpy()) / np.timedelta64(1, "D")) if len(dates) > 3 else 0
    if usual > LONGEST_STEP.get(frequency, np.inf):
        raise DataError(
            f"expected a value of {series_id} for each {frequency}, found one in {usual:.0f} days; "
            "export the series at its own frequency, without averages"
        )
    odd = wrong_dates(series_id, dates)
    if len(odd):
        raise DataError(
            f"{wrong_date_said(series_id, odd[0])}; was the date shifted by a time zone, or moved "
            "to another day of its period? write the publisher's date"
        )
