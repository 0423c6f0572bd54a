"""A web hook on the loopback, which receives the messages that apprise sends as JSON."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.servers.web import HOST


class Hook(ThreadingHTTPServer):
    """The server.

    Attributes
    ----------
    received
        The path and the message of each request, in order of arrival.
    broken
        While True, each request is answered with an error and is not recorded.
    """

    def __init__(self) -> None:
        self.received: list[tuple[str, dict[str, Any]]] = []
        self.broken = False
        super().__init__((HOST, 0), _Handler)

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{HOST}:{self.server_port}"

    def messages(self, path: str) -> list[str]:
        """Return the messages that were sent to a path."""
        return [said["message"] for where, said in self.received if where == path]


class _Handler(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not self.server.broken:
            self.server.received.append((self.path, json.loads(body)))
        self.send_response(500 if self.server.broken else 200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Write no log, because messages are recorded."""


@contextmanager
def hook() -> Iterator[Hook]:
    """Run the server while the context lasts."""
    with Hook() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()
