"""The verdict of a run's page, in words: one conclusion, and a strip of five answers."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from backtests.evidence.luck import p_said
from backtests.report.format import MISSING, Form, fixed, is_missing, percent

_SIGNED: Form = partial(percent, digits=1, signed=True)
_PLAIN: Form = partial(percent, digits=1)
#: A difference from the benchmark below this value, a fraction a year, is no difference.
NONE = 0.0005


def conclusion_said(numbers: Mapping[str, Any]) -> str:
    """Return the conclusion of a run in two sentences: the result, and how much to trust it.

    ``numbers`` is the content of ``metrics.json``.
    """
    run, own, other = numbers["run"], numbers["strategy"], numbers["benchmark"]
    key, a_year = ("total_return", "") if run["below_a_year"] else ("cagr", " a year")
    where = "In a SIMULATED history, " if run["simulated"] else ""
    earned = (
        f"{where}{run['strategy']} earned {_PLAIN(own[key])} %{a_year} after costs, and "
        f"{run['benchmark']} {_PLAIN(other[key])} %; its deepest loss was "
        f"{_loss(own)} %, that of {run['benchmark']} {_loss(other)} %."
    )
    return f"{earned} {_trust(numbers)}"


def _loss(figures: Mapping[str, Any]) -> str:
    return _PLAIN(abs(figures["max_drawdown"]))


def _trust(numbers: Mapping[str, Any]) -> str:
    """Return a sentence on what may be luck."""
    run, found = numbers["run"], numbers["conclusion"]
    if run["below_a_year"]:
        return "The run is shorter than a year, so nothing can be concluded."
    difference, benchmark = found["difference"], run["benchmark"]
    if difference is not None and abs(difference["estimate"]) < NONE:
        return f"It earns what {benchmark} earns, so there is nothing to judge."
    passed, failed = _tests(numbers, +1), _tests(numbers, -1)
    more = [f"it earned less than {benchmark} by more than luck explains"] * (_side(difference) < 0)
    if found["few_episodes"]:
        more.append(f"it acted in only {_episodes(run)}")
    if passed and not (failed or more):
        return f"{_capital(passed)} {_do(passed)} not look like luck, but hindsight remains."
    luck = [f"{_and(failed)} can be luck"] * bool(failed)
    doubts = _and([*luck, *more])
    if passed:
        return f"{_capital(passed)} {_do(passed)} not look like luck, but {doubts}."
    return f"Do not rely on it: {doubts}." if doubts else "No test of luck was made."


def _tests(numbers: Mapping[str, Any], side: int) -> list[str]:
    """Return the names of the tests that the run passes (``side`` 1) or does not pass (−1)."""
    found, benchmark = numbers["conclusion"], numbers["run"]["benchmark"]
    ahead = _side(found["difference"])
    told = {
        f"its distance to {benchmark}": None if ahead < 0 or not found["difference"] else ahead > 0,
        "its Sharpe ratio": found["sharpe_told"],
        "its timing": found["timing_told"],
    }
    return [name for name, passes in told.items() if passes is (side > 0)]


def _and(clauses: list[str]) -> str:
    *first, last = clauses or [""]
    return f"{', '.join(first)} and {last}" if first else last


def _capital(names: list[str]) -> str:
    said = _and(names)
    return said[:1].upper() + said[1:]


def _do(names: list[str]) -> str:
    return "do" if len(names) > 1 else "does"


def _side(difference: Mapping[str, Any] | None) -> int:
    """Return 1 or −1 if the interval lies above or below zero, else 0."""
    if difference is None or is_missing(difference["low"]) or is_missing(difference["high"]):
        return 0
    return int(difference["low"] > 0) - int(difference["high"] < 0)


# --- The strip ---------------------------------------------------------------------------------


def strip(numbers: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return five answers: result, result in ABSORPTION, luck, hindsight, and the regime now.

    Each is a mapping with ``id``, ``title``, ``term``, ``value`` and ``note``. The term is the one
    of the glossary that explains the title. ``numbers`` is the content of ``metrics.json``.
    """
    cells = {
        "result": ("Result", "CAGR", *_result(numbers)),
        "absorption": ("In ABSORPTION", "regime", *_in_absorption(numbers)),
        "skill": ("Luck or skill", "told from luck", *_skill(numbers)),
        "hindsight": ("Hindsight", "hindsight", *_hindsight(numbers)),
        "now": ("Regime now", "regime", *_now(numbers["run"])),
    }
    keys = ("title", "term", "value", "note")
    return [{"id": id, **dict(zip(keys, cell, strict=True))} for id, cell in cells.items()]


