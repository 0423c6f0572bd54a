"""The weights and the turnover of a portfolio through time."""

import pandas as pd

from backtests.engine.simulate import Result
from backtests.evidence.metrics import traded
from signals.universe import CLASSES, OwnClasses, class_of

#: Name of the sleeve of cash.
CASH = "cash"


def held_by_class(result: Result, own: OwnClasses) -> pd.DataFrame:
    """Return the weights at each close, sessions × asset classes, with ``cash`` last.

    Weights are fractions of equity after the session's trades. Short positions have negative
    weights. Cash includes the proceeds of short sales, so each row adds up to 1. An asset class
    that was never held has no column. The columns have the order of
    :data:`signals.universe.CLASSES`, followed by all other classes. ``own`` holds the tickers of
    the classes that a user changed.
    """
    weights = result.weights.fillna(0.0)
    kinds = {ticker: class_of(str(ticker), own) for ticker in weights}
    columns = {}
    for name in dict.fromkeys([*CLASSES, *kinds.values()]):
        mine = weights[[ticker for ticker, kind in kinds.items() if kind == name]]
        if (mine != 0).any(axis=None):
            columns[name] = mine.sum(axis=1)
    return pd.DataFrame(columns | {CASH: 1.0 - weights.sum(axis=1)}, index=weights.index)


def traded_by_session(result: Result) -> pd.Series:
    """Return each session's turnover Σ|Δw| / 2 as a fraction of equity; 0 if there is no order.

    :func:`backtests.evidence.metrics.traded` defines |Δw|.
    """
    days = pd.DatetimeIndex(result.orders["date"])
    halves = pd.Series(traded(result).to_numpy(dtype="float64") / 2, index=days)
    found: pd.Series = halves.groupby(level=0).sum().reindex(result.equity.index, fill_value=0.0)
    return found
