"""The statistics that the trial's estimators share, once more as plain loops over lists.

They are written from the docstrings of :mod:`backtests.thesis`, to compare the fast versions with.
A column is a list with one number for each session, NaN without a value. A condition is a column of
1.0 (on), 0.0 (off) and NaN (no view).
"""

import itertools
import math
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
from scipy import stats

Numbers = Sequence[float]
NAN = math.nan

#: Sessions in a quarter of a year.
QUARTER = 63


class Bounds(NamedTuple):
    """Bounds of a 95 % and of a 90 % interval."""

    low: float
    high: float
    low90: float
    high90: float


def known(values: Numbers) -> list[float]:
    return [v for v in values if not math.isnan(v)]


def mean(values: Numbers) -> float:
    return math.fsum(values) / len(values) if values else NAN


def variance(values: Numbers) -> float:
    """Return the sample variance, with n − 1; NaN with fewer than two values."""
    if len(values) < 2:
        return NAN
    centre = mean(values)
    return math.fsum((v - centre) ** 2 for v in values) / (len(values) - 1)


# Sample


def simple_returns(closes: Numbers) -> list[float]:
    """Return close / previous close − 1; NaN at the first session and beside a missing close."""
    return [NAN, *(b / a - 1 for a, b in itertools.pairwise(closes))]


def class_return(assets: Sequence[Numbers]) -> list[float]:
    """Return the mean at each session over the assets that have a return."""
    return [mean(known(row)) for row in zip(*assets, strict=True)]


def condition(flag: Numbers, lag: int = 1) -> list[float]:
    """Return the flag that was known 1 + lag sessions earlier."""
    return [flag[i - 1 - lag] if i > lag else NAN for i in range(len(flag))]


def weekly(days: Sequence[date], returns: Numbers) -> list[tuple[date, float]]:
    """Return the last session and the compounded return of each calendar week, Monday to Sunday.

    The last week is left out unless its last session is a Friday.
    """
    weeks: dict[date, list[int]] = {}
    for i, day in enumerate(days):
        weeks.setdefault(day - timedelta(days=day.weekday()), []).append(i)
    rows = []
    for sessions in weeks.values():
        there = known([returns[i] for i in sessions])
        rows.append((days[sessions[-1]], math.prod(1 + r for r in there) - 1 if there else NAN))
    return rows if not days or days[-1].weekday() == 4 else rows[:-1]


# Inference


def t_interval(value: float, error: float, df: float) -> Bounds:
    near, far = (stats.t.ppf(level, df) * error for level in (0.95, 0.975))
    return Bounds(value - far, value + far, value - near, value + near)


def t_p_value(value: float, error: float, df: float, sign: int) -> float:
    return float(stats.t.sf(sign * value / error, df)) if error > 0 else 1.0


def drawn_p_value(drawn: Numbers, sign: int) -> float:
    """Return (1 + number of estimates that contradict the sign) / (1 + number of estimates)."""
    there = known(drawn)
    return (1 + sum(sign * v <= 0 for v in there)) / (1 + len(there))


def episodes(on: Numbers) -> list[float]:
    """Return the number of each session's episode: on-sessions at most a quarter apart are one."""
    numbers = [NAN] * len(on)
    number, last = -1, -math.inf
    for i, value in enumerate(on):
        if value == 1:
            if i - last > QUARTER:
                number += 1
            numbers[i] = number
            last = i
    return numbers


def gaps(on: Numbers) -> list[float]:
    """Return the number of each off-session's gap: the episodes that ended before the session.

    An off-session within an episode has the number of the gap before the episode. If gap 0 has no
    session, all numbers move down by one.
    """
    number_of = episodes(on)
    ends = [i for i, n in enumerate(number_of) if n not in number_of[i + 1 :] and n == n]
    numbers = [
        float(sum(end < i for end in ends)) if value == 0 else NAN for i, value in enumerate(on)
    ]
    return [n - min(known(numbers)) for n in numbers] if known(numbers) else numbers


