"""Regimes from a hidden Markov model of shares, the Treasury yield and the credit spread."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from signals.regimes.markov import LEAVE, VARIANCES, Markov, TwoStates
from signals.regimes.price_only import log_return, optional, quiet


@dataclass(frozen=True, kw_only=True)
class HiddenMarkov(Markov):
    """A two-state Gaussian hidden Markov model of SPY, the Treasury yield and the credit spread.

    Formula
        The features are SPY's log return (in %), and ΔDGS10 and ΔBAA10Y (in percentage points). All
        features are standardised. In each of the two states, the features are independent and have
        normal distributions. Expectation maximisation (hmmlearn) estimates the model from one fixed
        start. :func:`signals.regimes.markov.forward` computes the probability of each state.
    Flag
        The flag means that the market is turbulent. The flag turns on when the probability of the
        bad state is above ``enter``, and off when the probability is below ``leave``.
    Timing
        Each feature uses the newest value known at the close. In the row of a session, SPY is the
        close of this session, DGS10 is from one session earlier, and BAA10Y is from two sessions
        earlier. One row contains values of different days, so the model assumes that the columns
        are independent within a state. A state lasts for weeks, so a lag of up to two sessions does
        no harm.
    NaN
        See :meth:`probability`.
    Reference
        Rydén, Teräsvirta, Åsbrink, "Stylized facts of daily return series and the hidden Markov
        model" (J. Applied Econometrics 1998); Ang, Timmermann, "Regime Changes and Financial
        Markets" (2012). The model differs from the published models in three ways. The features
        include the Treasury yield and the credit spread. The features have no covariances within a
        state. The probability of leaving a state has a lower limit (:meth:`TwoStates.make`).

    See :class:`PriceOnly` for the parameters and errors.
    """

    name: ClassVar[str] = "hidden_markov"
    description: ClassVar[str] = "two-state hidden Markov model of SPY, DGS10 and BAA10Y"
    inputs: ClassVar[tuple[str, ...]] = ("SPY", "DGS10", "BAA10Y")

    def features(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return SPY's log return in %, and the yield and spread changes in percentage points."""
        return data.diff().assign(SPY=log_return(data["SPY"]))

    def chain(self, window: np.ndarray) -> TwoStates:
        """Return the two states that hmmlearn estimates."""
        with optional(self.name):
            from hmmlearn.hmm import GaussianHMM
        with quiet():
            model = GaussianHMM(2, "diag", n_iter=1000, tol=1e-4, init_params="")
            model.startprob_ = np.array([0.5, 0.5])
            model.transmat_ = np.array([[1 - LEAVE, LEAVE], [LEAVE, 1 - LEAVE]])
            model.means_ = np.zeros((2, window.shape[1]))
            model.covars_ = np.repeat(VARIANCES, window.shape[1]).reshape(2, -1)
            model.fit(window)
        variances = np.diagonal(model.covars_, axis1=1, axis2=2)
        leave = 1 - np.diagonal(model.transmat_)
        return TwoStates.make(model.means_, variances, leave, len(window))
