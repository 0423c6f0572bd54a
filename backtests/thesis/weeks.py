"""Weeks of a history: their first and last sessions, and returns in and after each week."""

import numpy as np
import pandas as pd

from backtests.thesis.sample import LAG

WEEKS_A_YEAR = 52


def weekly(returns: pd.Series) -> pd.Series:
    """Return compounded returns of calendar weeks, each at the week's last session.

    If the return of a session is missing, the return of the week is computed from the other
    sessions. A week without any return is NaN. If the last session of the history is not a Friday,
    the last week may be incomplete and is left out.
    """
    weeks = pd.DatetimeIndex(returns.index).to_period("W-FRI")
    grown = (1 + returns).groupby(weeks).prod(min_count=1) - 1
    last = pd.Series(returns.index, index=returns.index).groupby(weeks).last()
    whole = pd.Series(grown.to_numpy(), index=pd.DatetimeIndex(last.to_numpy(), name="session"))
    return whole if returns.index[-1].weekday() == 4 else whole.iloc[:-1]


def week_means(values: pd.Series) -> pd.Series:
    """Return the mean of each calendar week, with the week's last session as index.

    NaN values are left out of a mean.
    """
    days = pd.DatetimeIndex(values.index)
    means = values.groupby(days.to_period("W-FRI")).mean()
    return means.set_axis(pd.DatetimeIndex(first_sessions(days).index))


def week_ends(sessions: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return the last session of each calendar week; see :func:`weekly`."""
    return pd.DatetimeIndex(weekly(pd.Series(0.0, index=sessions)).index)


def first_sessions(sessions: pd.DatetimeIndex) -> pd.Series:
    """Return the first session of each calendar week, with the week's last session as index."""
    days = pd.Series(sessions, index=sessions)
    weeks = days.groupby(sessions.to_period("W-FRI"))
    return pd.Series(weeks.first().to_numpy(), index=pd.DatetimeIndex(weeks.last()))


def at_week_starts(values: pd.Series, ends: pd.Index) -> pd.Series:
    """Return the value at the first session of each week; ``ends`` has the week's last session."""
    first = first_sessions(pd.DatetimeIndex(values.index)).reindex(ends)
    return values.reindex(pd.DatetimeIndex(first)).set_axis(ends)


def log_over_bills(returns: pd.Series, bills: pd.Series) -> pd.Series:
    """Convert simple returns of sessions to log returns over bills; NaN stays NaN."""
    over: pd.Series = np.log1p(returns) - np.log1p(bills)
    return over


def earned_after(over: pd.Series, ends: pd.DatetimeIndex, weeks: int) -> pd.Series:
    """Return, at each week's end, the sum of log returns over the following ``weeks`` weeks.

    Timing
        The week's data are known at the close of the week's last session. A trader can act on the
        week's data at the close :data:`LAG` sessions later. The sum begins with the first return
        after the trader has acted. The sum ends :data:`LAG` sessions after the last session of the
        last week.
    NaN
        The sum is NaN if one of its returns is missing or lies after the end of the history.
    """
    total = np.concatenate([over.fillna(0.0).cumsum(), np.full(LAG, np.nan)])
    missing = np.concatenate([over.isna().cumsum(), np.zeros(LAG)])
    at = over.index.get_indexer(ends) + LAG
    out = np.full(len(at), np.nan)
    if len(at) > weeks:
        begin, end = at[: len(at) - weeks], at[weeks:]
        whole = missing[begin] == missing[end]
        out[: len(begin)] = np.where(whole, total[end] - total[begin], np.nan)
    return pd.Series(out, index=ends)


def earned_in(over: pd.Series, ends: pd.DatetimeIndex) -> pd.Series:
    """Return the sum of the log returns of each week, at the week's last session.

    The sum is NaN in the first week, and in a week with a missing return.
    """
    total = over.fillna(0.0).cumsum().reindex(ends).diff()
    return total.where(over.isna().cumsum().reindex(ends).diff() == 0)
