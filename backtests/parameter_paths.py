"""Set a parameter of a run by its path, such as ``dry_powder.k``.

=====================  ==========================================================
path                   parameter
=====================  ==========================================================
``volatility``         of the strategy
``dry_powder.k``       of the signal ``dry_powder``
``regime.confirm``     of the regime model that the run uses
``schedule.offset``    of the schedule
``costs.etf_bp``       of the costs
``lag``, ``band``      settings of the run itself
=====================  ==========================================================

The prefix ``regime`` means the regime model that a run uses. So ``regime.confirm`` is a valid path
for every regime model with the parameter ``confirm``.
"""

from collections.abc import Mapping
from typing import Any

from backtests.config import RunConfig, config_from
from backtests.plugins.load import load_signal
from signals import SIGNALS
from signals.errors import ConfigError, unknown

#: Settings of a run that have a path without a dot.
SETTINGS = ("lag", "band")
#: Tables of a configuration whose name is the first part of a path.
TABLES = ("regime", "schedule", "costs")


def split(path: str) -> tuple[str, str]:
    """Return the owner and the name of a parameter: ``dry_powder`` and ``k`` for ``dry_powder.k``.

    The owner of a path without a dot is the empty string.
    """
    owner, dot, name = path.partition(".")
    if dot and not owner:
        raise ConfigError(
            f"expected a parameter such as volatility or dry_powder.k, was {path!r}; give a name "
            "before the dot"
        )
    return (owner, name) if dot else ("", path)


def config_with(config: RunConfig, values: Mapping[str, Any]) -> RunConfig:
    """Return a configuration with other parameters; ``values`` maps paths to values.

    An unknown path or an invalid value raises ConfigError.
    """
    data = config.model_dump()
    for path, value in values.items():
        put(data, path, value)
    return config_from(data)


def put(data: dict[str, Any], path: str, value: Any) -> None:
    """Set the parameter at a path in the data of a configuration.

    An unknown owner raises ConfigError. :func:`backtests.config.config_from` later reports an
    unknown name or an invalid value.
    """
    owner, name = split(path)
    if path in SETTINGS:
        data[path] = value
        return
    _check_owner(owner, data)
    table = data.setdefault(owner if owner in TABLES else "signals" if owner else "params", {})
    if owner and owner not in TABLES and isinstance(table, dict):
        table = table.setdefault(owner, {})
    if isinstance(table, dict):
        table[name] = value


def _check_owner(owner: str, data: Mapping[str, Any]) -> None:
    """Raise ConfigError unless a configuration has an owner of parameters with this name."""
    plugins = data.get("plugin_signals", {})
    if not owner or owner in (*TABLES, *SIGNALS) or not isinstance(plugins, Mapping):
        return
    known = (*TABLES, *SIGNALS, *(load_signal(plugin).name for plugin in plugins))
    if owner not in known:
        raise ConfigError(unknown("parameter prefix", owner, known))
