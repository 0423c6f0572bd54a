"""Link L11: gains of speculative momentum do not last."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from signals.base import ScoreSignal
from signals.params import Orders
from signals.transforms import composite, zscore
from signals.universe import UNIVERSE


@dataclass(frozen=True, kw_only=True)
class FadingMomentum(ScoreSignal):
    """Whether price breakouts fail and few assets trade above their long-run mean.

    Formula
        A breakout is a close above the highest close of the previous ``high`` sessions. The signal
        uses breakouts that happened ``earliest`` to ``latest`` sessions ago. A breakout holds if
        the asset's current close is above its close at the breakout. The gauge ``follow_through``
        is the percentage of breakouts that hold. The gauge ``breadth`` is the percentage of assets
        whose close is above the mean close of the last ``mean`` sessions. The score is the z-score
        of −m, where m is the mean of z(follow_through) and z(breadth).
    Flag
        The flag turns on when the score is above ``enter``, and off when the score is below
        ``leave``.
    Timing
        The closes of shares are from the current session. The closes of coins are from the calendar
        day before the session.
    NaN
        A breakout counts only if its asset has a current close. If there are fewer than ``minimum``
        breakouts, the follow-through is NaN. The breadth uses only assets with a close on each of
        the last ``mean`` sessions. The score needs at least one of its two components.
    Reference
        Cooper, Gutierrez, Hameed, "Market States and Momentum", JF (2004). The signal is computed
        from past returns, so no claim about returns is tested with the signal.

    Parameters
    ----------
    high
        A breakout is a close above the highest close of this number of previous sessions.
    mean
        Number of sessions in the long-run mean price.
    earliest
        Smallest age, in sessions, of the breakouts that the signal uses.
    latest
        Largest age, in sessions, of the breakouts that the signal uses.
    minimum
        The follow-through needs at least this number of breakouts.
    """

    name: ClassVar[str] = "fading_momentum"
    link: ClassVar[str] = "L11"
    headline: ClassVar[str] = "follow_through"
    units: ClassVar[dict[str, str]] = {
        "follow_through": "% of breakouts",
        "breadth": "% of the universe",
        "breakouts": "in the window",
        "score": "σ",
        "without": "name",
    }
    inputs: ClassVar[tuple[str, ...]] = tuple(UNIVERSE)
    components: ClassVar[tuple[str, ...]] = ("follow_through", "breadth")
    must_be_positive: ClassVar[tuple[str, ...]] = ("high", "mean", "earliest", "minimum")
    must_ascend: ClassVar[Orders] = (("earliest", "latest"),)

    high: int = 60
    mean: int = 200
    earliest: int = 21
    latest: int = 41
    minimum: int = 10

    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Return the follow-through, the breadth, the number of breakouts, and the score."""
        prices = panel[list(self.inputs)]
        held, breakouts = self._breakouts(prices)
        follow = pd.Series(100 * held / breakouts.where(breakouts >= self.minimum))
        average = prices.rolling(self.mean).mean()
        listed = average.notna() & prices.notna()
        breadth = 100 * (prices > average).sum(axis=1) / listed.sum(axis=1).replace(0, np.nan)
        made = composite({"follow_through": -zscore(follow), "breadth": -zscore(breadth)})
        return pd.DataFrame(
            {
                "follow_through": follow,
                "breadth": breadth,
                "breakouts": breakouts,
                "score": made.score,
                "without": made.without,
            }
        )

    def _breakouts(self, prices: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
        """Return two counts for each session: the breakouts that hold, and all breakouts.

        A breakout whose asset has no current close does not count.
        """
        above = prices > prices.rolling(self.high).max().shift(1)
        now, sessions = prices.to_numpy(), len(prices)
        began, asset = np.nonzero(above.to_numpy())
        held = breakouts = np.zeros(sessions)
        for age in range(self.earliest, min(self.latest + 1, sessions)):
            later = began + age
            inside = later < sessions
            at, column = later[inside], asset[inside]
            then, price = now[at - age, column], now[at, column]
            breakouts = breakouts + np.bincount(at[~np.isnan(price)], minlength=sessions)
            held = held + np.bincount(at[price > then], minlength=sessions)
        index = prices.index
        return pd.Series(held, index=index), pd.Series(breakouts, index=index)
