"""Compute sums over trailing years from the cash-flow facts that companies file with the SEC.

A cash-flow fact covers three, six, nine or twelve months from the start of the fiscal year. Some
companies also file facts about single quarters and trailing years. A trailing year is the twelve
months up to the end of a period. If a fact covers the whole trailing year, its amount is used. If
no fact covers the trailing year, three facts give the amount:

    year to date + previous fiscal year − year to date one year earlier.

If a fact is filed several times, the first filing counts, and restatements are left out. A company
can file an item under several XBRL tags, with different definitions. If one tag covers a trailing
year and the year before, both sums come from this tag.

A fact is known from the open of the first session after the filing date. A fact is late if it is
filed more than :data:`LATE` days after the end of its period. The moment at which a late fact
counts as known depends on the fact's item.

Some items are in every cash-flow or income statement (:data:`~signals.catalog.IN_EVERY_STATEMENT`).
If a fact about an item in every statement is late, the company published the amount in time under
another tag. The two amounts can differ, because the tags can have different definitions. A late
fact about an item in every statement counts as known :data:`ASSUMED` days after the end of its
period. If the company first traded more than :data:`ASSUMED` days after the end of the period, the
fact counts as known only after its filing.

Some statements lack items such as debt, leases, buybacks or dividends. For an item that some
statements lack, a late fact counts as known only after its filing. The filing may be the first
publication of the amount.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any

import pandas as pd

from backtests.calendar import OPEN, session_after
from backtests.store.batch import SEC, Batch
from signals.catalog import IN_EVERY_STATEMENT, ttm_id, year_ago_id
from signals.universe import public_since

LATE = 120  # calendar days
ASSUMED = 45  # calendar days
FISCAL_YEAR = pd.Timedelta(days=365)
SLACK = pd.Timedelta(days=20)  # fiscal years have 52 or 53 weeks, and leap years have 366 days


@dataclass(frozen=True, kw_only=True)
class Fact:
    """An amount in USD for the period from ``start`` to ``end``. Restatements are left out.

    ``tag`` is the XBRL tag of the amount; empty for a sum of facts under several tags. ``known`` is
    the moment at which the fact was first known. ``assumed`` is True if ``known`` is an assumption,
    and False if ``known`` follows from the filing date.
    """

    start: pd.Timestamp
    end: pd.Timestamp
    value: float
    known: pd.Timestamp
    assumed: bool
    tag: str = ""

    @property
    def is_year(self) -> bool:
        """True if the fact covers twelve months."""
        return abs(self.end - self.start - FISCAL_YEAR) < SLACK


def first_filed(concept: str, ticker: str, entries: Iterable[dict[str, Any]]) -> list[Fact]:
    """Return a company's facts about one concept. Each fact is the value that was filed first.

    The facts are sorted by the end of their periods, and then by the start of their periods.
    ``entries`` are the items under ``units/USD`` in the SEC's ``companyconcept`` documents. Each
    entry has the fields ``start``, ``end``, ``val``, ``filed`` and ``accn``, and the ``tag`` of its
    document.
    """
    first: dict[tuple[str, str], dict[str, Any]] = {}
    for entry in sorted(entries, key=lambda e: (e["filed"], e["accn"])):
        first.setdefault((entry["end"], entry["start"]), entry)
    public = _assumed_from(concept, ticker)
    return [_fact(entry, public) for _, entry in sorted(first.items())]


def _assumed_from(concept: str, ticker: str) -> pd.Timestamp | None:
    """Return a company's first trading day, or the earliest possible day if no day is stored.

    Return None if :data:`~signals.catalog.IN_EVERY_STATEMENT` lacks the concept. In this case, a
    late fact about the concept counts as known only after its filing.
    """
    if concept not in IN_EVERY_STATEMENT:
        return None
    day = public_since(ticker)
    return pd.Timestamp.min if day is None else pd.Timestamp(day)


def _fact(entry: dict[str, Any], public: pd.Timestamp | None) -> Fact:
    """Convert an SEC entry into a Fact.

    ``public`` is the company's first trading day. If ``public`` is None, the fact counts as known
    only after its filing.
    """
    start, end, filed = (pd.Timestamp(entry[key]) for key in ("start", "end", "filed"))
    usual = end + pd.Timedelta(days=ASSUMED)
    assumed = public is not None and (filed - end).days > LATE and usual >= public
    known = usual if assumed else _open_after(filed)
    return Fact(
        start=start,
        end=end,
        value=float(entry["val"]),
        known=known,
        assumed=assumed,
        tag=entry["tag"],
    )


@cache
def _open_after(filed: pd.Timestamp) -> pd.Timestamp:
    """Return the open of the first session after a filing. One filing contains many facts."""
    return session_after(pd.DatetimeIndex([filed]))[0] + OPEN


def trailing_years(facts: list[Fact]) -> list[Fact]:
    """Return the trailing-year sums that follow from the facts, sorted by year end.

    If the facts give several sums for one year, the sum that was known first counts. If a fact
    about the whole year and a sum of three facts became known at the same moment, the fact about
    the whole year counts.
    """
    whole = [fact for fact in facts if fact.is_year]
    solved = [_solve(fact, facts) for fact in facts if not fact.is_year]
    return _known_first([*whole, *filter(None, solved)])


def _solve(to_date: Fact, facts: list[Fact]) -> Fact | None:
    """Return the sum over the year that ends with ``to_date``, or None if a fact is missing."""
    year_before = _find(facts, to_date.start - FISCAL_YEAR, to_date.start - pd.Timedelta(days=1))
    same_before = _find(facts, to_date.start - FISCAL_YEAR, to_date.end - FISCAL_YEAR)
    if year_before is None or same_before is None:
        return None
    parts = (to_date, year_before, same_before)
    return Fact(
        start=same_before.end + pd.Timedelta(days=1),
        end=to_date.end,
        value=to_date.value + year_before.value - same_before.value,
        known=max(part.known for part in parts),
        assumed=any(part.assumed for part in parts),
        tag=to_date.tag if len({part.tag for part in parts}) == 1 else "",
    )


def _find(facts: list[Fact], start: pd.Timestamp, end: pd.Timestamp) -> Fact | None:
    """Return the first fact that starts and ends within :data:`SLACK` of the given dates."""
    # A chain of comparisons takes a fifth of the time of abs(f.start - start) < SLACK.
    first, last, earliest, latest = start - SLACK, start + SLACK, end - SLACK, end + SLACK
    near = (f for f in facts if first < f.start < last and earliest < f.end < latest)
    return next(near, None)


def _years_by_tag(concept: str, ticker: str, entries: list[dict[str, Any]]) -> list[list[Fact]]:
    """Return a list of trailing-year sums for each tag, and a list for all tags together."""
    tags = dict.fromkeys(entry["tag"] for entry in entries)
    parts = [[entry for entry in entries if entry["tag"] == tag] for tag in tags]
    return [trailing_years(first_filed(concept, ticker, part)) for part in (*parts, entries)]


def _known_first(years: Iterable[Fact]) -> list[Fact]:
    """For each year end, return the fact that became known first.

    If several facts became known at the same moment, the first of these facts in ``years`` counts.
    """
    first: dict[pd.Timestamp, Fact] = {}
    for year in years:
        if year.end not in first or year.known < first[year.end].known:
            first[year.end] = year
    return [first[end] for end in sorted(first)]


def batches(concept: str, ticker: str, entries: Iterable[dict[str, Any]]) -> list[Batch]:
    """Return two batches: a company's trailing-year sums, and the sums of one year earlier.

    In both batches, the date of a row is the end of a trailing year. The first batch has the sum
    over the trailing year that ends on the row's date. The second batch has the sum over the
    previous trailing year. On each date, the two batches have the same ``available_at``. If the sum
    over the previous year becomes known later than the sum over the trailing year, the value in the
    second batch is NaN. So a growth rate always compares the two sums of one date. A growth rate
    over several companies uses the same companies in both years. Both sums of a date come from one
    XBRL tag if possible. If the tag has no sum over the previous year, the second batch uses a sum
    under another tag. If no trailing-year sum can be computed, the list is empty. ``entries`` has
    the same form as in :func:`first_filed`.
    """
    found = list(chain.from_iterable(_years_by_tag(concept, ticker, list(entries))))
    years = _known_first(found)
    if not years:
        return []
    earlier = [_year_before(year, found, years) for year in years]
    now = pd.DataFrame(
        {
            "observed_on": pd.DatetimeIndex([y.end for y in years]).as_unit("us"),
            "available_at": pd.DatetimeIndex([y.known for y in years]).as_unit("us"),
            "value": [y.value for y in years],
            "source": [f"{SEC}, date assumed" if y.assumed else SEC for y in years],
        }
    )
    ago = [float("nan") if e is None else e.value for e in earlier]
    return [
        Batch(series_id=ttm_id(concept, ticker), rows=now),
        Batch(series_id=year_ago_id(concept, ticker), rows=now.assign(value=ago)),
    ]


def _year_before(year: Fact, found: list[Fact], years: list[Fact]) -> Fact | None:
    """Return the sum over the year before ``year``, or None if there is no such sum.

    A sum with the XBRL tag of ``year`` is preferred to sums with other tags. A sum does not count
    if the sum became known later than the fact ``year``.
    """
    same = _known_first(each for each in found if each.tag == year.tag)
    end = year.end - FISCAL_YEAR
    before = (each for each in (*same, *years) if abs(each.end - end) < SLACK)
    return next((each for each in before if each.known <= year.known), None)
