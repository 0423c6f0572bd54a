"""Charts of runs and of signals for notebooks, as plotly figures that need no network.

If the history is simulated, the caller must pass a title that begins with SIMULATED.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from backtests.report import theme
from backtests.report.flags_charts import (
    by_unit,
    deciding_gauges,
    first_regime,
    flag_rows,
    is_silent,
)
from backtests.report.svg import every_nth
from signals.base import Evaluation
from signals.hysteresis import Threshold, flag_words
from signals.reading import Reading
from signals.stays import stays
from signals.transforms import fall_from_peak

_MOST_POINTS = 1500


def equity_chart(equity: pd.DataFrame, regime: pd.Series, title: str) -> Any:
    """Return a chart of growth and drawdowns. The background shows the regime.

    Growth is the value of 1 invested at the start, and its axis is logarithmic. The columns of
    ``equity`` are the strategy, its benchmark and bills. For each session, ``regime`` contains the
    regime under which the session's return was earned. In ``regime``, None means no regime. A
    session's return is the return since the previous close. Two columns may have the same name. For
    example, the strategy ``bills`` has the same name as the third column.
    """
    names = regime.reindex(equity.index).fillna("none")
    figure = _rows([0.66, 0.24, 0.10])
    colours = (theme.STRATEGY, theme.BENCHMARK, theme.BILLS)
    curves = [(str(name), curve) for name, curve in equity.items()]
    for (name, curve), colour in zip(curves, colours, strict=False):
        figure.add_trace(line_of(curve, name, colour), row=1, col=1)
    for (name, curve), colour in zip(curves[:2], colours, strict=False):
        fall = 100 * fall_from_peak(curve)
        figure.add_trace(line_of(fall, name, colour, " %", legend=False), row=2, col=1)
    figure.add_trace(_strip(names, theme.REGIMES, "regime"), row=3, col=1)
    shade(figure, names, theme.REGIMES, opacity=0.13, of_returns=True)
    _add_legend(figure, theme.present(names))
    figure.update_yaxes(type="log", title="growth of 1", row=1, col=1)
    figure.update_yaxes(title="drawdown, %", row=2, col=1)
    return theme.apply_theme(figure, title, height=560)


def regime_chart(reading: Reading, title: str) -> Any:
    """Return a timeline of the regime and of all flags; a flag is on, off or unknown (no view).

    See :func:`backtests.report.flags_charts.flag_rows` for the order and the first session.
    """
    names = reading.regime.loc[first_regime(reading) :].fillna("none")
    rows = flag_rows(reading)
    figure = _rows([1.6, *[1.0] * len(rows)], spacing=0.012)
    figure.add_trace(_strip(names, theme.REGIMES, "regime"), row=1, col=1)
    for row, (name, states) in enumerate(rows.items(), start=2):
        label = f"{name}<br>(no vote)" if is_silent(reading, name) else name
        figure.add_trace(_strip(states, theme.FLAGS, label), row=row, col=1)
    _add_legend(figure, theme.present(names))
    _add_legend(figure, {f"flag {state}": colour for state, colour in theme.FLAGS.items()})
    theme.apply_theme(figure, title, height=130 + 34 * (len(rows) + 1))
    figure.update_layout(hovermode="closest")
    return figure


def signal_chart(evaluation: Evaluation, inputs: pd.DataFrame, title: str) -> Any:
    """Return a chart of a signal: the main gauge, each gauge with a threshold, and the inputs.

    ``inputs`` has a row for each session, and a column for each series that the signal reads. A
    line of more than 1,500 sessions shows only every n-th session. The shading shows every session
    at which the flag is on.
    """
    signal, gauges, flag = evaluation.signal, evaluation.gauges, evaluation.flag
    deciding = deciding_gauges(signal)
    start = gauges[deciding].notna().any(axis=1).idxmax()
    units = by_unit(inputs.columns)
    titles = [f"{gauge}, {signal.unit(gauge)}" for gauge in deciding]
    titles += _titles(units)
    figure = _rows([2.0] * len(deciding) + [1.0] * len(units), spacing=0.05, titles=titles)
    for row, gauge in enumerate(deciding, start=1):
        line = line_of(thin(gauges[gauge].loc[start:]), gauge, theme.STRATEGY)
        figure.add_trace(line, row=row, col=1)
        for threshold in (t for t in signal.thresholds if t.gauge == gauge):
            _draw_threshold(figure, threshold, row)
    _draw_values(figure, inputs.loc[start:], units, len(deciding) + 1, legend=False)
    shade(figure, flag_words(flag.loc[start:]), {"on": theme.FLAGS["on"]}, opacity=0.16)
    return theme.apply_theme(figure, title, height=160 + 180 * len(deciding) + 100 * len(units))


def values_chart(values: pd.DataFrame, title: str) -> Any:
    """Return a chart of series or prices, with one chart row for each unit, such as USD.

    ``values`` has a row for each session and a column for each id. The chart leaves out a unit with
    more than 12 ids.
    """
    units = by_unit(values.columns)
    figure = _rows([1.0] * len(units), spacing=0.08, titles=_titles(units))
    start = values.notna().any(axis=1).idxmax()
    _draw_values(figure, values.loc[start:], units, 1, legend=True)
    return theme.apply_theme(figure, title, height=160 + 220 * len(units))


def _titles(units: Mapping[str, list[str]]) -> list[str]:
    """Return the title of each chart row: its ids and its unit.

    If a row has several ids, each id has the colour of its line.
    """
    return [f"{_ids_said(ids)}{' …' * (len(ids) > 4)}, {u}" for u, ids in units.items()]


def _ids_said(ids: list[str]) -> str:
    if len(ids) == 1:
        return ids[0]
    coloured = zip(ids[:4], theme.FEW_LINES, strict=False)
    return ", ".join(f'<span style="color:{colour}">{id}</span>' for id, colour in coloured)


def _draw_values(
    figure: Any, values: pd.DataFrame, units: Mapping[str, list[str]], first: int, *, legend: bool
) -> None:
    """Draw one chart row for each unit, with one line for each id of this unit.

    ``first`` is the number of the row for the first unit.
    """
    for row, ids in enumerate(units.values(), start=first):
        for id, colour in zip(ids, theme.FEW_LINES * 2, strict=False):
            line = line_of(thin(values[id]), id, colour, legend=legend)
            figure.add_trace(line, row=row, col=1)


def _rows(heights: list[float], spacing: float = 0.03, titles: list[str] | None = None) -> Any:
    """Return an empty figure whose rows share one date axis and have titles at the left."""
    from plotly.subplots import make_subplots

    figure = make_subplots(
        rows=len(heights),
        cols=1,
        shared_xaxes=True,
        row_heights=heights,
        vertical_spacing=spacing,
        subplot_titles=titles,
    )
    figure.update_annotations(x=0, xanchor="left", font_size=12, yshift=-2)
    return figure


def line_of(
    values: pd.Series, name: str, colour: str, suffix: str = "", legend: bool = True
) -> dict[str, Any]:
    """Return a line with one value for each session; the pointer shows name and value."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": _days(values),
        "y": [None if pd.isna(v) else float(f"{v:.6g}") for v in values],
        "name": name,
        "legendgroup": name,
        "showlegend": legend,
        "line": {"color": colour, "width": 1.6},
        "hovertemplate": f"%{{y:.4g}}{suffix}<extra>{name}</extra>",
    }


