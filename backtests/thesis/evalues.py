"""Evidence that accumulates since a date."""

from dataclasses import dataclass

import pandas as pd

from backtests.thesis.sample import Sample

#: Date of the essay. The definitions of signals and claims are younger.
ESSAY = pd.Timestamp("2026-02-06")
REMARK = "The essay is dated 2026-02-06. The definitions of signals and claims are younger."
#: The e-value at which the claim is supported at 5 %.
CONVINCING = 20.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Accumulated:
    """The e-value of one bet since a date."""

    name: str
    what: str
    since: pd.Timestamp
    weeks: int
    clipped: int
    e_value: float
    highest: float
    path: pd.Series
    note: str = ""


def accumulate_since_dates(
    sample: Sample, sealed_at: pd.Timestamp | None = None
) -> tuple[Accumulated, ...]:
    """Return nothing: e-values do not exist yet."""
    return ()
