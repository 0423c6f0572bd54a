"""The sessions of monetary policy statements, and the change of the 2-year yield on each date."""

from collections.abc import Iterable
from datetime import date

import numpy as np
import pandas as pd

from backtests.thesis.clustered import quarters
from backtests.thesis.sample import Sample

#: Unit for changes of a yield, in percentage points. The unit is 10 basis points.
UNIT = 0.10


def statements(sample: Sample, days: Iterable[date | pd.Timestamp]) -> pd.DataFrame:
    """Return a table with one row for each session that has a policy statement.

    A statement on a day without a session belongs to the next session. The yield of a date is
    published one session later. ``change`` is a difference of two yields: the yield known one
    session after the statement, minus the yield known at the session of the statement. ``change``
    is in units of 10 basis points. ``change`` is NaN if no new yield is known one session after the
    statement. The columns are ``change``, ``at`` (position), ``state``, ``quarter``, ``row`` and
    ``column``. ``state`` is always 0.0, because claims about policy have no condition. Raises
    NotTestable if the history lacks DGS2.
    """
    at = np.unique(sessions_of(sample, days))
    sessions = sample.sessions[at]
    yields, known = sample.series("DGS2"), sample.history.known["DGS2"]
    change = yields.diff().where(known.ne(known.shift()))
    return pd.DataFrame(
        {
            "change": (change.shift(-1) / UNIT).iloc[at],
            "at": at,
            "state": 0.0,
            "quarter": quarters(sessions),
            "row": np.arange(len(at)),
            "column": 0,
        },
        index=sessions,
    )


def sessions_of(sample: Sample, days: Iterable[date | pd.Timestamp]) -> np.ndarray:
    """Return, for each day, the position of the first session on or after the day.

    Days before the first session, and days after the last session, are left out.
    """
    dates = pd.DatetimeIndex(list(days))
    dates = dates[(dates >= sample.sessions[0]) & (dates <= sample.sessions[-1])]
    return sample.sessions.searchsorted(dates)
