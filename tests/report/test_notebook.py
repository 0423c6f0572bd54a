"""What a notebook shows of a history, a run, an assessment and a trial."""

import copy
import json
import pickle
import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import signals
from backtests import (
    History,
    Run,
    assess,
    compare_runs,
    config_from,
    metrics_table,
    plot_reading,
    run,
)
from backtests.cli.app import command
from backtests.evidence.luck import Logged
from backtests.report.folder import FILES
from backtests.thesis.claims import CLAIMS
from backtests.thesis.trial import Trial, try_claims
from backtests.today import Plan, Today, make_plan
from signals.errors import ConfigError, DataError, MissingSeries
from signals.explanation import explain, explain_all
from signals.summary import Summarised

TERMS = {"strategy": "near-cash-flow", "source": "simulated", "years": 6}
#: plotly gives each chart of a page a random id.
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PRIMARY = [claim for claim in CLAIMS if claim.primary]


@pytest.fixture(scope="module")
def history() -> History:
    return History.simulated(years=6)


@pytest.fixture(scope="module")
def finished(history: History) -> Run:
    return run(config_from(TERMS), history)


@pytest.fixture(scope="module")
def trial(history: History) -> Trial:
    return try_claims(history, PRIMARY)


# --- short forms ----------------------------------------------------------------------------------


def planned(finished: Run) -> tuple[Plan, Today]:
    """Return the plan of a run's strategy, and its decision at the end with orders."""
    plan = make_plan(finished.config, finished.history, finished.reading)
    return plan, plan.at(finished.history.panel.index[-1], {"SPY": 40, "CASH": 50_000})


def parts_of_results(history: History, finished: Run, trial: Trial) -> list[Summarised]:
    """Return the parts of an assessment, a trial and a comparison that a user looks at."""
    assessment = assess(finished, robustness=False)
    spy = run(config_from({**TERMS, "strategy": "spy"}), history)
    pair = compare_runs([finished, spy], reps=20).pair
    assert pair is not None
    estimates = [verdict.estimate for verdict in trial.verdicts if verdict.estimate is not None]
    return [assessment.luck, assessment.timing, pair, *trial.verdicts, *estimates]


def test_a_decision_shows_its_targets_and_that_it_has_orders(finished: Run) -> None:
    plan, today = planned(finished)
    assert today.orders is not None
    assert f"orders         {len(today.orders)}, see .orders" in repr(today)
    assert f"target         SPY {100 * today.target['SPY']:.1f} %, " in repr(today)
    assert f"CASH {100 - 100 * today.target.sum():.1f} %\n" in repr(today)
    assert f"{len(plan.decided)}, the last on {plan.decided[-1].date()}" in repr(plan)
    assert plan != planned(finished)[0]


def test_every_result_prints_a_few_lines_that_fit_a_terminal(
    history: History, finished: Run, trial: Trial
) -> None:
    evaluations = finished.reading.evaluations
    results: list[Summarised] = [
        *(history, finished, finished.reading, assess(finished, robustness=False), trial),
        *(finished.result, *evaluations.values()),
        *explain_all(evaluations, history.panel, history.known).values(),
        *planned(finished),
        *parts_of_results(history, finished, trial),
    ]
    for result in results:
        lines = repr(result).splitlines()
        assert len(lines) <= 13, type(result)
        assert max(map(len, lines)) < 80, type(result)
        assert all(line.split()[0] in unescape(result._repr_html_()) for line in lines)


def test_simulated_results_say_so_in_text_and_html(
    history: History, finished: Run, trial: Trial
) -> None:
    results = (history, finished, assess(finished, robustness=False), trial, *planned(finished))
    for result in results:
        assert repr(result).startswith("SIMULATED: ")
        assert "SIMULATED: " in result._repr_html_()


def test_real_results_are_not_called_simulated(history: History) -> None:
    assert "SIMULATED" not in repr(replace(history, source="store"))


