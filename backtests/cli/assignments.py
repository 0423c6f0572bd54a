"""Options that several commands turn into the data of a configuration."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from backtests.cli import options


def assigned(data: dict[str, Any], assignments: Iterable[str]) -> None:
    """Set parameters from texts such as ``dry_powder.k=0.11`` in the data of a configuration."""
    from backtests.paths import put

    for assignment in assignments:
        put(data, *_parsed(assignment))


def history_keys(
    data: dict[str, Any], source: str | None, store: Path | None, seed: int | None
) -> dict[str, Any]:
    """Return the keys that choose the history; options override the configuration."""
    if source is None and store is None and ({"source", "store"} & data.keys()):
        if seed is not None and data.get("source", "store") == "store":
            options.refuse_seed(data.get("store"))
        from_environment = data.get("source") == "store" and "store" not in data
        store = options.named_store(None) if from_environment else None
        return options.given(seed=seed, store=store)
    choice = options.choose_history(source, store, seed)
    data.pop("store", None)
    seed = data.get("seed") if seed is None else seed
    return options.given(source=choice.decided(), store=choice.store, seed=seed)


def require_strategy(data: dict[str, Any]) -> None:
    """Raise ConfigError unless the data name a strategy."""
    from signals.errors import ConfigError
    from strategies import STRATEGIES

    if "strategy" not in data:
        names = ", ".join(sorted(STRATEGIES))
        raise ConfigError(f"give a strategy as an argument or in --config; known: {names}")


def _parsed(text: str) -> tuple[str, Any]:
    """Split NAME=VALUE into name and value; a value that is not valid TOML stays text."""
    import tomllib

    from signals.errors import ConfigError

    name, equals, value = text.partition("=")
    if not (name and equals) or "\n" in text:
        raise ConfigError(f"expected --param NAME=VALUE, was {text!r}")
    try:
        return name.strip(), tomllib.loads(f"x = {value}")["x"]
    except (tomllib.TOMLDecodeError, ValueError, RecursionError):
        return name.strip(), value
