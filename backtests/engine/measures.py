"""The loops that measure a simulated portfolio, compiled by numba.

The loops use the formulas of :mod:`backtests.evidence.metrics`. A test compares the results of the
loops with :mod:`backtests.evidence.metrics`.
"""

from typing import NamedTuple

import numpy as np

from backtests.engine.compiled import inner, reordering, stored

#: Names of the measures, in the order in which ``measure`` writes them.
MEASURES = (
    *("sessions", "total_return", "cagr", "volatility", "sharpe", "max_drawdown", "exposure"),
    *("turnover", "costs", "trades", "skewness", "kurtosis", "autocorrelation"),
)
#: If a denominator is below this value, it counts as zero and the metric is NaN.
ZERO = 1e-15
#: Number of sessions in each part into which :func:`_extremes` divides equity.
STRETCH = 64


class Calendar(NamedTuple):
    """Data shared by all portfolios. ``growth`` and ``bills`` have one value for each session."""

    growth: np.ndarray  # growth of bills since the first session
    bills: np.ndarray  # return of bills since the previous session
    months: np.ndarray  # first session, then the last session of each month
    year: float  # number of sessions in a year


class Figures(NamedTuple):
    """The results that ``measure`` writes, one row for each portfolio.

    In the comments, ``× n`` means that each row has ``n`` columns.
    """

    metrics: np.ndarray  # × MEASURES
    moments: np.ndarray  # × blocks × (count, sum, sum of squares) of excess returns
    monthly: np.ndarray  # × months: return of the portfolio minus the return of bills
    ruined: np.ndarray  # first session with a value of zero or below, or −1


