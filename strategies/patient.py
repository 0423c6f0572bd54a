"""L14: hold cash until a rare chance, then buy in three steps."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from signals.base import ordered, positive
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

#: Shares without a chance. In OPPORTUNITY the shares of the regime before it hold.
TABLE: Table = {
    Regime.INJECTION: {"broad": 0.60},
    Regime.NEUTRAL: {"broad": 0.30},
    Regime.ABSORPTION: {},
    Regime.FORCED_SELLING: {},
    Regime.OPPORTUNITY: {},
}
CHANCE = {"broad": 0.60, "memory": 0.20, "crypto": 0.20}


@dataclass(frozen=True, kw_only=True)
class Patient(Strategy):
    """Mostly cash until OPPORTUNITY; then it buys in thirds, holds a year, and sells in thirds.

    Rationale
        Forced sellers offer low prices to investors who still have cash. The cost of waiting for
        that chance is the return of other assets in the meantime. Nobody knows the lowest price,
        so the strategy buys and sells in thirds.
    Rule
        The regime gives the share of each sleeve, as in :data:`TABLE`. No regime counts as
        NEUTRAL, and OPPORTUNITY counts as the regime before it. When the regime turns to
        OPPORTUNITY, the strategy holds a third of :data:`CHANCE`. It holds two thirds after half
        of ``stage`` sessions, and all after ``stage`` sessions. It holds all for ``hold``
        sessions in any regime, and then sells in thirds over ``stage`` sessions. Each sleeve has
        the larger of its shares in the table and in the chance, so a chance never causes a sale.
        FORCED_SELLING ends the chance at once. A new turn to OPPORTUNITY starts it again. The
        memory and crypto sleeves are scaled by min(1, ``volatility`` / volatility over 63
        sessions). The freed share and the share of a sleeve without a listed member are cash.
    Turnover
        It decides at month ends and at each third. It also decides when the regime changes, but
        not while it holds a chance.
    Timing
        Each decision uses the reading and the panel of the same session, at its close.

    Parameters
    ----------
    stage
        Sessions from the first third to the last, at least 2.
    hold
        Sessions for which it holds all three thirds.
    broad, memory, crypto
        Tickers of each sleeve.
    volatility
        Target volatility of the memory and crypto sleeves, a fraction a year.
    """

    name: ClassVar[str] = "patient"
    description: ClassVar[str] = "mostly cash until a rare chance, then invested for a year"
    link: ClassVar[str] = "L14"
    follows_regime: ClassVar[bool] = True
    active_states: ClassVar[tuple[str, ...]] = ("1/3 in", "2/3 in", "3/3 in")

    stage: int = 42
    hold: int = 252
    broad: tuple[str, ...] = ("SPY",)
    memory: tuple[str, ...] = members("memory")
    crypto: tuple[str, ...] = ("BTC-USD", "ETH-USD")
    volatility: float = 0.25

    def __post_init__(self) -> None:
        """Raise ConfigError for a parameter outside its range."""
        positive("hold", self.hold)
        ordered("1", 1, "stage", self.stage)
        check_sleeves(self.sleeves)
        check_volatility(self.volatility)

    @property
    def sleeves(self) -> Sleeves:
        """Tickers of each sleeve, by its name."""
        return {"broad": self.broad, "memory": self.memory, "crypto": self.crypto}

    @property
    def assets(self) -> tuple[str, ...]:
        """Tickers of all its sleeves, each once."""
        return tickers_of(self.sleeves)

    def state(self, reading: Reading, panel: pd.DataFrame) -> pd.Series | None:
        """Return the number of thirds, like ``2/3 in``, while it holds any, or the regime."""
        thirds = self.thirds(reading.regime)
        return reading.regime.where(thirds == 0, thirds.astype(str) + "/3 in")

    def thirds(self, regime: pd.Series) -> pd.Series:
        """Return the number of thirds of the chance that it holds at each session, 0 to 3."""
        level, since = 0, -1
        before: object = None
        out = np.zeros(len(regime), dtype=np.int64)
        for i, name in enumerate(regime):
            if name == Regime.FORCED_SELLING:
                level, since = 0, -1
            elif name == Regime.OPPORTUNITY and before != name:
                since = i
            if since >= 0:
                level = self._level(i - since, level)
            before, out[i] = name, level
        return pd.Series(out, index=regime.index)

    def _level(self, age: int, level: int) -> int:
        """Return the number of thirds ``age`` sessions after the chance came."""
        half = self.stage / 2
        if age < self.stage + self.hold:
            return max(level, 1 + (age >= half) + (age >= self.stage))
        past = age - self.stage - self.hold
        return 2 - (past >= half) - (past >= self.stage)

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        """Return target weights, sessions × assets."""
        names = tuple(self.sleeves)
        part = self.thirds(reading.regime) / 3
        base = shares_of(_before_chances(reading.regime), TABLE, names)
        chance = pd.DataFrame(CHANCE, index=base.index)[list(names)].mul(part, axis=0)
        shares = base.where(base > chance, chance)
        shares = scaled(shares, panel, self.sleeves, ("memory", "crypto"), self.volatility)
        return combine(shares, panel, self.sleeves)


def _before_chances(regime: pd.Series) -> pd.Series:
    """Return the regime with each OPPORTUNITY replaced by the regime before it."""
    named = regime.fillna(Regime.NEUTRAL.value)
    return named.where(named != Regime.OPPORTUNITY.value).ffill()
