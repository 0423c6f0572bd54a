"""The jobs of a researcher, each in at most five lines of Python.

Each job is a string of code, so that its lines can be counted. Its test runs the code and checks
the results. Three more jobs are one command: a sweep, the brief and the daily job. tests/cli runs
them.
"""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from backtests import History, Run, config_from, run
from backtests.report.folder import FILES
from signals.errors import ConfigError
from strategies.near_cash_flow import NearCashFlow

pytestmark = pytest.mark.usefixtures("evaluated_before")

MOST_LINES = 5
START = "2021-01-04"
HEAD = """
from backtests import History, assess, compare_runs, config_from, plot_reading, run
import pandas as pd
"""

OWN_UNIVERSE = """
universe = {"memory": ["SMH"], "defensive": ["XLP", "XLU"]}
config = config_from({"strategy": "near-cash-flow", "universe": universe, "start": START})
finished = run(config, history)
"""
OTHER_BASKET = """
basket = config_from({"strategy": "equal-weight", "universe": {"tickers": BASKET}, "start": START})
finished = run(basket, history)
"""
WEEKLY = """
terms = {"schedule": {"every": "week"}, "costs": {"etf_bp": 10, "stock_bp": 10, "crypto_bp": 10}}
finished = run(config_from({"strategy": "cash-heavy", "start": START, **terms}), history)
"""
OWN_REGIME = """
states = pd.DataFrame({"date": ["2021-01-04", "2022-06-01"], "label": ["NEUTRAL", "ABSORPTION"]})
states.to_csv("mine.csv", index=False)
finished = run(config_from({"strategy": "cash-heavy@mine.csv", "start": START}), history)
"""
EXPORT = """
finished = run(config_from({"strategy": "near-cash-flow", "start": START}), history)
finished.save("out", robustness=False)
finished.returns.to_parquet("returns.parquet")
again = pd.read_parquet("returns.parquet").add(1).cumprod()
figure = finished.plot()
"""
TWO_RUNS = """
runs = [run(config_from({"strategy": name, "start": START}), history) for name in ("spy", "gold")]
made = compare_runs(runs)
table, difference = made.metrics, made.pair
made.save("compare.html")
"""
OWN_FRAMES = """
history = History.from_frames(prices, {"DGS3MO": yields}, known="catalog")
terms = {"strategy": "trend", "universe": {"tickers": ["OWN"]}, "start": START}
finished = run(config_from(terms), history)
"""
LOOK = """
reading = run(config_from({"strategy": "bills", "start": START}), history).reading
timeline, signal = plot_reading(reading, history), plot_reading(reading, history, "dry_powder")
series = history.plot("WALCL", "SPY")
"""
JOBS = {
    "own universe": OWN_UNIVERSE,
    "other basket": OTHER_BASKET,
    "weekly at 10 bp": WEEKLY,
    "own regime file": OWN_REGIME,
    "export and plot again": EXPORT,
    "compare two runs": TWO_RUNS,
    "own DataFrames": OWN_FRAMES,
    "look at signals": LOOK,
}


@pytest.fixture(scope="module")
def history() -> History:
    return History.simulated(years=6)


def do(job: str, folder: Path, monkeypatch: pytest.MonkeyPatch, **given: Any) -> dict[str, Any]:
    """Run a job in a folder, and return the variables that it defines."""
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {"START": START, **given}
    exec(compile(f"{HEAD}\n{job}", "job", "exec"), names)
    return names


@pytest.mark.parametrize("job", JOBS)
def test_each_job_takes_at_most_five_lines(job: str) -> None:
    assert 0 < len(JOBS[job].strip().splitlines()) <= MOST_LINES