def _result(numbers: Mapping[str, Any]) -> tuple[str, str]:
    run, found = numbers["run"], numbers["conclusion"]
    key, a_year = ("total_return", "") if run["below_a_year"] else ("cagr", " a year")
    value = f"{_SIGNED(numbers['strategy'][key])} %{a_year}"
    note = f"{run['benchmark']} {_SIGNED(numbers['benchmark'][key])} %"
    difference = found["difference"]
    if difference is None:
        return value, f"{note}; no interval for less than a year"
    low, high = (_SIGNED(difference[end]) for end in ("low", "high"))
    return value, (
        f"{note}. Mean difference {_SIGNED(difference['estimate'])} points a year, "
        f"{percent(found['level'], 0)} % interval {low} to {high}"
    )


def _in_absorption(numbers: Mapping[str, Any]) -> tuple[str, str]:
    run, row = numbers["run"], numbers["regimes"].get("ABSORPTION")
    if row is None:
        return MISSING, "ABSORPTION did not occur while this run earned returns"
    seen = f"{row['sessions']} sessions in {_counted(row['episodes'])}"
    if row["mean_excess"] is None:
        return MISSING, f"{seen}; no yearly figure for less than a year"
    other = f"{run['benchmark']} {_SIGNED(row['benchmark_excess'])} %"
    return f"{_SIGNED(row['mean_excess'])} % a year", f"{other}. Both over bills, {seen}"


def _skill(numbers: Mapping[str, Any]) -> tuple[str, str]:
    luck, found = numbers["luck"], numbers["conclusion"]
    if found["sharpe_told"] is None:
        return "No verdict", "The returns cover less than a year or do not vary"
    doubted = [name for name, told in _told(found).items() if not told]
    if not doubted:
        value = "Told from luck"
    else:
        value = f"{doubted[0]} may be luck" if len(doubted) < len(_told(found)) else "May be luck"
    p = found["timing_p_value"]
    timing = "timing not tested" if p is None else f"timing {p_said(p)}"
    return value, f"Sharpe {fixed(luck['sharpe'])}, hurdle {fixed(luck['hurdle'])}; {timing}"


def _told(found: Mapping[str, Any]) -> dict[str, bool]:
    tests = {"Sharpe ratio": found["sharpe_told"], "Timing": found["timing_told"]}
    return {name: told for name, told in tests.items() if told is not None}


def _hindsight(numbers: Mapping[str, Any]) -> tuple[str, str]:
    if numbers["run"]["simulated"]:
        return "Nothing happened", "The history is SIMULATED and is no evidence"
    return (
        "Cannot be excluded",
        "Rules and assets were chosen in 2026, when the history before was known",
    )


def _now(run: Mapping[str, Any]) -> tuple[str, str]:
    if run["regime"] is None:
        return "No regime", f"at the close of {run['end']}"
    return run["regime"], f"since {run['regime_since']}; last close {run['end']}"


def _episodes(run: Mapping[str, Any]) -> str:
    own = run["state_episodes"]
    return _counted(run["absorption_episodes"] if own is None else own)


def _counted(count: int) -> str:
    return f"{count} episode{'' if count == 1 else 's'}"
