"""A test of the difference between the Sharpe ratios of two portfolios.

The test allows for fat tails, changing volatility, serial correlation, and correlation between the
two portfolios. The test has two p-values. The first p-value uses a prewhitened HAC standard error
with the Parzen kernel. The published code of Ledoit and Wolf uses the same standard error, but on
unscaled returns. The second p-value comes from a studentised bootstrap with circular blocks of
dates. In small samples, the bootstrap p-value is more reliable than the HAC p-value.

Reference
    Ledoit and Wolf (2008), "Robust performance hypothesis testing with the Sharpe ratio", Journal
    of Empirical Finance 15(5). Kernel and bandwidth: Andrews (1991), Econometrica 59; prewhitening:
    Andrews and Monahan (1992), Econometrica 60. The length of a block follows the rule of Politis
    and White for circular blocks, and is at most a tenth of the sessions. The input of the rule is
    each session's contribution to the difference of the Sharpe ratios. Ledoit and Wolf choose the
    length of a block by a calibration that repeats the test hundreds of times. To save time, the
    test here has no calibration.

    The returns of each portfolio are first divided by their standard deviation. So a positive
    multiple of a portfolio's returns has the same p-values as the portfolio. Ledoit and Wolf do not
    scale the returns, so their bandwidth depends on the volatility of each portfolio.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from backtests.evidence.bootstrap import block_length
from backtests.evidence.metrics import ROOT_YEAR, ROUNDING

#: Prewhitening fits an autoregression. The singular values of its coefficient matrix are limited to
#: this value.
_LARGEST = 0.97
#: A test needs at least this many returns.
FEWEST = 50
#: Each session contributes to the difference of two Sharpe ratios. If the standard deviation of the
#: contributions is smaller than this value, the contributions are rounding errors. For unrelated
#: portfolios, the standard deviation of the contributions is about 1.
_SAME = 1e-6


@dataclass(frozen=True, kw_only=True)
class SharpeDifference:
    """The difference of two Sharpe ratios, and its test.

    Attributes
    ----------
    estimate, error
        Difference of the yearly Sharpe ratios, and its HAC standard error.
    p_value
        Two-sided p-value of the bootstrap.
    p_value_hac
        Two-sided p-value from the HAC standard error.
    block, reps
        Length of a block in sessions, and number of resamples.
    """

    estimate: float
    error: float
    p_value: float
    p_value_hac: float
    block: int
    reps: int


def sharpe_difference(
    first: np.ndarray, second: np.ndarray, *, reps: int = 999, seed: int = 0
) -> SharpeDifference | None:
    """Return the test of the hypothesis that two portfolios have the same Sharpe ratio.

    Parameters
    ----------
    first, second
        Simple daily returns of two portfolios on the same sessions, minus bills, as fractions.
    reps, seed
        Number of resamples, and seed. Equal seeds give equal p-values.

    Returns
    -------
    The test, or None if the test is not possible. The result is None if there are fewer than 50
    returns, if a return is missing, or if the returns of a portfolio do not vary. The result is
    also None if the returns of one portfolio are a positive constant multiple of the returns of the
    other portfolio. The Sharpe ratios of the two portfolios are then equal, so there is nothing to
    test. Deviations from the constant multiple are ignored if they are below about a millionth of
    the standard deviation.
    """
    both = np.column_stack([first, second]).astype(np.float64)
    if not _is_testable(both):
        return None
    both = both / both.std(axis=0)
    n, (moments, deltas) = len(both), _statistic(both)
    estimate = float(deltas)
    centred = np.hstack([both, both**2]) - moments
    slope = _gradient(moments)
    contributions = centred @ slope
    if contributions.std() < _SAME:
        return None
    error = math.sqrt(float(slope @ long_run_covariance(centred) @ slope) / n)
    block = min(block_length(contributions, bootstrap="circular"), n // 10)
    drawn = _studentised(both, estimate, block, reps, seed)
    seen = int((~(drawn < abs(estimate) / error)).sum())  # an undefined draw counts as extreme
    return SharpeDifference(
        estimate=estimate * ROOT_YEAR,
        error=error * ROOT_YEAR,
        p_value=(seen + 1) / (reps + 1),
        p_value_hac=2 * NormalDist().cdf(-abs(estimate) / error),
        block=block,
        reps=reps,
    )


def _is_testable(both: np.ndarray) -> bool:
    if len(both) < FEWEST or not np.isfinite(both).all():
        return False
    return bool(min(both.std(axis=0)) >= ROUNDING)


def _statistic(both: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the means of returns and of squared returns, and the difference of Sharpe ratios."""
    moments = np.hstack([both, both**2]).mean(axis=0)
    return moments, _difference(moments)


