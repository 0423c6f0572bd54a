"""How much of a flag's story rests on its parameters and on revised figures, one at a time.

Each parameter is moved by a quarter, each revised series within its bound, see
:mod:`backtests.evidence.revision`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import pandas as pd

from backtests.evidence.revision import moved
from signals.base import Signal
from signals.errors import ConfigError

STEP = 0.25
#: A stay this long is a major one, sessions.
MAJOR = 63
#: Below this overlap of days on, the moved flag tells another story.
SAME_STORY = 0.5


@dataclass(frozen=True, kw_only=True)
class Moved:
    """A flag with one parameter moved.

    Attributes
    ----------
    signal, parameter
        Names; the parameter of a part is ``part.parameter``. ``GDP ×`` is a revised series times
        a factor, ``with THREEFYTP10`` one that is left out where the value is 0.
    value, base
        As moved, and as it is.
    on
        Share of the days with a view on which the flag is on, %.
    switches
        Dates on which a stay of at least :data:`MAJOR` sessions, or the present one, begins.
    overlap
        Days on under both, over days on under either, a fraction; 1 where neither is ever on.
    """

    signal: str
    parameter: str
    value: float
    base: float
    on: float
    switches: tuple[str, ...]
    overlap: float

    @property
    def other_story(self) -> bool:
        """Whether the moved flag is on on mostly other days."""
        return self.overlap < SAME_STORY


def sensitivity(
    panel: pd.DataFrame, chosen: Mapping[str, Signal], revised: Sequence[str] = ()
) -> list[Moved]:
    """Return every flag with each of its numeric parameters moved by ±25 %, one at a time.

    The first entry of a signal has parameter ``""``: the flag as it is. A parameter that cannot
    be moved that far (it would pass another one) is left out; whole numbers are rounded.

    Parameters
    ----------
    panel, chosen
        Point-in-time panel, and signals by name.
    revised
        Series whose figures may have been revised later, which are moved too; see
        :func:`backtests.evidence.revision.revised_in`.
    """
    rows: list[Moved] = []
    for name, signal in chosen.items():
        flag = signal.flag(panel)
        rows.append(_moved(name, "", 0.0, 0.0, flag, flag))
        for parameter, base, value, variant in _variants(signal):
            rows.append(_moved(name, parameter, value, base, variant.flag(panel), flag))
        for id in (id for id in revised if id in signal.inputs):
            for case in moved(panel, id):
                if case.factor != 1:
                    again = signal.flag(case.panel)
                    rows.append(_moved(name, case.parameter, case.factor, 1.0, again, flag))
    return rows


def _variants(signal: Signal) -> Iterator[tuple[str, float, float, Signal]]:
    """Yield each numeric parameter with its value, the moved value, and the signal so moved."""
    for path, base in _numbers(signal):
        for factor in (1 - STEP, 1 + STEP):
            value = round(base * factor) if isinstance(base, int) else base * factor
            if value == base:
                continue
            try:
                yield ".".join(path), base, value, _with(signal, path, value)
            except ConfigError:
                continue


def _numbers(part: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for f in fields(part):
        value = getattr(part, f.name)
        if is_dataclass(value):
            yield from _numbers(value, (*path, f.name))
        elif isinstance(value, int | float) and not isinstance(value, bool) and value != 0:
            yield (*path, f.name), value


def _with(part: Any, path: tuple[str, ...], value: float) -> Any:
    first, rest = path[0], path[1:]
    inner = value if not rest else _with(getattr(part, first), rest, value)
    return replace(part, **{first: inner})


def _moved(
    name: str, parameter: str, value: float, base: float, flag: pd.Series, as_is: pd.Series
) -> Moved:
    on, before = flag.fillna(False).astype(bool), as_is.fillna(False).astype(bool)
    either = int((on | before).sum())
    views = int(flag.notna().sum())
    return Moved(
        signal=name,
        parameter=parameter,
        value=value,
        base=base,
        on=100 * int(on.sum()) / views if views else float("nan"),
        switches=_switches(on),
        overlap=int((on & before).sum()) / either if either else 1.0,
    )


def _switches(on: pd.Series) -> tuple[str, ...]:
    stay = (on != on.shift(fill_value=False)).cumsum()
    length = on.groupby(stay).transform("size")
    running = stay == stay.iloc[-1]
    begins = on & ~on.shift(fill_value=False) & ((length >= MAJOR) | running)
    return tuple(str(day)[:10] for day in on.index[begins])
