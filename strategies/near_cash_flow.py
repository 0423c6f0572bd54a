"""Links L8 and L13: when capital is scarce, prefer early cash flows and hold more cash."""

from dataclasses import dataclass
from typing import ClassVar

from signals.regimes import Regime
from signals.universe import OwnClasses, members
from strategies.sleeves import ScaledSleeves, Table


@dataclass(frozen=True, kw_only=True)
class NearCashFlow(ScaledSleeves):
    """Hold SPY, memory-chip makers and crypto; hold less crypto and more cash if capital is scarce.

    Rationale
        When capital is scarce, the market pays more for cash flows that come soon. Makers of memory
        chips sell to the firms with high capital spending. Coins have no cash flow. Makers of
        memory chips are very cyclical, so their sleeve (group of assets) is scaled to a target
        volatility.
    Rule
        The regime sets the weight of each sleeve. The memory and crypto sleeves are scaled to the
        target volatility.

    Parameters
    ----------
    broad, memory, crypto, defensive
        Each parameter contains the tickers of the sleeve of the same name.
    """

    name: ClassVar[str] = "near-cash-flow"
    description: ClassVar[str] = (
        "SPY, memory-chip makers and crypto; less crypto and more cash when capital is scarcer"
    )
    link: ClassVar[str] = "L8, L13"
    follows_regime: ClassVar[bool] = True
    table: ClassVar[Table] = {
        Regime.INJECTION: {"broad": 0.60, "memory": 0.20, "crypto": 0.20},
        Regime.NEUTRAL: {"broad": 0.60, "memory": 0.20, "crypto": 0.10},
        Regime.ABSORPTION: {"broad": 0.20, "memory": 0.30, "defensive": 0.10},
        Regime.FORCED_SELLING: {"memory": 0.10, "defensive": 0.10},
        Regime.OPPORTUNITY: {"broad": 0.40, "memory": 0.30, "crypto": 0.20},
    }

    broad: tuple[str, ...] = ("SPY",)
    memory: tuple[str, ...] = members("memory")
    crypto: tuple[str, ...] = ("BTC-USD", "ETH-USD")
    defensive: tuple[str, ...] = members("defensive")


@dataclass(frozen=True, kw_only=True)
class NearCashFlowSmh(NearCashFlow):
    """``near-cash-flow`` with a fund of chip makers (SMH) instead of memory-chip makers.

    Rationale
        In 2026 we know which makers of memory chips survived and did well. In 2015, nobody knew
        which makers of memory chips would do well. The fund SMH follows an index. The members of
        the index were chosen without knowledge of the future. The strategy ``near-cash-flow-smh``
        has no hindsight about single firms, but has hindsight about the chip industry.
    """

    name: ClassVar[str] = "near-cash-flow-smh"
    description: ClassVar[str] = (
        "near-cash-flow with the fund SMH instead of memory-chip makers, to reduce hindsight"
    )
    of_no_class: ClassVar[tuple[str, ...]] = ("memory",)

    memory: tuple[str, ...] = ("SMH",)


def traded_with(tickers: tuple[str, ...], own: OwnClasses) -> tuple[str, ...]:
    """Return the tickers to trade if a user has chosen other tickers for some asset classes.

    ``own`` maps each replaced asset class to the user's tickers. If ``tickers`` are the default
    assets of ``near-cash-flow``, the user's tickers replace the default tickers of the classes in
    ``own``. Any other ``tickers`` are the user's own choice and are returned unchanged.
    """
    default = NearCashFlow()
    return default.with_classes(own).assets if tickers == default.assets else tickers
