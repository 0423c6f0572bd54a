"""Fetch a reference rate and standing repo amounts from the New York Fed's markets API.

The API needs no key, and its documentation states no request limit:
https://markets.newyorkfed.org/static/docs/markets-api.html. One request covers one year, which
keeps each answer short. The API's filter for the kind of operation is not reliable, so this module
filters the operations again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import pandas as pd

from backtests.sources.http import Client, Deadline, Rate, base_url, json_of
from backtests.store.batch import NYFED, Batch, dated
from backtests.store.cells import check_values
from signals.catalog import CATALOG
from signals.errors import SourceError

RATE = (2, 1.0)

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """The address of a series in the API.

    The path of a request's URL is ``/api/{path}/search.json``. The query of the URL contains
    ``query``, and the first and the last date of the request. ``rows`` are the JSON keys that lead
    to the list of rows in an answer. The function ``values`` converts the rows into values by date.
    """

    path: str
    rows: tuple[str, ...]
    values: Callable[[list[Row]], pd.Series]
    query: tuple[tuple[str, str], ...] = ()


class NewYorkFedSource:
    """Fetches series from the New York Fed's markets API."""

    def __init__(self, deadline: Deadline) -> None:
        self.client = Client(NYFED, Rate(*RATE), deadline)
        self.root = base_url("DRYPOWDER_NYFED_URL", "https://markets.newyorkfed.org")

    def batches(self, id: str, now: pd.Timestamp) -> list[Batch]:
        """Return one batch with all values of a series up to yesterday.

        ``now`` is the moment of fetching, New York time.

        Raises
        ------
        SourceError, DataError
            Raised if the series cannot be fetched, or its values are wrong.
        """
        endpoint, first = ENDPOINTS[id], CATALOG[id].first
        assert first is not None
        rows = [
            row
            for start, end in _years(first, now.date())
            for row in self._rows(endpoint, start, end, may_be_empty=end == now.date())
        ]
        values = endpoint.values(rows).dropna().sort_index()
        values = values[values.index != now.normalize()]  # more operations may follow today
        return [dated(id, check_values(id, values, now), NYFED, now)]

    def _rows(self, endpoint: Endpoint, start: date, end: date, *, may_be_empty: bool) -> list[Row]:
        """Return the rows of a time span.

        If ``may_be_empty`` is False, an empty answer is an error.
        """
        asked = dict(endpoint.query) | {"startDate": str(start), "endDate": str(end)}
        url = f"{self.root}/api/{endpoint.path}/search.json"
        rows = self.client.get(url, asked, read=partial(_read, endpoint.rows))
        if not rows and not may_be_empty:
            raise SourceError(f"{NYFED}'s answer has no rows from {start} to {end}")
        return rows


def _years(first: date, last: date) -> Iterator[tuple[date, date]]:
    """Yield the first and the last day of each calendar year from ``first`` to ``last``."""
    for year in range(first.year, last.year + 1):
        yield max(first, date(year, 1, 1)), min(last, date(year, 12, 31))


def _read(keys: tuple[str, ...], text: str) -> list[Row]:
    """Return the rows in the API's answer."""
    found = json_of(NYFED, text)
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise SourceError(f"{NYFED}'s answer has no {'/'.join(keys)}")
    return found


def _rate(kind: str, rows: list[Row]) -> pd.Series:
    """Return the rates, in %; raise SourceError if a row has a rate of another kind."""
    other = [row for row in rows if _cell(row, "type") != kind]
    if other:
        raise SourceError(
            f"expected only the rate {kind} in {NYFED}'s answer, found "
            f"{str(other[0]['type'])[:40]}; the answer was discarded"
        )
    rates = [_number(row, "percentRate") for row in rows]
    return pd.Series(rates, index=_days(rows, "effectiveDate"), dtype="float64")


def _overnight_repo(rows: list[Row]) -> pd.Series:
    """Return the accepted amounts of overnight repo operations, summed by date, in USD billions."""
    kept = {"operationType": "Repo", "term": "Overnight"}
    chosen = [row for row in rows if all(_cell(row, key) == kept[key] for key in kept)]
    days = _days(chosen, "operationDate")
    names = [(day, str(_cell(row, "operationId"))) for day, row in zip(days, chosen, strict=True)]
    if len(set(names)) < len(names):
        raise SourceError(f"{NYFED}'s answer contains an operation twice; the answer was discarded")
    amounts = [_number(row, "totalAmtAccepted") for row in chosen]
    dollars = pd.Series(amounts, index=days, dtype="float64")
    return dollars.groupby(level=0).sum(min_count=1) / 1e9


def _cell(row: Row, name: str) -> Any:
    if name not in row:
        raise SourceError(f"a row of {NYFED}'s answer lacks {name}")
    return row[name]


def _number(row: Row, name: str) -> float:
    """Return the number in the field ``name`` of a row; null becomes NaN."""
    cell = _cell(row, name)
    try:
        if isinstance(cell, bool):
            raise TypeError
        return float("nan") if cell is None else float(cell)
    except (TypeError, ValueError, OverflowError):
        raise SourceError(f"expected a number in {name}, was {str(cell)[:40]!r}") from None


def _days(rows: list[Row], name: str) -> pd.DatetimeIndex:
    cells = [_cell(row, name) for row in rows]
    try:
        return pd.DatetimeIndex([pd.Timestamp(date.fromisoformat(cell)) for cell in cells])
    except (TypeError, ValueError, OverflowError):
        raise SourceError(f"{NYFED}'s answer cannot be read: no date in {name}") from None


ENDPOINTS = {
    "TGCR": Endpoint(path="rates/secured/tgcr", rows=("refRates",), values=partial(_rate, "TGCR")),
    "SRF": Endpoint(
        path="rp/results",
        rows=("repo", "operations"),
        values=_overnight_repo,
        query=(("operationTypes", "Repo"),),
    ),
}
