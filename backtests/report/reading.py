"""What the signals say at one session: as plain data, and as a sentence."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

import signals
from backtests.history.panel import History
from backtests.report.numbers import plain
from signals.base import Explanation, Signal, since
from signals.regime import Reading


def read_at(
    history: History, session: pd.Timestamp, chosen: Mapping[str, Signal] | None = None
) -> dict[str, Any]:
    """Return the regime and every signal at a session's close, as plain data.

    Parameters
    ----------
    history
        Nothing after the session is read.
    session
        A session of the history.
    chosen
        Signals by name; default every registered one.
    """
    past = history.until(session)
    asked = signals.default_signals() if chosen is None else dict(chosen)
    reading = signals.read(past.panel, asked)
    said = {name: s.explain(past.panel, session, past.known) for name, s in asked.items()}
    result: dict[str, Any] = plain(
        {
            "as_of": session,
            "regime": reading.regime.iloc[-1],
            "since": since(reading.regime),
            "source": history.source,
            "sentence": sentence(reading, said),
            "votes_for": voters(reading, True),
            "votes_against": voters(reading, False),
            "no_view": voters(reading, None),
            "signals": {name: _plain(e, name in reading.votes) for name, e in said.items()},
        }
    )
    return result


def voters(reading: Reading, vote: bool | None) -> list[str]:
    """Return the names of those that vote in a way (None: have no view) at the last session."""
    last = reading.votes.iloc[-1]
    return [str(name) for name, v in last.items() if (None if pd.isna(v) else bool(v)) is vote]


def sentence(reading: Reading, said: Mapping[str, Explanation]) -> str:
    """Say what the regime is, since when, and which flags make it so, with where they flip.

    What decides comes first: a flag that names the regime by itself, then the votes that are on.
    """
    name, start = reading.regime.iloc[-1], since(reading.regime)
    if name is None:
        without = ", ".join(voters(reading, None))
        return f"no regime: too few votes have a view (none from {without})"
    alone = [n for n in ("forced_selling", "opportunity", "absorption") if _is_on(said, n)]
    decides = alone + [n for n in voters(reading, True) if n not in alone]
    because = "; ".join(_clause(said[n]) for n in decides if n in said) or "no flag is on"
    votes_for, views = len(voters(reading, True)), int(reading.votes.iloc[-1].notna().sum())
    return (
        f"{name} since {'–' if start is None else start.date()}: "
        f"{votes_for} of {views} votes speak for scarce capital; {because}"
    )


def _is_on(said: Mapping[str, Explanation], name: str) -> bool:
    return name in said and said[name].flag is True


def _clause(e: Explanation) -> str:
    value = "" if pd.isna(e.value) else f" {e.value:.3g} {e.unit}"
    return f"{e.signal}{value} (flips with {e.flips})"


def _plain(said: Explanation, votes: bool) -> dict[str, Any]:
    moments = {id: moment for id, moment in said.known_at.items() if moment is not None}
    oldest = min(moments, key=lambda id: moments[id], default=None)
    return {
        "value": said.value,
        "unit": said.unit,
        "percentile": said.percentile,
        "score": said.score,
        "flag": said.flag,
        "since": said.since,
        "votes": votes,
        "distance": said.distance,
        "distance_gauge": said.distance_gauge,
        "distance_unit": said.distance_unit,
        "flips": said.flips,
        "reason": said.reason,
        "components": said.components,
        "without": list(said.without),
        "rests_on": said.rests_on,
        "known_at": max(moments.values(), default=None),
        "oldest_input": oldest,
        "oldest_known_at": moments[oldest] if oldest else None,
        "inputs": said.known_at,
    }
