"""A week of the daily job: data are fetched each evening, and ``today`` says what flipped.

The store is filled on Monday. After that, local servers imitate the sources: each evening they
serve real history up to that day. The regime flips on Thursday. To save time, the store begins in
2016, and the check after a fetch is left out. A fetch brings only two kinds of series: those that
determine the last session, and those that cause this flip.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
import yfinance

from backtests.cli.exit_code import FLIPPED
from backtests.sources import edgar, fetching, fred, nyfed, yahoo
from backtests.store.store import Store
from tests.commands import Drypowder
from tests.open_stores import keeping_open
from tests.servers import Servers

pytestmark = pytest.mark.usefixtures("evaluated_before")

FIRST = "2016-01-01"
WEEK = ("2025-10-13", "2025-10-14", "2025-10-15", "2025-10-16", "2025-10-17")
FILLED, FLIP = "2025-10-13", "2025-10-16"
FLIP_SAID = f"regime from NEUTRAL to ABSORPTION since {FLIP}"
ONLY = ("SPY", "RRPONTSYD", "WRESBAL")

Evening = Callable[[str], None]


@pytest.fixture(scope="module")
def before(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store with the values that were known on Monday evening."""
    path = Path(shutil.copy(store, tmp_path_factory.mktemp("week") / "store.duckdb"))
    with duckdb.connect(str(path)) as connection:
        connection.execute("DELETE FROM recordings")
        connection.execute(
            "DELETE FROM observations WHERE observed_on NOT BETWEEN ? AND ? OR available_at > ?",
            [FIRST, FILLED, f"{FILLED} 20:00"],
        )
        connection.execute("UPDATE observations SET recorded_at = ?", [f"{FILLED} 20:30"])
    return path


@pytest.fixture
def place(before: Path, tmp_path: Path) -> Iterator[Path]:
    """Return a copy of the store for one test."""
    path = Path(shutil.copy(before, tmp_path / "store.duckdb"))
    with keeping_open(Store(path)):
        yield path


@pytest.fixture
def evening(
    place: Path, history_dir: Path, drypowder: Drypowder, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Evening]:
    """Yield a function that fetches at 20:30 of a day."""
    yfinance.set_tz_cache_location(str(place.parent / "yahoo"))
    monkeypatch.setenv("FRED_API_KEY", "0" * 32)
    monkeypatch.setenv("DRYPOWDER_CONTACT", "Ann Lee ann@example.org")
    monkeypatch.setattr("backtests.store.audit.check_store", lambda store: [])
    for source in (edgar, fred, nyfed, yahoo):
        monkeypatch.setattr(source, "RATE", (10_000, 1.0))
    with Servers(history_dir, FILLED) as servers:
        for name, url in servers.env().items():
            monkeypatch.setenv(name, url)

        def fetch(day: str) -> None:
            servers.today = day
            monkeypatch.setattr(fetching, "new_york_now", lambda: pd.Timestamp(f"{day} 20:30"))
            only = (part for id in ONLY for part in ("--only", id))
            said = drypowder("fetch", "--store", place, *only)
            assert said.code == 0, said.err

        yield fetch


def test_a_week_with_one_flip(
    evening: Evening, place: Path, drypowder: Drypowder, tmp_path: Path
) -> None:
    ask = ("today", "cash-heavy", "--store", place, "--exit-code")
    codes, lines = {}, {}
    for day in WEEK:
        if day != FILLED:
            evening(day)
        said = drypowder(*ask)
        codes[day], lines[day] = said.code, said.out.splitlines()[1]
        if day == FLIP:
            _check_brief(drypowder, place, tmp_path)
            _check_data(json.loads(drypowder(*ask, "--json").out))
            evening(day)  # a second run on the same day
            assert drypowder(*ask).code == 0
    assert codes == {day: FLIPPED if day == FLIP else 0 for day in WEEK}
    assert lines == {
        FILLED: "flips are unknown until the next fetch or import into this store",
        **{day: f"the data recorded since {day} 20:30 caused no flip" for day in WEEK[1:]},
        FLIP: f"the data recorded since {FLIP} 20:30 caused flips: {FLIP_SAID}",
    }


def _check_brief(drypowder: Drypowder, place: Path, folder: Path) -> None:
    """Check the brief on the day of the flip."""
    page, mail = folder / "brief.html", folder / "mail.html"
    said = drypowder("brief", "--store", place, "--exit-code", "--out", page, "--mail", mail)
    assert said.code == FLIPPED
    first, second, *rest = said.out.splitlines()
    assert first == f"ABSORPTION since {FLIP}, as of {FLIP}, source store"
    assert second.endswith(FLIP_SAID)
    assert rest[0].startswith("why      decided by absorption; ")
    assert f"regime: ABSORPTION since {FLIP}, NEUTRAL before" in rest[2]
    assert "ABSORPTION" in mail.read_text()


def _check_data(said: dict[str, Any]) -> None:
    """Check the JSON of ``today`` on the day of the flip."""
    regime = ("regime", "since", "decided_by", "as_of", "is_decision_day", "next_decision_date")
    assert [said[key] for key in regime] == [
        *("ABSORPTION", FLIP, "absorption"),
        *(FLIP, True, "2025-10-31"),
    ]
    found = said["since_fetch"]
    assert (found["began"], found["session"]) == (f"{FLIP}T20:30", "2025-10-15")
    flip = {"what": "regime", "was": "NEUTRAL", "now": "ABSORPTION", "since": FLIP}
    assert found["flipped"] == [flip | {"revised": False}]
