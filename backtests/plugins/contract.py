"""What a strategy or a signal answers with, and the one line for an answer of another form.

The code of a user is not trusted to be right: :func:`guard` makes every method of theirs that the
contract names answer in form or fail on one line, wherever it is asked. What it is lent is a
shallow copy, so writing into the panel harms nobody else.
"""

import inspect
import math
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, NoReturn

import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from signals.base import Signal
from signals.errors import ConfigError, DrypowderError, SimulationError, describe_exception, shown
from signals.hysteresis import Threshold
from signals.reading import Reading
from strategies.base import Strategy

#: The packages of drypowder.
OURS = ("signals", "strategies", "backtests")

Form = Callable[[Any, Any, tuple[Any, ...]], None]

_GUARDED = "__drypowder_guarded__"


def plugin_bases(cls: type) -> list[type]:
    """Return the classes behind one that are a user's, itself first."""
    return [
        base
        for base in cls.__mro__
        if base.__module__.partition(".")[0] not in (*OURS, "builtins", "abc")
    ]


def ask(thing: Strategy | Signal, name: str, *given: Any) -> Any:
    """Return what a strategy or signal answers, in form.

    Parameters
    ----------
    thing
        Whom to ask.
    name
        What: a key of :data:`CONTRACT`.
    given
        What it is asked with: the reading and the panel, the panel, or nothing for a property.

    Raises
    ------
    SimulationError
        When it fails or its answer has another form.
    """
    return _answer(
        thing, name, given, lambda t, *g: getattr(t, name)(*g) if g else getattr(t, name)
    )


def _answer(thing: Any, name: str, given: tuple[Any, ...], function: Callable[..., Any]) -> Any:
    with theirs(f"{thing.name}: {name}", SimulationError, lambda error: _cure(thing, error)):
        said = function(thing, *map(_lent, given))
        CONTRACT[name].form(thing, said, given)
    return said


@contextmanager
def theirs(
    what: str,
    kind: type[DrypowderError] = ConfigError,
    cure: Callable[[BaseException], str] = lambda error: "",
) -> Iterator[None]:
    """Run code of a user: what it prints goes to stderr, and whatever it raises is one line.

    Parameters
    ----------
    what
        What is run, named in the error.
    kind
        The error to raise. Those of drypowder and Ctrl-C pass as they are.
    cure
        What to say at the end, by the error.
    """
    try:
        with redirect_stdout(sys.stderr):
            yield
    except (DrypowderError, KeyboardInterrupt):
        raise
    except BaseException as error:  # such as sys.exit()
        raise kind(f"{what} failed: {describe_exception(error)}{cure(error)}") from error


def _cure(thing: Any, error: BaseException) -> str:
    if not isinstance(error, KeyError):
        return ""
    named = "assets or reads" if isinstance(thing, Strategy) else "inputs"
    return f"; a column of the panel has to stand in {named}"


def _lent(given: Any) -> Any:
    if isinstance(given, pd.DataFrame):
        return given.copy(deep=False)
    if isinstance(given, Reading):
        return given.rows(lambda part: part.copy(deep=False))
    return given


# --- the forms ------------------------------------------------------------------------------


def _refuse(thing: Any, name: str, expected: str, was: str, cure: str) -> NoReturn:
    raise SimulationError(f"{thing.name}: expected {name} as {expected}, was {was}; {cure}")


def _names(name: str, what: str) -> Form:
    def check(thing: Any, said: Any, given: tuple[Any, ...]) -> None:
        cure = f'write {name} like ("SPY", "IEF"), one alone ("SPY",)'
        if not isinstance(said, tuple) or not all(isinstance(id, str) and id for id in said):
            _refuse(thing, name, f"a tuple of {what}", shown(said), cure)
        twice = [id for id in said if said.count(id) > 1]
        if twice:
            _refuse(thing, name, f"{what}, each once", f"{twice[0]} twice", "drop one")

    return check


def _check_rows(thing: Any, name: str, said: Any, kind: Any, panel: pd.DataFrame) -> None:
    expected = f"a {kind.__name__} with a row for each session of the panel"
    if not isinstance(said, kind):
        _refuse(thing, name, expected, type(said).__name__, "return one")
    if not said.index.equals(panel.index):
        was = f"{len(said)} rows for {len(panel)} sessions"
        was = was if len(said) != len(panel) else "one with another index"
        _refuse(thing, name, expected, was, "reindex it")


