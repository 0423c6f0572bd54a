"""Find the sessions on which a strategy's state is lost because data are late.

Late inputs alone can change a regime: a signal without a view does not vote, and the remaining
votes may give another regime. So a state that rests on late data counts as lost. The state is lost
at a session if a signal that determines the state had a view earlier, has no view now, and reads a
stale input.
"""

from collections.abc import Mapping

import pandas as pd

from backtests.config import RunConfig
from backtests.history.panel import History
from signals.evaluations import inputs_of
from signals.reading import Reading


def rests_on(config: RunConfig) -> dict[str, tuple[str, ...]]:
    """Return the inputs that decide each signal on which a strategy's state depends, by signal.

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
    history: History,
    reading: Reading,
    rests: Mapping[str, tuple[str, ...]],
) -> pd.Series:
    """Return whether the strategy's state is lost at each session.

    Parameters
    ----------
    state
        A strategy's state at each session, computed from the history and the reading; None for a
        strategy without states.
    rests
        A mapping from the name of each signal that determines the state to the signal's inputs. If
        ``rests`` is empty, the state is lost only where the state itself is missing.
    """
    if state is None:
        return pd.Series(False, index=history.panel.index)
    lapsed = state.isna()
    for name in rests.keys() & reading.flags.keys():
        for id in set(rests[name]) & set(history.panel.columns):
            lapsed |= _is_missing_again(reading.flags[name]) & stale(history, id)
    return lapsed & state.ffill().notna()


def stale(history: History, id: str) -> pd.Series:
    """Return True at each session at which an id had an earlier value, but its next value is late.

    A value is not late if the source states that it has no value.
    """
    late = _is_missing_again(history.panel[id])
    return late & ~history.withheld[id] if id in history.withheld else late


def _is_missing_again(values: pd.Series) -> pd.Series:
    return values.isna() & values.ffill().notna()
