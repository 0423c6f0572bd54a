"""Sentences at the top of a run's page: the conclusion, and five short answers."""

from collections.abc import Mapping
from typing import Any

from backtests.evidence.luck import p_said
from backtests.format import MISSING, fixed, is_missing, percent, percent_signed
from backtests.plural import joined, number_of
from backtests.report.tearsheet_numbers import growth_key
from backtests.simulated import SIMULATED

#: A yearly difference smaller than this fraction counts as zero.
NONE = 0.0005


def conclusion_said(numbers: Mapping[str, Any]) -> str:
    """Return the conclusion of a run in three sentences: returns, losses, and the role of luck.

    ``numbers`` is the content of ``metrics.json``.
    """
    run, own, other = numbers["run"], numbers["strategy"], numbers["benchmark"]
    key, a_year = growth_key(run), _a_year(run)
    where = f"In a {SIMULATED} history, " if run["simulated"] else ""
    other_verb = "" if own[key] * other[key] > 0 else f"{_verb(other[key])} "
    earned = (
        f"{where}{run['strategy']} {_verb(own[key])} {_size(own[key])} %{a_year} after costs, and "
        f"{run['benchmark']} {other_verb}{_size(other[key])} %. The deepest loss was "
        f"{_size(own['max_drawdown'])} % for {run['strategy']} and "
        f"{_size(other['max_drawdown'])} % for {run['benchmark']}."
    )
    return f"{earned} {_trust(numbers)}"


def _a_year(run: Mapping[str, Any]) -> str:
    """Return " a year" for a CAGR, and an empty text for a total return."""
    return "" if run["below_a_year"] else " a year"


def _verb(value: float) -> str:
    return "lost" if value < 0 else "earned"


def _size(value: float) -> str:
    """Return a gain or a loss in percent, without a sign."""
    return percent(abs(value), digits=1)


def _trust(numbers: Mapping[str, Any]) -> str:
    """Return a sentence that says which results may be luck."""
    run, found = numbers["run"], numbers["conclusion"]
    if run["below_a_year"]:
        return "The run is shorter than a year, so nothing can be concluded."
    difference, benchmark = found["difference"], run["benchmark"]
    if difference is not None and abs(difference["estimate"]) < NONE:
        return f"The strategy earns the same as {benchmark}, so there is nothing to judge."
    passed, failed = _tests(numbers, passes=True), _tests(numbers, passes=False)
    facts = [f"it earned significantly less than {benchmark}"] * (_side(found) < 0)
    if _is_below_bills(numbers):
        facts.append("it earned less than bills")
    if found["few_episodes"]:
        facts.append(_acted(numbers))
    doubts = ", and ".join([f"{joined(failed)} may be luck"] * bool(failed) + facts)
    if passed:
        luck = f"{joined(passed)} {'do' if len(passed) > 1 else 'does'} not look like luck"
        rest = f"the history is {SIMULATED}" if run["simulated"] else "hindsight is possible"
        return _sentence(f"{luck}, but {doubts or rest}")
    if failed or found["few_episodes"]:
        return _sentence(f"do not rely on this result: {doubts}")
    return _sentence(doubts or "no test of luck was made")


def _tests(numbers: Mapping[str, Any], *, passes: bool) -> list[str]:
    """Return the names of the tests that the run passes.

    If ``passes`` is False, return the names of the tests that the run fails.
    Timing is not tested if there are too few episodes. The difference from the benchmark is not
    tested if the benchmark clearly earned more. The Sharpe ratio is not tested if it is negative.
    """
    found, benchmark = numbers["conclusion"], numbers["run"]["benchmark"]
    difference, side = found["difference"], _side(found)
    ahead = difference is not None and difference["estimate"] > 0
    distance = f"its lead over {benchmark}" if ahead else f"its shortfall against {benchmark}"
    tests = {
        distance: None if side < 0 or difference is None else side > 0,
        "its Sharpe ratio": None if _is_below_bills(numbers) else found["sharpe_significant"],
        "its timing": None if found["few_episodes"] else found["timing_significant"],
    }
    return [name for name, passed in tests.items() if passed is passes]


def _is_below_bills(numbers: Mapping[str, Any]) -> bool:
    return numbers["conclusion"]["sharpe_significant"] is not None and numbers["luck"]["sharpe"] < 0


def _sentence(said: str) -> str:
    return f"{said[:1].upper()}{said[1:]}."


def _side(found: Mapping[str, Any]) -> int:
    """Return 1 if the interval of the difference is above zero, −1 if it is below, else 0."""
    difference = found["difference"]
    if difference is None or is_missing(difference["low"]) or is_missing(difference["high"]):
        return 0
    return int(difference["low"] > 0) - int(difference["high"] < 0)


def in_one_regime(numbers: Mapping[str, Any]) -> str:
    """Return a sentence on a run's most frequent regime and its share of sessions."""
    name, row = max(numbers["regimes"].items(), key=lambda item: item[1]["share"])
    said = "without a regime" if name == "none" else f"in {name}"
    return f"{percent(row['share'], 0, '%')} of the sessions were {said}"


# --- The strip ---------------------------------------------------------------------------------


