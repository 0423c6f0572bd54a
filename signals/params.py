"""Functions to find a parameter by its name, to check its value and to set it.

A class of parameters is a frozen, keyword-only dataclass that derives from :class:`Typed`. The path
``dry_powder.k`` refers to the parameter ``k`` of the signal ``dry_powder``.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from functools import cache
from itertools import pairwise
from types import NoneType, UnionType
from typing import (
    Any,
    ClassVar,
    Literal,
    Self,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import numpy as np

from signals.errors import ConfigError, shown, unknown

T = TypeVar("T")
#: Each row is a tuple of parameter names and numbers. The values in a row must be in ascending
#: order. For example, the row ``("leave", "enter", 1)`` means leave < enter < 1.
Orders = tuple[tuple[str | float, ...], ...]

#: The absolute value of a parameter of type int must be below this limit. Sums and products of
#: larger numbers could overflow 64-bit integers in pandas.
LARGEST = 2**31
_WORDS: dict[Any, str] = {
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    str: "text",
    NoneType: "None",
}


class Typed:
    """Base of dataclasses that check their parameters and raise ConfigError.

    Each value must have the type of its field's annotation. A whole number fits a field of type
    float. A field accepts True and False only if its type is bool. Numpy numbers count as Python
    numbers.

    Attributes
    ----------
    must_be_positive
        Names of the parameters that must be positive and finite.
    must_ascend
        Tuples of parameter names and numbers whose values must be in ascending order. For example,
        the tuple ``("leave", "enter", 1)`` means leave < enter < 1.

    A subclass inherits the checks ``must_be_positive`` and ``must_ascend`` of its base classes.
    ``__post_init__`` checks the ranges. So a subclass with its own ``__post_init__`` must call
    ``super().__post_init__()``.
    """

    must_be_positive: ClassVar[tuple[str, ...]] = ()
    must_ascend: ClassVar[Orders] = ()

    def __new__(cls, *args: Any, **given: Any) -> Self:
        """Check the types of the values before the dataclass stores them."""
        check_types(cls, given)
        return super().__new__(cls)

    def __post_init__(self) -> None:
        """Check the ranges of the values."""
        for base in type(self).__mro__:
            for name in vars(base).get("must_be_positive", ()):
                value = getattr(self, name)
                if not (np.isfinite(value) and value > 0):
                    raise ConfigError(f"{name} must be a positive number, was {value!r}")
            for row in vars(base).get("must_ascend", ()):
                for low, high in pairwise(row):
                    self._check_order(low, high)

    def _check_order(self, low: str | float, high: str | float) -> None:
        lower, higher = (getattr(self, x) if isinstance(x, str) else x for x in (low, high))
        if lower < higher:
            return
        if not isinstance(low, str):
            raise ConfigError(f"{high} must be above {low}, was {higher!r}")
        if not isinstance(high, str):
            raise ConfigError(f"{low} must be below {high}, was {lower!r}")
        raise ConfigError(
            f"{low} must be below {high}, but {low} is {lower!r} and {high} is {higher!r}"
        )


def check_types(cls: type, given: dict[str, Any]) -> None:
    """Raise :class:`ConfigError` for the first value that does not fit its field's annotation.

    The function ignores names that are not fields.
    """
    for name, kind in _annotations(cls).items():
        if name in given and not fits(given[name], kind):
            tickers = "write several values like ('A', 'B'), and a single value like ('A',)"
            raise ConfigError(
                f"{cls.__name__}: expected {name} as {in_words(kind)}, was {_shown(given[name])}; "
                f"{tickers if get_origin(kind) is tuple else 'correct it'}"
            )


@cache
def _annotations(cls: type) -> dict[str, Any]:
    """Return the type of each field of a dataclass, or {} if an annotation cannot be resolved."""
    try:
        hints = get_type_hints(cls)
    except Exception:  # an annotation of a user's class contains an unknown name
        return {}
    return {f.name: hints[f.name] for f in fields(cls) if f.init}


def fits(value: Any, kind: Any) -> bool:
    """Return whether a value fits a type annotation; an unknown annotation fits any value."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return any(fits(value, one) for one in arguments)
    if origin is Literal:
        return any(value == one and type(value) is type(one) for one in arguments)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return isinstance(value, tuple) and all(fits(item, arguments[0]) for item in value)
    if origin is tuple and Ellipsis not in arguments:
        same = isinstance(value, tuple) and len(value) == len(arguments)
        return same and all(map(fits, value, arguments))
    if isinstance(origin, type):
        return isinstance(value, origin)
    if kind in (int, float):
        return _fits_number(value, kind)
    expected = bool | np.bool_ if kind is bool else kind
    return not isinstance(kind, type) or isinstance(value, expected)


