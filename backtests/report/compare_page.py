"""The page of ``compare``: every strategy in one sortable table and in four charts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from backtests.atomic import write_text
from backtests.evidence.entries import FEW, NOTHING, QUARTER, TOO_FEW, is_few
from backtests.history.origin import SIMULATED
from backtests.report.charts import html_of, present, thinning
from backtests.report.compare_charts import (
    STROKES,
    correlation_chart,
    drawdown_chart,
    far_points,
    growth_chart,
    risk_chart,
    styles,
)
from backtests.report.format import (
    MISSING,
    Form,
    fixed,
    interval,
    is_missing,
    percent,
    thousands,
)
from backtests.report.page import page, render
from backtests.report.theme import KINDS, REGIMES
from signals.errors import DataError

Entry = Mapping[str, Any]
_NOTHING = {"estimate": None, "low": None, "high": None}
_COARSE: Form = partial(percent, digits=0)
_FINE: Form = partial(percent, digits=2)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell of the table.

    Attributes
    ----------
    value
        The value that sorts the column; empty where it is missing.
    shown
        The text of the cell.
    soft
        Grey text below it, such as an interval or a sample size.
    """

    value: str
    shown: str
    soft: str = ""


def _number(key: str, form: Form) -> Callable[[Entry], Cell]:
    return lambda entry: _cell(entry[key], form)


def _interval(key: str, form: Form) -> Callable[[Entry], Cell]:
    def cell(entry: Entry) -> Cell:
        bounds = entry["intervals"].get(key, _NOTHING)
        return _cell(bounds["estimate"], form, interval(bounds, form))

    return cell


def _cell(value: float | None, form: Form, soft: str = "") -> Cell:
    if value is None or is_missing(value):
        return Cell(value="", shown=MISSING)
    return Cell(value=repr(float(value)), shown=form(value), soft=soft)


def _sharpe(entry: Entry) -> Cell:
    return _cell(entry["sharpe"], fixed, interval(entry["intervals"]["sharpe"], fixed))


def _alpha(entry: Entry) -> Cell:
    alpha = entry["alpha"]
    if alpha is None:
        return Cell(value="", shown=MISSING)
    t = "" if is_missing(alpha["t"]) else f"\nt {fixed(alpha['t'], 1)}"
    return _cell(alpha["estimate"], percent, f"{interval(alpha, percent)}{t}")


def _placebo(entry: Entry) -> Cell:
    placebo = entry["placebo"]
    if placebo is None or is_missing(placebo["rank"]):
        return Cell(value="", shown=MISSING)
    p = "" if is_missing(placebo["p_value"]) else f"p {fixed(placebo['p_value'], 3)}\n"
    return _cell(placebo["rank"], fixed, f"{p}{thousands(placebo['n'])} {placebo['kind']}")


def _growth(entry: Entry) -> Cell:
    """Return CAGR, or the total return in grey where the run is below a year."""
    if not is_missing(entry["cagr"]) or is_missing(entry["total_return"]):
        return _cell(entry["cagr"], percent)
    return Cell(value="", shown=MISSING, soft=f"{percent(entry['total_return'])} in total")


def _episodes(entry: Entry) -> Cell:
    count = entry["episodes"]
    if count is None:
        return Cell(value="", shown=MISSING)
    few = "\ntoo few" if is_few(count) else ""
    return Cell(value=str(count), shown=str(count), soft=f"entered {entry['entered']}{few}")


def _conclusion(entry: Entry) -> Cell:
    said = entry["conclusion"]
    if is_few(entry["episodes"]) and NOTHING not in said.lower():
        said = f"{NOTHING}; {said}"
    return Cell(value=said, shown=said)


#: The columns after the strategy's name: heading, kind of sorting, and cell.
COLUMNS: tuple[tuple[str, str, Callable[[Entry], Cell]], ...] = (
    ("kind", "text", lambda entry: Cell(value=entry["kind"], shown=entry["kind"])),
    ("CAGR, %", "number", _growth),
    ("volatility, %", "number", _number("volatility", percent)),
    ("Sharpe", "number", _sharpe),
    ("max drawdown, %", "number", _number("max_drawdown", percent)),
    ("exposure, %", "number", _number("exposure", _COARSE)),
    ("turnover, % a year", "number", _number("turnover", _COARSE)),
    ("costs, % a year", "number", _number("costs", _FINE)),
    ("minus SPY, points", "number", _interval("excess_spy", percent)),
    ("minus bills, points", "number", _interval("excess_bills", percent)),
    ("minus own mix, points", "number", _interval("excess_mix", percent)),
    ("alpha on own assets, points", "number", _alpha),
    ("minus equal weights, points", "number", _interval("excess_equal_weight", percent)),
    ("placebo rank", "number", _placebo),
    ("episodes", "number", _episodes),
    ("conclusion", "text", _conclusion),
)


