"""Whether the past of a strategy or a signal changes with the future: the law that none may break.

Two readings of the same past are held to each other, to the last bit. One is of the whole history.
The other is of history cut at a session; and then of history that goes on after that session with
another stretch of itself, which shows what a cut can hide: shifted values whose last ones are
filled forward agree with a cut until something changes, and disagree with any other future.

Nothing is seen of what does not come through the panel: files, the network, a cache of one's own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests import pipeline
from backtests.config import RunConfig
from backtests.history.panel import History
from signals import SIGNALS
from signals.base import Signal
from signals.errors import DrypowderError, LookaheadError, SimulationError
from signals.evaluations import inputs_of
from signals.reading import Reading
from strategies import Strategy, decide, state_of

#: Cuts spread evenly, drawn at random, where labels or weights change, and where gaps end.
SPREAD, RANDOM, CHANGES, GAPS = 25, 5, 5, 8
#: How many of the cuts are read with another future too, and its sessions.
OTHER_FUTURES, FUTURE = 10, 252
SEED = 20260101

Answers = Mapping[str, pd.DataFrame]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A cell of the past that another future changes.

    Attributes
    ----------
    name, what
        Of the strategy or signal, and what it was asked: ``weights``, ``flag`` …
    column
        The asset or gauge; empty where there is only one column.
    date
        The session of the first row that changes.
    cut
        The last session that both readings share.
    before, after
        The cell as first read, and as read with another future.
    future
        What the other future is: ``none``, ``another`` or, with the whole history read twice,
        ``the same``.
    """

    name: str
    what: str
    column: str
    date: pd.Timestamp
    cut: pd.Timestamp
    before: object
    after: object
    future: str

    def __str__(self) -> str:
        """Return the fault as one line."""
        of = f" of {self.column}" if self.column else ""
        cell = f"{self.name}: expected {self.what}{of} on {self.date.date()}"
        before, after = _shown(self.before), _shown(self.after)
        if before == after:
            before, after = repr(self.before), repr(self.after)
        if self.future == "the same":
            return (
                f"{cell} to be the same when read twice, was {before} and then {after}; seed what "
                "is random, and keep nothing between calls"
            )
        told = "without it" if self.future == "none" else "with another one"
        return (
            f"{cell} not to depend on what comes after {self.cut.date()}, was {before} with that "
            f"future and {after} {told}; let row t use rows up to t alone: no shift(-1), bfill, "
            "last row or whole-sample mean"
        )


def _shown(cell: object) -> str:
    if cell is None or cell is pd.NA or cell != cell:
        return "no value"
    return f"{cell:.6g}" if isinstance(cell, float) else str(cell)


def refuse_lookahead(
    thing: Strategy | Signal,
    config: RunConfig,
    history: History,
    dates: Sequence[pd.Timestamp] | None = None,
    reading: Reading | None = None,
) -> None:
    """Raise :class:`LookaheadError` when the past of a strategy or signal depends on the future.

    See :func:`truncation_faults`, whose first fault is the message.
    """
    for fault in truncation_faults(thing, config, history, dates, reading):
        raise LookaheadError(str(fault))


def truncation_faults(
    thing: Strategy | Signal,
    config: RunConfig,
    history: History,
    dates: Sequence[pd.Timestamp] | None = None,
    reading: Reading | None = None,
) -> Iterator[Fault]:
    """Yield the first cell of each answer that changes when the future does, cut by cut.

    Of a strategy its weights and its state are compared, of a signal flag, score and gauges: all
    rows up to the cut, exactly, missing values included. A strategy is given the reading of the
    whole history cut alike, since registered signals are held to the same law by tests. The
    plugin signals that the configuration names are looked at first.

    Parameters
    ----------
    thing
        The strategy or signal.
    config
        Names the signals of the reading.
    history
        On which; the more of it the better.
    dates
        Sessions to cut at; default 25 spread over the history from its first tenth to its last
        session, some at random, some where the answer changes and some where gaps end.
    reading
        Of the history, where it was read already.

    Raises
    ------
    DrypowderError
        When the strategy or signal fails on a cut history, with the session of the cut.
    """
    if isinstance(thing, Signal):
        yield from _faults(thing, None, history.panel, dates)
        return
    for name, signal in config.build_signals().items():
        if name not in SIGNALS:
            yield from _faults(signal, None, history.panel, dates)
    read = pipeline.read(config, history) if reading is None else reading
    yield from _faults(thing, read, history.panel, dates)


