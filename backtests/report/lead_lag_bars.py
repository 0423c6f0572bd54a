"""Draw bars of a strategy's information ratios, one bar for each lag of fills.

If the history is simulated, the caller must pass a name that begins with SIMULATED.
"""

from collections.abc import Mapping

from backtests.report.svg import Scale, axis_left, box, padded, picture, words

WIDTH, _HEIGHT = 560.0, 230.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 8.0, 34.0, 40.0
IMPOSSIBLE, OWN, OTHER = "impossible: filled at or before the decision", "the run's lag", "other"
#: Title of the axis of lags.
LAG = "sessions from a decision's close to its fill"
_KINDS = {IMPOSSIBLE: "bar faint", OWN: "bar own", OTHER: "bar"}


def kind_of(at: int, lag: int) -> str:
    """Return the legend entry of the bar at the lag ``at``.

    A lag below 1 is :data:`IMPOSSIBLE`, the run's own lag is :data:`OWN`, and any other lag is
    :data:`OTHER`.
    """
    return IMPOSSIBLE if at < 1 else OWN if at == lag else OTHER


def lead_lag_bars(ratios: Mapping[str, float | None], lag: int, name: str) -> str:
    """Return bars of a strategy's information ratios.

    ``ratios`` maps the lag to the information ratio, as in metrics.json. ``lag`` is the lag of the
    run, and the bar at this lag has a different colour. A missing ratio has no bar.
    """
    low, high = padded([0.0, *(ratio for ratio in ratios.values() if ratio is not None)])
    y = Scale(low=low, high=high, start=_HEIGHT - _BOTTOM, end=_TOP)
    step = (WIDTH - _LEFT - _RIGHT) / max(len(ratios), 1)
    parts = axis_left(y, _LEFT, WIDTH - _RIGHT, y.ticks(4), zero=0.0)
    for place, (at, ratio) in enumerate(ratios.items()):
        left = _LEFT + place * step
        if ratio is not None:
            top, bottom = min(y(ratio), y(0.0)), max(y(ratio), y(0.0))
            kind = _KINDS[kind_of(int(at), lag)]
            parts.append(box(left + 3, top, step - 6, bottom - top, kind))
        parts.append(words(left + step / 2, _HEIGHT - _BOTTOM + 15, at, "s", "middle"))
    parts.append(words(WIDTH - _RIGHT, _HEIGHT - 6, LAG, "s", "end"))
    return picture(name, WIDTH, _HEIGHT, [*parts, *_legend()])


def _legend() -> list[str]:
    parts, left = [], _LEFT
    for said, kind in _KINDS.items():
        parts += [box(left, 6, 11, 11, kind), words(left + 16, 16, said)]
        left += 34 + 6.0 * len(said)
    return parts
