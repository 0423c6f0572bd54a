"""The tearsheet of a run: the verdict first, then growth, metrics, tests of luck, and details.

Most numbers come from ``metrics.json``. Three parts come from the assessment: the charts of growth,
votes and returns; the votes at the last session; the measures of idle capital. The module does not
draw charts.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from backtests.evidence.assessment import Assessment
from backtests.evidence.entries import QUARTER, observed_said
from backtests.evidence.settings import strategy_said
from backtests.history.origin import stale_warning
from backtests.report.flags_charts import flags_timeline
from backtests.report.luck_section import luck_section, timing_p_said
from backtests.report.page import page, render
from backtests.report.quantstats_plots import quantstats_plots
from backtests.report.tearsheet_charts import growth_chart
from backtests.report.tearsheet_numbers import LEFT_OUT, notes_of
from backtests.report.tearsheet_tables import tables_of
from backtests.report.tearsheet_words import conclusion_said, in_one_regime, strip
from backtests.runs import Run
from backtests.simulated import label_of
from signals.universe import HINDSIGHT


def write_tearsheet(assessment: Assessment, numbers: dict[str, Any], path: Path) -> None:
    """Write one self-contained page.

    ``numbers`` is the content of ``metrics.json``. Three parts come from ``assessment``: the charts
    of growth, votes and returns; the votes at the last session; the measures of idle capital.
    """
    run = assessment.run
    title = f"{label_of(run.simulated)}{run.label}"
    path.write_text(page(title, _section(assessment, numbers)), encoding="utf-8")


def _varies(returns: pd.Series) -> bool:
    """Return whether returns vary enough for quantstats, which fails on constant returns."""
    return len(returns) > 20 and float(returns.std()) > 1e-5


def _section(assessment: Assessment, numbers: dict[str, Any]) -> str:
    run = assessment.run
    return render(
        "tearsheet.html.j2",
        run=numbers["run"],
        conclusion=conclusion_said(numbers),
        answers=strip(numbers),
        contents=_contents(numbers),
        line=strategy_said(run.strategy),
        model=_model(run.config.regime_model),
        link=run.strategy.link,
        stale=stale_warning(run.history) if run.config.end is None else None,
        in_one_regime=in_one_regime(numbers),
        left_out=LEFT_OUT if assessment.robustness is None else None,
        notes=notes_of(assessment.run),
        hindsight=HINDSIGHT,
        observed=observed_said(assessment.absorption, assessment.own_states),
        quarter=QUARTER,
        luck=luck_section(numbers),
        timing_p=timing_p_said(numbers["conclusion"]),
        **_charts(assessment),
        **tables_of(assessment, numbers),
    )


def _model(name: str) -> str:
    """Return a regime model other than ``votes`` in words."""
    return "the user's own labels" if name == "labels" else f"the model {name}"


def _charts(assessment: Assessment) -> dict[str, Any]:
    run = assessment.run
    label = label_of(run.simulated)
    growth = f"{label}Growth of 1, drawdown, holdings and trades"
    flags = "votes" if run.config.regime_model == "votes" else "flags"
    reading = run.reading.since(run.result.equity.index[0])
    return {
        "chart": growth_chart(assessment, growth),
        "timeline": flags_timeline(
            reading, f"{label}Regime and {flags} at each close", most=len(reading.regime)
        ),
        "plots": _plots(run, label) if _varies(run.result.returns) else None,
    }


def _plots(run: Run, label: str) -> list[tuple[str, str]]:
    """Return the title and the picture of each plot of quantstats."""
    names = {"strategy": run.label, "benchmark": run.config.benchmark}
    return list(quantstats_plots(run.returns, names, label).items())


def _contents(numbers: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return anchors and titles of the page's sections."""
    parts = {
        "growth": "Growth and holdings",
        "numbers": "Metrics",
        "each-year": "Years",
        "falls": "Drawdowns",
        "luck-or-skill": "Luck or skill",
        "lead-and-lag": "Lead and lag" if numbers["lead_lag"] else "",
        "tilt-and-timing": "Tilt and timing" if numbers["timing"] else "",
        "other-cases": "Robustness",
        "other-k": "Sensitivity to k" if numbers["by_k"] else "",
        "other-revisions": "Revisions" if numbers["by_revision"] else "",
        "in-each-regime": "Regimes",
        "parts": "Attribution",
        "returns": "Plots of returns",
        "at-the-end": "Votes" if numbers["run"]["regime_model"] == "votes" else "Flags",
        "terms-of-the-run": "Configuration",
        "glossary": "Terms",
    }
    return [(anchor, title) for anchor, title in parts.items() if title]
