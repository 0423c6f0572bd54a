"""Build SVG pictures. A picture has scales, ticks and shapes, and a name for screen readers.

Pages do not use plotly, because the plotly library is too large for a page. Colours are CSS
variables, so a picture has the page's light or dark theme. Lengths are in units of the picture's
``viewBox``.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

#: Width of a chart. This width fits on a phone, and a wide screen enlarges the chart.
PANEL = 360.0
#: Width of a chart that compares many strategies.
WIDE = 1080.0
#: Free space at the right end of a chart.
MARGIN = 10.0
#: Mean width of a character in the text of a chart.
CHARACTER = 6.4
_ENLARGED = 1.3
_LEAST_GAP = 40.0  # smallest distance between two labels of years


#: Points of a line, where None interrupts the line.
Points = Sequence[tuple[float, float] | None]


@dataclass(frozen=True, kw_only=True)
class Scale:
    """A mapping from numbers to positions; with ``log``, equal ratios have equal distances."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Return the position of a number."""
        low, high, value = map(self._level, (self.low, self.high, value))
        return self.start + (self.end - self.start) * (value - low) / ((high - low) or 1.0)

    def inside(self, value: float) -> float:
        """Return the position of a number.

        A number outside the scale is placed at the nearest end.
        """
        return min(max(self(value), self.start), self.end)

    def _level(self, value: float) -> float:
        return math.log10(value) if self.log else value

    def ticks(self, count: int = 5) -> list[float]:
        """Return roughly ``count`` round numbers inside the scale.

        On a log scale, the numbers are all powers of ten, and ``count`` has no effect.
        """
        if self.log:
            return _decades(self.low, self.high)
        step = _round_step((self.high - self.low) / count)
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return [round(number * step, 10) for number in range(first, last + 1)]


def apart(x: Scale, ticks: Sequence[float]) -> Sequence[float]:
    """Return every n-th tick, with enough distance between the labels."""
    widest = max((len(number(tick)) for tick in ticks), default=0) * CHARACTER + 8
    every = 1
    while len(ticks) > every and every * abs(x(ticks[1]) - x(ticks[0])) < widest:
        every += 1
    return ticks[::every]


