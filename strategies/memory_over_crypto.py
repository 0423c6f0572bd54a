"""L8 and L9 as one trade: what earns cash against what has none, while capital is scarce."""

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
    """Long memory makers, short bitcoin, while capital is scarce; else cash.

    Rationale
        The thesis's sharpest claim is a relative one: scarce capital leaves crypto, its
        front-line probe, and stays with near cash flows. Long one and short the other, the trade
        earns the claim and little of the market's direction.
    Rule
        Half in each leg in ABSORPTION and FORCED_SELLING, nothing otherwise. Each leg is scaled
        by min(1, ``volatility`` / its volatility over 63 sessions), so both carry about the same
        risk and gross exposure stays below 1. A leg without a listed member or a volatility is
        no leg, and without both there is no trade: all is cash.
    Turnover
        Decides at month ends and when the regime changes, and is cut back when its drifted gross
        exposure exceeds the limit.
    Timing
        Decided at the close from the reading and the panel of that session.

    Parameters
    ----------
    memory, crypto
        Tickers of the long and of the short leg.
    volatility
        Yearly volatility, a fraction, that each leg is scaled to.
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
        """Refuse legs and a volatility that are none."""
        check_sleeves(self.sleeves)
        check_volatility(self.volatility)

    @property
    def sleeves(self) -> Sleeves:
        """Members by leg."""
        return {"memory": self.memory, "crypto": self.crypto}

    @property
    def assets(self) -> tuple[str, ...]:
        """The members of both legs."""
        return tickers_of(self.sleeves)

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        """Return target weights, sessions × assets; those of the short leg are negative."""
        shares = shares_of(reading.regime, TABLE, tuple(self.sleeves))
        shares = scaled(shares, panel, self.sleeves, tuple(self.sleeves), self.volatility)
        both = (shares != 0).all(axis=1)
        return combine(shares.where(both, 0.0), panel, self.sleeves)


@dataclass(frozen=True, kw_only=True)
class MemoryOverCryptoSmh(MemoryOverCrypto):
    """``memory-over-crypto`` with a fund of chip makers in the place of the memory makers.

    Rationale
        As ``near-cash-flow-smh``: the twin that did not know which memory makers would thrive.
    Rule
        As its parent.
    """

    name: ClassVar[str] = "memory-over-crypto-smh"
    description: ClassVar[str] = "memory-over-crypto with SMH for the memory makers: less hindsight"

    memory: tuple[str, ...] = ("SMH",)
