"""The state of each link of the thesis at one session, in one or two words.

A link is one step of the argument of the thesis.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from backtests.thesis.links import LINKS, LinkFlag, link_flags
from signals.base import Evaluation

Word = Literal["on", "off", "no view", "no flag"]


@dataclass(frozen=True, kw_only=True)
class LinkState:
    """The state of one link of the thesis at a session.

    Attributes
    ----------
    link, statement
        Name of the link, such as ``L3``, and its statement.
    word
        ``on``: at least one flag of the link is on. ``off``: at least one flag of the link is
        known, but no flag is on. ``no view``: no flag of the link is known. ``no flag``: no signal
        measures the link.
    flags
        The flags of the link's signals.
    """

    link: str
    statement: str
    word: Word
    flags: tuple[LinkFlag, ...]


def link_states(evaluations: Mapping[str, Evaluation]) -> tuple[LinkState, ...]:
    """Return the state of every link at the last session of the evaluations."""
    return tuple(_state(link, statement, evaluations) for link, statement in LINKS.items())


def _state(link: str, statement: str, evaluations: Mapping[str, Evaluation]) -> LinkState:
    flags = link_flags(evaluations, link)
    return LinkState(link=link, statement=statement, word=_word(flags), flags=flags)


def _word(flags: tuple[LinkFlag, ...]) -> Word:
    if not flags:
        return "no flag"
    known = [flag.on for flag in flags if flag.on is not None]
    if not known:
        return "no view"
    return "on" if any(known) else "off"
