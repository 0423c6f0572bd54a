"""Asking over HTTP: timeouts, a rate, retries with backoff and jitter, one budget of time.

An answer is whole or there is none: a body cut short, a busy server (429, 5xx) and a silent one
are asked again, as often as policy says, and what is still wrong then is one line.
"""

import json
import os
import re
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from logging import getLogger
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
import tenacity
import urllib3

from backtests.sources.secrets import RedactingFilter, redacted
from signals.errors import ConfigError, SourceError

T = TypeVar("T")
_PART = 65_536  # bytes read at once
#: Bytes of a whole answer; the largest that a source gives, a page of an archive, has 10 million.
MOST_BYTES = 64 * 2**20
#: What the SEC says, with status 403, to one who asks too often. It says the same to one who does
#: not say who he is.
_TOO_OFTEN = re.compile(r"request\s+rate\s+threshold|traffic\s+limit", re.IGNORECASE)
_UNDECLARED = re.compile(r"undeclared\s+automated\s+tool", re.IGNORECASE)
_MESSAGE = re.compile(r'message"?\s*[=:]\s*"([^"]*)"|<title>([^<]*)</title>', re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """How long to wait for what, in seconds.

    Attributes
    ----------
    connect, read, answer
        For a connection, for the next part of an answer, and for the whole of it.
    attempts
        How often a busy or broken source is asked.
    reach
        How often an unreachable one is.
    wait, longest
        Before the second attempt, doubling from there with jitter, up to the longest. A server
        that says how long to wait is believed, up to ``longest``.
    budget
        For a whole fetch.
    """

    connect: float = 4.0
    read: float = 30.0
    answer: float = 120.0
    attempts: int = 4
    reach: int = 2
    wait: float = 1.0
    longest: float = 60.0
    budget: float = 1800.0


class Unreachable(SourceError):  # noqa: N818 - named as the field speaks
    """No connection to a source."""


class OutOfTime(SourceError):  # noqa: N818
    """The time of the whole fetch is over."""


class Transient(SourceError):  # noqa: N818
    """A failure that may pass."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Absent(SourceError):  # noqa: N818
    """The source does not have what was asked for."""


@dataclass
class Deadline:
    """The time that a fetch has left."""

    policy: RetryPolicy
    start: float

    @classmethod
    def started(cls, policy: RetryPolicy) -> "Deadline":
        """Return a deadline that starts now."""
        return cls(policy=policy, start=time.monotonic())

    @property
    def left(self) -> float:
        """Seconds, at least 0."""
        return max(0.0, self.policy.budget - (time.monotonic() - self.start))

    def check(self, pause: float = 0.0) -> None:
        """Raise :class:`OutOfTime` when the time is over, or will be after some seconds."""
        if self.left <= pause:
            raise OutOfTime(f"not reached within {self.policy.budget:.0f} s; fetch again to go on")


@dataclass
class Rate:
    """At most so many requests in so many seconds."""

    requests: int
    seconds: float

    def __post_init__(self) -> None:
        """Begin with none; count a little longer, since requests arrive unevenly late."""
        self.seconds *= 1.05
        self._sent: deque[float] = deque()

    def wait(self, deadline: Deadline) -> None:
        """Sleep until one more is allowed, and count it.

        Raises
        ------
        OutOfTime
            At once, when the time is over before one more is allowed.
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
    """Return what asking gives, asking again after failures that may pass.

    Raises
    ------
    SourceError
        The last failure, or that the time is over.
    """
    policy = deadline.policy

    def stop(state: tenacity.RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        most = policy.reach if isinstance(error, Unreachable) else policy.attempts
        return state.attempt_number >= most or _pause(state, policy) >= deadline.left

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
    """One source over HTTP.

    Parameters
    ----------
    name
        What messages call it.
    rate
        How often it may be asked.
    deadline
        The time left.
    headers
        Sent with every request.
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
        """Return what an answer says.

        Parameters
        ----------
        url, params
            What is asked.
        read
            Makes of the whole text what it says; where it raises :class:`Transient` the source is
            asked again.

        Raises
        ------
        Absent
            When the source says that it has no such thing (404).
        SourceError
            When it cannot be had; the message holds no key.
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
        """Return the body; each part may come in time and the whole still never end."""
        limit = min(self.deadline.policy.answer, self.deadline.left)
        deadline = time.monotonic() + limit
        parts, size = [], 0
        while part := answer.raw.read1(_PART, decode_content=True):
            parts.append(part)
            size += len(part)
            if size > MOST_BYTES:
                raise SourceError(f"{self.name}'s answer is longer than {MOST_BYTES:,} bytes")
            if time.monotonic() > deadline:
                raise Transient(f"{self.name} did not answer in whole within {limit:.0f} s")
        return b"".join(parts)

    def _failure(self, error: Exception, url: str, waited: float) -> SourceError:
        asked = getattr(getattr(error, "request", None), "url", None) or url
        if _place(asked) != _place(url):
            return SourceError(f"{self.name} led to another address, which failed; try later")
        reason = getattr(error.args[0], "reason", None) if error.args else None
        unreachable = isinstance(error, requests.ConnectTimeout | requests.exceptions.ProxyError)
        if unreachable or isinstance(reason, urllib3.exceptions.NewConnectionError):
            return Unreachable(f"{self.name} cannot be reached; check the network")
        if isinstance(error, requests.Timeout | urllib3.exceptions.ReadTimeoutError):
            return Transient(f"{self.name} did not answer in {waited:.0f} s")
        return Transient(f"{self.name} broke off: {type(error).__name__}")

    def _refusal(self, answer: requests.Response, text: str) -> SourceError:
        code = answer.status_code
        if code == 404:
            return Absent(f"{self.name} has no such series (404)")
        often = code == 429 or (code == 403 and _TOO_OFTEN.search(text))
        if (often and not _UNDECLARED.search(text)) or code >= 500:
            wait = seconds_of(answer.headers.get("Retry-After"))
            busy = "is asked too often" if often else "is in trouble"
            return Transient(f"{self.name} {busy} ({code})", wait)
        return SourceError(f"{self.name} refused ({code}): {_said(text)}")


def json_of(name: str, text: str) -> Any:
    """Return what a source's JSON says.

    Raises
    ------
    Transient
        When the text is no whole JSON.
    SourceError
        When it is nested too deep to be read.
    """
    try:
        return json.loads(text)
    except ValueError:
        raise Transient(f"{name}'s answer is no whole JSON") from None
    except RecursionError:
        raise SourceError(f"{name}'s answer is nested too deep to be read") from None


def base_url(variable: str, otherwise: str) -> str:
    """Return where a source is: what the environment says, else its own address, without a slash.

    Raises
    ------
    ConfigError
        When the environment names no address.
    """
    url = os.environ.get(variable) or otherwise
    if not _is_address(url):
        raise ConfigError(
            f"expected {variable} to be an address like {otherwise}, was {url!r}; correct it"
        )
    return url.rstrip("/")


def _is_address(url: str) -> bool:
    try:
        scheme, host, port = _place(url)
    except ValueError:
        return False
    return scheme in ("http", "https") and bool(host) and port != 0


def _place(url: str) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port of an address; raise ValueError for what is none."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def _said(text: str) -> str:
    """Return what a refusal says: FRED's message, the title of a page, or how the text begins."""
    found = _MESSAGE.search(text)
    said = (found[1] or found[2] or "") if found else text
    return redacted(" ".join(said.split()))[:200]


def seconds_of(header: str | None) -> float | None:
    """Return a Retry-After header as seconds from now; None if it is missing or unreadable."""
    if header is None:
        return None
    try:
        return float(urllib3.Retry().parse_retry_after(header))
    except (urllib3.exceptions.InvalidHeader, ValueError, OverflowError):
        return None
