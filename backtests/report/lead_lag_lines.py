"""Draw lines of the information ratios of several strategies by the lag of fills, as SVG.

If the history is simulated, the caller must pass a name that begins with SIMULATED.
"""

from collections.abc import Mapping
from html import escape

from backtests.format import fixed
from backtests.report.compare_charts import Style
from backtests.report.lead_lag_bars import IMPOSSIBLE, LAG
from backtests.report.svg import (
    WIDE,
    Scale,
    axis_below,
    axis_left,
    numbered,
    padded,
    picture,
    words,
)

_HEIGHT = 470.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 56.0, 14.0, 26.0, 44.0


def lead_lag_lines(
    ratios: Mapping[str, Mapping[str, float | None]], looks: Mapping[str, Style], name: str
) -> str:
    """Return a chart of information ratios by lag, with one line for each strategy.

    The background is grey at impossible lags: an order cannot be filled at or before its decision.

    ``ratios`` maps the name of each strategy to its ratios by lag, as in ``compare --json``.
    ``looks`` sets the style of each line. A strategy without ratios has no line.
    """
    known = {name: _ratios(ratios[name]) for name in looks if name in ratios}
    lags = [lag for points in known.values() for lag in points] or [-1, 1]
    x = Scale(low=min(lags), high=max(lags), start=_LEFT, end=WIDE - _RIGHT)
    ends = padded([0.0, *(v for points in known.values() for v in points.values())])
    y = Scale(low=ends[0], high=ends[1], start=_HEIGHT - _BOTTOM, end=_TOP)
    wide = x(0.5) - _LEFT
    parts = [
        f'<rect x="{_LEFT:g}" y="{_TOP:g}" width="{wide:.1f}" height="{y.start - y.end:g}" '
        'style="fill:var(--track)"/>',
        words(_LEFT + 4, _TOP + 13, IMPOSSIBLE, "s"),
        words(4, 13, "information ratio against the strategy's mean weights", "s"),
        *axis_left(y, x.start, x.end, y.ticks(7), zero=0.0),
        *axis_below(x.start, x.end, y.start, numbered(x, x.ticks(12)), LAG),
    ]
    parts += [_ratio_line(each, points, looks[each], x, y) for each, points in known.items()]
    return f'<h3 class="chart">{escape(name)}</h3>\n{picture(name, WIDE, _HEIGHT, parts)}'


def _ratios(found: Mapping[str, float | None]) -> dict[int, float]:
    return {int(lag): value for lag, value in found.items() if value is not None}


def _ratio_line(name: str, points: Mapping[int, float], look: Style, x: Scale, y: Scale) -> str:
    kept, hidden = escape(name, quote=True), "" if look.shown else " hidden"
    path = "L".join(f"{x(lag):.1f} {y(value):.1f}" for lag, value in points.items())
    said = ", ".join(f"{lag}: {fixed(value)}" for lag, value in points.items())
    dash = f";stroke-dasharray:{look.dash}" if look.dash else ""
    return (
        f'<path class="line" data-line="{kept}"{hidden} style="stroke:{look.colour}{dash}" '
        f'd="M{path}"><title>{kept}. Ratio by lag: {said}</title></path>'
    )
