"""L14: patience is paid: cash until a rare chance, then in by thirds."""

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

#: Without a chance; OPPORTUNITY keeps what the regime before it held.
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
    """Mostly cash until OPPORTUNITY; then in by thirds, held a year, out by thirds.

    Rationale
        Forced sellers pay whoever still has cash when they are done. The price of that chance is
        the return given up while waiting, which this strategy pays openly. Nobody knows the
        bottom, so it enters and leaves by thirds.
    Rule
        Shares by regime as in :data:`TABLE`, no regime counts as NEUTRAL, and OPPORTUNITY as the
        regime before it. From the session that the regime turns to OPPORTUNITY, a third of
        :data:`CHANCE`, two thirds after half of ``stage`` sessions, all after ``stage``; then
        held for ``hold`` sessions whatever the regime, and left by thirds likewise. A sleeve has
        the larger of its shares in the table and in the chance, so that a chance sells nothing.
        FORCED_SELLING ends it at once. A new turn to OPPORTUNITY starts the clock again. The
        memory and crypto sleeves are scaled by min(1, ``volatility`` / volatility over 63
        sessions); what that frees, and the share of a sleeve with no listed member, is cash.
    Turnover
        Decides at month ends, at each third, and, while no chance is held, when the regime
        changes.
    Timing
        Decided at the close from the reading and the panel of that session.

    Parameters
    ----------
    stage
        Sessions from the first third to the last, at least 2.
    hold
        Sessions that the whole is held.
    broad, memory, crypto
        Tickers of each sleeve.
    volatility
        Yearly volatility, a fraction, that the memory and crypto sleeves are scaled to.
    """

    name: ClassVar[str] = "patient"
    description: ClassVar[str] = "mostly cash until a rare chance, then in by thirds for a year"
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
        """Refuse parameters that make no sense."""
        positive("hold", self.hold)
        ordered("1", 1, "stage", self.stage)
        check_sleeves(self.sleeves)
        check_volatility(self.volatility)

    @property
    def sleeves(self) -> Sleeves:
        """Members by sleeve."""
        return {"broad": self.broad, "memory": self.memory, "crypto": self.crypto}

    @property
    def assets(self) -> tuple[str, ...]:
        """The members of its sleeves."""
        return tickers_of(self.sleeves)

    def state(self, reading: Reading, panel: pd.DataFrame) -> pd.Series | None:
        """Return the thirds of the chance that are held while there are any, else the regime."""
        thirds = self.thirds(reading.regime)
        return reading.regime.where(thirds == 0, thirds.astype(str) + "/3 in")

    def thirds(self, regime: pd.Series) -> pd.Series:
        """Return how many thirds of the chance are held at each session, 0 to 3."""
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
        """Return the thirds held so many sessions after the chance came."""
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
    """Return the regime, with that before each OPPORTUNITY in its place."""
    named = regime.fillna(Regime.NEUTRAL.value)
    return named.where(named != Regime.OPPORTUNITY.value).ffill()
