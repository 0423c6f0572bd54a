"""Rival forecasters are judged on the same weeks and loss, and use only complete returns.

A planted winner is found.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from backtests.history.panel import History
from backtests.thesis import rivals
from backtests.thesis.errors import NotTestable
from backtests.thesis.rivals import (
    CALIBRATION,
    CONSTANT,
    FEWEST_WEEKS,
    GAUGES,
    Rivals,
    compare_rivals,
    confidence_set,
    forecasts,
    judge_forecasts,
    targets,
    trend,
)
from backtests.thesis.sample import Sample
from signals.errors import ConfigError
from signals.regimes import REGIMES, JumpModel
from tests.reference import betting as plain

PRICE_ONLY = {"hidden_markov", "markov_switching", "jump_model"}
ALL = {*GAUGES, "trend", *PRICE_ONLY, CONSTANT}


@pytest.fixture(scope="module")
def history() -> History:
    return History.simulated(6, 8)


@pytest.fixture(scope="module")
def sample(history: History) -> Sample:
    return Sample.of(history)


def cheap(sample: Sample, target: str) -> dict[str, pd.DataFrame]:
    """Return the predictors that are fast to compute. Regime models are left out."""
    return {**rivals.gauge_predictors(sample)[0], "trend": trend(sample, target)}


# --- targets and forecasts ---------------------------------------------------------------------


def test_a_target_is_earned_from_the_close_after_the_origin(sample: Sample) -> None:
    weeks, closes = targets(sample, "SPY"), sample.history.closes["SPY"]
    days, row = list(sample.sessions), 200
    first = days.index(weeks.index[row]) + 1
    last = days.index(weeks.index[row + 1]) + 1
    bills = np.prod(1 + sample.bills.iloc[first + 1 : last + 1])
    earned = closes.iloc[last] / closes.iloc[first] - bills
    assert weeks["return"].iloc[row] == pytest.approx(100 * earned)
    assert weeks["complete"].iloc[row] == last
    assert np.isnan(weeks["return"].iloc[-1])


def test_forecasts_equal_a_loop_over_weeks(sample: Sample) -> None:
    change = sample.gauge("bathtub", "change")
    made, _ = forecasts(sample, "SPY", {"supply alone": change.to_frame()})
    weeks = targets(sample, "SPY")
    rows = list(zip(change.reindex(weeks.index), weeks["return"], weeks["complete"], strict=True))
    origins = dict(zip(weeks.index, weeks["origin"], strict=True))
    for place in range(0, len(made), 25):
        origin = made.index[place]
        points = [(x, y) for x, y, done in rows if done <= origins[origin] and not np.isnan(x)]
        line = plain.line_through(points, float(change[origin]))
        assert made["supply alone"].iloc[place] == pytest.approx(line)
        assert made[CONSTANT].iloc[place] == pytest.approx(np.mean([y for _, y in points]))


def test_the_first_forecast_waits_for_two_years_of_complete_returns(sample: Sample) -> None:
    made, _ = forecasts(sample, "SPY", cheap(sample, "SPY"))
    weeks = targets(sample, "SPY")
    known = pd.concat([f.reindex(weeks.index) for f in cheap(sample, "SPY").values()], axis=1)
    whole = weeks[known.notna().all(axis=1)]
    first = weeks["origin"][made.index[0]]
    assert (whole["complete"] <= first).sum() == FEWEST_WEEKS
    assert set(made) == {"return", *GAUGES, "trend", CONSTANT}


def test_trend_is_the_sign_of_the_past_year_over_bills(sample: Sample) -> None:
    known, at = sample.history.panel["BTC-USD"], 700
    past = known.iloc[at] / known.iloc[at - 252]
    bills = np.prod(1 + sample.bills.iloc[at - 251 : at + 1])
    assert trend(sample, "BTC-USD")["sign"].iloc[at] == np.sign(past - bills)
    assert trend(sample, "BTC-USD")["sign"].iloc[:252].isna().all()


def test_a_predictor_that_never_moves_forecasts_the_mean(sample: Sample) -> None:
    still = pd.DataFrame({"bad": 0.0}, index=sample.sessions)
    made, _ = forecasts(sample, "SPY", {"still": still})
    assert made["still"].to_numpy() == pytest.approx(made[CONSTANT].to_numpy())


def check_truncation(history: History, target: str) -> None:
    """Fail if an earlier forecast depends on later sessions."""
    full = Sample.of(history)
    whole, _ = forecasts(full, target, cheap(full, target))
    for until in ("2022-03-16", "2023-09-29"):
        short = Sample.of(history.until(until))
        cut, _ = forecasts(short, target, cheap(short, target))
        assert len(cut) > 30
        same = whole.iloc[: len(cut)].drop(columns="return")
        pd.testing.assert_frame_equal(cut.drop(columns="return"), same, rtol=1e-9)


@pytest.mark.parametrize("target", rivals.TARGETS)
def test_later_sessions_never_change_an_earlier_forecast(history: History, target: str) -> None:
    check_truncation(history, target)


@pytest.fixture
def foreseeing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every estimate use all returns at once, also those that are not complete yet."""
    honest = rivals.targets

    def at_once(sample: Sample, target: str) -> pd.DataFrame:
        return honest(sample, target).assign(complete=0)

    monkeypatch.setattr(rivals, "targets", at_once)


@pytest.mark.usefixtures("foreseeing")
def test_the_check_catches_an_estimate_from_returns_that_are_not_complete(
    history: History,
) -> None:
    with pytest.raises(AssertionError):
        check_truncation(history, "SPY")


# --- the comparison of losses ------------------------------------------------------------------


