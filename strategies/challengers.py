"""Challengers: published rules that do not use the thesis (trend, momentum, volatility).

If a challenger does as well as the strategies of the thesis, the thesis has added nothing. Each
challenger follows a published source, and its docstring lists the differences from the source. All
challengers decide only on scheduled dates, by default at month ends.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import pandas as pd

from signals.errors import ConfigError
from signals.reading import Reading
from signals.universe import OwnClasses
from strategies.base import SESSIONS_A_YEAR, Strategy, listed
from strategies.near_cash_flow import NearCashFlow, traded_with
from strategies.sleeves import check_sleeves, check_volatility, volatility_scale

INVESTED, OUT = "invested", "out"


def month_closes(prices: pd.DataFrame, months: int) -> list[pd.DataFrame]:
    """Return, for each session, the month-end prices of the preceding months, newest first.

    The list contains ``months`` tables of sessions × assets, one for each preceding month. The
    price of a month is NaN if the month has no price, or if the history begins after the month.
    """
    month = pd.DatetimeIndex(prices.index).to_period("M")
    last = prices.groupby(month).last()
    last = last.reindex(pd.period_range(month[0], month[-1], freq="M"))
    return [last.shift(n).loc[month].set_axis(prices.index) for n in range(1, months + 1)]


def in_or_out(held: pd.Series) -> pd.Series:
    """Return the label ``invested`` for True, and the label ``out`` for False."""
    return held.map({True: INVESTED, False: OUT})


@dataclass(frozen=True, kw_only=True)
class Trend(Strategy):
    """SPY while the price of SPY is above its ten-month mean, otherwise bills.

    Rule
        The mean is the average of the current price and the month-end prices of the nine preceding
        months. At a month's end, the mean is the average of the last ten month-end closes. Each
        asset of ``tickers`` that has a current price gets the same weight. An asset is held while
        its price is above its own mean. While the price of an asset is at or below the mean, the
        weight of the asset is held in cash. Until an asset has prices for ten months, the weight of
        the asset is held in cash.
    Reference
        Faber, "A Quantitative Approach to Tactical Asset Allocation" (J. Wealth Management 2007).

    Parameters
    ----------
    tickers
        The assets.
    months
        Number of months in the mean, from 2 to 120.
    """

    name: ClassVar[str] = "trend"
    description: ClassVar[str] = "SPY while its price is above its ten-month mean, otherwise bills"
    only_scheduled: ClassVar[bool] = True
    active_states: ClassVar[tuple[str, ...]] = (OUT,)

    tickers: tuple[str, ...] = ("SPY",)
    months: int = 10

    def __post_init__(self) -> None:
        """Raise ConfigError for a parameter outside its range."""
        super().__post_init__()
        check_sleeves({"tickers": self.tickers})
        if not 2 <= self.months <= 120:
            raise ConfigError(f"expected `months` from 2 to 120, was {self.months!r}")

    @property
    def assets(self) -> tuple[str, ...]:
        """The assets whose trend the strategy follows."""
        return self.tickers

    def state(self, reading: Reading, panel: pd.DataFrame) -> pd.Series | None:
        """Return ``invested`` if the strategy holds an asset at a session, else ``out``."""
        return in_or_out(self.weights(reading, panel).any(axis=1))

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        """Return an equal weight for each listed asset whose price is above its mean."""
        prices = panel.reindex(columns=list(self.tickers))
        mean = sum(month_closes(prices, self.months - 1), start=prices) / self.months
        shares = 1 / listed(panel, self.tickers).sum(axis=1).clip(lower=1)
        return (prices > mean).astype(float).mul(shares, axis=0)


@dataclass(frozen=True, kw_only=True)
class TrendUniverse(Trend):
    """The rule of ``trend`` for every asset of ``near-cash-flow``, with equal weights."""

    name: ClassVar[str] = "trend-universe"
    description: ClassVar[str] = (
        "holds each asset of near-cash-flow while its price is above its ten-month mean, "
        "otherwise bills"
    )

    tickers: tuple[str, ...] = NearCashFlow().assets

    def with_classes(self, own: OwnClasses) -> Self:
        """Return the strategy with a user's own asset classes, as in ``near-cash-flow``."""
        return replace(self, tickers=traded_with(self.tickers, own))


