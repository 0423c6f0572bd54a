"""A user's file of labels takes the place of a regime model."""

import json
import pickle
import tomllib
from datetime import date
from pathlib import Path

import pytest

from backtests import compare_runs, run
from backtests.cli.app import command
from backtests.config_data import config_from
from backtests.config_file import config_toml
from backtests.evidence.placebo_rank import place
from backtests.history.panel import History
from backtests.plugins.labels import read_labels
from signals.regimes import Labels

pytestmark = pytest.mark.usefixtures("evaluated_before", "uncharted", "briefly")

LABELS = "date,label\n2015-01-02,INJECTION\n2018-07-02,ABSORPTION\n2020-03-02,NEUTRAL\n"


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "my-labels.csv"
    path.write_text(LABELS)
    return path


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


def test_a_run_with_labels_can_be_repeated_from_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my-labels.csv").write_text(LABELS)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    given = config_from({"strategy": "cash-heavy@my-labels.csv", "store": "my.duckdb"})
    written = tomllib.loads(config_toml(given))
    monkeypatch.chdir("elsewhere")
    again = config_from(written)
    assert again.build_model() == Labels(dated=read_labels(tmp_path / "my-labels.csv"))
    assert again.store_path() == tmp_path / "my.duckdb"


def test_a_run_keeps_the_labels_that_it_used(labels: Path, history: History) -> None:
    given = {"strategy": f"cash-heavy@{labels}", "start": "2015-01-02", "end": "2022-12-30"}
    first = run(config_from(given), history)
    labels.write_text(LABELS.replace("INJECTION", "ABSORPTION"))
    second = run(config_from(given), history)
    assert first.run_id != second.run_id
    assert first.config.build_model() != second.config.build_model()
    labels.write_text(LABELS)
    assert run(config_from(given), history).run_id == first.run_id


def test_a_run_needs_its_file_of_labels_no_longer(
    labels: Path, history: History, tmp_path: Path
) -> None:
    given = {"strategy": f"cash-heavy@{labels}", "start": "2015-01-02", "end": "2022-12-30"}
    finished = run(config_from(given), history)
    pickled = pickle.dumps(finished)
    labels.unlink()
    again = pickle.loads(pickled)
    assert again.run_id == finished.run_id
    assert again.config.build_model() == Labels(dated=read_labels_of(LABELS))
    assert repr(again) == repr(finished)
    assert compare_runs({"first": finished, "second": again}, reps=50, shifts=20).metrics.size
    again.save(tmp_path / "saved", robustness=False)
    written = json.loads((tmp_path / "saved" / "metrics.json").read_text())
    assert written["run"]["run_id"] == finished.run_id


def read_labels_of(text: str) -> tuple[tuple[date, str], ...]:
    rows = (line.split(",") for line in text.splitlines()[1:])
    return tuple((date.fromisoformat(day), label) for day, label in rows)


def test_another_file_of_labels_replaces_the_labels_of_a_run(
    labels: Path, history: History, tmp_path: Path
) -> None:
    other = tmp_path / "other.csv"
    other.write_text("date,label\n2005-01-03,NEUTRAL\n")
    given = {"strategy": "cash-heavy", "regime_model": "labels", "labels": str(labels)}
    config = run(config_from(given), history).config.model_copy(update={"labels": other})
    assert config.build_model() == Labels(dated=read_labels(other))


def test_labels_are_shifted_not_resampled(labels: Path, history: History) -> None:
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
        ("date,label\n", "my.csv: expected at least one date"),
        (
            "date,label\n2020-01-02,NEUTRAL\n2020-01-02,ABSORPTION\n",
            "my.csv: expected each date once and in ascending order, but 2020-01-02 follows",
        ),
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


def test_labels_after_the_end_of_the_history_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message was about a price of SPY in 1990, because the run began with the history."""
    path = tmp_path / "my.csv"
    path.write_text("date,label\n2030-01-02,INJECTION\n")
    assert command(["run", f"cash-heavy@{path}", "--source", "simulated"]) == 2
    err = capsys.readouterr().err
    assert "expected a label up to 2024-12-31, the end of the history, but the first label" in err
    assert "is of 2030-01-02; add an earlier label, or choose a longer history" in err


def test_labels_and_their_model_go_together(
    labels: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(["run", "cash-heavy@labels", "--source", "simulated"]) == 2
    assert "together with a file of labels" in capsys.readouterr().err
