"""Sudden shifts of a price's level: those that no market makes, and those worth a look.

A shift is judged by its size and by whether it goes back. An alarm keeps a series out of the store
and is an error of ``data --check``. A note says what a reader should look at: a real day may look
like it. Import, fetch and check all ask :func:`shifts`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from signals.universe import asset

#: Times a close may stand off both its neighbours. No share of ours ever moved so far and back in
#: a day; a feed that slips a decimal does.
OFF = 5.0
#: Times the close before that no real close reaches. Shares have lost 90 % in a day (a failed
#: trial, a fraud), hardly ever 95 %.
LARGEST = 20.0
#: How many new shares a split makes of an old one; three for two looks like any bad day.
SPLITS = np.array([2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 40, 50])
#: Sessions before and after a shift that it is compared with, and within which it may go back.
AROUND = 20
#: Fewest moves that show how large a usual one is.
FEWEST = 5
#: Weekdays since its listing up to which a share is young: it may double or halve in a day.
YOUNG = 63
#: Where long price tables are cut: a share whose closes begin on this day was listed before it.
CUT = pd.Timestamp("2003-01-02")


@dataclass(frozen=True, kw_only=True)
class Shift:
    """A sudden shift of a price's level.

    Attributes
    ----------
    day
        The first day at the new level.
    alarm
        True when no market makes it, False when it is only worth a look.
    what
        What was expected and what was found.
    """

    day: pd.Timestamp
    alarm: bool
    what: str


def shifts(ticker: str, closes: pd.Series) -> list[Shift]:
    """Return the sudden shifts of a price's level, by day.

    An alarm is

    - a close :data:`OFF` times off both its neighbours (the first and last day have only one);
    - a shift by :data:`OFF` times that goes back within :data:`AROUND` sessions;
    - a lasting shift by :data:`LARGEST` times; for a coin outside the universe a rise alone, since
      such a coin may lose everything in a day (LUNA, May 2022);
    - the size of a split, when the share is no longer young and its sessions before and after are
      so calm that a real halving is out of the question.

    A note is any other lasting shift by :data:`OFF` times, and the size of a split where a real day
    cannot be told from one.

    Parameters
    ----------
    ticker
        Yahoo's symbol.
    closes
        USD, above zero, by date.
    """
    if len(closes) < 2:
        return []
    days = pd.DatetimeIndex(closes.index)
    found = {
        day: Shift(
            day=day,
            alarm=True,
            what=f"expected a close near its neighbours, was {closes[day]:g}: {OFF:g} times off",
        )
        for day in spikes(closes)
    }
    moves = np.diff(np.log(closes.to_numpy(dtype=np.float64)))
    for at in _large(moves, set(np.flatnonzero(days.isin(list(found))).tolist())):
        alarm, what = _judged(ticker, days, moves, at)
        if what:
            found[days[at + 1]] = Shift(day=days[at + 1], alarm=alarm, what=what)
    return [found[day] for day in sorted(found)]


def spikes(closes: pd.Series) -> list[pd.Timestamp]:
    """Return the days whose close stands :data:`OFF` times above or below both its neighbours.

    The last day has one neighbour; so has the first, which is judged where the two after it agree.
    """
    if len(closes) < 2:
        return []
    moves = np.diff(np.log(closes.to_numpy(dtype=np.float64)))
    before, after = np.r_[np.nan, moves], np.r_[-moves, np.nan]
    after[-1] = before[-1]
    if abs(after[1]) <= np.log(OFF):
        before[0] = after[0]
    far = (np.minimum(before, after) > np.log(OFF)) | (np.maximum(before, after) < -np.log(OFF))
    return [pd.Timestamp(day) for day in closes.index[far]]


def _large(moves: np.ndarray, spiked: set[int]) -> Iterator[int]:
    """Yield the positions of moves to judge: not those to or from a spike, nor a way back."""
    back: set[int] = set()
    for at in np.flatnonzero(np.abs(moves) > np.log(SPLITS[0]) - 0.1).tolist():
        if {at, at + 1} & spiked or at in back:
            continue
        if (returned := _returned(moves, at)) is not None:
            back.add(returned)
        yield at


def _judged(ticker: str, days: pd.DatetimeIndex, moves: np.ndarray, at: int) -> tuple[bool, str]:
    """Return whether a move is an alarm, and what it looks like; empty when it is ordinary."""
    size, move = float(np.exp(np.abs(moves[at]))), float(moves[at])
    said = f"was {np.exp(move):.4g} times the close before"
    coin = asset(ticker).market == "crypto"
    if (returned := _returned(moves, at)) is not None:
        return True, f"expected closes on one scale, {said} and back after {returned - at} days"
    split, sure = ("", False) if coin else _split(moves, at)
    sure = sure and not _young(ticker, days, at)
    collapse = coin and move < 0 and asset(ticker).asset_class == "other"
    alarm = sure or (size > LARGEST and not collapse)
    if split:
        cure = "import the adjusted history" if alarm else "a real move, or not adjusted?"
        return (
            alarm,
            f"expected closes adjusted for splits, {said}, like a split of {split}; {cure}",
        )
    if size <= OFF:
        return False, ""
    cure = "import the whole history in one unit" if alarm else "a real move?"
    return alarm, f"expected closes on one scale, {said}; {cure}"


def _returned(moves: np.ndarray, at: int) -> int | None:
    """Return where a move of :data:`OFF` times is undone within :data:`AROUND` sessions."""
    if abs(moves[at]) < np.log(OFF):
        return None
    after = moves[at + 1 : at + 1 + AROUND]
    undone = (np.abs(after) > np.log(OFF)) & (np.abs(after + moves[at]) < np.log(2))
    return at + 1 + int(undone.argmax()) if undone.any() else None


def _split(moves: np.ndarray, at: int) -> tuple[str, bool]:
    """Return the split that a move looks like, empty if none, and whether an old share's must be.

    The move less the split has to be a usual one, and the sessions after as calm as those before,
    which they are not when a company loses half its worth.
    """
    before, after = _usual(moves[max(0, at - AROUND) : at]), _usual(moves[at + 1 : at + 1 + AROUND])
    if np.isnan(before) or after > 2 * before:
        return "", False
    rest = np.abs(np.abs(moves[at]) - np.log(SPLITS))
    nearest = int(rest.argmin())
    size = float(np.log(SPLITS[nearest]))
    if size < 10 * before or rest[nearest] > 4 * max(before, 0.002):
        return "", False
    sure = not np.isnan(after) and size > 25 * before
    shares = f"{SPLITS[nearest]:g}"
    return (f"{shares}:1" if moves[at] < 0 else f"1:{shares}"), bool(sure)


def _young(ticker: str, days: pd.DatetimeIndex, at: int) -> bool:
    """Return whether a share was listed less than :data:`YOUNG` weekdays before a move.

    The first close stands for a listing that is unknown, unless the table was cut there.
    """
    listed = asset(ticker).listed
    if listed is None:
        return at < YOUNG and days[0] > CUT
    return bool(np.busday_count(listed, days[at].date()) < YOUNG)


def _usual(moves: np.ndarray) -> float:
    """Return the usual size of some moves, NaN when there are too few."""
    return float(np.nanmedian(np.abs(moves))) if len(moves) >= FEWEST else np.nan
