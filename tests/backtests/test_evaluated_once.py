"""Each signal is evaluated once per panel. These tests must not reuse earlier evaluations."""

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

import signals
from backtests import run
from backtests.cli.app import command
from backtests.config_data import config_from
from backtests.evidence.k_choice import by_k
from backtests.history.panel import History
from signals.base import Evaluation, Signal

pytestmark = pytest.mark.usefixtures("uncharted", "briefly")

TERMS = {"strategy": "near-cash-flow", "start": "2015-01-02"}

Counted = Counter[tuple[str, int]]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    """Count the evaluations of each signal, by its name and the length of the panel."""
    counts: Counted = Counter()
    evaluate = Signal.evaluate

    def counting(self: Signal, panel: pd.DataFrame, *parts: object) -> Evaluation:
        counts[self.name, len(panel)] += 1
        return evaluate(self, panel, *parts)  # type: ignore[arg-type]

    monkeypatch.setattr(Signal, "evaluate", counting)
    return counts


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "spy", "--no-robustness"),
        ("today", "near-cash-flow"),
        ("today", "cash-heavy@quantities"),
        ("flags",),
        ("flags", "--html", "flags.html", "--export", "flags.csv"),
        ("flags", "--why", "capex"),
        ("brief", "--out", "brief.html"),
    ],
    ids=" ".join,
)
def test_a_command_evaluates_each_signal_once(
    arguments: tuple[str, ...],
    counted: Counted,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command([*arguments, "--source", "simulated"]) == 0
    assert {name for name, _ in counted} == set(signals.SIGNALS)
    assert set(counted.values()) == {1}


def test_other_parameters_evaluate_only_what_rests_on_them(
    history: History, counted: Counted
) -> None:
    """For each of three other values of k, only the two signals that depend on k are evaluated."""
    finished = run(config_from(TERMS), history)
    counted.clear()
    by_k(finished)
    assert {name: n for (name, _), n in counted.items()} == {"dry_powder": 3, "absorption": 3}
