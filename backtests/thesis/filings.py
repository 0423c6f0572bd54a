"""Responses of asset classes to capex filings."""

from dataclasses import dataclass

import pandas as pd

from backtests.thesis.errors import NotTestable
from backtests.thesis.sample import Sample


@dataclass(frozen=True, kw_only=True, eq=False)
class FilingStudy:
    """Responses of asset classes to capex filings, by the state of idle capital."""

    n: int
    firms: tuple[str, ...]
    first: pd.Timestamp
    last: pd.Timestamp
    surprises: pd.Series
    responses: pd.DataFrame
    path: pd.DataFrame
    controls: pd.DataFrame


def study(sample: Sample) -> FilingStudy:
    """Raise NotTestable: the study does not exist yet."""
    raise NotTestable("no study of capex filings")
