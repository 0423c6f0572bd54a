"""Run a sweep: check the request, compute the missing configurations, and join their rows."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from backtests.evidence.metrics import FULL_YEAR
from backtests.history.panel import History
from backtests.pipeline import history_of, run_on
from backtests.runs import Run
from backtests.store.store import default_store
from backtests.sweep import results
from backtests.sweep.case import Case, case_of
from backtests.sweep.chunk import Span, chunks
from backtests.sweep.folder import check_out, default_folder, opened
from backtests.sweep.request import MOST, Request, planned
from backtests.sweep.trading import check_base
from backtests.sweep.work import Done, here, there
from signals.errors import ConfigError

#: Memory for the configurations that are computed at the same time, bytes.
MEMORY = 250_000_000
Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Means:
    """The means of a sweep, which change its speed but not its results.

    Attributes
    ----------
    workers
        Number of processes of a local Dask cluster; 0 means this process with all its cores.
    address
        Address of a running Dask scheduler, or None.
    memory
        Memory for the configurations that are computed at the same time, bytes. The program itself
        needs more.
    most
        Largest number of configurations.
    """

    workers: int = 0
    address: str | None = None
    memory: int = MEMORY
    most: int = MOST


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
        Number of configurations that an earlier, interrupted command had computed.
    seconds
        Seconds of each stage, summed over all processes, and of the whole sweep.
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
    progress: Progress = lambda step: None,
    history: History | None = None,
) -> Swept:
    """Run a sweep, or resume it, and write its results into a folder.

    A faulty request, a folder of another sweep, or a cluster that cannot be reached raises
    ConfigError. If vectorbt and the compiled engine differ on the base configuration,
    SimulationError is raised and nothing is written.
    """
    began = time.perf_counter()
    setting, design = planned(request, means.most)
    if out is not None:
        check_out(out)
    progress("reading history")
    history = history_of(request.config, history)
    sweep_id = request.identity(history)
    case, reading = case_of(request.config, setting, design, history)
    _check_length(case)
    chunks(case, [Span(0, len(design))], means.memory // max(means.workers, 1))
    progress("base configuration by both engines")
    base = run_on(request.config, history, reading, case.index)
    check_base(case, base)
    folder = out or default_folder(request, sweep_id, simulated=base.simulated)
    seconds = {"preparation": time.perf_counter() - began}
    with opened(folder, request, sweep_id, simulated=base.simulated) as folder:
        gaps = results.missing(folder, len(design))
        spans = chunks(case, gaps, means.memory // max(means.workers, 1))
        resumed = len(design) - sum(map(len, gaps))
        for spent in _computed(case, sweep_id, spans, means, folder, progress):
            for stage, more in spent.items():
                seconds[stage] = seconds.get(stage, 0.0) + more
        path = results.finish(folder, _described(request, sweep_id, base))
    seconds["all"] = time.perf_counter() - began
    return Swept(
        request=request,
        sweep_id=sweep_id,
        case=case,
        base=base,
        folder=folder,
        path=path,
        resumed=resumed,
        seconds=seconds,
    )


def _check_length(case: Case) -> None:
    """Raise ConfigError for less than a year of returns, which say nothing about Sharpe ratios."""
    returns = len(case.index) - 1
    if returns < FULL_YEAR:
        raise ConfigError(
            f"expected at least {FULL_YEAR} returns for a sweep, found {returns}; choose an "
            "earlier start or a later end"
        )


def _described(request: Request, sweep_id: str, base: Run) -> dict[str, str]:
    """Return the metadata of the file of results."""
    source = "SIMULATED" if base.simulated else base.history.source
    return {"sweep": sweep_id, "strategy": request.config.label, "source": source}


def _computed(
    case: Case, sweep_id: str, spans: list[Span], means: Means, folder: Path, progress: Progress
) -> Iterator[dict[str, float]]:
    """Write the rows of each chunk, and yield the seconds of its stages."""
    if not spans:
        return
    pace = _Pace(total=len(case.design), left=sum(map(len, spans)))
    progress(pace.said())
    for span, table, spent in _done(case, sweep_id, spans, means):
        began = time.perf_counter()
        results.write_part(folder, span, table)
        spent["writing"] = time.perf_counter() - began
        progress(pace.after(len(span)))
        yield spent


def _done(case: Case, sweep_id: str, spans: list[Span], means: Means) -> Iterator[Done]:
    if means.address is None and means.workers < 1:
        yield from here(case, spans)
        return
    from backtests.sweep.cluster import connected

    with connected(means.address, means.workers) as client:
        yield from there(client, case, sweep_id, spans)


@dataclass
class _Pace:
    """How many configurations are done, and how long the rest takes."""

    total: int
    left: int
    done: int = 0
    began: float = field(default_factory=time.perf_counter)

    def after(self, count: int) -> str:
        self.done += count
        self.left -= count
        return self.said()

    def said(self) -> str:
        """Return the progress as text, with rate and time left once the rate is known."""
        so_far = f"{self.total - self.left:,} of {self.total:,} configurations"
        if not self.done:
            return so_far
        rate = self.done / (time.perf_counter() - self.began)
        return f"{so_far} · {rate:,.0f} a second · {self.left / rate:,.0f} s left"


def store_of(swept: Swept) -> Path:
    """Return the store on which a sweep ran."""
    return swept.request.config.store or default_store()
