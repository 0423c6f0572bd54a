"""Tables of dated events: counts by kind, bond deals, and responses to policy surprises."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.thesis.clustered import FEWEST
from backtests.thesis.errors import NotTestable
from backtests.thesis.estimators.average_response import deals, spread_at_each_session
from backtests.thesis.estimators.instrumented import ratio_of, surprises
from backtests.thesis.responses import AFTER_NEWS
from backtests.thesis.returns import class_returns, windows
from backtests.thesis.sample import Sample


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of event, recorded in one or several event series.

    The ids of the event series begin with ``prefix``. ``each`` is True if each event series has its
    own events. ``each`` is False if all event series of the kind measure the same events.
    """

    prefix: str
    each: bool


#: The kinds of event series. Several series may measure one event.
KINDS: Mapping[str, Kind] = {
    "earnings releases": Kind(prefix="EARNINGS_", each=True),
    "bond deals of hyperscalers": Kind(prefix="BOND_DEAL_", each=True),
    "FOMC statements": Kind(prefix="FOMC", each=True),
    "FOMC statements with 30-minute changes": Kind(prefix="FED_ST_", each=False),
    "FOMC announcements with a policy surprise": Kind(prefix="MPS_ME", each=True),
    "decisions on administered rates": Kind(prefix="DECISION_", each=False),
    "ECB decisions with a surprise": Kind(prefix="ECB_", each=False),
}


def counts(sample: Sample) -> pd.DataFrame:
    """Return the number of events of each kind, and the first and the last date.

    A kind without events is left out. Raises NotTestable if the history has no events.
    """
    rows = {}
    for said, kind in KINDS.items():
        held = [sample.events(id) for id in sample.history.events if id.startswith(kind.prefix)]
        days = pd.DatetimeIndex([day for values in held for day in values.index])
        days = days if kind.each else days.unique()
        if len(days):
            rows[said] = {"events": len(days), "first": days.min(), "last": days.max()}
    if not rows:
        raise NotTestable("the history has no dated events")
    return pd.DataFrame.from_dict(rows, "index").rename_axis("kind")


def deal_table(sample: Sample) -> pd.DataFrame:
    """Return each bond deal with the response of the duration spread.

    The table has the columns of :func:`backtests.thesis.estimators.average_response.deals`, and the
    column ``response``. ``response`` is NaN if the event window is incomplete. Raises NotTestable
    if the history has no deal.
    """
    found = deals(sample)
    return found.assign(response=spread_at_each_session(sample)[found["at"], -1])


@dataclass(frozen=True, kw_only=True, eq=False)
class SurpriseStudy:
    """Responses of asset classes to policy surprises.

    Attributes
    ----------
    instrument
        Id of the instrument, a series of policy surprises.
    responses
        One row for each class. If a policy surprise raises DGS2 by 10 basis points, the class
        returns ``estimate`` percentage points in 6 sessions. ``low`` and ``high`` are the bounds of
        Anderson and Rubin's 95 % set, or infinite if the set has no bounds. ``strength`` is the F
        statistic of the first stage, and ``n`` the number of statements. If the statements lie in
        fewer than four quarters, all numbers except ``n`` are NaN.
    """

    instrument: str
    responses: pd.DataFrame


def surprise_study(sample: Sample) -> SurpriseStudy:
    """Return the response of each class to policy surprises.

    See :func:`backtests.thesis.estimators.instrumented.instrumented`. The study uses an FOMC
    statement if its surprise and its change of DGS2 are known. The returns of all long-duration and
    short-duration classes must also be known. Raises NotTestable if the history lacks surprises,
    yields, or the prices of a class.
    """
    id, events = surprises(sample)
    at = sample.sessions.get_indexer(pd.DatetimeIndex(events.table.index))
    rows = {
        name: _response(100 * windows(returns, at, 0, AFTER_NEWS)[:, -1], events.table)
        for name, returns in class_returns(sample).items()
    }
    responses = pd.DataFrame.from_dict(rows, "index").rename_axis("class")
    return SurpriseStudy(instrument=id, responses=responses.astype({"n": int}))


def _response(y: np.ndarray, table: pd.DataFrame) -> dict[str, float]:
    kept = ~np.isnan(y)
    columns = (table[name].to_numpy()[kept] for name in ("change", "surprise", "quarter"))
    found = ratio_of(y[kept], *columns)
    if found.reduced.clusters < FEWEST:
        return {**dict.fromkeys(("estimate", "low", "high", "strength"), np.nan), "n": len(y[kept])}
    low, high = found.bounds(0.95)
    return {
        "estimate": found.value,
        "low": low,
        "high": high,
        "strength": found.strength,
        "n": found.reduced.n,
    }
