"""Rival explanations as forecasters."""

from dataclasses import dataclass

import pandas as pd

from backtests.thesis.errors import NotTestable
from backtests.thesis.sample import Sample


@dataclass(frozen=True, kw_only=True, eq=False)
class Rivals:
    """Forecast comparison, index (target, rival)."""

    table: pd.DataFrame
    notes: tuple[str, ...]
    method: str = ""


def compare_rivals(sample: Sample) -> Rivals:
    """Raise NotTestable: the comparison does not exist yet."""
    raise NotTestable("no comparison with rival explanations")