def strip(numbers: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return five answers: result, result in ABSORPTION, luck, hindsight, and current regime.

    Each answer is a mapping with ``id``, ``title``, ``term``, ``value`` and ``note``. ``term`` is
    the term of the glossary that explains the title. ``numbers`` is the content of
    ``metrics.json``.
    """
    cells = {
        "result": ("Result", "CAGR", *_result(numbers)),
        "absorption": ("In ABSORPTION", "regime", *_in_absorption(numbers)),
        "skill": ("Luck or skill", "unlikely to be luck", *_skill(numbers)),
        "hindsight": ("Hindsight", "hindsight", *_hindsight(numbers)),
        "now": ("Regime now", "regime", *_now(numbers["run"])),
    }
    keys = ("title", "term", "value", "note")
    return [{"id": id, **dict(zip(keys, cell, strict=True))} for id, cell in cells.items()]


def _result(numbers: Mapping[str, Any]) -> tuple[str, str]:
    run, found = numbers["run"], numbers["conclusion"]
    key, a_year = growth_key(run), _a_year(run)
    value = f"{percent_signed(numbers['strategy'][key])} %{a_year}"
    note = f"{run['benchmark']} {percent_signed(numbers['benchmark'][key])} %"
    difference = found["difference"]
    if difference is None:
        return value, f"{note}; no interval, because the run is shorter than a year"
    low, high = (percent_signed(difference[end]) for end in ("low", "high"))
    return value, (
        f"{note}. Difference of mean returns {percent_signed(difference['estimate'])} points "
        f"a year, {percent(found['level'], 0)} % interval {low} to {high}"
    )


def _in_absorption(numbers: Mapping[str, Any]) -> tuple[str, str]:
    run, row = numbers["run"], numbers["regimes"].get("ABSORPTION")
    if _is_blind(numbers):
        return MISSING, "No regime is known for the returns of this run"
    if row is None:
        return MISSING, "No return of this run was earned in ABSORPTION"
    seen = f"{row['sessions']} sessions in {number_of(row['episodes'], 'episode')}"
    if row["mean_excess"] is None:
        return MISSING, f"{seen}; no yearly figure, because the run is shorter than a year"
    other = f"{run['benchmark']} {percent_signed(row['benchmark_excess'])} %"
    return (
        f"{percent_signed(row['mean_excess'])} % a year",
        f"{other}. The numbers are mean returns minus the return of bills, from {seen}",
    )


def _is_blind(numbers: Mapping[str, Any]) -> bool:
    """Return True if all returns of the run were earned while no regime was known."""
    return bool(numbers["regimes"].keys() == {"none"})


def _skill(numbers: Mapping[str, Any]) -> tuple[str, str]:
    luck, found = numbers["luck"], numbers["conclusion"]
    if found["sharpe_significant"] is None:
        is_short = numbers["run"]["below_a_year"]
        why = "cover less than a year" if is_short else "minus the returns of bills do not vary"
        return "No verdict", f"The returns {why}"
    said = "Less than bills" if _is_below_bills(numbers) else _skill_said(found)
    return said, (
        f"Sharpe {fixed(luck['sharpe'])}, hurdle {fixed(luck['hurdle'])}; {_timing_said(numbers)}"
    )


def _skill_said(found: Mapping[str, Any]) -> str:
    tests = _significant(found)
    doubted = [name for name, significant in tests.items() if not significant]
    if not doubted:
        if found["few_episodes"]:
            return "Too few episodes"
        return "Unlikely to be luck" if "Timing" in tests else "Timing not tested"
    return f"{doubted[0]} may be luck" if len(doubted) < len(tests) else "May be luck"


def _timing_said(numbers: Mapping[str, Any]) -> str:
    found = numbers["conclusion"]
    if found["few_episodes"]:
        return _acted(numbers)
    if found["timing_p_value"] is None:
        return "timing not tested"
    return f"timing {p_said(found['timing_p_value'])}"


def _significant(found: Mapping[str, Any]) -> dict[str, bool]:
    timing = None if found["few_episodes"] else found["timing_significant"]
    tests = {"Sharpe ratio": found["sharpe_significant"], "Timing": timing}
    return {name: passed for name, passed in tests.items() if passed is not None}


def _hindsight(numbers: Mapping[str, Any]) -> tuple[str, str]:
    if numbers["run"]["simulated"]:
        return "Not applicable", f"The history is {SIMULATED} and is no evidence"
    return (
        "Cannot be excluded",
        "Rules and assets were chosen in 2026, with knowledge of the history up to 2026",
    )


def _now(run: Mapping[str, Any]) -> tuple[str, str]:
    if run["regime"] is None:
        return "No regime", f"at the close of {run['end']}"
    return run["regime"], f"since {run['regime_since']}; last close {run['end']}"


def _acted(numbers: Mapping[str, Any]) -> str:
    """Return a clause with the number of episodes in which the strategy is in an active state.

    If the strategy has no active states, the clause counts the episodes of ABSORPTION.
    """
    run = numbers["run"]
    own = run["state_episodes"]
    if own is None and _is_blind(numbers):
        return "no regime is known"
    count = run["absorption_episodes"] if own is None else own
    what = "ABSORPTION" if own is None else "the strategy's active state"
    seen = f"occurred in only {number_of(count, 'episode')}" if count else "never occurred"
    return f"{what} {seen}"
