"""Find the sessions on which a strategy's state cannot be trusted because data are late.

Late data alone can change the regime. A signal without data has no influence, so the remaining
signals may give another regime. A strategy's state is called lost at a session if late data make
the state unreliable.

A deciding flag is a flag on which the state depends. The state is lost while a deciding flag is NA
and an input of this flag is late. The state is also lost at a session at which the state is NA, if
the state was known earlier. A flag that was never known does not make the state lost. A state that
was never known is not lost.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from backtests.config import RunConfig
from backtests.history.panel import History
from signals.catalog import CATALOG
from signals.evaluations import inputs_of
from signals.reading import Reading


def rests_on(config: RunConfig) -> dict[str, tuple[str, ...]]:
    """Map the name of each signal that determines a strategy's state to the inputs of the signal.

    If the strategy follows the regime, only the signals of its regime model determine its state. If
    the strategy does not follow the regime, any configured signal may determine its state.
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
    """Return True at each session at which late data make the strategy's state unreliable.

    Parameters
    ----------
    state
        A strategy's state at each session, computed from the history and the reading. If the state
        is NA and was known earlier, the result is True. If the strategy has no states, ``state`` is
        None, and the result is False at each session.
    late
        Result of :func:`stale` for the history.
    rests
        For each signal that determines the state, the inputs of the signal. If ``rests`` is empty,
        the result depends only on ``state``.
    """
    if state is None:
        return pd.Series(False, index=late.index)
    lapsed, blind = state.isna(), _is_missing_again(reading.flags)
    for name in rests.keys() & reading.flags.keys():
        lapsed |= blind[name] & late[[id for id in rests[name] if id in late]].any(axis=1)
    return lapsed & state.ffill().notna()


def stale(history: History) -> pd.DataFrame:
    """Return a table that is True where the next value of an id is late.

    The table has one row per session and one column per id. A value is late if an id has no value
    at a session, but had a value earlier.

    A missing value is not late if the source states that no value exists, or if the series has
    ended.
    """
    late = _is_missing_again(history.panel)
    for id in history.withheld:
        late[id] &= ~history.withheld[id]
    for id in late.columns.intersection(list(CATALOG)):
        ended = CATALOG[id].ended
        if ended is not None:
            late.loc[pd.Timestamp(ended) :, id] = False
    return late


def _is_missing_again(values: pd.DataFrame) -> pd.DataFrame:
    """Return True where a column has no value, but had a value at an earlier session."""
    missing = values.isna().to_numpy()
    again = missing & ~np.logical_and.accumulate(missing)
    return pd.DataFrame(again, index=values.index, columns=values.columns)
