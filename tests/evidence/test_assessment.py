"""Assessing a run: its simulated cases, files written without new computations, equal numbers."""

import os
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtests import pipeline
from backtests.config_data import config_from
from backtests.engine.costs import Costs
from backtests.engine.kernel import simulate_curves
from backtests.evidence.assessment import Assessment, assess
from backtests.evidence.k_choice import KS, by_k
from backtests.evidence.lead_lag import LAGS as FILLS
from backtests.evidence.metrics import headline
from backtests.evidence.robustness import COSTS, LAGS, OFFSETS, by_choice
from backtests.evidence.variation import varied
from backtests.evidence.workers import workers_of
from backtests.history.panel import History
from backtests.report.folder import write_run
from backtests.report.tearsheet_numbers import LEFT_OUT, metrics_of, notes_of
from backtests.runs import Run
from signals import Signal
from signals.errors import SimulationError

TERMS = {"strategy": "cash-heavy", "start": "2022-06-01", "source": "simulated"}
FIGURES = ["total_return", "cagr", "sharpe", "max_drawdown", "exposure"]


@pytest.fixture(scope="module")
def short() -> History:
    return History.simulated(seed=0, years=6)


@pytest.fixture(scope="module")
def finished(short: History) -> Run:
    return pipeline.run(config_from(TERMS), short)


@pytest.fixture(scope="module")
def assessed(finished: Run) -> Assessment:
    return assess(finished)


Simulated = list[tuple[int, Costs, pd.DataFrame]]


def simulated(monkeypatch: pytest.MonkeyPatch, action: Callable[[], Any]) -> Simulated:
    """Return lag, costs and weights of every simulation that ``action`` starts.

    All simulations must be compiled. A simulation in vectorbt is an error.
    """
    seen: Simulated = []

    def counted(**case: Any) -> Any:
        seen.append((case["lag"], case["costs"], case["weights"]))
        return simulate_curves(**case)

    def refuse(**case: Any) -> Any:
        raise AssertionError("simulated in vectorbt")

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "simulate", refuse)
        patch.setattr(pipeline, "simulate_curves", counted)
        action()
    return seen


def equals(run: Run, case: tuple[int, Costs, pd.DataFrame]) -> bool:
    """Return whether a simulated case has the lag, costs and weights of the run."""
    lag, costs, decided = case
    return (lag, costs) == (run.config.lag, run.config.costs) and decided.equals(run.decided)


# --- Cases that equal the run ----------------------------------------------------------------


