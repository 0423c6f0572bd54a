"""Charts that compare strategies: growth, drawdowns, risk and return, correlations.

A legend by plotly with thirty names would fill half of a narrow screen. The page therefore has its
own legend, which serves the growth chart and the drawdown chart. The legend and the lines have the
same :class:`Style`.
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
#: plotly's names of dashes, with the SVG dash pattern of each.
STROKES = {
    "solid": "none",
    "dot": "2 3",
    "dash": "6 4",
    "longdash": "10 4",
    "dashdot": "6 3 2 3",
    "longdashdot": "10 3 2 3",
}
#: Width and height of the plot with the labels, and width and height of a letter, in pixels.
_WIDE, _HIGH, _LETTER, _LINE = 1080, 430, 6.3, 13
#: Positions of a label beside its point, by plotly's name. The label's left and top edge are given
#: in label widths and heights; the last two numbers are added in pixels.
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

    A strategy has the same colour under every regime model. Each model other than votes has its own
    dash style. ``dash`` is the name of the dash style in plotly. If ``shown`` is true, the line is
    visible when the page opens.
    """

    colour: str
    dash: str
    shown: bool


def styles(kinds: Mapping[str, str]) -> dict[str, Style]:
    """Return the style of each strategy, by name, in the order of ``kinds``.

    ``kinds`` holds the kind of each strategy, by name. These strategies are visible when the page
    opens: strategies of the thesis, strategies that a user wrote, and the strategies in
    :data:`FIRST`. A variant has the name ``name@model``. It is hidden if the strategy ``name`` is
    also in ``kinds``.
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

    ``growth`` has one row per session and one column per strategy. For each session, ``regime``
    holds the regime under which the return of the session was earned, or None. ``looks`` comes
    from :func:`styles`, and its order is the order of the lines.
    """
    figure = _curves(growth, regime, looks)
    figure.update_yaxes(type="log", title="growth of 1")
    return theme.apply_theme(figure, title, height=500)


def drawdown_chart(
    growth: pd.DataFrame, regime: pd.Series, looks: Mapping[str, Style], title: str
) -> Any:
    """Return a chart of every strategy's drawdowns, shaded by regime.

    If only every n-th session is drawn, each point shows the deepest drawdown since the point
    before. Every trough is therefore visible. See :func:`growth_chart` for the parameters.
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

    figure = Figure()
    for name, look in looks.items():
        trace = line_of(thin(values[name]), name, look.colour, suffix, legend=False)
        trace["line"] = {"color": look.colour, "width": 1.5, "dash": look.dash}
        trace["visible"] = True if look.shown else "legendonly"
        figure.add_trace(trace)
    names = regime.reindex(values.index).fillna("none")
    shade(figure, names, theme.REGIMES, opacity=0.13, of_returns=True)
    figure.update_xaxes(hoverformat="%Y-%m-%d")
    figure.update_layout(hoverlabel={"bgcolor": "rgba(255,255,255,0.88)", "font": {"size": 11}})
    return figure


def risk_chart(numbers: Mapping[str, Mapping[str, Any]], title: str) -> Any:
    """Return a chart of CAGR against volatility, with one point per strategy.

    Under the pointer, a point shows its Sharpe ratio. ``numbers`` holds ``kind``, ``volatility``,
    ``cagr`` and ``sharpe`` of each strategy, by name. Volatility and CAGR are fractions. The chart
    leaves out strategies without volatility or CAGR. Some points have no label, because labels must
    not overlap. When the page opens, the chart does not show :func:`far_points`. A double click
    shows all points. If SPY and bills are present, a dotted line shows about where constant mixes
    of SPY and bills would be.
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
    """Return volatility and CAGR, in %, of the strategies that the chart does not show at first.

    The volatility of these strategies is more than three times the median. If the chart showed
    these strategies, all other points would be in a small corner. If more than a tenth of all
    strategies have such a high volatility, the function returns no strategy.
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
        "name": "SPY mixed with bills, about",
        "line": {"color": theme.BENCHMARK, "width": 1.2, "dash": "dot"},
        "hoverinfo": "skip",
    }


def _ranges(points: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    """Return the ranges of both axes. At the right, they leave space for labels."""
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
    """Return the position of each label, by name. No label covers a point or another label.

    ``points`` holds positions by name, in pixels from the left and top edges. If there is space for
    only one of two labels, the earlier name has a label and the later name has no label.
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

    ``growth`` is the growth of 1, with one row per session and one column per strategy. If the
    returns of a strategy are constant, its cells are empty.
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
