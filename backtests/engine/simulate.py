"""The simulation of a portfolio with vectorbt, which does the accounting.

vectorbt has no interest on cash, no borrowing costs and no rule for missing prices. The simulation
therefore changes the prices that vectorbt receives, in three ways:

- Idle cash earns the return of bills. Every price is deflated: it is divided by the growth of bills
  since the start. At deflated prices, idle cash earns nothing. Afterwards, the results are
  multiplied by the growth of bills, so idle cash has earned the return of bills.

- Borrowing has a cost. A short position has its own column. The price in this column is the value
  of a debt. Besides the change of the asset's price, the debt grows at each session by the
  borrowing cost since the previous session: debt · rate · days / 365.

- A price can be missing. An asset without a price on a session keeps its last price as its value,
  and is not traded.

:mod:`backtests.engine.schedule` chooses the trades before the simulation. Orders are filled at the
close, sorted by value: the largest sale first, the largest purchase last. Orders of equal value are
filled in the order of their columns. Target weights are fractions of the portfolio's value before
costs. If a purchase and its cost exceed the cash, the purchase is reduced until the cash is enough.
"""

import sys
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from backtests.engine.costs import Costs, units_owed
from backtests.engine.inputs import check_costs, check_solvent, checked, growth_of_bills
from backtests.engine.portfolio import Account
from backtests.engine.schedule import BAND, Trades, choose_trades
from signals.errors import ConfigError
from signals.summary import Summarised, Summary, described

CAPITAL = 1_000_000.0
#: An order below this value, in USD, counts as a rounding error.
DUST = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Result(Summarised):
    """The value of a simulated portfolio at each close, and its trades.

    Attributes
    ----------
    equity, returns
        ``equity`` is the value at each close after trading and costs, in USD. The first value is
        the initial capital. ``returns`` contains the simple return from the previous close to each
        session's close, a fraction. The first return belongs to the second session.
    weights
        Value of each holding as a fraction of equity at each close, after the session's trades. The
        remaining equity is cash, which includes the proceeds of short sales.
    owed
        Weights of the short positions, fractions of equity, at most 0. ``weights`` includes the
        short positions.
    targets
        Target weights of the executed decisions, as fractions, one row per decision session.
    orders
        Columns ``date, asset, units, price, cost``. ``date`` is the session of the fill. ``units``
        is negative for a sale. ``price`` is USD per unit before costs. ``cost`` is USD. Usually,
        equity can be recomputed from orders, prices, bills and borrowing rates. Equity cannot be
        recomputed if a decision should turn a short position into a long position, but the cash is
        too small to close the short position completely. ``orders`` does not show whether an order
        belongs to the long or the short side of an asset.
    exposure
        At each close, the sum of the absolute weights of all holdings except cash, a fraction.
    bills, notes
        ``bills`` is the simple return of bills from the previous close to each session's close, a
        fraction. ``notes`` has one line for each order that a missing price prevented, changed or
        caused.
    account
        The data for :attr:`portfolio`, or None to save memory.
    """

    equity: pd.Series
    returns: pd.Series
    weights: pd.DataFrame
    owed: pd.DataFrame
    targets: pd.DataFrame
    orders: pd.DataFrame
    exposure: pd.Series
    bills: pd.Series
    notes: tuple[str, ...]
    account: Account | None

    @property
    def portfolio(self) -> Any:
        """Return vectorbt's portfolio in USD prices; None if :attr:`account` is None.

        Each access to :attr:`portfolio` simulates the orders again. The benchmark comes from the
        run. If a simulation belongs to no run, bills are the benchmark. Idle cash is the column
        ``BILLS``, and vectorbt counts the orders of this column as trades. A year has 252 sessions.
        The Sharpe ratio of vectorbt subtracts the mean return of bills from all returns. The Sharpe
        ratio of drypowder subtracts each session's return of bills from the return of the same
        session. So the Sharpe ratios of vectorbt and drypowder differ in the fourth digit. The
        price in a short position's column grows by the borrowing cost.
        """
        return None if self.account is None else self.account.replayed()

    def with_benchmark(self, benchmark: pd.Series) -> "Result":
        """Return the result, with a benchmark for vectorbt's portfolio.

        ``benchmark`` contains simple daily returns from the second session on.
        """
        assert self.account is not None  # every new simulation has an account
        return replace(self, account=replace(self.account, benchmark=benchmark))

    def _summary(self) -> Summary:
        """Return the first and last equity, the number and cost of orders, and a count of notes."""
        equity, notes = self.equity, len(self.notes)
        facts = {
            "equity": f"{equity.iloc[0]:,.0f} USD at the start, {equity.iloc[-1]:,.0f} at the end",
            "orders": f"{len(self.orders):,}, with a cost of {self.orders['cost'].sum():,.0f} USD",
            "notes": f"{notes:,} on orders without a price" if notes else "none",
        }
        return Summary(title=f"Result: {described(equity.index)}", facts=facts)


