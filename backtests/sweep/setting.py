"""Copy the objects of a configuration, such as signals, with new values of parameters."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, get_type_hints

import numpy as np

from backtests.config import SETTINGS, RunConfig, unknown_parameter
from backtests.engine.costs import Costs
from backtests.engine.schedule import Schedule
from backtests.parameter_paths import TABLES, split
from backtests.sweep.axis import Value
from signals import RegimeModel, Signal
from signals.errors import ConfigError, unknown
from signals.form import author_code
from signals.params import as_kind, choices, kinds_of_numbers
from strategies import Strategy

#: Stages of a configuration, in the order in which they are computed.
STAGES = ("signals", "regime", "strategy", "trading")
#: Fields of :class:`Setting`. The value of each field is an object with parameters.
FIELDS = ("strategy", *TABLES)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """The changeable objects of a sweep's configuration.

    The text ``fixed`` describes inputs of a Sharpe ratio that a sweep cannot change: the spread of
    bills, the user's asset classes, and the source code of the user's strategy and signals.
    """

    signals: Mapping[str, Signal]
    regime: RegimeModel
    strategy: Strategy
    schedule: Schedule
    costs: Costs
    lag: int
    band: float
    fixed: str

    @classmethod
    def of(cls, config: RunConfig) -> "Setting":
        """Return the signals, regime model, strategy and trading rules of a configuration."""
        return cls(
            signals=config.build_signals(),
            regime=config.build_model(),
            strategy=config.build_strategy(),
            schedule=config.schedule,
            costs=config.costs,
            lag=config.lag,
            band=config.band,
            fixed=repr((config.bill_spread, config.universe.classes, config.own_sources())),
        )

    @property
    def owners(self) -> dict[str, Any]:
        """A mapping from the first part of a path to the object that has the parameter.

        The strategy's parameters have paths without a dot. The mapping contains the strategy under
        the key ``strategy``.
        """
        return {**self.signals, **{name: getattr(self, name) for name in FIELDS}}

    def changed(self, values: Mapping[str, Value], made: dict[Any, Any] | None = None) -> "Setting":
        """Return a copy with new values of some parameters; ``values`` maps paths to new values.

        If several parameters of an object change, the object is copied only once, with all new
        values. An invalid value raises ConfigError, but ``lag`` and ``band`` are not checked.
        ``made`` is a cache of the objects from earlier calls of the method on the same setting. The
        method reuses objects from the cache, and adds each new object to the cache.
        """
        made = {} if made is None else made
        by_owner: dict[str, dict[str, Value]] = {}
        for path, value in values.items():
            owner, name = split(path)
            by_owner.setdefault("" if path in SETTINGS else owner or "strategy", {})[name] = value
        parts: dict[str, Any] = dict(by_owner.pop("", {}))
        chosen = dict(self.signals)
        for owner, given in by_owner.items():
            key = (owner, *given.items())
            if key not in made:
                made[key] = self._made(owner, given)
            objects = parts if owner in FIELDS else chosen
            objects[owner] = made[key]
        return replace(self, **parts, signals=chosen)

    def _made(self, owner: str, given: Mapping[str, Value]) -> Any:
        """Return a copy of one object with new values of some parameters."""
        old = self.owners[owner]
        with author_code(f"{owner}: making {type(old).__name__}"):
            return replace(old, **given)

    def kind_of(self, path: str) -> "Kind":
        """Return what a parameter accepts; an unknown path raises ConfigError."""
        owner, name = split(path)
        if path in SETTINGS:
            return Kind(stage="trading", number=int if path == "lag" else float)
        if owner and owner not in TABLES and owner not in self.signals:
            raise ConfigError(unknown("signal", owner, (*self.signals, *TABLES)))
        thing = self.owners[owner or "strategy"]
        kinds, named = kinds_of_numbers(type(thing)), choices(type(thing))
        if name not in kinds and name not in named:
            known = (*kinds, *named)
            if get_type_hints(type(thing)).get(name) is str:
                raise ConfigError(
                    f"{path}: expected a number, true or false, or choices, was text without "
                    "choices; give the parameter a Literal with its choices"
                )
            if owner:
                raise ConfigError(unknown(f"parameter of {owner}", name, known))
            raise ConfigError(unknown_parameter(thing.name, name, known))
        return Kind(stage=_stage(owner), number=kinds.get(name), names=named.get(name, ()))


def paths_of(setting: Setting) -> tuple[str, ...]:
    """Return the paths of all parameters that a sweep can change."""
    paths = [
        name if owner == "strategy" else f"{owner}.{name}"
        for owner, thing in setting.owners.items()
        for name in (*kinds_of_numbers(type(thing)), *choices(type(thing)))
    ]
    return (*paths, *SETTINGS)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What a parameter accepts: a type of number, or one of several names.

    ``stage`` is the first stage of a run that depends on the parameter.
    """

    stage: str
    number: type | None = None
    names: tuple[str, ...] = field(default=())

    def read(self, path: str, value: Value) -> Value:
        """Return a value converted to the parameter's type; a wrong value raises ConfigError."""
        if self.names:
            if value not in self.names:
                raise ConfigError(f"{path}: {unknown('choice', str(value), self.names)}")
            return value
        if isinstance(value, bool) != (self.number is bool) or isinstance(value, str):
            wanted = "true or false" if self.number is bool else "a number"
            raise ConfigError(f"{path}: expected {wanted}, was {value!r}; correct it")
        if self.number is int and value != np.floor(value):
            raise ConfigError(
                f"{path}: expected whole numbers, was {value!r}; choose another range or list "
                "the values"
            )
        return float(value) if self.number is float else as_kind(value, self.number or float)


def _stage(owner: str) -> str:
    if owner == "regime":
        return "regime"
    return "trading" if owner in TABLES else "signals" if owner else "strategy"
