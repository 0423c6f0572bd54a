"""The tearsheet: a section with every number, and below it charts by quantstats.

The library quantstats fills our template. Then our section replaces an HTML comment in the page.
The template leaves out the tables of quantstats, because quantstats defines several metrics in
another way. quantstats would also give a recovery date to a drawdown that has not ended.
"""

import logging
import tempfile
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from backtests.evidence.assessment import Assessment
from backtests.evidence.entries import QUARTER, TOO_FEW
from backtests.evidence.metrics import YEAR, YEARLY
from backtests.history.origin import SIMULATED, stale_warning
from backtests.report.charts import equity_chart, html_of, regime_chart
from backtests.report.format import MISSING, Form, fixed, percent, significant, state, text
from backtests.report.luck_section import luck_section
from backtests.report.numbers import LEFT_OUT
from backtests.report.page import label_of, page, render
from backtests.report.reading import said_of_scales
from backtests.runs import Run
from signals.universe import HINDSIGHT

MARKER = "<!-- drypowder: first section -->"
_CHARTS = """<h2>Returns, drawn by quantstats {{v}}</h2>
<div class="wide">{{log_returns}}</div>
<div class="two"><div>{{monthly_heatmap}}</div><div>{{monthly_dist}}</div>
<div>{{rolling_beta}}</div><div>{{rolling_vol}}</div><div>{{dd_periods}}</div><div>{{returns_dist}}</div></div>"""
_PERCENT: Form = partial(percent, digits=2, unit="%")
_SHARE: Form = partial(percent, digits=2)

SIDES = ("strategy", "benchmark", "bills")
#: Each metric of the page: its key in metrics.json, its label and its format.
ROWS: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("total_return", "Total return", _PERCENT),
    ("cagr", "CAGR", _PERCENT),
    ("volatility", "Volatility, a year", _PERCENT),
    ("sharpe", "Sharpe, over bills", fixed),
    ("sortino", "Sortino, over bills", fixed),
    ("max_drawdown", "Maximum drawdown", _PERCENT),
    ("max_drawdown_peak", "… from", text),
    ("max_drawdown_trough", "… to", text),
    ("max_drawdown_recovered", "… recovered", text),
    ("max_drawdown_sessions", "… length, sessions", text),
    ("calmar", "Calmar", fixed),
    ("var_95", "VaR 95 %, a day, historical", _PERCENT),
    ("cvar_95", "CVaR 95 %, a day, historical", _PERCENT),
    ("hit_rate", "Days above zero", _PERCENT),
    ("best_day", "Best day", _PERCENT),
    ("worst_day", "Worst day", _PERCENT),
    ("beta", "Beta to the benchmark", fixed),
    ("correlation", "Correlation to the benchmark", fixed),
    ("up_capture", "Up capture", _PERCENT),
    ("down_capture", "Down capture", _PERCENT),
    ("exposure", "Mean exposure outside cash", _PERCENT),
    ("turnover", "Turnover, a year", _PERCENT),
    ("costs", "Trading costs, a year", _PERCENT),
)
HEADLINES = ("cagr", "volatility", "sharpe", "max_drawdown", "exposure", "costs")
#: Keys of the main numbers on the page of a run that is shorter than a year.
SHORT_HEADLINES = ("total_return", "max_drawdown", "exposure")
#: A mapping from key in metrics.json to the format of a cell, for the other tables.
Forms = Mapping[str, Callable[[Any], str]]
_DRAWDOWN: Forms = {
    "depth": _SHARE,
    **dict.fromkeys(("peak", "trough", "recovered", "sessions"), text),
}
_COUNTS: Forms = {"absorption_episodes": text, "absorption_entered": text}
_REGIME: Forms = {
    "sessions": text,
    "share": _PERCENT,
    "episodes": text,
    "entered": text,
    "mean_excess": _PERCENT,
    "benchmark_excess": _PERCENT,
    "volatility": _PERCENT,
    "hit_rate": _PERCENT,
}
#: A mapping from key in metrics.json to heading and format, for the table on revised series.
_REVISION: dict[str, tuple[str, Callable[[Any], str]]] = {
    "series": ("series", text),
    "case": ("case", text),
    "sessions_changed": ("sessions in another regime, %", _SHARE),
    "absorption_episodes": ("episodes of ABSORPTION", text),
    "absorption_entered": ("ABSORPTION entered", text),
    "cagr": ("CAGR, %", _SHARE),
    "total_return": ("total return, %", _SHARE),
    "sharpe": ("Sharpe", fixed),
    "max_drawdown": ("maximum drawdown, %", _SHARE),
    "exposure": ("exposure, %", _SHARE),
}


