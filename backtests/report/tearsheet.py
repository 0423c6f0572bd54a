"""The tearsheet: a section with every number, then charts drawn by quantstats.

quantstats fills our template, which leaves out its tables, icon and script. It defines several
metrics differently, and its table of drawdowns gives an open drawdown a recovery date. It strips
every ``{{…}}`` that it does not know, so our section replaces an HTML comment afterwards.
"""

import logging
import tempfile
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from backtests.evidence.assessment import Assessment
from backtests.evidence.entries import QUARTER, TOO_FEW
from backtests.evidence.metrics import YEAR, YEARLY
from backtests.history.origin import SIMULATED, stale_warning
from backtests.report.charts import equity_chart, html_of, regime_chart
from backtests.report.format import MISSING, Form, fixed, percent, significant, text
from backtests.report.numbers import LEFT_OUT
from backtests.report.page import MARKER, page, render, template
from backtests.report.revision_table import revision_rows
from backtests.runs import Run
from signals.universe import HINDSIGHT

_NO_CHARTS = "<p>The returns vary too little for charts.</p>"

_PERCENT: Form = partial(percent, digits=2, unit="%")
_SHARE: Form = partial(percent, digits=2)

#: The metrics of the page: key in metrics.json, label and format.
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
#: The headlines of a run below a year, which has no yearly figures.
SHORT_HEADLINES = ("total_return", "max_drawdown", "exposure")


def rows_of(numbers: dict[str, Any]) -> tuple[tuple[str, str, Callable[[Any], str]], ...]:
    """Return the rows of a run: :data:`ROWS`, without yearly figures where it is below a year."""
    short = numbers["run"]["below_a_year"]
    return tuple(row for row in ROWS if not (short and row[0] in YEARLY))


def in_one_regime(numbers: dict[str, Any]) -> str:
    """Return a sentence on the most frequent regime of a run and its share of the sessions."""
    name, row = max(numbers["regimes"].items(), key=lambda item: item[1]["share"])
    said = "without a regime" if name == "none" else f"in {name}"
    return f"{percent(row['share'], 0, '%')} of the sessions were {said}"


def write_tearsheet(assessment: Assessment, numbers: dict[str, Any], path: Path) -> None:
    """Write one self-contained page: our section, then quantstats' charts.

    Parameters
    ----------
    assessment
        Assessment of a run.
    numbers
        The content of ``metrics.json``, which holds every number of the section.
    path
        The file to write.
    """
    run, section = assessment.run, _section(assessment, numbers)
    if _varies(run.result.returns):
        html = _quantstats(run).replace(MARKER, section, 1)
    else:
        html = page(_title(run), f"{section}\n{_NO_CHARTS}")
    path.write_text(html, encoding="utf-8")


def _varies(returns: pd.Series) -> bool:
    """Return whether returns vary enough for quantstats, which fails on constant returns."""
    return len(returns) > 20 and float(returns.std()) > 1e-5


