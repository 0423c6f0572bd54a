"""Describe the regime and the signals at one session, as plain data and as a sentence."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from backtests.history.panel import History
from backtests.report.envelope import envelope
from backtests.report.plain import plain
from signals.dry_powder import DryPowder
from signals.explanation import Explanation, explain_all
from signals.hysteresis import since
from signals.reading import Reading
from signals.regimes import Labels, Votes
from signals.regimes.base import sessions_to_confirm
from signals.scales import Scales
from signals.summary import amount

#: Fields of an explanation that are copied into a signal's data.
_STATE = ("value", "unit", "percentile", "score", "flag", "since")
_DISTANCE = ("distance", "distance_gauge", "distance_unit", "distance_value", "flips", "reason")
_COMPONENTS = ("components", "without", "rests_on", "beside")
#: The rules of the regime model ``votes`` in plain words.
RULES_SAID = {
    "too few views": "Too few signals have data for a regime",
    "forced_selling": "Investors are forced to sell the assets that they trust least",
    "opportunity": "Forced selling has ended, and liquidity improves",
    "absorption": "AI spending grows, and little idle capital is left to pay for it",
    "half of the votes": "At least half of the signals say that capital is scarce",
    "injecting": "AI spending grows, and idle capital amply covers it",
    "none": "No rule points to a regime other than NEUTRAL",
}


def flags_numbers(past: History, reading: Reading) -> dict[str, Any]:
    """Return the regime and every signal at the last session of a history, as plain data."""
    said = explain_all(reading.evaluations, past.panel, past.known)
    rules = Votes.rules if isinstance(reading.model, Votes) else {}
    return plain(
        {
            **envelope(past),
            **regime_numbers(reading),
            "sentence": sentence(reading, said),
            "votes_for": voters(reading, True),
            "votes_against": voters(reading, False),
            "no_view": voters(reading, None),
            "scales": said_of_scales(said),
            "signals": {
                name: _signal(e, name in reading.votes, name in rules) for name, e in said.items()
            },
        }
    )


def regime_numbers(reading: Reading) -> dict[str, Any]:
    """Return the regime at the last session, its start, its model and its rule, as plain data.

    The item ``pending`` of the result comes from :func:`pending`.
    """
    decided = reading.decided_by.iloc[-1]
    return plain(
        {
            "regime": reading.regime.iloc[-1],
            "since": since(reading.regime),
            "regime_model": reading.model.name,
            "decided_by": None if pd.isna(decided) else decided,
            "pending": pending(reading),
        }
    )


def said_of_scales(said: Mapping[str, Explanation]) -> dict[str, Any] | None:
    """Return each measure of idle capital as plain data.

    The measures are called scales, and :mod:`signals.scales` explains them. ``said`` maps names of
    signals to their explanations at one session. If ``said`` lacks the signal ``dry_powder``, the
    result is None.
    """
    scales = _scales(said)
    if scales is None:
        return None
    rows = [asdict(row) for row in scales.rows]
    counts = {"depleted": scales.depleted, "views": scales.views}
    return plain({"said": scales.said, **counts, "rows": rows})


def _scales(said: Mapping[str, Explanation]) -> Scales | None:
    powder = said.get(DryPowder.name)
    return None if powder is None else powder.scales


def voters(reading: Reading, vote: bool | None) -> list[str]:
    """Return the signals whose vote at the last session is ``vote``; None means no view."""
    last = reading.votes.iloc[-1]
    return [str(name) for name, v in last.items() if (None if pd.isna(v) else bool(v)) is vote]


def sentence(reading: Reading, said: Mapping[str, Explanation]) -> str:
    """Return a sentence with the regime, its start, and the rule that decided the regime.

    If a flag decided the regime, the sentence gives the level at which this flag flips. If the rule
    ``half of the votes`` decided the regime, the sentence lists the flags that vote and are on,
    with the level at which each flag flips. The sentence also says how many measures of idle
    capital are depleted. If another regime waits for confirmation, the sentence names this regime.
    If the regime model is not ``votes``, the sentence contains only the regime, its start and its
    rule. The reading and the explanations ``said`` must end at the same session.
    """
    if not isinstance(reading.model, Votes):
        return _sentence_of_model(reading)
    waiting = _pending(pending(reading))
    name, start = reading.regime.iloc[-1], since(reading.regime)
    holds = str(reading.rule.iloc[-1])
    if name is None or start is None:
        why = "the first regime is not confirmed yet"
        if holds == "too few views":
            why = f"too few votes are known (unknown: {', '.join(voters(reading, None))})"
        return f"no regime: {why}{waiting}"
    because = _because(str(reading.decided_by.iloc[-1]), holds, reading, said)
    scales = _scales(said)
    agree = f"; {scales.said}" if scales else ""
    return f"{name} since {start.date()}: {because}{agree}{waiting}"


def _sentence_of_model(reading: Reading) -> str:
    """Return a sentence on the regime of a model other than ``votes``."""
    model = reading.model.name
    name, start = reading.regime.iloc[-1], since(reading.regime)
    if name is None or start is None:
        return f"no regime (model {model}): {reading.rule.iloc[-1]}"
    decided = f'decided by the rule "{reading.decided_by.iloc[-1]}"'
    why = "this is your own label" if isinstance(reading.model, Labels) else decided
    return f"{name} since {start.date()} (model {model}): {why}"


def _because(rule: str, holds: str, reading: Reading, said: Mapping[str, Explanation]) -> str:
    """Return a clause: the rule that decided the regime, and the number of votes that are on.

    ``rule`` is the rule that decided the regime. ``holds`` is the rule that applies at the last
    session.
    """
    on, views = voters(reading, True), int(reading.votes.iloc[-1].notna().sum())
    applies = holds == rule
    few = ", which is fewer than half" if applies and rule == "none" else ""
    named = [_clause(said[n]) for n in on if n in said] if rule == "half of the votes" else on
    names = f": {('; ' if rule == 'half of the votes' else ', ').join(named)}" if named else ""
    why = _rule_said(rule, applies, said)
    return f"decided {why}; {len(on)} of {views} known votes are on{few}{names}"


def _rule_said(rule: str, applies: bool, said: Mapping[str, Explanation]) -> str:
    """Return a clause about the rule that decided the regime.

    ``applies`` is False if the rule no longer applies at the last session.
    """
    if rule == "none":
        now = "" if applies else "; now a rule points to another regime"
        return f"because no rule pointed to a regime other than NEUTRAL{now}"
    name = f'the rule "{rule}"'
    if rule in said:
        name = f"the flag {_clause(said[rule])}"
    elif rule == "injecting":
        why = ": capital spending grows, and idle capital amply covers it" if applies else ""
        name = f'the rule "injecting"{why} (gauge u is {amount(said["absorption"].value)})'
    elif rule == "half of the votes":
        name = rule
    return f"by {name}" if applies else f"by {name}, which no longer applies"


def _pending(waiting: dict[str, Any] | None) -> str:
    """Return a clause on the result of :func:`pending`. If the result is None, return ""."""
    if waiting is None:
        return ""
    return (
        f"; a change to {waiting['regime']} (rule: {waiting['rule']}) waits for confirmation, "
        f"{waiting['sessions']} of {waiting['needed']} sessions so far"
    )


def pending(reading: Reading) -> dict[str, Any] | None:
    """Return data on a regime that waits for confirmation, or None if no regime waits.

    If the regime model is not ``votes``, the result is None.
    """
    model = reading.model
    if not isinstance(model, Votes):
        return None
    holds = str(reading.rule.iloc[-1])
    spoken = Votes.rules[holds]
    if spoken is None or spoken == reading.regime.iloc[-1]:
        return None
    same = reading.rule.map(Votes.rules).eq(spoken).to_numpy(dtype=bool)
    run = len(same) if same.all() else int(np.argmin(same[::-1]))
    return {
        "regime": spoken,
        "rule": "no flag" if holds == "none" else holds,
        "sessions": run,
        "needed": sessions_to_confirm(spoken, model.confirm),
    }


def _clause(e: Explanation) -> str:
    """Return a clause about a flag: the gauge's value, and the level at which the flag flips."""
    if e.flag is None:
        return f"{e.signal} (no view now: {e.reason})"
    value = f"{e.distance_gauge} {amount(e.distance_value, e.distance_unit)}"
    members = f", {e.rests_on}" if e.rests_on else ""
    state, turns = ("", "off") if e.flag else ("off now, ", "on")
    return f"{e.signal} ({state}{value} now, turns {turns} at {e.flips}{members})"


def _signal(said: Explanation, votes: bool, own_rule: bool) -> dict[str, Any]:
    moments = {id: moment for id, moment in said.known_at.items() if moment is not None}
    oldest = min(moments, key=lambda id: moments[id], default=None)
    return {
        **{key: getattr(said, key) for key in _STATE},
        "votes": votes,
        "own_rule": own_rule,
        **{key: getattr(said, key) for key in (*_DISTANCE, *_COMPONENTS)},
        "known_at": max(moments.values(), default=None),
        "oldest_input": oldest,
        "oldest_known_at": moments[oldest] if oldest else None,
        "inputs": said.known_at,
    }
