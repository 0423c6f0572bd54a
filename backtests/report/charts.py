"""Charts, as plotly figures: drawn in the browser, with hover, without network."""

from typing import Any

import numpy as np
import pandas as pd

from signals.regime import Regime

COLOURS = {
    Regime.INJECTION.value: "#7fb069",
    Regime.NEUTRAL.value: "#c9ced6",
    Regime.ABSORPTION.value: "#e07a5f",
    Regime.FORCED_SELLING.value: "#9b2226",
    Regime.OPPORTUNITY.value: "#3d85c6",
    "none": "#f1f2f4",
}
STRATEGY, BENCHMARK, BILLS = "#1f4e79", "#8a8f98", "#c2a45a"
_CONFIG = {"displaylogo": False, "responsive": True, "displayModeBar": False}


def equity_chart(equity: pd.DataFrame, regime: pd.Series, title: str) -> Any:
    """Return growth of 1 on a log scale, with drawdown and the regime of each session below.

    Parameters
    ----------
    equity
        Sessions × names: growth of 1, the strategy first, its benchmark, then bills.
    regime
        Regime names by session; None where there is none.
    title
        Above the chart.
    """
    from plotly.subplots import make_subplots

    figure = make_subplots(
        rows=3,
        cols=1,
        shared_xaxes=True,
        row_heights=[0.66, 0.24, 0.10],
        vertical_spacing=0.03,
    )
    for name, colour in zip(equity.columns, (STRATEGY, BENCHMARK, BILLS), strict=False):
        figure.add_trace(_line(equity[name], name, colour), row=1, col=1)
    for name, colour in zip(equity.columns[:2], (STRATEGY, BENCHMARK), strict=False):
        fall = 100 * (equity[name] / equity[name].cummax() - 1)
        figure.add_trace(_line(fall, name, colour, suffix=" %", legend=False), row=2, col=1)
    figure.add_trace(_ribbon(regime.reindex(equity.index)), row=3, col=1)
    for name, colour in _present(regime.reindex(equity.index)):
        figure.add_trace(_legend_entry(name, colour), row=1, col=1)
    figure.update_yaxes(type="log", title="growth of 1", row=1, col=1)
    figure.update_yaxes(title="drawdown, %", row=2, col=1)
    figure.update_yaxes(showticklabels=False, title="regime", row=3, col=1)
    return _dress(figure, title, height=560)


def html_of(figure: Any, *, with_library: bool) -> str:
    """Return a figure as HTML for a page; with plotly's library inside where it is the first."""
    return str(figure.to_html(full_html=False, include_plotlyjs=with_library, config=_CONFIG))


def _line(
    values: pd.Series, name: str, colour: str, suffix: str = "", legend: bool = True
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": _days(values),
        "y": values.round(6).tolist(),
        "name": name,
        "legendgroup": name,
        "showlegend": legend,
        "line": {"color": colour, "width": 1.6},
        "hovertemplate": f"%{{y:.4g}}{suffix}<extra>{name}</extra>",
    }


def _days(values: pd.Series) -> list[str]:
    return [str(day)[:10] for day in values.index]


def _present(regime: pd.Series) -> list[tuple[str, str]]:
    found = set(regime.fillna("none"))
    return [(name, colour) for name, colour in COLOURS.items() if name in found]


def _ribbon(regime: pd.Series) -> dict[str, Any]:
    """Return a strip whose colour is the regime of each session."""
    names = regime.fillna("none")
    order = list(COLOURS)
    steps = len(order)
    scale = [
        [edge / steps, colour] for i, colour in enumerate(COLOURS.values()) for edge in (i, i + 1)
    ]
    return {
        "type": "heatmap",
        "x": _days(regime),
        "y": [0],
        "z": [np.array([order.index(n) for n in names]).tolist()],
        "zmin": -0.5,
        "zmax": steps - 0.5,
        "colorscale": scale,
        "showscale": False,
        "text": [names.tolist()],
        "hovertemplate": "%{x}: %{text}<extra></extra>",
    }


def _legend_entry(name: str, colour: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [None],
        "y": [None],
        "name": "no regime" if name == "none" else name,
        "marker": {"symbol": "square", "size": 10, "color": colour},
        "hoverinfo": "skip",
    }


def _dress(figure: Any, title: str, height: int) -> Any:
    figure.update_layout(
        title={"text": title, "font": {"size": 15}, "x": 0, "xref": "paper"},
        height=height,
        hovermode="x unified",
        template="plotly_white",
        margin={"l": 58, "r": 14, "t": 84, "b": 30},
        font={"family": "system-ui, sans-serif", "size": 12, "color": "#23272e"},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    return figure
