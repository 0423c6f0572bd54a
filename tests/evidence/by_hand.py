"""Plain runs on a short history, and the gain of a run's timing from plain loops."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from backtests.config_data import config_from
from backtests.history.panel import History
from backtests.pipeline import run
from backtests.runs import Run
from signals.universe import UNIVERSE

FITTED = "cash-heavy@markov_switching"
NAMES = ("near-cash-flow", FITTED, "spy", "cash-heavy@quantities", "trend")
#: The history is so short that every shift is drawn. The lag is not the default.
START, LAG, DRAWS = "2021-03-01", 2, 2
TERMS = {"start": START, "lag": LAG}


def plain_run(history: History, name: str, **more: Any) -> Run:
    return run(config_from({"strategy": name, **TERMS, **more}), history)


def held_by_hand(decided: pd.DataFrame, index: pd.DatetimeIndex, lag: int) -> np.ndarray:
    """Return the weights at each close from the first fill on.

    They are those of the last decision that is at least ``lag`` sessions old.
    """
    held = []
    for at in range(lag, len(index)):
        old = decided[decided.index <= index[at - lag]]
        held.append(old.iloc[-1].to_numpy(dtype=float))
    return np.array(held)


class Market(NamedTuple):
    """Data from the first fill on: growth of prices, existence of prices, bills, costs of trades.

    ``moves`` and ``priced`` are sessions × assets.
    """

    moves: np.ndarray
    priced: np.ndarray
    bills: np.ndarray
    rates: np.ndarray


def market_of(run: Run, assets: list[str]) -> Market:
    index = run.result.equity.index[run.config.lag :]
    closes = run.history.closes.loc[index, assets].to_numpy()
    moves = np.ones_like(closes)
    for column in range(len(assets)):
        last = np.nan
        for t, price in enumerate(closes[:, column]):
            if not np.isnan(price):
                moves[t, column] = 1.0 if np.isnan(last) else price / last
                last = price
    points = {"etf": 2e-4, "stock": 5e-4, "crypto": 20e-4}
    rates = np.array([points[UNIVERSE[a].market] for a in assets])
    return Market(moves, ~np.isnan(closes), run.result.bills.loc[index].to_numpy(), rates)


def daily_sharpe(held: np.ndarray, market: Market) -> np.ndarray:
    """Return one Sharpe ratio for each table of weights; ``held`` is sessions × assets × tables."""
    left, excess = np.ones(held.shape[2]), []
    for t in range(1, len(held)):
        grown = held[t - 1] * market.moves[t][:, None]
        cash = 1 + market.bills[t]
        value = grown.sum(axis=0) + (1 - held[t - 1].sum(axis=0)) * cash
        paid = market.rates @ np.abs(held[t] - grown / value)
        excess.append(((value - cash) / left + cash) * (1 - paid) - cash)
        left = 1 - paid
    every = np.array(excess)
    return np.asarray(every.mean(axis=0) / every.std(axis=0, ddof=1) * np.sqrt(252))


def gains_of(held: np.ndarray, market: Market) -> np.ndarray:
    """Return, for each table of weights, its Sharpe ratio minus that of its mean weights."""
    priced = market.priced[:, :, None]
    held = held * priced
    mean = held.sum(axis=0) / priced.sum(axis=0)
    return np.asarray(daily_sharpe(held, market) - daily_sharpe(priced * mean, market))


def gain_of(run: Run) -> float:
    index = pd.DatetimeIndex(run.result.equity.index)
    held = held_by_hand(run.decided, index, run.config.lag)
    return float(gains_of(held[:, :, None], market_of(run, list(run.decided.columns)))[0])
