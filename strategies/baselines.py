"""Baselines: portfolios that an investor could hold without the thesis."""

from dataclasses import dataclass, replace
from typing import ClassVar, Self

import pandas as pd

from signals.errors import ConfigError
from signals.reading import Reading
from signals.universe import OwnClasses
from strategies.base import Strategy, listed
from strategies.near_cash_flow import NearCashFlow, traded_with
from strategies.sleeves import SleeveStrategy


@dataclass(frozen=True, kw_only=True)
class _Fixed(Strategy):
    """Fixed weights. While an asset is not listed, its weight is held in cash."""

    shares: ClassVar[dict[str, float]]

    @property
    def assets(self) -> tuple[str, ...]:
        """The assets that the strategy holds."""
        return tuple(self.shares)

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        """Return the fixed weight of each asset, or 0 at sessions without a price of the asset."""
        return listed(panel, self.assets).astype(float) * pd.Series(self.shares, dtype="float64")


@dataclass(frozen=True, kw_only=True)
class Spy(_Fixed):
    """The S&P 500 through the fund SPY, with reinvested dividends."""

    name: ClassVar[str] = "spy"
    description: ClassVar[str] = "the S&P 500, fully invested"
    shares: ClassVar[dict[str, float]] = {"SPY": 1.0}


@dataclass(frozen=True, kw_only=True)
class SixtyForty(_Fixed):
    """60 % in SPY and 40 % in Treasuries of 7 to 10 years (IEF)."""

    name: ClassVar[str] = "sixty-forty"
    description: ClassVar[str] = "60 % SPY, 40 % Treasuries of 7 to 10 years"
    shares: ClassVar[dict[str, float]] = {"SPY": 0.6, "IEF": 0.4}


@dataclass(frozen=True, kw_only=True)
class Bitcoin(_Fixed):
    """Bitcoin only; before the first bitcoin price, cash only."""

    name: ClassVar[str] = "bitcoin"
    description: ClassVar[str] = "bitcoin, fully invested"
    shares: ClassVar[dict[str, float]] = {"BTC-USD": 1.0}


@dataclass(frozen=True, kw_only=True)
class Gold(_Fixed):
    """Gold through the fund GLD."""

    name: ClassVar[str] = "gold"
    description: ClassVar[str] = "gold (GLD), fully invested"
    shares: ClassVar[dict[str, float]] = {"GLD": 1.0}


@dataclass(frozen=True, kw_only=True)
class Bills(_Fixed):
    """3-month Treasury bills only."""

    name: ClassVar[str] = "bills"
    description: ClassVar[str] = "3-month Treasury bills"
    shares: ClassVar[dict[str, float]] = {}


@dataclass(frozen=True, kw_only=True)
class EqualWeight(SleeveStrategy):
    """Equal weights over the listed assets of a set.

    Parameters
    ----------
    tickers
        The assets. The default is the assets of ``near-cash-flow``. With the default assets,
        ``equal-weight`` and ``near-cash-flow`` differ only in the timing and the size of positions.
    """

    name: ClassVar[str] = "equal-weight"
    description: ClassVar[str] = "all assets of the strategy near-cash-flow, with equal weights"

    tickers: tuple[str, ...] = NearCashFlow().assets

    def with_classes(self, own: OwnClasses) -> Self:
        """Return the strategy with a user's own asset classes, as in ``near-cash-flow``."""
        return replace(self, tickers=traded_with(self.tickers, own))

    def planned(self, reading: Reading) -> pd.DataFrame:
        """Return weight 1 for the single sleeve (group of assets)."""
        return pd.DataFrame({"tickers": 1.0}, index=reading.regime.index)


@dataclass(frozen=True, kw_only=True)
class ConstantMix(Strategy):
    """A portfolio with a constant weight of SPY; the rest is in bills.

    If SPY falls by 30 %, a portfolio with a third in SPY loses only 10 %. If a strategy earns no
    more than a constant mix with the strategy's average cash weight, the strategy's timing added no
    value.

    Parameters
    ----------
    share
        Weight of SPY, a fraction from 0 to 1.
    """

    name: ClassVar[str] = "constant-mix"
    description: ClassVar[str] = "a constant share of SPY (default 50 %), the rest in bills"
    assets: ClassVar[tuple[str, ...]] = ("SPY",)

    share: float = 0.5

    def __post_init__(self) -> None:
        """Raise ConfigError unless ``share`` is from 0 to 1."""
        super().__post_init__()
        if not 0 <= self.share <= 1:
            raise ConfigError(f"expected `share` from 0 to 1, was {self.share!r}")

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        """Return the weight of SPY, which is 0 at sessions without a price of SPY."""
        return listed(panel, self.assets).astype(float) * self.share
