"""The sessions of monetary policy statements, and the change of the 2-year yield on each date."""

from collections.abc import Iterable
from datetime import date

import numpy as np
import pandas as pd

from backtests.thesis.clustered import quarters
from backtests.thesis.sample import Sample

#: Percentage points of yield in one unit of policy news, 10 basis points.
UNIT = 0.10


def statements(sample: Sample, days: Iterable[date | pd.Timestamp]) -> pd.DataFrame:
    """Return dates of statements as a table by session, with the change of DGS2 in 10 basis points.

    A statement on a day without a session belongs to the next session. The panel shows the yield
    of a date one session later, so the change is the panel's value after the session minus its
    value at the session. Columns: ``change``, ``at`` (position), ``state`` (always 0.0: claims
    about policy have no condition), ``quarter``, ``row`` and ``column``. Raises NotTestable if the
    history lacks DGS2.
    """
    at = np.unique(sessions_of(sample, days))
    sessions = sample.sessions[at]
    return pd.DataFrame(
        {
            "change": (sample.series("DGS2").diff().shift(-1) / UNIT).iloc[at],
            "at": at,
            "state": 0.0,
            "quarter": quarters(sessions),
            "row": np.arange(len(at)),
            "column": 0,
        },
        index=sessions,
    )


def sessions_of(sample: Sample, days: Iterable[date | pd.Timestamp]) -> np.ndarray:
    """Return the position of the first session on or after each day within the history."""
    dates = pd.DatetimeIndex(list(days))
    dates = dates[(dates >= sample.sessions[0]) & (dates <= sample.sessions[-1])]
    return sample.sessions.searchsorted(dates)
