"""Make flags from measures, with a level to turn on, a level to turn off, and confirmation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

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
        Levels, in the gauge's unit. The flag turns on beyond ``enter`` and off beyond ``leave``.
    above
        True when high values of the gauge turn the flag on, False when low values do.
    """

    gauge: str
    enter: float
    leave: float
    above: bool

    def flips(self, on: bool, unit: str) -> str:
        """Return in words the level that the gauge must cross for the flag to flip."""
        beyond = "above" if self.above != on else "below"
        return f"{self.gauge} {beyond} {self.leave if on else self.enter:g} {unit}".strip()

    def distance(self, value: float, on: bool) -> float:
        """Return the signed move of the gauge, in its own unit, that flips the flag."""
        return (self.leave if on else self.enter) - value

    def entered(self, values: pd.Series) -> pd.Series:
        """Return True for each value beyond ``enter``."""
        return values > self.enter if self.above else values < self.enter

    def left(self, values: pd.Series) -> pd.Series:
        """Return True for each value beyond ``leave``, in the direction opposite to ``enter``."""
        return values < self.leave if self.above else values > self.leave


def hysteresis(
    enter: pd.Series,
    leave: pd.Series,
    view: pd.Series,
    confirm: int = CONFIRM,
    confirm_leave: int | None = None,
) -> pd.Series:
    """Return a flag that changes only after a condition was true for some sessions in a row.

    At the first session the flag is off. The flag turns on at the ``confirm``-th session in a row
    on which ``enter`` is True. The flag turns off at the ``confirm_leave``-th session in a row on
    which ``leave`` is True. If ``confirm_leave`` is None, ``confirm`` replaces it. ``confirm`` and
    ``confirm_leave`` are at least 1.

    ``enter``, ``leave`` and ``view`` are boolean series with one value for each session. The flag
    is pandas ``boolean``. ``view`` is False at sessions that lack data for the flag, and the flag
    is NA there. After such a gap, the flag is off until it turns on again.
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
    """Yield the positions where a flag turns on and off, from ``first`` to before ``end``.

    A session on which the flag changes does not count for the next change.
    """
    start = on.after(first)
    while start < end:
        stop = off.after(start + 1)
        yield start, min(stop, end)
        start = on.after(stop + 1) if stop < end else end


@dataclass(frozen=True, kw_only=True)
class _Confirmed:
    """The sessions on which a condition was true for ``count`` sessions in a row."""

    sessions: np.ndarray
    count: int
    never: int

    def after(self, first: int) -> int:
        """Return the first such session whose run of sessions starts at ``first`` or later.

        The result is ``never`` if there is no such session.
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
    confirm: int = CONFIRM,
    confirm_leave: int | None = None,
) -> pd.Series:
    """Return the flag of several gauges: on beyond every ``enter``, off beyond any ``leave``.

    ``thresholds`` is not empty. The gauge of each threshold is a column of ``gauges``. The flag is
    pandas ``boolean``, one value for each session. The flag is NA where a gauge of a threshold is
    NaN. See :func:`hysteresis` for confirmation.
    """
    enter = pd.concat([t.entered(gauges[t.gauge]) for t in thresholds], axis=1).all(axis=1)
    leave = pd.concat([t.left(gauges[t.gauge]) for t in thresholds], axis=1).any(axis=1)
    view = gauges[[t.gauge for t in thresholds]].notna().all(axis=1)
    return hysteresis(enter, leave, view, confirm, confirm_leave)


def flag_of(measure: pd.Series, enter: float, leave: float, confirm: int = CONFIRM) -> pd.Series:
    """Return the flag of one measure: on beyond ``enter``, off beyond ``leave``.

    If ``enter`` is above ``leave``, high values turn the flag on. Otherwise low values turn the
    flag on. The flag is NA where the measure is NaN. See :func:`hysteresis` for confirmation.
    """
    threshold = Threshold(gauge="measure", enter=enter, leave=leave, above=enter > leave)
    return turned(measure.to_frame("measure"), (threshold,), confirm)


def since(flag: pd.Series) -> pd.Timestamp | None:
    """Return the session since which a flag or regime has its last value; None without a value."""
    if flag.empty or pd.isna(flag.iloc[-1]):
        return None
    same = (flag == flag.iloc[-1]).fillna(False).to_numpy(dtype=bool)
    changes = np.flatnonzero(~same)
    first = int(changes[-1]) + 1 if len(changes) else 0
    return pd.Timestamp(flag.index[first])
