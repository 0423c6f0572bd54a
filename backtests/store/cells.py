"""Read dates and numbers from the cells of a table.

An error message names the wrong line of the table and says how to correct the table.
"""

import numpy as np
import pandas as pd

from backtests.plural import number_of
from backtests.store.batch import is_price
from signals.catalog import CATALOG
from signals.errors import DataError

OLDEST = pd.Timestamp("1900-01-01")
#: Largest plausible number of days from the date of a value to the day on which it is known.
LONGEST_DELAY = 366
#: Highest plausible price, in USD. A higher price is an error in the file.
HIGHEST_PRICE = 1e9
#: Largest factor between two successive values of a series that the catalog calls steady.
LEAP = 5.0
#: Longest plausible time from the announcement of a value to its date. FRED already lists the rate
#: of the next business day. Even a weekend with holidays is shorter than this time.
ADVANCE = pd.Timedelta(days=7)


def dates_of(column: pd.Series, recorded_at: pd.Timestamp) -> pd.DatetimeIndex:
    """Return the dates of a column.

    Raises
    ------
    DataError
        Raised if a cell is not an ISO date, or if a date is out of order, is repeated, is before
        1900 or is after ``recorded_at``.
    """
    text = column.str.strip()
    dates = _days(text)
    step = dates.diff()
    _refuse(
        text[step == pd.Timedelta(0)],
        "a date that differs from the date in the previous row",
        "drop one row",
    )
    _refuse(text[step < pd.Timedelta(0)], "a later date than in the previous row", "sort the file")
    _refuse(text[dates < OLDEST], f"a date on or after {OLDEST.date()}")
    _refuse(text[dates > recorded_at], f"a date up to today, {recorded_at.date()}")
    return pd.DatetimeIndex(dates).as_unit("us")


def stated_days(column: pd.Series, dates: pd.DatetimeIndex) -> pd.Series:
    """Return a Series that maps each value's date to the day from which the value is known.

    Blank cells are left out.

    Raises
    ------
    DataError
        Raised if a cell is not an ISO date. Also raised if a cell's date is before the value's
        date, or more than :data:`LONGEST_DELAY` days later.
    """
    text = column.str.strip()
    given = (text != "").to_numpy()
    text, dates = text[given], dates[given]
    days = _days(text)
    delay = (days - dates.to_numpy()).dt.days
    late = f"a date from 0 to {LONGEST_DELAY} days after the date that the value describes"
    _refuse(text[(delay < 0) | (delay > LONGEST_DELAY)], late)
    return pd.Series(days.to_numpy(), index=dates)


def _days(text: pd.Series) -> pd.Series:
    """Return the ISO dates of some cells. Raise DataError if a cell is not an ISO date."""
    plain = text.str.fullmatch(r"\d{4}-\d{2}-\d{2}")
    _refuse(text[~plain], "a plain date like 2025-10-06, without time or zone")
    dates = pd.to_datetime(text, errors="coerce", format="%Y-%m-%d")
    _refuse(text[dates.isna()], "a date that exists")
    return dates


def values_of(id: str, column: pd.Series, dates: pd.DatetimeIndex) -> pd.Series:
    """Return the numbers of a column, indexed by date.

    Blank cells are left out. Cells of dates before the catalog's first date are not read.

    Raises
    ------
    DataError
        Raised if a cell is not a finite number, if a number is outside the series' plausible range,
        or if a value of a steady series jumps, see :func:`leaps`.
    """
    text = column.str.strip()
    given = (text != "").to_numpy() & not_before_first(id, dates)
    text = text[given]
    numbers = pd.to_numeric(text, errors="coerce")
    finite = np.isfinite(numbers.to_numpy(dtype=np.float64))
    _refuse(text[~finite], f"a finite number or a blank for {id}")
    _check_range(id, numbers, text)
    return pd.Series(numbers.to_numpy(dtype=np.float64), index=dates[given])


def check_values(id: str, values: pd.Series, now: pd.Timestamp) -> pd.Series:
    """Check numbers with the rules for the cells of a file, and return the numbers.

    Raises
    ------
    DataError
        Raised if ``values`` is empty, or if a date is after ``now``. Also raised if a check of
        :func:`dates_of` or :func:`values_of` fails.
    """
    dates = pd.DatetimeIndex(values.index)
    text = pd.Series(dates.strftime("%Y-%m-%d"), index=range(1, len(dates) + 1))
    if text.empty:
        raise DataError(f"expected values of {id}, found none")
    checked = dates_of(text, now)
    return values_of(id, pd.Series(map(repr, values.astype(float)), index=text.index), checked)


def not_before_first(id: str, dates: pd.DatetimeIndex) -> np.ndarray:
    """Mark each date on or after the first date that the catalog accepts for a series.

    For prices, every date from 1900 on is marked.
    """
    first = None if is_price(id) else CATALOG[id].first
    return np.asarray(dates >= (OLDEST if first is None else pd.Timestamp(first)))


def announced(id: str, dates: pd.DatetimeIndex, now: pd.Timestamp) -> np.ndarray:
    """Mark each future date whose value the publisher may already have announced."""
    return np.asarray((dates > now) & (dates <= now + ADVANCE) & CATALOG[id].announced)


def announced_note(rows: int) -> str:
    """Return a note about announced values that were left out; "" if no value was left out."""
    return f"left out {number_of(rows, 'announced value')} with a future date" if rows else ""


def _check_range(id: str, numbers: pd.Series, text: pd.Series) -> None:
    if is_price(id):
        bad = (numbers <= 0) | (numbers > HIGHEST_PRICE)
        _refuse(text[bad], f"a price of {id} above zero and up to {HIGHEST_PRICE:g} USD")
        return
    entry = CATALOG[id]
    bad = (numbers < entry.low) | (numbers > entry.high)
    wanted = f"{id} between {entry.low:g} and {entry.high:g} {entry.unit}"
    _refuse(text[bad], wanted, "is it in another unit?")
    _refuse(text[leaps(id, numbers)], f"{id} to change by at most a factor of {LEAP:g}")


def leaps(id: str, numbers: pd.Series) -> pd.Series:
    """Mark each value that differs from the previous value by more than a factor of :data:`LEAP`.

    Only values of a steady series, such as GDP, are marked. The previous value must be above zero.
    """
    before = numbers.shift()
    far = (numbers > LEAP * before) | (numbers < before / LEAP)
    return far & (before > 0) & CATALOG[id].steady


def _refuse(bad: pd.Series, expected: str, cure: str = "correct it") -> None:
    """Raise DataError about the first wrong cell.

    ``bad`` maps line numbers to wrong cells.
    """
    if len(bad):
        line, cell = bad.index[0], bad.iloc[0]
        raise DataError(f"line {line}: expected {expected}, was {cell[:60]!r}; {cure}")
