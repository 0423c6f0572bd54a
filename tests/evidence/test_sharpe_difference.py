"""The test of two Sharpe ratios, compared with a plain version of Ledoit and Wolf (2008)."""

import math

import numpy as np
import pytest
from arch.bootstrap import optimal_block_length

from backtests.evidence.sharpe_difference import sharpe_difference

YEARLY = math.sqrt(252)


def pair(seed: int, n: int = 400, rho: float = 0.2) -> np.ndarray:
    """Return two correlated, autocorrelated series with fat tails."""
    rng = np.random.default_rng(seed)
    values = np.array(rng.standard_t(5, size=(n, 2))) * 0.01
    values[:, 1] += 0.6 * values[:, 0]
    for t in range(1, n):
        values[t] += rho * values[t - 1]
    values[:, 0] += 0.001
    return values


def naive_hac(both: np.ndarray) -> float:
    """Return the prewhitened Parzen standard error of the difference, session by session."""
    n, both = len(both), both / both.std(axis=0)
    a, b = both.mean(axis=0)
    c, d = (both**2).mean(axis=0)
    slope = np.array(
        [
            c / (c - a * a) ** 1.5,
            -d / (d - b * b) ** 1.5,
            -a / 2 / (c - a * a) ** 1.5,
            b / 2 / (d - b * b) ** 1.5,
        ]
    )
    v = np.array([[x - a, y - b, x * x - c, y * y - d] for x, y in both])
    moments = sum(np.outer(v[t], v[t - 1]) for t in range(1, n))
    fitted = moments @ np.linalg.inv(sum(np.outer(v[t], v[t]) for t in range(n - 1)))
    left, sizes, right = np.linalg.svd(fitted)
    kept = left @ np.diag([min(size, 0.97) for size in sizes]) @ right
    rest = np.array([v[t] - kept @ v[t - 1] for t in range(1, n)])
    back = np.linalg.inv(np.eye(4) - kept)
    return float(np.sqrt(slope @ back @ naive_parzen(rest) @ back.T @ slope / n))


def naive_parzen(rest: np.ndarray) -> np.ndarray:
    n = len(rest)
    above = below = 0.0
    for column in rest.T:
        slope, intercept = np.polyfit(column[:-1], column[1:], 1)
        variance = float(np.mean((column[1:] - slope * column[:-1] - intercept) ** 2))
        above += 4 * slope**2 * variance**2 / (1 - slope) ** 8
        below += variance**2 / (1 - slope) ** 4
    width = 2.6614 * (above / below * n) ** 0.2
    total = np.zeros((4, 4))
    for lag in range(-n + 1, n):
        x = abs(lag) / width
        weight = 1 - 6 * x**2 + 6 * x**3 if x <= 0.5 else 2 * max(0.0, 1 - x) ** 3
        if weight > 0:
            for t in range(max(0, lag), min(n, n + lag)):
                total += weight * np.outer(rest[t], rest[t - lag]) / n
    return total * n / (n - 4)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_hac_error_is_that_of_plain_loops(seed: int) -> None:
    both = pair(seed, 150)
    found = sharpe_difference(both[:, 0], both[:, 1], reps=1)
    assert found is not None
    a, b = (column.mean() / column.std() for column in both.T)
    assert found.estimate == pytest.approx((a - b) * YEARLY)
    assert found.error == pytest.approx(naive_hac(both) * YEARLY)
    z = abs(found.estimate / found.error)
    assert found.p_value_hac == pytest.approx(math.erfc(z / math.sqrt(2)))


