"""Nested forecasts use only returns that have ended, and find demand if it has an effect."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.regression.linear_model import OLS

from backtests.evidence.hac import usual_lags
from backtests.thesis.claims import CLAIMS
from backtests.thesis.errors import NotTestable
from backtests.thesis.estimators import ESTIMATORS
from backtests.thesis.estimators.nested_forecast import (
    DELAY,
    FIRST,
    Forecasts,
    clark_west,
    expanding,
    forecasts,
    gain_draws,
    nested_forecast,
)
from backtests.thesis.sample import LAG, Sample
from benchmarks.trial_coverage import covered, demand_forecasts

CLAIM = next(claim for claim in CLAIMS if claim.estimator == "nested_forecast")
ORIGINS = pd.date_range("2005-01-07", periods=500, freq="W-FRI")


def world(seed: int = 0, effect: float = 0.0) -> tuple[pd.Series, pd.DataFrame, pd.DataFrame]:
    """Return 4-week returns, supply, and supply with demand. The last four returns are NaN."""
    rng = np.random.default_rng(seed)
    small = pd.DataFrame({"supply": np.cumsum(rng.standard_normal(len(ORIGINS)))}, ORIGINS)
    large = small.assign(u=rng.random(len(ORIGINS)))
    weekly = pd.Series(rng.standard_normal(len(ORIGINS)), ORIGINS)
    ahead = weekly.rolling(4).sum().shift(-4)
    return ahead + effect * large["u"], small, large


def test_a_forecast_is_that_of_a_regression_on_returns_that_ended() -> None:
    target, _, large = world()
    made = expanding(target, large)
    x = np.column_stack([np.ones(len(large)), large])
    for at in (FIRST + DELAY - 1, 333, 499):
        ended = slice(0, at - DELAY + 1)
        by_hand = OLS(target.to_numpy()[ended], x[ended]).fit().params @ x[at]
        assert made.iloc[at] == pytest.approx(by_hand)
    assert made.iloc[: FIRST + DELAY - 1].isna().all()


def test_a_return_of_four_weeks_that_starts_a_session_late_is_known_after_five_weeks() -> None:
    assert DELAY == 4 + LAG


def test_demand_without_noise_is_found_exactly() -> None:
    _, small, large = world()
    target = 1 + 2 * small["supply"] + 5 * large["u"]
    made = forecasts(target, small, large)
    np.testing.assert_allclose(made.frame["large"], made.frame["return"], rtol=1e-8)
    assert made.losses["small"].mean() > 1
    losses = made.losses.sum()
    assert gain_draws(made, 1)[0] == pytest.approx(100 * losses["small"] / losses["mean"])


def test_the_value_is_the_difference_of_both_out_of_sample_r_squared() -> None:
    made = demand_forecasts(1)
    frame = made.frame
    sse = {
        rule: ((frame["return"] - frame[rule]) ** 2).sum() for rule in ("mean", "small", "large")
    }
    small, large = (1 - sse[rule] / sse["mean"] for rule in ("small", "large"))
    assert gain_draws(made, 1)[0] == pytest.approx(100 * (large - small))


def test_the_test_is_clark_and_wests() -> None:
    made = demand_forecasts(1)
    y, f1, f2 = (made.frame[name].to_numpy() for name in ("return", "small", "large"))
    adjusted = (y - f1) ** 2 - ((y - f2) ** 2 - (f1 - f2) ** 2)
    fit = OLS(adjusted, np.ones(len(y))).fit(
        cov_type="HAC", cov_kwds={"maxlags": usual_lags(len(y)), "use_correction": True}
    )
    _, _, p_value = clark_west(made, 1)
    normal = float(stats.norm.sf(fit.tvalues[0]))
    assert normal < p_value < normal + 0.05  # fixed-b critical values are larger


def test_demand_that_matters_is_found_and_demand_that_does_not_is_not() -> None:
    strong = [clark_west(forecasts(*world(seed, 4.0)), 1)[2] for seed in range(20)]
    nothing = [clark_west(forecasts(*world(seed)), 1)[2] for seed in range(20)]
    assert max(strong) < 0.025
    assert sum(p < 0.025 for p in nothing) <= 2


def test_the_interval_of_nested_forecast_contains_the_truth_less_often_than_it_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The truth is the mean of 1,000 worlds in benchmarks/trial_coverage.py.
    monkeypatch.setattr("benchmarks.trial_coverage.mean_gain", lambda: 4.155)
    assert 28 <= sum(covered(seed, "nested_forecast") for seed in range(40)) <= 40


# Look-ahead


def assert_forecasts_blind_to_the_future() -> None:
    target, _, large = world()
    whole = expanding(target, large)
    for cut in (300, 401, 499):
        ended = target.iloc[:cut].where(np.arange(cut) < cut - DELAY)
        part = expanding(ended, large.iloc[:cut])
        pd.testing.assert_series_equal(part, whole.iloc[:cut], rtol=1e-9)


def test_later_weeks_change_no_forecast() -> None:
    assert_forecasts_blind_to_the_future()


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="the planted cheat is found")
def test_a_forecast_from_returns_that_have_not_ended_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(expanding.__globals__, "DELAY", DELAY - 2)
    assert_forecasts_blind_to_the_future()


# What it refuses


def test_a_short_history_cannot_be_tested() -> None:
    target, small, large = world()
    with pytest.raises(NotTestable, match=r"expected 52 forecasts .* found 36"):
        forecasts(target.iloc[:300], small.iloc[:300], large.iloc[:300])


def test_a_share_that_never_moves_adds_nothing() -> None:
    target, small, _ = world()
    made = forecasts(target, small, small.assign(u=1.0))
    np.testing.assert_allclose(made.frame["large"], made.frame["small"], atol=1e-6)


def test_weeks_without_a_regressor_are_left_out() -> None:
    target, small, large = world()
    holed = large.assign(u=large["u"].where(np.arange(len(large)) != 450))
    assert isinstance(forecasts(target, small, holed), Forecasts)
    assert ORIGINS[450] not in forecasts(target, small, holed).frame.index


# On a history


def test_a_history_gives_the_gain_and_its_course(sample: Sample) -> None:
    estimate = nested_forecast(CLAIM, sample)
    shown = estimate.shown
    assert shown is not None
    last = shown.iloc[-1]
    assert last["supply and demand"] - last["supply alone"] == pytest.approx(estimate.value)
    assert estimate.interval.low < estimate.value < estimate.interval.high
    assert estimate.episodes is None
    assert ESTIMATORS[CLAIM.estimator] is nested_forecast
