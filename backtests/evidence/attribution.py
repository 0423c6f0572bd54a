"""Return, volatility, drawdown, turnover and cost of a run, by sleeve, regime and year.

The profit of a session, in USD, is the sum of three terms. Let w be the weights and E the equity at
the previous close. Let p and p₋₁ be the last known prices at the session's close and at the
previous close. Let b be the return of bills between the two closes. The three terms are:

- The price profit of each asset, w · E · (p / p₋₁ − 1). If the position is short, its borrowing
  cost is subtracted: debt · yearly rate · days / 365.

- The interest on cash, (1 − Σw) · E · b, which belongs to the sleeve ``cash``.

- The trading costs of the session's orders, with a minus sign. Costs belong to the sleeve of the
  traded asset.

The sleeve of an asset is its asset class (:mod:`signals.universe`). The regime of a session is the
regime under which the session's return was earned (:func:`backtests.evidence.entries.acted_on`).
The regime is called ``none`` if no regime was known. Each measure is first computed for each
session and sleeve, and then summed. So the values of all groups of a table add up to the total. The
measures are:

``return``
    Profit divided by initial capital. The returns of all groups of a table add up to the total
    return.
``volatility``
    Let c be the sleeve's profit divided by the previous equity. Let r be the portfolio's return.
    Let c̄ and r̄ be the means of c and r. The sleeve's contribution in one session is
    (c − c̄)(r − r̄) / Σ(r − r̄)², times the yearly volatility. The sleeve's contribution over all
    sessions is cov(c, r) / std(r) · √252, which is negative for a hedge. The contribution of all
    sleeves in one session is (r − r̄)² / Σ(r − r̄)², times the yearly volatility.
``drawdown``
    Profit from the peak of the deepest drawdown to its trough, divided by equity at the peak. The
    amounts of all groups of a table add up to the depth of the deepest drawdown. If there is no
    drawdown, all amounts are 0.
``turnover``
    Half the sum of |order value| / equity, divided by the years of the run. The value of a single
    year is also divided by the years of the whole run. ``equity`` is the portfolio's value at the
    close at which the order is filled.
``cost``
    Trading costs divided by mean equity and by the years of the run. Borrowing costs are included
    in ``return``.

:mod:`backtests.evidence.metrics` computes the totals of a run directly, without groups.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.engine.costs import Costs
from backtests.engine.simulate import DUST, Result
from backtests.evidence import metrics
from backtests.evidence.entries import acted_on
from backtests.evidence.held import CASH
from signals.errors import SimulationError
from signals.universe import CLASSES, OwnClasses, class_of

#: Largest rounding error in a session's profit, as a fraction of equity.
ROUNDING = 1e-10


@dataclass(frozen=True, kw_only=True)
class Attribution:
    """The metrics of a backtest by regime, by sleeve and by year.

    Attributes
    ----------
    by_regime, by_sleeve, by_year
        Tables with one row for each group. The columns are ``return``, ``volatility``,
        ``drawdown``, ``turnover`` and ``cost``, all as fractions. Regimes are in order of first
        appearance. Years are in ascending order. Sleeves are in the order of
        :data:`signals.universe.CLASSES`, with ``cash`` last. A sleeve that was never held has no
        row.
    total
        Return, volatility, drawdown, turnover and cost of the whole backtest. The sum of each
        column of a table equals the value with the same name in ``total``.
    """

    by_regime: pd.DataFrame
    by_sleeve: pd.DataFrame
    by_year: pd.DataFrame
    total: pd.Series


def attribution(
    result: Result,
    closes: pd.DataFrame,
    costs: Costs,
    regime: pd.Series,
    lag: int,
    classes: OwnClasses | None = None,
) -> Attribution:
    """Return the metrics of a backtest, split by sleeve, by regime and by year.

    Parameters
    ----------
    result
        The simulation of the backtest.
    closes
        Prices in USD, sessions × assets. ``closes`` can also contain sessions outside the
        simulation.
    costs, lag
        The costs and the lag of the simulation. Only the borrowing rates of ``costs`` are used,
        because ``result`` contains the trading costs.
    regime
        Name of the regime known at each close; None if no regime is known. A return belongs to the
        regime that was known 1 + ``lag`` sessions earlier. ``regime`` should begin at least 1 +
        ``lag`` sessions before the first return, so that each return has a regime.
    classes
        A mapping from the name of a class to its tickers, for the classes that the user changed.
        None if the user changed no class.

    Notes
    -----
    When the regime changes, the orders are filled on the last session that belongs to the old
    regime. So the trading costs of a change of regime belong to the old regime. A holding without a
    price on a session keeps its last price. An undefined metric, such as the volatility of a single
    return, is NaN in the total and in every group. If the profits do not add up to the change in
    equity, SimulationError is raised. For example, the profits do not add up if the prices,
    borrowing rates or orders belong to another result.

    References
    ----------
    Contributions to volatility: Litterman (1996), "Hot spots and hedges".
    """
    sessions = result.returns.index
    classed = {str(t): class_of(str(t), classes or {}) for t in result.weights.columns}
    profit = _profit(result, closes, costs, classed)
    _check(profit, result.equity)
    parts = _parts(result, profit, classed)
    at_close = regime.astype(object).reindex(regime.index.union(result.equity.index))
    known = acted_on(at_close, lag).reindex(sessions).fillna("none")
    years = pd.Series(pd.DatetimeIndex(sessions).year, index=sessions)
    return Attribution(
        by_regime=_by_session(parts, known).rename_axis("regime"),
        by_sleeve=_by_sleeve(parts).rename_axis("sleeve"),
        by_year=_by_session(parts, years).rename_axis("year"),
        total=_total(result),
    )


def _profit(
    result: Result, closes: pd.DataFrame, costs: Costs, classed: Mapping[str, str]
) -> pd.DataFrame:
    """Return the profit after trading costs, sessions × sleeves, in USD.

    ``classed`` maps each asset to its class.
    """
    gains = _gains(result, closes, costs)
    sleeves = {name: [t for t in gains if classed[str(t)] == name] for name in CLASSES}
    profit = {name: gains[held].sum(axis=1, skipna=False) for name, held in sleeves.items() if held}
    profit[CASH] = (1 - result.weights.sum(axis=1)).shift() * result.bills * result.equity.shift()
    earned = pd.DataFrame(profit).iloc[1:]
    return earned - _traded(result, result.orders["cost"], list(earned.columns), classed)


def _gains(result: Result, closes: pd.DataFrame, costs: Costs) -> pd.DataFrame:
    """Return the price profit minus the cost of borrowing, sessions × assets, in USD."""
    index, assets = result.equity.index, list(result.weights.columns)
    growth = closes.reindex(index=index, columns=assets).ffill().pct_change(fill_method=None)
    held = result.weights.mul(result.equity, axis=0).shift()
    owed = result.owed.mul(result.equity, axis=0).shift()
    days = pd.Series(index, index=index).diff().dt.days
    rates = pd.DataFrame({name: costs.borrowed(name, days) for name in assets}, index=index)
    gains = held * growth + owed * (1 + growth) * rates
    return gains.where(held != 0, 0.0)  # an asset that is not held needs no price


def _traded(
    result: Result, values: pd.Series, sleeves: list[str], classed: Mapping[str, str]
) -> pd.DataFrame:
    """Return the sums of the orders' ``values`` as a table, sessions × sleeves."""
    sessions = result.returns.index
    cells = np.zeros((len(sessions), len(sleeves)))
    rows = sessions.get_indexer(pd.DatetimeIndex(result.orders["date"]))
    classes = [classed[str(name)] for name in result.orders["asset"]]
    columns = np.array([sleeves.index(name) for name in classes], dtype=int)
    np.add.at(cells, (rows, columns), values.to_numpy())
    return pd.DataFrame(cells, index=sessions, columns=sleeves)


