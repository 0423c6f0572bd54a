"""Draw one row of a chart as SVG, and write the numbers of the row's axis as HTML.

A narrow screen squeezes SVG, but text in HTML keeps its size. :mod:`backtests.report.panels` joins
the rows.
"""

import math
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from backtests.report.panel_rows import WIDTH, Line, Panel, Strip, x_of
from backtests.report.svg import Scale, every_nth, log_ticks, number, padded
from signals.stays import stays

_BUCKETS = 500  # number of buckets of a long line; a bucket is drawn by its extreme values
_DRAWN_HEIGHT = 100.0
_LEAST_TICK = 24.0  # smallest distance between two numbers of a vertical axis, in pixels
_MOST_TICKS = 5  # with this many ticks, an axis of any range has at least two numbers
_NAME_HEIGHT = 16.0  # height of the name of a level, in pixels
_NAME_WIDTH = 0.2  # width of the name of a level, as a share of the panel's width


def drawn_row(name: str, row: Panel | Strip, legend: str, backdrop: str) -> str:
    """Return the title, the legend, the picture and the vertical axis of a row."""
    if isinstance(row, Strip):
        body, ticks, ends = "".join(_stripes(row)), "", ""
    else:
        drawing, ticks = _plotted(row)
        ends = _ends(row) if row.zooms else ""
        body = backdrop + drawing
    label = escape(f"{name}: {row.title}", quote=True)
    kind = "strip" if isinstance(row, Strip) else "panel"
    return (
        f'<div class="{kind}"><div class="title">{escape(row.title)}{legend}</div>'
        f'<div class="plot" style="height:{row.height}px">'
        f'<svg role="img" aria-label="{label}"{ends} viewBox="0 0 {WIDTH:g} {_DRAWN_HEIGHT:g}" '
        f'preserveAspectRatio="none">{body}</svg>{ticks}</div></div>\n'
    )


def _plotted(panel: Panel) -> tuple[str, str]:
    """Return the drawing of a panel as SVG, and the texts at its vertical axis as HTML.

    A panel without values has no axis, because the range of the axis is unknown.
    """
    if not any(line.values.notna().any() for line in panel.drawn()):
        return "", '<span class="named" style="top:60%">no values</span>'
    y = _scale(panel)
    return "".join(_drawing(panel, y)), _ticks(panel, y) + _names(panel, y)


def _ends(panel: Panel) -> str:
    """Return the ends of the vertical axis as attributes of its picture."""
    y = _scale(panel)
    return f' data-low="{y.low:.8g}" data-high="{y.high:.8g}"{" data-log" * y.log}'


def _scale(panel: Panel) -> Scale:
    """Return the scale from values to vertical positions: 100 at the low end, 0 at the high end."""
    reached = [level for _, level in panel.levels]
    for line in panel.lines:
        reached += [float(line.values.min()), float(line.values.max())]
    for bar in panel.bars:
        reached += [0.0, float(bar.values.min()), float(bar.values.max())]
    if panel.areas:
        outer = _stacked(panel.areas)[1]
        reached += [0.0, float(outer.min()), float(outer.max())]
    known = [value for value in reached if math.isfinite(value)]
    if panel.log:
        low, high = (10**end for end in padded([math.log10(v) for v in known], 0.03))
    else:
        low, high = _with_names(panel, *padded(known, 0.04))
    return Scale(
        low=low if panel.low is None else panel.low,
        high=high if panel.high is None else panel.high,
        start=_DRAWN_HEIGHT,
        end=0.0,
        log=panel.log,
    )


def _with_names(panel: Panel, low: float, high: float) -> tuple[float, float]:
    """Return the ends of an axis, with enough space for the names of the levels."""
    levels, share = [level for _, level in panel.levels], _NAME_HEIGHT / panel.height
    if levels:
        high = max(high, (max(levels) - share * low) / (1 - share))
    if len(levels) > 1:
        low = min(low, (min(levels) - share * high) / (1 - share))
    return low, high


