"""The sessions that all rows of a comparison have in common."""

from collections.abc import Mapping
from datetime import date

import pandas as pd

from backtests.config import RunConfig
from backtests.history.panel import History
from backtests.runs import Run
from backtests.window import SHORTEST
from signals.errors import ConfigError


def common_sessions(runs: Mapping[str, Run]) -> tuple[pd.DatetimeIndex, tuple[str, ...]]:
    """Return the sessions that all runs share, and a note if the runs have different sessions."""
    if not runs:
        raise ConfigError("expected at least one run to compare, found none; give a run")
    index = next(iter(runs.values())).sessions
    for run in runs.values():
        index = index.intersection(run.sessions)
    if len(index) < SHORTEST:
        raise ConfigError(
            f"expected at least {SHORTEST} common sessions, found {len(index)}; run the strategies "
            "on windows that overlap"
        )
    _check_history(runs, index)
    same = all(run.sessions.equals(index) for run in runs.values())
    return index, () if same else (_window_said(index[0].date(), index[-1].date()),)


def _check_history(runs: Mapping[str, Run], index: pd.DatetimeIndex) -> None:
    """Raise ConfigError if the histories of two runs differ at the sessions in ``index``.

    Histories differ if their sources or their values differ. Series that exist in only one of two
    histories are not compared.
    """
    (name, first), *others = runs.items()
    for label, run in others:
        if differs := _differs(run.history, first.history, index):
            raise ConfigError(
                f"expected runs on the same history, but the {differs} of {label} differ from "
                f"those of {name}; run both on the same history"
            )


def _differs(one: History, other: History, index: pd.DatetimeIndex) -> str:
    """Return the kind of data in which two histories differ at the sessions in ``index``.

    The kind is ``prices`` or ``series``. The kind is also ``prices`` if the sources of the
    histories differ. The text is empty if the histories are equal.
    """
    if one.source != other.source or not _equal_on(index, one.closes, other.closes):
        return "prices"
    return "" if _equal_on(index, one.panel, other.panel) else "series"


def _equal_on(index: pd.DatetimeIndex, one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Return whether two tables have equal values at the sessions in ``index``.

    Only columns that both tables have are compared.
    """
    shared = one.columns.intersection(other.columns)
    return one.loc[index, shared].equals(other.loc[index, shared])


def in_common_window(
    configs: Mapping[str, RunConfig],
) -> tuple[dict[str, RunConfig], tuple[str, ...]]:
    """Return the configurations with a common window: from the latest start to the earliest end.

    A configuration without a start gets the start of the common window. A configuration without an
    end gets the end of the common window. The second element of the result has a note if two
    configurations have different windows. The note ignores configurations that have neither a start
    nor an end. If the latest start is after the earliest end, ConfigError is raised.
    """
    starts = {label: config.start for label, config in configs.items() if config.start}
    ends = {label: config.end for label, config in configs.items() if config.end}
    start, end = max(starts.values(), default=None), min(ends.values(), default=None)
    if start and end and start > end:
        late, early = max(starts, key=starts.__getitem__), min(ends, key=ends.__getitem__)
        raise ConfigError(
            f"expected windows that overlap, but {late} starts on {start}, after {early} ends on "
            f"{end}; leave one out"
        )
    own = {(c.start, c.end) for c in configs.values() if c.start or c.end}
    common = {"start": start, "end": end}
    return (
        {label: config.model_copy(update=common) for label, config in configs.items()},
        (_window_said(start, end),) if len(own) > 1 else (),
    )


def _window_said(start: date | None, end: date | None) -> str:
    first, last = start or "the first regime", end or "the end of the history"
    return f"the rows have different windows, so all are compared from {first} to {last}"
