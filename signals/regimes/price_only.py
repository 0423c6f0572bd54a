"""Models that know prices and yields alone: two states, one of them bad.

If one of them does as well as the regime of the votes, the thesis has added nothing. All three
are used as their literature uses them. Nothing in them was chosen by a return.

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

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from logging import ERROR, getLogger
from typing import ClassVar
from warnings import catch_warnings, simplefilter

import numpy as np
import pandas as pd

from signals.base import Evaluation, ordered, positive, require
from signals.errors import ConfigError
from signals.hysteresis import CONFIRM, flag_of
from signals.regimes.base import Classification, Regime, RegimeModel, at_once

MINIMUM = 756
SEED = 0
_FLAT = 1e-9  # a feature with a lower standard deviation has not moved: that is rounding

#: How an estimated model judges sessions × standardised features: probability of the bad state.
Judge = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, kw_only=True)
class PriceOnly(RegimeModel):
    """A regime from prices and yields alone: ABSORPTION in its bad state, NEUTRAL otherwise.

    It cannot tell ample capital from plain calm, so it knows no INJECTION.

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

    price_only: ClassVar[bool] = True
    rules: ClassVar[Mapping[str, str | None]] = {
        "no estimate": None,
        "bad state": Regime.ABSORPTION.value,
        "good state": Regime.NEUTRAL.value,
    }

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

    def classify(
        self, panel: pd.DataFrame, evaluations: Mapping[str, Evaluation]
    ) -> Classification:
        """Return ABSORPTION in the bad state, NEUTRAL otherwise, None without an estimate."""
        bad = self.flag(panel)
        words = {True: "bad state", False: "good state"}
        rule = bad.astype(object).map(words).astype(object).where(bad.notna(), "no estimate")
        return at_once(rule.rename("rule"), self.rules)

    def flag(self, panel: pd.DataFrame) -> pd.Series:
        """Return whether the state is bad, as pandas ``boolean``; NA without a view."""
        probability = self.probability(panel)
        return flag_of(probability, self.enter, self.leave, self.confirm).rename(self.name)

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


@contextmanager
def quiet() -> Iterator[None]:
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
def optional(name: str) -> Iterator[None]:
    """Import an optional package: without it there is one friendly line."""
    try:
        with quiet():
            yield
    except ImportError as missing:
        raise ConfigError(
            f"{name} needs {missing.name}, which cannot be imported; "
            "pip install 'drypowder[regimes]'"
        ) from missing


def log_return(close: pd.Series) -> pd.Series:
    """Return daily log returns, %."""
    returns: pd.Series = 100 * np.log(close).diff()
    return returns


def _years(frame: pd.DataFrame) -> np.ndarray:
    return pd.DatetimeIndex(frame.index).year.to_numpy()
