"""Twins of the statistics that the trial's estimators share: plain loops over lists.

They are written from the docstrings of :mod:`backtests.thesis`, and tests compare the fast versions
with them. A column is a list with one number for each session, NaN without a value. A condition is
a column of 1.0 (on), 0.0 (off) and NaN (unknown).
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
    """Return close / previous close − 1; NaN at the first session, or if a close is missing."""
    return [NAN, *(b / a - 1 for a, b in itertools.pairwise(closes))]


def class_return(assets: Sequence[Numbers]) -> list[float]:
    """Return the mean return at each session, over the assets with a return."""
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


def episodes(on: Numbers, quarter: int = QUARTER) -> list[float]:
    """Return the number of each session's episode.

    On-sessions at most a quarter apart are in the same episode.
    """
    numbers = [NAN] * len(on)
    number, last = -1, -math.inf
    for i, value in enumerate(on):
        if value == 1:
            if i - last > quarter:
                number += 1
            numbers[i] = number
            last = i
    return numbers


def gaps(on: Numbers, quarter: int = QUARTER) -> list[float]:
    """Return the number of each off-session's gap, from 0.

    Two off-sessions are in the same gap if the same episodes ended before them. So an off-session
    within an episode belongs to the gap before the episode.
    """
    number_of = episodes(on, quarter)
    ends = [i for i, n in enumerate(number_of) if n == n and n not in number_of[i + 1 :]]
    ended = [sum(end < i for end in ends) if on[i] == 0 else -1 for i in range(len(on))]
    gap_of = {count: float(gap) for gap, count in enumerate(sorted(set(ended) - {-1}))}
    return [gap_of.get(count, NAN) for count in ended]


def segments(on: Numbers) -> list[float]:
    """Return the number of the episode nearest to each session; the later one if two are equal.

    Without an episode, all sessions have the number 0.
    """
    number_of = episodes(on)
    out = []
    for i in range(len(on)):
        near = [(abs(i - j), -n) for j, n in enumerate(number_of) if n == n]
        out.append(-min(near)[1] if near else 0.0)
    return out


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


def welch(values: Numbers, on: Numbers) -> float:
    """Return the difference of means divided by its standard error, with separate variances."""
    with_it = [v for v, flag in zip(values, on, strict=True) if flag == 1]
    without = [v for v, flag in zip(values, on, strict=True) if flag == 0]
    squared = variance(with_it) / max(len(with_it), 1) + variance(without) / max(len(without), 1)
    if not squared > 0:
        return NAN
    return (mean(with_it) - mean(without)) / math.sqrt(squared)


def shifts_of(n: int, shifts: int) -> list[int]:
    """Return 0 for the true dates, and ``shifts`` evenly spaced shifts, or all n − 1 shifts."""
    number = min(shifts + 1, n)
    return [i * n // number for i in range(number)]


class Shifted(NamedTuple):
    """A statistic for the true dates, and for the shifted dates for which it exists."""

    true: float
    others: list[float]

    def p_value(self, sign: int) -> float:
        """Return the share of dates whose statistic is at least as extreme. The true dates count.

        The result is 1 if the true dates have no statistic.
        """
        if math.isnan(self.true):
            return 1.0
        extreme = sum(sign * other >= sign * self.true for other in self.others)
        return (1 + extreme) / (1 + len(self.others))

    def interval(self, value: float, error: float) -> Bounds:
        """Return the bounds: value minus error times the quantiles of the shifted statistics."""
        levels = (0.975, 0.025, 0.95, 0.05)
        return Bounds(*(value - error * quantile(self.others, level) for level in levels))

    def widened(self, error: float) -> float:
        """Return half the width of the 95 % interval, divided by 1.96, the normal quantile."""
        bounds = self.interval(0.0, error)
        return float((bounds.high - bounds.low) / 2 / stats.norm.ppf(0.975))


def quantile(values: Numbers, level: float) -> float:
    """Return the quantile by linear interpolation between the ordered values."""
    ordered = sorted(values)
    place = level * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def shifted(
    values: Numbers,
    on: Numbers,
    statistic: Callable[[Numbers, Numbers], float],
    shifts: int = 1000,
) -> Shifted:
    """Return the statistic of the true dates, and of circular shifts of the condition."""
    n = len(on)
    drawn = [
        statistic(values, [on[(i - move) % n] for i in range(n)]) for move in shifts_of(n, shifts)
    ]
    return Shifted(drawn[0], known(drawn[1:]))


def timing(values: Numbers, weights: Numbers) -> float:
    """Return the t statistic of the mean of (weight − mean weight) · value."""
    centre = mean(weights)
    gained = [(w - centre) * v for w, v in zip(weights, values, strict=True)]
    spread = variance(gained)
    return mean(gained) / math.sqrt(spread / len(gained)) if spread > 0 else NAN


# Power


def power(error: float, df: float, effect: float, level: float = 0.025) -> float:
    """Return P(Z + effect / error > c √(χ² / df)), integrated over the χ distribution.

    The formula defines the noncentral t distribution. c is the critical value of Student's t.
    """
    if not error > 0 or df < 1:
        return NAN
    c, shift = float(stats.t.ppf(1 - level, df)), effect / error
    if math.isinf(df):
        return float(stats.norm.sf(c - shift))
    # As a function of log χ, the integrand is smooth and vanishes at both ends. So the trapezoid
    # rule converges fast.
    grid = np.exp(np.linspace(-40.0, math.log(float(stats.chi.isf(1e-16, df))), 40_001))
    heights = stats.chi.pdf(grid, df) * stats.norm.sf(c * grid / math.sqrt(df) - shift)
    return float(np.trapezoid(heights * grid, np.log(grid)))


# Verdicts


def holm(p_values: Numbers) -> list[float]:
    """Return p-values adjusted by Holm: the j-th smallest of m is multiplied by m − j + 1.

    Then each is at least the next smaller one.
    """
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted = [NAN] * len(p_values)
    largest = 0.0
    for j, i in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - j) * p_values[i]))
        adjusted[i] = largest
    return adjusted


def benjamini_hochberg(p_values: Numbers) -> list[float]:
    """Return p-values adjusted by Benjamini and Hochberg.

    The j-th smallest of m is multiplied by m / j. Then each is at most the next larger one.
    """
    m = len(p_values)
    order = sorted(range(m), key=lambda i: p_values[i])
    adjusted = [NAN] * m
    smallest = 1.0
    for j in range(m, 0, -1):
        i = order[j - 1]
        smallest = min(smallest, p_values[i] * m / j)
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
