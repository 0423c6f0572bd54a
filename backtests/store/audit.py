"""Check a store: list its errors and notes.

An error is a defect of the data that makes a backtest wrong. Examples of errors are a value known
too early, a repeated value, a value in the wrong unit, and an unadjusted price. Examples of notes
are a gap, a late value, old data, a price on a day without a session, and a price shift that may be
real. In a gap, a backtest uses the last value until this value is too old. A value is late if it
became known after the value of a newer date. Backtests ignore late values.
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd

from backtests.calendar import all_sessions, known_at, new_york_now, sessions
from backtests.plural import number_of
from backtests.store.append import ARCHIVED, newest_values
from backtests.store.batch import (
    LONGEST_STEP,
    PUBLISHED,
    is_event,
    is_over,
    is_price,
    rule_of,
    stale_after,
    unit_of,
    wrong_date_said,
    wrong_dates,
)
from backtests.store.cells import HIGHEST_PRICE, LEAP, leaps, not_before_first
from backtests.store.closes import TICKER
from backtests.store.recording import CLOCK_BACK
from backtests.store.shifts import shifts
from backtests.store.store import Store
from signals.catalog import CATALOG
from signals.universe import asset

Severity = Literal["error", "note"]

#: Largest number of consecutive NYSE sessions that a daily series may lack. Bond markets have more
#: holidays than the NYSE, so their series lack some sessions.
MOST_SESSIONS = 5
_FOREIGN = "expected a series of the catalog or a ticker, was an unknown id that no signal reads"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One error or note about a store.

    An error is a defect of the data that makes a backtest wrong. ``series`` is empty for a finding
    about the whole store. ``what`` says in one line what was expected and what was found. ``where``
    is the first date with the problem. ``where`` is None if the finding has no date.
    """

    severity: Severity
    series: str
    what: str
    where: datetime.date | None = None

    def __str__(self) -> str:
        """Return the finding on one line."""
        place = f"{self.series or 'the store'}{f' {self.where}' if self.where else ''}"
        return f"{self.severity}: {place}: {self.what}"


def check_store(store: Store, today: pd.Timestamp | None = None) -> list[Finding]:
    """Return the errors and notes about a store, sorted by severity, series and date.

    The age of the data is the time from the newest value to ``today``. The default of ``today`` is
    the current date in New York.

    Raises
    ------
    DataError
        Raised if the store cannot be read.
    """
    dates = _dates(store)
    if dates.empty:
        return [_error("", None, "expected data, but the store is empty")]
    known = {str(id): part for id, part in dates.groupby("series_id", sort=False)}
    foreign = _foreign_ids(store)
    named = {id: part for id, part in known.items() if id not in foreign}
    prices = _prices(store, [id for id in named if is_price(id)])
    now = new_york_now() if today is None else today
    found = [
        *(_error(id, None, _FOREIGN) for id in foreign),
        *_recorded_ahead(store),
        *_duplicates(store),
        *_revised_early(store),
        *_implausible(store, list(named)),
        *_leaping(store, list(named)),
        *(finding for id, part in named.items() for finding in _to_come(id, part, now)),
        *(finding for id, part in named.items() for finding in _odd_dates(id, part)),
        *(finding for id, part in named.items() for finding in _too_early(id, part)),
        *(finding for id, part in named.items() for finding in _gaps(id, part)),
        *(finding for id, closes in prices.items() for finding in _odd_closes(id, closes)),
        *_stale(named, now),
    ]
    return sorted(found, key=lambda f: (f.severity, f.series, f.where or datetime.date.min))


def _finding(severity: Severity, series: object, where: object, what: str) -> Finding:
    day = None if where is None else pd.Timestamp(str(where)).date()
    return Finding(severity=severity, series=str(series), what=what, where=day)


_error, _note = partial(_finding, "error"), partial(_finding, "note")


def _dates(store: Store) -> pd.DataFrame:
    """Return the earliest ``available_at`` and ``recorded_at`` for each series and date.

    The columns ``by_rule`` and ``recorded_at`` leave out rows from ALFRED.
    """
    return store.query(
        f"""
        SELECT series_id, observed_on::TIMESTAMP AS observed_on, min(available_at) AS known,
               min(available_at) FILTER (NOT {ARCHIVED}) AS by_rule,
               min(recorded_at) FILTER (NOT {ARCHIVED}) AS recorded_at
        FROM observations GROUP BY series_id, observed_on ORDER BY series_id, observed_on
        """
    )


