"""A finished run is read from its folder, and compared with the same run on other data."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from backtests.config_data import config_from
from backtests.evidence.compare_runs import compare_runs
from backtests.evidence.saved import SHOWN, read_saved, repeat
from backtests.history.panel import History
from backtests.pipeline import run
from backtests.report.compare_numbers import comparison_numbers
from backtests.runs import Run
from signals.errors import ConfigError

pytestmark = pytest.mark.usefixtures("evaluated_before")

WINDOW = {"start": "2022-01-03", "end": "2024-06-28"}


@pytest.fixture(scope="module")
def history() -> History:
    return History.simulated(years=6)


@pytest.fixture(scope="module")
def finished(history: History) -> Run:
    return run(config_from({"strategy": "cash-heavy", **WINDOW}), history)


@pytest.fixture(scope="module")
def folder(finished: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished run; do not write to it."""
    path = tmp_path_factory.mktemp("saved") / "run-7"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("backtests.report.tearsheet_page._varies", lambda returns: False)
        finished.save(path, robustness=False)
    return path


def test_a_folder_has_the_configuration_the_returns_and_the_numbers(
    folder: Path, finished: Run
) -> None:
    saved = read_saved(folder)
    assert saved.config.strategy == "cash-heavy"
    assert saved.described["run_id"] == finished.run_id
    pd.testing.assert_frame_equal(saved.returns, finished.returns, check_freq=False)
    assert saved.numbers["sharpe"] == pytest.approx(finished.metrics["sharpe"], rel=1e-12)
    assert saved.label == "cash-heavy (run-7)"


def test_a_run_ends_with_its_folder_even_if_its_configuration_has_no_end(
    history: History, tmp_path: Path, uncharted: None
) -> None:
    past = history.until("2024-03-28")
    open_ended = run(config_from({"strategy": "spy", "start": "2023-01-03"}), past)
    open_ended.save(tmp_path / "spy-open", robustness=False)
    saved = read_saved(tmp_path / "spy-open")
    assert str(saved.config.end) == "2024-03-28"
    assert saved.label == "spy-open"
    again = run(saved.config, history)
    assert repeat(saved, again, history).is_same, "later sessions do not change a finished run"


def test_equal_data_give_the_numbers_of_the_folder(
    folder: Path, finished: Run, history: History
) -> None:
    found = repeat(read_saved(folder), finished, history)
    assert found.is_same
    assert found.largest == pytest.approx(0, abs=1e-12)
    assert found.again is not None
    assert found.again == pytest.approx({name: finished.metrics[name] for name in SHOWN})


def test_a_row_on_another_window_is_checked_on_the_window_of_the_folder(
    folder: Path, history: History
) -> None:
    late = run(config_from({"strategy": "cash-heavy", **WINDOW, "start": "2023-01-03"}), history)
    assert repeat(read_saved(folder), late, history).is_same
    early = history.until("2023-12-29")
    cut = run(config_from({"strategy": "cash-heavy", "start": WINDOW["start"]}), early)
    assert repeat(read_saved(folder), cut, history).is_same


def test_other_data_are_told_with_the_first_session_that_differs(
    folder: Path, history: History
) -> None:
    closes, panel = history.closes.copy(), history.panel.copy()
    day = closes.loc["2023-05-02":].index[0]
    for table in (closes, panel):
        table.loc[day:, "SPY"] *= 1.01
    other = replace(history, closes=closes, panel=panel)
    again = run(config_from({"strategy": "cash-heavy", **WINDOW}), other)
    found = repeat(read_saved(folder), again, other)
    assert not found.is_same
    assert found.changed_from == day
    assert 0.002 < found.largest < 0.011
    assert found.again is not None
    assert found.again["cagr"] != pytest.approx(found.saved.numbers["cagr"], abs=1e-6)


@pytest.mark.parametrize("shift", [1e-6, 0.01])
def test_a_small_change_counts_and_its_size_has_no_sign(
    folder: Path, finished: Run, history: History, shift: float
) -> None:
    saved = read_saved(folder)
    found = repeat(replace(saved, returns=saved.returns + shift), finished, history)
    assert not found.is_same
    assert found.changed_from == finished.returns.index[0]
    assert found.largest == pytest.approx(shift, rel=1e-6)


def test_a_history_without_these_sessions_cannot_be_checked(folder: Path, history: History) -> None:
    short = history.until("2024-01-31")
    again = run(config_from({"strategy": "cash-heavy", "start": WINDOW["start"]}), short)
    found = repeat(read_saved(folder), again, short)
    assert (found.again, found.is_same) == (None, False)


@pytest.mark.parametrize(
    ("name", "text", "part"),
    [
        ("config.toml", None, "has no config.toml"),
        ("returns.csv", None, "has no returns.csv"),
        ("metrics.json", "{", "metrics.json is damaged"),
        ("metrics.json", '{"run": [1], "strategy": {}}', "metrics.json is damaged"),
        ("metrics.json", '{"run": {"run_id": "a"}, "strategy": {}}', "metrics.json is damaged"),
        (
            "metrics.json",
            '{"run": {"run_id": 1, "start": 1, "end": 1, "version": 1, "source": 1}, '
            '"strategy": {"total_return": "much"}}',
            "metrics.json is damaged",
        ),
        ("returns.csv", "date,strategy\n2022-01-04,x\n", "returns.csv is damaged"),
        (
            "returns.csv",
            "date,strategy,benchmark,bills\nlast Monday,0,0,0\n",
            "returns.csv is damaged",
        ),
        ("returns.csv", "", "returns.csv is damaged"),
        ("returns.csv", "\0", "returns.csv is damaged"),
        ("config.toml", "strategy = ", "expected TOML in"),
        ("config.toml", 'strategy = "spy"\nsource = "frames"\n', "the run in"),
    ],
)
def test_a_folder_that_is_no_run_gets_one_line(
    folder: Path, tmp_path: Path, name: str, text: str | None, part: str
) -> None:
    broken = Path(shutil.copytree(folder, tmp_path / "broken"))
    (broken / name).unlink()
    if text is not None:
        (broken / name).write_text(text)
    with pytest.raises(ConfigError, match=part) as refusal:
        read_saved(broken)
    assert "\n" not in str(refusal.value)


def test_a_date_that_is_none_is_refused(folder: Path, tmp_path: Path) -> None:
    broken = Path(shutil.copytree(folder, tmp_path / "broken"))
    metrics = json.loads((broken / "metrics.json").read_text())
    metrics["run"]["start"] = "soon"
    (broken / "metrics.json").write_text(json.dumps(metrics))
    with pytest.raises(ConfigError, match="soon"):
        read_saved(broken)


def test_two_finished_runs_say_that_their_windows_differ(
    folder: Path, finished: Run, history: History
) -> None:
    later = run(config_from({"strategy": "cash-heavy", **WINDOW, "start": "2022-06-01"}), history)
    first = repeat(read_saved(folder), finished, history)
    window = {**first.saved.described, "start": "2022-06-01"}
    second = replace(first, saved=replace(first.saved, described=window))
    compared = compare_runs({"a": finished, "b": later}, reps=20, shifts=20)
    numbers = comparison_numbers(compared, {"a": first, "b": second})
    assert numbers["a"]["pair"]["settings"] == [
        {"path": "start", "first": "2022-01-03", "second": "2022-06-01"}
    ]
    assert comparison_numbers(compared)["a"]["pair"]["settings"] == []
