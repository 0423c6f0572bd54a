"""Send HTTP requests with timeouts, a rate limit, retries and a deadline.

A request ends with a complete answer or with an error. A request is repeated if the source cannot
be reached, or if the answer is incomplete or late. A request is also repeated after status 429 or
5xx. After status 403, a request is repeated only if the SEC reports too many requests. The retry
policy limits the number of attempts of each request. The error message is one line.
"""

import json
import os
import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from logging import getLogger
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
import tenacity
import urllib3

from backtests.sources.secrets import RedactingFilter, one_line
from signals.errors import ConfigError, SourceError

T = TypeVar("T")
_PART = 65_536  # number of bytes in one read
#: Largest size of an answer, in bytes. The largest known answer is an archive page with 10 million
#: bytes.
MOST_BYTES = 64 * 2**20
#: Words in the SEC's answer (status 403) after too many requests. If a request has no contact, the
#: SEC's answer contains words of _TOO_OFTEN and words of _UNDECLARED.
_TOO_OFTEN = re.compile(r"request\s+rate\s+threshold|traffic\s+limit", re.IGNORECASE)
_UNDECLARED = re.compile(r"undeclared\s+automated\s+tool", re.IGNORECASE)
_MESSAGE = re.compile(r'message"?\s*[=:]\s*"([^"]*)"|<title>([^<]*)</title>', re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """Limits on the time and the attempts of HTTP requests. All times are in seconds.

    Attributes
    ----------
    connect, read, answer
        Time limits to connect, to receive the next part of an answer, and to receive the whole
        answer.
    attempts, reach
        If the source is busy or fails, a request is tried at most ``attempts`` times. If the source
        is unreachable, the request is tried at most ``reach`` times.
    wait, longest
        ``wait`` is the pause before the second attempt. The pause doubles with each attempt, and a
        random time is added. If the server sends a Retry-After header, the header determines the
        length of the pause. No pause is longer than ``longest``.
    budget
        Time limit for the fetch of all series.
    """

    connect: float = 4.0
    read: float = 30.0
    answer: float = 120.0
    attempts: int = 4
    reach: int = 2
    wait: float = 1.0
    longest: float = 60.0
    budget: float = 1800.0


class Unreachable(SourceError):  # noqa: N818 - the usual term
    """drypowder cannot connect to a source."""


class OutOfTime(SourceError):  # noqa: N818
    """The fetch has no time left for another request."""


class Transient(SourceError):  # noqa: N818
    """A temporary failure, after which another attempt may succeed."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Absent(SourceError):  # noqa: N818
    """The source does not have the requested series."""


@dataclass
class Deadline:
    """The time at which the fetch of all series must end."""

    policy: RetryPolicy
    start: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> float:
        """The number of seconds until the deadline, or 0 after the deadline."""
        return max(0.0, self.policy.budget - (time.monotonic() - self.start))

    def check(self, pause: float = 0.0) -> None:
        """Raise :class:`OutOfTime` if ``pause`` seconds or less are left."""
        if self.left <= pause:
            raise OutOfTime(
                f"not fetched within {self.policy.budget:.0f} s; fetch again to continue"
            )


@dataclass
class Rate:
    """Rate limit: at most ``requests`` requests in ``seconds`` seconds."""

    requests: int
    seconds: float

    def __post_init__(self) -> None:
        """Lengthen ``seconds`` by 5 %, because requests reach the server at uneven intervals."""
        self.seconds *= 1.05
        self._sent: deque[float] = deque()

    def wait(self, deadline: Deadline) -> None:
        """Sleep until one more request is allowed, and count this request.

        If the deadline comes before the next allowed request, raise :class:`OutOfTime` at once.
        """
        now = time.monotonic()
        while self._sent and now - self._sent[0] >= self.seconds:
            self._sent.popleft()
        full = len(self._sent) >= self.requests
        pause = self.seconds - (now - self._sent[0]) if full else 0.0
        deadline.check(pause)
        if full:
            time.sleep(pause)
            self._sent.popleft()
        self._sent.append(time.monotonic())


def with_retries(ask: Callable[[], T], deadline: Deadline) -> T:
    """Call ``ask`` and return its result. Repeat the call after a temporary failure.

    Raises
    ------
    SourceError
        Raised if the last attempt fails. If the deadline leaves no time to begin an attempt, the
        error is :class:`OutOfTime`. If the pause before the next attempt would last until the
        deadline, the error of the last attempt is raised.
    """
    policy = deadline.policy

    def stop(state: tenacity.RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        most = policy.reach if isinstance(error, Unreachable) else policy.attempts
        return state.attempt_number >= most or state.upcoming_sleep >= deadline.left

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type((Transient, Unreachable)),
        stop=stop,
        wait=lambda state: _pause(state, policy),
        reraise=True,
    )
    deadline.check()
    return retrying(ask)


def _pause(state: tenacity.RetryCallState, policy: RetryPolicy) -> float:
    error = state.outcome.exception() if state.outcome else None
    said = getattr(error, "retry_after", None)
    if said is not None:
        return float(min(said, policy.longest))
    backoff = tenacity.wait_exponential(multiplier=policy.wait, max=policy.longest)
    jitter = tenacity.wait_random(0, policy.wait)
    return float(min(backoff(state) + jitter(state), policy.longest))


class Client:
    """HTTP client for one source.

    ``name`` is the source's name in messages. ``deadline`` is the moment at which the whole fetch
    must end. Every request sends the ``headers``.
    """

    def __init__(
        self, name: str, rate: Rate, deadline: Deadline, headers: Mapping[str, str] | None = None
    ) -> None:
        self.name, self.rate, self.deadline = name, rate, deadline
        self.session = requests.Session()
        self.session.headers.update(headers or {})
        log = getLogger("urllib3.connectionpool")
        if not any(isinstance(f, RedactingFilter) for f in log.filters):
            log.addFilter(RedactingFilter())

    def get(
        self, url: str, params: Mapping[str, str] | None = None, *, read: Callable[[str], T]
    ) -> T:
        """Request a URL with query parameters, and return the result of ``read``.

        ``read`` is called with the answer's text. If ``read`` raises :class:`Transient`, the
        request is repeated.

        Raises
        ------
        Absent
            Raised if the source answers with status 404.
        SourceError
            Raised if the request fails. The error message does not contain the API key.
        """
        return with_retries(lambda: read(self._once(url, params)), self.deadline)

    def _once(self, url: str, params: Mapping[str, str] | None) -> str:
        self.rate.wait(self.deadline)
        policy, left = self.deadline.policy, max(self.deadline.left, 0.1)
        waits = (min(policy.connect, left), min(policy.read, left))
        try:
            with self.session.get(url, params=params, timeout=waits, stream=True) as answer:
                text = self._whole(answer).decode("utf-8", errors="replace")
        except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError) as error:
            raise self._failure(error, url, waits[1]) from None
        if answer.status_code == 200:
            return text
        raise self._refusal(answer, text)

    def _whole(self, answer: requests.Response) -> bytes:
        """Return the body. Raise an error if the whole answer takes too long or is too large."""
        limit = min(self.deadline.policy.answer, self.deadline.left)
        deadline = time.monotonic() + limit
        parts, size = [], 0
        while part := answer.raw.read1(_PART, decode_content=True):
            parts.append(part)
            size += len(part)
            if size > MOST_BYTES:
                raise SourceError(f"{self.name}'s answer is longer than {MOST_BYTES:,} bytes")
            if time.monotonic() > deadline:
                raise Transient(f"{self.name} did not complete its answer within {limit:.0f} s")
        return b"".join(parts)

    def _failure(self, error: Exception, url: str, waited: float) -> SourceError:
        asked = getattr(getattr(error, "request", None), "url", None) or url
        if _place(asked) != _place(url):
            return SourceError(f"{self.name} redirected to an address that failed; try later")
        reason = getattr(error.args[0], "reason", None) if error.args else None
        unreachable = isinstance(error, requests.ConnectTimeout | requests.exceptions.ProxyError)
        if unreachable or isinstance(reason, urllib3.exceptions.NewConnectionError):
            return Unreachable(f"{self.name} cannot be reached; check the network")
        if isinstance(error, requests.Timeout | urllib3.exceptions.ReadTimeoutError):
            return Transient(f"{self.name} did not answer in {waited:.0f} s")
        return Transient(f"{self.name} broke off the connection: {type(error).__name__}")

    def _refusal(self, answer: requests.Response, text: str) -> SourceError:
        code = answer.status_code
        if code == 404:
            return Absent(f"{self.name} has no such series (404)")
        often = code == 429 or (code == 403 and _TOO_OFTEN.search(text))
        if (often and not _UNDECLARED.search(text)) or code >= 500:
            wait = seconds_of(answer.headers.get("Retry-After"))
            busy = "got too many requests" if often else "has an internal error"
            return Transient(f"{self.name} {busy} ({code})", wait)
        return SourceError(f"{self.name} refused ({code}): {_said(text)}")


def json_of(name: str, text: str) -> Any:
    """Parse the JSON in a source's answer.

    Raises
    ------
    Transient
        Raised if the text is not complete JSON.
    SourceError
        Raised if the JSON is nested too deeply.
    """
    try:
        return json.loads(text)
    except ValueError:
        raise Transient(f"{name}'s answer is not complete JSON") from None
    except RecursionError:
        raise SourceError(f"{name}'s answer is nested too deeply") from None


def base_url(variable: str, otherwise: str) -> str:
    """Return a source's address from an environment variable, or else the default address.

    The result has no slash at its end. Raise :class:`ConfigError` if the address is invalid or is
    not an HTTP address.
    """
    url = os.environ.get(variable) or otherwise
    try:
        scheme, host, port = _place(url)
    except ValueError:
        scheme, host, port = "", None, None
    if scheme not in ("http", "https") or not host or port == 0:
        raise ConfigError(
            f"expected {variable} to be an address like {otherwise}, was {url!r}; correct it"
        )
    return url.rstrip("/")


def _place(url: str) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port of an address. Raise ValueError if the address is invalid."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def _said(text: str) -> str:
    """Return why a source refused: FRED's message, the page's title, or the start of ``text``."""
    found = _MESSAGE.search(text)
    return one_line((found[1] or found[2] or "") if found else text, 200)


def seconds_of(header: str | None) -> float | None:
    """Return the seconds in a Retry-After header, or None if there is no valid header."""
    if header is None:
        return None
    try:
        return float(urllib3.Retry().parse_retry_after(header))
    except (urllib3.exceptions.InvalidHeader, ValueError, OverflowError):
        return None
