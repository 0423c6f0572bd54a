"""The numbers of an assessment as plain data, for ``metrics.json`` and for the page."""

import math
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from backtests.evidence.assessment import Assessment
from backtests.evidence.attribution import Attribution
from backtests.version import __version__
from signals.params import parameters

LEFT_OUT = (
    "The robustness cases are left out: other k, changed revised series, and other lags, costs, "
    "rebalance days, assets and years. Run again without --no-robustness to see them."
)


def metrics_of(assessment: Assessment) -> dict[str, Any]:
    """Return the content of ``metrics.json``: the run, its metrics, attribution and robustness.

    Metrics are fractions, dates are ISO strings, and a metric that is not defined is null. Yearly
    figures are null where the run covers less than a year, so that no reader takes them for an
    earned return. ``by_k``, ``by_revision`` and ``robustness`` are null where they were left out; a
    note of the run says so.
    """
    cases = assessment.robustness
    numbers: dict[str, Any] = plain(
        {
            "run": description(assessment),
            "strategy": assessment.strategy,
            "benchmark": assessment.benchmark,
            "bills": assessment.bills,
            "regimes": assessment.regimes.to_dict(orient="index"),
            "years": assessment.years.to_dict(orient="index"),
            "drawdowns": [asdict(fall) for fall in assessment.drawdowns],
            "by_k": None if cases is None else cases.by_k.to_dict(orient="index"),
            "by_revision": None if cases is None else _records(cases.by_revision),
            "attribution": _attribution(assessment.attribution),
            "robustness": None if cases is None else _records(cases.by_choice),
        }
    )
    return numbers


def _records(table: pd.DataFrame) -> list[dict[Any, Any]]:
    return table.reset_index().to_dict(orient="records")


def _attribution(parts: Attribution) -> dict[str, Any]:
    """Return the attribution by group, and the totals that the groups add up to."""
    groups = {
        name: getattr(parts, name).to_dict(orient="index")
        for name in ("by_regime", "by_sleeve", "by_year")
    }
    return {**groups, "total": parts.total.to_dict()}


def description(assessment: Assessment) -> dict[str, Any]:
    """Return the description of a run: strategy, history, dates, and terms of trading."""
    run = assessment.run
    config, equity = run.config, run.result.equity
    absorption, own = assessment.absorption, assessment.own_states
    left_out = (LEFT_OUT,) if assessment.robustness is None else ()
    return {
        "strategy": run.label,
        "regime_model": run.config.regime_model,
        "params": parameters(run.strategy),
        "source": run.history.source,
        "simulated": run.simulated,
        "start": equity.index[0],
        "end": equity.index[-1],
        "sessions": len(run.result.returns),
        "below_a_year": assessment.below_a_year,
        "schedule": parameters(config.schedule),
        "lag": config.lag,
        "band": config.band,
        "initial_capital": config.initial_capital,
        "final_equity": float(equity.iloc[-1]),
        "benchmark": config.benchmark,
        "costs": parameters(config.costs),
        "bill_spread": config.bill_spread,
        "run_id": run.run_id,
        "version": __version__,
        "decides_on_change": run.state is not None and not run.strategy.only_scheduled,
        "absorption_episodes": absorption.episodes,
        "absorption_entered": absorption.entered,
        "state_episodes": None if own is None else own.episodes,
        "state_entered": None if own is None else own.entered,
        "inconclusive": assessment.inconclusive,
        "notes": [*run.result.notes, *left_out],
    }


def plain(value: Any) -> Any:
    """Return a value in types of JSON: null for NaN, Python numbers, dates as ISO strings."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, pd.Timestamp):
        return None if pd.isna(value) else _iso(value)
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return value


def _iso(moment: pd.Timestamp) -> str:
    midnight = moment == moment.normalize()
    return str(moment.date()) if midnight else moment.isoformat(timespec="minutes")
