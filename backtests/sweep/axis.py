"""An axis of a sweep: the path of a parameter, and the values to try."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from backtests.config_file import value_of
from backtests.parameter_paths import listed
from signals.errors import ConfigError, shown

#: A value of a swept parameter.
Value = bool | int | float | str
#: Number of significant digits of values in a range. Rounding turns 0.1100…01 into 0.11.
_DIGITS = 12


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A swept parameter, with a list of values or a range of values.

    Attributes
    ----------
    path
        Path of the parameter, such as ``dry_powder.k``; see :mod:`backtests.parameter_paths`.
    values
        The values in the user's order; empty for a range.
    ends
        The lowest and the highest value of a range; None if ``values`` lists the values.
    """

    path: str
    values: tuple[Value, ...] = ()
    ends: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        """Raise ConfigError for an axis without values, or with a value that occurs twice."""
        if not self.values and self.ends is None:
            raise ConfigError(f"{self.path}: expected at least one value, found none; give one")
        for value in self.values:
            if sum(_same(value, other) for other in self.values) > 1:
                raise ConfigError(
                    f"{self.path}: expected each value once, but {value!r} occurs twice; leave "
                    "one out"
                )


def parse_axis(assignment: str) -> Axis:
    """Convert a text such as ``dry_powder.k=0.07:0.11:5`` or ``lag=1,2,5`` into an axis.

    ``low:high:count`` gives ``count`` values from ``low`` to ``high`` at equal distances.
    ``low:high`` gives a range, from which the designs ``random`` and ``lhs`` draw values. Commas
    separate single values.
    """
    path, equals, text = assignment.partition("=")
    if not (path.strip() and equals):
        raise ConfigError(
            f"expected --set NAME=VALUES like dry_powder.k=0.07:0.11:5, was {assignment!r}"
        )
    return axis_of(path.strip(), text.strip())


def axis_of(path: str, given: Any) -> Axis:
    """Return the axis that varies the parameter at ``path``.

    ``given`` is a list of values, one value, or a text like ``0.07:0.11:5``. An array, an Index, a
    Series, a tuple or a range counts as a list.
    """
    given = listed(given)
    if isinstance(given, list):
        return Axis(path=path, values=tuple(_plain(path, value) for value in given))
    if not isinstance(given, str):
        return Axis(path=path, values=(_plain(path, given),))
    parts = [part.strip() for part in given.split(":")]
    if len(parts) == 1:
        found = [part.strip() for part in given.split(",")]
        return Axis(path=path, values=tuple(_scalar(part) for part in found if part))
    if len(parts) > 3:
        raise ConfigError(f"{path}: expected low:high:count, was {given!r}; give three parts")
    return _range(path, parts)


def axes_of(table: Mapping[str, Any], prefix: str = "") -> Iterator[Axis]:
    """Yield the axes of a TOML table. A path joins the keys of nested tables with dots."""
    for key, given in table.items():
        path = f"{prefix}{key}"
        if isinstance(given, Mapping):
            yield from axes_of(given, f"{path}.")
        else:
            yield axis_of(path, given)


def _range(path: str, parts: list[str]) -> Axis:
    low, high = (_number(path, part) for part in parts[:2])
    if not low < high:
        raise ConfigError(
            f"{path}: expected a range from a lower to a higher value, was {parts[0]}:{parts[1]}; "
            + (f"for one value, write {path}={parts[0]}" if low == high else "swap the two values")
        )
    if len(parts) == 2:
        return Axis(path=path, ends=(low, high))
    if not (parts[2].isdecimal() and 2 <= int(parts[2]) <= 10_000):
        raise ConfigError(
            f"{path}: expected a count from 2 to 10,000 in low:high:count, was {parts[2]!r}; "
            "give a whole number"
        )
    steps = np.linspace(low, high, int(parts[2]))
    return Axis(path=path, values=tuple(rounded(step) for step in steps.tolist()))


def rounded(value: float) -> float:
    """Return a number rounded to 12 significant digits."""
    return float(f"{value:.{_DIGITS}g}")


def _number(path: str, text: str) -> float:
    value = _scalar(text)
    if isinstance(value, bool | str) or not np.isfinite(value):
        raise ConfigError(f"{path}: expected a number in a range, was {text!r}; correct it")
    return float(value)


def _scalar(text: str) -> Value:
    """Convert a text such as ``0.5``, ``true`` or ``"name"`` to the value that it has in TOML.

    A text that is not valid TOML stays a text.
    """
    found = value_of(text)
    return found if isinstance(found, bool | int | float | str) else text


def _plain(path: str, value: Any) -> Value:
    if isinstance(value, bool | int | float | str):
        return value
    raise ConfigError(
        f"{path}: expected numbers, True, False or names, was {shown(value)}; correct it"
    )


def _same(one: Value, other: Value) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)
