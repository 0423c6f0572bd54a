"""Find the sessions on which a strategy's state cannot be trusted because data are late.

Late data alone can change the regime: a signal without data has no influence, and the remaining
signals may give another regime. So a state that depends on late data is called lost. A state is
lost at a session if it depends on a flag that is NA, was known earlier, and has a late input.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from backtests.config import RunConfig
from backtests.history.panel import History
from signals.evaluations import inputs_of
from signals.reading import Reading


def rests_on(config: RunConfig) -> dict[str, tuple[str, ...]]:
    """Return a mapping from each signal behind a strategy's state to the inputs of this signal.

    The state of a strategy that follows the regime depends on the signals of its regime model. The
    state of any other strategy may depend on all signals.
    """
    chosen, model = config.build_signals(), config.build_model()
    names = model.rests_on if config.build_strategy().follows_regime else tuple(chosen)
    return {
        name: inputs_of(chosen[name], chosen, deciding=True) for name in names if name in chosen
    }


def lost(
    state: pd.Series | None,
    late: pd.DataFrame,
    reading: Reading,
    rests: Mapping[str, tuple[str, ...]],
) -> pd.Series:
    """Return, for each session, whether the strategy's state is lost because data are late.

    Parameters
    ----------
    state
        A strategy's state at each session, computed from the history and the reading. If the
        strategy has no states, ``state`` is None, and the result is False at each session.
    late
        Result of :func:`stale` for the history.
    rests
        The inputs of each signal that determines the state, by the signal's name. The state is also
        lost at a session if the state itself is NA and was known earlier. If ``rests`` is empty, no
        flag can make the state lost.
    """
    if state is None:
        return pd.Series(False, index=late.index)
    lapsed, blind = state.isna(), _is_missing_again(reading.flags)
    for name in rests.keys() & reading.flags.keys():
        lapsed |= blind[name] & late[[id for id in rests[name] if id in late]].any(axis=1)
    return lapsed & state.ffill().notna()


def stale(history: History) -> pd.DataFrame:
    """Return a table, sessions × ids: True if an id had a value, but its next value is late.

    A missing value is not late if the source states that no value exists.
    """
    late = _is_missing_again(history.panel)
    for id in history.withheld:
        late[id] &= ~history.withheld[id]
    return late


def _is_missing_again(values: pd.DataFrame) -> pd.DataFrame:
    """Return True where a column has no value, but had one at an earlier session."""
    missing = values.isna().to_numpy()
    again = missing & ~np.logical_and.accumulate(missing)
    return pd.DataFrame(again, index=values.index, columns=values.columns)
