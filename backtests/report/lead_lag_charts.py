"""A chart of the information ratio by the lag of fills, with a line for each strategy.

If the history is simulated, the caller must pass a title that begins with SIMULATED.
"""

from collections.abc import Mapping
from typing import Any

from backtests.report import theme
from backtests.report.compare_charts import Style

_AXIS = "sessions from a decision's close to its fill"
_RATIO = "information ratio against own mean weights"
_HOVER = "filled after %{x} sessions: %{y:.2f}"
_IMPOSSIBLE = "impossible: filled at or before the decision"


def lead_lag_lines(
    ratios: Mapping[str, Mapping[str, float | None]], looks: Mapping[str, Style], title: str
) -> Any:
    """Return a line of information ratios for each strategy; impossible lags have a grey ground.

    ``ratios`` maps the name of each strategy to its ratios by lag, as in metrics.json. ``looks``
    sets the look of each line. A strategy without ratios has an empty line, so that all charts of
    the page have their lines in the same order.
    """
    from plotly.graph_objects import Figure

    figure = Figure([_line(name, ratios.get(name, {}), look) for name, look in looks.items()])
    if ratios:
        first = min(int(at) for at in next(iter(ratios.values())))
        figure.add_vrect(
            x0=first, x1=0.5, fillcolor=theme.FLAGS["off"], opacity=0.5, line_width=0, layer="below"
        )
        figure.add_annotation(
            x=first, y=1, yref="paper", text=_IMPOSSIBLE, showarrow=False, xanchor="left"
        )
    figure.update_xaxes(title=_AXIS, dtick=1, zeroline=False)
    figure.update_yaxes(title=_RATIO)
    theme.apply_theme(figure, title, height=440)
    return figure.update_layout(hovermode="closest", showlegend=False, margin={"b": 46})


def _line(name: str, ratios: Mapping[str, float | None], look: Style) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [int(at) for at in ratios],
        "y": list(ratios.values()),
        "name": name,
        "line": {"color": look.colour, "dash": look.dash, "width": 1.6},
        "marker": {"size": 4},
        "visible": True if look.shown else "legendonly",
        "hovertemplate": f"<b>{name}</b><br>{_HOVER}<extra></extra>",
    }
