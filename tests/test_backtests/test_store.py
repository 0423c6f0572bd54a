"""The store: append-only, one writer, whole or not at all, and plain about what is wrong."""

import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import filelock
import pandas as pd
import pytest

from backtests.history.batch import dated
from backtests.history.store import Store
from signals.errors import DataError

NOW = pd.Timestamp("2026-01-05 12:00")


def batch(series: str = "DGS2", value: float = 4.0, days: int = 3):
    dates = pd.bdate_range("2025-01-06", periods=days)
    return dated(series, pd.Series(value, index=dates), "test", NOW)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store.duckdb")
    store.add([batch()], NOW)
    return store


def test_its_repr_can_be_pasted_back(store: Store) -> None:
    assert eval(repr(store)).path == store.path


def test_rows_come_back_as_they_went_in(store: Store) -> None:
    rows = store.rows(["DGS2"])
    assert rows["value"].tolist() == [4.0] * 3
    assert rows["available_at"].astype(str).tolist()[0] == "2025-01-07 09:30:00"


def test_a_missing_store_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="make it with 'drypowder import"):
        Store(tmp_path / "none.duckdb").series_ids()


def test_a_damaged_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    path.write_bytes(b"this is no database" * 1000)
    with pytest.raises(DataError, match="damaged"):
        Store(path).series_ids()
    with pytest.raises(DataError, match="damaged"):
        Store(path).add([batch()], NOW)


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE theirs AS SELECT 1 AS x")
    for act in (lambda: Store(path).series_ids(), lambda: Store(path).add([batch()], NOW)):
        with pytest.raises(DataError, match="another program's"):
            act()
    with duckdb.connect(str(path), read_only=True) as connection:
        assert connection.execute("SHOW TABLES").fetchall() == [("theirs",)]


def test_a_newer_schema_is_refused(store: Store) -> None:
    with duckdb.connect(str(store.path)) as connection:
        connection.execute("UPDATE drypowder SET schema_version = 99")
    with pytest.raises(DataError, match="schema version 1"):
        store.series_ids()


def test_a_read_only_store_is_not_written(store: Store) -> None:
    store.path.chmod(0o444)
    with pytest.raises(DataError, match="read-only"):
        store.add([batch(value=5.0)], NOW)


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="it is a folder"):
        Store(tmp_path).add([batch()], NOW)


def test_a_second_writer_is_told_to_wait(store: Store) -> None:
    with (
        filelock.FileLock(f"{store.path}.lock"),
        pytest.raises(DataError, match="another import or fetch is running"),
    ):
        store.add([batch(value=5.0)], NOW)


def test_readers_wait_for_a_writer_in_another_process(store: Store) -> None:
    hold = (
        "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print('open', flush=True); "
        "time.sleep(1.5)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(store.path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        assert store.series_ids() == ("DGS2",)


def test_a_vintage_that_would_lose_dates_is_refused_and_the_rest_goes_in(store: Store) -> None:
    store.add([batch("SPY", 500.0)], NOW)
    shorter = batch("SPY", 501.0, days=2)
    done = store.add([batch("DGS10", 4.5), shorter], NOW + pd.Timedelta(hours=1))
    assert [a.refused != "" for a in done] == [False, True]
    assert store.series_ids() == ("DGS10", "DGS2", "SPY")
    assert store.rows(["SPY"])["value"].tolist() == [500.0] * 3


def test_a_write_that_fails_midway_leaves_nothing_behind(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("backtests.history.store.change", fail)
    with pytest.raises(KeyboardInterrupt):
        store.add([batch("DGS10", 4.5)], NOW)
    assert store.series_ids() == ("DGS2",)


def test_many_readers_in_threads_lose_nothing(store: Store) -> None:
    seen: list[int] = []
    readers = [
        threading.Thread(target=lambda: seen.append(len(store.rows(["DGS2"])))) for _ in range(10)
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert seen == [3] * 10
