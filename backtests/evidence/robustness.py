"""The robustness of a run: its figures with one choice changed at a time.

No row is a better strategy to pick. A result that lives in one row alone is luck.
"""

from concurrent.futures import Executor
from dataclasses import replace

import numpy as np
import pandas as pd

from backtests.engine.simulate import Result
from backtests.evidence.metrics import headline
from backtests.evidence.variation import varied
from backtests.evidence.workers import SerialExecutor
from backtests.pipeline import decisions
from backtests.runs import Run
from signals.errors import SimulationError
from strategies import decide
from strategies.base import check_weights

LAGS = (1, 2, 3, 5, 10)
COSTS = (0, 1, 2, 5)
#: Sessions after the scheduled day. A month has about 21 sessions.
OFFSETS = tuple(range(0, 21, 2))

#: Figures of :func:`backtests.evidence.metrics.headline` by choice and case.
Rows = dict[tuple[str, str], dict[str, float]]


def robustness(run: Run, pool: Executor | None = None) -> pd.DataFrame:
    """Return the figures of a run with one choice changed at a time.

    Parameters
    ----------
    run
        A finished run.
    pool
        Executor of the simulations; default this process.

    Returns
    -------
    One row per case, index ``(choice, case)``, with the columns of
    :func:`backtests.evidence.metrics.headline`; fractions, NaN where a metric is not defined. The
    choices are:

    - ``as it is``: the run;
    - ``lag``: 1, 2, 3, 5, 10 sessions;
    - ``costs``: × 0, 1, 2, 5;
    - ``rebalance day``: 0 to 20 sessions after the scheduled one;
    - ``asset left out``: each asset in turn, which the strategy treats as unlisted while flags
      still see it; a strategy without a rule for unlisted assets has no such row;
    - ``year left out``: each calendar year in turn, left out of the metrics.

    A case that equals the run takes its figures from the run.
    """
    pool = pool or SerialExecutor()
    parts = [pool.submit(part, run) for part in (_lags, _costs, _days, _assets)]
    rows: Rows = {("as it is", ""): _figures(run, run.result)}
    for part in parts:
        rows |= part.result()
    rows |= _years(run)
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["choice", "case"])


def _figures(run: Run, result: Result) -> dict[str, float]:
    return headline(result.returns, run.bills, result.exposure)


def _lags(run: Run) -> Rows:
    return {
        ("lag", f"{lag} sessions"): _figures(run, varied(run, run.decided, lag=lag)) for lag in LAGS
    }


def _costs(run: Run) -> Rows:
    costs = {factor: run.config.costs.times(factor) for factor in COSTS}
    return {
        ("costs", f"× {factor}"): _figures(run, varied(run, run.decided, costs=cost))
        for factor, cost in costs.items()
    }


def _days(run: Run) -> Rows:
    index = pd.DatetimeIndex(run.result.equity.index)
    weights = decide(run.strategy, run.reading, run.history.panel)
    rows: Rows = {}
    for offset in OFFSETS:
        schedule = replace(run.config.schedule, offset=offset)
        config = run.config.model_copy(update={"schedule": schedule})
        when = decisions(config, run.strategy, run.state, index)
        rows["rebalance day", f"+{offset} sessions"] = _figures(run, varied(run, weights.loc[when]))
    return rows


def _assets(run: Run) -> Rows:
    rows: Rows = {}
    for asset in run.strategy.assets:
        without = _without(run, asset)
        if without is not None:
            rows["asset left out", asset] = _figures(run, varied(run, without))
    return rows


def _without(run: Run, asset: str) -> pd.DataFrame | None:
    """Return the weights without an asset; None where the strategy has no rule for that."""
    try:
        panel = run.history.panel.assign(**{asset: np.nan})
        weights = decide(run.strategy, run.reading, panel).loc[run.decided.index]
        check_weights(weights, run.strategy.name, run.strategy.gross_limit)
    except SimulationError:
        return None
    return weights


def _years(run: Run) -> Rows:
    returns, exposure = run.result.returns, run.result.exposure
    rows: Rows = {}
    for year in np.unique(pd.DatetimeIndex(returns.index).year):
        kept = returns[pd.DatetimeIndex(returns.index).year != year]
        rows["year left out", str(year)] = headline(kept, run.bills, exposure)
    return rows
