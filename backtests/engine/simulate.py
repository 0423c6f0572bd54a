"""The simulation of a portfolio with vectorbt, which does the accounting.

vectorbt lacks three features. The prices that it is given supply them exactly:

- Idle cash earns the return of bills. Every price is divided by the growth of bills since the
  start, so that a dollar of cash keeps its value in the deflated world. The results are multiplied
  back afterwards.
- Borrowing has a cost. A short position has a separate column, whose price also grows by the
  borrowing cost: a debt grows by rate · days / 365 of itself from session to session.
- A price can be missing. An asset without a price of the day is valued at its last price and is
  not traded.

:mod:`backtests.engine.schedule` chooses the trades beforehand. Orders are filled at the close, in
the order of their value: the largest sale first, the largest purchase last. Orders of equal value
follow the order of the columns. Targets are fractions of the value before costs. A purchase whose
value and cost exceed the cash is cut to what the cash can pay.
"""

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from backtests.engine.costs import Costs
from backtests.engine.portfolio import Account
from backtests.engine.schedule import BAND, Trades, choose_trades
from signals.errors import ConfigError, SimulationError
from signals.index import check_sessions
from strategies.base import check_weights

CAPITAL = 1_000_000.0
#: USD. A smaller order is a remainder of rounding.
DUST = 1e-6


@dataclass(frozen=True, kw_only=True)
class Result:
    """The value of a simulated portfolio at each close, and its trades.

    Attributes
    ----------
    equity
        Value at each close after trading and costs, USD; the first is the initial capital.
    returns
        Simple return into each session from the second on, fractions.
    weights
        Value of each holding as a fraction of equity at each close, after drift. The remainder of
        1 is cash, which includes the proceeds of short sales.
    owed
        The short positions among these weights, fractions of equity, at most 0.
    targets
        Target weights of the executed decisions, by session of the decision.
    orders
        Columns ``date, asset, units, price, cost``: session of the fill, signed units (negative
        for a sale), USD per unit before costs, USD. Orders, prices, bills and borrowing rates
        rebuild the equity, with one exception. A long position can replace a short one that cash
        could not cover in full; the asset then has a long and a short side at once, and net units
        do not show that.
    exposure
        Gross weight outside cash at each close, a fraction.
    bills
        Simple return of bills into each session, a fraction.
    notes
        One line for each order that could not be traded as decided.
    account
        The data that :attr:`portfolio` is made from; None where it was left out to save memory.
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
        """Return vectorbt's portfolio in USD prices; None where the account was left out.

        Each call replays the orders. Idle cash is the column ``BILLS``, whose orders count among
        the trades. A year has 252 sessions. The Sharpe ratio is taken over the mean return of
        bills; ours subtracts the return of bills session by session and differs in the fourth
        digit. The price of a short position's column grows by the borrowing cost.
        """
        return None if self.account is None else self.account.replayed()


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
    """Return the simulation of a portfolio that trades to target weights.

    Parameters
    ----------
    weights
        Target weights: one row per session of decision, one column per asset, fractions of the
        portfolio. A row sums to at most 1; the remainder is cash in bills.
    prices
        Closes in USD, sessions × assets, from the first decision to the end. Each asset has the
        close of the session's date. Columns are matched by name. NaN where there is no price.
    bills
        Simple return of bills into each session of ``prices``; the first value is not used.
    costs
        Costs of trading and borrowing.
    lag
        Sessions from decision to fill, at least 1. A fill at the close of the decision would use
        that close before it is known.
    band
        See :func:`backtests.engine.schedule.choose_trades`.
    capital
        Initial cash, USD.
    gross_limit
        The largest sum of long and short weights. When a portfolio with short positions drifts
        beyond it, the last target is traded again, ``lag`` sessions later.
    name
        Name of the weights in messages.

    Raises
    ------
    SimulationError
        When a weight is not finite or beyond its limit, columns or sessions do not match, a bill
        return is missing, the lag is below 1, or the portfolio is ruined.
    """
    _check_terms(lag, band, capital, name)
    closes, earned = _aligned(weights, prices, bills, name)
    targets = _numbers(weights.reindex(columns=closes.columns), f"{name}: weights")
    check_weights(targets, name, gross_limit)
    trades = choose_trades(targets, closes, earned, lag, band, gross_limit)
    legs = _legs(trades.sizes, closes, earned, costs)
    portfolio = _vectorbt(legs, capital)
    return _result(portfolio, legs, trades, earned, capital, name)


def _aligned(
    weights: pd.DataFrame, prices: pd.DataFrame, bills: pd.Series, name: str
) -> tuple[pd.DataFrame, pd.Series]:
    """Return checked prices of the weights' assets, and bill returns on the same sessions."""
    check_sessions(prices.index, f"{name}: prices", SimulationError)
    check_sessions(bills.index, f"{name}: bills", SimulationError)
    check_sessions(weights.index, f"{name}: weights", SimulationError, empty=True)
    for what, columns in (("weights", weights.columns), ("prices", prices.columns)):
        if not columns.is_unique:
            raise SimulationError(
                f"{name}: expected {what}' columns without duplicates, was "
                f"{columns[columns.duplicated()][0]} twice; drop one"
            )
    missing = [column for column in weights.columns if column not in prices.columns]
    if missing:
        raise SimulationError(
            f"{name}: expected prices of {', '.join(map(str, missing))}; none are given"
        )
    strange = weights.index.difference(prices.index)
    if len(strange):
        raise SimulationError(
            f"{name}: expected decisions on sessions of the prices, was {strange[0].date()}; "
            "reindex them"
        )
    closes = _numbers(prices[list(weights.columns)], f"{name}: prices")
    _check_prices(closes, name)
    return closes, _checked_bills(bills, closes.index, name)


