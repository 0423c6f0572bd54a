"""A timeline of states, with numbered spans of dates, as SVG."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from backtests.report.svg import MARGIN, Scale, box, day_number, picture, words, years
from signals.stays import stays

_LANE = 19.0
_LEFT = 126.0  # space for the names of lanes


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

    ``lanes`` maps the names of states to series of booleans, with one value for each session. Bars
    in a lane show the sessions with the value True. Spans outside the sessions of the chart are
    left out.
    """
    index = next(iter(lanes.values())).index
    days = [day_number(day) for day in (index[0], index[-1])]
    x = Scale(low=days[0], high=days[1], start=_LEFT, end=width - MARGIN)
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
    for is_on, first, last in stays(on):
        if is_on:
            left, right = (x(day_number(on.index[i])) for i in (first, min(last + 1, len(on) - 1)))
            parts.append(box(left, top + 3, max(right - left, 1.2), _LANE - 6, "bar"))
    return parts


def _band(span: Marked, x: Scale, top: float, bottom: float) -> str:
    left, right = (_inside(x, day) for day in (span.start, span.end))
    return box(left, top - 2, max(right - left, 1.5), bottom - top + 2, "band")


def _inside(x: Scale, day: pd.Timestamp) -> float:
    return x.inside(day_number(day))


def _numbered(spans: Sequence[Marked], x: Scale) -> tuple[list[str], float]:
    """Return SVG texts with the numbers of the spans, and the height that the texts need."""
    ends: list[float] = []  # for each row, the right end of the number that was placed last
    parts = []
    for span in sorted(spans, key=lambda span: span.start):
        middle = (_inside(x, span.start) + _inside(x, span.end)) / 2
        row = next((r for r, end in enumerate(ends) if middle - 9 >= end), len(ends))
        ends[row : row + 1] = [middle + 9]
        parts.append(words(middle, 12 + 15 * row, str(span.number), "tag", "middle"))
    return parts, 12.0 + 15 * len(ends)
