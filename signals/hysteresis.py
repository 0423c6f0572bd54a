"""Compute flags from measures: one level turns a flag on, another level turns the flag off."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from signals.summary import exact, with_unit

#: Number of consecutive sessions for which a condition must be true before a flag changes.
CONFIRM = 5


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """Levels of a gauge at which a flag turns on and off.

    Attributes
    ----------
    gauge
        Name of the gauge.
    enter, leave
        Levels, in the gauge's unit. If ``above`` is True, the flag turns on when the gauge is above
        ``enter``, and off when the gauge is below ``leave``. If ``above`` is False, the flag turns
        on when the gauge is below ``enter``, and off when the gauge is above ``leave``.
    above
        True if high values of the gauge turn the flag on, False if low values turn the flag on.
    """

    gauge: str
    enter: float
    leave: float
    above: bool

    def flips(self, on: bool, unit: str) -> str:
        """Return text with the level that the gauge must cross to flip the flag."""
        beyond = "above" if self.above != on else "below"
        level = exact(self.leave if on else self.enter)
        return with_unit(f"{self.gauge} {beyond} {level}", unit)

    def distance(self, value: float, on: bool) -> float:
        """Return the change of the gauge that would flip the flag; positive for a rise."""
        return (self.leave if on else self.enter) - value

    def entered(self, values: pd.Series) -> pd.Series:
        """Return whether each value lies beyond ``enter``, the level that turns the flag on."""
        return values > self.enter if self.above else values < self.enter

    def left(self, values: pd.Series) -> pd.Series:
        """Return whether each value lies beyond ``leave``, the level that turns the flag off."""
        return values < self.leave if self.above else values > self.leave


def hysteresis(
    enter: pd.Series,
    leave: pd.Series,
    view: pd.Series,
    confirm: int = CONFIRM,
    confirm_leave: int | None = None,
) -> pd.Series:
    """Return a flag that changes only after a condition has been true for some sessions in a row.

    Before the first session, the flag counts as off. If ``enter`` is True on ``confirm``
    consecutive sessions, the flag turns on at the last of these sessions. If ``leave`` is True on
    ``confirm_leave`` consecutive sessions, the flag turns off at the last of these sessions. If
    ``confirm_leave`` is None, ``confirm`` is used instead. ``confirm`` and ``confirm_leave`` are at
    least 1.

    ``enter``, ``leave`` and ``view`` are boolean series with one value for each session. The flag
    has the pandas type ``boolean``. ``view`` is False at sessions with missing data. The flag is NA
    where ``view`` is False. After missing data, the flag is off until it turns on again.
    """
    seen = view.to_numpy(dtype=bool)
    on = _confirmed(enter.to_numpy(bool), confirm)
    off = _confirmed(leave.to_numpy(bool), confirm_leave or confirm)
    out = np.zeros(len(seen), dtype=bool)
    edges = np.flatnonzero(np.diff(seen, prepend=False, append=False))
    for first, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        for start, stop in _stays(on, off, first, end):
            out[start:stop] = True
    return pd.Series(out, index=view.index, dtype="boolean").mask(~seen)


def _stays(on: "_Confirmed", off: "_Confirmed", first: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield two positions for each period: the flag turns on at the first and off at the second.

    The first period begins at ``first`` or later. If the flag does not turn off before ``end``, the
    last period ends at ``end``. The session on which the flag changes does not count toward the
    confirmation of the next change.
    """
    start = on.after(first)
    while start < end:
        stop = off.after(start + 1)
        yield start, min(stop, end)
        start = on.after(stop + 1) if stop < end else end


@dataclass(frozen=True, kw_only=True)
class _Confirmed:
    """The sessions at which a condition has been true for at least ``count`` sessions in a row."""

    sessions: np.ndarray
    count: int
    never: int

    def after(self, first: int) -> int:
        """Return the position of the first session at which the condition is confirmed.

        Sessions before position ``first`` do not count toward the confirmation. The result is
        ``never`` if the condition is not confirmed.
        """
        at = int(self.sessions.searchsorted(first + self.count - 1))
        return int(self.sessions[at]) if at < len(self.sessions) else self.never


def _confirmed(true: np.ndarray, count: int) -> _Confirmed:
    at = np.arange(len(true))
    run = at - np.maximum.accumulate(np.where(true, -1, at))
    return _Confirmed(sessions=np.flatnonzero(run >= count), count=count, never=len(true))


def turned(
    gauges: pd.DataFrame,
    thresholds: Sequence[Threshold],
    confirm: int,
    confirm_leave: int | None = None,
) -> pd.Series:
    """Return the flag that follows from several gauges and their thresholds.

    The flag turns on when every gauge has crossed its ``enter`` level. The flag turns off when at
    least one gauge has crossed its ``leave`` level. See :class:`Threshold`. ``thresholds`` must not
    be empty. The gauge of each threshold must be a column of ``gauges``. The flag has the pandas
    type ``boolean``, and one value for each session. If the gauge of a threshold is NaN, the flag
    is NA. See :func:`hysteresis` for confirmation.
    """
    enter = pd.concat([t.entered(gauges[t.gauge]) for t in thresholds], axis=1).all(axis=1)
    leave = pd.concat([t.left(gauges[t.gauge]) for t in thresholds], axis=1).any(axis=1)
    view = gauges[[t.gauge for t in thresholds]].notna().all(axis=1)
    return hysteresis(enter, leave, view, confirm, confirm_leave)


def fixed_stay(now: pd.Series, view: pd.Series, confirm: int, stay: int) -> pd.Series:
    """Return a flag that stays on for ``stay`` sessions each time it turns on.

    The flag turns on when ``now`` has been True for ``confirm`` sessions in a row. The flag is NA
    where ``view`` is False.
    """
    run = left = 0
    out = np.zeros(len(now), dtype=bool)
    seen = view.to_numpy(dtype=bool)
    for i, holds in enumerate(now.to_numpy(dtype=bool)):
        left = max(left - 1, 0) if seen[i] else 0
        run = run + 1 if seen[i] and holds and not left else 0
        if run >= confirm:
            run, left = 0, stay
        out[i] = left > 0
    return pd.Series(out, index=now.index, dtype="boolean").mask(~seen)


def last_view(flag: pd.Series) -> bool | None:
    """Return the last value of a flag; None if the last value is NA."""
    return None if pd.isna(flag.iloc[-1]) else bool(flag.iloc[-1])


def flag_word(on: bool | None) -> str:
    """Return a flag as a word: ``on``, ``off``, or ``no view`` for None."""
    return "no view" if on is None else "on" if on else "off"


def flag_words(flag: pd.Series) -> pd.Series:
    """Return the word of :func:`flag_word` for each session; NA is ``no view``."""
    return flag.map({True: "on", False: "off"}).astype(object).fillna("no view")


def flag_said(on: bool | None, first: pd.Timestamp | None) -> str:
    """Return a flag in words; ``first`` is the first session of the flag's current state.

    >>> flag_said(True, pd.Timestamp("2025-10-08"))
    'on since 2025-10-08'
    """
    return flag_word(on) if on is None or first is None else f"{flag_word(on)} since {first.date()}"


def since(flag: pd.Series) -> pd.Timestamp | None:
    """Return the first session of the current flag or regime; None if the last value is missing."""
    if flag.empty or pd.isna(flag.iloc[-1]):
        return None
    same = (flag == flag.iloc[-1]).fillna(False).to_numpy(dtype=bool)
    changes = np.flatnonzero(~same)
    first = int(changes[-1]) + 1 if len(changes) else 0
    return pd.Timestamp(flag.index[first])
