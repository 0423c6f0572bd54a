"""The effective number of independent trials among correlated trials.

The best of N variants of one strategy has had less luck than the best of N unrelated strategies.
:func:`effective_trials` gives the number K of independent trials, which sets the hurdle of a Sharpe
ratio. The best Sharpe ratio of K independent trials has the same 95 % quantile as the best Sharpe
ratio of the N correlated trials. ``benchmarks/luck.py`` compares K with the effective rank of the
trials. If there are many correlated trials, the effective rank is too small for a test of luck.

References
----------
Chernozhukov, Chetverikov and Kato (2013), "Gaussian approximations and multiplier bootstrap for
maxima of sums of high-dimensional random vectors", Annals of Statistics 41(6).
"""

import math

import numpy as np

from backtests.evidence.entries import SIGNIFICANT
from backtests.evidence.metrics import ROUNDING
from signals.errors import DataError

#: Number of simulations. Each simulation draws a track record without skill for every trial.
DRAWS = 4000
#: Number of trials in one matrix multiplication.
_AT_ONCE = 1000


class BestWithoutSkill:
    """Simulation of the best Sharpe ratio of trials without skill.

    Call :meth:`add` several times to add many trials in parts.

    In each draw, all returns of a session are multiplied by the same standard normal number. So
    each trial has an expected return of 0, and the correlations between trials stay the same.

    Parameters
    ----------
    sessions
        Number of returns of each trial.
    draws, seed
        Number of draws, and seed. Equal seeds give equal results, in any order of the trials.
    """

    def __init__(self, sessions: int, *, draws: int = DRAWS, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self._factors = rng.standard_normal((sessions, draws), dtype=np.float32)
        self._best = np.full(draws, -np.inf, dtype=np.float32)

    def add(self, returns: np.ndarray) -> None:
        """Add trials: daily excess returns, trials × sessions.

        Trials with constant returns are left out. If the number of sessions is not ``sessions``,
        DataError is raised.
        """
        values = np.atleast_2d(returns)
        if values.shape[1] != len(self._factors):
            raise DataError(
                f"expected trials of {len(self._factors)} sessions, were {values.shape[1]}; give "
                "all trials on the same sessions"
            )
        for begin in range(0, len(values), _AT_ONCE):
            scores = standardised(values[begin : begin + _AT_ONCE]) @ self._factors
            if len(scores):
                np.maximum(self._best, scores.max(axis=0), out=self._best)

    def effective(self) -> float:
        """Return the number of independent trials, at least 1."""
        if not np.isfinite(self._best).all():
            return 1.0
        from scipy.special import log_ndtr

        critical = float(np.quantile(self._best.astype(np.float64), 1 - SIGNIFICANT))
        return max(1.0, math.log(1 - SIGNIFICANT) / float(log_ndtr(critical)))


def effective_trials(returns: np.ndarray, *, draws: int = DRAWS, seed: int = 0) -> float:
    """Return the effective number of independent trials, at least 1.

    Formula
        K = ln 0.95 / ln Φ(q). Here q is the 95 % quantile of the largest standardised Sharpe ratio.
        A draw of a trial's Sharpe ratio is Σ g x / √n. Here x are the trial's standardised returns,
        and g is a standard normal number for each session.

    Parameters
    ----------
    returns
        Daily excess returns, trials × sessions. Trials with constant returns are left out.
    draws, seed
        Number of draws, and seed. With 4,000 draws, the standard error of K is about 7 %. An error
        of 7 % moves a hurdle by about 1 %.
    """
    values = np.atleast_2d(returns)
    best = BestWithoutSkill(values.shape[1], draws=draws, seed=seed)
    best.add(values)
    return best.effective()


def standardised(returns: np.ndarray) -> np.ndarray:
    """Return the rows that vary, scaled so that each row has mean 0 and a sum of squares of 1."""
    values = np.asarray(returns, dtype=np.float64)
    values = values - values.mean(axis=1, keepdims=True)
    length = np.sqrt((values**2).sum(axis=1))
    varying = length >= ROUNDING * math.sqrt(values.shape[1])
    scaled: np.ndarray = (values[varying] / length[varying, None]).astype(np.float32)
    return scaled
