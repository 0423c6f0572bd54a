"""Check the closing prices of one asset before they are stored."""

import re

import pandas as pd

from backtests.calendar import all_sessions, known_at
from backtests.plural import number_of
from backtests.store.batch import Batch, dated, is_price, rule_of
from backtests.store.cells import check_values
from backtests.store.shifts import shifts
from signals.errors import DataError
from signals.universe import asset

TICKER = re.compile(r"[A-Z0-9^][A-Z0-9.\-=^]*")
#: If at most this number of new values is on days without a session, the values are left out
#: without an error.
FEW = 5
#: If at least this fraction of the values is new on days without a session, the dates count as
#: wrong. Dates that are shifted by a day fall on weekends in a fifth of the rows. Another country's
#: holidays, or a currency that also trades on holidays, affect less than a twentieth of the rows.
MANY = 0.1


def price_batch(ticker: str, closes: pd.Series, now: pd.Timestamp, source: str) -> Batch:
    """Return a batch with the whole history of an asset's adjusted closing prices.

    Days that have not ended at ``now`` and days before the listing are left out. For shares and
    funds, days without an NYSE session are also left out. The note of the batch lists what was left
    out. Prices before the listing belong to another company.

    ``closes`` are prices in USD, adjusted for splits and dividends, and indexed by date. ``now`` is
    the moment of recording, New York time.

    Raises
    ------
    DataError
        Raised if ``ticker`` is a series of the catalog, or if a date or a number is invalid. Also
        raised if no price is left, if many days have no session, or if :func:`check_shifts` finds
        an error.
    """
    if not is_price(ticker):
        raise DataError(f"expected prices, but {ticker} is a series of the catalog")
    values, notes = valid_closes(ticker, check_values(ticker, closes, latest(ticker, now)), now)
    listed = asset(ticker).listed
    if listed is not None:
        early = values.index < pd.Timestamp(listed)
        rows = number_of(int(early.sum()), "row")
        notes.append(f"left out {rows} before the listing" if early.any() else "")
        values = values[~early]
    if values.empty:
        raise DataError(f"expected closes of {ticker} on a session, found none")
    notes.append(check_shifts(ticker, values))
    return dated(ticker, values, source, now, "; ".join(filter(None, notes)))


def latest(ticker: str, now: pd.Timestamp) -> pd.Timestamp:
    """Return the last date that a price may have: today, or tomorrow for a coin.

    The dates of a coin are in UTC. In the evening in New York, the date in UTC is already tomorrow.
    """
    return now + pd.Timedelta(days=1 if asset(ticker).is_coin else 0)


def valid_closes(ticker: str, values: pd.Series, now: pd.Timestamp) -> tuple[pd.Series, list[str]]:
    """Return the closing prices of finished sessions, and notes about left-out prices.

    For a coin, every day counts as a session. Before a day ends, a source may give the current
    price in place of the close.
    """
    notes = []
    if not asset(ticker).is_coin:
        values, note = on_sessions(ticker, values)
        notes.append(note)
    done = known_at(rule_of(ticker), pd.DatetimeIndex(values.index), now) <= now
    if not done.all():
        notes.append(f"{values.index[~done][0].date()} left out: the day had not closed")
    return values[done], notes


def check_shifts(ticker: str, closes: pd.Series) -> str:
    """Return a note about sudden price shifts that may be real; "" if no shift was found.

    Raises
    ------
    DataError
        Raised if a shift is surely an error. The documentation of
        :func:`~backtests.store.shifts.shifts` lists the kinds of errors.
    """
    found = shifts(ticker, closes)
    for shift in found:
        if shift.alarm:
            raise DataError(
                f"{ticker} on {shift.day.date()}: {shift.what}; the whole series was left out"
            )
    return "; ".join(f"{shift.day.date()}: {shift.what}" for shift in found)


def on_sessions(id: str, values: pd.Series) -> tuple[pd.Series, str]:
    """Return the values on NYSE sessions, and a note that says how many values were dropped.

    Values before the first session of the calendar, 1990-01-02, are kept. A value counts as new if
    the value differs from the previous value. Some tables repeat Friday's price at the weekend.

    Raises
    ------
    DataError
        Raised if more than :data:`FEW` new values are on days without an NYSE session, and if these
        new values are a tenth or more of all values.
    """
    index = all_sessions()
    inside = values.index.isin(index) | (values.index < index[0])
    dropped = values.index[~inside]
    if dropped.empty:
        return values, ""
    new = values.index[~inside & (values != values.shift())]
    if len(new) > FEW and len(new) >= MANY * len(values):
        raise DataError(
            f"expected the dates of {id} on NYSE sessions, but {len(new):,} of {len(values):,} "
            f"values are on other days, the first on {new[0].date()}; was each date shifted by a "
            "time zone? write the dates of New York, and only sessions"
        )
    note = f"left out {number_of(len(dropped), 'row')} on days without an NYSE session"
    return values[inside], f"{note}, the first on {dropped[0].date()}"