def _difference(moments: np.ndarray) -> np.ndarray:
    """Return the difference of the Sharpe ratios per session. The last axis has the moments."""
    a, b, c, d = np.moveaxis(moments, -1, 0)
    difference: np.ndarray = a / np.sqrt(c - a**2) - b / np.sqrt(d - b**2)
    return difference


def _gradient(moments: np.ndarray) -> np.ndarray:
    """Return the gradient of :func:`_difference` along the last axis of ``moments``."""
    a, b, c, d = np.moveaxis(moments, -1, 0)
    one, two = (c - a**2) ** 1.5, (d - b**2) ** 1.5
    return np.stack([c / one, -d / two, -a / (2 * one), b / (2 * two)], axis=-1)


def long_run_covariance(centred: np.ndarray) -> np.ndarray:
    """Return the prewhitened Parzen estimate of the long-run covariance of centred columns."""
    before, after = centred[:-1], centred[1:]
    fitted = np.linalg.lstsq(before, after, rcond=None)[0].T
    left, sizes, right = np.linalg.svd(fitted)
    kept = left @ np.diag(np.minimum(sizes, _LARGEST)) @ right
    inner = _parzen(after - before @ kept.T)
    recoloured = np.linalg.inv(np.eye(len(kept)) - kept)
    covariance: np.ndarray = recoloured @ inner @ recoloured.T
    return covariance


def _parzen(values: np.ndarray) -> np.ndarray:
    """Return the Parzen estimate with Andrews' bandwidth, times n / (n − number of columns)."""
    n, columns = values.shape
    width = min(2.6614 * (_curvature(values) * n) ** 0.2, n - 1)
    total: np.ndarray = values.T @ values / n
    for lag in range(1, math.ceil(width)):
        share = lag / width
        weight = 1 - 6 * share**2 + 6 * share**3 if share <= 0.5 else 2 * (1 - share) ** 3
        between = values[lag:].T @ values[:-lag] / n
        total = total + weight * (between + between.T)
    corrected: np.ndarray = total * n / (n - columns)
    return corrected


def _curvature(values: np.ndarray) -> float:
    """Return Andrews' α(2), computed by a first-order autoregression of each column."""
    above = below = 0.0
    for column in values.T:
        before, after = column[:-1] - column[:-1].mean(), column[1:] - column[1:].mean()
        rho = float(before @ after / (before @ before))
        variance = float(((after - rho * before) ** 2).mean())
        above += 4 * rho**2 * variance**2 / (1 - rho) ** 8
        below += variance**2 / (1 - rho) ** 4
    return above / below


def _studentised(both: np.ndarray, estimate: float, block: int, reps: int, seed: int) -> np.ndarray:
    """Return |difference − estimate| / standard error, for each resample.

    The blocks are circular. The calculation uses only the sums of blocks, so it builds no resampled
    series. The result is NaN or infinite for a resample in which a portfolio holds only cash.
    """
    values = np.hstack([both, both**2])
    running = np.vstack([np.zeros(4), np.vstack([values, values[:block]]).cumsum(axis=0)])
    sums = running[block : block + len(values)] - running[: len(values)]
    number = len(values) // block
    starts = np.random.default_rng(seed).integers(0, len(values), (reps, number))
    drawn = sums[starts]
    moments = drawn.mean(axis=1) / block
    with np.errstate(divide="ignore", invalid="ignore"):
        influence = np.einsum("rjk,rk->rj", drawn - block * moments[:, None], _gradient(moments))
        errors = np.sqrt((influence**2).mean(axis=1) / block / len(values))
        distances: np.ndarray = np.abs(_difference(moments) - estimate) / errors
    return distances
