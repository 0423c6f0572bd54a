"""The configurations of a sweep: a full grid, random draws, or a Latin hypercube."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from backtests.sweep.axis import Axis, Value, rounded
from backtests.sweep.setting import STAGES, Kind
from signals.errors import ConfigError

DESIGNS = ("grid", "random", "lhs")


@dataclass(frozen=True, kw_only=True)
class Design:
    """The configurations of a sweep, in the order in which they are computed.

    Configurations with the same signals, regime model and strategy are next to each other. So a
    stage that several configurations share is computed once.

    Attributes
    ----------
    paths, kinds
        The path of each parameter, and the kind of values that the parameter accepts. Parameters of
        earlier stages of the computation come first.
    levels
        The values of each parameter; numbers are in ascending order.
    rows
        An array, configurations × parameters. Each cell of ``rows`` contains the position of a
        parameter's value in ``levels``. The rows are in ascending order, and each row occurs once.
    """

    paths: tuple[str, ...]
    kinds: tuple[Kind, ...]
    levels: tuple[tuple[Value, ...], ...]
    rows: np.ndarray

    def __len__(self) -> int:
        """Return the number of configurations."""
        return len(self.rows)

    def values(self, at: int) -> dict[str, Value]:
        """Return a mapping from the path of each parameter to its value in one configuration."""
        return {p: x[i] for p, x, i in zip(self.paths, self.levels, self.rows[at], strict=True)}

    def until(self, stage: str) -> int:
        """Return the number of parameters that ``stage`` and earlier stages of a run use."""
        order = STAGES.index(stage)
        return sum(STAGES.index(kind.stage) <= order for kind in self.kinds)

    @cached_property
    def full(self) -> bool:
        """Whether the design contains every combination of the values."""
        return len(self) == math.prod(map(len, self.levels))


def design(
    axes: Sequence[Axis], kinds: Sequence[Kind], name: str, samples: int, seed: int
) -> Design:
    """Return the configurations of a design.

    A grid combines all values of all axes. The designs ``random`` and ``lhs`` (Latin hypercube)
    draw ``samples`` configurations. Equal arguments always give equal draws. If a parameter has few
    values, draws can repeat a configuration. Repeated configurations are left out.

    Reference
        McKay, Beckman, Conover, "A Comparison of Three Methods for Selecting Values of Input
        Variables", Technometrics 21 (1979), for the Latin hypercube.
    """
    order = sorted(range(len(axes)), key=lambda i: STAGES.index(kinds[i].stage))
    axes, kinds = [axes[i] for i in order], [kinds[i] for i in order]
    if name == "grid":
        levels = [_sorted(axis.values) for axis in axes]
        rows = _grid([len(level) for level in levels])
    else:
        unit = _unit(name, samples, len(axes), seed)
        drawn = [_drawn(axis, kind, u) for axis, kind, u in zip(axes, kinds, unit.T, strict=True)]
        levels, columns = zip(*drawn, strict=True)
        rows = np.unique(np.column_stack(columns), axis=0)
    return Design(
        paths=tuple(axis.path for axis in axes),
        kinds=tuple(kinds),
        levels=tuple(levels),
        rows=rows.astype(np.int32),
    )


def check_size(axes: Sequence[Axis], name: str, samples: int | None, most: int) -> None:
    """Raise ConfigError if ranges, samples or the size do not fit the design.

    The size must be from 2 to ``most`` configurations.
    """
    if name == "grid":
        for axis in axes:
            if axis.ends is not None:
                low, high = axis.ends
                raise ConfigError(
                    f"{axis.path}: expected a count for a grid, was {low:g}:{high:g}; write "
                    f"{low:g}:{high:g}:5, or choose --design lhs"
                )
        if samples is not None:
            raise ConfigError(
                "expected --samples with --design random or lhs, but the design is a grid; remove "
                "--samples"
            )
    elif samples is None:
        raise ConfigError(f"expected --samples with --design {name}, found none; add --samples N")
    size = math.prod(len(axis.values) for axis in axes) if name == "grid" else samples or 0
    if size > most:
        raise ConfigError(
            f"expected at most {most:,} configurations, but the design has {size:,}; raise --max "
            "or give fewer values or samples"
        )
    if size < 2:
        raise ConfigError(
            f"expected at least 2 configurations, but the design has {size}; give more values, or "
            "use drypowder run"
        )


def _grid(sizes: list[int]) -> np.ndarray:
    return np.indices(sizes).reshape(len(sizes), -1).T


def _unit(name: str, samples: int, axes: int, seed: int) -> np.ndarray:
    """Return random numbers between 0 and 1: a row for each sample, a column for each axis."""
    rng = np.random.default_rng(seed)
    if name == "random":
        return rng.random((samples, axes))
    from scipy.stats import qmc

    points: np.ndarray = qmc.LatinHypercube(axes, rng=rng).random(samples)
    return points


def _drawn(axis: Axis, kind: Kind, unit: np.ndarray) -> tuple[tuple[Value, ...], np.ndarray]:
    """Return the values of an axis, and the position of each draw's value among these values."""
    if axis.ends is None:
        level = _sorted(axis.values)
        return level, np.minimum((unit * len(level)).astype(np.int64), len(level) - 1)
    low, high = axis.ends
    if kind.number is int:
        steps = np.floor(unit * (high - low + 1)).astype(np.int64)
        drawn = np.minimum(int(low) + steps, int(high))
    else:
        drawn = np.array([rounded(value) for value in (low + unit * (high - low)).tolist()])
    found, at = np.unique(drawn, return_inverse=True)
    return tuple(found.tolist()), at


def _sorted(values: tuple[Value, ...]) -> tuple[Value, ...]:
    """Sort numbers in ascending order; keep the order of names."""
    return values if any(isinstance(v, str) for v in values) else tuple(sorted(values))
