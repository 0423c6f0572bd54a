"""The order of classes by duration: tau-b with ties, permutation, bootstrap."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

from backtests.thesis.errors import NotTestable
from backtests.thesis.estimators.rank_order import (
    largest_tau,
    largest_tenable,
    order_of,
    permutation_p_value,
    tau,
)
from signals.universe import DURATION
from tests.thesis.worlds import claim, condition, noise

CLAIM = claim("short-duration-first")
SMALLEST = CLAIM.smallest or 0.0
ORDER = -np.array(list(DURATION.values()), dtype=np.float64)


def returns(seed: int, step: float) -> tuple[pd.DataFrame, pd.Series]:
    """Return class returns that fall by ``step`` points a year with each rank, and a condition."""
    on = condition(6, 120)
    frame = {
        name: noise(100 * seed + at) - on * rank * step / 25_200
        for at, (name, rank) in enumerate(DURATION.items())
    }
    return pd.DataFrame(frame), on


@pytest.mark.parametrize("seed", range(5))
def test_tau_equals_scipys(seed: int) -> None:
    means = np.round(np.random.default_rng(seed).normal(size=8), 1)
    assert tau(means[None, :], ORDER)[0] == pytest.approx(kendalltau(means, ORDER).statistic)


def test_the_declared_order_gives_the_largest_tau() -> None:
    means = np.array([8.0, 7, 6, 5, 4, 3, 2, 1])
    assert tau(means[None, :], ORDER)[0] == pytest.approx(largest_tau(ORDER))
    assert largest_tau(ORDER) < 1


def test_the_permutation_counts_every_distinct_order() -> None:
    means = np.array([8.0, 7, 6, 5, 4, 3, 2, 1])
    orders = 40320 / (2 * 6 * 2)  # two, three and two classes are tied
    assert permutation_p_value(means, ORDER, 1) == pytest.approx(1 / orders)
    assert permutation_p_value(-means, ORDER, 1) == 1.0


def test_a_planted_order_is_found() -> None:
    found = order_of(CLAIM, *returns(1, 40.0))
    assert found.value > 0.6
    assert found.interval.low > 0
    assert found.p_value < 0.025
    assert found.episodes == 6


def test_without_an_order_the_claim_is_rarely_found() -> None:
    found = [order_of(CLAIM, *returns(seed, 0.0)).p_value for seed in range(2, 32)]
    assert sum(p < 0.025 for p in found) <= 2
    assert max(found) > 0.5


def test_a_true_order_with_small_steps_is_rarely_contradicted() -> None:
    """Noise hides the order, so the data rarely exclude it.

    The upper end of the 90 % interval is wrong in 5 % of cases.
    """
    found = [order_of(CLAIM, *returns(seed, 5.0)).interval.high90 for seed in range(40, 80)]
    assert sum(high < SMALLEST for high in found) <= 4


def test_a_clear_reverse_order_is_contradicted() -> None:
    found = order_of(CLAIM, *returns(1, -80.0))
    assert found.interval.high90 < SMALLEST
    assert found.interval.high90 <= found.interval.high


def test_a_pair_counts_against_the_order_only_if_its_reverse_is_significant() -> None:
    """There are two classes, so there is one pair.

    The second class is ahead by 1.5 or 3 standard errors.
    """
    order = np.array([1.0, 0.0])
    noisy = np.random.default_rng(0).normal(size=(5000, 1)) @ np.array([[1.0, 0.0]])
    for ahead, bound in ((1.5, 1.0), (3.0, -1.0)):
        true = np.array([[-ahead, 0.0]])
        assert largest_tenable(np.vstack([true, true + noisy]), order, 0.95) == bound


def test_the_power_is_that_of_the_test_of_episodes() -> None:
    found = order_of(CLAIM, *returns(1, 0.0))
    assert (found.df, found.episodes) == (5.0, 6)


def test_too_few_sessions_are_not_testable() -> None:
    frame, on = returns(1, 0.0)
    with pytest.raises(NotTestable, match="expected at least 20 sessions"):
        order_of(CLAIM, frame, on * 0.0)
