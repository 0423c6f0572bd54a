"""Operations on columns as plain lists, for the twins of the signals, without pandas.

A column is a list with one value for each session, and None where no value is known. A flag is a
list of True, False and None.
"""

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

Column = list[float | None]
Flag = list[bool | None]
Panel = dict[str, Column]
Names = list[str | None]
Gauges = Mapping[str, Column | Names]

WINDOW = 1260
MINIMUM = 252
CONFIRM = 5


def zscore(x: Column, window: int = WINDOW, minimum: int = MINIMUM) -> Column:
    """Return (x − mean) / standard deviation over the window that ends at each session.

    Let S be the sum of n values, and Q the sum of their squares. The square of the result is (n x −
    S)² (n − 1) / (n (n Q − S²)). S and Q are updated as whole numbers, so no digit is lost.
    """
    out: Column = []
    units = _units(x)
    n = total = squares = 0
    for i, value in enumerate(units):
        for entering, sign in ((value, 1), (units[i - window] if i >= window else None, -1)):
            if entering is not None:
                n += sign
                total += sign * entering
                squares += sign * entering * entering
        spread = n * squares - total * total
        if value is None or n < minimum or spread == 0:
            out.append(None)
            continue
        beyond = n * value - total
        distance = math.sqrt(beyond**2 * (n - 1) / (n * spread))
        out.append(distance if beyond > 0 else -distance)
    return out


def _units(x: Column) -> list[int | None]:
    """Return floats as whole numbers of one unit.

    The unit is the largest power of two, at most 1, of which all the floats are multiples.
    """
    ratios = [None if v is None else v.as_integer_ratio() for v in x]
    unit = max((ratio[1] for ratio in ratios if ratio is not None), default=1)
    return [None if ratio is None else ratio[0] * (unit // ratio[1]) for ratio in ratios]


class Combined(NamedTuple):
    """Mean, score and names of the parts left out, each with one value for each session."""

    mean: Column
    score: Column
    without: Names


def combined(parts: Panel) -> Combined:
    """Return mean, score and the names left out, from several columns of z-scores by name.

    The mean is over the parts with a value, clipped to ±3. At least half of all parts need a value.
    A part counts for the score if it has a value at the session, and at 252 of the last 1,260
    sessions. The score is the z-score of the mean of these parts. Its window is the last 1,260
    sessions, without sessions at which one of these parts has no value.
    """
    names = list(parts)
    within = {k: [None if v is None else max(-3.0, min(3.0, v)) for v in parts[k]] for k in names}
    counts = {k: _counts(within[k]) for k in names}
    length = len(within[names[0]])
    sets = [tuple(k for k in names if counts[k][i]) for i in range(length)]
    means = {s: _means([within[k] for k in s]) for s in set(sets) if 2 * len(s) >= len(names)}
    scores = {s: zscore(x) for s, x in means.items()}
    return Combined(
        mean=[_mean_of_present([within[k][i] for k in names]) for i in range(length)],
        score=[scores[s][i] if s in scores else None for i, s in enumerate(sets)],
        without=[", ".join(k for k in names if k not in s) or None for s in sets],
    )


def _counts(x: Column) -> list[bool]:
    """Return, for each session, whether it and enough sessions of its window have a value."""
    seen = 0
    out = []
    for i, value in enumerate(x):
        seen += value is not None
        seen -= i >= WINDOW and x[i - WINDOW] is not None
        out.append(value is not None and seen >= MINIMUM)
    return out


def _mean_of_present(values: list[float | None]) -> float | None:
    """Return the mean of the values that are not None, if at least half are not None."""
    there = [v for v in values if v is not None]
    return math.fsum(there) / len(there) if 2 * len(there) >= len(values) else None


def _means(columns: list[Column]) -> Column:
    """Return the mean of several columns at each session; None if one has no value."""
    return [
        None if None in row else math.fsum(row) / len(row) for row in zip(*columns, strict=True)
    ]


def complete(row: Iterable[float | None]) -> tuple[float, ...] | None:
    """Return a row of values, or None if one of them is missing."""
    there = tuple(row)
    seen = tuple(v for v in there if v is not None)
    return seen if len(seen) == len(there) else None


def change(x: Column, n: int) -> Column:
    """Return the change over n sessions."""
    return [None if i < n else minus(x[i], x[i - n]) for i in range(len(x))]


def growth(x: Column, n: int) -> Column:
    """Return the relative change over n sessions."""
    out: Column = []
    for i, now in enumerate(x):
        then = x[i - n] if i >= n else None
        out.append(None if now is None or then is None else now / then - 1)
    return out


def minus(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b


def plus(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a + b


def hundredths(x: Column) -> Column:
    """Return the values in whole basis points, as yields are quoted."""
    return [None if v is None else round(v, 2) for v in x]


def negative(x: Column) -> Column:
    return [None if v is None else -v for v in x]


def latched(
    enter: list[bool], leave: list[bool], view: list[bool], confirm: int, confirm_leave: int = 0
) -> Flag:
    """Return a flag that changes when its condition has held for ``confirm`` consecutive sessions.

    If ``confirm_leave`` is not 0, turning off takes this number of sessions.
    """
    out: Flag = []
    on = False
    streak = 0
    for entering, leaving, there in zip(enter, leave, view, strict=True):
        if not there:
            on, streak = False, 0
            out.append(None)
            continue
        wants_to_turn = leaving if on else entering
        streak = streak + 1 if wants_to_turn else 0
        if streak == (confirm_leave if on and confirm_leave else confirm):
            on, streak = not on, 0
        out.append(on)
    return out


def above(x: Column, enter: float, leave: float, confirm: int = CONFIRM) -> Flag:
    """Return a flag that is on above ``enter`` and off again below ``leave``."""
    return latched(
        [v is not None and v > enter for v in x],
        [v is not None and v < leave for v in x],
        [v is not None for v in x],
        confirm,
    )


def below(x: Column, enter: float, leave: float, confirm: int = CONFIRM) -> Flag:
    """Return a flag that is on below ``enter`` and off again above ``leave``."""
    return above(negative(x), -enter, -leave, confirm)


def drawdown(x: Column, window: int) -> Column:
    """Return the fall from the highest value of the window, %; None if the window is not full."""
    out: Column = []
    for i in range(len(x)):
        seen = complete(x[max(0, i + 1 - window) : i + 1])
        full = seen is not None and len(seen) == window
        out.append(100 * (seen[-1] / max(seen) - 1) if seen and full else None)
    return out
