"""Fetch all series, one after another. A failure of one series does not affect the other series."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from backtests.calendar import new_york_now
from backtests.progress import Progress, counted, silent
from backtests.sources.http import Absent, Deadline, OutOfTime, RetryPolicy, Unreachable
from backtests.sources.jobs import Ask, Job, jobs_of
from backtests.sources.secrets import one_line
from backtests.store.batch import Batch
from backtests.store.store import FETCHED, Store
from signals.errors import DataError, DrypowderError, describe_exception

#: Longest time, in seconds, that one series waits while another program writes into the store.
LONGEST_WAIT = 60.0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result of one job of a fetch. ``name`` and ``source`` come from the job.

    Attributes
    ----------
    new, revised
        ``new`` is the number of rows for new dates. ``revised`` is the number of rows that have a
        new value for a stored date.
    last
        The newest date of the series, or None if the fetch gave no values.
    failed
        The reason why the fetch failed; empty after a success.
    note
        A remark about left-out values or about missing days with prices from the store, or the
        reason why the series was not fetched.
    unforeseen
        The exception of an unexpected error, or None. An unexpected error is probably a bug.
    """

    name: str
    source: str
    new: int = 0
    revised: int = 0
    last: pd.Timestamp | None = None
    failed: str = ""
    note: str = ""
    unforeseen: Exception | None = field(default=None, repr=False, compare=False)


def fetch(
    store: Store,
    *,
    start: str | None = None,
    only: Sequence[str] = (),
    policy: RetryPolicy | None = None,
    progress: Progress = silent,
) -> list[Outcome]:
    """Fetch data of all publishers into a store; return the outcomes in the order of the fetch.

    If the store does not exist, it is created. If a series fails, the series that were fetched
    earlier stay in the store. The series that was requested longest ago comes first, so that a new
    fetch continues an interrupted fetch. If one value is implausible, its whole series is left out.

    Parameters
    ----------
    start
        First day of the prices; by default, 1990-01-01. If the store has earlier prices of a
        ticker, the fetch of this ticker starts at the first stored day. Every dividend changes all
        earlier adjusted prices, so stored prices must be fetched again.
    only
        Catalog ids and tickers to fetch. By default, every series with a live source is fetched.
    progress
        A function that receives the name of each series, and the number of finished series.

    Raises
    ------
    ConfigError
        Raised if an id is unknown or has no live source. Also raised if an invalid setting, such as
        the key, the contact or a publisher's address, prevents the fetch of every requested series.
    DataError
        Raised if another fetch is running, or the store cannot be written.
    """
    deadline = Deadline(policy or RetryPolicy())
    jobs = jobs_of(store, start, only, deadline)
    with store.fetching(new_york_now(), _wait(deadline)):
        tried = store.last_tried()
        jobs.sort(key=lambda job: tried.get(job.ids[0], pd.Timestamp.min))
        return [*_outcomes(store, jobs, deadline, frozenset(only), progress)]


def _outcomes(
    store: Store,
    jobs: list[Job],
    deadline: Deadline,
    named: frozenset[str],
    progress: Progress,
) -> Iterator[Outcome]:
    """Yield the outcome of each job.

    If a publisher is unreachable, its later jobs fail without a request.
    """
    down: dict[str, str] = {}
    for job in counted(jobs, progress, lambda job: job.name):
        by_name = bool(set(job.ids) & named)
        if job.ask is None:
            failed = by_name or job.wrong_setting
            yield _outcome_of(job, **{"failed" if failed else "note": job.why_not})
        elif job.source in down:
            yield _outcome_of(job, failed=down[job.source])
        else:
            try:
                yield _tried(store, job, job.ask, deadline, by_name)
            except Unreachable as error:
                down[job.source] = str(error)
                yield _outcome_of(job, failed=str(error))


def _tried(store: Store, job: Job, ask: Ask, deadline: Deadline, by_name: bool) -> Outcome:
    """Run one job, and return its outcome, even after a failure. Raise only Unreachable."""
    try:
        return _stored(store, job, ask, deadline, by_name)
    except Unreachable:
        raise
    except OutOfTime as error:
        return _outcome_of(job, failed=str(error))
    except DrypowderError as error:
        return _failed(store, job, str(error), deadline)
    except Exception as error:
        why = f"the answer of {job.source} cannot be read: {describe_exception(error)}"
        return _failed(store, job, why, deadline, unforeseen=error)


def _outcome_of(job: Job, **came: Any) -> Outcome:
    return Outcome(name=job.name, source=job.source, **came)


def _failed(store: Store, job: Job, why: str, deadline: Deadline, **more: Any) -> Outcome:
    """Record a failed job, so that the next fetch begins with other series. Return the outcome."""
    line = one_line(why, 500)
    with suppress(DataError):
        store.note_fetched(job.ids, new_york_now(), line, wait=_wait(deadline))
    return _outcome_of(job, failed=line, **more)


def _absent(store: Store, job: Job, why: str, deadline: Deadline, by_name: bool) -> Outcome:
    """Return the outcome for a series that its publisher does not have.

    The outcome is a failure if the store already has the series, or if the user asked for the
    series by name. If the store lacks the series and the user did not name the series, the outcome
    contains only a note.
    """
    if store.exists() and set(job.ids) & set(store.series_ids()):
        return _failed(store, job, f"{why}; the stored values stay", deadline)
    return _failed(store, job, why, deadline) if by_name else _outcome_of(job, note=why)


def _wait(deadline: Deadline) -> float:
    return min(LONGEST_WAIT, deadline.left)


def _stored(store: Store, job: Job, ask: Ask, deadline: Deadline, by_name: bool) -> Outcome:
    """Fetch the batches of one job, store them, and return the outcome."""
    deadline.check()
    now = new_york_now()
    try:
        batches = list(ask(now))
    except Absent as error:
        return _absent(store, job, str(error), deadline, by_name)
    fetched = dict.fromkeys(job.ids, FETCHED)
    added = store.add(batches, now, wait=_wait(deadline), fetched=fetched)
    refused = [a.refused for a in added if a.refused]
    if refused:
        return _outcome_of(job, failed=refused[0])
    copied = (f"{a.kept} missing days use prices from the store" if a.kept else "" for a in added)
    return _outcome_of(
        job,
        new=sum(a.new for a in added),
        revised=sum(a.revised for a in added),
        last=_newest(store, batches),
        note="; ".join(
            filter(None, [*(b.note for b in batches), *copied, *(a.note for a in added)])
        ),
    )


def _newest(store: Store, batches: Sequence[Batch]) -> pd.Timestamp:
    """Return the newest date of the series in these batches."""
    # A new vintage may revise only old dates, so the newest date comes from the store.
    if not any(batch.vintages for batch in batches):
        return max(pd.Timestamp(batch.rows["observed_on"].max()) for batch in batches)
    ids = [batch.series_id for batch in batches]
    newest = store.query(
        "SELECT max(observed_on) AS day FROM observations WHERE list_contains(?, series_id)", [ids]
    )
    return pd.Timestamp(newest["day"].iloc[0])
