"""Three sections of a run's page: luck, lead and lag, and tilt and timing."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from backtests.evidence.luck import SKILLED, p_said
from backtests.format import (
    fixed,
    fixed_3,
    p_value,
    percent,
    percent_2,
    percent_unit,
    thousands,
)
from backtests.report.lead_lag_bars import lead_lag_bars
from backtests.report.page import render
from backtests.simulated import label_of

#: Rows of the table: key in metrics.json, label, format, and explanation.
ROWS: tuple[tuple[str, str, Callable[[Any], str], str], ...] = (
    (
        *("sharpe", "Sharpe ratio", fixed),
        "mean excess return divided by its standard deviation. The excess return is the return "
        "minus the return of bills",
    ),
    (
        *("standard_error", "Standard error", fixed),
        "corrected for skewness, fat tails and serial correlation",
    ),
    (
        *("hurdle", "Hurdle", fixed),
        "smallest Sharpe ratio that counts as skill, when all trials are counted",
    ),
    ("trials", "Trials", thousands, "this strategy and all logged trials that have a Sharpe ratio"),
    (
        "effective_trials",
        "Independent trials",
        partial(fixed, digits=1),
        "similar trials count as fewer independent trials",
    ),
    (
        *("probabilistic_sharpe", "Probabilistic Sharpe ratio", fixed_3),
        "1 minus the p-value of the test for a Sharpe ratio above 0. The test ignores all other "
        "trials",
    ),
    (
        *("deflated_sharpe", "Deflated Sharpe ratio, 2026", fixed_3),
        "1 minus the p-value of a test that corrects for many trials. The standard error is "
        "computed from the variance of the trials' Sharpe ratios",
    ),
    (
        *(
            "deflated_by_own_error",
            "Deflated Sharpe ratio, own standard error",
            fixed_3,
        ),
        "1 minus the p-value of a test that corrects for many trials. The standard error is "
        "computed from this strategy's returns",
    ),
    (
        *("deflated_sharpe_2014", "Deflated Sharpe ratio, 2014", fixed_3),
        "1 minus the p-value of the test from 2014, which corrects for many trials. The test from "
        "2014 rarely finds skill",
    ),
    (
        *("minimum_track_record", "Minimum track record, sessions", thousands),
        "number of sessions after which this Sharpe ratio would be significantly above 0",
    ),
    (
        *("power", "Power", percent_unit),
        f"probability that the test finds a true Sharpe ratio of {fixed(SKILLED, 1)} in a run with "
        "this number of sessions",
    ),
    (
        *("planned_false_discovery", "False discoveries, planned", percent_unit),
        "percentage of strategies without skill, among all strategies that pass the test",
    ),
    (
        *("observed_false_discovery", "False discoveries, observed", percent_unit),
        "percentage of strategies without skill, among all strategies with at least this Sharpe "
        "ratio",
    ),
)


def luck_section(numbers: Mapping[str, Any]) -> str:
    """Return the HTML of the sections on luck, on lead and lag, and on tilt and timing.

    ``numbers`` is the content of ``metrics.json``.
    """
    run, found = numbers["run"], numbers["lead_lag"]
    return render(
        "luck.html.j2",
        label=label_of(run["simulated"]),
        luck=numbers["luck"],
        luck_rows=_rows(numbers["luck"]),
        skilled=fixed(SKILLED, 1),
        lead_lag=found,
        lead_lag_chart=None if found is None else _chart(found, run["simulated"]),
        timing_p=timing_p_said(numbers["conclusion"]),
        timing=None if numbers["timing"] is None else _timing(numbers["timing"]),
    )


def timing_p_said(conclusion: Mapping[str, Any]) -> str:
    """Return the p-value of the run's timing; empty without a test, or with too few episodes."""
    tested = conclusion["timing_p_value"] is not None and not conclusion["few_episodes"]
    return p_said(conclusion["timing_p_value"]) if tested else ""


def _rows(luck: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return a row for each defined number, or no rows if the Sharpe ratio is undefined."""
    if luck["sharpe"] is None:
        return []
    rows = [
        {"key": key, "label": label, "shown": form(luck[key]), "hint": hint}
        for key, label, form, hint in ROWS
        if luck[key] is not None
    ]
    mix = luck["own_mix"]
    if mix is not None:
        shown = f"{fixed(mix['estimate'])} (p {p_value(mix['p_value'])})"
        hint = (
            "Sharpe ratio minus the Sharpe ratio of a constant mix of SPY and bills. The p-value "
            "is from the test of Ledoit and Wolf"
        )
        rows.append({"key": "own_mix", "label": "Minus own mix", "shown": shown, "hint": hint})
    return rows


def _chart(found: Mapping[str, Any], simulated: bool) -> str:
    title = f"{label_of(simulated)}Information ratio by the lag of fills"
    return lead_lag_bars(found["information_ratios"], found["lag"], title)


def _timing(split: Mapping[str, Any]) -> dict[str, Any]:
    assets = sorted(split["by_asset"].items(), key=lambda item: -item[1]["weight"])
    rows = [(name, [percent_2(part[key]) for key in _COLUMNS]) for name, part in assets]
    total = ["", percent_2(split["tilt"]), percent_2(split["timing"])]
    return {"assets": [*rows, ("all assets", total)], "sum": split_said(split)}


_COLUMNS = ("weight", "tilt", "timing")


def split_said(split: Mapping[str, Any]) -> str:
    """Return a sentence that splits the mean yearly return into bills, tilt, timing and costs."""
    signed = partial(percent, digits=2, unit="%", signed=True)
    borrowing = f", borrowing {signed(split['borrowing'])}" if split["borrowing"] else ""
    return (
        f"Mean return a year: bills {signed(split['bills'])}, tilt {signed(split['tilt'])}, timing "
        f"{signed(split['timing'])}, trading costs {signed(split['trading'])}{borrowing}; together "
        f"{signed(split['total'])}."
    )


def luck_sentences(numbers: Mapping[str, Any]) -> list[str]:
    """Return the sentences on luck, on lead and lag, and on tilt and timing, for the terminal.

    ``numbers`` is the content of ``metrics.json``.
    """
    said = [numbers["luck"]["verdict"]]
    if numbers["lead_lag"] is not None:
        said.append(numbers["lead_lag"]["said"])
    if numbers["timing"] is not None:
        said.append(split_said(numbers["timing"]))
    return said
