"""Draw the three charts of the brief.

The first chart shows the regimes of ten years. The second chart shows the gauge of the flag that
decided the regime. If no single flag decided the regime, the second chart shows the percentage of
votes that are on. The third chart shows the bathtub of liquidity.
"""

import pandas as pd

from backtests.brief.brief import Brief
from backtests.report.bathtub import bathtub_now
from backtests.report.bathtub_chart import NARROW, bathtub_chart, bathtub_said
from backtests.report.brief_words import regime_words
from backtests.report.lines_chart import lines_chart
from backtests.report.plain import plain
from backtests.report.svg import PANEL
from backtests.report.timeline import timeline
from signals.explanation import gauges_of
from signals.regimes import Regime

_YEARS = 10  # number of years in the chart of regimes and in the chart of the gauge
#: Titles in plain words, by gauge.
_PLAIN = {"u": "u = AI spending / (AI spending + idle capital)"}


def brief_charts(brief: Brief, label: str) -> dict[str, str]:
    """Return a mapping from title to SVG chart. A chart without data is left out.

    The name of each picture begins with ``label``. For a simulated history, ``label`` contains the
    word SIMULATED.
    """
    drawn = {
        f"Regimes of the last {_YEARS} years": _regimes(brief, label),
        _title(brief): _deciding(brief, label),
        f"Idle capital and AI spending, known on {brief.session.date()}": _bathtub(brief, label),
    }
    return {title: chart for title, chart in drawn.items() if chart is not None}


def _recent(values: pd.Series) -> pd.Series:
    return values.loc[values.index[-1] - pd.DateOffset(years=_YEARS) :]


def _regimes(brief: Brief, label: str) -> str | None:
    regime = _recent(brief.sample.reading.regime)
    if regime.isna().all():
        return None
    lanes = {name.value: regime == name.value for name in Regime}
    return timeline(lanes, (), PANEL, f"{label}timeline of regimes; now {regime_words(brief)}")


def _title(brief: Brief) -> str:
    e = brief.said.get(brief.rule)
    if e is None:
        return "Share of votes that are on, %"
    return _PLAIN.get(e.distance_gauge, f"{e.signal}: {e.distance_gauge}, {e.distance_unit}")


def _deciding(brief: Brief, label: str) -> str | None:
    """Return a chart of the flag that decided the regime, or a chart of the votes.

    The chart of a flag shows the gauge that can flip the flag. If no single flag decided the
    regime, the result is a chart of the votes. The chart of the votes shows the percentage of votes
    that are on. The result is None if the last ten years have fewer than two values, or if the
    level at which the flag flips is unknown.
    """
    reading, e = brief.sample.reading, brief.said.get(brief.rule)
    if e is None:
        votes = reading.votes
        gauge = 100 * votes.fillna(False).sum(axis=1) / votes.notna().sum(axis=1)
        level, said = 50.0, "level 50"
    else:
        evaluation = reading.evaluations[e.signal]
        gauge = gauges_of(evaluation)[e.distance_gauge].astype("float64")
        level = e.distance_value + e.distance
        said = f"{'off' if e.flag else 'on'} at {e.flips}"
    drawn = _recent(gauge).dropna()
    if len(drawn) < 2 or pd.isna(level):
        return None
    name = f"{label}{_title(brief)}; now {drawn.iloc[-1]:.3g}, level {level:.3g}"
    return lines_chart(drawn.to_frame(f"dashed: {said}"), name, level=level)


def _bathtub(brief: Brief, label: str) -> str:
    now = plain(bathtub_now(brief.sample))
    return bathtub_chart(now, NARROW, f"{label}bathtub: {bathtub_said(now)}")
