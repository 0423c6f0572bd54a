"""A statistical jump model of the return of shares."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from signals.base import positive
from signals.regimes.price_only import SEED, Judge, PriceOnly, log_return, optional, quiet


@dataclass(frozen=True, kw_only=True)
class JumpModel(PriceOnly):
    """A statistical jump model of SPY's smoothed return and downside risk.

    Formula
        Exponentially weighted mean return, log downside deviation and their ratio (Sortino), each
        with halflives of 5, 20 and 60 sessions, standardised and clipped to ±3. Two centres and a
        path of states minimise Σ ½‖x_t − centre(s_t)‖² + ``penalty`` · number of jumps
        (jumpmodels). Online: the last state of the best path up to each session.
    Flag
        The model says 0 or 1, no probability between; the flag is that, confirmed.
    Timing
        SPY's close is known at that close. It leaves late: what has a halflife of 60 sessions
        takes 170 to see that a variance fell to a seventh, so a few calm months can pass unseen.
    NaN
        See :meth:`probability`; besides, the means need 60 sessions.
    Reference
        Nystrup, Lindström, Madsen, "Learning hidden Markov models with persistent states by
        penalizing jumps" (Expert Systems with Applications 2020); Shu, Yu, Mulvey, "Downside Risk
        Reduction Using Regime-Switching Signals" (J. Asset Management 2024). Features and penalty
        are those of the package's own example, and stay: choosing the penalty by the strategy's
        past return, as that paper does, would fit the model to what it is judged by. Departures:
        returns not in excess of bills, and the bad state by variance, not by cumulative return.

    Parameters and errors as in :class:`PriceOnly`; and

    Parameters
    ----------
    penalty
        What a jump costs, in squared standard deviations.
    """

    name: ClassVar[str] = "jump_model"
    description: ClassVar[str] = "two-state statistical jump model of SPY, predicted online"

    penalty: float = 50.0

    @property
    def inputs(self) -> tuple[str, ...]:
        """What it reads."""
        return ("SPY",)

    def __post_init__(self) -> None:
        """Refuse parameters that make no sense together."""
        super().__post_init__()
        positive("penalty", self.penalty)

    def features(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return SPY's return, %, and nine smoothed measures of it."""
        returns = log_return(data["SPY"])
        columns = {"return": returns}
        for halflife in (5, 20, 60):
            mean = _smooth(returns, halflife)
            downside = _smooth(returns.clip(upper=0) ** 2, halflife) ** 0.5
            downside = downside.where(downside > 0)
            columns |= {
                f"mean_{halflife}": mean,
                f"downside_{halflife}": np.log(downside),
                f"sortino_{halflife}": mean / downside,
            }
        return pd.DataFrame(columns)

    def estimate(self, window: np.ndarray) -> Judge:
        """Estimate by jumpmodels; judge by its ``predict_online``.

        From ten seeded starts three steps each, then to the end from the best of them: half the
        time of ten full searches, and as near to the optimum.
        """
        with optional(self.name):
            from jumpmodels.jump import JumpModel as Jumps
        with quiet():
            model = Jumps(2, self.penalty, random_state=SEED, n_init=10, max_iter=3)
            model.fit(_clipped(window), window[:, 0], sort_by="vol")
            model.set_params(n_init=1, max_iter=1000)
            model.fit(_clipped(window), window[:, 0], sort_by="vol")
        return lambda features: model.predict_online(_clipped(features)).astype(float)


def _smooth(x: pd.Series, halflife: int) -> pd.Series:
    return x.ewm(halflife=halflife, min_periods=60).mean()


def _clipped(features: np.ndarray) -> np.ndarray:
    """Return the columns after the return, clipped."""
    return features[:, 1:].clip(-3, 3)
