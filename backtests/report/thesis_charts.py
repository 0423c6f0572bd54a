"""The charts of the page of the trial, as SVG that needs no library.

Every chart has a name for readers who cannot see the chart. If the history is simulated, the caller
must pass a name that begins with SIMULATED.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from backtests.report.lines_chart import lines_chart
from backtests.report.svg import (
    CHARACTER,
    MARGIN,
    PANEL,
    Scale,
    apart,
    axis_below,
    box,
    line,
    mark,
    numbered,
    padded,
    picture,
    words,
)
from backtests.thesis.estimate import Estimate, Interval

_LONGEST_NAME = 32  # maximum length of a name at the left of a row, in characters
_ROW = 22.0
_MOST_BESIDE = 4  # if ``estimate.beside`` has more intervals, they have a separate chart
#: Labels of columns. If a table with named rows has several of these columns, the chart draws the
#: first of these columns.
_DRAWN = {"mean": "mean, percentage points a year", "tau": "tau", "share": "share, %"}


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A number in a row of a chart, with the bounds of its interval; NaN bounds are not drawn."""

    value: float
    low: float = float("nan")
    high: float = float("nan")


def interval_chart(estimate: Estimate, smallest: float, sign: int, unit: str, name: str) -> str:
    """Return a chart that compares an estimate with zero and with the smallest interesting effect.

    The thick bar is the 90 % interval, and the thin bar is the 95 % interval. ``sign`` is 1 if the
    claim says that the estimand is above zero, else −1. In the shaded area, effects are large
    enough to be interesting. If ``estimate.beside`` has at most four intervals, this chart also
    draws the intervals of ``estimate.beside``. Five or more intervals have a separate chart, see
    :func:`beside_chart`.
    """
    beside = {} if _has_many(estimate) else estimate.beside
    rows: dict[str, Interval] = {"main interval": estimate.interval, **beside}
    low, high = padded([*_bounds_of(rows), 0.0, 1.3 * sign * smallest])
    left, longest = _space_for(rows)
    x = Scale(low=low, high=high, start=left, end=PANEL - MARGIN)
    bottom = 22 + _ROW * len(rows)
    parts = [
        _interesting(x, sign * smallest, sign, bottom),
        *_interval_rows(rows, x, longest, unit),
        mark(x(estimate.value), 22 + _ROW / 2, 0, "c0"),
    ]
    return picture(name, PANEL, bottom + 34, parts)


def beside_chart(estimate: Estimate, unit: str, name: str) -> str | None:
    """Return a chart of the intervals in ``estimate.beside``.

    If there are at most four intervals, the result is None. The chart has its own axis, because
    the bounds of the intervals can be much larger than the main estimate.
    """
    if not _has_many(estimate):
        return None
    low, high = padded([*_bounds_of(estimate.beside), 0.0])
    left, longest = _space_for(estimate.beside)
    x = Scale(low=low, high=high, start=left, end=PANEL - MARGIN)
    bottom = 22 + _ROW * len(estimate.beside)
    parts = [words(0, 12, "beside the estimate", "s")]
    parts += _interval_rows(estimate.beside, x, longest, unit)
    return picture(name, PANEL, bottom + 34, parts)


def _has_many(estimate: Estimate) -> bool:
    return len(estimate.beside) > _MOST_BESIDE


def _bounds_of(rows: Mapping[str, Interval]) -> list[float]:
    return [bound for interval in rows.values() for bound in (interval.low, interval.high)]


def _interval_rows(rows: Mapping[str, Interval], x: Scale, longest: int, unit: str) -> list[str]:
    """Return the parts of a chart: a row of bars for each interval, a line at zero, and an axis."""
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
    ends = ((x.inside(low), x.inside(high), kind) for low, high, kind in bars)
    return [line(left, y, right, y, f"{kind} c0") for left, right, kind in ends]


def _ruled_below(x: Scale, bottom: float, unit: str) -> list[str]:
    """Return the horizontal axis with its numbers and its unit."""
    labels = [
        (at, said)
        for at, said in numbered(x, apart(x, x.ticks()))
        if at + CHARACTER * len(said) / 2 <= PANEL
    ]
    marks = [line(at, bottom, at, bottom + 4, "grid") for at, _ in labels]
    return [*axis_below(x.start, x.end, bottom, labels, unit), *marks]


def shown_chart(table: pd.DataFrame | None, unit: str, name: str) -> str | None:
    """Return a chart of the data behind an estimate, or None if there are no data.

    If the index of the table contains dates or numbers, the chart draws a line for each column. If
    the index contains names, the chart has one row for each name. For a table of episodes, each
    row of the chart shows the mean over one episode, in ``unit``.
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


def rows_chart(
    rows: Mapping[str, Sequence[Mark]], names: Sequence[str], name: str, unit: str = ""
) -> str:
    """Return a chart with one row for each key of ``rows``. Each row has a mark for each name."""
    left, longest = _space_for(rows)
    legend, top = _mark_legend(names, left)
    marks = [m for row in rows.values() for m in row]
    numbers = [v for m in marks for v in (m.value, m.low, m.high)]
    low, high = padded([*numbers, 0.0])
    x = Scale(low=low, high=high, start=left, end=PANEL - MARGIN)
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
