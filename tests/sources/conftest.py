"""Fixtures of the tests of sources: running servers, an empty store, a folder for cookies."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yfinance

from backtests.store.store import Store
from tests.open_stores import keeping_open
from tests.servers import Servers, gdp_revisions

#: The present day of the servers.
TODAY = "2026-01-01"


@pytest.fixture(scope="module", autouse=True)
def cookies(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep yfinance's cookies out of the user's folder."""
    yfinance.set_tz_cache_location(str(tmp_path_factory.mktemp("yahoo")))


@pytest.fixture(scope="module")
def running(history_dir: Path) -> Iterator[Servers]:
    """Run servers for all tests of a file, on one present day, with revisions of GDP."""
    with Servers(history_dir, TODAY) as servers:
        servers.fred.vintages["GDP"] = gdp_revisions(servers.fred.values("GDP"))
        yield servers


@pytest.fixture
def target(tmp_path: Path) -> Store:
    """Return a store that does not exist yet."""
    return Store(tmp_path / "store.duckdb")


@pytest.fixture
def kept_open(target: Store) -> Iterator[None]:
    """Keep the file of a test's store open until the test ends."""
    with keeping_open(target):
        yield
