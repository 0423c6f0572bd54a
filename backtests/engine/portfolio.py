"""The simulated portfolio as vectorbt's own object, in USD, for those who think in vectorbt.

The accounting runs in prices divided by the growth of bills, where idle cash keeps its value. That
object's figures would mislead: its values are deflated, and vectorbt counts 365 days a year. Here
the same orders are replayed in real prices. Cash is a column of its own, ``BILLS``, whose price is
the growth of bills; it is bought and sold free of cost.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

BILLS = "BILLS"
#: A year of sessions, as vectorbt reads it.
YEAR = "252 days"
#: Share of the capital below which a movement of cash is rounding.
ROUNDING = 1e-13


@dataclass(frozen=True, kw_only=True)
class Account:
    """What the accounting knew, enough to replay it in real prices.

    Attributes
    ----------
    deflated
        vectorbt's portfolio in prices divided by ``bill_index``; None when nothing was held.
    bill_index
        Growth of bills since the first session, one value a session.
    fees
        Cost rate of each column of the deflated portfolio, fractions.
    index
        Sessions.
    capital
        Initial cash, USD.
    """

    deflated: Any
    bill_index: np.ndarray
    fees: np.ndarray
    index: pd.DatetimeIndex
    capital: float

    def replayed(self) -> Any:
        """Return vectorbt's portfolio in real prices, with idle cash in the column ``BILLS``."""
        prices, sizes, fees = self._bills()
        if self.deflated is not None:
            close = self.deflated.close
            prices = pd.concat([close.mul(self.bill_index, axis=0), prices], axis=1)
            sizes = np.column_stack([self._sizes(), sizes])
            fees = np.concatenate([self.fees.ravel(), fees])
        prices.columns = prices.columns.set_names(["asset", "side"])
        risk_free = float(np.mean(self.bill_index[1:] / self.bill_index[:-1] - 1))
        return _portfolio_class(risk_free).from_orders(
            close=prices,
            size=sizes,
            size_type="amount",
            direction="both",
            fees=fees[None, :],
            init_cash=self.capital,
            cash_sharing=True,
            group_by=True,
            call_seq="auto",
            freq="1D",
        )

    def _sizes(self) -> np.ndarray:
        """Return signed units of each order, sessions × columns; NaN where there is none."""
        records = self.deflated.orders.records
        sizes = np.full(self.deflated.close.shape, np.nan)
        sign = np.where(records["side"].to_numpy() == 0, 1.0, -1.0)
        sizes[records["idx"], records["col"]] = sign * records["size"].to_numpy()
        return sizes

    def _bills(self) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
        """Return the price of bills, the units that cash moves by, and their cost rate.

        A deflated dollar of cash is one unit of bills.
        """
        cash = np.full(len(self.index), self.capital)
        if self.deflated is not None:
            cash = self.deflated.cash().to_numpy()
        moved = np.diff(cash, prepend=0.0)
        moved[np.abs(moved) < ROUNDING * self.capital] = np.nan
        price = pd.DataFrame({(BILLS, "long"): self.bill_index}, index=self.index)
        return price, moved, np.zeros(1)


def _portfolio_class(risk_free: float) -> Any:
    """Return vectorbt's portfolio class with a year of 252 sessions and a rate for its Sharpe."""
    import vectorbt

    class Portfolio(vectorbt.Portfolio):  # type: ignore[misc]
        """vectorbt's portfolio, with a year of 252 sessions and the mean bill return."""

        def get_returns_acc(self, *args: Any, **options: Any) -> Any:
            """Return vectorbt's accessor of returns, annualised by 252 sessions."""
            options["year_freq"] = options.get("year_freq") or YEAR
            options["defaults"] = {"risk_free": risk_free, **(options.get("defaults") or {})}
            return super().get_returns_acc(*args, **options)

        @property
        def stats_defaults(self) -> dict[str, Any]:
            """Return vectorbt's defaults of ``stats``, annualised by 252 sessions."""
            defaults: dict[str, Any] = super().stats_defaults
            return {**defaults, "settings": {**defaults["settings"], "year_freq": YEAR}}

    return Portfolio
