"""Check the inputs of a simulation.

The checks are the same for the simulation with vectorbt and for the compiled simulation, so both
simulations accept the same inputs and raise the same errors.
"""

from dataclasses import dataclass
from numbers import Real
from typing import TypeVar

import numpy as np
import pandas as pd

from backtests.engine.costs import Costs
from signals.errors import SimulationError, shown
from signals.index import check_sessions
from strategies.base import check_weights

Values = TypeVar("Values", pd.Series, pd.DataFrame)


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Checked inputs, in which weights and closes have the same columns in the same order.

    Attributes
    ----------
    targets
        Target weights: decision sessions × assets, fractions.
    closes
        Closes in USD: sessions × assets. A missing price is NaN.
    bills
        Simple return of bills from the previous close to each session's close, a fraction. The
        return of bills at the first session is 0.
    """

    targets: pd.DataFrame
    closes: pd.DataFrame
    bills: pd.Series


def checked(
    weights: pd.DataFrame,
    prices: pd.DataFrame,
    bills: pd.Series,
    lag: int,
    *,
    band: float,
    capital: float,
    gross_limit: float,
    name: str,
) -> Inputs:
    """Return the checked inputs of a simulation.

    See :func:`backtests.engine.simulate.simulate` for the parameters and the errors.
    """
    check_terms(lag, band, capital, gross_limit, name)
    check_market(prices, bills, name)
    check_table("weights", weights, name, rows="decisions")
    check_decisions(weights, prices, name)
    closes = closes_of(prices, list(weights.columns), name)
    earned = bills_of(bills, closes.index, name)
    targets = _numbers(weights.reindex(columns=closes.columns), "weights", name)
    check_weights(targets, name, gross_limit)
    return Inputs(targets=targets, closes=closes, bills=earned)


def check_solvent(equity: pd.Series, name: str) -> None:
    """Raise SimulationError if a portfolio is worth 0 USD or less at any close."""
    if (equity <= 0).any():
        raise ruin(equity.index[equity <= 0][0], name)


def ruin(day: pd.Timestamp, name: str) -> SimulationError:
    """Return the error for a portfolio that is worth 0 USD or less at a close."""
    return SimulationError(
        f"{name}: expected a portfolio value above zero, but the value falls to zero or below "
        f"on {day.date()}; reduce short positions"
    )


def check_market(prices: pd.DataFrame, bills: pd.Series, name: str) -> None:
    """Raise SimulationError for a wrong type, for invalid sessions, or for a repeated column."""
    check_table("prices", prices, name, rows="sessions")
    if not isinstance(bills, pd.Series):
        raise SimulationError(
            f"{name}: expected bills as a Series of returns, was {type(bills).__name__}; give one "
            "column"
        )
    check_sessions(prices.index, f"{name}: prices", SimulationError)
    if bills.index is not prices.index:
        check_sessions(bills.index, f"{name}: bills", SimulationError)
    _check_columns("prices", prices.columns, name)


def check_decisions(weights: pd.DataFrame, prices: pd.DataFrame, name: str) -> None:
    """Raise SimulationError if prices lack an asset or a session, or if an asset occurs twice."""
    for column in weights.columns:
        if not isinstance(column, str):
            raise SimulationError(
                f"{name}: expected tickers as columns of weights, was {column!r}; rename the column"
            )
    check_sessions(weights.index, f"{name}: weights", SimulationError, empty=True)
    _check_columns("weights", weights.columns, name)
    missing = [column for column in weights.columns if column not in prices.columns]
    if missing:
        raise SimulationError(
            f"{name}: expected prices of {', '.join(map(str, missing))}, but `prices` has no such "
            "column; add it"
        )
    unknown = prices.index.get_indexer(weights.index) < 0
    if unknown.any():
        raise SimulationError(
            f"{name}: expected prices on the session of every decision, but `prices` has no row "
            f"for {weights.index[unknown][0].date()}; reindex the weights"
        )


def check_table(what: str, given: object, name: str, rows: str) -> None:
    """Raise SimulationError unless ``given`` is a DataFrame."""
    if not isinstance(given, pd.DataFrame):
        raise SimulationError(
            f"{name}: expected {what} as a DataFrame, {rows} × assets, was "
            f"{type(given).__name__}; give a DataFrame"
        )


def _check_columns(what: str, columns: pd.Index, name: str) -> None:
    if not columns.is_unique:
        raise SimulationError(
            f"{name}: expected columns of {what} without duplicates, but "
            f"{columns[columns.duplicated()][0]} occurs twice; drop one of the two columns"
        )


def closes_of(prices: pd.DataFrame, assets: list[str], name: str) -> pd.DataFrame:
    """Return the closes of some assets as numbers.

    A missing price stays NaN. SimulationError is raised for a text that is not a number, for an
    infinite price, and for a price of zero or less.
    """
    closes = _numbers(prices[assets], "prices", name)
    _check_prices(closes, name)
    return closes


def _numbers(values: Values, what: str, name: str) -> Values:
    try:
        return values.astype("float64")
    except (TypeError, ValueError) as error:
        raise SimulationError(
            f"{name}: expected numbers in {what}, but: {error}; convert the values"
        ) from None


def values_of(weights: pd.DataFrame, name: str) -> np.ndarray:
    """Return weights as an array, without a copy if possible.

    If a weight is not a number, SimulationError is raised.
    """
    try:
        return weights.to_numpy(dtype=np.float64)
    except (TypeError, ValueError):
        return _numbers(weights, "weights", name).to_numpy()


def _check_prices(closes: pd.DataFrame, name: str) -> None:
    numbers = closes.to_numpy()
    if ((numbers <= 0) | np.isinf(numbers)).any():
        bad = (closes <= 0) | np.isinf(closes)
        asset = bad.columns[bad.any()][0]
        day = bad.index[bad[asset]][0]
        raise SimulationError(
            f"{name}: expected prices above zero or NaN, but {asset} has {closes.loc[day, asset]} "
            f"on {day.date()}; correct this price"
        )


def bills_of(bills: pd.Series, index: pd.Index, name: str) -> pd.Series:
    """Return the daily returns of bills; the first is 0.

    SimulationError is raised for a text that is not a number, for a missing or infinite return, and
    for a return of −1 or less.
    """
    earned = _numbers(bills.reindex(index), "bills", name)
    earned.iloc[0] = 0.0
    if earned.isna().any():
        missing = earned.index[earned.isna()]
        first, last = missing[0].date(), missing[-1].date()
        if len(missing) == len(earned) - 1:
            cure = "add the series DGS3MO to the history"
        elif missing[-1] < earned.index[-1]:
            cure = f"add earlier values of DGS3MO to the history, or start on {last} or later"
        else:
            cure = f"add later values of DGS3MO to the history, or end before {first}"
        raise SimulationError(
            f"{name}: expected a bill yield that is known one session before each return, but "
            f"found no such yield for the return on {first}; {cure}"
        )
    numbers = earned.to_numpy()
    if (numbers <= -1).any() or np.isinf(numbers).any():
        raise SimulationError(
            f"{name}: expected finite bill returns above −1, as fractions for one session; convert "
            "percent to fractions"
        )
    return earned


def growth_of_bills(bills: pd.Series) -> np.ndarray:
    """Return the growth of bills since the first session, computed from the returns of bills.

    The growth includes the return at the first session, which :func:`bills_of` sets to 0.
    """
    growth: np.ndarray = (1 + bills.to_numpy(dtype=np.float64)).cumprod()
    return growth


def check_costs(costs: object, name: str) -> None:
    """Raise SimulationError unless ``costs`` are of the class :class:`Costs`."""
    if not isinstance(costs, Costs):
        raise SimulationError(
            f"{name}: expected costs as an object of the class Costs, was {shown(costs)}; give one "
            "such as Costs(etf_bp=2.0)"
        )


def check_terms(lag: int, band: float, capital: float, gross_limit: float, name: str) -> None:
    """Raise SimulationError unless lag, band, capital and gross limit lie within their limits."""
    if not isinstance(lag, int | np.integer) or isinstance(lag, bool) or lag < 1:
        raise SimulationError(
            f"{name}: expected a lag of at least 1, a whole number of sessions, was {lag!r}"
        )
    if not (isinstance(band, Real) and 0 <= band < 1):
        raise SimulationError(f"{name}: expected a band from 0 to below 1, was {band!r}")
    number = isinstance(capital, Real) and not isinstance(capital, bool)
    if not (number and 0 < capital < np.inf):
        raise SimulationError(f"{name}: expected a capital above 0 USD, was {capital!r}")
    if not (isinstance(gross_limit, Real) and 0 < gross_limit < np.inf):
        raise SimulationError(f"{name}: expected a gross limit above 0, was {gross_limit!r}")
