"""Where return, volatility, drawdown, turnover and cost came from: sleeve, regime, year.

A session's profit in USD splits exactly. With w weights and E equity at the close before, p last
prices, b the bill return into the session:

- an asset's price profit, w · E · (p / p₋₁ − 1), for a short position less the growth of what is
  owed, borrow · days / 365 of it;
- interest on cash, (1 − Σw) · E · b, the sleeve ``cash``;
- less the trading costs of the session's orders, by the asset traded.

An asset's sleeve is its class (:mod:`signals.universe`). A session's regime is the one its return
was earned under, known at the close 1 + lag sessions before, ``none`` without one, as in
:func:`backtests.evidence.metrics.by_regime`. Its year is its date's. Each measure is first split
by session and sleeve at once, then summed, so that the groups of every table add up to the total:

``return``
    Profit over initial capital: the total return.
``volatility``
    With c = profit / E₋₁ of a sleeve and r the return, (c − c̄)(r − r̄) over Σ(r − r̄)², times the
    yearly volatility. A sleeve's sum is cov(c, r) / std(r) · √252, below zero for a hedge; a
    session's its share of the squared deviations.
``drawdown``
    Profit after the peak of the deepest drawdown up to its trough, over equity at the peak: its
    depth. Zero when there was none.
``turnover``
    Σ|order value| / equity at the fill's close / 2, a year.
``cost``
    Trading costs over mean equity, a year. Borrowing is part of the return, not of these.

The totals do not come from the split: they are :mod:`backtests.evidence.metrics`' own.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.engine.costs import Costs
from backtests.engine.simulate import DUST, Result
from backtests.evidence import metrics
from backtests.evidence.entries import acted_on
from signals.errors import SimulationError
from signals.universe import CLASSES, asset

CASH = "cash"
#: Fraction of equity by which a session's profit may be off: rounding.
ROUNDING = 1e-10


@dataclass(frozen=True, kw_only=True)
class Attribution:
    """Where a backtest's figures came from.

    Attributes
    ----------
    by_regime, by_sleeve, by_year
        A row a group; columns ``return``, ``volatility``, ``drawdown``, ``turnover``, ``cost``,
        fractions. Regimes come as they first appeared, sleeves in a-priori order with ``cash``
        last, years ascending. A sleeve never held has no row.
    total
        The same columns for the whole backtest; each table's columns sum to it.
    """

    by_regime: pd.DataFrame
    by_sleeve: pd.DataFrame
    by_year: pd.DataFrame
    total: pd.Series


def attribution(
    result: Result, closes: pd.DataFrame, costs: Costs, regime: pd.Series, lag: int
) -> Attribution:
    """Attribute a backtest to sleeves, regimes and years.

    Parameters
    ----------
    result
        What the engine returned.
    closes
        Sessions × assets, USD: the prices it was given, or a longer history of them.
    costs
        The costs it was given; only the borrowing rates, fractions a year, are used.
    regime
        Name of the regime known at each close; None where there is none. It may begin before the
        result does, and should: the first returns rest on what was known before the run.
    lag
        Sessions from decision to fill that the engine was given.

    Returns
    -------
    Attribution
        Fractions; ``turnover`` and ``cost`` a year.

    Notes
    -----
    Timing: a session, its return and its fills count for the regime known at the close 1 + lag
    sessions before. The order that a change of regime brings is filled one session before the new
    regime's first return, so its cost is the old regime's.
    NaN: a holding without a price of the day is valued at its last one. What the metrics do not
    define, such as the volatility of a single return, is NaN in the total and in every group.

    Raises
    ------
    SimulationError
        When prices, borrowing rates and orders do not make up the change of equity at some
        session: they are not those of this result.

    References
    ----------
    Contributions to volatility: Litterman (1996), "Hot spots and hedges".
    """
    sessions = result.returns.index
    profit = _profit(result, closes, costs)
    _check(profit, result.equity)
    parts = _parts(result, profit)
    at_close = regime.astype(object).reindex(regime.index.union(result.equity.index))
    known = acted_on(at_close, lag).reindex(sessions).fillna("none")
    years = pd.Series(pd.DatetimeIndex(sessions).year, index=sessions)
    return Attribution(
        by_regime=_by_session(parts, known).rename_axis("regime"),
        by_sleeve=_by_sleeve(parts).rename_axis("sleeve"),
        by_year=_by_session(parts, years).rename_axis("year"),
        total=_total(result),
    )


def _profit(result: Result, closes: pd.DataFrame, costs: Costs) -> pd.DataFrame:
    """Return sessions × sleeves: USD earned into each session, after its trading costs."""
    gains = _gains(result, closes, costs)
    sleeves: dict[str, list[str]] = {name: [] for name in CLASSES}
    for ticker in result.weights.columns:
        sleeves[_sleeve(ticker)].append(ticker)
    profit = {name: gains[held].sum(axis=1, skipna=False) for name, held in sleeves.items() if held}
    profit[CASH] = (1 - result.weights.sum(axis=1)).shift() * result.bills * result.equity.shift()
    earned = pd.DataFrame(profit).iloc[1:]
    return earned - _traded(result, result.orders["cost"], list(earned.columns))


def _gains(result: Result, closes: pd.DataFrame, costs: Costs) -> pd.DataFrame:
    """Return sessions × assets: USD that prices brought, less the growth of what is owed."""
    index, assets = result.equity.index, list(result.weights.columns)
    growth = closes.reindex(index=index, columns=assets).ffill().pct_change(fill_method=None)
    held = result.weights.mul(result.equity, axis=0).shift()
    owed = result.owed.mul(result.equity, axis=0).shift()
    days = pd.Series(index, index=index).diff().dt.days
    rates = pd.DataFrame({name: costs.borrowed(name, days) for name in assets}, index=index)
    gains = held * growth + owed * (1 + growth) * rates
    return gains.where(held != 0, 0.0)  # no price is needed where nothing is held


def _traded(result: Result, values: pd.Series, sleeves: list[str]) -> pd.DataFrame:
    """Return sessions × sleeves: the sum of a value of each order."""
    table = pd.DataFrame(0.0, index=result.returns.index, columns=sleeves)
    cells = table.to_numpy(copy=True)
    rows = table.index.get_indexer(pd.DatetimeIndex(result.orders["date"]))
    columns = np.array([sleeves.index(_sleeve(name)) for name in result.orders["asset"]], dtype=int)
    np.add.at(cells, (rows, columns), values.to_numpy())
    return pd.DataFrame(cells, index=table.index, columns=sleeves)


def _sleeve(ticker: str) -> str:
    return asset(ticker).asset_class


def _check(profit: pd.DataFrame, equity: pd.Series) -> None:
    off = profit.sum(axis=1, skipna=False) - equity.diff().iloc[1:]
    bad = ~(off.abs() <= ROUNDING * equity.shift().iloc[1:] + DUST)
    if bad.any():
        day = bad.index[bad][0]
        raise SimulationError(
            "attribution: expected the profits of assets and cash to make up the change of "
            f"equity, were {off[day]:.6g} USD off on {day.date()}; give the prices, borrowing "
            "rates and orders of this very result"
        )


def _parts(result: Result, profit: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return each measure as sessions × sleeves, in its own unit."""
    equity, orders = result.equity, result.orders
    years = len(profit) / metrics.YEAR
    at_fill = equity.reindex(orders["date"]).to_numpy()
    turned = (orders["units"].abs() * orders["price"] / at_fill).astype(float)
    sleeves = list(profit.columns)
    return {
        "return": profit / equity.iloc[0],
        "volatility": _volatility(profit.div(equity.shift().iloc[1:], axis=0), result.returns),
        "drawdown": _drawdown(profit, result),
        "turnover": _traded(result, turned, sleeves) / 2 / years,
        "cost": _traded(result, orders["cost"], sleeves) / equity.mean() / years,
    }


