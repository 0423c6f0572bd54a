"""Which regime a return was earned under, and how many observations of a state a run holds.

A decision at close t is filled at close t + lag and first earns the return into session
t + lag + 1. So the return into session t belongs to the label known at close t − 1 − lag.

Sessions in a row are one observation, and so are stays with a short break between them: stays less
than :data:`QUARTER` sessions apart are one episode. Conclusions rest on episodes; entries stand
beside them.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.runs import Run
from signals.regimes import Regime

#: Two stays with at least so many sessions between them are two episodes.
QUARTER = 63
#: Episodes of a state below which nothing can be concluded about timing.
FEW = 3


@dataclass(frozen=True, kw_only=True)
class Observed:
    """How often a state came up while some returns were earned.

    Attributes
    ----------
    episodes
        Stays in the state, with those less than :data:`QUARTER` sessions apart taken as one. An
        episode that is under way at the first return counts, and so does one that still runs at
        the last: its returns are an observation of the state, if only of a part of it.
    entered
        Stays that began between the first return and the last. A stay that was under way at the
        first labelled return was not entered: nothing in the window shows its beginning.
    """

    episodes: int
    entered: int


def acted_on(labels: pd.Series, lag: int) -> pd.Series:
    """Return at each session the label that the return into it was earned under.

    Parameters
    ----------
    labels
        Labels known at each close, one row a session without gaps.
    lag
        Sessions from decision to fill.

    Returns
    -------
    The label known at the close 1 + lag sessions before; missing for the first 1 + lag sessions.
    """
    return labels.shift(1 + lag)


def observe(earned: pd.Series, states: tuple[str, ...]) -> Observed:
    """Return how often a state came up among the labels that returns were earned under.

    Parameters
    ----------
    earned
        A label a return, see :func:`acted_on`. A missing label lies outside every state.
    states
        The labels that count, together.
    """
    on = earned.isin(states).to_numpy()
    inside = np.flatnonzero(on)
    if not len(inside):
        return Observed(episodes=0, entered=0)
    labelled = int(np.argmax(earned.notna()))
    entries = (on[1:] & ~on[:-1])[labelled:].sum()
    return Observed(episodes=int((np.diff(inside) > QUARTER).sum()) + 1, entered=int(entries))


def observed_in(run: Run, labels: pd.Series, states: tuple[str, ...]) -> Observed:
    """Return how often a state came up while a run earned its returns.

    Parameters
    ----------
    run
        A finished run; its lag says which label a return was earned under.
    labels
        Labels known at each close.
    states
        The labels that count, together.
    """
    earned = acted_on(labels, run.config.lag).reindex(run.result.returns.index)
    return observe(earned, states)


def of_absorption(run: Run) -> Observed:
    """Return how often ABSORPTION, the thesis's state, came up in a run."""
    return observed_in(run, run.reading.regime, (Regime.ABSORPTION,))


def of_own_states(run: Run) -> Observed | None:
    """Return how often the states came up in which a run's strategy acts.

    None for a strategy without states. A strategy that decides on its schedule alone sees the
    state of those sessions only.
    """
    if run.state is None:
        return None
    state = run.state
    if run.strategy.only_scheduled:
        state = state.loc[run.decided.index].reindex(state.index, method="ffill")
    return observed_in(run, state, run.strategy.watched)


def is_inconclusive(run: Run) -> bool:
    """Return whether a run holds too few episodes to conclude anything about its timing.

    Episodes of the states in which its strategy acts; of ABSORPTION where it has no states.
    """
    return (of_own_states(run) or of_absorption(run)).episodes < FEW
