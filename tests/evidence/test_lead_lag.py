"""Lead and lag: real timing fades, and look-ahead collapses. Also the split of mean returns."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from backtests import pipeline
from backtests.config_data import config_from
from backtests.evidence import lead_lag as lead_lag_module
from backtests.evidence.assessment import assess
from backtests.evidence.lead_lag import (
    LAGS,
    LeadLag,
    decided_earlier,
    fading_said,
    lead_lag,
    mean_weights_returns,
)
from backtests.evidence.metrics import information_ratio
from backtests.evidence.timing_split import timing_split
from backtests.history.panel import History
from backtests.report.tearsheet_numbers import metrics_of
from backtests.runs import Run

pytestmark = pytest.mark.usefixtures("evaluated_before")

TERMS = {"start": "2021-01-04", "source": "simulated"}


@pytest.fixture(scope="module")
def history() -> History:
    return History.simulated(seed=0, years=6)


def run_of(history: History, strategy: str, **more: object) -> Run:
    return pipeline.run(config_from({**TERMS, "strategy": strategy, **more}), history)


@pytest.fixture(scope="module")
def tilt(history: History) -> Run:
    return run_of(history, "near-cash-flow")


@pytest.fixture(scope="module")
def short_side(history: History) -> Run:
    return run_of(history, "memory-over-crypto")


def foreseeing(history: History, sessions: int) -> Run:
    """Return a run with look-ahead: it holds SPY if SPY rises ``sessions`` after the decision."""
    run = run_of(history, "spy")
    rise = history.closes["SPY"].pct_change(fill_method=None).shift(-sessions) > 0
    decided = rise.astype(float).to_frame("SPY").loc[run.sessions]
    result = pipeline.trade(run.config, run.strategy, history, decided, run.sessions)
    return replace(run, decided=decided, result=result)


def found_in(run: Run) -> LeadLag:
    found = lead_lag(run)
    assert found is not None
    return found


# --- Lead and lag ------------------------------------------------------------------------------


def test_a_rule_that_knows_tomorrow_collapses_when_filled_after_today(history: History) -> None:
    """A fill at the close of the decision earns the return that was foreseen.

    Later fills do not.
    """
    found = found_in(foreseeing(history, 1))
    assert found.ratios[0] > 8
    assert abs(found.ratios[1]) < 2
    assert found.collapse == 0
    assert found.lost[0] > 10
    assert "Check the strategy for look-ahead." in fading_said(found)


def test_a_rule_that_gains_from_the_future_at_its_own_lag_collapses_after_it(
    history: History,
) -> None:
    found = found_in(foreseeing(history, 2))
    assert found.ratios[1] > 8
    assert abs(found.ratios[2]) < 2
    assert found.collapse == 1
    assert "if the lag from decision to fill grows from 1 to 2 sessions" in fading_said(found)


def test_a_run_without_an_order_has_no_information_ratio() -> None:
    """A strategy may act for the first time at the last session, so that no order is filled."""
    nothing = dict.fromkeys(range(1, 11), math.nan)
    found = LeadLag(lag=1, ratios=nothing, error=0.4, lost={}, collapse=None)
    assert fading_said(found) == (
        "Lead and lag: at the run's lag, the returns equal the returns of the mean weights, so "
        "there is no information ratio."
    )
    some = replace(found, ratios=nothing | {1: -0.001})
    assert (
        "the information ratio over the mean weights is 0.00 (standard error 0.40)"
        in fading_said(some)
    )
    assert "At a lag of 10 sessions, the ratio is undefined." in fading_said(some)


def test_a_real_strategy_fades(tilt: Run, short_side: Run) -> None:
    for run in (tilt, short_side):
        found = found_in(run)
        assert found.collapse is None
        assert list(found.ratios) == list(range(-5, 11))
        assert max(abs(np.diff(list(found.ratios.values())))) < 0.8
        assert "the information ratio does not collapse" in fading_said(found)
        years = (len(run.result.returns) - 10) / 252
        assert found.error == pytest.approx(1 / math.sqrt(years))


@pytest.mark.parametrize(("lag", "measured"), [(9, 10), (10, 11), (15, 16)])
def test_a_long_lag_is_measured_too_and_one_session_more(
    history: History, lag: int, measured: int
) -> None:
    found = found_in(run_of(history, "near-cash-flow", lag=lag))
    assert lag in found.ratios
    assert max(found.ratios) == measured
    assert f"At a lag of {measured} sessions" in fading_said(found)


def test_each_ratio_is_that_of_a_plain_simulation(tilt: Run) -> None:
    found, mean = found_in(tilt), mean_weights_returns(tilt)
    for lag in (1, 3, 10):
        config = tilt.config.model_copy(update={"lag": lag})
        again = pipeline.trade(config, tilt.strategy, tilt.history, tilt.decided, tilt.sessions)
        active = (again.returns - mean).iloc[10:]
        expected = float(active.mean() / active.std() * math.sqrt(252))
        assert found.ratios[lag] == pytest.approx(expected, rel=1e-6)


def test_an_early_fill_trades_a_decision_of_the_future(tilt: Run) -> None:
    """A fill 3 sessions early equals a decision 4 sessions earlier with a lag of one session."""
    sessions = tilt.sessions
    places = [sessions.get_loc(day) for day in tilt.decided.index]
    moved: dict[pd.Timestamp, pd.Series] = {}
    for place, (_, row) in zip(places, tilt.decided.iterrows(), strict=True):
        assert isinstance(place, int)
        moved[sessions[max(place - 4, 0)]] = row
    expected = pd.DataFrame(moved).T
    got = decided_earlier(tilt.decided, sessions, 4)
    assert got.to_numpy() == pytest.approx(expected.to_numpy(dtype=float))
    assert list(got.index) == list(expected.index)
    case = pipeline.trade(tilt.config, tilt.strategy, tilt.history, got, sessions)
    active = (case.returns - mean_weights_returns(tilt)).iloc[10:]
    ratio = float(active.mean() / active.std() * math.sqrt(252))
    assert found_in(tilt).ratios[-3] == pytest.approx(ratio, rel=1e-6)


def test_the_mean_weights_earn_what_constant_weights_earn(short_side: Run) -> None:
    run, expected = short_side, []
    held = run.result.weights
    closes = run.history.closes.loc[run.sessions, list(held)]
    priced = {a: [t for t in range(1, len(held)) if closes[a].iloc[:t].notna().any()] for a in held}
    mean = {a: sum(held[a].iloc[t - 1] for t in ts) / len(ts) for a, ts in priced.items() if ts}
    for t in range(1, 200):
        earned = bill = float(run.bills.iloc[t - 1])
        for asset, weight in mean.items():
            if t in priced[asset]:
                growth = closes[asset].iloc[t] / closes[asset].iloc[t - 1] - 1
                earned += weight * (growth - bill)
        expected.append(earned)
    assert mean_weights_returns(run).iloc[:199].to_numpy() == pytest.approx(expected, abs=1e-12)


def test_constant_weights_and_short_runs_have_no_lead_and_lag(history: History) -> None:
    assert lead_lag(run_of(history, "sixty-forty")) is None
    assert lead_lag(run_of(history, "bills")) is None
    late = str(history.panel.index[-200].date())
    assert lead_lag(run_of(history, "near-cash-flow", start=late)) is None


def test_an_active_return_without_variation_has_no_ratio() -> None:
    assert math.isnan(information_ratio(pd.Series(np.zeros(300))))


@pytest.mark.parametrize("at", [0, -1])
@pytest.mark.parametrize("n", [1000, 2519])
def test_a_return_lost_on_a_single_session_at_an_end_has_no_t_statistic(n: int, at: int) -> None:
    """With one change of weights, at an end of the run, a delay of a session costs one return."""
    lost = np.zeros(n)
    lost[at] = 0.001
    assert math.isnan(lead_lag_module._lost(pd.Series(lost)))


# --- Tilt and timing ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tilt", "short_side"])
def test_the_parts_add_up_to_the_mean_return(name: str, request: pytest.FixtureRequest) -> None:
    run: Run = request.getfixturevalue(name)
    split = timing_split(run)
    assert split.total == pytest.approx(252 * run.result.returns.mean(), abs=1e-12)
    parts = (split.bills, split.tilt, split.timing, split.trading, split.borrowing)
    assert sum(parts) == pytest.approx(split.total, abs=1e-12)
    assert split.trading < 0
    assert (split.borrowing < 0) == (name == "short_side")


def test_tilt_and_timing_of_each_asset_equal_plain_loops(short_side: Run) -> None:
    run = short_side
    split = timing_split(run)
    n = len(run.result.returns)
    for asset in map(str, run.result.weights):
        closes = run.history.closes.loc[run.sessions, asset]
        pairs = []
        for t in range(1 + run.config.lag, n + 1):  # nothing is held before the first fill
            known = closes.iloc[: t + 1].ffill()
            if not math.isnan(known.iloc[-2]):
                excess = known.iloc[-1] / known.iloc[-2] - 1 - run.bills.iloc[t - 1]
                pairs.append((run.result.weights[asset].iloc[t - 1], excess))
        weight = sum(w for w, _ in pairs) / len(pairs)
        mean = sum(x for _, x in pairs) / len(pairs)
        covariance = sum((w - weight) * (x - mean) for w, x in pairs)
        row = split.by_asset.loc[asset]
        assert row["weight"] == pytest.approx(weight)
        assert row["tilt"] == pytest.approx(252 * weight * mean * len(pairs) / n)
        assert row["timing"] == pytest.approx(252 * covariance / n, abs=1e-12)
    assert split.tilt == pytest.approx(split.by_asset["tilt"].sum())
    assert split.timing == pytest.approx(split.by_asset["timing"].sum())


def test_foresight_is_timing_and_constant_weights_are_tilt(history: History) -> None:
    seer, mix = timing_split(foreseeing(history, 2)), timing_split(run_of(history, "spy"))
    assert seer.timing > 0.5
    assert abs(mix.timing) < 1e-9, "the cash before the first fill is no timing"
    assert mix.tilt == pytest.approx(mix.total - mix.bills, abs=0.005)


def test_a_constant_weight_of_an_asset_listed_late_is_no_timing(history: History) -> None:
    run = run_of(history, "spy")
    closes = history.closes.copy()
    closes.loc[run.sessions[:300], "SPY"] = np.nan  # the first return is at session 301
    weights = pd.DataFrame({"SPY": 0.5}, index=run.sessions)
    weights.iloc[:300] = 0.0
    late = replace(
        run,
        history=replace(history, closes=closes),
        result=replace(run.result, weights=weights, owed=0 * weights),
    )
    row = timing_split(late).by_asset.loc["SPY"]
    excess = (closes["SPY"].pct_change(fill_method=None) - run.bills).loc[run.sessions[301] :]
    assert row["weight"] == 0.5
    assert row["timing"] == pytest.approx(0, abs=1e-12)
    assert row["tilt"] == pytest.approx(252 * 0.5 * excess.sum() / len(run.bills))


def test_bills_alone_have_neither_tilt_nor_timing(history: History) -> None:
    split = timing_split(run_of(history, "bills"))
    assert (split.tilt, split.timing, split.trading, split.borrowing) == (0, 0, 0, 0)
    assert split.total == pytest.approx(split.bills)


# --- A cut run ---------------------------------------------------------------------------------


def test_a_cut_run_uses_only_the_cut_data(history: History) -> None:
    """Later prices do not change luck, lead and lag, and timing of a run that ends at a date."""
    end = history.panel.index[-300]
    closes = history.closes.copy()
    closes.loc[closes.index > end] *= 2.0
    other = replace(history, closes=closes)
    figures = []
    for each in (history, other):
        run = run_of(each, "near-cash-flow", start="2020-01-02", end=str(end.date()))
        numbers = metrics_of(assess(run))
        figures.append({key: numbers[key] for key in ("luck", "lead_lag", "timing")})
    assert figures[0] == figures[1]
    assert figures[0]["luck"]["own_mix"] is not None
    assert len(figures[0]["lead_lag"]["information_ratios"]) == len(LAGS)