def write_compare_page(
    numbers: dict[str, dict[str, Any]],
    growth: pd.DataFrame,
    regime: pd.Series,
    about: dict[str, Any],
    path: Path,
) -> None:
    """Write one self-contained page: the table, the charts, and a section on each strategy.

    Parameters
    ----------
    numbers
        Numbers of each strategy in the order of the table, see
        :func:`backtests.report.compare_numbers.comparison_numbers`. Fractions; None where missing.
    growth
        Growth of 1 since the first close, sessions × the same strategies.
    regime
        The regime under which the return into each session was earned; None without a regime.
    about
        What all strategies share, see :func:`backtests.report.compare_numbers.about`.
    path
        The file to write. An existing file is replaced.

    Raises
    ------
    DataError
        When growth and numbers have different strategies, or the file cannot be written.
    """
    _check_names(numbers, growth)
    write_text(path, _page(numbers, growth, regime, about))


def _check_names(numbers: Mapping[str, Entry], growth: pd.DataFrame) -> None:
    odd = sorted(set(numbers) ^ {str(name) for name in growth.columns})
    if odd or not numbers:
        raise DataError(
            "expected numbers and growth of the same strategies, at least one, was "
            f"{', '.join(odd) or 'no strategy'} in only one of them; give both"
        )


def _page(
    numbers: Mapping[str, Entry], growth: pd.DataFrame, regime: pd.Series, about: Mapping[str, Any]
) -> str:
    """Return the whole page."""
    label = f"{SIMULATED}: " if about["simulated"] else ""
    section = _section(numbers, growth, regime, about, label)
    return page(f"{label}compare", section)


def _section(
    numbers: Mapping[str, Entry],
    growth: pd.DataFrame,
    regime: pd.Series,
    about: Mapping[str, Any],
    label: str,
) -> str:
    names = regime.reindex(growth.index).fillna("none")
    return render(
        "compare.html.j2",
        about=about,
        label=label,
        headings=[("strategy", "text"), *((heading, kind) for heading, kind, _ in COLUMNS)],
        rows=[_row(name, entry) for name, entry in numbers.items()],
        kinds=[kind for kind in KINDS if any(e["kind"] == kind for e in numbers.values())],
        few=[(name, e["episodes"]) for name, e in numbers.items() if is_few(e["episodes"])],
        fewest=FEW,
        too_few=TOO_FEW,
        quarter=QUARTER,
        looks=styles({name: entry["kind"] for name, entry in numbers.items()}),
        strokes=STROKES,
        regimes=[(name, REGIMES[name]) for name in present(names)],
        thinning=thinning(growth),
        far=far_points(numbers),
        details=[_details(name, entry) for name, entry in numbers.items()],
        **_charts(numbers, growth, regime, label),
    )


def _charts(
    numbers: Mapping[str, Entry], growth: pd.DataFrame, regime: pd.Series, label: str
) -> dict[str, str]:
    looks = styles({name: entry["kind"] for name, entry in numbers.items()})
    titles = (
        "Growth of 1, by the regime of each return",
        "Loss from the peak so far",
        "Risk and return",
        "Correlations of daily returns",
    )
    curves, falls, risk, alike = (label + title for title in titles)
    return {
        "growth": html_of(growth_chart(growth, regime, looks, curves), with_library=True),
        "drawdowns": html_of(drawdown_chart(growth, regime, looks, falls), with_library=False),
        "risk": html_of(risk_chart(numbers, risk), with_library=False),
        "correlations": html_of(
            correlation_chart(growth[list(numbers)], alike), with_library=False
        ),
    }


def _row(name: str, entry: Entry) -> dict[str, Any]:
    return {
        "name": name,
        "kind": entry["kind"],
        "few": is_few(entry["episodes"]),
        "cells": [(heading, kind, cell(entry)) for heading, kind, cell in COLUMNS],
    }


def _details(name: str, entry: Entry) -> dict[str, Any]:
    """Return the section on a strategy below the charts."""
    mix, twin = entry["mix"], entry["equal_weight"]
    beside = [
        ("itself", _performance(entry)),
        (f"own mix, {_COARSE(mix['share'])} % SPY", _performance(mix)),
    ]
    if twin:
        beside.append(("equal weights", _performance(twin)))
    return {
        "name": name,
        "kind": entry["kind"],
        "link": entry["link"],
        "line": entry["line"],
        "beside": beside,
        "more": [
            f"Sortino {fixed(entry['sortino'])}",
            f"Calmar {fixed(entry['calmar'])}",
            *([_over_twin(entry["intervals"]["excess_equal_weight"])] if twin else []),
            *([_among(entry["baskets"])] if entry.get("baskets") else []),
        ],
        "placebo_note": entry["placebo_note"],
    }


def _performance(figures: Entry) -> tuple[str, str, str]:
    return (
        percent(figures["cagr"]),
        fixed(figures["sharpe"]),
        percent(figures["max_drawdown"]),
    )


def _over_twin(bounds: Mapping[str, float | None]) -> str:
    points = f"{percent(bounds['estimate'])} {interval(bounds, percent)}".strip()
    return f"minus equal weights {points} points a year"


def _among(baskets: Mapping[str, Any]) -> str:
    return (
        f"memory makers rank {fixed(baskets['rank'])} by Sharpe among {baskets['n']} random "
        "baskets of shares"
    )