def _prices(store: Store, ids: list[str]) -> dict[str, pd.Series]:
    """Map each ticker to its newest price history, without prices that are zero or negative."""
    rows = store.rows(ids).query("value > 0")
    return {
        str(id): pd.Series(part["value"].to_numpy(), index=pd.DatetimeIndex(part["observed_on"]))
        for id, part in rows.groupby("series_id", sort=False)
    }


# --- names, repetitions, values -----------------------------------------------------------------


def _foreign_ids(store: Store) -> list[str]:
    """Return each unknown id: an id that is not in the catalog and is not a ticker."""
    sources = store.query(
        """
        SELECT series_id, bool_or(list_contains(?, regexp_extract(source, '^[A-Za-z]+')))
               AS published
        FROM observations GROUP BY series_id ORDER BY series_id
        """,
        [list(PUBLISHED)],
    )
    pairs = zip(sources["series_id"], sources["published"], strict=True)
    return [
        id for id, published in pairs if is_price(id) and (published or not TICKER.fullmatch(id))
    ]


def _duplicates(store: Store) -> Iterator[Finding]:
    twice = store.query(
        """
        SELECT series_id, count(*) AS n, min(observed_on) AS first FROM (
            SELECT series_id, observed_on FROM observations
            GROUP BY series_id, observed_on, available_at, recorded_at HAVING count(*) > 1
        ) GROUP BY series_id
        """
    )
    for row in twice.itertuples():
        yield _error(
            row.series_id,
            row.first,
            "expected one value for each combination of observed_on, available_at and recorded_at, "
            f"found several values in {row.n} cases; a backtest may use any of these values",
        )


def _implausible(store: Store, ids: list[str]) -> Iterator[Finding]:
    """Yield an error for each series with values outside its plausible range."""
    if not ids:
        return
    outside = store.query(
        """
        SELECT series_id, count(*) AS n, min(observed_on) AS first,
               arg_min(value, observed_on) AS value, any_value(low) AS low, any_value(high) AS high
        FROM observations
        JOIN (SELECT unnest(?) AS series_id, unnest(?) AS low, unnest(?) AS high,
                     unnest(?) AS seen_from) USING (series_id)
        WHERE observed_on >= seen_from AND NOT isnan(value) AND (value < low OR value > high)
        GROUP BY series_id
        """,
        [list(column) for column in zip(*map(_range, ids), strict=True)],
    )
    for row in outside.itertuples():
        id, others = str(row.series_id), int(str(row.n)) - 1
        more = f", with {number_of(others, 'more value')} outside this range" if others else ""
        yield _error(
            id,
            row.first,
            f"expected {row.low:g} to {row.high:g} {unit_of(id)}, was {row.value:g}{more}; is "
            "the series in another unit?",
        )


def _leaping(store: Store, ids: list[str]) -> Iterator[Finding]:
    """Yield an error for each steady series, such as GDP, in which one value jumps."""
    steady = [id for id in ids if not is_price(id) and CATALOG[id].steady]
    for id, rows in store.rows(steady).groupby("series_id", sort=False):
        values = newest_values(str(id), rows)
        low, high = CATALOG[str(id)].low, CATALOG[str(id)].high
        values = values[values.between(low, high)]  # _implausible reports the other values
        far = leaps(str(id), values)
        if far.any():
            yield _error(
                id,
                far.idxmax(),
                f"expected the value to change by at most a factor of {LEAP:g}, but it changed to "
                f"{values[far].iloc[0]:g}; is a decimal point misplaced? import the right values",
            )


def _range(id: str) -> tuple[str, float, float, datetime.date]:
    """Return an id, its lowest and highest plausible value, and the first date to check."""
    if is_price(id):
        return id, 1e-12, HIGHEST_PRICE, datetime.date.min
    entry = CATALOG[id]
    return id, entry.low, entry.high, entry.first or datetime.date.min


# --- when values were known ---------------------------------------------------------------------


def _to_come(id: str, rows: pd.DataFrame, today: pd.Timestamp) -> Iterator[Finding]:
    """Yield an error for a date after tomorrow.

    Tomorrow's date is not an error, because the dates of a coin are in UTC. In the evening in New
    York, the date in UTC is already tomorrow's date.
    """
    ahead = rows["observed_on"].iloc[-1]
    if ahead > today.normalize() + pd.Timedelta(days=1):
        what = f"expected no date after today, {today.date()}, found {ahead.date()}"
        yield _error(id, ahead, what)


