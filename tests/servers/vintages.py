"""Vintages: the values of a series as of each day on which a value was published."""

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import NamedTuple

import pandas as pd

from backtests.calendar import known_at
from signals.catalog import CATALOG, NEXT_SESSION, Rule

#: By vintage date: the values that are new or changed on that day, by observation date. Dates are
#: in ISO form, and values are text.
Vintages = Mapping[str, Mapping[str, str]]

CURRENT = "9999-12-31"
_WEDNESDAY = 2
_THURSDAY = 3
_ADVANCE_ERROR = 0.004  # standard deviation of the advance estimate's error, fraction
_ERROR_LEFT = (1.0, 0.85, 0.8, 0.5, 0.3, 0.15)  # advance, second, third, three annual revisions


class Period(NamedTuple):
    """One value of an observation, with the first and the last day on which it was current."""

    date: str
    start: str
    end: str
    value: str


def periods(vintages: Vintages) -> list[Period]:
    """Return every value with its first and last day, sorted by observation date and first day.

    As in ALFRED, a vintage that repeats a value does not begin a new period.
    """
    values: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for vintage in sorted(vintages):
        for observed, value in vintages[vintage].items():
            held = values[observed]
            if not held or held[-1][1] != value:
                held.append((vintage, value))
    return [
        Period(observed, start, end, value)
        for observed in sorted(values)
        for (start, value), end in zip(values[observed], _ends(values[observed]), strict=True)
    ]


def _ends(held: list[tuple[str, str]]) -> list[str]:
    return [*(_before(start) for start, _ in held[1:]), CURRENT]


def _before(day: str) -> str:
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def as_of(known: Iterable[Period], today: str) -> list[Period]:
    """Return the periods that began by ``today``. Values that are current then have no end."""
    return [
        p._replace(end=CURRENT) if today <= p.end != CURRENT else p
        for p in known
        if p.start <= today
    ]


def once(id: str, values: Mapping[str, str]) -> Vintages:
    """Return vintages that publish each value once, by the publication rule of the catalog.

    A series whose whole past is re-estimated is published on the next Wednesday. A series outside
    the catalog is published at the next session.
    """
    dates = pd.DatetimeIndex([pd.Timestamp(day) for day in values])
    rule = CATALOG[id].known if id in CATALOG else NEXT_SESSION
    vintages: dict[str, dict[str, str]] = defaultdict(dict)
    for (observed, value), released in zip(values.items(), _released(rule, dates), strict=True):
        vintages[released][observed] = value
    return vintages


def _released(rule: Rule, dates: pd.DatetimeIndex) -> list[str]:
    if rule.kind == "recorded":
        ahead = (_WEDNESDAY - dates.day_of_week - 1) % 7 + 1
        return list((dates + pd.to_timedelta(ahead, unit="D")).strftime("%Y-%m-%d"))
    return list(known_at(rule, dates, dates[0]).strftime("%Y-%m-%d"))


def archived_since(vintages: Vintages, first: str) -> Vintages:
    """Return the vintages of an archive that began on ``first``. Earlier vintages get this date."""
    late: dict[str, dict[str, str]] = defaultdict(dict)
    for vintage in sorted(vintages):
        late[max(vintage, first)].update(vintages[vintage])
    return late


def gdp_revisions(values: Mapping[str, str], *, seed: int = 0) -> Vintages:
    """Return vintages of a quarterly series as the Bureau of Economic Analysis revises GDP.

    The advance estimate comes about 30 days after the end of a quarter, the second after 60 days,
    and the third after 90 days. Annual revisions follow on the last Thursday of three Septembers.
    The error becomes smaller with each estimate. Vintages end with the advance estimate of the
    newest quarter, and the last estimate of each quarter is the given value.

    Parameters
    ----------
    values
        The last value of each quarter, by the first day of the quarter.
    """
    draw = random.Random(seed)
    newest = _estimates(max(values))[0]
    vintages: dict[str, dict[str, str]] = defaultdict(dict)
    for quarter, value in values.items():
        days = [day for day in _estimates(quarter) if day <= newest]
        error = draw.gauss(0.0, _ADVANCE_ERROR)
        for day, left in zip(days, _ERROR_LEFT, strict=False):
            vintages[day][quarter] = f"{float(value) * (1 + error * left):.3f}"
        vintages[days[-1]][quarter] = value
    return vintages


def _estimates(quarter: str) -> list[str]:
    start = date.fromisoformat(quarter)
    end = date(start.year + start.month // 10, (start.month + 2) % 12 + 1, 1) - timedelta(days=1)
    early = [_weekday(end + timedelta(days=days)) for days in (30, 60, 90)]
    annual = [_last_thursday_of_september(early[-1].year + years) for years in range(4)]
    after = [day for day in annual if day > early[-1]][:3]
    return [day.isoformat() for day in (*early, *after)]


def _weekday(day: date) -> date:
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)


def _last_thursday_of_september(year: int) -> date:
    last = date(year, 9, 30)
    return last - timedelta(days=(last.weekday() - _THURSDAY) % 7)
