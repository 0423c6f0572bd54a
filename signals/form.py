"""Functions that call the code of a signal or a strategy and check the result.

An exception in a user's code becomes a drypowder error. A user's code gets shallow copies of the
panel, of the evaluations of other signals, and of the reading (:class:`signals.Reading`). If the
user's code changes a copy, other code does not see the change.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_complex_dtype, is_numeric_dtype

from signals.errors import ConfigError, DrypowderError, SimulationError, describe_exception, shown
from signals.hysteresis import Threshold
from signals.params import fits

#: The packages of drypowder. A class of any other package gets copies of the panel and the reading.
OURS = ("signals", "strategies", "backtests")
#: The unit of a gauge that contains text.
TEXT = "name"
#: Name of the gauge that lists the components missing from a composite score. A composite score
#: combines several z-scores, and omits each z-score without data. See
#: :attr:`signals.transforms.Composite.without`.
WITHOUT = "without"


@contextmanager
def author_code(
    what: str, kind: type[DrypowderError] = ConfigError, names: str = ""
) -> Iterator[None]:
    """Run a user's code, and turn any exception into an error of class ``kind``.

    DrypowderError and KeyboardInterrupt (Ctrl-C) are raised unchanged. The error message begins
    with ``what``, a name for the user's code. ``names`` is a text with names of class attributes,
    such as ``inputs``. The class attributes list the panel columns that the code reads. After a
    KeyError, the message says that these class attributes must list every column. If ``names`` is
    empty, the message does not mention attributes.
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

    ``given`` contains the arguments of the method. Raise SimulationError when the user's code
    fails, or when the result has the wrong form.
    """
    with author_code(f"{thing.name}: {name}", SimulationError, _NAMED_IN.get(name, "")):
        answer = getattr(thing, name)
        ours = type(thing).__module__.partition(".")[0] in OURS
        arguments = given if ours else tuple(map(_copy_of, given))
        with np.errstate(all="ignore"):  # a warning would name a file of numpy or pandas
            answer = answer(*arguments) if given else answer
        if name in _FORMS:
            indexes = [table.index for table in given if isinstance(table, pd.DataFrame)]
            _FORMS[name](thing, name, answer, *indexes)
    return answer


def _copy_of(given: Any) -> Any:
    """Return a shallow copy of a table, of a reading, or of a mapping of evaluations.

    If ``given`` is a reading, the function evaluates all signals of the reading.
    """
    if isinstance(given, pd.DataFrame):
        return given.copy(deep=False)
    if isinstance(given, Mapping):
        return {name: _copy_of(each) for name, each in given.items()}
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
    _require(not twice, thing, name, f"{what}, each once", f"{twice} twice", "drop the duplicate")


def _check_rows(thing: Any, name: str, answer: Any, kind: type, index: pd.Index) -> None:
    expected = f"a {kind.__name__} with a row for each session of the panel"
    _require(isinstance(answer, kind), thing, name, expected, type(answer).__name__, "return one")
    if answer.index.equals(index):
        return
    was, cure = labels_fault(answer.index) or (f"a {kind.__name__} with another index", "")
    if not cure and len(answer) != len(index):
        was = f"{len(answer)} rows for {len(index)} sessions"
    _require(False, thing, name, expected, was, cure or "reindex it")


def labels_fault(labels: pd.Index) -> tuple[str, str] | None:
    """Return what is wrong with the rows or columns of a table, and the cure.

    The fault is several levels, a time zone or a label that occurs twice; without such a fault, the
    function returns None.
    """
    if isinstance(labels, pd.MultiIndex):
        return f"a MultiIndex with {labels.nlevels} levels", "give an index with one level"
    if zone := getattr(labels, "tz", None):
        return f"dates in the time zone {zone}", "remove it with .tz_localize(None)"
    if not labels.is_unique:
        twice = labels[labels.duplicated()][0]
        said = twice.date() if isinstance(twice, pd.Timestamp) else shown(twice, str)
        return f"{said} twice", "drop the duplicate"
    return None


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
        _require(
            t.gauge in thing.units, thing, name, "thresholds of the signal's own gauges", was, cure
        )


def _check_gauges(thing: Any, name: str, answer: Any, index: pd.Index) -> None:
    _check_rows(thing, name, answer, pd.DataFrame, index)
    found = list(answer.columns)
    holds = len(found) == len(thing.units) and set(found) == set(thing.units)
    expected = f"a table with the keys of `units` as columns ({', '.join(thing.units)})"
    was = ", ".join(column if isinstance(column, str) else shown(column) for column in found)
    _require(holds, thing, name, expected, was or "none", "use the keys as column names")
    for gauge, unit in thing.units.items():
        if unit == TEXT and gauge != thing.headline:
            continue
        kind = answer[gauge].dtype
        cure = f'use .astype("float64"), or give a gauge of text the unit {TEXT!r}'
        cure = "choose another main gauge in headline" if unit == TEXT else cure
        holds = isinstance(kind, np.dtype) and kind.kind in "biuf"
        _require(holds, thing, f"gauge {gauge}", "numbers", f"of type {kind}", cure)
        _check_finite(thing, f"gauge {gauge}", answer[gauge])


def _check_score(thing: Any, name: str, answer: Any, index: pd.Index) -> None:
    _check_rows(thing, name, answer, pd.Series, index)
    kind = answer.dtype
    holds = is_numeric_dtype(kind) and not is_bool_dtype(kind) and not is_complex_dtype(kind)
    _require(holds, thing, name, "numbers", f"of type {kind}", 'use .astype("float64")')
    _check_finite(thing, name, answer)


def _check_finite(thing: Any, name: str, answer: pd.Series) -> None:
    """Raise SimulationError for an infinite number, which would count as a known value."""
    infinite = np.isinf(answer.to_numpy(dtype=np.float64, na_value=np.nan))
    if infinite.any():
        row = int(np.argmax(infinite))
        was = f"{answer.iloc[row]} on {pd.Timestamp(answer.index[row]).date()}"
        cure = "return NaN where the code divides by 0"
        _require(False, thing, name, "finite numbers or NaN", was, cure)


def _check_flag(thing: Any, name: str, answer: Any, index: pd.Index) -> None:
    _check_rows(thing, name, answer, pd.Series, index)
    expected = "pandas boolean, NA where data are missing"
    cure = 'use .astype("boolean").mask(measure.isna())'
    _require(str(answer.dtype) == "boolean", thing, name, expected, f"of type {answer.dtype}", cure)


def _check_count(thing: Any, name: str, answer: Any) -> None:
    none = answer is None and name == "lasts"
    holds = none or (fits(answer, int) and answer > 0)
    expected = "a whole number above 0" + " or None" * (name == "lasts")
    _require(holds, thing, name, expected, shown(answer), "correct it")


def _check_names(thing: Any, name: str, answer: Any) -> None:
    holds = isinstance(answer, tuple) and all(isinstance(each, str) for each in answer)
    cure = 'write several names like ("a", "b"), and a single name like ("a",)'
    _require(holds, thing, name, "a tuple of names", shown(answer), cure)
    if name == "components" and answer:
        expected = f"a mapping with {WITHOUT!r}, because the signal has components"
        cure = f"add the gauge {WITHOUT!r}, which signals.transforms.composite returns"
        _require(WITHOUT in thing.units, thing, "units", expected, ", ".join(thing.units), cure)


def _check_beside(thing: Any, name: str, answer: Any) -> None:
    holds = isinstance(answer, Mapping) and all(
        isinstance(what, str) and isinstance(number, Real) for what, number in answer.items()
    )
    _require(holds, thing, name, "a mapping from names to numbers", shown(answer), "correct it")


def _check_unit(thing: Any, name: str, answer: Any) -> None:
    _require(isinstance(answer, str), thing, name, "text", shown(answer), "return the unit")


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
    "confirm_leave": _check_count,
    "lasts": _check_count,
    "shown_only": _check_names,
    "components": _check_names,
    "beside": _check_beside,
    "unit": _check_unit,
}
#: For each method, the class attributes that list the panel columns used by the method.
_NAMED_IN = {
    "gauges": "inputs",
    "combine": "inputs",
    "state": "assets or reads",
    "weights": "assets or reads",
}
