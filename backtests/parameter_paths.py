"""Set a parameter of a run by its path, such as ``dry_powder.k``.

The path of a strategy's parameter is the parameter's name, such as ``volatility``. The settings
``lag`` and ``band`` of a run also have paths without a prefix. The path of a parameter of a signal,
the regime model, the schedule or the costs begins with a prefix. The prefix is the name of a
signal, as in ``dry_powder.k``, or one of these three names:

- ``regime`` is the regime model that a run uses, as in ``regime.confirm``.

- ``schedule`` is the schedule, as in ``schedule.offset``.

- ``costs`` are the costs, as in ``costs.etf_bp``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from backtests.config import SETTINGS, RunConfig, unknown_parameter
from backtests.config_data import config_from, split_name
from backtests.plugins.load import is_plugin, load_signal, load_strategy
from signals import SIGNALS
from signals.errors import ConfigError, shown, unknown
from signals.params import names_of
from strategies import STRATEGIES

#: Tables of a configuration. The name of a table is the first part of a path, as in
#: ``costs.etf_bp``.
TABLES = ("regime", "schedule", "costs")
#: Values of one parameter to try.
Values = Sequence[Any] | np.ndarray | pd.Index | pd.Series


def split(path: str) -> tuple[str, str]:
    """Return the owner and the name of a parameter: ``dry_powder`` and ``k`` for ``dry_powder.k``.

    The owner of a path without a dot is the empty string.
    """
    if not isinstance(path, str):
        raise ConfigError(
            f"expected a parameter such as volatility or dry_powder.k, was {shown(path)}; give its "
            "path as text"
        )
    owner, dot, name = path.partition(".")
    if dot and not owner:
        raise ConfigError(
            f"expected a parameter such as volatility or dry_powder.k, was {path!r}; give a name "
            "before the dot"
        )
    return (owner, name) if dot else ("", path)


def listed(values: Any) -> Any:
    """Return an array, an Index, a Series, a tuple or a range as a list of plain values.

    A list, a string, a number or an object of another type is returned unchanged.
    """
    if isinstance(values, np.ndarray | pd.Index | pd.Series):
        return values.tolist()
    return list(values) if isinstance(values, tuple | range) else values


def config_with(config: RunConfig, values: Mapping[str, Any]) -> RunConfig:
    """Return a configuration with other parameters.

    ``values`` maps a path, such as ``dry_powder.k``, ``volatility`` or ``lag``, to a value. The
    columns of a sweep's ``results.parquet`` have these paths after ``set.``. An unknown path or an
    invalid value raises ConfigError.
    """
    data = config.model_dump()
    for path, value in values.items():
        put(data, path, value)
    return config_from(data)


def put(data: dict[str, Any], path: str, value: Any) -> None:
    """Set the parameter at a path in the data of a configuration.

    If ``path`` begins with an unknown prefix, or if a path without a prefix is no parameter of the
    strategy, ConfigError is raised. :func:`backtests.config_data.config_from` later reports other
    unknown parameters and invalid values.
    """
    owner, name = split(path)
    if path in SETTINGS:
        data[path] = value
        return
    _check_owner(owner, data)
    if not owner:
        _check_parameter(name, data)
    table = data.setdefault(owner if owner in TABLES else "signals" if owner else "params", {})
    if owner and owner not in TABLES and isinstance(table, dict):
        table = table.setdefault(owner, {})
    if isinstance(table, dict):
        table[name] = value


def _check_parameter(name: str, data: Mapping[str, Any]) -> None:
    """Raise ConfigError if a known strategy of a configuration has no parameter ``name``."""
    strategy, _ = split_name(data.get("strategy", ""))
    cls = load_strategy(strategy) if is_plugin(strategy) else STRATEGIES.get(strategy)
    if cls is not None and name not in names_of(cls):
        raise ConfigError(unknown_parameter(cls.name, name, names_of(cls)))


def _check_owner(owner: str, data: Mapping[str, Any]) -> None:
    """Raise ConfigError if a configuration has no table and no signal with the name ``owner``."""
    plugins = data.get("plugin_signals", {})
    if not owner or owner in (*TABLES, *SIGNALS) or not isinstance(plugins, Mapping):
        return
    known = (*TABLES, *SIGNALS, *(load_signal(plugin).name for plugin in plugins))
    if owner not in known:
        raise ConfigError(unknown("parameter prefix", owner, known))
