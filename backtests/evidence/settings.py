"""The settings of a configuration as one flat table, and differences between configurations.

History and window do not count as settings here, because they are the same in all rows of a
comparison.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from backtests.atomic import resolved
from backtests.config import RunConfig
from signals.params import parameters
from signals.summary import exact
from strategies import Strategy

#: Fields of a configuration that count as settings under their own names.
_FIELDS = ("regime_model", "labels", "lag", "band", "benchmark", "bill_spread", "initial_capital")
#: A label shows at most this number of settings, and counts the other settings that differ. If this
#: limit makes two labels equal, these labels show all settings that differ.
MOST = 2


@dataclass(frozen=True, kw_only=True)
class SettingChange:
    """A setting that differs between two configurations.

    ``path`` is the setting's name, as in :func:`settings_of`. ``first`` and ``second`` are the
    setting's values in the two configurations.
    """

    path: str
    first: Any
    second: Any


def settings_of(config: RunConfig) -> dict[str, Any]:
    """Return a mapping from path to value for all settings, including settings with default values.

    The path of a parameter is its name in the option ``--param``, such as ``dry_powder.k``.
    """
    parts: dict[str, Any] = {"": config.build_strategy(), "regime.": config.build_model()}
    parts |= {"schedule.": config.schedule, "costs.": config.costs}
    parts |= {f"{name}.": signal for name, signal in config.build_signals().items()}
    found: dict[str, Any] = {"strategy": config.strategy_class().name}
    found |= {name: getattr(config, name) for name in _FIELDS}
    found["labels"] = config.labels and _from_here(config.labels)
    found["universe.classes"] = tuple(
        f"{name}={','.join(tickers)}" for name, tickers in config.universe.classes.items()
    )
    for prefix, part in parts.items():
        found |= {f"{prefix}{name}": value for name, value in parameters(part).items()}
    found.pop("regime.dated", None)  # the setting ``labels`` is the file of labels
    # All configurations have the standard voters. So only voters that the user added count as a
    # setting.
    if found.pop("regime.voters", None) is not None:
        found["plugin_voters"] = config.more_voters()
    return found


def _from_here(path: Path) -> Path:
    """Return a relative path for a file below the working folder, otherwise an absolute path."""
    full, here = resolved(path), Path.cwd()
    return full.relative_to(here) if full.is_relative_to(here) else full


def changes(first: RunConfig, second: RunConfig) -> tuple[SettingChange, ...]:
    """Return the settings that exist in both configurations but have different values.

    A parameter is left out if only one of the two configurations has the parameter. The strategies
    or the regime models then differ, and the result contains this difference.
    """
    one, other = settings_of(first), settings_of(second)
    return tuple(
        SettingChange(path=path, first=value, second=other[path])
        for path, value in one.items()
        if path in other and other[path] != value
    )


def distinct_labels(configs: Sequence[RunConfig]) -> list[str]:
    """Return a label for each configuration: its strategy and, if necessary, its settings.

    The labels of configurations with the same strategy and regime model also contain the settings
    that differ. An example is ``near-cash-flow (dry_powder.k 0.11)``. Configurations with equal
    settings have equal labels.
    """
    tables = [settings_of(config) for config in configs]
    alike: dict[str, list[Mapping[str, Any]]] = {}
    for config, table in zip(configs, tables, strict=True):
        alike.setdefault(config.label, []).append(table)
    return [
        _label(config.label, table, alike[config.label])
        for config, table in zip(configs, tables, strict=True)
    ]


def _label(label: str, table: Mapping[str, Any], alike: Sequence[Mapping[str, Any]]) -> str:
    """Return ``label``, followed by the settings that are not equal in all tables of ``alike``."""
    differ = [path for path in table if any(other.get(path) != table[path] for other in alike)]
    said = [f"{path} {value_said(table[path])}" for path in differ]
    same = [t for t in alike if all(t.get(path) == table[path] for path in differ[:MOST])]
    if len(differ) > MOST and len(same) == 1:
        said[MOST:] = [f"{len(differ) - MOST} more"]
    return f"{label} ({', '.join(said)})" if said else label


def strategy_said(strategy: Strategy) -> str:
    """Return the description of a strategy, and the parameters that differ from the defaults.

    The description of a class names the default assets. So the result can be ``SPY while its price
    is above its ten-month mean, otherwise bills; here with tickers QQQ``.
    """
    usual = {field.name: field.default for field in fields(strategy)}
    changed = [
        f"{name} {value_said(value)}"
        for name, value in parameters(strategy).items()
        if value != usual[name]
    ]
    return strategy.description + (f"; here with {', '.join(changed)}" if changed else "")


def value_said(value: Any) -> str:
    """Return the value of a setting as text.

    >>> value_said(0.11), value_said(1234567.0), value_said(("SPY", "MU")), value_said(None)
    ('0.11', '1,234,567', 'SPY MU', 'none')
    """
    if value is None:
        return "none"
    if isinstance(value, tuple | list):
        return " ".join(map(value_said, value)) or "none"
    return exact(value) if isinstance(value, float) else str(value)
