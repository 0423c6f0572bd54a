"""L8 and L13: prefer assets with near cash flows, and hold more cash when capital is scarce."""

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
    """Memory-chip makers and less crypto, with more cash when capital is scarcer.

    Rationale
        When capital is scarce, the market pays for near cash flows. Memory makers sell to the
        firms that spend, and coins have no cash flow. Memory makers are also very cyclical. So
        the memory and crypto sleeves are scaled to a target volatility.
    Rule
        The regime gives the share of each sleeve, as in :data:`TABLE`. No regime counts as
        NEUTRAL. The memory and crypto sleeves are scaled by min(1, ``volatility`` / sleeve
        volatility over 63 sessions). The freed share is cash. The share of a sleeve without a
        listed member or a known volatility is cash, too. The listed members of a sleeve have
        equal weights.
    Turnover
        It decides at month ends and when the regime changes. Volatility matters only then.
    Timing
        Each decision uses the reading and the panel of the same session, at its close.

    Parameters
    ----------
    broad, memory, crypto, defensive
        Tickers of each sleeve.
    volatility
        Target volatility of the memory and crypto sleeves, a fraction a year.
    """

    name: ClassVar[str] = "near-cash-flow"
    description: ClassVar[str] = "memory makers over crypto, more cash when capital is scarcer"
    link: ClassVar[str] = "L8, L13"
    follows_regime: ClassVar[bool] = True

    broad: tuple[str, ...] = ("SPY",)
    memory: tuple[str, ...] = members("memory")
    crypto: tuple[str, ...] = ("BTC-USD", "ETH-USD")
    defensive: tuple[str, ...] = members("defensive")
    volatility: float = 0.25

    def __post_init__(self) -> None:
        """Raise ConfigError for a sleeve or a volatility that cannot be used."""
        check_sleeves(self.sleeves)
        check_volatility(self.volatility)

    @property
    def sleeves(self) -> Sleeves:
        """Tickers of each sleeve, by its name."""
        return {
            "broad": self.broad,
            "memory": self.memory,
            "crypto": self.crypto,
            "defensive": self.defensive,
        }

    @property
    def assets(self) -> tuple[str, ...]:
        """Tickers of all its sleeves, each once."""
        return tickers_of(self.sleeves)

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        """Return target weights, sessions × assets."""
        shares = shares_of(reading.regime, TABLE, tuple(self.sleeves))
        shares = scaled(shares, panel, self.sleeves, ("memory", "crypto"), self.volatility)
        return combine(shares, panel, self.sleeves)


@dataclass(frozen=True, kw_only=True)
class NearCashFlowSmh(NearCashFlow):
    """``near-cash-flow`` with a fund of chip makers (SMH) instead of the memory makers.

    Rationale
        In 2026 we know which memory makers survived and thrived, but nobody knew it in 2015. An
        index chose the fund's members at the time. So this variant has no hindsight about single
        firms. It still has hindsight about the choice of chips.
    Rule
        The rule is that of :class:`NearCashFlow`.
    """

    name: ClassVar[str] = "near-cash-flow-smh"
    description: ClassVar[str] = "near-cash-flow with SMH for the memory makers: less hindsight"

    memory: tuple[str, ...] = ("SMH",)
