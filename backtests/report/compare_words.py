"""Sentences about a comparison: its conclusion, the difference of two rows, finished runs.

The terminal and the page show the same sentences. All numbers come from ``compare --json``.
"""

from collections.abc import Mapping
from typing import Any

from backtests.evidence.entries import BEATS, SIGNIFICANT
from backtests.evidence.luck import p_said
from backtests.evidence.settings import value_said
from backtests.evidence.superiority import SET_SIZE
from backtests.format import (
    fixed,
    interval,
    is_missing,
    percent,
    percent_signed,
    percent_unit,
)
from backtests.plural import joined, number_of

Entry = Mapping[str, Any]
_MOST_NAMES = 3


def conclusion(numbers: Mapping[str, Entry]) -> list[str]:
    """Return the conclusion of a comparison as one or two texts."""
    first = next(iter(numbers.values()))
    if first["pair"] is not None:
        return pair_words(next(iter(numbers)), first["pair"])
    return [_timing(numbers), *_best(numbers)]


def _timing(numbers: Mapping[str, Entry]) -> str:
    ranked = [name for name, e in numbers.items() if e["placebo"] is not None]
    significant = [name for name in ranked if numbers[name]["conclusion"] == BEATS]
    if not ranked:
        return "No row is ranked among placebos, so nothing can be concluded about timing."
    if significant:
        return (
            f"The timing of {_names(significant)} beats 95 % of placebos. By luck alone, about "
            f"{fixed(0.05 * len(ranked), 1)} of {len(ranked)} ranked rows would beat 95 % of "
            "placebos."
        )
    if len(ranked) == 1:
        return f"The timing of {ranked[0]} may be luck."
    return f"The timing of each of the {len(ranked)} ranked rows may be luck."


def _best(numbers: Mapping[str, Entry]) -> list[str]:
    known = {name: e["sharpe"] for name, e in numbers.items() if not is_missing(e["sharpe"])}
    if not known:
        return []
    best = max(known, key=lambda name: known[name])
    bounds = interval(numbers[best]["intervals"]["sharpe"], fixed)
    said = f"{best} has the highest Sharpe ratio, {fixed(known[best])} {bounds}".strip()
    tested = {n: e["luck"]["confidence_set_p"] for n, e in numbers.items() if n != best}
    p_values = [p for p in tested.values() if p is not None]
    alike = sum(p > SET_SIZE for p in p_values)
    if not p_values:
        return [f"{said}."]
    other = "other row" if len(p_values) == len(tested) else "other tested row"
    if not alike:
        return [f"{said}. At the 90 % level, every {other} is worse."]
    return [f"{said}, but {alike} of {len(p_values)} {other}s may be equally good."]


def _names(names: list[str]) -> str:
    if len(names) <= _MOST_NAMES:
        return joined(names)
    return f"{', '.join(names[:_MOST_NAMES])} and {len(names) - _MOST_NAMES} more"


def pair_words(name: str, pair: Entry) -> list[str]:
    """Return sentences on the difference between two rows: the first row minus the second row."""
    other, excess, sharpe = pair["against"], pair["excess"], pair["sharpe"]
    if is_missing(excess["estimate"]):
        return [f"{name} and {other} have less than a year in common, so nothing can be concluded."]
    if excess["low"] == excess["high"] == 0:
        return [f"{name} and {other} have the same returns."]
    said = (
        f"{name} minus {other}: {percent_signed(excess['estimate'])} "
        f"{interval(excess, percent_signed)} percentage points of mean return a year"
    )
    if is_missing(excess["low"]) or excess["low"] <= 0 <= excess["high"]:
        said += "; the interval contains zero, so the difference may be luck."
    else:
        said += "; the interval does not contain zero."
    if is_missing(sharpe["estimate"]) or pair["p_value"] is None:
        return [said]
    difference = f"{_signed(sharpe['estimate'])} {interval(sharpe, fixed)}".strip()
    return [said, f"The difference of the Sharpe ratios, {difference}, {_sharpe_said(pair)}."]


def _sharpe_said(pair: Entry) -> str:
    """Return a clause that says whether a test finds a difference between two Sharpe ratios.

    If the test and the interval disagree, the clause says so.
    """
    low, high = pair["sharpe"]["low"], pair["sharpe"]["high"]
    significant, p = pair["p_value"] <= SIGNIFICANT, p_said(pair["p_value"])
    if is_missing(low) or significant != (low <= 0 <= high):
        return f"{'does not look like luck' if significant else 'may be luck'} ({p})"
    if significant:
        return f"is unclear: its interval contains zero, but a test finds a difference ({p})"
    return f"is unclear: its interval does not contain zero, but a test finds no difference ({p})"