def _numbers(frame: pd.DataFrame, what: str) -> pd.DataFrame:
    try:
        return frame.astype("float64")
    except (TypeError, ValueError) as error:
        raise SimulationError(f"{what}: expected numbers, but {error}; convert them") from None


def _check_prices(closes: pd.DataFrame, name: str) -> None:
    bad = (closes <= 0) | np.isinf(closes)
    if bad.to_numpy().any():
        asset = bad.columns[bad.any()][0]
        day = bad.index[bad[asset]][0]
        raise SimulationError(
            f"{name}: expected prices above zero or NaN, was {closes.loc[day, asset]} for {asset} "
            f"on {day.date()}; correct it"
        )


def _checked_bills(bills: pd.Series, index: pd.Index, name: str) -> pd.Series:
    earned = bills.reindex(index).astype("float64")
    earned.iloc[0] = 0.0
    if earned.isna().any():
        first = earned.index[earned.isna()][0].date()
        raise SimulationError(
            f"{name}: expected a bill yield for every session, found none for {first}; import a "
            "DGS3MO that covers it, or choose other dates"
        )
    if (earned <= -1).any() or np.isinf(earned).any():
        raise SimulationError(f"{name}: expected bill returns as fractions a session above −1")
    return earned


def _check_terms(lag: int, band: float, capital: float, name: str) -> None:
    if not isinstance(lag, int | np.integer) or isinstance(lag, bool) or lag < 1:
        raise SimulationError(f"{name}: expected a lag of at least 1 whole session, was {lag!r}")
    if not 0 <= band < 1:
        raise SimulationError(f"{name}: expected a band in 0 to 1, was {band!r}")
    if not (np.isfinite(capital) and capital > 0):
        raise SimulationError(f"{name}: expected a capital above zero in USD, was {capital!r}")


@dataclass(frozen=True, kw_only=True)
class _Legs:
    """The columns that vectorbt sees: the long side and the short side of each asset.

    ``units`` converts the size of a leg into units of the asset; on a short side it grows with
    the debt. ``bill_index`` converts its deflated price into USD.
    """

    assets: list[str]
    prices: pd.DataFrame
    sizes: pd.DataFrame
    fees: np.ndarray
    units: np.ndarray
    bill_index: np.ndarray