def cluster_means(values: Numbers, numbers: Numbers) -> list[float]:
    """Return the mean of the values of each cluster, in the order of the cluster numbers."""
    members: dict[float, list[float]] = {}
    for value, number in zip(values, numbers, strict=True):
        if not math.isnan(number) and not math.isnan(value):
            members.setdefault(number, []).append(value)
    return [mean(members[number]) for number in sorted(members)]


def few_clusters(means: Numbers) -> tuple[float, float]:
    """Return the standard error and degrees of freedom of Ibragimov and Müller (2010)."""
    if len(means) < 2:
        return NAN, 0.0
    return math.sqrt(variance(means) / len(means)), len(means) - 1.0


def two_groups(on: Numbers, off: Numbers) -> tuple[float, float]:
    """Return the standard error and degrees of freedom of Ibragimov and Müller (2016)."""
    if min(len(on), len(off)) < 2:
        return NAN, 0.0
    squared = variance(on) / len(on) + variance(off) / len(off)
    return math.sqrt(squared), min(len(on), len(off)) - 1.0


def welch(values: Numbers, on: Numbers) -> float:
    """Return the difference of means over its standard error, with separate variances."""
    with_it = [v for v, flag in zip(values, on, strict=True) if flag == 1]
    without = [v for v, flag in zip(values, on, strict=True) if flag == 0]
    squared = variance(with_it) / max(len(with_it), 1) + variance(without) / max(len(without), 1)
    if not squared > 0:
        return NAN
    return (mean(with_it) - mean(without)) / math.sqrt(squared)