def every_nth(count: int, most: int) -> np.ndarray:
    """Return the positions of at most ``most`` items at equal distances, with the last item."""
    return np.arange(count)[:: -max(1, -(-count // most))][::-1]


def _decades(low: float, high: float) -> list[float]:
    first, last = math.ceil(math.log10(low)), math.floor(math.log10(high))
    return [10.0**power for power in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """Return ticks of a log axis between two positive numbers: 1, 2 and 5 times powers of ten.

    If the axis has fewer than three ticks of this form, the result is roughly five round numbers at
    equal distances.
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
    inside = [tick for tick in ticks if low <= tick <= high]
    if len(inside) >= 3:
        return inside
    return [tick for tick in Scale(low=low, high=high, start=0, end=1).ticks() if tick > 0]


def _round_step(step: float) -> float:
    """Return the smallest round number that is at least ``step``.

    A round number is 1, 2, 2.5, 5 or 10 times a power of ten.
    """
    if not step > 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(step))
    return next(power * f for f in (1, 2, 2.5, 5, 10) if power * f >= step * (1 - 1e-9))


def padded(values: Iterable[float], share: float = 0.06) -> tuple[float, float]:
    """Return the range of the finite values, extended at both ends.

    ``share`` is the extension at each end, as a fraction of the range.
    """
    finite = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(finite), max(finite)
    room = share * (high - low) or 0.5
    return low - room, high + room


def number(value: float) -> str:
    """Return the text of a tick.

    Below 10,000, the text has up to four significant digits. From 10,000 on, the text has no
    decimals. From 100 million on, the text is in billions (bn), because an axis has no space for
    all digits.

    >>> number(2_000_000), number(0.25), number(150_000_000_000)
    ('2,000,000', '0.25', '150 bn')
    """
    if abs(value) >= 100_000_000:
        return f"{number(value / 1e9)} bn"
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:,.4g}"


def picture(name: str, width: float, height: float, parts: Iterable[str], kind: str = "") -> str:
    """Return an SVG picture.

    ``name`` describes the picture to a reader who cannot see it. A wide screen enlarges the picture
    by at most 30 %, so the text of the picture is about as large as the text of the page.
    """
    frame = f'viewBox="0 0 {width:g} {height:g}" style="max-width:{_ENLARGED * width:.0f}px"'
    label = escape(name, quote=True)
    body = "".join(parts)
    return f'<svg class="chart {kind}" role="img" aria-label="{label}" {frame}>{body}</svg>'


def words(x: float, y: float, said: str, kind: str = "", anchor: str = "start") -> str:
    """Return a line of text. ``anchor`` is ``start``, ``middle`` or ``end``."""
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text class="{kind}" {place}>{escape(said)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """Return a straight line."""
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def box(x: float, y: float, width: float, height: float, kind: str) -> str:
    """Return a rectangle."""
    size = f'width="{max(width, 0):.1f}" height="{max(height, 0):.1f}"'
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" {size}/>'


def numbered(x: Scale, ticks: Iterable[float]) -> list[tuple[float, str]]:
    """Return the position and the text of each tick."""
    return [(x(tick), number(tick)) for tick in ticks]


def axis_below(
    left: float, right: float, bottom: float, labels: Iterable[tuple[float, str]], title: str = ""
) -> list[str]:
    """Return a horizontal axis, with labels at their positions and a title at the right end."""
    parts = [line(left, bottom, right, bottom, "grid")]
    parts += [words(at, bottom + 15, said, "s", "middle") for at, said in labels]
    return [*parts, words(right, bottom + 29, title, "s", "end")] if title else parts


def axis_left(
    y: Scale, left: float, right: float, ticks: Iterable[float], zero: float | None = None
) -> list[str]:
    """Return a horizontal line and a number for each tick; the line at ``zero`` is darker."""
    parts = []
    for tick in ticks:
        parts.append(line(left, y(tick), right, y(tick), "zero" if tick == zero else "grid"))
        parts.append(words(left - 5, y(tick) + 4, number(tick), "s", "end"))
    return parts


def curve(points: Points, kind: str) -> str:
    """Return a line through points; None interrupts the line."""
    steps, pen = [], "M"
    for point in points:
        if point is None:
            pen = "M"
            continue
        steps.append(f"{pen}{point[0]:.1f} {point[1]:.1f}")
        pen = "L"
    return f'<path class="{kind}" d="{"".join(steps)}"/>'


def area(lower: Points, upper: Points, kind: str) -> str:
    """Return the area between two lines that have the same horizontal positions."""
    both = [(a, b) for a, b in zip(lower, upper, strict=True) if a and b]
    around: Points = [a for a, _ in both] + [b for _, b in both[::-1]]
    return curve(around, kind).replace('"/>', 'Z"/>') if around else ""


def mark(x: float, y: float, form: int, kind: str) -> str:
    """Return the mark of a point: a disc for form 0, an open square for 1, a triangle for 2."""
    if form == 0:
        return f'<circle class="mark {kind}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
    if form == 1:
        return box(x - 3.5, y - 3.5, 7, 7, f"mark open {kind}")
    corners = f"M{x:.1f} {y - 5:.1f}L{x + 4.5:.1f} {y + 3.5:.1f}L{x - 4.5:.1f} {y + 3.5:.1f}Z"
    return f'<path class="mark {kind}" d="{corners}"/>'


def years(x: Scale, first: pd.Timestamp, last: pd.Timestamp) -> list[tuple[float, str]]:
    """Return positions and labels of years; ``x`` maps days since 1970 to positions."""
    starts = pd.date_range(first.normalize(), last, freq="YS")
    every = 1
    while len(starts) > 1 and every * abs(x.end - x.start) / len(starts) < _LEAST_GAP:
        every += 1
    return [(x(day_number(day)), str(day.year)) for day in starts if day.year % every == 0]


def day_number(day: pd.Timestamp) -> float:
    """Return the number of days of a date since 1970-01-01."""
    return (day - pd.Timestamp(0)).days
