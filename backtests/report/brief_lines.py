"""The brief as lines of text for the terminal."""

from typing import Any

from backtests.format import percent, state
from backtests.report.brief_words import change_words, late_words
from signals.universe import CASH

_NAMED = ("on", "off", "no view", "no flag")


def brief_lines(said: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """Return each line of the brief as a heading and a list of items.

    ``said`` is the content of ``brief --json``.
    """
    links = {word: [k for k in said["links"] if k["word"] == word] for word in _NAMED}
    unseen = [one for one in said["late"] if one["unseen"]]
    held = {one["strategy"]: one["weights"] for one in said["holdings"]}
    cash = {name: weights.get(CASH, 0.0) if weights else None for name, weights in held.items()}
    return [
        ("why", [_decided(said), *_waiting(said)]),
        ("sure", said["headline"]["sure_short"].split("; ")),
        (
            "changed",
            [
                f"since {said['compared_with']}",
                *(change_words(change) for change in said["changes"] or ()),
                *([] if said["changes"] else ["no regime, flag or link"]),
            ],
        ),
        ("links", [f"{word} {_numbered(found)}" for word, found in links.items() if found]),
        ("flips", [f"{f['signal']} {state(not f['on'])} ({f['flips']})" for f in said["flips"]]),
        ("expect", [f"{one['day']} {one['short']}" for one in said["dates"]]),
        ("cash", [f"{name} {percent(share, 0, '%')}" for name, share in cash.items()]),
        ("late", [late_words(one) for one in said["late"] if not one["unseen"]] or ["nothing"]),
        *([("missing", [f"{one['what']}: {one['affects']}" for one in unseen])] if unseen else []),
    ]


def _numbered(links: list[dict[str, Any]]) -> str:
    return f"L{' '.join(link['link'].removeprefix('L') for link in links)}"


def _waiting(said: dict[str, Any]) -> list[str]:
    waiting = said["pending"]
    if waiting is None:
        return []
    sessions = f"{waiting['sessions']} of {waiting['needed']} sessions so far"
    return [f"a change to {waiting['regime']} waits for confirmation: {sessions}"]


def _decided(said: dict[str, Any]) -> str:
    views = len(said["votes_for"]) + len(said["votes_against"])
    return f"decided by {said['decided_by']}; {len(said['votes_for'])} of {views} votes are on"


def fitted(items: list[str], room: int) -> str:
    """Return the first items that fit in ``room`` characters, and the number of further items.

    The first item is never shortened, even if it is longer than ``room``. If ``items`` is empty,
    the result is ``none``.

    >>> fitted(["one", "two", "three"], 13)
    'one; +2 more'
    """
    if not items:
        return "none"
    for kept in range(len(items), 0, -1):
        more = f"; +{len(items) - kept} more" if kept < len(items) else ""
        line = "; ".join(items[:kept]) + more
        if len(line) <= room:
            return line
    return line
