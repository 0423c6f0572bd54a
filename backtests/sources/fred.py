"""FRED: latest values through fredapi, vintages by ALFRED, and a public CSV without a key.

fredapi reads the latest revision, which is right for series that are never revised. Vintages it
gets wrong (several rows a date, no more than 2,000 at once), so these we ask for ourselves. What
goes over the wire is our own client's in either case: timeouts, retries, FRED's 120 requests a
minute, and a key that shows nowhere.
"""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from xml.etree import ElementTree

import fredapi
import numpy as np
import pandas as pd

from backtests.history.batch import ARCHIVE, FRED, Batch, dated
from backtests.history.calendar import OPEN, known_at, session_after
from backtests.history.cells import check_values
from backtests.history.tables import read_csv
from backtests.sources.http import Client, Clock, Rate, Transient, base_url
from backtests.sources.secrets import redacted
from signals.catalog import CATALOG
from signals.errors import DataError, SourceError

RATE = (120, 60.0)
#: Vintages that one request may span.
MOST_VINTAGES = 2000
#: Rows that one answer holds.
PAGE = 100_000
#: Source of a row that is dated by its vintage, and of one in the archive's first vintage.
VINTAGE, FIRST_VINTAGE = ARCHIVE, f"{ARCHIVE}, first vintage, date by rule"


def _roots() -> tuple[str, str]:
    """Return where the API and the public CSV are."""
    api = base_url("DRYPOWDER_FRED_URL", "https://api.stlouisfed.org")
    web = base_url("DRYPOWDER_FRED_URL", "https://fred.stlouisfed.org")
    return f"{api}/fred", f"{web}/graph/fredgraph.csv"


class _Fredapi(fredapi.Fred):  # type: ignore[misc]
    """fredapi, with its requests made by our client.

    Its own have no timeout, no retry, and show the key in what they raise.
    """

    def __init__(self, key: str, root: str, client: Client) -> None:
        super().__init__(api_key=key)
        self.root_url = root
        self._client = client

    def _parse(self, date_str: str, format: str = "%Y-%m-%d") -> datetime:
        return datetime.strptime(date_str, format)  # theirs takes pandas 0.1 ms a date

    def _Fred__fetch_data(self, url: str) -> ElementTree.Element:  # noqa: N802 - fredapi's name
        return self._client.get(f"{url}&api_key={self.api_key}", read=_xml)


