"""NYSE sessions, and the moment at which a value could first have been known.

All moments are naive and in New York's local time. Decisions of a session use the values known by
16:00, the nominal close. This also holds on the few days on which the exchange closes early.
"""

from functools import cache

import numpy as np
import pandas as pd

from signals.catalog import Rule
from signals.errors import ConfigError

FIRST_SESSION = "1990-01-02"
CLOSE = pd.Timedelta(hours=16)
OPEN = pd.Timedelta(hours=9, minutes=30)
H41_RELEASE = pd.Timedelta(hours=16, minutes=30)
THURSDAY = 3


def new_york_now() -> pd.Timestamp:
    """Return the current moment in New York time, naive."""
    return pd.Timestamp.now(tz="America/New_York").tz_localize(None).as_unit("us")


@cache
def all_sessions() -> pd.DatetimeIndex:
    """Return the NYSE sessions from 1990 to a year from now, as naive dates."""
    import exchange_calendars

    calendar = exchange_calendars.get_calendar("XNYS", start=FIRST_SESSION)
    return pd.DatetimeIndex(calendar.sessions).tz_localize(None).as_unit("us").rename("session")


def sessions(start: pd.Timestamp, end: pd.Timestamp) -> pd.DatetimeIndex:
    """Return the NYSE sessions from ``start`` to ``end``, both included, as naive dates."""
    index = all_sessions()
    return index[(index >= start) & (index <= end)]


def session_after(
    dates: pd.DatetimeIndex, n: int = 1, index: pd.DatetimeIndex | None = None
) -> pd.DatetimeIndex:
    """Return the n-th session strictly after each date.

    Parameters
    ----------
    dates
        Naive dates.
    n
        Number of sessions.
    index
        The sessions to count. Default: all NYSE sessions.

    Raises
    ------
    ConfigError
        When a result lies beyond the calendar, which ends a year from now.
    """
    index = all_sessions() if index is None else index
    position = index.searchsorted(dates, side="right") + n - 1
    if len(position) and np.max(position) >= len(index):
        raise ConfigError(
            f"expected dates up to {index[-1].date()}, was {dates.max().date()}; correct the date"
        )
    return index[position]


@cache
def _federal_holidays() -> pd.DatetimeIndex:
    from pandas.tseries.holiday import USFederalHolidayCalendar

    last = all_sessions()[-1]
    return USFederalHolidayCalendar().holidays(pd.Timestamp(FIRST_SESSION), last)


@cache
def fed_sessions() -> pd.DatetimeIndex:
    """Return the sessions on which the Federal Reserve Banks are open.

    The banks close on federal holidays. NYSE trades on two of them, Columbus Day and Veterans Day.
    A holiday on a Sunday moves to the Monday after it. A holiday on a Saturday does not move, so
    the banks are open on the Friday before it.
    """
    from pandas.tseries.holiday import (
        AbstractHolidayCalendar,
        Holiday,
        USColumbusDay,
        sunday_to_monday,
    )

    veterans = Holiday("Veterans Day", month=11, day=11, observance=sunday_to_monday)
    calendar = AbstractHolidayCalendar("Federal Reserve Banks", [USColumbusDay, veterans])
    index = all_sessions()
    closed = calendar.holidays(index[0], index[-1])
    return index[~index.isin(closed)]


def known_at(rule: Rule, dates: pd.DatetimeIndex, recorded_at: pd.Timestamp) -> pd.DatetimeIndex:
    """Return the moment at which a value for each date could first have been known.

    Parameters
    ----------
    rule
        Publication rule of the series.
    dates
        The dates that the values describe, naive. For rule ``filed``, the filing dates.
    recorded_at
        The moment of recording. Only rule ``recorded`` uses it.
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
    """Return 16:30 on the Thursday after each date, or on Friday when Thursday is a holiday."""
    ahead = (THURSDAY - dates.day_of_week - 1) % 7 + 1
    thursday = dates + pd.to_timedelta(ahead, unit="D")
    late = pd.to_timedelta(thursday.isin(_federal_holidays()).astype(int), unit="D")
    return thursday + late + H41_RELEASE
