"""Made-up evaluations and readings, for tests of the code that uses them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pandas as pd

from signals.absorption import Absorption
from signals.base import Evaluation
from signals.reading import Reading
from signals.regimes import Votes

Flag = Sequence[bool | None] | pd.Series
Change = Callable[[Evaluation], Evaluation]


def flag_of(flag: Flag, index: pd.Index) -> pd.Series:
    """Return a flag as pandas ``boolean``; None and NaN become NA."""
    return pd.Series(pd.array(list(flag), dtype="boolean"), index=index)


def evaluation_of(
    flag: Flag,
    index: pd.Index,
    *,
    score: float | Sequence[float] = float("nan"),
    injecting: Flag | None = None,
) -> Evaluation:
    """Return an evaluation with the given flag and score; its gauges are empty."""
    return Evaluation(
        signal=Absorption(),
        gauges=pd.DataFrame(index=index),
        score=pd.Series(score, index=index, dtype="float64"),
        flag=flag_of(flag, index),
        injecting=None if injecting is None else flag_of(injecting, index),
    )


def reading_of(
    regime: Sequence[str | None],
    index: pd.Index,
    evaluations: Mapping[str, Evaluation] | None = None,
    voters: tuple[str, ...] = (),
) -> Reading:
    """Return a reading with the given regime."""
    names = pd.Series(list(regime), index=index, dtype=object, name="regime")
    said = [None if name is None else "by hand" for name in names.where(names.notna(), None)]
    rule = pd.Series(said, index=index, dtype=object)
    return Reading(
        model=Votes(voters=voters),
        regime=names,
        rule=rule,
        decided_by=rule,
        evaluations=evaluations or {},
        voters=voters,
    )


def with_evaluations(reading: Reading, change: Change) -> Reading:
    """Return a reading with changed evaluations and the same regime."""
    changed = {name: change(evaluation) for name, evaluation in reading.evaluations.items()}
    return replace(reading, evaluations=changed)


def plainly(words: pd.Series) -> list[str | None]:
    """Return words as a list, with None for a missing word."""
    return [None if pd.isna(word) else word for word in words]
