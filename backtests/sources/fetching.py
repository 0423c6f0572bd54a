"""A fetch: every series in turn, each committed on its own, whatever becomes of the others."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import pandas as pd

from backtests.history.batch import Batch, is_price
from backtests.history.calendar import new_york_now
from backtests.history.changes import Added
from backtests.history.prices import TICKER
from backtests.history.store import FETCHED, Store
from backtests.sources import secrets
from backtests.sources.edgar import EdgarSource
from backtests.sources.fred import FredSource
from backtests.sources.http import Absent, Clock, OutOfTime, Patience, Unreachable
from backtests.sources.secrets import redacted
from backtests.sources.yahoo import FIRST, YahooSource
from signals.catalog import CATALOG, CONCEPTS, filers_of, ttm_id, year_ago_id
from signals.errors import ConfigError, DataError, DrypowderError, SourceError, unknown
from signals.universe import UNIVERSE

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
    """

    name: str
    source: str
    new: int = 0
    revised: int = 0
    last: pd.Timestamp | None = None
    failed: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One series to be asked for: what it is called, where, and how it is had."""

    name: str
    source: str
    ids: tuple[str, ...]
    ask: Callable[[pd.Timestamp], Sequence[Batch]] = field(repr=False)


def fetch(
    store: Store,
    *,
    start: str | None = None,
    only: Sequence[str] = (),
    patience: Patience | None = None,
    progress: Callable[[str], None] = lambda name: None,
) -> list[Outcome]:
    """Bring Yahoo, FRED and SEC data into a store.

    Each series is one transaction: what came stays, whatever fails after it, and the next fetch
    goes on with what was asked for longest ago. A value that cannot be right keeps its whole series
    out.

    Parameters
    ----------
    store
        Made when it does not exist.
    start
        First day of prices asked for; default the whole history. A series that is held further
        back is asked for from there on: a price vintage has to be whole.
    only
        Catalog ids and tickers; none means everything with a live source.
    patience
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
    clock = Clock.started(patience or Patience())
    left_out: list[Outcome] = []
    jobs = list(_jobs(store, start, tuple(only), clock, left_out))
    with store.fetching():
        tried = store.last_tried()
        jobs.sort(key=lambda job: tried.get(job.ids[0], pd.Timestamp.min))
        done = [*_done(store, jobs, clock, frozenset(only), progress)]
    if only:  # what was asked for by name and not even tried is no mere note
        left_out = [replace(outcome, failed=outcome.note, note="") for outcome in left_out]
    return [*done, *left_out]


def _done(
    store: Store,
    jobs: list[Job],
    clock: Clock,
    named: frozenset[str],
    progress: Callable[[str], None],
) -> Iterator[Outcome]:
    """Do the jobs; once a source cannot be reached, its others are not tried.

    What a source does not have is a failure where it was held, or was asked for by name.
    """
    down: dict[str, str] = {}
    for job in jobs:
        progress(job.name)
        if job.source in down:
            yield Outcome(name=job.name, source=job.source, failed=down[job.source])
            continue
        try:
            yield _one(store, job, clock)
        except Unreachable as error:
            down[job.source] = str(error)
            yield Outcome(name=job.name, source=job.source, failed=str(error))
        except Absent as error:
            held = store.series_ids() if store.exists() else ()
            if set(job.ids) & set(held):
                yield _failed(store, job, f"{error}; what is held stays")
            elif set(job.ids) & named:
                yield _failed(store, job, str(error))
            else:
                yield Outcome(name=job.name, source=job.source, note=str(error))
        except OutOfTime as error:
            yield Outcome(name=job.name, source=job.source, failed=str(error))
        except DrypowderError as error:
            yield _failed(store, job, redacted(str(error)))


def _failed(store: Store, job: Job, why: str) -> Outcome:
    """Return a failure, noted so that the next fetch begins with others."""
    with suppress(DataError):
        store.note_fetched(job.ids, new_york_now(), why, wait=TURN)
    return Outcome(name=job.name, source=job.source, failed=why)


def _one(store: Store, job: Job, clock: Clock) -> Outcome:
    clock.check()
    now = new_york_now()
    batches = list(job.ask(now))
    fetched = dict.fromkeys(job.ids, FETCHED)
    added = store.add(batches, now, wait=TURN, fetched=fetched)
    refused = [a.refused for a in added if a.refused]
    if refused:
        raise SourceError(refused[0])
    return _outcome(job, batches, added)


