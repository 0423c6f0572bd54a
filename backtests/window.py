"""The sessions of a run."""

import numpy as np
import pandas as pd

from backtests.config import RunConfig
from backtests.history.panel import History
from signals.errors import ConfigError
from signals.reading import Reading

#: Least number of sessions of a run, about a month.
SHORTEST = 21


def followed(config: RunConfig, history: History, reading: Reading) -> pd.DatetimeIndex:
    """Return the sessions from the first decision to the end of the history.

    The first decision is on ``start`` or the session after it. Without ``start`` it is on the first
    session with a regime, or on the first session of a history without one. Raises ConfigError when
    ``start`` lies outside the history.
    """
    index = pd.DatetimeIndex(history.panel.index)
    if config.start is None:
        return index[int(np.argmax(reading.regime.notna())) :]
    start = pd.Timestamp(config.start)
    history.session(start, "start")
    return index[index >= start]


def window(config: RunConfig, history: History, reading: Reading) -> pd.DatetimeIndex:
    """Return the sessions of a run, see :func:`followed`.

    Raises ConfigError also when they are fewer than a month.
    """
    index = followed(config, history, reading)
    if len(index) < SHORTEST:
        raise ConfigError(
            f"expected at least {SHORTEST} sessions from {config.start or index[0].date()} to "
            f"{history.panel.index[-1].date()}, found {len(index)}: too few to annualise; choose "
            "an earlier start"
        )
    return index
