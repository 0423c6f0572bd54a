"""Functions that turn command-line options into the keys and values of a configuration."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backtests.cli import history_choice
from backtests.cli.options import DEFAULT_STRATEGY

if TYPE_CHECKING:
    from backtests.config import RunConfig

#: Keys of a configuration that affect only a strategy's holdings, not signals or the regime.
OF_STRATEGY = ("params", "universe")


def config_data(
    config: Path | None,
    param: Iterable[str] | None,
    asked: history_choice.HistoryOptions,
    given: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the data of a configuration, read from ``--config`` and from other options.

    If the file and an option set the same key, the value of the option is used.

    Parameters
    ----------
    config
        A TOML file, or None. The table ``[sweep]`` of the file is ignored.
    param
        Strings such as ``dry_powder.k=0.11``.
    asked
        The options that choose the history.
    given
        Values of other options, by configuration key.

    Raises
    ------
    ConfigError
        Raised if the file cannot be read, or if a key, an option or an assignment is not valid.
    """
    from backtests.config_data import check_options

    check_options(given)
    data = file_data(config)
    data |= given
    data |= history_choice.history_keys(data, asked)
    assigned(data, param or (), given)
    return data


def file_data(config: Path | None) -> dict[str, Any]:
    """Return the data of a config file, without its table ``[sweep]``; empty if there is no file.

    If the file cannot be read or has an unknown key, ConfigError is raised.
    """
    from backtests.config_data import refuse_unknown_keys
    from backtests.config_file import read_config

    data = read_config(config) if config else {}
    data.pop("sweep", None)  # only the command sweep reads this table
    refuse_unknown_keys(data)
    return data


def config_of(data: Mapping[str, Any]) -> "RunConfig":
    """Return a configuration from its keys and values, and choose the source of its history.

    If no source is given and the history is simulated by default, a notice is printed. An unknown
    key or an invalid value raises ConfigError.
    """
    from backtests.config_data import config_from

    config = config_from(data)
    origin = config.history_source()
    history_choice.announce(origin)
    return config.model_copy(update={"source": origin.decided()})


def assigned(data: dict[str, Any], assignments: Iterable[str], given: Iterable[str] = ()) -> None:
    """Write each assigned parameter into ``data``, the keys and values of a configuration.

    An assignment is a string such as ``dry_powder.k=0.11``. ``given`` has the names of other
    options. An unknown prefix, or a parameter that is set twice, raises ConfigError.
    """
    from backtests.config import SETTINGS
    from backtests.parameter_paths import put
    from signals.errors import ConfigError

    done: set[str] = set()
    for path, value in map(_parsed, assignments):
        if path in done:
            raise ConfigError(f"expected --param {path} once, found it twice; keep one")
        if path in SETTINGS and path in given:
            raise ConfigError(
                f"expected either --{path} or --param {path}, found both; leave one out"
            )
        put(data, path, value)
        done.add(path)


def require_strategy(data: dict[str, Any]) -> None:
    """Raise ConfigError if the data contain no strategy."""
    from signals.errors import ConfigError
    from strategies import STRATEGIES

    if "strategy" not in data:
        names = ", ".join(sorted(STRATEGIES))
        raise ConfigError(f"give a strategy as an argument or in --config; known: {names}")


def without_strategy(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration data for a command that uses only signals and the regime.

    In the result, the default strategy replaces the given strategy. The default strategy follows
    the regime, so every regime model is allowed. If the given name is ``name@model``, the new name
    is the default strategy's name with the same ``@model``.
    """
    from backtests.config_data import split_name

    _, model = split_name(data.get("strategy", ""))
    kept = {key: data[key] for key in data if key not in OF_STRATEGY}
    return kept | {"strategy": f"{DEFAULT_STRATEGY}@{model}" if model else DEFAULT_STRATEGY}


def names_assigned(assignments: Iterable[str] | None) -> list[str]:
    """Return the parameter names in strings such as ``dry_powder.k=0.11``."""
    return [_parsed(assignment)[0] for assignment in assignments or ()]


def refuse_parameters_of_strategies(assignments: Iterable[str] | None) -> None:
    """Raise ConfigError for an assignment that changes no signal and no regime."""
    from backtests.parameter_paths import split
    from signals.errors import ConfigError

    for path in names_assigned(assignments):
        if split(path)[0] in ("", "schedule", "costs"):
            raise ConfigError(
                "expected a parameter of a signal or of the regime model, like dry_powder.k or "
                f"regime.confirm, was {path!r}; remove {path!r}"
            )


def _parsed(text: str) -> tuple[str, Any]:
    """Split NAME=VALUE into name and value; a value that is not valid TOML stays text."""
    from backtests.config_file import value_of
    from signals.errors import ConfigError

    name, equals, value = text.partition("=")
    if not (name and equals) or "\n" in text:
        raise ConfigError(f"expected --param NAME=VALUE, was {text!r}")
    found = value_of(value)
    if isinstance(found, dict):
        raise ConfigError(
            f"expected one value or a list after {name.strip()}=, was a TOML table, "
            f"{value.strip()}; set each parameter by its own --param, like dry_powder.k=0.11"
        )
    return name.strip(), found
