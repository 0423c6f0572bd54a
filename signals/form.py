"""Functions that call the code of a signal or a strategy and check the result.

An exception in a user's code becomes a drypowder error. A user's code gets shallow copies of the
panel and of the reading (:class:`signals.Reading`). If the user's code adds or replaces columns of
a copy, other code does not see the change.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from signals.errors import ConfigError, DrypowderError, SimulationError, describe_exception, shown
from signals.hysteresis import Threshold

#: The packages of drypowder. Classes of other packages get copies of the panel and the reading.
OURS = ("signals", "strategies", "backtests")


@contextmanager
def author_code(
    what: str, kind: type[DrypowderError] = ConfigError, names: str = ""
) -> Iterator[None]:
    """Run a user's code, and turn any exception into an error of class ``kind``.

    DrypowderError and KeyboardInterrupt (Ctrl-C) are raised unchanged. The error message begins
    with ``what``, a name for the user's code. ``names`` is text such as ``inputs``: the class
    attributes in which a user lists the panel columns that the code reads. After a KeyError, the
    message says that these attributes must list every such column. If ``names`` is empty, the
    message omits this advice.
    """
    try:
        yield
    except (DrypowderError, KeyboardInterrupt):
        raise
    except BaseException as error:  # such as sys.exit()
        cure = ""
        if names and isinstance(error, KeyError):
            cure = f"; {names} must list every column that your code reads"
        if isinstance(error, ModuleNotFoundError):
            cure = "; import it at the top of the module, not inside a function"
        raise kind(f"{what} failed: {describe_exception(error)}{cure}") from error


def ask(thing: Any, name: str, *given: Any) -> Any:
    """Call a property or method of a signal or strategy, check the result and return it.

    ``given`` are the arguments of the method. Raise SimulationError when the user's code fails, or
    when the result does not have the form that the base class requires.
    """
    with author_code(f"{thing.name}: {name}", SimulationError, _NAMED_IN.get(name, "")):
        answer = getattr(thing, name)
        ours = type(thing).__module__.partition(".")[0] in OURS
        arguments = given if ours else tuple(map(_copy_of, given))
        answer = answer(*arguments) if given else answer
        if name in _FORMS:
            indexes = [table.index for table in given if isinstance(table, pd.DataFrame)]
            _FORMS[name](thing, name, answer, *indexes)
    return answer


def _copy_of(given: Any) -> Any:
    """Return a shallow copy of a table or reading; copying a reading evaluates all its signals."""
    if isinstance(given, pd.DataFrame):
        return given.copy(deep=False)
    return given.rows(lambda part: part.copy(deep=False)) if hasattr(given, "rows") else given


def _require(holds: bool, thing: Any, name: str, expected: str, was: str, cure: str) -> None:
    if not holds:
        raise SimulationError(f"{thing.name}: expected {name} as {expected}, was {was}; {cure}")


def _check_ids(thing: Any, name: str, answer: Any) -> None:
    what = "tickers" if name == "assets" else "ids"
    holds = isinstance(answer, tuple) and all(isinstance(id, str) and id for id in answer)
    cure = f'write {name} like ("SPY", "IEF"), and a single {what[:-1]} like ("SPY",)'
    _require(holds, thing, name, f"a tuple of {what}", shown(answer), cure)
    twice = ", ".join(dict.fromkeys(id for id in answer if answer.count(id) > 1))
    _require(not twice, thing, name, f"{what}, each once", f"{twice} twice", "drop one of them")


def _check_rows(thing: Any, name: str, answer: Any, kind: type, index: pd.Index) -> None:
    expected = f"a {kind.__name__} with a row for each session of the panel"
    _require(isinstance(answer, kind), thing, name, expected, type(answer).__name__, "return one")
    was = f"{len(answer)} rows for {len(index)} sessions"
    was = was if len(answer) != len(index) else f"a {kind.__name__} with another index"
    _require(answer.index.equals(index), thing, name, expected, was, "reindex it")


def _check_state(thing: Any, name: str, answer: Any, index: pd.Index) -> None:
    if answer is None:
        return
    _check_rows(thing, name, answer, pd.Series, index)
    strange = [label for label in answer.unique() if not (isinstance(label, str) or pd.isna(label))]
    cure = "give a string for a session with a state, and None for a session without one"
    _require(not strange, thing, name, "labels", ", ".join(map(shown, strange[:1])), cure)


def _check_thresholds(thing: Any, name: str, answer: Any) -> None:
    holds = isinstance(answer, tuple) and all(isinstance(t, Threshold) for t in answer)
    enough = holds and (name == "injecting" or len(answer) > 0)
    _require(enough, thing, name, "a tuple of Threshold", shown(answer), "give at least one")
    for t in answer:
        cure = f"choose from {', '.join(thing.units)}"
        was = f"a threshold of {t.gauge!r}"
        _require(t.gauge in thing.units, thing, name, "thresholds of its own gauges", was, cure)


def _check_gauges(thing: Any, name: str, answer: Any, index: pd.Index) -> None:
    _check_rows(thing, name, answer, pd.DataFrame, index)
    found = [str(column) for column in answer.columns]
    holds = sorted(found) == sorted(thing.units)
    expected = f"the columns of units ({', '.join(thing.units)})"
    _require(holds, thing, name, expected, ", ".join(found) or "none", "use the same names")


def _check_score(thing: Any, name: str, answer: Any, index: pd.Index) -> None:
    _check_rows(thing, name, answer, pd.Series, index)
    holds = is_numeric_dtype(answer.dtype) and not is_bool_dtype(answer.dtype)
    _require(holds, thing, name, "numbers", f"of type {answer.dtype}", 'use .astype("float64")')


def _check_flag(thing: Any, name: str, answer: Any, index: pd.Index) -> None:
    _check_rows(thing, name, answer, pd.Series, index)
    expected = "pandas boolean, NA where data are missing"
    cure = 'use .astype("boolean").mask(measure.isna())'
    _require(str(answer.dtype) == "boolean", thing, name, expected, f"of type {answer.dtype}", cure)


#: For each property or method, the function that checks its result. The function
#: ``strategies.decide`` checks weights.
_FORMS: dict[str, Callable[..., None]] = {
    "assets": _check_ids,
    "reads": _check_ids,
    "inputs": _check_ids,
    "thresholds": _check_thresholds,
    "injecting": _check_thresholds,
    "gauges": _check_gauges,
    "combine": _check_gauges,
    "score": _check_score,
    "flag": _check_flag,
    "state": _check_state,
}
#: For each method, the class attributes that list the panel columns used by the method.
_NAMED_IN = {
    "gauges": "inputs",
    "combine": "inputs",
    "state": "assets or reads",
    "weights": "assets or reads",
}
