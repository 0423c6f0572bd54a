"""Results that depend on k are shown for several k, computed in the same way as the run."""

from pathlib import Path

import pytest

from backtests.config_data import config_from
from backtests.evidence import metrics
from backtests.evidence.entries import of_absorption
from backtests.evidence.k_choice import KS, by_k
from backtests.history.panel import History
from backtests.pipeline import run
from backtests.runs import Run

pytestmark = pytest.mark.usefixtures("evaluated_before")


@pytest.fixture(scope="module")
def finished(store: Path, history: History) -> Run:
    config = {"strategy": "cash-heavy", "store": store, "start": "2015-01-01"}
    return run(config_from(config), history)


def test_the_row_of_the_default_k_is_the_run_under_its_own_model(history: History) -> None:
    config = {"strategy": "cash-heavy@quantities", "start": "2015-01-01"}
    driven = run(config_from(config), history)
    assert by_k(driven)["cagr"].loc[0.09] == pytest.approx(
        metrics.cagr(driven.result.returns), rel=1e-12
    )


def test_the_row_of_the_default_k_is_the_run_itself(finished: Run) -> None:
    row = by_k(finished).loc[0.09]
    assert row["cagr"] == pytest.approx(metrics.cagr(finished.result.returns), rel=1e-12)
    assert row["max_drawdown"] == metrics.max_drawdown(finished.result.returns).depth
    seen = of_absorption(finished)
    assert (row["absorption_episodes"], row["absorption_entered"]) == (seen.episodes, seen.entered)


@pytest.mark.parametrize("k", [0.08, 0.11])
def test_another_k_is_a_run_with_that_k(finished: Run, history: History, k: float) -> None:
    moved = {
        "strategy": "cash-heavy",
        "start": "2015-01-01",
        "signals": {"dry_powder": {"k": k}},
    }
    whole = run(config_from(moved), history)
    assert by_k(finished)["cagr"].loc[k] == pytest.approx(metrics.cagr(whole.result.returns))


def test_every_k_has_a_row_and_a_strategy_without_regime_none(
    finished: Run, store: Path, history: History
) -> None:
    assert tuple(by_k(finished).index) == KS
    spy = run(config_from({"strategy": "spy", "store": store, "start": "2015-01-01"}), history)
    assert by_k(spy).empty
    given = {"strategy": "cash-heavy", "store": store, "start": "2015-01-01"}
    without_k = {**given, "signals": {"dry_powder": {"scale": "bank_assets"}}}
    assert by_k(run(config_from(without_k), history)).empty


def test_the_bill_spread_is_a_parameter_of_the_run(history: History) -> None:
    base = {"strategy": "bills", "start": "2023-01-03", "end": "2024-12-31"}
    plain, dear = (
        run(config_from(base | {"bill_spread": spread}), history) for spread in (0.1, 1.1)
    )
    gap = metrics.cagr(plain.result.returns) - metrics.cagr(dear.result.returns)
    assert gap == pytest.approx(0.01, abs=1e-3)
