"""Link L13: hold mostly cash while capital is scarce."""

from dataclasses import dataclass
from typing import ClassVar

from signals.regimes import Regime
from strategies.sleeves import SleeveStrategy, Table


@dataclass(frozen=True, kw_only=True)
class CashHeavy(SleeveStrategy):
    """Hold SPY and bills, and more bills when capital is scarce.

    Rationale
        When capital is scarce, investors sell other assets for cash. The strategy holds only SPY
        and cash. If the strategy earns more than a constant mix with the same average weight of
        SPY, the reason is timing.
    Rule
        The regime sets the weight of SPY, and the remainder is cash. The whole portfolio is cash
        while SPY has no price.

    Parameters
    ----------
    broad
        Tickers that the strategy holds in addition to cash. The listed tickers have equal weights.
    """

    name: ClassVar[str] = "cash-heavy"
    description: ClassVar[str] = "SPY and bills, more bills when capital is scarcer"
    link: ClassVar[str] = "L13"
    follows_regime: ClassVar[bool] = True
    price_free: ClassVar[bool] = True
    table: ClassVar[Table] = {
        Regime.INJECTION: {"broad": 0.80},
        Regime.NEUTRAL: {"broad": 0.60},
        Regime.ABSORPTION: {"broad": 0.20},
        Regime.FORCED_SELLING: {},
        Regime.OPPORTUNITY: {"broad": 0.70},
    }

    broad: tuple[str, ...] = ("SPY",)
