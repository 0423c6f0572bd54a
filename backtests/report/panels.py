"""Panels: rows of a chart that share one date axis, drawn as SVG with the values of each day.

Sessions have equal distances on the date axis. A panel is as wide as its page, and its height is in
pixels. The numbers at its axes are HTML, so that text keeps its size on a narrow screen. The script
``pointer.js`` shows the day and all values under the pointer. The arrow keys also move from day to
day. Colours are CSS variables, or other CSS colours.

If the history is simulated, the caller must pass a name that begins with SIMULATED.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from backtests.report.svg import Scale, day_number, log_ticks, number, padded

#: The class of a chart with panels; a page that contains it needs ``pointer.js``.
POINTED = 'class="panels"'
#: Width of a panel in units of its drawing, which the page stretches to the width of the screen.
WIDTH = 1000.0
_BUCKETS = 500  # a longer line is drawn with the lowest and the highest value of each bucket
_DRAWN_HEIGHT = 100.0
_LEAST_TICK = 24.0  # smallest distance between two numbers of a vertical axis, pixels
_LETTER = 16.0  # width of a letter of a date on a narrow screen, in units of the drawing


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
    """A row of a chart with a vertical axis.

    Attributes
    ----------
    title, unit
        The title stands above the row. The unit follows each value under the pointer.
    lines, areas, bars
        Lines are not stacked. Areas are stacked: positive values upward from zero, negative values
        downward. Bars begin at zero. A missing value of an area or of a bar counts as zero.
    digits
        Number of decimals under the pointer; None shows four significant digits.
    levels
        Names and values of horizontal lines, such as thresholds. The names stand at the lines. The
        pointer does not show them.
    log
        True for an axis on which equal ratios have equal distances. All values must be positive.
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


def panels(
    name: str,
    rows: Sequence[Panel | Strip],
    *,
    shading: Strip | None = None,
    of_returns: bool = False,
    most: int = 20_000,
    heading: int = 3,
) -> str:
    """Return rows that share one date axis, as HTML for a page.

    Parameters
    ----------
    name
        The title of the chart, which is also its name for a reader who cannot see it.
    rows
        Panels and strips with equal sessions, top row first.
    shading
        States that colour the background of every panel.
    of_returns
        True if each state of ``shading`` belongs to a session's return, earned since the previous
        close. The colour of a stay then begins at the close before the stay.
    most
        Largest number of sessions whose values the pointer shows. In a longer history, the pointer
        shows only every n-th session.
    heading
        Level of the title as a heading: 2 or 3.
    """
    index = _index_of(rows)
    backdrop = "" if shading is None else _shaded(shading, of_returns=of_returns)
    legends = _legends(rows, shading)
    drawn = "".join(_row(name, *both, backdrop) for both in zip(rows, legends[1:], strict=True))
    data = json.dumps(_pointed(rows, index, most), separators=(",", ":")).replace("<", "\\u003c")
    label = escape(f"{name}. The left and right arrow keys show the values of a day.", quote=True)
    return (
        f'<h{heading} class="chart">{escape(name)}</h{heading}>\n'
        f'<div {POINTED} role="group" tabindex="0" aria-label="{label}">\n'
        f"{legends[0]}{drawn}{_dates(index)}"
        '<i class="cursor" hidden></i><div class="values" aria-live="polite" hidden></div>'
        f'<script type="application/json">{data}</script></div>\n'
    )


def _index_of(rows: Sequence[Panel | Strip]) -> pd.DatetimeIndex:
    first = rows[0]
    values = first.states if isinstance(first, Strip) else first.drawn()[0].values
    return pd.DatetimeIndex(values.index)


# --- One row -----------------------------------------------------------------------------------


def _row(name: str, row: Panel | Strip, legend: str, backdrop: str) -> str:
    """Return the title, the legend, the picture and the vertical axis of a row."""
    if isinstance(row, Strip):
        body, ticks = "".join(_stripes(row)), ""
    else:
        y = _scale(row)
        body, ticks = backdrop + "".join(_drawing(row, y)), _ticks(row, y) + _names(row, y)
    label = escape(f"{name}: {row.title}", quote=True)
    kind = "strip" if isinstance(row, Strip) else "panel"
    return (
        f'<div class="{kind}"><div class="title">{escape(row.title)}{legend}</div>'
        f'<div class="plot" style="height:{row.height}px">'
        f'<svg role="img" aria-label="{label}" viewBox="0 0 {WIDTH:g} {_DRAWN_HEIGHT:g}" '
        f'preserveAspectRatio="none">{body}</svg>{ticks}</div></div>\n'
    )


