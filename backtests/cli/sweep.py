"""``drypowder sweep``: try many configurations of a strategy, and judge the best one."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backtests.cli import completion, history_choice, options
from backtests.cli.config_options import config_data, config_of, names_assigned, require_strategy
from backtests.cli.terminal import progress, warn
from backtests.report.out import check_out

if TYPE_CHECKING:
    from backtests.progress import Progress
    from backtests.sweep.axis import Axis
    from backtests.sweep.request import Request
    from backtests.sweep.sweep import Means, Swept


def sweep(
    strategy: Annotated[str | None, options.STRATEGY] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUES",
            help="Values to try: dry_powder.k=0.07:0.11:5 (five values) or schedule.offset=0,5,10.",
            autocompletion=completion.swept,
        ),
    ] = None,
    design: Annotated[
        str | None,
        typer.Option(
            metavar="grid|random|lhs",
            help="All combinations, random draws, or a Latin hypercube; default: grid.",
            autocompletion=completion.designs,
        ),
    ] = None,
    samples: Annotated[int | None, typer.Option(help="Number of draws; at least 1.")] = None,
    draw_seed: Annotated[int | None, typer.Option(help="Seed of the draws; default: 0.")] = None,
    most: Annotated[
        int | None,
        typer.Option("--max", help="Largest number of configurations; default: 100,000."),
    ] = None,
    store: options.Store = None,
    source: options.Source = None,
    seed: options.Seed = None,
    start: options.Start = None,
    end: options.End = None,
    lag: options.Lag = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Folder to write to; default: reports/[SIMULATED-]sweep-<strategy>-<sweep id>.",
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.toml", help="A TOML file; its table [sweep] may define the sweep."
        ),
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE", help="Set a parameter to one value in all configurations."
        ),
    ] = None,
    memory: Annotated[
        str,
        typer.Option(
            metavar="SIZE",
            help="Memory for one chunk of configurations; the whole program needs more.",
        ),
    ] = "250MB",
    workers: Annotated[
        int, typer.Option(min=0, max=256, help="Processes of a local Dask cluster; 0: no cluster.")
    ] = 0,
    dask: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Address of a running Dask scheduler.")
    ] = None,
    json: options.Json = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Print the time of each stage.")
    ] = False,
) -> None:
    """Try many configurations of a strategy, and judge the best one.

    The command writes a page. If the history comes from a store, each trial is recorded in the
    trial log next to the store. To resume an interrupted sweep, run the same command again.
    """
    from backtests.cli.sweep_said import print_sweep
    from backtests.config_file import read_config
    from backtests.sweep.memory import bytes_of
    from backtests.sweep.request import limit_of, request_of
    from backtests.sweep.sweep import Means
    from signals.errors import ConfigError

    if dask is not None and workers:
        raise ConfigError("expected --workers or --dask, found both; leave one out")
    table = (read_config(config) if config else {}).get("sweep", {})
    if not isinstance(table, dict):
        raise ConfigError(f"expected a table [sweep] in {config}, was {table!r}; correct the file")
    table = table | options.given(design=design, samples=samples, draw_seed=draw_seed, max=most)
    given = options.given(strategy=strategy, start=start, end=end, lag=lag)
    asked = history_choice.HistoryOptions(source=source, store=store, seed=seed)
    data = config_data(config, param, asked, given)
    require_strategy(data)
    request = request_of(config_of(data), table, _axes(set_))
    _refuse_twice(request, param, lag)
    means = Means(workers=workers, address=dask, memory=bytes_of(memory), most=limit_of(table))
    if out is not None:
        check_out(out)
    with progress("sweeping") as step:
        done, numbers = _swept(request, out, means, step)
    print_sweep(numbers, str(done.folder), json=json, verbose=verbose)
    for note in numbers["sweep"]["notes"]:
        warn(note)
    if request.config.end is None:
        history_choice.warn_if_stale(done.base.history)


def _swept(
    request: "Request", out: Path | None, means: "Means", step: "Progress"
) -> tuple["Swept", dict[str, Any]]:
    """Run a sweep, write its files, and return the sweep, its numbers and its times."""
    from backtests.report.sweep_folder import write_findings
    from backtests.sweep.findings import find
    from backtests.sweep.sweep import sweep as run_sweep

    done = run_sweep(request, out, means, step)
    began = time.perf_counter()
    written = write_findings(done, find(done, step), step)
    seconds = {**done.seconds, "luck": time.perf_counter() - began}
    return done, {**written, "seconds": seconds, "resumed": done.resumed}


def _refuse_twice(request: "Request", param: list[str] | None, lag: int | None) -> None:
    """Raise ConfigError if an option sets a parameter that the sweep varies."""
    from signals.errors import ConfigError

    fixed = {name: f"--param {name}" for name in names_assigned(param)}
    fixed |= {} if lag is None else {"lag": "--lag"}
    for axis in request.axes:
        if axis.path in fixed:
            raise ConfigError(
                f"expected either the sweep or {fixed[axis.path]} to set {axis.path}, but both set "
                "it; remove one of the two"
            )


def _axes(given: list[str] | None) -> list["Axis"]:
    from backtests.sweep.axis import parse_axis

    return [parse_axis(assignment) for assignment in given or ()]
