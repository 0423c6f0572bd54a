"""Find sudden shifts in the level of a price, and separate data errors from real moves.

Three questions separate an error from a real move. How large is the shift? Does the price return to
the old level? Are the sessions before and after the shift calm? A shift that is surely an error in
the data is called an alarm. The store refuses prices that contain an alarm. ``drypowder data
--check`` reports the alarms in a store. A shift that may be a real move causes only a note. The
user should check each note.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from signals.universe import asset

#: Largest plausible ratio between a close and each of its two neighbours. No share of the universe
#: ever had a larger move that reversed on the next day. A misplaced decimal point gives a larger
#: ratio.
OFF = 5.0
#: Largest plausible ratio between a close and the previous close. Shares have lost 90 % in a
#: day (a failed trial, a fraud), but hardly ever 95 %.
LARGEST = 20.0
#: Split ratios: the number of new shares for one old share. Three for two is left out, because a
#: bad day can also lower a price by a third.
SPLITS = np.array([2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 40, 50])
#: Number of sessions before and after a shift that are compared with the shift. A return to the old
#: level counts only within this number of sessions.
AROUND = 20
#: Smallest number of daily moves from which the usual size of a move is computed.
FEWEST = 5
#: A share counts as young for this number of weekdays after its listing. The price of a young share
#: may double or halve in a day.
YOUNG = 63
#: Price tables may begin on this day although the share is older. If a share's closes begin on or
#: before this day, the first close does not count as the listing.
CUT = pd.Timestamp("2003-01-02")


@dataclass(frozen=True, kw_only=True)
class Shift:
    """A sudden shift in the level of a price.

    ``day`` is the first day at the new level. ``what`` describes the problem. ``alarm`` is True if
    the shift is an error in the data, and False if the shift may be real.
    """

    day: pd.Timestamp
    alarm: bool
    what: str


def shifts(ticker: str, closes: pd.Series) -> list[Shift]:
    """Return the sudden shifts in the level of a price, sorted by day.

    These shifts are alarms:

    - A price is far above the previous and the next price, or far below them, see :func:`spikes`.
      The first day is compared only with the next day, and the last day only with the previous day.

    - The level shifts by more than a factor of :data:`OFF`, and the shift reverses within
      :data:`AROUND` sessions.

    - The level shifts by more than a factor of :data:`LARGEST`, and the shift does not reverse. For
      a coin outside the universe, a lasting fall is not an alarm. A small coin may lose everything
      in a day, like LUNA in May 2022.

    - The shift has the size of a split, the sessions before and after it are calm, and the share is
      not newly listed. After a real loss of half the value, the next sessions have large moves.

    The function also returns shifts that may be real moves. For these shifts, ``alarm`` is False:

    - The level shifts by more than a factor of :data:`OFF`, and the shift does not reverse.

    - The shift of a share has the size of a split, and is much larger than the moves before it. The
      usual move after the shift is at most twice the usual move before the shift.

    ``closes`` are prices in USD, above zero, and indexed by date.
    """
    if len(closes) < 2:
        return []
    days = pd.DatetimeIndex(closes.index)
    found = {
        day: Shift(
            day=day,
            alarm=True,
            what=f"expected a close near the previous and the next close, was {closes[day]:g}: "
            f"over {OFF:g} times too high or low",
        )
        for day in spikes(closes)
    }
    moves = _moves(closes)
    for at in _large(moves, set(np.flatnonzero(days.isin(list(found))).tolist())):
        alarm, what = _judged(ticker, days, moves, at)
        if what:
            found[days[at + 1]] = Shift(day=days[at + 1], alarm=alarm, what=what)
    return [found[day] for day in sorted(found)]


def spikes(closes: pd.Series) -> list[pd.Timestamp]:
    """Return the days whose price is far above, or far below, the previous and the next price.

    A price is far above or below another price if they differ by more than a factor of :data:`OFF`.
    The first day is compared only with the next day, and the last day only with the previous day.
    The first day is judged only if the second day and the third day are on the same level.
    """
    if len(closes) < 2:
        return []
    moves = _moves(closes)
    before, after = np.r_[np.nan, moves], np.r_[-moves, np.nan]
    after[-1] = before[-1]
    if abs(after[1]) <= np.log(OFF):
        before[0] = after[0]
    far = (np.minimum(before, after) > np.log(OFF)) | (np.maximum(before, after) < -np.log(OFF))
    return [pd.Timestamp(day) for day in closes.index[far]]


def _moves(closes: pd.Series) -> np.ndarray:
    """Return the logarithmic change from each closing price to the next price."""
    return np.diff(np.log(closes.to_numpy(dtype=np.float64)))


def _large(moves: np.ndarray, spiked: set[int]) -> Iterator[int]:
    """Yield the positions of large moves, except spikes and moves back to an old level."""
    back: set[int] = set()
    for at in np.flatnonzero(np.abs(moves) > np.log(SPLITS[0]) - 0.1).tolist():
        if {at, at + 1} & spiked or at in back:
            continue
        if (returned := _returned(moves, at)) is not None:
            back.add(returned)
        yield at


def _judged(ticker: str, days: pd.DatetimeIndex, moves: np.ndarray, at: int) -> tuple[bool, str]:
    """Return whether a move is an alarm, and a message; the message is "" for a usual move."""
    size, move = float(np.exp(np.abs(moves[at]))), float(moves[at])
    said = f"but this close was {np.exp(move):.4g} times the previous close"
    coin = asset(ticker).is_coin
    if (returned := _returned(moves, at)) is not None:
        back = f"the price moved back {returned - at} days later"
        return True, f"expected closes without a sudden shift, {said}, and {back}"
    split, sure = ("", False) if coin else _split(moves, at)
    sure = sure and not _young(ticker, days, at)
    collapse = coin and move < 0 and asset(ticker).asset_class == "other"
    alarm = sure or (size > LARGEST and not collapse)
    if split:
        cure = (
            "import the adjusted history"
            if alarm
            else "is this a real move, or are the closes not adjusted?"
        )
        return (
            alarm,
            f"expected closes adjusted for splits, {said}, as after a split of {split}; {cure}",
        )
    if size <= OFF:
        return False, ""
    cure = (
        "import the whole history with all prices in the same unit"
        if alarm
        else "is this a real move?"
    )
    return alarm, f"expected closes without a sudden shift, {said}; {cure}"


def _returned(moves: np.ndarray, at: int) -> int | None:
    """Return the position of the move back to the old level, or None if there is no move back."""
    if abs(moves[at]) < np.log(OFF):
        return None
    after = moves[at + 1 : at + 1 + AROUND]
    undone = (np.abs(after) > np.log(OFF)) & (np.abs(after + moves[at]) < np.log(2))
    return at + 1 + int(undone.argmax()) if undone.any() else None


def _split(moves: np.ndarray, at: int) -> tuple[str, bool]:
    """Return the split that a move resembles, and True if the move is certainly a split.

    If the move resembles no split, the result is ``("", False)``.
    """
    # Apart from the split, the move of a split day has a usual size. The sessions after a split are
    # as calm as the sessions before. After a true loss of half the value, the next sessions are not
    # calm.
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
    """Return True if a share was listed less than :data:`YOUNG` weekdays before a move."""
    listed = asset(ticker).listed
    if listed is None:  # if the closes begin after CUT, the first close counts as the listing
        return at < YOUNG and days[0] > CUT
    return bool(np.busday_count(listed, days[at].date()) < YOUNG)


def _usual(moves: np.ndarray) -> float:
    """Return the median size of the moves, or NaN for fewer than :data:`FEWEST` moves."""
    return float(np.nanmedian(np.abs(moves))) if len(moves) >= FEWEST else np.nan