@dataclass(frozen=True, kw_only=True)
class DualMomentum(Strategy):
    """Hold SPY or EFA while SPY earns more than bills; otherwise hold Treasuries (IEF).

    Rule
        The rule compares total returns since the month end twelve months ago. If SPY's return is
        above the return of bills, the strategy holds the better of SPY and EFA. If SPY's return is
        at or below the return of bills, the strategy holds IEF. The rule chooses only listed assets
        that had a price twelve months ago. The whole portfolio is cash while the return of SPY or
        of bills is unknown. The return of bills is the mean of DGS3MO over the last 252 sessions.
    Reference
        Antonacci, *Dual Momentum Investing* (2014), global equities momentum. The strategy holds
        only assets of the universe: EFA instead of the index ACWI ex US, and IEF instead of
        aggregate bonds.
    """

    name: ClassVar[str] = "dual-momentum"
    description: ClassVar[str] = (
        "the better of SPY and EFA while SPY earns more than bills, otherwise Treasuries"
    )
    only_scheduled: ClassVar[bool] = True
    active_states: ClassVar[tuple[str, ...]] = (OUT,)
    assets: ClassVar[tuple[str, ...]] = ("SPY", "EFA", "IEF")
    reads: ClassVar[tuple[str, ...]] = ("DGS3MO",)

    def state(self, reading: Reading, panel: pd.DataFrame) -> pd.Series | None:
        """Return ``invested`` if the strategy holds SPY or EFA at a session, else ``out``."""
        return in_or_out(self.weights(reading, panel)[["SPY", "EFA"]].any(axis=1))

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        """Return weight 1 for the asset that the rule chooses."""
        prices = panel.reindex(columns=list(self.assets))
        momentum = prices / month_closes(prices, 12)[-1] - 1
        bills = panel["DGS3MO"].rolling(SESSIONS_A_YEAR, min_periods=1).mean() / 100
        up = momentum["SPY"] > bills
        abroad = momentum["EFA"] > momentum["SPY"]
        down = momentum["SPY"] <= bills  # False if one of the two returns is unknown
        chosen = {
            "SPY": up & ~abroad,
            "EFA": up & abroad,
            "IEF": down & momentum["IEF"].notna(),
        }
        return (pd.DataFrame(chosen) & listed(panel, self.assets)).astype(float)


@dataclass(frozen=True, kw_only=True)
class VolTarget(Strategy):
    """SPY scaled to a volatility of 10 % a year, without leverage, and the rest in bills.

    Rule
        The weight of SPY is min(1, ``volatility`` / SPY's volatility over 63 sessions).
    Reference
        Moreira, Muir, "Volatility-Managed Portfolios" (J. Finance 2017). S&P's daily risk control
        index has a target volatility of 10 %. The strategy differs from the paper in two ways. The
        weight is inversely proportional to the volatility, not to the variance. The strategy uses
        no leverage.

    Parameters
    ----------
    volatility
        Yearly target volatility, as a fraction.
    """

    name: ClassVar[str] = "vol-target"
    description: ClassVar[str] = "SPY scaled to a volatility of 10 %, the rest in bills"
    assets: ClassVar[tuple[str, ...]] = ("SPY",)

    volatility: float = 0.10

    def __post_init__(self) -> None:
        """Raise ConfigError if the yearly volatility is zero, negative, or above 5 (500 %)."""
        super().__post_init__()
        check_volatility(self.volatility)

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        """Return the weight of SPY at each session."""
        scale = volatility_scale(panel, self.assets, self.volatility)
        return listed(panel, self.assets).astype(float).mul(scale, axis=0)
