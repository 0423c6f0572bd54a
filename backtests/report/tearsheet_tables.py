"""The tables of a run's page, with the numbers of ``metrics.json`` as texts."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pandas as pd

from backtests.evidence.assessment import Assessment
from backtests.evidence.metrics import YEARLY
from backtests.evidence.robustness import unchanged
from backtests.format import (
    MISSING,
    fixed,
    percent_0,
    percent_2,
    percent_2_unit,
    significant,
    state,
    text,
    thousands,
)
from backtests.report.flags_numbers import said_of_scales
from backtests.report.tearsheet_charts import places
from backtests.report.tearsheet_numbers import growth_key
from backtests.report.theme import REGIMES
from signals.dry_powder import DryPowder
from signals.explanation import Explanation

#: Text in place of a recovery date, for a drawdown that has not recovered.
OPEN = "open"
SIDES = ("strategy", "benchmark", "bills")


class Metric(NamedTuple):
    """A row of the table of metrics.

    ``key`` is the metric's name in metrics.json. ``term`` is the glossary's term for the label, or
    None if the label needs no explanation. ``sides`` are the columns in which the metric has a
    meaning. All columns outside ``sides`` show a dash.
    """

    key: str
    label: str
    form: Callable[[Any], str]
    term: str | None = None
    sides: tuple[str, ...] = SIDES


#: All metrics of the page, in order.
ROWS = (
    Metric("total_return", "Total return", percent_2_unit),
    Metric("cagr", "CAGR", percent_2_unit, "CAGR"),
    Metric("volatility", "Volatility, a year", percent_2_unit),
    Metric("sharpe", "Sharpe, over bills", fixed, "Sharpe"),
    Metric("sortino", "Sortino, over bills", fixed, "Sortino"),
    Metric("max_drawdown", "Maximum drawdown", percent_2_unit, "drawdown"),
    Metric("max_drawdown_peak", "… from", text),
    Metric("max_drawdown_trough", "… to", text),
    Metric("max_drawdown_recovered", "… recovered", text),
    Metric("max_drawdown_sessions", "… length, sessions", thousands),
    Metric("calmar", "Calmar", fixed, "Calmar"),
    Metric("var_95", "Historical daily VaR, 95 %", percent_2_unit, "VaR"),
    Metric("cvar_95", "Historical daily CVaR, 95 %", percent_2_unit, "CVaR"),
    Metric("hit_rate", "Days above zero", percent_2_unit),
    Metric("best_day", "Best day", percent_2_unit),
    Metric("worst_day", "Worst day", percent_2_unit),
    Metric("months_above_zero", "Months above zero", percent_2_unit),
    Metric("best_month", "Best month", percent_2_unit),
    Metric("worst_month", "Worst month", percent_2_unit),
    Metric("skew", "Skewness of daily returns", fixed, "skewness", SIDES[:2]),
    Metric("excess_kurtosis", "Excess kurtosis of daily returns", fixed, "kurtosis", SIDES[:2]),
    Metric("beta", "Beta to the benchmark", fixed, "beta"),
    Metric("correlation", "Correlation to the benchmark", fixed),
    Metric("tracking_error", "Tracking error, a year", percent_2_unit, "tracking error", SIDES[:1]),
    Metric(
        *("information_ratio", "Information ratio, over the benchmark", fixed),
        *("information ratio", SIDES[:1]),
    ),
    Metric("up_capture", "Up capture", percent_2_unit, "capture"),
    Metric("down_capture", "Down capture", percent_2_unit, "capture"),
    Metric("exposure", "Mean exposure outside cash", percent_2_unit, "exposure"),
    Metric("turnover", "Turnover, a year", percent_2_unit, "turnover"),
    Metric("costs", "Trading costs, a year", percent_2_unit),
)
#: Formats of table cells, by the key in metrics.json. The table of metrics has its own formats.
Forms = Mapping[str, Callable[[Any], str]]
_DRAWDOWN: Forms = {
    "depth": percent_2,
    **dict.fromkeys(("peak", "trough"), text),
    "recovered": lambda day: day or OPEN,
    "sessions": thousands,
}
_COUNTS: Forms = {"absorption_episodes": text, "absorption_entered": text}
_REGIME: Forms = {
    "sessions": thousands,
    "share": percent_2,
    "episodes": text,
    "entered": text,
    "mean_excess": percent_2,
    "benchmark_excess": percent_2,
    "volatility": percent_2,
    "hit_rate": percent_2,
}
#: Headings of the columns of attribution, by the key in metrics.json.
_ATTRIBUTION = {
    "return": "profit, %",
    "volatility": "volatility, %",
    "drawdown": "drawdown, %",
    "turnover": "turnover, % a year",
    "cost": "cost, % a year",
}
#: Headings and formats of columns, by the key in metrics.json.
Columns = Mapping[str, tuple[str, Callable[[Any], str]]]
#: Columns of the table on revised series, before the columns with headline metrics.
_REVISION: Columns = {
    "series": ("series", text),
    "case": ("case", text),
    "sessions_changed": ("sessions with a changed regime, %", percent_2),
    "absorption_episodes": ("episodes of ABSORPTION", text),
    "absorption_entered": ("ABSORPTION entered", text),
}
#: Columns with headline metrics, for the tables in which each row has one changed setting.
_HEADLINE: Columns = {
    "cagr": ("CAGR, %", percent_2),
    "total_return": ("total return, %", percent_2),
    "sharpe": ("Sharpe", fixed),
    "max_drawdown": ("maximum drawdown, %", percent_2),
    "exposure": ("exposure, %", percent_2),
}


def rows_of(numbers: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return a mapping from each metric to its row in the table of metrics.

    A row contains a value and its text for the strategy, for the benchmark and for bills.
    Rows with yearly numbers are left out if the run is shorter than a year.
    """
    rows = {}
    for metric in ROWS:
        if not (numbers["run"]["below_a_year"] and metric.key in YEARLY):
            values = {
                side: numbers[side].get(metric.key) if side in metric.sides else None
                for side in SIDES
            }
            shown = {side: metric.form(value) for side, value in values.items()}
            rows[metric.key] = {
                "key": metric.key,
                "label": metric.label,
                "term": metric.term,
                "values": values,
                "shown": shown,
            }
    return rows


