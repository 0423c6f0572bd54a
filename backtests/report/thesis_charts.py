"""The charts of the page of the trial, as SVG that needs no library.

Every chart has a name for readers who cannot see the chart. If the history is simulated, the caller
must pass a name that begins with SIMULATED.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.report.svg import (
    CHARACTER,
    Scale,
    area,
    box,
    curve,
    day_number,
    line,
    mark,
    number,
    padded,
    picture,
    words,
    years,
)
from backtests.thesis.estimate import Estimate, Interval

#: Width of a chart, which fits on a phone; a wide screen enlarges the chart.
PANEL = 360.0
_MOST_POINTS = 240
#: Largest number of lines in a chart.
MOST_LINES = 4
_LEFT, _RIGHT, _BOTTOM = 44.0, 10.0, 26.0
_LANES_LEFT = 112.0  # space for the names of lanes, at the left
_LONGEST_NAME = 32  # maximum length of a name at the left of a row, in characters
_ROW = 22.0
_MOST_BESIDE = 4  # largest number of other intervals in the chart of the estimate
#: Labels of columns. If a table with named rows has several of these columns, the chart draws the
#: first one.
_DRAWN = {"mean": "mean, percentage points a year", "tau": "tau", "share": "share, %"}


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A number in a row of a chart, with the bounds of its interval; NaN bounds are not drawn."""

    value: float
    low: float = float("nan")
    high: float = float("nan")


def interval_chart(estimate: Estimate, smallest: float, sign: int, unit: str, name: str) -> str:
    """Return a chart of an estimate against zero and the smallest interesting effect.

    The thick bar is the 90 % interval, and the thin bar is the 95 % interval. ``sign`` is 1 if the
    claim says that the estimand is above zero, else −1. In the shaded area, effects are large
    enough to be interesting. This chart also draws up to four intervals of ``estimate.beside``.
    If ``estimate.beside`` has five or more intervals, :func:`beside_chart` draws them instead.
    """
    beside = {} if _has_many(estimate) else estimate.beside
    rows: dict[str, Interval] = {"main interval": estimate.interval, **beside}
    low, high = padded([*_bounds_of(rows), 0.0, 1.3 * sign * smallest])
    left, longest = _space_for(rows)
    x = Scale(low=low, high=high, start=left, end=PANEL - _RIGHT)
    bottom = 22 + _ROW * len(rows)
    parts = [
        _interesting(x, sign * smallest, sign, bottom),
        *_interval_rows(rows, x, longest, unit),
        mark(x(estimate.value), 22 + _ROW / 2, 0, "c0"),
    ]
    return picture(name, PANEL, bottom + 34, parts)


def beside_chart(estimate: Estimate, unit: str, name: str) -> str | None:
    """Return a chart of the intervals in ``estimate.beside``, or None if there are at most four.

    The intervals in ``estimate.beside`` need a separate axis, because their values can be much
    larger than the main estimate.
    """
    if not _has_many(estimate):
        return None
    low, high = padded([*_bounds_of(estimate.beside), 0.0])
    left, longest = _space_for(estimate.beside)
    x = Scale(low=low, high=high, start=left, end=PANEL - _RIGHT)
    bottom = 22 + _ROW * len(estimate.beside)
    parts = [words(0, 12, "beside the estimate", "s")]
    parts += _interval_rows(estimate.beside, x, longest, unit)
    return picture(name, PANEL, bottom + 34, parts)


def _has_many(estimate: Estimate) -> bool:
    return len(estimate.beside) > _MOST_BESIDE


def _bounds_of(rows: Mapping[str, Interval]) -> list[float]:
    return [bound for interval in rows.values() for bound in (interval.low, interval.high)]


def _interval_rows(rows: Mapping[str, Interval], x: Scale, longest: int, unit: str) -> list[str]:
    """Return one row of bars for each interval, the line at zero, and the axis."""
    bottom = 22 + _ROW * len(rows)
    parts = [*_ruled_below(x, bottom, unit), line(x(0), 14, x(0), bottom, "zero")]
    for at, (said, interval) in enumerate(rows.items()):
        y = 22 + _ROW * (at + 0.5)
        parts += [words(0, y + 4, _cut(said, longest)), *_bars(x, interval, y)]
    return parts


def _interesting(x: Scale, level: float, sign: int, bottom: float) -> str:
    """Return the shaded area of effects that are large enough to be interesting, and its label."""
    edges = sorted((x(level), x.end if sign > 0 else x.start))
    shade = box(edges[0], 14, edges[1] - edges[0], bottom - 14, "shade")
    edge = line(x(level), 14, x(level), bottom, "edge")
    inner = x(level) > (x.start + x.end) / 2
    return shade + edge + words(x(level), 10, "interesting", "s", "end" if inner else "start")


