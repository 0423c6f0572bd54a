"""Dated news of capital expenditure, and how asset classes respond to the surprises in the news.

An event is the first filing of a new amount, or the earnings release before the filing, see
:mod:`backtests.thesis.releases`.

Each filing adds a new quarter to the trailing-year expenditure, and removes the same quarter of the
previous year. A seasonal random walk is assumed: each quarter is expected to equal the same quarter
of the previous year. Under a seasonal random walk, the whole change of the trailing-year
expenditure counts as a surprise. The surprise is the relative change divided by the standard
deviation of the firm's earlier relative changes.

Reference
    Chan, Jegadeesh and Lakonishok (1996), "Momentum Strategies", Journal of Finance 51. The authors
    measure earnings surprises against a seasonal random walk, and divide each surprise by the
    standard deviation of the firm's surprises.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from backtests.history.panel import History
from backtests.thesis.clustered import Slope, quarters, slope
from backtests.thesis.errors import NotTestable
from backtests.thesis.returns import CLASSES, class_returns, windows
from backtests.thesis.sample import Sample
from signals.catalog import HYPERSCALERS, ttm_id

#: First and last session of the event window, relative to the session of the event.
BEFORE, AFTER = -5, 20
#: Number of sessions by which events are moved to dates without an event. Filings of a firm are
#: about 63 sessions apart, so a moved event lies between two filings.
MOVED = -30
#: The two states of idle capital. The state is 1.0 while the flag of dry_powder is on.
STATES = {0.0: "idle capital ample", 1.0: "idle capital depleted"}
#: Number of earlier changes that a standard deviation needs.
EARLIER = 4
#: Largest absolute surprise, in standard deviations. Larger surprises are clipped. A firm's first
#: standard deviations come from few values, so a surprise could be very large and dominate a slope.
LARGEST = 3.0
#: A quarter is missing if more than this time lies between the dates on which two successive
#: amounts become known.
_ONE_QUARTER = pd.Timedelta(days=140)


@dataclass(frozen=True, kw_only=True)
class Filing:
    """The first filing with a firm's spending in a new year of four quarters.

    An earnings release is also stored as a Filing, see :func:`backtests.thesis.releases.releases`.

    Attributes
    ----------
    session
        The first session that closes after the new amount is known.
    surprise
        ``growth`` divided by the standard deviation of the firm's earlier changes, clipped to the
        range from −3 to 3.
    growth
        Change of the trailing-year amount since the previous filing, a fraction.
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
        ``n`` is the number of events. ``firms`` are the firms with an event. ``first`` and ``last``
        are the sessions of the first and of the last event. An event is used if the state of idle
        capital before the event is known. The history must also contain the sessions from 5 before
        the event to 20 after the event.
    surprises
        Surprise of each event in standard deviations (σ). The index contains the sessions of the
        events.
    responses
        One row for each class and state. ``estimate`` is a slope: percentage points of return for
        each standard deviation (σ) of surprise. The class's return from session −5 to session 20 is
        regressed on the surprise. ``low`` and ``high`` are the bounds of the slope's 95 % interval.
        Each calendar quarter is one cluster. ``n`` is the number of events with known returns of
        the class. If there are too few quarters, all numbers except ``n`` are NaN.
    path
        One row for each session from −5 to 20, and one column for each class and state. Each number
        is the slope of a regression of the class's return on the surprise, in percentage points per
        σ. The class's return begins at session −5 and ends at the session of the row.
    controls
        A table like ``responses``, in which each surprise is moved to a date without an event, see
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
    """Return a table with one row for each new trailing-year amount of one firm.

    The index of a row is the session at which the amount is first known. ``growth`` is the change
    since the previous amount, a fraction. ``growth`` is NaN for the first amount and after a
    missing quarter. ``deviation`` is the standard deviation of earlier values of ``growth``; NaN if
    there are fewer than :data:`EARLIER` values. ``filed`` is True if the amount became known
    through a filing. If the data do not say when an amount became known, the moment in ``known`` is
    midnight, and ``filed`` is False. A filing becomes known at the open of a session, never at
    midnight.

    Parameters
    ----------
    amounts, known
        The trailing-year amount in USD as known at each session, and the moment at which the amount
        became known.
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
    """Return, for each value, the standard deviation of all earlier values.

    The result is NaN if there are fewer than :data:`EARLIER` earlier values.
    """
    return growth.expanding(EARLIER).std().shift()


def filings(history: History) -> tuple[Filing, ...]:
    """Return the first filings of all hyperscalers, in order of sessions.

    A filing is left out if its surprise cannot be computed. The standard deviation uses only
    changes that were known before the filing. An amount is also left out if the data do not say
    when the amount became known. The standard deviations of later surprises still include the
    change to an amount that is left out.
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
    """Return the events, each moved 30 sessions back to a date without news of the firm.

    A moved event has a window from 5 sessions before its new date to 20 sessions after its new
    date. If the firm has an event or a new amount in this window, the moved event is left out. An
    event is also left out if its new date is before the start of the history.
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
    """Return the responses of all classes to filings or releases, for each state of idle capital.

    ``dated`` is the function that finds the events: :func:`filings`, or
    :func:`backtests.thesis.releases.releases`. The state is the flag of dry_powder two sessions
    before the event, so the state is known before the event. Raises NotTestable if no event is
    usable, see ``n`` of :class:`FilingStudy`, or if the flag of dry_powder is always NaN.
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
    """Return a table of events, with the session of each event as index.

    The columns are ``firm``, ``surprise``, ``at`` (position of the session), ``state`` and
    ``quarter``. The state is 1.0 if idle capital was depleted before the event, and 0.0 if idle
    capital was ample. The state is NaN if the flag was unknown.
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
    bounds = fit.interval
    return {"estimate": fit.value, "low": bounds.low, "high": bounds.high, "n": fit.n}


def slope_path(cumulated: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return the slope of each column of ``cumulated`` on x; events with a NaN are left out."""
    kept = ~np.isnan(cumulated[:, -1])
    away = x[kept] - x[kept].mean() if kept.any() else x[kept]
    if not (away**2).sum() > 0:
        return np.full(cumulated.shape[1], np.nan)
    result: np.ndarray = away @ cumulated[kept] / (away**2).sum()
    return result
