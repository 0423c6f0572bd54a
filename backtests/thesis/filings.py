"""Dated news of capital expenditure, and how asset classes respond to their surprises.

The news is dated twice: at the first filing, and at the earnings release before this filing, see
:mod:`backtests.thesis.releases`. One study serves both.

From one filing to the next, the capital expenditure of the trailing year changes by the new quarter
minus the quarter a year earlier. If the expenditure of a firm followed a seasonal random walk, the
expected change would be zero. So the whole change counts as surprise. The surprise is the relative
change divided by the standard deviation of the firm's earlier relative changes.

Reference
    Chan, Jegadeesh and Lakonishok (1996), "Momentum Strategies", Journal of Finance 51, define the
    standardised surprise in this way for earnings.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from backtests.history.panel import History
from backtests.thesis.clustered import Slope, quarters, slope
from backtests.thesis.errors import NotTestable
from backtests.thesis.inference import t_interval
from backtests.thesis.returns import CLASSES, class_returns, windows
from backtests.thesis.sample import Sample
from signals.catalog import HYPERSCALERS, ttm_id

#: Sessions of the event window, relative to the session at which a filing is known.
BEFORE, AFTER = -5, 20
#: Number of sessions by which control dates are moved from their filings. Filings of a firm are
#: about 63 sessions apart, so a moved window lies between two of them.
MOVED = -30
#: The two states of idle capital, by the flag of dry_powder.
STATES = {0.0: "idle capital ample", 1.0: "idle capital depleted"}
#: Number of earlier changes that a standard deviation needs.
EARLIER = 4
#: Largest absolute surprise, σ. Larger surprises are clipped, because a firm's first standard
#: deviations are noisy and could decide a slope.
LARGEST = 3.0
#: If more time than this lies between two amounts, the change covers several quarters.
_ONE_QUARTER = pd.Timedelta(days=140)


@dataclass(frozen=True, kw_only=True)
class Filing:
    """A first filing of capital expenditure with a new trailing year, or the release of its figure.

    Attributes
    ----------
    session
        The first session whose close shows the new amount.
    surprise
        ``growth`` in standard deviations of the firm's earlier changes, at most 3 in absolute
        value.
    growth
        Change of the trailing year from the filing before, a fraction.
    """

    firm: str
    session: pd.Timestamp
    surprise: float
    growth: float


@dataclass(frozen=True, kw_only=True, eq=False)
class FilingStudy:
    """Responses of asset classes to surprises in filings or in earnings releases.

    Attributes
    ----------
    n, firms, first, last
        Number of events with a complete window and a state, the firms of these events, and their
        first and last session.
    surprises
        Surprise of each of these events, σ, by session.
    responses
        Index (class, state). ``estimate`` is the slope of the class's return on the surprise, in
        percentage points per σ, from session −5 to session 20. ``low`` and ``high`` bound its 95 %
        interval, with one cluster for each calendar quarter. ``n`` is the number of events. The
        numbers are NaN with too few quarters.
    path
        The slope of the return from session −5 to each session, sessions −5 to 20 × (class, state).
    controls
        A table like ``responses``: each surprise is moved to a date without an event, see
        :func:`controls`.
    """

    n: int
    firms: tuple[str, ...]
    first: pd.Timestamp
    last: pd.Timestamp
    surprises: pd.Series
    responses: pd.DataFrame
    path: pd.DataFrame
    controls: pd.DataFrame


def new_amounts(amounts: pd.Series, known: pd.Series) -> pd.DataFrame:
    """Return every new amount of one firm, by the session at which it is first seen.

    The columns are ``growth``, a fraction, NaN for the first amount and after a missing quarter;
    ``deviation``, the standard deviation of earlier growth, NaN with fewer than four values; and
    ``filed``, False if the moment was assumed. A filed amount becomes known when a session opens,
    and an assumed amount becomes known at midnight.

    Parameters
    ----------
    amounts, known
        The amount of the trailing year as known at each session, USD, and the moment at which this
        amount became known.
    """
    moments = known.dropna()
    moments = moments[moments.ne(moments.shift())]
    level = amounts[moments.index]
    growth = (level / level.shift() - 1).where(moments.diff() <= _ONE_QUARTER)
    return pd.DataFrame(
        {
            "growth": growth,
            "deviation": past_deviation(growth),
            "filed": moments.ne(moments.dt.normalize()),
        }
    )


def past_deviation(growth: pd.Series) -> pd.Series:
    """Return the standard deviation of all earlier values; NaN with fewer than :data:`EARLIER`."""
    return growth.expanding(EARLIER).std().shift()


def filings(history: History) -> tuple[Filing, ...]:
    """Return every first filing of a hyperscaler with a surprise, in order of sessions.

    The standard deviation of a surprise uses only changes that were known before the filing. An
    amount whose moment was assumed counts as an earlier change, but not as a filing.
    """
    found = []
    for firm, amounts in _by_firm(history).items():
        surprise = (amounts["growth"] / amounts["deviation"]).clip(-LARGEST, LARGEST)
        surprise = surprise[amounts["filed"] & (amounts["deviation"] > 0)].dropna()
        found += [
            Filing(firm=firm, session=session, surprise=size, growth=amounts["growth"][session])
            for session, size in zip(pd.DatetimeIndex(surprise.index), surprise, strict=True)
        ]
    return tuple(sorted(found, key=lambda filing: (filing.session, filing.firm)))


def _by_firm(history: History) -> dict[str, pd.DataFrame]:
    ids = {firm: ttm_id("CAPEX", firm) for firm in HYPERSCALERS}
    return {
        firm: new_amounts(history.panel[id], history.known[id])
        for firm, id in ids.items()
        if id in history.panel and history.panel[id].notna().any()
    }


def controls(history: History, real: Iterable[Filing]) -> tuple[Filing, ...]:
    """Return the events moved 30 sessions back, to sessions at which the firm reported nothing.

    A control is left out if its window, sessions −5 to 20, contains a new amount or one of the
    events of its firm. A control before the start of the history is left out, too.
    """
    sessions, real = pd.DatetimeIndex(history.panel.index), tuple(real)
    amounts = _by_firm(history)
    taken = {
        firm: sessions.get_indexer(amounts[firm].index.append(_sessions(mine)))
        for firm, mine in _grouped(real).items()
    }
    moved = []
    for filing in real:
        at = int(sessions.searchsorted(filing.session)) + MOVED
        apart = taken[filing.firm] - at
        if at >= 0 and not ((apart >= BEFORE) & (apart <= AFTER)).any():
            moved.append(replace(filing, session=sessions[at]))
    return tuple(moved)


def _sessions(real: Iterable[Filing]) -> pd.DatetimeIndex:
    return pd.DatetimeIndex([filing.session for filing in real])


def _grouped(real: Iterable[Filing]) -> dict[str, list[Filing]]:
    found: dict[str, list[Filing]] = {}
    for filing in real:
        found.setdefault(filing.firm, []).append(filing)
    return found


def study(sample: Sample, dated: Callable[[History], tuple[Filing, ...]] = filings) -> FilingStudy:
    """Return the responses of all classes to filings or releases, by state of idle capital.

    ``dated`` finds the events: :func:`filings`, or :func:`backtests.thesis.releases.releases`. The
    state is the flag of dry_powder two sessions before the session of the event, so the flag was
    known before the event.

    Raises NotTestable if the history has no event with a complete window and a state.
    """
    real = dated(sample.history)
    events = _events(sample, real)
    if events.empty:
        raise NotTestable(f"the history has no capex surprise in {dated.__name__}")
    responses, path = _responses(sample, events)
    placebo, _ = _responses(sample, _events(sample, controls(sample.history, real)))
    return FilingStudy(
        n=len(events),
        firms=tuple(sorted(set(events["firm"]))),
        first=events.index[0],
        last=events.index[-1],
        surprises=events["surprise"],
        responses=responses,
        path=path,
        controls=placebo,
    )


def _events(sample: Sample, real: Iterable[Filing]) -> pd.DataFrame:
    events = table(sample, real)
    inside = (events["at"] >= -BEFORE) & (events["at"] < len(sample.sessions) - AFTER)
    return events[inside & events["state"].notna()]


def table(sample: Sample, real: Iterable[Filing]) -> pd.DataFrame:
    """Return events as a table by session: firm, surprise, ``at`` (position), state, quarter.

    The state was known before the event: 1.0 if idle capital was depleted, 0.0 if idle capital was
    ample, and NaN if dry_powder had no view.
    """
    rows = [(filing.session, filing.firm, filing.surprise) for filing in real]
    events = pd.DataFrame(rows, columns=["session", "firm", "surprise"]).set_index("session")
    events.index = pd.DatetimeIndex(events.index)
    return events.assign(
        at=sample.sessions.get_indexer(events.index),
        state=sample.condition("dry_powder").reindex(events.index).to_numpy(),
        quarter=quarters(pd.DatetimeIndex(events.index)),
    )


def _responses(sample: Sample, events: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows, paths = {}, {}
    for name, returns in class_returns(sample, CLASSES).items():
        cumulated = 100 * windows(returns, events["at"].to_numpy(), BEFORE, AFTER)
        for state, said in STATES.items():
            chosen = (events["state"] == state).to_numpy()
            part, shocks = cumulated[chosen], events["surprise"].to_numpy()[chosen]
            fit = slope(part[:, -1], shocks, events["quarter"].to_numpy()[chosen])
            rows[name, said] = _row(fit)
            paths[name, said] = slope_path(part, shocks)
    responses = pd.DataFrame(rows).T.rename_axis(["class", "state"])
    return responses.astype({"n": int}), pd.DataFrame(
        paths, index=pd.RangeIndex(BEFORE, AFTER + 1, name="session")
    ).rename_axis(columns=["class", "state"])


def _row(fit: Slope) -> dict[str, float]:
    bounds = t_interval(fit.value, fit.error, fit.df)
    return {"estimate": fit.value, "low": bounds.low, "high": bounds.high, "n": fit.n}


def slope_path(cumulated: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the slope of each column on x; events with a NaN are left out."""
    kept = ~np.isnan(cumulated[:, -1])
    away = x[kept] - x[kept].mean() if kept.any() else x[kept]
    if not (away**2).sum() > 0:
        return np.full(cumulated.shape[1], np.nan)
    result: np.ndarray = away @ cumulated[kept] / (away**2).sum()
    return result
