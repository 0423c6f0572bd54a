"""Yahoo's chart service: daily prices of shares and coins, raw and adjusted, with their events.

The adjusted prices are exactly those of the files. Raw closes are computed from them, and differ
only for tickers with dividends. The same is true of Yahoo, because its raw closes are already
adjusted for splits.
"""

import csv
import gzip
import json
import re
import threading
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.servers.web import Request, Response, html

#: Tickers with a dividend of 0.3 % on the first session of March, June, September and December.
PAYERS = frozenset({"SPY", "QQQ", "TLT", "HYG", "BIL", "XLU", "MSFT", "ORCL"})
KEPT = 0.997
#: By ticker: day and ratio of a split. The split is in the events, but not in the prices.
SPLITS = {"NVDA": ("2024-06-10", 10)}

_CHART = re.compile(r"/v8/finance/chart/([^/]+)")
_NEW_YORK = ZoneInfo("America/New_York")
_RANGES = {
    "5d": 7,
    "1mo": 31,
    "3mo": 92,
    "6mo": 183,
    "1y": 366,
    "2y": 731,
    "5y": 1827,
    "10y": 3653,
}
_VALID_RANGES = ["1d", *_RANGES, "ytd", "max"]
_INDICATORS = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True, kw_only=True)
class Prices:
    """Prices of one ticker.

    A close is None if the cell in the file is blank; NaN does not occur.
    """

    dates: list[str]
    adjusted: list[float | None]
    raw: list[float | None]
    dividends: dict[str, float]
    is_coin: bool


class Yahoo:
    """Answers for Yahoo from the files of a history.

    Parameters
    ----------
    history_dir
        Folder that holds ``prices.csv.gz`` and ``crypto/*-USD.csv``.
    today
        A function that returns the last day with a price, in ISO form.

    Attributes
    ----------
    running
        If set, every chart ends with a row at this moment, 1 % above the last close. The row
        imitates the price of a session that has not closed.
    crumb_life
        Number of charts for which a crumb is valid; None for no limit. Afterwards the crumb and its
        cookie are refused, and only a new cookie gives a new crumb. Requests without a crumb are
        always answered.
    refused
        Number of charts that were refused because of their crumb.
    """

    def __init__(self, history_dir: Path, today: Callable[[], str]) -> None:
        self._folder = history_dir
        self._today = today
        self.running: datetime | None = None
        self.crumb_life: int | None = None
        self.refused = 0
        self._lock = threading.Lock()
        self._cookies = 0
        self._served: dict[str, int] = {}

    def answer(self, request: Request) -> Response:
        """Answer a request as Yahoo would."""
        if request.path == "/" and "A3=" in request.headers.get("Cookie", ""):
            return Response(body=b"", content_type="text/html")  # the client keeps its cookie
        if request.path == "/":
            with self._lock:
                self._cookies += 1
                cookie = f"A3=d=loopback{self._cookies}; Max-Age=31557600; Path=/"
            return Response(body=b"", content_type="text/html", headers={"Set-Cookie": cookie})
        if request.path == "/v1/test/getcrumb":
            return Response(body=_crumb_of(request).encode(), content_type="text/plain")
        if asked := _CHART.fullmatch(request.path):
            return self._expired(request) or self._chart(request, asked[1].upper())
        return html(404, "Not Found")

    def _expired(self, request: Request) -> Response | None:
        """Return Yahoo's error for an expired crumb or a crumb of another cookie; else None."""
        crumb = request.query.get("crumb")
        if self.crumb_life is None or crumb is None:
            return None
        with self._lock:
            served = self._served[crumb] = self._served.get(crumb, 0) + 1
            if crumb == _crumb_of(request) and served <= self.crumb_life:
                return None
            self.refused += 1
        error = {"code": "Unauthorized", "description": "Invalid Crumb"}
        return _json({"finance": {"result": None, "error": error}}, 401)

    def missing(self, request: Request) -> Response:
        """Return the answer for a ticker that no longer exists."""
        return _error(404, "Not Found", "No data found, symbol may be delisted")

    def refusal(self, request: Request, status: int) -> Response:
        """Return an answer with an error status."""
        if status == 429:
            text = b"Edge: Too Many Requests\r\n"
            return Response(status=429, body=text, content_type="text/html")
        return html(status, "Will be right back...")

    def _chart(self, request: Request, ticker: str) -> Response:
        prices = _load(self._folder, ticker)
        if prices is None or prices.dates[0] > self._today():
            return self.missing(request)
        if request.query.get("interval", "1d") != "1d":
            return _error(422, "Unprocessable Entity", "This test server has interval 1d only")
        rows = self._rows(prices)
        try:
            start, end = _span(request.query, rows)
        except ValueError as error:
            return _error(400, "Bad Request", str(error))
        if end <= rows[0][0]:
            reason = f"Data doesn't exist for startDate = {start}, endDate = {end}"
            return _error(400, "Bad Request", reason)
        chosen = [row for row in rows if start <= row[0] < end]
        result = {"meta": _meta(ticker, prices, rows, request.query.get("range", ""))}
        result |= _series(chosen)
        if events := _events(ticker, prices, start, end):
            result["events"] = events
        return _json({"chart": {"result": [result], "error": None}})

    def _rows(self, prices: Prices) -> list[tuple[int, float | None, float | None]]:
        """Return the moment, the raw close and the adjusted close of each day up to today."""
        size = bisect_left(prices.dates, self._today() + "~")
        moments = [_moment(day, prices.is_coin) for day in prices.dates[:size]]
        rows = list(zip(moments, prices.raw, prices.adjusted, strict=False))
        if self.running is not None:
            price = round((prices.raw[size - 1] or 0.0) * 1.01, 2)
            rows.append((int(self.running.timestamp()), price, price))
        return rows