def _bars(x: Scale, interval: Interval, y: float) -> list[str]:
    """Return the bars of the 95 % and the 90 % interval, cut at the edges of the chart."""
    bars = ((interval.low, interval.high, "thin"), (interval.low90, interval.high90, "thick"))
    ends = ((_within(x, low), _within(x, high), kind) for low, high, kind in bars)
    return [line(left, y, right, y, f"{kind} c0") for left, right, kind in ends]


def _within(x: Scale, value: float) -> float:
    return min(max(x(value), x.start), x.end)


def _ruled_below(x: Scale, bottom: float, unit: str) -> list[str]:
    """Return the horizontal axis with its numbers and its unit."""
    parts = [line(x.start, bottom, x.end, bottom, "grid")]
    for tick in _apart(x, x.ticks()):
        if x(tick) + CHARACTER * len(number(tick)) / 2 > PANEL:
            continue
        parts.append(line(x(tick), bottom, x(tick), bottom + 4, "grid"))
        parts.append(words(x(tick), bottom + 15, number(tick), "s", "middle"))
    return [*parts, words(x.end, bottom + 29, unit, "s", "end")]


def _apart(x: Scale, ticks: Sequence[float]) -> Sequence[float]:
    """Return every n-th tick, so that labels do not touch."""
    widest = max((len(number(tick)) for tick in ticks), default=0) * CHARACTER + 8
    every = 1
    while len(ticks) > every and every * abs(x(ticks[1]) - x(ticks[0])) < widest:
        every += 1
    return ticks[::every]


def shown_chart(table: pd.DataFrame | None, unit: str, name: str) -> str | None:
    """Return a chart of the data behind an estimate, or None if there are no such data.

    If the index of the table contains dates or numbers, the chart draws a line for each column. If
    the index contains names, the chart has one row for each name. For a table of episodes, the
    chart has one row for each episode. The row shows the mean of the episode in ``unit``.
    """
    if table is None:
        return None
    drawn = _named(table).select_dtypes(["number", "bool"]).astype(float).dropna(how="all")
    drawn = drawn.dropna(axis=1, how="all")
    if drawn.empty:
        return None
    if isinstance(drawn.index, pd.DatetimeIndex) or drawn.index.dtype.kind in "if":
        return lines_chart(drawn, name) if len(drawn) > 1 else None
    centre = _centre(drawn)
    rows = {str(said): [Mark(value=float(v))] for said, v in drawn[centre].items()}
    if "start" in table.columns:
        return rows_chart(rows, ["mean in each episode"], name, unit)
    return rows_chart(rows, [_DRAWN.get(centre, centre)], name)


def _centre(table: pd.DataFrame) -> str:
    """Return the column to draw: ``mean``, ``tau`` or ``share``, else the first column."""
    return next((column for column in _DRAWN if column in table), str(table.columns[0]))


