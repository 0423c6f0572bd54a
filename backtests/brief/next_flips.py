"""Measure how far the gauge of each flag is from the level at which the flag flips."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from signals.explanation import Explanation, ends_by_age, gauges_of, limits
from signals.reading import Reading
from signals.regimes import Votes

#: A distance is compared with past moves over this number of sessions, about a month.
MONTH = 21


@dataclass(frozen=True, kw_only=True)
class NextFlip:
    """The next possible flip of one flag, and the distance that its gauge must move.

    Attributes
    ----------
    signal, on, votes
        ``signal`` is the name of the signal. ``on`` is True if the flag of the signal is on.
        ``votes`` is True if the flag is a vote.
    gauge, unit, value
        ``gauge`` names the gauge that must cross a level before the flag flips. ``value`` is the
        current value of the gauge, and ``unit`` is the unit of this value.
    flips
        The level that the gauge must cross, as text.
    distance
        The signed move that brings the gauge to the level, in the unit ``unit``. The gauge must
        stay beyond the level for some sessions before the flag flips.
    beyond
        True if the gauge is already beyond the level, and only the confirmation is missing.
    frequency
        Fraction of the gauge's past moves that would have been enough for a flip. A past move is a
        change over :data:`MONTH` sessions. A past move is enough for a flip if the move has the
        sign of ``distance``, and at least the size of ``distance``. ``frequency`` describes the
        past and is not a forecast. If ``beyond`` is True, ``frequency`` is 1, because the gauge
        needs no further move. If the gauge has no past move, ``frequency`` is NaN.

        Some flags turn off after a fixed number of sessions. While a flag of this kind is on, the
        gauge is the age of the flag in sessions. Over :data:`MONTH` sessions, the age always grows
        by :data:`MONTH`.
    regime
        The regime that the rules would give if this flag flipped and no other flag changed. The
        actual regime would change only after the confirmation, some sessions after the flip. If too
        few votes are known, ``regime`` is None.
    """

    signal: str
    on: bool
    votes: bool
    gauge: str
    unit: str
    value: float
    flips: str
    distance: float
    beyond: bool
    frequency: float
    regime: str | None


def next_flips(reading: Reading, said: Mapping[str, Explanation]) -> tuple[NextFlip, ...]:
    """Return the next flip of each flag that the regime depends on; the nearest flip is first.

    The nearest flip has the highest ``frequency`` (see :class:`NextFlip`). A flip with a NaN
    frequency comes last. ``said`` maps names of signals to their explanations at the last session
    of the reading. A flag that is NA at the last session is left out. The regime model must be
    ``votes``.
    """
    names = Votes(voters=reading.voters).rests_on
    found = [_flip(reading, said[name]) for name in names if name in said]
    known = [flip for flip in found if flip is not None]
    return tuple(sorted(known, key=lambda flip: -flip.frequency if flip.frequency >= 0 else 1.0))


def _flip(reading: Reading, e: Explanation) -> NextFlip | None:
    if e.flag is None:
        return None
    evaluation = reading.evaluations[e.signal]
    levels = limits(evaluation.signal, e.flag)
    above = next(t.above for t in levels if t.gauge == e.distance_gauge)
    up = above != e.flag
    beyond = e.distance < 0 if up else e.distance > 0
    gauge = gauges_of(evaluation)[e.distance_gauge].astype("float64")
    ages = ends_by_age(evaluation.signal, e.flag)
    moves = pd.Series(float(MONTH)) if ages else gauge.diff(MONTH).dropna()
    large = moves >= e.distance if up else moves <= e.distance
    return NextFlip(
        signal=e.signal,
        on=e.flag,
        votes=e.signal in reading.votes,
        gauge=e.distance_gauge,
        unit=e.distance_unit,
        value=e.distance_value,
        flips=e.flips,
        distance=e.distance,
        beyond=beyond,
        frequency=1.0 if beyond else float(large.mean()),
        regime=regime_if_flipped(reading, e.signal),
    )


def regime_if_flipped(reading: Reading, name: str) -> str | None:
    """Return the regime that the rules would give at the last session if one flag flipped."""
    last = {key: e.rows(lambda part: part.iloc[-1:]) for key, e in reading.evaluations.items()}
    last[name] = replace(last[name], flag=~last[name].flag)
    index = pd.DataFrame(index=reading.regime.index[-1:])
    rule = Votes(voters=reading.voters).classify(index, last).rule.iloc[-1]
    return Votes.rules[str(rule)]
