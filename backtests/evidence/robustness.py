"""How much of a result hangs on one choice: each choice moved alone, everything else as it was.

None of these rows is a better strategy to pick; a result that lives in one row alone is luck.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from backtests.engine.schedule import Schedule
from backtests.engine.simulate import Result
from backtests.evidence.metrics import headline
from backtests.pipeline import decisions, trade
from backtests.runs import Run
from signals.errors import SimulationError
from strategies import decide
from strategies.base import check_weights

LAGS = (1, 2, 3, 5, 10)
COSTS = (0, 1, 2, 5)
#: Sessions after the scheduled day; a month has about 21.
OFFSETS = tuple(range(0, 21, 2))


def robustness(run: Run) -> pd.DataFrame:
    """Return what comes of a run with one choice moved at a time.

    Returns
    -------
    One row a case, index ``(choice, case)``: ``as it is``; ``lag`` 1, 2, 3, 5, 10 sessions;
    ``costs`` × 0, 1, 2, 5; ``rebalance day`` 0 to 20 sessions after the scheduled one; each
    ``asset left out``, its share going where the strategy's rule for an unlisted one says (flags
    still see it), no row where it has none; each ``year left out`` of the metrics. Columns
    of :func:`backtests.evidence.metrics.headline`; fractions, NaN where a metric is not defined.
    """
    rows = {case: headline(returns, run.bills, exposure) for case, returns, exposure in _cases(run)}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["choice", "case"])


def _cases(run: Run) -> Iterator[tuple[tuple[str, str], pd.Series, pd.Series]]:
    yield ("as it is", ""), run.result.returns, run.result.exposure
    for case, result in _simulated(run):
        yield case, result.returns, result.exposure
    returns, exposure = run.result.returns, run.result.exposure
    for year in np.unique(pd.DatetimeIndex(returns.index).year):
        kept = returns[pd.DatetimeIndex(returns.index).year != year]
        yield ("year left out", str(year)), kept, exposure


def _simulated(run: Run) -> Iterator[tuple[tuple[str, str], Result]]:
    index = pd.DatetimeIndex(run.result.equity.index)

    def traded(decided: pd.DataFrame, **changed: object) -> Result:
        config = run.config.model_copy(update=changed)
        return trade(config, run.strategy, run.history, decided, index)

    for lag in LAGS:
        yield ("lag", f"{lag} sessions"), traded(run.decided, lag=lag)
    for factor in COSTS:
        yield ("costs", f"× {factor}"), traded(run.decided, costs=run.config.costs.times(factor))
    weights = decide(run.strategy, run.reading, run.history.panel)
    for offset in OFFSETS:
        schedule = Schedule(every=run.config.schedule.every, offset=offset)
        config = run.config.model_copy(update={"schedule": schedule})
        when = decisions(config, run.strategy, run.state, index)
        yield ("rebalance day", f"+{offset} sessions"), traded(weights.loc[when])
    for asset in run.strategy.assets:
        without = _without(run, asset)
        if without is not None:
            yield ("asset left out", asset), traded(without)


def _without(run: Run, asset: str) -> pd.DataFrame | None:
    """Return what is decided as if an asset were not listed; None where it has no rule for that."""
    try:
        panel = run.history.panel.assign(**{asset: np.nan})
        weights = decide(run.strategy, run.reading, panel).loc[run.decided.index]
        check_weights(weights, run.strategy.name, run.strategy.gross_limit)
    except SimulationError:
        return None
    return weights