def _xml(text: str) -> ElementTree.Element:
    """Return observations; refuse those that come twice, of which fredapi would keep the last."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        raise Transient("FRED's answer is no whole XML") from None
    if root.tag == "html":
        raise Transient("FRED's answer is a page, no XML")
    dates = [row.get("date") for row in root]
    if root.tag != "observations" or not dates or None in dates:
        raise SourceError("FRED's answer holds no observations by date")
    if len(set(dates)) < len(dates):
        twice = next(date for date in dates if dates.count(date) > 1)
        raise SourceError(f"FRED's answer has {twice} twice; nothing is taken")
    return root


class FredSource:
    """FRED, with a key or without.

    Parameters
    ----------
    key
        The user's; None for the public CSV, which holds latest values alone.
    clock
        The time left.
    """

    def __init__(self, key: str | None, clock: Clock) -> None:
        self.key = key
        self.client = Client(FRED, Rate(*RATE), clock)
        self.root, self.csv = _roots()

    def batch(self, id: str, now: pd.Timestamp) -> Batch:
        """Return a series of the catalog, as its kind asks: vintages where it is revised.

        Parameters
        ----------
        id
            A FRED id of the catalog.
        now
            The moment of fetching, New York's clock.

        Raises
        ------
        SourceError, DataError
            When it cannot be had or cannot be right; nothing is to be stored then.
        """
        if self.key is None:
            return self._public(id, now)
        return self._vintages(id, now) if CATALOG[id].revised else self._latest(id, now)

    def _public(self, id: str, now: pd.Timestamp) -> Batch:
        batch = self.client.get(self.csv, {"id": id}, read=lambda text: _csv(id, text, now))
        if batch.series_id != id or batch.rows.empty:
            raise SourceError(f"FRED's CSV holds no values of {id}")
        return batch

    def _latest(self, id: str, now: pd.Timestamp) -> Batch:
        assert self.key is not None
        values = _called(id, _Fredapi(self.key, self.root, self.client).get_series, id)
        return dated(id, check_values(id, values.dropna(), now), FRED, now)

    def _vintages(self, id: str, now: pd.Timestamp) -> Batch:
        dates = self._vintage_dates(id)
        rows = [
            row
            for first in range(0, len(dates), MOST_VINTAGES)
            for row in self._observations(id, dates[first : first + MOST_VINTAGES])
        ]
        return vintage_batch(id, _changes(id, rows), pd.Timestamp(dates[0]), now)

    def _vintage_dates(self, id: str) -> list[str]:
        pages = self._pages("series/vintagedates", {"series_id": id}, "vintage_dates", 10_000)
        dates = list(pages)
        if not dates or not all(isinstance(date, str) for date in dates):
            raise SourceError(f"FRED's archive has no vintages of {id}")
        return sorted(dates)

    def _observations(self, id: str, vintages: list[str]) -> Iterator[dict[str, Any]]:
        span = {"series_id": id, "realtime_start": vintages[0], "realtime_end": vintages[-1]}
        return self._pages("series/observations", span, "observations", PAGE)

    def _pages(self, path: str, params: dict[str, str], key: str, limit: int) -> Iterator[Any]:
        """Yield the entries of an answer, page by page."""
        offset, count = 0, 1
        while offset < count:
            page = {"limit": str(limit), "offset": str(offset)}
            answer = self._json(path, {**params, **page})
            entries = answer.get(key)
            if not isinstance(entries, list) or not isinstance(answer.get("count"), int):
                raise SourceError(f"FRED's answer holds no {key}")
            yield from entries
            offset, count = offset + limit, answer["count"]

    def _json(self, path: str, params: dict[str, str]) -> dict[str, Any]:
        assert self.key is not None
        asked = {**params, "api_key": self.key, "file_type": "json"}
        return self.client.get(f"{self.root}/{path}", asked, read=_object)


def _object(text: str) -> dict[str, Any]:
    try:
        answer = json.loads(text)
    except ValueError:
        raise Transient("FRED's answer is no whole JSON") from None
    if not isinstance(answer, dict):
        raise SourceError("FRED's answer is no JSON object")
    return answer


def _csv(id: str, text: str, now: pd.Timestamp) -> Batch:
    if text.lstrip().startswith("<"):
        raise Transient("FRED's answer is a page, no CSV")
    if not text.endswith("\n"):
        raise Transient("FRED's answer is no whole CSV")
    try:
        (batch,) = read_csv(f"{id}.csv", text, now)
    except Exception as error:
        raise _unreadable(id, error) from None
    return batch


def _called(id: str, function: Callable[..., Any], *given: Any) -> Any:
    """Return what fredapi gives, or its failure as one line without the key."""
    try:
        return function(*given)
    except SourceError:
        raise
    except Exception as error:
        raise _unreadable(id, error) from None


def _unreadable(id: str, error: Exception) -> SourceError:
    if isinstance(error, DataError):
        return SourceError(redacted(str(error)))
    said = redacted(" ".join(str(error).split()))[:160]
    return SourceError(f"FRED's answer for {id} cannot be read: {type(error).__name__}: {said}")


def _changes(id: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return ``date, vintage, value`` where a value changed; NaN where there was expressly none.

    Requests that follow one another repeat what stood at their seam; a vintage that changes
    nothing says nothing.
    """
    try:
        table = pd.DataFrame(rows)[["date", "realtime_start", "value"]].astype(str)
        table.columns = pd.Index(["date", "vintage", "value"])
        table["date"] = pd.to_datetime(table["date"], format="%Y-%m-%d")
        table["vintage"] = pd.to_datetime(table["vintage"], format="%Y-%m-%d")
        none = table["value"] == "."
        table["value"] = pd.to_numeric(table["value"].mask(none))
        if (table["value"].isna() & ~none).any():
            raise ValueError("a value that is no number")
    except (KeyError, ValueError, TypeError) as error:
        raise _unreadable(id, error) from None
    table = table.sort_values(["date", "vintage"], kind="stable")
    twice = table.duplicated(["date", "vintage"], keep=False)
    differs = twice & ~table.duplicated(["date", "vintage", "value"], keep=False)
    if differs.any():
        day = table.loc[differs, "date"].iloc[0].date()
        raise SourceError(f"FRED's archive has two values of {id} for {day} in one vintage")
    table = table.drop_duplicates(["date", "vintage"])
    before = table.groupby("date")["value"].shift()
    first = ~table.duplicated("date")
    same = (table["value"] == before) | (table["value"].isna() & before.isna() & ~first)
    missing_first = first & table["value"].isna()
    return table[~same & ~missing_first].reset_index(drop=True)


def vintage_batch(
    id: str, changes: pd.DataFrame, first_vintage: pd.Timestamp, now: pd.Timestamp
) -> Batch:
    """Return the batch of a revised series: every value that ever stood, from when it was known.

    A vintage date carries no hour, so a value is known at the open of the session after it. What
    the archive's first vintage holds was published before the archive began: it is dated by the
    catalog's rule, where that is earlier, and its source says so.

    Parameters
    ----------
    changes
        ``date, vintage, value``; one row a change.
    first_vintage
        The archive's first.
    """
    _check_changes(id, changes, now)
    dates = pd.DatetimeIndex(changes["date"]).as_unit("us")
    published = (session_after(pd.DatetimeIndex(changes["vintage"])) + OPEN).as_unit("us")
    rule = CATALOG[id].known
    by_rule = known_at(rule, dates, now).as_unit("us")
    old = (changes["vintage"] == first_vintage).to_numpy() & (rule.kind != "recorded")
    early = old & np.asarray(by_rule < published)
    rows = pd.DataFrame(
        {
            "observed_on": dates,
            "available_at": published.where(~early, by_rule),
            "value": changes["value"].to_numpy(dtype=np.float64),
            "source": np.where(early, FIRST_VINTAGE, VINTAGE),
        }
    )
    return Batch(series_id=id, rows=rows, vintages=True)


def _check_changes(id: str, changes: pd.DataFrame, now: pd.Timestamp) -> None:
    """Raise :class:`DataError` when a value that ever stood cannot be, or was known too early."""
    check_values(id, changes.groupby("date")["value"].last().dropna(), now)
    entry = CATALOG[id]
    odd = (changes["value"] < entry.low) | (changes["value"] > entry.high)
    early = changes["date"] > changes["vintage"]
    for bad, expected in (
        (odd, f"{entry.unit} in {entry.low:g} to {entry.high:g}"),
        (early, "no date after its vintage"),
        (changes["vintage"] > now, "no vintage after today"),
    ):
        if bad.any():
            row = changes[bad].iloc[0]
            raise DataError(
                f"expected of {id} {expected}, was {row['value']} for {row['date'].date()} in the "
                f"vintage of {row['vintage'].date()}; nothing of it is taken"
            )
