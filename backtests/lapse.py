"""Where a strategy's state is lost because data are late.

A regime can change only because inputs are late: signals without a view drop out of the vote, and
the votes that remain make another regime. A backtest on complete data never sees this. So the
state counts as lost wherever a signal that it rests on had a view earlier, has none now, and reads
an input that is stale.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from backtests.config import RunConfig
from backtests.history.panel import History
from signals.evaluate import inputs_of
from signals.reading import Reading


def rests_on(config: RunConfig) -> dict[str, tuple[str, ...]]:
    """Return what a strategy's state rests on: by name of a signal, the inputs that it reads.

    A strategy that follows the regime rests on what its regime model takes into account. Another
    one may rest on any signal.
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
    """Return where a state is lost: True, one value a session.

    Parameters
    ----------
    state
        A strategy's state, None for a strategy without one, which loses nothing.
    history, reading
        What the state was read from.
    rests
        The inputs of each signal whose lapse loses the state; empty where the state's own gaps
        alone tell.
    """
    if state is None:
        return pd.Series(False, index=history.panel.index)
    lapsed = state.isna()
    for name, inputs in rests.items():
        if name in reading.flags:
            lapsed |= (
                _had(reading.flags[name]) & reading.flags[name].isna() & _late(inputs, history)
            )
    return lapsed & _had(state)


def stale(history: History, id: str) -> pd.Series:
    """Return where an id had a value earlier and has none now, because none came in time.

    False where the newest figure is expressly absent, since it came in time.
    """
    values = history.panel[id]
    late = values.isna() & _had(values)
    return late & ~history.withheld[id] if id in history.withheld else late


def _late(inputs: tuple[str, ...], history: History) -> pd.Series:
    """Return where any of a signal's inputs is stale."""
    late = pd.Series(False, index=history.panel.index)
    for id in inputs:
        if id in history.panel:
            late |= stale(history, id)
    return late


def _had(values: pd.Series) -> pd.Series:
    """Return where there is a value at the session or before it."""
    seen = np.maximum.accumulate(values.notna().to_numpy(dtype=bool))
    return pd.Series(seen, index=values.index)