def test_own_universe(history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finished: Run = do(OWN_UNIVERSE, tmp_path, monkeypatch, history=history)["finished"]
    held = set(finished.weights.columns[(finished.weights != 0).any()])
    assert held <= {"SMH", "XLP", "XLU", *NearCashFlow().crypto, *NearCashFlow().broad}
    assert {"SMH", "XLP", "XLU"} & held
    assert "MU" not in finished.weights


def test_other_basket(history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    basket = ["GLD", "TLT"]
    names = do(OTHER_BASKET, tmp_path, monkeypatch, history=history, BASKET=basket)
    decided = names["finished"].decided
    assert list(decided) == basket
    assert (decided == 0.5).all().all()


def test_weekly_at_10_bp(history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finished: Run = do(WEEKLY, tmp_path, monkeypatch, history=history)["finished"]
    weeks = finished.sessions.to_period("W")
    decided = pd.DatetimeIndex(finished.decided.index).to_period("W")
    assert set(weeks) - {weeks[-1]} <= set(decided), "the last week is not over"
    orders = finished.orders
    rate = orders["cost"] / (orders["units"].abs() * orders["price"])
    assert rate.to_numpy() == pytest.approx(0.001)


def test_own_regime_file(history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finished: Run = do(OWN_REGIME, tmp_path, monkeypatch, history=history)["finished"]
    regime = finished.reading.regime
    assert set(regime.loc[START:"2022-05-31"]) == {"NEUTRAL"}
    assert set(regime.loc["2022-06-01":]) == {"ABSORPTION"}


@pytest.mark.usefixtures("uncharted")
def test_export_and_plot_again(
    history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = do(EXPORT, tmp_path, monkeypatch, history=history)
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(FILES)
    total = names["again"]["strategy"].iloc[-1] - 1
    saved = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert total == pytest.approx(saved["strategy"]["total_return"], rel=1e-12)
    assert names["figure"].data[0].y[-1] == pytest.approx(1 + total, rel=1e-5)


def test_compare_two_runs(
    history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = do(TWO_RUNS, tmp_path, monkeypatch, history=history)
    table, difference = names["table"], names["difference"]
    assert list(table) == ["spy", "gold"]
    assert {"cagr", "sharpe", "max_drawdown"} <= set(table.index)
    assert table.notna().loc["sharpe"].all()
    assert table.loc["cagr", "spy"] != table.loc["cagr", "gold"]
    assert difference.excess.low < difference.excess.estimate < difference.excess.high
    assert "SIMULATED: compare" in (tmp_path / "compare.html").read_text("utf-8")


def own_frames(history: History) -> dict[str, Any]:
    """Return two years of prices and a bill yield, as a researcher might have them."""
    index = history.panel.index[-700:]
    closes = history.closes.loc[index, ["SPY", "QQQ"]].rename(columns={"QQQ": "OWN"})
    return {"prices": closes, "yields": pd.Series(4.0, index=index), "START": "2022-06-01"}


def test_own_frames(history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finished: Run = do(OWN_FRAMES, tmp_path, monkeypatch, **own_frames(history))["finished"]
    assert list(finished.weights) == ["OWN"]
    assert (finished.weights["OWN"] > 0.9).any()
    assert finished.benchmark.iloc[-1] == pytest.approx(
        history.closes["SPY"].pct_change().iloc[-1], rel=1e-12
    )


def test_own_frames_without_a_regime_start_when_the_bill_yield_is_known(history: History) -> None:
    frames = own_frames(history)
    own = History.from_frames(frames["prices"], {"DGS3MO": frames["yields"]}, known="catalog")
    basket = {"strategy": "equal-weight", "universe": {"tickers": ["OWN"]}}
    finished = run(config_from(basket), own)
    assert not own.panel["DGS3MO"].notna().iloc[0]
    assert finished.sessions[0] == own.panel["DGS3MO"].first_valid_index()


def test_a_run_on_own_frames_says_why_a_command_cannot_repeat_it(
    history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = do(OWN_FRAMES, tmp_path, monkeypatch, **own_frames(history))
    finished, run = names["finished"], names["run"]
    assert finished.config.source == "frames"
    with pytest.raises(ConfigError, match=r"give the history to backtests.run"):
        run(finished.config)
    assert run(finished.config, names["history"]).run_id == finished.run_id


def test_look_at_signals(history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = do(LOOK, tmp_path, monkeypatch, history=history)
    for figure in (names["timeline"], names["signal"], names["series"]):
        assert figure.layout.title.text.startswith("SIMULATED")
