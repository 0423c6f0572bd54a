"""Charts that compare strategies: growth, drawdowns, risk and return, lags, correlations.

The charts are SVG and need no library. The legend is outside the charts, because thirty names would
fill half of a narrow screen. The buttons of the legend show and hide lines. A line and its button
have the same :class:`Style`. If the history is simulated, the caller must pass a name that begins
with SIMULATED.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import cycle
from statistics import median

import pandas as pd

from backtests.report import theme
from backtests.report.format import fixed
from backtests.report.lead_lag_bars import IMPOSSIBLE, LAG
from backtests.report.panel_rows import Line, Panel, Strip
from backtests.report.panels import panels
from backtests.report.svg import (
    Scale,
    axis_below,
    axis_left,
    line,
    numbered,
    padded,
    picture,
    words,
)
from signals.transforms import fall_from_peak

#: Baselines that are visible when the page opens.
FIRST = ("spy", "bills", "sixty-forty")
#: If a comparison has at most this many rows, all lines are visible when the page opens.
FEW_ROWS = 6
_SOLID, _DASH, _DASHDOT = "", "6 4", "6 3 2 3"
_DASHES = {"thesis": _SOLID, "own": _SOLID, "baseline": _DASH, "challenger": _DASHDOT}
_VARIANTS = ("2 3", "10 4", _DASH, _DASHDOT, "10 3 2 3")
#: A mapping from the kind of a strategy to the colour of its point.
KINDS = {
    "thesis": "var(--c0)",
    "baseline": "var(--soft)",
    "challenger": "var(--c1)",
    "own": "var(--c3)",
}
#: Width and height of a chart, and its four margins, in units of the SVG drawing.
_WIDTH, _HIGH = 1080.0, 470.0
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


@dataclass(frozen=True, kw_only=True)
class Style:
    """Colour, dash pattern and visibility of a strategy's line.

    A strategy has the same colour under every regime model. With the regime model ``votes``,
    strategies of the thesis, strategies of the user and :data:`FIRST` have solid lines. The lines
    of all challengers, and of most baselines, are dashed. If the regime model is not ``votes``, all
    lines of the model have one dash pattern.

    ``colour`` is a CSS colour. ``dash`` is an SVG dash pattern; an empty text means a solid line.
    If ``shown`` is True, the line is visible when the page opens.
    """

    colour: str
    dash: str
    shown: bool


def styles(kinds: Mapping[str, str]) -> dict[str, Style]:
    """Return the style of each strategy's line, in the order of ``kinds``.

    ``kinds`` maps the name of each strategy to its kind. If ``kinds`` has at most :data:`FEW_ROWS`
    strategies, all lines are visible when the page opens. If ``kinds`` has more than
    :data:`FEW_ROWS` strategies, only three groups are visible: thesis strategies, user strategies,
    and :data:`FIRST`. A large comparison hides the line of ``name@model`` if ``kinds`` also
    contains ``name``.
    """
    parts = {name: name.partition("@")[::2] for name in kinds}
    free = [
        base
        for base in dict.fromkeys(base for base, _ in parts.values())
        if base not in theme.FIXED_LINES
    ]
    models = dict.fromkeys(model for _, model in parts.values() if model)
    colours = theme.FIXED_LINES | dict(zip(free, cycle(theme.css_lines()), strict=False))
    dashes = dict(zip(models, cycle(_VARIANTS), strict=False))
    few = len(kinds) <= FEW_ROWS
    main = {name for name, kind in kinds.items() if kind in ("thesis", "own")}
    main |= {name for name, (base, model) in parts.items() if base in FIRST and not model}
    return {
        name: Style(
            colour=colours[base],
            dash=dashes[model] if model else (_SOLID if base in FIRST else _DASHES[kinds[name]]),
            shown=few or (name in main and not (model and base in kinds)),
        )
        for name, (base, model) in parts.items()
    }


def curves_chart(
    growth: pd.DataFrame, regime: pd.Series, looks: Mapping[str, Style], name: str
) -> str:
    """Return a chart of each strategy's growth and drawdown, shaded by regime.

    ``growth`` has a row for each session and a column for each strategy. For each session,
    ``regime`` contains the regime under which the session's return was earned. In ``regime``, None
    means no regime. ``looks`` comes from :func:`styles` and sets the style and the order of the
    lines.
    """
    states = regime.reindex(growth.index).fillna("none")
    fall = 100 * fall_from_peak(growth)
    drawn = panels(
        name,
        [
            Panel(
                title="growth of 1, log scale",
                digits=2,
                lines=_lines(growth, looks),
                log=True,
                height=300,
                zooms=True,
            ),
            Panel(
                title="drawdown, %",
                unit="%",
                digits=1,
                lines=_lines(fall, looks),
                height=170,
                zooms=True,
            ),
        ],
        shading=Strip(title="regime", states=states, colours=theme.css_states(theme.REGIMES)),
        of_returns=True,
        most=1500 if len(looks) <= 2 * FEW_ROWS else 750,
    )
    for kept in (escape(name, quote=True) for name, look in looks.items() if not look.shown):
        drawn = drawn.replace(f'data-line="{kept}"', f'data-line="{kept}" hidden')
    return drawn


def _lines(values: pd.DataFrame, looks: Mapping[str, Style]) -> list[Line]:
    return [
        Line(name=name, values=values[name], colour=look.colour, dash=look.dash)
        for name, look in looks.items()
    ]


# --- Risk and return ---------------------------------------------------------------------------


def risk_chart(numbers: Mapping[str, Mapping[str, object]], name: str) -> str:
    """Return a chart of CAGR against volatility, with a point for each strategy.

    If the pointer is on a point, the chart shows the point's numbers. ``numbers`` maps the name of
    each strategy to its ``kind``, ``volatility``, ``cagr`` and ``sharpe``. Volatility and CAGR are
    fractions. The chart leaves out strategies without volatility or CAGR. The chart also leaves out
    the strategies that :func:`far_points` returns, which have a very high volatility. Some points
    have no label, because labels must not overlap. A dotted line joins the points of SPY and bills,
    if both are present. Constant mixes of SPY and bills lie near the dotted line.
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
    return picture(name, _WIDTH, _HIGH, parts)


