"""L8 and L13: from the market into shares whose cash flows are near and steady, then into cash."""

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
    """SPY while capital is ample, then staples, utilities, health care, low volatility, and cash.

    Rationale
        Defensive shares pay sooner and vary less, so a rising price of capital takes least from
        them; they stay in the market where `cash-heavy` leaves it.
    Rule
        Shares by regime as in :data:`TABLE`, no regime counts as NEUTRAL. Inside a sleeve, equal
        weights over the listed members; the share of a sleeve with none is cash.
    Turnover
        Decides at month ends and when the regime changes.
    Timing
        Decided at the close from the reading and the panel of that session.

    Parameters
    ----------
    broad, defensive
        Tickers of each sleeve.
    """

    name: ClassVar[str] = "defensive"
    description: ClassVar[str] = "SPY, then defensive shares and cash as capital gets scarcer"
    link: ClassVar[str] = "L8, L13"
    follows_regime: ClassVar[bool] = True
    price_free: ClassVar[bool] = True

    broad: tuple[str, ...] = ("SPY",)
    defensive: tuple[str, ...] = members("defensive")

    def __post_init__(self) -> None:
        """Refuse sleeves that are none."""
        check_sleeves(self.sleeves)

    @property
    def sleeves(self) -> Sleeves:
        """Members by sleeve."""
        return {"broad": self.broad, "defensive": self.defensive}

    @property
    def assets(self) -> tuple[str, ...]:
        """The members of its sleeves."""
        return tickers_of(self.sleeves)

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        """Return target weights, sessions × assets."""
        return combine(shares_of(reading.regime, TABLE, tuple(self.sleeves)), panel, self.sleeves)
