"""``drypowder run``: run one backtest and write its tearsheet and files."""

from pathlib import Path
from typing import Annotated, Any

import typer

from backtests.cli import completion, table
from backtests.cli.options import (
    DateOption,
    JsonOption,
    LagOption,
    SeedOption,
    SourceOption,
    StoreOption,
    choose_history,
    console,
    named_store,
    print_json,
    progress,
    styled,
    warn,
    warn_if_stale,
)
from backtests.cli.table import print_table, words


def run(
    strategy: Annotated[
        str | None,
        typer.Argument(
            help="A name of 'drypowder list', or my_module:MyStrategy.",
            autocompletion=completion.strategies,
        ),
    ] = None,
    store: StoreOption = None,
    source: SourceOption = None,
    seed: SeedOption = None,
    start: DateOption = None,
    end: DateOption = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder to write to; default reports/<strategy>-<run id>."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", help="A TOML file; other options override it."),
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", metavar="NAME=VALUE", help="volatility=0.2, or dry_powder.k=0.11."),
    ] = None,
    lag: LagOption = None,
    robustness: Annotated[
        bool,
        typer.Option(
            "--robustness/--no-robustness",
            help="Simulate other k, lags, costs, days and assets, too.",
        ),
    ] = True,
    json: JsonOption = False,
) -> None:
    """Run one backtest; write its tearsheet and files."""
    from backtests.atomic import resolved
    from backtests.config import config_from, read_config, refuse_unknown_keys
    from backtests.evidence.assessment import assess
    from backtests.evidence.entries import observed_said
    from backtests.pipeline import run as run_pipeline
    from backtests.report.folder import check_folder, default_folder, write_run

    data = read_config(config) if config else {}
    refuse_unknown_keys(data)
    given = {"strategy": strategy, "start": start, "end": end, "lag": lag}
    data |= {key: value for key, value in given.items() if value is not None}
    data |= _history_keys(data, source, store, seed)
    for name, value in map(_parameter, param or ()):
        _set_parameter(data, name, value)
    if "strategy" not in data:
        raise _missing_strategy()
    checked = config_from(data)
    if out is not None:
        out = resolved(out)
        check_folder(out)
    with progress("running") as step:
        step(checked.strategy)
        done = run_pipeline(checked)
        folder = out if out is not None else default_folder(done)
        assessment = assess(done, robustness=robustness, progress=step)
        numbers = write_run(assessment, folder, step)
    if json:
        print_json(numbers)
    else:
        observed = observed_said(assessment.absorption, assessment.own_states)
        _print(numbers, observed, folder)
    for line in done.result.notes:
        warn(line)
    if checked.end is None:
        warn_if_stale(done.history)


def _set_parameter(data: dict[str, Any], name: str, value: Any) -> None:
    """Set a parameter of the strategy, or of a signal by its path, such as dry_powder.k.

    Data of a wrong form stay unchanged, and the check of the configuration reports them.
    """
    owner, dot, inner = name.partition(".")
    table = data.setdefault("signals" if dot else "params", {})
    if dot and isinstance(table, dict):
        table = table.setdefault(owner, {})
    if isinstance(table, dict):
        table[inner if dot else name] = value


def _history_keys(
    data: dict[str, Any], source: str | None, store: Path | None, seed: int | None
) -> dict[str, Any]:
    """Return the keys that choose the history; options override a configuration file."""
    if source is None and store is None and ({"source", "store"} & data.keys()):
        keys: dict[str, Any] = {} if seed is None else {"seed": seed}
        named = named_store(None) if data.get("source") == "store" else None
        return keys if named is None or "store" in data else {**keys, "store": named}
    choice = choose_history(source, store, seed)
    given = data.get("seed") if seed is None else seed
    keys = {"source": choice.decided(), "store": choice.store, "seed": given}
    data.pop("store", None)
    return {key: value for key, value in keys.items() if value is not None}


def _missing_strategy() -> Exception:
    from signals.errors import ConfigError
    from strategies import STRATEGIES

    names = ", ".join(sorted(STRATEGIES))
    return ConfigError(f"expected a strategy, as argument or in --config; known: {names}")


def _parameter(text: str) -> tuple[str, Any]:
    """Return the name and value of NAME=VALUE. A value that is not TOML is text."""
    import tomllib

    from signals.errors import ConfigError

    name, equals, value = text.partition("=")
    if not (name and equals) or "\n" in text:
        raise ConfigError(f"expected --param NAME=VALUE, was {text!r}")
    try:
        return name.strip(), tomllib.loads(f"x = {value}")["x"]
    except (tomllib.TOMLDecodeError, ValueError, RecursionError):
        return name.strip(), value


def _print(numbers: dict[str, Any], observed: str, folder: Path) -> None:
    from backtests.report.tearsheet import in_one_regime, rows_of

    described = numbers["run"]
    screen = console()
    screen.print(
        styled(f"{described['strategy']},", "bold"),
        f"{described['start']} to {described['end']},",
        f"source: {'SIMULATED' if described['simulated'] else described['source']}",
    )
    sides = {
        "strategy": described["strategy"],
        "benchmark": described["benchmark"],
        "bills": "bills",
    }
    rows = [
        (label, *(form(numbers[side].get(key)) for side in sides))
        for key, label, form in rows_of(numbers)
    ]
    print_table((words(), *map(table.numbers, sides.values())), rows)
    if described["below_a_year"]:
        typer.echo(
            f"{described['sessions']} sessions are less than a year, so yearly figures are left "
            f"out. {in_one_regime(numbers)}."
        )
    typer.echo(observed)
    typer.echo(f"tearsheet: {folder / 'tearsheet.html'}")
    if described["simulated"]:
        typer.echo(
            "This history is SIMULATED. For real history: drypowder import PATH, then run again."
        )
    typer.echo("Research, not investment advice.")
