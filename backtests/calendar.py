"""The NYSE sessions, the moment at which a value first became available, and the reader of dates.

All moments are in New York's local time, without a time zone. A decision uses the values available
by 16:00 of its session, even if the exchange closes earlier.
"""

import datetime
import warnings
from functools import cache
from numbers import Number

import numpy as np
import pandas as pd

from backtests.plural import number_of
from signals.catalog import Rule
from signals.errors import ConfigError

FIRST_SESSION = "1990-01-02"
CLOSE = pd.Timedelta(hours=16)
OPEN = pd.Timedelta(hours=9, minutes=30)
H41_RELEASE = pd.Timedelta(hours=16, minutes=30)
THURSDAY = 3


def new_york_now() -> pd.Timestamp:
    """Return the current moment in New York's local time, without a time zone."""
    return pd.Timestamp.now(tz="America/New_York").tz_localize(None).as_unit("us")


@cache
def all_sessions() -> pd.DatetimeIndex:
    """Return the NYSE sessions from 1990 to a year from now, as dates without a time zone.

    The index has no frequency. With the exchange's own frequency, pandas refuses ``is_month_end``
    and similar attributes.
    """
    import exchange_calendars

    with warnings.catch_warnings():  # exchange_calendars uses parts of pandas that will change
        warnings.simplefilter("ignore", DeprecationWarning)
        calendar = exchange_calendars.get_calendar("XNYS", start=FIRST_SESSION)
    return pd.DatetimeIndex(calendar.sessions.to_numpy("datetime64[us]"), name="session")


def sessions(start: pd.Timestamp, end: pd.Timestamp) -> pd.DatetimeIndex:
    """Return the NYSE sessions from ``start`` to ``end``, with both dates included."""
    index = all_sessions()
    return index[(index >= start) & (index <= end)]


def session_after(
    dates: pd.DatetimeIndex, n: int = 1, index: pd.DatetimeIndex | None = None
) -> pd.DatetimeIndex:
    """Return the n-th session strictly after each date. All dates are without a time zone.

    ``index`` contains the sessions to count, by default all NYSE sessions up to a year from now. If
    a result would be after the last session of ``index``, ConfigError is raised.
    """
    index = all_sessions() if index is None else index
    position = index.searchsorted(dates, side="right") + n - 1
    if len(position) and np.max(position) >= len(index):
        raise ConfigError(
            f"expected at least {number_of(n, 'session')} after {dates.max().date()}, but the "
            f"calendar ends on {index[-1].date()}; choose an earlier date"
        )
    return index[position]


def session_from(dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return the first session on or after each date. All dates are without a time zone."""
    return session_after(dates - pd.Timedelta(days=1))


@cache
def _federal_holidays() -> pd.DatetimeIndex:
    from pandas.tseries.holiday import USFederalHolidayCalendar

    last = all_sessions()[-1]
    return USFederalHolidayCalendar().holidays(pd.Timestamp(FIRST_SESSION), last)


@cache
def fed_sessions() -> pd.DatetimeIndex:
    """Return the sessions on which the Federal Reserve Banks are open.

    On Columbus Day and Veterans Day, the NYSE is open, but the Federal Reserve Banks are closed.
    Until 1997, the NYSE was also open on Martin Luther King Day, a holiday of the Banks. A bank
    holiday on a Sunday moves to the next Monday. A bank holiday on a Saturday stays on Saturday.
    """
    from pandas.tseries import holiday

    index, moved = all_sessions(), holiday.sunday_to_monday
    veterans = holiday.Holiday("Veterans Day", month=11, day=11, observance=moved)
    rules = [holiday.USMartinLutherKingJr, holiday.USColumbusDay, veterans]
    banks = holiday.AbstractHolidayCalendar("Federal Reserve Banks", rules)
    return index[~index.isin(banks.holidays(index[0], index[-1]))]


def known_at(rule: Rule, dates: pd.DatetimeIndex, recorded_at: pd.Timestamp) -> pd.DatetimeIndex:
    """Return the moment at which the value of each date first became available.

    ``dates`` are the dates that the values describe, without a time zone. For rule ``filed``,
    ``dates`` are filing dates. With rule ``stated``, an imported table can state the day from which
    a value is known. If a table states the day, the caller uses the stated day instead of the
    result of this function. ``recorded_at`` is the moment at which the store records the values.
    Only rule ``recorded`` uses ``recorded_at``.
    """
    match rule.kind:
        case "close":
            return dates + CLOSE
        case "sessions":
            return session_after(dates, rule.n) + OPEN
        case "fed_sessions":
            return session_after(dates, rule.n, fed_sessions()) + OPEN
        case "filed":
            return session_after(dates) + OPEN
        case "stated":
            return session_from(dates + pd.Timedelta(days=rule.n)) + OPEN
        case "days":
            return dates + pd.Timedelta(days=rule.n)
        case "h41":
            return _h41_release(dates)
        case "midnight_utc":
            midnight = (dates + pd.Timedelta(days=1)).tz_localize("UTC")
            return midnight.tz_convert("America/New_York").tz_localize(None)
        case "recorded":
            return pd.DatetimeIndex([recorded_at] * len(dates))


def _h41_release(dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return 16:30 of the Thursday after each date, or of the Friday if Thursday is a holiday."""
    ahead = (THURSDAY - dates.day_of_week - 1) % 7 + 1
    thursday = dates + pd.to_timedelta(ahead, unit="D")
    late = pd.to_timedelta(thursday.isin(_federal_holidays()).astype(int), unit="D")
    return thursday + late + H41_RELEASE


def as_day(date: pd.Timestamp | datetime.date | str, name: str) -> pd.Timestamp:
    """Return the day of a date, a moment or an ISO text like 2025-10-06, at midnight.

    Raise :class:`ConfigError` for any other value; the message begins with the text in ``name``.
    """
    text = str(date.date()) if isinstance(date, datetime.datetime) else str(date)
    try:
        return pd.Timestamp(datetime.date.fromisoformat(text))
    except ValueError:
        raise ConfigError(f"{name} must be a date like 2025-10-06, was {text!r}") from None


def recorded_by(as_of: pd.Timestamp | datetime.date | str) -> pd.Timestamp:
    """Return the last moment, New York time, that ``as_of`` includes.

    If ``as_of`` is a date, or midnight without a time zone, the result is the last microsecond of
    that day. A text must be in ISO form, such as 2025-10-06 or 2025-10-06 16:00. A form such as
    06/10/2025 is refused, because the form does not say which number is the day.

    Raise :class:`ConfigError` if ``as_of`` is not a date or a moment.
    """
    try:
        given = datetime.datetime.fromisoformat(as_of) if isinstance(as_of, str) else as_of
        moment = pd.Timestamp(given)
    except (TypeError, ValueError):
        moment = pd.NaT  # type: ignore[assignment]
    if pd.isna(moment) or isinstance(as_of, Number):
        raise ConfigError(f"as_of must be a date like 2025-10-06, or a moment, was {as_of!r}")
    if moment.tzinfo is not None:
        moment = moment.tz_convert("America/New_York").tz_localize(None)
    elif moment == moment.normalize():
        moment += pd.Timedelta(days=1) - pd.Timedelta(microseconds=1)
    return moment.as_unit("us")
