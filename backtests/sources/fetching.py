"""A fetch: every series in turn, each committed on its own, whatever becomes of the others."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from backtests.calendar import new_york_now
from backtests.sources.http import Absent, Deadline, OutOfTime, RetryPolicy, Unreachable
from backtests.sources.jobs import Ask, Job, jobs_of
from backtests.sources.secrets import redacted
from backtests.store.append import Added
from backtests.store.batch import Batch
from backtests.store.store import FETCHED, Store
from signals.errors import DataError, DrypowderError, describe_exception

#: Seconds that a series waits for another writer to leave the store.
TURN = 60.0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of one series, or of one concept of a company.

    Attributes
    ----------
    name
        Series id; of the SEC the trailing year's.
    source
        ``FRED``, ``SEC`` or ``Yahoo``.
    new, revised
        Rows whose date was not held, and whose value differs from what was held.
    last
        The newest date that it describes; None when nothing came.
    failed
        Why nothing came; empty when something did, or nothing was to be had.
    note
        What was left out, or why nothing was asked for.
    unforeseen
        The error behind ``failed`` where the program did not foresee it, else None: worth a report
        to its makers.
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
    progress: Callable[[str], None] = lambda name: None,
) -> list[Outcome]:
    """Bring Yahoo, FRED and SEC data into a store.

    Each series is one transaction: what came stays, whatever fails after it, and the next fetch
    goes on with what was asked for longest ago. A value that cannot be right keeps its whole series
    out. Whatever a source answers costs its own series alone.

    Parameters
    ----------
    store
        Made when it does not exist.
    start
        First day of prices asked for; default the whole history. A series that is held further
        back is asked for from there on: a price vintage has to be whole.
    only
        Catalog ids and tickers; none means everything with a live source.
    policy
        How long to wait for what.
    progress
        Called with the name of each series.

    Returns
    -------
    An outcome for each, in the order asked.

    Raises
    ------
    ConfigError
        When an id is unknown, or a key or contact has no form.
    DataError
        When another fetch is running, or the store cannot be written.
    """
    deadline = Deadline.started(policy or RetryPolicy())
    jobs = jobs_of(store, start, only, deadline)
    with store.fetching():
        tried = store.last_tried()
        jobs.sort(key=lambda job: tried.get(job.ids[0], pd.Timestamp.min))
        return [*_done(store, jobs, deadline, frozenset(only), progress)]


def _done(
    store: Store,
    jobs: list[Job],
    deadline: Deadline,
    named: frozenset[str],
    progress: Callable[[str], None],
) -> Iterator[Outcome]:
    """Do the jobs; once a source cannot be reached, its others are not tried.

    What cannot be asked for is a failure where it was asked for by name; what a source does not
    have is one where it was held, too. Else either is a note.
    """
    down: dict[str, str] = {}
    for job in jobs:
        progress(job.name)
        by_name = bool(set(job.ids) & named)
        if job.ask is None:
            yield _outcome_of(job, **{"failed" if by_name else "note": job.why_not})
            continue
        if job.source in down:
            yield _outcome_of(job, failed=down[job.source])
            continue
        try:
            yield _one(store, job, job.ask, deadline)
        except Unreachable as error:
            down[job.source] = str(error)
            yield _outcome_of(job, failed=str(error))
        except Absent as error:
            held = set(job.ids) & set(store.series_ids() if store.exists() else ())
            why = f"{error}; what is held stays" if held else str(error)
            named_or_held = held or by_name
            yield (
                _failed(store, job, why, deadline) if named_or_held else _outcome_of(job, note=why)
            )
        except OutOfTime as error:
            yield _outcome_of(job, failed=str(error))
        except DrypowderError as error:
            yield _failed(store, job, str(error), deadline)
        except Exception as error:
            why = f"the answer of {job.source} cannot be read: {describe_exception(error)}"
            yield _failed(store, job, why, deadline, unforeseen=error)


def _outcome_of(job: Job, **came: Any) -> Outcome:
    return Outcome(name=job.name, source=job.source, **came)


def _failed(store: Store, job: Job, why: str, deadline: Deadline, **more: Any) -> Outcome:
    """Return a failure in one line, noted so that the next fetch begins with others."""
    line = redacted(" ".join(why.split()))[:500]
    with suppress(DataError):
        store.note_fetched(job.ids, new_york_now(), line, wait=_turn(deadline))
    return _outcome_of(job, failed=line, **more)


def _turn(deadline: Deadline) -> float:
    return min(TURN, deadline.left)


def _one(store: Store, job: Job, ask: Ask, deadline: Deadline) -> Outcome:
    deadline.check()
    now = new_york_now()
    batches = list(ask(now))
    fetched = dict.fromkeys(job.ids, FETCHED)
    added = store.add(batches, now, wait=_turn(deadline), fetched=fetched)
    refused = [a.refused for a in added if a.refused]
    if refused:
        return _outcome_of(job, failed=refused[0])
    return _came(job, batches, added, _newest(store, batches))


def _newest(store: Store, batches: Sequence[Batch]) -> pd.Timestamp:
    """Return the newest date described; later vintages of an archive may hold older dates alone."""
    if not any(batch.vintages for batch in batches):
        return max(pd.Timestamp(batch.rows["observed_on"].max()) for batch in batches)
    ids = [batch.series_id for batch in batches]
    newest = store.query(
        "SELECT max(observed_on) AS day FROM observations WHERE list_contains(?, series_id)", [ids]
    )
    return pd.Timestamp(newest["day"].iloc[0])


def _came(
    job: Job, batches: Sequence[Batch], added: Sequence[Added], last: pd.Timestamp
) -> Outcome:
    return _outcome_of(
        job,
        new=sum(a.new for a in added),
        revised=sum(a.revised for a in added),
        last=last,
        note="; ".join([*(b.note for b in batches if b.note), *map(_kept, added)]).strip("; "),
    )


def _kept(added: Added) -> str:
    return f"{added.kept} days that it lacks stay as held" if added.kept else ""