def _outcome(job: Job, batches: Sequence[Batch], added: Sequence[Added]) -> Outcome:
    return Outcome(
        name=job.name,
        source=job.source,
        new=sum(a.new for a in added),
        revised=sum(a.revised for a in added),
        last=max(pd.Timestamp(b.rows["observed_on"].max()) for b in batches),
        note="; ".join(b.note for b in batches if b.note),
    )


def _jobs(
    store: Store, start: str | None, only: tuple[str, ...], clock: Clock, left_out: list[Outcome]
) -> Iterator[Job]:
    """Yield what is to be asked for; what cannot be goes to ``left_out`` with the reason."""
    wanted = _wanted(store, only)
    yield from _fred_jobs([id for id in wanted if _source(id) == "FRED"], clock, left_out)
    yield from _sec_jobs([id for id in wanted if _source(id) == "SEC"], clock, left_out)
    yield from _price_jobs(store, start, [id for id in wanted if is_price(id)], clock)


def _source(id: str) -> str:
    if is_price(id):
        return "Yahoo"
    return {"fred": "FRED", "sec": "SEC"}.get(CATALOG[id].source, "")


def _wanted(store: Store, only: tuple[str, ...]) -> tuple[str, ...]:
    held = store.series_ids() if store.exists() else ()
    if not only:
        prices = (id for id in held if is_price(id))
        return tuple(dict.fromkeys((*CATALOG, *UNIVERSE, *prices)))
    for id in only:
        if id in CATALOG and not _source(id):
            raise ConfigError(f"{id} has no live source; import a file of it")
        if is_price(id) and id not in UNIVERSE and not TICKER.fullmatch(id):
            raise ConfigError(unknown("series or ticker", id, (*CATALOG, *UNIVERSE)))
    return tuple(dict.fromkeys(only))


def _fred_jobs(ids: list[str], clock: Clock, left_out: list[Outcome]) -> Iterator[Job]:
    key = secrets.fred_key() if ids else None
    source = FredSource(key, clock) if ids else None
    for id in ids:
        if key is None and CATALOG[id].revised:
            why = "revised, so not taken without its vintages: " + secrets.how_to_get_a_key()
            left_out.append(Outcome(name=id, source="FRED", note=why))
        elif source is not None:
            ask = _asker(source.batch, id)
            yield Job(name=id, source="FRED", ids=(id,), ask=ask)


def _asker(
    batch: Callable[[str, pd.Timestamp], Batch], id: str
) -> Callable[[pd.Timestamp], list[Batch]]:
    return lambda now: [batch(id, now)]


def _sec_jobs(ids: list[str], clock: Clock, left_out: list[Outcome]) -> Iterator[Job]:
    contact = secrets.contact() if ids else None
    source = EdgarSource(contact, clock) if contact else None
    for concept, ticker in _filings(ids):
        name = ttm_id(concept, ticker)
        if source is None:
            why = "the SEC asks for a contact: set DRYPOWDER_CONTACT to your name and address"
            left_out.append(Outcome(name=name, source="SEC", note=why))
            continue
        ask = _filing(source, concept, ticker)
        yield Job(name=name, source="SEC", ids=(name, year_ago_id(concept, ticker)), ask=ask)


def _filing(
    source: EdgarSource, concept: str, ticker: str
) -> Callable[[pd.Timestamp], list[Batch]]:
    return lambda now: source.batches(concept, ticker, now)


def _filings(ids: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the concepts and companies behind some ids."""
    for concept in dict.fromkeys(CONCEPTS.values()):
        for ticker in filers_of(concept):
            if {ttm_id(concept, ticker), year_ago_id(concept, ticker)} & set(ids):
                yield concept, ticker


def _price_jobs(store: Store, start: str | None, tickers: list[str], clock: Clock) -> Iterator[Job]:
    source = YahooSource(clock) if tickers else None
    first = store.first_dates(tickers) if tickers and store.exists() else {}
    for ticker in tickers:
        if source is not None:
            since = min(start or FIRST, str(first.get(ticker, start or FIRST))[:10])
            yield Job(
                name=ticker, source="Yahoo", ids=(ticker,), ask=_quotes(source, ticker, since)
            )


def _quotes(source: YahooSource, ticker: str, since: str) -> Callable[[pd.Timestamp], list[Batch]]:
    return lambda now: [source.batch(ticker, now, since)]
