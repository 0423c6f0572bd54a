"""The HTTP server of one source, on a free port of this machine.

It can also answer late or badly.
"""

import socket
import socketserver
import struct
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

HOST = "127.0.0.1"
_POLL_SECONDS = 0.02
_DRIPS = 20
_LINGER_ZERO = struct.pack("ii", 1, 0)  # on close, drop unsent bytes and reset

#: Ways to send the bytes. ``cut`` stops in the middle of the body. ``slow`` takes ``seconds`` for
#: the body. ``timeout`` sends nothing for ``seconds`` and then hangs up. ``reset`` sends a TCP
#: reset.
Delivery = Literal["whole", "cut", "slow", "timeout", "reset"]


class Request(NamedTuple):
    """A client's request. Path and query are decoded, and names of headers ignore case.

    ``at`` is the moment of arrival on the monotonic clock, in seconds.
    """

    path: str
    query: dict[str, str]
    headers: Message
    source: str
    at: float

    @property
    def target(self) -> str:
        """Path and query as one decoded string, such as ``/graph/fredgraph.csv?id=GDP``."""
        query = "&".join(f"{key}={value}" for key, value in self.query.items())
        return f"{self.path}?{query}" if query else self.path


@dataclass(frozen=True, kw_only=True)
class Response:
    """The answer of a source, and the way to deliver it."""

    body: bytes
    content_type: str
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delivery: Delivery = "whole"
    seconds: float = 0.0


def html(status: int, title: str) -> Response:
    """Return an HTML page, as from a web server in front of the source."""
    page = f"<!DOCTYPE html><html><head><title>{title}</title></head><body>{title}</body></html>"
    return Response(status=status, body=page.encode(), content_type="text/html; charset=utf-8")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        path = unquote(parts.path)
        request = Request(path, query, self.headers, self.server.source, time.monotonic())
        self._deliver(self.server.answer(request))

    def _deliver(self, response: Response) -> None:
        self.close_connection = True
        match response.delivery:
            case "timeout":
                self.server.closing.wait(response.seconds)
            case "reset":
                self.server.to_reset.add(self.connection)
            case "slow":
                self._head(response)
                self._drip(response)
            case "cut":
                self._head(response)
                self.wfile.write(response.body[: len(response.body) // 2])
            case "whole":
                self._head(response)
                self.wfile.write(response.body)

    def _head(self, response: Response) -> None:
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(response.body)))
        self.send_header("Connection", "close")
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _drip(self, response: Response) -> None:
        size = max(1, -(-len(response.body) // _DRIPS))
        for start in range(0, len(response.body), size):
            if self.server.closing.wait(response.seconds / _DRIPS):
                return
            self.wfile.write(response.body[start : start + size])
            self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Write no log, because requests are recorded."""


class _Server(ThreadingHTTPServer):
    request_queue_size = 128

    def __init__(
        self, port: int, source: str, answer: Callable[[Request], Response], crashes: list[str]
    ) -> None:
        self.source = source
        self.answer = answer
        self.crashes = crashes
        self.closing = threading.Event()
        self.to_reset: set[socket.socket] = set()
        super().__init__((HOST, port), _Handler)

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # this skips the look-up of the host's name
        self.server_name, self.server_port = HOST, self.server_address[1]

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
        if request not in self.to_reset:
            super().shutdown_request(request)
            return
        self.to_reset.discard(request)
        request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        self.close_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # a client may hang up
            self.crashes.append(traceback.format_exc())


class Listener:
    """The server of a source. It can stop, and start again on the same port.

    Parameters
    ----------
    source
        Name of the source in recorded requests.
    answer
        Function that answers a request. Each call has its own thread.
    crashes
        List that receives the traceback of each error in the server itself.
    """

    def __init__(
        self, source: str, answer: Callable[[Request], Response], crashes: list[str]
    ) -> None:
        self._source, self._answer, self._crashes = source, answer, crashes
        self._reserved: socket.socket | None = None
        self.port = 0
        self.start()

    @property
    def url(self) -> str:
        """Base URL, without a slash at its end."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Start the server, on the same port as before."""
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None
        self._server = _Server(self.port, self._source, self._answer, self._crashes)
        self.port = self._server.server_port
        loop = self._server.serve_forever
        self._thread = threading.Thread(target=loop, args=(_POLL_SECONDS,), daemon=True)
        self._thread.start()

    def stop(self, *, reserve: bool = False) -> None:
        """Refuse connections.

        With ``reserve``, keep the port bound, so that nobody else takes it.
        """
        self._server.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        if reserve:
            self._reserved = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._reserved.bind((HOST, self.port))

    def release(self) -> None:
        """Stop for ever, and release the port."""
        if self._reserved is None:
            self.stop()
        else:
            self._reserved.close()
