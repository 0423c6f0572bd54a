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
from signals.agnostic import RIVALS
from signals.drivers import QUANTITIES, VOTES
from signals.regime import Reading

#: Signals that make a regime by their own flag, beside the votes.
BESIDE_THE_VOTES = ("absorption", "forced_selling", "opportunity")


def rests_on(config: RunConfig, reading: Reading) -> dict[str, tuple[str, ...]]:
    """Return the signals that a strategy's state rests on, by name, each with its inputs.

    Those are the votes and the three flags beside them, ``absorption`` alone, or the rival, by the
    driver. A strategy that does not follow the regime may rest on any signal.
    """
    chosen = config.build_signals()
    if not config.build_strategy().follows_regime:
        return {name: signal.inputs for name, signal in chosen.items()}
    if config.driver not in (VOTES, QUANTITIES):
        return {config.driver: RIVALS[config.driver].inputs}
    votes = () if config.driver == QUANTITIES else tuple(reading.votes.columns)
    beside = BESIDE_THE_VOTES[:1] if config.driver == QUANTITIES else BESIDE_THE_VOTES
    names = dict.fromkeys((*votes, *beside))
    return {str(name): chosen[name].inputs for name in names if name in chosen}


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