def _odd_dates(id: str, rows: pd.DataFrame) -> Iterator[Finding]:
    """Yield an error about dates that the publisher cannot have used; skip dates from ALFRED."""
    given = rows["by_rule"].notna()
    odd = wrong_dates(id, pd.DatetimeIndex(rows["observed_on"][given]))
    if len(odd):
        others = f", with {number_of(len(odd) - 1, 'more date')}" if len(odd) > 1 else ""
        cure = "import the right files into a new store"
        yield _error(id, odd[0], f"{wrong_date_said(id, odd[0])}{others}; {cure}")


def _recorded_ahead(store: Store) -> Iterator[Finding]:
    """Yield an error if rows have a recording moment in the future."""
    now = new_york_now()
    ahead = store.query(
        "SELECT count(*) AS n, max(recorded_at) AS last FROM observations WHERE recorded_at > ?",
        [now + CLOCK_BACK],
    )
    n, last = int(ahead["n"].iloc[0]), ahead["last"].iloc[0]
    if n:
        yield _error(
            "",
            None,
            f"expected no row recorded after today, {now:%Y-%m-%d}, found {number_of(n, 'row')}, "
            f"the last recorded on {last:%Y-%m-%d}; copy the earlier rows with --copy NEW.duckdb "
            f"--as-of {now:%Y-%m-%d}, and import the later rows again. The computer's "
            "clock was wrong when these rows were recorded",
        )


def _too_early(id: str, rows: pd.DataFrame) -> Iterator[Finding]:
    """Yield errors about values that are known too early, and a note about late values.

    Each finding names the first date and the number of dates.
    """
    observed = pd.DatetimeIndex(rows["observed_on"])
    known = rows["known"].to_numpy()
    before = known < observed.to_numpy()
    for finding, bad, what in (
        (
            _error,
            before,
            "expected values to be known from their date on, but the values of {} were known "
            "earlier",
        ),
        (
            _error,
            _before_rule(id, rows) & ~before,
            f"expected values to be known when the catalog says ({rule_of(id)}), but the values of "
            "{} were known earlier, so a backtest would look ahead; import into a new store",
        ),
        (
            _note,
            known < np.maximum.accumulate(known),
            "the values of {} became known before the value of an earlier date; the panel ignores "
            "the value of the earlier date",
        ),
    ):
        if bad.any():
            yield finding(id, observed[bad][0], what.format(number_of(int(bad.sum()), "date")))


def _before_rule(id: str, rows: pd.DataFrame) -> np.ndarray:
    """Mark each date whose value is known earlier than the publication rule allows.

    Rows from ALFRED are ignored. A series with the rule ``filed`` or ``stated`` is not checked. A
    value with the rule ``filed`` becomes known on a filing date. A value with the rule ``stated``
    becomes known on a day that the imported table states. The store contains neither filing dates
    nor stated days.
    """
    rule = rule_of(id)
    given = rows["by_rule"].notna().to_numpy()
    if rule.kind in ("filed", "stated") or not given.any():
        return np.zeros(len(rows), dtype=bool)
    if rule.kind == "recorded":
        allowed = (rows["recorded_at"] - CLOCK_BACK).to_numpy()
    else:
        dates = pd.DatetimeIndex(rows["observed_on"]).as_unit("us")
        latest = all_sessions()[-1 - max(rule.n, 1)]
        dates = dates.where(dates < latest, latest)
        allowed = known_at(rule, dates, new_york_now()).to_numpy()
    return np.asarray(given & (rows["by_rule"].to_numpy() < allowed))


def _revised_early(store: Store) -> Iterator[Finding]:
    """Yield an error for each series with a revision known before the moment of its recording."""
    ids = [id for id in store.series_ids() if not is_price(id)]
    early = store.query(
        f"""
        WITH given AS (
            SELECT series_id, observed_on, available_at, recorded_at FROM observations
            SEMI JOIN (SELECT unnest(?) AS series_id) USING (series_id)
            WHERE NOT {ARCHIVED}
        ),
        firsts AS (
            SELECT series_id, observed_on, min(recorded_at) AS first_recorded FROM given
            GROUP BY series_id, observed_on HAVING count(*) > 1
        )
        SELECT series_id, count(*) AS n, min(observed_on) AS first
        FROM given JOIN firsts USING (series_id, observed_on)
        WHERE recorded_at > first_recorded AND available_at < recorded_at - ?
        GROUP BY series_id
        """,
        [ids, CLOCK_BACK],
    )
    for row in early.itertuples():
        yield _error(
            row.series_id,
            row.first,
            "expected each revision to be known only from the moment of its recording, but "
            f"{number_of(int(str(row.n)), 'revision')} {'was' if row.n == 1 else 'were'} known "
            "earlier, so backtests would look ahead",
        )


