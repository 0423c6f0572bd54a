"""Plots from the library quantstats, in the colours and the font of our pages.

The page uses quantstats only for plots that drypowder does not draw itself. The page does not use
the tables of quantstats, because quantstats defines several metrics differently from drypowder. The
tables of quantstats also show a recovery date for a drawdown that has not recovered.

quantstats draws with matplotlib. Each plot becomes SVG. The colours of the SVG are CSS variables,
so a plot has the page's light or dark theme.
"""

import logging
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from html import escape
from io import StringIO
from itertools import product
from typing import Any

import pandas as pd

from backtests.evidence.metrics import ROUNDING, YEAR

#: Length of a rolling window in sessions, and the name of this window.
_WINDOW, _WINDOW_NAME = 126, "6 months"
#: Titles of the plots with a rolling window.
_VOLATILITY = f"Volatility over {_WINDOW_NAME}, % a year"
_SHARPE = f"Sharpe ratio over {_WINDOW_NAME}"
_DISTRIBUTION = "Distribution of monthly returns"
#: Smallest number of months in a run with a plot of the distribution.
_FEWEST_MONTHS = 12
_LEGEND = 8  # font size of legends in points, equal to the font size of the axes
_FONT = "DejaVu Sans"  # a font of matplotlib; in the SVG, _OUR_FONT replaces this font
_OUR_FONT = "system-ui, sans-serif"
#: Colours of quantstats and of matplotlib, and the CSS that replaces them.
_COLOURS = {
    "#ffffff": "none",
    "#000000": "var(--ink)",
    "#262626": "var(--ink)",
    "#333333": "var(--ink)",
    "#666666": "var(--soft)",
    "#808080": "var(--soft)",
    "#cccccc": "var(--line)",
    "#dddddd": "var(--line)",
    "#348dc1": "var(--c0)",
    "#fedd78": "var(--c1)",
    "#ff0000": "var(--soft)",
    "#0072b2": "var(--c0)",
    "#d55e00": "var(--c1)",
}
_SETTINGS: Any = {
    "svg.fonttype": "none",
    "font.family": _FONT,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "path.simplify": True,
    "path.simplify_threshold": 1.0,
    "axes.grid": True,
    "axes.axisbelow": True,
    "legend.frameon": False,
}
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))


def quantstats_plots(returns: pd.DataFrame, names: Mapping[str, str], label: str) -> dict[str, str]:
    """Return a mapping from title to plot. Each plot is an SVG picture.

    The columns ``strategy``, ``benchmark`` and ``bills`` of ``returns`` hold simple daily returns
    as fractions. ``names`` maps ``strategy`` and ``benchmark`` to their names. The name of each
    picture begins with ``label``. For a simulated history, ``label`` contains the word SIMULATED.
    If no window of six months has a value, a plot over six months is left out. A run of less than
    twelve months has no distribution of monthly returns. If the returns are constant, quantstats
    fails.
    """
    own = returns["strategy"].rename(names["strategy"])
    other = returns["benchmark"].rename(names["benchmark"])
    over_bills = own - returns["bills"]
    over_bills = over_bills.mask(over_bills.abs() < ROUNDING, 0.0)
    plots = _library().plots
    rolling = {"period": _WINDOW, "period_label": _WINDOW_NAME, "periods_per_year": YEAR}
    shared = {"fontname": _FONT, "show": False}
    bare = {"subtitle": False, "ylabel": "", **shared}
    drawn: dict[str, Callable[[], Any]] = {
        "Return of each month, %": lambda: _coloured(
            plots.monthly_heatmap(
                own, annot_size=9, figsize=(8, 3), cbar=False, ylabel=False, **shared
            ),
            own.index,
        ),
        _DISTRIBUTION: lambda: _without_density(
            _in_percent(plots.histogram(own, other, figsize=(6, 2.6), **bare), "xaxis")
        ),
        _VOLATILITY: lambda: _in_percent(
            plots.rolling_volatility(own, other, figsize=(6, 2.3), **rolling, **bare), "yaxis"
        ),
        _SHARPE: lambda: _without_cash(
            plots.rolling_sharpe(
                over_bills.rename(names["strategy"]), figsize=(6, 2.3), **rolling, **bare
            ),
            over_bills,
        ),
    }
    if len(set(pd.DatetimeIndex(own.index).to_period("M"))) < _FEWEST_MONTHS:
        del drawn[_DISTRIBUTION]
    if len(own) < _WINDOW:
        del drawn[_VOLATILITY]
    if len(own) < _WINDOW or not over_bills.any():
        del drawn[_SHARPE]
    pictures = {}
    for title, draw in drawn.items():
        with _drawing(title):
            pictures[title] = _svg(draw(), f"{label}{title}")
    return pictures


