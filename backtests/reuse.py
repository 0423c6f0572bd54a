"""Reuse the evaluations of an earlier reading, if the reading belongs to the same history."""

from collections.abc import Mapping, Sequence

from backtests.history.panel import History
from signals.base import Evaluation
from signals.errors import ConfigError, shown
from signals.evaluations import Evaluations
from signals.reading import Reading
from signals.registry import SIGNALS
from signals.summary import described


def reused(earlier: Reading, history: History, names: Sequence[str]) -> Mapping[str, Evaluation]:
    """Return the evaluations of an earlier reading, for the sessions of a history.

    A user's own signals are left out, so that they are always evaluated again. If the reading ends
    after the history, the evaluations are cut at the end of the history, and the result contains
    only the signals in ``names``.
    """
    if not isinstance(earlier, Reading):
        raise ConfigError(
            f"expected `earlier` to be a reading, was {shown(earlier)}; give run.reading "
            "of a finished run"
        )
    index, sessions = history.panel.index, earlier.regime.index
    _check_same_history(earlier, history)
    if sessions.equals(index):
        return _registered(earlier.evaluations)
    # No row of a registered signal's evaluation depends on a later row. So an evaluation can be
    # cut at the end of the history. A user's signal may look ahead.
    held = [name for name in names if name in earlier.evaluations and name in SIGNALS]
    return {
        name: earlier.evaluations[name].rows(lambda part: part.loc[: index[-1]]) for name in held
    }


def _registered(earlier: Mapping[str, Evaluation]) -> Mapping[str, Evaluation]:
    """Return only the evaluations of registered signals.

    If a user changes a function that the user's own signal calls, the class of the signal stays the
    same, but the earlier evaluation is no longer valid.
    """
    if not isinstance(earlier, Evaluations):
        return {name: earlier[name] for name in earlier if name in SIGNALS}
    ours = {name: signal for name, signal in earlier.signals.items() if name in SIGNALS}
    return Evaluations(earlier.panel, ours, earlier)


def _check_same_history(earlier: Reading, history: History) -> None:
    """Raise ConfigError unless a reading and a history have the same sessions and values.

    The reading may end after the history. If the reading has no panel, only its sessions are
    checked. A reading that was made from some rows of another reading has no panel.
    """
    index, sessions = history.panel.index, earlier.regime.index
    if not sessions[: len(index)].equals(index):
        raise ConfigError(
            f"expected `earlier` to be a reading of the same history, but the history has "
            f"{described(index)}, and `earlier` has {described(sessions)}; leave `earlier` out"
        )
    if (
        not isinstance(earlier.evaluations, Evaluations)
        or earlier.evaluations.panel is history.panel
    ):
        return
    panel = earlier.evaluations.panel.loc[: index[-1]]
    for id in panel.columns.intersection(history.panel.columns):
        if not panel[id].equals(history.panel[id]):
            raise ConfigError(
                f"expected `earlier` to be a reading of the same history, but `earlier` and the "
                f"history have different values of {id}; leave `earlier` out"
            )