def test_a_run_shows_its_headline_numbers_beside_the_benchmarks(finished: Run) -> None:
    said = repr(finished)
    for key in ("cagr", "max_drawdown", "exposure"):
        assert f"{100 * finished.metrics[key]:.1f} %" in said
    assert f"Sharpe            {finished.metrics['sharpe']:.2f}; SPY " in said
    assert finished.run_id in said


def test_a_run_below_a_year_shows_no_yearly_number(history: History) -> None:
    short = run(config_from({**TERMS, "start": "2024-06-03"}), history)
    assert "CAGR" not in repr(short)
    assert f"{100 * short.metrics['total_return']:.1f} %; SPY" in repr(short)
    assert pd.isna(short.metrics["cagr"])


def test_a_run_says_on_how_many_sessions_no_regime_is_known(history: History) -> None:
    blind = run(config_from({**TERMS, "start": history.panel.index[5].date()}), history)
    unknown = int(blind.reading.regime.loc[blind.sessions].isna().sum())
    said = f"no regime is known on {unknown} of {len(blind.sessions):,} sessions"
    assert unknown > 0
    for result in (blind, assess(blind, robustness=False)):
        assert re.search(rf"\n  note +{said}\n", repr(result))
    compared = " ".join(repr(compare_runs([blind], draws=9)).split())
    assert f" notes near-cash-flow: {said}" in compared


def test_an_assessment_says_how_many_episodes_it_has(finished: Run) -> None:
    assessment = assess(finished, robustness=False)
    assert f"{assessment.absorption.episodes} of ABSORPTION" in repr(assessment)
    assert ("too few" in repr(assessment)) == assessment.inconclusive
    assert "left out" in repr(assessment)


def test_a_trial_shows_each_primary_claim_with_its_verdict(trial: Trial) -> None:
    said = repr(trial)
    for claim in PRIMARY:
        assert f"{claim.name} " in said
        assert trial.of(claim.name).outcome in said


def test_a_trial_of_one_claim_counts_one_claim(history: History) -> None:
    assert repr(try_claims(history, PRIMARY[:1])).startswith("SIMULATED: Trial of 1 claim: ")


def test_a_verdict_shows_its_claim_its_reason_and_its_estimate(trial: Trial) -> None:
    verdict = next(each for each in trial.verdicts if each.estimate is not None)
    assert verdict.estimate is not None
    said = " ".join(repr(verdict).split())
    for part in (verdict.claim.statement, verdict.reason, verdict.estimate.said()):
        assert " ".join(part.split()) in said
    assert f"outcome {verdict.outcome} " in said


def test_a_configuration_shows_the_settings_that_were_chosen() -> None:
    config = config_from({"strategy": "spy", "lag": 2, "costs": {"etf_bp": 2.0}})
    assert repr(config) == "RunConfig(strategy='spy', lag=2)"


def test_a_history_counts_series_and_prices(history: History) -> None:
    blind = history.panel.assign(SPY=float("nan"))
    before, after = repr(history), repr(replace(history, panel=blind))
    count = len(history.closes.columns)
    assert f"{count}, of which {count} have a value at the last session\n" in before
    assert f"{count - 1}, of which {count - 1} have a value at the last session; 1 without" in after


def test_an_explanation_says_in_words_what_was_known_and_what_flips_the_flag(
    history: History, finished: Run
) -> None:
    evaluation = finished.reading.evaluations["dry_powder"]
    said = explain(evaluation, history.panel, history.panel.index[-1], history.known)
    lines = dict(line.strip().split(maxsplit=1) for line in repr(said).splitlines()[1:5])
    share = evaluation.gauges["share"].iloc[-1]
    assert lines["value"].startswith(f"{share:.3g} % of GDP; at or above ")
    assert lines["score"] == f"{evaluation.score.iloc[-1]:.3g} σ"
    assert lines["flag"] == f"off since {said.since:%Y-%m-%d}"
    assert lines["flips"] == f"share below 1 % of GDP; now {share:.3g} % of GDP"
    assert f"GDP {history.known['GDP'].iloc[-1]:%Y-%m-%d}" in " ".join(repr(said).split())


