"""Which data are late at one session, and what they affect."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from backtests.brief.holdings import Holding
from backtests.history.panel import History
from signals.explanation import Explanation


@dataclass(frozen=True, kw_only=True)
class Late:
    """Data that are late or missing.

    Attributes
    ----------
    what
        The id of the series, or the names of a score's components.
    last
        The date on which the last value became known. ``last`` is None if no value was ever known,
        or if the data are components of a score.
    affects
        What the missing data affect, in words.
    unseen
        True if no value of the series was ever known, so the series is missing, not late.
    """

    what: str
    last: pd.Timestamp | None
    affects: str
    unseen: bool = False


def late_data(
    history: History, said: Mapping[str, Explanation], held: Iterable[Holding]
) -> tuple[Late, ...]:
    """Return the late data that a flag, a score or a strategy needs; each series occurs once.

    Series without any known value come last.

    ``said`` maps the name of each signal to its explanation at the last session. ``held`` contains
    the holdings at the last session. A strategy of the thesis needs only prices and its state. If
    late data make the state unreliable, the strategy keeps its last target. If only the price of an
    asset is late, the strategy does not trade the asset.
    """
    affected: dict[str, list[str]] = {}
    for e in said.values():
        for id in e.missing if e.flag is None else ():
            affected.setdefault(id, []).append(f"{e.signal} has no view")
    for one in held:
        for id in one.missing:
            effect = "keeps its last target" if one.state_is_lost else f"does not trade {id}"
            affected.setdefault(id, []).append(f"{one.strategy} {effect}")
    series = [_series(history, id, "; ".join(effects)) for id, effects in affected.items()]
    scores = (
        Late(what=", ".join(e.without), last=None, affects=f"{e.signal} {e.rests_on}")
        for e in said.values()
        if e.rests_on
    )
    late = [one for one in series if not one.unseen]
    return (*late, *scores, *(one for one in series if one.unseen))


def _series(history: History, id: str, affects: str) -> Late:
    moment = history.last_known(id)
    last = None if moment is None else moment.normalize()
    return Late(what=id, last=last, affects=affects, unseen=last is None)