def simulate(
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
) -> Result:
    """Return the simulation of a portfolio that follows target weights.

    Parameters
    ----------
    weights
        Target weights: one row per decision session, one column per asset, fractions of the
        portfolio. The sum of a row is at most 1; the remainder is cash in bills.
    prices
        Closes in USD, sessions × assets, from the first decision to the end. Each value is the
        close on the session's date. A missing price is NaN. Columns are matched by name.
    bills
        Simple return of bills from the previous close to each session's close, a fraction.
        ``bills`` has the same sessions as ``prices``. The first return is not used.
    costs
        Costs of trading and borrowing.
    lag
        Number of sessions from decision to fill, at least 1. A decision uses a session's close, so
        the trade cannot take place at the same close.
    band
        The drift band of :func:`backtests.engine.schedule.choose_trades`, a fraction.
    capital
        Initial cash, USD.
    gross_limit
        Largest sum of the absolute weights of long and short positions. If a portfolio with short
        positions exceeds ``gross_limit`` at a close, a trade restores the last target weights
        ``lag`` sessions later. While a decision waits for its fill, ``gross_limit`` is not
        enforced.
    name
        Name for the weights, used in messages.

    Raises
    ------
    SimulationError
        Raised if a weight is not finite or exceeds its limit. Raised if a price is not above zero,
        or if a bill return is missing. Raised if ``prices`` lacks an asset or a session of
        ``weights``, or if an asset occurs twice. Raised if the lag, the band, the capital or the
        gross limit is out of range. Raised if ``costs`` are not of the class Costs. Raised if the
        portfolio's value falls to 0 USD or below.
    """
    terms = {"band": band, "capital": capital, "gross_limit": gross_limit}
    check_costs(costs, name)
    given = checked(weights, prices, bills, lag, **terms, name=name)
    trades = choose_trades(given.targets, given.closes, given.bills, lag, band, gross_limit)
    legs = _legs(trades.sizes, given.closes, given.bills, costs)
    portfolio = _vectorbt(legs, capital)
    return _result(portfolio, legs, trades, given.bills, capital, name)


@dataclass(frozen=True, kw_only=True)
class _Legs:
    """The columns that vectorbt receives: a long side, a short side or both for each asset.

    To get the quantity of an asset, multiply vectorbt's quantity in a column by ``units``. For a
    long side, ``units`` is always 1. For a short side, ``units`` starts at 1 and grows by the
    borrowing cost. ``growth`` is the growth of bills, which converts deflated prices into USD.
    """

    assets: list[str]
    prices: pd.DataFrame
    sizes: pd.DataFrame
    fees: np.ndarray
    units: np.ndarray
    growth: np.ndarray


def _legs(sizes: pd.DataFrame, closes: pd.DataFrame, bills: pd.Series, costs: Costs) -> _Legs:
    growth = growth_of_bills(bills)
    last = closes.ffill()
    columns: dict[tuple[str, str], tuple[str, np.ndarray, pd.Series]] = {}
    for asset in closes.columns:
        target = sizes[asset]
        shorts = bool((target < 0).any())
        if shorts:
            owed = units_owed(pd.DatetimeIndex(closes.index), costs, asset)
            columns[asset, "short"] = (asset, owed, target.clip(upper=0))
        if not shorts or bool((target > 0).any()):
            columns[asset, "long"] = (asset, np.ones(len(closes)), target.clip(lower=0))
    assets = [asset for asset, _, _ in columns.values()]
    units = np.column_stack(
        [owed for _, owed, _ in columns.values()] or [np.ones((len(closes), 0))]
    )
    values = last[assets].to_numpy() * units / growth[:, None]
    return _Legs(
        assets=assets,
        prices=pd.DataFrame(values, index=closes.index, columns=_names(list(columns))),
        sizes=pd.DataFrame({n: t for n, (_, _, t) in columns.items()}, index=closes.index),
        fees=np.array([[costs.rate(asset) for asset in assets]]),
        units=units,
        growth=growth,
    )


