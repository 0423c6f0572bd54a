"""Regimes from a statistical jump model of share returns."""

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from signals.regimes.price_only import SEED, Judge, PriceOnly, log_return, optional, quiet


@dataclass(frozen=True, kw_only=True)
class JumpModel(PriceOnly):
    """A statistical jump model of SPY's smoothed return and downside risk.

    Formula
        Three features are computed with exponential weights: the mean return, the log downside
        deviation, and the mean divided by the downside deviation (Sortino). Each feature is
        computed with halflives of 5, 20 and 60 sessions. All features are standardised and clipped
        to ±3. The features of session t are x_t, and the state of session t is s_t. The package
        jumpmodels chooses two centres and a path of states. The centres and the path minimise Σ
        ½‖x_t − centre(s_t)‖² + ``penalty`` · number of jumps. The state of a session is the last
        state of the best path up to that session.
    Flag
        The model gives a state of 0 (good) or 1 (bad) instead of a probability. The flag turns on
        at the last of ``confirm`` consecutive sessions in state 1. The flag turns off at the last
        of ``confirm`` consecutive sessions in state 0.
    Timing
        SPY's close of a session is known at that session. The model detects the end of a bad state
        late. With a halflife of 60 sessions, a past return still has a seventh of its initial
        weight after 170 sessions. After a bad state, the model can therefore classify a few calm
        months as bad.
    NaN
        See :meth:`probability`. Each weighted mean needs at least 60 sessions.
    Reference
        Nystrup, Lindström, Madsen, "Learning hidden Markov models with persistent states by
        penalizing jumps" (Expert Systems with Applications 2020); Shu, Yu, Mulvey, "Downside Risk
        Reduction Using Regime-Switching Signals" (J. Asset Management 2024). The features and the
        penalty come from the example of the package jumpmodels. The model differs from the
        published models in three ways. The penalty is fixed and does not depend on past returns.
        The return of Treasury bills is not subtracted from SPY's return. The bad state is the state
        with the higher variance, not the state with the lower cumulative return.

    Parameters
    ----------
    penalty
        Cost of one jump, in squared standard deviations. See :class:`PriceOnly` for the other
        parameters.
    """

    name: ClassVar[str] = "jump_model"
    description: ClassVar[str] = "two-state statistical jump model of the return of SPY"
    inputs: ClassVar[tuple[str, ...]] = ("SPY",)
    must_be_positive: ClassVar[tuple[str, ...]] = ("penalty",)

    penalty: float = 50.0

    def features(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return SPY's log returns in %, and nine smoothed measures of these returns."""
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
        """Estimate a model with jumpmodels, and return a function that gives each session's state.

        The first search makes at most three iterations from each of ten seeded starting points. The
        second search makes at most 1000 iterations from each of two starting points: the best
        result of the first search, and one seeded point. The two searches together take half the
        time of ten full searches, and find an equally good optimum.
        """
        with optional(self.name):
            from jumpmodels.jump import JumpModel as Jumps

            from signals.regimes.best_path import fast_paths
        with quiet(), fast_paths():
            model = Jumps(2, self.penalty, random_state=SEED, n_init=10, max_iter=3)
            model.fit(_clipped(window), window[:, 0], sort_by="vol")
            model.set_params(n_init=1, max_iter=1000)
            model.fit(_clipped(window), window[:, 0], sort_by="vol")
        return partial(_states, model)


def _states(model: Any, features: np.ndarray) -> np.ndarray:
    """Return each session's state, 0 or 1, computed only from sessions up to that session."""
    from signals.regimes.best_path import fast_paths

    with fast_paths():
        states: np.ndarray = model.predict_online(_clipped(features)).astype(float)
    return states


def _smooth(x: pd.Series, halflife: int) -> pd.Series:
    return x.ewm(halflife=halflife, min_periods=60).mean()


def _clipped(features: np.ndarray) -> np.ndarray:
    """Return all features except the first one (the return), clipped to ±3."""
    return features[:, 1:].clip(-3, 3)
