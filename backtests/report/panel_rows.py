"""The rows of a chart: panels with a vertical axis, and strips of states.

Sessions have equal distances on the date axis. Colours are CSS variables, or other CSS colours.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

#: Width of a row in units of its drawing, which the page stretches to the width of the screen.
WIDTH = 1000.0


@dataclass(frozen=True, kw_only=True)
class Line:
    """Values of each session, with a name and a CSS colour; NaN interrupts a line.

    ``dash`` is an SVG dash pattern such as ``6 3``; an empty text means a solid line.
    """

    name: str
    values: pd.Series
    colour: str
    dash: str = ""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One row of a chart; the row has its own vertical axis.

    Attributes
    ----------
    title, unit
        The title is above the row. The unit follows each value at the mouse pointer.
    lines, areas, bars
        Lines are not stacked. Areas are stacked: positive values upward from zero, negative values
        downward. Bars begin at zero. A missing value of an area or of a bar counts as zero.
    digits
        Number of decimals of values at the mouse pointer; None means four significant digits.
    levels
        Names and values of horizontal lines, such as thresholds. The chart writes each name at its
        horizontal line. The mouse pointer does not show the values of horizontal lines.
    log
        True for a logarithmic axis. All values on such an axis must be positive.
    low, high
        Ends of the axis, or None for the range of the values.
    height
        Height in pixels.
    """

    title: str
    unit: str = ""
    lines: Sequence[Line] = ()
    areas: Sequence[Line] = ()
    bars: Sequence[Line] = ()
    digits: int | None = None
    levels: Sequence[tuple[str, float]] = ()
    log: bool = False
    low: float | None = None
    high: float | None = None
    height: int = 180

    def drawn(self) -> list[Line]:
        """Return lines, areas and bars, in this order."""
        return [*self.lines, *self.areas, *self.bars]


@dataclass(frozen=True, kw_only=True)
class Strip:
    """A row of colours that shows the state of each session.

    ``states`` holds the name of a state for each session, without missing values. ``colours`` maps
    each name to a CSS colour.
    """

    title: str
    states: pd.Series
    colours: Mapping[str, str]
    height: int = 16


def x_of(position: float, n: int) -> float:
    """Return the horizontal place of a session: 0 for the first, :data:`WIDTH` for the last.

    ``position`` counts the sessions from zero, and ``n`` is the number of sessions.
    """
    return WIDTH * position / max(n - 1, 1)


def stays(states: pd.Series) -> list[tuple[str, int, int]]:
    """Return each unbroken period of one state: its name, first position and last position."""
    starts = np.flatnonzero(states.ne(states.shift()).to_numpy())
    ends = [*(starts[1:] - 1).tolist(), len(states) - 1]
    return [
        (str(states.iloc[first]), first, last)
        for first, last in zip(starts.tolist(), ends, strict=True)
    ]