def _scale(panel: Panel) -> Scale:
    """Return the mapping from values to heights, 100 for the lowest value."""
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
        low, high = padded(known, 0.04)
    return Scale(
        low=low if panel.low is None else panel.low,
        high=high if panel.high is None else panel.high,
        start=_DRAWN_HEIGHT,
        end=0.0,
        log=panel.log,
    )


def _numbers(panel: Panel, y: Scale) -> list[float]:
    """Return the numbers of the vertical axis, far enough from each other to be read."""
    values = log_ticks(y.low, y.high) if panel.log else y.ticks(max(2, panel.height // 40))
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
    """Return the names of levels.

    The name of the lowest level stands below its line, the other names stand above theirs.
    """
    lowest = min((level for _, level in panel.levels), default=0.0)
    below = [len(panel.levels) > 1 and level == lowest for _, level in panel.levels]
    return "".join(
        f'<span class="named{" below" if low else ""}" style="top:{y(level):.2f}%">'
        f"{escape(said)}</span>"
        for (said, level), low in zip(panel.levels, below, strict=True)
    )


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
        steps.append(f"{pen}{_x(at, len(values)):.1f} {y(float(values[at])):.2f}")
        pen = "L"
    dash = f";stroke-dasharray:{line.dash}" if line.dash else ""
    kept = escape(line.name, quote=True)
    return (
        f'<path class="curve" data-line="{kept}" style="stroke:{line.colour}{dash}" '
        f'd="{"".join(steps)}"/>'
    )


def _outline(values: np.ndarray) -> np.ndarray:
    """Return the positions of enough values to draw a line that looks complete.

    A short line keeps all its values. A long line is divided into 500 buckets, and keeps the
    lowest, the highest and the first missing value of each. A long line also keeps its first and
    its last value.
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
    """Return the inner and the outer edge of each area, sessions × areas."""
    values = np.column_stack([area.values.fillna(0.0).to_numpy(dtype=np.float64) for area in areas])
    up, down = np.clip(values, 0, None).cumsum(axis=1), np.clip(values, None, 0).cumsum(axis=1)
    outer = np.where(values >= 0, up, down)
    return outer - values, outer


def _areas(areas: Sequence[Line], y: Scale) -> Iterable[str]:
    if not areas:
        return
    inner, outer = _stacked(areas)
    n = len(inner)
    at = np.arange(n)[:: -max(1, n // (2 * _BUCKETS))][::-1].tolist()
    for column, area in enumerate(areas):
        there = [f"{_x(i, n):.1f} {y(float(outer[i, column])):.2f}" for i in at]
        back = [f"{_x(i, n):.1f} {y(float(inner[i, column])):.2f}" for i in at[::-1]]
        path = f"M{'L'.join([*there, *back])}Z"
        yield f'<path class="stack" style="fill:{area.colour}" d="{path}"/>'


def _bars(bar: Line, y: Scale) -> str:
    values = bar.values.to_numpy(dtype=np.float64)
    steps = [
        f"M{_x(at, len(values)):.1f} {y(0.0):.2f}V{y(float(values[at])):.2f}"
        for at in np.flatnonzero(np.nan_to_num(values)).tolist()
    ]
    return f'<path class="bars" style="stroke:{bar.colour}" d="{"".join(steps)}"/>'


def _x(position: float, n: int) -> float:
    return WIDTH * position / max(n - 1, 1)


# --- States ------------------------------------------------------------------------------------


def stays(states: pd.Series) -> list[tuple[str, int, int]]:
    """Return each unbroken period of one state: its name, first position and last position."""
    starts = np.flatnonzero(states.ne(states.shift()).to_numpy())
    ends = [*(starts[1:] - 1).tolist(), len(states) - 1]
    return [
        (str(states.iloc[first]), first, last)
        for first, last in zip(starts.tolist(), ends, strict=True)
    ]


def _stripes(strip: Strip) -> Iterable[str]:
    """Yield a rectangle for each stay; it ends where the next stay begins."""
    n = len(strip.states)
    for name, first, last in stays(strip.states):
        left, right = _x(first, n), _x(min(last + 1, n - 1), n)
        yield _rectangle(left, right, strip.colours[name])


def _shaded(shading: Strip, *, of_returns: bool) -> str:
    """Return the background of a panel. States without a colour have no background."""
    n, earlier = len(shading.states), int(of_returns)
    parts = [
        _rectangle(
            _x(max(first - earlier, 0), n),
            _x(min(last + 1 - earlier, n - 1), n),
            shading.colours[name],
        )
        for name, first, last in stays(shading.states)
        if name in shading.colours
    ]
    return f'<g class="backdrop">{"".join(parts)}</g>'


def _rectangle(left: float, right: float, colour: str) -> str:
    size = f'x="{left:.1f}" width="{max(right - left, 0.3):.1f}" height="{_DRAWN_HEIGHT:g}"'
    return f'<rect {size} style="fill:{colour}"/>'


# --- What all rows share -----------------------------------------------------------------------


def _entries(row: Panel | Strip) -> dict[str, str]:
    """Return the names of a row's lines or states, each with a sample of its colour.

    A panel with one line has no entries, because its title says what it shows.
    """
    if isinstance(row, Panel):
        drawn = row.drawn()
        return {line.name: _sample(line) for line in drawn} if len(drawn) > 1 else {}
    present = set(row.states)
    return {
        name: f'<i style="background:{colour}"></i>'
        for name, colour in row.colours.items()
        if name in present
    }


def _legends(rows: Sequence[Panel | Strip], shading: Strip | None) -> list[str]:
    """Return the legend above the rows, and one legend for each row.

    A name that several rows share stands only in the legend of the first of these rows. The legend
    above the rows explains the background, without names that a row's legend has.
    """
    by_row = [_entries(row) for row in rows]
    in_rows = {name for entries in by_row for name in entries}
    legends = [_legend(_without({} if shading is None else _entries(shading), in_rows))]
    seen: set[str] = set()
    for entries in by_row:
        legends.append(_legend(_without(entries, seen)))
        seen |= entries.keys()
    return legends


def _without(entries: Mapping[str, str], names: set[str]) -> dict[str, str]:
    return {name: sample for name, sample in entries.items() if name not in names}


def _legend(entries: Mapping[str, str]) -> str:
    items = "".join(f"<span>{sample}{escape(said)}</span>" for said, sample in entries.items())
    return f'<span class="legend" aria-hidden="true">{items}</span>' if items else ""


def _sample(line: Line) -> str:
    if line.dash:
        return f'<i class="dashed" style="border-color:{line.colour}"></i>'
    return f'<i style="background:{line.colour}"></i>'


def _dates(index: pd.DatetimeIndex) -> str:
    """Return the dates below the rows: years, or months of a short history."""
    spans = "".join(
        f'<span class="{"" if place % 2 == 0 else "odd"}" '
        f'style="left:{100 * at / max(len(index) - 1, 1):.2f}%">{said}</span>'
        for place, (at, said) in enumerate(_date_ticks(index))
    )
    return f'<div class="dates" aria-hidden="true">{spans}</div>\n'


def _date_ticks(index: pd.DatetimeIndex) -> list[tuple[int, str]]:
    """Return positions and labels of the first sessions of years, of months or of days."""
    for unit in ("Y", "M", "D"):
        periods = pd.Series(index.to_period(unit))
        starts = np.flatnonzero(periods.ne(periods.shift()).to_numpy())[1:].tolist()
        if len(starts) >= 3:
            break
    width = _LETTER * len(str(periods.iloc[-1]))
    every = max(1, math.ceil(len(starts) * width / WIDTH))
    fits = WIDTH - width / 4
    return [(at, str(periods[at])) for at in starts[::every] if _x(at, len(index)) <= fits]


def _pointed(rows: Sequence[Panel | Strip], index: pd.DatetimeIndex, most: int) -> dict[str, Any]:
    """Return what the pointer shows: the days, and the values of each row on these days.

    Each day is stored as the number of days since the previous one, the first as days since 1970.
    """
    every = max(1, -(-len(index) // most))
    chosen = np.arange(len(index))[::-every][::-1]
    days = np.array([day_number(day) for day in index[chosen]], dtype=int)
    return {
        "at": chosen.tolist() if every > 1 else [],
        "last": len(index) - 1,
        "days": np.diff(days, prepend=0).tolist(),
        "rows": [_row_values(row, chosen) for row in rows],
    }


def _row_values(row: Panel | Strip, chosen: np.ndarray) -> dict[str, Any]:
    if isinstance(row, Strip):
        names = list(dict.fromkeys(row.states))
        codes = row.states.iloc[chosen].map({name: at for at, name in enumerate(names)})
        return {"title": row.title, "names": names, "states": codes.tolist()}
    lines = [
        {
            "name": line.name,
            "colour": line.colour,
            "values": [_rounded(v, row.digits) for v in line.values.iloc[chosen].tolist()],
        }
        for line in row.drawn()
    ]
    return {"title": row.title, "unit": row.unit, "digits": row.digits, "lines": lines}


def _rounded(value: float, digits: int | None) -> float | int | None:
    if not math.isfinite(value):
        return None
    kept = float(f"{value:.4g}") if digits is None else round(value, digits)
    return int(kept) if kept == int(kept) else kept
