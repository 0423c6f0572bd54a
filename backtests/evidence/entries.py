"""Which regime a return was earned under, how often a state came up, and what may be concluded.

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
#: Largest p-value at which a timing result counts as significant, for one strategy alone.
TOLD = 0.05
#: Fewest placebos for a verdict at that level: with fewer it depends on a single placebo.
ENOUGH = 99
NOTHING = "nothing can be concluded about timing"
#: The same as a sentence, with its reason.
TOO_FEW = f"{NOTHING.capitalize()} from fewer than {FEW} episodes."


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
    return observed_in(run, state, run.strategy.active_states)


def is_inconclusive(run: Run) -> bool:
    """Return whether a run holds too few episodes to conclude anything about its timing.

    Episodes of the states in which its strategy acts; of ABSORPTION where it has no states.
    """
    return is_few((of_own_states(run) or of_absorption(run)).episodes)


def is_few(episodes: int | None) -> bool:
    """Return whether there are too few episodes to conclude anything; False without a count."""
    return episodes is not None and episodes < FEW


def observed_said(absorption: Observed, own: Observed | None) -> str:
    """Return in words how often states came up in a run, and what follows for its timing.

    Parameters
    ----------
    absorption
        How often ABSORPTION came up.
    own
        How often the states came up in which the strategy acts; None where it has none.
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
    """Return in words what may be concluded about a strategy's timing.

    Parameters
    ----------
    seen
        How often the states came up in which it acts; None where it has none.
    p_value
        Of its rank among placebos; None or NaN where it is not ranked.
    placebos
        How many it is ranked among.
    """
    if seen is not None and is_few(seen.episodes):
        return f"{_number(seen.episodes, 'episode')}: {NOTHING}"
    if p_value is None or pd.isna(p_value):
        return "timing not ranked"
    if p_value > TOLD:
        return "timing not told from luck"
    few = placebos < ENOUGH
    return "ranks high, on few placebos" if few else "timing beats 95 % of placebos"