def _names(legs: list[tuple[str, str]]) -> pd.Index:
    return pd.MultiIndex.from_tuples(legs, names=["asset", "side"]) if legs else pd.Index([])


def _check_docstrings() -> None:
    """Raise ConfigError under ``python -OO``, because vectorbt cannot load without docstrings."""
    if sys.flags.optimize > 1:
        raise ConfigError(
            "expected Python to keep docstrings, because vectorbt needs them; unset "
            "PYTHONOPTIMIZE or set it to 1"
        )


def _vectorbt(legs: _Legs, capital: float) -> Any:
    """Return vectorbt's portfolio in deflated prices; None when there are no assets."""
    if legs.prices.empty:
        return None
    _check_docstrings()
    import vectorbt

    return vectorbt.Portfolio.from_orders(
        close=legs.prices,
        size=legs.sizes.to_numpy(dtype=np.float64),
        size_type="targetpercent",
        direction="both",
        price=legs.prices,
        val_price=legs.prices,
        fees=legs.fees,
        fixed_fees=0.0,
        slippage=0.0,
        min_size=0.0,
        max_size=np.inf,
        reject_prob=0.0,
        lock_cash=False,
        allow_partial=True,
        raise_reject=False,
        log=False,
        init_cash=capital,
        cash_sharing=True,
        group_by=True,
        call_seq="auto",
        ffill_val_price=True,
        update_value=False,
        freq="1D",
        engine="rust",
    )


def _result(
    portfolio: Any, legs: _Legs, trades: Trades, bills: pd.Series, capital: float, name: str
) -> Result:
    index = bills.index
    if portfolio is None:
        deflated, holdings = np.full(len(index), capital), np.zeros((len(index), 0))
    else:
        deflated = portfolio.value().to_numpy()
        holdings = portfolio.asset_value(group_by=False).to_numpy()
    equity = pd.Series(deflated * legs.growth, index=index, name="equity")
    check_solvent(equity, name)
    assets = list(trades.targets.columns)
    weights = pd.DataFrame(0.0, index=index, columns=assets)
    owed = weights.copy()
    for column, asset in enumerate(legs.assets):
        weights[asset] += holdings[:, column] / deflated
        owed[asset] += np.minimum(holdings[:, column], 0.0) / deflated
    return Result(
        equity=equity,
        returns=equity.pct_change().iloc[1:].rename("returns"),
        weights=weights,
        owed=owed,
        targets=trades.targets,
        orders=_orders(portfolio, legs, index),
        exposure=weights.abs().sum(axis=1).rename("exposure"),
        bills=bills,
        notes=trades.notes,
        account=Account(
            deflated=portfolio,
            growth=legs.growth,
            fees=legs.fees,
            index=pd.DatetimeIndex(index),
            capital=capital,
        ),
    )


def _orders(portfolio: Any, legs: _Legs, index: pd.Index) -> pd.DataFrame:
    """Return vectorbt's orders, with prices in USD and quantities in units of the assets."""
    if portfolio is None:
        empty: dict[str, Any] = {name: np.empty(0) for name in ("units", "price", "cost")}
        return pd.DataFrame({"date": index[:0], "asset": np.empty(0, dtype=object), **empty})
    records = portfolio.orders.records
    at, leg = records["idx"].to_numpy(), records["col"].to_numpy()
    sign = np.where(records["side"].to_numpy() == 0, 1.0, -1.0)
    owed, growth = legs.units[at, leg], legs.growth[at]
    orders = pd.DataFrame(
        {
            "date": index[at],
            "asset": [legs.assets[i] for i in leg],
            "units": sign * records["size"].to_numpy() * owed,
            "price": records["price"].to_numpy() * growth / owed,
            "cost": records["fees"].to_numpy() * growth,
        }
    )
    orders = orders[orders["units"].abs() * orders["price"] > DUST]
    return orders.sort_values(["date", "asset"], kind="stable").reset_index(drop=True)
