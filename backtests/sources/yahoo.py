"""Fetch a ticker's adjusted closing prices from Yahoo, with yfinance.

yfinance hides errors, and it accepts an answer without adjusted prices. So this module checks every
answer about a ticker before yfinance reads it. The price of a session that has not closed is left
out. Prices before the ticker's listing are left out, because they belong to another company.

Yahoo requires a crumb, a token that belongs to a cookie. The crumb and the cookie expire after some
time. yfinance keeps the crumb and the cookie in memory until the process ends, and also keeps the
cookie on disk. If Yahoo refuses the crumb, this module deletes the crumb and the cookie. Then
yfinance requests a new crumb and a new cookie.
"""

import warnings
from logging import CRITICAL, getLogger
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import curl_cffi
import curl_cffi.requests as curl
import pandas as pd
import yfinance
import yfinance.cache
from yfinance.data import YfData
from yfinance.exceptions import YFRateLimitError
from yfinance.utils import is_valid_timezone

from backtests.sources import http
from backtests.sources.secrets import describe_error, one_line
from backtests.store.batch import YAHOO, Batch
from backtests.store.closes import price_batch
from signals.errors import DrypowderError, SourceError
from signals.universe import UNIVERSE, asset

RATE = (60, 30.0)
#: Longest time for a whole answer, in seconds, in addition to the time to connect. The time is
#: short, because Ctrl-C cannot interrupt a request.
LONGEST = 15.0
FIRST = "1990-01-01"
_CHART = "/v8/finance/chart/"


class _Session(curl.Session[Any]):
    """An HTTP session for yfinance.

    The HTTP session limits the wait for an answer, checks Yahoo's answers, and can use another
    host.
    """

    def __init__(self, deadline: http.Deadline, rate: http.Rate) -> None:
        super().__init__(impersonate="chrome")
        self.deadline, self.rate = deadline, rate
        self.fault: SourceError | None = None

    def request(self, method: Any, url: str, *args: Any, **kwargs: Any) -> Any:
        """Send a request. Raise a network error, or the error in Yahoo's answer for a ticker.

        An error is also stored in ``fault``, because yfinance hides errors.
        """
        self.rate.wait(self.deadline)
        policy, left = self.deadline.policy, max(self.deadline.left, 0.1)
        kwargs["timeout"] = (min(policy.connect, left), min(policy.read, left, LONGEST))
        try:
            answer = super().request(method, _at_host(url), *args, **kwargs)
        except curl.exceptions.RequestException as error:
            self.fault = _failure(error)
            raise
        ticker = unquote(urlsplit(url).path.partition(_CHART)[2])
        if ticker:
            self.fault = _fault(answer, ticker)
            if self.fault is not None:
                # If the error were not raised here, yfinance would send another request at once.
                raise self.fault
        return answer

    def forget_crumb(self) -> None:
        """Delete the crumb and its cookie from yfinance's memory and disk."""
        data = YfData(session=self)
        data._crumb = data._cookie = None
        self.cookies.clear()
        yfinance.cache.get_cookie_cache().store("curlCffi", None)


class _Expired(http.Transient):
    """Yahoo refused a request because the access token (crumb) has expired."""


def _at_host(url: str) -> str:
    """Return the URL, with another host if the variable ``DRYPOWDER_YAHOO_URL`` is set."""
    asked = urlsplit(url)
    there = urlsplit(http.base_url("DRYPOWDER_YAHOO_URL", f"{asked.scheme}://{asked.netloc}"))
    return urlunsplit((there.scheme, there.netloc, asked.path, asked.query, ""))


def _failure(error: Any) -> SourceError:
    unreachable = (
        curl_cffi.CurlECode.COULDNT_CONNECT,
        curl_cffi.CurlECode.COULDNT_RESOLVE_HOST,
        curl_cffi.CurlECode.COULDNT_RESOLVE_PROXY,
    )
    if error.code in unreachable:
        if getattr(error.response, "redirect_count", 0):
            return SourceError("Yahoo redirected to an address that failed; try later")
        return http.Unreachable("Yahoo cannot be reached; check the network")
    if error.code == curl_cffi.CurlECode.OPERATION_TIMEDOUT:
        return http.Transient("Yahoo did not answer in time")
    return http.Transient(f"Yahoo broke off the connection: {type(error).__name__}")


def _fault(answer: Any, ticker: str) -> SourceError | None:
    """Return the error in Yahoo's answer for a ticker, or None if the answer is correct."""
    if answer.status_code == 404:
        guessed = "" if ticker in UNIVERSE else "; an id outside the catalog counts as a ticker"
        return http.Absent(f"Yahoo has no such ticker (404){guessed}")
    if answer.status_code == 401:
        return _Expired("Yahoo refused the access token (crumb), because it has expired (401)")
    if answer.status_code == 429 or answer.status_code >= 500:
        wait = http.seconds_of(answer.headers.get("Retry-After"))
        return http.Transient(f"Yahoo is busy ({answer.status_code})", wait)
    try:
        return _chart_fault(http.json_of(YAHOO, answer.text), answer.status_code, ticker)
    except SourceError as error:
        return error
    except Exception as error:
        return SourceError(f"Yahoo's answer has an unknown format: {describe_error(error)}")


