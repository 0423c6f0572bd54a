"""Regimes from a Markov-switching regression of share returns."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from signals.regimes.markov import LEAVE, VARIANCES, Markov, TwoStates
from signals.regimes.price_only import log_return, optional, quiet


@dataclass(frozen=True, kw_only=True)
class MarkovSwitching(Markov):
    """A two-state Markov-switching regression of SPY's return on a constant.

    Formula
        The model is r_t = μ(s_t) + σ(s_t) ε_t. In this formula, r_t is SPY's standardised log
        return, and s_t is the state. The mean μ and the volatility σ depend on the state. Maximum
        likelihood (statsmodels' MarkovRegression) estimates the model from one fixed start.
        Hamilton's filter, :func:`signals.regimes.markov.forward`, computes the probability of each
        state.
    Flag
        The flag means that the market is turbulent. The flag turns on when the probability of the
        bad state is above ``enter``, and off when the probability is below ``leave``.
    Timing
        SPY's close of a session is known at that session.
    NaN
        See :meth:`probability`.
    Reference
        Hamilton, "A New Approach to the Economic Analysis of Nonstationary Time Series and the
        Business Cycle" (Econometrica 1989). The model differs from Hamilton's model in three ways.
        The model uses daily data, has no autoregression, and sets a lower limit for the probability
        of leaving a state (:meth:`TwoStates.make`).

    See :class:`PriceOnly` for the parameters and errors.
    """

    name: ClassVar[str] = "markov_switching"
    description: ClassVar[str] = "two-state Markov-switching model of the return of SPY"
    inputs: ClassVar[tuple[str, ...]] = ("SPY",)

    def features(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return SPY's log return, in %."""
        return pd.DataFrame({"SPY": log_return(data["SPY"])})

    def chain(self, window: np.ndarray) -> TwoStates:
        """Return the two states that statsmodels estimates."""
        with optional(self.name):
            from statsmodels.tsa.regime_switching.markov_regression import MarkovRegression
        start = [1 - LEAVE, LEAVE, 0.0, 0.0, *VARIANCES]
        with quiet():
            model = MarkovRegression(window[:, 0], 2, switching_variance=True)
            found = model.fit(start_params=start, em_iter=50, return_params=True, disp=False)
        stay, back = found[:2]
        means, variances = found[2:4].reshape(2, 1), found[4:6].reshape(2, 1)
        leave = np.array([1 - stay, back])
        return TwoStates.make(means, variances, leave, len(window))
