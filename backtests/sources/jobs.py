"""List the jobs of a fetch. A job requests one series, or one SEC concept of a company."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import pandas as pd

from backtests.sources import secrets
from backtests.sources.edgar import EdgarSource
from backtests.sources.fred import FredSource
from backtests.sources.http import Deadline
from backtests.sources.nyfed import NewYorkFedSource
from backtests.sources.yahoo import FIRST, YahooSource
from backtests.store.batch import FRED, NYFED, SEC, YAHOO, Batch, is_price
from backtests.store.closes import TICKER
from backtests.store.store import Store
from signals.catalog import CATALOG, CONCEPTS, filers_of, ttm_id, year_ago_id
from signals.errors import ConfigError, unknown
from signals.universe import UNIVERSE

Ask = Callable[[pd.Timestamp], Sequence[Batch]]
_NO_CONTACT = "the SEC asks for a contact: set DRYPOWDER_CONTACT to your name and e-mail"


@dataclass(frozen=True, kw_only=True)
class Job:
    """A request for one series, or for one SEC concept of a company.

    ``ids`` are the series that the job fetches. ``name`` is the first id in ``ids``. The function
    ``ask`` takes the moment of fetching and returns the batches for the store. If the series cannot
    be fetched, ``ask`` is None, and ``why_not`` gives the reason. If the reason is a wrong setting,
    such as an invalid key, ``wrong_setting`` is True, and the job counts as failed.
    """

    name: str
    source: str
    ids: tuple[str, ...]
    ask: Ask | None = field(repr=False)
    why_not: str = ""
    wrong_setting: bool = False


def jobs_of(store: Store, start: str | None, only: Sequence[str], deadline: Deadline) -> list[Job]:
    """Return the jobs of :func:`~backtests.sources.fetching.fetch`.

    If a setting of a publisher is wrong, such as its key, only the jobs of this publisher fail.

    Raises
    ------
    ConfigError
        Raised if an id in ``only`` is unknown or has no live source. Also raised if wrong settings,
        such as an invalid key, prevent every job.
    """
    # Map each ``source`` in the catalog to its publisher, and to the function that lists the jobs
    # of its series. Prices have no source in the catalog, so their key is ``prices``.
    sources: dict[str, tuple[str, Callable[[list[str]], Iterator[Job]]]] = {
        "fred": (FRED, partial(_fred_jobs, store, deadline)),
        "sec": (SEC, partial(_sec_jobs, deadline)),
        "nyfed": (NYFED, partial(_nyfed_jobs, deadline)),
        "prices": (YAHOO, partial(_price_jobs, store, deadline, start or FIRST)),
    }
    wanted = _wanted(store, only)
    jobs: list[Job] = []
    wrong: list[ConfigError] = []
    for kind, (publisher, jobs_for) in sources.items():
        ids = [id for id in wanted if _kind(id) == kind]
        try:
            jobs += jobs_for(ids) if ids else ()
        except ConfigError as error:
            wrong.append(error)
            jobs += [_without_setting(id, publisher, str(error)) for id in ids]
    if wrong and all(job.wrong_setting for job in jobs):
        raise wrong[0]
    return jobs


def _without_setting(id: str, publisher: str, why: str) -> Job:
    return Job(name=id, source=publisher, ids=(id,), ask=None, why_not=why, wrong_setting=True)


def _kind(id: str) -> str:
    return "prices" if is_price(id) else CATALOG[id].source


def _wanted(store: Store, only: Sequence[str]) -> tuple[str, ...]:
    if not only:
        prices = (id for id in store.series_ids() if is_price(id)) if store.exists() else ()
        return tuple(dict.fromkeys((*CATALOG, *UNIVERSE, *prices)))
    for id in only:
        if _kind(id) == "file":
            raise ConfigError(f"{id} has no live source; import a file with this series")
        if is_price(id) and id not in UNIVERSE and not TICKER.fullmatch(id):
            raise ConfigError(unknown("series or ticker", id, (*CATALOG, *UNIVERSE)))
    return tuple(dict.fromkeys(only))


def _fred_jobs(store: Store, deadline: Deadline, ids: list[str]) -> Iterator[Job]:
    key = secrets.fred_key()
    source = FredSource(key, deadline, store)
    no_key = f"the series is revised, so its vintages need a key: {secrets.how_to_get_a_key()}"
    for id in ids:
        why_not = no_key if key is None and CATALOG[id].revised else ""
        ask = None if why_not else partial(source.batches, id)
        yield Job(name=id, source=FRED, ids=(id,), ask=ask, why_not=why_not)


def _sec_jobs(deadline: Deadline, ids: list[str]) -> Iterator[Job]:
    contact = secrets.contact()
    source = EdgarSource(contact, deadline) if contact else None
    why_not = "" if source else _NO_CONTACT
    for concept in dict.fromkeys(CONCEPTS.values()):
        for ticker in filers_of(concept):
            both = (ttm_id(concept, ticker), year_ago_id(concept, ticker))
            if set(both) & set(ids):
                ask = partial(source.batches, concept, ticker) if source else None
                yield Job(name=both[0], source=SEC, ids=both, ask=ask, why_not=why_not)


def _nyfed_jobs(deadline: Deadline, ids: list[str]) -> Iterator[Job]:
    source = NewYorkFedSource(deadline)
    for id in ids:
        yield Job(name=id, source=NYFED, ids=(id,), ask=partial(source.batches, id))


def _price_jobs(store: Store, deadline: Deadline, start: str, tickers: list[str]) -> Iterator[Job]:
    source = YahooSource(deadline)
    held = store.first_dates(tickers) if store.exists() else {}
    for ticker in tickers:
        first = min(start, str(held.get(ticker, start))[:10])
        ask = partial(source.batches, ticker, first)
        yield Job(name=ticker, source=YAHOO, ids=(ticker,), ask=ask)
