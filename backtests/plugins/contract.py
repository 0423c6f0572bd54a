"""Check how a user's class is defined, before drypowder uses the class.

Each error message is one line. :mod:`signals.form` checks what the methods of a class return.
"""

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import pydantic

from signals import SIGNALS
from signals.base import CompoundSignal, Signal
from signals.errors import ConfigError, describe_exception, shown, unknown
from signals.form import OURS
from signals.params import in_words, names_of
from strategies import STRATEGIES, Strategy

_NAME = (
    "a short word of letters, digits and . _ -",
    Annotated[str, pydantic.Field(pattern=r"^[A-Za-z0-9][\w.-]{0,39}$")],
)
_LINE = Annotated[str, pydantic.Field(pattern=r"^[^\n]*\S[^\n]*$")]
_LINK = "L([1-9]|1[0-5])"  # the thesis has 15 links
#: Types of values that a parameter can have.
_PLAIN = (bool, int, float, str, NoneType)
_LIMIT = Annotated[float, pydantic.Field(gt=0, allow_inf_nan=False)]
#: Attributes that a class must define. Each attribute has a description and a type.
_STRATEGY: dict[str, tuple[str, Any]] = {
    "name": _NAME,
    "description": ("one line of text", _LINE),
    "link": (
        "links from L1 to L15, such as 'L8, L13', or as '' for no link",
        Annotated[str, pydantic.Field(pattern=f"^({_LINK}(, {_LINK})*)?$")],
    ),
    "follows_regime": ("True or False", bool),
    "only_scheduled": ("True or False", bool),
    "price_free": ("True or False", bool),
    "active_states": ("a tuple of states", tuple[str, ...]),
    "gross_limit": ("a number above 0", _LIMIT),
}
_SIGNAL: dict[str, tuple[str, Any]] = {
    "name": _NAME,
    "link": (
        "one of the links L1 to L15, or as '' for no link",
        Annotated[str, pydantic.Field(pattern=f"^({_LINK})?$")],
    ),
    "units": (
        "a mapping from gauges to units",
        Annotated[dict[str, str], pydantic.Field(min_length=1)],
    ),
    "headline": ("text", str),
    "parts": ("a mapping from names to signal classes", Mapping[str, type[Signal]]),
    "context": (
        "a mapping from names of signals to tuples of gauges",
        Mapping[str, tuple[str, ...]],
    ),
}
#: Names that a signal must not have, because other columns of ``flags.csv`` or tables of a
#: configuration have these names.
_TAKEN = ("date", "regime", "schedule", "costs")
#: The name of a signal must not end in this text. In ``flags.csv``, the column with the scores of a
#: signal has the name of the signal followed by this text.
_SCORE = "_score"


def plugin_bases(cls: type) -> list[type]:
    """Return a class and its base classes, without drypowder's classes, object and ABC."""
    return [
        base
        for base in cls.__mro__
        if base.__module__.partition(".")[0] not in (*OURS, "builtins", "abc")
    ]


def check_class(cls: type[Strategy] | type[Signal], path: str) -> None:
    """Raise :class:`ConfigError` for the first error in the definition of the class at ``path``."""
    for mistake in _mistakes(cls):
        raise ConfigError(f"{path}: {mistake}")


def _mistakes(cls: type[Strategy] | type[Signal]) -> Iterator[str]:
    """Yield the errors in a class; a check assumes that earlier checks found no error."""
    missing = sorted(cls.__abstractmethods__)
    if missing:
        yield f"expected {cls.__name__} to define {', '.join(missing)}; add it"
    if "__dataclass_fields__" not in vars(cls):
        yield (
            "expected a dataclass, was a plain class; decorate it with "
            "@dataclass(frozen=True, kw_only=True)"
        )
    yield from _wrong_fields(cls)
    yield from _wrong_attributes(cls)
    yield from _wrong_methods(cls)