def test_a_case_that_equals_the_run_is_simulated_once_in_each_table_to_check_the_kernel(
    finished: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = simulated(monkeypatch, lambda: assess(finished))
    others = [case for case in seen if not equals(finished, case)]
    assert len(seen) - len(others) == 5  # three tables, the constant mix, lead and lag
    cases = len(LAGS) + len(COSTS) + len(OFFSETS) + len(KS) + len(finished.strategy.assets)
    fills = len(FILLS) - 1
    assert fills < len(others) <= cases - 4 + fills + 1


def test_a_run_with_a_lag_of_its_own_is_not_simulated_again_at_that_lag(
    short: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = pipeline.run(config_from({**TERMS, "strategy": "spy", "lag": 3}), short)
    seen = simulated(monkeypatch, lambda: by_choice(slow))
    assert [lag for lag, _, _ in seen if lag != 3] == [lag for lag in LAGS if lag != 3]
    assert [equals(slow, case) for case in seen].count(True) == 1  # this one checks the kernel


def test_cases_that_equal_the_run_have_exactly_its_figures(
    finished: Run, assessed: Assessment
) -> None:
    """A new simulation of the case of the run gives the same figures, to the last bit."""
    result = finished.result
    again = pipeline.trade(
        finished.config,
        finished.strategy,
        finished.history,
        finished.decided,
        pd.DatetimeIndex(result.equity.index),
    )
    expected = list(headline(again.returns, finished.bills, again.exposure).values())
    assert assessed.robustness
    by_choice, k = assessed.robustness.by_choice, assessed.robustness.by_k
    same = (
        ("as it is", ""),
        ("lag", "1 session"),
        ("costs", "× 1"),
        ("rebalance day", "+0 sessions"),
    )
    for case in same:
        assert np.asarray(by_choice.loc[case, FIGURES]).tolist() == expected
    assert np.asarray(k.loc[0.09, FIGURES]).tolist() == expected


def test_another_configured_k_is_the_case_that_equals_the_run(
    short: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = {"dry_powder": {"k": 0.11}}
    run = pipeline.run(config_from({**TERMS, "signals": parts}), short)
    evaluated: list[float] = []
    gauges = type(run.config.build_signals()["dry_powder"]).gauges

    def counted(signal: Any, panel: pd.DataFrame) -> pd.DataFrame:
        evaluated.append(signal.k)
        return gauges(signal, panel)

    with monkeypatch.context() as patch:
        patch.setattr(type(run.config.build_signals()["dry_powder"]), "gauges", counted)
        by_k(run)
    assert set(evaluated) == {0.08, 0.09, 0.10}


def test_only_what_equals_the_run_in_everything_is_taken_from_it(finished: Run) -> None:
    same = varied(finished, finished.decided.copy(), lag=finished.config.lag)
    assert same is finished.result
    assert varied(finished, finished.decided, lag=2) is not finished.result
    assert varied(finished, finished.decided * 0.5) is not finished.result


# --- Numbers computed elsewhere, or not at all ------------------------------------------------


def test_a_worker_that_is_killed_gets_one_line() -> None:
    told = "expected each worker process to finish"
    with pytest.raises(SimulationError, match=told) as ended, workers_of(2) as pool:
        pool.submit(os._exit, 9).result()
    assert "\n" not in str(ended.value)


def test_an_interrupt_ends_the_calls_under_way() -> None:
    waiting: list[Future[None]] = []

    def interrupted() -> None:
        with workers_of(2) as pool:
            assert pool.submit(max, 1, 2).result() == 2
            waiting.extend(pool.submit(time.sleep, 300) for _ in range(4))
            raise KeyboardInterrupt

    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert time.monotonic() - begun < 100
    assert all(call.cancelled() or call.exception() for call in waiting)


@pytest.mark.usefixtures("uncharted")
def test_without_robustness_nothing_is_simulated_and_the_file_and_the_page_say_so(
    finished: Run, assessed: Assessment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare: list[Assessment] = []
    assert not simulated(monkeypatch, lambda: bare.append(assess(finished, robustness=False)))
    numbers = write_run(bare[0], tmp_path / "out")
    whole = metrics_of(assessed)
    assert [numbers[key] for key in ("by_k", "by_revision", "robustness")] == [None] * 3
    assert numbers["run"]["notes"] == [*whole["run"]["notes"], LEFT_OUT]
    for key in ("strategy", "benchmark", "bills", "regimes", "years", "attribution"):
        assert numbers[key] == whole[key]
    page = (tmp_path / "out" / "tearsheet.html").read_text()
    assert page.count(LEFT_OUT) == 1
    assert 'id="robustness"' not in page


# --- Writing computes nothing ----------------------------------------------------------------


def test_writing_simulates_evaluates_and_decides_nothing(
    finished: Run, assessed: Assessment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **options: Any) -> Any:
        raise AssertionError("computed while writing")

    monkeypatch.setattr(pipeline, "simulate", refuse)
    monkeypatch.setattr(Signal, "evaluate", refuse)
    monkeypatch.setattr("signals.explanation.explain", refuse)
    monkeypatch.setattr(type(finished.strategy), "weights", refuse)
    monkeypatch.setattr("backtests.evidence.metrics.total_return", refuse)
    monkeypatch.setattr("backtests.evidence.metrics.sharpe", refuse)
    assert write_run(assessed, tmp_path / "out") == metrics_of(assessed)


def test_a_history_without_spy_has_no_own_mix(short: History) -> None:
    yields = {"DGS3MO": pd.Series(4.0, index=short.closes.index)}
    history = History.from_frames(short.closes[["GLD"]], yields, known="catalog")
    terms = {"strategy": "gold", "benchmark": "GLD", "start": "2022-06-01"}
    gold = pipeline.run(config_from(terms), history)
    assert assess(gold).luck.difference is None
    assert notes_of(gold)[-1].startswith("the history has no prices of SPY")


def test_an_assessment_is_of_the_run_it_was_given(finished: Run, assessed: Assessment) -> None:
    assert assessed.run is finished
    assert replace(finished).run_id == finished.run_id
    assert assessed.growth.iloc[0].tolist() == [1.0, 1.0, 1.0]
    assert assessed.growth["strategy"].iloc[-1] - 1 == assessed.strategy["total_return"]