def test_an_explanation_without_a_view_says_why(history: History, finished: Run) -> None:
    evaluation = finished.reading.evaluations["opportunity"]
    said = repr(explain(evaluation, history.panel, history.panel.index[10]))
    assert re.search(r"flag +no view\n +reason +no estimate yet, or too little history", said)


# --- immutable results ----------------------------------------------------------------------------


def test_a_changed_table_leaves_the_run_unchanged(finished: Run) -> None:
    reading = finished.reading
    tables = {
        "weights": (finished, "cash"),
        "orders": (finished, "usd"),
        "flags": (reading, "mine"),
        "scores": (reading, "mine"),
        "votes": (reading, "mine"),
    }
    for name, (owner, column) in tables.items():
        before, table = getattr(owner, name).copy(), getattr(owner, name)
        table[column] = 1.0
        table.iloc[:, 0] = table.iloc[0, 0]
        pd.testing.assert_frame_equal(getattr(owner, name), before)
    said, numbers = repr(finished), finished.metrics
    numbers["cagr"] = 9.0
    assert repr(finished) == said
    assert assess(finished, robustness=False).attribution is not None


def test_results_are_equal_only_to_themselves(history: History, finished: Run) -> None:
    again = replace(finished)
    assert finished in [again, finished]
    assert finished != again
    assert {history: 1, finished: 2, finished.reading: 3, finished.result: 4}[finished] == 2
    assert replace(history) != history


def test_a_run_survives_pickle(finished: Run) -> None:
    copied = pickle.loads(pickle.dumps(finished))
    assert copied.run_id == finished.run_id
    pd.testing.assert_frame_equal(copied.returns, finished.returns)
    value, expected = (run.result.portfolio.value() for run in (copied, finished))
    pd.testing.assert_series_equal(value, expected)


def test_a_reading_and_a_trial_survive_pickle(history: History, trial: Trial) -> None:
    for result in (signals.read(history.panel), trial):
        assert repr(pickle.loads(pickle.dumps(result))) == repr(result)
        assert repr(copy.deepcopy(result)) == repr(result)


def test_a_run_without_trades_survives_pickle(history: History) -> None:
    idle = run(config_from({"strategy": "bills", "start": "2022-01-03"}), history)
    copied = pickle.loads(pickle.dumps(idle))
    pd.testing.assert_series_equal(copied.result.equity, idle.result.equity)
    assert copied.result.portfolio.value().iloc[-1] == pytest.approx(idle.result.equity.iloc[-1])


# --- numbers and files ----------------------------------------------------------------------------


def metrics_in(folder: Path) -> dict[str, Any]:
    """Return the numbers of metrics.json in the folder of a run."""
    return dict(json.loads((folder / "metrics.json").read_text()))