def tables_of(assessment: Assessment, numbers: dict[str, Any]) -> dict[str, Any]:
    """Return a mapping from name to table. The page's template uses these names.

    ``numbers`` is the content of ``metrics.json``. The votes and scales at the end come from
    ``assessment``.
    """
    return {
        "rows": rows_of(numbers).values(),
        "case_headings": _case_headings(numbers),
        "regimes": [(name, _cells(row, _REGIME)) for name, row in in_order(numbers["regimes"])],
        "votes": _votes(assessment),
        "scales": said_of_scales({e.signal: e for e in assessment.explanations}),
        "years": _in_percent(numbers["years"]),
        "drawdowns": _drawdowns(numbers),
        "by_k": _by_k(assessment, numbers),
        "by_revision": revision_rows(numbers),
        "attribution": attribution_rows(numbers),
        "attribution_headings": [_ATTRIBUTION[key] for key in _attributed(numbers)],
        "robustness": _robustness(numbers),
    }


def _cells(row: dict[str, Any], forms: Forms) -> list[str]:
    return [form(row[key]) for key, form in forms.items()]


def _in_percent(table: dict[str, dict[str, Any]]) -> list[tuple[str, list[str]]]:
    return [(name, [percent_2(value) for value in row.values()]) for name, row in table.items()]


