"""The loops that measure a simulated portfolio, compiled by numba.

The loops use the formulas of :mod:`backtests.evidence.metrics`. A test compares the results of the
loops with :mod:`backtests.evidence.metrics`.
"""

from typing import NamedTuple

import numpy as np

from backtests.engine.compiled import called, inner, stored

#: Names of the measures, in the order in which ``measure`` writes them.
MEASURES = (
    *("sessions", "total_return", "cagr", "volatility", "sharpe", "max_drawdown", "exposure"),
    *("turnover", "costs", "trades", "skewness", "kurtosis", "autocorrelation"),
)
#: Positions of the names in ``MEASURES``.
SESSIONS, TOTAL_RETURN, CAGR, VOLATILITY, SHARPE, MAX_DRAWDOWN, EXPOSURE = range(7)
TURNOVER, COSTS, TRADES, SKEWNESS, KURTOSIS, AUTOCORRELATION = range(7, 13)
#: Columns of :attr:`backtests.engine.loops.Room.totals`, which :mod:`backtests.engine.loops`
#: describes. The numbers are repeated here, because numba does not notice a change in another file.
TURNED, PAID, FILLED, EXPOSED = range(4)
#: If a denominator is below this value, it counts as zero and the metric is NaN.
ZERO = 1e-15
#: Largest number of portfolios that are measured together.
LANES = 32
#: First position of each figure in the table of ``measure``. Each figure has one value for each
#: portfolio. BEFORE is the value at the previous session. PEAK is the highest value so far. LOW is
#: the value at the deepest loss so far, and HIGH is the peak before this loss. BELOW is the number
#: of sessions with a value of 0 or less. EQUITY is the sum of all values. SUM is the sum of the
#: excess returns in one block, and SQUARES is the sum of their squares. OVER is the sum of the
#: excess returns in all finished blocks.
BEFORE, PEAK, LOW, HIGH, BELOW, EQUITY, SUM, SQUARES, OVER = range(0, 9 * LANES, LANES)
#: MEAN is the mean excess return. A deviation is an excess return minus MEAN. SECOND, THIRD and
#: FOURTH are the sums of the second, third and fourth powers of deviations. PRODUCT is the sum of
#: products of consecutive deviations. OFF is the last deviation. SPREAD is the sum of squared
#: deviations of returns from their mean. TABLE is the number of positions.
MEAN, SECOND, THIRD, FOURTH, PRODUCT, OFF, SPREAD, TABLE = range(9 * LANES, 17 * LANES, LANES)


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
    ruined: np.ndarray  # position of the first value of 0 or less; −1 if all are above 0


@stored
def measure(calendar: Calendar, value: np.ndarray, totals: np.ndarray, figures: Figures) -> None:
    """Write the results of each portfolio, and replace its deflated ``value`` by equity in USD.

    ``value`` and ``totals`` are arrays of :class:`backtests.engine.loops.Room`, with at most
    ``LANES`` portfolios.
    """
    sessions, lanes = value.shape
    excess, table = np.empty((sessions - 1, lanes)), np.zeros(TABLE)
    for at in range(sessions):
        _grow(calendar.growth[at], value[at], table)
    _by_month(calendar, value, figures.monthly)
    _by_block(calendar, value, excess, table, figures.moments)
    _moments(calendar, excess, table)
    for row in range(lanes):
        _write(calendar, value[:, row], table[row:], totals[row], figures.metrics[row])
        figures.ruined[row] = _ruined(value[:, row]) if table[BELOW + row] else -1
        if figures.ruined[row] >= 0:
            figures.metrics[row] = np.nan
            figures.moments[row] = np.nan
            figures.monthly[row] = np.nan


@called
def _grow(growth: float, value: np.ndarray, table: np.ndarray) -> None:
    """Convert deflated values to USD, and count values of 0 or less."""
    for lane in range(len(value)):
        value[lane] *= growth
        table[BELOW + lane] += 0.0 if value[lane] > 0 else 1.0


@inner
def _ruined(equity: np.ndarray) -> int:
    """Return the position of the first value of 0 or less; −1 if all values are above 0."""
    for at in range(len(equity)):
        if not equity[at] > 0:
            return at
    return -1


@inner
def _by_block(
    calendar: Calendar, value: np.ndarray, excess: np.ndarray, table: np.ndarray,
    moments: np.ndarray,
) -> None:  # fmt: skip
    """Write the excess returns, and the count, sum and sum of squares of each block.

    The blocks equal the blocks of :func:`numpy.array_split`.
    """
    lanes = value.shape[1]
    _begin(value[0], table)
    size, longer = len(excess) // moments.shape[1], len(excess) % moments.shape[1]
    start = 0
    for block in range(moments.shape[1]):
        end = start + size + (block < longer)
        for at in range(start, end):
            _add_session(value[at + 1], calendar.bills[at + 1], excess[at], table)
        for lane in range(lanes):
            moments[lane, block, 0] = end - start
            moments[lane, block, 1] = table[SUM + lane]
            moments[lane, block, 2] = table[SQUARES + lane]
            table[OVER + lane] += table[SUM + lane]
            table[SUM + lane] = table[SQUARES + lane] = 0.0
        start = end
    for lane in range(lanes):
        table[MEAN + lane] = table[OVER + lane] / len(excess)


