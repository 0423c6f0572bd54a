"""What happened in each dated episode of market stress, such as the dash for cash of 2020."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.evidence.entries import QUARTER
from backtests.evidence.metrics import YEAR
from backtests.thesis.errors import NotTestable
from backtests.thesis.events import Episode, Events
from backtests.thesis.returns import class_returns
from backtests.thesis.sample import Sample
from strategies import STRATEGIES

#: According to the thesis, forced selling hits these classes in this order.
CASCADE = ("crypto", "speculative", "software", "broad")
#: If an episode lasts one day, this number of later sessions is added to the episode. A fall takes
#: longer than a day.
WIDENED = 10


@dataclass(frozen=True, kw_only=True, eq=False)
class EpisodeAccount:
    """What happened in one episode.

    Attributes
    ----------
    regime_before
        The regime at the last close before the episode; None if the regime is unknown.
    flag_leads
        Mapping from signal to the lead of its flag. The lead is the number of sessions from the
        turn of the flag to the start of the episode, see :func:`flag_lead`. Signals whose flag is
        always NaN are left out.
    falls
        One row for each asset class. ``peak``: session of the class's highest close in the 63
        sessions before :func:`common_trough`. ``trough``: session of the class's lowest close from
        the peak to the end of the episode. ``drawdown``: return from the peak to the trough, a
        fraction, zero or negative. ``recovered``: the first session after the trough with a close
        at or above the peak; NaT if there is none. A class is left out if it lacks a return in the
        episode or in the 63 sessions before the episode.
    order
        The classes in the order of their peaks, the earliest first.
    strategies
        Total return of each strategy in the episode, a fraction, after costs. A strategy is left
        out if its backtest does not contain the whole episode.
    """

    episode: Episode
    regime_before: str | None
    flag_leads: Mapping[str, int | None]
    falls: pd.DataFrame
    order: tuple[str, ...]
    strategies: Mapping[str, float]


def accounts(sample: Sample, events: Events) -> tuple[EpisodeAccount, ...]:
    """Return what happened in each dated episode that lies inside the history.

    The history must contain the whole episode and the 63 sessions before the episode. At least one
    class of :data:`CASCADE` must have a return at each session of the episode and at each of the 63
    sessions before the episode. All other episodes are left out. A simulated history has no dated
    episodes, so the result is empty.
    """
    if sample.is_simulated:
        return ()
    returns, runs = class_returns(sample), _strategy_returns(sample)
    found = (_account(episode, sample, returns, runs) for episode in events.episodes)
    return tuple(account for account in found if account is not None)


def span_of(episode: Episode, sessions: pd.DatetimeIndex) -> tuple[int, int] | None:
    """Return the positions of an episode's first and last session.

    If an episode lasts one day, the :data:`WIDENED` sessions after this day are added to the
    episode. The result is None if a part of the episode, or of the 63 sessions before the episode,
    lies outside the history.
    """
    start, end = pd.Timestamp(episode.start), pd.Timestamp(episode.end)
    first = int(sessions.searchsorted(start))
    last = int(sessions.searchsorted(end, side="right")) - 1
    if start == end:
        last = first + WIDENED
    whole = first >= QUARTER and first <= last < len(sessions) and end <= sessions[-1]
    return (first, last) if whole else None


def levels_of(returns: pd.DataFrame, span: tuple[int, int]) -> pd.DataFrame:
    """Return the level of each class, from 63 sessions before an episode to the end of the episode.

    A level is the value of one unit of money that was invested before the first session. A class
    that lacks a return is left out.
    """
    first, last = span
    part = returns.iloc[first - QUARTER : last + 1].dropna(axis=1)
    return (1 + part).cumprod()


def common_trough(levels: pd.DataFrame) -> pd.Timestamp:
    """Return the session of the episode at which the mean level of :data:`CASCADE` is lowest.

    ``levels`` is the result of :func:`levels_of`. A class without a level is left out of the mean.
    """
    held = [name for name in CASCADE if name in levels]
    level = levels[held].mean(axis=1).iloc[QUARTER:]
    return pd.DatetimeIndex(level.index)[int(np.argmin(level.to_numpy()))]


def peaks_before(levels: pd.DataFrame, trough: pd.Timestamp) -> pd.Series:
    """Return the session of each class's highest close in the 63 sessions before a trough."""
    at = int(levels.index.searchsorted(trough))
    return levels.iloc[at - QUARTER : at].idxmax()


