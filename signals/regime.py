"""Votes become a regime: the Reading, which is all that strategies see of the signals."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from signals.absorption import Absorption
from signals.base import Signal
from signals.index import check_sessions

CONFIRM_REGIME = 10
CONFIRM_FORCED = 2


class Regime(StrEnum):
    """What the world looks like, in the thesis's words."""

    INJECTION = "INJECTION"
    NEUTRAL = "NEUTRAL"
    ABSORPTION = "ABSORPTION"
    FORCED_SELLING = "FORCED_SELLING"
    OPPORTUNITY = "OPPORTUNITY"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What was known at each session's close, one row a session.

    Attributes
    ----------
    regime
        Name of a :class:`Regime`, or None where too few votes have a view.
    flags
        One column a signal, pandas ``boolean``; True speaks for scarce capital, NA is no view.
    scores
        One column a signal, in standard deviations of its own past; NaN is no view.
    votes
        The columns of ``flags`` that vote.
    """

    regime: pd.Series
    flags: pd.DataFrame
    scores: pd.DataFrame
    votes: pd.DataFrame

    def since(self, at: pd.Timestamp) -> "Reading":
        """Return the reading from a session on."""
        return Reading(
            regime=self.regime.loc[at:],
            flags=self.flags.loc[at:],
            scores=self.scores.loc[at:],
            votes=self.votes.loc[at:],
        )


def read(
    panel: pd.DataFrame,
    signals: Mapping[str, Signal],
    voters: tuple[str, ...],
    min_views: int = 1,
    confirm: int = CONFIRM_REGIME,
) -> Reading:
    """Read every signal and take the vote.

    FORCED_SELLING when that flag is on; else OPPORTUNITY when that flag is on; else ABSORPTION
    when ``absorption`` is absorbing or at least half of the votes with a view are on; else
    INJECTION when ``absorption`` is injecting; else NEUTRAL. None where fewer than ``min_views``
    votes have a view.

    Parameters
    ----------
    panel
        Point-in-time panel, sessions × catalog ids.
    signals
        The signals by name.
    voters
        Names of those that vote.
    min_views
        Votes with a view that a regime needs.
    confirm
        Sessions in a row before a change of regime counts; FORCED_SELLING needs 2.

    Returns
    -------
    The reading at each session; no row depends on a later one.

    Raises
    ------
    DataError
        When the panel's index holds anything but ascending sessions.
    """
    check_sessions(panel.index, "the panel")
    views = {name: signal.views(panel) for name, signal in signals.items()}
    flags = pd.DataFrame({name: flag for name, (flag, _) in views.items()}, index=panel.index)
    scores = pd.DataFrame({name: score for name, (_, score) in views.items()}, index=panel.index)
    votes = flags[[name for name in voters if name in flags]]
    regime = vote(flags, votes, injecting(signals, panel), min_views, confirm)
    return Reading(regime=regime, flags=flags, scores=scores, votes=votes)


def vote(
    flags: pd.DataFrame,
    votes: pd.DataFrame,
    injecting: pd.Series,
    min_views: int,
    confirm: int = CONFIRM_REGIME,
) -> pd.Series:
    """Return the regime that some flags make, by the rules of :func:`read`."""
    return settle(_spoken_for(rules(flags, votes, injecting, min_views)), confirm)


def injecting(signals: Mapping[str, Signal], panel: pd.DataFrame) -> pd.Series:
    """Return whether ``absorption`` says that capital is injected; no view without that signal."""
    for signal in signals.values():
        if isinstance(signal, Absorption):
            return signal.injecting(panel)
    return pd.Series(pd.NA, index=panel.index, dtype="boolean")


#: What decides the regime of a session, in order: the first rule that holds.
RULES: dict[str, str | None] = {
    "too few views": None,
    "forced_selling": Regime.FORCED_SELLING.value,
    "opportunity": Regime.OPPORTUNITY.value,
    "absorption": Regime.ABSORPTION.value,
    "half of the votes": Regime.ABSORPTION.value,
    "injecting": Regime.INJECTION.value,
    "none": Regime.NEUTRAL.value,
}


def rules(
    flags: pd.DataFrame, votes: pd.DataFrame, injecting: pd.Series, min_views: int
) -> pd.Series:
    """Return the name in :data:`RULES` of the first rule that holds at each session."""
    views = votes.notna().sum(axis=1)
    holds = {
        "too few views": views < min_views,
        "forced_selling": _on(flags, "forced_selling"),
        "opportunity": _on(flags, "opportunity"),
        "absorption": _on(flags, "absorption"),
        "half of the votes": votes.fillna(False).sum(axis=1) * 2 >= views,
        "injecting": injecting.fillna(False),
    }
    conditions = [condition.to_numpy(dtype=bool) for condition in holds.values()]
    named = np.select(conditions, [np.array(name, dtype=object) for name in holds], "none")
    return pd.Series(named, index=votes.index, dtype=object, name="rule")


def _spoken_for(rule: pd.Series) -> pd.Series:
    """Return the regime that each session's rule speaks for, before confirmation."""
    names = [RULES[name] for name in rule]
    return pd.Series(names, index=rule.index, dtype=object, name="regime")


def decided_by(regime: pd.Series, rule: pd.Series) -> pd.Series:
    """Return the rule behind the regime in force: the last that spoke for it.

    Parameters
    ----------
    regime
        Of each session, confirmed.
    rule
        The rule that holds at each session, see :func:`rules`. While a change of regime is being
        confirmed it speaks for another regime than the one in force.

    Returns
    -------
    Names of rules; None without a regime. No row depends on a later one.
    """
    in_force = regime.fillna("") == _spoken_for(rule).fillna("")
    return rule.where(in_force).ffill().where(regime.notna()).rename("decided_by")


def _on(flags: pd.DataFrame, name: str) -> pd.Series:
    if name not in flags:
        return pd.Series(False, index=flags.index)
    return flags[name].fillna(False).astype(bool)


def sessions_to_confirm(name: str | None, confirm: int = CONFIRM_REGIME) -> int:
    """Return how many sessions in a row a regime must be spoken for before it is in force."""
    return CONFIRM_FORCED if name == Regime.FORCED_SELLING else confirm


def settle(raw: pd.Series, confirm: int = CONFIRM_REGIME) -> pd.Series:
    """Return a regime that changes only once the new one has stood ``confirm`` sessions in a row.

    The first regime is confirmed like any other. Where there is no view there is at once no
    regime, and what stood before is forgotten. FORCED_SELLING is confirmed in 2 sessions.
    """
    current: str | None = None
    candidate, run = None, 0
    out: list[str | None] = []
    for name in raw:
        run = run + 1 if name == candidate else 1
        candidate = name
        if name is None:
            current = None
        elif run >= sessions_to_confirm(name, confirm):
            current = name
        out.append(current)
    return pd.Series(out, index=raw.index, dtype=object, name="regime")
