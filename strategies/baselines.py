"""What one would hold without the thesis."""

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from signals.errors import ConfigError
from signals.reading import Reading
from strategies.base import Strategy, check_sleeves, equal_over_listed, listed
from strategies.near_cash_flow import NearCashFlow


@dataclass(frozen=True, kw_only=True)
class _Fixed(Strategy):
    """Fixed shares; an asset that is not listed leaves its share in cash."""

    shares: ClassVar[dict[str, float]]

    @property
    def assets(self) -> tuple[str, ...]:
        """The assets it always holds."""
        return tuple(self.shares)

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        """Return the fixed shares wherever the asset is listed."""
        return listed(panel, self.assets).astype(float) * pd.Series(self.shares, dtype="float64")


@dataclass(frozen=True, kw_only=True)
class Spy(_Fixed):
    """The S&P 500, through SPY, dividends reinvested."""

    name: ClassVar[str] = "spy"
    description: ClassVar[str] = "the S&P 500, fully invested"
    shares: ClassVar[dict[str, float]] = {"SPY": 1.0}


@dataclass(frozen=True, kw_only=True)
class SixtyForty(_Fixed):
    """Sixty in SPY, forty in Treasuries of 7 to 10 years (IEF)."""

    name: ClassVar[str] = "sixty-forty"
    description: ClassVar[str] = "60 % SPY, 40 % Treasuries of 7 to 10 years"
    shares: ClassVar[dict[str, float]] = {"SPY": 0.6, "IEF": 0.4}


@dataclass(frozen=True, kw_only=True)
class Bitcoin(_Fixed):
    """Bitcoin alone; cash before it has a price."""

    name: ClassVar[str] = "bitcoin"
    description: ClassVar[str] = "bitcoin, fully invested"
    shares: ClassVar[dict[str, float]] = {"BTC-USD": 1.0}


@dataclass(frozen=True, kw_only=True)
class Gold(_Fixed):
    """Gold, through GLD: the shelter by repute."""

    name: ClassVar[str] = "gold"
    description: ClassVar[str] = "gold (GLD), fully invested"
    shares: ClassVar[dict[str, float]] = {"GLD": 1.0}


@dataclass(frozen=True, kw_only=True)
class Bills(_Fixed):
    """Nothing but 3-month bills."""

    name: ClassVar[str] = "bills"
    description: ClassVar[str] = "3-month Treasury bills"
    shares: ClassVar[dict[str, float]] = {}


@dataclass(frozen=True, kw_only=True)
class EqualWeight(Strategy):
    """Equal weights over whatever is listed of a set of assets.

    Parameters
    ----------
    tickers
        The assets; by default those of ``near-cash-flow``, so that the two differ in timing and
        sizing alone.
    """

    name: ClassVar[str] = "equal-weight"
    description: ClassVar[str] = "equal weights over the assets of near-cash-flow"

    tickers: tuple[str, ...] = NearCashFlow().assets

    def __post_init__(self) -> None:
        """Refuse tickers that are none."""
        check_sleeves({"tickers": self.tickers})

    @property
    def assets(self) -> tuple[str, ...]:
        """The assets it spreads over."""
        return self.tickers

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        """Return 1/n over the n assets listed at each session; what is unlisted is dealt out."""
        return equal_over_listed(panel, self.tickers)


@dataclass(frozen=True, kw_only=True)
class ConstantMix(Strategy):
    """A constant share of SPY, the rest in bills: what defence costs without any skill.

    A third in SPY cuts the market's fall to a third. Whoever is in cash on average as much as
    this mix and earns no more has timed nothing.

    Parameters
    ----------
    share
        Of SPY, a fraction from 0 to 1.
    """

    name: ClassVar[str] = "constant-mix"
    description: ClassVar[str] = "a constant share of SPY (half unless said), the rest in bills"

    share: float = 0.5

    def __post_init__(self) -> None:
        """Refuse a share that is none."""
        if not 0 <= self.share <= 1:
            raise ConfigError(f"share must lie in 0 to 1, was {self.share!r}")

    @property
    def assets(self) -> tuple[str, ...]:
        """SPY."""
        return ("SPY",)

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        """Return the share wherever SPY is listed."""
        return listed(panel, self.assets).astype(float) * self.share
