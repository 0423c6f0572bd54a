"""The request of a sweep: a base configuration, the axes, and the design."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from backtests.config import SETTINGS, RunConfig
from backtests.history.panel import History
from backtests.parameter_paths import config_with, split
from backtests.runs import run_id
from backtests.sweep.axis import Axis, axes_of
from backtests.sweep.design import DESIGNS, Design, check_size, design
from backtests.sweep.setting import Kind, Setting
from signals.errors import ConfigError, DrypowderError, unknown

#: Largest number of configurations by default.
MOST = 100_000
#: Keys of the table ``[sweep]`` in a TOML file. Files that a sweep has written also contain ``id``.
KEYS = ("design", "samples", "draw_seed", "max", "set", "id")


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a sweep computes.

    Attributes
    ----------
    config
        The base configuration. The other configurations of the sweep are copies of the base with
        new values of the swept parameters.
    axes
        The swept parameters with their values.
    name
        Name of the design: ``grid``, ``random`` or ``lhs`` (Latin hypercube).
    samples
        Number of draws of a random design or a Latin hypercube; None for a grid.
    seed
        Seed of the draws.
    """

    config: RunConfig
    axes: tuple[Axis, ...]
    name: str = "grid"
    samples: int | None = None
    seed: int = 0

    def data(self) -> dict[str, Any]:
        """Return the request as a table ``[sweep]``, without the base configuration."""
        spelled = {a.path: list(a.values) if a.ends is None else _ends(a) for a in self.axes}
        drawn = {} if self.samples is None else {"samples": self.samples, "draw_seed": self.seed}
        return {"design": self.name, **drawn, "set": spelled}

    def identity(self, history: History) -> str:
        """Return the id of the sweep; equal settings, votes, version and data give equal ids.

        The id also depends on the order of the axes, because the order decides how configurations
        are numbered and drawn.
        """
        parts = (run_id(self.config, history), json.dumps(self.data()))
        return hashlib.sha256("|".join(parts).encode()).hexdigest()[:12]


def _ends(axis: Axis) -> str:
    low, high = axis.ends or (0.0, 0.0)
    return f"{low!r}:{high!r}"


def request_of(config: RunConfig, table: Mapping[str, Any], axes: Sequence[Axis]) -> Request:
    """Return the request that a table ``[sweep]`` describes.

    If ``axes`` and the table both contain an axis with the same path, the axis from ``axes`` is
    used. Unknown keys, an unknown design, or axes that are missing or repeated raise ConfigError.
    """
    for key in table:
        if key not in KEYS:
            raise ConfigError(unknown("key in sweep", key, KEYS))
    given = table.get("set", {})
    if not isinstance(given, Mapping):
        raise ConfigError('expected a table [sweep.set] like "lag" = [1, 2]; correct the file')
    chosen = {axis.path: axis for axis in axes_of(given)}
    _refuse_repeated(axes)
    chosen |= {axis.path: axis for axis in axes}
    if not chosen:
        raise ConfigError(
            "expected at least one parameter to sweep, found none; add --set "
            "dry_powder.k=0.07:0.11:5"
        )
    name = table.get("design", "grid")
    if name not in DESIGNS:
        raise ConfigError(unknown("design", str(name), DESIGNS))
    if name == "grid" and "draw_seed" in table:
        raise ConfigError(
            "expected --draw-seed with --design random or lhs, but the design is a grid; remove "
            "--draw-seed"
        )
    return Request(
        config=config,
        axes=tuple(chosen.values()),
        name=name,
        samples=_whole(table, "samples", 1, None),
        seed=_whole(table, "draw_seed", 0, 0) or 0,
    )


def limit_of(table: Mapping[str, Any]) -> int:
    """Return the largest number of configurations that a table ``[sweep]`` allows."""
    return _whole(table, "max", 1, MOST) or MOST


def _refuse_repeated(axes: Sequence[Axis]) -> None:
    paths = [axis.path for axis in axes]
    for path in paths:
        if paths.count(path) > 1:
            raise ConfigError(
                f"expected --set {path} once, found it twice; put all its values into one --set"
            )


def _whole(table: Mapping[str, Any], key: str, least: int, otherwise: int | None) -> int | None:
    value = table.get(key, otherwise)
    if value is otherwise or (type(value) is int and value >= least):
        return value
    raise ConfigError(f"expected {key} as a whole number of at least {least}, was {value!r}")


def planned(request: Request, most: int = MOST) -> tuple[Setting, Design]:
    """Return the objects of the base configuration, and the configurations of the sweep.

    The function checks each parameter and the size of the design. For each object, such as a
    signal, the function also checks the combinations of the object's parameters. The first fault
    raises ConfigError.
    """
    base = Setting.of(request.config)
    kinds = [base.kind_of(axis.path) for axis in request.axes]
    axes = [_in_kind(axis, kind) for axis, kind in zip(request.axes, kinds, strict=True)]
    check_size(axes, request.name, request.samples, most)
    made = design(axes, kinds, request.name, request.samples or 0, request.seed)
    if len(made) < 2:
        raise ConfigError(
            f"expected at least 2 different configurations, but all {request.samples} samples are "
            "equal; raise --samples or give more values"
        )
    _check_combinations(request.config, base, made)
    return base, made


def _in_kind(axis: Axis, kind: Kind) -> Axis:
    """Return the axis with its values converted to the type of the parameter."""
    if axis.ends is None:
        return replace(axis, values=tuple(kind.read(axis.path, value) for value in axis.values))
    if kind.names or kind.number is bool:
        raise ConfigError(
            f"{axis.path}: expected a list of names or booleans, was a range; list the values"
        )
    low, high = (float(kind.read(axis.path, end)) for end in axis.ends)
    ends = (int(low), int(high)) if kind.number is int else (low, high)
    return replace(axis, ends=ends)


def _check_combinations(config: RunConfig, base: Setting, made: Design) -> None:
    """Raise ConfigError if an object, such as a signal, rejects a value or a combination.

    All parameters of one object are checked together. For example, a high ``enter`` may be valid
    only with a higher ``leave``.
    """
    owners = [path if path in SETTINGS else split(path)[0] for path in made.paths]
    for owner in dict.fromkeys(owners):
        mine = [i for i, name in enumerate(owners) if name == owner]
        for row in _distinct(made, mine):
            values = {made.paths[i]: made.levels[i][at] for i, at in zip(mine, row, strict=True)}
            try:
                config_with(config, values) if owner in SETTINGS else base.changed(values)
            except DrypowderError as error:
                said = ", ".join(f"{path} = {value}" for path, value in values.items())
                raise ConfigError(f"{said}: {error}; choose other values") from None


def _distinct(made: Design, columns: list[int]) -> list[list[int]]:
    seen: dict[tuple[int, ...], list[int]] = {}
    for row in made.rows[:, columns].tolist():
        seen.setdefault(tuple(row), row)
    return list(seen.values())
