"""Fetch the whole catalog from servers that answer as the real ones do, then with poisoned answers.

    python -m benchmarks.live_data --history ../shared/history [--rounds 14] [--loose]

First: everything into an empty store, from servers that begin where the publishers begin, expire
Yahoo's crumb every 40 charts, and refuse who asks more often than Yahoo, FRED and the SEC allow.
Then rounds of poison: one answer of each source is poisoned in another way (40 ways in 14 rounds),
and everything is fetched twice. Every other series has to come in both times. Ends with 1 if not.
"""

import argparse
import itertools
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
import yfinance

from backtests.sources import edgar, fetching, fred, yahoo
from backtests.sources.fetching import Outcome, fetch
from backtests.sources.http import RetryPolicy
from backtests.store.store import Store
from signals.catalog import CATALOG
from tests.servers import Poison, Request, Servers
from tests.servers.poisons import POISONS
from tests.servers.web import Response

TODAY = "2026-10-01"  # by then the last quarter of the history had been published
KEY = "0123456789abcdef0123456789abcdef"
#: What the servers refuse beyond: requests in seconds.
LIMITS = {"yahoo": (60, 30.0), "fred": (120, 60.0), "sec": (10, 1.0)}
PATIENCE = RetryPolicy(wait=0.05, longest=1.0, read=60.0)
#: Series that our history has too little of, whatever is asked.
TOO_YOUNG = {"CAPEX_TTM_CRWV"}


@dataclass(frozen=True)
class Several(Poison):
    """A poison in several answers."""

    parts: tuple[Poison, ...] = ()

    def put_in(self, request: Request, response: Response) -> Response:
        """Return the answer, poisoned by the first part that matches."""
        for part in self.parts:
            poisoned = part.put_in(request, response)
            if poisoned is not response:
                return poisoned
        return response


def main() -> int:
    """Run, print, and return 1 where a series was kept out by another's answer."""
    given = _arguments()
    with (
        tempfile.TemporaryDirectory() as folder,
        Servers(given.history, TODAY) as servers,
        pytest.MonkeyPatch.context() as patch,
    ):
        yfinance.set_tz_cache_location(str(Path(folder) / "yahoo"))
        for name, value in servers.env().items():
            patch.setenv(name, value)
        patch.setenv("FRED_API_KEY", KEY)
        patch.setenv("DRYPOWDER_CONTACT", "Ann Lee ann@example.org")
        patch.setattr(fetching, "new_york_now", lambda: pd.Timestamp(TODAY))
        if given.loose:
            for source in (edgar, fred, yahoo):
                patch.setattr(source, "RATE", (10_000, 1.0))
        else:
            servers.limits = LIMITS
        return run(servers, Store(Path(folder) / "store.duckdb"), given.rounds)


def run(servers: Servers, store: Store, rounds: int) -> int:
    """Fetch whole, then with poison; print what came."""
    servers.yahoo.crumb_life = 40
    outcomes, seconds = timed(store)
    bad = {name for name, o in outcomes.items() if o.failed} - TOO_YOUNG
    print(
        f"whole: {len(outcomes)} outcomes, {sum(o.new for o in outcomes.values()):,} rows, "
        f"{len(servers.requests)} requests, {servers.yahoo.refused} crumbs renewed, {seconds:.0f} s"
    )
    first = store.first_dates(list(CATALOG))
    print(f"GDP from {first['GDP'].date()}, M2SL from {first['M2SL'].date()}; failed: {bad or 0}")
    wrong = len(bad)
    ways = list(itertools.zip_longest(*([(n, p) for p in ps] for n, ps in POISONS.items())))
    for number, row in enumerate(ways[:rounds], start=1):
        poisoned = [pair for pair in row if pair is not None]
        wrong += poison_round(servers, store, number, poisoned)
    print(f"{sum(p is not None for row in ways[:rounds] for p in row)} ways, {wrong} wrong")
    return 1 if wrong else 0


def poison_round(
    servers: Servers, store: Store, number: int, poisoned: list[tuple[str, Poison]]
) -> int:
    """Fetch everything twice with some answers poisoned; return how many outcomes are wrong."""
    parts = tuple(poison for _, poison in poisoned)
    servers.poison = Several(name="several", match="", change=lambda r: r, parts=parts)
    wrong = 0
    for turn in ("this fetch", "the next"):
        outcomes, seconds = timed(store)
        failed = {name for name, o in outcomes.items() if o.failed} - TOO_YOUNG
        unforeseen = [o.name for o in outcomes.values() if o.unforeseen]
        meant = {name for name, _ in poisoned}
        wrong += len(failed ^ meant) + len(unforeseen)
        print(
            f"round {number}, {turn}: {len(poisoned)} poisoned, {len(failed & meant)} refused, "
            f"{len(outcomes) - len(failed)} others in, {len(failed - meant)} others out, "
            f"{len(unforeseen)} unforeseen, {seconds:.0f} s",
            flush=True,
        )
    return wrong


def timed(store: Store) -> tuple[dict[str, Outcome], float]:
    """Fetch everything and return what came of it, and the seconds."""
    begun = time.perf_counter()
    outcomes = {o.name: o for o in fetch(store, policy=PATIENCE)}
    return outcomes, time.perf_counter() - begun


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--history", type=Path, required=True, help="folder of real history")
    parser.add_argument("--rounds", type=int, default=14)
    parser.add_argument("--loose", action="store_true", help="no limits of rate, for speed")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
