"""The growth and the drawdowns of several strategies, and the style of each strategy's line.

The legend is outside the charts, because thirty names would fill half of a narrow screen. The
buttons of the legend show and hide lines. A line and its button have the same :class:`Style`. If
the history is simulated, the caller must pass a name that begins with SIMULATED.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from itertools import cycle

import pandas as pd

from backtests.report import theme
from backtests.report.panel_rows import Line, Panel, Strip
from backtests.report.panels import panels
from signals.transforms import fall_from_peak

#: Baselines that are visible when the page opens.
FIRST = ("spy", "bills", "sixty-forty")
#: Largest number of rows for which all lines are visible when the page opens.
FEW_ROWS = 6
_SOLID, _DASH, _DASHDOT = "", "6 4", "6 3 2 3"
_DASHES = {"thesis": _SOLID, "own": _SOLID, "baseline": _DASH, "challenger": _DASHDOT}
_VARIANTS = ("2 3", "10 4", _DASH, _DASHDOT, "10 3 2 3")


@dataclass(frozen=True, kw_only=True)
class Style:
    """Colour, dash pattern and visibility of a strategy's line.

    A strategy has the same colour under every regime model. With the regime model ``votes``,
    strategies of the thesis, strategies of the user and :data:`FIRST` have solid lines. The lines
    of all challengers, and of most baselines, are dashed. If the regime model is not ``votes``, all
    lines of the model have one dash pattern.

    ``colour`` is a CSS colour. ``dash`` is an SVG dash pattern; an empty text means a solid line.
    If ``shown`` is True, the line is visible when the page opens.
    """

    colour: str
    dash: str
    shown: bool


def styles(kinds: Mapping[str, str]) -> dict[str, Style]:
    """Return the style of each strategy's line, in the order of ``kinds``.

    ``kinds`` maps the name of each strategy to its kind. If ``kinds`` has at most :data:`FEW_ROWS`
    strategies, all lines are visible when the page opens. If ``kinds`` has more than
    :data:`FEW_ROWS` strategies, only three groups are visible: thesis strategies, user strategies,
    and :data:`FIRST`. A large comparison hides the line of ``name@model`` if ``kinds`` also
    contains ``name``.
    """
    parts = {name: name.partition("@")[::2] for name in kinds}
    free = [
        base
        for base in dict.fromkeys(base for base, _ in parts.values())
        if base not in theme.FIXED_LINES
    ]
    models = dict.fromkeys(model for _, model in parts.values() if model)
    colours = theme.FIXED_LINES | dict(zip(free, cycle(theme.css_lines()), strict=False))
    dashes = dict(zip(models, cycle(_VARIANTS), strict=False))
    few = len(kinds) <= FEW_ROWS
    main = {name for name, kind in kinds.items() if kind in ("thesis", "own")}
    main |= {name for name, (base, model) in parts.items() if base in FIRST and not model}
    return {
        name: Style(
            colour=colours[base],
            dash=dashes[model] if model else (_SOLID if base in FIRST else _DASHES[kinds[name]]),
            shown=few or (name in main and not (model and base in kinds)),
        )
        for name, (base, model) in parts.items()
    }


def curves_chart(
    growth: pd.DataFrame, regime: pd.Series, looks: Mapping[str, Style], name: str
) -> str:
    """Return a chart of each strategy's growth and drawdown, shaded by regime.

    ``growth`` has a row for each session and a column for each strategy. For each session,
    ``regime`` contains the regime under which the session's return was earned. In ``regime``, None
    means no regime. ``looks`` comes from :func:`styles` and sets the style and the order of the
    lines.
    """
    states = regime.reindex(growth.index).fillna("none")
    fall = 100 * fall_from_peak(growth)
    drawn = panels(
        name,
        [
            Panel(
                title="growth of 1, log scale",
                digits=2,
                lines=_lines(growth, looks),
                log=True,
                height=300,
                zooms=True,
            ),
            Panel(
                title="drawdown, %",
                unit="%",
                digits=1,
                lines=_lines(fall, looks),
                height=170,
                zooms=True,
            ),
        ],
        shading=Strip(title="regime", states=states, colours=theme.css_states(theme.REGIMES)),
        of_returns=True,
        most=1500 if len(looks) <= 2 * FEW_ROWS else 750,
    )
    for kept in (escape(name, quote=True) for name, look in looks.items() if not look.shown):
        drawn = drawn.replace(f'data-line="{kept}"', f'data-line="{kept}" hidden')
    return drawn


def _lines(values: pd.DataFrame, looks: Mapping[str, Style]) -> list[Line]:
    return [
        Line(name=name, values=values[name], colour=look.colour, dash=look.dash)
        for name, look in looks.items()
    ]
