"""Intervals and p-values that several estimators share.

Each p-value is one-sided. ``sign`` is 1 if the claim says that a number is above zero, and −1 if
the claim says that it is below zero.
"""

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import stats

from backtests.evidence.entries import QUARTER
from backtests.thesis.estimate import Interval

#: Smallest number of circular shifts for a p-value.
FEWEST_SHIFTS = 1000


def t_interval(value: float, error: float, df: float) -> Interval:
    """Return the interval of a t distribution around an estimate. An infinite ``df`` is normal."""
    wide, narrow = (float(stats.t.ppf(p, df)) * error for p in (0.975, 0.95))
    return Interval(
        low=value - wide, high=value + wide, low90=value - narrow, high90=value + narrow
    )


def t_p_value(value: float, error: float, df: float, sign: int) -> float:
    """Return the p-value of an estimate from a t distribution; 1 without a standard error."""
    if not error > 0 or not math.isfinite(error):
        return 1.0
    return float(stats.t.sf(sign * value / error, df))


def drawn_interval(drawn: np.ndarray) -> Interval:
    """Return the percentiles of resampled estimates; NaN estimates are left out."""
    low, low90, high90, high = np.nanquantile(drawn, [0.025, 0.05, 0.95, 0.975])
    return Interval(low=float(low), high=float(high), low90=float(low90), high90=float(high90))


def drawn_p_value(drawn: np.ndarray, sign: int) -> float:
    """Return the share of resampled estimates that contradict the sign, with a correction of 1."""
    kept = drawn[~np.isnan(drawn)]
    return float((1 + (sign * kept <= 0).sum()) / (1 + len(kept)))


def episodes_of(on: pd.Series) -> pd.Series:
    """Return the number of the episode to which each session belongs, from 0; NaN outside.

    ``on`` is 1.0, 0.0 or NaN at every session. Sessions with the condition that are at most a
    quarter apart belong to the same episode. A session between them without the condition belongs
    to no episode.
    """
    inside = np.flatnonzero(on.to_numpy() == 1.0)
    number = pd.Series(np.nan, index=on.index)
    if len(inside):
        number.iloc[inside] = np.concatenate(([0], (np.diff(inside) > QUARTER).cumsum()))
    return number


def gaps_of(on: pd.Series) -> pd.Series:
    """Return the number of the gap between two episodes to which each session belongs, from 0.

    A gap holds the sessions without the condition between two episodes, or beyond the first or last
    episode. Sessions without the condition within an episode belong to the gap before it. Sessions
    with the condition, or without a view, are NaN.
    """
    before = episodes_of(on).ffill().fillna(-1.0)
    number: pd.Series = before.rank(method="dense").sub(1).where(on == 0.0)
    return number


def cluster_means(values: pd.Series, numbers: pd.Series) -> np.ndarray:
    """Return the mean of the values in each cluster; values without a cluster are left out."""
    return values.groupby(numbers).mean().dropna().to_numpy(dtype=np.float64)


def few_clusters(means: np.ndarray) -> tuple[float, float]:
    """Return the standard error and degrees of freedom of the mean of cluster means.

    Both are NaN and 0 with fewer than two clusters.

    Reference
        Ibragimov and Müller (2010), "t-Statistic Based Correlation and Heterogeneity Robust
        Inference", JBES 28: the t-test on means of few clusters keeps its level if clusters are
        independent and approximately normal, even with different variances.
    """
    if len(means) < 2:
        return float("nan"), 0.0
    return float(means.std(ddof=1) / math.sqrt(len(means))), float(len(means) - 1)


def two_groups(on: np.ndarray, off: np.ndarray) -> tuple[float, float]:
    """Return the standard error and degrees of freedom of a difference of means of cluster means.

    NaN and 0 if a group has fewer than two clusters.

    Reference
        Ibragimov and Müller (2016), "Inference with Few Heterogeneous Clusters", REStat 98: the
        degrees of freedom are the number of clusters in the smaller group, minus one.
    """
    fewest = min(len(on), len(off))
    if fewest < 2:
        return float("nan"), 0.0
    error = math.sqrt(on.var(ddof=1) / len(on) + off.var(ddof=1) / len(off))
    return error, float(fewest - 1)


def shift_p_value(
    values: pd.Series,
    on: pd.Series,
    statistic: Callable[[np.ndarray, np.ndarray], np.ndarray],
    sign: int,
    *,
    shifts: int = FEWEST_SHIFTS,
) -> float:
    """Return the p-value of a statistic among the same statistics for shifted conditions.

    The condition moves around the circle of sessions; values stay at their dates. If the condition
    is independent of the values, each shift is as likely as the true dates.

    Parameters
    ----------
    values, on
        Values and their condition (1.0 or 0.0), without NaN, on the same sessions.
    statistic
        A function of values and an array of conditions, shifts × sessions. It returns the statistic
        of each row.
    shifts
        Number of shifts, evenly spaced around the circle. If there are fewer sessions, each session
        is one shift.
    """
    n = len(values)
    steps = np.unique(np.linspace(0, n, min(shifts, n - 1) + 1, endpoint=False).astype(int))
    flag = on.to_numpy(dtype=np.float64)
    rolled = flag[(np.arange(n)[None, :] - steps[:, None]) % n]
    drawn = sign * statistic(values.to_numpy(dtype=np.float64), rolled)
    true, others = drawn[0], drawn[1:]
    others = others[~np.isnan(others)]
    return float((1 + (others >= true).sum()) / (1 + len(others)))


def welch(values: np.ndarray, on: np.ndarray) -> np.ndarray:
    """Return Welch's t statistic of values with and without each condition, one for each row."""
    total, n = values.sum(), len(values)
    squares = (values**2).sum()
    count = on.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean_on, mean_off = on @ values / count, (total - on @ values) / (n - count)
        var_on = (on @ values**2 / count - mean_on**2) * count / (count - 1)
        var_off = ((squares - on @ values**2) / (n - count) - mean_off**2) * (n - count)
        var_off /= n - count - 1
        result: np.ndarray = (mean_on - mean_off) / np.sqrt(var_on / count + var_off / (n - count))
    return result