def _numbers(panel: Panel, y: Scale) -> list[float]:
    """Return the numbers of the vertical axis, with enough distance between them.

    The axis has at least two numbers if two numbers fit, because a single number shows no scale.
    """
    if panel.log:
        return _apart(log_ticks(y.low, y.high), panel, y)
    kept: list[float] = []
    for count in range(max(2, panel.height // 40), _MOST_TICKS + 1):
        kept = _apart(y.ticks(count), panel, y)
        if len(kept) > 1:
            break
    return kept


def _apart(values: list[float], panel: Panel, y: Scale) -> list[float]:
    least, kept = _LEAST_TICK * _DRAWN_HEIGHT / panel.height, values[:1]
    for value in values[1:]:
        if abs(y(value) - y(kept[-1])) >= least:
            kept.append(value)
    return kept


def _ticks(panel: Panel, y: Scale) -> str:
    return "".join(
        f'<span class="tick" style="top:{y(value):.2f}%" aria-hidden="true">{number(value)}</span>'
        for value in _numbers(panel, y)
    )


def _names(panel: Panel, y: Scale) -> str:
    """Return the names of a panel's levels, as HTML.

    A name is above the line of its level. If there are several levels, the name of the lowest level
    is below its line. A name is at the left end of the panel. If the name covers fewer line steps
    at the right end, the name is at the right end.
    """
    lowest = min((level for _, level in panel.levels), default=0.0)
    named = ""
    for said, level in panel.levels:
        below = len(panel.levels) > 1 and level == lowest
        left, right = _covered(panel, y, level, below=below)
        place = " below" * below + " right" * (right < left)
        named += f'<span class="named{place}" style="top:{y(level):.2f}%">{escape(said)}</span>'
    return named


def _covered(panel: Panel, y: Scale, level: float, *, below: bool) -> tuple[int, int]:
    """Return the number of line steps that a level's name covers, at the left and at the right.

    A step is the part of a line from one session to the next.
    """
    tall = _NAME_HEIGHT / panel.height * _DRAWN_HEIGHT
    top = y(level) if below else y(level) - tall
    left = right = 0
    for line in panel.lines:
        places = np.array([y(value) for value in line.values.to_numpy(dtype=np.float64)])
        upper, lower = np.minimum(places[1:], places[:-1]), np.maximum(places[1:], places[:-1])
        touched = (lower >= top) & (upper <= top + tall)
        wide = math.ceil(_NAME_WIDTH * len(touched))
        left += int(touched[:wide].sum())
        right += int(touched[len(touched) - wide :].sum())
    return left, right


def _drawing(panel: Panel, y: Scale) -> Iterable[str]:
    for value in _numbers(panel, y):
        yield _across(y(value), "grid")
    yield from _areas(panel.areas, y)
    for bar in panel.bars:
        yield _bars(bar, y)
    for line in panel.lines:
        yield _curve(line, y)
    for _, level in panel.levels:
        yield _across(y(level), "level")


def _across(at: float, kind: str) -> str:
    return f'<line class="{kind}" x1="0" x2="{WIDTH:g}" y1="{at:.2f}" y2="{at:.2f}"/>'


def _curve(line: Line, y: Scale) -> str:
    values = line.values.to_numpy(dtype=np.float64)
    steps, pen = [], "M"
    for at in _outline(values).tolist():
        if math.isnan(values[at]):
            pen = "M"
            continue
        steps.append(f"{pen}{x_of(at, len(values)):.1f} {y(float(values[at])):.2f}")
        pen = "L"
    dash = f";stroke-dasharray:{line.dash}" if line.dash else ""
    kept = escape(line.name, quote=True)
    return (
        f'<path class="curve" data-line="{kept}" style="stroke:{line.colour}{dash}" '
        f'd="{"".join(steps)}"/>'
    )


def _outline(values: np.ndarray) -> np.ndarray:
    """Return the positions of the values to draw; a long line leaves out some of its values.

    A line with at most 1,000 values is drawn with all values. A line with more values is divided
    into 500 buckets of consecutive values. The result keeps the lowest, the highest and the first
    missing value of each bucket. A missing value becomes a gap in the line. The first and the last
    value of a line are always kept.
    """
    n = len(values)
    if n <= 2 * _BUCKETS:
        return np.arange(n)
    edges = np.linspace(0, n, _BUCKETS + 1).astype(int)
    chosen = {0, n - 1}
    for first, after in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        part = values[first:after]
        known = np.flatnonzero(~np.isnan(part))
        if len(known) < len(part):
            chosen.add(first + int(np.flatnonzero(np.isnan(part))[0]))
        if len(known):
            chosen |= {first + int(np.nanargmin(part)), first + int(np.nanargmax(part))}
    return np.array(sorted(chosen))


def _stacked(areas: Sequence[Line]) -> tuple[np.ndarray, np.ndarray]:
    """Return the inner and the outer edges of areas, with a row for each session."""
    values = np.column_stack([area.values.fillna(0.0).to_numpy(dtype=np.float64) for area in areas])
    up, down = np.clip(values, 0, None).cumsum(axis=1), np.clip(values, None, 0).cumsum(axis=1)
    outer = np.where(values >= 0, up, down)
    return outer - values, outer


def _areas(areas: Sequence[Line], y: Scale) -> Iterable[str]:
    if not areas:
        return
    inner, outer = _stacked(areas)
    n = len(inner)
    at = every_nth(n, 2 * _BUCKETS).tolist()
    for column, area in enumerate(areas):
        there = [f"{x_of(i, n):.1f} {y(float(outer[i, column])):.2f}" for i in at]
        back = [f"{x_of(i, n):.1f} {y(float(inner[i, column])):.2f}" for i in at[::-1]]
        path = f"M{'L'.join([*there, *back])}Z"
        yield f'<path class="stack" style="fill:{area.colour}" d="{path}"/>'


def _bars(bar: Line, y: Scale) -> str:
    values = bar.values.to_numpy(dtype=np.float64)
    steps = [
        f"M{x_of(at, len(values)):.1f} {y(0.0):.2f}V{y(float(values[at])):.2f}"
        for at in np.flatnonzero(np.nan_to_num(values)).tolist()
    ]
    return f'<path class="bars" style="stroke:{bar.colour}" d="{"".join(steps)}"/>'


def _stripes(strip: Strip) -> Iterable[str]:
    """Yield a rectangle for each unbroken period; a rectangle ends where the next period begins."""
    n = len(strip.states)
    for name, first, last in stays(strip.states):
        left, right = x_of(first, n), x_of(min(last + 1, n - 1), n)
        yield _rectangle(left, right, strip.colours[name])


def backdrop_of(shading: Strip, *, of_returns: bool) -> str:
    """Return the background of a panel. States without a colour have no background."""
    n, earlier = len(shading.states), int(of_returns)
    parts = [
        _rectangle(
            x_of(max(first - earlier, 0), n),
            x_of(min(last + 1 - earlier, n - 1), n),
            shading.colours[name],
        )
        for name, first, last in stays(shading.states)
        if name in shading.colours
    ]
    return f'<g class="backdrop">{"".join(parts)}</g>'


def _rectangle(left: float, right: float, colour: str) -> str:
    size = f'x="{left:.1f}" width="{max(right - left, 0.3):.1f}" height="{_DRAWN_HEIGHT:g}"'
    return f'<rect {size} style="fill:{colour}"/>'
