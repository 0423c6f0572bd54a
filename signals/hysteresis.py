"""How a measure becomes a flag: levels to enter and to leave, and confirmation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

#: Sessions in a row that a condition must hold before a flag turns.
CONFIRM = 5


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """The measure a flag stands on, and where it turns.

    Attributes
    ----------
    gauge
        Name of the gauge.
    enter, leave
        Levels, in the gauge's unit, beyond which the flag enters and leaves.
    above
        True where the flag stands for high values of the gauge.
    """

    gauge: str
    enter: float
    leave: float
    above: bool

    def flips(self, on: bool, unit: str) -> str:
        """Say where the gauge has to go for the flag to flip, in words."""
        beyond = "above" if self.above != on else "below"
        return f"{self.gauge} {beyond} {self.leave if on else self.enter:g} {unit}".strip()

    def distance(self, value: float, on: bool) -> float:
        """Return how far the gauge has to move to flip the flag, signed, in the gauge's unit."""
        return (self.leave if on else self.enter) - value

    def entered(self, values: pd.Series) -> pd.Series:
        """Return where values are beyond ``enter``."""
        return values > self.enter if self.above else values < self.enter

    def left(self, values: pd.Series) -> pd.Series:
        """Return where values are beyond ``leave`` on the other side."""
        return values < self.leave if self.above else values > self.leave


def hysteresis(
    enter: pd.Series,
    leave: pd.Series,
    view: pd.Series,
    confirm: int = CONFIRM,
    confirm_leave: int | None = None,
) -> pd.Series:
    """Return a flag with hysteresis, confirmed on entry and on exit.

    Starting from off, the flag turns on at the ``confirm``-th session in a row on which ``enter``
    holds, and off at the ``confirm_leave``-th in a row on which ``leave`` holds.

    Parameters
    ----------
    enter, leave
        Boolean, one value a session.
    view
        Boolean; where False the flag is NA. A gap in the view forgets: the flag starts from off.
    confirm, confirm_leave
        Sessions in a row, at least 1; the second is the first unless given.

    Returns
    -------
    Series of pandas ``boolean``: True, False, or NA without a view.
    """
    state, run = False, 0
    out = np.zeros(len(view), dtype=bool)
    seen = view.to_numpy(dtype=bool)
    for i, (start, stop) in enumerate(zip(enter.to_numpy(bool), leave.to_numpy(bool), strict=True)):
        if not seen[i]:
            state, run = False, 0
            continue
        run = run + 1 if (stop if state else start) else 0
        if run >= (confirm_leave or confirm if state else confirm):
            state, run = not state, 0
        out[i] = state
    return pd.Series(out, index=view.index, dtype="boolean").mask(~seen)


def turned(
    gauges: pd.DataFrame,
    thresholds: Sequence[Threshold],
    confirm: int = CONFIRM,
    confirm_leave: int | None = None,
) -> pd.Series:
    """Return the flag of several gauges: all beyond ``enter`` turn it on, any ``leave`` ends it.

    Parameters
    ----------
    gauges
        One column a gauge, one row a session.
    thresholds
        At least one; each names a column.
    confirm, confirm_leave
        See :func:`hysteresis`.

    Returns
    -------
    Series of pandas ``boolean``; NA where any of the gauges is NaN.
    """
    enter = pd.concat([t.entered(gauges[t.gauge]) for t in thresholds], axis=1).all(axis=1)
    leave = pd.concat([t.left(gauges[t.gauge]) for t in thresholds], axis=1).any(axis=1)
    view = gauges[[t.gauge for t in thresholds]].notna().all(axis=1)
    return hysteresis(enter, leave, view, confirm, confirm_leave)


def flag_of(measure: pd.Series, enter: float, leave: float, confirm: int = CONFIRM) -> pd.Series:
    """Return the flag of one measure: on beyond ``enter``, off beyond ``leave`` again.

    With ``enter`` above ``leave`` the flag stands for high values, else for low ones. NA where
    the measure is NaN. See :func:`hysteresis` for confirmation.
    """
    threshold = Threshold(gauge="measure", enter=enter, leave=leave, above=enter > leave)
    return turned(measure.to_frame("measure"), (threshold,), confirm)


def since(flag: pd.Series) -> pd.Timestamp | None:
    """Return the first session of the present state of a flag or regime; None without a view."""
    if flag.empty or pd.isna(flag.iloc[-1]):
        return None
    same = (flag == flag.iloc[-1]).fillna(False).to_numpy(dtype=bool)
    changes = np.flatnonzero(~same)
    first = int(changes[-1]) + 1 if len(changes) else 0
    return pd.Timestamp(flag.index[first])
