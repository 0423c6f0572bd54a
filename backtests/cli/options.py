"""The options that several commands share, and the functions that resolve them."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from backtests.cli.terminal import complain, console, print_json, progress, styled, warn

__all__ = [
    "DateOption",
    "JsonOption",
    "LagOption",
    "SeedOption",
    "SourceOption",
    "StoreOption",
    "choose_history",
    "console",
    "named_store",
    "print_json",
    "progress",
    "store_path",
    "styled",
    "warn",
    "warn_if_stale",
]

StoreOption = Annotated[
    Path | None,
    typer.Option("--store", help="File of the store; else DRYPOWDER_STORE, else the default."),
]
SourceOption = Annotated[
    str | None,
    typer.Option(
        "--source", metavar="store|simulated", help="The kind of history; see the README."
    ),
]
SeedOption = Annotated[
    int | None,
    typer.Option("--seed", help="Seed of the simulated economy; default 0."),
]
DateOption = Annotated[
    str | None,
    typer.Option(metavar="DATE", help="A date such as 2015-01-01."),
]
LagOption = Annotated[
    int | None,
    typer.Option(help="Sessions from decision to fill; at least 1."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def store_path(store: Path | None) -> Path:
    """Return the path of the store: the option, the environment variable, or the default."""
    from backtests.store.store import default_store

    return named_store(store) or default_store()


def named_store(store: Path | None) -> Path | None:
    """Return the store named by option or environment variable; None without either."""
    named = store or os.environ.get("DRYPOWDER_STORE")
    return Path(named) if named else None


def choose_history(source: str | None, store: Path | None, seed: int | None) -> Any:
    """Return the source of history; print a notice if it is simulated without a request."""
    from backtests.history.origin import HistorySource, notice
    from backtests.store.store import default_store
    from signals.errors import ConfigError, unknown

    if source not in (None, "store", "simulated"):
        raise ConfigError(unknown("source", str(source), ("store", "simulated")))
    named = None if source == "simulated" and store is None else named_store(store)
    choice = HistorySource(source=source, store=named, seed=seed or 0)  # type: ignore[arg-type]
    if seed is not None and choice.decided() == "store":
        raise ConfigError(
            f"expected --seed with the simulated economy, but the history is the store "
            f"{named or default_store()}; add --source simulated or leave --seed out"
        )
    said = notice(choice)
    if said:
        complain("notice", said)
    return choice


def warn_if_stale(history: Any) -> None:
    """Print a warning if real history ended more than a week ago."""
    from backtests.history.origin import stale_warning

    said = stale_warning(history)
    if said:
        warn(said)