def far_points(numbers: Mapping[str, Mapping[str, object]]) -> dict[str, tuple[float, float]]:
    """Return the strategies whose volatility is too high for :func:`risk_chart`.

    The values are volatility and CAGR in percent. A volatility is too high if it is more than three
    times the median volatility. A point far to the right would push all other points into a small
    corner. If more than a tenth of the strategies have a volatility that is too high, the result is
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
        Scale(low=-0.04 * wide, high=wide, start=_LEFT, end=_WIDTH - _RIGHT),
        Scale(low=low, high=high, start=_HIGH - _BOTTOM, end=_TOP),
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
            inside = box[0] >= _LEFT and box[2] <= _WIDTH and box[1] >= 12
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


# --- Lags --------------------------------------------------------------------------------------


def lead_lag_lines(
    ratios: Mapping[str, Mapping[str, float | None]], looks: Mapping[str, Style], name: str
) -> str:
    """Return a chart of information ratios by lag, with one line for each strategy.

    The background is grey at impossible lags: an order cannot be filled at or before its decision.

    ``ratios`` maps the name of each strategy to its ratios by lag, as in ``compare --json``.
    ``looks`` sets the style of each line. A strategy without ratios has no line.
    """
    known = {name: _ratios(ratios[name]) for name in looks if name in ratios}
    lags = [lag for points in known.values() for lag in points] or [-1, 1]
    x = Scale(low=min(lags), high=max(lags), start=_LEFT, end=_WIDTH - _RIGHT)
    ends = padded([0.0, *(v for points in known.values() for v in points.values())])
    y = Scale(low=ends[0], high=ends[1], start=_HIGH - _BOTTOM, end=_TOP)
    wide = x(0.5) - _LEFT
    parts = [
        f'<rect x="{_LEFT:g}" y="{_TOP:g}" width="{wide:.1f}" height="{_HIGH - _TOP - _BOTTOM:g}" '
        'style="fill:var(--track)"/>',
        words(_LEFT + 4, _TOP + 13, IMPOSSIBLE, "s"),
        words(4, 13, "information ratio against the strategy's mean weights", "s"),
        *axis_left(y, x.start, x.end, y.ticks(7), zero=0.0),
        *axis_below(x.start, x.end, y.start, numbered(x, x.ticks(12)), LAG),
    ]
    parts += [_ratio_line(each, points, looks[each], x, y) for each, points in known.items()]
    return f'<h3 class="chart">{escape(name)}</h3>\n{picture(name, _WIDTH, _HIGH, parts)}'


def _ratios(found: Mapping[str, float | None]) -> dict[int, float]:
    return {int(lag): value for lag, value in found.items() if value is not None}


def _ratio_line(name: str, points: Mapping[int, float], look: Style, x: Scale, y: Scale) -> str:
    kept, hidden = escape(name, quote=True), "" if look.shown else " hidden"
    path = "L".join(f"{x(lag):.1f} {y(value):.1f}" for lag, value in points.items())
    said = ", ".join(f"{lag}: {fixed(value)}" for lag, value in points.items())
    dash = f";stroke-dasharray:{look.dash}" if look.dash else ""
    return (
        f'<path class="line" data-line="{kept}"{hidden} style="stroke:{look.colour}{dash}" '
        f'd="M{path}"><title>{kept}. Ratio by lag: {said}</title></path>'
    )


# --- Correlations ------------------------------------------------------------------------------


def correlation_chart(growth: pd.DataFrame, name: str) -> str:
    """Return a heat map of the correlations between the strategies' daily returns.

    ``growth`` holds the value of 1 invested at the start. ``growth`` has a row for each session and
    a column for each strategy. A blue cell is a positive correlation, and an orange cell is a
    negative correlation. A strategy with constant returns has empty cells.
    """
    table = correlations(growth)
    names = [str(column) for column in table.columns]
    left = 12 + _LETTER * max(map(len, names))
    top = 12 + 0.8 * _LETTER * max(map(len, names))
    size = min(46.0, (_WIDTH - left - 90) / len(names))
    parts = [*_headings(names, left, top, size), *_cells(table, left, top, size)]
    height = top + size * len(names) + 6
    return f'<h3 class="chart">{escape(name)}</h3>\n{picture(name, _WIDTH, height, parts)}'


def correlations(growth: pd.DataFrame) -> pd.DataFrame:
    """Return the correlations between the strategies' daily returns; NaN for constant returns."""
    return growth.pct_change(fill_method=None).corr()


def _headings(names: Sequence[str], left: float, top: float, size: float) -> list[str]:
    parts = []
    for at, said in enumerate(names):
        middle = size * (at + 0.5)
        parts.append(words(left - 6, top + middle + 4, said, "", "end"))
        place = f"translate({left + middle + 3:.1f} {top - 5:.1f}) rotate(-55)"
        parts.append(f'<text transform="{place}">{escape(said)}</text>')
    return parts


def _cells(table: pd.DataFrame, left: float, top: float, size: float) -> list[str]:
    parts, cells = [], table.to_numpy(dtype="float64")
    for row, one in enumerate(table.index):
        for column, other in enumerate(table.columns):
            value = float(cells[row, column])
            if pd.isna(value):
                continue
            x, y = left + size * column, top + size * row
            colour = "var(--c0)" if value >= 0 else "var(--c1)"
            said = escape(f"{one} and {other}: {fixed(value)}")
            parts.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{size - 1:.1f}" height="{size - 1:.1f}" '
                f'style="fill:{colour};opacity:{0.75 * abs(value):.2f}"><title>{said}</title>'
                "</rect>"
            )
            if size >= 30:
                parts.append(words(x + size / 2, y + size / 2 + 4, fixed(value), "", "middle"))
    return parts
