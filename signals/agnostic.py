"""Rivals that know no thesis: two regimes from prices and yields alone.

If one of them does as well as the regime of the votes, the thesis has added nothing. All three
are used as their literature uses them; nothing in them was chosen by a return.

Estimated at year ends
    The parameters used in a calendar year come from all sessions of the years before, and from
    nothing else; features are standardised by that window's own mean and standard deviation.
    Within the year the state is filtered: known at each close, never smoothed.
The bad state
    The one in which the variance of SPY's daily return was higher over the estimation window.
    Not the one with the lower mean: over n sessions a mean is known to σ/√n, so that with 2 % a
    day and 500 sessions even 20 % a year is one standard error, and an order by means would swap
    by chance from one estimate to the next. A variance is known to √(2/n), 6 %. The order is
    taken inside the window, before the year it is applied to, so it cannot have been peeked.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from logging import ERROR, getLogger
from math import exp, log
from typing import ClassVar
from warnings import catch_warnings, simplefilter

import numpy as np
import pandas as pd

from signals.base import CONFIRM, hysteresis, ordered, positive, require
from signals.errors import ConfigError

MINIMUM = 756
SEED = 0
_FLAT = 1e-9  # a feature with a lower standard deviation has not moved: that is rounding

#: How an estimated model judges sessions × standardised features: probability of the bad state.
Judge = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Rival(ABC):
    """A regime from prices and yields alone.

    Parameters
    ----------
    enter, leave
        Probabilities of the bad state beyond which the flag enters and leaves.
    confirm
        Sessions in a row before the flag turns.
    minimum
        Sessions on which every input has a value that the first estimate needs.

    Raises
    ------
    ConfigError
        When a parameter is out of order, or the package of the model is not installed.
    MissingSeries
        When the panel lacks a column.
    """

    name: ClassVar[str]
    line: ClassVar[str]
    inputs: ClassVar[tuple[str, ...]]

    enter: float = 0.6
    leave: float = 0.4
    confirm: int = CONFIRM
    minimum: int = MINIMUM

    def __post_init__(self) -> None:
        """Refuse parameters that make no sense together."""
        positive("leave", self.leave)
        ordered("leave", self.leave, "enter", self.enter)
        ordered("enter", self.enter, "1", 1.0)
        positive("confirm", self.confirm)
        positive("minimum", self.minimum)

    @abstractmethod
    def features(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return what the model sees, from inputs without a gap; first SPY's return, in %."""

    @abstractmethod
    def estimate(self, window: np.ndarray) -> Judge:
        """Estimate on sessions × standardised features; return how that judges sessions.

        The judge is given sessions from the window's first one on, and looks at none ahead of
        the one it judges.
        """

    def probability(self, panel: pd.DataFrame) -> pd.Series:
        """Return the probability of the bad state, known at each close.

        NaN before the first year with ``minimum`` sessions behind it, where an input has no
        value, and in a year whose window has no estimate: a feature never moved, or the numbers
        fail. A session without a value is left out: what comes next is the change since the last
        one with a value.
        """
        require(panel, self.inputs, self.name)
        data = panel[list(self.inputs)].dropna()
        features = self.features(data).dropna()
        of_data, of_features = _years(data), _years(features)
        out = pd.Series(np.nan, index=panel.index, name=self.name)
        for year in np.unique(of_features):
            if (of_data < year).sum() >= self.minimum:
                known = features.loc[of_features <= year]
                before = int((of_features < year).sum())
                judged = self._judged(np.array(known, order="C"), before)
                out.loc[known.index[before:]] = judged[before:]
        return out

    def flag(self, panel: pd.DataFrame) -> pd.Series:
        """Return whether the state is bad, as pandas ``boolean``; NA without a view."""
        probability = self.probability(panel)
        return hysteresis(probability, self.enter, self.leave, self.confirm).rename(self.name)

    def _judged(self, known: np.ndarray, before: int) -> np.ndarray:
        """Judge all rows by an estimate from those ``before`` the year."""
        window = known[:before]
        if before == 0 or (window.std(axis=0) < _FLAT).any():
            return np.full(len(known), np.nan)
        mean, sd = window.mean(axis=0), window.std(axis=0)
        try:
            return self.estimate((window - mean) / sd)((known - mean) / sd)
        except np.linalg.LinAlgError:
            return np.full(len(known), np.nan)


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


@contextmanager
def _quiet() -> Iterator[None]:
    """Leave the warnings of a borrowed package, raised or logged, to itself."""
    logger = getLogger("hmmlearn")
    level = logger.level
    logger.setLevel(ERROR)
    try:
        with catch_warnings():
            simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


@contextmanager
def _optional(name: str) -> Iterator[None]:
    """Import an optional package: without it there is one friendly line."""
    try:
        with _quiet():
            yield
    except ImportError as missing:
        raise ConfigError(
            f"{name} needs {missing.name}, which cannot be imported; "
            "pip install 'drypowder[agnostic]'"
        ) from missing


def _return(close: pd.Series) -> pd.Series:
    """Return daily log returns, %."""
    returns: pd.Series = 100 * np.log(close).diff()
    return returns


def _years(frame: pd.DataFrame) -> np.ndarray:
    return pd.DatetimeIndex(frame.index).year.to_numpy()