def _check_state(thing: Any, said: Any, given: tuple[Any, ...]) -> None:
    if said is None:
        return
    _check_rows(thing, "state", said, pd.Series, given[-1])
    strange = [label for label in said.unique() if not (isinstance(label, str) or pd.isna(label))]
    if strange:
        cure = "give each state a word, None where there is none"
        _refuse(thing, "state", "labels", shown(strange[0]), cure)


def _check_thresholds(thing: Any, said: Any, given: tuple[Any, ...]) -> None:
    if not (isinstance(said, tuple) and said and all(isinstance(t, Threshold) for t in said)):
        _refuse(thing, "thresholds", "a tuple of Threshold", shown(said), "name at least one")
    for t in said:
        if t.gauge not in thing.units:
            cure = f"name one of {', '.join(thing.units)}"
            _refuse(thing, "thresholds", "those of its gauges", f"one of {t.gauge!r}", cure)


def _check_gauges(thing: Any, said: Any, given: tuple[Any, ...]) -> None:
    _check_rows(thing, "gauges", said, pd.DataFrame, given[-1])
    if list(map(str, said.columns)) != list(dict.fromkeys(map(str, said.columns))) or set(
        said.columns
    ) != set(thing.units):
        _refuse(
            thing,
            "gauges",
            f"the columns of units ({', '.join(thing.units)})",
            ", ".join(map(str, said.columns)) or "none",
            "name both alike",
        )


def _check_combined(thing: Any, said: Any, given: tuple[Any, ...]) -> None:
    _check_gauges(thing, said, given[:1])


def _check_score(thing: Any, said: Any, given: tuple[Any, ...]) -> None:
    _check_rows(thing, "score", said, pd.Series, given[-1])
    if not is_numeric_dtype(said.dtype) or is_bool_dtype(said.dtype):
        _refuse(thing, "score", "numbers", f"of type {said.dtype}", 'use .astype("float64")')


def _check_flag(thing: Any, said: Any, given: tuple[Any, ...]) -> None:
    _check_rows(thing, "flag", said, pd.Series, given[-1])
    if str(said.dtype) != "boolean":
        cure = 'use .astype("boolean").mask(measure.isna())'
        expected = "pandas boolean, NA where there is no view"
        _refuse(thing, "flag", expected, f"of type {said.dtype}", cure)


def _left_to_decide(thing: Any, said: Any, given: tuple[Any, ...]) -> None:
    """Pass: :func:`strategies.decide` knows the form of weights."""


@dataclass(frozen=True, kw_only=True)
class Member:
    """What the contract asks of a strategy or a signal.

    Attributes
    ----------
    of
        Whose it is.
    form
        Raises unless an answer has its form.
    asked
        What it is asked with; nothing makes it a property.
    """

    of: type[Strategy] | type[Signal]
    form: Form
    asked: tuple[str, ...] = ()


#: Methods that Python calls unasked, of any class.
_UNASKED = ("__repr__", "__str__", "__format__", "__eq__", "__hash__")
_PANEL, _GAUGES, _BOTH = ("panel",), ("gauges",), ("reading", "panel")
CONTRACT = {
    "assets": Member(of=Strategy, form=_names("assets", "tickers")),
    "reads": Member(of=Strategy, form=_names("reads", "ids")),
    "state": Member(of=Strategy, form=_check_state, asked=_BOTH),
    "weights": Member(of=Strategy, form=_left_to_decide, asked=_BOTH),
    "inputs": Member(of=Signal, form=_names("inputs", "ids")),
    "thresholds": Member(of=Signal, form=_check_thresholds),
    "gauges": Member(of=Signal, form=_check_gauges, asked=_PANEL),
    "combine": Member(of=Signal, form=_check_combined, asked=("panel", "parts")),
    "score": Member(of=Signal, form=_check_score, asked=_GAUGES),
    "flag": Member(of=Signal, form=_check_flag, asked=_GAUGES),
}


# --- a user's class -------------------------------------------------------------------------


def guard(cls: type, path: str) -> None:
    """Make what a user's class defines of the contract answer in form or fail on one line.

    Raises
    ------
    ConfigError
        When a property is a method or the other way round, or a method takes other arguments.
    """
    for base in plugin_bases(cls):
        for name, member in CONTRACT.items():
            if issubclass(cls, member.of) and name in vars(base):
                _guard_one(base, name, vars(base)[name], path)
        for name in _UNASKED:
            if inspect.isfunction(vars(base).get(name)):
                setattr(base, name, _guarded_unasked(vars(base)[name], f"{path}: {name}"))


