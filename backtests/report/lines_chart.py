"""A chart with a line for each column of a table, as SVG."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from backtests.report.svg import (
    CHARACTER,
    MARGIN,
    PANEL,
    Scale,
    apart,
    area,
    axis_below,
    axis_left,
    curve,
    day_number,
    every_nth,
    line,
    number,
    numbered,
    padded,
    picture,
    words,
    years,
)

_MOST_POINTS = 240
#: Largest number of lines in a chart.
_MOST_LINES = 4
_LEFT, _END, _BOTTOM = 44.0, PANEL - MARGIN, 26.0


def lines_chart(
    table: pd.DataFrame, name: str, *, log: bool = False, level: float | None = None, unit: str = ""
) -> str:
    """Return a chart with a line for each column, at most four.

    Columns ``name low`` and ``name high`` become a shaded band around the line ``name``. With
    ``log``, the vertical axis is logarithmic. A dashed horizontal line marks the number ``level``.
    """
    table = table.iloc[every_nth(len(table), _MOST_POINTS)]
    bands = {c: [f"{c} low", f"{c} high"] for c in table.columns if f"{c} low" in table}
    bounds = [bound for band in bands.values() for bound in band]
    columns = [c for c in table.columns if c not in bounds][:_MOST_LINES]
    legend, top = _legend([str(column) for column in columns], 28.0 if unit else 12.0)
    values = table[[*columns, *bounds]].to_numpy(dtype=float).ravel()
    low, high = _range(values[~np.isnan(values)], log, level)
    height = top + 150
    y = Scale(low=low, high=high, start=height - _BOTTOM, end=top, log=log)
    x, labels = _across(table.index)
    across = "" if isinstance(table.index, pd.DatetimeIndex) else str(table.index.name or "")
    parts = [words(_LEFT, 12, unit, "s"), *legend]
    parts += axis_left(y, _LEFT, _END, y.ticks(4), zero=1.0 if log else 0.0)
    parts += axis_below(_LEFT, _END, height - _BOTTOM, labels, across)
    if level is not None:
        parts.append(line(_LEFT, y(level), _END, y(level), "edge"))
        if _leaves_room_at_right(table[columns], level):
            parts.append(words(_END, y(level) - 4, number(level), "s", "end"))
        else:
            parts.append(words(_LEFT + 2, y(level) - 4, number(level), "s"))
    for at, column in enumerate(columns):
        if column in bands:
            lower, upper = (_points(table[bound], x, y) for bound in bands[column])
            parts.append(area(lower, upper, f"area c{at}"))
        parts.append(curve(_points(table[column], x, y), f"line c{at} d{at}"))
    return picture(name, PANEL, height + (6 if across else 0), parts)


def _leaves_room_at_right(lines: pd.DataFrame, level: float) -> bool:
    """Return whether the lines are at least as far from the level at the right as at the left."""
    part = max(1, len(lines) // 10)
    gaps = (lines - level).abs().min(axis=1)
    return float(gaps.iloc[-part:].min()) >= float(gaps.iloc[:part].min())


def _range(values: np.ndarray, log: bool, level: float | None) -> tuple[float, float]:
    more = [] if level is None else [level]
    if not log:
        return padded([*values, *more])
    low, high = padded([math.log10(v) for v in (*values, *more, 1.0) if v > 0])
    return 10**low, 10**high


def _across(index: pd.Index) -> tuple[list[float], list[tuple[float, str]]]:
    """Return the horizontal position of each row, and the labels of the axis."""
    if isinstance(index, pd.DatetimeIndex):
        days = [day_number(day) for day in index]
        x = Scale(low=days[0], high=days[-1], start=_LEFT, end=_END)
        labels = years(x, index[0], index[-1]) or _ends(x, index)
        return [x(day) for day in days], labels
    numbers = [float(value) for value in index]
    x = Scale(low=min(numbers), high=max(numbers), start=_LEFT, end=_END)
    ticks = [t for t in x.ticks(6) if index.dtype.kind == "f" or t == round(t)]
    return [x(value) for value in numbers], numbered(x, apart(x, ticks))


def _ends(x: Scale, index: pd.DatetimeIndex) -> list[tuple[float, str]]:
    """Return the first and the last day as labels, for a chart within one year."""
    return [(x.start + 30, str(index[0].date())), (x.end - 30, str(index[-1].date()))]


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
