"""The trial log: every configuration that a sweep has tried on a store.

The best of many trials looks better than it is, and more trials make it look even better. So a test
of the best trial must count all trials, including the trials of earlier sweeps. The log is a folder
beside the store, with one file for each sweep. A file is written either completely or not at all,
and never changes later. So a repeated sweep adds no trials. Because of a lock, only one sweep can
write at a time.

A simulated history has no log. A search on simulated data says nothing about real returns. Trials
on simulated data would make real results look worse than they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from backtests.atomic import replacing, resolved
from backtests.calendar import new_york_now
from backtests.evidence.luck import NO_LOG, Logged
from backtests.runs import Run
from backtests.store.locking import PATIENCE, alone
from backtests.sweep.chunk import digests
from backtests.sweep.setting import Setting
from signals.errors import DataError

#: The name of a log's folder is the name of the store plus this ending.
ENDING = ".trials"


@dataclass(frozen=True, kw_only=True)
class Trials:
    """The trials of one sweep.

    Attributes
    ----------
    sweep
        Id of the sweep.
    strategy
        Name of the strategy, with ``@model`` if the regime model is not ``votes``.
    data
        Hash of the history on which the configurations were tried.
    sessions
        Number of returns of each trial.
    effective
        Effective number of independent trials in the sweep.
    trials
        For each trial, a hash of its parameters and its sessions.
    sharpes
        The yearly Sharpe ratio of each trial; an undefined Sharpe ratio is NaN.
    """

    sweep: str
    strategy: str
    data: str
    sessions: int
    effective: float
    trials: Sequence[str]
    sharpes: np.ndarray


def folder_of(store: Path) -> Path:
    """Return the folder of a store's trial log."""
    path = resolved(store)
    return path.with_name(path.name + ENDING)


def add(store: Path, tried: Trials) -> bool:
    """Add a sweep's trials to a store's log. Return False if the log already contains the sweep."""
    import pyarrow as pa
    from pyarrow import parquet

    path = folder_of(store) / f"{tried.sweep}.parquet"
    count = len(tried.trials)
    measured = np.isfinite(np.asarray(tried.sharpes, dtype=np.float64))
    table = pa.table(
        {
            "trial": pa.array(tried.trials, pa.string()),
            "sharpe": np.asarray(tried.sharpes, dtype=np.float64),
            "sweep": [tried.sweep] * count,
            "strategy": [tried.strategy] * count,
            "data": [tried.data] * count,
            "sessions": np.full(count, tried.sessions),
            "effective": np.where(measured, tried.effective / max(int(measured.sum()), 1), 0.0),
            "when": [new_york_now().strftime("%Y-%m-%d %H:%M:%S")] * count,
        }
    )
    busy = f"expected to write to {path.parent}, but another sweep has locked it; try again"
    with alone(path.parent, ".lock", busy, PATIENCE):
        if path.exists():
            return False
        with replacing(path) as fresh:
            parquet.write_table(table, fresh)
    return True


def _all_of(store: Path) -> pd.DataFrame:
    """Return the trials of all sweeps, in the order of time, with repeated configurations.

    If a store has no log, the table has no rows.
    """
    import pyarrow as pa
    from pyarrow import parquet

    folder = folder_of(store)
    tables = []
    for path in sorted(folder.glob("*.parquet")) if folder.is_dir() else ():
        try:
            tables.append(parquet.read_table(path).to_pandas())
        except (OSError, pa.ArrowException) as error:
            raise DataError(
                f"expected trials of a sweep in {path}, but the file cannot be read: {error}; "
                "restore the file from a copy, because without these trials the tests would "
                "underestimate luck"
            ) from None
    if not tables:
        columns = ("trial", "sharpe", "sweep", "strategy", "data", "sessions", "effective", "when")
        return pd.DataFrame(columns=list(columns)).astype({"sharpe": float, "effective": float})
    found: pd.DataFrame = pd.concat(tables, ignore_index=True).sort_values("when", kind="stable")
    return found


def known_trials(store: Path, without: Sequence[str] = ()) -> Logged:
    """Return the logged trials of a store that have a Sharpe ratio.

    A configuration that several sweeps have tried counts once, with its latest Sharpe ratio. The
    argument ``without`` lists the hashes of trials to leave out. The log contains no returns, so
    the effective numbers of trials of all counted sweeps are added up. A sweep does not count if
    ``without`` or another counted sweep contains all its trials. Every counted sweep counts in
    full, even if the sweep shares some trials with another sweep, so the sum may be too large. If
    the counted sweeps contain all trials in ``without``, the attribute ``includes_own`` of the
    result is True. A damaged file raises DataError.
    """
    own, log = frozenset(without), _all_of(store)
    measured = log[np.isfinite(log["sharpe"])]
    left = measured.drop_duplicates("trial", keep="last")
    left = left[~left["trial"].isin(list(own))]
    effective, counted = _counted(measured, own)
    # A trial without a Sharpe ratio cannot be the best trial, so no sweep has to count this trial.
    unmeasured = frozenset(log["trial"]) - frozenset(measured["trial"])
    return Logged(
        sharpes=left["sharpe"].to_numpy(dtype=np.float64),
        effective=effective,
        includes_own=bool(own) and own <= counted | unmeasured,
    )


def _counted(log: pd.DataFrame, without: frozenset[str]) -> tuple[float, frozenset[str]]:
    """Return the sum of the counted sweeps' effective numbers of trials, and the counted trials.

    A sweep is not counted if ``without`` or another counted sweep contains all its trials.
    """
    sweeps = [
        (float(rows["effective"].sum()), frozenset(rows["trial"]))
        for _, rows in log.groupby("sweep")
    ]
    counted: list[frozenset[str]] = []
    total = 0.0
    for effective, trials in sorted(sweeps, key=lambda each: (-len(each[1]), -each[0])):
        if not any(trials <= larger for larger in (without, *counted)):
            counted.append(trials)
            total += effective
    return total, frozenset().union(*counted)


def other_trials(*runs: Run) -> Logged:
    """Return the trials in the store's log; leave out trials that repeat a run in ``runs``.

    All runs have the same history. A simulated history has no log, so it has no other trials. A
    trial repeats a run if both have the same parameters and the same sessions.
    """
    first = runs[0]
    if first.history.source != "store":
        return NO_LOG
    same = [digests([Setting.of(run.config)], run.sessions)[0] for run in runs]
    return known_trials(first.config.store_path(), without=same)
