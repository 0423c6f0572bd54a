"""Intervals and p-values for several estimators.

Each p-value is one-sided. ``sign`` is 1 if the claim says that a number is above zero, and −1 if
the claim says that the number is below zero.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from backtests.evidence.entries import episodes_of
from backtests.evidence.hac import Fit
from backtests.thesis.estimate import Interval

#: Number of circular shifts for a p-value. For n values, there are at most n − 1 shifts.
FEWEST_SHIFTS = 1000


def t_interval(value: float, error: float, df: float) -> Interval:
    """Return the t interval of an estimate; an infinite ``df`` gives a normal interval."""
    wide, narrow = (float(stats.t.ppf(p, df)) * error for p in (0.975, 0.95))
    return Interval(
        low=value - wide, high=value + wide, low90=value - narrow, high90=value + narrow
    )


def hac_interval(fit: Fit, value: float, error: float) -> Interval:
    """Return the interval of a combination of coefficients, with fixed-b critical values."""
    wide, narrow = (fit.critical(level) * error for level in (0.975, 0.95))
    return Interval(
        low=value - wide, high=value + wide, low90=value - narrow, high90=value + narrow
    )


def t_p_value(value: float, error: float, df: float, sign: int) -> float:
    """Return an estimate's p-value from a t distribution.

    If the standard error is not a positive finite number, the p-value is 1.
    """
    if not error > 0 or not math.isfinite(error):
        return 1.0
    return float(stats.t.sf(sign * value / error, df))


def drawn_interval(drawn: np.ndarray) -> Interval:
    """Return the percentile interval of resampled estimates; NaN estimates are left out."""
    low, low90, high90, high = np.nanquantile(drawn, [0.025, 0.05, 0.95, 0.975])
    return Interval(low=float(low), high=float(high), low90=float(low90), high90=float(high90))


def drawn_p_value(drawn: np.ndarray, sign: int) -> float:
    """Return the p-value: the fraction of resampled estimates that are zero or have the wrong sign.

    The numerator and the denominator of the fraction are increased by 1, so the p-value is never
    zero.
    """
    kept = drawn[~np.isnan(drawn)]
    return float((1 + (sign * kept <= 0).sum()) / (1 + len(kept)))


def rank_p_value(true: float, drawn: np.ndarray, sign: int) -> float:
    """Return the p-value: the rank of a statistic among drawn statistics, as a fraction.

    The rank is 1 plus the number of drawn statistics that are at least as extreme as ``true``. If
    ``sign`` is 1, a larger statistic is more extreme. If ``sign`` is −1, a smaller statistic is
    more extreme. Drawn statistics that are NaN are left out.
    """
    kept = sign * drawn[~np.isnan(drawn)]
    return float((1 + (kept >= sign * true).sum()) / (1 + len(kept)))


def segments_of(on: pd.Series) -> pd.Series:
    """Return each session's segment number, from 0; each segment contains one episode.

    See :func:`backtests.evidence.entries.episodes_of` for the episodes. The border between two
    segments lies in the middle between their episodes. If there is no episode, all sessions belong
    to one segment.
    """
    numbers = episodes_of(on)
    place = pd.Series(np.arange(len(on)), index=on.index).groupby(numbers)
    first, last = place.min().to_numpy(), place.max().to_numpy()
    borders = (last[:-1] + first[1:] + 1) // 2
    return pd.Series(np.searchsorted(borders, np.arange(len(on)), side="right"), index=on.index)


def few_clusters(means: np.ndarray) -> tuple[float, float]:
    """Return the standard error and the degrees of freedom for the mean of cluster means.

    If there are fewer than two clusters, the standard error is NaN and the degrees of freedom are
    0. The t-test on the means of a few clusters is valid if the means are independent and
    approximately normal. The cluster means may have different variances.

    Reference
        Ibragimov and Müller (2010), "t-Statistic Based Correlation and Heterogeneity Robust
        Inference", JBES 28.
    """
    if len(means) < 2:
        return float("nan"), 0.0
    return float(means.std(ddof=1) / math.sqrt(len(means))), float(len(means) - 1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Clusters:
    """One group of observations, summed by cluster.

    Attributes
    ----------
    sums, counts
        ``sums`` contains the sum of the observations of each cluster. ``counts`` contains the
        number of observations of each cluster.
    """

    sums: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, sums: pd.Series, counts: pd.Series, numbers: pd.Series) -> "Clusters":
        """Return the clusters; sessions whose cluster number in ``numbers`` is NaN are left out."""
        table = pd.DataFrame({"sums": sums, "counts": counts}).groupby(numbers).sum()
        table = table[table["counts"] > 0]
        return cls(sums=table["sums"].to_numpy(), counts=table["counts"].to_numpy())

    @property
    def mean(self) -> float:
        """Mean of all observations; NaN if there is no observation."""
        if not len(self.counts):
            return float("nan")
        return float(self.sums.sum()) / float(self.counts.sum())

    @property
    def variance(self) -> float:
        """Bias-reduced variance (CR2) of the mean; NaN if there are fewer than two clusters."""
        if len(self.counts) < 2:
            return float("nan")
        shares = self.counts / self.counts.sum()
        apart = self.sums - self.counts * self.mean
        return float((apart**2 / (1 - shares)).sum() / self.counts.sum() ** 2)

    def moments(self) -> tuple[float, float]:
        """Return the two traces that :func:`clustered` needs to compute the degrees of freedom.

        The estimated variance of the mean is y'My, with the vector y of the observations and a
        symmetric matrix M. The function returns trace(M) and trace(M²). For one group, the degrees
        of freedom are trace(M)² / trace(M²). The formula for the degrees of freedom assumes
        independent observations with a variance of 1.
        """
        total = self.counts.sum()
        scale = 1 / np.sqrt(1 - self.counts / total)
        form = np.diag(self.counts) - np.outer(self.counts, self.counts) / total
        form = form * np.outer(scale, scale) / total**2
        return float(np.trace(form)), float((form**2).sum())


def clustered(*groups: Clusters) -> tuple[float, float]:
    """Return the standard error and degrees of freedom of a mean, or of a difference of two means.

    If a group has fewer than two clusters, the standard error is NaN and the degrees of freedom are
    0. The variance is CR2. A chi-squared distribution approximates the distribution of the variance
    estimate, and gives the degrees of freedom. With clusters of equal size, the result equals the
    t-test on cluster means of Ibragimov and Müller (2010).

    Reference
        Bell and McCaffrey (2002), Survey Methodology 28; Imbens and Kolesár (2016), "Robust
        Standard Errors in Small Samples", REStat 98.
    """
    if any(len(group.counts) < 2 for group in groups):
        return float("nan"), 0.0
    traces = [group.moments() for group in groups]
    df = sum(trace for trace, _ in traces) ** 2 / sum(square for _, square in traces)
    return math.sqrt(sum(group.variance for group in groups)), round(df, 9)


@dataclass(frozen=True, kw_only=True, eq=False)
class Shifted:
    """A statistic in units of its standard error, for the true dates and for shifted dates."""

    true: float
    others: np.ndarray

    def p_value(self, sign: int) -> float:
        """Return the fraction of shifts with a statistic at least as extreme as the true statistic.

        The true dates are counted as one of the shifts. The p-value is 1 if the true statistic is
        NaN.
        """
        if math.isnan(self.true):
            return 1.0
        return rank_p_value(self.true, self.others, sign)

    def interval(self, value: float, error: float) -> Interval:
        """Return the interval of an estimate, computed from the statistics of shifted dates.

        Each bound is ``value`` − q · ``error``, and q is a quantile of the statistics of shifted
        dates.
        """
        points = np.quantile(self.others, [0.025, 0.05, 0.95, 0.975])
        high, high90, low90, low = (value - float(point) * error for point in points)
        return Interval(low=low, high=high, low90=low90, high90=high90)

    def widened(self, error: float) -> float:
        """Return a standard error that is computed from the 95 % interval of :meth:`interval`.

        With this standard error, a normal 95 % interval is as wide as the 95 % interval of
        :meth:`interval`.
        """
        low, high = np.quantile(self.others, [0.025, 0.975])
        return float(error * (high - low) / (2 * stats.norm.ppf(0.975)))


def shifted(
    values: pd.Series,
    on: pd.Series,
    statistic: Callable[[np.ndarray, np.ndarray], np.ndarray],
    *,
    shifts: int = FEWEST_SHIFTS,
) -> Shifted:
    """Return a statistic for the true dates of a condition and for shifted dates of the condition.

    The statistic measures how the values depend on the condition. The shift is circular: entries
    that move past the last session continue at the first session. The values keep their dates. If
    the condition is independent of the values, each shift is as likely as the true dates. A shift
    keeps the number and the lengths of episodes.

    Parameters
    ----------
    values, on
        ``values`` has one number for each session. ``on`` contains one condition (1.0 or 0.0) or
        one weight for each session. ``values`` and ``on`` contain no NaN.
    statistic
        A function with two arguments. The first argument contains the values. The second argument
        contains the shifted conditions: a table of shifts × sessions. The function returns one
        statistic for each row of the table. If the function returns NaN for a shift, the shift is
        left out.
    shifts
        Number of shifts, evenly spaced over the sessions. If the number of sessions n is at most
        ``shifts``, the condition is shifted by 1, 2, … and n − 1 sessions.
    """
    n = len(values)
    steps = np.unique(np.linspace(0, n, min(shifts, n - 1) + 1, endpoint=False).astype(int))
    flag = on.to_numpy(dtype=np.float64)
    rolled = flag[(np.arange(n)[None, :] - steps[:, None]) % n]
    drawn = statistic(values.to_numpy(dtype=np.float64), rolled)
    return Shifted(true=float(drawn[0]), others=drawn[1:][~np.isnan(drawn[1:])])


def welch(values: np.ndarray, on: np.ndarray) -> np.ndarray:
    """Return Welch's t statistic of the values, for each row of ``on``.

    The statistic is positive if the mean with the condition on is above the mean with the condition
    off.
    """
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


def timing(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return a t statistic for each row of ``weights``.

    The t statistic tests whether the mean of (weight − mean weight) · value is zero.
    """
    apart = weights - weights.mean(axis=1, keepdims=True)
    gained = apart * values
    with np.errstate(divide="ignore", invalid="ignore"):
        result: np.ndarray = (
            gained.mean(axis=1) / gained.std(axis=1, ddof=1) * math.sqrt(len(values))
        )
    return result


def too_narrow(coverage: float) -> str:
    """Return a note for readers, which says that a 95 % interval is too narrow.

    ``coverage`` is the measured fraction of intervals that contain the true value.
    """
    return (
        f"The interval is too narrow: in simulations, {100 * coverage:.0f} of 100 such "
        "intervals contained the true value, instead of 95."
    )
