"""Dates and numbers from the cells of a table. Errors name the line and the cure."""

import re

import numpy as np
import pandas as pd

from backtests.store.batch import is_price
from signals.catalog import CATALOG
from signals.errors import DataError

DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
OLDEST = pd.Timestamp("1900-01-01")
#: USD. A higher price is an error in the file.
HIGHEST_PRICE = 1e9
#: Largest factor by which a steady series may change from one date to the next.
LEAP = 5.0


def dates_of(column: pd.Series, recorded_at: pd.Timestamp) -> pd.DatetimeIndex:
    """Return the dates of a column.

    Raises
    ------
    DataError
        When a cell is no plain date, or a date is out of order, repeated, before 1900 or after
        ``recorded_at``.
    """
    text = column.str.strip()
    bad = ~text.str.fullmatch(DATE.pattern)
    if bad.any():
        raise DataError(_line(text[bad], "a plain date like 2025-10-06, without time or zone"))
    dates = pd.to_datetime(text, errors="coerce", format="%Y-%m-%d")
    if dates.isna().any():
        raise DataError(_line(text[dates.isna()], "a date that exists"))
    step = dates.diff()
    if (step == pd.Timedelta(0)).any():
        raise DataError(_line(text[step == pd.Timedelta(0)], "each date once", "drop one"))
    if (step < pd.Timedelta(0)).any():
        raise DataError(
            _line(text[step < pd.Timedelta(0)], "dates in ascending order", "sort the file")
        )
    if dates.iloc[0] < OLDEST:
        raise DataError(_line(text[dates < OLDEST], f"no date before {OLDEST.date()}"))
    if dates.iloc[-1] > recorded_at:
        raise DataError(
            _line(text[dates > recorded_at], f"no date after today, {recorded_at.date()}")
        )
    return pd.DatetimeIndex(dates).as_unit("us")


def values_of(id: str, column: pd.Series, dates: pd.DatetimeIndex) -> pd.Series:
    """Return the numbers of a column by date.

    Blank cells are left out. Dates before the catalog's ``first`` are left out unread.

    Raises
    ------
    DataError
        When a cell is no finite number, or a number lies outside the plausible range of the series.
    """
    text = column.str.strip()
    given = (text != "").to_numpy() & not_before_first(id, dates)
    text = text[given]
    numbers = pd.to_numeric(text, errors="coerce")
    bad = ~np.isfinite(numbers.to_numpy(dtype=np.float64))
    if bad.any():
        raise DataError(_line(text[bad], f"a finite number or a blank for {id}"))
    _check_range(id, numbers, text)
    return pd.Series(numbers.to_numpy(dtype=np.float64), index=dates[given])


def check_values(id: str, values: pd.Series, now: pd.Timestamp) -> pd.Series:
    """Return numbers by date, after the same checks as for the cells of a file.

    Parameters
    ----------
    id
        Catalog id or ticker.
    values
        Numbers, by the date they describe.
    now
        Dates after this moment are refused.

    Raises
    ------
    DataError
        When ``values`` is empty, and as :func:`dates_of` and :func:`values_of`.
    """
    dates = pd.DatetimeIndex(values.index)
    text = pd.Series(dates.strftime("%Y-%m-%d"), index=range(1, len(dates) + 1))
    if text.empty:
        raise DataError(f"expected values of {id}, found none")
    checked = dates_of(text, now)
    return values_of(id, pd.Series(map(repr, values.astype(float)), index=text.index), checked)


def not_before_first(id: str, dates: pd.DatetimeIndex) -> np.ndarray:
    """Return which dates count: those from the catalog's ``first`` on, and all dates of a price."""
    first = None if is_price(id) else CATALOG[id].first
    return np.asarray(dates >= (OLDEST if first is None else pd.Timestamp(first)))


def _check_range(id: str, numbers: pd.Series, text: pd.Series) -> None:
    if is_price(id):
        bad = (numbers <= 0) | (numbers > HIGHEST_PRICE)
        if bad.any():
            raise DataError(_line(text[bad], f"a price of {id} above zero in USD"))
        return
    entry = CATALOG[id]
    bad = (numbers < entry.low) | (numbers > entry.high)
    if bad.any():
        wanted = f"{id} in {entry.unit}, which lies in {entry.low:g} to {entry.high:g}"
        raise DataError(_line(text[bad], wanted, "is the file in another unit?"))
    odd = leaps(id, numbers)
    if odd.any():
        raise DataError(_line(text[odd], f"{id} within {LEAP:g} times the value before"))


def leaps(id: str, numbers: pd.Series) -> pd.Series:
    """Return which values of a steady series are more than :data:`LEAP` times off the one before.

    All are False for a series that is not steady.
    """
    before = numbers.shift()
    far = (numbers > LEAP * before) | (numbers < before / LEAP)
    return far & (before > 0) & CATALOG[id].steady


def _line(bad: pd.Series, expected: str, cure: str = "correct it") -> str:
    return f"line {bad.index[0]}: expected {expected}, was {bad.iloc[0]!r}; {cure}"