def flag_lead(flag: pd.Series, first: int) -> int | None:
    """Return the number of sessions from the turn of a flag to the start of an episode.

    A flag turns when the flag changes from off to on. NaN counts as off. If the flag was on at any
    of the 252 sessions before the episode, the function uses the last turn before the episode. The
    last turn may lie more than 252 sessions before the episode.

    If the flag was off at all of the 252 sessions before the episode, the function uses the first
    turn in the 252 sessions from the start of the episode. The result is zero if the flag turns at
    the first session of the episode, and negative if the flag turns later. If the flag does not
    turn in the 252 sessions from the start of the episode, the result is None.

    Parameters
    ----------
    flag
        1.0, 0.0 or NaN at each session.
    first
        Position of the episode's first session.
    """
    on = flag.to_numpy() == 1.0
    starts = np.flatnonzero(on & ~np.concatenate(([False], on[:-1])))
    before = np.flatnonzero(on[max(first - YEAR, 0) : first])
    if len(before):
        at = before[-1] + max(first - YEAR, 0)
        return int(first - starts[starts <= at][-1])
    after = starts[(starts >= first) & (starts < first + YEAR)]
    return int(first - after[0]) if len(after) else None


def falls_of(levels: pd.DataFrame, later: pd.DataFrame) -> pd.DataFrame:
    """Return the table ``falls`` of an :class:`EpisodeAccount`.

    ``later`` are the simple returns after the last session of ``levels``.
    """
    peaks = peaks_before(levels, common_trough(levels))
    rows = {}
    for name, peak in peaks.items():
        level = levels[str(name)].loc[peak:]
        trough = level.idxmin()
        onward = pd.concat((level, level.iloc[-1] * (1 + later[str(name)]).cumprod()))
        back = onward.loc[trough:].iloc[1:]
        back = back[back >= level.iloc[0]]
        rows[name] = {
            "peak": peak,
            "trough": trough,
            "drawdown": level.min() / level.iloc[0] - 1,
            "recovered": back.index[0] if len(back) else pd.NaT,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("class")


def _account(
    episode: Episode, sample: Sample, returns: pd.DataFrame, runs: Mapping[str, pd.Series]
) -> EpisodeAccount | None:
    span = span_of(episode, sample.sessions)
    levels = pd.DataFrame() if span is None else levels_of(returns, span)
    if span is None or not set(CASCADE) & set(levels):
        return None
    first, last = span
    falls = falls_of(levels, returns.iloc[last + 1 :])
    regime = sample.reading.regime.iloc[first - 1]
    inside = sample.sessions[first : last + 1]
    return EpisodeAccount(
        episode=episode,
        regime_before=None if pd.isna(regime) else str(regime),
        flag_leads=_flag_leads(sample, first),
        falls=falls,
        order=tuple(falls["peak"].sort_values(kind="stable").index),
        strategies={
            name: float(np.prod(1 + earned.loc[inside].to_numpy()) - 1)
            for name, earned in runs.items()
            if inside.isin(earned.index).all()
        },
    )


def _flag_leads(sample: Sample, first: int) -> dict[str, int | None]:
    seen = sample.reading.flags
    names = [str(name) for name in seen if seen[name].notna().any()]
    return {name: flag_lead(sample.flag(name), first) for name in names}


def _strategy_returns(sample: Sample) -> dict[str, pd.Series]:
    found = {}
    for name in STRATEGIES:
        try:
            found[name] = sample.run(name).result.returns
        except NotTestable:
            continue
    return found