def settings_words(pair: Entry) -> str:
    """Return text on each setting that differs between two rows, with both values."""
    if not pair["settings"]:
        return "no setting differs"
    return "; ".join(
        f"{one['path']} {value_said(one['first'])} instead of {value_said(one['second'])}"
        for one in pair["settings"]
    )


def changed_words(settings: list[dict[str, Any]]) -> str:
    """Return text on a row's settings that differ from the defaults.

    If no setting differs, the text is empty.
    """
    return ", ".join(
        f"{one['path']} {value_said(one['first'])} (default {value_said(one['second'])})"
        for one in settings
    )


def saved_words(name: str, saved: Entry, entry: Entry) -> str:
    """Return sentences that compare a finished run's saved numbers with a repetition of the run."""
    window = f"{saved['start']} to {saved['end']}"
    if saved["again"] is None:
        return (
            f"{name}: the history no longer has the sessions of {saved['folder']} ({window}). The "
            f"saved returns cannot be checked. {_cure(saved)}"
        )
    if not saved["same"]:
        return (
            f"{name}: its returns differ from the returns saved in {saved['folder']}. The first "
            f"difference is on {saved['changed_from']}. The largest difference on a day is "
            f"{percent(saved['largest_difference'], 2)} percentage points. {_cause(saved)} "
            f"Saved numbers, {window}: {figures_said(saved['own'])}. Numbers computed again: "
            f"{figures_said(saved['again'])}. {_cure(saved)}"
        )
    if (entry["start"], entry["end"]) != (saved["start"], saved["end"]):
        return (
            f"{name}: the current data give the same returns as {saved['folder']}. Saved numbers, "
            f"{window}: {figures_said(saved['own'])}. The table shows only sessions that all rows "
            "have in common."
        )
    return f"{name}: the row shows the numbers saved in {saved['folder']} (run {saved['run_id']})."


def _cause(saved: Entry) -> str:
    labels = saved["labels"]
    return f"The data{f', the labels in {labels}' if labels else ''} or the program have changed."


def _cure(saved: Entry) -> str:
    said = "The row shows numbers from the current data."
    if saved["labels"]:
        said += f" To use the old labels, restore {saved['labels']}."
    if saved["source"] != "store":
        return said
    return (
        f"{said} To use the old data, run drypowder data --copy FILE --as-of DATE, then compare "
        "with --store FILE."
    )


def figures_said(figures: Entry, bounds: str = "") -> str:
    """Return CAGR, Sharpe ratio and drawdown; without a CAGR, total return and drawdown.

    ``bounds`` is the confidence interval of the Sharpe ratio.
    """
    fall = f"drawdown {percent_unit(figures['max_drawdown'])}"
    if is_missing(figures["cagr"]):
        return f"total return {percent_unit(figures['total_return'])}, {fall}"
    sharpe = f"{fixed(figures['sharpe'])} {bounds}".strip()
    return f"CAGR {percent_unit(figures['cagr'])}, Sharpe {sharpe}, {fall}"


def _signed(value: float) -> str:
    return f"{'+' if value >= 0 else ''}{fixed(value)}"


def luck_words(numbers: Mapping[str, Entry]) -> list[str]:
    """Return sentences on the rows that reach the hurdle, on the best row, and on look-ahead."""
    reached = [name for name, entry in numbers.items() if entry["luck"]["significant"]]
    first = next(iter(numbers.values()))["luck"]
    log = f"{first['logged_trials']:,}" if first["logged_trials"] else "no"
    found = [entry["lead_lag"] for entry in numbers.values() if entry["lead_lag"]]
    counted = sum(not is_missing(entry["sharpe"]) for entry in numbers.values())
    rows = number_of(counted, "row") + " with a Sharpe ratio" * (counted < len(numbers))
    return [
        f"Rows whose Sharpe ratio reaches the hurdle: {', '.join(reached) or 'none'}. The hurdle "
        f"depends on {rows} and {log} logged trials.",
        *filter(None, [first["table"]["said"]]),
        *(each["said"] for each in found if each["collapse"] is not None),
    ]
