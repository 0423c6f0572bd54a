"""L8 and L9 as one trade: long assets with near cash flows, short crypto, in scarce capital."""

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
    Regime.INJECTION: {},
    Regime.NEUTRAL: {},
    Regime.ABSORPTION: {"memory": 0.50, "crypto": -0.50},
    Regime.FORCED_SELLING: {"memory": 0.50, "crypto": -0.50},
    Regime.OPPORTUNITY: {},
}


@dataclass(frozen=True, kw_only=True)
class MemoryOverCrypto(Strategy):
    """Long memory-chip makers and short bitcoin while capital is scarce, otherwise cash.

    Rationale
        The sharpest claim of the thesis is relative: scarce capital leaves crypto and stays with
        near cash flows. The trade is long the one and short the other. So its return depends on
        that claim, and little on the direction of the market.
    Rule
        In ABSORPTION and FORCED_SELLING, each of the two legs has half of the portfolio. In other
        regimes all is cash. Each leg is scaled by min(1, ``volatility`` / its volatility over 63
        sessions). So both legs carry about the same risk, and gross exposure is at most 1. All is
        cash when a leg has no listed member or no known volatility.
    Turnover
        It decides at month ends and when the regime changes. The engine reduces positions when
        price moves raise gross exposure above the limit.
    Timing
        Each decision uses the reading and the panel of the same session, at its close.

    Parameters
    ----------
    memory, crypto
        Tickers of the long leg (memory) or of the short leg (crypto).
    volatility
        Target volatility of each leg, a fraction a year.
    """

    name: ClassVar[str] = "memory-over-crypto"
    description: ClassVar[str] = "long memory makers, short bitcoin, while capital is scarce"
    link: ClassVar[str] = "L8, L9"
    follows_regime: ClassVar[bool] = True
    active_states: ClassVar[tuple[str, ...]] = (
        Regime.ABSORPTION.value,
        Regime.FORCED_SELLING.value,
    )

    memory: tuple[str, ...] = members("memory")
    crypto: tuple[str, ...] = ("BTC-USD",)
    volatility: float = 0.25

    def __post_init__(self) -> None:
        """Raise ConfigError for a leg or a volatility that cannot be used."""
        check_sleeves(self.sleeves)
        check_volatility(self.volatility)

    @property
    def sleeves(self) -> Sleeves:
        """Tickers of each leg, by its name."""
        return {"memory": self.memory, "crypto": self.crypto}

    @property
    def assets(self) -> tuple[str, ...]:
        """Tickers of both legs, each once."""
        return tickers_of(self.sleeves)

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        """Return target weights, sessions × assets; weights of the short leg are negative."""
        shares = shares_of(reading.regime, TABLE, tuple(self.sleeves))
        shares = scaled(shares, panel, self.sleeves, tuple(self.sleeves), self.volatility)
        both = (shares != 0).all(axis=1)
        return combine(shares.where(both, 0.0), panel, self.sleeves)


@dataclass(frozen=True, kw_only=True)
class MemoryOverCryptoSmh(MemoryOverCrypto):
    """``memory-over-crypto`` with a fund of chip makers (SMH) instead of the memory makers.

    Rationale
        The fund avoids hindsight about which memory makers would thrive, as in
        ``near-cash-flow-smh``.
    Rule
        The rule is that of :class:`MemoryOverCrypto`.
    """

    name: ClassVar[str] = "memory-over-crypto-smh"
    description: ClassVar[str] = "memory-over-crypto with SMH for the memory makers: less hindsight"

    memory: tuple[str, ...] = ("SMH",)