@stored
def measure(calendar: Calendar, value: np.ndarray, totals: np.ndarray, figures: Figures) -> None:
    """Write the results of each portfolio, and replace its deflated ``value`` by equity in USD.

    ``value`` and ``totals`` are arrays of :class:`backtests.engine.loops.Room`, with
    one row for each portfolio.
    """
    sessions = len(calendar.growth)
    returns, excess = np.zeros(sessions - 1), np.zeros(sessions - 1)
    parts = -(-sessions // STRETCH)
    bottoms, tops = np.zeros(parts), np.zeros(parts)
    for row in range(len(value)):
        equity = value[row, :sessions]
        figures.ruined[row] = _grown(equity, calendar.growth)
        if figures.ruined[row] >= 0:
            figures.metrics[row] = np.nan
            figures.moments[row] = np.nan
            figures.monthly[row] = np.nan
            continue
        _returns(equity, calendar.bills, returns, excess)
        metrics = figures.metrics[row]
        _extremes(equity.view(np.int64), bottoms.view(np.int64), tops.view(np.int64))
        metrics[5] = _deepest(equity, bottoms, tops) if sessions > 1 else np.nan
        _of_returns(equity, returns, calendar.year, metrics)
        _of_excess(excess, calendar.year, metrics)
        _of_trading(equity, totals[row], calendar.year, metrics)
        _by_block(excess, figures.moments[row])
        _by_month(equity, calendar.growth, calendar.months, figures.monthly[row])


@inner
def _grown(equity: np.ndarray, growth: np.ndarray) -> int:
    """Convert deflated values to USD. Return the first session with a value of 0 or less, or −1."""
    below = 0
    for at in range(len(growth)):
        equity[at] *= growth[at]
        below += not equity[at] > 0
    if below:
        for at in range(len(growth)):
            if not equity[at] > 0:
                return at
    return -1


@inner
def _returns(
    equity: np.ndarray, bills: np.ndarray, returns: np.ndarray, excess: np.ndarray
) -> None:
    for at in range(len(returns)):
        returns[at] = equity[at + 1] / equity[at] - 1
    for at in range(len(returns)):
        excess[at] = returns[at] - bills[at + 1]


@inner
def _of_returns(equity: np.ndarray, returns: np.ndarray, year: float, metrics: np.ndarray) -> None:
    n = len(returns)
    metrics[0] = n
    metrics[1] = equity[-1] / equity[0] - 1 if n else np.nan
    metrics[2] = (equity[-1] / equity[0]) ** (year / n) - 1 if n else np.nan
    squares = _squares(returns, _total(returns) / n)
    metrics[3] = _deviation(squares, n) * np.sqrt(year)


@inner
def _of_excess(excess: np.ndarray, year: float, metrics: np.ndarray) -> None:
    """Write the Sharpe ratio, skewness, kurtosis and first-order autocorrelation.

    Skewness, kurtosis and autocorrelation use moments divided by n.
    """
    n = len(excess)
    mean = _total(excess) / n
    second, third, fourth, product = _moments(excess, mean)
    variance = second / n
    varies = np.sqrt(variance) >= ZERO
    metrics[4] = _ratio(mean, _deviation(second, n)) * np.sqrt(year)
    metrics[10] = third / n / variance**1.5 if varies else np.nan
    metrics[11] = fourth / n / variance**2 if varies else np.nan
    metrics[12] = product / second if varies else np.nan


@inner
def _of_trading(equity: np.ndarray, totals: np.ndarray, year: float, metrics: np.ndarray) -> None:
    n = len(equity) - 1
    years = n / year
    metrics[6] = totals[3] / n
    metrics[7] = _ratio(totals[0] / 2, years)
    metrics[8] = _ratio(totals[1] / (_total(equity) / len(equity)), years)
    metrics[9] = totals[2]


@reordering
def _total(values: np.ndarray) -> float:
    total = 0.0
    for at in range(len(values)):
        total += values[at]
    return total


@reordering
def _squares(values: np.ndarray, mean: float) -> float:
    """Return the sum of squared deviations from ``mean``."""
    total = 0.0
    for at in range(len(values)):
        total += (values[at] - mean) ** 2
    return total


@reordering
def _moments(values: np.ndarray, mean: float) -> tuple[float, float, float, float]:
    """Return four sums over the deviations from ``mean``.

    The function sums the squared deviations, the cubed deviations, the fourth powers of the
    deviations, and the products of consecutive deviations.
    """
    second = third = fourth = product = 0.0
    for at in range(len(values)):
        off = values[at] - mean
        square = off * off
        second += square
        third += square * off
        fourth += square * square
    for at in range(1, len(values)):
        product += (values[at - 1] - mean) * (values[at] - mean)
    return second, third, fourth, product


@inner
def _deviation(squares: float, n: int) -> float:
    """Return the standard deviation with ddof 1; NaN if there are fewer than two values."""
    return np.sqrt(squares / (n - 1)) if n > 1 else np.nan


@inner
def _deepest(equity: np.ndarray, bottoms: np.ndarray, tops: np.ndarray) -> float:
    """Return the deepest loss from a peak, at most 0.

    ``bottoms`` and ``tops`` are the lowest and the highest equity in each part of ``STRETCH``
    sessions. The function first compares the top of each part with the bottoms of later parts.
    Afterwards, the function reads only the sessions of parts that can contain a deeper loss than
    all losses found so far. Most parts are skipped, because the first comparison already finds a
    deep loss.
    """
    peak, low, high = tops[0], 1.0, 1.0
    for part in range(1, len(tops)):
        if bottoms[part] * high < low * peak:
            low, high = bottoms[part], peak
        peak = max(peak, tops[part])
    peak = equity[0]
    for part in range(len(tops)):
        if bottoms[part] * high >= low * max(peak, tops[part]):
            peak = max(peak, tops[part])
            continue
        for value in equity[part * STRETCH : (part + 1) * STRETCH]:
            peak = max(peak, value)
            if value * high < low * peak:
                low, high = value, peak
    return low / high - 1


@inner
def _extremes(values: np.ndarray, bottoms: np.ndarray, tops: np.ndarray) -> None:
    """Write the smallest and the largest value in each part of ``STRETCH`` sessions.

    All arrays contain positive floats whose bits are read as integers. Positive floats and their
    bits, read as integers, have the same order. Integers save time, because the processor compares
    several integers at once.
    """
    for part in range(len(tops)):
        within = values[part * STRETCH : (part + 1) * STRETCH]
        bottom = top = within[0]
        for at in range(len(within)):
            bottom = min(bottom, within[at])
            top = max(top, within[at])
        bottoms[part], tops[part] = bottom, top


@inner
def _by_block(excess: np.ndarray, moments: np.ndarray) -> None:
    """Write count, sum and sum of squares of the excess returns in each block.

    :func:`numpy.array_split` gives the same blocks.
    """
    size, longer = len(excess) // len(moments), len(excess) % len(moments)
    start = 0
    for block in range(len(moments)):
        end = start + size + (block < longer)
        part = excess[start:end]
        moments[block, 0] = end - start
        moments[block, 1] = _total(part)
        moments[block, 2] = _squares(part, 0.0)
        start = end


@inner
def _by_month(
    equity: np.ndarray, growth: np.ndarray, months: np.ndarray, monthly: np.ndarray
) -> None:
    """Write the return of each month minus the return of bills in this month."""
    for month in range(len(monthly)):
        start, end = months[month], months[month + 1]
        monthly[month] = equity[end] / equity[start] - growth[end] / growth[start]


@inner
def _ratio(numerator: float, denominator: float) -> float:
    """Return a ratio; NaN if the denominator is almost zero, infinite or NaN."""
    if not np.isfinite(denominator) or abs(denominator) < ZERO:
        return np.nan
    return numerator / denominator
