"""The regime of each return, the episodes of a state, and the conclusion about timing.

A decision at close t is filled at close t + lag. The first return after the fill is the return of
session t + lag + 1. A label is the name of a regime or state. The return of session t belongs to
the label that was known at close t − 1 − lag.

A state can end and begin again. If the state is absent for fewer than :data:`QUARTER` sessions, the
same episode continues. An episode counts as one observation. The number of episodes
decides whether a conclusion about timing is possible.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.plural import number_of
from backtests.runs import Run
from signals.regimes import Regime

#: If a state begins again after an absence of at least this many sessions, a new episode begins.
QUARTER = 63
#: A conclusion about timing needs at least this number of episodes.
FEW = 3
#: Largest p-value of a significant result. Tests of Sharpe ratios also use this value as their
#: size, the largest accepted probability of a false alarm. Ranks among placebos are not corrected
#: for multiple testing.
SIGNIFICANT = 0.05
#: A significant result needs at least this number of placebos. With fewer placebos, a single
#: placebo can decide the result.
ENOUGH = 99
NOTHING = "nothing can be concluded about timing"
BEATS = "timing beats 95 % of placebos"
#: The sentence that reports show if there are too few episodes.
TOO_FEW = f"{NOTHING.capitalize()} from fewer than {FEW} episodes."


@dataclass(frozen=True, kw_only=True)
class Observed:
    """How often a state occurred in a run.

    Attributes
    ----------
    episodes
        Number of episodes of the state. An episode also counts if it begins before the first return
        or ends after the last return.
    entered
        Number of times that the state begins between the first and the last return. If the first
        labelled return is in the state, the date of the state's beginning is unknown, and this
        beginning is not counted.
    """

    episodes: int
    entered: int


def acted_on(labels: pd.Series, lag: int) -> pd.Series:
    """Return, for each session, the label that belongs to the session's return.

    The label of a return is the label that was known at the close ``lag`` + 1 sessions earlier. The
    label is missing for the first 1 + ``lag`` sessions. ``labels`` has one row for every session.
    """
    return labels.shift(1 + lag)


def episodes_of(on: pd.Series, quarter: int = QUARTER) -> pd.Series:
    """Return, for each session, the serial number of its episode; NaN outside episodes.

    Serial numbers start at 0. ``on`` has the value 1.0, 0.0 or NaN (or True or False) at every
    session. A session with 1.0 continues an episode if the previous session with 1.0 is at most
    ``quarter`` rows earlier. Otherwise, a session with 1.0 begins a new episode. A session with 0.0
    or NaN belongs to no episode, even if it lies between two sessions of one episode. ``quarter``
    is the number of rows in a quarter of a year, for example 13 for weekly rows.
    """
    inside = np.flatnonzero(on.to_numpy() == 1.0)
    numbers = np.full(len(on), np.nan)
    if len(inside):
        numbers[inside] = np.concatenate(([0], (np.diff(inside) > quarter).cumsum()))
    return pd.Series(numbers, index=on.index)


def gaps_of(on: pd.Series, quarter: int = QUARTER) -> pd.Series:
    """Return, for each session in a gap, the serial number of the gap; NaN for other sessions.

    Serial numbers start at 0. ``on`` is 0.0 at each session of a gap. A gap lies before the first
    episode, between two episodes, or after the last episode. A session with 0.0 between two
    sessions of one episode counts as part of the gap before this episode.
    """
    episode = episodes_of(on, quarter)
    ends = episode.notna() & ~episode.duplicated(keep="last")
    number: pd.Series = ends.cumsum().where(on == 0.0).rank(method="dense").sub(1)
    return number


def observe(earned: pd.Series, states: tuple[str, ...]) -> Observed:
    """Return the number of episodes of a state, and how often the state began.

    ``earned`` has one label for each return: the name of a regime or state.

    :func:`acted_on` computes ``earned``. All labels in ``states`` count together as one state. A
    missing label does not belong to any state.
    """
    inside = earned.isin(states)
    if not inside.any():
        return Observed(episodes=0, entered=0)
    on, labelled = inside.to_numpy(), int(np.argmax(earned.notna()))
    entries = (on[1:] & ~on[:-1])[labelled:].sum()
    return Observed(episodes=int(episodes_of(inside).nunique()), entered=int(entries))


def observed_in(run: Run, labels: pd.Series, states: tuple[str, ...]) -> Observed:
    """Return the number of episodes of a state in a run, and how often the state began.

    ``labels`` has the label of each close.

    The run's lag decides which label is assigned to a return. :func:`observe` describes ``states``.
    """
    earned = acted_on(labels, run.config.lag).reindex(run.result.returns.index)
    return observe(earned, states)


def of_absorption(run: Run) -> Observed:
    """Return the number of episodes of ABSORPTION in a run, and how often ABSORPTION began."""
    return observed_in(run, run.reading.regime, (Regime.ABSORPTION,))


def own_states(run: Run) -> pd.Series | None:
    """Return the state that a run's strategy follows at each close; None if it has no states.

    If the strategy decides only on its schedule, a state lasts from one decision to the next.
    """
    if run.state is None or not run.strategy.only_scheduled:
        return run.state
    return run.state.loc[run.decided.index].reindex(run.state.index, method="ffill")


def of_own_states(run: Run) -> Observed | None:
    """Return the number of episodes of a run's active states, and how often these states began.

    The result is None if the strategy has no states. If a strategy decides only on its schedule,
    only the states on its decision sessions count.
    """
    state = own_states(run)
    if state is None:
        return None
    return observed_in(run, state, run.strategy.active_states)


def unknown_said(run: Run) -> str:
    """Return a text with the number of sessions without a regime, or an empty text."""
    sessions = run.sessions
    unknown = int(run.reading.regime.loc[sessions].isna().sum())
    if not unknown or not run.strategy.follows_regime:
        return ""
    return f"no regime is known on {unknown:,} of {len(sessions):,} sessions"


def is_inconclusive(run: Run) -> bool:
    """Return whether a run has too few episodes for a conclusion about its timing.

    If the strategy has states, the function counts the episodes of the strategy's active states. If
    the strategy has no states, the function counts the episodes of ABSORPTION.
    """
    return is_few((of_own_states(run) or of_absorption(run)).episodes)


def is_few(episodes: int | None) -> bool:
    """Return whether the episodes are too few for a conclusion; False if ``episodes`` is None."""
    return episodes is not None and episodes < FEW


def observed_said(absorption: Observed, own: Observed | None) -> str:
    """Return sentences about a run's episodes, with a warning if there are too few of them.

    The parameters are the results of :func:`of_absorption` and :func:`of_own_states`.
    """
    said = [f"ABSORPTION had {_counted(absorption)}."]
    if own is not None and own != absorption:
        said.append(f"The states in which this strategy acts had {_counted(own)}.")
    if is_few((own or absorption).episodes):
        said.append(TOO_FEW)
    return " ".join(said)


def _counted(seen: Observed) -> str:
    return f"{number_of(seen.episodes, 'episode')} and began {number_of(seen.entered, 'time')}"


def timing_conclusion(seen: Observed | None, p_value: float | None, placebos: int) -> str:
    """Return the conclusion about a strategy's timing, in words.

    ``seen`` holds the episodes of the strategy's active states; None if the strategy has no states.
    ``p_value`` is the p-value of the strategy's rank among placebos; None or NaN if the strategy
    has no rank. ``placebos`` is the number of placebos.
    """
    if seen is not None and is_few(seen.episodes):
        return f"{number_of(seen.episodes, 'episode')}: {NOTHING}"
    if p_value is None or pd.isna(p_value):
        return "timing not ranked"
    if p_value > SIGNIFICANT:
        return "timing may be luck"
    if placebos < ENOUGH:
        return "ranks high among few placebos"
    return BEATS
