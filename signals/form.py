"""Functions that ask a signal or a strategy, and that check the form of its answers.

Whatever the code of its author raises becomes one error on one line. The code of a user gets
shallow copies, so nobody else sees what it writes into the panel or the reading.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from signals.errors import ConfigError, DrypowderError, SimulationError, describe_exception, shown
from signals.hysteresis import Threshold

#: The packages of drypowder. Classes of other modules get copies of what they are given.
OURS = ("signals", "strategies", "backtests")


@contextmanager
def author_code(
    what: str, kind: type[DrypowderError] = ConfigError, names: str = ""
) -> Iterator[None]:
    """Run code of an author; whatever it raises becomes one error of class ``kind``.

    Drypowder's own errors and Ctrl-C pass unchanged. ``what`` names the code in the error.
    ``names`` are the attributes in which the class must name the columns of the panel that it
    reads. The error for a KeyError mentions them.
    """
    try:
        yield
    except (DrypowderError, KeyboardInterrupt):
        raise
    except BaseException as error:  # such as sys.exit()
        cure = ""
        if names and isinstance(error, KeyError):
            cure = f"; a column of the panel has to stand in {names}"
        if isinstance(error, ModuleNotFoundError):
            cure = "; import it at the top of the module, not inside a function"
        raise kind(f"{what} failed: {describe_exception(error)}{cure}") from error


def ask(thing: Any, name: str, *given: Any) -> Any:
    """Return what a property or a method of a signal or a strategy answers.

    ``given`` are the arguments of the method. Raise SimulationError when the author's code fails,
    or when its answer has another form than the contract asks for.
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
    """Return a shallow copy of a table or a reading; every signal of a reading is evaluated."""
    if isinstance(given, pd.DataFrame):
        return given.copy(deep=False)
    return given.rows(lambda part: part.copy(deep=False)) if hasattr(given, "rows") else given


def _require(holds: bool, thing: Any, name: str, expected: str, was: str, cure: str) -> None:
    if not holds:
        raise SimulationError(f"{thing.name}: expected {name} as {expected}, was {was}; {cure}")


def _check_ids(thing: Any, name: str, answer: Any) -> None:
    what = "tickers" if name == "assets" else "ids"
    holds = isinstance(answer, tuple) and all(isinstance(id, str) and id for id in answer)
    cure = f'write {name} like ("SPY", "IEF"), one alone ("SPY",)'
    _require(holds, thing, name, f"a tuple of {what}", shown(answer), cure)
    twice = ", ".join(dict.fromkeys(id for id in answer if answer.count(id) > 1))
    _require(not twice, thing, name, f"{what}, each once", f"{twice} twice", "drop one")


def _check_rows(thing: Any, name: str, answer: Any, kind: type, index: pd.Index) -> None:
    expected = f"a {kind.__name__} with a row for each session of the panel"
    _require(isinstance(answer, kind), thing, name, expected, type(answer).__name__, "return one")
    was = f"{len(answer)} rows for {len(index)} sessions"
    was = was if len(answer) != len(index) else "one with another index"
    _require(answer.index.equals(index), thing, name, expected, was, "reindex it")


def _check_state(thing: Any, name: str, answer: Any, index: pd.Index) -> None:
    if answer is None:
        return
    _check_rows(thing, name, answer, pd.Series, index)
    strange = [label for label in answer.unique() if not (isinstance(label, str) or pd.isna(label))]
    cure = "give each state a word, None where there is none"
    _require(not strange, thing, name, "labels", ", ".join(map(shown, strange[:1])), cure)


def _check_thresholds(thing: Any, name: str, answer: Any) -> None:
    holds = isinstance(answer, tuple) and all(isinstance(t, Threshold) for t in answer)
    enough = holds and (name == "injecting" or len(answer) > 0)
    _require(enough, thing, name, "a tuple of Threshold", shown(answer), "name at least one")
    for t in answer:
        cure = f"name one of {', '.join(thing.units)}"
        was = f"one of {t.gauge!r}"
        _require(t.gauge in thing.units, thing, name, "those of its gauges", was, cure)


def _check_gauges(thing: Any, name: str, answer: Any, index: pd.Index) -> None:
    _check_rows(thing, name, answer, pd.DataFrame, index)
    found = [str(column) for column in answer.columns]
    holds = sorted(found) == sorted(thing.units)
    expected = f"the columns of units ({', '.join(thing.units)})"
    _require(holds, thing, name, expected, ", ".join(found) or "none", "name both alike")


def _check_score(thing: Any, name: str, answer: Any, index: pd.Index) -> None:
    _check_rows(thing, name, answer, pd.Series, index)
    holds = is_numeric_dtype(answer.dtype) and not is_bool_dtype(answer.dtype)
    _require(holds, thing, name, "numbers", f"of type {answer.dtype}", 'use .astype("float64")')


def _check_flag(thing: Any, name: str, answer: Any, index: pd.Index) -> None:
    _check_rows(thing, name, answer, pd.Series, index)
    expected = "pandas boolean, NA where there is no view"
    cure = 'use .astype("boolean").mask(measure.isna())'
    _require(str(answer.dtype) == "boolean", thing, name, expected, f"of type {answer.dtype}", cure)


#: By property or method, the function that raises unless the answer has the right form. The
#: function ``strategies.decide`` checks weights.
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
#: By method, the attributes that name the columns of the panel that the method reads.
_NAMED_IN = {
    "gauges": "inputs",
    "combine": "inputs",
    "state": "assets or reads",
    "weights": "assets or reads",
}
