"""A run's numbers as plain data: what ``metrics.json`` holds and the page shows."""

import math
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from backtests.evidence import metrics
from backtests.evidence.attribution import attribution
from backtests.evidence.entries import is_inconclusive, of_absorption, of_own_states
from backtests.evidence.k_choice import by_k
from backtests.evidence.revision import by_revision
from backtests.evidence.robustness import robustness
from backtests.runs import Run
from backtests.version import __version__
from signals.params import parameters


def metrics_of(run: Run) -> dict[str, Any]:
    """Return the run, its metrics beside benchmark and bills, and what they rest on and hang on.

    Fractions, not percent; dates as ISO strings; null where a metric is not defined. Figures a
    year are null where the run covers less than a year, so that no reader of the file takes them
    for what was earned.
    """
    returns, bills, benchmark = run.result.returns, run.bills, run.benchmark
    regimes = metrics.by_regime(returns, bills, run.reading.regime, benchmark, run.config.lag)
    numbers: dict[str, Any] = plain(
        {
            "run": description(run),
            "strategy": metrics.of_run(run),
            "benchmark": metrics.of_returns(benchmark, bills, benchmark),
            "bills": metrics.of_returns(bills, bills, benchmark),
            "regimes": regimes.to_dict(orient="index"),
            "years": _years(run).to_dict(orient="index"),
            "drawdowns": [asdict(fall) for fall in metrics.worst_drawdowns(returns)],
            "by_k": by_k(run).to_dict(orient="index"),
            "by_revision": by_revision(run).reset_index().to_dict(orient="records"),
            "attribution": _attributed(run),
            "robustness": robustness(run).reset_index().to_dict(orient="records"),
        }
    )
    return numbers


def _attributed(run: Run) -> dict[str, Any]:
    """Return where the figures came from, by group, and the totals that the groups sum to."""
    config, result = run.config, run.result
    parts = attribution(
        result, run.history.closes, config.costs, run.reading.regime, lag=config.lag
    )
    tables = {name: getattr(parts, name) for name in ("by_regime", "by_sleeve", "by_year")}
    total = parts.total.to_frame().T
    if metrics.is_short(result.returns):
        unknown = dict.fromkeys(("volatility", "turnover", "cost"), float("nan"))
        tables = {name: table.assign(**unknown) for name, table in tables.items()}
        total = total.assign(**unknown)
    groups = {name: table.to_dict(orient="index") for name, table in tables.items()}
    return {**groups, "total": total.iloc[0].to_dict()}


def _years(run: Run) -> pd.DataFrame:
    """Return each calendar year's own return of strategy, benchmark and bills."""
    sides = {"strategy": run.result.returns, "benchmark": run.benchmark, "bills": run.bills}
    return metrics.by_year(pd.DataFrame(sides))


def description(run: Run) -> dict[str, Any]:
    """Return what was run, on which history, when, and how it was traded."""
    config, equity = run.config, run.result.equity
    absorption, own = of_absorption(run), of_own_states(run)
    return {
        "strategy": run.label,
        "regime_model": run.config.regime_model,
        "params": parameters(run.strategy),
        "source": run.history.source,
        "simulated": run.simulated,
        "start": equity.index[0],
        "end": equity.index[-1],
        "sessions": len(run.result.returns),
        "below_a_year": metrics.is_short(run.result.returns),
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
