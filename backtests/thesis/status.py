"""Whether the flag of a claim is on, and in which periods the flag was on."""

from dataclasses import dataclass

import pandas as pd

from backtests.thesis.claim import Claim
from backtests.thesis.errors import NotTestable
from backtests.thesis.sample import Sample
from signals.hysteresis import since


@dataclass(frozen=True, kw_only=True)
class Stay:
    """A period in which the flag was on; a session with an unknown flag does not end the period.

    ``start`` and ``end`` are the first and the last session with the flag on. ``end`` is None if
    the flag is still on.
    """

    start: pd.Timestamp
    end: pd.Timestamp | None


@dataclass(frozen=True, kw_only=True)
class Status:
    """The state of a flag at the end of the history.

    Attributes
    ----------
    on
        Whether the flag is on at the last session at which the flag is known.
    at
        The last session at which the flag is known.
    current
        True if ``at`` is the last session of the history. If False, the flag is unknown after
        ``at``, because data of the flag's signal are missing.
    since
        First session of the period up to ``at`` in which the flag kept its state. The flag is known
        at each session of the period, and equals the attribute ``on``.
    stays
        All periods in which the flag was on, in order of time.
    """

    on: bool
    at: pd.Timestamp
    current: bool
    since: pd.Timestamp
    stays: tuple[Stay, ...]


def status(claim: Claim, sample: Sample) -> Status:
    """Return the state of a claim's flag at the last close at which the flag is known.

    Raises NotTestable if the flag is always NaN, or if the claim names no flag.
    """
    if claim.condition is None:
        raise NotTestable(f"{claim.name} names no flag")
    every = sample.flag(claim.condition)
    flag = every.dropna()
    changed = flag.ne(flag.shift())
    starts = flag.index[changed]
    ends = [*flag.index[changed.shift(-1, fill_value=False)][: len(starts) - 1], None]
    stays = [
        Stay(start=start, end=end)
        for start, end in zip(starts, ends, strict=True)
        if flag[start] == 1.0
    ]
    at = flag.index[-1]
    begun = since(every.loc[:at])
    assert begun is not None  # the flag is known at ``at``
    return Status(
        on=flag.iloc[-1] == 1.0,
        at=at,
        current=at == every.index[-1],
        since=begun,
        stays=tuple(stays),
    )
