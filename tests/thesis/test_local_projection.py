"""Local projections: they find planted responses, as statsmodels does, and never look ahead."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter
from statsmodels.tsa.vector_ar.local_proj import LocalProjections

from backtests.thesis.claim import Claim
from backtests.thesis.claims import CLAIMS
from backtests.thesis.errors import NotTestable
from backtests.thesis.estimators.local_projection import (
    LAGS,
    LONGEST,
    local_projection,
    project,
    regressors,
)
from backtests.thesis.sample import Sample
from backtests.thesis.weeks import week_ends
from benchmarks.trial_coverage import covered
from signals.errors import ConfigError

WEEKS = pd.date_range("2005-01-07", periods=400, freq="W-FRI")
LIFTS, DRAINS = (
    next(claim for claim in CLAIMS if claim.name == name)
    for name in ("capex-lifts-with-slack", "capex-drains-without-slack")
)


def world(seed: int = 0) -> tuple[pd.Series, pd.Series, pd.Series]:
    """Return an impulse, a state and weekly returns, which are independent of each other."""
    rng = np.random.default_rng(seed)
    impulse = lfilter([1.0], [1.0, -0.9], rng.standard_normal(len(WEEKS)))
    state = (np.arange(len(WEEKS)) // 80 % 2).astype(float)
    columns = (impulse, state, rng.standard_normal(len(WEEKS)))
    return tuple(pd.Series(column, WEEKS) for column in columns)  # type: ignore[return-value]


def test_a_response_without_noise_is_found_exactly() -> None:
    impulse, state, _ = world()
    news = (impulse - 0.9 * impulse.shift()) / impulse.expanding(52).std()
    past = (news * np.where(state == 1.0, -2.0, 3.0)).shift().fillna(0.0)
    x = regressors(impulse, state, past)
    assert project(past.shift(-1), x, {"off": 1}, 1).value == pytest.approx(3.0)
    assert project(past.shift(-1), x, {"on": 1, "off": -1}, 1).value == pytest.approx(-5.0)


@pytest.mark.parametrize("horizon", [1, 5, 13])
def test_the_estimate_is_that_of_a_regression_with_statsmodels(horizon: int) -> None:
    impulse, _, past = world()
    y = past + 0.3 * impulse.shift(3, fill_value=0.0)
    x = pd.DataFrame({"off": 1.0, "off impulse": impulse})
    for k in range(1, LAGS + 1):
        x[f"off lag {k}"], x[f"return {k}"] = impulse.shift(k), y.shift(k)
    found = project(y.shift(-horizon), x, {"off": 1}, horizon)
    both = np.column_stack([impulse, y])
    lags = found.fit.lags
    theirs = LocalProjections(both, shock_idx=0, lags=LAGS, horizons=horizon, nw_lags=lags).fit()
    assert found.value == pytest.approx(theirs.irfs[horizon, 1, 0])
    rows = len(WEEKS) - LAGS - horizon
    small_sample = np.sqrt(rows / (rows - x.shape[1]))
    assert found.error == pytest.approx(theirs.stderr[horizon, 1, 0] * small_sample)


def test_the_response_in_13_weeks_is_the_sum_of_weekly_responses() -> None:
    impulse, state, past = world()
    x = regressors(impulse, state, past).iloc[:-13]
    ahead = [past.shift(-k) for k in range(1, 14)]
    each = [project(y.reindex(x.index), x, {"off": 1}, 13).value for y in ahead]
    whole = pd.concat(ahead, axis=1).sum(axis=1, skipna=False).reindex(x.index)
    assert project(whole, x, {"off": 1}, 13).value == pytest.approx(sum(each))


def test_the_interval_counts_the_weeks_of_the_rarer_state() -> None:
    impulse, state, past = world()
    rare = state.where(np.arange(len(state)) < 300, 0.0)
    x = regressors(impulse, rare, past)
    found = project(past.shift(-1), x, {"on": 1, "off": -1}, 1)
    assert found.fit.n == int(rare[x.dropna().index].sum())


@pytest.mark.parametrize("name", ["local_projection off", "local_projection on minus off"])
def test_the_interval_of_local_projection_contains_the_truth_about_as_often_as_it_says(
    name: str,
) -> None:
    assert sum(covered(seed, name) for seed in range(40)) >= 33


# Look-ahead


def assert_regressors_blind_to_the_future(
    design: Callable[[pd.Series, pd.Series, pd.Series], pd.DataFrame],
) -> None:
    data = world()
    whole = design(*data)
    for cut in (60, 150, 399):
        part = design(*(series.iloc[:cut] for series in data))
        pd.testing.assert_frame_equal(part, whole.iloc[:cut])


def test_later_weeks_change_no_regressor() -> None:
    assert_regressors_blind_to_the_future(regressors)


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="the planted cheat is found")
def test_a_deviation_of_the_whole_history_is_found() -> None:
    def cheat(impulse: pd.Series, state: pd.Series, past: pd.Series) -> pd.DataFrame:
        return regressors(impulse, state, past) / impulse.std()

    assert_regressors_blind_to_the_future(cheat)


# What it refuses


def test_a_claim_under_another_name_is_refused(sample: Sample) -> None:
    with pytest.raises(ConfigError, match=r"unknown claim 'mine'.*keep the claim's name"):
        local_projection(replace(LIFTS, name="mine"), sample)


def test_a_state_that_never_was_cannot_be_tested() -> None:
    impulse, state, past = world()
    x = regressors(impulse, 0.0 * state, past)
    assert np.isfinite(project(past.shift(-1), x, {"off": 1}, 1).value)
    with pytest.raises(NotTestable, match=r"expected 52 weeks with dry_powder on .* found 0"):
        project(past.shift(-1), x, {"on": 1, "off": -1}, 1)


def test_an_impulse_that_never_moves_cannot_be_tested() -> None:
    impulse, state, past = world()
    with pytest.raises(NotTestable, match="found 0"):
        project(past.shift(-1), regressors(0.0 * impulse + 20, state, past), {"off": 1}, 1)


# On a history


@pytest.mark.parametrize("claim", [LIFTS, DRAINS])
def test_a_history_gives_the_response_its_path_and_its_companions(
    sample: Sample, claim: Claim
) -> None:
    estimate = local_projection(claim, sample)
    shown = estimate.shown
    assert shown is not None
    assert len(shown) == LONGEST
    assert shown.loc[13, "capex"] == pytest.approx(estimate.value)
    assert shown.loc[13, "capex low"] == pytest.approx(estimate.interval.low)
    assert {"SPY to net liquidity", "crypto to capex"} <= set(estimate.beside)
    assert estimate.episodes == (3 if claim is LIFTS else 2)
    assert 0 < estimate.p_value < 1
    width = estimate.interval.high - estimate.interval.low
    assert estimate.error == pytest.approx(width / 2 / 1.96, rel=1e-3)


def test_weeks_of_a_rare_state_that_the_regression_leaves_out_are_not_counted(
    sample: Sample,
) -> None:
    """Idle capital is depleted in 26 weeks of 2014, and otherwise ample from April 2006."""
    early = Sample.of(sample.history.until("2015-12-31"))
    estimate = local_projection(LIFTS, early, whole=False)
    state = early.flag("dry_powder").reindex(week_ends(early.sessions))
    state = state.loc[estimate.start : estimate.end]
    assert (state == 1.0).sum() == 26
    assert estimate.observations == (state == 0.0).sum()