def _chart_fault(document: Any, status: int, ticker: str) -> SourceError | None:
    if not isinstance(document, dict) or "chart" not in document:
        return SourceError("Yahoo's answer has an unknown format: it has no chart")
    chart = document["chart"]
    if not chart["result"]:
        said = (chart.get("error") or {}).get("description") or "no prices and no reason given"
        return SourceError(f"Yahoo refused ({status}): {one_line(said, 200)}")
    (result,) = chart["result"]
    meta = result["meta"]
    if str(meta.get("symbol")).upper() != ticker.upper():
        said = str(meta.get("symbol"))[:40]
        return SourceError(
            f"expected a chart of {ticker} from Yahoo, was a chart of {said!r}; the answer was "
            "discarded"
        )
    if meta.get("currency") != "USD":
        said = str(meta.get("currency") or "an unnamed currency")[:40]
        return SourceError(f"expected prices in USD, were in {said}; the answer was discarded")
    zone = str(meta.get("exchangeTimezoneName"))
    if not is_valid_timezone(zone):  # yfinance would cache the wrong zone
        return SourceError(
            f"expected an existing time zone in Yahoo's answer, was {zone[:40]!r}; the answer was "
            "discarded"
        )
    if "timestamp" not in result:
        return SourceError(f"Yahoo has no prices of {ticker} on the requested days")
    indicators = result["indicators"]
    closes = indicators["adjclose"][0]["adjclose"]
    stamps = result["timestamp"]
    odd = _odd_cells(stamps, closes, indicators["quote"][0]["close"])
    return odd or _early_dates(ticker, zone, stamps)


def _odd_cells(stamps: list[Any], closes: list[Any], raw: list[Any]) -> SourceError | None:
    if not len(stamps) == len(closes) == len(raw):
        return SourceError(
            "expected one close and one adjusted close for each date in Yahoo's answer, found "
            f"{len(raw)} and {len(closes)} for {len(stamps)} dates"
        )
    if any(isinstance(cell, str | bool) for cell in [*stamps, *closes, *raw]):
        return SourceError("Yahoo's answer has a string instead of a number")
    if len(set(stamps)) < len(stamps):
        return SourceError("Yahoo's answer has a date twice; the answer was discarded")
    return None


def _early_dates(ticker: str, zone: str, stamps: list[Any]) -> SourceError | None:
    """Return an error if a coin's closes have earlier dates in ``zone`` than in UTC."""
    moments = pd.DatetimeIndex(pd.to_datetime(stamps, unit="s", utc=True))
    dates, right = (m.tz_localize(None).normalize() for m in (moments.tz_convert(zone), moments))
    if not asset(ticker).is_coin or not (dates < right).any():
        return None
    return SourceError(
        f"expected Yahoo's dates of {ticker} in UTC, but the dates in Yahoo's time zone {zone} are "
        "earlier; the answer was discarded"
    )


class YahooSource:
    """Fetches the prices of a ticker from Yahoo."""

    def __init__(self, deadline: http.Deadline) -> None:
        # Raise ConfigError at once if the environment contains an invalid address.
        http.base_url("DRYPOWDER_YAHOO_URL", "https://query2.finance.yahoo.com")
        self.deadline = deadline
        self.session = _Session(deadline, http.Rate(*RATE))
        yfinance.config.debug.hide_exceptions = False
        getLogger("yfinance").setLevel(CRITICAL)  # each job's outcome shows yfinance's error

    def batches(self, ticker: str, start: str, now: pd.Timestamp) -> list[Batch]:
        """Return one batch of a ticker: its adjusted prices since ``start`` (an ISO date).

        ``now`` is the moment of fetching, New York time.

        Raises
        ------
        SourceError, DataError
            Raised if the prices cannot be fetched or are wrong.
        """
        closes = http.with_retries(lambda: self._closes(ticker, start), self.deadline)
        return [price_batch(ticker, closes, now, YAHOO)]

    def _closes(self, ticker: str, start: str) -> pd.Series:
        self.session.fault = None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # pandas' deprecations, in yfinance
                table = yfinance.Ticker(ticker, session=self.session).history(
                    start=start, auto_adjust=True, actions=False, raise_errors=True
                )
        except _Expired:
            self.session.forget_crumb()
            raise
        except DrypowderError:
            raise
        except YFRateLimitError:
            busy = http.Transient("Yahoo got too many requests (429)")
            raise self.session.fault or busy from None
        except Exception as error:
            said = f"Yahoo's answer: {describe_error(error)}"
            raise self.session.fault or SourceError(said) from None
        if self.session.fault is not None:
            raise self.session.fault
        if table.empty or "Close" not in table:
            raise SourceError(f"Yahoo has no prices of {ticker} from {start}")
        closes = table["Close"].dropna()
        days = pd.DatetimeIndex(closes.index).tz_localize(None).normalize()
        return pd.Series(closes.to_numpy(dtype="float64"), index=days.as_unit("us"))
