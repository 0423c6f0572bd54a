"""Show results in a notebook: tables of metrics, charts, and summaries with metrics.

The methods of results, such as :meth:`backtests.Run.plot`, call these functions. The function
:func:`plot_reading` draws a reading. A reading has no method that draws a chart, because the
package ``signals`` must not import ``backtests``.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from backtests.evidence import metrics
from backtests.evidence.assessment import Assessment, assess, growth_of_run
from backtests.evidence.comparison import Comparison
from backtests.evidence.entries import acted_on, unknown_said
from backtests.format import Form, fixed, interval, percent_unit
from backtests.history.panel import History
from backtests.plural import number_of
from backtests.report.compare_numbers import comparison_numbers
from backtests.report.compare_page import joined_notes, write_comparison
from backtests.report.compare_words import conclusion, figures_said
from backtests.report.notebook_charts import (
    equity_chart,
    regime_chart,
    signal_chart,
    values_chart,
)
from backtests.report.out import check_out, page_of
from backtests.report.theme import MOST_LINES
from backtests.runs import Run
from backtests.simulated import label_of
from signals.errors import ConfigError, MissingSeries, shown, unknown
from signals.evaluations import inputs_of
from signals.reading import Reading
from signals.summary import Summary, described

#: Metrics of :func:`metrics_table`.
TABLE = (
    *("total_return", "cagr", "volatility", "sharpe", "max_drawdown", "beta", "exposure"),
    *("turnover", "costs"),
)


def plot_run(run: Run, signal: str | None) -> Any:
    """Return the chart of :meth:`Run.plot`."""
    if signal is not None:
        return plot_reading(run.reading, run.history, signal)
    names = {"strategy": run.label, "benchmark": run.config.benchmark}
    growth = growth_of_run(run).rename(columns=names)
    title = (
        f"{label_of(run.simulated)}{run.label}: drawdown and growth of 1, "
        "shaded by the regime of each return"
    )
    return equity_chart(growth, acted_on(run.reading.regime, run.config.lag), title)


def plot_reading(reading: Reading, history: History, signal: str | None = None) -> Any:
    """Return a plotly figure of a reading: the regime and all flags, or one signal.

    A signal is drawn with its thresholds, its flag and its inputs. ``history`` is the history of
    the reading. The title says whether ``history`` is simulated.

    Raises
    ------
    ConfigError
        The reading lacks the signal, the history lacks sessions of the reading, or an argument has
        a wrong type.
    """
    if not isinstance(reading, Reading) or not isinstance(history, History):
        raise ConfigError(
            f"expected a reading and its history, was {shown(reading)} and {shown(history)}; write "
            "it like plot_reading(run.reading, run.history)"
        )
    label, evaluations = label_of(history.is_simulated), reading.evaluations
    if not reading.regime.index.isin(history.panel.index).all():
        raise ConfigError(
            f"expected the history of the reading ({described(reading.regime.index)}), was another "
            f"history ({described(history.panel.index)}); give the history of the reading"
        )
    if signal is None:
        return regime_chart(reading, f"{label}Regime and flags at each close")
    if not isinstance(signal, str) or signal not in evaluations:
        raise ConfigError(unknown("signal", signal, evaluations))
    among = {name: evaluation.signal for name, evaluation in evaluations.items()}
    inputs = history.panel.reindex(columns=list(inputs_of(among[signal], among)))
    return signal_chart(
        evaluations[signal], inputs, f"{label}{signal}: shaded while the flag is on"
    )


def plot_history(history: History, ids: Sequence[str]) -> Any:
    """Return the chart of :meth:`History.plot`."""
    if not 0 < len(ids) <= MOST_LINES:
        raise ConfigError(
            f"expected 1 to {MOST_LINES} ids to plot, was {len(ids)}; give ids such as 'WALCL'"
        )
    for id in ids:
        if not isinstance(id, str):
            raise ConfigError(
                f"expected ids to plot, was {shown(id)}; write them like history.plot('WALCL', "
                "'SPY')"
            )
        if id not in history.panel:
            raise MissingSeries(unknown("series or ticker", id, history.panel.columns))
        if history.panel[id].isna().all():
            raise MissingSeries(
                f"expected values of {id} in the history, found none; import or fetch {id}"
            )
    title = f"{label_of(history.is_simulated)}{', '.join(ids)}: as known at each close"
    return values_chart(history.panel[list(dict.fromkeys(ids))], title)


def numbers_of_run(run: Run) -> pd.Series:
    """Return the metrics of :attr:`Run.metrics`."""
    numbers = {
        name: value for name, value in metrics.of_run(run).items() if isinstance(value, int | float)
    }
    return pd.Series(numbers, name=run.label, dtype="float64")


def save_run(run: Run, folder: Path, *, robustness: bool) -> Path:
    """Write the files of :meth:`Run.save`."""
    from backtests.report.folder import check_folder, write_run
    from backtests.sweep.trial_log import other_trials

    if run.spliced:
        raise ConfigError(
            "expected a run that can be repeated from its configuration, was the walk-forward "
            f"{run.label}; save its tables, such as run.returns"
        )
    check_out(folder, "folder")
    check_folder(folder, run.label)
    write_run(assess(run, robustness=robustness, log=other_trials(run)), folder)
    return folder


def summary_of_run(run: Run) -> Summary:
    """Return a summary of a run: the headline numbers of the run and of the benchmark."""
    return Summary(title=_title("Run", run), facts=_facts(run))


def summary_of_assessment(assessment: Assessment) -> Summary:
    """Return a summary of an assessment: facts about its run and about its tests."""
    run, cases = assessment.run, assessment.robustness
    few = "; too few for a conclusion about timing" if assessment.inconclusive else ""
    facts = {
        "episodes": f"{assessment.absorption.episodes} of ABSORPTION{few}",
        "regime at the end": str(run.reading.regime.fillna("none").iloc[-1]),
        "robustness": "left out" if cases is None else f"{len(cases.by_choice)} cases",
    }
    return Summary(title=_title("Assessment", run), facts=_facts(run) | facts)


def _title(what: str, run: Run) -> str:
    return f"{label_of(run.simulated)}{what} of {run.label}: {described(run.sessions)}"


def _facts(run: Run) -> dict[str, str]:
    """Return a run's headline numbers; a run shorter than a year has no yearly numbers."""
    beside = metrics.of_returns(run.benchmark, run.bills, run.benchmark)

    def both(key: str, form: Form) -> str:
        value = beside[key]
        other = float(value) if isinstance(value, float) else None
        return f"{form(run.metrics[key])}; {run.config.benchmark} {form(other)}"

    if metrics.is_short(run.result.returns):
        growth = {"total return": both("total_return", percent_unit)}
    else:
        growth = {"CAGR": both("cagr", percent_unit), "Sharpe": both("sharpe", fixed)}
    return {
        **growth,
        "maximum drawdown": both("max_drawdown", percent_unit),
        "exposure": f"{percent_unit(run.metrics['exposure'])} on average outside cash",
        "decided with": f"regime model {run.config.regime_model}, lag {run.config.lag}",
        **({"note": note} if (note := unknown_said(run)) else {}),
        "run id": run.run_id,
    }