@called
def _begin(equity: np.ndarray, table: np.ndarray) -> None:
    for lane in range(len(equity)):
        table[BEFORE + lane] = table[PEAK + lane] = table[EQUITY + lane] = equity[lane]
        table[LOW + lane] = table[HIGH + lane] = 1.0


@called
def _add_session(equity: np.ndarray, bill: float, excess: np.ndarray, table: np.ndarray) -> None:
    """Write the excess return of each portfolio at one session, and update the table."""
    for lane in range(len(equity)):
        worth = equity[lane]
        over = worth / table[BEFORE + lane] - 1 - bill
        excess[lane] = over
        table[BEFORE + lane] = worth
        table[EQUITY + lane] += worth
        table[SUM + lane] += over
        table[SQUARES + lane] += over * over
        peak = table[PEAK + lane]
        peak = worth if worth > peak else peak
        low, high = table[LOW + lane], table[HIGH + lane]
        deeper = worth * high < low * peak
        table[LOW + lane] = worth if deeper else low
        table[HIGH + lane] = peak if deeper else high
        table[PEAK + lane] = peak


@inner
def _moments(calendar: Calendar, excess: np.ndarray, table: np.ndarray) -> None:
    """Compute the sums of powers and products of deviations from the mean.

    The mean return is the mean excess return plus the mean return of bills.
    """
    sessions = len(excess)
    mean = 0.0
    for at in range(1, len(calendar.bills)):
        mean += calendar.bills[at] / sessions
    for at in range(sessions):
        _add_moments(excess[at], calendar.bills[at + 1] - mean, table)


@called
def _add_moments(excess: np.ndarray, bill: float, table: np.ndarray) -> None:
    for lane in range(len(excess)):
        off = excess[lane] - table[MEAN + lane]
        square = off * off
        table[SECOND + lane] += square
        table[THIRD + lane] += square * off
        table[FOURTH + lane] += square * square
        table[PRODUCT + lane] += table[OFF + lane] * off
        table[OFF + lane] = off
        table[SPREAD + lane] += (off + bill) * (off + bill)


@inner
def _write(
    calendar: Calendar, equity: np.ndarray, table: np.ndarray, totals: np.ndarray,
    metrics: np.ndarray,
) -> None:  # fmt: skip
    """Write the metrics of one portfolio.

    The formulas of skewness, kurtosis and autocorrelation divide sums by n, not by n − 1.
    """
    n, year = len(equity) - 1, calendar.year
    years = n / year
    second = table[SECOND]
    variance = second / n
    varies = np.sqrt(variance) >= ZERO
    metrics[SESSIONS] = n
    metrics[TOTAL_RETURN] = equity[-1] / equity[0] - 1 if n else np.nan
    metrics[CAGR] = (equity[-1] / equity[0]) ** (year / n) - 1 if n else np.nan
    metrics[VOLATILITY] = _deviation(table[SPREAD], n) * np.sqrt(year)
    metrics[SHARPE] = _ratio(table[MEAN], _deviation(second, n)) * np.sqrt(year)
    metrics[MAX_DRAWDOWN] = table[LOW] / table[HIGH] - 1 if n else np.nan
    metrics[EXPOSURE] = totals[EXPOSED] / n
    metrics[TURNOVER] = _ratio(totals[TURNED] / 2, years)
    metrics[COSTS] = _ratio(totals[PAID] / (table[EQUITY] / len(equity)), years)
    metrics[TRADES] = totals[FILLED]
    metrics[SKEWNESS] = table[THIRD] / n / variance**1.5 if varies else np.nan
    metrics[KURTOSIS] = table[FOURTH] / n / variance**2 if varies else np.nan
    metrics[AUTOCORRELATION] = table[PRODUCT] / second if varies else np.nan


@inner
def _deviation(squares: float, n: int) -> float:
    """Return the standard deviation with ddof 1; NaN if there are fewer than two values."""
    return np.sqrt(squares / (n - 1)) if n > 1 else np.nan


@inner
def _by_month(calendar: Calendar, value: np.ndarray, monthly: np.ndarray) -> None:
    """Write the return of each month minus the return of bills in this month."""
    for month in range(monthly.shape[1]):
        start, end = calendar.months[month], calendar.months[month + 1]
        bills = calendar.growth[end] / calendar.growth[start]
        for lane in range(len(monthly)):
            monthly[lane, month] = value[end, lane] / value[start, lane] - bills


@inner
def _ratio(numerator: float, denominator: float) -> float:
    """Return a ratio; NaN if the denominator is almost zero, infinite or NaN."""
    if not np.isfinite(denominator) or abs(denominator) < ZERO:
        return np.nan
    return numerator / denominator
