"""What a user's class must look like before anything is asked of it; one line for each mistake.

Its answers are checked where the base classes ask for them (:mod:`signals.form`).
"""

import inspect
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Annotated, Any, get_type_hints

import pydantic

from signals.base import CompoundSignal, Signal
from signals.errors import ConfigError, describe_exception, shown
from signals.form import OURS
from strategies import STRATEGIES, Strategy

_NAME = (
    "a short word of letters, digits and . _ -",
    Annotated[str, pydantic.Field(pattern=r"^[A-Za-z0-9][\w.-]{0,39}$")],
)
_LINE = Annotated[str, pydantic.Field(pattern=r"^[^\n]*\S[^\n]*$")]
_LIMIT = Annotated[float, pydantic.Field(gt=0, allow_inf_nan=False)]
#: By attribute: what a class has to say of itself, in words and as a type.
_STRATEGY: dict[str, tuple[str, Any]] = {
    "name": _NAME,
    "description": ("one line of text", _LINE),
    "link": ("text", str),
    "follows_regime": ("True or False", bool),
    "only_scheduled": ("True or False", bool),
    "price_free": ("True or False", bool),
    "active_states": ("a tuple of states", tuple[str, ...]),
    "gross_limit": ("a number above 0", _LIMIT),
}
_SIGNAL: dict[str, tuple[str, Any]] = {
    "name": _NAME,
    "link": ("text", str),
    "units": ("a unit by gauge", Annotated[dict[str, str], pydantic.Field(min_length=1)]),
    "headline": ("text", str),
}


def plugin_bases(cls: type) -> list[type]:
    """Return the classes behind one that are a user's, itself first."""
    return [
        base
        for base in cls.__mro__
        if base.__module__.partition(".")[0] not in (*OURS, "builtins", "abc")
    ]


def check_class(cls: type[Strategy] | type[Signal], path: str) -> None:
    """Raise :class:`ConfigError` unless a user's class can be made and asked.

    Parameters
    ----------
    cls
        The class.
    path
        Where it is, named in the error.
    """
    missing = sorted(cls.__abstractmethods__)
    if missing:
        raise ConfigError(f"{path}: expected {cls.__name__} to define {', '.join(missing)}; add it")
    if "__dataclass_fields__" not in vars(cls):
        raise ConfigError(
            f"{path}: expected a dataclass, was a plain class; decorate it with "
            "@dataclass(frozen=True, kw_only=True)"
        )
    _check_fields(cls, path)
    _check_attributes(cls, path, _STRATEGY if issubclass(cls, Strategy) else _SIGNAL)
    _check_methods(cls, path)


# --- parameters -----------------------------------------------------------------------------


def _check_fields(cls: type[Strategy] | type[Signal], path: str) -> None:
    """Raise unless every parameter has a type and a default, which the dataclass uses."""
    try:
        types = get_type_hints(cls)
    except Exception as error:
        raise ConfigError(
            f"{path}: expected types of parameters that Python knows, but "
            f"{describe_exception(error)}; import what they name"
        ) from None
    code = getattr(cls.__init__, "__code__", None)
    if code is None or code.co_filename != "<string>":  # where dataclass writes one
        raise ConfigError(
            f"{path}: expected no __init__ of its own, found one; write parameters as fields, and "
            "checks in __post_init__"
        )
    bare = [f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING]
    if bare:
        raise ConfigError(
            f"{path}: expected a default for every parameter, {', '.join(bare)} has none; give one"
        )
    _check_overrides(cls, path, types)


def _check_overrides(
    cls: type[Strategy] | type[Signal], path: str, types: Mapping[str, Any]
) -> None:
    """Refuse ``window = 5`` over an inherited field: a dataclass would go on with the old value."""
    names = {f.name for f in fields(cls)}
    for base in plugin_bases(cls):
        for name in sorted(names & vars(base).keys() - inspect.get_annotations(base).keys()):
            kind = types[name].__name__ if type(types[name]) is type else types[name]
            raise ConfigError(
                f"{path}: expected the parameter {name} with its type, found it without, which "
                f"leaves its old default; write {name}: {kind} = …"
            )


# --- attributes and methods -----------------------------------------------------------------


def _check_attributes(cls: Any, path: str, asked: Mapping[str, tuple[str, Any]]) -> None:
    for name, (expected, kind) in asked.items():
        if not hasattr(cls, name):
            raise ConfigError(
                f"{path}: expected {cls.__name__} to say its {name}, as {expected}; add it"
            )
        said = getattr(cls, name)
        try:
            pydantic.TypeAdapter(kind).validate_python(said, strict=True)
        except pydantic.ValidationError:
            raise ConfigError(
                f"{path}: expected {name} as {expected}, was {shown(said)}; correct it"
            ) from None
    if issubclass(cls, Strategy) and cls.name in STRATEGIES:
        raise ConfigError(
            f"{path}: expected a name of its own, was {cls.name!r}, which is drypowder's; give it "
            "another"
        )
    if issubclass(cls, Signal) and cls.headline not in cls.units:
        raise ConfigError(
            f"{path}: expected headline as one of the gauges in units, was {cls.headline!r}; name "
            "one"
        )


def _check_methods(cls: type[Strategy] | type[Signal], path: str) -> None:
    """Raise unless properties and methods of the base class stay what they are there."""
    base = next(kind for kind in (Strategy, CompoundSignal, Signal) if issubclass(cls, kind))
    for name in dir(base):
        was, now = inspect.getattr_static(base, name), inspect.getattr_static(cls, name)
        if name.startswith("_") or now is was:
            continue
        if isinstance(was, property) and inspect.isfunction(now):
            raise ConfigError(
                f"{path}: expected {name} as a property, was a method; put @property above it"
            )
        if inspect.isfunction(was):
            _check_method(name, was, now, path)


def _check_method(name: str, was: Any, now: Any, path: str) -> None:
    if getattr(was, "__final__", False):
        raise ConfigError(f"{path}: expected {name} of the base class, found another; remove it")
    arguments = list(inspect.signature(was).parameters)
    expected = f"{name}({', '.join(arguments)})"
    if not inspect.isfunction(now):
        raise ConfigError(
            f"{path}: expected a method {expected}, was {type(now).__name__}; define it with def"
        )
    try:
        inspect.signature(now).bind(*arguments)
    except TypeError:
        raise ConfigError(
            f"{path}: expected {expected}, was {name}{inspect.signature(now)}; take those arguments"
        ) from None
