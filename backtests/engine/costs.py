"""The costs of trading and of borrowing."""

from copy import copy
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd

from signals.errors import ConfigError
from signals.params import Typed
from signals.universe import asset

BASIS_POINT = 1e-4

Days = TypeVar("Days", float, np.ndarray, pd.Series)


@dataclass(frozen=True, kw_only=True)
class Costs(Typed):
    """Costs of each market, proportional to the value traded or borrowed.

    The cost of a trade consists of fees, price impact, and half of the bid-ask spread. Borrowing
    costs accrue on every calendar day.

    Parameters
    ----------
    etf_bp
        One-way cost of trading a fund, in basis points of the value traded.
    stock_bp
        One-way cost of trading a share, in basis points of the value traded.
    crypto_bp
        One-way cost of trading a coin, in basis points of the value traded.
    borrow_stock
        Yearly cost of borrowing a fund or share for a short sale, as a fraction of the asset's
        value.
    borrow_crypto
        Yearly cost of borrowing a coin, as a fraction of the coin's value.
    """

    etf_bp: float = 2.0
    stock_bp: float = 5.0
    crypto_bp: float = 20.0
    borrow_stock: float = 0.005
    borrow_crypto: float = 0.05

    def __post_init__(self) -> None:
        """Raise ConfigError unless every cost lies within its limits."""
        super().__post_init__()
        for name, value in vars(self).items():
            points = name.endswith("_bp")
            limit, unit = (1e3, "basis points") if points else (2.0, "a fraction a year")
            if not 0 <= value <= limit:
                raise ConfigError(f"{name} must be from 0 to {limit:g} ({unit}), was {value!r}")

    def rate(self, ticker: str) -> float:
        """Return the one-way cost of trading an asset, as a fraction of the value traded."""
        by_market = {"etf": self.etf_bp, "stock": self.stock_bp, "crypto": self.crypto_bp}
        return by_market[asset(ticker).market] * BASIS_POINT

    def borrow(self, ticker: str) -> float:
        """Return the yearly cost of borrowing an asset, as a fraction of the asset's value."""
        return self.borrow_crypto if asset(ticker).is_coin else self.borrow_stock

    def borrowed(self, ticker: str, days: Days) -> Days:
        """Return the borrowing cost over ``days`` calendar days, as a fraction of the debt."""
        return self.borrow(ticker) * days / 365

    def times(self, factor: float) -> "Costs":
        """Return a copy with each cost multiplied by ``factor``.

        The new costs are not checked, so they can exceed the limits that :class:`Costs` sets.
        """
        costs = copy(self)
        for name, value in vars(self).items():
            object.__setattr__(costs, name, value * factor)
        return costs


def units_owed(index: pd.DatetimeIndex, costs: Costs, ticker: str) -> np.ndarray:
    """Return the units owed at each session if one unit is borrowed at the first session."""
    days = np.diff(index.to_numpy().astype("datetime64[D]")).astype(float)
    return np.concatenate(([1.0], (1 + costs.borrowed(ticker, days)).cumprod()))
