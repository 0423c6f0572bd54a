"""Write the page of ``compare``: the conclusion, charts of strategies, and a sortable table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from backtests.atomic import write_text
from backtests.evidence.comparison import Comparison, growth_of_rows
from backtests.evidence.entries import (
    FEW,
    NOTHING,
    QUARTER,
    Observed,
    acted_on,
    is_few,
    observed_said,
)
from backtests.evidence.saved import Repeated
from backtests.format import (
    MISSING,
    Form,
    fixed,
    interval,
    is_missing,
    p_value,
    percent,
    percent_0,
    percent_2,
    thousands,
)
from backtests.report.compare_charts import curves_chart, styles
from backtests.report.compare_luck import compare_luck_section
from backtests.report.compare_numbers import about, comparison_numbers
from backtests.report.compare_words import (
    changed_words,
    conclusion,
    saved_words,
    settings_words,
)
from backtests.report.correlation_chart import correlation_chart
from backtests.report.page import page, render
from backtests.report.risk_chart import KINDS, far_points, risk_chart
from backtests.report.theme import css_of_lines, css_states, present
from backtests.simulated import label_of
from signals.errors import DataError

Entry = Mapping[str, Any]
_NOTHING = {"estimate": None, "low": None, "high": None}


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A table cell: a value for sorting, a text, and a second text in grey below the first text."""

    value: str = ""
    shown: str = MISSING
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
        return Cell()
    return Cell(value=repr(float(value)), shown=form(value), soft=soft)


def _sharpe(entry: Entry) -> Cell:
    return _cell(entry["sharpe"], fixed, interval(entry["intervals"]["sharpe"], fixed))


def _alpha(entry: Entry) -> Cell:
    alpha = entry["alpha"]
    # If the assets explain all returns of the strategy, t is undefined.
    if alpha is None or is_missing(alpha["t"]):
        return Cell()
    t = f"\nt {fixed(alpha['t'], 1)}"
    return _cell(alpha["estimate"], percent, f"{interval(alpha, percent)}{t}")


def _placebo(entry: Entry) -> Cell:
    placebo = entry["placebo"]
    if placebo is None:
        return Cell()
    p = "" if is_missing(placebo["p_value"]) else f"p {p_value(placebo['p_value'])}\n"
    return _cell(placebo["rank"], fixed, f"{p}{thousands(placebo['n'])} {placebo['kind']}")


def _growth(entry: Entry) -> Cell:
    """Return the CAGR, or in grey the total return of a run that is shorter than a year."""
    if not is_missing(entry["cagr"]) or is_missing(entry["total_return"]):
        return _cell(entry["cagr"], percent)
    return Cell(soft=f"{percent(entry['total_return'])} in total")


def _episodes(entry: Entry) -> Cell:
    count = entry["episodes"]
    if count is None:
        return Cell()
    few = "\ntoo few" if is_few(count) else ""
    return Cell(value=str(count), shown=str(count), soft=f"entered {entry['entered']}{few}")


def _conclusion(entry: Entry) -> Cell:
    said = entry["conclusion"]
    if is_few(entry["episodes"]) and NOTHING not in said.lower():
        said = f"{NOTHING}; {said}"
    return Cell(value=said, shown=said)


#: Columns after the strategy's name: heading, kind of sorting, and function that returns a cell.
COLUMNS: tuple[tuple[str, str, Callable[[Entry], Cell]], ...] = (
    ("kind", "text", lambda entry: Cell(value=entry["kind"], shown=entry["kind"])),
    ("CAGR, %", "number", _growth),
    ("volatility, %", "number", _number("volatility", percent)),
    ("Sharpe", "number", _sharpe),
    ("max drawdown, %", "number", _number("max_drawdown", percent)),
    ("exposure, %", "number", _number("exposure", percent_0)),
    ("turnover, % a year", "number", _number("turnover", percent_0)),
    ("costs, % a year", "number", _number("costs", percent_2)),
    ("minus SPY, points", "number", _interval("excess_spy", percent)),
    ("minus bills, points", "number", _interval("excess_bills", percent)),
    ("minus own mix, points", "number", _interval("excess_mix", percent)),
    ("alpha on own assets, points", "number", _alpha),
    ("minus equal weights, points", "number", _interval("excess_equal_weight", percent)),
    ("placebo rank", "number", _placebo),
    ("episodes", "number", _episodes),
    ("conclusion", "text", _conclusion),
)


