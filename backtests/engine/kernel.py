"""The kernel: a compiled and fast simulation for the variations of a run.

A variation needs daily figures, but no list of orders and no vectorbt portfolio.
:func:`simulate_curves` follows the rules of :func:`backtests.engine.simulate.simulate`, but takes
about a tenth of the time. The headline numbers of a run always come from ``simulate``. Before a
command uses the kernel, :func:`check_agreement` compares the kernel with ``simulate`` on one
portfolio.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.engine.costs import Costs, units_owed
from backtests.engine.inputs import Inputs, check_solvent, checked
from backtests.engine.schedule import BAND, lost_prices
from backtests.engine.simulate import CAPITAL, Result
from signals.errors import SimulationError

#: Largest relative difference of equity between the kernel and ``simulate`` on one portfolio.
AGREEMENT = 1e-9


@dataclass(frozen=True, kw_only=True)
class Curves:
    """The daily figures of a simulated portfolio, without its orders.

    Attributes
    ----------
    equity, returns, exposure, bills
        Four series, as described in :class:`backtests.engine.simulate.Result`.
    traded
        Value of all orders of a session divided by equity at its close, a fraction. Half of the sum
        over all sessions is the turnover.
    costs
        Costs of all orders of a session, USD.
    """

    equity: pd.Series
    returns: pd.Series
    exposure: pd.Series
    traded: pd.Series
    costs: pd.Series
    bills: pd.Series


def simulate_curves(
    weights: pd.DataFrame,
    prices: pd.DataFrame,
    bills: pd.Series,
    costs: Costs,
    lag: int = 1,
    *,
    band: float = BAND,
    capital: float = CAPITAL,
    gross_limit: float = 1.0,
    name: str = "weights",
) -> Curves:
    """Return the daily figures of a portfolio that trades to target weights.

    The parameters, the rules and the errors are those of
    :func:`backtests.engine.simulate.simulate`. The first simulation on a machine compiles the
    loops, which takes some seconds.
    """
    terms = {"band": band, "capital": capital, "gross_limit": gross_limit}
    given = checked(weights, prices, bills, lag, **terms, name=name)
    growth = (1 + given.bills.to_numpy()).cumprod()
    last = np.array(given.closes.ffill(), dtype=np.float64, order="C")
    sizes = _sizes(given, last, growth, lag, band, gross_limit)
    legs = list(_legs(sizes, last, growth, given.closes, costs))
    figures = _figures(legs, len(last), capital)
    return _curves(figures, growth, given.bills, name)


def check_agreement(curves: Curves, result: Result, name: str) -> None:
    """Raise SimulationError unless the kernel and ``simulate`` give equal equity.

    The two equities may differ by a fraction of at most :data:`AGREEMENT` at each close.
    """
    gap = (curves.equity / result.equity - 1).abs()
    apart = gap.index[~(gap <= AGREEMENT)]
    if len(apart):
        raise SimulationError(
            f"{name}: expected equity of the compiled simulation within {AGREEMENT:g} of "
            f"vectorbt's, but the difference is up to {gap.max():.2g}, first on "
            f"{apart[0].date()}; install the declared versions of numba and vectorbt, or report "
            "this defect"
        )


def _sizes(
    given: Inputs, last: np.ndarray, growth: np.ndarray, lag: int, band: float, gross_limit: float
) -> np.ndarray:
    """Return the target weight of each trade, sessions × assets; NaN without a trade."""
    from backtests.engine import loops

    index = given.closes.index
    decided = np.zeros(last.shape)
    at = index.get_indexer(given.targets.index)
    decided[at] = given.targets.to_numpy()
    decides = np.zeros(len(index), dtype=bool)
    decides[at] = True
    lost = np.array(lost_prices(given.closes), order="C")
    priced = np.array(given.closes.notna(), dtype=bool, order="C")
    terms = (min(int(lag), len(index)), float(band), float(gross_limit))
    return loops.choose(decided, decides, last, priced, lost, growth, terms)


@dataclass(frozen=True, kw_only=True)
class _Leg:
    """The long or the short side of an asset: target weights, deflated prices, cost of a trade."""

    group: int
    sizes: np.ndarray
    prices: np.ndarray
    fee: float


def _legs(
    sizes: np.ndarray, last: np.ndarray, growth: np.ndarray, closes: pd.DataFrame, costs: Costs
) -> Iterator[_Leg]:
    """Yield the legs of each asset; the short leg comes first, as in ``simulate``."""
    for group, asset in enumerate(closes.columns):
        size, price, fee = sizes[:, group], last[:, group], costs.rate(asset)
        if (size < 0).any():
            owed = units_owed(pd.DatetimeIndex(closes.index), costs, asset)
            short = np.minimum(size, 0.0)
            yield _Leg(group=group, sizes=short, prices=price * owed / growth, fee=fee)
        yield _Leg(group=group, sizes=np.maximum(size, 0.0), prices=price / growth, fee=fee)


def _figures(legs: list[_Leg], sessions: int, capital: float) -> np.ndarray:
    """Return the figures of :func:`backtests.engine.loops.trade`."""
    from backtests.engine import loops

    return loops.trade(
        _table([leg.sizes for leg in legs], sessions),
        _table([leg.prices for leg in legs], sessions),
        np.array([leg.fee for leg in legs], dtype=np.float64),
        np.array([leg.group for leg in legs], dtype=np.int64),
        float(capital),
    )


def _table(columns: list[np.ndarray], sessions: int) -> np.ndarray:
    """Return the columns as one table, in the layout for which the loops are compiled."""
    return np.ascontiguousarray(np.reshape(columns, (-1, sessions)).T, dtype=np.float64)


def _curves(figures: np.ndarray, growth: np.ndarray, bills: pd.Series, name: str) -> Curves:
    """Return the figures in USD and as fractions of equity."""
    index = bills.index
    value, gross, traded, paid = figures.T
    equity = pd.Series(value * growth, index=index, name="equity")
    check_solvent(equity, name)
    return Curves(
        equity=equity,
        returns=equity.pct_change().iloc[1:].rename("returns"),
        exposure=pd.Series(gross / value, index=index, name="exposure"),
        traded=pd.Series(traded / value, index=index, name="traded"),
        costs=pd.Series(paid * growth, index=index, name="costs"),
        bills=bills,
    )
