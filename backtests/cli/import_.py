"""``drypowder import``: read files into the store."""

from typing import Annotated, Any

import typer

from backtests.cli import options
from backtests.cli.terminal import print_json, progress, say
from backtests.plural import number_of, some_of


def import_(
    path: Annotated[list[str], typer.Argument(help="Files, and folders with their subfolders.")],
    store: options.Store = None,
    currency: Annotated[
        str | None,
        typer.Option(metavar="USD", help="Currency of the prices; only USD is accepted."),
    ] = None,
    json: options.Json = False,
) -> None:
    """Read CSV and JSON files into the store.

    The command reads CSV files of FRED and Yahoo, tables of prices, and SEC companyconcept JSON.
    The command also reads tables of flows, amounts and dated events. The name of a Yahoo file is
    the ticker. A table of prices has a column of dates and one column per ticker. The page 'Import
    files' lists all formats. Files may be gzipped. A second import of a file adds nothing.
    """
    from backtests.importing.import_path import import_path
    from backtests.store.store import store_path

    target = store_path(store)
    with progress("reading") as step:
        done = import_path(path, target, progress=step, currency=currency)
    said = {
        "store": str(target),
        "files": done.parsed.files,
        "skipped": done.parsed.skipped,
        "refused": done.refused,
        "new": done.new,
        "revised": done.revised,
        "assumed_usd": done.assumed,
        "notes": done.notes,
    }
    print_json(said) if json else _print(said, len(done.parsed.batches))
    for line in done.refused:
        typer.echo(f"error: {' '.join(line.split())}", err=True)
    if done.refused:
        raise typer.Exit(2)


def _print(said: dict[str, Any], series: int) -> None:
    for name, reason in said["skipped"].items():
        say(f"skipped {' '.join(name.split())}: {reason}")
    for note in said["notes"]:
        say(note)
    if tickers := said["assumed_usd"]:
        say(f"{some_of(tickers)}: USD assumed; confirm USD with --currency USD")
    say(
        f"{number_of(len(said['files']), 'file')}, {series} series: {said['new']:,} rows new, "
        f"{said['revised']:,} revised, in {said['store']}"
    )
