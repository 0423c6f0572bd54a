"""Options that several commands share, and how they are resolved."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

if TYPE_CHECKING:
    from rich.console import Console

StoreOption = Annotated[
    Optional[Path],  # noqa: UP045 - typer reads it
    typer.Option("--store", help="The store's file; else DRYPOWDER_STORE, else the default one."),
]
SourceOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option("--source", metavar="store|simulated", help="Which history; see the README."),
]
SeedOption = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--seed", help="Seed of the simulated economy; default 0."),
]
DateOption = Annotated[
    Optional[str],  # noqa: UP045
    typer.Option(metavar="DATE", help="Like 2015-01-01."),
]
LagOption = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option(help="Sessions from decision to fill; at least 1."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for a machine.")]


def store_path(store: Path | None) -> Path:
    """Return the store to use: the one named, the environment's, or the default one."""
    from backtests.history.store import default_store

    return named_store(store) or default_store()


def named_store(store: Path | None) -> Path | None:
    """Return the store that is named, by option or environment; None when none is."""
    named = store or os.environ.get("DRYPOWDER_STORE")
    return Path(named) if named else None


def choose_history(source: str | None, store: Path | None, seed: int | None) -> Any:
    """Return where history comes from, and say so when it is simulated without being asked for."""
    from backtests.history.opening import Choice, notice
    from backtests.history.store import default_store
    from signals.errors import ConfigError, unknown

    if source not in (None, "store", "simulated"):
        raise ConfigError(unknown("source", str(source), ("store", "simulated")))
    named = None if source == "simulated" and store is None else named_store(store)
    choice = Choice(source=source, store=named, seed=seed or 0)  # type: ignore[arg-type]
    if seed is not None and choice.decided() == "store":
        raise ConfigError(
            f"expected --seed with the simulated economy, but the history is the store "
            f"{named or default_store()}; add --source simulated or leave --seed out"
        )
    said = notice(choice)
    if said:
        typer.echo(f"notice: {said}", err=True)
    return choice


def console(*, markup: bool = True) -> "Console":
    """Return where tables are printed; in a pipe plain text, a line a row; NO_COLOR is obeyed.

    Without markup where a text is not ours: square brackets would be taken for it.
    """
    from rich.console import Console

    wide = None if sys.stdout is not None and sys.stdout.isatty() else 1000
    return Console(width=wide, highlight=False, soft_wrap=False, markup=markup)


@contextmanager
def progress(what: str) -> Iterator[Any]:
    """Show that something is going on, on a terminal; stay quiet in a pipe.

    Yields a function that takes the name of the present step.
    """
    from rich.console import Console

    errors = Console(stderr=True)
    if not errors.is_terminal:
        yield lambda step: None
        return
    with errors.status(what) as status:
        yield lambda step: status.update(f"{what}: {step}")


def print_json(data: Any) -> None:
    """Print plain data as JSON on stdout."""
    import json

    typer.echo(json.dumps(data, indent=2, ensure_ascii=False))


def warn(message: str) -> None:
    """Print one line of warning on stderr."""
    typer.echo(f"warning: {message}", err=True)


def warn_if_stale(history: Any) -> None:
    """Print one line of warning when real history ended more than a week ago."""
    from backtests.history.opening import stale_warning

    said = stale_warning(history)
    if said:
        warn(said)
