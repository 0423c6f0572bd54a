"""Three sections of the page of ``compare``: luck, lead and lag, tilt and timing."""

from collections.abc import Callable, Mapping
from typing import Any

from backtests.format import MISSING, fixed, fixed_3, p_value, percent, percent_2, thousands
from backtests.report.compare_charts import Style
from backtests.report.lead_lag_lines import lead_lag_lines
from backtests.report.page import render

Entry = Mapping[str, Any]


def _mix_p(luck: Entry) -> str:
    return MISSING if luck["own_mix"] is None else p_value(luck["own_mix"]["p_value"])


def _significant(luck: Entry) -> str:
    return MISSING if luck["hurdle"] is None else "yes" if luck["significant"] else "no"


#: Columns of the table on luck: the heading, and the function that returns a cell.
LUCK: tuple[tuple[str, Callable[[Entry], str]], ...] = (
    ("Sharpe", lambda luck: fixed(luck["sharpe"])),
    ("standard error", lambda luck: fixed(luck["standard_error"])),
    ("hurdle", lambda luck: fixed(luck["hurdle"])),
    ("unlikely to be luck", _significant),
    ("probabilistic", lambda luck: fixed_3(luck["probabilistic_sharpe"])),
    ("deflated, 2026", lambda luck: fixed_3(luck["deflated_sharpe"])),
    ("deflated, 2014", lambda luck: fixed_3(luck["deflated_sharpe_2014"])),
    ("minimum record, sessions", lambda luck: thousands(luck["minimum_track_record"])),
    ("power, %", lambda luck: percent(luck["power"], 0)),
    ("false discoveries, %", lambda luck: percent(luck["observed_false_discovery"])),
    ("own mix, p", _mix_p),
    ("may be best, p", lambda luck: fixed(luck["confidence_set_p"])),
    ("better than", lambda luck: luck["superior_to"] or MISSING),
)
#: Columns of the table on tilt and timing: the heading, and the key in ``compare --json``.
TIMING = {
    "bills, % a year": "bills",
    "tilt, % a year": "tilt",
    "timing, % a year": "timing",
    "trading costs, % a year": "trading",
    "borrowing, % a year": "borrowing",
    "total, % a year": "total",
}


def compare_luck_section(
    numbers: Mapping[str, Entry], looks: Mapping[str, Style], label: str
) -> str:
    """Return the HTML of the sections on luck, on lead and lag, and on tilt and timing.

    ``numbers`` is the content of ``compare --json``.
    """
    found = {name: entry["lead_lag"] for name, entry in numbers.items() if entry["lead_lag"]}
    ratios = {name: each["information_ratios"] for name, each in found.items()}
    title = f"{label}Information ratio by the lag of fills"
    return render(
        "compare_luck.html.j2",
        label=label,
        said=next(iter(numbers.values()))["luck"]["table"]["said"],
        luck_headings=[heading for heading, _ in LUCK],
        luck_rows=[(name, [cell(e["luck"]) for _, cell in LUCK]) for name, e in numbers.items()],
        collapsed=[name for name, each in found.items() if each["collapse"] is not None],
        measured=len(found),
        named={name: look for name, look in looks.items() if name in found},
        lead_lag=lead_lag_lines(ratios, looks, title),
        timing_headings=list(TIMING),
        timing_rows=[(name, _timing(entry["timing"])) for name, entry in numbers.items()],
    )


def _timing(split: Entry | None) -> list[str]:
    return [MISSING if split is None else percent_2(split[key]) for key in TIMING.values()]
