"""Simulate many configurations of one market in one call, and measure each configuration.

:func:`simulate_many` follows the rules of :func:`backtests.engine.simulate.simulate`. The function
uses the compiled loops in :mod:`backtests.engine.loops`.
:func:`backtests.engine.kernel.check_agreement` compares these loops with ``simulate``.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from backtests.engine.batch import Batch, Variant, batch_of, reason, room_of
from backtests.engine.inputs import ruin
from backtests.engine.simulate import CAPITAL
from signals.errors import ConfigError
from strategies.base import SESSIONS_A_YEAR

if TYPE_CHECKING:
    from backtests.engine.loops import Room
    from backtests.engine.measures import Calendar, Figures

#: Number of configurations that a thread simulates at a time, at most ``measures.LANES``.
TOGETHER = 32


@dataclass(frozen=True, kw_only=True, eq=False)
class Many:
    """The figures of many simulated configurations, in the order of the configurations.

    If a configuration cannot be simulated, its figures are NaN and ``refused`` contains the reason.

    Attributes
    ----------
    metrics
        One row for each configuration. ``total_return``, ``cagr``, ``volatility``, ``sharpe``,
        ``max_drawdown``, ``exposure``, ``turnover`` and ``costs`` have the formulas and units of
        :mod:`backtests.evidence.metrics`. Yearly metrics are computed even for less than a year of
        returns. ``sessions`` is the number n of daily returns, and ``trades`` the number of
        sessions with a trade. ``skewness``, ``kurtosis`` (3 for a normal distribution) and
        ``autocorrelation`` (of consecutive sessions) describe daily returns minus the return of
        bills. As in the probabilistic Sharpe ratio, the formulas of ``skewness``, ``kurtosis`` and
        ``autocorrelation`` divide sums by n instead of n − 1.
    moments
        An array of configurations × blocks × 3. An excess return is a daily return minus the return
        of bills. The three numbers describe the excess returns of a block: their count, their sum,
        and the sum of their squares. The blocks are consecutive, with the sizes that
        :func:`numpy.array_split` gives.
    monthly
        Return of the portfolio in each month minus the return of bills: configurations × calendar
        months, float32. The first and the last month can be incomplete.
    equity
        Value at each close in USD: configurations × sessions. None if ``keep_equity`` is False.
    refused
        A mapping from position to error message, for each configuration that cannot be simulated.
        The error message is the same as in the SimulationError that ``simulate`` raises.
    """

    metrics: pd.DataFrame
    moments: np.ndarray
    monthly: pd.DataFrame
    equity: pd.DataFrame | None
    refused: dict[int, str]


def simulate_many(
    variants: Sequence[Variant],
    prices: pd.DataFrame,
    bills: pd.Series,
    *,
    capital: float = CAPITAL,
    threads: int = 1,
    blocks: int = 16,
    keep_equity: bool = False,
    name: str = "weights",
) -> Many:
    """Return the figures of many configurations that trade in one market.

    Parameters
    ----------
    variants
        The configurations. A configuration has no figures if its costs, lag, band or weights are
        invalid, or if its portfolio's value falls to 0 USD or below. An invalid configuration does
        not affect the other configurations.
    prices, bills, capital, name
        As in :func:`backtests.engine.simulate.simulate`.
    threads
        Number of threads. The figures are exactly the same for any number of threads.
    blocks
        Number of blocks of consecutive returns in ``Many.moments``.
    keep_equity
        Whether to return equity, which takes 8 bytes for each configuration and session.

    Raises
    ------
    SimulationError
        Raised if the prices, the bills or the capital are invalid.
    ConfigError
        Raised if ``threads`` or ``blocks`` is below 1.
    """
    for what, number in (("threads", threads), ("blocks", blocks)):
        if number < 1:
            raise ConfigError(f"expected `{what}` of at least 1, was {number!r}")
    batch = batch_of(variants, prices, bills, capital, name)
    results = _Results.of(batch, blocks, keep_equity)
    _run(batch, results, threads)
    refused = dict(batch.refused)
    for row, i in enumerate(batch.accepted.tolist()):
        day = int(results.figures.ruined[row])
        if results.refused[row]:
            refused[i] = reason(variants[i], prices, bills, capital, name)
        elif day >= 0:
            refused[i] = str(ruin(pd.Timestamp(batch.bills.index[day]), name))
    return results.many(len(variants), refused)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Results:
    """The figures of the accepted configurations, whose positions are in ``batch.accepted``."""

    batch: Batch
    months: pd.PeriodIndex
    calendar: "Calendar"
    figures: "Figures"
    refused: np.ndarray
    equity: np.ndarray | None

    @classmethod
    def of(cls, batch: Batch, blocks: int, keep_equity: bool) -> "_Results":
        """Return empty arrays for the figures of all accepted configurations."""
        from backtests.engine.measures import MEASURES, Calendar, Figures

        index, count = pd.DatetimeIndex(batch.bills.index), len(batch.accepted)
        month = index[1:].to_period("M")
        ends = np.flatnonzero(np.append(month[1:] != month[:-1], True)[: len(month)]) + 1
        return cls(
            batch=batch,
            months=month[ends - 1],
            calendar=Calendar(
                growth=batch.market.growth,
                bills=np.array(batch.bills, dtype=np.float64),
                months=np.append(0, ends),
                year=float(SESSIONS_A_YEAR),
            ),
            figures=Figures(
                metrics=np.empty((count, len(MEASURES))),
                moments=np.empty((count, blocks, 3)),
                monthly=np.empty((count, len(ends)), dtype=np.float32),
                ruined=np.empty(count, dtype=np.int64),
            ),
            refused=np.empty(count, dtype=bool),
            equity=np.empty((count, len(index))) if keep_equity else None,
        )

    def many(self, count: int, refused: dict[int, str]) -> Many:
        """Return all figures. If a configuration is refused, its figures are NaN."""
        from backtests.engine.measures import MEASURES

        def spread(rows: np.ndarray) -> np.ndarray:
            everything = np.full((count, *rows.shape[1:]), np.nan, dtype=rows.dtype)
            everything[self.batch.accepted] = rows
            if refused:
                everything[list(refused)] = np.nan
            return everything

        index, figures = self.batch.bills.index, self.figures
        return Many(
            metrics=pd.DataFrame(spread(figures.metrics), columns=list(MEASURES)),
            moments=spread(figures.moments),
            monthly=pd.DataFrame(spread(figures.monthly), columns=self.months),
            equity=None
            if self.equity is None
            else pd.DataFrame(spread(self.equity), columns=index),
            refused=dict(sorted(refused.items())),
        )


def _run(batch: Batch, results: _Results, threads: int) -> None:
    """Write the results. Each free thread takes the next group of configurations."""
    firsts = iter(range(0, len(batch.accepted), TOGETHER))
    if threads == 1:
        _work(batch, results, firsts)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda _: _work(batch, results, firsts), range(threads)))


def _work(batch: Batch, results: _Results, firsts: Iterator[int]) -> None:
    """Write the results of the groups of configurations that one thread takes.

    All groups of a thread use the same arrays. Only the last group can need smaller arrays.
    """
    room = room_of(batch, min(TOGETHER, len(results.refused)), daily=False)
    for first in firsts:
        count = min(TOGETHER, len(results.refused) - first)
        if count < len(room.refused):
            room = room_of(batch, count, daily=False)
        _some(batch, results, room, first)


def _some(batch: Batch, results: _Results, room: "Room", first: int) -> None:
    """Write the results of one group of configurations, which starts at position ``first``.

    ``room`` has one row for each configuration of the group.
    """
    from backtests.engine.loops import trade
    from backtests.engine.measures import Figures, measure

    rows = slice(first, first + len(room.refused))
    trade(batch.market, batch.frames, batch.terms, room, first)
    figures = Figures(*(figure[rows] for figure in results.figures))
    measure(results.calendar, room.value, room.totals, figures)
    results.refused[rows] = room.refused
    if results.equity is not None:
        results.equity[rows] = room.value.T
