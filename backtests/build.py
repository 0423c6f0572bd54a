"""Build an object from plain parameters. A wrong value raises an error with a one-line message."""

from collections.abc import Iterable, Mapping
from dataclasses import is_dataclass
from functools import cache
from types import NoneType
from typing import Any, TypeVar, cast, get_args, get_type_hints

import pydantic

from signals.errors import ConfigError, shown, unknown
from signals.form import author_code
from signals.params import names_of

T = TypeVar("T")


#: Error types of pydantic for a value that should be a list or a table.
_SEVERAL = ("tuple_type", "dict_type", "model_type", "dataclass_type")


def build(cls: type[T], params: Mapping[str, Any], what: str) -> T:
    """Return a dataclass of parameters from plain values.

    An unknown name, a value of a wrong type or a value out of range raises ConfigError.
    """
    kinds, given = _kinds(cast(type, cls)), dict(params)
    refuse_unknown(params, names_of(cast(type, cls)), what)
    for name, value in params.items():
        kind = kinds[name]
        if isinstance(value, bool) and kind is not bool:
            raise ConfigError(f"{what} {name}: expected a number, was {value!r}")
        if isinstance(kind, type) and is_dataclass(kind) and isinstance(value, Mapping):
            given[name] = build(kind, value, f"{what} {name}")
        if value in ("none", "None") and NoneType in get_args(kind) and str not in get_args(kind):
            given[name] = None  # TOML and --param state None as a text
    with author_code(f"{what}: making {cls.__name__}"):
        try:
            return cast(T, _adapter(cast(type, cls)).validate_python(given))
        except pydantic.ValidationError as error:
            raise ConfigError(first_fault(error, f"{what} ")) from None
        except ConfigError as error:
            raise ConfigError(f"{what}: {error}") from None


@cache
def _kinds(cls: type) -> dict[str, Any]:
    """Return the type of each parameter of a class, cached to save time."""
    return get_type_hints(cls)


@cache
def _adapter(cls: type) -> pydantic.TypeAdapter[Any]:
    """Return the pydantic validator for the parameters of a class, cached to save time."""
    return pydantic.TypeAdapter(cls)


def refuse_unknown(given: Iterable[str], known: Iterable[str], what: str) -> None:
    """Raise ConfigError for an unknown name; the message suggests the most similar known name."""
    names = list(known)
    for key in given:
        if key not in names:
            raise ConfigError(unknown(what, key, names))


def first_fault(error: pydantic.ValidationError, what: str) -> str:
    """Return one line about the first wrong value that pydantic found.

    The line begins with the text in ``what``.
    """
    fault = error.errors()[0]
    where = ".".join(map(str, fault["loc"]))
    if isinstance(cause := fault.get("ctx", {}).get("error"), Exception):
        return f"{what}{where}: {shown(cause, str, 400)}".replace(" : ", ": ")
    name = fault["loc"][-1]
    form = f""" like {name}=["A", "B"] or {name}=[1, 2]""" if fault["type"] == "tuple_type" else ""
    single = isinstance(fault["input"], list | dict) and fault["type"].endswith("_type")
    cure = "; give one value" if single and fault["type"] not in _SEVERAL else ""
    return f"{what}{where}: {fault['msg'].lower()}{form}, was {shown(fault['input'])}{cure}"