def made_up(weeks: int, skill: dict[str, float], seed: int = 0) -> pd.DataFrame:
    """Return a table of weekly returns and their forecasts.

    Each forecaster knows a share of the returns. One forecast is constant.
    """
    rng = np.random.default_rng(seed)
    index = pd.date_range("2015-01-02", periods=weeks, freq="W-FRI")
    known = rng.standard_normal(weeks)
    columns = {name: share * known for name, share in skill.items()}
    noisy = {n: x + 0.1 * rng.standard_normal(weeks) for n, x in columns.items()}
    realised = known + rng.standard_normal(weeks)
    return pd.DataFrame({"return": realised, **noisy, CONSTANT: 0.0}, index=index)


def test_a_planted_forecaster_is_found() -> None:
    table = judge_forecasts(made_up(400, {"good": 0.8, "none": 0.0}))
    assert table["in_set"].to_dict() == {"good": True, "none": False, CONSTANT: False}
    assert table["r2"]["good"] > 20
    assert table["e_value"]["good"] > 20 > table["e_value"]["none"]
    assert (table["r2"][CONSTANT], table["e_value"][CONSTANT]) == (0.0, 1.0)
    assert (table["weeks"] == 400).all()


def test_equal_forecasters_are_all_kept_in_nine_of_ten_samples(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rivals, "RESAMPLES", 200)
    rng = np.random.default_rng(0)
    samples = [pd.DataFrame(rng.standard_normal((300, 5)) ** 2) for _ in range(50)]
    kept = [(confidence_set(losses.rename(columns=str)) > 0.1).all() for losses in samples]
    assert np.mean(kept) >= 0.84


def test_forecasters_with_the_same_losses_have_the_same_p_value() -> None:
    good = np.random.default_rng(0).standard_normal(300) ** 2
    losses = pd.DataFrame({"a": good, "b": good + 1e-13, "c": good + 1.0 + 0.1 * good})
    p_values = confidence_set(losses)
    assert p_values["a"] == p_values["b"] == 1.0
    assert p_values["c"] < 0.1
    assert confidence_set(losses[["a", "b"]]).to_list() == [1.0, 1.0]


def test_the_e_value_equals_a_loop_over_weeks() -> None:
    made = made_up(200, {"good": 0.3})
    found = judge_forecasts(made).loc["good", "e_value"]
    better = [
        (row["return"] - row[CONSTANT]) ** 2 - (row["return"] - row["good"]) ** 2
        for _, row in made.iterrows()
    ]
    limit = 3 * np.std(better[:CALIBRATION], ddof=1)
    units = [min(max(b / limit, -1), 1) / 2 for b in better[CALIBRATION:]]
    assert found == pytest.approx(plain.outperformance(units)[-1], rel=1e-9)


def test_too_few_forecasts_are_not_judged() -> None:
    with pytest.raises(NotTestable, match="expected more than 52 complete forecasts"):
        judge_forecasts(made_up(CALIBRATION, {"good": 0.8}))


# --- the whole comparison ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def compared(sample: Sample) -> Rivals:
    return compare_rivals(sample)


def test_every_rival_forecasts_the_same_weeks_of_both_targets(compared: Rivals) -> None:
    for target in rivals.TARGETS:
        rows = compared.table.loc[target]
        assert set(rows.index) == ALL
        assert rows["weeks"].nunique() == rows["start"].nunique() == 1
        assert rows["in_set"].any()
        assert ((rows["mcs_p"] > 0.1) == rows["in_set"]).all()
    assert compared.notes == ()


def test_the_same_forecasts_are_always_judged_alike() -> None:
    made = made_up(300, {"good": 0.3, "none": 0.0})
    pd.testing.assert_frame_equal(judge_forecasts(made), judge_forecasts(made))


def only(monkeypatch: pytest.MonkeyPatch, *kept: str) -> None:
    """Take the price-only regime models out of the comparison, except some."""
    models = {name: m for name, m in REGIMES.items() if name not in PRICE_ONLY or name in kept}
    monkeypatch.setattr("backtests.thesis.rivals.REGIMES", models)


def test_a_rival_without_data_is_left_out_with_a_note(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> None:
        raise ConfigError("jump_model needs jumpmodels")

    monkeypatch.setattr(JumpModel, "classify", missing)
    only(monkeypatch, "jump_model")
    panel = history.panel.assign(DGS2=np.nan)
    closes = history.closes.drop(columns="BTC-USD")
    found = compare_rivals(Sample.of(replace(history, panel=panel, closes=closes)))
    assert set(found.table.index) == {
        ("SPY", name) for name in ("thesis", "supply alone", "trend", CONSTANT)
    }
    assert [note.split(":")[0] for note in found.notes] == [
        "policy path is left out",
        "jump_model is left out",
        "BTC-USD is left out",
    ]


def test_a_short_history_is_not_testable(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch)
    with pytest.raises(NotTestable, match="no return can be forecast"):
        compare_rivals(Sample.of(History.simulated(0, 2)))


def test_the_confidence_set_of_90_percent_leaves_out_a_p_value_of_7_percent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    p_values = pd.Series({"good": 0.12, "weak": 0.07, CONSTANT: 1.0})
    monkeypatch.setattr("backtests.thesis.rivals.confidence_set", lambda losses: p_values)
    noise = np.random.default_rng(0).normal(size=(200, 3))
    index = pd.date_range("2010-01-01", periods=200, freq="W-FRI")
    made = pd.DataFrame(noise, index=index, columns=list(p_values.index)).assign(**{"return": 0.0})
    table = judge_forecasts(made)
    assert table["in_set"].to_dict() == {"good": True, "weak": False, CONSTANT: True}
