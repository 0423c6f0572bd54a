"""The notebooks in examples/: each one runs, its conclusion is right, and its widgets matter.

A notebook runs in this process. A test can set values that a notebook defines, as if a user had
moved a slider. The cells that define these values do not run.
"""

import importlib.util
import re
import runpy
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtests import History, Run, config_from, run
from signals import DryPowder
from tests.reference import naive

ROOT = Path(__file__).resolve().parent.parent
DRY, SIGNAL, REGIMES, LUCK, BOARD = NOTEBOOKS = (
    *("is_dry_powder_depleted", "build_your_own_signal", "trade_your_own_regime_file"),
    *("why_most_backtests_of_this_thesis_are_luck", "dashboard"),
)
Definitions = Mapping[str, Any]


@pytest.fixture(autouse=True)
def without_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the store of the user."""
    monkeypatch.delenv("DRYPOWDER_STORE", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))


@pytest.fixture(scope="module")
def history() -> History:
    return History.simulated(years=6)


@pytest.fixture(scope="module")
def plain(history: History) -> Run:
    return run(config_from({"strategy": "near-cash-flow"}), history)


def opened(name: str) -> ModuleType:
    """Import a notebook as a module, in which marimo looks for the notebook's classes."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "examples" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def played(name: str, widgets: Mapping[str, Any], **given: Any) -> Definitions:
    """Return what a notebook defines when its widgets have some values."""
    values = {widget: SimpleNamespace(value=value) for widget, value in widgets.items()}
    return results(*opened(name).app.run(defs={**values, **given}))


