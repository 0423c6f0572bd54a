"""The charts of the page of a sweep, as SVG that needs no library.

Every chart has a name for readers who cannot see the chart. If the history is simulated, the caller
must pass a name that begins with SIMULATED.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations, permutations

import numpy as np

from backtests.report.svg import (
    CHARACTER,
    Scale,
    axis_below,
    axis_left,
    box,
    curve,
    line,
    mark,
    numbered,
    padded,
    picture,
    words,
)

WIDTH, HEIGHT = 460.0, 250.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 50.0, 12.0, 16.0, 40.0
_BINS = 40
#: Longest label, in characters, that has space above the first or last axis of a chart.
_CENTRED = 20


def distribution_chart(sharpes: np.ndarray, marks: Mapping[str, float], name: str) -> str:
    """Return a histogram of Sharpe ratios, with a labelled vertical line at each marked number.

    Each label has a row of its own. The order of the rows is chosen so that the vertical lines
    cross as few labels as possible. Marks that are not finite are left out.
    """
    known = sharpes[np.isfinite(sharpes)]
    marked = {said: value for said, value in marks.items() if math.isfinite(value)}
    top = _TOP + 15 * len(marked)
    x = _scale_across(padded([*known.tolist(), *marked.values()], 0.04))
    parts = _histogram(known, x, top)
    labels = [(f"{said} {value:.2f}", value) for said, value in marked.items()]
    for row, at in enumerate(_in_rows(labels, x)):
        (said, value), level = labels[at], _TOP + 15 * row
        parts.append(line(x(value), level - 8, x(value), HEIGHT - _BOTTOM, f"rule c{at}"))
        parts.append(_beside(x, value, level, said, f"c{at}"))
    return picture(name, WIDTH, HEIGHT, [*parts, *_below(x, "yearly Sharpe ratio")])


def rank_chart(ranks: np.ndarray, name: str) -> str:
    """Return a histogram of the relative ranks out of sample, with a line at the median."""
    x = _scale_across((0.0, 1.0))
    parts = _histogram(ranks, x, _TOP + 15)
    parts.append(line(x(0.5), _TOP - 4, x(0.5), HEIGHT - _BOTTOM, "rule c1"))
    parts.append(_beside(x, 0.5, _TOP, "median of all configurations", "c1"))
    return picture(name, WIDTH, HEIGHT, [*parts, *_below(x, "rank out of sample, 1 is the best")])


def scatter_chart(
    x_values: np.ndarray, y_values: np.ndarray, titles: tuple[str, str], name: str, best: int = -1
) -> str:
    """Return a chart of points, with a diagonal line on which both values are equal.

    The point ``best`` is marked. Both axes have the same range. Points with a missing value are
    left out.
    """
    known = np.isfinite(x_values) & np.isfinite(y_values)
    low, high = padded([*x_values[known].tolist(), *y_values[known].tolist()])
    x = _scale_across((low, high))
    y = Scale(low=low, high=high, start=HEIGHT - _BOTTOM, end=_TOP)
    parts = [words(4, 11, titles[1], "s"), *axis_left(y, x.start, x.end, y.ticks(5))]
    parts.append(line(x(low), y(low), x(high), y(high), "rule c3"))
    for at in np.flatnonzero(known).tolist():
        if at != best:
            spot = f'cx="{x(x_values[at]):.1f}" cy="{y(y_values[at]):.1f}" r="2.2"'
            parts.append(f'<circle class="dot" {spot}/>')
    if best >= 0 and known[best]:
        parts.append(mark(x(x_values[best]), y(y_values[best]), 2, "c1"))
        parts.append(_beside(x, float(x_values[best]), y(y_values[best]) - 7, "best", "c1"))
    return picture(name, WIDTH, HEIGHT, [*parts, *_below(x, titles[0])])


def parallel_chart(
    axes: Sequence[tuple[str, Sequence[str]]],
    positions: np.ndarray,
    sharpes: np.ndarray,
    name: str,
) -> str:
    """Return a chart of parallel coordinates, with one drawn line for each configuration.

    Each item of ``axes`` contains the label of an axis and the labels of its values. ``positions``
    contains a height from 0 to 1 for each configuration and axis. The lines form five groups of
    equal size, in the order of their Sharpe ratios. ``q0`` has the lowest Sharpe ratios, and ``q4``
    has the highest. The lines of ``q4`` are drawn on top.
    """
    width, high = 2 * WIDTH, 300.0
    x = Scale(low=0, high=max(len(axes) - 1, 1), start=70, end=width - 70)
    y = Scale(low=0, high=1, start=high - 24, end=54)
    order = np.argsort(sharpes, kind="stable")
    parts = []
    for rank, at in enumerate(order.tolist()):
        points = [(x(i), y(height)) for i, height in enumerate(positions[at].tolist())]
        parts.append(curve(points, f"path q{5 * rank // max(len(order), 1)}"))
    for i, (label, values) in enumerate(axes):
        parts.append(line(x(i), y(0), x(i), y(1), "axis"))
        level = 16 if i % 2 == 0 or len(axes) < 5 else 34
        anchor = "start" if i == 0 else "end" if i == len(axes) - 1 else "middle"
        if len(label) <= _CENTRED:
            anchor = "middle"
        parts.append(
            words(x(i) + {"start": -66, "end": 66}.get(anchor, 0), level, label, "", anchor)
        )
        for at, value in enumerate(values):
            height = y(at / max(len(values) - 1, 1))
            parts.append(words(x(i) + 5, height + 4, value, "s over"))
    return picture(name, width, high, parts, "parallel")


def _in_rows(labels: Sequence[tuple[str, float]], x: Scale) -> Sequence[int]:
    """Return the positions of the labels in ``labels``, in the order of rows from top to bottom.

    In this order, lines cross as few labels as possible. A line leads down from the row of its
    label, so the line can cross only labels in lower rows.
    """

    def is_crossed(label: tuple[str, float], other: float) -> bool:
        said, value = label
        wide = (5 + CHARACTER * len(said)) * (-1 if _is_inner(x, value) else 1)
        return 0 < (x(other) - x(value)) / wide < 1

    def crossings(order: Sequence[int]) -> int:
        return sum(is_crossed(labels[low], labels[high][1]) for high, low in combinations(order, 2))

    return min(permutations(range(len(labels))), key=crossings)


def _is_inner(x: Scale, value: float) -> bool:
    """Return whether a label beside a number has more space on its left."""
    return x(value) > (x.start + x.end) / 2


def _histogram(values: np.ndarray, x: Scale, top: float) -> list[str]:
    counts, edges = np.histogram(values, bins=_BINS, range=(x.low, x.high))
    y = Scale(low=0, high=max(counts.max(), 1), start=HEIGHT - _BOTTOM, end=top)
    bars = [
        box(x(a), y(count), x(b) - x(a) - 0.6, y(0) - y(count), "bar")
        for count, a, b in zip(
            counts.tolist(), edges[:-1].tolist(), edges[1:].tolist(), strict=True
        )
        if count
    ]
    ticks = [tick for tick in y.ticks(4) if tick == int(tick)]
    return [*axis_left(y, x.start, x.end, ticks), *bars]


def _scale_across(ends: tuple[float, float]) -> Scale:
    return Scale(low=ends[0], high=ends[1], start=_LEFT, end=WIDTH - _RIGHT)


def _beside(x: Scale, value: float, y: float, said: str, kind: str) -> str:
    """Return a label beside the position of a number, on the side with more space."""
    inner = _is_inner(x, value)
    return words(x(value) + (-5 if inner else 5), y, said, f"t{kind}", "end" if inner else "start")


def _below(x: Scale, title: str) -> list[str]:
    return axis_below(x.start, x.end, HEIGHT - _BOTTOM, numbered(x, x.ticks(6)), title)
