"""The regime of each return, the number of episodes of a state, and the conclusion about timing.

A decision at close t is filled at close t + lag. It first earns the return into session
t + lag + 1. The return into session t therefore belongs to the label known at close t − 1 − lag.

A stay is a row of sessions in a state. Stays less than :data:`QUARTER` sessions apart form one
episode. An episode is one observation, and conclusions rest on the number of episodes.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.runs import Run
from signals.regimes import Regime

#: Stays at least this many sessions apart are separate episodes.
QUARTER = 63
#: Least number of episodes of a state for a conclusion about timing.
FEW = 3
#: Largest p-value at which a timing result counts as significant, for one strategy alone.
SIGNIFICANT = 0.05
#: Least number of placebos for that verdict. With fewer it depends on a single placebo.
ENOUGH = 99
NOTHING = "nothing can be concluded about timing"
#: The sentence of the pages, with its reason.
TOO_FEW = f"{NOTHING.capitalize()} from fewer than {FEW} episodes."


@dataclass(frozen=True, kw_only=True)
class Observed:
    """The number of episodes and entries of a state while returns were earned.

    Attributes
    ----------
    episodes
        An episode that is under way at the first return counts, and so does one that still runs at
        the last.
    entered
        Number of stays that begin between the first return and the last. A stay that is under way
        at the first labelled return does not count, since its beginning is unknown.
    """

    episodes: int
    entered: int


def acted_on(labels: pd.Series, lag: int) -> pd.Series:
    """Return for each session the label under which its return was earned.

    It is the label known at the close 1 + ``lag`` sessions before; missing for the first 1 + lag
    sessions. ``labels`` has one row per session, without gaps.
    """
    return labels.shift(1 + lag)


def observe(earned: pd.Series, states: tuple[str, ...]) -> Observed:
    """Return the number of episodes and entries of a state among the labels of returns.

    ``earned`` is the label of each return, see :func:`acted_on`. A missing label is outside every
    state. The labels in ``states`` form the state together.
    """
    on = earned.isin(states).to_numpy()
    inside = np.flatnonzero(on)
    if not len(inside):
        return Observed(episodes=0, entered=0)
    labelled = int(np.argmax(earned.notna()))
    entries = (on[1:] & ~on[:-1])[labelled:].sum()
    return Observed(episodes=int((np.diff(inside) > QUARTER).sum()) + 1, entered=int(entries))


def observed_in(run: Run, labels: pd.Series, states: tuple[str, ...]) -> Observed:
    """Return the number of episodes and entries of a state in a run, from labels at each close.

    The run's lag decides which label belongs to a return. ``states`` is as in :func:`observe`.
    """
    earned = acted_on(labels, run.config.lag).reindex(run.result.returns.index)
    return observe(earned, states)


def of_absorption(run: Run) -> Observed:
    """Return the number of episodes and entries of ABSORPTION, the thesis's state, in a run."""
    return observed_in(run, run.reading.regime, (Regime.ABSORPTION,))


def of_own_states(run: Run) -> Observed | None:
    """Return the episodes and entries of the states in which a run's strategy acts.

    The result is None for a strategy without states. A strategy that decides only on its schedule
    sees only the states of the scheduled sessions.
    """
    if run.state is None:
        return None
    state = run.state
    if run.strategy.only_scheduled:
        state = state.loc[run.decided.index].reindex(state.index, method="ffill")
    return observed_in(run, state, run.strategy.active_states)


def is_inconclusive(run: Run) -> bool:
    """Return whether a run has too few episodes for a conclusion about its timing.

    The episodes are those of the states in which the strategy acts. For a strategy without states
    they are those of ABSORPTION.
    """
    return is_few((of_own_states(run) or of_absorption(run)).episodes)


def is_few(episodes: int | None) -> bool:
    """Return whether there are too few episodes for a conclusion; False without a count."""
    return episodes is not None and episodes < FEW


def observed_said(absorption: Observed, own: Observed | None) -> str:
    """Return a sentence on the episodes of a run and on what they say about its timing.

    The arguments are the results of :func:`of_absorption` and :func:`of_own_states`.
    """
    said = f"ABSORPTION came up in {_counted(absorption)}"
    if own is not None and own != absorption:
        said += f", the states in which this strategy acts in {_counted(own)}"
    return f"{said}; {NOTHING}" if is_few((own or absorption).episodes) else said


def _counted(seen: Observed) -> str:
    episodes, entered = _number(seen.episodes, "episode"), _number(seen.entered, "time")
    return f"{episodes} (entered {entered})"


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' if count != 1 else ''}"


def timing_conclusion(seen: Observed | None, p_value: float | None, placebos: int) -> str:
    """Return the conclusion about a strategy's timing, in words.

    It rests on the episodes of the states in which the strategy acts (None for a strategy without
    states), the p-value of its rank among placebos (None or NaN where it is not ranked), and the
    number of placebos.
    """
    if seen is not None and is_few(seen.episodes):
        return f"{_number(seen.episodes, 'episode')}: {NOTHING}"
    if p_value is None or pd.isna(p_value):
        return "timing not ranked"
    if p_value > SIGNIFICANT:
        return "timing may be luck"
    if placebos < ENOUGH:
        return "ranks high among few placebos"
    return "timing beats 95 % of placebos"
