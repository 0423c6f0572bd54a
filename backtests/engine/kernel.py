"""The kernel: a compiled and fast simulation for the variations of a run.

A variation repeats a run with changed decisions or settings. A variation needs the daily figures of
the portfolio, but no list of orders. :func:`simulate_curves` follows the rules of
:func:`backtests.engine.simulate.simulate`, but takes about a tenth of the time. The headline
numbers of a run always come from ``simulate``. Before a command uses the kernel,
:func:`check_agreement` compares the kernel with ``simulate`` on one portfolio.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from backtests.engine.batch import Batch, Variant, batch_of, reason, room_of
from backtests.engine.costs import Costs
from backtests.engine.inputs import check_solvent
from backtests.engine.schedule import BAND
from backtests.engine.simulate import CAPITAL, Result
from signals.errors import SimulationError

if TYPE_CHECKING:
    from backtests.engine.loops import Room

#: Largest accepted relative difference between the equity of the kernel and of ``simulate``.
AGREEMENT = 1e-9


@dataclass(frozen=True, kw_only=True)
class Curves:
    """The daily figures of a simulated portfolio, without its orders.

    Attributes
    ----------
    equity, returns, exposure, bills
        Four series, as described in :class:`backtests.engine.simulate.Result`.
    traded
        Value of all orders of a session, divided by equity at the session's close. The turnover is
        half of the sum of ``traded`` over all sessions.
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
    """Return the daily figures of a portfolio that follows target weights.

    The parameters, the rules and the errors are those of
    :func:`backtests.engine.simulate.simulate`. The first simulation on a machine compiles the
    loops, which takes some seconds.
    """
    variant = Variant(weights=weights, costs=costs, lag=lag, band=band, gross_limit=gross_limit)
    return simulate_variants([variant], prices, bills, capital=capital, name=name)[0]


def simulate_variants(
    variants: Sequence[Variant],
    prices: pd.DataFrame,
    bills: pd.Series,
    *,
    capital: float,
    name: str,
) -> list[Curves]:
    """Return the daily figures of each variant, in the order of the variants.

    The arrays of the market are built once for all portfolios. The other parameters and the errors
    are those of :func:`simulate_curves`.
    """
    from backtests.engine import loops

    batch = batch_of(variants, prices, bills, capital, name)
    for message in batch.refused.values():
        raise SimulationError(message)
    room = room_of(batch, len(variants), daily=True)
    loops.trade(batch.market, batch.frames, batch.terms, room, 0)
    for row in np.flatnonzero(room.refused).tolist():
        raise SimulationError(reason(variants[row], prices, bills, capital, name))
    return [_curves(batch, room, row, name) for row in range(len(variants))]


def check_agreement(equity: pd.Series, result: Result, name: str) -> None:
    """Raise SimulationError unless the kernel and ``simulate`` give almost equal equity.

    ``equity`` is the kernel's equity, and ``result`` the result of ``simulate``. At each close, the
    relative difference of the two equity values may be at most :data:`AGREEMENT`.
    """
    gap = (equity / result.equity - 1).abs()
    apart = gap.index[~(gap <= AGREEMENT)]
    if len(apart):
        raise SimulationError(
            f"{name}: expected equity of the compiled simulation within {AGREEMENT:g} of "
            f"vectorbt's equity, but some differences are larger, first on {apart[0].date()} (the "
            f"largest difference is {gap.max():.2g}); install the declared versions of numba and "
            "vectorbt, or report this defect"
        )


def _curves(batch: Batch, room: "Room", row: int, name: str) -> Curves:
    """Return the daily figures of one portfolio in USD and as fractions of equity."""
    index = batch.bills.index
    equity = pd.Series(room.value[:, row] * batch.market.growth, index=index, name="equity")
    check_solvent(equity, name)
    return Curves(
        equity=equity,
        returns=equity.pct_change().iloc[1:].rename("returns"),
        exposure=pd.Series(room.exposed[:, row], index=index, name="exposure"),
        traded=pd.Series(room.traded[row], index=index, name="traded"),
        costs=pd.Series(room.paid[row], index=index, name="costs"),
        bills=batch.bills,
    )
