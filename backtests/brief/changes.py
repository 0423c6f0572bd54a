"""What changed between two sessions: the regime, its rule, flags, and links of the thesis."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from backtests.brief.links import LinkState, link_states
from signals.hysteresis import flag_words, since
from signals.reading import Reading

Kind = Literal["regime", "rule", "flag", "link"]


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change of a regime, rule, flag or link between two sessions.

    Attributes
    ----------
    kind, name
        ``kind`` says what changed: the regime, its rule, a flag or a link. ``name`` is the name of
        the signal or the link, or empty for a regime or a rule.
    was, now
        The states at the earlier session and at the last session. A missing regime or rule is
        ``none``, and a flag without a state has ``no view``. ``was`` and ``now`` are equal if the
        state changed between the two sessions and then changed back.
    when
        The first session of the current state, or None if there is no current state.
    """

    kind: Kind
    name: str
    was: str
    now: str
    when: pd.Timestamp | None


def changes(reading: Reading, before: pd.Timestamp) -> tuple[Change, ...]:
    """Return the changes from the session ``before`` to the last session of the reading.

    ``before`` is a session of the reading. The result includes a flag that changed after ``before``
    and then changed back. The result includes a link only if its states at ``before`` and at the
    last session differ.
    """
    return (
        *_of("regime", "", reading.regime, reading.regime.fillna("none"), before),
        *_of("rule", "", reading.decided_by, reading.decided_by.fillna("none"), before),
        *(
            change
            for name, flag in reading.flags.items()
            for change in _of("flag", str(name), flag, flag_words(flag), before)
        ),
        *_links(reading, before),
    )


def _of(
    kind: Kind, name: str, states: pd.Series, words: pd.Series, before: pd.Timestamp
) -> Iterator[Change]:
    """Yield one change if the state changed after the session ``before``, else nothing.

    ``words`` contains the state of each session as text, such as ``none`` for a missing state.
    """
    said = words.loc[before:]
    if said.nunique() < 2:
        return
    yield Change(
        kind=kind, name=name, was=str(said.iloc[0]), now=str(said.iloc[-1]), when=since(states)
    )


def _links(reading: Reading, before: pd.Timestamp) -> Iterator[Change]:
    earlier = link_states({name: e.until(before) for name, e in reading.evaluations.items()})
    for was, now in zip(earlier, link_states(reading.evaluations), strict=True):
        if was.word != now.word:
            when = _since(now, reading)
            yield Change(kind="link", name=now.link, was=was.word, now=now.word, when=when)


def _since(link: LinkState, reading: Reading) -> pd.Timestamp | None:
    """Return the first session of a link's current state; None if no flag of the link is known."""
    flags = reading.flags[[flag.signal for flag in link.flags]]
    on = flags.fillna(False).any(axis=1)
    return since(on.where(flags.notna().any(axis=1)))
