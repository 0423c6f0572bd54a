"""Find the sessions on which a strategy's state is lost because data are late.

Late inputs alone can change a regime. A signal without a view does not vote, and the remaining
votes may give another regime. Therefore the state is lost at a session if a signal that determines
the state had a view earlier, has no view now, and reads a stale input.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from backtests.config import RunConfig
from backtests.history.panel import History
from signals.evaluations import inputs_of
from signals.reading import Reading


def rests_on(config: RunConfig) -> dict[str, tuple[str, ...]]:
    """Return a mapping from each signal that determines a strategy's state to the signal's inputs.

    The keys are names of signals. For a strategy that follows the regime, the mapping contains only
    signals that its regime model uses. For any other strategy, it contains all signals.
    """
    chosen, model = config.build_signals(), config.build_model()
    names = model.rests_on if config.build_strategy().follows_regime else tuple(chosen)
    return {name: inputs_of(chosen[name], chosen) for name in names if name in chosen}


def lost(
    state: pd.Series | None,
    late: pd.DataFrame,
    reading: Reading,
    rests: Mapping[str, tuple[str, ...]],
) -> pd.Series:
    """Return, for each session, whether the state is lost.

    Parameters
    ----------
    state
        A strategy's state at each session, computed from the history and the reading. None for a
        strategy without states, which never loses its state.
    late
        Result of :func:`stale` for the history.
    rests
        Inputs of each signal that determines the state; the keys are names of signals. If ``rests``
        is empty, the state is lost only where the state itself is missing.
    """
    if state is None:
        return pd.Series(False, index=late.index)
    lapsed, blind = state.isna(), _is_missing_again(reading.flags)
    for name in rests.keys() & reading.flags.keys():
        lapsed |= blind[name] & late[[id for id in rests[name] if id in late]].any(axis=1)
    return lapsed & state.ffill().notna()


def stale(history: History) -> pd.DataFrame:
    """Return a table of sessions × ids: whether an id had a value earlier, but the next is late.

    The result is False where the source states that there is no value, because this statement is
    not late.
    """
    late = _is_missing_again(history.panel)
    for id in history.withheld:
        late[id] &= ~history.withheld[id]
    return late


def _is_missing_again(values: pd.DataFrame) -> pd.DataFrame:
    """Return where a column has no value, but had one at an earlier session."""
    missing = values.isna().to_numpy()
    again = missing & ~np.logical_and.accumulate(missing)
    return pd.DataFrame(again, index=values.index, columns=values.columns)
