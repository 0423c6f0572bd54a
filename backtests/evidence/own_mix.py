"""Portfolios that a strategy must beat, with the sessions and the cost rates of the strategy."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from backtests.config import Universe
from backtests.evidence.variation import check_kernel
from backtests.history.panel import History
from backtests.pipeline import strategy_and_weights, trade_curves
from backtests.runs import Run
from signals.regimes import Votes

#: Settings of a configuration that select the default regime model.
BY_VOTES: dict[str, Any] = {"regime_model": Votes.name, "labels": None, "regime": {}}


@dataclass(frozen=True, kw_only=True)
class Rival:
    """A portfolio for comparison: simple daily returns after costs, on the strategy's sessions.

    ``share`` is the weight of SPY in a constant mix, as a fraction; NaN for any other portfolio.
    """

    returns: pd.Series
    share: float = float("nan")


def mix_of(run: Run) -> Rival:
    """Return a constant mix of SPY and bills. The weight of SPY is a run's mean net exposure.

    If the mean net exposure is below 0, the weight of SPY is 0. If the mean net exposure is above
    1, the weight of SPY is 1. The mix has the run's sessions, costs and lag. The weight of SPY is
    known only at the end of the run.
    """
    check_kernel(run)  # the mix comes from the compiled simulation
    net = float(run.result.weights.sum(axis=1).iloc[1:].mean())
    share = min(max(net, 0.0), 1.0)
    return Rival(returns=rival_returns(run, "constant-mix", share=share), share=share)


def excess_of_mix(run: Run) -> pd.Series | None:
    """Return the daily returns of :func:`mix_of` minus bill returns; None if SPY has no price."""
    return mix_of(run).returns - run.bills if has_spy(run.history) else None


def has_spy(history: History) -> bool:
    """Return whether the history has a price of SPY, which each mix needs."""
    return "SPY" in history.closes and bool(history.closes["SPY"].notna().any())


def rival_returns(run: Run, name: str, **params: Any) -> pd.Series:
    """Return a baseline's returns on a run's sessions, with the run's costs and lag."""
    plain = {"strategy": name, "params": params, "universe": Universe(), **BY_VOTES}
    config = run.config.model_copy(update=plain)
    strategy, _, decided = strategy_and_weights(config, run.history, run.reading, run.sessions)
    return trade_curves(config, strategy, run.history, decided, run.sessions).returns
