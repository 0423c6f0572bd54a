"""Choose the sessions of a run."""

import numpy as np
import pandas as pd

from backtests.config import RunConfig
from backtests.history.bills import YIELD
from backtests.history.panel import History
from signals.errors import ConfigError
from signals.reading import Reading
from signals.regimes import Labels

#: Smallest number of sessions in a run, about a month.
SHORTEST = 21


def sessions_from_start(config: RunConfig, history: History, reading: Reading) -> pd.DatetimeIndex:
    """Return the sessions from the first decision to the end of the history.

    The first decision is on ``start``, or on the next session if ``start`` is not a session. If
    ``start`` is not set, the first decision is on the first session with a regime. If the history
    has no regime, the first decision is on the first session with a bill yield. A ``start`` outside
    the history raises ConfigError. If ``start`` is not set and all labels of a user are after the
    end of the history, ConfigError is raised, too.
    """
    index = pd.DatetimeIndex(history.panel.index)
    if config.start is None:
        known = reading.regime.notna()
        if not known.any():
            _check_labels(reading, index[-1])
        if not known.any() and YIELD in history.panel:
            known = history.panel[YIELD].notna()
        return index[int(np.argmax(known)) :]
    start = pd.Timestamp(config.start)
    history.session(start, "start")
    return index[index >= start]


def _check_labels(reading: Reading, last: pd.Timestamp) -> None:
    """Raise ConfigError if a reading uses a user's labels. All labels are after ``last``."""
    if isinstance(reading.model, Labels):
        raise ConfigError(
            f"expected a label up to {last.date()}, the end of the history, but the first label is "
            f"of {reading.model.dated[0][0]}; add an earlier label, or choose a longer history"
        )


def window(config: RunConfig, history: History, reading: Reading) -> pd.DatetimeIndex:
    """Return the sessions of :func:`sessions_from_start`, and check that a run has enough sessions.

    ConfigError is raised if the sessions are too few for a run. A run needs :data:`SHORTEST`
    sessions, and a session on which its first order can be filled.
    """
    index = sessions_from_start(config, history, reading)
    days = f"from {config.start or index[0].date()} to {history.panel.index[-1].date()}"
    if len(index) < SHORTEST:
        raise ConfigError(
            f"expected at least {SHORTEST} sessions {days}, found {len(index)}; choose an earlier "
            "start"
        )
    if len(index) <= config.lag:
        raise ConfigError(
            f"expected a lag below the {len(index)} sessions {days}, was {config.lag}; choose a "
            "smaller lag or an earlier start"
        )
    return index
