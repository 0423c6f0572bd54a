"""Find the sessions on which a strategy's state is lost because data are late.

Late inputs alone can change a regime: a signal without a view drops out of the vote, and the
remaining votes may give another regime. So the state is lost where a signal that determines it had
a view earlier, has none now, and reads a stale input.
"""

from collections.abc import Mapping

import pandas as pd

from backtests.config import RunConfig
from backtests.history.panel import History
from signals.evaluations import inputs_of
from signals.reading import Reading


def rests_on(config: RunConfig) -> dict[str, tuple[str, ...]]:
    """Return the inputs of each signal that determines a strategy's state, by the signal's name.

    For a strategy that follows the regime, these are the signals of its regime model. For any other
    strategy, they are all signals.
    """
    chosen, model = config.build_signals(), config.build_model()
    names = model.rests_on if config.build_strategy().follows_regime else tuple(chosen)
    return {name: inputs_of(chosen[name], chosen) for name in names if name in chosen}


def lost(
    state: pd.Series | None,
    history: History,
    reading: Reading,
    rests: Mapping[str, tuple[str, ...]],
) -> pd.Series:
    """Return whether a state is lost at each session.

    Parameters
    ----------
    state
        A strategy's state by session, from the history and the reading. A strategy without states
        (None) never loses its state.
    rests
        Inputs of the signals that determine the state, by the signal's name. Without any, the state
        is lost only where it is missing itself.
    """
    if state is None:
        return pd.Series(False, index=history.panel.index)
    lapsed = state.isna()
    for name, id in [(name, id) for name, ids in rests.items() for id in ids]:
        if name in reading.flags and id in history.panel:
            lapsed |= _is_missing_again(reading.flags[name]) & stale(history, id)
    return lapsed & state.ffill().notna()


def stale(history: History, id: str) -> pd.Series:
    """Return whether, at each session, an id had a value earlier and its next value is late.

    False where the source states that it has no figure, because that statement came in time.
    """
    late = _is_missing_again(history.panel[id])
    return late & ~history.withheld[id] if id in history.withheld else late


def _is_missing_again(values: pd.Series) -> pd.Series:
    return values.isna() & values.ffill().notna()
