"""Tests of luck for one strategy and for a table, and the sentences about the results."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from backtests.evidence.effective_trials import effective_trials
from backtests.evidence.luck import Logged, Luck, luck, verdict
from backtests.evidence.overfitting import block_moments, overfitting
from backtests.evidence.table_luck import SPY, table_luck, table_verdict
from backtests.evidence.track_record import TrackRecord

YEARLY = math.sqrt(252)


def returns(sharpe: float, n: int = 2520, seed: int = 0) -> np.ndarray:
    """Return daily returns over bills with exactly the given yearly Sharpe ratio."""
    noise = np.random.default_rng(seed).normal(size=n)
    made: np.ndarray = 0.01 * ((noise - noise.mean()) / noise.std(ddof=1) + sharpe / YEARLY)
    return made


def logged(sharpes: Sequence[float] | np.ndarray, effective: float | None = None) -> Logged:
    """Return a log of trials. By default, all of them are independent."""
    values = np.asarray(sharpes, dtype=np.float64)
    count = float(np.isfinite(values).sum()) if effective is None else effective
    return Logged(sharpes=values, effective=count)


# --- One strategy ------------------------------------------------------------------------------


def test_figures_are_those_of_the_track_record() -> None:
    excess = returns(0.8)
    found, track = luck(excess), TrackRecord.from_returns(excess)
    assert found.sharpe == pytest.approx(0.8)
    assert found.error == pytest.approx(track.standard_error() * YEARLY)
    assert found.probability == track.probability()
    assert found.minimum_length == track.minimum_length()
    assert found.power == track.power(0.5 / YEARLY)
    assert found.planned_false == track.planned_false_discovery(0.5 / YEARLY, 0.1)
    assert found.observed_false == track.observed_false_discovery(0.5 / YEARLY, 0.1)
    assert found.hurdle == pytest.approx(track.critical() * YEARLY)
    assert found.difference is None


def test_logged_trials_raise_the_hurdle_and_are_counted() -> None:
    excess, sharpes = returns(0.8), np.random.default_rng(1).normal(0.0, 0.3, 500)
    alone, after = luck(excess), luck(excess, log=logged([*sharpes, math.nan]))
    alike = luck(excess, log=logged(sharpes, 3.0))
    assert alone.is_significant
    assert not after.is_significant
    assert (after.logged_trials, after.deflation.trials, after.deflation.effective) == (
        500,
        501,
        501,
    )
    assert (alike.deflation.trials, alike.deflation.effective) == (501, 4)
    assert alone.hurdle < alike.hurdle < after.hurdle


def test_the_trials_of_the_command_are_counted_with_the_log() -> None:
    found = luck(returns(0.8), trials=[0.8, 0.3, -0.1], effective=2.5, log=logged([1.2, -0.6]))
    assert (found.deflation.trials, found.deflation.effective) == (5, 4.5)
    expected = np.var(np.array([0.8, 0.3, -0.1, 1.2, -0.6]) / YEARLY, ddof=1)
    assert found.deflation.variance == pytest.approx(expected)


@pytest.mark.parametrize("effective", [1.0, 5.0, 20.0])
def test_a_log_of_many_similar_trials_does_not_lower_the_hurdle(effective: float) -> None:
    rows, similar = np.linspace(-0.2, 1.3, 20), np.linspace(0.65, 0.75, 10_000)
    plain = luck(returns(0.9), trials=rows, effective=8)
    later = luck(returns(0.9), trials=rows, effective=8, log=logged(similar, effective))
    assert later.deflation.variance == pytest.approx(np.var(rows / YEARLY, ddof=1))
    assert later.hurdle > plain.hurdle


def test_a_log_that_includes_the_trials_of_the_command_counts_them_once() -> None:
    excess, sharpes = returns(0.8), np.array([0.4, 0.6, 0.9])
    log = Logged(sharpes=sharpes, effective=2.0, includes_own=True)
    assert luck(excess, log=log).deflation.effective == 2.0
    assert luck(excess, log=replace(log, includes_own=False)).deflation.effective == 3.0
    assert luck(excess, trials=[0.8, 0.1, 0.2], log=log).deflation.effective == 3.0


def test_the_own_mix_is_tested() -> None:
    excess = returns(1.5)
    found = luck(excess, mix=returns(0.0, seed=1)).difference
    assert found is not None
    assert found.estimate == pytest.approx(1.5, abs=0.01)
    assert luck(excess, mix=excess).difference is None


def test_less_than_a_year_is_not_tested_against_the_own_mix() -> None:
    """A page of such a run says that it shows no yearly figures."""
    assert luck(returns(2.0, n=105), mix=returns(0.5, n=105, seed=1)).difference is None
    assert luck(returns(2.0, n=252), mix=returns(0.5, n=252, seed=1)).difference is not None


@pytest.mark.parametrize(
    ("excess", "why"),
    [
        (returns(1.0, 246), "cover less than a year"),
        (np.zeros(2520), "do not vary"),
        (np.full(500, 1e-5), "do not vary"),
    ],
)
def test_a_short_or_constant_record_has_no_verdict(excess: np.ndarray, why: str) -> None:
    found = luck(excess)
    assert np.isnan([found.sharpe, found.hurdle, found.probability, found.power]).all()
    assert not found.is_significant
    assert verdict(found) == f"No verdict on luck: the returns over bills {why}."


# --- The sentences -----------------------------------------------------------------------------


def test_the_verdict_names_hurdle_and_trials() -> None:
    assert verdict(luck(returns(0.8))) == (
        "Unlikely to be luck: the Sharpe ratio of 0.80 reaches the hurdle of 0.52. Without skill, "
        "a single trial (no log of earlier trials) would reach this hurdle in 5 of 100 cases."
    )
    said = verdict(luck(returns(0.8), trials=[0.8, 0.1, -0.2, 0.4], effective=2.0))
    assert said.startswith("May be luck: the Sharpe ratio of 0.80 is below the hurdle of ")
    assert "the best of 4 trials (2.0 independent, no log of earlier trials) would reach" in said
    said = verdict(luck(returns(0.8), log=logged([0.1] * 1234)))
    assert "the best of 1,235 trials (1235.0 independent, 1,234 of them logged)" in said


@pytest.mark.parametrize(
    ("estimate", "p_value", "said"),
    [
        (0.4, 0.04, "lead in Sharpe ratio is significant (p 0.04)."),
        (0.4, 0.30, "lead in Sharpe ratio is not significant (p 0.30)."),
        (-0.4, 0.04, "shortfall in Sharpe ratio is significant (p 0.04)."),
    ],
)
def test_the_verdict_says_how_the_own_mix_differs_from_the_benchmark(
    estimate: float, p_value: float, said: str
) -> None:
    found: Luck = luck(returns(0.8), mix=returns(0.3, seed=4))
    assert found.difference is not None
    changed = replace(found.difference, estimate=estimate, p_value=p_value)
    assert verdict(replace(found, difference=changed)).endswith(
        " Against its own mix, which holds SPY and bills at the same mean exposure, the strategy's "
        f"{said}"
    )


# --- A table -----------------------------------------------------------------------------------


SHARPES = {"tilt": 0.9, "twin": 0.9, "trend": 0.4, "other": 0.2}
TABLE = pd.DataFrame(
    {name: returns(sharpe, seed=5 * (name == "trend")) for name, sharpe in SHARPES.items()}
).assign(bills=0.0)
BENCHMARK = pd.Series(returns(0.5, seed=9))


def test_each_row_is_tested_against_the_best_of_all_rows() -> None:
    found = table_luck(TABLE, {"tilt": TABLE["trend"]}, ["trend", "other"], BENCHMARK)
    assert found.effective == pytest.approx(effective_trials(TABLE.to_numpy().T))
    assert 1.7 < found.effective < 2.4  # three rows have the same noise
    for name, each in found.rows.items():
        assert each.deflation.trials == 4  # bills have no Sharpe ratio
        assert each.deflation.effective == found.effective
        assert (each.difference is not None) == (name == "tilt")
    assert found.rows["tilt"].sharpe == pytest.approx(0.9)
    assert np.isnan(found.rows["bills"].sharpe)
    assert found.overfitting is not None
    rated = TABLE.drop(columns="bills")
    expected = overfitting(block_moments(rated.to_numpy().T)).probability
    assert found.overfitting.probability == expected
    assert found.confidence["twin"] == found.confidence["tilt"] == 1


def test_the_benchmark_is_the_best_challenger_or_spy() -> None:
    best = table_luck(TABLE, {}, ["other", "trend"], BENCHMARK).superiority
    none = table_luck(TABLE, {}, [], BENCHMARK).superiority
    assert best is not None
    assert none is not None
    assert (best.benchmark, none.benchmark) == ("trend", SPY)


def test_a_log_raises_the_hurdle_of_every_row() -> None:
    plain = table_luck(TABLE, {}, [], BENCHMARK)
    later = table_luck(TABLE, {}, [], BENCHMARK, log=logged([0.1, -0.2, 0.6]))
    for name in SHARPES:
        assert later.rows[name].deflation.trials == 7
        assert later.rows[name].hurdle > plain.rows[name].hurdle


def test_a_short_table_or_a_single_row_is_not_tested() -> None:
    for table in (TABLE.iloc[:246], TABLE[["tilt"]]):
        found = table_luck(table, {}, ["trend"][: len(table) % 2], BENCHMARK)
        assert (found.overfitting, found.superiority, found.confidence) == (None, None, {})
        assert table_verdict(found) == ""


@pytest.mark.parametrize("others", [["tilt"], []])
def test_rows_without_a_sharpe_ratio_are_no_choice(others: list[str]) -> None:
    """There is no best row to choose, because bills have no Sharpe ratio."""
    table = TABLE[["bills", *others]].assign(cash=0.0)
    found = table_luck(table, {}, [], BENCHMARK)
    assert (found.overfitting, found.confidence) == (None, {})
    said = table_verdict(found)
    assert "one half" not in said
    assert "Model Confidence Set" not in said


def test_the_verdict_on_a_table_names_the_tests() -> None:
    found = table_luck(TABLE, {}, ["trend"], BENCHMARK)
    assert found.overfitting is not None
    assert found.superiority is not None
    said = table_verdict(found)
    assert f"In {100 * found.overfitting.probability:.0f} % of the splits" in said
    p = f"{found.superiority.p_value:.2f}"
    assert f"the test of superior ability against trend gives p {p} (SPA)." in said
    assert "At the 5 % level, no row is better than trend (StepM)." in said
    assert "of 4 rows cannot be distinguished from the best row" in said
