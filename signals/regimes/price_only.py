"""Regime models that use only prices and yields. Each model has a good state and a bad state.

If a price-only model performs as well as the signals, the signals add no information. The three
price-only models follow published papers. The settings of the models were chosen before we looked
at any return.

Estimation at year ends
    The parameters for a calendar year are estimated only from sessions of earlier years. The
    features are standardised with the mean and the standard deviation of the earlier years. Within
    the year, the state is filtered: the state at each close uses only sessions up to that close.
The bad state
    The bad state is the state in which SPY's daily return had the higher variance over the
    estimation window. The mean return is too noisy to identify the bad state. With the mean return,
    the good state and the bad state could change places by chance from one estimate to the next.
    Over 500 sessions with a daily volatility of 2 %, the standard error of the mean is more than 20
    % a year. Over 500 sessions, the standard error of the variance is only 6 % of the variance.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from logging import ERROR, getLogger
from typing import ClassVar
from warnings import catch_warnings, simplefilter

import numpy as np
import pandas as pd

from signals.base import Evaluation, require
from signals.errors import ConfigError
from signals.hysteresis import CONFIRM, Threshold, turned
from signals.params import Orders
from signals.regimes.base import Classification, Regime, RegimeModel, at_once, first_rule

MINIMUM = 756
SEED = 0
_FLAT = 1e-9  # below this standard deviation, a feature counts as constant

#: A function that turns standardised features into the probability of the bad state. Its argument
#: is a table of sessions × features.
Judge = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, kw_only=True)
class PriceOnly(RegimeModel):
    """Regime from prices and yields: ABSORPTION in the bad state, NEUTRAL in the good state.

    The model never gives INJECTION, because prices alone do not show whether capital is ample. The
    model raises ConfigError when a required package is missing.

    Parameters
    ----------
    enter
        The flag turns on when the probability of the bad state is above this level.
    leave
        The flag turns off when the probability of the bad state is below this level.
    confirm
        Number of consecutive sessions for which a condition must be true before the flag changes.
    minimum
        The first estimate needs at least this number of sessions with a value of every input.
    """

    price_only: ClassVar[bool] = True
    rules: ClassVar[Mapping[str, str | None]] = {
        "no estimate": None,
        "bad state": Regime.ABSORPTION.value,
        "good state": Regime.NEUTRAL.value,
    }
    must_be_positive: ClassVar[tuple[str, ...]] = ("leave", "confirm", "minimum")
    must_ascend: ClassVar[Orders] = (("leave", "enter", 1),)

    enter: float = 0.6
    leave: float = 0.4
    confirm: int = CONFIRM
    minimum: int = MINIMUM

    @abstractmethod
    def features(self, data: pd.DataFrame) -> pd.DataFrame:
        """Return the features that are computed from the inputs.

        ``data`` contains the inputs, without NaN. The first feature is SPY's return in %.
        """

    @abstractmethod
    def estimate(self, window: np.ndarray) -> Judge:
        """Return a function that gives the probability of the bad state at each session.

        The model is estimated from ``window``, a table of sessions × standardised features. The
        returned function takes a table that starts at the first session of the window. A
        probability never depends on later sessions.
        """

    def probability(self, panel: pd.DataFrame) -> pd.Series:
        """Return the probability of the bad state, as known at each close.

        The parameters of a year are estimated from sessions of earlier years on which all inputs
        have a value. A year has no estimate in three cases: the earlier years have fewer than
        ``minimum`` sessions with all inputs, a feature is constant in the earlier years, or the
        estimation fails. The probability is NaN if an input has no value at the session, or if the
        year has no estimate. The model skips a session on which an input has no value. After a
        skipped session, the next change is measured from the last session with all values.
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

    def classify(
        self, panel: pd.DataFrame, evaluations: Mapping[str, Evaluation]
    ) -> Classification:
        """Return ABSORPTION in the bad state, NEUTRAL in the good state, None if unknown."""
        bad = self.flag(panel)
        holds = {"no estimate": bad.isna(), "bad state": bad, "good state": ~bad}
        return at_once(self, first_rule(holds, panel.index))

    def flag(self, panel: pd.DataFrame) -> pd.Series:
        """Return True for sessions in the bad state, as pandas ``boolean``; NA if unknown."""
        bad = Threshold(gauge=self.name, enter=self.enter, leave=self.leave, above=True)
        probability = self.probability(panel).to_frame(self.name)
        return turned(probability, (bad,), self.confirm).rename(self.name)

    def _judged(self, known: np.ndarray, before: int) -> np.ndarray:
        """Return the probability of the bad state for each row of ``known``.

        The model is estimated only from the first ``before`` rows of ``known``.
        """
        nothing = np.full(len(known), np.nan)
        if before == 0:
            return nothing
        window = known[:before]
        mean, sd = window.mean(axis=0), window.std(axis=0)
        if (sd < _FLAT).any():
            return nothing
        try:
            return self.estimate((window - mean) / sd)((known - mean) / sd)
        except np.linalg.LinAlgError:
            return nothing


@contextmanager
def quiet() -> Iterator[None]:
    """Hide the warnings that a third-party package raises or logs."""
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
def optional(name: str) -> Iterator[None]:
    """Turn the ImportError of an optional package into a ConfigError that says what to install."""
    try:
        with quiet():
            yield
    except ImportError as missing:
        raise ConfigError(
            f"{name} needs {missing.name}, which cannot be imported; "
            "install it with pip install 'drypowder[regimes]'"
        ) from missing


def log_return(close: pd.Series) -> pd.Series:
    """Return the log returns between consecutive closes, in %."""
    returns: pd.Series = 100 * np.log(close).diff()
    return returns


def _years(frame: pd.DataFrame) -> np.ndarray:
    return pd.DatetimeIndex(frame.index).year.to_numpy()
