"""Compute a chunk of a sweep: consecutive configurations that are written to one file."""

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from backtests.engine.many import Many
from backtests.engine.schedule import PERIODS
from backtests.evidence.overfitting import BLOCKS
from backtests.sweep.case import Case
from backtests.sweep.setting import Setting
from backtests.sweep.stages import Stages
from backtests.sweep.trading import METRICS, simulated
from signals.errors import ConfigError

if TYPE_CHECKING:
    import pyarrow as pa

#: Prefix of parameter columns. Without this prefix, a parameter and a metric could have the same
#: name.
SET = "set."
#: Largest number of configurations in a chunk. A killed sweep loses its unfinished chunks.
LARGEST = 1000
#: Number of copies of a configuration's figures that are in memory at the same time.
_COPIES = 3
_NUMBER = 8  # bytes


@dataclass(frozen=True, order=True)
class Span:
    """The configurations with the numbers from ``first`` to ``end`` − 1; numbers start at 0."""

    first: int
    end: int

    def __len__(self) -> int:
        """Return the number of configurations."""
        return self.end - self.first


def computed(stages: Stages, span: Span, threads: int) -> "tuple[pa.Table, dict[str, float]]":
    """Return one row for each configuration of a span, and the seconds spent on each stage.

    The row of a configuration does not depend on the other configurations of the span.
    """
    stages.spent = {}
    case = stages.case
    objects: dict[Any, Any] = {}
    numbers = range(span.first, span.end)
    made = [case.base.changed(case.design.values(at), objects) for at in numbers]
    decided = [stages.decided(setting) for setting in made]
    with stages.timed("trading"):
        figures = simulated(case, made, decided, threads)
    with stages.timed("table"):
        table = _table(case, span, made, figures)
    return table, dict(stages.spent)


def _table(case: Case, span: Span, made: list[Setting], figures: Many) -> "pa.Table":
    import pyarrow as pa

    rows = case.design.rows[span.first : span.end]
    columns: dict[str, Any] = {"configuration": np.arange(span.first, span.end, dtype=np.int64)}
    for path, level, at in zip(case.design.paths, case.design.levels, rows.T, strict=True):
        columns[SET + path] = pa.array(level).take(pa.array(at))
    for name in METRICS:
        columns[name] = figures.metrics[name].to_numpy(dtype=np.float64)
    columns["moments"] = _lists(figures.moments.astype(np.float64))
    columns["monthly"] = _lists(figures.monthly.to_numpy(dtype=np.float32))
    refused = [figures.refused.get(i) for i in range(len(made))]
    columns["refused"] = pa.array(refused, pa.string())
    columns["trial"] = pa.array(digests(made, case.index), pa.string())
    return pa.table(columns)


def _lists(values: np.ndarray) -> Any:
    import pyarrow as pa

    flat = np.ascontiguousarray(values).reshape(len(values), -1)
    return pa.FixedSizeListArray.from_arrays(pa.array(flat.ravel()), flat.shape[1])


def digests(made: list[Setting], index: pd.DatetimeIndex) -> list[str]:
    """Return a hash for each configuration; equal trials have equal hashes.

    The hash depends on the parameters, the sessions, the spread of bills, the user's asset classes,
    and the source code of the user's strategy and signals.

    Equal parameters on equal sessions have the same hash in every sweep. So the trial log counts a
    configuration once, even if several sweeps try it. A different start or end gives a different
    hash, because another period is another trial. A change in the source code of a user's class
    also gives a different hash, because another rule is another trial.
    """
    period = f"{index[0].date()} {index[-1].date()} {len(index)}"
    texts: dict[int, str] = {}

    def text(part: Any) -> str:
        if id(part) not in texts:
            texts[id(part)] = repr(part)
        return texts[id(part)]

    def one(setting: Setting) -> str:
        parts = (setting.regime, setting.strategy, setting.schedule, setting.costs)
        described = [text(part) for part in (*setting.signals.values(), *parts)]
        described += [type(setting.strategy).__qualname__, repr(setting.lag), repr(setting.band)]
        described += [text(setting.fixed), period]
        return hashlib.sha256("|".join(described).encode()).hexdigest()[:16]

    return [one(setting) for setting in made]


def chunks(case: Case, missing: list[Span], memory: int) -> list[Span]:
    """Return the missing configurations as chunks that each fit in ``memory`` bytes.

    If one configuration needs more than ``memory`` bytes, ConfigError is raised.
    """
    fixed, each = _needs(case)
    size = min(int((memory - fixed) // each), LARGEST)
    if size < 1:
        least = math.ceil((fixed + each) / 1e6)
        raise ConfigError(
            f"expected a memory limit of at least {least}MB for each process, was "
            f"{memory / 1e6:,.3g}MB; raise --memory, because a process needs {least}MB to compute "
            "one configuration"
        )
    return [
        Span(first, min(first + size, span.end))
        for span in missing
        for first in range(span.first, span.end, size)
    ]


def _needs(case: Case) -> tuple[int, int]:
    """Return two amounts in bytes: memory for the shared tables, and for one configuration."""
    sessions, assets = case.closes.shape
    shared = 2 * case.panel.size + 8 * len(case.panel) * assets
    months = len(pd.DatetimeIndex(case.index).to_period("M").unique())
    figures = months + 4 * BLOCKS + len(METRICS) + len(case.design.paths)
    decided = _decisions(case) * assets
    return _NUMBER * shared, _COPIES * _NUMBER * (figures + decided + sessions // 8)


def _decisions(case: Case) -> int:
    """Estimate the number of decisions of the configuration that decides most often."""
    tried = dict(zip(case.design.paths, case.design.levels, strict=True))
    periods = (case.base.schedule.every, *tried.get("schedule.every", ()))
    scheduled = min(PERIODS[str(period)] for period in periods)
    return len(case.index) // scheduled + len(case.index) // 10