def rows_of(numbers: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the rows of the table by key: value and text for strategy, benchmark and bills.

    Rows with yearly numbers are left out if the run is shorter than a year.
    """
    rows = {}
    for key, label, form in ROWS:
        if not (numbers["run"]["below_a_year"] and key in YEARLY):
            values = {side: numbers[side].get(key) for side in SIDES}
            shown = {side: form(value) for side, value in values.items()}
            rows[key] = {"key": key, "label": label, "values": values, "shown": shown}
    return rows


def in_one_regime(numbers: dict[str, Any]) -> str:
    """Return a sentence on a run's most frequent regime and its share of sessions."""
    name, row = max(numbers["regimes"].items(), key=lambda item: item[1]["share"])
    said = "without a regime" if name == "none" else f"in {name}"
    return f"{percent(row['share'], 0, '%')} of the sessions were {said}"


def write_tearsheet(assessment: Assessment, numbers: dict[str, Any], path: Path) -> None:
    """Write one self-contained page: our section, then quantstats' charts.

    Every number of the section comes from ``numbers``, the content of ``metrics.json``.
    """
    run, section = assessment.run, _section(assessment, numbers)
    if _varies(run.result.returns):
        html = _quantstats(run).replace(MARKER, section, 1)
    else:
        html = page(_title(run), f"{section}\n<p>The returns vary too little for charts.</p>")
    path.write_text(html, encoding="utf-8")


def _varies(returns: pd.Series) -> bool:
    """Return whether returns vary enough for quantstats, which fails on constant returns."""
    return len(returns) > 20 and float(returns.std()) > 1e-5


def _quantstats(run: Run) -> str:
    """Return quantstats' page, made from copies of the returns."""
    for noisy in ("matplotlib.font_manager", "matplotlib"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    import matplotlib

    matplotlib.use("Agg")
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        import quantstats

        given, output = Path(folder) / "template.html", Path(folder) / "page.html"
        given.write_text(page(_title(run), MARKER + _CHARTS), encoding="utf-8")
        quantstats.reports.html(  # type: ignore[no-untyped-call]
            run.result.returns.copy(),
            benchmark=run.benchmark.copy(),
            rf=0.0,
            title=_title(run),
            output=str(output),
            template_path=str(given),
            match_dates=False,
            periods_per_year=YEAR,
            strategy_title=_title(run),
            benchmark_title=run.config.benchmark,
        )
        return output.read_text(encoding="utf-8")


def _title(run: Run) -> str:
    return f"{SIMULATED} {run.label}" if run.simulated else run.label


def _section(assessment: Assessment, numbers: dict[str, Any]) -> str:
    run, rows = assessment.run, rows_of(numbers)
    below_a_year = numbers["run"]["below_a_year"]
    return render(
        "section.html.j2",
        run=numbers["run"],
        too_few=TOO_FEW,
        quarter=QUARTER,
        line=run.strategy.description,
        link=run.strategy.link,
        headlines=[rows[key] for key in (SHORT_HEADLINES if below_a_year else HEADLINES)],
        rows=rows.values(),
        in_one_regime=in_one_regime(numbers),
        growth="total return" if below_a_year else "CAGR",
        regimes=[(name, _cells(row, _REGIME)) for name, row in numbers["regimes"].items()],
        votes=_votes(assessment),
        scales=said_of_scales({e.signal: e for e in assessment.explanations}),
        years=_in_percent(numbers["years"]),
        drawdowns=[_cells(fall, _DRAWDOWN) for fall in numbers["drawdowns"]],
        by_k=_by_k(numbers),
        by_revision=revision_rows(numbers),
        attribution=_attribution(numbers),
        robustness=_robustness(numbers),
        luck=luck_section(numbers),
        verdict=numbers["luck"]["verdict"],
        left_out=LEFT_OUT if assessment.robustness is None else None,
        regime=run.reading.regime.iloc[-1] or "none",
        chart=html_of(_chart(assessment), with_library=True),
        timeline=html_of(_timeline(run)),
        hindsight=HINDSIGHT,
        stale=stale_warning(run.history) if run.config.end is None else None,
    )


def _cells(row: dict[str, Any], forms: Forms) -> list[str]:
    return [form(row[key]) for key, form in forms.items()]


def _in_percent(table: dict[str, dict[str, Any]]) -> list[tuple[str, list[str]]]:
    return [(name, [_SHARE(value) for value in row.values()]) for name, row in table.items()]


def _by_k(numbers: dict[str, Any]) -> list[list[str]]:
    rows = numbers["by_k"] or {}
    return [[k, *_cells(row, _COUNTS), *_headline(row, numbers)] for k, row in rows.items()]


def revision_rows(numbers: dict[str, Any]) -> list[dict[str, str]]:
    """Return the rows of the table on revised series, each a mapping from heading to cell.

    A run shorter than a year shows the total return in place of CAGR.
    """
    left_out = "cagr" if numbers["run"]["below_a_year"] else "total_return"
    columns = {key: column for key, column in _REVISION.items() if key != left_out}
    return [
        {heading: form(row[key]) for key, (heading, form) in columns.items()}
        for row in numbers["by_revision"] or []
    ]


def _headline(row: dict[str, Any], numbers: dict[str, Any]) -> list[str]:
    """Return the numbers of :func:`backtests.evidence.metrics.headline` as text."""
    growth = "total_return" if numbers["run"]["below_a_year"] else "cagr"
    forms = {growth: _PERCENT, "sharpe": fixed, "max_drawdown": _PERCENT, "exposure": _PERCENT}
    return _cells(row, forms)


def _attribution(numbers: dict[str, Any]) -> dict[str, list[tuple[str, list[str]]]]:
    """Return the rows of each attribution table: one for each group, and the total last."""
    parts = numbers["attribution"]
    total = _in_percent({"total": parts["total"]})
    return {by: _in_percent(parts[f"by_{by}"]) + total for by in ("sleeve", "regime", "year")}


def _robustness(numbers: dict[str, Any]) -> list[tuple[str, str, list[str]]]:
    rows = numbers["robustness"] or []
    return [(row["choice"], row["case"], _headline(row, numbers)) for row in rows]


def _votes(assessment: Assessment) -> list[dict[str, str]]:
    """Return each signal's texts at the end of the run: value, flag, distance to a flip."""
    votes = assessment.run.reading.votes
    return [
        {
            "signal": e.signal,
            "votes": "votes" if e.signal in votes else "does not vote",
            "value": significant(e.value, e.unit),
            "flag": state(e.flag),
            "since": MISSING if e.since is None else str(e.since.date()),
            "distance": MISSING
            if pd.isna(e.distance)
            else f"{e.distance_gauge} {e.distance:+.3g} {e.distance_unit}",
        }
        for e in assessment.explanations
    ]


def _chart(assessment: Assessment) -> Any:
    run, sides = assessment.run, assessment.growth
    names = (run.label, run.config.benchmark, "bills")
    growth = dict(zip(names, (sides[side] for side in SIDES), strict=True))
    title = f"{label_of(run.simulated)}Growth of 1 and drawdown, by the regime of each return"
    return equity_chart(pd.DataFrame(growth), assessment.earned_under, title)


def _timeline(run: Run) -> Any:
    title = f"{label_of(run.simulated)}Regime and votes at each close"
    return regime_chart(run.reading.since(run.result.equity.index[0]), title)