#: Explanations of headings. The page shows an explanation under the mouse pointer.
NOTES = {
    "volatility, %": "Standard deviation of daily returns, scaled to a year of 252 sessions.",
    "Sharpe": "Mean excess return divided by its standard deviation, both yearly. The excess "
    "return is the return minus the return of bills. The interval of the ratio is in brackets.",
    "exposure, %": "Mean sum of absolute weights, without cash.",
    "turnover, % a year": "Half of the value traded in a year, divided by equity.",
    "minus SPY, points": "Mean yearly return minus the mean yearly return of SPY, in percentage "
    "points.",
    "minus bills, points": "Mean yearly return minus the mean yearly return of bills, in "
    "percentage points.",
    "minus own mix, points": "Mean yearly return minus the mean yearly return of a mix of SPY and "
    "bills. The weight of SPY is the strategy's mean net exposure, but at least 0 % and at most "
    "100 %.",
    "alpha on own assets, points": "Mean yearly return minus the mean yearly return of the "
    "strategy's assets at constant weights. The weights come from a regression.",
    "minus equal weights, points": "Mean yearly return minus the mean yearly return of the "
    "strategy's assets at equal weights.",
    "placebo rank": "Share of placebos that the strategy beats. A placebo is the same strategy "
    "with random timing.",
    "episodes": "Number of episodes in which the strategy is in an active state.",
}


def write_comparison(
    comparison: Comparison, path: Path, repeated: Mapping[str, Repeated] | None = None
) -> dict[str, dict[str, Any]]:
    """Write the page of a comparison, and return the numbers of ``compare --json``.

    ``repeated`` maps the label of each finished run to its repetition on current data.
    """
    numbers, said = comparison_numbers(comparison, repeated), about(comparison)
    earned_under = acted_on(comparison.regime, said["lags"][0])
    write_compare_page(numbers, growth_of_rows(comparison), earned_under, said, path)
    return numbers


def write_compare_page(
    numbers: dict[str, dict[str, Any]],
    growth: pd.DataFrame,
    regime: pd.Series,
    about: dict[str, Any],
    path: Path,
) -> None:
    """Write one self-contained page: a table, charts, and a section on each strategy.

    An existing page is replaced. ``numbers`` and ``about`` come from
    :mod:`backtests.report.compare_numbers`. ``growth`` is the growth of 1 since the first close.
    ``growth`` has a row for each session and a column for each strategy. For each session,
    ``regime`` contains the regime under which the session's return was earned. In ``regime``, None
    means no regime. DataError is raised if ``numbers`` is empty, if ``growth`` and ``numbers`` have
    different strategies, or if the file cannot be written.
    """
    _check_names(numbers, growth)
    label = label_of(about["simulated"])
    write_text(path, page(f"{label}compare", _section(numbers, growth, regime, about, label)))


def _check_names(numbers: Mapping[str, Entry], growth: pd.DataFrame) -> None:
    odd = sorted(set(numbers) ^ {str(name) for name in growth.columns})
    if odd or not numbers:
        found = f"{', '.join(odd)} in only one of the two" if odd else "no strategy"
        raise DataError(
            f"expected the same strategies in numbers and in growth, found {found}; give numbers "
            "and growth of at least one strategy"
        )


