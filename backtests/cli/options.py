"""Options shared by several commands."""

from pathlib import Path
from typing import Annotated, Any

import typer

from backtests.cli import completion

#: The default strategy of a command. The default strategy follows the regime.
DEFAULT_STRATEGY = "near-cash-flow"

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
Start = Annotated[
    str | None,
    typer.Option(
        metavar="DATE",
        help="Day of the first decision, like 2015-01-01; default: the first session with a "
        "regime.",
    ),
]
End = Annotated[
    str | None,
    typer.Option(
        metavar="DATE", help="Last day, like 2024-12-31; default: the end of the history."
    ),
]
At = Annotated[
    str | None,
    typer.Option(metavar="DATE", help="The session; default: the last session of the history."),
]
Lag = Annotated[
    int | None, typer.Option(help="Sessions from decision to fill, at least 1; default: 1.")
]
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
    Path, typer.Option(metavar="FOLDER|FILE.html", help="Folder or file of the page.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def given(**options: Any) -> dict[str, Any]:
    """Return the options that are not None, by name."""
    return {name: value for name, value in options.items() if value is not None}
