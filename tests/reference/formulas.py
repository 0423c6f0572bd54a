"""Performance metrics by plain loops over floats, written from their definitions.

A function returns None if the metric is not defined.
"""

import math
from collections.abc import Sequence

YEAR = 252
Numbers = Sequence[float]


def mean(xs: Numbers) -> float:
    return math.fsum(xs) / len(xs)


def deviation(xs: Numbers) -> float:
    centre = mean(xs)
    return math.sqrt(math.fsum((x - centre) ** 2 for x in xs) / (len(xs) - 1))


def total_return(returns: Numbers) -> float:
    value = 1.0
    for r in returns:
        value *= 1 + r
    return value - 1


def cagr(returns: Numbers) -> float:
    return float((1 + total_return(returns)) ** (YEAR / len(returns)) - 1)


def volatility(returns: Numbers) -> float:
    return deviation(returns) * math.sqrt(YEAR)


def sharpe(returns: Numbers, bills: Numbers) -> float:
    excess = [r - b for r, b in zip(returns, bills, strict=True)]
    return mean(excess) / deviation(excess) * math.sqrt(YEAR)


def sortino(returns: Numbers, bills: Numbers) -> float:
    excess = [r - b for r, b in zip(returns, bills, strict=True)]
    below = math.sqrt(mean([min(e, 0.0) ** 2 for e in excess]))
    return mean(excess) / below * math.sqrt(YEAR)


def max_drawdown(returns: Numbers) -> float:
    value = peak = 1.0
    deepest = 0.0
    for r in returns:
        value *= 1 + r
        peak = max(peak, value)
        deepest = min(deepest, value / peak - 1)
    return deepest


def calmar(returns: Numbers) -> float:
    return cagr(returns) / abs(max_drawdown(returns))


def var_95(returns: Numbers) -> float:
    ordered = sorted(returns)
    at = 0.05 * (len(ordered) - 1)
    low = math.floor(at)
    return ordered[low] + (at - low) * (ordered[low + 1] - ordered[low])


def cvar_95(returns: Numbers) -> float:
    limit = var_95(returns)
    return mean([r for r in returns if r <= limit])


def beta(returns: Numbers, benchmark: Numbers) -> float:
    mr, mb = mean(returns), mean(benchmark)
    over = math.fsum((r - mr) * (b - mb) for r, b in zip(returns, benchmark, strict=True))
    return over / math.fsum((b - mb) ** 2 for b in benchmark)


def correlation(returns: Numbers, benchmark: Numbers) -> float:
    return beta(returns, benchmark) * deviation(benchmark) / deviation(returns)


def active(returns: Numbers, benchmark: Numbers) -> list[float]:
    return [r - b for r, b in zip(returns, benchmark, strict=True)]


def tracking_error(returns: Numbers, benchmark: Numbers) -> float:
    return volatility(active(returns, benchmark))


def information_ratio(returns: Numbers, benchmark: Numbers) -> float:
    ahead = active(returns, benchmark)
    return mean(ahead) / deviation(ahead) * math.sqrt(YEAR)


def months(returns: Numbers, month: Sequence[str]) -> list[float]:
    """Return the compound return of each month; ``month`` names the month of each return."""
    named = list(zip(month, returns, strict=True))
    return [total_return([r for m, r in named if m == name]) for name in sorted(set(month))]


def capture(returns: Numbers, benchmark: Numbers, sign: int) -> float:
    days = [(r, b) for r, b in zip(returns, benchmark, strict=True) if sign * b > 0]
    return mean([r for r, _ in days]) / mean([b for _, b in days])


def skew(returns: Numbers) -> float:
    """Return the adjusted Fisher–Pearson coefficient."""
    n, centre = len(returns), mean(returns)
    third = math.fsum((r - centre) ** 3 for r in returns) / n
    second = math.fsum((r - centre) ** 2 for r in returns) / n
    return math.sqrt(n * (n - 1)) / (n - 2) * third / (second * math.sqrt(second))


def kurtosis(returns: Numbers) -> float:
    """Return the excess kurtosis, adjusted for the sample's size."""
    n, centre = len(returns), mean(returns)
    fourth = math.fsum((r - centre) ** 4 for r in returns) / n
    second = math.fsum((r - centre) ** 2 for r in returns) / n
    return (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * (fourth / second**2 - 3) + 6)
