"""The theme of all pages and charts: colours, and settings for plotly."""

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

import pandas as pd

from signals.regimes import Regime

if TYPE_CHECKING:
    from plotly.graph_objs.layout import Template

_NAVY, _CLAY, _GREEN, _SAND = "#1f4e79", "#e07a5f", "#7fb069", "#c2a45a"
_PLUM, _BLUE, _RED, _GREY, _AMBER = "#6d597a", "#3d85c6", "#9b2226", "#8a8f98", "#b5651d"
_INK, PAPER = "#23272e", "#fff"

#: Colours of pages, by CSS variable.
PAGE = {
    "ink": _INK,
    "soft": "#6b7280",
    "line": "#e3e6ea",
    "accent": _NAVY,
    "paper": PAPER,
    "desk": "#f5f6f8",
    "pressed": "#e8eff6",
    "hover": "#f3f6f9",
    "alarm": _RED,
    "note": "#fff8e6",
    "note-edge": _SAND,
}
#: Colours of SVG charts, by CSS variable. Lines have the colours ``c0`` to ``c3``, which
#: colour-blind readers can distinguish (Okabe and Ito 2008).
DRAWN = {
    "c0": "#0072b2",
    "c1": "#d55e00",
    "c2": "#00795a",
    "c3": "#a3427f",
    "bar": "#0072b2",
    "track": "#eceff3",
    "band": "#d55e00",
    "shade": "#e2f0e8",
    "water": "#b9dcf2",
}
#: Colours on a dark screen, by CSS variable. A variable that is not in this mapping has the same
#: colour on a light and on a dark screen.
DARK = {
    "ink": "#e6e8eb",
    "soft": "#a7afba",
    "line": "#3a414b",
    "accent": "#7db8ec",
    "paper": "#16191d",
    "desk": "#0e1013",
    "pressed": "#25313d",
    "hover": "#1f242a",
    "alarm": "#f2a7a3",
    "note": "#2b2618",
    "note-edge": "#c2a45a",
    "c0": "#56b4e9",
    "c1": "#f0903f",
    "c2": "#3fc79a",
    "c3": "#dd9cc4",
    "bar": "#56b4e9",
    "track": "#262b32",
    "band": "#f0903f",
    "shade": "#1d342a",
    "water": "#1f4a66",
    "state-NEUTRAL": "#565e69",
    "state-none": "#3d3a34",
    "state-off": "#2b323a",
    "state-no-view": "#24221f",
}
#: Colours of regimes, in the order of legends.
REGIMES = {
    Regime.INJECTION.value: _GREEN,
    Regime.NEUTRAL.value: "#c9ced6",
    Regime.ABSORPTION.value: _CLAY,
    Regime.FORCED_SELLING.value: _RED,
    Regime.OPPORTUNITY.value: _BLUE,
    "none": "#e9e4da",
}
#: Name of the state ``none`` on pages.
NO_REGIME = "no regime"
#: Colours of the states of a flag.
FLAGS = {"on": _AMBER, "off": "#dfe7ee", "no view": "#efece6"}
#: Colours of the asset classes (:data:`signals.universe.CLASSES`) and of cash, for areas.
CLASSES = {
    "memory": "#e69f00",
    "defensive": "#1b9e77",
    "hyperscalers": "#cc79a7",
    "semiconductors": "#7d5fb2",
    "broad": "#56a3d6",
    "software": "#d55e00",
    "speculative": _RED,
    "crypto": "#4b4f9c",
    "metals": _SAND,
    "bonds": "#6f8f7f",
    "other": _GREY,
    "cash": "var(--track)",
}
STRATEGY, BENCHMARK, BILLS = _NAVY, _GREY, _SAND
#: Largest number of inputs with one unit, such as USD, in a chart. If more inputs have the unit,
#: the chart leaves out all inputs with this unit.
MOST_LINES = 12
#: Colours of the lines of plotly's charts, in order.
FEW_LINES = (_NAVY, _CLAY, _GREEN, _SAND, _PLUM, _BLUE, _RED, _GREY)
#: CSS colours of the strategies that always have the same colour.
FIXED_LINES = {"spy": "var(--ink)", "sixty-forty": "var(--soft)", "bills": "var(--note-edge)"}
#: Colours of many lines, in order, on a light and on a dark screen.
_MANY_LIGHT = (
    *("#0072b2", "#d55e00", "#3f7d33", "#6d597a", "#3d85c6", "#9b2226", "#1f7f76", "#a8690a"),
    *("#a44a8a", "#5f6b2f", "#5b6dbb", "#8a4a17", "#264653", "#b84f57", "#7a672e", "#2d7f80"),
)
_MANY_DARK = (
    *("#56b4e9", "#f0903f", "#8ccf7e", "#b9a3c9", "#86b9ee", "#f08d8f", "#5fd0c5", "#e8b04a"),
    *("#dd9cc4", "#b5c26d", "#a9b6f2", "#d99a66", "#8fb3c4", "#f2a7a3", "#cdb878", "#86d0d1"),
)