@pytest.mark.usefixtures("uncharted")
def test_a_saved_run_is_what_the_command_writes(
    finished: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved, written = tmp_path / "saved", tmp_path / "written"
    assert finished.save(saved, robustness=False) == saved
    config = str(saved / "config.toml")
    assert command(["run", "--config", config, "--no-robustness", "--out", str(written)]) == 0
    capsys.readouterr()
    assert {path.name for path in saved.iterdir()} == set(FILES)
    for name in FILES:
        ours, theirs = ((folder / name).read_text() for folder in (saved, written))
        assert UUID.sub("", ours) == UUID.sub("", theirs), name


@pytest.mark.usefixtures("uncharted")
def test_metrics_are_the_numbers_of_metrics_json(finished: Run, tmp_path: Path) -> None:
    side = metrics_in(finished.save(tmp_path / "out", robustness=False))["strategy"]
    numbers = {key: value for key, value in side.items() if isinstance(value, int | float)}
    assert finished.metrics.dtype == "float64"
    assert finished.metrics.to_dict() == numbers
    assert {"cagr", "sharpe", "max_drawdown", "costs", "orders"} <= numbers.keys()


@pytest.mark.usefixtures("uncharted")
def test_save_counts_the_trials_in_the_log_of_the_runs_store(
    finished: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Logged(sharpes=np.array([0.1, 0.2, 0.3]), effective=2.0)
    monkeypatch.setattr("backtests.sweep.trial_log.other_trials", lambda run: log)
    luck = metrics_in(finished.save(tmp_path / "out", robustness=False))["luck"]
    assert (luck["trials"], luck["logged_trials"]) == (4, 3)


def test_a_run_of_a_walk_forward_is_not_saved_as_a_plain_run(finished: Run, tmp_path: Path) -> None:
    spliced = replace(finished, spliced=True)
    with pytest.raises(ConfigError, match=r"was the walk-forward .*; save its tables"):
        spliced.save(tmp_path / "out", robustness=False)
    assert not (tmp_path / "out").exists()
    assert spliced.run_id != finished.run_id
    other = replace(spliced, decided=0.5 * spliced.decided)
    assert other.run_id != spliced.run_id


@pytest.mark.parametrize("runs", [[1], {"a": "run"}, "run"])
def test_a_table_of_what_are_no_runs_is_refused(runs: Any) -> None:
    with pytest.raises(ConfigError, match="expected a mapping from headings to finished runs"):
        metrics_table(runs)


@pytest.mark.usefixtures("uncharted")
def test_a_saved_comparison_is_a_page_or_lies_in_a_folder(finished: Run, tmp_path: Path) -> None:
    compared = compare_runs([finished], reps=20)
    compared.save(tmp_path / "mine.html")
    compared.save(tmp_path / "new" / "folder")
    pages = (tmp_path / "mine.html", tmp_path / "new" / "folder" / "compare.html")
    ours, theirs = (UUID.sub("", page.read_text()) for page in pages)
    assert ours == theirs


def test_save_refuses_other_kinds_of_files(finished: Run, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"expected page to be a folder or an \.html file, was"):
        compare_runs([finished], reps=20).save(tmp_path / "page.pdf")
    with pytest.raises(ConfigError, match=r"expected folder to be a folder .*; remove \.html$"):
        finished.save(tmp_path / "run.html", robustness=False)
    assert list(tmp_path.iterdir()) == []


def test_save_refuses_a_folder_with_other_files(finished: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(DataError, match=r"another folder$"):
        finished.save(tmp_path, robustness=False)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_tables_survive_parquet(finished: Run, tmp_path: Path) -> None:
    """Parquet does not store an index's frequency, and pandas reads strings back as ``str``."""
    reading = finished.reading
    tables = {
        "returns": finished.returns,
        "weights": finished.weights,
        "orders": finished.orders,
        "metrics": finished.metrics.to_frame(),
        "panel": finished.history.panel,
        "known": finished.history.known,
        "closes": finished.history.closes,
        "withheld": finished.history.withheld,
        "flags": reading.flags,
        "scores": reading.scores,
        "regime": reading.regime.to_frame(),
        "rules": pd.concat({"rule": reading.rule, "by": reading.decided_by}, axis=1),
        **{name: evaluation.gauges for name, evaluation in reading.evaluations.items()},
    }
    for name, table in tables.items():
        table.to_parquet(tmp_path / f"{name}.parquet")
        back = pd.read_parquet(tmp_path / f"{name}.parquet")
        texts = {column: "str" for column in table if table[column].dtype == object}
        pd.testing.assert_frame_equal(back, table.astype(texts), check_freq=False, obj=name)


# --- charts ---------------------------------------------------------------------------------------


def test_a_run_plots_growth_drawdown_and_regime(finished: Run) -> None:
    figure = finished.plot()
    assert figure.layout.title.text.startswith("SIMULATED: near-cash-flow")
    growth = {trace.name: trace.y for trace in figure.data if trace.yaxis == "y" and trace.y}
    assert growth["SPY"][-1] == pytest.approx((1 + finished.benchmark).prod(), rel=1e-5)
    ours = 1 + finished.metrics["total_return"]
    assert growth["near-cash-flow"][-1] == pytest.approx(ours, rel=1e-5)


def test_a_run_plots_a_signal_with_its_inputs(finished: Run) -> None:
    figure = finished.plot("dry_powder")
    assert figure.layout.title.text == "SIMULATED: dry_powder: shaded while the flag is on"
    assert {"WRESBAL", "GDP"} <= {trace.name for trace in figure.data}


def test_an_unknown_signal_names_the_nearest(finished: Run) -> None:
    with pytest.raises(ConfigError, match="did you mean 'dry_powder'"):
        finished.plot("dry_power")


def test_a_reading_is_plotted_with_the_label_of_its_history(
    finished: Run, history: History
) -> None:
    figure = plot_reading(finished.reading, history)
    assert figure.layout.title.text.startswith("SIMULATED: ")
    assert len({trace.y[0] for trace in figure.data if trace.type == "heatmap"}) == 1 + len(
        finished.reading.evaluations
    )
    real = plot_reading(finished.reading, replace(history, source="store"))
    assert real.layout.title.text == "Regime and flags at each close"


def test_a_reading_of_another_history_is_refused(finished: Run, history: History) -> None:
    with pytest.raises(ConfigError, match="give the history of the reading"):
        plot_reading(finished.reading, history.until("2023-12-29"))


def test_a_history_plots_what_was_known_with_a_row_for_each_unit(history: History) -> None:
    figure = history.plot("WALCL", "WRESBAL", "SPY")
    assert {trace.name: trace.yaxis for trace in figure.data} == {
        "WALCL": "y",
        "WRESBAL": "y",
        "SPY": "y2",
    }
    assert figure.data[0].y[-1] == pytest.approx(history.panel["WALCL"].iloc[-1], rel=1e-5)
    assert figure.layout.title.text.startswith("SIMULATED: WALCL")


@pytest.mark.parametrize(
    ("ids", "error", "said"),
    [
        (("WALCLL",), MissingSeries, "did you mean 'WALCL'"),
        ((), ConfigError, "expected 1 to 12 ids"),
        (("SPY",) * 13, ConfigError, "was 13"),
    ],
)
def test_wrong_ids_are_refused_in_one_line(
    history: History, ids: tuple[str, ...], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said) as raised:
        history.plot(*ids)
    assert "\n" not in str(raised.value)


def test_a_series_without_a_value_is_refused(history: History) -> None:
    blind = replace(history, panel=history.panel.assign(WALCL=float("nan")))
    with pytest.raises(MissingSeries, match="import or fetch WALCL"):
        blind.plot("WALCL")


# --- runs side by side ----------------------------------------------------------------------------


def test_the_table_shows_runs_beside_the_benchmark(finished: Run) -> None:
    table = metrics_table({"mine": finished})
    assert list(table) == ["mine", "SPY"]
    assert table.index.name == "SIMULATED: metric"
    assert table.loc["Sharpe, over bills", "mine"] == f"{finished.metrics['sharpe']:.2f}"
    assert (
        table.loc["Maximum drawdown", "mine"] == f"{100 * finished.metrics['max_drawdown']:.2f} %"
    )
    years = len(finished.benchmark) / 252
    growth = float(np.prod(1 + finished.benchmark)) ** (1 / years) - 1
    assert table.loc["CAGR", "SPY"] == f"{100 * growth:.2f} %"
    assert table.loc["Turnover, a year", "SPY"] == "–"
    real = replace(finished, history=replace(finished.history, source="store"))
    assert metrics_table({"real": real, "mine": finished}).index.name == "SIMULATED: metric"


def test_a_table_needs_a_run() -> None:
    with pytest.raises(ConfigError, match="expected at least one run"):
        metrics_table({})
