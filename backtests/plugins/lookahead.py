"""Check that past results of a strategy or a signal do not depend on later data.

The check computes results on the original history and on a changed history. A changed history
equals the original history up to one session, called the cut. Up to the cut, the changed history
must give exactly the same results as the original history. A shortened history ends at the cut
session. A history with replaced rows continues after the cut session for at most :data:`FUTURE`
sessions, with rows from another period.

A history with replaced rows reveals look-ahead that a shortened history can miss. For example,
wrong code may read the next session's value, and repeat the last value at the end of the history.
On a shortened history, the results of the wrong code stay the same if the value does not change
after the cut. On a history with replaced rows, the value after the cut is different, so the results
of the wrong code change.

The check changes only the panel and, for a strategy, the results of the signals. So the check does
not detect look-ahead through files, the network or caches.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests import pipeline
from backtests.config import RunConfig
from backtests.history.panel import History
from signals import SIGNALS
from signals.base import Pick, Signal
from signals.errors import DrypowderError, SimulationError
from signals.evaluations import inputs_of
from signals.reading import Reading
from strategies import Strategy, decide, state_of

#: Largest number of cuts of each kind: evenly spread, random, at changes of a result, at ends of
#: gaps.
SPREAD, RANDOM, CHANGES, GAPS = 25, 5, 5, 8
#: Largest number of histories with replaced rows, and largest number of replaced rows in a
#: history.
OTHER_FUTURES, FUTURE = 10, 252
SEED = 20260101

Answers = Mapping[str, pd.DataFrame]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A look-ahead error: the result of a past session changes when later data change.

    Attributes
    ----------
    name, what
        ``name`` is the name of the strategy or signal. ``what`` names the wrong result:
        ``weights``, ``state``, ``flag`` and so on.
    column
        The asset or gauge with the wrong value; empty if the result has only one column.
    date
        First session at which the result changes.
    cut
        Last session on which the changed history equals the original history.
    before, after
        ``before`` is the value on the original history. ``after`` is the value on the changed
        history.
    future
        ``future`` is ``none`` if the changed history ends at the cut. ``future`` is ``another`` if
        rows from another period follow the cut. ``future`` is ``the same`` if the check computed
        the result twice on the original history.
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
        """Return one line that describes the fault."""
        of = f" of {self.column}" if self.column else ""
        cell = f"{self.what}{of} on {self.date.date()}"
        before, after = _shown(self.before), _shown(self.after)
        if before == after:
            before, after = repr(self.before), repr(self.after)
        if self.future == "the same":
            return (
                f"{self.name}: expected {cell} to be the same when computed twice, was first "
                f"{before} and then {after}; seed random numbers, and keep no data between calls"
            )
        told = "without later data" if self.future == "none" else "with other later data"
        return (
            f"{self.name}: expected {cell} not to depend on data after {self.cut.date()}, was "
            f"{before} with the true later data and {after} {told}; compute each row only from "
            "this row and earlier rows. Do not use shift(-1), bfill, the last row or the mean of "
            "all rows"
        )


def _shown(cell: object) -> str:
    if cell is None or cell is pd.NA or cell != cell:
        return "no value"
    return f"{cell:.6g}" if isinstance(cell, float) else str(cell)


def truncation_faults(
    thing: Strategy | Signal,
    config: RunConfig,
    history: History,
    dates: Sequence[pd.Timestamp] | None = None,
    reading: Reading | None = None,
) -> Iterator[Fault]:
    """Yield the past results of a strategy or a signal that depend on later data.

    A cut is the last session on which a changed history equals the original history. For each
    changed history and each result, the function yields at most one fault, the earliest. A
    strategy's results are its weights and its state. A signal's results are its flag, score and
    gauges. The check compares all rows up to the cut, including missing values.

    If ``thing`` is a strategy, the user's signals in ``config`` are checked first. The check of a
    strategy skips the registered signals, because drypowder's own tests check them. The signals are
    computed once, on the original history. On a changed history, the check removes or replaces the
    rows after the cut, both in the panel and in the signals' results.

    Parameters
    ----------
    dates
        Sessions after which the history is changed. The default is :func:`default_dates`.
    reading
        Regime and signals of the original history, if the caller already has them.

    Raises
    ------
    DrypowderError
        Raised if the strategy or signal fails on a changed history. The error message gives the
        date of the cut.
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
    for at, pick, future in _other_histories(cuts, panel.index):
        try:
            other = _answers(thing, None if reading is None else reading.rows(pick), pick(panel))
        except DrypowderError as error:
            where = "with other data after" if future == "another" else "on the history up to"
            raise SimulationError(f"{error} ({where} {at.date()})") from error
        yield from _compare(thing, whole, other, at, future)


