"""Link L14: hold cash until a rare chance to buy, then buy in three steps."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from signals.params import Orders
from signals.reading import Reading
from signals.regimes import Regime
from signals.universe import members
from strategies.sleeves import ScaledSleeves, Table, shares_of

#: Smallest weight of each sleeve (group of assets) after all three purchases. Scaling to the target
#: volatility can reduce this weight.
CHANCE = {"broad": 0.60, "memory": 0.20, "crypto": 0.20}


@dataclass(frozen=True, kw_only=True)
class Patient(ScaledSleeves):
    """Mostly cash until OPPORTUNITY; then buy in thirds, hold a year, and sell in thirds.

    Rationale
        Forced sellers offer low prices to investors who still have cash. But an investor who waits
        for low prices misses the return of other assets. Nobody knows the lowest price, so the
        strategy buys and sells in thirds.
    Rule
        The regime sets the weight of each sleeve in ``table``. In OPPORTUNITY, the weights of the
        previous regime apply. When the regime changes to OPPORTUNITY, the strategy also begins to
        buy each sleeve in three steps, up to the sleeve's weight in :data:`CHANCE`. Each step adds
        one third of this weight. The strategy buys the first third at once, the second third after
        half of ``stage`` sessions, and the last third after ``stage`` sessions. The strategy holds
        all three thirds for ``hold`` sessions, and then sells in thirds over ``stage`` sessions.
        While the strategy holds thirds, each sleeve has the larger of two weights. The first weight
        is the sleeve's weight in ``table``. The second weight is the held part (1/3, 2/3 or 3/3) of
        the sleeve's weight in :data:`CHANCE`. So the purchase of a third never reduces a
        sleeve's weight. When the regime changes to FORCED_SELLING, the strategy sells all thirds at
        once. No other regime has this effect. If the regime changes to OPPORTUNITY again, the count
        of sessions restarts. The memory and crypto sleeves are scaled to the target volatility.
    Turnover
        The strategy decides at month ends, and when it buys or sells a third of the weights in
        :data:`CHANCE`. While the strategy holds no third, the strategy also decides when the
        regime changes.

    Parameters
    ----------
    stage
        Number of sessions from the first purchase to the last purchase, at least 2.
    hold
        Number of sessions during which the strategy holds all three thirds.
    broad, memory, crypto
        Tickers of each sleeve.
    """

    name: ClassVar[str] = "patient"
    description: ClassVar[str] = "mostly cash until a rare chance, then invested for a year"
    link: ClassVar[str] = "L14"
    follows_regime: ClassVar[bool] = True
    active_states: ClassVar[tuple[str, ...]] = ("1/3 in", "2/3 in", "3/3 in")
    must_be_positive: ClassVar[tuple[str, ...]] = ("hold",)
    must_ascend: ClassVar[Orders] = ((1, "stage"),)
    table: ClassVar[Table] = {
        Regime.INJECTION: {"broad": 0.60},
        Regime.NEUTRAL: {"broad": 0.30},
        Regime.ABSORPTION: {},
        Regime.FORCED_SELLING: {},
        Regime.OPPORTUNITY: {},
    }

    stage: int = 42
    hold: int = 252
    broad: tuple[str, ...] = ("SPY",)
    memory: tuple[str, ...] = members("memory")
    crypto: tuple[str, ...] = ("BTC-USD", "ETH-USD")

    def state(self, reading: Reading, panel: pd.DataFrame) -> pd.Series | None:
        """Return the state of each session: the regime, or a label such as ``2/3 in``.

        The label is ``2/3 in`` while the strategy holds two thirds of the weights in
        :data:`CHANCE`. While the strategy holds no third, the state is the regime.
        """
        thirds = self.thirds(reading.regime)
        return reading.regime.where(thirds == 0, thirds.astype(str) + "/3 in")

    def thirds(self, regime: pd.Series) -> pd.Series:
        """Return how many thirds of the :data:`CHANCE` weights are held at each session, 0 to 3."""
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
        """Return how many thirds are held ``age`` sessions after the change to OPPORTUNITY.

        ``level`` is the number of thirds held one session earlier.
        """
        half = self.stage / 2
        if age < self.stage + self.hold:
            return max(level, 1 + (age >= half) + (age >= self.stage))
        past = age - self.stage - self.hold
        return 2 - (past >= half) - (past >= self.stage)

    def planned(self, reading: Reading) -> pd.DataFrame:
        """Return the weight of each sleeve at each session, sessions × sleeves.

        Each weight is the larger of two weights. The first weight comes from ``table``. The second
        weight is the held part (0, 1/3, 2/3 or 3/3) of the weight in :data:`CHANCE`.
        """
        regime = reading.regime.fillna(Regime.NEUTRAL.value)
        before = regime.where(regime != Regime.OPPORTUNITY.value).ffill()
        base = shares_of(before, self.table, tuple(self.sleeves))
        part = self.thirds(reading.regime) / 3
        chance = pd.DataFrame({name: CHANCE[name] * part for name in self.sleeves})
        return base.where(base > chance, chance)
