"""The option ``--exit-code``: whether the last fetch flipped the regime or a primary flag."""

from typing import Annotated, Any

import typer

#: Exit code if the regime or a primary flag flipped with the last fetch.
FLIPPED = 10
ExitCode = Annotated[
    bool,
    typer.Option(
        "--exit-code",
        help="Exit with 10 if the regime or a primary flag flipped with the last fetch.",
    ),
]


def check_comparable(config: Any, at: str | None) -> None:
    """Raise ConfigError if the session is not the newest, or if the history has no store."""
    from backtests.flipped import store_of
    from signals.errors import ConfigError

    for name, day in (("--at", at), ("end in --config", config.end)):
        if day is not None:
            raise ConfigError(
                f"expected --exit-code only with the newest session, but {name} is {day}; remove "
                f"{name} or --exit-code"
            )
    store_of(config)


def comparison(config: Any, history: Any, reading: Any) -> dict[str, Any]:
    """Return the flips of the last fetch as plain data; the key ``said`` has a one-line summary."""
    from backtests.flipped import since_fetch
    from backtests.report.flipped import flipped_numbers

    return flipped_numbers(since_fetch(config, history, reading))


def exit_if_flipped(found: dict[str, Any] | None) -> None:
    """Exit with :data:`FLIPPED` if a comparison found a flip; None means no comparison."""
    if found is not None and found["flipped"]:
        raise typer.Exit(FLIPPED)
