"""The robustness of a run: how its metrics change if one choice is changed.

Judge the run by all rows, and do not select the best row. A good result in only one row is probably
luck.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from backtests.evidence.metrics import headline
from backtests.evidence.variation import check_kernel, varied_headline
from backtests.pipeline import decisions
from backtests.plural import number_of
from backtests.progress import Progress, counted, silent
from backtests.runs import Run
from signals.errors import SimulationError
from strategies import decide
from strategies.base import check_weights

LAGS = (1, 2, 3, 5, 10)
COSTS = (0, 1, 2, 5)
#: Delays of the rebalance day, in sessions. A month has about 21 sessions.
OFFSETS = tuple(range(0, 21, 2))

#: The metrics of :func:`backtests.evidence.metrics.headline`.
Row = dict[str, float]
#: A mapping from choice and case to a function. The function returns the metrics of the case, or
#: None if the strategy cannot be run.
Cases = dict[tuple[str, str], Callable[[], Row | None]]


def by_choice(run: Run, progress: Progress = silent) -> pd.DataFrame:
    """Return the metrics of a finished run after each change of one choice.

    Returns
    -------
    One row for each case, index ``(choice, case)``. The columns are the metrics of
    :func:`backtests.evidence.metrics.headline`, as fractions; NaN if a metric is undefined. The
    choices are:

    - ``as it is`` is the run without a change.

    - ``lag`` sets the lag to 1, 2, 3, 5 or 10 sessions.

    - ``costs`` multiplies all costs by 0, 1, 2 or 5.

    - ``rebalance day`` moves each scheduled decision to 0, 2, 4, … or 20 sessions after the last
      session of its month, quarter or week. With a daily schedule, these rows equal the run.

    - ``asset left out`` treats one asset as unlisted. Flags still use the prices of this asset. If
      the strategy has no rule for a missing asset, the table has no row for this asset.

    - ``year left out`` leaves one calendar year out of the metrics.

    If a case has the settings of the run, the row of the case repeats the metrics of the run.
    """
    check_kernel(run)
    cases = _terms(run) | _days(run) | _assets(run) | _years(run)
    rows = {case: cases[case]() for case in counted(cases, progress, "other choices")}
    found = {case: row for case, row in rows.items() if row is not None}
    return pd.DataFrame.from_dict(found, orient="index").rename_axis(["choice", "case"])


def unchanged(lag: int, offset: int) -> list[tuple[str, str]]:
    """Return the index ``(choice, case)`` of rows that equal a run with ``lag`` and ``offset``."""
    return [("lag", _lag(lag)), ("costs", _costs(1)), ("rebalance day", _offset(offset))]


def _lag(sessions: int) -> str:
    return number_of(sessions, "session")


def _costs(factor: int) -> str:
    return f"× {factor}"


def _offset(sessions: int) -> str:
    return f"+{sessions} sessions"


def _terms(run: Run) -> Cases:
    cases: Cases = {("as it is", ""): partial(varied_headline, run, run.decided)}
    for lag in LAGS:
        delayed = partial(varied_headline, run, run.decided, lag=lag)
        cases["lag", _lag(lag)] = delayed
    for factor in COSTS:
        costs = run.config.costs.times(factor)
        cases["costs", _costs(factor)] = partial(varied_headline, run, run.decided, costs=costs)
    return cases


def _days(run: Run) -> Cases:
    weights = decide(run.strategy, run.reading, run.history.panel)

    def row(offset: int) -> Row:
        schedule = replace(run.config.schedule, offset=offset)
        when = decisions(run.strategy, run.state, run.sessions, schedule)
        return varied_headline(run, weights.loc[when])

    return {("rebalance day", _offset(o)): partial(row, o) for o in OFFSETS}


def _assets(run: Run) -> Cases:
    def row(asset: str) -> Row | None:
        panel = run.history.panel.assign(**{asset: np.nan})
        try:
            weights = decide(run.strategy, run.reading, panel).loc[run.decided.index]
            check_weights(weights, run.strategy.name, run.strategy.gross_limit)
        except SimulationError:
            return None  # the strategy has no rule for an unlisted asset
        return varied_headline(run, weights)

    return {("asset left out", asset): partial(row, asset) for asset in run.strategy.assets}


def _years(run: Run) -> Cases:
    returns, exposure = run.result.returns, run.result.exposure
    years = pd.DatetimeIndex(returns.index).year

    def row(year: int) -> Row:
        return headline(returns[years != year], run.bills, exposure)

    return {("year left out", str(year)): partial(row, year) for year in np.unique(years)}
