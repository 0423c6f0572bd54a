"""A Markov chain of two states with Gaussian features, and the filter for its states."""

from abc import abstractmethod
from dataclasses import dataclass
from math import exp, log

import numpy as np

from signals.regimes.price_only import Judge, PriceOnly


@dataclass(frozen=True, kw_only=True)
class TwoStates:
    """A Markov chain of two states; within a state, the features are independent and Gaussian.

    Attributes
    ----------
    means, variances
        Arrays of states × features. The second state is the bad state.
    leave
        For each state, the probability that the chain leaves that state at the next session.
    """

    means: np.ndarray
    variances: np.ndarray
    leave: np.ndarray

    @classmethod
    def make(
        cls, means: np.ndarray, variances: np.ndarray, leave: np.ndarray, sessions: int
    ) -> "TwoStates":
        """Return two states, in ascending order of the variance of the first feature.

        A state that never ends in the window can end later. The probability of leaving a state is
        therefore at least 1 / ``sessions``. The probability of staying in a state is at least 1 /
        ``sessions``. A variance is at least a thousandth of the window's variance. Without a lower
        limit of the variance, a single value could form a state.
        """
        order = np.argsort(variances[:, 0], kind="stable")
        bounded = leave[order].clip(1 / sessions, 1 - 1 / sessions)
        return cls(means=means[order], variances=variances[order].clip(1e-3), leave=bounded)

    def log_density(self, features: np.ndarray) -> np.ndarray:
        """Return the log density of each session's features in each state, sessions × 2."""
        squares = (features[:, None, :] - self.means) ** 2 / self.variances
        logs: np.ndarray = (squares + np.log(2 * np.pi * self.variances)).sum(axis=2)
        return -0.5 * logs

    def probability(self, features: np.ndarray) -> np.ndarray:
        """Return the filtered probability of the bad state at each session.

        The prior at the first session is the long-run probability of the bad state.
        """
        start = self.leave[0] / self.leave.sum()
        return forward(self.log_density(features), start, self.leave)[0]


def forward(log_density: np.ndarray, start: float, leave: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the filtered probability of the second state, and the log likelihood.

    The probability at session t is p_t = P(second state at t | sessions up to t). The prior for
    session t follows from p_{t−1} and the transition probabilities. The filter multiplies the prior
    by the density of session t and normalises the product (Hamilton, 1989).

    Parameters
    ----------
    log_density
        Log density of each session in each state, sessions × 2.
    start
        Prior probability of the second state at the first session.
    leave
        For each state, the probability that the chain leaves that state at the next session.
    """
    stay, turn = 1 - float(leave[1]), float(leave[0])
    prior, likelihood = float(start), 0.0
    out = np.empty(len(log_density))
    for t, (first, second) in enumerate(log_density.tolist()):
        top = max(first, second)
        good, bad = (1 - prior) * exp(first - top), prior * exp(second - top)
        out[t] = p = bad / (good + bad)
        likelihood += top + log(good + bad)
        prior = p * stay + (1 - p) * turn
    return out, likelihood


# Fixed starting values of the estimation. A state lasts about 50 sessions, and one state has four
# times the variance of the other. Starting values with persistent states avoid an optimum in which
# one state contains only a single outlier.
LEAVE = 0.02
VARIANCES = (0.5, 2.0)


class Markov(PriceOnly):
    """A regime model whose good and bad state form a Markov chain."""

    @abstractmethod
    def chain(self, window: np.ndarray) -> TwoStates:
        """Return a chain that is estimated from a table of sessions × standardised features."""

    def estimate(self, window: np.ndarray) -> Judge:
        """Estimate a chain, and return the function that gives the filtered probabilities."""
        return self.chain(window).probability
