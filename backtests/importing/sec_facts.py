"""Compute trailing years from SEC facts, which are cumulative within each fiscal year.

A cash-flow fact covers three, six, nine or twelve months from the start of the fiscal year. Some
companies add single quarters and trailing years. The trailing year up to the end of a period is

    the fact that covers these twelve months, or else
    year to date  +  the fiscal year before  −  the year to date one year earlier.

When a fact is filed several times, the first filing counts, because only its number was known.
Restatements are left out. A fact is known from the session after its filing. A filing more than
:data:`LATE` days after the period's end means that the company changed its tag. Such a fact counts
as known :data:`ASSUMED` days after the period's end, if the company was public by then.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from backtests.calendar import OPEN, session_after
from backtests.store.batch import SEC, Batch
from signals.catalog import LATE_FILERS, ttm_id, year_ago_id
from signals.universe import asset

LATE = 120  # calendar days
ASSUMED = 45  # calendar days
YEAR = pd.Timedelta(days=365)
SLACK = pd.Timedelta(days=20)  # fiscal years of 52 and 53 weeks, leap years


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One amount in USD from a first to a last day, as first filed.

    ``known`` is the moment at which the fact was first known. ``assumed`` is True when that moment
    is assumed, False when it comes from the filing date.
    """

    start: pd.Timestamp
    end: pd.Timestamp
    value: float
    known: pd.Timestamp
    assumed: bool

    @property
    def is_year(self) -> bool:
        """Whether the fact covers twelve months."""
        return abs(self.end - self.start - YEAR) < SLACK


def first_filed(ticker: str, entries: Iterable[dict[str, Any]]) -> list[Fact]:
    """Return a company's facts as first filed, sorted by end and start.

    ``entries`` are from a ``companyconcept`` document, under ``units/USD``. Each entry has
    ``start``, ``end``, ``val``, ``filed`` and ``accn``.
    """
    first: dict[tuple[str, str], dict[str, Any]] = {}
    for entry in sorted(entries, key=lambda e: (e["filed"], e["accn"])):
        first.setdefault((entry["end"], entry["start"]), entry)
    day = LATE_FILERS.get(ticker) or asset(ticker).listed
    public = pd.Timestamp.min if day is None else pd.Timestamp(day)
    return [_fact(entry, public) for _, entry in sorted(first.items())]


def _fact(entry: dict[str, Any], public: pd.Timestamp) -> Fact:
    """Return the fact of an entry; ``public`` is the first day on which the fact could be known."""
    start, end, filed = (pd.Timestamp(entry[key]) for key in ("start", "end", "filed"))
    usual = end + pd.Timedelta(days=ASSUMED)
    assumed = (filed - end).days > LATE and usual >= public
    known = usual if assumed else session_after(pd.DatetimeIndex([filed]))[0] + OPEN
    return Fact(start=start, end=end, value=float(entry["val"]), known=known, assumed=assumed)


def trailing_years(facts: list[Fact]) -> list[Fact]:
    """Return the trailing years that the facts determine, sorted by their end."""
    solved: dict[pd.Timestamp, Fact] = {}
    for fact in facts:
        year = fact if fact.is_year else _solve(fact, facts)
        if year is not None and (fact.is_year or fact.end not in solved):
            solved[fact.end] = year
    return [solved[end] for end in sorted(solved)]


def _solve(to_date: Fact, facts: list[Fact]) -> Fact | None:
    """Return the trailing year that ends with a fact; None if a part is missing."""
    year_before = _find(facts, to_date.start - YEAR, to_date.start - pd.Timedelta(days=1))
    same_before = _find(facts, to_date.start - YEAR, to_date.end - YEAR)
    if year_before is None or same_before is None:
        return None
    parts = (to_date, year_before, same_before)
    return Fact(
        start=same_before.end + pd.Timedelta(days=1),
        end=to_date.end,
        value=to_date.value + year_before.value - same_before.value,
        known=max(part.known for part in parts),
        assumed=any(part.assumed for part in parts),
    )


def _find(facts: list[Fact], start: pd.Timestamp, end: pd.Timestamp) -> Fact | None:
    """Return the first fact whose period begins and ends within :data:`SLACK` of two dates."""
    near = (f for f in facts if abs(f.start - start) < SLACK and abs(f.end - end) < SLACK)
    return next(near, None)


def batches(concept: str, ticker: str, entries: Iterable[dict[str, Any]]) -> list[Batch]:
    """Return two batches of a company: its trailing years, and the trailing years a year earlier.

    Both batches are dated by the period's end. An earlier year is known as soon as both years are
    known. If the facts do not determine the earlier year, the value is NaN, so that a sum over
    companies compares the same companies. Without a trailing year, the list is empty. ``entries``
    are as for :func:`first_filed`.
    """
    years = trailing_years(first_filed(ticker, entries))
    if not years:
        return []
    earlier = [_ending(years, year.end - YEAR) for year in years]
    known = [max(y.known, e.known) if e else y.known for y, e in zip(years, earlier, strict=True)]
    now = pd.DataFrame(
        {
            "observed_on": pd.DatetimeIndex([y.end for y in years]).as_unit("us"),
            "available_at": pd.DatetimeIndex([y.known for y in years]).as_unit("us"),
            "value": [y.value for y in years],
            "source": [f"{SEC}, date assumed" if y.assumed else SEC for y in years],
        }
    )
    ago = [float("nan") if e is None else e.value for e in earlier]
    then = now.assign(value=ago, available_at=pd.DatetimeIndex(known).as_unit("us"))
    return [
        Batch(series_id=ttm_id(concept, ticker), rows=now),
        Batch(series_id=year_ago_id(concept, ticker), rows=then),
    ]


def _ending(years: list[Fact], end: pd.Timestamp) -> Fact | None:
    return next((y for y in years if abs(y.end - end) < SLACK), None)