def summary_of_comparison(comparison: Comparison) -> Summary:
    """Return a summary of a comparison: its conclusion, its notes, and a line for each row."""
    numbers = comparison_numbers(comparison)
    run = next(iter(comparison.rows.values())).run
    counted = number_of(len(numbers), "row")
    title = f"{label_of(run.simulated)}Comparison of {counted}: {described(run.sessions)}"
    rows = {
        name: figures_said(entry, interval(entry["intervals"]["sharpe"], fixed))
        for name, entry in numbers.items()
    }
    notes = {"notes": "; ".join(joined_notes(comparison.notes))} if comparison.notes else {}
    facts = {**rows, "conclusion": " ".join(conclusion(numbers)), **notes}
    return Summary(title=title, facts=facts)


def save_comparison(comparison: Comparison, page: Path) -> None:
    """Write the page of :meth:`Comparison.save`."""
    write_comparison(comparison, page_of(page, "compare.html", "page"))


def metrics_table(runs: Mapping[str, Run]) -> pd.DataFrame:
    """Return a table with the metrics of several runs as texts.

    Parameters
    ----------
    runs
        A mapping from column heading to finished run, with at least one run.

    Returns
    -------
    A table with a row for each metric and a column for each run. The labels of the rows are the
    labels of the tearsheet. The last column is the benchmark of the first run, and covers the
    sessions of the first run. If the benchmark's name is the heading of a run, the benchmark has no
    column. An undefined metric is a dash. For example, a run shorter than a year has no yearly
    metrics. If any history is simulated, the name of the index begins with SIMULATED.

    Raises
    ------
    ConfigError
        ``runs`` is empty, or is not a mapping from headings to finished runs.
    """
    from backtests.report.tearsheet_tables import ROWS

    if not runs:
        raise ConfigError("expected at least one run for a table, found none; give one")
    if not isinstance(runs, Mapping) or not all(isinstance(x, Run) for x in runs.values()):
        raise ConfigError(
            f"expected a mapping from headings to finished runs, was {shown(runs)}; pass "
            "{'mine': run}"
        )
    first = next(iter(runs.values()))
    beside = metrics.of_returns(first.benchmark, first.bills, first.benchmark)
    columns = {name: metrics.of_run(run) for name, run in runs.items()}
    columns.setdefault(first.config.benchmark, beside)
    label = label_of(any(run.simulated for run in runs.values()))
    rows = [metric for metric in ROWS if metric.key in TABLE]
    cells = {
        name: [metric.form(numbers.get(metric.key)) for metric in rows]
        for name, numbers in columns.items()
    }
    labels = pd.Index([metric.label for metric in rows], name=f"{label}metric")
    return pd.DataFrame(cells, index=labels)
