"""Run a sweep: check the request, compute the missing configurations, and join their rows."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from backtests.evidence.metrics import FULL_YEAR
from backtests.history.panel import History
from backtests.pipeline import history_of, run_on
from backtests.progress import Progress, silent
from backtests.runs import Run
from backtests.simulated import source_said
from backtests.sweep import results
from backtests.sweep.case import Case, assets_of, case_of
from backtests.sweep.chunk import Span, chunks
from backtests.sweep.folder import check_out, check_same, default_folder, opened
from backtests.sweep.request import MOST, Request, planned
from backtests.sweep.trading import check_base
from backtests.sweep.work import Done, on_cluster, on_this_machine
from signals.errors import ConfigError

#: Memory for the configurations that are computed at the same time, bytes.
MEMORY = 250_000_000


@dataclass(frozen=True, kw_only=True)
class Means:
    """Processes and memory of a sweep. The results of a sweep do not depend on :class:`Means`.

    Attributes
    ----------
    workers
        Number of processes of a local Dask cluster. If ``workers`` is 0 and ``address`` is None,
        this process computes with all its cores.
    address
        Address of a running Dask scheduler, or None.
    memory
        Memory for the configurations that are computed at the same time, bytes. The program itself
        needs additional memory.
    most
        Largest number of configurations.
    """

    workers: int = 0
    address: str | None = None
    memory: int = MEMORY
    most: int = MOST

    @property
    def share(self) -> int:
        """The memory of one process, bytes."""
        return self.memory // max(self.workers, 1)


@dataclass(frozen=True, kw_only=True)
class Swept:
    """A finished sweep.

    Attributes
    ----------
    base
        The run of the base configuration, simulated by vectorbt.
    path
        The file of results, one row for each configuration.
    resumed
        Number of configurations that earlier commands had computed.
    seconds
        Seconds of computing for each stage, summed over all processes. The key ``all`` gives the
        duration of the whole sweep in seconds.
    """

    request: Request
    sweep_id: str
    case: Case
    base: Run
    folder: Path
    path: Path
    resumed: int
    seconds: dict[str, float] = field(default_factory=dict)


def sweep(
    request: Request,
    out: Path | None = None,
    means: Means = Means(),
    progress: Progress = silent,
    history: History | None = None,
) -> Swept:
    """Run a sweep, or resume it, and write its results into a folder.

    A faulty request, a folder of another sweep, or a cluster that cannot be reached raises
    ConfigError. If vectorbt and the compiled engine differ on the base configuration,
    SimulationError is raised and nothing is written.
    """
    began = time.perf_counter()
    setting, made = planned(request, means.most)
    if out is not None:
        check_out(out)
    with _cluster(means) as client:
        progress("reading history")
        ids = (*request.config.series(), *assets_of(setting, made))
        history = history_of(request.config, history, ids)
        case, reading = case_of(request.config, setting, made, history)
        _check_length(case)
        if out is not None:
            check_same(out, request.identity(history))
        chunks(case, [Span(0, len(made))], means.share)
        progress("simulating the base configuration with both engines")
        base = run_on(request.config, history, reading, case.index)
        check_base(case, base)
        ready = _Ready(request=request, case=case, base=base, means=means, client=client)
        return _completed(ready, out, began, progress)


@contextmanager
def _cluster(means: Means) -> Iterator[Any]:
    """Yield a client of the cluster, or None to compute in this process."""
    if means.address is None and means.workers < 1:
        yield None
        return
    from backtests.sweep.cluster import connected

    with connected(means.address, means.workers) as client:
        yield client


@dataclass(frozen=True, kw_only=True)
class _Ready:
    """A checked sweep, with the run of its base configuration.

    ``client`` is the client of a cluster, or None if this process computes the sweep itself.
    """

    request: Request
    case: Case
    base: Run
    means: Means
    client: Any

    @cached_property
    def sweep_id(self) -> str:
        return self.request.identity(self.base.history)

    def done(self, spans: list[Span]) -> Iterator[Done]:
        """Yield the rows of each chunk."""
        if self.client is None:
            return on_this_machine(self.case, spans)
        return on_cluster(self.client, self.case, spans)


def _completed(ready: _Ready, out: Path | None, began: float, progress: Progress) -> Swept:
    """Compute the configurations that have no row in the folder yet, and join all rows."""
    simulated, sweep_id = ready.base.simulated, ready.sweep_id
    seconds = {"preparation": time.perf_counter() - began}
    folder = out or default_folder(ready.request, sweep_id, simulated=simulated)
    with opened(folder, ready.request, sweep_id, simulated=simulated) as folder:
        gaps = results.missing(folder, len(ready.case.design))
        if gaps:
            _check_resumed(ready.case, folder)
        for spent in _computed(
            ready, chunks(ready.case, gaps, ready.means.share), folder, progress
        ):
            for stage, more in spent.items():
                seconds[stage] = seconds.get(stage, 0.0) + more
        path = results.finish(folder, _described(ready))
    seconds["all"] = time.perf_counter() - began
    return Swept(
        request=ready.request,
        sweep_id=sweep_id,
        case=ready.case,
        base=ready.base,
        folder=folder,
        path=path,
        resumed=len(ready.case.design) - sum(map(len, gaps)),
        seconds=seconds,
    )


def _check_resumed(case: Case, folder: Path) -> None:
    """Raise ConfigError if the current code gives a different result for a stored row.

    The id of a sweep depends on the modules that a user's class imports, but not on other files
    that its code reads.
    """
    parts = results.parts_of(folder)
    if not parts:
        return
    span, path = parts[-1]
    ((_, table, _),) = on_this_machine(case, [Span(span.first, span.first + 1)])
    rows = table, results.read_results(path, ["sharpe"])
    now, stored = (float(each["sharpe"][0].as_py()) for each in rows)
    if not np.isclose(now, stored, rtol=0, atol=1e-9, equal_nan=True):
        raise ConfigError(
            f"expected the rows in {folder} to come from the same code, but configuration "
            f"{span.first} now has a Sharpe ratio of {now:.6g} and not {stored:.6g}; delete the "
            "folder, or choose another one"
        )


def _check_length(case: Case) -> None:
    """Raise ConfigError if a sweep has less than a year of returns."""
    returns = len(case.index) - 1
    if returns < FULL_YEAR:
        raise ConfigError(
            f"expected at least {FULL_YEAR} returns for a sweep, found {returns}; choose an "
            "earlier start or a later end"
        )


def _described(ready: _Ready) -> dict[str, str]:
    """Return the metadata of the file of results."""
    source = source_said(ready.base.history.source)
    return {"sweep": ready.sweep_id, "strategy": ready.base.label, "source": source}


def _computed(
    ready: _Ready, spans: list[Span], folder: Path, progress: Progress
) -> Iterator[dict[str, float]]:
    """Write the rows of each chunk, and yield the seconds that the chunk spent on each stage."""
    total = len(ready.case.design)
    done = total - sum(map(len, spans))
    progress("configurations", done, total)
    for span, table, spent in ready.done(spans) if spans else ():
        began = time.perf_counter()
        results.write_part(folder, span, table)
        done += len(span)
        progress("configurations", done, total)
        yield {**spent, "writing": time.perf_counter() - began}
