"""The simulated portfolio as an object of vectorbt, in USD.

The simulation divides every price by the growth of bills, so that idle cash keeps its value. The
metrics of the simulation's vectorbt object are therefore deflated. The yearly metrics of the
simulation's vectorbt object assume 365 sessions a year. This module repeats the orders of the
simulation at prices in USD, with 252 sessions a year. Cash becomes the column ``BILLS``. The price
of ``BILLS`` starts at 1 USD and grows by the return of bills. Trades of ``BILLS`` cost nothing.

vectorbt's own benchmark divides the initial cash evenly among all columns. This module replaces
vectorbt's benchmark by the benchmark of the run.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from strategies.base import SESSIONS_A_YEAR

BILLS = "BILLS"
#: A year of 252 sessions, as a string for vectorbt. Each session counts as a day in vectorbt.
YEAR_FREQ = f"{SESSIONS_A_YEAR} days"
#: A change of cash below this fraction of the capital counts as a rounding error.
ROUNDING = 1e-13


@dataclass(frozen=True, kw_only=True)
class Account:
    """The data from which :meth:`replayed` repeats the orders of a simulation at prices in USD.

    Attributes
    ----------
    deflated
        vectorbt's portfolio, in deflated prices. A deflated price is a price in USD divided by
        ``growth``. None if the portfolio has no assets.
    growth
        Growth of bills since the first session, one value per session of ``index``.
    fees
        Cost rate of each column of the deflated portfolio, a fraction of the value traded.
    capital
        Initial cash, USD.
    benchmark
        Simple daily returns of the benchmark from the second session on; None for bills.
    """

    deflated: Any
    growth: np.ndarray
    fees: np.ndarray
    index: pd.DatetimeIndex
    capital: float
    benchmark: pd.Series | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Return the data for pickle, which cannot store vectorbt's cached methods."""
        deflated = None if self.deflated is None else self.deflated.dumps()
        return {**vars(self), "deflated": deflated}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore the data that :meth:`__getstate__` returned."""
        import vectorbt

        stored = state["deflated"]
        deflated = None if stored is None else vectorbt.Portfolio.loads(stored)
        vars(self).update({**state, "deflated": deflated})

    def replayed(self) -> Any:
        """Return vectorbt's portfolio in USD prices, with idle cash in the column ``BILLS``."""
        prices, sizes, fees = self._bills()
        if self.deflated is not None:
            close = self.deflated.close
            prices = pd.concat([close.mul(self.growth, axis=0), prices], axis=1)
            sizes = np.column_stack([self._sizes(), sizes])
            fees = np.concatenate([self.fees.ravel(), fees])
        prices.columns = prices.columns.set_names(["asset", "side"])
        risk_free = float(np.mean(self.growth[1:] / self.growth[:-1] - 1))
        return _portfolio_class(risk_free, self._benchmark_value()).from_orders(
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

    def _benchmark_value(self) -> pd.Series:
        """Return the value of the initial cash in the benchmark, USD."""
        growth = self.growth
        if self.benchmark is not None:
            growth = np.append(1.0, (1 + self.benchmark).cumprod())
        return pd.Series(self.capital * growth, self.index, name="group")

    def _sizes(self) -> np.ndarray:
        """Return the signed units of each order, sessions × columns; NaN without an order."""
        records = self.deflated.orders.records
        sizes = np.full(self.deflated.close.shape, np.nan)
        sign = np.where(records["side"].to_numpy() == 0, 1.0, -1.0)
        sizes[records["idx"], records["col"]] = sign * records["size"].to_numpy()
        return sizes

    def _bills(self) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
        """Return the price of bills, the traded units of bills, and the cost rate of bills."""
        cash = np.full(len(self.index), self.capital)  # a deflated dollar buys one unit of bills
        if self.deflated is not None:
            cash = self.deflated.cash().to_numpy()
        moved = np.diff(cash, prepend=0.0)
        moved[np.abs(moved) < ROUNDING * self.capital] = np.nan
        price = pd.DataFrame({(BILLS, "long"): self.growth}, index=self.index)
        return price, moved, np.zeros(1)


def _portfolio_class(risk_free: float, benchmark: pd.Series) -> Any:
    """Return a subclass of vectorbt's portfolio, with 252 sessions a year.

    The subclass also has a risk-free rate and the value of a benchmark.
    """
    import vectorbt

    class Portfolio(vectorbt.Portfolio):  # type: ignore[misc]
        """vectorbt's portfolio with 252 sessions a year.

        The risk-free rate is the mean return of bills.
        """

        def get_returns_acc(self, *args: Any, **options: Any) -> Any:
            """Return vectorbt's accessor of returns, annualised with 252 sessions a year."""
            options["year_freq"] = options.get("year_freq") or YEAR_FREQ
            options["defaults"] = {"risk_free": risk_free, **(options.get("defaults") or {})}
            return super().get_returns_acc(*args, **options)

        def benchmark_value(self, *args: Any, **options: Any) -> Any:
            """Return the run's benchmark value; for separate columns, return vectorbt's value."""
            alone = super().benchmark_value(*args, **options)
            return benchmark if isinstance(alone, pd.Series) else alone

        @property
        def stats_defaults(self) -> dict[str, Any]:
            """Return vectorbt's default settings of ``stats``, with 252 sessions a year."""
            defaults: dict[str, Any] = super().stats_defaults
            return {**defaults, "settings": {**defaults["settings"], "year_freq": YEAR_FREQ}}

    return Portfolio
