"""Find out whether the last fetch changed the regime, or flags on which the regime depends.

The module compares an earlier state with the current state. The earlier state is computed from the
data that the store held before the last fetch or import. The current state is computed from all
data in the store. The earlier state is from the last session of the earlier data. The current state
is from the last session of the current data. A flip is a difference between the earlier and the
current state. A state that changed and later changed back is not a flip. A fetch that adds no data
causes no flip.

Primary flags are the flags that the regime model reads, see
:attr:`signals.regimes.RegimeModel.rests_on`. Every change of state counts, including a change to
``no view`` or from ``no view``.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from backtests.config import RunConfig
from backtests.history.panel import History
from backtests.pipeline import read
from backtests.simulated import source_said
from backtests.store.store import Store
from signals.errors import ConfigError, DataError
from signals.hysteresis import flag_word, last_view, since
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
        ``was`` is the state before the fetch, and ``now`` is the current state. The regime's state
        is the name of the regime, or ``none``. The state of a flag is ``on``, ``off`` or
        ``no view``.
    since
        The session on which the current state began. None if the regime is ``none`` or the flag has
        ``no view``.
    revised
        True if the current data and the earlier data give different states for the last session
        before the fetch. If ``revised`` is True, late or revised data caused at least a part of the
        flip.
    """

    what: str
    was: str
    now: str
    since: pd.Timestamp | None
    revised: bool


@dataclass(frozen=True, kw_only=True)
class SinceFetch:
    """The states that changed with the last fetch or import into a store.

    Attributes
    ----------
    began
        The moment at which the last fetch or import began, New York time. The fetch or import that
        created the store does not count. None if the store has no record of a later one.
    session
        The last session in the store just before ``began``. None if ``began`` is None, or if the
        store had too little data for the signals at that time.
    flipped
        The flip of the regime, followed by the flips of primary flags.
    """

    began: pd.Timestamp | None = None
    session: pd.Timestamp | None = None
    flipped: tuple[Flipped, ...] = ()


def since_fetch(config: RunConfig, history: History, reading: Reading) -> SinceFetch:
    """Return the states that changed because of the last fetch or import into the store.

    Parameters
    ----------
    config
        The configuration, which names the store, the signals and the regime model.
    history, reading
        The current history, and the reading of the current history.

    Raises
    ------
    ConfigError
        Raised if the configuration's history does not come from a store.
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
        raise ConfigError(
            f"expected a history from a store, but the history is {source_said(source)}; give a "
            "store or remove --exit-code. Only a fetch or import can flip a state"
        )
    return Store(config.store_path())


def _known_before(store: Store, began: pd.Timestamp, now: History) -> History:
    """Return the history recorded before ``began``, with only the series of the history ``now``.

    The last session of a history is the last day with a price. A series that is not in ``now`` is
    left out, because its prices could give the history a later last session.
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
    if what == "regime":
        return "none" if states.empty or pd.isna(states.iloc[-1]) else str(states.iloc[-1])
    return flag_word(None if states.empty else last_view(states))
