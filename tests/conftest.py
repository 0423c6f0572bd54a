"""What the tests share: real market history, imported once."""

import os
from pathlib import Path

import pandas as pd
import pytest

from backtests.history.panel import History
from backtests.importing.import_path import import_path

ROOT = Path(__file__).resolve().parent.parent
RECORDED_AT = pd.Timestamp("2026-01-02 09:00")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that reads real history, so that ``-m "not history"`` leaves it out."""
    for item in items:
        if "history_dir" in getattr(item, "fixturenames", ()):
            item.add_marker("history")


@pytest.fixture(scope="session")
def history_dir() -> Path:
    """Return the folder of real history; without it tests are skipped, on CI they fail."""
    folder = (ROOT / os.environ.get("DRYPOWDER_TEST_HISTORY", "../shared/history")).resolve()
    if not (folder / "prices.csv.gz").is_file():
        reason = (
            f"no market history in {folder}: put the files that its README describes there, or "
            "name their folder in DRYPOWDER_TEST_HISTORY"
        )
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def store(history_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store that holds the whole of real history; read it, do not write to it."""
    path = tmp_path_factory.mktemp("store") / "store.duckdb"
    imported = import_path(history_dir, path, recorded_at=RECORDED_AT)
    assert not imported.parsed.refused
    return path


@pytest.fixture(scope="session")
def history(store: Path) -> History:
    """Return real history as a run gets it: the signals' inputs and every price."""
    return History.load(store)
