"""The option ``--exit-code``, which reports a flip that the last fetch or import caused."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from backtests.config import RunConfig
    from backtests.history.panel import History
    from signals.reading import Reading

#: Exit code if the regime or a primary flag flipped with the last fetch or import.
FLIPPED = 10
ExitCode = Annotated[
    bool,
    typer.Option(
        "--exit-code",
        help="Exit with code 10 if the last fetch or import flipped the regime or a primary flag.",
    ),
]


def check_comparable(config: "RunConfig", at: str | None) -> None:
    """Raise ConfigError if ``at`` or ``config.end`` is set, or the history is not from a store."""
    from backtests.flipped import store_of
    from signals.errors import ConfigError

    for name, day in (("--at", at), ("end in --config", config.end)):
        if day is not None:
            raise ConfigError(
                f"expected --exit-code only with the newest session, but {name} is {day}; remove "
                f"{name} or --exit-code"
            )
    store_of(config)


def flips_since_fetch(
    config: "RunConfig", history: "History", reading: "Reading"
) -> dict[str, Any]:
    """Return the flips that the last fetch or import caused, as plain data."""
    from backtests.flipped import since_fetch
    from backtests.report.flipped import flipped_numbers

    return flipped_numbers(since_fetch(config, history, reading))


def exit_if_flipped(found: dict[str, Any] | None) -> None:
    """Exit with code :data:`FLIPPED` if ``found`` reports a flip, otherwise do nothing."""
    if found is not None and found["flipped"]:
        raise typer.Exit(FLIPPED)
