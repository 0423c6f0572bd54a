"""Link L14: keep cash until a rare chance to buy, then buy in three steps."""

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
#: volatility can reduce the weight.
CHANCE = {"broad": 0.60, "memory": 0.20, "crypto": 0.20}


@dataclass(frozen=True, kw_only=True)
class Patient(ScaledSleeves):
    """Hold SPY and cash until OPPORTUNITY, buy in three steps, sell in three steps a year later.

    Rationale
        Forced sellers offer low prices to investors who still have cash. But an investor who waits
        for low prices misses the return of other assets. Nobody knows the lowest price, so the
        strategy buys and sells in three steps.
    Rule
        The regime sets the weight of each sleeve in ``table``. In OPPORTUNITY, the weights of the
        previous regime apply. When the regime changes to OPPORTUNITY, the strategy also begins to
        buy the portfolio :data:`CHANCE` in three equal parts. The strategy buys the first part at
        once, the second part after half of ``stage`` sessions, and the third part after ``stage``
        sessions. The strategy sells the parts one by one. The first sale is ``hold`` sessions after
        the third purchase. The second sale is half of ``stage`` sessions after the first sale, and
        the third sale is ``stage`` sessions after the first sale. The number n, from 0 to 3, counts
        the parts of :data:`CHANCE` that the strategy holds. The weight of a sleeve is max(weight in
        ``table``, n/3 · weight in :data:`CHANCE`). A purchase therefore never reduces a sleeve's
        weight. If the regime changes to FORCED_SELLING, the strategy sells all parts of
        :data:`CHANCE` at once. Only FORCED_SELLING causes an early sale. If the regime changes to
        OPPORTUNITY again, the strategy sells nothing, and the schedule of purchases and sales
        restarts. The memory and crypto sleeves are scaled to the target volatility.
    Turnover
        The strategy decides on scheduled dates, by default at month ends, and at each purchase or
        sale of a part of :data:`CHANCE`. While n is 0, each change of regime causes a decision.

    Parameters
    ----------
    stage
        Number of sessions from the first purchase to the last purchase, at least 2.
    hold
        Number of sessions from the last purchase to the first sale.
    broad, memory, crypto
        Each parameter contains the tickers of the sleeve of the same name.
    """

    name: ClassVar[str] = "patient"
    description: ClassVar[str] = "SPY and cash until a rare chance, then invested for a year"
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
        """Return each session's state: the regime, or the holdings in thirds of :data:`CHANCE`.

        The state is ``1/3 in``, ``2/3 in`` or ``3/3 in`` while the strategy holds one, two or three
        parts of :data:`CHANCE`. While the strategy holds no part, the state is the regime.
        """
        thirds = self.thirds(reading.regime)
        return reading.regime.where(thirds == 0, thirds.astype(str) + "/3 in")

    def thirds(self, regime: pd.Series) -> pd.Series:
        """Return the holdings at each session, in thirds of the portfolio :data:`CHANCE`.

        The result is 0, 1, 2 or 3. A third of the portfolio contains a third of each weight in
        :data:`CHANCE`.
        """
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
        """Return the holdings at a session, in thirds of the portfolio :data:`CHANCE`.

        ``age`` is the number of sessions since the change to OPPORTUNITY. ``level`` is the number
        of thirds held one session earlier.
        """
        half = self.stage / 2
        if age < self.stage + self.hold:
            return max(level, 1 + (age >= half) + (age >= self.stage))
        past = age - self.stage - self.hold
        return 2 - (past >= half) - (past >= self.stage)

    def planned(self, reading: Reading) -> pd.DataFrame:
        """Return the weight of each sleeve at each session, sessions × sleeves.

        The weight of a sleeve is max(weight in ``table``, n/3 · weight in :data:`CHANCE`), where n
        is the result of :meth:`thirds`.
        """
        regime = reading.regime.fillna(Regime.NEUTRAL.value)
        before = regime.where(regime != Regime.OPPORTUNITY.value).ffill()
        base = shares_of(before, self.table, tuple(self.sleeves))
        part = self.thirds(reading.regime) / 3
        chance = pd.DataFrame({name: CHANCE[name] * part for name in self.sleeves})
        return base.where(base > chance, chance)