def _quantstats(run: Run) -> str:
    """Return quantstats' page, drawn from copies of aligned returns."""
    for noisy in ("matplotlib.font_manager", "matplotlib"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    import matplotlib

    matplotlib.use("Agg")
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        import quantstats

        given, output = Path(folder) / "template.html", Path(folder) / "page.html"
        titled = template().replace("{{title}}", _title(run))  # quantstats changes a title
        given.write_text(titled, encoding="utf-8")
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
    run = assessment.run
    return render(
        "section.html.j2",
        run=numbers["run"],
        too_few=TOO_FEW,
        quarter=QUARTER,
        line=run.strategy.description,
        link=run.strategy.link,
        headlines=[_row(key, numbers) for key in _headlines(numbers)],
        rows=[_row(key, numbers) for key, _, _ in rows_of(numbers)],
        in_one_regime=in_one_regime(numbers),
        growth=_growth_name(numbers),
        regimes=_regimes(numbers),
        votes=_votes(assessment),
        years=_years(numbers),
        drawdowns=_drawdowns(numbers),
        by_k=_by_k(numbers),
        by_revision=revision_rows(numbers),
        attribution=_attribution(numbers),
        robustness=_robustness(numbers),
        left_out=LEFT_OUT if assessment.robustness is None else None,
        regime=run.reading.regime.iloc[-1] or "none",
        chart=html_of(_chart(assessment), with_library=True),
        timeline=html_of(_timeline(run), with_library=False),
        hindsight=HINDSIGHT,
        stale=stale_warning(run.history) if run.config.end is None else None,
    )


def _headlines(numbers: dict[str, Any]) -> tuple[str, ...]:
    return SHORT_HEADLINES if numbers["run"]["below_a_year"] else HEADLINES


def _row(key: str, numbers: dict[str, Any]) -> dict[str, Any]:
    """Return a row of the table: its label, and the values of strategy, benchmark and bills."""
    label, form = next((label, form) for k, label, form in ROWS if k == key)
    sides = ("strategy", "benchmark", "bills")
    values = {side: numbers[side].get(key) for side in sides}
    shown = {side: form(v) for side, v in values.items()}
    return {"key": key, "label": label, "values": values, "shown": shown}


def _regimes(numbers: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """Return one row per regime: its name and its cells."""
    forms: dict[str, Callable[[Any], str]] = {
        "sessions": text,
        "share": _PERCENT,
        "episodes": text,
        "entered": text,
        "mean_excess": _PERCENT,
        "benchmark_excess": _PERCENT,
        "volatility": _PERCENT,
        "hit_rate": _PERCENT,
    }
    return [
        (name, [form(row[key]) for key, form in forms.items()])
        for name, row in numbers["regimes"].items()
    ]


def _years(numbers: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """Return one row per year: returns of strategy, benchmark and bills, in percent."""
    return [(year, [_SHARE(v) for v in row.values()]) for year, row in numbers["years"].items()]


def _drawdowns(numbers: dict[str, Any]) -> list[list[str]]:
    """Return one row per drawdown: depth in percent, peak, trough, recovery, sessions."""
    return [
        [
            _SHARE(fall["depth"]),
            fall["peak"],
            fall["trough"],
            text(fall["recovered"]),
            str(fall["sessions"]),
        ]
        for fall in numbers["drawdowns"]
    ]


def _by_k(numbers: dict[str, Any]) -> list[list[str]]:
    counts = ("absorption_episodes", "absorption_entered")
    return [
        [k, *(str(row[count]) for count in counts), *_headline(row, numbers)]
        for k, row in (numbers["by_k"] or {}).items()
    ]


def _growth_name(numbers: dict[str, Any]) -> str:
    """Return the name of the figure for growth: CAGR, or total return below a year."""
    return "total return" if numbers["run"]["below_a_year"] else "CAGR"


def _headline(row: dict[str, Any], numbers: dict[str, Any]) -> list[str]:
    """Return the figures of :func:`backtests.evidence.metrics.headline` as shown."""
    growth = "total_return" if numbers["run"]["below_a_year"] else "cagr"
    forms = {growth: _PERCENT, "sharpe": fixed, "max_drawdown": _PERCENT, "exposure": _PERCENT}
    return [form(row[name]) for name, form in forms.items()]


def _attribution(numbers: dict[str, Any]) -> dict[str, list[tuple[str, list[str]]]]:
    """Return the rows of each table of the attribution: group and cells, the total last."""
    parts = numbers["attribution"]
    last = ("total", [_SHARE(v) for v in parts["total"].values()])
    return {
        title: [(group, [_SHARE(v) for v in row.values()]) for group, row in parts[key].items()]
        + [last]
        for key, title in (
            ("by_sleeve", "sleeve"),
            ("by_regime", "regime"),
            ("by_year", "year"),
        )
    }


def _robustness(numbers: dict[str, Any]) -> list[tuple[str, str, list[str]]]:
    rows = numbers["robustness"] or []
    return [(row["choice"], row["case"], _headline(row, numbers)) for row in rows]


def _votes(assessment: Assessment) -> list[dict[str, str]]:
    """Return one row per signal: what it says at the end, in words."""
    votes = assessment.run.reading.votes
    words = {True: "on", False: "off", None: "no view"}
    return [
        {
            "signal": e.signal,
            "votes": "votes" if e.signal in votes else "does not vote",
            "value": significant(e.value, e.unit),
            "flag": words[e.flag],
            "since": MISSING if e.since is None else str(e.since.date()),
            "distance": MISSING
            if pd.isna(e.distance)
            else f"{e.distance_gauge} {e.distance:+.3g} {e.distance_unit}",
        }
        for e in assessment.explanations
    ]


def _chart(assessment: Assessment) -> Any:
    run, sides = assessment.run, assessment.growth
    growth = pd.DataFrame(
        {
            run.label: sides["strategy"],
            run.config.benchmark: sides["benchmark"],
            "bills": sides["bills"],
        }
    )
    title = "Growth of 1 and drawdown, by the regime of each return"
    label = f"{SIMULATED}: " if run.simulated else ""
    return equity_chart(growth, assessment.earned_under, label + title)


def _timeline(run: Run) -> Any:
    start = run.result.equity.index[0]
    title = "Regime and votes at each close"
    label = f"{SIMULATED}: " if run.simulated else ""
    return regime_chart(run.reading.since(start), label + title)
