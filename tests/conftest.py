"""What the tests share: histories made once, and runs that are written without their extras."""

import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from backtests.cli.app import command
from backtests.history.panel import History
from backtests.importing.import_path import import_path
from tests.commands import Drypowder, Said
from tests.servers.evidence import evidence_folder

ROOT = Path(__file__).resolve().parent.parent
RECORDED_AT = pd.Timestamp("2026-01-02 09:00")
#: The stores that several tests read and none writes.
SHARED: set[Path] = set()


#: The files that take longest, the longest first.
LONGEST = (
    "test_readme.py",
    "sources/test_fetch_faults.py",
    "sources/test_fetch.py",
    "sources/test_fetch_live.py",
    "store/test_beside_each_other.py",
    "signals/test_truncation.py",
    "backtests/test_evaluated_once.py",
    "backtests/test_today.py",
    "report/test_report.py",
    "cli/test_flags_and_today.py",
    "evidence/test_comparison.py",
    "cli/test_cli.py",
    "store/test_killed.py",
    "cli/test_hostile.py",
    "evidence/test_attribution.py",
    "evidence/test_walkforward.py",
    "economy/test_economy.py",
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that reads real history, and put the longest files first.

    ``-m "not history"`` leaves those tests out. A long file that came last would keep one process
    busy while the others have nothing left to do.
    """
    places = {ROOT / "tests" / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))
    for item in items:
        if "history_dir" in getattr(item, "fixturenames", ()):
            item.add_marker("history")


@pytest.fixture(scope="session")
def history_dir() -> Path:
    """Return the folder of real history; without it tests are skipped, on CI they fail."""
    folder = (ROOT / os.environ.get("DRYPOWDER_TEST_HISTORY", "../shared/history")).resolve()
    return _holding(folder, "prices.csv.gz", "DRYPOWDER_TEST_HISTORY")


@pytest.fixture(scope="session")
def evidence_dir(history_dir: Path) -> Path:
    """Return the folder of more evidence; without it tests are skipped, on CI they fail."""
    folder = evidence_folder(history_dir)
    return _holding(folder, "rates/IOER.csv", "DRYPOWDER_TEST_EVIDENCE")


def _holding(folder: Path, file: str, variable: str) -> Path:
    """Return a folder if it has a file; skip the test otherwise, or fail it on CI."""
    if not (folder / file).is_file():
        reason = (
            f"no {file} in {folder}: put the files that its README describes there, or name their "
            f"folder in {variable}"
        )
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def store(history_dir: Path, evidence_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store of real history and more evidence; read it, do not write to it."""
    return _imported(tmp_path_factory.mktemp("store"), history_dir, evidence_dir)


@pytest.fixture(scope="session")
def history_store(history_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store of real history without more evidence; read it, do not write to it."""
    return _imported(tmp_path_factory.mktemp("history_store"), history_dir)


def _imported(place: Path, *folders: Path) -> Path:
    path = place / "store.duckdb"
    for folder in folders:
        assert import_path(folder, path, recorded_at=RECORDED_AT).refused == []
    SHARED.add(path)
    return path


@pytest.fixture(scope="session", autouse=True)
def kept_histories() -> Iterator[None]:
    """Keep each history of the shared stores, and the latest simulated ones, for the next test.

    Nothing changes a history, so tests can share it. A store of a test's own is read each time.
    """
    load = History.load
    kept: dict[str, History] = {}

    def load_once(store: Path, *how: Any, **more: Any) -> History:
        if store not in SHARED:
            return load(store, *how, **more)
        asked = repr((store, how, more))
        if asked not in kept:
            kept[asked] = load(store, *how, **more)
        return kept[asked]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(History, "load", staticmethod(load_once))
        patch.setattr(History, "simulated", staticmethod(lru_cache(8)(History.simulated)))
        yield


@pytest.fixture
def drypowder(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Drypowder:
    """Run a command in this process, with no store in the environment."""
    monkeypatch.delenv("DRYPOWDER_STORE", raising=False)

    def run(*arguments: object) -> Said:
        code = command([str(a) for a in arguments])
        out, err = capsys.readouterr()
        return Said(code, out, err)

    return run


@pytest.fixture
def uncharted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write runs without quantstats' charts, which take four seconds a page.

    The tests of the report draw them.
    """
    monkeypatch.setattr("backtests.report.tearsheet._varies", lambda returns: False)


@pytest.fixture
def plainly(uncharted: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write runs without quantstats' charts and without the cases that are run again.

    The tests of the evidence look at those cases.
    """
    monkeypatch.setattr("backtests.evidence.assessment._robustness", lambda *_: None)


@pytest.fixture
def briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulate at most six years where a command would simulate twenty.

    For tests of what a command does, in which the length of its history plays no part.
    """
    simulated = History.simulated

    def shortened(seed: int = 0, years: int = 20, **more: bool) -> History:
        return simulated(seed, min(years, 6), **more)

    monkeypatch.setattr(History, "simulated", shortened)


@pytest.fixture(scope="session")
def history(store: Path) -> History:
    """Return real history as a run gets it: the signals' inputs and every price."""
    return History.load(store)
