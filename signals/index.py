"""Checks that an index holds sessions.

Sessions are New York dates without a time zone. Each stands once, in ascending order. Pandas
would silently misread another index: it takes whole numbers as nanoseconds since 1970, and it
takes a second row of a date as another session.
"""

import pandas as pd

from signals.errors import ConfigError, DataError, DrypowderError


def check_sessions(
    index: pd.Index, what: str, error: type[DrypowderError] = DataError, *, empty: bool = False
) -> None:
    """Raise ``error`` unless an index holds sessions: naive dates, unique and ascending.

    ``what`` names the table that has the index, like "the panel". Text before a colon comes first
    in the message. With ``empty``, an index without rows passes, whatever its type.
    """
    if empty and not len(index):
        return
    fault = _fault(index)
    if fault:
        who, colon, part = what.rpartition(": ")
        raise error(f"{who}{colon}expected {part} by ascending session, {fault}")


def _fault(index: pd.Index) -> str:
    """Return the fault of an index and its cure; empty for an index of sessions."""
    if not len(index):
        return "was empty; give it at least one row"
    if not isinstance(index, pd.DatetimeIndex):
        kind = f"{type(index).__name__} ({index.dtype})"
        return f"was indexed by {kind}; index it by date with pd.to_datetime"
    if index.tz is not None:
        return f"was in the time zone {index.tz}; drop it with .tz_localize(None)"
    if index.hasnans:
        return "had a row without a date; drop that row"
    if not (index == index.normalize()).all():
        return "had times of day; take dates with .normalize()"
    if not index.is_unique:
        return f"had {index[index.duplicated()][0].date()} twice; drop one"
    if not index.is_monotonic_increasing:
        return "was in another order; sort it with .sort_index()"
    return ""


def check_session(at: object, index: pd.Index) -> pd.Timestamp:
    """Return the session of an index that a date names.

    Raise ConfigError when the index lacks it. The message names the last session before it.
    """
    try:
        session = pd.Timestamp(at)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ConfigError(f"expected a session like 2025-10-06, was {at!r}; give a date") from None
    number = isinstance(at, bool | int | float)
    if not number and session in index:
        return session
    was = repr(at) if number or pd.isna(session) else f"{session:%A %Y-%m-%d}"
    raise ConfigError(f"expected a session of the panel, was {was}; {_near(session, index)}")


def _near(session: pd.Timestamp, index: pd.Index) -> str:
    ends = f"it runs from {index[0].date()} to {index[-1].date()}"
    if pd.isna(session) or session.tzinfo is not None or not index[0] <= session <= index[-1]:
        return ends
    return f"the last one before is {index[index <= session][-1].date()}"
