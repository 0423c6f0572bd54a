"""Links L8 and L13: move from the market to shares with early, steady cash flows, then to cash."""

from dataclasses import dataclass
from typing import ClassVar

from signals.regimes import Regime
from signals.universe import members
from strategies.sleeves import SleeveStrategy, Table


@dataclass(frozen=True, kw_only=True)
class Defensive(SleeveStrategy):
    """Hold SPY while capital is ample; when capital is scarce, hold defensive funds and cash.

    Rationale
        Defensive shares are shares with low volatility, and shares of companies in staples,
        utilities and health care. Defensive shares pay cash earlier than other shares, and their
        prices vary less. When the price of capital rises, defensive shares therefore lose less than
        other shares. When the strategy ``cash-heavy`` sells its shares for cash, the strategy
        ``defensive`` still holds defensive shares.
    Rule
        The regime sets the weight of each sleeve (group of assets).

    Parameters
    ----------
    broad, defensive
        Each parameter contains the tickers of the sleeve of the same name.
    """

    name: ClassVar[str] = "defensive"
    description: ClassVar[str] = "SPY, then defensive shares and cash when capital gets scarcer"
    link: ClassVar[str] = "L8, L13"
    follows_regime: ClassVar[bool] = True
    price_free: ClassVar[bool] = True
    table: ClassVar[Table] = {
        Regime.INJECTION: {"broad": 1.00},
        Regime.NEUTRAL: {"broad": 0.70, "defensive": 0.30},
        Regime.ABSORPTION: {"defensive": 0.60},
        Regime.FORCED_SELLING: {"defensive": 0.30},
        Regime.OPPORTUNITY: {"broad": 1.00},
    }

    broad: tuple[str, ...] = ("SPY",)
    defensive: tuple[str, ...] = members("defensive")
