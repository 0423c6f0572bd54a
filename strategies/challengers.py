"""Rules that know nothing of the thesis: trend, momentum, volatility.

If one of them does as well, the thesis has added nothing. Each is used as its source states it;
departures are named. All are decided at month ends.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from signals.errors import ConfigError
from signals.reading import Reading
from strategies.base import (
    SESSIONS_A_YEAR,
    Strategy,
    check_sleeves,
    check_volatility,
    listed,
    volatility_scale,
)
from strategies.near_cash_flow import NearCashFlow

INVESTED, OUT = "invested", "out"


def month_closes(prices: pd.DataFrame, months: int) -> list[pd.DataFrame]:
    """Return for each session the last prices of the months before its own, nearest first.

    Parameters
    ----------
    prices
        Sessions × assets, USD, as known.
    months
        How many months back.

    Returns
    -------
    One frame a month back, on the sessions of ``prices``. Only months that are over are used, so
    a month's last price is never known before its end; NaN before the history and where a month
    has no price.
    """
    month = pd.DatetimeIndex(prices.index).to_period("M")
    last = prices.groupby(month).last()
    last = last.reindex(pd.period_range(month[0], month[-1], freq="M"))
    return [last.shift(n).loc[month].set_axis(prices.index) for n in range(1, months + 1)]


def in_or_out(held: pd.Series) -> pd.Series:
    """Return the state of a rule that is in the market or out of it, as labels."""
    return held.map({True: INVESTED, False: OUT})


@dataclass(frozen=True, kw_only=True)
class Trend(Strategy):
    """SPY while it stands above its ten-month mean, else bills.

    Rule
        The mean is that of the last prices of the nine months before and the present price, which
        at a month's end are its last ten closes. Every asset of ``tickers`` has an equal share
        and a trend of its own; without a trend, or before ten months, its share is cash. The
        share of what is not listed is dealt out.
    Timing
        Decided at the close from prices known there.
    Reference
        Faber, "A Quantitative Approach to Tactical Asset Allocation" (J. Wealth Management 2007).

    Parameters
    ----------
    tickers
        The assets.
    months
        Of the mean, at least 2.
    """

    name: ClassVar[str] = "trend"
    description: ClassVar[str] = "SPY above its ten-month mean, else bills"
    only_scheduled: ClassVar[bool] = True
    active_states: ClassVar[tuple[str, ...]] = (OUT,)

    tickers: tuple[str, ...] = ("SPY",)
    months: int = 10

    def __post_init__(self) -> None:
        """Refuse parameters that make no sense."""
        check_sleeves({"tickers": self.tickers})
        if not 2 <= self.months <= 120:
            raise ConfigError(f"months must lie in 2 to 120, was {self.months!r}")

    @property
    def assets(self) -> tuple[str, ...]:
        """The assets it follows."""
        return self.tickers

    def state(self, reading: Reading, panel: pd.DataFrame) -> pd.Series | None:
        """Return whether anything is held."""
        return in_or_out(self.weights(reading, panel).any(axis=1))

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        """Return an equal share of each listed asset that stands above its mean."""
        prices = panel.reindex(columns=list(self.tickers))
        mean = sum(month_closes(prices, self.months - 1), start=prices) / self.months
        shares = 1 / listed(panel, self.tickers).sum(axis=1).clip(lower=1)
        return (prices > mean).astype(float).mul(shares, axis=0)


@dataclass(frozen=True, kw_only=True)
class TrendUniverse(Trend):
    """The same rule for every asset of ``near-cash-flow``, each with its equal share.

    Rule, Timing, Reference, Parameters
        As its parent.
    """

    name: ClassVar[str] = "trend-universe"
    description: ClassVar[str] = "each asset of near-cash-flow above its ten-month mean, else bills"

    tickers: tuple[str, ...] = NearCashFlow().assets


@dataclass(frozen=True, kw_only=True)
class DualMomentum(Strategy):
    """The better of SPY and the world outside, while SPY beats bills; else Treasuries.

    Rule
        By total returns since the end of the month twelve months before: if SPY's is above that
        of bills, hold the higher of SPY and EFA, else IEF. What is not listed yet, or has no
        twelve months behind it, is not chosen; without SPY's return all is cash.
    Timing
        Decided at the close; bills by the mean of DGS3MO as known over the last 252 sessions.
    Reference
        Antonacci, *Dual Momentum Investing* (2014), global equities momentum. Departures: EFA for
        the ACWI ex US, IEF for aggregate bonds, as the universe has them.
    """

    name: ClassVar[str] = "dual-momentum"
    description: ClassVar[str] = "the better of SPY and EFA while SPY beats bills, else Treasuries"
    only_scheduled: ClassVar[bool] = True
    active_states: ClassVar[tuple[str, ...]] = (OUT,)

    @property
    def assets(self) -> tuple[str, ...]:
        """Shares at home and abroad, and bonds."""
        return ("SPY", "EFA", "IEF")

    @property
    def reads(self) -> tuple[str, ...]:
        """The yield of bills."""
        return ("DGS3MO",)

    def state(self, reading: Reading, panel: pd.DataFrame) -> pd.Series | None:
        """Return whether shares are held."""
        return in_or_out(self.weights(reading, panel)[["SPY", "EFA"]].any(axis=1))

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        """Return all in the one asset that the rule names."""
        prices = panel.reindex(columns=list(self.assets))
        momentum = prices / month_closes(prices, 12)[-1] - 1
        bills = panel["DGS3MO"].rolling(SESSIONS_A_YEAR, min_periods=1).mean() / 100
        up = momentum["SPY"] > bills
        abroad = momentum["EFA"] > momentum["SPY"]
        down = momentum["SPY"] <= bills  # False where either is unknown
        chosen = {
            "SPY": up & ~abroad,
            "EFA": up & abroad,
            "IEF": down & momentum["IEF"].notna(),
        }
        there = listed(panel, self.assets)
        return (pd.DataFrame(chosen) & there).astype(float)


@dataclass(frozen=True, kw_only=True)
class VolTarget(Strategy):
    """SPY scaled to a volatility of 10 % a year, without leverage; the rest in bills.

    Rule
        The share is min(1, ``volatility`` / volatility over 63 sessions).
    Timing
        Decided at the close from prices known there.
    Reference
        Moreira, Muir, "Volatility-Managed Portfolios" (J. Finance 2017); 10 % is what S&P's daily
        risk control index takes. Departure: no leverage.

    Parameters
    ----------
    volatility
        Yearly, a fraction.
    """

    name: ClassVar[str] = "vol-target"
    description: ClassVar[str] = "SPY scaled to a volatility of 10 %, the rest in bills"

    volatility: float = 0.10

    def __post_init__(self) -> None:
        """Refuse a volatility that is none."""
        check_volatility(self.volatility)

    @property
    def assets(self) -> tuple[str, ...]:
        """SPY."""
        return ("SPY",)

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        """Return SPY's share at each session."""
        scale = volatility_scale(panel, self.assets, self.volatility)
        return pd.DataFrame({"SPY": np.asarray(scale)}, index=panel.index) * listed(
            panel, self.assets
        )