# Where estimation starts: no session is favoured, states last about 50 sessions, and one has four
# times the variance of the other. Fixed, so there is nothing to draw and nothing to seed; states
# that start persistent keep it from the optimum in which one "state" is a single odd day.
_LEAVE = 0.02
_VARIANCES = (0.5, 2.0)


class Markov(Rival):
    """A rival whose states are a Markov chain."""

    @abstractmethod
    def chain(self, window: np.ndarray) -> TwoStates:
        """Estimate the chain on sessions × standardised features."""

    def estimate(self, window: np.ndarray) -> Judge:
        """Estimate the chain; judge by its filtered probability."""
        return self.chain(window).probability


@dataclass(frozen=True, kw_only=True)
class HiddenMarkov(Markov):
    """A two-state Gaussian hidden Markov model of SPY, the Treasury yield and the credit spread.

    Formula
        SPY's log return in %, ΔDGS10 and ΔBAA10Y in percentage points, standardised. In each of
        two states they are normal and independent. Estimated by expectation-maximisation
        (hmmlearn) from one fixed start; filtered by :func:`forward`.
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

    Parameters and errors as in :class:`Rival`.
    """

    name: ClassVar[str] = "hidden_markov"
    line: ClassVar[str] = "two-state Gaussian HMM of SPY, DGS10 and BAA10Y, filtered"
    inputs: ClassVar[tuple[str, ...]] = ("SPY", "DGS10", "BAA10Y")

    def features(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return SPY's return, % and the changes of the yield and the spread, points."""
        return data.diff().assign(SPY=_return(data["SPY"]))

    def chain(self, window: np.ndarray) -> TwoStates:
        """Estimate by hmmlearn."""
        with _optional(self.name):
            from hmmlearn.hmm import GaussianHMM
        with _quiet():
            model = GaussianHMM(2, "diag", n_iter=1000, tol=1e-4, init_params="")
            model.startprob_ = np.array([0.5, 0.5])
            model.transmat_ = np.array([[1 - _LEAVE, _LEAVE], [_LEAVE, 1 - _LEAVE]])
            model.means_ = np.zeros((2, window.shape[1]))
            model.covars_ = np.repeat(_VARIANCES, window.shape[1]).reshape(2, -1)
            model.fit(window)
        variances = np.diagonal(model.covars_, axis1=1, axis2=2)
        leave = 1 - np.diagonal(model.transmat_)
        return TwoStates.make(model.means_, variances, leave, len(window))


@dataclass(frozen=True, kw_only=True)
class MarkovSwitching(Markov):
    """A two-state Markov-switching regression of SPY's return on a constant.

    Formula
        r_t = μ(s_t) + σ(s_t) ε_t, r SPY's log return in %, standardised; mean and variance
        switch. Maximum likelihood (statsmodels' MarkovRegression) from one fixed start; filtered
        by :func:`forward`, which is Hamilton's filter.
    Flag
        On (turbulent) when the probability of the bad state is above ``enter``, off when below
        ``leave``.
    Timing
        SPY's close is known at that close.
    NaN
        See :meth:`probability`.
    Reference
        Hamilton, "A New Approach to the Economic Analysis of Nonstationary Time Series and the
        Business Cycle" (Econometrica 1989). Departures: daily, no autoregression, and a least
        probability of leaving a state (:meth:`TwoStates.make`).

    Parameters and errors as in :class:`Rival`.
    """

    name: ClassVar[str] = "markov_switching"
    line: ClassVar[str] = "two-state Markov-switching mean and variance of SPY, filtered"
    inputs: ClassVar[tuple[str, ...]] = ("SPY",)

    def features(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return SPY's return, %."""
        return pd.DataFrame({"SPY": _return(data["SPY"])})

    def chain(self, window: np.ndarray) -> TwoStates:
        """Estimate by statsmodels."""
        with _optional(self.name):
            from statsmodels.tsa.regime_switching.markov_regression import MarkovRegression
        start = [1 - _LEAVE, _LEAVE, 0.0, 0.0, *_VARIANCES]
        with _quiet():
            model = MarkovRegression(window[:, 0], 2, switching_variance=True)
            found = model.fit(start_params=start, em_iter=50, return_params=True, disp=False)
        stay, back = found[:2]
        means, variances = found[2:4].reshape(2, 1), found[4:6].reshape(2, 1)
        leave = np.array([1 - stay, back])
        return TwoStates.make(means, variances, leave, len(window))


@dataclass(frozen=True, kw_only=True)
class JumpModel(Rival):
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
        past return, as that paper does, would fit the rival to what it is judged by. Departures:
        returns not in excess of bills, and the bad state by variance, not by cumulative return.

    Parameters and errors as in :class:`Rival`; and

    Parameters
    ----------
    penalty
        What a jump costs, in squared standard deviations.
    """

    name: ClassVar[str] = "jump_model"
    line: ClassVar[str] = "two-state statistical jump model of SPY, predicted online"
    inputs: ClassVar[tuple[str, ...]] = ("SPY",)

    penalty: float = 50.0

    def __post_init__(self) -> None:
        """Refuse parameters that make no sense together."""
        super().__post_init__()
        positive("penalty", self.penalty)

    def features(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return SPY's return, %, and nine smoothed measures of it."""
        returns = _return(data["SPY"])
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
        with _optional(self.name):
            from jumpmodels.jump import JumpModel as Jumps
        with _quiet():
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


RIVALS: dict[str, type[Rival]] = {
    rival.name: rival for rival in (HiddenMarkov, MarkovSwitching, JumpModel)
}
