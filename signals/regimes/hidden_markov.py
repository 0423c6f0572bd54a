"""A hidden Markov model of shares, the Treasury yield and the credit spread."""

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
        SPY's log return in %, ΔDGS10 and ΔBAA10Y in percentage points, standardised. In each of
        two states they are normal and independent. Estimated by expectation-maximisation
        (hmmlearn) from one fixed start; filtered by :func:`signals.regimes.markov.forward`.
    Flag
        On (turbulent) when the probability of the bad state is above ``enter``, off when below
        ``leave``.
    Timing
        Each as known at the close: SPY's own, DGS10 of the session before, BAA10Y of two before.
        So a row mixes days, and correlations across its columns mean nothing: hence independence
        within a state. States last weeks, which makes a day or two of lag harmless.
    NaN
        See :meth:`probability`.
    Reference
        Rydén, Teräsvirta, Åsbrink, "Stylized facts of daily return series and the hidden Markov
        model" (J. Applied Econometrics 1998); Ang, Timmermann, "Regime Changes and Financial
        Markets" (2012). Departures: the yields, no covariances, and a least probability of
        leaving a state (:meth:`TwoStates.make`).

    Parameters and errors as in :class:`PriceOnly`.
    """

    name: ClassVar[str] = "hidden_markov"
    description: ClassVar[str] = "two-state Gaussian HMM of SPY, DGS10 and BAA10Y, filtered"

    @property
    def inputs(self) -> tuple[str, ...]:
        """What it reads."""
        return ("SPY", "DGS10", "BAA10Y")

    def features(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return SPY's return, % and the changes of the yield and the spread, points."""
        return data.diff().assign(SPY=log_return(data["SPY"]))

    def chain(self, window: np.ndarray) -> TwoStates:
        """Estimate by hmmlearn."""
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
