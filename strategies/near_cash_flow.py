"""L8 and L13: hold what earns cash soon, little of what may never, and much cash when dear."""

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from signals.reading import Reading
from signals.regimes import Regime
from signals.universe import members
from strategies.base import (
    Sleeves,
    Strategy,
    Table,
    check_sleeves,
    check_volatility,
    combine,
    scaled,
    shares_of,
    tickers_of,
)

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
    Turnover
        Decides at month ends and when the regime changes; volatility is looked at only then.
    Timing
        Decided at the close from the reading and the panel of that session.

    Parameters
    ----------
    broad, memory, crypto, defensive
        Tickers of each sleeve.
    volatility
        Yearly volatility, a fraction, that the memory and crypto sleeves are scaled to.
    """

    name: ClassVar[str] = "near-cash-flow"
    description: ClassVar[str] = "memory makers over crypto, more cash the scarcer capital is"
    link: ClassVar[str] = "L8, L13"
    follows_regime: ClassVar[bool] = True

    broad: tuple[str, ...] = ("SPY",)
    memory: tuple[str, ...] = members("memory")
    crypto: tuple[str, ...] = ("BTC-USD", "ETH-USD")
    defensive: tuple[str, ...] = members("defensive")
    volatility: float = 0.25

    def __post_init__(self) -> None:
        """Refuse sleeves and a volatility that are none."""
        check_sleeves(self.sleeves)
        check_volatility(self.volatility)

    @property
    def sleeves(self) -> Sleeves:
        """Members by sleeve."""
        return {
            "broad": self.broad,
            "memory": self.memory,
            "crypto": self.crypto,
            "defensive": self.defensive,
        }

    @property
    def assets(self) -> tuple[str, ...]:
        """The members of its sleeves."""
        return tickers_of(self.sleeves)

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        """Return target weights, sessions × assets."""
        shares = shares_of(reading.regime, TABLE, tuple(self.sleeves))
        shares = scaled(shares, panel, self.sleeves, ("memory", "crypto"), self.volatility)
        return combine(shares, panel, self.sleeves)


@dataclass(frozen=True, kw_only=True)
class NearCashFlowSmh(NearCashFlow):
    """``near-cash-flow`` with a fund of chip makers in the place of the memory makers.

    Rationale
        Which memory makers would survive and thrive was known in 2026, not in 2015. A fund's
        members were chosen by its index on the day, so this twin is free of that choice, though
        not of the choice of chips.
    Rule
        As its parent.
    """

    name: ClassVar[str] = "near-cash-flow-smh"
    description: ClassVar[str] = "near-cash-flow with SMH for the memory makers: less hindsight"

    memory: tuple[str, ...] = ("SMH",)