@cache
def _library() -> Any:
    """Return the module quantstats, which takes a second to import."""
    for noisy in ("matplotlib.font_manager", "matplotlib"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    import matplotlib

    matplotlib.use("Agg")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import quantstats
    return quantstats


@contextmanager
def _drawing(title: str) -> Iterator[None]:
    """Draw with our settings and without warnings, then restore the settings of matplotlib."""
    import matplotlib

    with warnings.catch_warnings(), matplotlib.rc_context(_SETTINGS | {"svg.hashsalt": title}):
        warnings.simplefilter("ignore")
        yield


def _without_cash(figure: Any, over_bills: pd.Series) -> Any:
    """Return a figure of rolling Sharpe ratios without the windows in which all money is cash.

    In a window with only cash, the ratio is undefined, and quantstats draws a rounding error. The
    dashed line shows the mean of all defined ratios.
    """
    curve, mean, *_ = figure.axes[0].get_lines()
    drawn = pd.Series(curve.get_ydata(), index=pd.DatetimeIndex(curve.get_xdata()))
    invested = over_bills.abs().rolling(_WINDOW).max() > 0
    ratio = drawn.reindex(over_bills.index).where(invested)
    curve.set_data(ratio.index, ratio)
    mean.set_ydata([ratio.mean()] * 2)
    return figure


def _in_percent(figure: Any, axis: str) -> Any:
    """Return a figure with one axis in whole percent.

    The axis of quantstats cuts decimals instead of rounding, so −5 % can appear as −4 %.
    """
    from matplotlib.ticker import PercentFormatter

    getattr(figure.axes[0], axis).set_major_formatter(PercentFormatter(1.0, decimals=0))
    return figure


def _without_density(figure: Any) -> Any:
    """Return a histogram without the axis of densities, which no reader needs."""
    figure.axes[0].yaxis.set_visible(False)
    return figure


def _coloured(figure: Any, index: pd.Index) -> Any:
    """Return a heat map with transparent cells: blue for a gain, orange for a loss.

    ``index`` contains the sessions. In the first and the last year, quantstats shows 0.00 for
    months without sessions. This function empties the cells of months without sessions.
    """
    from matplotlib.colors import LinearSegmentedColormap, to_rgba

    loss, gain = "#d55e00", "#0072b2"
    steps = [
        (0.0, to_rgba(loss, 0.6)),
        (0.5, to_rgba(loss, 0.0)),
        (0.5, to_rgba(gain, 0.0)),
        (1.0, to_rgba(gain, 0.6)),
    ]
    axes = figure.axes[0]
    cells = axes.collections[0]
    cells.set_cmap(LinearSegmentedColormap.from_list("drypowder", steps))
    furthest = float(abs(cells.get_array()).max())
    cells.set_clim(-furthest, furthest)
    days = pd.DatetimeIndex(index)
    traded = set(zip(days.year, days.month, strict=True))
    months = product(sorted(set(days.year)), range(1, 13))
    for text, month in zip(axes.texts, months, strict=True):
        text.set_color("#000000")
        if month not in traded:
            text.set_text("")
        elif text.get_text() == "-0.00":
            text.set_text("0.00")
    axes.grid(visible=False)
    return figure


def _svg(figure: Any, name: str) -> str:
    """Return a figure as an SVG picture without a title, because the page shows the title."""
    figure.suptitle("")
    for axes in figure.axes:
        axes.set_title("")
        axes.tick_params(axis="x", labelrotation=0)
        legend = axes.get_legend()
        if legend:  # a legend above the plot covers no line
            names = [entry.get_text() for entry in legend.get_texts()]
            place: Any = {"loc": "lower left", "bbox_to_anchor": (0, 1), "ncols": len(names)}
            axes.legend(legend.legend_handles, names, fontsize=_LEGEND, **place)
    for tick in axes.get_xticklabels():
        tick.set(rotation=0, ha="center")
    output = StringIO()
    figure.savefig(
        output, format="svg", metadata=_NO_METADATA, bbox_inches="tight", pad_inches=0.05
    )
    drawn = output.getvalue()
    size = re.search(r'viewBox="[^"]*"', drawn)
    body = drawn[drawn.index(">", drawn.index("<svg")) + 1 :]
    body = re.sub(r'<(g|path) id="(?!m[0-9a-f]{10})[^"]*"', r"<\1", body)
    body = re.sub(r"<!--.*?-->|\n\s*", " ", body, flags=re.DOTALL).replace(f"'{_FONT}'", _OUR_FONT)
    body = re.sub(r"#[0-9a-f]{6}\b", lambda found: _COLOURS.get(found[0], found[0]), body)
    frame = f'{size[0] if size else ""} xmlns:xlink="http://www.w3.org/1999/xlink"'
    label = escape(name, quote=True)
    return f'<svg class="chart plotted" role="img" aria-label="{label}" {frame}>{body}'
