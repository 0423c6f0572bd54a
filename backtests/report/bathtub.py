"""Numbers for the bathtub chart, which shows liquidity as water in a bathtub."""

from collections.abc import Iterable
from typing import Any

import pandas as pd

from backtests.thesis.sample import Sample
from signals.catalog import HYPERSCALERS, ttm_id

_IDLE = ("RRPONTSYD", "WRESBAL")
_CAPEX = tuple(ttm_id("CAPEX", firm) for firm in HYPERSCALERS)
#: For each number of the bathtub chart: its signal, its gauge and its input series.
_GAUGES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "level": ("bathtub", "level", ("WALCL", "WTREGEN", "RRPONTSYD")),
    "tap": ("bathtub", "tap", ("WALCL",)),
    "pipes": ("bathtub", "pipes", ("WTREGEN", "RRPONTSYD")),
    "idle": ("dry_powder", "idle", _IDLE),
    "idle_share": ("dry_powder", "share", _IDLE),
    "drain": ("capex", "level", _CAPEX),
    "growth": ("capex", "impulse", _CAPEX),
    "absorbed": ("absorption", "u", _IDLE),
}


def bathtub_now(sample: Sample) -> dict[str, dict[str, Any]]:
    """Return the value, unit and date of each number in the bathtub chart.

    The date of a number is the day on which its newest input became known. The entry ``level`` also
    contains the highest net liquidity so far, and the date of this maximum. If a gauge has no value
    at the last session, its number is NaN. If the reading lacks the signal of a number, the number
    is None.
    """
    found = {name: _gauge(sample, *where) for name, where in _GAUGES.items()}
    found["level"] |= _highest(sample)
    return found


def _gauge(sample: Sample, signal: str, gauge: str, ids: Iterable[str]) -> dict[str, Any]:
    evaluation = sample.reading.evaluations.get(signal)
    if evaluation is None:
        return {"value": None, "unit": "", "known": None}
    known = sample.history.known.reindex(columns=list(ids)).iloc[-1].max()
    return {
        "value": evaluation.gauges[gauge].iloc[-1],
        "unit": evaluation.signal.unit(gauge),
        "known": None if pd.isna(known) else pd.Timestamp(known).normalize(),
    }


def _highest(sample: Sample) -> dict[str, Any]:
    evaluation = sample.reading.evaluations.get("bathtub")
    if evaluation is None or evaluation.gauges["level"].isna().all():
        return {"highest": None, "highest_at": None}
    level = evaluation.gauges["level"]
    return {"highest": level.max(), "highest_at": level.idxmax()}
