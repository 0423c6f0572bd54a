"""The HTTP client with a real server: compressed answers, broken answers, endless answers."""

import email.utils
import gzip
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from backtests.sources.http import (
    Absent,
    Client,
    Deadline,
    Rate,
    RetryPolicy,
    Transient,
    Unreachable,
    seconds_of,
    with_retries,
)
from signals.errors import SourceError

TEXT = "2025-12-31,4.25\n" * 20_000
BRISK = RetryPolicy(
    connect=1.0, read=0.5, answer=1.0, attempts=2, wait=0.01, longest=0.05, budget=9.0
)


class Handler(BaseHTTPRequestHandler):
    """Answers by path: ``/whole`` and ``/cut`` are gzip in chunks, as from FRED and the SEC.

    ``/drip`` never ends. ``/page`` is the SEC's answer to too many requests.
    """

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/page":
            page = b"<!DOCTYPE html><html><head><title>Request Rate\n Exceeded</title>..."
            self.send_response(403)
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)
            return
        self.send_response(503 if self.path == "/drip-503" else 200)
        if self.path.startswith("/drip"):
            self.send_header("Content-Length", "1000000")
            self.end_headers()
            self._drip()
            return
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        packed = gzip.compress(TEXT.encode())
        pieces = [packed[n : n + 100] for n in range(0, len(packed), 100)]
        for piece in pieces[: len(pieces) // 2] if self.path == "/cut" else [*pieces, b""]:
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        self.close_connection = True

    def _drip(self) -> None:
        self.close_connection = True
        try:
            for _ in range(300):
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(0.1)
        except OSError:
            pass  # the client hung up

    def log_message(self, format: str, *args: object) -> None:
        """Write no log."""


@pytest.fixture(scope="module")
def root() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def get(url: str, patience: RetryPolicy = BRISK) -> str:
    return Client("Nobody", Rate(100, 1.0), Deadline(patience)).get(url, read=str)


def test_what_comes_packed_and_in_pieces_is_whole(root: str) -> None:
    assert get(f"{root}/whole") == TEXT


def test_what_breaks_off_is_no_answer(root: str) -> None:
    with pytest.raises(SourceError, match="Nobody broke off"):
        get(f"{root}/cut")


def test_of_a_page_the_title_is_told(root: str) -> None:
    with pytest.raises(SourceError, match=r"^Nobody refused \(403\): Request Rate Exceeded$"):
        get(f"{root}/page")


@pytest.mark.parametrize("path", ["drip", "drip-503"])
def test_an_answer_that_never_ends_is_given_up(root: str, path: str) -> None:
    begun = time.monotonic()
    with pytest.raises(SourceError, match="Nobody did not complete its answer within 1 s"):
        get(f"{root}/{path}")
    assert 2.0 <= time.monotonic() - begun < 5.0  # two attempts


def test_nor_does_it_outlast_the_time_of_the_whole_fetch(root: str) -> None:
    begun = time.monotonic()
    with pytest.raises(SourceError):
        get(f"{root}/drip", RetryPolicy(read=0.5, answer=60.0, budget=0.7))
    assert time.monotonic() - begun < 3.0


# --- repeated requests ------------------------------------------------------------------------


def asked(patience: RetryPolicy, error: SourceError) -> int:
    """Return the number of attempts if every attempt fails with the same error."""
    times = 0

    def ask() -> str:
        nonlocal times
        times += 1
        raise error

    with pytest.raises(type(error)):
        with_retries(ask, Deadline(patience))
    return times


@pytest.mark.parametrize(
    ("error", "times"),
    [(Transient("busy"), 4), (Unreachable("down"), 2), (Absent("none"), 1), (SourceError("no"), 1)],
)
def test_what_may_pass_is_asked_for_as_often_as_patience_says(
    error: SourceError, times: int
) -> None:
    patience = RetryPolicy(attempts=4, reach=2, wait=1e-4, longest=1e-3, budget=9.0)
    assert asked(patience, error) == times


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record the seconds of each pause of this thread, without pausing.

    The patch reaches every thread of the process, and a server of an earlier test may still sleep.
    """
    slept: list[float] = []
    sleep, mine = time.sleep, threading.get_ident()

    def record(seconds: float) -> None:
        slept.append(seconds) if threading.get_ident() == mine else sleep(seconds)

    monkeypatch.setattr("tenacity.nap.time.sleep", record)
    return slept


def test_pauses_double_up_to_the_longest_with_at_most_one_wait_of_jitter(
    pauses: list[float],
) -> None:
    asked(RetryPolicy(attempts=7, wait=1.0, longest=10.0, budget=1e6), Transient("busy"))
    assert len(pauses) == 6
    for pause, plain in zip(pauses, [1.0, 2.0, 4.0, 8.0, 10.0, 10.0], strict=True):
        assert plain <= pause <= min(plain + 1.0, 10.0)


def test_a_pause_that_the_source_asks_for_is_kept_up_to_the_longest(pauses: list[float]) -> None:
    patience = RetryPolicy(attempts=2, longest=10.0, budget=1e6)
    asked(patience, Transient("busy", retry_after=7.0))
    asked(patience, Transient("busy", retry_after=3600.0))
    assert pauses == [7.0, 10.0]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, None), ("7", 7.0), (" 0 ", 0.0), ("soon", None), ("9" * 5000, None)],
)
def test_a_header_that_says_how_long_to_wait(header: str | None, seconds: float | None) -> None:
    assert seconds_of(header) == seconds


def test_a_header_that_says_until_when_to_wait() -> None:
    now = time.time()
    assert seconds_of(email.utils.formatdate(now - 60, usegmt=True)) == 0.0
    assert seconds_of(email.utils.formatdate(now + 60, usegmt=True)) == pytest.approx(60, abs=2)


def test_a_pause_that_outlasts_the_fetch_is_not_begun(pauses: list[float]) -> None:
    patience = RetryPolicy(attempts=4, longest=60.0, budget=5.0)
    assert asked(patience, Transient("busy", retry_after=30.0)) == 1
    assert pauses == []


def test_no_pause_lasts_until_the_deadline(pauses: list[float]) -> None:
    """The pause is between 1 s and 2 s, and 1.5 s are left."""
    patience = RetryPolicy(attempts=2, wait=1.0, budget=1.5)
    attempts = [asked(patience, Transient("busy")) for _ in range(60)]
    assert set(attempts) == {1, 2}
    assert len(pauses) == attempts.count(2)
    assert max(pauses) < 1.5


def test_a_rate_is_kept_to_the_request(root: str) -> None:
    """The rate is three requests in half a second.

    The fourth request waits half a second, and the seventh waits half a second more.
    """
    client = Client("Nobody", Rate(3, 0.5), Deadline(BRISK))
    begun = time.monotonic()
    for _ in range(7):
        client.get(f"{root}/whole", read=str)
    assert time.monotonic() - begun >= 1.0
