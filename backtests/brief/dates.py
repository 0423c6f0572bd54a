"""The expected dates of the next releases, filings and decisions."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from backtests.calendar import CLOSE, known_at, sessions
from backtests.engine.schedule import Schedule
from backtests.history.panel import History
from backtests.today import next_scheduled
from signals.catalog import CATALOG, H41, HYPERSCALERS, Rule, ttm_id

Basis = Literal["rule", "a year ago", "calendar"]
#: Pandas frequency of the dates of a weekly, monthly or quarterly series. A month or a quarter has
#: the date of its first day. A week has the date of its last day, a Wednesday. Series with
#: ``at_end`` do not use this mapping.
_PERIODS = {"week": "W-WED", "month": "MS", "quarter": "QS"}
_LOOK = pd.Timedelta(days=200)  # longer than any delay from a value's date to its release
#: Almost a year. After 52 weeks, the day of the week is the same.
FIFTY_TWO_WEEKS = pd.Timedelta(weeks=52)


@dataclass(frozen=True, kw_only=True)
class Expected:
    """A date on which new data or a decision is expected.

    New data can become available before or after the expected day.

    Attributes
    ----------
    day
        The expected day.
    what, short, ids
        ``what`` is a phrase for the expected data or decision. ``short`` is a short form of
        ``what``, in one or two words. ``ids`` contains the ids of the series.
    basis
        How the day is computed. ``rule``: the day comes from the publication rule in the catalog.
        The value counts as known from this day. The publisher can release the value before this
        day. ``a year ago``: a past release took place 52 weeks before the expected day.
        ``calendar``: the calendar of the exchange gives the day, so the day is certain.
    """

    day: pd.Timestamp
    what: str
    short: str
    ids: tuple[str, ...]
    basis: Basis


def next_dates(history: History, ids: Iterable[str]) -> tuple[Expected, ...]:
    """Return the next decision and the next release of each series in ``ids``, sorted by date.

    The dates are after the last close of the history. The result also contains the next filing of
    each hyperscaler. The next filing is expected 52 weeks after the firm's earliest filing of the
    past 52 weeks. An expected day that is not a session is replaced by the next session, because
    values are used only on sessions.

    A vintage is a published version of a series. The next release of a series with vintages is
    expected 52 weeks after a past release. The past release is the earliest release of the past 52
    weeks. The publication rule of a series with vintages is not used. The rule gives one date for
    each value, but a value with vintages has several releases.

    Daily series are left out, because their next values come within days. A series is also left out
    if the history contains no value of it. Three kinds of series without vintages are left out,
    too: yearly series, series of events, and series without release dates.
    """
    session = pd.Timestamp(history.panel.index[-1])
    known = [id for id in dict.fromkeys(ids) if _is_expected(id, history)]
    ruled: dict[tuple[Rule, str], list[str]] = {}
    for id in known:
        if CATALOG[id].frequency in _PERIODS and id not in history.archived_since:
            dated = "ME" if CATALOG[id].at_end else _PERIODS[CATALOG[id].frequency]
            ruled.setdefault((CATALOG[id].known, dated), []).append(id)
    found = [
        *(_release(rule, dated, ids, session) for (rule, dated), ids in ruled.items()),
        *(
            _repeated(history, id, CATALOG[id].title, id)
            for id in known
            if id in history.archived_since
        ),
        *(
            _repeated(history, ttm_id("CAPEX", firm), f"filing of {firm}", firm)
            for firm in HYPERSCALERS
        ),
        _decision(session),
    ]
    return tuple(sorted((one for one in found if one is not None), key=lambda one: one.day))


def _is_expected(id: str, history: History) -> bool:
    """Return whether a series of the catalog is not daily, and was ever known in a history."""
    is_daily = id not in CATALOG or CATALOG[id].frequency == "day"
    return not is_daily and history.last_known(id) is not None


def _release(rule: Rule, dated: str, ids: list[str], session: pd.Timestamp) -> Expected | None:
    """Return the next release that a publication rule gives, or None if the rule gives no dates.

    ``dated`` is the pandas frequency of the dates that the values describe.
    """
    if rule.kind not in ("h41", "days", "stated"):
        return None
    days = pd.date_range(session - _LOOK, session + _LOOK, freq=dated)
    moments = known_at(rule, days.as_unit("us"), session)
    later = moments[moments > session + CLOSE]
    if not len(later):
        return None
    title = "the Fed's balance sheet (H.4.1)" if rule == H41 else CATALOG[ids[0]].title
    return Expected(
        day=_session_from(later.min()),
        what=title,
        short="H.4.1" if rule == H41 else ids[0],
        ids=tuple(ids),
        basis="rule",
    )


def _repeated(history: History, id: str, what: str, short: str) -> Expected | None:
    """Return the next release of a series, which is expected 52 weeks after a past release.

    If the past 52 weeks contain no release, the result is None.

    ``history.known`` contains the moment of each release of the series.
    """
    if id not in history.known:
        return None
    close = history.panel.index[-1] + CLOSE
    moments = pd.DatetimeIndex(history.known[id].dropna().unique()) + FIFTY_TWO_WEEKS
    later = moments[moments > close]
    if not len(later):
        return None
    day = _session_from(later.min())
    return Expected(day=day, what=what, short=short, ids=(id,), basis="a year ago")


def _session_from(moment: pd.Timestamp) -> pd.Timestamp:
    """Return the day of a moment, or the next session if the day is not a session."""
    day = moment.normalize()
    open_days = sessions(day, day + pd.Timedelta(weeks=1))
    return open_days[0] if len(open_days) else day  # the calendar ends a year from now


def _decision(session: pd.Timestamp) -> Expected | None:
    day = next_scheduled(Schedule(), session)
    if day is None:
        return None
    what = "scheduled decision of the strategies"
    return Expected(day=day, what=what, short="decision", ids=(), basis="calendar")
