"""L8 and L13: hold what earns cash soon, little of what may never, and much cash when dear."""

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from signals.errors import ConfigError
from signals.regime import Reading, Regime
from signals.universe import members
from strategies.base import Strategy, Table, combine, shares_of, volatility_scale

SLEEVES: dict[str, tuple[str, ...]] = {
    "broad": ("SPY",),
    "memory": members("memory"),
    "crypto": ("BTC-USD", "ETH-USD"),
    "defensive": members("defensive"),
}

TABLE: Table = {
    Regime.INJECTION: {"broad": 0.60, "memory": 0.20, "crypto": 0.20},
    Regime.NEUTRAL: {"broad": 0.60, "memory": 0.20, "crypto": 0.10},
    Regime.ABSORPTION: {"broad": 0.20, "memory": 0.30, "defensive": 0.10},
    Regime.FORCED_SELLING: {"memory": 0.10, "defensive": 0.10},
    Regime.OPPORTUNITY: {"broad": 0.40, "memory": 0.30, "crypto": 0.20},
}


@dataclass(frozen=True, kw_only=True)
class NearCashFlow(Strategy):
    """Memory makers over crypto, and the more cash the scarcer capital is.

    Rationale
        When capital is scarce the market pays for cash flows that are near: memory makers sell
        into the spending itself, coins have no cash flow at all. Memory makers are nonetheless
        violently cyclical, so their sleeve and crypto's are scaled to a volatility.
    Rule
        Shares by regime as in :data:`TABLE`, no regime counts as NEUTRAL. The memory and crypto
        sleeves are scaled by min(1, ``volatility`` / sleeve volatility over 63 sessions); what
        that frees, and the share of a sleeve with no listed member or no volatility yet, is cash.
        Inside a sleeve, equal weights over the listed members.
    Timing
        Decided at the close from the reading and the panel of that session.

    Parameters
    ----------
    volatility
        Yearly volatility, a fraction, that the memory and crypto sleeves are scaled to.
    """

    name: ClassVar[str] = "near-cash-flow"
    line: ClassVar[str] = "memory makers over crypto, more cash the scarcer capital is"
    link: ClassVar[str] = "L8, L13"
    follows_regime: ClassVar[bool] = True

    volatility: float = 0.25

    def __post_init__(self) -> None:
        """Refuse a volatility that is none."""
        if not 0 < self.volatility <= 5:
            raise ConfigError(
                f"volatility must lie above 0, up to 5 (a fraction a year), was {self.volatility}"
            )

    @property
    def assets(self) -> tuple[str, ...]:
        """The members of its sleeves."""
        return tuple(ticker for tickers in SLEEVES.values() for ticker in tickers)

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        """Return target weights, sessions × assets."""
        shares = shares_of(reading.regime, TABLE, tuple(SLEEVES))
        for sleeve in ("memory", "crypto"):
            shares[sleeve] *= volatility_scale(panel, SLEEVES[sleeve], self.volatility)
        return combine(shares, panel, SLEEVES)