def results(outputs: Sequence[Any], defined: Definitions) -> Definitions:
    """Return what a notebook defines, and check the texts that it shows."""
    for output in outputs:
        assert not re.search(r"\{\w+[.(]", getattr(output, "text", "")), "a text lacks its f"
    return dict(defined)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Definitions]:
    """Return what each notebook defines without a store, on six simulated years, not twenty."""
    simulated = History.simulated

    def shortened(seed: int = 0, years: int = 20, **more: bool) -> History:
        return simulated(seed, min(years, 6), **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DRYPOWDER_STORE", raising=False)
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        patch.setattr(History, "simulated", shortened)
        return {name: results(*opened(name).app.run()) for name in NOTEBOOKS}


# --- all notebooks --------------------------------------------------------------------------


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_without_data(name: str, untouched: dict[str, Definitions]) -> None:
    assert untouched[name]["conclusion"].startswith("SIMULATED: ")


@pytest.mark.usefixtures("briefly")
def test_a_script_prints_its_conclusion(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(ROOT / "examples" / f"{REGIMES}.py"), run_name="__main__")
    (said,) = capsys.readouterr().out.splitlines()
    assert said.startswith("SIMULATED: Sharpe ratio ")


def test_marimo_finds_no_fault_in_the_notebooks() -> None:
    files = [f"examples/{name}.py" for name in NOTEBOOKS]
    check = [sys.executable, "-m", "marimo", "check", "--strict", *files]
    done = subprocess.run(check, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_page_names_every_example() -> None:
    page = (ROOT / "docs/examples.md").read_text(encoding="utf-8")
    for file in (ROOT / "examples").glob("*.py"):
        assert f"`{file.name}`" in page, file.name


# --- is dry powder depleted? ----------------------------------------------------------------


def dry(plain: Run, need: float, end: pd.Timestamp | None = None) -> Definitions:
    history, base = plain.history, plain.reading
    days = (history.panel.index[0].date(), (end or history.panel.index[-1]).date())
    return played(
        DRY,
        {"scale": "gdp", "days": days, "need": need},
        needs=[7.0, 9.0, 11.0],
        history=history,
        base=base,
        label="SIMULATED: ",
    )


def test_the_flag_by_k_is_that_of_plain_loops(history: History, plain: Run) -> None:
    table = dry(plain, 9.0)["by_need"]
    panel = {id: plain_column(history.panel[id]) for id in DryPowder.inputs}
    for need, row in table.iterrows():
        _, _, flag = naive.dry_powder(panel, k=float(str(need)) / 100)
        seen = [on for on in flag if on is not None]
        assert row["days depleted, %"] == pytest.approx(100 * sum(seen) / len(seen)), need
        assert row["depleted now"] == flag[-1]
    assert table["days depleted, %"].nunique() > 1, "k changes nothing in this economy"


def plain_column(values: pd.Series) -> list[float | None]:
    return [None if np.isnan(value) else value for value in values]


def test_the_answer_follows_the_slider_and_the_date(plain: Run) -> None:
    flags = dry(plain, 9.0)["flags"]
    differs = flags.index[(flags[7.0] != flags[11.0]).fillna(False)]
    at = differs[len(differs) // 2]
    said = {need: dry(plain, need, at) for need in (7.0, 11.0)}
    assert said[7.0]["state"] == "not depleted"
    assert said[11.0]["state"] == "depleted"
    for need, defined in said.items():
        conclusion = defined["conclusion"]
        assert f"On {at:%Y-%m-%d}, with {need:g} % needed" in conclusion
        assert "The answer depends on the assumption" in conclusion
        assert f"{defined['by_need']['depleted now'].sum()} of 3 values say" in conclusion


def test_real_history_of_the_store_is_not_simulated(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRYPOWDER_STORE", str(store))
    defined = played(DRY, {})
    assert defined["history"].source == "store"
    assert defined["conclusion"].startswith("On 20")


# --- build your own signal ------------------------------------------------------------------


#: Made-up results of the check of a signal, which takes seconds, for tests that do not need it.
UNCHECKED: Definitions = {"checks": {}, "passed": {"yield_rise": True}}


def own(history: History, plain: Run, **widgets: Any) -> Definitions:
    given = {"window": 63, "enter": 1.0, "votes": True, **widgets}
    known = {"history": history, "plain": plain, "label": "SIMULATED: "}
    return played(SIGNAL, given, **known, **UNCHECKED)


def test_the_check_catches_the_planted_cheats_and_nothing_else(
    untouched: dict[str, Definitions],
) -> None:
    defined = untouched[SIGNAL]
    assert "The check catches 2 of 2 planted cheats" in defined["conclusion"]
    assert defined["passed"] == {"yield_rise": True, "cheat": False, "subtle_cheat": False}
    for cheat in ("cheat", "subtle_cheat"):
        assert [c.name for c in defined["checks"][cheat] if not c.holds] == ["look-ahead"]


def test_the_run_uses_the_signal_of_the_notebook(history: History, plain: Run) -> None:
    defined = own(history, plain)
    finished: Run = defined["with_mine"]
    yields = history.panel["DGS10"]
    gauges = finished.reading.evaluations["yield_rise"].gauges
    pd.testing.assert_series_equal(gauges["rise"], yields - yields.shift(63), check_names=False)
    assert "yield_rise" in finished.reading.votes
    regimes = [each.reading.regime.loc[plain.sessions].tolist() for each in (plain, finished)]
    changed = sum(one != other for one, other in zip(*regimes, strict=True))
    assert defined["changed"] == pytest.approx(changed / len(plain.sessions))
    assert defined["difference"] == finished.metrics["sharpe"] - plain.metrics["sharpe"]
    assert changed
    assert finished.run_id != own(history, plain, window=126)["with_mine"].run_id


def test_without_a_vote_the_signal_changes_nothing(history: History, plain: Run) -> None:
    defined = own(history, plain, votes=False)
    assert defined["changed"] == 0
    assert "the portfolio does not change" in defined["conclusion"]


# --- trade your own regime file -------------------------------------------------------------

LABELS = "date,label\n2019-01-02,NEUTRAL\n2020-03-02,ABSORPTION\n2022-03-01,INJECTION\n"


def traded(history: History, **widgets: Any) -> Definitions:
    start = history.panel.index[70].date()
    terms = {"text": LABELS, "strategy": "cash-heavy", "start": start, "lag": 1, "cost": 2}
    with TemporaryDirectory() as folder:
        more = {"history": history, "folder": Path(folder), "label": "SIMULATED: "}
        return played(REGIMES, {**terms, **widgets}, **more)


def test_the_labels_of_the_text_are_traded_after_their_delay(history: History) -> None:
    for lag in (1, 5):
        finished: Run = traded(history, lag=lag)["finished"]
        weights = finished.weights["SPY"]
        first = weights.index[weights.index >= "2020-03-02"][lag]
        held = weights.loc[first : pd.Timestamp("2022-03-01")]
        assert held.iloc[0] == pytest.approx(0.2, abs=0.01), "ABSORPTION holds 20 % of SPY"
        assert weights.loc[weights.index < first].iloc[-1] > 0.5


def test_costs_reduce_the_return_and_one_stay_concludes_nothing(history: History) -> None:
    cheap, dear = traded(history, cost=0), traded(history, cost=50)
    assert cheap["finished"].metrics["costs"] == 0
    assert dear["finished"].metrics["total_return"] < cheap["finished"].metrics["total_return"]
    assert cheap["said"] == "1 episode: nothing can be concluded about timing"


def test_the_rank_is_that_of_shifted_dates(history: History) -> None:
    defined = traded(history, cost=0)
    finished, placebo = defined["finished"], defined["placebo"]
    held = finished.decided["SPY"].reindex(finished.sessions).ffill().shift(1).iloc[1:].to_numpy()
    spy = history.closes["SPY"].loc[finished.sessions].pct_change().iloc[2:].to_numpy()
    bills = finished.bills.iloc[1:].to_numpy()

    def sharpe(weights: np.ndarray) -> float:
        excess = weights[:-1] * (spy - bills)
        return float(excess.mean() / excess.std(ddof=1) * 252**0.5)

    gains = [sharpe(np.roll(held, by)) for by in range(1, len(held))]
    rank = float(np.mean(np.array(gains) < sharpe(held)))
    assert placebo.rank == pytest.approx(rank, abs=0.03), "500 of all shifts are drawn"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("date,label\n2018-01-02,WRONG\n", "unknown label 'WRONG'"),
        ("day,regime\n2018-01-02,NEUTRAL\n", "labels: expected the columns date,label"),
        ("", "expected the columns date,label"),
    ],
)
def test_a_wrong_file_gives_one_line(history: History, text: str, said: str) -> None:
    defined = traded(history, text=text)
    assert said in defined["error"]
    assert "\n" not in defined["error"]
    assert "conclusion" not in defined


# --- why most backtests are luck ------------------------------------------------------------


def lucky(history: History, ideas: int, **more: Any) -> Definitions:
    widgets = {"grid": "24 configurations", "seed": 3, "world": False, "ideas": ideas}
    given = {"history_of": lambda thesis, seed: history, "worlds": {}, "real": history}
    return played(LUCK, widgets, **given, **more)


def test_the_best_of_a_sweep_is_judged_by_all_trials() -> None:
    history = History.simulated(years=6, thesis=False)
    few = lucky(history, 0)
    found = few["found"]
    many = lucky(history, 1000, found=found)
    assert len(found.table) == 24
    best = found.table["sharpe"].max()
    assert run(found.run.config, history).metrics["sharpe"] == pytest.approx(best, rel=1e-9)
    hurdles = [each["tested"].hurdle for each in (few, many)]
    assert hurdles[0] < hurdles[1]
    assert many["tested"].deflation.effective == pytest.approx(found.effective + 1000)
    alone = few["placebo"].p_value
    assert few["p_value"] == pytest.approx(1 - (1 - alone) ** found.effective)
    assert many["p_value"] > 0.99
    for defined in (few, many):
        reached = best >= defined["tested"].hurdle
        assert next(iter(defined["answers"].values())) == reached
        assert (
            f"the hurdle for so many trials is {defined['tested'].hurdle:.2f}"
            in (defined["conclusion"])
        )
    assert "**Its timing may be luck.**" in many["conclusion"]


# --- dashboard ------------------------------------------------------------------------------


def board(base: Run, **widgets: Any) -> Definitions:
    days = (base.sessions[0].date(), base.sessions[-1].date())
    given = {"strategy": "near-cash-flow", "k": 0.09, "lag": 1, "cost": 1, "days": days, **widgets}
    return played(BOARD, given, history=base.history, base=base, label="SIMULATED: ")


def test_the_dashboard_shows_the_run_of_its_widgets(history: History, plain: Run) -> None:
    ends = (history.session("2021-06-30").date(), history.session("2023-12-29").date())
    chosen = {"k": 0.11, "lag": 3, "cost": 5, "days": ends}
    finished: Run = board(plain, **chosen)["finished"]
    costs = {"etf_bp": 10.0, "stock_bp": 25.0, "crypto_bp": 100.0}
    same = config_from(
        {
            "strategy": "near-cash-flow",
            "signals": {"dry_powder": {"k": 0.11}},
            "lag": 3,
            "costs": costs,
            "start": ends[0],
            "end": ends[1],
        }
    )
    pd.testing.assert_series_equal(finished.metrics, run(same, history).metrics)


def test_strategy_and_k_change_the_dashboard(plain: Run) -> None:
    before = board(plain)
    assert before["finished"].metrics.equals(plain.metrics)
    for widget, value in {"strategy": "cash-heavy", "k": 0.12}.items():
        after = board(plain, **{widget: value})
        assert not after["finished"].metrics.equals(plain.metrics), widget
        assert after["conclusion"] != before["conclusion"], widget
