"""Fetch series from FRED, with or without an API key.

Without a key, this module reads FRED's public CSV files, which contain only the latest values. With
a key, fredapi reads the latest values of a series that is never revised. For a revised series, this
module reads all vintages from ALFRED, FRED's archive of vintages. fredapi cannot read vintages
correctly. A series with vintages can have several rows for one date. FRED gives at most 2,000
vintages in one answer. Every request uses drypowder's own client. The client has timeouts and
retries. FRED allows at most 120 requests a minute, so the client limits its requests. The client
never shows the key.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache, partial
from typing import Any
from xml.etree import ElementTree

import fredapi
import pandas as pd

from backtests.importing.csv_readers import read_csv
from backtests.sources import alfred
from backtests.sources.http import Client, Deadline, Rate, Transient, base_url, json_of
from backtests.sources.secrets import describe_error, redacted
from backtests.store.batch import FRED, Batch, dated
from backtests.store.cells import announced, announced_note, check_values
from backtests.store.store import Store
from signals.catalog import CATALOG
from signals.errors import DataError, SourceError

RATE = (120, 60.0)
#: Largest number of vintages in one request.
MOST_VINTAGES = 2000
#: Largest number of rows in one answer.
PAGE = 100_000


class _Fredapi(fredapi.Fred):  # type: ignore[misc]
    """fredapi with drypowder's HTTP client, which has timeouts and never shows the key."""

    def __init__(self, key: str, root: str, client: Client) -> None:
        super().__init__(api_key=key)
        self.root_url = root
        self._client = client

    def _parse(self, date_str: str, format: str = "%Y-%m-%d") -> datetime:
        return _day(date_str, format)  # fredapi's own function takes 0.1 ms a date

    def _Fred__fetch_data(self, url: str) -> ElementTree.Element:  # noqa: N802 - fredapi's name
        return self._client.get(f"{url}&api_key={self.api_key}", read=_xml)


@lru_cache(2**16)
def _day(text: str, format: str) -> datetime:
    """Parse a date. Parsed dates are cached, because many series have the same dates."""
    return datetime.strptime(text, format)