def test_the_bootstrap_is_that_of_built_resamples() -> None:
    """Each resample has the same circular blocks as in the published code."""
    both, reps = pair(3, 203), 60
    found = sharpe_difference(both[:, 0], both[:, 1], reps=reps, seed=7)
    assert found is not None
    n, block = len(both), found.block
    starts = np.random.default_rng(7).integers(0, n, (reps, n // block))
    seen = sum(
        studentised(both, row, block, found.estimate / YEARLY) >= abs(found.estimate) / found.error
        for row in starts
    )
    assert found.p_value == (seen + 1) / (reps + 1)


@pytest.mark.parametrize("multiple", [0.05, 0.687, 20.0])
def test_a_constant_multiple_of_a_portfolio_changes_nothing(multiple: float) -> None:
    """The volatility of one series is persistent, so its blocks and its bandwidth are longer."""
    both = pair(4, 600)
    both[:, 1] *= np.tile(np.repeat([0.4, 1.6], 100), 3)
    found = sharpe_difference(both[:, 0], both[:, 1])
    scaled = sharpe_difference(both[:, 0], multiple * both[:, 1])
    assert found is not None
    assert scaled is not None
    assert scaled.error == pytest.approx(found.error)
    assert (scaled.p_value, scaled.block) == (found.p_value, found.block)


def test_the_block_is_archs_for_circular_blocks_of_contributions() -> None:
    both = pair(5, 600, rho=0.6)
    found = sharpe_difference(both[:, 0], both[:, 1])
    assert found is not None
    z = (both - both.mean(axis=0)) / both.std(axis=0)
    sharpes = both.mean(axis=0) / both.std(axis=0)
    first, second = (z - sharpes * (z**2 - 1) / 2).T  # Lo (2002): contributions to Sharpe ratios
    best = optimal_block_length(first - second)
    assert found.block == math.ceil(best["circular"].iloc[0])
    assert found.block > best["stationary"].iloc[0] + 1


def studentised(both: np.ndarray, starts: np.ndarray, block: int, estimate: float) -> float:
    n = len(both)
    drawn = np.array([both[(s + i) % n] for s in starts for i in range(block)])
    (a, b), (c, d) = drawn.mean(axis=0), (drawn**2).mean(axis=0)
    one, two = (c - a * a) ** 1.5, (d - b * b) ** 1.5
    slope = np.array([c / one, -d / two, -a / 2 / one, b / 2 / two])
    y = np.array([[p - a, q - b, p * p - c, q * q - d] for p, q in drawn])
    psi = np.zeros((4, 4))
    for j in range(len(starts)):
        zeta = math.sqrt(block) * y[j * block : (j + 1) * block].mean(axis=0)
        psi += np.outer(zeta, zeta) / len(starts)
    difference = a / math.sqrt(c - a * a) - b / math.sqrt(d - b * b)
    return float(abs(difference - estimate) / math.sqrt(slope @ psi @ slope / n))


def test_equal_sharpe_ratios_are_rarely_told_apart_and_different_ones_often() -> None:
    rng = np.random.default_rng(0)
    fired = {0.0: 0, 0.15: 0}
    for edge in fired:
        for _ in range(120):
            both = rng.standard_t(5, size=(750, 2)) * 0.01
            both[:, 1] += 0.8 * both[:, 0]
            both[:, 0] += edge * 0.01
            found = sharpe_difference(both[:, 0], both[:, 1], reps=199)
            assert found is not None
            fired[edge] += found.p_value <= 0.05
    assert fired[0.0] <= 13  # 5 % of 120 is 6; the standard error is 2.4
    assert fired[0.15] >= 100


def test_portfolios_that_cannot_be_compared_have_no_test() -> None:
    one, two = pair(0).T
    assert sharpe_difference(one, one) is None
    assert [sharpe_difference(one, c * one) for c in (0.3, 0.5, 2.0)] == [None, None, None]
    assert sharpe_difference(one, np.zeros(len(one))) is None
    assert sharpe_difference(one[:49], two[:49]) is None
    assert sharpe_difference(one, np.where(np.arange(len(two)) == 9, np.nan, two)) is None


@pytest.mark.parametrize("difference", [1e-7, 1e-8, 1e-9])
def test_portfolios_that_differ_by_almost_nothing_have_no_test(difference: float) -> None:
    """The variance of such a difference is a rounding error, which can be negative."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        market = rng.normal(0.0005, 0.01, 500)
        almost = 0.7 * market + 0.01 * difference * rng.normal(size=500)
        assert sharpe_difference(almost, market) is None


def test_a_constant_lead_is_tested_although_it_does_not_vary() -> None:
    market = np.random.default_rng(0).normal(0.0005, 0.01, 500)
    found = sharpe_difference(market + 1e-4, market)
    assert found is not None
    assert found.p_value < 0.01


def test_equal_seeds_give_equal_p_values() -> None:
    one, two = pair(0).T
    assert sharpe_difference(one, two, seed=1) == sharpe_difference(one, two, seed=1)
    assert sharpe_difference(one, two, seed=1) != sharpe_difference(one, two, seed=2)


def test_a_portfolio_that_is_almost_always_in_cash_gets_a_p_value_without_a_warning() -> None:
    """Some resamples have no session with a position, so their Sharpe ratio is undefined."""
    rng = np.random.default_rng(0)
    market = rng.normal(0.0005, 0.01, 260)
    timed = np.where(np.arange(260) < 250, 0.0, market + rng.normal(0, 0.005, 260))
    found = sharpe_difference(timed, market)
    assert found is not None
    assert 0.3 < found.p_value < 1