# --- gaps ---------------------------------------------------------------------------------------


def _gaps(id: str, rows: pd.DataFrame) -> Iterator[Finding]:
    observed = pd.DatetimeIndex(rows["observed_on"])
    if is_price(id):
        yield from _missing_closes(id, observed)
        return
    observed = observed[not_before_first(id, observed)]
    if is_event(id):  # nobody knows when the next event is due
        return
    if len(observed) and CATALOG[id].frequency == "day":
        yield from _missing_sessions(id, observed)
    elif len(observed):
        yield from _missing_periods(id, observed)


def _missing_closes(id: str, observed: pd.DatetimeIndex) -> Iterator[Finding]:
    coin = asset(id).is_coin
    span = observed[0], observed[-1]
    expected = pd.date_range(*span, unit="us") if coin else sessions(*span)
    missing = expected.difference(observed)
    if len(missing):
        kind = "days" if coin else "sessions"
        yield _note(id, missing[0], f"no close on {len(missing)} of {len(expected)} {kind}")
    odd = observed[observed >= all_sessions()[0]].difference(expected)
    if len(odd):
        yield _note(id, odd[0], f"{number_of(len(odd), 'close')} on days without an NYSE session")


def _missing_sessions(id: str, observed: pd.DatetimeIndex) -> Iterator[Finding]:
    expected = sessions(observed[0], observed[-1])
    held = np.flatnonzero(expected.isin(observed))
    lacking = np.diff(held) - 1
    gaps = np.flatnonzero(lacking > MOST_SESSIONS)
    if len(gaps):
        yield _note(
            id,
            expected[held[gaps[0]] + 1],
            f"{number_of(len(gaps), 'gap')} of more than {MOST_SESSIONS} sessions; the longest gap "
            f"has {lacking.max()} sessions",
        )


def _missing_periods(id: str, observed: pd.DatetimeIndex) -> Iterator[Finding]:
    entry = CATALOG[id]
    # Some companies report trailing years only once a year.
    period = "year" if entry.source == "sec" else entry.frequency
    most = LONGEST_STEP[period]
    step = np.diff(observed.to_numpy()) / np.timedelta64(1, "D")
    gaps = np.flatnonzero(step > most)
    if len(gaps):
        yield _note(
            id,
            observed[gaps[0]],
            f"{number_of(len(gaps), 'gap')} longer than a {period}; the longest gap has "
            f"{np.max(step):.0f} days, and the first gap begins after this date",
        )


def _odd_closes(id: str, closes: pd.Series) -> Iterator[Finding]:
    for shift in shifts(id, closes):
        yield (_error if shift.alarm else _note)(id, shift.day, shift.what)
    listed = asset(id).listed
    if listed is not None and closes.index[0] < pd.Timestamp(listed):
        yield _error(
            id,
            closes.index[0],
            f"expected no closes before the listing on {listed}; earlier closes belong to another "
            "company",
        )


def _stale(named: dict[str, pd.DataFrame], today: pd.Timestamp) -> Iterator[Finding]:
    """Yield a note about each series without recent values, and a note if the whole store is old.

    A series of events gets no note, because nobody knows when the next event is due. If the
    publisher has ended a series, the series needs no recent values.
    """
    named = {id: part for id, part in named.items() if not is_event(id)}
    ends = {id: pd.Timestamp(part["observed_on"].iloc[-1]) for id, part in named.items()}
    newest = max(ends.values(), default=today)
    for id, end in ends.items():
        limit = stale_after(id)
        if newest - end > pd.Timedelta(days=limit) and not is_over(id, end):
            what = (
                f"the series ends here, more than {limit} days before the newest data; "
                f"its staleness limit is {limit} days"
            )
            yield _note(id, end, what)
    age = (today.normalize() - newest).days
    if age > min(map(stale_after, named), default=age):
        yield _note("", newest, f"the newest value is {age} days old; add newer data")