def _xml(text: str) -> ElementTree.Element:
    """Return the observations in FRED's answer; raise an error if a date is repeated."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        raise Transient("FRED's answer is not complete XML") from None
    if root.tag == "html":
        raise Transient("FRED's answer is a web page instead of XML")
    dates = [row.get("date") for row in root]
    if root.tag != "observations" or not dates or None in dates:
        raise SourceError("FRED's answer has no observations, or has an observation without a date")
    twice, times = Counter(dates).most_common(1)[0]
    if times > 1:
        raise SourceError(f"FRED's answer has {twice} twice; the answer was discarded")
    return root


class FredSource:
    """Fetches series from FRED, with or without a key.

    Without a key, only the latest values are available, from a public CSV file. If ``store``
    already has vintages, the request usually begins with the last vintage that is certainly
    complete in ``store``. :mod:`backtests.sources.alfred` describes the exception. If the file of
    ``store`` is missing, all vintages are requested.
    """

    def __init__(self, key: str | None, deadline: Deadline, store: Store) -> None:
        self.key, self.store = key, store
        self.client = Client(FRED, Rate(*RATE), deadline)
        api = base_url("DRYPOWDER_FRED_URL", "https://api.stlouisfed.org")
        web = base_url("DRYPOWDER_FRED_URL", "https://fred.stlouisfed.org")
        self.root, self.csv = f"{api}/fred", f"{web}/graph/fredgraph.csv"

    def batches(self, id: str, now: pd.Timestamp) -> list[Batch]:
        """Return the vintages of a revised series, or the latest values of any other series.

        ``now`` is the moment of fetching, New York time.

        Raises
        ------
        SourceError, DataError
            Raised if the series cannot be fetched, or its values are wrong.
        """
        if self.key is None:
            return [self._public(id, now)]
        return [self._vintages(id, now) if CATALOG[id].revised else self._latest(id, now)]

    def _public(self, id: str, now: pd.Timestamp) -> Batch:
        batch = self.client.get(self.csv, {"id": id}, read=lambda text: _csv(id, text, now))
        if batch.series_id != id or batch.rows.empty:
            raise SourceError(f"FRED's CSV has no values of {id}")
        return batch

    def _latest(self, id: str, now: pd.Timestamp) -> Batch:
        assert self.key is not None
        with _readable(id, Exception):
            values = _Fredapi(self.key, self.root, self.client).get_series(id).dropna()
            ahead = announced(id, pd.DatetimeIndex(values.index), now)
        note = announced_note(int(ahead.sum()))
        return dated(id, check_values(id, values[~ahead], now), FRED, now, note)

    def _vintages(self, id: str, now: pd.Timestamp) -> Batch:
        dates = self._vintage_dates(id)
        first = pd.Timestamp(dates[0])
        newest = alfred.last_whole_vintage(self.store, id, dates)
        if newest:
            table = self._observations(id, [date for date in dates if date >= newest])
            if alfred.agrees(self.store, id, newest, table):
                found = alfred.changes(id, table, now)
                later = found[found["vintage"] > pd.Timestamp(newest)]
                return alfred.vintage_batch(id, later, first, now)
        found = alfred.changes(id, self._observations(id, dates), now)
        return alfred.vintage_batch(id, found, first, now)

    def _vintage_dates(self, id: str) -> list[str]:
        pages = self._pages("series/vintagedates", {"series_id": id}, "vintage_dates", 10_000)
        dates = [date for page in pages for date in page]
        if not dates:
            raise SourceError(f"FRED's archive has no vintages of {id}")
        with _readable(id, ValueError, TypeError):
            alfred.days(pd.Series(dates))
        return sorted(dates)

    def _observations(self, id: str, vintages: list[str]) -> pd.DataFrame:
        """Return a table of some vintages, with the columns ``date, vintage, value``."""
        with _readable(id, ValueError, TypeError, KeyError, OverflowError):
            tables = [
                alfred.table_of(page)
                for first in range(0, len(vintages), MOST_VINTAGES)
                for page in self._pieces(id, vintages[first : first + MOST_VINTAGES])
            ]
        return pd.concat(tables, ignore_index=True)

    def _pieces(self, id: str, vintages: list[str]) -> Iterator[list[Any]]:
        span = {"series_id": id, "realtime_start": vintages[0], "realtime_end": vintages[-1]}
        return self._pages("series/observations", span, "observations", PAGE)

    def _pages(
        self, path: str, params: dict[str, str], key: str, limit: int
    ) -> Iterator[list[Any]]:
        """Yield the entries of each page; FRED splits a long answer into pages."""
        offset, count = 0, 1
        while offset < count:
            asked = {**params, "limit": str(limit), "offset": str(offset)}
            answer = self._json(path, asked)
            _check_named(asked, answer)
            entries, said = answer.get(key), answer.get("count")
            if not isinstance(entries, list) or not isinstance(said, int):
                raise SourceError(f"FRED's answer has no {key}")
            count = int(said)
            due = max(0, min(limit, count - offset))
            if len(entries) != due:
                raise SourceError(
                    f"expected {due} {key} after the first {offset} in FRED's answer, found "
                    f"{len(entries)}"
                )
            yield entries
            offset += limit

    def _json(self, path: str, params: dict[str, str]) -> dict[str, Any]:
        assert self.key is not None
        asked = {**params, "api_key": self.key, "file_type": "json"}
        answer = self.client.get(f"{self.root}/{path}", asked, read=partial(json_of, FRED))
        if not isinstance(answer, dict):
            raise SourceError("FRED's answer is not a JSON object")
        return answer


def _check_named(asked: dict[str, str], answer: dict[str, Any]) -> None:
    """Raise SourceError if the parameters in an answer are not the requested parameters."""
    for name, value in asked.items():
        if name in answer and str(answer[name]) != value:
            raise SourceError(
                f"expected {name} {value} in FRED's answer, was {str(answer[name])[:40]!r}; the "
                "answer was discarded"
            )


def _csv(id: str, text: str, now: pd.Timestamp) -> Batch:
    if text.lstrip().startswith("<"):
        raise Transient("FRED's answer is a web page instead of CSV")
    if not text.endswith("\n"):
        raise Transient("FRED's answer is not complete CSV")
    with _readable(id, Exception):
        (batch,) = read_csv(f"{id}.csv", text, now)
    return batch


@contextmanager
def _readable(id: str, *kinds: type[Exception]) -> Iterator[None]:
    """Turn DataError and errors of the types ``kinds`` into SourceError, and hide the key."""
    try:
        yield
    except SourceError:
        raise
    except DataError as error:
        raise SourceError(redacted(str(error))) from None
    except kinds as error:
        said = f"FRED's answer for {id} cannot be read: {describe_error(error)}"
        raise SourceError(said) from None
