"""The rows of a chart: panels with a vertical axis, and strips of states.

Sessions have equal distances on the date axis. Each colour is a CSS colour, usually a CSS variable.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

#: Width of a row in units of its drawing. The page stretches the drawing to the screen's width.
WIDTH = 1000.0


@dataclass(frozen=True, kw_only=True)
class Line:
    """A series with a name and a CSS colour; NaN interrupts the drawn line.

    ``values`` has one value for each session.

    ``dash`` is an SVG dash pattern such as ``6 3``; an empty text means a solid line.
    """

    name: str
    values: pd.Series
    colour: str
    dash: str = ""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One row of a chart; the row has its own vertical axis.

    ``title`` is above the row. ``unit`` follows each value at the mouse pointer.

    ``lines`` are not stacked. ``areas`` are stacked: positive values upward from zero, negative
    values downward. ``bars`` begin at zero. A missing value of an area or of a bar counts as zero.

    ``digits`` is the number of decimals of values at the mouse pointer. If ``digits`` is None,
    values have four significant digits.

    ``levels`` contains names and values of horizontal lines, such as thresholds. The chart writes
    each name at its horizontal line. The mouse pointer does not show the values of these lines.

    If ``log`` is True, the axis is logarithmic, and all values must be positive. ``low`` and
    ``high`` are the ends of the axis; None means the range of the values. ``height`` is in pixels.

    If ``zooms`` is True, the picture contains the ends of the axis as data. With these data, a
    script can show a part of the axis and write the numbers of this part.
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
    zooms: bool = False

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
