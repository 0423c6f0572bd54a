"""Servers on this machine that imitate Yahoo, FRED, the SEC and the New York Fed.

They serve real history.

How to use it::

    with Servers(history_dir, today="2025-12-31") as servers:  # without today: today's date
        environment = os.environ | servers.env()               # DRYPOWDER_FRED_URL and so on
        servers.fred.vintages["GDP"] = gdp_revisions(servers.fred.values("GDP"))
        servers.faults.add(Fault("status", status=429, retry_after=1, match="id=GDP", times=2))
        ...                                                    # fetch
        assert len(servers.faults.done) == 2                   # both faults occurred
        assert "api_key" not in servers.requests[0].query      # path, query, headers, source, at
        servers.today = "2026-01-02"                           # the next day, with newer data
        servers.down = True                                    # connections are refused
        servers.limits = {"sec": (10, 1.0)}                    # more than 10 a second are refused
        servers.poison = Poison(name="…", match="GDP", change=…)  # a wrong answer
        servers.yahoo.crumb_life = 5                           # charts until a crumb expires

Data that are dated, published or filed after ``today`` do not exist yet. The end of the block
raises an error if a server itself failed, for example if an answer has no place for a fault.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self
from zoneinfo import ZoneInfo

from tests.servers.faults import Fault, Faults
from tests.servers.fred import Fred
from tests.servers.nyfed import NewYorkFed
from tests.servers.poisons import Poison
from tests.servers.sec import Sec
from tests.servers.vintages import Vintages, archived_since, gdp_revisions
from tests.servers.web import Listener, Request, Response
from tests.servers.yahoo import Yahoo

__all__ = [
    "Fault",
    "Poison",
    "Request",
    "Servers",
    "Vintages",
    "archived_since",
    "gdp_revisions",
]

_Source = Yahoo | Fred | Sec | NewYorkFed


class Servers:
    """The four sources as servers on this machine.

    Parameters
    ----------
    history_dir
        Folder of real history.
    today
        The present day of all servers, in ISO form. None means the date of today in Chicago, whose
        time FRED uses.

    Attributes
    ----------
    fred, yahoo, sec, nyfed
        The sources. Their attributes can be set.
    faults
        The faults of the servers.
    requests
        Every request since the start, in order of arrival.
    today
        May be set while the servers run.
    limits
        Rate limit of each source: number of requests, and window in seconds. Further requests are
        refused, as by the real source.
    poison
        A change of the answers that it matches, or None.
    """

    def __init__(self, history_dir: Path, today: str | None = None) -> None:
        self.today = today
        self.fred = Fred(history_dir, self._day)
        self.yahoo = Yahoo(history_dir, self._day)
        self.sec = Sec(history_dir, self._day)
        self.nyfed = NewYorkFed(history_dir, self._day)
        self.faults = Faults(self._day)
        self.requests: list[Request] = []
        self.limits: dict[str, tuple[int, float]] = {}
        self.poison: Poison | None = None
        self._crashes: list[str] = []
        self._listeners: dict[str, Listener] = {}
        self._down = False

    def __enter__(self) -> Self:
        """Start the servers."""
        for name, source in self._sources().items():
            self._listeners[name] = Listener(name, self._answering(source), self._crashes)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        """Stop the servers. Raise AssertionError if a server itself failed."""
        for listener in self._listeners.values():
            listener.release()
        if self._crashes and kind is None:
            raise AssertionError("a loopback server failed:\n" + "\n".join(self._crashes))

    def env(self) -> dict[str, str]:
        """Return the environment variables that connect a client to these servers."""
        return {f"DRYPOWDER_{n.upper()}_URL": server.url for n, server in self._listeners.items()}

    @property
    def down(self) -> bool:
        """True while connections are refused. Set it to stop or restart the servers."""
        return self._down

    @down.setter
    def down(self, down: bool) -> None:
        for listener in self._listeners.values() if down != self._down else ():
            if down:
                listener.stop(reserve=True)
            else:
                listener.start()
        self._down = down

    def _sources(self) -> dict[str, _Source]:
        return {"yahoo": self.yahoo, "fred": self.fred, "sec": self.sec, "nyfed": self.nyfed}

    def _day(self) -> str:
        return self.today or datetime.now(ZoneInfo("America/Chicago")).date().isoformat()

    def _answering(self, source: _Source) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            self.requests.append(request)
            if self._too_often(request):
                return source.refusal(request, 403 if request.source == "sec" else 429)
            response = self.faults.befall(request, source.answer(request), source)
            return response if self.poison is None else self.poison.put_in(request, response)

        return answer

    def _too_often(self, request: Request) -> bool:
        most, seconds = self.limits.get(request.source, (10**9, 1.0))
        recent = [r for r in self.requests[-most - 200 :] if r.source == request.source]
        return sum(request.at - r.at < seconds for r in recent) > most
