"""Every table of variations first compares the compiled simulation with the record."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backtests import pipeline
from backtests.config_data import config_from
from backtests.engine.kernel import Curves, simulate_curves
from backtests.evidence.comparing import compare
from backtests.evidence.k_choice import by_k
from backtests.evidence.revision import by_revision
from backtests.evidence.robustness import by_choice
from backtests.evidence.variation import check_kernel
from backtests.evidence.walkforward import walk_forward
from backtests.history.panel import History
from backtests.runs import Run
from signals.errors import SimulationError
from tests.commands import Drypowder

pytestmark = pytest.mark.usefixtures("evaluated_before")

TERMS = {"strategy": "cash-heavy", "start": "2022-06-01"}
DEFECT = "cash-heavy: expected equity of the compiled simulation within 1e-09 of vectorbt's"


@pytest.fixture(scope="module")
def short() -> History:
    return History.simulated(seed=0, years=6)


@pytest.fixture(scope="module")
def finished(short: History) -> Run:
    return pipeline.run(config_from(TERMS), short)


def a_session_late(**case: Any) -> Curves:
    """Return a compiled simulation with a planted error: it fills one session late."""
    return simulate_curves(**case | {"lag": case["lag"] + 1})


@pytest.fixture
def planted(finished: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Check the kernel without the error, and then plant the error."""
    check_kernel(finished)
    monkeypatch.setattr(pipeline, "simulate_curves", a_session_late)


@pytest.mark.usefixtures("planted")
@pytest.mark.parametrize("table", [by_k, by_revision, by_choice])
def test_a_table_fails_when_the_kernel_differs(
    finished: Run, table: Callable[[Run], object]
) -> None:
    with pytest.raises(SimulationError, match=DEFECT):
        table(finished)


@pytest.mark.usefixtures("planted")
def test_a_comparison_fails_when_the_kernel_differs(short: History) -> None:
    with pytest.raises(SimulationError, match=DEFECT):
        compare({"cash-heavy": config_from(TERMS)}, short, reps=10, shifts=10, draws=0)


@pytest.mark.usefixtures("planted")
def test_a_walk_forward_fails_when_the_kernel_differs(short: History) -> None:
    config = config_from({"strategy": "vol-target"})
    with pytest.raises(SimulationError, match="vol-target: expected equity of the compiled"):
        walk_forward(config, {"volatility": [0.1, 0.2]}, short, first_years=1)


@pytest.mark.usefixtures("planted", "briefly", "uncharted")
def test_a_run_fails_with_one_line_when_the_kernel_differs(
    drypowder: Drypowder, tmp_path: Path
) -> None:
    said = drypowder("run", "cash-heavy", "--source", "simulated", "--out", tmp_path / "out")
    assert said.code == 2
    assert DEFECT in said.err
    assert not (tmp_path / "out").exists()
