"""Each signal is evaluated once per panel; all commands use the same value of a parameter."""

import json
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

import signals
from backtests import run
from backtests.cli.app import command
from backtests.config import RunConfig, config_from
from backtests.evidence.k_choice import by_k
from backtests.evidence.metrics import cagr
from backtests.history.panel import History
from signals.base import Evaluation, Signal

pytestmark = pytest.mark.usefixtures("uncharted", "briefly")

TERMS = {"strategy": "near-cash-flow", "start": "2015-01-02"}
THREE = ("MSFT", "GOOGL", "AMZN")

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


# --- one value, by four ways ------------------------------------------------------------------


def growth(config: RunConfig, history: History) -> float:
    return cagr(run(config, history).result.returns)


def by_command(store: Path, out: Path, *arguments: str) -> float:
    """Return the yearly growth that a command writes."""
    given = ["run", "--store", str(store), "--start", TERMS["start"], "--out", str(out)]
    assert command([*given, "--no-robustness", *arguments]) == 0
    written = json.loads((out / "metrics.json").read_text())
    return float(written["strategy"]["cagr"])


def by_config_file(path: Path, store: Path, *lines: str) -> float:
    path.write_text("\n".join(["strategy = 'near-cash-flow'", "[signals]", *lines, ""]))
    return by_command(store, path.parent / "by-config", "--config", str(path))


@pytest.mark.usefixtures("uncharted")
def test_k_has_one_value_in_config_parameter_table_and_call(
    history: History, store: Path, tmp_path: Path
) -> None:
    called = growth(config_from({**TERMS, "signals": {"dry_powder": {"k": 0.11}}}), history)
    table = by_k(run(config_from(TERMS), history))["cagr"].loc[0.11]
    config = by_config_file(tmp_path / "k.toml", store, "dry_powder.k = 0.11")
    given = by_command(store, tmp_path / "p", "near-cash-flow", "--param", "dry_powder.k=0.11")
    assert table == pytest.approx(called, rel=1e-12)
    assert (config, given) == pytest.approx((called, called), rel=1e-12)
    assert called != pytest.approx(growth(config_from(TERMS), history), rel=1e-3)


@pytest.mark.usefixtures("uncharted")
def test_a_basket_of_three_firms_has_one_value_in_config_parameter_and_call(
    history: History, store: Path, tmp_path: Path
) -> None:
    firms = {"capex": {"firms": THREE, "minimum": 3}}
    called = growth(config_from({**TERMS, "signals": firms}), history)
    text = json.dumps(list(THREE))
    config = by_config_file(
        tmp_path / "firms.toml", store, f"capex.firms = {text}", "capex.minimum = 3"
    )
    parameters = ("--param", f"capex.firms={text}", "--param", "capex.minimum=3")
    given = by_command(store, tmp_path / "p", "near-cash-flow", *parameters)
    assert (config, given) == pytest.approx((called, called), rel=1e-12)


def test_a_basket_of_three_firms_reaches_absorption(history: History) -> None:
    chosen = {**signals.default_signals(), "capex": signals.Capex(firms=THREE, minimum=3)}
    three = signals.evaluate(history.panel, chosen)["absorption"].gauges
    five = signals.Absorption().evaluate(history.panel).gauges
    both = three["capex"].notna() & five["capex"].notna()
    assert both.sum() > 2000
    assert (three["capex"] < five["capex"])[both].all()


# --- a user's labels --------------------------------------------------------------------------

LABELS = "date,label\n2015-01-02,INJECTION\n2018-07-02,ABSORPTION\n2020-03-02,NEUTRAL\n"


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "my-labels.csv"
    path.write_text(LABELS)
    return path


@pytest.mark.usefixtures("uncharted")
def test_labels_go_through_run_report_and_config(labels: Path, store: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    given = ["run", f"cash-heavy@{labels}", "--store", str(store), "--out", str(out)]
    given += ["--start", "2015-01-02"]
    assert command([*given, "--end", "2022-12-30"]) == 0
    written = json.loads((out / "metrics.json").read_text())
    assert written["run"]["regime_model"] == "labels"
    assert {"INJECTION", "NEUTRAL", "ABSORPTION"} <= set(written["regimes"])
    assert "cash-heavy@labels" in (out / "tearsheet.html").read_text(encoding="utf-8")
    again = ["run", "--config", str(out / "config.toml"), "--out", str(tmp_path / "again")]
    assert command([*again, "--no-robustness"]) == 0
    same = [(folder / "returns.csv").read_bytes() for folder in (out, tmp_path / "again")]
    assert same[0] == same[1]


def test_labels_are_shifted_not_resampled(labels: Path, history: History) -> None:
    from backtests.evidence.placebo_rank import place

    finished = run(config_from({"strategy": f"near-cash-flow@{labels}"}), history)
    placed = place({"labels": finished}, [], shifts=50)["labels"]
    assert placed.method == "labelled"
    assert placed.placebo is not None


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("day,label\n2020-01-02,NEUTRAL\n", "expected the columns date,label"),
        ("date,label\n2020-13-02,NEUTRAL\n", "line 2: expected a date and a label"),
        ("date,label\n2020-01-02,SCARCE\n", "unknown label 'SCARCE'"),
        ("date,label\n", "at least one date"),
        ("", "expected the columns date,label"),
    ],
)
def test_a_file_of_labels_that_cannot_be_used_gets_one_line(
    text: str, part: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "my.csv"
    path.write_text(text)
    assert command(["run", f"cash-heavy@{path}", "--source", "simulated"]) == 2
    err = capsys.readouterr().err
    assert part in err
    assert err.count("\n") == 1


def test_labels_and_their_model_go_together(
    labels: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(["run", "cash-heavy@labels", "--source", "simulated"]) == 2
    assert "together with a file of labels" in capsys.readouterr().err
