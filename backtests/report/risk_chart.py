"""A chart of the volatility and the growth of several strategies, as SVG.

If the history is simulated, the caller must pass a name that begins with SIMULATED.
"""

from collections.abc import Mapping
from html import escape
from statistics import median

import pandas as pd

from backtests.format import fixed
from backtests.report.svg import (
    WIDE,
    Scale,
    axis_below,
    axis_left,
    line,
    numbered,
    padded,
    picture,
    words,
)

#: A mapping from the kind of a strategy to the colour of its point.
KINDS = {
    "thesis": "var(--c0)",
    "baseline": "var(--soft)",
    "challenger": "var(--c1)",
    "own": "var(--c3)",
}
_HEIGHT = 470.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 56.0, 14.0, 26.0, 44.0
_LETTER, _LINE = 6.3, 13  # width of a letter and height of a line
#: Possible places of a label beside its point. The first number shifts the label's left edge from
#: the point, in label widths. The second number shifts the label's top edge, in label heights. The
#: last two numbers shift both edges further, in units of the SVG drawing.
_PLACES = (
    (0.0, -0.5, 8, 0),
    (-1.0, -0.5, -8, 0),
    (-0.5, -1.0, 0, -6),
    (-0.5, 0.0, 0, 6),
    (0.0, -1.0, 5, -4),
    (0.0, 0.0, 5, 4),
    (-1.0, -1.0, -5, -4),
    (-1.0, 0.0, -5, 4),
)
_Box = tuple[float, float, float, float]
Points = Mapping[str, tuple[float, float]]


def risk_chart(numbers: Mapping[str, Mapping[str, object]], name: str) -> str:
    """Return a chart of CAGR against volatility, with a point for each strategy.

    If the pointer is on a point, the chart shows the point's numbers. ``numbers`` maps the name of
    each strategy to its ``kind``, ``volatility``, ``cagr`` and ``sharpe``. Volatility and CAGR are
    fractions. The chart leaves out strategies without volatility or CAGR. The chart also leaves out
    strategies with a very high volatility, see :func:`far_points`. Some points have no label,
    because labels must not overlap. A dotted line joins the points of SPY and bills, if both are
    present. Constant mixes of SPY and bills lie near the dotted line.
    """
    points, far = _points(numbers), far_points(numbers)
    near = {name: point for name, point in points.items() if name not in far}
    x, y = _scales(near)
    places = place_labels({name: (x(v), y(c)) for name, (v, c) in near.items()})
    parts = [words(4, 13, "CAGR, %", "s"), *axis_left(y, x.start, x.end, y.ticks(7))]
    labels = numbered(x, x.ticks(12))
    parts += axis_below(x.start, x.end, y.start, labels, "volatility, % a year")
    if {"spy", "bills"} <= near.keys():
        (v, c), (w, d) = near["bills"], near["spy"]
        parts.append(line(x(v), y(c), x(w), y(d), "edge"))
    for label, (v, c) in near.items():
        said = f"{label}: volatility {fixed(v, 1)} %, CAGR {fixed(c, 1)} %, Sharpe "
        said += fixed(numbers[label]["sharpe"])  # type: ignore[arg-type]
        parts.append(
            f'<circle class="spot" cx="{x(v):.1f}" cy="{y(c):.1f}" r="5" '
            f'style="fill:{KINDS[str(numbers[label]["kind"])]}"><title>{escape(said)}</title>'
            "</circle>"
        )
    parts += [words(left, top + _LINE - 3, label) for label, (left, top) in places.items()]
    return picture(name, WIDE, _HEIGHT, parts)


def far_points(numbers: Mapping[str, Mapping[str, object]]) -> dict[str, tuple[float, float]]:
    """Return the strategies whose volatility is too high for :func:`risk_chart`.

    The values are volatility and CAGR in percent. A volatility is too high if it is more than three
    times the median volatility. A point far to the right would push all other points into a small
    corner. If more than a tenth of the strategies have a volatility above this limit, the result is
    empty.
    """
    points = _points(numbers)
    middle = median([x for x, _ in points.values()] or [0.0])
    far = {name: point for name, point in points.items() if point[0] > 3 * middle}
    return far if 10 * len(far) <= len(points) else {}


def _points(numbers: Mapping[str, Mapping[str, object]]) -> dict[str, tuple[float, float]]:
    return {
        name: (100 * float(entry["volatility"]), 100 * float(entry["cagr"]))  # type: ignore[arg-type]
        for name, entry in numbers.items()
        if not pd.isna(entry["volatility"]) and not pd.isna(entry["cagr"])  # type: ignore[call-overload]
    }


def _scales(points: Points) -> tuple[Scale, Scale]:
    """Return the horizontal and the vertical scale, with space for labels at the right."""
    wide = 1.14 * max([v for v, _ in points.values()], default=1.0)
    low, high = padded([0.0, *(c for _, c in points.values())], 0.08)
    return (
        Scale(low=-0.04 * wide, high=wide, start=_LEFT, end=WIDE - _RIGHT),
        Scale(low=low, high=high, start=_HEIGHT - _BOTTOM, end=_TOP),
    )


def place_labels(points: Points) -> dict[str, tuple[float, float]]:
    """Return the position of each label's upper left corner.

    ``points`` maps names to positions in units of the SVG drawing. No label covers a point or
    another label. If no place beside a point is free, the point has no label. The function places
    the labels in the order of ``points``.
    """
    taken: list[_Box] = [(x - 6, y - 6, x + 6, y + 6) for x, y in points.values()]
    places: dict[str, tuple[float, float]] = {}
    for name, (x, y) in points.items():
        for box in _boxes(name, x, y):
            inside = box[0] >= _LEFT and box[2] <= WIDE and box[1] >= 12
            if inside and not any(_overlap(box, other) for other in taken):
                places[name] = box[:2]
                taken.append(box)
                break
    return places


def _boxes(name: str, x: float, y: float) -> list[_Box]:
    wide, boxes = _LETTER * len(name), []
    for across, down, right, lower in _PLACES:
        left, top = x + across * wide + right, y + down * _LINE + lower
        boxes.append((left, top, left + wide, top + _LINE))
    return boxes


def _overlap(a: _Box, b: _Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
