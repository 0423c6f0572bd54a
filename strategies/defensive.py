"""L8 and L13: move from the market to shares with near, steady cash flows, and then to cash."""

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from signals.reading import Reading
from signals.regimes import Regime
from signals.universe import members
from strategies.base import Sleeves, Strategy, Table, check_sleeves, combine, shares_of, tickers_of

TABLE: Table = {
    Regime.INJECTION: {"broad": 1.00},
    Regime.NEUTRAL: {"broad": 0.70, "defensive": 0.30},
    Regime.ABSORPTION: {"defensive": 0.60},
    Regime.FORCED_SELLING: {"defensive": 0.30},
    Regime.OPPORTUNITY: {"broad": 1.00},
}


@dataclass(frozen=True, kw_only=True)
class Defensive(Strategy):
    """SPY while capital is ample, then funds of defensive shares and cash.

    Rationale
        Defensive shares (low volatility, staples, utilities, health care) pay sooner and vary
        less. So a higher price of capital costs them least. The strategy stays in the market when
        ``cash-heavy`` leaves it.
    Rule
        The regime gives the share of each sleeve, as in :data:`TABLE`. No regime counts as
        NEUTRAL. The listed members of a sleeve have equal weights. The share of a sleeve without
        a listed member is cash.
    Turnover
        It decides at month ends and when the regime changes.
    Timing
        Each decision uses the reading and the panel of the same session, at its close.

    Parameters
    ----------
    broad, defensive
        Tickers of each sleeve.
    """

    name: ClassVar[str] = "defensive"
    description: ClassVar[str] = "SPY, then defensive shares and cash when capital gets scarcer"
    link: ClassVar[str] = "L8, L13"
    follows_regime: ClassVar[bool] = True
    price_free: ClassVar[bool] = True

    broad: tuple[str, ...] = ("SPY",)
    defensive: tuple[str, ...] = members("defensive")

    def __post_init__(self) -> None:
        """Raise ConfigError unless each sleeve is a tuple of different, valid tickers."""
        check_sleeves(self.sleeves)

    @property
    def sleeves(self) -> Sleeves:
        """Tickers of each sleeve, by its name."""
        return {"broad": self.broad, "defensive": self.defensive}

    @property
    def assets(self) -> tuple[str, ...]:
        """Tickers of all its sleeves, each once."""
        return tickers_of(self.sleeves)

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        """Return target weights, sessions × assets."""
        return combine(shares_of(reading.regime, TABLE, tuple(self.sleeves)), panel, self.sleeves)