def _section(
    numbers: Mapping[str, Entry],
    growth: pd.DataFrame,
    regime: pd.Series,
    about: Mapping[str, Any],
    label: str,
) -> str:
    pair = next(iter(numbers.values()))["pair"]
    absorption = Observed(
        episodes=about["absorption_episodes"], entered=about["absorption_entered"]
    )
    return render(
        "compare.html.j2",
        about=about,
        label=label,
        colours=css_of_lines(),
        said=" ".join(conclusion(numbers)),
        settings=None if pair is None else settings_words(pair),
        against=None if pair is None else pair["against"],
        saved=[
            (saved_words(name, entry["saved"], entry), entry["saved"]["same"])
            for name, entry in numbers.items()
            if entry["saved"] is not None
        ],
        notes=joined_notes(about["notes"]),
        filled=" or ".join(map(str, about["lags"])),
        headings=[
            ("strategy", "text", ""),
            *((h, kind, NOTES.get(h, "")) for h, kind, _ in COLUMNS),
        ],
        rows=[_row(at, name, entry) for at, (name, entry) in enumerate(numbers.items())],
        kinds=[kind for kind in KINDS if any(e["kind"] == kind for e in numbers.values())],
        kind_colours=KINDS,
        few=[(name, e["episodes"]) for name, e in numbers.items() if is_few(e["episodes"])],
        fewest=FEW,
        observed=observed_said(absorption, None),
        quarter=QUARTER,
        regimes=_regimes(growth, regime),
        far=far_points(numbers),
        details=[_details(at, name, entry) for at, (name, entry) in enumerate(numbers.items())],
        **_charts(numbers, growth, regime, label),
    )


def joined_notes(notes: Sequence[str]) -> list[str]:
    """Return the notes; a note on several rows occurs once, and ends with the names of the rows.

    >>> joined_notes(["a: no price", "b: no price", "c: no regime"])
    ['no price: a, b', 'c: no regime']
    """
    names: dict[str, list[str]] = {}
    for note in notes:
        name, _, said = note.partition(": ")
        names.setdefault(said or note, []).append(name)
    return [
        f"{said}: {', '.join(of)}" if len(of) > 1 else said if of == [said] else f"{of[0]}: {said}"
        for said, of in names.items()
    ]


def _charts(
    numbers: Mapping[str, Entry], growth: pd.DataFrame, regime: pd.Series, label: str
) -> dict[str, Any]:
    """Return the charts, and the style of each strategy's line."""
    looks = styles({name: entry["kind"] for name, entry in numbers.items()})
    title = f"{label}Drawdown and growth of 1, shaded by the regime of each return"
    correlations = f"{label}Correlations of daily returns"
    return {
        "looks": looks,
        "curves": curves_chart(growth, regime, looks, title),
        "risk": risk_chart(numbers, f"{label}Risk and return"),
        "correlations": correlation_chart(growth[list(numbers)], correlations),
        "luck": compare_luck_section(numbers, looks, label),
    }


def _regimes(growth: pd.DataFrame, regime: pd.Series) -> dict[str, str]:
    """Return the CSS colour of each regime that occurs."""
    return css_states(present(regime.reindex(growth.index).fillna("none")))


def _row(at: int, name: str, entry: Entry) -> dict[str, Any]:
    saved = entry["saved"]
    return {
        "at": at,
        "name": name,
        "changed": saved is not None and not saved["same"],
        "kind": entry["kind"],
        "few": is_few(entry["episodes"]),
        "cells": [(heading, kind, cell(entry)) for heading, kind, cell in COLUMNS],
    }


def _details(at: int, name: str, entry: Entry) -> dict[str, Any]:
    mix, twin, baskets = entry["mix"], entry["equal_weight"], entry.get("baskets")
    beside = [
        ("itself", _performance(entry)),
        (f"own mix, {percent_0(mix['share'])} % SPY", _performance(mix)),
    ]
    more = [f"Sortino {fixed(entry['sortino'])}", f"Calmar {fixed(entry['calmar'])}"]
    if twin:
        bounds = entry["intervals"]["excess_equal_weight"]
        points = f"{percent(bounds['estimate'])} {interval(bounds, percent)}".strip()
        beside.append(("equal weights", _performance(twin)))
        more.append(f"mean return minus the mean return of equal weights: {points} points a year")
    if baskets:
        more.append(
            f"the memory makers have a higher Sharpe ratio than {percent(baskets['rank'], 0)} % of "
            f"{baskets['n']} random baskets of shares"
        )
    changed = changed_words(entry["settings"])
    return {**entry, "at": at, "name": name, "beside": beside, "more": more, "changed": changed}


def _performance(figures: Entry) -> tuple[str, str, str]:
    return percent(figures["cagr"]), fixed(figures["sharpe"]), percent(figures["max_drawdown"])
