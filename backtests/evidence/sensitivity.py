"""How flags react to a change of one parameter or of one revised series.

Each parameter is raised and lowered by a quarter of its value. A parameter that is a whole number
changes by at least 1. :mod:`backtests.evidence.revision` describes the changes of revised series.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import pandas as pd

from backtests.evidence.revision import moved
from backtests.progress import Progress, counted, silent
from signals.base import Signal
from signals.errors import ConfigError
from signals.evaluations import Evaluations, evaluate, inputs_of
from signals.params import choices, numbers, with_parameter
from signals.stays import stays

STEP = 0.25
#: :attr:`Moved.switches` contains the first date of each period in which the flag is on for at
#: least this number of sessions.
MAJOR = 63
#: A changed flag counts as similar to the original flag if the overlap is at least this fraction.
SAME_STORY = 0.5


@dataclass(frozen=True, kw_only=True)
class Moved:
    """A flag, computed again after one parameter or one revised series was changed.

    Attributes
    ----------
    parameter
        Name of the changed parameter or series. A parameter of an input signal has a name of the
        form ``signal.parameter``. For a changed series, the name is
        :attr:`backtests.evidence.revision.Case.parameter`.
    value, base
        The changed and the original value of the parameter.
    on
        Number of days with the flag on, in percent of the days with a defined flag.
    switches
        Dates on which the flag turns on and then stays on for at least :data:`MAJOR` sessions. If
        the flag is on at the last session, the date on which it last turned on is always included.
    overlap
        Number of days with both flags on, divided by the number of days with at least one flag on.
        The overlap is a fraction. The overlap is 1 if both flags are always off. The overlap is NaN
        if one of the flags is undefined on all days.
    """

    signal: str
    parameter: str
    value: float | str
    base: float | str
    on: float
    switches: tuple[str, ...]
    overlap: float

    @property
    def other_story(self) -> bool:
        """Whether the changed flag and the original flag are on at mostly different times."""
        return self.overlap < SAME_STORY


def sensitivity(
    panel: pd.DataFrame,
    chosen: Mapping[str, Signal],
    revised: Sequence[str] = (),
    progress: Progress = silent,
) -> list[Moved]:
    """Return every flag, computed again after each change of one parameter or one revised series.

    Each numeric parameter is changed by ±25 %. A parameter that is a whole number changes by at
    least 1. A parameter with named choices is set to every other choice.

    The first result of each signal describes the original flag. The ``parameter`` of this result is
    an empty text. Changes that the signal does not allow are left out. For example, a lower
    threshold may not be raised above the upper threshold. A numeric parameter with the value 0 is
    not changed. A parameter that is a whole number stays whole. The flag stays the same if the
    signal's current settings do not use the changed parameter. For example, the signal
    ``dry_powder`` uses the parameter ``a`` only if the parameter ``scale`` is bank_assets.

    ``panel`` is a point-in-time panel. ``chosen`` maps names to signals. ``revised`` contains the
    catalog ids of the series to change. :func:`backtests.evidence.revision.revised_in` gives these
    ids. ``progress`` receives the name of each signal, and the number of signals that are done.
    """
    evaluations = evaluate(panel, chosen)
    rows: list[Moved] = []
    for name, signal in counted(chosen.items(), progress, lambda item: item[0]):
        flag = evaluations[name].flag
        rows.append(_moved(name, "", 0.0, 0.0, flag, flag))
        for path, base, value, variant in _variants(name, chosen):
            moved_flag = Evaluations(panel, variant, evaluations)[name].flag
            own = path.removeprefix(f"{name}.")
            rows.append(_moved(name, own, value, base, moved_flag, flag))
        read = inputs_of(signal, chosen, deciding=True)
        for case in (case for id in revised if id in read for case in moved(panel, id)):
            if case.factor != 1:
                again = evaluate(case.panel, chosen)[name].flag
                rows.append(_moved(name, case.parameter, case.factor, 1.0, again, flag))
    return rows


def _variants(
    name: str, chosen: Mapping[str, Signal]
) -> Iterator[tuple[str, float | str, float | str, dict[str, Signal]]]:
    """Yield the path, the value, the changed value and the changed signals for each change."""
    for owner in (*_parts(name, chosen), name):
        for parameter, base, value in _changes(chosen[owner]):
            path = f"{owner}.{parameter}"
            if value != base:
                with suppress(ConfigError):
                    yield path, base, value, with_parameter(chosen, path, value)


def _changes(signal: Signal) -> Iterator[tuple[str, float | str, float | str]]:
    """Yield the name, value and changed value of each parameter."""
    for parameter, base in numbers(signal).items():
        for factor in (1 - STEP, 1 + STEP):
            yield parameter, base, _scaled(base, factor)
    for parameter, named in choices(type(signal)).items():
        for value in named:
            yield parameter, getattr(signal, parameter), value


def _scaled(base: float, factor: float) -> float:
    """Return a number times a factor; a whole number stays whole and changes by at least 1."""
    if not isinstance(base, int):
        return base * factor
    value = round(base * factor)
    if value != base or base == 0:
        return value
    return base + 1 if factor > 1 else base - 1


def _parts(name: str, chosen: Mapping[str, Signal]) -> tuple[str, ...]:
    """Return the names of the signals that a signal contains, directly or indirectly."""
    direct = [part for part in chosen[name].parts if part in chosen]
    inner = [each for part in direct for each in (*_parts(part, chosen), part)]
    return tuple(dict.fromkeys(inner))


def _moved(
    name: str,
    parameter: str,
    value: float | str,
    base: float | str,
    flag: pd.Series,
    as_is: pd.Series,
) -> Moved:
    on, before = flag.fillna(False).astype(bool), as_is.fillna(False).astype(bool)
    either = int((on | before).sum())
    views = int(flag.notna().sum())
    overlap = int((on & before).sum()) / either if either else 1.0
    return Moved(
        signal=name,
        parameter=parameter,
        value=value,
        base=base,
        on=100 * int(on.sum()) / views if views else float("nan"),
        switches=_switches(on),
        overlap=overlap if views and as_is.notna().any() else float("nan"),
    )


def _switches(on: pd.Series) -> tuple[str, ...]:
    return tuple(
        str(on.index[first])[:10]
        for is_on, first, last in stays(on)
        if is_on and (last - first + 1 >= MAJOR or last == len(on) - 1)
    )