def _crumb_of(request: Request) -> str:
    """Return the crumb that belongs to a request's cookie."""
    found = re.search(r"A3=d=loopback(\d+)", request.headers.get("Cookie", ""))
    return f"Lo0pback{found[1] if found else 0}"


@cache
def _table(folder: Path) -> tuple[list[str], dict[str, list[str]]]:
    """Return the dates of the table of shares, and each ticker's column of text."""
    with gzip.open(folder / "prices.csv.gz", "rt", encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    columns = zip(*rows, strict=True)
    dates = list(next(columns))
    return dates, dict(zip(head[1:], map(list, columns), strict=True))


@cache
def _load(folder: Path, ticker: str) -> Prices | None:
    coin = folder / "crypto" / f"{ticker}.csv"
    if re.fullmatch(r"\w+-USD", ticker) and coin.is_file():
        with coin.open(encoding="utf-8", newline="") as file:
            _, *rows = csv.reader(file)
        return _prices(ticker, [day for day, _ in rows], [text for _, text in rows], is_coin=True)
    dates, columns = _table(folder)
    if ticker not in columns:
        return None
    listed = [i for i, text in enumerate(columns[ticker]) if text]
    span = slice(listed[0], listed[-1] + 1)
    return _prices(ticker, dates[span], columns[ticker][span], is_coin=False)


def _prices(ticker: str, dates: list[str], texts: list[str], *, is_coin: bool) -> Prices:
    adjusted = [float(text) if text else None for text in texts]
    raw = adjusted
    dividends: dict[str, float] = {}
    if ticker in PAYERS:
        raw, dividends = _before_dividends(dates, adjusted)
    return Prices(dates=dates, adjusted=adjusted, raw=raw, dividends=dividends, is_coin=is_coin)


def _before_dividends(
    dates: list[str], adjusted: list[float | None]
) -> tuple[list[float | None], dict[str, float]]:
    """Return the raw closes that give these adjusted closes, and the dividend on each ex-day."""
    raw = list(adjusted)
    paid: dict[str, float] = {}
    factor = 1.0
    for i in range(len(dates) - 1, -1, -1):
        price = adjusted[i]
        raw[i] = None if price is None else price / factor
        if i and dates[i][:7] != dates[i - 1][:7] and int(dates[i][5:7]) % 3 == 0:
            factor *= KEPT
            paid[dates[i]] = round((adjusted[i - 1] or 0.0) / factor * (1 - KEPT), 6)
    return raw, paid


@cache
def _moment(day: str, is_coin: bool) -> int:
    """Return the time stamp of a row: 09:30 in New York, or 00:00 UTC for a coin."""
    on = date.fromisoformat(day)
    if is_coin:
        return int(datetime(on.year, on.month, on.day, tzinfo=UTC).timestamp())
    return int(datetime(on.year, on.month, on.day, 9, 30, tzinfo=_NEW_YORK).timestamp())


def _span(query: dict[str, str], rows: list[Any]) -> tuple[int, int]:
    """Return the requested span: its first moment, and the moment after its end."""
    newest = rows[-1][0]
    if "period1" in query or "period2" in query:
        return int(query.get("period1", 0)), int(query.get("period2", newest + 1))
    name = query.get("range", "1mo")
    if name == "max":
        return rows[0][0], newest + 1
    if name == "1d":
        return newest, newest + 1
    if name == "ytd":
        year = datetime.fromtimestamp(newest, UTC).year
        return int(datetime(year, 1, 1, tzinfo=UTC).timestamp()), newest + 1
    if name not in _RANGES:
        raise ValueError(f"Invalid range: {name}")
    return newest - int(timedelta(days=_RANGES[name]).total_seconds()), newest + 1


def _series(rows: list[Any]) -> dict[str, Any]:
    """Return time stamps and indicators. Without rows, Yahoo gives empty indicators."""
    if not rows:
        return {"indicators": {"quote": [{}], "adjclose": [{}]}}
    moments, raw, adjusted = (list(column) for column in zip(*rows, strict=True))
    volume = [None if price is None else 1_000_000 + i for i, price in enumerate(raw)]
    quote = {name: volume if name == "volume" else raw for name in _INDICATORS}
    return {
        "timestamp": moments,
        "indicators": {"quote": [quote], "adjclose": [{"adjclose": adjusted}]},
    }


def _events(ticker: str, prices: Prices, start: int, end: int) -> dict[str, Any]:
    events: dict[str, Any] = {}
    for day, amount in prices.dividends.items():
        if start <= (at := _moment(day, False)) < end:
            events.setdefault("dividends", {})[str(at)] = {"amount": amount, "date": at}
    if ticker in SPLITS:
        day, ratio = SPLITS[ticker]
        if start <= (at := _moment(day, False)) < end:
            split = {"date": at, "numerator": ratio, "denominator": 1, "splitRatio": f"{ratio}:1"}
            events["splits"] = {str(at): split}
    return events


def _meta(ticker: str, prices: Prices, rows: list[Any], name: str) -> dict[str, Any]:
    zone = "UTC" if prices.is_coin else "America/New_York"
    last = datetime.fromtimestamp(rows[-1][0], ZoneInfo(zone))
    offset = int((last.utcoffset() or timedelta()).total_seconds())
    closing = rows[-1][0] + (86_399 if prices.is_coin else 23_400)
    session = {"timezone": last.tzname(), "start": rows[-1][0], "end": closing, "gmtoffset": offset}
    trading = {part: dict(session) for part in ("pre", "regular", "post")}
    return {
        "currency": "USD",
        "symbol": ticker,
        "exchangeName": "CCC" if prices.is_coin else "NYQ",
        "fullExchangeName": "CCC" if prices.is_coin else "NYSE",
        "instrumentType": "CRYPTOCURRENCY" if prices.is_coin else "EQUITY",
        "firstTradeDate": rows[0][0],
        "regularMarketTime": closing,
        "hasPrePostMarketData": not prices.is_coin,
        "gmtoffset": offset,
        "timezone": last.tzname(),
        "exchangeTimezoneName": zone,
        "regularMarketPrice": rows[-1][1],
        "chartPreviousClose": rows[0][1],
        "priceHint": 2,
        "currentTradingPeriod": trading,
        "dataGranularity": "1d",
        "range": name,
        "validRanges": _VALID_RANGES,
    }


def _json(document: dict[str, Any], status: int = 200) -> Response:
    body = json.dumps(document, separators=(",", ":")).encode()
    return Response(status=status, body=body, content_type="application/json;charset=utf-8")


def _error(status: int, code: str, reason: str) -> Response:
    error = {"code": code, "description": reason}
    return _json({"chart": {"result": None, "error": error}}, status)
