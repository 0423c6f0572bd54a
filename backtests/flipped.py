"""Find what the last fetch flipped: the regime, and the flags on which the regime depends.

The module compares two states. The earlier state is computed from the data before the last fetch or
import, at their last session. The current state is computed from all data in the store, at their
last session. If a state has changed and changed back since the earlier session, the module reports
no flip. A fetch that adds no data causes no flip.

Primary flags are the flags that the regime model reads, see
:attr:`signals.regimes.RegimeModel.rests_on`. Every change of state counts, including a change to
``no view`` or from ``no view``.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from backtests.config import RunConfig
from backtests.history.origin import SIMULATED
from backtests.history.panel import History
from backtests.pipeline import read
from backtests.store.store import Store, default_store
from signals.errors import ConfigError, DataError
from signals.hysteresis import since
from signals.reading import Reading

_JUST_BEFORE = pd.Timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True)
class Flipped:
    """A state that differs from the state before the last fetch.

    Attributes
    ----------
    what
        ``regime``, or the name of a signal.
    was, now
        ``was`` is the state before the fetch, and ``now`` is the current state. The state of the
        regime is its name or ``none``. The state of a flag is ``on``, ``off`` or ``no view``.
    since
        The session on which the current state began. None if there is no regime or no view.
    revised
        True if the current data give the earlier session a state that differs from ``was``. True
        means that late or revised data caused at least a part of the change.
    """

    what: str
    was: str
    now: str
    since: pd.Timestamp | None
    revised: bool


@dataclass(frozen=True, kw_only=True)
class SinceFetch:
    """What changed in a store with its last fetch or import.

    Attributes
    ----------
    began
        The moment at which the last fetch or import began, New York time. None if the store had no
        data before this fetch or import, or if the store did not record when it began.
    session
        The last session in the store just before ``began``; None if the store had too little data.
    flipped
        The regime if it flipped, and then each primary flag that flipped.
    """

    began: pd.Timestamp | None = None
    session: pd.Timestamp | None = None
    flipped: tuple[Flipped, ...] = ()


def since_fetch(config: RunConfig, history: History, reading: Reading) -> SinceFetch:
    """Return which states flipped with the last fetch or import into the configuration's store.

    Parameters
    ----------
    config
        The source of the history, the parameters of the signals, and the regime model.
    history, reading
        The current history up to its last session, and the reading of this history.

    Raises
    ------
    ConfigError
        If the configuration's history does not come from a store.
    """
    store = store_of(config)
    began = store.last_recording()
    if began is None:
        return SinceFetch()
    try:
        earlier = _known_before(store, began, history)
        then = read(config, earlier)
    except DataError:  # the store did not yet have what the signals need
        return SinceFetch(began=began)
    session = pd.Timestamp(earlier.panel.index[-1])
    primary = config.build_model().rests_on
    flipped = (*_flips(then, reading, session, primary),)
    return SinceFetch(began=began, session=session, flipped=flipped)


def store_of(config: RunConfig) -> Store:
    """Return the store of a configuration; raise ConfigError if its history has another source."""
    source = config.history_source().decided()
    if source != "store":
        label = SIMULATED if source == "simulated" else source
        raise ConfigError(
            f"expected a history from a store, but the history is {label}; give a store, or remove "
            "--exit-code, because only a fetch into a store can flip a state"
        )
    return Store(config.store or default_store())


def _known_before(store: Store, began: pd.Timestamp, now: History) -> History:
    """Return the history of the rows recorded before ``began``, with only the series of ``now``.

    Series that ``now`` lacks could change the last session, which is the last day with a price.
    """
    until = began - _JUST_BEFORE
    series = {*now.panel.columns, *now.closes.columns}
    return History.load(store, [id for id in store.series_ids(until) if id in series], as_of=until)


def _flips(
    then: Reading, now: Reading, session: pd.Timestamp, primary: tuple[str, ...]
) -> Iterator[Flipped]:
    states = {"regime": (then.regime, now.regime)}
    for name in primary:
        if name in then.evaluations and name in now.evaluations:
            states[name] = then.evaluations[name].flag, now.evaluations[name].flag
    for what, (before, after) in states.items():
        was, known, is_now = (_word(what, part) for part in (before, after.loc[:session], after))
        if was != is_now:
            yield Flipped(what=what, was=was, now=is_now, since=since(after), revised=known != was)


def _word(what: str, states: pd.Series) -> str:
    """Return the last state as a word."""
    last = None if states.empty else states.iloc[-1]
    if what == "regime":
        return "none" if pd.isna(last) else str(last)
    return "no view" if pd.isna(last) else "on" if last else "off"
