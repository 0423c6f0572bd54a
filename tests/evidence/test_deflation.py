"""The test of the best of many trials, compared with published numbers and simulations."""

import math

import numpy as np
import pytest

from backtests.evidence.deflation import (
    deflate,
    deflated_2014,
    expected_maximum,
    variance_of_maximum,
)
from backtests.evidence.track_record import TrackRecord
from signals.errors import DataError

#: The example of Bailey and López de Prado (2014): daily returns, 250 in a year.
DAILY = TrackRecord(n=1250, sharpe=2.5 / math.sqrt(250), skewness=-3.0, kurtosis=10.0)
#: The example of López de Prado, Lipton and Zoonekynd (2026).
MONTHLY = TrackRecord(n=24, sharpe=0.036 / 0.079, skewness=-2.448, kurtosis=10.164)


def test_the_published_numbers_of_2014() -> None:
    hurdle = expected_maximum(100, 0.5 / 250)
    assert round(hurdle, 5) == 0.11317
    assert round(deflated_2014(DAILY, hurdle), 5) == 0.90040
    assert round(deflated_2014(DAILY, expected_maximum(46, 0.5 / 250)), 4) == 0.9505
    normal = TrackRecord(n=1250, sharpe=DAILY.sharpe)
    assert round(deflated_2014(normal, expected_maximum(88, 0.5 / 250)), 4) == 0.9505


def test_the_published_numbers_of_2026() -> None:
    trials = np.sqrt(0.1 * 0.9) * np.array([-1.0, 1.0] * 5)  # 10 trials with a variance of 0.1
    found = deflate(MONTHLY, trials, 10)
    assert found.trials == 10
    assert found.variance == pytest.approx(0.1)
    assert round(found.expected_maximum, 3) == 0.498
    assert round(found.standard_error, 3) == 0.186
    assert round(found.probability, 3) == 0.410


@pytest.mark.parametrize(("trials", "variance"), [(1, 1.0), (2, 1 - 1 / math.pi), (10, 0.34434)])
def test_the_largest_of_many_normal_numbers_varies_less(trials: int, variance: float) -> None:
    assert variance_of_maximum(trials) == pytest.approx(variance, abs=1e-5)


def test_the_hurdle_is_the_sharpe_ratio_at_which_both_tests_pass() -> None:
    trials = np.random.default_rng(0).normal(0.0, 0.02, 50)
    for spread in (0.1, 1.0, 3.0):  # either of the two tests can give the hurdle
        track = TrackRecord(n=2500, sharpe=0.05)
        hurdle = deflate(track, trials * spread, 50).hurdle
        above = deflate(TrackRecord(n=2500, sharpe=hurdle + 1e-9), trials * spread, 50)
        below = deflate(TrackRecord(n=2500, sharpe=hurdle - 1e-9), trials * spread, 50)
        assert above.is_significant
        assert not below.is_significant
        assert min(above.probability, above.of_own_error) == pytest.approx(0.95, abs=1e-6)


def test_one_trial_has_the_hurdle_of_a_plain_test() -> None:
    track = TrackRecord(n=2500, sharpe=0.05)
    alone = deflate(track, np.array([0.05]), 1)
    assert alone.hurdle == pytest.approx(track.critical())
    assert alone.of_own_error == pytest.approx(track.probability())
    assert alone.expected_maximum == 0
    assert np.isnan(alone.probability)


def test_trials_with_almost_equal_sharpe_ratios_do_not_lower_the_hurdle() -> None:
    """Variants of one strategy have similar Sharpe ratios, but their common part can be luck."""
    track = TrackRecord(n=252, sharpe=0.05)
    variants = deflate(track, 0.05 + np.linspace(-1e-4, 1e-4, 20), 2.0)
    assert variants.probability_2014 < 0.9
    assert variants.hurdle > track.critical()
    assert not variants.is_significant


def test_more_trials_raise_the_hurdle() -> None:
    trials = np.random.default_rng(0).normal(0.0, 0.02, 50)
    track = TrackRecord(n=2500, sharpe=0.05)
    hurdles = [deflate(track, trials, k).hurdle for k in (1, 1.2, 2, 10, 100, 100_000)]
    assert hurdles == sorted(hurdles)
    with pytest.raises(DataError, match=r"expected at least 1 effective trial, was 0\.5"):
        deflate(track, trials, 0.5)


def test_a_trial_without_a_sharpe_ratio_is_left_out() -> None:
    track = TrackRecord(n=2500, sharpe=0.05)
    known = deflate(track, np.array([0.05, 0.01]), 2)
    assert deflate(track, np.array([0.05, np.nan, 0.01]), 2) == known