def present(names: pd.Series) -> dict[str, str]:
    """Return the colour of each regime that occurs, in the order of the legend."""
    found = set(names)
    return {name: colour for name, colour in REGIMES.items() if name in found}


def shown_regime(name: str) -> str:
    """Return the name of a regime on pages, or :data:`NO_REGIME` for ``none``."""
    return NO_REGIME if name == "none" else name


def css_light_and_dark() -> str:
    """Return CSS rules with the colours of pages and SVG charts, for light and dark screens."""
    states = {_variable(name): colour for name, colour in {**REGIMES, **FLAGS}.items()}
    dark = f"@media screen and (prefers-color-scheme:dark){{{_rule(DARK)}}}"
    return f"{_rule({**PAGE, **DRAWN, **states})}\n:root{{color-scheme:light dark}}\n{dark}"


def css_states(names: Iterable[str]) -> dict[str, str]:
    """Return the CSS colour of each name, for light and dark screens.

    Each name is a regime or a state of a flag.
    """
    return {name: f"var(--{_variable(name)})" for name in names}


def css_lines() -> list[str]:
    """Return the CSS colours for a chart with many lines.

    A page that uses the colours must include the CSS rules of :func:`css_of_lines`.
    """
    return [f"var(--m{at})" for at in range(len(_MANY_LIGHT))]


def css_of_lines() -> str:
    """Return CSS rules that define the colours of :func:`css_lines` for light and dark screens."""
    light, dark = ({f"m{at}": c for at, c in enumerate(x)} for x in (_MANY_LIGHT, _MANY_DARK))
    return f"{_rule(light)}@media screen and (prefers-color-scheme:dark){{{_rule(dark)}}}"


def _variable(name: str) -> str:
    """Return the name of the CSS variable that colours a regime or a state of a flag."""
    return f"state-{name.replace(' ', '-')}"


def _rule(colours: dict[str, str]) -> str:
    return f":root{{{';'.join(f'--{name}:{colour}' for name, colour in colours.items())}}}"


def apply_theme(figure: Any, title: str, height: int) -> Any:
    """Return the figure with its title, its height in pixels and our theme."""
    return figure.update_layout(title_text=title, height=height, template=_template())


@cache
def _template() -> "Template":
    """Return plotly's white template with our font, margins, legend and hover texts."""
    from plotly import io
    from plotly.graph_objs.layout import Template

    return Template(io.templates["plotly_white"]).update(
        layout={
            "title": {"font": {"size": 15}, "x": 0, "xref": "paper", "y": 0.985},
            "hovermode": "x unified",
            "margin": {"l": 58, "r": 14, "t": 84, "b": 30},
            "font": {"family": "system-ui, sans-serif", "size": 12, "color": _INK},
            "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        }
    )
