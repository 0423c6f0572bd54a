"""Checks that the index of a table consists of sessions.

Sessions are New York dates without a time zone. Each date occurs once, and the dates are in
ascending order. If an index is faulty, pandas raises no error, but misreads the rows. For example,
pandas reads whole numbers as nanoseconds since 1970, and treats two rows with the same date as two
sessions.
"""

import pandas as pd

from signals.errors import ConfigError, DataError, DrypowderError, shown

SATURDAY = 5  # the number of Saturday in pandas


def check_sessions(
    index: pd.Index, what: str, error: type[DrypowderError] = DataError, *, empty: bool = False
) -> None:
    """Raise ``error`` unless an index consists of unique, ascending dates without a time zone.

    ``what`` is the name of the table in the message, for example "the panel". If ``what`` contains
    a colon, the message begins with the text before the colon. If ``empty`` is True, the function
    accepts an index without rows, whatever its type.
    """
    if empty and not len(index):
        return
    fault = index_fault(index)
    if fault:
        who, colon, part = what.rpartition(": ")
        raise error(
            f"{who}{colon}expected {part} sorted by ascending session, but the index {fault}"
        )


def check_panel(panel: object) -> None:
    """Raise an error unless a panel is a DataFrame of sessions × ids, with each id once.

    The NYSE is closed at weekends, so a panel must not have a row on a Saturday or Sunday.
    """
    if not isinstance(panel, pd.DataFrame):
        raise ConfigError(
            f"expected a panel as a DataFrame, was {shown(panel)}; if you have a history, give "
            "history.panel"
        )
    check_sessions(panel.index, "the panel")
    days = pd.DatetimeIndex(panel.index)
    weekend = days[days.day_of_week >= SATURDAY]
    if len(weekend):
        raise DataError(
            f"expected only NYSE sessions in the index of the panel, found {weekend[0]:%A} "
            f"{weekend[0].date()}; drop the rows at weekends"
        )
    if not panel.columns.is_unique:
        twice = panel.columns[panel.columns.duplicated()][0]
        raise DataError(f"expected each column of the panel once, found {twice} twice; drop one")


def index_fault(index: pd.Index) -> str:
    """Return the fault of an index and the remedy, as text; empty if the index is correct."""
    if not len(index):
        return "is empty; give at least one row"
    if not isinstance(index, pd.DatetimeIndex):
        kind = f"{type(index).__name__} ({index.dtype})"
        return f"is of type {kind}; make an index of dates with pd.to_datetime"
    if index.tz is not None:
        return f"has the time zone {index.tz}; remove the zone with .tz_localize(None)"
    if index.hasnans:
        return "has a row without a date; drop that row"
    if not index.is_normalized:
        return "has times of day; remove the times with .normalize()"
    if not index.is_unique:
        return f"has {index[index.duplicated()][0].date()} twice; drop one row"
    if not index.is_monotonic_increasing:
        return "is not in ascending order; sort it with .sort_index()"
    return ""


def check_session(at: object, index: pd.Index, what: str = "the panel") -> pd.Timestamp:
    """Return the session with a given date; the index of ``what`` must contain this session.

    Raise ConfigError when the index lacks the session. The message gives the last session before
    the date. If the date is outside the index, the message gives the first and the last session. If
    ``at`` has a time of day or a time zone, the message says so.
    """
    try:
        session = pd.Timestamp(at)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ConfigError(f"expected a session like 2025-10-06, was {at!r}; give a date") from None
    number = isinstance(at, bool | int | float)
    if not number and session in index:
        return session
    was = repr(at)
    if not number and not pd.isna(session):
        was = f"{session:%A} {session}".removesuffix(" 00:00:00")
    raise ConfigError(f"expected a session of {what}, was {was}; {_near(session, index, what)}")


def _near(session: pd.Timestamp, index: pd.Index, what: str) -> str:
    ends = f"{what} runs from {index[0].date()} to {index[-1].date()}"
    if pd.isna(session):
        return ends
    date = session.tz_localize(None).normalize()
    if date in index:
        return "give the date without a time of day or time zone"
    if not index[0] <= date <= index[-1]:
        return ends
    return f"the last session before this date is {index[index <= date][-1].date()}"
