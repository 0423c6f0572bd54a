"""Yahoo, through yfinance: adjusted closes, each series as one whole vintage.

yfinance takes an answer without adjusted closes for one that needs none, and swallows what goes
wrong; so every answer is looked at on its way in. A last session that has not closed is left out,
as is what lies before an asset's listing, which is another company's.
"""

import json
import warnings
from logging import CRITICAL, getLogger
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import curl_cffi
import curl_cffi.requests as curl
import pandas as pd
import yfinance
from yfinance.exceptions import YFRateLimitError

from backtests.history.batch import YAHOO, Batch
from backtests.history.prices import price_batch
from backtests.sources.http import (
    Absent,
    Clock,
    Rate,
    Transient,
    Unreachable,
    base_url,
    patiently,
    seconds_of,
)
from signals.errors import DrypowderError, SourceError

RATE = (60, 30.0)
#: Seconds for a whole answer: while it is awaited the keyboard cannot stop us.
LONGEST = 15.0
FIRST = "1990-01-01"


class _Session(curl.Session[Any]):
    """yfinance's session: another host where one is set, a timeout, and answers looked at."""

    def __init__(self, clock: Clock, rate: Rate) -> None:
        super().__init__(impersonate="chrome")
        self.clock, self.rate = clock, rate
        self.fault: SourceError | None = None

    def request(self, method: Any, url: str, *args: Any, **kwargs: Any) -> Any:
        """Ask; remember and raise what was wrong with a chart."""
        patience = self.clock.patience
        longest = min(patience.read, self.clock.left or 1.0, LONGEST)
        kwargs["timeout"] = (patience.connect, longest)
        self.rate.wait()
        try:
            answer = super().request(method, _elsewhere(url), *args, **kwargs)
        except curl.exceptions.RequestException as error:
            self.fault = _failure(error)
            raise
        if "/v8/finance/chart/" in url:
            self.fault = _wrong(answer)
            if self.fault is not None:
                raise self.fault  # else yfinance asks again at once, in another way
        return answer


def _elsewhere(url: str) -> str:
    """Return the URL at the host that the environment names, if it names one."""
    asked = urlsplit(url)
    there = urlsplit(base_url("DRYPOWDER_YAHOO_URL", f"{asked.scheme}://{asked.netloc}"))
    return urlunsplit((there.scheme, there.netloc, asked.path, asked.query, ""))


def _failure(error: Any) -> SourceError:
    unreachable = (
        curl_cffi.CurlECode.COULDNT_CONNECT,
        curl_cffi.CurlECode.COULDNT_RESOLVE_HOST,
        curl_cffi.CurlECode.COULDNT_RESOLVE_PROXY,
    )
    if error.code in unreachable:
        return Unreachable("Yahoo cannot be reached; check the network")
    if error.code == curl_cffi.CurlECode.OPERATION_TIMEDOUT:
        return Transient("Yahoo did not answer in time")
    return Transient(f"Yahoo broke off: {type(error).__name__}")


def _wrong(answer: Any) -> SourceError | None:
    """Return what is wrong with a chart, None when it can be read."""
    if answer.status_code == 404:
        return Absent("Yahoo has no such ticker (404)")
    if answer.status_code == 429 or answer.status_code >= 500:
        wait = seconds_of(answer.headers.get("Retry-After"))
        return Transient(f"Yahoo is busy ({answer.status_code})", wait)
    try:
        chart = json.loads(answer.text)["chart"]
    except json.JSONDecodeError:
        return Transient("Yahoo's answer is no whole JSON")
    except (KeyError, TypeError):
        return SourceError("Yahoo's answer has another form: it holds no chart")
    try:
        if not chart["result"]:
            return SourceError(f"Yahoo refused ({answer.status_code}): {_described(chart)}")
        (result,) = chart["result"]
        if "timestamp" not in result:
            return SourceError("Yahoo has no prices of it on the days asked for")
        currency = result["meta"].get("currency") or "USD"
        stamps, indicators = result["timestamp"], result["indicators"]
        closes = indicators["adjclose"][0]["adjclose"]
        raw = indicators["quote"][0]["close"]
    except (KeyError, TypeError, IndexError, ValueError) as error:
        return SourceError(f"Yahoo's answer has another form: {type(error).__name__} {error}")
    if currency != "USD":
        return SourceError(f"expected prices in USD, were in {currency}; nothing is taken")
    return _odd_cells(stamps, closes, raw)


def _described(chart: dict[str, Any]) -> str:
    """Return what Yahoo says is wrong."""
    said = (chart.get("error") or {}).get("description") or "it gave no prices and no reason"
    return " ".join(str(said).split())[:200]


def _odd_cells(stamps: list[Any], closes: list[Any], raw: list[Any]) -> SourceError | None:
    if not len(stamps) == len(closes) == len(raw):
        return SourceError("Yahoo's answer has fewer adjusted closes than dates")
    if any(isinstance(cell, str | bool) for cell in [*stamps, *closes, *raw]):
        return SourceError("Yahoo's answer has a text where a number belongs")
    if len(set(stamps)) < len(stamps):
        return SourceError("Yahoo's answer has a date twice; nothing is taken")
    return None


class YahooSource:
    """Prices by ticker.

    Parameters
    ----------
    clock
        The time left.
    """

    def __init__(self, clock: Clock) -> None:
        base_url("DRYPOWDER_YAHOO_URL", "https://query2.finance.yahoo.com")  # refuse a bad one now
        self.clock = clock
        self.session = _Session(clock, Rate(*RATE))
        yfinance.config.debug.hide_exceptions = False
        getLogger("yfinance").setLevel(CRITICAL)  # what it logs we say on a line of our own

    def batch(self, ticker: str, now: pd.Timestamp, start: str = FIRST) -> Batch:
        """Return the adjusted closes of a ticker as one whole vintage.

        Parameters
        ----------
        ticker
            Yahoo's symbol.
        now
            The moment of fetching, New York's clock.
        start
            First day asked for.

        Raises
        ------
        SourceError, DataError
            When they cannot be had or cannot be right; nothing is to be stored then.
        """
        closes = patiently(lambda: self._closes(ticker, start), self.clock)
        return price_batch(ticker, closes, now, YAHOO)

    def _closes(self, ticker: str, start: str) -> pd.Series:
        self.session.fault = None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # pandas' deprecations, in yfinance
                table = yfinance.Ticker(ticker, session=self.session).history(
                    start=start, auto_adjust=True, actions=False, raise_errors=True
                )
        except DrypowderError:
            raise
        except YFRateLimitError:
            raise self.session.fault or Transient("Yahoo is asked too often (429)") from None
        except Exception as error:
            said = f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
            raise self.session.fault or SourceError(f"Yahoo's answer: {said}") from None
        if self.session.fault is not None:
            raise self.session.fault
        if table.empty or "Close" not in table:
            raise SourceError(f"Yahoo has no prices of {ticker} from {start}")
        closes = table["Close"].dropna()
        days = pd.DatetimeIndex(closes.index).tz_localize(None).normalize()
        return pd.Series(closes.to_numpy(dtype="float64"), index=days.as_unit("us"))
