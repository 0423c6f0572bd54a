"""Lead and lag: a planted lead is found, and equal leads in both directions cancel."""

import numpy as np
import pandas as pd
import pytest

from backtests.evidence.bootstrap import block_length
from backtests.thesis.claims import CLAIMS
from backtests.thesis.errors import NotTestable
from backtests.thesis.estimators.lead_and_lag import lead_and_lag, lead_draws, pairs_of
from backtests.thesis.inference import drawn_interval
from backtests.thesis.sample import Sample
from backtests.thesis.weeks import weekly
from benchmarks.trial_coverage import covered

CLAIM = next(claim for claim in CLAIMS if claim.estimator == "lead_and_lag")


def weeks(crypto: np.ndarray, spy: np.ndarray) -> pd.DataFrame:
    index = pd.date_range("2015-01-02", periods=len(crypto), freq="W-FRI")
    return pd.DataFrame({"crypto": crypto, "SPY": spy}, index)


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(3).standard_normal((2, 600))


def test_a_lead_without_noise_is_one(noise: np.ndarray) -> None:
    led = weeks(noise[0], np.roll(noise[0], 1))
    drawn = lead_draws(pairs_of(led).to_numpy(), 50)
    assert drawn[0] == pytest.approx(1.0, abs=0.1)
    assert (drawn > 0.7).all()


def test_the_value_is_the_difference_of_two_correlations(noise: np.ndarray) -> None:
    pairs = pairs_of(weeks(noise[0], noise[1] + 0.2 * np.roll(noise[0], 1)))
    crypto, spy, crypto_later, spy_later = pairs.to_numpy().T
    by_hand = np.corrcoef(crypto, spy_later)[0, 1] - np.corrcoef(spy, crypto_later)[0, 1]
    assert lead_draws(pairs.to_numpy(), 1)[0] == pytest.approx(by_hand)


def test_exchanging_the_assets_changes_only_the_sign(noise: np.ndarray) -> None:
    there = pairs_of(weeks(noise[0], noise[1])).to_numpy()
    back = there[:, [1, 0, 3, 2]]
    np.testing.assert_allclose(lead_draws(there, 20), -lead_draws(back, 20), atol=1e-12)


def test_equal_leads_in_both_directions_cancel() -> None:
    rng = np.random.default_rng(5)
    common = rng.standard_normal(602)
    both = [common[1:-1] + common[:-2] + rng.standard_normal(600) for _ in range(2)]
    interval = drawn_interval(lead_draws(pairs_of(weeks(*both)).to_numpy(), 500)[1:])
    assert interval.low < 0 < interval.high


def test_the_block_is_that_of_politis_and_white() -> None:
    """In a test of arch, an AR(1) process of 0.3 has a block of 13.635665. We round it up."""
    shocks = np.random.RandomState(0).standard_normal(10100)
    for at in range(1, 10100):
        shocks[at] += 0.3 * shocks[at - 1]
    assert block_length(shocks[100:]) == 14


def test_the_interval_of_lead_and_lag_contains_the_truth_about_as_often_as_it_says() -> None:
    assert sum(covered(seed, "lead_and_lag") for seed in range(40)) >= 32


def test_a_pair_with_a_missing_return_is_left_out(noise: np.ndarray) -> None:
    holed = weeks(noise[0], noise[1])
    holed.iloc[100, 0] = np.nan
    pairs = pairs_of(holed)
    assert len(pairs) == 600 - 1 - 2
    assert holed.index[99] not in pairs.index
    assert holed.index[100] not in pairs.index


def test_too_few_weeks_cannot_be_tested(noise: np.ndarray) -> None:
    with pytest.raises(NotTestable, match=r"expected at least 104 pairs of weeks .* found 99"):
        pairs_of(weeks(noise[0, :100], noise[1, :100]))


def assert_pairs_blind_to_the_future(returns: pd.DataFrame) -> None:
    """Compare the pairs of a cut history with the pairs of the whole history."""
    whole = pairs_of(returns.apply(weekly))
    for cut in (700, 801, 998):
        part = pairs_of(returns.iloc[:cut].apply(weekly))
        pd.testing.assert_frame_equal(part, whole.loc[: part.index[-1]])


@pytest.fixture
def daily(noise: np.ndarray) -> pd.DataFrame:
    index = pd.bdate_range("2015-01-01", periods=1000)
    return pd.DataFrame(noise.ravel()[:1000, None] / [50, 100], index, ["crypto", "SPY"])


def test_later_sessions_change_no_pair(daily: pd.DataFrame) -> None:
    assert_pairs_blind_to_the_future(daily)


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="the planted cheat is found")
def test_an_incomplete_last_week_is_found(
    daily: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cheat(returns: pd.Series) -> pd.Series:
        return returns.resample("W-FRI").sum()

    monkeypatch.setitem(globals(), "weekly", cheat)
    assert_pairs_blind_to_the_future(daily)


def test_a_history_gives_both_leads(sample: Sample) -> None:
    estimate = lead_and_lag(CLAIM, sample)
    assert estimate.shown is not None
    one = estimate.shown.loc[1]
    assert one["crypto leads"] - one["SPY leads"] == pytest.approx(estimate.value, abs=0.01)
    assert estimate.interval.low < estimate.interval.low90 < estimate.value
    assert estimate.counted == "pairs of weeks"
