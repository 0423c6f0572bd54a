"""Draw panels, which are rows of a chart with one common date axis.

A panel is as wide as its page, and its height is in pixels. The script ``pointer.js`` shows the day
and all values under the pointer. The arrow keys move to the previous and to the next day.

If the history is simulated, the caller must pass a name that begins with SIMULATED.
"""

import json
import math
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import pandas as pd

from backtests.report.panel_rows import WIDTH, Line, Panel, Strip, x_of
from backtests.report.panel_shapes import backdrop_of, drawn_row
from backtests.report.panel_values import pointed

#: The HTML class of a chart with panels. A page with charts of this class needs ``pointer.js``.
POINTED = 'class="panels"'
_LETTER = 16.0  # width of one letter of a date on a narrow screen, in units of the SVG


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

    ``name`` is the title of the chart, also for screen readers. ``rows`` contains panels and strips
    with the same sessions, top row first. ``heading`` is the level of the title in HTML: 2 (``h2``)
    or 3 (``h3``).

    ``shading`` contains the states that colour the background of every panel. If ``of_returns`` is
    True, each state describes the return of its session. In this case, the colour of a period
    begins at the session before the period, because a return begins at the previous close.

    The page shows the values of at most ``most`` sessions at the mouse pointer. If the history has
    more sessions, the page shows the values of every n-th session.
    """
    index = _index_of(rows)
    backdrop = "" if shading is None else backdrop_of(shading, of_returns=of_returns)
    legends = _legends(rows, shading)
    drawn = "".join(
        drawn_row(name, *both, backdrop) for both in zip(rows, legends[1:], strict=True)
    )
    data = json.dumps(pointed(rows, index, most), separators=(",", ":")).replace("<", "\\u003c")
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


def _entries(row: Panel | Strip) -> dict[str, str]:
    """Return the names of a row's lines or states, each with a sample of its colour.

    A panel with one line has no entries, because the panel's title describes the line. A panel
    with one area has an entry, because the panel's title does not describe the area.
    """
    if isinstance(row, Panel):
        drawn = row.drawn()
        return {line.name: _sample(line) for line in drawn} if len(drawn) > 1 or row.areas else {}
    present = set(row.states)
    return {
        name: f'<i style="background:{colour}"></i>'
        for name, colour in row.colours.items()
        if name in present
    }


def _legends(rows: Sequence[Panel | Strip], shading: Strip | None) -> list[str]:
    """Return the legend above the rows, and one legend for each row.

    If a name occurs in several rows, only the legend of the first row contains the name. The legend
    above the rows explains the background colours. The legend above the rows leaves out names that
    the legend of a row contains.
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
    """Return the labels of the date axis: years, months or days."""
    spans = "".join(
        f'<span class="{"" if place % 2 == 0 else "odd"}" '
        f'style="left:{100 * at / max(len(index) - 1, 1):.2f}%">{said}</span>'
        for place, (at, said) in enumerate(_date_ticks(index))
    )
    return f'<div class="dates" aria-hidden="true">{spans}</div>\n'


def _date_ticks(index: pd.DatetimeIndex) -> list[tuple[int, str]]:
    """Return the position and the label of each tick of the date axis.

    The position of the first session is 0. Each tick marks the first session of a year. If there
    are fewer than three yearly ticks, each tick marks the first session of a month. If there are
    fewer than three monthly ticks, each tick marks one day.
    """
    for unit in ("Y", "M", "D"):
        periods = pd.Series(index.to_period(unit))
        starts = np.flatnonzero(periods.ne(periods.shift()).to_numpy())[1:].tolist()
        if len(starts) >= 3:
            break
    width = _LETTER * len(str(periods.iloc[-1]))
    every = max(1, math.ceil(len(starts) * width / WIDTH))
    fits = WIDTH - width / 4
    return [(at, str(periods[at])) for at in starts[::every] if x_of(at, len(index)) <= fits]
