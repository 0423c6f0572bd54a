"""The common window of the rows of a comparison."""

from collections.abc import Mapping
from datetime import date

import pandas as pd

from backtests.config import RunConfig
from backtests.runs import Run
from backtests.window import SHORTEST
from signals.errors import ConfigError


def common_sessions(runs: Mapping[str, Run]) -> tuple[pd.DatetimeIndex, tuple[str, ...]]:
    """Return the sessions that all runs have, and a note if a run has more."""
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
    """Raise ConfigError unless all runs have one source, and equal prices in their sessions.

    The histories of two runs may have different assets.
    """
    (name, first), *others = runs.items()
    for label, run in others:
        shared = first.history.closes.columns.intersection(run.history.closes.columns)
        prices, mine = (each.history.closes.loc[index, shared] for each in (first, run))
        if run.history.source != first.history.source or not prices.equals(mine):
            raise ConfigError(
                f"expected runs of one history, but {label} has other prices than {name}; run "
                "both on the same history"
            )


def in_common_window(
    configs: Mapping[str, RunConfig],
) -> tuple[dict[str, RunConfig], tuple[str, ...]]:
    """Return the configurations, all with the latest start and the earliest end among them.

    A configuration without a start or an end takes those of the others. The second result is a note
    if a configuration loses sessions. A start after an end raises ConfigError.
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
    cut = len({*starts.values()}) > 1 or len({*ends.values()}) > 1
    common = {"start": start, "end": end}
    return (
        {label: config.model_copy(update=common) for label, config in configs.items()},
        (_window_said(start, end),) if cut else (),
    )


def _window_said(start: date | None, end: date | None) -> str:
    first, last = start or "the first regime", end or "the end of the history"
    return f"the rows have different windows, so all are compared from {first} to {last}"
