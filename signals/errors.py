"""Base classes of all errors that drypowder raises on purpose.

DrypowderError
├── ConfigError        a name, parameter or option is wrong               (exit 2)
├── DataError          a file, store or history cannot be used            (exit 2)
│   ├── MissingSeries  the history lacks a series or asset
│   ├── StaleSeries    a series ends too early
│   └── LookaheadError a decision used a value before it was known
├── SourceError        a data source on the network failed                (exit 3)
└── SimulationError    the engine cannot simulate its input               (exit 2)

Each error message is one line. The line says what was expected, what was found, and how to correct
the input.
"""

import difflib
import traceback
from collections.abc import Callable, Iterable


class DrypowderError(Exception):
    """Root of all errors that drypowder raises on purpose."""

    exit_code = 2


class ConfigError(DrypowderError):
    """A name, parameter or option is wrong."""


class DataError(DrypowderError):
    """A file, store or history cannot be used."""


class MissingSeries(DataError):  # noqa: N818 - the usual term of the field
    """The history lacks a series or asset."""


class StaleSeries(DataError):  # noqa: N818
    """A series ends too early for the request."""


class LookaheadError(DataError):
    """A decision used a value before the value was known."""


class SourceError(DrypowderError):
    """A data source on the network failed."""

    exit_code = 3


class SimulationError(DrypowderError):
    """The engine cannot simulate its input."""


def unknown(kind: str, name: object, known: Iterable[str]) -> str:
    """Return the message for an unknown name, with the most similar known name if there is one.

    If ``name`` is not text, the message shows the ``repr`` of ``name``.

    >>> unknown("strategy", "near-cashflow", ["near-cash-flow", "spy"])
    "unknown strategy 'near-cashflow'; did you mean 'near-cash-flow'? known: near-cash-flow, spy"
    """
    names = sorted(set(known))
    lower = {known_name.lower(): known_name for known_name in names}
    said = name if isinstance(name, str) else shown(name)
    near = difflib.get_close_matches(said.lower(), lower, n=1, cutoff=0.5)
    hint = f"; did you mean '{lower[near[0]]}'?" if near else ";"
    listed = ", ".join(names[:20]) + (", …" if len(names) > 20 else "") or "none"
    return f"unknown {kind} '{said}'{hint} known: {listed}"


def shown(value: object, form: Callable[[object], str] = repr, longest: int = 80) -> str:
    """Return an object from a user's code as one line of text, even when its ``__repr__`` fails.

    >>> shown("a word", longest=4)
    "'a w"
    """
    try:
        lines = (line.strip() for line in form(value).splitlines())
        return " ".join(filter(None, lines))[:longest]
    except KeyboardInterrupt:
        raise
    except BaseException:
        return f"{type(value).__name__} object that Python cannot show as text"


def describe_exception(error: BaseException) -> str:
    """Return one line that describes an exception from a user's code.

    The line contains the text of the exception, and the file and the line number of the error.
    """
    if isinstance(error, SyntaxError):
        said = shown(error.msg, str, 400)
        return f"{type(error).__name__}: {said} at {error.filename}:{error.lineno}"
    where = [
        f" at {frame.filename}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if not any(part in frame.filename for part in ("site-packages", "importlib", "<frozen"))
    ]
    said = shown(error, str, 400)
    return f"{type(error).__name__}: {said}{where[-1] if where else ''}"
