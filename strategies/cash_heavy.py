"""L13: it is a time to defend: mostly cash."""

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from signals.reading import Reading
from signals.regimes import Regime
from strategies.base import Strategy, Table, check_sleeves, combine, shares_of

TABLE: Table = {
    Regime.INJECTION: {"broad": 0.80},
    Regime.NEUTRAL: {"broad": 0.60},
    Regime.ABSORPTION: {"broad": 0.20},
    Regime.FORCED_SELLING: {},
    Regime.OPPORTUNITY: {"broad": 0.70},
}


@dataclass(frozen=True, kw_only=True)
class CashHeavy(Strategy):
    """SPY and bills, the more bills the scarcer capital is.

    Rationale
        When capital is pulled out of everything else, cash is what it is pulled into. One asset
        and cash alone: whatever this earns over a constant mix is timing.
    Rule
        The share of SPY by regime as in :data:`TABLE`, no regime counts as NEUTRAL; the rest, and
        all of it while SPY has no price, is cash.
    Turnover
        Decides at month ends and when the regime changes.
    Timing
        Decided at the close from the reading and the panel of that session.

    Parameters
    ----------
    broad
        Tickers of the sleeve, equally weighted over those listed.
    """

    name: ClassVar[str] = "cash-heavy"
    description: ClassVar[str] = "SPY and bills, the more bills the scarcer capital is"
    link: ClassVar[str] = "L13"
    follows_regime: ClassVar[bool] = True
    price_free: ClassVar[bool] = True

    broad: tuple[str, ...] = ("SPY",)

    def __post_init__(self) -> None:
        """Refuse a sleeve that is none."""
        check_sleeves({"broad": self.broad})

    @property
    def assets(self) -> tuple[str, ...]:
        """The members of its sleeve."""
        return self.broad

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        """Return target weights, sessions × assets."""
        return combine(shares_of(reading.regime, TABLE, ("broad",)), panel, {"broad": self.broad})