def _volatility(contributions: pd.DataFrame, returns: pd.Series) -> pd.DataFrame:
    deviations = returns - returns.mean()
    total = float((deviations**2).sum())
    together = (contributions - contributions.mean()).mul(deviations, axis=0)
    shares = together / total if total > 0 else together * 0.0
    return shares * metrics.volatility(returns)


def _drawdown(profit: pd.DataFrame, result: Result) -> pd.DataFrame:
    fall = metrics.max_drawdown(result.returns)
    if fall.peak is None or fall.trough is None:
        return pd.DataFrame(0.0, index=profit.index, columns=profit.columns)
    peak = fall.peak
    if metrics.drawdowns(result.returns)[peak] < 0:  # the peak was the capital, a close earlier
        peak = result.equity.index[0]
    lost = profit / float(result.equity[peak])
    lost.loc[(profit.index <= peak) | (profit.index > fall.trough)] = 0.0
    return lost


def _by_sleeve(parts: dict[str, pd.DataFrame]) -> pd.DataFrame:
    seen = (parts["return"] != 0).any() | (parts["turnover"] != 0).any()
    seen[CASH] = True
    table = pd.DataFrame({name: part.sum(skipna=False) for name, part in parts.items()})
    return table[seen]


def _by_session(parts: dict[str, pd.DataFrame], group: pd.Series) -> pd.DataFrame:
    sums = {
        name: part.sum(axis=1, skipna=False).groupby(group, sort=False).sum(skipna=False)
        for name, part in parts.items()
    }
    return pd.DataFrame(sums)


def _total(result: Result) -> pd.Series:
    values = {
        "return": result.equity.iloc[-1] / result.equity.iloc[0] - 1,
        "volatility": metrics.volatility(result.returns),
        "drawdown": metrics.max_drawdown(result.returns).depth,
        "turnover": metrics.turnover(result),
        "cost": metrics.cost_rate(result),
    }
    return pd.Series(values, dtype="float64", name="total")
