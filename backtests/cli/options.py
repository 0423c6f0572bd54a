"""Options shared by several commands, and functions that open the chosen store and history."""

from pathlib import Path
from typing import Annotated, Any

import typer

from backtests.cli import completion
from backtests.cli.terminal import complain, warn

STRATEGY = typer.Argument(
    help="A name shown by 'drypowder list', or my_module:MyStrategy.",
    autocompletion=completion.strategies,
)
Store = Annotated[
    Path | None,
    typer.Option(help="File of the store; default: DRYPOWDER_STORE, else the standard file."),
]
Source = Annotated[
    str | None,
    typer.Option(
        metavar="store|simulated",
        help="The kind of history; default: 'store' if the store holds data, else 'simulated'.",
    ),
]
Seed = Annotated[int | None, typer.Option(help="Seed of the simulated economy; default: 0.")]
Date = Annotated[str | None, typer.Option(metavar="DATE", help="A date such as 2015-01-01.")]
At = Annotated[
    str | None, typer.Option(metavar="DATE", help="The session; default: the last in the history.")
]
Lag = Annotated[int | None, typer.Option(help="Sessions from decision to fill; at least 1.")]
Config = Annotated[
    Path | None,
    typer.Option(metavar="FILE.toml", help="A TOML file; other options override its values."),
]
Param = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=VALUE", help="Set a parameter, such as volatility=0.2 or dry_powder.k=0.11."
    ),
]
OutPage = Annotated[
    Path, typer.Option(metavar="FOLDER|FILE.html", help="Folder of the page, or the page's file.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def given(**options: Any) -> dict[str, Any]:
    """Return a mapping from name to value of the options that are not None."""
    return {name: value for name, value in options.items() if value is not None}


def store_path(store: Path | None) -> Path:
    """Return the store's path from the option, else from the environment, else the default."""
    from backtests.store.store import default_store

    return named_store(store) or default_store()


def named_store(store: Path | None) -> Path | None:
    """Return the store's path from the option, else from the environment, else None."""
    from backtests.store.store import environment_store

    return store or environment_store()


def choose_history(source: str | None, store: Path | None, seed: int | None) -> Any:
    """Return the source of history. If the history is simulated by default, print a notice."""
    choice = named_history(source, store, seed)
    announce(choice)
    return choice


def announce(choice: Any) -> None:
    """Print a notice if a history is simulated by default."""
    from backtests.history.origin import notice

    if said := notice(choice):
        complain("notice", said)


def named_history(source: str | None, store: Path | None, seed: int | None) -> Any:
    """Return the source of history, as chosen by options and environment variables."""
    from backtests.history.origin import HistorySource
    from signals.errors import ConfigError, unknown

    if source not in (None, "store", "simulated"):
        raise ConfigError(unknown("source", str(source), ("store", "simulated")))
    named = None if source == "simulated" and store is None else named_store(store)
    choice = HistorySource(source=source, store=named, seed=seed or 0)  # type: ignore[arg-type]
    if seed is not None and choice.decided() == "store":
        refuse_seed(named)
    return choice


def refuse_seed(store: Path | None) -> None:
    """Raise ConfigError, because the user gave a seed and the history comes from a store.

    A history from a store does not depend on a seed.
    """
    from signals.errors import ConfigError

    raise ConfigError(
        f"expected --seed with the simulated economy, but the history comes from the store "
        f"{store_path(store)}; add --source simulated or remove --seed"
    )


def warn_if_stale(history: Any) -> None:
    """Print a warning if real history ended more than a week ago."""
    from backtests.history.origin import stale_warning

    if said := stale_warning(history):
        warn(said)