def _guard_one(base: type, name: str, found: Any, path: str) -> None:
    asked = CONTRACT[name].asked
    signature = f"{name}({', '.join(('self', *asked))})"
    if isinstance(found, property) and not asked and found.fget is not None:
        if not hasattr(found.fget, _GUARDED):
            setattr(base, name, property(_guarded(found.fget, name), doc=found.__doc__))
    elif inspect.isfunction(found):
        if not asked:
            raise ConfigError(
                f"{path}: expected {name} as a property, was a method; put @property above it"
            )
        if not _takes(found, 1 + len(asked)):
            was = f"{name}{inspect.signature(found)}"
            raise ConfigError(f"{path}: expected {signature}, was {was}; take those arguments")
        if not hasattr(found, _GUARDED):
            setattr(base, name, _guarded(found, name))
    elif asked:
        raise ConfigError(
            f"{path}: expected a method {signature}, was {type(found).__name__}; define it with def"
        )
    elif not isinstance(found, property | cached_property):
        CONTRACT[name].form(base, found, ())


def _takes(function: Callable[..., Any], count: int) -> bool:
    try:
        inspect.signature(function).bind(*range(count))
    except TypeError:
        return False
    return True


def _guarded(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    @wraps(function)
    def answer(self: Any, *given: Any) -> Any:
        return _answer(self, name, given, function)

    setattr(answer, _GUARDED, True)
    return answer


def _guarded_unasked(function: Callable[..., Any], what: str) -> Callable[..., Any]:
    if hasattr(function, _GUARDED):
        return function

    @wraps(function)
    def answer(*given: Any) -> Any:
        with theirs(what):
            return function(*given)

    setattr(answer, _GUARDED, True)
    return answer


# --- what a class says of itself ------------------------------------------------------------


def check_attributes(cls: type, path: str) -> None:
    """Raise :class:`ConfigError` unless a class says of itself what the contract asks for."""
    strategy = issubclass(cls, Strategy)
    for name, (expected, holds) in (_STRATEGY if strategy else _SIGNAL).items():
        if not hasattr(cls, name):
            raise ConfigError(
                f"{path}: expected {cls.__name__} to say its {name}, as {expected}; add it"
            )
        said = getattr(cls, name)
        if not holds(said):
            raise ConfigError(
                f"{path}: expected {name} as {expected}, was {shown(said)}; correct it"
            )
    if not strategy and cls.headline not in cls.units:  # type: ignore[attr-defined]
        raise ConfigError(
            f"{path}: expected headline as one of the gauges in units, was "
            f"{cls.headline!r}; name one"  # type: ignore[attr-defined]
        )


def _is_name(said: Any) -> bool:
    return isinstance(said, str) and re.fullmatch(r"[A-Za-z0-9][\w.-]{0,39}", said) is not None


def _is_text(said: Any) -> bool:
    return isinstance(said, str)


def _is_line(said: Any) -> bool:
    return isinstance(said, str) and bool(said.strip()) and "\n" not in said


def _is_switch(said: Any) -> bool:
    return isinstance(said, bool)


def _is_limit(said: Any) -> bool:
    return (
        isinstance(said, int | float)
        and not isinstance(said, bool)
        and math.isfinite(said)
        and said > 0
    )


def _is_words(said: Any) -> bool:
    return isinstance(said, tuple) and all(isinstance(word, str) for word in said)


def _is_units(said: Any) -> bool:
    return isinstance(said, dict) and bool(said) and all(map(_is_text, (*said, *said.values())))


_NAME = ("a short word of letters, digits and . _ -", _is_name)
_STRATEGY: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "name": _NAME,
    "description": ("one line of text", _is_line),
    "link": ("text", _is_text),
    "follows_regime": ("True or False", _is_switch),
    "only_scheduled": ("True or False", _is_switch),
    "price_free": ("True or False", _is_switch),
    "active_states": ("a tuple of states", _is_words),
    "gross_limit": ("a number above 0", _is_limit),
}
_SIGNAL: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "name": _NAME,
    "link": ("text", _is_text),
    "units": ("a unit by gauge", _is_units),
    "headline": ("text", _is_text),
}
