"""Charts for the page of a run, and the positions of the points in its dot plots.

If the history is simulated, the caller must pass a title that begins with SIMULATED.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from backtests.evidence.assessment import Assessment
from backtests.report.flags_charts import regime_strip
from backtests.report.panel_rows import Line, Panel, Strip
from backtests.report.panels import panels
from backtests.report.theme import CLASSES, NO_REGIME
from signals.transforms import fall_from_peak


def growth_chart(assessment: Assessment, title: str) -> str:
    """Return a chart of a run, with up to five rows on one date axis.

    The rows show the value of 1 invested at the start, drawdowns, weights, trades and regimes. A
    run without trades has no row of trades. The background shows the regime under which each return
    was earned.
    """
    run, growth = assessment.run, assessment.growth
    names = {"strategy": run.label, "benchmark": run.config.benchmark, "bills": "bills"}
    looks = {"strategy": ("var(--c0)", ""), "benchmark": ("var(--c1)", ""), "bills": _DASHED}
    values = [
        Line(name=name, values=growth[side], colour=looks[side][0], dash=looks[side][1])
        for side, name in names.items()
    ]
    falls = [
        Line(name=name, values=100 * fall_from_peak(growth[side]), colour=looks[side][0])
        for side, name in list(names.items())[:2]
    ]
    rows: list[Panel | Strip] = [
        Panel(title="growth of 1, log scale", lines=values, log=True, height=230),
        Panel(title="drawdown, %", unit="%", lines=falls, digits=1, high=0.0, height=95),
        _held(assessment.held),
        *([_traded(assessment.traded)] if assessment.traded.any() else []),
        regime_strip("regime at the close", run.reading.regime.reindex(growth.index)),
    ]
    earned = regime_strip("regime of the return", assessment.earned_under.reindex(growth.index))
    coloured = {name: c for name, c in earned.colours.items() if name != NO_REGIME}
    earned = replace(earned, colours=coloured)
    return panels(title, rows, shading=earned, of_returns=True, heading=2)


_DASHED = ("var(--c3)", "5 3")


def _held(held: pd.DataFrame) -> Panel:
    areas = [
        Line(name=str(n), values=100 * held[n], colour=CLASSES.get(str(n), CLASSES["other"]))
        for n in held
    ]
    return Panel(
        title="held at the close, % of equity",
        unit="%",
        areas=areas,
        digits=1,
        high=100.0 if bool((held >= -1e-9).all(axis=None)) else None,
        height=130,
    )


def _traded(traded: pd.Series) -> Panel:
    bars = [Line(name="trades", values=100 * traded, colour="var(--ink)")]
    return Panel(title="traded, % of equity", unit="%", bars=bars, digits=1, low=0.0, height=50)


def places(values: Sequence[float | None]) -> list[float | None]:
    """Return the position of each value on a horizontal track, in percent of the track.

    The lowest value is at 4 % of the track's width, and the highest value is at 96 %. The position
    of a missing value is None.
    """
    known = [value for value in values if value is not None and math.isfinite(value)]
    if not known:
        return [None for _ in values]
    low, span = min(known), max(known) - min(known)
    return [
        None
        if value is None or not math.isfinite(value)
        else round(4 + 92 * (value - low) / span if span else 50.0, 1)
        for value in values
    ]