def _answers(thing: Strategy | Signal, reading: Reading | None, panel: pd.DataFrame) -> Answers:
    if isinstance(thing, Strategy):
        assert reading is not None
        state = state_of(thing, reading, panel)
        answers = {"weights": decide(thing, reading, panel)}
        return answers if state is None else {**answers, "state": state.to_frame("")}
    said = thing.evaluate(panel)
    return {"gauges": said.gauges, "score": said.score.to_frame(""), "flag": said.flag.to_frame("")}


def _other_histories(
    cuts: Sequence[pd.Timestamp], index: pd.Index
) -> Iterator[tuple[pd.Timestamp, Pick, str]]:
    """Yield the cut, the function and the kind of each changed history.

    The cut is the last session on which the changed history equals the original history. The
    function removes or replaces a table's rows after the cut. The kind of a changed history is a
    value of :attr:`Fault.future`, such as ``none``.
    """
    for at in cuts:
        yield at, _until(at), "the same" if at == index[-1] else "none"
    rng = np.random.default_rng(SEED)
    inner = [at for at in cuts if at != index[-1]]
    for at in inner[:: -(-len(inner) // OTHER_FUTURES) or 1]:
        yield at, _other_future(index, at, rng), "another"


def _until(at: pd.Timestamp) -> Pick:
    """Return a function that keeps only the rows of a table up to the session ``at``."""
    return lambda part: part.loc[:at]


def _other_future(index: pd.Index, at: pd.Timestamp, rng: np.random.Generator) -> Pick:
    """Return a function that replaces a table's rows after ``at`` with other rows of the table."""
    past = int(index.get_indexer(pd.Index([at]))[0]) + 1
    length = min(FUTURE, len(index) - past)
    start = int(rng.integers(len(index)))
    rows = np.concatenate([np.arange(past), (start + np.arange(length)) % len(index)])
    return lambda part: part.iloc[rows].set_axis(index[: past + length], axis=0)


def _compare(
    thing: Strategy | Signal, whole: Answers, other: Answers, at: pd.Timestamp, future: str
) -> Iterator[Fault]:
    none = pd.DataFrame(index=pd.DatetimeIndex([]))
    for what in dict.fromkeys((*whole, *other)):
        first, then = (part.get(what, none).loc[:at] for part in (whole, other))
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


def first_difference(one: pd.DataFrame, two: pd.DataFrame) -> tuple[pd.Timestamp, str] | None:
    """Return the row and the column of the first difference between two tables.

    If the tables differ in several columns of the row, the function returns the first of the
    differing columns. Numbers are compared without tolerance. Two missing values are equal.
    """
    columns = list(dict.fromkeys((*one.columns, *two.columns)))
    index = one.index.union(two.index)
    a, b = (table.reindex(index=index, columns=columns) for table in (one, two))
    same = (a == b).fillna(False) | (a.isna() & b.isna())
    at = np.argwhere(~same.to_numpy(dtype=bool))
    return (pd.Timestamp(index[at[0][0]]), columns[at[0][1]]) if len(at) else None


def default_dates(
    thing: Strategy | Signal, whole: Answers, panel: pd.DataFrame
) -> list[pd.Timestamp]:
    """Return the default cuts: the last session, then other sessions in order of date.

    Cuts are at evenly spread sessions, at random sessions, at changes of a result, and at the ends
    of data gaps. The first 5 % of the sessions have no cuts. The next 5 % of the sessions have cuts
    only at the ends of data gaps. A cut at the end of a gap can detect code that fills gaps
    backwards.
    """
    rng = np.random.default_rng(SEED)
    size = len(panel)
    first = size // 10
    chosen = {*np.linspace(first, size - 1, SPREAD).astype(int).tolist()}
    chosen |= {*rng.integers(first, size, RANDOM).tolist()}
    chosen |= {*_some(_changes(whole), first, CHANGES)}
    columns = inputs_of(thing, {}) if isinstance(thing, Signal) else (*thing.assets, *thing.reads)
    chosen |= {*_some(_gap_ends(panel, columns), size // 20, GAPS)}
    order = sorted(chosen - {size - 1})
    return [pd.Timestamp(panel.index[at]) for at in (size - 1, *order)]


def _some(positions: np.ndarray, first: int, count: int) -> list[int]:
    there = positions[positions >= first]
    spread = np.linspace(0, len(there) - 1, min(count, len(there))).astype(int)
    return [int(at) for at in there[spread]]


def _changes(whole: Answers) -> np.ndarray:
    """Return the positions where a label changes and the positions where weights change most."""
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
    """Return the last position of each gap of missing values, if a value follows the gap."""
    missing = panel.reindex(columns=list(columns)).isna().to_numpy(dtype=bool)
    return np.flatnonzero((missing[:-1] & ~missing[1:]).any(axis=1))
