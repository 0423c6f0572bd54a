"""``drypowder import``: read files into the store."""

from typing import Annotated

import typer

from backtests.cli.options import JsonOption, StoreOption, print_json, progress, store_path


def import_(
    path: Annotated[str, typer.Argument(help="A file, or a folder with its subfolders.")],
    store: StoreOption = None,
    currency: Annotated[
        str | None,
        typer.Option(
            "--currency", metavar="USD", help="Currency of the prices; only USD is accepted."
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Read CSV and JSON files into the store.

    The command reads FRED's CSV, Yahoo-like CSV (named after the ticker), a price table (Date and
    one column per ticker), SEC companyconcept JSON, and tables of ETF flows, funding, stablecoins
    and annual cash flow. Files may be gzipped. A second import of a file adds nothing.
    """
    from backtests.importing.import_path import import_path

    target = store_path(store)
    with progress("reading") as step:
        done = import_path(path, target, progress=step, currency=currency)
    parsed = done.parsed
    if json:
        print_json(
            {
                "store": str(target),
                "files": parsed.files,
                "skipped": parsed.skipped,
                "refused": done.refused,
                "new": done.new,
                "revised": done.revised,
                "assumed_usd": done.assumed,
                "notes": _notes(done),
            }
        )
    else:
        for name, reason in parsed.skipped.items():
            typer.echo(f"skipped {' '.join(name.split())}: {reason}")
        for note in _notes(done):
            typer.echo(note)
        if done.assumed:
            typer.echo(f"{_few(done.assumed)}: USD assumed; confirm it with --currency USD")
        typer.echo(
            f"{len(parsed.files)} files, {len(parsed.batches)} series: {done.new:,} rows new, "
            f"{done.revised:,} revised, in {target}"
        )
    for line in done.refused:
        typer.echo(f"error: {' '.join(line.split())}", err=True)
    if done.refused:
        raise typer.Exit(2)


def _notes(done: object) -> list[str]:
    batches = done.parsed.batches  # type: ignore[attr-defined]
    return [f"{batch.series_id}: {batch.note}" for batch in batches if batch.note]


def _few(tickers: list[str]) -> str:
    more = len(tickers) - 5
    return ", ".join(tickers[:5]) + (f" and {more} more" if more > 0 else "")
