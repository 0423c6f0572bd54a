"""Rows that differ in more than their strategy, two rows, and runs that Python has finished."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtests.config_data import config_from
from backtests.evidence.compare_runs import compare_runs
from backtests.evidence.comparing import compare
from backtests.evidence.comparison import Comparison
from backtests.evidence.luck import Logged
from backtests.history.panel import History
from backtests.pipeline import run
from backtests.report.compare_numbers import comparison_numbers
from backtests.runs import Run
from backtests.sweep.chunk import digests
from backtests.sweep.setting import Setting
from backtests.sweep.trial_log import Trials, add, other_trials
from signals.errors import ConfigError
from strategies import CashHeavy

pytestmark = pytest.mark.usefixtures("evaluated_before")

START = "2021-03-01"
ROWS: dict[str, dict[str, Any]] = {
    "plain": {"strategy": "cash-heavy", "start": "2020-06-01", "end": "2024-06-28"},
    "k": {"strategy": "cash-heavy", "start": START, "signals": {"dry_powder": {"k": 0.2}}},
    "dear": {"strategy": "cash-heavy@quantities", "lag": 3, "costs": {"etf_bp": 50.0}},
    "quick": {"strategy": "cash-heavy", "regime": {"confirm": 2}},
}
WINDOW = {"start": START, "end": "2024-06-28"}


class Redefined(CashHeavy):
    """The class that a notebook had under the same name before."""


@pytest.fixture(scope="module")
def history() -> History:
    return History.simulated(years=6)


@pytest.fixture(scope="module")
def runs(history: History) -> dict[str, Run]:
    """Return a plain run of each row on the common window."""
    return {name: run(config_from({**row, **WINDOW}), history) for name, row in ROWS.items()}


@pytest.fixture(scope="module")
def compared(history: History) -> Comparison:
    configs = {name: config_from(row) for name, row in ROWS.items()}
    return compare(configs, history, reps=20, shifts=5, draws=0)


def test_each_row_is_a_plain_run_with_its_own_settings_on_the_common_window(
    compared: Comparison, runs: dict[str, Run]
) -> None:
    assert list(compared.rows) == list(ROWS)
    for name, row in compared.rows.items():
        pd.testing.assert_frame_equal(row.run.returns, runs[name].returns)
    totals = [row.run.metrics["total_return"] for row in compared.rows.values()]
    assert len(set(totals)) == len(totals), "the settings of each row matter"


def test_a_common_window_is_said(compared: Comparison, history: History) -> None:
    assert compared.notes == (
        "the rows have different windows, so all are compared from 2021-03-01 to 2024-06-28",
    )
    alone = compare({"spy": config_from({"strategy": "spy", **WINDOW})}, history, reps=5)
    assert alone.notes == ()


def test_windows_that_do_not_overlap_are_refused(history: History) -> None:
    rows = {
        "old": config_from({"strategy": "spy", "end": "2020-12-31"}),
        "new": config_from({"strategy": "gold", "start": START}),
    }
    with pytest.raises(ConfigError, match="new starts on 2021-03-01, after old ends on 2020-12-31"):
        compare(rows, history)


def test_placebos_of_each_row_use_its_own_signals(history: History) -> None:
    """A row has the same placebos alone and beside a row with other signals."""
    configs = {name: config_from({**ROWS[name], **WINDOW}) for name in ("plain", "k")}
    both = compare(configs, history, reps=5, draws=1)
    alone = compare({"k": configs["k"]}, history, reps=5, draws=1)
    one, other = (made.rows["k"].placebo_rank.placebo for made in (both, alone))
    assert one is not None
    assert other is not None
    assert one.others.tolist() == other.others.tolist()
    plain = both.rows["plain"].placebo_rank.placebo
    assert plain is not None
    assert plain.others.tolist() != one.others.tolist()


# --- Two rows ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pair(runs: dict[str, Run]) -> Comparison:
    return compare_runs({"a": runs["plain"], "b": runs["k"]}, reps=200)


def test_two_rows_have_the_difference_of_their_returns(
    pair: Comparison, runs: dict[str, Run]
) -> None:
    found = pair.pair
    assert found is not None
    first, second = runs["plain"].result.returns, runs["k"].result.returns
    assert (found.first, found.second) == ("a", "b")
    assert found.excess.estimate == pytest.approx(252 * (first - second).mean(), rel=1e-9)
    assert found.excess.low < found.excess.estimate < found.excess.high
    bills = runs["plain"].bills
    sharpes = [(r - bills).mean() / (r - bills).std() * np.sqrt(252) for r in (first, second)]
    assert found.sharpe.estimate == pytest.approx(sharpes[0] - sharpes[1], rel=1e-6)
    assert found.test is not None
    assert found.test.estimate == pytest.approx(sharpes[0] - sharpes[1], rel=1e-2)


def test_the_numbers_have_the_pair_in_the_first_row(pair: Comparison, compared: Comparison) -> None:
    numbers = comparison_numbers(pair)
    said = numbers["a"]["pair"]
    assert said["against"] == "b"
    assert said["settings"] == [{"path": "dry_powder.k", "first": 0.09, "second": 0.2}]
    assert pair.pair is not None
    assert said["excess"]["low"] == pair.pair.excess.low
    assert numbers["b"]["pair"] is None
    assert numbers["b"]["settings"] == [{"path": "dry_powder.k", "first": 0.2, "second": 0.09}]
    assert all(entry["pair"] is None for entry in comparison_numbers(compared).values())


# --- In Python ---------------------------------------------------------------------------------


def test_finished_runs_are_compared_on_their_common_sessions(
    history: History, runs: dict[str, Run]
) -> None:
    longer = run(config_from({"strategy": "cash-heavy", "start": "2020-06-01"}), history)
    made = compare_runs([longer, runs["k"]], reps=20)
    assert list(made.rows) == ["cash-heavy (dry_powder.k 0.09)", "cash-heavy (dry_powder.k 0.2)"]
    first = next(iter(made.rows.values()))
    pd.testing.assert_frame_equal(first.run.returns, runs["plain"].returns)
    assert "from 2021-03-01 to 2024-06-28" in made.notes[0]
    assert list(made.metrics) == list(made.rows)
    assert made.metrics.loc["sharpe"].notna().all()


def test_a_comparison_prints_its_rows_and_its_conclusion(pair: Comparison) -> None:
    text = " ".join(repr(pair).split())
    assert text.startswith("SIMULATED: Comparison of 2 rows")
    assert "a minus b: " in text


def test_a_comparison_of_one_run_has_one_row(runs: dict[str, Run]) -> None:
    assert repr(compare_runs([runs["plain"]], reps=20)).startswith(
        "SIMULATED: Comparison of 1 row: "
    )


@pytest.mark.parametrize("wrong", [-1, "9", 2.5, True])
@pytest.mark.parametrize("name", ["draws", "workers"])
def test_a_wrong_number_gets_one_line(runs: dict[str, Run], name: str, wrong: Any) -> None:
    said = f"^{name}: expected a whole number of at least 0, was {wrong!r}$"
    with pytest.raises(ConfigError, match=said):
        compare_runs([runs["plain"]], reps=20, **{name: wrong})


def test_runs_that_cannot_be_compared_are_refused(history: History, runs: dict[str, Run]) -> None:
    with pytest.raises(ConfigError, match="found none"):
        compare_runs([])
    with pytest.raises(ConfigError, match="run 1: expected a finished run, was 'a'"):
        compare_runs(["a"])  # type: ignore[list-item]
    with pytest.raises(ConfigError, match="the decisions of b come from a walk-forward"):
        compare_runs({"a": runs["plain"], "b": replace(runs["k"], spliced=True)})
    with pytest.raises(ConfigError, match="cash-heavy is given twice; leave one out"):
        compare_runs([runs["plain"], runs["plain"]])
    other = replace(history, closes=history.closes * 2)
    with pytest.raises(ConfigError, match="the prices of b differ from those of a"):
        compare_runs({"a": runs["plain"], "b": replace(runs["k"], history=other)})
    with pytest.raises(ConfigError, match="the prices of run 2 differ from those of run 1"):
        compare_runs([runs["plain"], replace(runs["plain"], history=other)])
    real = replace(history, source="store")
    with pytest.raises(ConfigError, match="the prices of b differ from those of a"):
        compare_runs({"a": runs["plain"], "b": replace(runs["k"], history=real)})
    revised = replace(history, panel=history.panel.assign(WALCL=history.panel["WALCL"] * 2))
    with pytest.raises(ConfigError, match="the series of b differ from those of a"):
        compare_runs({"a": runs["plain"], "b": replace(runs["k"], history=revised)})
    redefined = replace(runs["k"], strategy=Redefined())
    with pytest.raises(ConfigError, match="b to use the current class of cash-heavy, but"):
        compare_runs({"a": runs["plain"], "b": redefined})
    early = run(config_from({"strategy": "spy", "end": "2020-12-31"}), history)
    with pytest.raises(ConfigError, match="at least 21 common sessions, found 0"):
        compare_runs({"a": runs["plain"], "b": early})


def test_a_row_without_a_regime_on_some_sessions_says_so(runs: dict[str, Run]) -> None:
    one = runs["plain"]
    regime = one.reading.regime.copy()
    regime.loc[one.sessions[:30]] = None
    blind = replace(one, reading=replace(one.reading, regime=regime))
    made = compare_runs({"plain": one, "blind": blind}, reps=20)
    count = f"{len(one.sessions):,}"
    assert made.notes == (f"blind: no regime is known on 30 of {count} sessions",)


def test_the_regime_of_a_comparison_is_the_one_by_votes(runs: dict[str, Run]) -> None:
    made = compare_runs({"dear": runs["dear"], "plain": runs["plain"]}, reps=20)
    pd.testing.assert_series_equal(made.regime, runs["plain"].reading.regime)


# --- The trial log -----------------------------------------------------------------------------


def test_a_row_that_is_a_logged_trial_counts_once(
    runs: dict[str, Run], tmp_path: Any, history: History
) -> None:
    """Before, compare counted such a row twice: as a row, and as a logged trial."""
    store = tmp_path / "mine.duckdb"
    real = replace(history, source="store")
    mine = {
        name: replace(one, history=real, config=one.config.model_copy(update={"store": store}))
        for name, one in runs.items()
    }
    same = digests([Setting.of(runs["plain"].config)], runs["plain"].sessions)
    trials = Trials(
        sweep="s",
        strategy="cash-heavy",
        data="d",
        sessions=100,
        effective=1.5,
        trials=[*same, "another", "third"],
        sharpes=np.array([0.1, 0.2, 0.3]),
    )
    add(store, trials)
    log = other_trials(mine["k"], mine["plain"])
    assert log.sharpes.tolist() == [0.2, 0.3]
    assert log.effective == pytest.approx(1.5)
    assert len(other_trials(mine["k"]).sharpes) == 3
    here = mine["k"]
    assert len(other_trials(replace(here, history=history)).sharpes) == 0, "a simulated history"


def test_the_log_is_asked_for_the_trials_that_are_no_row(history: History) -> None:
    asked: list[Run] = []

    def log(*found: Run) -> Logged:
        asked.extend(found)
        return Logged(sharpes=np.array([0.4, 0.5]), effective=2.0)

    configs = {name: config_from({"strategy": name, **WINDOW}) for name in ("spy", "gold")}
    made = compare(configs, history, reps=5, draws=0, log=log)
    assert [one.config.strategy for one in asked] == ["spy", "gold"]
    assert made.luck.rows["spy"].logged_trials == 2
    assert made.luck.rows["spy"].deflation.trials == 4
