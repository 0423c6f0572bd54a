"""Faults of a source on the network, planted in chosen answers."""

import re
import threading
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, replace
from typing import Literal, Protocol, get_args

from tests.servers.tables import Row, Table, days_until, later, number, read_table
from tests.servers.web import Request, Response, html

Kind = Literal[
    "status",
    "timeout",
    "cut",
    "truncated",
    "html",
    "empty",
    "renamed",
    "text_numbers",
    "duplicate",
    "future",
    "spike",
    "vanished",
    "reset",
    "slow",
]

_DAYS_TO_COME = 30
_SPIKE = 100


@dataclass(frozen=True)
class Fault:
    """One fault, and the answers that get it.

    Attributes
    ----------
    kind
        ``status``: an HTTP error status. ``timeout``: no answer for ``seconds``, then the server
        hangs up. ``cut``: half of the body that Content-Length promised. ``truncated``: half of the
        text, in valid HTTP. ``html``: a page with status 200. ``empty``: no rows. ``renamed``: a
        key or column under another name. ``text_numbers``: ``text`` in place of the middle number.
        ``duplicate``: the middle row twice. ``future``: a last row 30 days after today. ``spike``:
        the middle row's numbers times 100. ``vanished``: the requested series does not exist.
        ``reset``: a TCP reset. ``slow``: the body drips for ``seconds``.
    match
        A regular expression that is searched in the decoded path and query. '' matches every
        request, also those for Yahoo's cookie and crumb.
    times
        Number of answers with the fault, or None for all.
    status, retry_after
        For ``status``: the code, and the header Retry-After in seconds.
    seconds
        Duration for ``timeout`` and ``slow``.
    text
        The text for ``text_numbers``.
    """

    kind: Kind
    _: KW_ONLY
    match: str = ""
    times: int | None = 1
    status: int = 503
    retry_after: int | None = None
    seconds: float = 5.0
    text: str = "n/a"

    def __post_init__(self) -> None:
        """Raise ValueError for an unknown kind."""
        if self.kind not in get_args(Kind):
            raise ValueError(f"expected a kind of {', '.join(get_args(Kind))}; was {self.kind!r}")
        re.compile(self.match)


class Source(Protocol):
    """The methods of a source that faults use."""

    def missing(self, request: Request) -> Response:
        """Return the answer for something that no longer exists."""

    def refusal(self, request: Request, status: int) -> Response:
        """Return an answer with an error status."""


class Faults:
    """The faults planted at present.

    Attributes
    ----------
    done
        The faults that occurred, each with its request. Tests check this list.
    """

    def __init__(self, today: Callable[[], str]) -> None:
        self._today = today
        self._lock = threading.Lock()
        self._planted: list[tuple[Fault, list[int | None]]] = []
        self.done: list[tuple[Fault, Request]] = []

    def add(self, *faults: Fault) -> None:
        """Plant faults.

        If several faults match an answer, the one that was planted first occurs.
        """
        with self._lock:
            self._planted += [(fault, [fault.times]) for fault in faults]

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._planted.clear()

    def befall(self, request: Request, response: Response, source: Source) -> Response:
        """Return the response with the first fault that matches the request, or else unchanged."""
        fault = self._due(request)
        return response if fault is None else self._planted_in(fault, request, response, source)

    def _due(self, request: Request) -> Fault | None:
        with self._lock:
            for fault, left in self._planted:
                if left[0] != 0 and re.search(fault.match, request.target):
                    left[0] = None if left[0] is None else left[0] - 1
                    self.done.append((fault, request))
                    return fault
        return None

    def _planted_in(
        self, fault: Fault, request: Request, response: Response, source: Source
    ) -> Response:
        match fault.kind:
            case "timeout" | "cut" | "slow" | "reset":
                return replace(response, delivery=fault.kind, seconds=fault.seconds)
            case "status":
                wait = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
                return replace(source.refusal(request, fault.status), headers=wait)
            case "vanished":
                return source.missing(request)
            case "html":
                return html(200, "Please enable JavaScript")
            case "truncated":
                return replace(response, body=response.body[: len(response.body) // 2])
            case _:
                table = read_table(response)
                return replace(response, body=self._spoilt(fault, table, response.body))

    def _spoilt(self, fault: Fault, table: Table, body: bytes) -> bytes:
        if fault.kind == "renamed":
            return _renamed(table, body)
        rows = table.rows
        if fault.kind == "empty":
            return table.rebuild([])
        if fault.kind == "duplicate":
            middle = len(rows) // 2
            return table.rebuild([*rows[: middle + 1], dict(rows[middle]), *rows[middle + 1 :]])
        if fault.kind == "future":
            return table.rebuild([*rows, self._to_come(table)])
        row = _middle_number(table)
        if fault.kind == "spike":
            row |= {name: _times(row[name], _SPIKE) for name in table.values}
        else:
            row[table.values[0]] = fault.text
        return table.rebuild(rows)

    def _to_come(self, table: Table) -> Row:
        """Return a copy of the last row with a date after today."""
        row = dict(table.rows[-1])
        ahead = days_until(row[table.dates[0]], self._today()) + _DAYS_TO_COME
        return row | {name: later(row[name], ahead) for name in table.dates}


def _renamed(table: Table, body: bytes) -> bytes:
    old, new = table.renamed
    if old not in body:
        raise ValueError(f"expected {old!r} in the body, so that it could be renamed")
    return body.replace(old, new)


def _middle_number(table: Table) -> Row:
    """Return the middle row among the rows whose first value is a number."""
    filled = [row for row in table.rows if number(row[table.values[0]]) is not None]
    return filled[len(filled) // 2]


def _times(value: str | float | int, factor: int) -> str | float | int:
    return str(float(value) * factor) if isinstance(value, str) else value * factor
