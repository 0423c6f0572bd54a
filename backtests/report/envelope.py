"""The fields with which each JSON answer about a history begins."""

from typing import Any

from backtests.history.panel import History
from backtests.report.numbers import plain
from backtests.version import __version__


def envelope(history: History) -> dict[str, Any]:
    """Return the session, the source and the window of a history, and the version of drypowder.

    ``as_of`` is the last session of the history. ``window`` contains its first and last session,
    and its number of sessions.
    """
    index = history.panel.index
    return plain(
        {
            "as_of": index[-1],
            "source": history.source,
            "simulated": history.source == "simulated",
            "window": {"start": index[0], "end": index[-1], "sessions": len(index)},
            "version": __version__,
        }
    )
