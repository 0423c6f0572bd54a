"""Cases for the engine, the ledger's equity for a case, and the difference between two curves.

The engine, the compiled simulation and the ledger (`tests/reference/ledger.py`) simulate the same
:class:`Case`. The ledger does not use vectorbt.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from backtests import pipeline
from backtests.calendar import sessions
from backtests.config_data import config_from
from backtests.engine.costs import Costs
from backtests.engine.kernel import Curves, simulate_curves
from backtests.engine.simulate import Result, simulate
from backtests.history.panel import History
from backtests.window import window
from signals.errors import SimulationError
from strategies import STRATEGIES
from tests.reference import ledger

SESSIONS = sessions(pd.Timestamp("2021-01-04"), pd.Timestamp("2022-06-30"))
ASSETS = ["SPY", "MU", "BTC-USD", "NVDA"]
USUAL = Costs()
FREE = USUAL.times(0)
DEAR = Costs(etf_bp=50, stock_bp=100, crypto_bp=200, borrow_stock=0.3, borrow_crypto=1.0)
COSTS = {"usual": USUAL, "none": FREE, "dear": DEAR}

Curve = pd.Series | np.ndarray | list[float]
T = TypeVar("T")


@dataclass(frozen=True)
class Case:
    """The input of a simulation."""

    weights: pd.DataFrame
    prices: pd.DataFrame
    bills: pd.Series
    costs: Costs = USUAL
    lag: int = 1
    band: float = 0.0
    capital: float = 250_000.0
    gross_limit: float = 1.0

    def engine(self) -> Result:
        """Return the result of the engine, with vectorbt's record of all orders. It is kept."""
        return self._result

    def curves(self) -> Curves:
        """Return the result of the compiled simulation."""
        return simulate_curves(**self._terms)

    def ledger(self) -> tuple[list[float], list[ledger.Order]]:
        """Return the ledger's equity at each close, and its orders."""
        return ledger.run(
            by_date(self.weights), self._closes, self._earned, self.rates, self._borrow,
            self.capital, self.lag, self.band, self.gross_limit,
        )  # fmt: skip

    def rebuilt(self, orders: pd.DataFrame) -> tuple[list[float], list[float]]:
        """Return the equity and the returns that the ledger computes from orders."""
        rows = [ledger.Order(at.date(), *row) for at, *row in orders.itertuples(index=False)]
        return ledger.rebuild(rows, self._closes, self._earned, self.capital, self._borrow)

    @property
    def rates(self) -> dict[str, float]:
        """The cost of a trade in each asset, as a fraction of the value traded."""
        return {asset: self.costs.rate(asset) for asset in self.weights.columns}

    @cached_property
    def _result(self) -> Result:
        return simulate(**self._terms)

    @property
    def _terms(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def _closes(self) -> dict[date, dict[str, float]]:
        return by_date(self.prices[list(self.weights.columns)])

    @property
    def _earned(self) -> dict[date, float]:
        return {at.date(): value for at, value in zip(self.bills.index, self.bills, strict=True)}

    @property
    def _borrow(self) -> dict[str, float]:
        return {asset: self.costs.borrow(asset) for asset in self.weights.columns}


def by_date(frame: pd.DataFrame) -> dict[date, dict[str, float]]:
    """Return the rows of a table by date, each as a dict of its columns."""
    rows = frame.to_numpy().tolist()
    return {
        at.date(): dict(zip(frame.columns, row, strict=True))
        for at, row in zip(frame.index, rows, strict=True)
    }


def gap(a: Curve, b: Curve) -> float:
    """Return the largest relative difference between two curves of equity."""
    return float(np.max(np.abs(np.asarray(a) / np.asarray(b) - 1)))


def answer(simulation: Callable[[], T]) -> T | str:
    """Return the result of a simulation, or the message of its error."""
    try:
        return simulation()
    except SimulationError as error:
        return str(error)


# --- The decisions of each strategy ----------------------------------------------------------


def cases_of(history: History, start: str) -> dict[str, Case]:
    """Return, for each strategy, the decisions of a default run and the market."""
    configs = {name: config_from({"strategy": name, "start": start}) for name in STRATEGIES}
    reading = pipeline.read(configs["spy"], history)
    index = window(configs["spy"], history, reading)
    cases = {}
    for name, config in configs.items():
        strategy, _, decided = pipeline.strategy_and_weights(config, history, reading, index)
        case = pipeline.simulation_terms(config, strategy, history, decided, index)
        cases[name] = Case(**{key: case[key] for key in case if key != "name"})
    return cases


# --- Made-up weights and prices --------------------------------------------------------------


def market(n: int = 90, seed: int = 7) -> tuple[pd.DataFrame, pd.Series]:
    """Return random prices and bill returns of n sessions."""
    random = np.random.default_rng(seed)
    steps = random.normal(0.0003, 0.03, (n, len(ASSETS)))
    prices = pd.DataFrame(80 * np.exp(steps.cumsum(axis=0)), index=SESSIONS[:n], columns=ASSETS)
    return prices, pd.Series(random.uniform(0, 4e-4, n), index=prices.index)


def steady(prices: pd.DataFrame, *rows: dict[str, float], every: int = 5) -> pd.DataFrame:
    """Return decisions that repeat the given rows of weights in turn."""
    index = prices.index[::every]
    table = [rows[i % len(rows)] for i in range(len(index))]
    return pd.DataFrame(table, index=index, columns=prices.columns).fillna(0.0)


def decisions(rows: dict[int, list[int]], most: float) -> pd.DataFrame:
    """Return weights of mixed sign with a gross exposure of at most ``most``."""
    table = pd.DataFrame(rows.values(), index=SESSIONS[list(rows)], columns=ASSETS).sort_index()
    table = table * [0.1, 0.097, 0.083, 0.071]
    return table.div(table.abs().sum(axis=1).clip(lower=most), axis=0) * most


LONG_AND_SHORT = st.lists(st.integers(-10, 10), min_size=4, max_size=4)
LONG = st.lists(st.integers(0, 10), min_size=4, max_size=4)
#: A gap in the prices: first position, length and column.
HOLES = st.tuples(st.integers(0, 89), st.integers(1, 30), st.integers(0, 3))


@st.composite
def any_case(draw: st.DrawFn) -> Case:
    """Draw weights, prices with gaps, listings and delistings, costs and other terms."""
    rows = draw(st.sampled_from([LONG, LONG_AND_SHORT]))
    table = draw(st.dictionaries(st.integers(0, 89), rows, min_size=1, max_size=20))
    prices, bills = market(seed=draw(st.integers(0, 3)))
    for first, length, column in draw(st.lists(HOLES, max_size=5)):
        prices.iloc[first : first + length, column] = np.nan
    limit = draw(st.sampled_from([1.0, 1.7]))
    weights = decisions(table, most=min(limit, draw(st.sampled_from([0.6, 1.0, 1.7]))))
    return Case(
        weights.where(weights.sum(axis=1) <= 1, weights / 2),
        prices,
        bills,
        COSTS[draw(st.sampled_from(list(COSTS)))],
        lag=draw(st.sampled_from([1, 2, 5, 40, 500])),
        band=draw(st.sampled_from([0.0, 0.02, 0.2])),
        capital=draw(st.sampled_from([1.0, 250_000.0, 1e12])),
        gross_limit=limit,
    )