def in_order(regimes: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the items of a mapping from regime, in the order of the legends of charts."""
    order = list(REGIMES)
    return sorted(regimes.items(), key=lambda item: order.index(item[0]))


def _drawdowns(numbers: dict[str, Any]) -> list[list[str]]:
    """Return the cells of each drawdown, without drawdowns that round to zero."""
    rows = [_cells(fall, _DRAWDOWN) for fall in numbers["drawdowns"]]
    return [row for row in rows if row[0] != percent_2(0.0)]


def _by_k(assessment: Assessment, numbers: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a row for each value of the parameter k; ``base`` marks the value of this run."""
    own = getattr(assessment.run.config.build_signals()[DryPowder.name], "k", None)
    return [
        {
            "k": percent_0(float(k)),
            "base": float(k) == own,
            "cells": [*_cells(row, _COUNTS), *_headline(row, numbers)],
        }
        for k, row in (numbers["by_k"] or {}).items()
    ]


def revision_rows(numbers: dict[str, Any]) -> list[dict[str, str]]:
    """Return the rows of the table on revised series. Each row maps headings to cells."""
    columns = {**_REVISION, **_case_forms(numbers)}
    return [
        {heading: form(row[key]) for key, (heading, form) in columns.items()}
        for row in numbers["by_revision"] or []
    ]


def _case_forms(numbers: Mapping[str, Any]) -> Columns:
    """Return the columns of the headline metrics that this run shows."""
    shown = [growth_key(numbers["run"]), "sharpe", "max_drawdown", "exposure"]
    if numbers["strategy"]["sharpe"] is None:
        shown.remove("sharpe")
    return {key: _HEADLINE[key] for key in shown}


def _case_headings(numbers: Mapping[str, Any]) -> list[str]:
    return [heading for heading, _ in _case_forms(numbers).values()]


def _headline(row: dict[str, Any], numbers: Mapping[str, Any]) -> list[str]:
    """Return the metrics of :func:`_case_forms` as text."""
    return [form(row[key]) for key, (_, form) in _case_forms(numbers).items()]


def attribution_rows(numbers: dict[str, Any]) -> dict[str, list[tuple[str, list[str]]]]:
    """Return the rows of each attribution table: one for each group, and the total last.

    A column without numbers is left out.
    """
    parts, shown = numbers["attribution"], _attributed(numbers)
    tables = {
        "sleeve": parts["by_sleeve"].items(),
        "regime": in_order(parts["by_regime"]),
        "year": parts["by_year"].items(),
    }
    return {
        by: [
            (name, [percent_2(row[key]) for key in shown])
            for name, row in (*rows, ("total", parts["total"]))
        ]
        for by, rows in tables.items()
    }


def _attributed(numbers: dict[str, Any]) -> list[str]:
    """Return the keys of the columns of attribution that have numbers."""
    total = numbers["attribution"]["total"]
    return [key for key in _ATTRIBUTION if total.get(key) is not None]


def _robustness(numbers: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of the dot plot; the first row is the unchanged run.

    Tests with the run's own lag, costs or rebalance day repeat the unchanged run, so these tests
    are left out. Tests without numbers are also left out. For example, if a run has a single year,
    the test without this year has no numbers.
    """
    run = numbers["run"]
    key, repeated = growth_key(run), unchanged(run["lag"], run["schedule"]["offset"])
    rows = [
        row
        for row in numbers["robustness"] or []
        if row[key] is not None and (row["choice"], row["case"]) not in repeated
    ]
    columns = {
        key: (form, places([row[key] for row in rows]))
        for key, (_, form) in _case_forms(numbers).items()
    }
    return [
        {
            "choice": "this run" if at == 0 else row["choice"],
            "case": row["case"],
            "base": at == 0,
            "cells": [
                {"shown": form(row[key]), "place": spots[at], "base": spots[0]}
                for key, (form, spots) in columns.items()
            ],
        }
        for at, row in enumerate(rows)
    ]


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
            "distance": MISSING if pd.isna(e.distance) else _move(e),
        }
        for e in assessment.explanations
    ]


def _move(e: Explanation) -> str:
    """Return the gauge that can flip a flag, and the distance that the gauge must move."""
    plus = "+" if e.distance > 0 else ""
    return f"{e.distance_gauge} {plus}{significant(e.distance, e.distance_unit)}"