def _legs(sizes: pd.DataFrame, closes: pd.DataFrame, bills: pd.Series, costs: Costs) -> _Legs:
    bill_index = (1 + bills.to_numpy()).cumprod()
    last = closes.ffill()
    columns: dict[tuple[str, str], tuple[str, np.ndarray, pd.Series]] = {}
    for asset in closes.columns:
        target = sizes[asset]
        shorts = bool((target < 0).any())
        if shorts:
            owed = _owed(pd.DatetimeIndex(closes.index), costs, asset)
            columns[asset, "short"] = (asset, owed, target.clip(upper=0))
        if not shorts or bool((target > 0).any()):
            columns[asset, "long"] = (asset, np.ones(len(closes)), target.clip(lower=0))
    assets = [asset for asset, _, _ in columns.values()]
    units = np.column_stack(
        [owed for _, owed, _ in columns.values()] or [np.ones((len(closes), 0))]
    )
    values = last[assets].to_numpy() * units / bill_index[:, None]
    return _Legs(
        assets=assets,
        prices=pd.DataFrame(values, index=closes.index, columns=_names(list(columns))),
        sizes=pd.DataFrame({n: t for n, (_, _, t) in columns.items()}, index=closes.index),
        fees=np.array([[costs.rate(asset) for asset in assets]]),
        units=units,
        bill_index=bill_index,
    )


def _names(legs: list[tuple[str, str]]) -> pd.Index:
    return pd.MultiIndex.from_tuples(legs, names=["asset", "side"]) if legs else pd.Index([])


def _owed(index: pd.DatetimeIndex, costs: Costs, ticker: str) -> np.ndarray:
    """Return at each session the units owed for one unit borrowed at the start."""
    days = np.diff(index.to_numpy().astype("datetime64[D]")).astype(float)
    return np.concatenate(([1.0], (1 + costs.borrowed(ticker, days)).cumprod()))


def _check_docstrings() -> None:
    """Raise ConfigError under ``python -OO``, because vectorbt cannot load without docstrings."""
    if sys.flags.optimize > 1:
        raise ConfigError(
            "expected a Python that keeps docstrings, which vectorbt needs; unset PYTHONOPTIMIZE "
            "or set it to 1"
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


def _check_solvent(equity: pd.Series, name: str) -> None:
    if (equity <= 0).any():
        day = equity.index[equity <= 0][0].date()
        raise SimulationError(
            f"{name}: expected the portfolio to stay above zero, was ruined on {day}; short less"
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
    equity = pd.Series(deflated * legs.bill_index, index=index, name="equity")
    _check_solvent(equity, name)
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
            bill_index=legs.bill_index,
            fees=legs.fees,
            index=pd.DatetimeIndex(index),
            capital=capital,
        ),
    )


def _orders(portfolio: Any, legs: _Legs, index: pd.Index) -> pd.DataFrame:
    """Return vectorbt's orders in USD prices and in units of the assets."""
    if portfolio is None:
        empty: dict[str, Any] = {name: np.empty(0) for name in ("units", "price", "cost")}
        return pd.DataFrame({"date": index[:0], "asset": np.empty(0, dtype=object), **empty})
    records = portfolio.orders.records
    at, leg = records["idx"].to_numpy(), records["col"].to_numpy()
    sign = np.where(records["side"].to_numpy() == 0, 1.0, -1.0)
    owed, bill_index = legs.units[at, leg], legs.bill_index[at]
    orders = pd.DataFrame(
        {
            "date": index[at],
            "asset": [legs.assets[i] for i in leg],
            "units": sign * records["size"].to_numpy() * owed,
            "price": records["price"].to_numpy() * bill_index / owed,
            "cost": records["fees"].to_numpy() * bill_index,
        }
    )
    orders = orders[orders["units"].abs() * orders["price"] > DUST]
    return orders.sort_values(["date", "asset"], kind="stable").reset_index(drop=True)