def _check(profit: pd.DataFrame, equity: pd.Series) -> None:
    off = profit.sum(axis=1, skipna=False) - equity.diff().iloc[1:]
    bad = ~(off.abs() <= ROUNDING * equity.shift().iloc[1:] + DUST)
    if bad.any():
        day = bad.index[bad][0]
        raise SimulationError(
            "attribution: expected the profits to add up to the change in equity, but the "
            f"difference is {off[day]:.6g} USD on {day.date()}; give the prices, borrowing rates "
            "and orders of this result"
        )


def _parts(
    result: Result, profit: pd.DataFrame, classed: Mapping[str, str]
) -> dict[str, pd.DataFrame]:
    """Return a table, sessions × sleeves, for each measure, such as ``turnover``."""
    equity, sleeves = result.equity, list(profit.columns)
    years = len(profit) / metrics.YEAR
    return {
        "return": profit / equity.iloc[0],
        "volatility": _volatility(profit.div(equity.shift().iloc[1:], axis=0), result.returns),
        "drawdown": _drawdown(profit, result),
        "turnover": _traded(result, metrics.traded(result), sleeves, classed) / 2 / years,
        "cost": _traded(result, result.orders["cost"], sleeves, classed) / equity.mean() / years,
    }


def _volatility(contributions: pd.DataFrame, returns: pd.Series) -> pd.DataFrame:
    deviations = returns - returns.mean()
    total = float((deviations**2).sum())
    together = (contributions - contributions.mean()).mul(deviations, axis=0)
    shares = together / total if total > 0 else together * 0.0
    return shares * metrics.volatility(returns)


def _drawdown(profit: pd.DataFrame, result: Result) -> pd.DataFrame:
    fall = metrics.max_drawdown(result.returns, pd.Timestamp(result.equity.index[0]))
    if fall.peak is None or fall.trough is None:
        return pd.DataFrame(0.0, index=profit.index, columns=profit.columns)
    lost = profit / float(result.equity[fall.peak])
    lost.loc[(profit.index <= fall.peak) | (profit.index > fall.trough)] = 0.0
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
    total = {
        "return": result.equity.iloc[-1] / result.equity.iloc[0] - 1,
        "volatility": metrics.volatility(result.returns),
        "drawdown": metrics.max_drawdown(result.returns).depth,
        "turnover": metrics.turnover(result),
        "cost": metrics.cost_rate(result),
    }
    return pd.Series(total, dtype="float64", name="total")
