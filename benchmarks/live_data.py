"""Fetch the whole catalog from local servers, first with correct and then with wrong answers.

    python -m benchmarks.live_data --history ../shared/history [--rounds 14] [--loose]

The first fetch fills an empty store. The servers behave like the publishers. The servers' series
begin at the same dates as the publishers' series. The servers refuse requests above the publishers'
rate limits. The crumb, Yahoo's session token, expires after 40 charts.

Rounds with wrong answers follow. In each round, one answer of each source is wrong in a new way (53
ways in 14 rounds). Each round fetches all series twice. Both fetches must refuse the wrong answers
and store all other series. If any outcome is unexpected, the exit code is 1.
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

from backtests.sources import edgar, fetching, fred, nyfed, yahoo
from backtests.sources.fetching import Outcome, fetch
from backtests.sources.http import RetryPolicy
from backtests.store.store import Store
from signals.catalog import CATALOG
from tests.servers import Poison, Request, Servers
from tests.servers.poisons import POISONS
from tests.servers.web import Response

TODAY = "2026-10-01"  # the day after the publication of the history's last quarter
KEY = "0123456789abcdef0123456789abcdef"
#: Rate limits of the servers: number of requests, seconds.
LIMITS = {"yahoo": (60, 30.0), "fred": (120, 60.0), "sec": (10, 1.0), "nyfed": (2, 1.0)}
PATIENCE = RetryPolicy(wait=0.05, longest=1.0, read=60.0)


@dataclass(frozen=True)
class Several(Poison):
    """Several wrong answers at the same time."""

    parts: tuple[Poison, ...] = ()

    def put_in(self, request: Request, response: Response) -> Response:
        """Return the answer after the first change that applies; later changes are not made."""
        for part in self.parts:
            poisoned = part.put_in(request, response)
            if poisoned is not response:
                return poisoned
        return response


def main() -> int:
    """Run and print all rounds; return 1 if any outcome is unexpected, else 0."""
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
            for source in (edgar, fred, nyfed, yahoo):
                patch.setattr(source, "RATE", (10_000, 1.0))
        else:
            servers.limits = LIMITS
        return run(servers, Store(Path(folder) / "store.duckdb"), given.rounds)


def run(servers: Servers, store: Store, rounds: int) -> int:
    """Fetch first with correct and then with wrong answers, and print the outcomes."""
    servers.yahoo.crumb_life = 40
    outcomes, seconds = timed(store)
    bad = {name for name, o in outcomes.items() if o.failed}
    print(
        f"correct answers: {len(outcomes)} series, {sum(o.new for o in outcomes.values()):,} rows, "
        f"{len(servers.requests)} requests, {servers.yahoo.refused} crumbs renewed, {seconds:.0f} s"
    )
    first = store.first_dates(list(CATALOG))
    print(f"GDP from {first['GDP'].date()}, M2SL from {first['M2SL'].date()}; failed: {bad or 0}")
    wrong = len(bad)
    ways = list(itertools.zip_longest(*([(n, p) for p in ps] for n, ps in POISONS.items())))
    for number, row in enumerate(ways[:rounds], start=1):
        poisoned = [pair for pair in row if pair is not None]
        wrong += poison_round(servers, store, number, poisoned)
    tested = sum(p is not None for row in ways[:rounds] for p in row)
    print(f"{tested} kinds of wrong answers, {wrong} outcomes differ from the expected ones")
    return 1 if wrong else 0


def poison_round(
    servers: Servers, store: Store, number: int, poisoned: list[tuple[str, Poison]]
) -> int:
    """Fetch everything twice with some wrong answers; return how many outcomes are unexpected."""
    parts = tuple(poison for _, poison in poisoned)
    servers.poison = Several(name="several", match="", change=lambda r: r, parts=parts)
    wrong = 0
    for turn in ("first fetch", "second fetch"):
        outcomes, seconds = timed(store)
        failed = {name for name, o in outcomes.items() if o.failed}
        unforeseen = [o.name for o in outcomes.values() if o.unforeseen]
        meant = {name for name, _ in poisoned}
        wrong += len(failed ^ meant) + len(unforeseen)
        print(
            f"round {number}, {turn}: {len(poisoned)} wrong answers, {len(failed & meant)} of them "
            f"refused; of the other series {len(outcomes) - len(failed)} stored, "
            f"{len(failed - meant)} failed; {len(unforeseen)} unforeseen errors, {seconds:.0f} s",
            flush=True,
        )
    return wrong


def timed(store: Store) -> tuple[dict[str, Outcome], float]:
    """Fetch everything; return the outcome of each series and the seconds of the fetch."""
    begun = time.perf_counter()
    outcomes = {o.name: o for o in fetch(store, policy=PATIENCE)}
    return outcomes, time.perf_counter() - begun


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--history", type=Path, required=True, help="folder of real history")
    parser.add_argument("--rounds", type=int, default=14)
    parser.add_argument("--loose", action="store_true", help="without rate limits, faster")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