def _wrong_fields(cls: type[Strategy] | type[Signal]) -> Iterator[str]:
    """Yield an error for each parameter that lacks a type or a default."""
    try:
        types = get_type_hints(cls)
    except Exception as error:
        said = describe_exception(error)
        yield f"expected parameters with types that Python can find, but {said}; import the types"
        return
    code = getattr(cls.__init__, "__code__", None)
    if code is None or code.co_filename != "<string>":  # file name of a dataclass's __init__
        yield (
            "expected a class without its own __init__; write parameters as fields, and checks in "
            "__post_init__"
        )
    bare = [f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING]
    if bare:
        yield f"expected a default for every parameter; add a default to {', '.join(bare)}"
    for name in names_of(cls):
        if not _is_plain(types[name]):
            yield (
                f"expected the parameter {name} as a number, text, True or False, None, a Literal, "
                f"or a tuple, list or dict of these, was {in_words(types[name])}; use one of these "
                "types"
            )
    # If a class writes "window = 5" without a type for an inherited field, the dataclass ignores
    # this value and keeps the inherited default.
    names = {f.name for f in fields(cls)}
    for base in plugin_bases(cls):
        for name in sorted(names & vars(base).keys() - inspect.get_annotations(base).keys()):
            kind = types[name].__name__ if type(types[name]) is type else types[name]
            yield (
                f"expected a type for the parameter {name}, because a default without a type is "
                f"ignored; write {name}: {kind} = …"
            )


def _is_plain(kind: Any) -> bool:
    """Return whether the files of a run can contain a value of the type ``kind``.

    A set is not plain. The order of a set differs between processes, so the run id would also
    differ.
    """
    kind = getattr(kind, "__supertype__", getattr(kind, "__value__", kind))
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return all(type(each) in _PLAIN for each in arguments)
    if origin in (Union, UnionType, tuple, list, dict, Mapping):
        return all(each is Ellipsis or _is_plain(each) for each in arguments)
    return kind in (*_PLAIN, Any, object, tuple, list, dict)


def _wrong_attributes(cls: Any) -> Iterator[str]:
    asked = _STRATEGY if issubclass(cls, Strategy) else _SIGNAL
    for name, (expected, kind) in asked.items():
        if not hasattr(cls, name):
            yield f"expected {cls.__name__} to define {name} as {expected}; add {name}"
        said = getattr(cls, name)
        plain = dict(said) if isinstance(said, MappingProxyType) else said
        try:
            pydantic.TypeAdapter(kind).validate_python(plain, strict=True)
        except pydantic.ValidationError:
            yield f"expected {name} as {expected}, was {shown(said)}; correct it"
    if cls.name in (STRATEGIES if issubclass(cls, Strategy) else _TAKEN):
        yield f"expected a name that drypowder does not use, was {cls.name!r}; give another name"
    if issubclass(cls, Signal) and cls.name.endswith(_SCORE):
        yield f"expected a name without {_SCORE} at its end, was {cls.name!r}; give another name"
    if issubclass(cls, Signal) and cls.headline not in cls.units:
        yield (
            f"expected `headline` to be one of the gauges in `units`, was {cls.headline!r}; give "
            "one of these gauges"
        )
    for name, gauges in cls.context.items() if issubclass(cls, Signal) else ():
        known = SIGNALS[name].signal.units if name in SIGNALS else gauges
        for gauge in gauges:
            if gauge not in known:
                yield f"context: {unknown(f'gauge of {name}', gauge, known)}"


def _wrong_methods(cls: type[Strategy] | type[Signal]) -> Iterator[str]:
    """Yield an error for each property or method that does not fit the base class."""
    base = next(kind for kind in (Strategy, CompoundSignal, Signal) if issubclass(cls, kind))
    for name in dir(base):
        was, now = inspect.getattr_static(base, name), inspect.getattr_static(cls, name)
        if name.startswith("_") or now is was:
            continue
        if isinstance(was, property) and inspect.isfunction(now):
            yield f"expected {name} as a property, was a method; put @property above it"
        if inspect.isfunction(was):
            yield from _wrong_method(name, was, now)


def _wrong_method(name: str, was: Any, now: Any) -> Iterator[str]:
    if getattr(was, "__final__", False):
        yield f"expected {name} only in the base class; remove {name} from your class"
    arguments = list(inspect.signature(was).parameters)
    expected = f"{name}({', '.join(arguments)})"
    if not inspect.isfunction(now):
        yield f"expected a method {expected}, was {type(now).__name__}; define it with def"
    try:
        inspect.signature(now).bind(*arguments)
    except TypeError:
        yield f"expected {expected}, was {name}{inspect.signature(now)}; change the parameters"
