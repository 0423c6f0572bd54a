"""The simulation of many configurations, and the figures that a sweep keeps of each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.engine.kernel import simulate_curves
from backtests.evidence.metrics import cagr, max_drawdown, sharpe, volatility
from backtests.sweep.case import Case
from backtests.sweep.setting import Setting

#: Number of blocks of consecutive sessions whose moments are kept, for the probability of
#: backtest overfitting. Sixteen blocks give 12,870 ways to split the history into halves.
BLOCKS = 16
#: Metrics that a sweep keeps of each configuration.
METRICS = ("sharpe", "cagr", "volatility", "max_drawdown", "turnover", "costs", "exposure")


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What a sweep keeps of each simulated configuration.

    Attributes
    ----------
    metrics
        Configurations × :data:`METRICS`, as in :mod:`backtests.evidence.metrics`.
    moments
        Configurations × :data:`BLOCKS` × moments of the daily excess returns of a block.
    monthly
        Configurations × months: the return over bills of each calendar month, fractions.
    """

    metrics: pd.DataFrame
    moments: np.ndarray
    monthly: np.ndarray


def simulated(
    case: Case, settings: Sequence[Setting], decided: Sequence[pd.DataFrame], threads: int
) -> Figures:
    """Return the figures of configurations, in the given order, from the compiled engine."""
    rows, moments, monthly = [], [], []
    for s, w in zip(settings, decided, strict=True):
        c = simulate_curves(
            w,
            case.closes,
            case.bills,
            s.costs,
            s.lag,
            band=s.band,
            capital=case.capital,
            gross_limit=s.strategy.gross_limit,
            name=s.strategy.name,
        )
        r, b = c.returns, c.bills.reindex(c.returns.index)
        years = len(r) / 252
        rows.append(
            {
                "sharpe": sharpe(r, b),
                "cagr": cagr(r),
                "volatility": volatility(r),
                "max_drawdown": max_drawdown(r).depth,
                "turnover": c.traded.sum() / 2 / years,
                "costs": c.costs.sum() / c.equity.mean() / years,
                "exposure": float(c.exposure.iloc[1:].mean()),
            }
        )
        e = r - b
        parts = np.array_split(e.to_numpy(), BLOCKS)
        moments.append([[len(p), p.sum(), (p**2).sum()] for p in parts])
        period = pd.DatetimeIndex(r.index).to_period("M")
        monthly.append(((1 + r).groupby(period).prod() - (1 + b).groupby(period).prod()).to_numpy())
    return Figures(metrics=pd.DataFrame(rows), moments=np.array(moments), monthly=np.array(monthly))


def check_base(case: Case, base: "Run") -> None:
    from backtests.evidence.variation import check_kernel

    check_kernel(base)
