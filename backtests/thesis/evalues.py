"""Evidence that accumulates since a date."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from backtests.thesis.claims import Claim
from backtests.thesis.errors import NotTestable
from backtests.thesis.sample import Sample


@dataclass(frozen=True, kw_only=True, eq=False)
class Accumulated:
    """The e-value of one bet since a date."""

    name: str
    since: date
    weeks: int
    e_value: float
    highest: float
    path: pd.Series
    unit: str


def accumulate(sample: Sample, since: date, claims: Sequence[Claim]) -> tuple[Accumulated, ...]:
    """Raise NotTestable: e-values do not exist yet."""
    raise NotTestable("no e-values")
