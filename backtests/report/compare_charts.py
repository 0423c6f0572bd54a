"""Charts that compare strategies: growth, drawdowns, risk and return, correlations.

A plotly legend with thirty names would fill half of a narrow screen. So the page has its own legend
for the growth chart and the drawdown chart. A :class:`Style` gives a line and its entry in the
legend the same look.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import cycle
from statistics import median
from typing import Any

import pandas as pd

from backtests.report import theme
from backtests.report.charts import line_of, shade, thin, thinning
from backtests.report.format import fixed
from signals.transforms import fall_from_peak

#: Baselines that are visible when the page opens.
FIRST = ("spy", "bills", "sixty-forty")
_DASHES = {"thesis": "solid", "own": "solid", "baseline": "dash", "challenger": "dashdot"}
_VARIANTS = ("dot", "longdash", "dash", "dashdot", "longdashdot")
#: A mapping from plotly's names of dash styles to SVG dash patterns.
STROKES = {
    "solid": "none",
    "dot": "2 3",
    "dash": "6 4",
    "longdash": "10 4",
    "dashdot": "6 3 2 3",
    "longdashdot": "10 3 2 3",
}
#: Width and height, in pixels, of the plot with the labels, and of a letter.
_WIDE, _HIGH, _LETTER, _LINE = 1080, 430, 6.3, 13
#: Places of a label beside its point, by plotly's name. The first two numbers place the label's
#: left and top edge, in widths and heights of the label. The last two numbers add pixels.
_PLACES = {
    "middle right": (0.0, -0.5, 8, 0),
    "middle left": (-1.0, -0.5, -8, 0),
    "top center": (-0.5, -1.0, 0, -6),
    "bottom center": (-0.5, 0.0, 0, 6),
    "top right": (0.0, -1.0, 5, -4),
    "bottom right": (0.0, 0.0, 5, 4),
    "top left": (-1.0, -1.0, -5, -4),
    "bottom left": (-1.0, 0.0, -5, 4),
}
_Box = tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class Style:
    """The look of a strategy's line.

    A strategy has the same colour under every regime model. Each regime model except votes has its
    own dash style. ``dash`` is plotly's name of the dash style. If ``shown`` is True, the line is
    visible when the page opens.
    """

    colour: str
    dash: str
    shown: bool


def styles(kinds: Mapping[str, str]) -> dict[str, Style]:
    """Return a mapping from name to style, in the order of ``kinds``.

    ``kinds`` maps the name of each strategy to its kind. When the page opens, it shows strategies
    of the thesis, strategies of a user, and the strategies in :data:`FIRST`. A variant
    ``name@model`` is hidden at first if the strategy ``name`` is also in ``kinds``.
    """
    parts = {name: name.partition("@")[::2] for name in kinds}
    free = [
        base
        for base in dict.fromkeys(base for base, _ in parts.values())
        if base not in theme.FIXED
    ]
    models = dict.fromkeys(model for _, model in parts.values() if model)
    colours = theme.FIXED | dict(zip(free, cycle(theme.MANY_LINES), strict=False))
    dashes = dict(zip(models, cycle(_VARIANTS), strict=False))
    return {
        name: Style(
            colour=colours[base],
            dash=dashes[model] if model else ("solid" if base in FIRST else _DASHES[kinds[name]]),
            shown=(kinds[name] in ("thesis", "own") or base in FIRST)
            and not (model and base in kinds),
        )
        for name, (base, model) in parts.items()
    }


def growth_chart(
    growth: pd.DataFrame, regime: pd.Series, looks: Mapping[str, Style], title: str
) -> Any:
    """Return a chart of every strategy's growth of 1 on a log scale, shaded by regime.

    ``growth`` has a row for each session and a column for each strategy. ``regime`` holds, for each
    session, the regime under which the session's return was earned, or None. ``looks``, from
    :func:`styles`, sets the look and the order of the lines.
    """
    figure = _curves(growth, regime, looks)
    figure.update_yaxes(type="log", title="growth of 1")
    return theme.apply_theme(figure, title, height=500)


def drawdown_chart(
    growth: pd.DataFrame, regime: pd.Series, looks: Mapping[str, Style], title: str
) -> Any:
    """Return a chart of every strategy's drawdowns, shaded by regime.

    If only every n-th session is drawn, each point shows the deepest drawdown since the point
    before. So every trough is visible. :func:`growth_chart` describes the parameters.
    """
    fall = 100 * fall_from_peak(growth)
    deepest = fall.rolling(thinning(fall), min_periods=1).min()
    figure = _curves(deepest, regime, looks, " %")
    figure.update_yaxes(title="drawdown, %")
    return theme.apply_theme(figure, title, height=380)


def _curves(
    values: pd.DataFrame, regime: pd.Series, looks: Mapping[str, Style], suffix: str = ""
) -> Any:
    from plotly.graph_objects import Figure

    traces = []
    for name, look in looks.items():
        trace = line_of(thin(values[name]), name, look.colour, suffix, legend=False)
        trace["line"] = {"color": look.colour, "width": 1.5, "dash": look.dash}
        trace["visible"] = True if look.shown else "legendonly"
        traces.append(trace)
    figure = Figure(traces)
    names = regime.reindex(values.index).fillna("none")
    shade(figure, names, theme.REGIMES, opacity=0.13, of_returns=True)
    figure.update_xaxes(hoverformat="%Y-%m-%d")
    figure.update_layout(hoverlabel={"bgcolor": "rgba(255,255,255,0.88)", "font": {"size": 11}})
    return figure


def risk_chart(numbers: Mapping[str, Mapping[str, Any]], title: str) -> Any:
    """Return a chart of CAGR against volatility, with a point for each strategy.

    Under the pointer, a point shows its Sharpe ratio. ``numbers`` maps the name of each strategy to
    its ``kind``, ``volatility``, ``cagr`` and ``sharpe``. Volatility and CAGR are fractions. The
    chart leaves out strategies without volatility or CAGR. Some points have no label, because
    labels must not overlap. When the page opens, :func:`far_points` are outside the chart; a double
    click shows all points. If SPY and bills are present, a dotted line shows roughly the constant
    mixes of SPY and bills.
    """
    from plotly.graph_objects import Figure

    points, far = _points(numbers), far_points(numbers)
    near = {name: point for name, point in points.items() if name not in far}
    ranges = _ranges(list(near.values()))
    places = place_labels(_pixels(near, ranges)) | dict.fromkeys(far, "middle left")
    figure = Figure()
    for kind, colour in theme.KINDS.items():
        mine = {name: point for name, point in points.items() if numbers[name]["kind"] == kind}
        if mine:
            said = [(name, fixed(numbers[name]["sharpe"])) for name in mine]
            figure.add_trace(_markers(kind, colour, mine, said, places))
    if {"spy", "bills"} <= points.keys():
        figure.add_trace(_mix_line(points["bills"], points["spy"]))
    figure.update_xaxes(title="volatility, % a year", range=ranges[0], zeroline=False)
    figure.update_yaxes(title="CAGR, %", range=ranges[1])
    theme.apply_theme(figure, title, height=560)
    return figure.update_layout(hovermode="closest")


def far_points(numbers: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[float, float]]:
    """Return volatility and CAGR, in %, of strategies that the chart shows only after a click.

    The volatility of such a strategy is more than three times the median, so it would push all
    other points into a small corner. If more than a tenth of the strategies are so volatile, all
    are shown at once.
    """
    points = _points(numbers)
    middle = median([x for x, _ in points.values()] or [0.0])
    far = {name: point for name, point in points.items() if point[0] > 3 * middle}
    return far if 10 * len(far) <= len(points) else {}


def _points(numbers: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[float, float]]:
    return {
        name: (100 * entry["volatility"], 100 * entry["cagr"])
        for name, entry in numbers.items()
        if not pd.isna(entry["volatility"]) and not pd.isna(entry["cagr"])
    }


def _markers(
    kind: str,
    colour: str,
    points: Mapping[str, tuple[float, float]],
    said: list[tuple[str, str]],
    places: Mapping[str, str],
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": [x for x, _ in points.values()],
        "y": [y for _, y in points.values()],
        "text": [name if name in places else "" for name in points],
        "textposition": [places.get(name, "middle right") for name in points],
        "textfont": {"size": 11},
        "customdata": said,
        "name": kind,
        "marker": {"color": colour, "size": 10, "line": {"color": theme.PAPER, "width": 1}},
        "hovertemplate": "<b>%{customdata[0]}</b><br>volatility %{x:.1f} %, CAGR %{y:.1f} %"
        f"<br>Sharpe %{{customdata[1]}}<extra>{kind}</extra>",
    }


def _mix_line(bills: tuple[float, float], spy: tuple[float, float]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [bills[0], spy[0]],
        "y": [bills[1], spy[1]],
        "name": "mixes of SPY and bills (approximate)",
        "line": {"color": theme.BENCHMARK, "width": 1.2, "dash": "dot"},
        "hoverinfo": "skip",
    }


def _ranges(points: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    """Return the ranges of both axes, with space for labels at the right."""
    x, y = [0.0, *(p[0] for p in points)], [0.0, *(p[1] for p in points)]
    wide, high = max(x) or 1.0, (max(y) - min(y)) or 1.0
    return [-0.04 * wide, 1.14 * wide], [min(y) - 0.08 * high, max(y) + 0.08 * high]


def _pixels(
    points: Mapping[str, tuple[float, float]], ranges: tuple[list[float], list[float]]
) -> dict[str, tuple[float, float]]:
    """Return the position of each point, in pixels from the left and top edges of the plot."""
    (left, right), (bottom, top) = ranges
    return {
        name: (_WIDE * (x - left) / (right - left), _HIGH * (top - y) / (top - bottom))
        for name, (x, y) in points.items()
    }


def place_labels(points: Mapping[str, tuple[float, float]]) -> dict[str, str]:
    """Return a mapping from names to places of labels. No label covers a point or another label.

    ``points`` maps names to positions, in pixels from the left and top edges. If only one of two
    labels fits, the later name has no label.
    """
    taken: list[_Box] = [(x - 5, y - 5, x + 5, y + 5) for x, y in points.values()]
    places: dict[str, str] = {}
    for name, (x, y) in points.items():
        for place, box in _boxes(name, x, y):
            if box[0] >= 0 and box[2] <= _WIDE and not any(_overlap(box, b) for b in taken):
                places[name] = place
                taken.append(box)
                break
    return places


def _boxes(name: str, x: float, y: float) -> list[tuple[str, _Box]]:
    wide, boxes = _LETTER * len(name), []
    for place, (across, down, right, lower) in _PLACES.items():
        left, top = x + across * wide + right, y + down * _LINE + lower
        boxes.append((place, (left, top, left + wide, top + _LINE)))
    return boxes


def _overlap(a: _Box, b: _Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def correlation_chart(growth: pd.DataFrame, title: str) -> Any:
    """Return a heat map of the correlations of daily returns between strategies.

    ``growth`` is the growth of 1, with a row for each session and a column for each strategy. A
    strategy with constant returns has empty cells.
    """
    from plotly.graph_objects import Figure

    table = growth.pct_change(fill_method=None).corr()
    names = [str(name) for name in table.columns]
    cells = [[None if pd.isna(v) else round(v, 3) for v in row] for row in table.to_numpy()]
    heat = {
        "type": "heatmap",
        "x": names,
        "y": names,
        "z": cells,
        "zmin": -1,
        "zmax": 1,
        "colorscale": theme.DIVERGING,
        "xgap": 1,
        "ygap": 1,
        "colorbar": {"thickness": 12, "outlinewidth": 0},
        "hovertemplate": "%{y} and %{x}: %{z:.2f}<extra></extra>",
    }
    figure = Figure(heat)
    figure.update_yaxes(autorange="reversed", automargin=True, tickfont_size=11)
    figure.update_xaxes(tickangle=-60, automargin=True, tickfont_size=11)
    theme.apply_theme(figure, title, height=230 + 22 * len(names))
    return figure.update_layout(hovermode="closest")
