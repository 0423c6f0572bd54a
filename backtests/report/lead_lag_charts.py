"""The chart of the information ratio by the lag of fills.

If the history is simulated, the caller must pass a title that begins with SIMULATED.
"""

from collections.abc import Mapping
from typing import Any

from backtests.report import theme

_AXIS = "sessions from a decision's close to its fill"
_RATIO = "information ratio against own mean weights"
_HOVER = "filled after %{x} sessions: %{y:.2f}"
_IMPOSSIBLE = "impossible: filled at or before the decision"


def lead_lag_bars(ratios: Mapping[str, float | None], lag: int, title: str) -> Any:
    """Return bars of a strategy's information ratios.

    ``ratios`` maps the lag to the information ratio, as in metrics.json. ``lag`` is the lag of the
    run, whose bar has a colour of its own.
    """
    from plotly.graph_objects import Figure

    figure = Figure()
    for name, colour, chosen in (
        (_IMPOSSIBLE, theme.FLAGS["off"], [at for at in ratios if int(at) < 1]),
        ("the run's lag", theme.STRATEGY, [at for at in ratios if int(at) == lag]),
        ("other lags", theme.BENCHMARK, [at for at in ratios if int(at) >= 1 and int(at) != lag]),
    ):
        figure.add_trace(_bar(name, colour, {int(at): ratios[at] for at in chosen}))
    figure.update_xaxes(title=_AXIS, dtick=1)
    figure.update_yaxes(title=_RATIO)
    theme.apply_theme(figure, title, height=340)
    return figure.update_layout(hovermode="closest", barmode="overlay", margin={"b": 46})


def _bar(name: str, colour: str, ratios: Mapping[int, float | None]) -> dict[str, Any]:
    return {
        "type": "bar",
        "x": list(ratios),
        "y": list(ratios.values()),
        "name": name,
        "marker": {"color": colour},
        "hovertemplate": f"{_HOVER}<extra>{name}</extra>",
    }
