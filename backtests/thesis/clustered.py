"""Estimate the slope of a response on a surprise, for events that come in clusters.

Responses to events of one calendar quarter are correlated: they depend on the same markets, and
their windows may overlap. So all events of a quarter form one cluster. Different clusters are
assumed to be independent. With few clusters, the usual standard error (CR1 with ``clusters − 1``
degrees of freedom) is too small. In simulations with 9 clusters of 5 events, the 95 % interval from
CR1 contained the true slope in about 91 % of cases. This module uses the bias-reduced variance CR2,
with Bell and McCaffrey's degrees of freedom. In simulations with 9 clusters of 5 events, the 95 %
interval from CR2 contained the true slope in about 95 % of cases.

Reference
    Kolari and Pynnönen (2010), "Event Study Testing with Cross-sectional Correlation of Abnormal
    Returns", RFS 23; Bell and McCaffrey (2002), Survey Methodology 28; Imbens and Kolesár (2016),
    "Robust Standard Errors in Small Samples", REStat 98.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.thesis.estimate import Interval
from backtests.thesis.inference import t_interval, t_p_value

#: Smallest number of clusters for a slope. A line through two clusters may fit exactly and leave no
#: residuals.
FEWEST = 4
#: An eigenvalue of this size or smaller is treated as zero.
_TINY = 1e-10


@dataclass(frozen=True, kw_only=True)
class Slope:
    """A slope, with its standard error and degrees of freedom.

    With too few clusters, or with a constant x, ``value`` and ``error`` are NaN, and ``df`` is 0.
    """

    value: float
    error: float
    df: float
    n: int
    clusters: int

    @property
    def interval(self) -> Interval:
        """The t interval of the slope."""
        return t_interval(self.value, self.error, self.df)

    def p_value(self, sign: int) -> float:
        """Return the slope's p-value from a t distribution."""
        return t_p_value(self.value, self.error, self.df, sign)


def quarters(sessions: pd.DatetimeIndex) -> np.ndarray:
    """Return one integer for each session, which identifies the calendar quarter."""
    return (sessions.year * 4 + sessions.quarter).to_numpy()


def slope(y: np.ndarray, x: np.ndarray, clusters: np.ndarray) -> Slope:
    """Return the least-squares slope of y on x and a constant; rows with a NaN are left out.

    The slope is NaN if there are fewer than :data:`FEWEST` clusters, or if x is constant.
    """
    kept = ~(np.isnan(y) | np.isnan(x))
    y, x, clusters = y[kept], x[kept], clusters[kept]
    number = len(np.unique(clusters))
    if number < FEWEST or np.ptp(x) == 0:
        none = float("nan")
        return Slope(value=none, error=none, df=0.0, n=len(y), clusters=number)
    value, error, df = _cr2(y, np.column_stack((np.ones(len(x)), x)), clusters)
    return Slope(value=value, error=error, df=df, n=len(y), clusters=number)


def slopes_without_one(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return, for each event, the slope of y on x over all other events.

    The columns have no NaN. If x is constant over the other events, the slope is not finite.
    """
    dy, dx, ratio = y - y.mean(), x - x.mean(), len(x) / (len(x) - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        result: np.ndarray = (dx @ dy - ratio * dx * dy) / (dx @ dx - ratio * dx**2)
    return result


def _cr2(y: np.ndarray, x: np.ndarray, clusters: np.ndarray) -> tuple[float, float, float]:
    inverse = np.linalg.inv(x.T @ x)
    coefficients = inverse @ x.T @ y
    residuals = y - x @ coefficients
    weights = x @ inverse[1]
    variance, own, shared = 0.0, [], []
    for cluster in np.unique(clusters):
        rows = clusters == cluster
        left = np.eye(rows.sum()) - x[rows] @ inverse @ x[rows].T
        scaled = _inverse_root(left) @ weights[rows]
        variance += float(scaled @ residuals[rows]) ** 2
        own.append(scaled @ scaled)
        shared.append(x[rows].T @ scaled)
    spread = np.diag(own) - np.array(shared) @ inverse @ np.array(shared).T
    df = float(np.trace(spread) ** 2 / (spread**2).sum())
    return float(coefficients[1]), math.sqrt(variance), df


def _inverse_root(matrix: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    roots = np.where(values > _TINY, 1 / np.sqrt(np.maximum(values, _TINY)), 0.0)
    result: np.ndarray = (vectors * roots) @ vectors.T
    return result


def minus(first: Slope, second: Slope) -> Slope:
    """Return the difference of two independent slopes, with Welch's degrees of freedom."""
    error = math.hypot(first.error, second.error)
    df = 0.0
    if first.df > 0 and second.df > 0:
        df = error**4 / (first.error**4 / first.df + second.error**4 / second.df)
    return Slope(
        value=first.value - second.value,
        error=error,
        df=df,
        n=first.n + second.n,
        clusters=first.clusters + second.clusters,
    )


def rearranged(
    x: np.ndarray, rows: np.ndarray, columns: np.ndarray, draws: int, seed: int = 0
) -> np.ndarray:
    """Return random permutations of the surprises, as a table of draws × events.

    The surprises fill a table, for example quarters × firms. ``rows`` and ``columns`` give the cell
    of each event. Each draw permutes whole rows, so the surprises of a quarter stay together. An
    event whose cell is empty after the permutation gets NaN. If a cell has two events, the later
    surprise is used.
    """
    (of_rows, row), (of_columns, column) = (
        np.unique(part, return_inverse=True) for part in (rows, columns)
    )
    table = np.full((len(of_rows), len(of_columns)), np.nan)
    table[row, column] = x
    order = np.tile(np.arange(len(table)), (draws, 1))
    order = np.random.default_rng(seed).permuted(order, axis=1)
    result: np.ndarray = table[order[:, row], column]
    return result


def slopes(y: np.ndarray, x: np.ndarray, clusters: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the slope of y on each row of x, and the CR1 variance of each slope.

    ``y`` has no NaN. If x is NaN for an event, the event is left out. The variances are only used
    to compare permutations.
    """
    present = ~np.isnan(x)
    member = np.unique(clusters)[:, None] == clusters  # clusters × events
    count = present.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        away = np.where(present, x - np.nansum(x, axis=1, keepdims=True) / count, 0.0)
        level = (present @ y)[:, None] / count
        total = (away**2).sum(axis=1)
        value = away @ y / total
        residual = np.where(present, y - level - value[:, None] * away, 0.0)
        squares = (((away * residual) @ member.T) ** 2).sum(axis=1)
        variance = squares / total**2 * len(member) / (len(member) - 1)
    return value, variance
