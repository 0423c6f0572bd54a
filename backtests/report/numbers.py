"""A run's numbers as plain data: what ``metrics.json`` holds and the page shows."""

import math
from typing import Any

import numpy as np
import pandas as pd

from backtests.evidence import metrics
from backtests.evidence.attribution import attribution
from backtests.evidence.k_choice import by_k
from backtests.evidence.robustness import robustness
from backtests.pipeline import Run, absorption_entered, is_inconclusive, times_entered
from backtests.version import __version__
from signals.base import parameters


def metrics_of(run: Run) -> dict[str, Any]:
    """Return the run, its metrics beside benchmark and bills, and what they rest on and hang on.

    Fractions, not percent; dates as ISO strings; null where a metric is not defined.
    """
    returns, bills, benchmark = run.result.returns, run.bills, run.benchmark
    regimes = metrics.by_regime(returns, bills, run.reading.regime, benchmark)
    numbers: dict[str, Any] = plain(
        {
            "run": description(run),
            "strategy": metrics.of_run(run),
            "benchmark": metrics.of_returns(benchmark, bills, benchmark),
            "bills": metrics.of_returns(bills, bills, benchmark),
            "regimes": regimes.to_dict(orient="index"),
            "by_k": by_k(run).to_dict(orient="index"),
            "attribution": _attributed(run),
            "robustness": robustness(run).reset_index().to_dict(orient="records"),
        }
    )
    return numbers


def _attributed(run: Run) -> dict[str, Any]:
    """Return where the figures came from, by group, and the totals that the groups sum to."""
    parts = attribution(run.result, run.history.closes, run.config.costs, run.reading.regime)
    tables = ("by_regime", "by_sleeve", "by_year")
    groups = {name: getattr(parts, name).to_dict(orient="index") for name in tables}
    return {**groups, "total": parts.total.to_dict()}


def description(run: Run) -> dict[str, Any]:
    """Return what was run, on which history, when, and how it was traded."""
    config, equity = run.config, run.result.equity
    return {
        "strategy": run.label,
        "driver": run.config.driver,
        "params": parameters(run.strategy),
        "source": run.history.source,
        "simulated": run.simulated,
        "start": equity.index[0],
        "end": equity.index[-1],
        "sessions": len(run.result.returns),
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
        "absorption_entered": absorption_entered(run),
        "state_entered": times_entered(run),
        "inconclusive": is_inconclusive(run),
        "notes": list(run.result.notes),
    }


def plain(value: Any) -> Any:
    """Return a value as JSON knows it: no NaN, no NumPy, dates as ISO strings."""
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
