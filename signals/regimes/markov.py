"""Two Markov states with Gaussian features, and the filter that tells them apart."""

from abc import abstractmethod
from dataclasses import dataclass
from math import exp, log

import numpy as np

from signals.regimes.price_only import Judge, PriceOnly


@dataclass(frozen=True, kw_only=True)
class TwoStates:
    """A Markov chain of two states with Gaussian features, independent within a state.

    Attributes
    ----------
    means, variances
        States × features; the bad state is the second.
    leave
        Probability that each state is left at the next session.
    """

    means: np.ndarray
    variances: np.ndarray
    leave: np.ndarray

    @classmethod
    def make(
        cls, means: np.ndarray, variances: np.ndarray, leave: np.ndarray, sessions: int
    ) -> "TwoStates":
        """Put the state with the higher variance of the first feature second.

        What did not end within the window is not known to last for ever: the probability of
        leaving is held to at least one in the window's ``sessions``, and so is that of staying. A
        variance is held to a thousandth of the window's, so that one value is no state.
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
        """Return the filtered probability of the bad state, from the chain's long-run one on."""
        start = self.leave[0] / self.leave.sum()
        return forward(self.log_density(features), start, self.leave)[0]


def forward(log_density: np.ndarray, start: float, leave: np.ndarray) -> tuple[np.ndarray, float]:
    """Return filtered probabilities of the second of two states, and the log likelihood.

    p_t = P(second at t | sessions up to t): the probability carried over from t − 1 by the
    transitions, times the density of session t, normalised (Hamilton, 1989).

    Parameters
    ----------
    log_density
        Sessions × 2.
    start
        Probability of the second state at the first session, before its features are seen.
    leave
        Probability that each state is left from one session to the next.
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


# Where estimation starts: no session is favoured, states last about 50 sessions, and one has four
# times the variance of the other. Fixed, so there is nothing to draw and nothing to seed; states
# that start persistent keep it from the optimum in which one "state" is a single odd day.
LEAVE = 0.02
VARIANCES = (0.5, 2.0)


class Markov(PriceOnly):
    """A model whose states are a Markov chain."""

    @abstractmethod
    def chain(self, window: np.ndarray) -> TwoStates:
        """Estimate the chain on sessions × standardised features."""

    def estimate(self, window: np.ndarray) -> Judge:
        """Estimate the chain; judge by its filtered probability."""
        return self.chain(window).probability