def _named(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with a name for each row, such as ``2020-02 to 2020-03``."""
    if {"start", "end"} <= set(table.columns):
        spans = zip(table["start"], table["end"], strict=True)
        return table.set_axis([f"{start:%Y-%m} to {end:%Y-%m}" for start, end in spans])
    if isinstance(table.index, pd.MultiIndex):
        return table.set_axis([" ".join(map(str, key)) for key in table.index])
    return table


def lines_chart(
    table: pd.DataFrame, name: str, *, log: bool = False, level: float | None = None, unit: str = ""
) -> str:
    """Return a chart with a line for each column, at most four.

    Columns ``name low`` and ``name high`` become a shaded band around the line ``name``. With
    ``log``, the vertical axis is logarithmic. ``level`` draws a dashed horizontal line at a number.
    """
    table = _thinned(table)
    bands = {c: [f"{c} low", f"{c} high"] for c in table.columns if f"{c} low" in table}
    bounds = [bound for band in bands.values() for bound in band]
    columns = [c for c in table.columns if c not in bounds][:MOST_LINES]
    legend, top = _legend([str(column) for column in columns], 28.0 if unit else 12.0)
    values = table[[*columns, *bounds]].to_numpy(dtype=float).ravel()
    low, high = _range(values[~np.isnan(values)], log, level)
    height = top + 150
    y = Scale(low=low, high=high, start=height - _BOTTOM, end=top, log=log)
    x, labels = _across(table.index)
    parts = [*legend, *_ruled_left(y), *_labelled_below(labels, height - _BOTTOM)]
    if level is not None:
        parts.append(line(_LEFT, y(level), PANEL - _RIGHT, y(level), "edge"))
        if _leaves_room_at_right(table[columns], level):
            parts.append(words(PANEL - _RIGHT, y(level) - 4, number(level), "s", "end"))
        else:
            parts.append(words(_LEFT + 2, y(level) - 4, number(level), "s"))
    for at, column in enumerate(columns):
        if column in bands:
            lower, upper = (_points(table[bound], x, y) for bound in bands[column])
            parts.append(area(lower, upper, f"area c{at}"))
        parts.append(curve(_points(table[column], x, y), f"line c{at} d{at}"))
    across = "" if isinstance(table.index, pd.DatetimeIndex) else str(table.index.name or "")
    named = [words(_LEFT, 12, unit, "s"), words(PANEL - _RIGHT, height + 2, across, "s", "end")]
    return picture(name, PANEL, height + (6 if across else 0), [*parts, *named])


def _leaves_room_at_right(lines: pd.DataFrame, level: float) -> bool:
    """Return whether the lines are at least as far from a level at the right end as at the left."""
    part = max(1, len(lines) // 10)
    gaps = (lines - level).abs().min(axis=1)
    return float(gaps.iloc[-part:].min()) >= float(gaps.iloc[:part].min())


def _range(values: np.ndarray, log: bool, level: float | None) -> tuple[float, float]:
    more = [] if level is None else [level]
    if not log:
        return padded([*values, *more])
    low, high = padded([math.log10(v) for v in (*values, *more, 1.0) if v > 0])
    return 10**low, 10**high


def _thinned(table: pd.DataFrame) -> pd.DataFrame:
    """Return the last row and every n-th row before it, so that a line has few points."""
    every = max(1, -(-len(table) // _MOST_POINTS))
    return table.iloc[::-every].iloc[::-1]


def _across(index: pd.Index) -> tuple[list[float], list[tuple[float, str]]]:
    """Return the horizontal position of each row, and the labels of the axis."""
    if isinstance(index, pd.DatetimeIndex):
        days = [day_number(day) for day in index]
        x = Scale(low=days[0], high=days[-1], start=_LEFT, end=PANEL - _RIGHT)
        labels = years(x, index[0], index[-1]) or _ends(x, index)
        return [x(day) for day in days], labels
    numbers = [float(value) for value in index]
    x = Scale(low=min(numbers), high=max(numbers), start=_LEFT, end=PANEL - _RIGHT)
    ticks = [t for t in x.ticks(6) if index.dtype.kind == "f" or t == round(t)]
    return [x(value) for value in numbers], [(x(t), number(t)) for t in _apart(x, ticks)]


def _ends(x: Scale, index: pd.DatetimeIndex) -> list[tuple[float, str]]:
    """Return labels of a span within one year: its first and its last day."""
    return [(x.start + 30, str(index[0].date())), (x.end - 30, str(index[-1].date()))]


def _labelled_below(labels: Sequence[tuple[float, str]], bottom: float) -> list[str]:
    parts = [line(_LEFT, bottom, PANEL - _RIGHT, bottom, "grid")]
    return parts + [words(at, bottom + 16, said, "s", "middle") for at, said in labels]


def _ruled_left(y: Scale) -> list[str]:
    parts = []
    for tick in y.ticks(4):
        kind = "zero" if tick == (1.0 if y.log else 0.0) else "grid"
        parts.append(line(_LEFT, y(tick), PANEL - _RIGHT, y(tick), kind))
        parts.append(words(_LEFT - 5, y(tick) + 4, number(tick), "s", "end"))
    return parts


def _points(values: pd.Series, x: Sequence[float], y: Scale) -> list[tuple[float, float] | None]:
    return [
        (at, y(value)) if math.isfinite(value) and not (y.log and value <= 0) else None
        for at, value in zip(x, values, strict=True)
    ]


def _legend(names: Sequence[str], y: float) -> tuple[list[str], float]:
    """Return a legend that begins at height ``y``, and the height at which the legend ends."""
    if len(names) < 2:
        return [words(_LEFT, y, name) for name in names], y + 14
    parts: list[str] = []
    x = _LEFT
    for at, name in enumerate(names):
        wide = 24 + CHARACTER * len(name) + 10
        if x + wide > PANEL and x > _LEFT:
            x, y = _LEFT, y + 16
        parts += [line(x, y - 4, x + 18, y - 4, f"line c{at} d{at}"), words(x + 23, y, name)]
        x += wide
    return parts, y + 16


def rows_chart(
    rows: Mapping[str, Sequence[Mark]], names: Sequence[str], name: str, unit: str = ""
) -> str:
    """Return a chart with a row for each key of ``rows``; each row has a mark for each name."""
    left, longest = _space_for(rows)
    legend, top = _mark_legend(names, left)
    marks = [m for row in rows.values() for m in row]
    numbers = [v for m in marks for v in (m.value, m.low, m.high)]
    low, high = padded([*numbers, 0.0])
    x = Scale(low=low, high=high, start=left, end=PANEL - _RIGHT)
    tall = max(_ROW, 13.0 * len(names) + 4)
    bottom = top + tall * len(rows)
    parts = [*legend, *_ruled_below(x, bottom, unit), line(x(0), top - 4, x(0), bottom, "zero")]
    for at, (said, row) in enumerate(rows.items()):
        middle = top + tall * (at + 0.5)
        parts.append(words(0, middle + 4, _cut(said, longest)))
        parts += _marks(row, x, middle)
    return picture(name, PANEL, bottom + (34 if unit else 22), parts)


def _marks(row: Sequence[Mark], x: Scale, middle: float) -> list[str]:
    parts = []
    for at, m in enumerate(row):
        y = middle + 13.0 * (at - (len(row) - 1) / 2)
        if math.isfinite(m.low) and math.isfinite(m.high):
            parts.append(line(x(m.low), y, x(m.high), y, f"thin c{at}"))
        if math.isfinite(m.value):
            parts.append(mark(x(m.value), y, at, f"c{at}"))
    return parts


def _space_for(names: Iterable[str]) -> tuple[float, int]:
    """Return the width of the space for row names, and the length of the longest name.

    The width is in units of the ``viewBox``. The length is in characters, at most
    :data:`_LONGEST_NAME`.
    """
    longest = min(max((len(name) for name in names), default=0), _LONGEST_NAME)
    return max(CHARACTER * longest + 10, 60.0), longest


def _mark_legend(names: Sequence[str], left: float) -> tuple[list[str], float]:
    if len(names) < 2:
        return [words(left, 12, name) for name in names], 22.0
    parts: list[str] = []
    for at, name in enumerate(names):
        y = 12.0 + 16 * at
        parts += [mark(6, y - 4, at, f"c{at}"), words(16, y, name)]
    return parts, 12.0 + 16 * len(names)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


# --- The timeline --------------------------------------------------------------------------------

_LANE = 19.0


@dataclass(frozen=True, kw_only=True)
class Marked:
    """A numbered span of dates on the timeline."""

    number: int
    start: pd.Timestamp
    end: pd.Timestamp


def timeline(
    lanes: Mapping[str, pd.Series], spans: Sequence[Marked], width: float, name: str
) -> str:
    """Return a chart with one lane for each state, and with numbered spans.

    Spans before the first or after the last session are left out. A bar shows the sessions at
    which the state was true. ``lanes`` maps names to series of booleans, one value for each
    session.
    """
    index = next(iter(lanes.values())).index
    days = [day_number(day) for day in (index[0], index[-1])]
    x = Scale(low=days[0], high=days[1], start=_LANES_LEFT + 14, end=width - _RIGHT)
    shown = [span for span in spans if span.end >= index[0] and span.start <= index[-1]]
    numbered, top = _numbered(shown, x)
    bottom = top + _LANE * len(lanes)
    parts = [_band(span, x, top, bottom) for span in shown]
    for at, (said, on) in enumerate(lanes.items()):
        parts += [words(0, top + _LANE * (at + 0.7), said), *_lane(on, x, top + _LANE * at)]
    parts += [words(px, bottom + 15, year, "s", "middle") for px, year in years(x, *index[[0, -1]])]
    return picture(name, width, bottom + 22, [*parts, *numbered])


def _lane(on: pd.Series, x: Scale, top: float) -> list[str]:
    parts = [box(x.start, top + 3, x.end - x.start, _LANE - 6, "track")]
    flags = on.to_numpy(dtype=bool)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(int)))
    for first, after in edges.reshape(-1, 2):
        left, right = (x(day_number(on.index[i])) for i in (first, min(after, len(on) - 1)))
        parts.append(box(left, top + 3, max(right - left, 1.2), _LANE - 6, "bar"))
    return parts


def _band(span: Marked, x: Scale, top: float, bottom: float) -> str:
    left, right = (_inside(x, day) for day in (span.start, span.end))
    return box(left, top - 2, max(right - left, 1.5), bottom - top + 2, "band")


def _inside(x: Scale, day: pd.Timestamp) -> float:
    return _within(x, day_number(day))


def _numbered(spans: Sequence[Marked], x: Scale) -> tuple[list[str], float]:
    """Return SVG texts with the numbers of the spans, and the height that the texts need."""
    ends: list[float] = []  # the right end, so far, of each row of numbers
    parts = []
    for span in sorted(spans, key=lambda span: span.start):
        middle = (_inside(x, span.start) + _inside(x, span.end)) / 2
        row = next((r for r, end in enumerate(ends) if middle - 9 >= end), len(ends))
        ends[row : row + 1] = [middle + 9]
        parts.append(words(middle, 12 + 15 * row, str(span.number), "tag", "middle"))
    return parts, 12.0 + 15 * len(ends)
