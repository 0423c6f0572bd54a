"""The robustness of a run: the run's metrics with one choice changed at a time.

Do not select the best row. A result that appears in only one row is luck.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from backtests.evidence.metrics import headline
from backtests.evidence.variation import check_kernel, varied_headline
from backtests.pipeline import decisions
from backtests.runs import Run
from signals.errors import SimulationError
from strategies import decide
from strategies.base import check_weights

LAGS = (1, 2, 3, 5, 10)
COSTS = (0, 1, 2, 5)
#: Delays of the rebalance day, sessions. A month has about 21 sessions.
OFFSETS = tuple(range(0, 21, 2))

#: A mapping from choice and case to the figures of :func:`backtests.evidence.metrics.headline`.
Rows = dict[tuple[str, str], dict[str, float]]


def robustness(run: Run) -> pd.DataFrame:
    """Return the metrics of a finished run with one choice changed at a time.

    Returns
    -------
    One row for each case, index ``(choice, case)``. The columns are the metrics of
    :func:`backtests.evidence.metrics.headline`, fractions; NaN if a metric is undefined. The
    choices are:

    - ``as it is``: the run without a change;
    - ``lag``: 1, 2, 3, 5 or 10 sessions;
    - ``costs``: all costs × 0, 1, 2 or 5;
    - ``rebalance day``: 0 to 20 sessions after the scheduled session;
    - ``asset left out``: one asset at a time. The strategy treats the asset as unlisted, but flags
      still use its prices. These rows are missing if the strategy has no rule for unlisted assets;
    - ``year left out``: one calendar year at a time is left out of the metrics.

    A case that equals the run takes its metrics from the run.
    """
    check_kernel(run)
    rows: Rows = {("as it is", ""): varied_headline(run, run.decided)}
    for lag in LAGS:
        rows["lag", f"{lag} sessions"] = varied_headline(run, run.decided, lag=lag)
    for factor in COSTS:
        costs = run.config.costs.times(factor)
        rows["costs", f"× {factor}"] = varied_headline(run, run.decided, costs=costs)
    rows |= _days(run) | _assets(run) | _years(run)
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["choice", "case"])


def _days(run: Run) -> Rows:
    weights = decide(run.strategy, run.reading, run.history.panel)
    rows: Rows = {}
    for offset in OFFSETS:
        schedule = replace(run.config.schedule, offset=offset)
        config = run.config.model_copy(update={"schedule": schedule})
        when = decisions(config, run.strategy, run.state, run.sessions)
        rows["rebalance day", f"+{offset} sessions"] = varied_headline(run, weights.loc[when])
    return rows


def _assets(run: Run) -> Rows:
    rows: Rows = {}
    for asset in run.strategy.assets:
        panel = run.history.panel.assign(**{asset: np.nan})
        try:
            weights = decide(run.strategy, run.reading, panel).loc[run.decided.index]
            check_weights(weights, run.strategy.name, run.strategy.gross_limit)
        except SimulationError:
            continue  # the strategy has no rule for an unlisted asset
        rows["asset left out", asset] = varied_headline(run, weights)
    return rows


def _years(run: Run) -> Rows:
    returns, exposure = run.result.returns, run.result.exposure
    rows: Rows = {}
    for year in np.unique(pd.DatetimeIndex(returns.index).year):
        kept = returns[pd.DatetimeIndex(returns.index).year != year]
        rows["year left out", str(year)] = headline(kept, run.bills, exposure)
    return rows