def _faults(
    thing: Strategy | Signal,
    reading: Reading | None,
    panel: pd.DataFrame,
    dates: Sequence[pd.Timestamp] | None,
) -> Iterator[Fault]:
    whole = _answers(thing, reading, panel)
    cuts = default_dates(thing, whole, panel) if dates is None else list(dates)
    for at in cuts:
        future = "the same" if at == panel.index[-1] else "none"
        cut = _at(thing, _until(reading, at), panel.loc[:at], at)
        yield from _compare(thing, whole, cut, at, future)
    rng = np.random.default_rng(SEED)
    inner = [at for at in cuts if at != panel.index[-1]]
    for at in inner[:: -(-len(inner) // OTHER_FUTURES) or 1]:
        rows = _other_future(panel.index, at, rng)
        other = _at(thing, _moved(reading, rows), _rows(panel, rows), at)
        yield from _compare(thing, whole, other, at, "another")


def _answers(thing: Strategy | Signal, reading: Reading | None, panel: pd.DataFrame) -> Answers:
    if isinstance(thing, Strategy):
        assert reading is not None
        state = state_of(thing, reading, panel)
        answers = {"weights": decide(thing, reading, panel)}
        return answers if state is None else {**answers, "state": state.to_frame("")}
    said = thing.evaluate(panel)
    return {"gauges": said.gauges, "score": said.score.to_frame(""), "flag": said.flag.to_frame("")}


def _at(
    thing: Strategy | Signal, reading: Reading | None, panel: pd.DataFrame, at: pd.Timestamp
) -> Answers:
    """Return the answers on a history of another future, whose failure is told with its cut."""
    try:
        return _answers(thing, reading, panel)
    except DrypowderError as error:
        raise SimulationError(
            f"{error} (asked on history with another future than its own after {at.date()})"
        ) from error


def _compare(
    thing: Strategy | Signal, whole: Answers, other: Answers, at: pd.Timestamp, future: str
) -> Iterator[Fault]:
    for what in dict.fromkeys((*whole, *other)):
        first, then = (_past(part.get(what), at) for part in (whole, other))
        found = first_difference(first, then)
        if found is not None:
            date, column = found
            yield Fault(
                name=thing.name,
                what=what,
                column=column,
                date=date,
                cut=at,
                before=first[column].get(date) if column in first else None,
                after=then[column].get(date) if column in then else None,
                future=future,
            )


def _past(table: pd.DataFrame | None, at: pd.Timestamp) -> pd.DataFrame:
    return pd.DataFrame(index=pd.DatetimeIndex([])) if table is None else table.loc[:at]


def first_difference(one: pd.DataFrame, two: pd.DataFrame) -> tuple[pd.Timestamp, str] | None:
    """Return the first row, and in it the first column, at which two tables differ at all.

    Numbers differ by the last bit; a missing value equals a missing one alone.
    """
    columns = list(dict.fromkeys((*one.columns, *two.columns)))
    index = one.index.union(two.index)
    first: tuple[pd.Timestamp, str] | None = None
    for column in columns:
        a, b = (_column(table, column, index) for table in (one, two))
        same = (a == b).fillna(False).to_numpy(dtype=bool) | (a.isna() & b.isna()).to_numpy()
        at = np.flatnonzero(~same)
        if len(at) and (first is None or index[at[0]] < first[0]):
            first = (pd.Timestamp(index[at[0]]), column)
    return first


def _column(table: pd.DataFrame, column: str, index: pd.Index) -> pd.Series:
    if column not in table:
        return pd.Series(np.nan, index=index)
    found = table[column]
    return found if found.index.equals(index) else found.reindex(index)


# --- other pasts and futures ----------------------------------------------------------------


def _until(reading: Reading | None, at: pd.Timestamp) -> Reading | None:
    if reading is None:
        return None
    return reading.rows(lambda part: part.loc[:at])


@dataclass(frozen=True, kw_only=True)
class _Moved:
    """A history with another future: by position the rows that it is made of, and its index."""

    rows: np.ndarray
    index: pd.Index


def _other_future(index: pd.Index, at: pd.Timestamp, rng: np.random.Generator) -> _Moved:
    """Return the past up to a session, followed by another stretch of the same history."""
    past = int(index.get_indexer(pd.Index([at]))[0]) + 1
    length = min(FUTURE, len(index) - past)
    start = int(rng.integers(len(index)))
    rows = np.concatenate([np.arange(past), (start + np.arange(length)) % len(index)])
    return _Moved(rows=rows, index=index[: past + length])


def _rows(table: pd.DataFrame, moved: _Moved) -> pd.DataFrame:
    return table.iloc[moved.rows].set_axis(moved.index, axis=0)


def _moved(reading: Reading | None, moved: _Moved) -> Reading | None:
    if reading is None:
        return None
    return reading.rows(lambda part: part.iloc[moved.rows].set_axis(moved.index, axis=0))


# --- where to cut ---------------------------------------------------------------------------


def default_dates(
    thing: Strategy | Signal, whole: Answers, panel: pd.DataFrame
) -> list[pd.Timestamp]:
    """Return the sessions to cut at: the last one, then the others in order.

    Changes and gaps are where cheating shows: a value filled backwards differs in the gap alone.
    """
    rng = np.random.default_rng(SEED)
    size = len(panel)
    first = size // 10
    chosen = {*np.linspace(first, size - 1, SPREAD).astype(int).tolist()}
    chosen |= {*rng.integers(first, size, RANDOM).tolist()}
    chosen |= {*_some(_changes(whole), first, CHANGES)}
    chosen |= {*_some(_gap_ends(panel, _columns_of(thing)), size // 20, GAPS)}
    order = sorted(chosen - {size - 1})
    return [pd.Timestamp(panel.index[at]) for at in (size - 1, *order)]


def _columns_of(thing: Strategy | Signal) -> tuple[str, ...]:
    return inputs_of(thing, {}) if isinstance(thing, Signal) else (*thing.assets, *thing.reads)


def _some(positions: np.ndarray, first: int, count: int) -> list[int]:
    there = positions[positions >= first]
    if not len(there):
        return []
    spread = np.linspace(0, len(there) - 1, min(count, len(there))).astype(int)
    picked: list[int] = there[spread].tolist()
    return picked


def _changes(whole: Answers) -> np.ndarray:
    """Return the positions at which labels change, or where none does the largest moves."""
    found = []
    for what in ("state", "flag"):
        if what in whole:
            label = whole[what][""].astype(object).map(str).to_numpy()
            found.append(np.flatnonzero(label[1:] != label[:-1]) + 1)
    if "weights" in whole:
        moves = whole["weights"].diff().abs().sum(axis=1).to_numpy()
        found.append(np.sort(np.argsort(moves, kind="stable")[-4 * CHANGES :]))
    return np.unique(np.concatenate(found))


def _gap_ends(panel: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """Return the last positions of stretches without a value that a value follows."""
    missing = panel.reindex(columns=list(columns)).isna().to_numpy(dtype=bool)
    return np.flatnonzero((missing[:-1] & ~missing[1:]).any(axis=1))