def shifts_of(n: int, shifts: int) -> list[int]:
    """Return 0, the true dates, and ``shifts`` evenly spaced shifts, at most each of n sessions."""
    number = min(shifts + 1, n)
    return [i * n // number for i in range(number)]


def shift_p_value(
    values: Numbers,
    on: Numbers,
    statistic: Callable[[Numbers, Numbers], float],
    sign: int,
    shifts: int = 1000,
) -> float:
    """Return the share of shifts, the true dates included, whose statistic is as large.

    A shift without a statistic is left out. The result is 1 if the true dates have no statistic.
    """
    n = len(on)
    drawn = [
        sign * statistic(values, [on[(i - move) % n] for i in range(n)])
        for move in shifts_of(n, shifts)
    ]
    true, others = drawn[0], known(drawn[1:])
    if math.isnan(true):
        return 1.0
    return (1 + sum(other >= true for other in others)) / (1 + len(others))


# Regressions with HAC errors


class Fit(NamedTuple):
    """Coefficients, their covariance matrix, the lags, and the number of observations."""

    coefficients: list[float]
    covariance: list[list[float]]
    lags: int
    n: int

    def combined(self, contrast: Numbers) -> tuple[float, float]:
        """Return a linear combination of the coefficients, and its standard error."""
        places = range(len(contrast))
        value = math.fsum(contrast[i] * self.coefficients[i] for i in places)
        squared = math.fsum(
            contrast[i] * contrast[j] * self.covariance[i][j] for i in places for j in places
        )
        return value, math.sqrt(squared)


def least_squares(y: Numbers, x: Sequence[Numbers]) -> tuple[list[float], list[float]]:
    """Return coefficients and residuals from the normal equations; ``x`` has a row for each y."""
    k = len(x[0])
    left = [[math.fsum(row[i] * row[j] for row in x) for j in range(k)] for i in range(k)]
    right = [math.fsum(row[i] * value for row, value in zip(x, y, strict=True)) for i in range(k)]
    b = [float(v) for v in np.linalg.solve(left, right)]
    fitted = [math.fsum(c * v for c, v in zip(b, row, strict=True)) for row in x]
    return b, [value - f for value, f in zip(y, fitted, strict=True)]


def sandwich(x: Sequence[Numbers], middle: np.ndarray, factor: float) -> list[list[float]]:
    """Return factor · (X'X)⁻¹ middle (X'X)⁻¹."""
    rows = np.array(x, dtype=float)
    bread = np.linalg.inv(rows.T @ rows)
    return [[float(v) for v in row] for row in factor * bread @ middle @ bread]


def newey_west(y: Numbers, x: Sequence[Numbers], lags: int | None = None) -> Fit:
    """Return least squares with Bartlett weights 1 − l / (lags + 1) and factor n / (n − k)."""
    n, k = len(y), len(x[0])
    if lags is None:
        lags = min(math.ceil(1.3 * math.sqrt(n)), n - 1)
    b, residuals = least_squares(y, x)
    scores = [np.array(row) * e for row, e in zip(x, residuals, strict=True)]
    middle = np.zeros((k, k))
    for i in range(n):
        for j in range(max(0, i - lags), min(n, i + lags + 1)):
            middle += (1 - abs(i - j) / (lags + 1)) * np.outer(scores[i], scores[j])
    return Fit(b, sandwich(x, middle, n / (n - k)), lags, n)


def fixed_b(level: float, lags: int, n: int) -> float:
    """Return Kiefer and Vogelsang's critical value for the Bartlett kernel."""
    b = lags / n
    if level == 0.975:
        return 1.96 + 2.9694 * b + 0.416 * b**2 - 0.5324 * b**3
    return 1.6449 + 2.1859 * b + 0.3142 * b**2 - 0.3427 * b**3


def fixed_b_interval(value: float, error: float, lags: int, n: int) -> Bounds:
    near, far = (fixed_b(level, lags, n) * error for level in (0.95, 0.975))
    return Bounds(value - far, value + far, value - near, value + near)


def fixed_b_p_value(value: float, error: float, lags: int, n: int, sign: int) -> float:
    t = value / error * 1.96 / fixed_b(0.975, lags, n)
    return float(stats.norm.sf(sign * t))


# Power


def power(error: float, df: float, effect: float, level: float = 0.025) -> float:
    """Return P(Z + effect / error > c √(χ² / df)), integrated over the χ distribution.

    This is the definition of a noncentral t; c is the critical value of Student's t.
    """
    if not error > 0 or df < 1:
        return NAN
    c, shift = float(stats.t.ppf(1 - level, df)), effect / error
    if math.isinf(df):
        return float(stats.norm.sf(c - shift))
    # In terms of log χ, the integrand is smooth and vanishes at both ends, so that the trapezoid
    # rule converges fast.
    grid = np.exp(np.linspace(-40.0, math.log(float(stats.chi.isf(1e-16, df))), 40_001))
    heights = stats.chi.pdf(grid, df) * stats.norm.sf(c * grid / math.sqrt(df) - shift)
    return float(np.trapezoid(heights * grid, np.log(grid)))


# Verdicts


def holm(p_values: Numbers) -> list[float]:
    """Return p-values adjusted by Holm: the j-th smallest of m times m − j + 1, then a maximum."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted = [NAN] * len(p_values)
    largest = 0.0
    for j, i in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - j) * p_values[i]))
        adjusted[i] = largest
    return adjusted


def benjamini_yekutieli(p_values: Numbers) -> list[float]:
    """Return p-values adjusted by Benjamini and Yekutieli, for any dependence.

    The j-th smallest of m is multiplied by m / j and by 1 + 1/2 + … + 1/m; then each is at most
    the next larger one.
    """
    m = len(p_values)
    harmonic = math.fsum(1 / j for j in range(1, m + 1))
    order = sorted(range(m), key=lambda i: p_values[i])
    adjusted = [NAN] * m
    smallest = 1.0
    for j in range(m, 0, -1):
        i = order[j - 1]
        smallest = min(smallest, p_values[i] * m / j * harmonic)
        adjusted[i] = smallest
    return adjusted


def outcome(sign: int, smallest: float, episodes: int | None, bounds: Bounds, p: float) -> str:
    """Return the verdict from an interval and an adjusted p-value.

    ``episodes`` is None for a claim without a condition.
    """
    if episodes is not None and episodes < 3:
        return "inconclusive"
    nearest, farthest90 = bounds.low, bounds.high90
    if sign < 0:
        nearest, farthest90 = -bounds.high, -bounds.low90
    if farthest90 < smallest:
        return "contradicted"
    if p <= 0.025 and nearest > 0:
        return "supported"
    return "inconclusive"
