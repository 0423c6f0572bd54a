"""The fields at the start of each JSON answer about a history."""

from typing import Any

import pandas as pd

from backtests.history.panel import History
from backtests.report.plain import plain
from backtests.version import __version__


def envelope(history: History, sessions: pd.DatetimeIndex | None = None) -> dict[str, Any]:
    """Return the session, the source and the window of an answer, and the version of drypowder.

    ``as_of`` is the last session of ``sessions``. ``window`` contains the first session, the last
    session and the number of sessions. By default, ``sessions`` has all sessions of the history.
    """
    index = history.panel.index if sessions is None else sessions
    return plain(
        {
            "as_of": index[-1],
            "source": history.source,
            "simulated": history.is_simulated,
            "window": {"start": index[0], "end": index[-1], "sessions": len(index)},
            "version": __version__,
        }
    )
