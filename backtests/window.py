"""The sessions of a run."""

import numpy as np
import pandas as pd

from backtests.config import RunConfig
from backtests.history.panel import History
from signals.errors import ConfigError
from signals.reading import Reading

#: Least number of sessions of a run, about a month.
SHORTEST = 21


def window(config: RunConfig, history: History, reading: Reading) -> pd.DatetimeIndex:
    """Return the sessions of a run: from the first decision to the end of the history.

    Raises
    ------
    ConfigError
        When ``start`` lies outside the history or leaves fewer than a month of sessions.
    """
    index = pd.DatetimeIndex(history.panel.index)
    if config.start is None:
        seen = reading.regime.notna()
        start = pd.Timestamp(index[int(np.argmax(seen))])  # the first session if none has one
    else:
        start = pd.Timestamp(config.start)
        history.session(start, "start")
    chosen = index[index >= start]
    if len(chosen) < SHORTEST:
        raise ConfigError(
            f"expected at least {SHORTEST} sessions from {start.date()} to {index[-1].date()}, "
            f"found {len(chosen)}: too few to annualise; choose an earlier start"
        )
    return chosen
