"""One entry of the catalog, its publication rule, and functions that make entries."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

Frequency = Literal["day", "week", "month", "quarter", "year", "event"]
Dates = Literal[
    "any day",
    "Monday to Friday",
    "Monday",
    "Wednesday",
    "Friday",
    "the first day of a month",
    "the first day of a quarter",
]
RuleKind = Literal[
    "close",
    "sessions",
    "fed_sessions",
    "h41",
    "days",
    "midnight_utc",
    "filed",
    "stated",
    "recorded",
]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """The rule that says when the value for a date is first known.

    Attributes
    ----------
    kind
        ``close``: A value is known at the New York close of its date. ``sessions``: A value is
        known at the open of the n-th NYSE session after its date. ``fed_sessions``: The rule is
        like ``sessions``, but n counts only sessions on which the Federal Reserve Banks are open.
        For example, the NYSE is open on Columbus Day and Veterans Day, but the New York Fed and
        FRED publish nothing. ``h41``: A value is known with the Fed's H.4.1 release, at 16:30 on
        the next Thursday. If Thursday is a federal holiday, the release is on Friday. ``days``: A
        value is known n calendar days after its date. ``midnight_utc``: A value is known at 24:00
        UTC of its date, which is 19:00 or 20:00 in New York. ``filed``: A value is known at the
        open of the session after its filing with the SEC. ``stated``: A value is known at the open
        of the first session on or after its publication day. The imported table can state the
        publication day of each value. If the table states no publication day, the publication day
        is n calendar days after the date. ``recorded``: A value is known from the moment at which
        the store recorded it. The kind ``recorded`` is for series whose publisher changes all past
        values at each release.
    n
        Number of sessions or calendar days. If the kind needs no number, ``n`` is 0.
    """

    kind: RuleKind
    n: int = 0

    def __str__(self) -> str:
        """Return the rule in a few words, for tables."""
        plural = "s" if self.n > 1 else ""
        return {
            "close": "same close",
            "sessions": f"{self.n} session{plural} later",
            "fed_sessions": f"{self.n} session{plural} later, without Fed holidays",
            "h41": "16:30 on the Thursday after the date",
            "days": f"{self.n} days later",
            "midnight_utc": "24:00 UTC",
            "filed": "session after filing",
            "stated": f"publication day in the file, otherwise {self.n} day{plural} after the date",
            "recorded": "when the store records the value",
        }[self.kind]


@dataclass(frozen=True, kw_only=True)
class Series:
    """One series of the catalog.

    Attributes
    ----------
    id
        The publisher's id of the series, or our own id if the publisher uses no id.
    title, unit
        Our title of the series, and the unit of the stored values.
    source
        ``fred``, ``sec``, ``nyfed`` for the New York Fed, or ``file`` for a table that a user
        imports.
    frequency
        Length of the period that one value describes. The date of a value in an ``event`` series is
        the date of the event.
    dates
        Days that the publisher uses as dates, such as ``Monday``. An import rejects a series with a
        date outside ``dates``, because the publication rule would give a wrong moment. If the
        publisher has no fixed convention for dates, ``dates`` is ``any day``.
    known
        The publication rule.
    revised
        True when the publisher changes past values.
    low, high
        The plausible range, inclusive. The range contains every value that the publisher has ever
        released for a date on or after ``first``. If a value is outside the range, an import
        rejects the file, because the file is probably in another unit.
    stale_after
        Number of calendar days for which a value is used, counted from the date that the value
        describes. A value older than this number of days counts as missing.
    first
        First date that an import reads. Every import skips the values before ``first``. If
        ``first`` is None, an import reads all values.
    steady
        True for a series that never changes by more than a factor of five between consecutive
        dates. If a steady series changes by more than a factor of five, an import rejects the file,
        because a decimal point is probably wrong. The plausible range alone is too wide to show a
        wrong decimal point.
    ended
        Last date of a discontinued series, otherwise None. A discontinued series is never late.
    at_end
        True if the date of a value is the last day of its month, False if the date is the first
        day.
    announced
        True if the publisher announces each value some days before its date. An import leaves out
        announced values whose date is in the future.
    """

    id: str
    title: str
    unit: str
    frequency: Frequency
    known: Rule
    low: float
    high: float
    stale_after: int
    source: Literal["fred", "sec", "nyfed", "file"] = "fred"
    dates: Dates = "any day"
    revised: bool = False
    first: date | None = None
    steady: bool = False
    ended: date | None = None
    at_end: bool = False
    announced: bool = False


AT_CLOSE = Rule(kind="close")
NEXT_SESSION = Rule(kind="sessions", n=1)
H41 = Rule(kind="h41")
UTC_MIDNIGHT = Rule(kind="midnight_utc")
FILED = Rule(kind="filed")
WHEN_RECORDED = Rule(kind="recorded")
#: Rule for dated releases. If the imported table states that a release came before the open, the
#: release is known on its own date. Any other release is known at the first session after its date.
STATED_NEXT_DAY = Rule(kind="stated", n=1)
#: The H.8 release for a Wednesday appears nine days later, on a Friday at 16:15, after the close.
#: So a Wednesday's values are first used twelve days later, on a Monday.
H8 = Rule(kind="days", n=12)

MILLIONS = "USD millions"
BILLIONS = "USD billions"
POINTS = "percentage points"


def new_series(id: str, title: str, unit: str, low: float, high: float, **rest: Any) -> Series:
    """Return an entry. ``rest`` gives the other attributes of :class:`Series`."""
    return Series(id=id, title=title, unit=unit, low=low, high=high, **rest)


def daily(
    *entry: Any,
    sessions: int = 1,
    stale_after: int = 10,
    fed: bool = False,
    dates: Dates = "Monday to Friday",
    **rest: Any,
) -> Series:
    """Return a daily series. Each value is known ``sessions`` sessions after its date.

    If ``fed`` is True, ``sessions`` counts only sessions on which the Federal Reserve Banks are
    open.
    """
    known = Rule(kind="fed_sessions" if fed else "sessions", n=sessions)
    return new_series(
        *entry, frequency="day", dates=dates, known=known, stale_after=stale_after, **rest
    )


def weekly(
    *entry: Any, known: Rule, dates: Dates, revised: bool | None = None, **rest: Any
) -> Series:
    """Return a weekly series; by default, ``revised`` is True only for the rule ``recorded``."""
    changes = known == WHEN_RECORDED if revised is None else revised
    return new_series(
        *entry, frequency="week", dates=dates, known=known, stale_after=21, revised=changes, **rest
    )


def monthly(
    *entry: Any,
    days: int = 60,
    frequency: Frequency = "month",
    dates: Dates = "the first day of a month",
    **rest: Any,
) -> Series:
    """Return a series that is revised. Each value is known ``days`` days after its date."""
    known = Rule(kind="days", n=days)
    return new_series(
        *entry, frequency=frequency, dates=dates, known=known, stale_after=130, revised=True, **rest
    )


def quarterly(*entry: Any, days: int, **rest: Any) -> Series:
    """Return a revised series. Each value is known ``days`` days after its quarter begins."""
    return new_series(
        *entry,
        frequency="quarter",
        dates="the first day of a quarter",
        known=Rule(kind="days", n=days),
        stale_after=365,
        revised=True,
        **rest,
    )
