"""L13: hold mostly cash while capital is scarce."""

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
    """SPY and bills, with more bills when capital is scarcer.

    Rationale
        When capital is scarce, other assets are sold for cash. The strategy holds only SPY and
        cash, so timing alone explains what it earns above a constant mix.
    Rule
        The regime gives the share of SPY, as in :data:`TABLE`. No regime counts as NEUTRAL. The
        rest is cash. All is cash while SPY has no price.
    Turnover
        It decides at month ends and when the regime changes.
    Timing
        Each decision uses the reading and the panel of the same session, at its close.

    Parameters
    ----------
    broad
        Tickers of the sleeve. Those that are listed have equal weights.
    """

    name: ClassVar[str] = "cash-heavy"
    description: ClassVar[str] = "SPY and bills, more bills when capital is scarcer"
    link: ClassVar[str] = "L13"
    follows_regime: ClassVar[bool] = True
    price_free: ClassVar[bool] = True

    broad: tuple[str, ...] = ("SPY",)

    def __post_init__(self) -> None:
        """Raise ConfigError unless the sleeve is a tuple of different, valid tickers."""
        check_sleeves({"broad": self.broad})

    @property
    def assets(self) -> tuple[str, ...]:
        """The members of its sleeve."""
        return self.broad

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        """Return target weights, sessions × assets."""
        return combine(shares_of(reading.regime, TABLE, ("broad",)), panel, {"broad": self.broad})