def check_whole(name: str, value: Any, least: int) -> None:
    """Raise ConfigError if a value is below ``least``, or if the value is not a whole number."""
    if not fits(value, int) or value < least:
        raise ConfigError(
            f"{name}: expected a whole number of at least {least}, was {shown(value)}"
        )


def _fits_number(value: Any, kind: type) -> bool:
    if isinstance(value, bool | np.bool_):
        return False
    if isinstance(value, int | np.integer):
        return abs(int(value)) < (10**300 if kind is float else LARGEST)
    return kind is float and isinstance(value, float | np.floating)


def in_words(kind: Any) -> str:
    """Return a type annotation in plain words."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return " or ".join(map(in_words, arguments))
    if origin is Literal:
        return " or ".join(map(repr, arguments))
    if origin is tuple and Ellipsis in arguments:
        return f"a tuple of {in_words(arguments[0])}"
    if origin is tuple:
        return f"a tuple ({', '.join(map(in_words, arguments))})"
    named = origin or kind
    return str(_WORDS.get(named) or getattr(named, "__name__", named))


def _shown(value: Any) -> str:
    """Return the repr of a plain value if it is short and printable, else the name of its type.

    A plain value is a number, a text, True or False, a tuple or a list. For a whole number that is
    too large, the text names the limit.
    """
    if isinstance(value, int) and abs(value) >= LARGEST:
        return f"a number beyond {LARGEST}"
    text = repr(value) if isinstance(value, bool | int | float | str | tuple | list) else ""
    return text if 0 < len(text) <= 60 and text.isprintable() else type(value).__name__


# --- by name --------------------------------------------------------------------------------


def parameters(obj: object) -> dict[str, Any]:
    """Return the value of each field of a dataclass, by name; inherited fields come last."""
    return {name: getattr(obj, name) for name in names_of(type(obj))}


def names_of(cls: type) -> tuple[str, ...]:
    """Return the names of a dataclass's fields; inherited fields come last.

    A field with ``repr=False`` is not a parameter, so its name is not returned.
    """
    known = {f.name for f in fields(cls) if f.repr}
    declared = (name for base in cls.__mro__ for name in vars(base).get("__annotations__", {}))
    return tuple(name for name in dict.fromkeys(declared) if name in known)


def numbers(obj: object) -> dict[str, int | float]:
    """Return the name and value of each numeric parameter, without the boolean parameters."""
    return {
        name: value
        for name, value in parameters(obj).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def kinds_of_numbers(cls: type) -> dict[str, type]:
    """Return the name and type of each numeric or boolean parameter."""
    kinds = _annotations(cls)
    return {name: kinds[name] for name in names_of(cls) if kinds.get(name) in (bool, int, float)}


def choices(cls: type) -> dict[str, tuple[str, ...]]:
    """Return the allowed choices of each parameter that has a fixed set of choices."""
    kinds = {name: _annotations(cls).get(name) for name in names_of(cls)}
    return {name: get_args(kind) for name, kind in kinds.items() if get_origin(kind) is Literal}


def as_kind(value: Any, kind: type) -> Any:
    """Return a Python int or float for a number; a whole float becomes int if ``kind`` is int."""
    plain = value.item() if isinstance(value, np.generic) else value
    whole = kind is int and isinstance(plain, float) and plain.is_integer()
    return int(plain) if whole else plain


def owner_of(among: Mapping[str, T], path: str) -> tuple[str, str]:
    """Return the signal's name and the parameter's name from a path like ``dry_powder.k``.

    Raise ConfigError when the signal or the parameter is unknown.
    """
    owner, dot, name = path.partition(".")
    if not dot:
        raise ConfigError(
            f"expected a signal and its parameter like dry_powder.k, was {path!r}; give both names"
        )
    if owner not in among:
        raise ConfigError(unknown("signal", owner, among))
    known = list(parameters(among[owner]))
    if name not in known:
        raise ConfigError(unknown(f"parameter of {owner}", name, known))
    return owner, name


def with_parameter(among: Mapping[str, T], path: str, value: Any) -> dict[str, T]:
    """Return a copy of the signals in which one parameter has a new value.

    Raise ConfigError when the parameter is unknown, or when the value has the wrong type or is
    outside its range.
    """
    owner, name = owner_of(among, path)
    return {**among, owner: replace(among[owner], **{name: value})}  # type: ignore[type-var]
