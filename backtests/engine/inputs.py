"""Check the inputs of a simulation.

vectorbt's simulation and the compiled simulation both call :func:`checked`. So both simulations
accept the same inputs and raise the same errors.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from signals.errors import SimulationError
from signals.index import check_sessions
from strategies.base import check_weights


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Checked inputs, in which weights and closes have the same columns in the same order.

    Attributes
    ----------
    targets
        Target weights: decision sessions × assets, fractions.
    closes
        Closes in USD: sessions × assets, NaN without a price.
    bills
        Simple return of bills from the previous close to each session's close, a fraction. The
        first return is 0.
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
    _check_terms(lag, band, capital, name)
    closes, earned = _aligned(weights, prices, bills, name)
    targets = _numbers(weights.reindex(columns=closes.columns), f"{name}: weights")
    check_weights(targets, name, gross_limit)
    return Inputs(targets=targets, closes=closes, bills=earned)


def check_solvent(equity: pd.Series, name: str) -> None:
    """Raise SimulationError if a portfolio is worth 0 USD or less at any close."""
    if (equity <= 0).any():
        day = equity.index[equity <= 0][0].date()
        raise SimulationError(
            f"{name}: expected a portfolio value above zero, but the value falls to zero or below "
            f"on {day}; reduce short positions"
        )


def _aligned(
    weights: pd.DataFrame, prices: pd.DataFrame, bills: pd.Series, name: str
) -> tuple[pd.DataFrame, pd.Series]:
    """Return checked prices of the assets in the weights, and bill returns on the same sessions."""
    check_sessions(prices.index, f"{name}: prices", SimulationError)
    check_sessions(bills.index, f"{name}: bills", SimulationError)
    check_sessions(weights.index, f"{name}: weights", SimulationError, empty=True)
    for what, columns in (("weights", weights.columns), ("prices", prices.columns)):
        if not columns.is_unique:
            raise SimulationError(
                f"{name}: expected columns of {what} without duplicates, but "
                f"{columns[columns.duplicated()][0]} occurs twice; drop one of the two columns"
            )
    missing = [column for column in weights.columns if column not in prices.columns]
    if missing:
        raise SimulationError(
            f"{name}: expected prices of {', '.join(map(str, missing))}, but `prices` has no such "
            "column; add it"
        )
    strange = weights.index.difference(prices.index)
    if len(strange):
        raise SimulationError(
            f"{name}: expected decisions on sessions of the prices, but {strange[0].date()} has no "
            "row of prices; reindex the weights"
        )
    closes = _numbers(prices[list(weights.columns)], f"{name}: prices")
    _check_prices(closes, name)
    return closes, _checked_bills(bills, closes.index, name)


def _numbers(frame: pd.DataFrame, what: str) -> pd.DataFrame:
    try:
        return frame.astype("float64")
    except (TypeError, ValueError) as error:
        raise SimulationError(f"{what}: expected numbers: {error}; convert the values") from None


def _check_prices(closes: pd.DataFrame, name: str) -> None:
    bad = (closes <= 0) | np.isinf(closes)
    if bad.to_numpy().any():
        asset = bad.columns[bad.any()][0]
        day = bad.index[bad[asset]][0]
        raise SimulationError(
            f"{name}: expected prices above zero or NaN, but {asset} has {closes.loc[day, asset]} "
            f"on {day.date()}; correct this price"
        )


def _checked_bills(bills: pd.Series, index: pd.Index, name: str) -> pd.Series:
    earned = bills.reindex(index).astype("float64")
    earned.iloc[0] = 0.0
    if earned.isna().any():
        first = earned.index[earned.isna()][0].date()
        raise SimulationError(
            f"{name}: expected a bill yield for every session, but found no yield on {first}; "
            "import DGS3MO for this date, or choose other dates"
        )
    if (earned <= -1).any() or np.isinf(earned).any():
        raise SimulationError(
            f"{name}: expected finite bill returns above −1, as fractions for one session; convert "
            "percent to fractions"
        )
    return earned


def _check_terms(lag: int, band: float, capital: float, name: str) -> None:
    if not isinstance(lag, int | np.integer) or isinstance(lag, bool) or lag < 1:
        raise SimulationError(
            f"{name}: expected a lag of at least 1, a whole number of sessions, was {lag!r}"
        )
    if not 0 <= band < 1:
        raise SimulationError(f"{name}: expected a band from 0 to below 1, was {band!r}")
    if not (np.isfinite(capital) and capital > 0):
        raise SimulationError(f"{name}: expected a capital above 0 USD, was {capital!r}")