def thin(values: pd.Series) -> pd.Series:
    """Return every n-th value, counted back from the last value, at most 1,500 values."""
    return values.iloc[every_nth(len(values), _MOST_POINTS)]


def _days(values: pd.Series) -> list[str]:
    return [str(day)[:10] for day in values.index]


def _shaded(names: pd.Series, *, of_returns: bool) -> list[tuple[str, str, str]]:
    """Return the state, the first day and the last day of each rectangle that :func:`shade` draws.

    Consecutive sessions with the same state form one rectangle.
    """
    days, earlier = _days(names), int(of_returns)
    return [
        (name, days[max(first - earlier, 0)], days[min(last + 1 - earlier, len(days) - 1)])
        for name, first, last in stays(names)
    ]


def shade(
    figure: Any,
    names: pd.Series,
    palette: dict[str, str],
    opacity: float,
    *,
    of_returns: bool = False,
) -> None:
    """Colour the background of a figure by the state of each session.

    ``names`` holds the state of each session. ``palette`` maps states to colours; a state without a
    colour is not shaded. ``opacity`` is a fraction. Consecutive sessions with the same state form
    one period. The shading of a period runs from its first session to the first session of the next
    period.

    If ``of_returns`` is True, each state describes the return since the previous close. The shading
    of a period then begins at the session before the period, and ends at the period's last session.
    """
    shapes = [
        {
            "type": "rect",
            "xref": "x",
            "yref": "paper",
            "x0": first,
            "x1": last,
            "y0": 0,
            "y1": 1,
            "fillcolor": palette[name],
            "opacity": opacity,
            "line": {"width": 0},
            "layer": "below",
        }
        for name, first, last in _shaded(names, of_returns=of_returns)
        if name in palette
    ]
    figure.layout.shapes = [*figure.layout.shapes, *shapes]  # many calls of add_vrect would be slow


def _strip(names: pd.Series, palette: dict[str, str], label: str) -> dict[str, Any]:
    """Return a strip of colours that shows the state of each session."""
    order = list(palette)
    scale = [
        [edge / len(order), colour]
        for at, colour in enumerate(palette.values())
        for edge in (at, at + 1)
    ]
    return {
        "type": "heatmap",
        "x": _days(names),
        "y": [label],
        "z": [[order.index(name) for name in names]],
        "zmin": -0.5,
        "zmax": len(order) - 0.5,
        "colorscale": scale,
        "showscale": False,
        "text": [names.tolist()],
        "hovertemplate": f"%{{x}}: {label.partition('<br>')[0]}: %{{text}}<extra></extra>",
    }


def _add_legend(figure: Any, colours: Mapping[str, str]) -> None:
    """Add an entry for each name to the legend of a figure."""
    for name, colour in colours.items():
        entry = {
            "type": "scatter",
            "mode": "markers",
            "x": [None],
            "y": [None],
            "name": theme.shown_regime(name),
            "marker": {"symbol": "square", "size": 10, "color": colour},
            "hoverinfo": "skip",
        }
        figure.add_trace(entry, row=1, col=1)


def _draw_threshold(figure: Any, threshold: Threshold, row: int) -> None:
    for level, dash in ((threshold.enter, "dash"), (threshold.leave, "dot")):
        line = {"dash": dash, "width": 1, "color": theme.FLAGS["on"]}
        figure.add_hline(y=level, line=line, row=row, col=1)
