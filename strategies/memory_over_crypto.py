"""Links L8 and L9: while capital is scarce, buy memory-chip makers and sell bitcoin short."""

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from signals.reading import Reading
from signals.regimes import Regime
from signals.universe import members
from strategies.sleeves import ScaledSleeves, Table


@dataclass(frozen=True, kw_only=True)
class MemoryOverCrypto(ScaledSleeves):
    """Buy memory-chip makers and sell bitcoin short while capital is scarce; otherwise hold cash.

    Rationale
        The thesis makes one very precise claim. When capital is scarce, investors sell crypto, but
        keep assets whose cash flows come soon. The strategy buys memory-chip makers, whose cash
        flows come soon, and sells crypto short. The strategy's return depends mainly on the
        difference between the returns of the long leg and the short leg. The direction of the whole
        market has little influence on the strategy's return.
    Rule
        In ABSORPTION and FORCED_SELLING, the long leg has a weight of +50 %, and the short leg has
        a weight of −50 %. In INJECTION, NEUTRAL and OPPORTUNITY, the whole portfolio is cash. Each
        leg is scaled down to the same target volatility, and gross exposure is at most 1. The whole
        portfolio is cash when a leg has no listed member or no known volatility. If price changes
        push gross exposure above its limit, the engine restores the last target weights.

    Parameters
    ----------
    memory, crypto
        Tickers of the long leg (``memory``) and of the short leg (``crypto``).
    volatility
        Yearly target volatility of each leg, as a fraction.
    """

    name: ClassVar[str] = "memory-over-crypto"
    description: ClassVar[str] = (
        "buys memory-chip makers and sells bitcoin short while capital is scarce"
    )
    link: ClassVar[str] = "L8, L9"
    follows_regime: ClassVar[bool] = True
    active_states: ClassVar[tuple[str, ...]] = (
        Regime.ABSORPTION.value,
        Regime.FORCED_SELLING.value,
    )
    table: ClassVar[Table] = {
        Regime.INJECTION: {},
        Regime.NEUTRAL: {},
        Regime.ABSORPTION: {"memory": 0.50, "crypto": -0.50},
        Regime.FORCED_SELLING: {"memory": 0.50, "crypto": -0.50},
        Regime.OPPORTUNITY: {},
    }

    memory: tuple[str, ...] = members("memory")
    crypto: tuple[str, ...] = ("BTC-USD",)

    def shares(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        """Return the weight of each leg: negative for the short leg, and 0 without a position."""
        shares = super().shares(reading, panel)
        both = (shares != 0).all(axis=1)
        return shares.where(both, 0.0)


@dataclass(frozen=True, kw_only=True)
class MemoryOverCryptoSmh(MemoryOverCrypto):
    """``memory-over-crypto`` with a fund of chip makers (SMH) instead of memory-chip makers.

    Rationale
        In 2026 we know which makers of memory chips did well. A fund of many chip makers avoids
        hindsight about single firms; see ``near-cash-flow-smh``.
    """

    name: ClassVar[str] = "memory-over-crypto-smh"
    description: ClassVar[str] = (
        "memory-over-crypto with the fund SMH instead of memory-chip makers, to reduce hindsight"
    )
    of_no_class: ClassVar[tuple[str, ...]] = ("memory",)

    memory: tuple[str, ...] = ("SMH",)
