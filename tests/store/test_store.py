"""The store: it only adds rows, has one writer, adds all or nothing, and names each problem."""

import functools
import operator
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import duckdb
import filelock
import numpy as np
import pandas as pd
import pytest

from backtests.store.batch import Batch, batch_of, dated
from backtests.store.schema import MIGRATIONS
from backtests.store.store import Store
from signals.errors import ConfigError, DataError

NOW = pd.Timestamp("2026-01-05 12:00")


def batch(series: str = "DGS2", value: float = 4.0, days: int = 3) -> Batch:
    dates = pd.bdate_range("2025-01-06", periods=days)
    return dated(series, pd.Series(value, index=dates), "test", NOW)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "store.duckdb")
    store.add([batch()], NOW)
    return store


def test_the_repr_of_a_store_can_be_pasted_back(store: Store) -> None:
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
        with pytest.raises(DataError, match="another program made its tables"):
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

    monkeypatch.setattr("backtests.store.store.rows_to_append", fail)
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


# --- a store from an unknown person -------------------------------------------------------------

ROW = "('DGS2', '2025-01-06', '2025-01-07 09:30', 4.0, 'FRED', '2026-01-05')"


def stranger(path: Path, key: Path, *made: str) -> Store:
    """Return a store made by SQL statements. KEY in a statement becomes SQL that reads the key."""
    key.write_text("0123456789abcdef")
    with duckdb.connect(str(path)) as connection:
        connection.execute(MIGRATIONS[1].partition("CREATE TABLE observations")[0])
        for sql in made:
            connection.execute(sql.replace("KEY", f"(SELECT content FROM read_text('{key}'))"))
    return Store(path)


@pytest.mark.parametrize(
    "made",
    [
        "CREATE VIEW observations AS SELECT KEY AS series_id, DATE '2025-01-06' AS observed_on, "
        "now()::TIMESTAMP AS available_at, 4.0::DOUBLE AS value, 'FRED' AS source, "
        "now()::TIMESTAMP AS recorded_at",
        "CREATE TABLE observations (series_id VARCHAR, observed_on DATE, available_at TIMESTAMP, "
        "value DOUBLE, source VARCHAR, recorded_at TIMESTAMP)",
        "CREATE TABLE observations (series_id VARCHAR NOT NULL)",
        "CREATE TABLE other (x INTEGER)",
    ],
    ids=["a view", "nullable columns", "fewer columns", "missing"],
)
def test_observations_must_be_the_table_that_we_make(tmp_path: Path, made: str) -> None:
    store = stranger(tmp_path / "store.duckdb", tmp_path / "key", made)
    for act in (store.series_ids, store.summary, lambda: store.add([batch()], NOW)):
        with pytest.raises(DataError, match=r"expected the table observations of .* do not trust"):
            act()


def test_no_macro_or_view_of_a_store_reads_another_file(tmp_path: Path) -> None:
    """In our queries, a macro in the store hides DuckDB's function of the same name."""
    store = stranger(
        tmp_path / "store.duckdb",
        tmp_path / "key",
        "CREATE TABLE observations" + MIGRATIONS[1].partition("CREATE TABLE observations")[2],
        MIGRATIONS[2],
        "UPDATE drypowder SET schema_version = 2",
        f"INSERT INTO observations VALUES {ROW}",
        "CREATE MACRO list_contains(a, b) AS KEY <> ''",
        "CREATE VIEW mine AS SELECT KEY AS k",
    )
    acts: tuple[Callable[[], object], ...] = (
        lambda: store.rows(["DGS2"]),
        lambda: store.query("SELECT * FROM mine"),
        lambda: store.query(f"SELECT * FROM read_text('{tmp_path / 'key'}')"),
        lambda: store.query("SET enable_external_access = true"),
        lambda: store.query("SET lock_configuration = false"),
    )
    for act in acts:
        with pytest.raises(DataError) as caught:
            act()
        assert "0123456789abcdef" not in str(caught.value)
    with pytest.raises(
        DataError, match="the store tries to read another file; do not trust this store"
    ):
        store.rows(["DGS2"])
    assert store.series_ids() == ("DGS2",)  # a query without the macro works


def test_an_export_reaches_its_own_file_alone(store: Store, tmp_path: Path) -> None:
    target = tmp_path / "it's here.parquet"
    assert store.export(target) == 3
    with duckdb.connect() as connection:
        connection.execute("SELECT count(*) FROM read_parquet(?)", [str(target)])
        assert connection.fetchall() == [(3,)]


def checksum(block: bytes | bytearray) -> int:
    """Return DuckDB's checksum of a header."""
    words = np.frombuffer(block, dtype="<u8")
    with np.errstate(over="ignore"):
        products = words * np.uint64(0xBF58476D1CE4E5B9)
    return functools.reduce(operator.xor, products.tolist(), 5381)


def test_a_store_of_a_newer_duckdb_says_so(store: Store) -> None:
    raw = bytearray(store.path.read_bytes())
    assert int.from_bytes(raw[:8], "little") == checksum(raw[8:4096])
    raw[12:20] = (10**6).to_bytes(8, "little")
    raw[:8] = checksum(raw[8:4096]).to_bytes(8, "little")
    store.path.write_bytes(raw)
    for act in (store.series_ids, lambda: store.add([batch()], NOW)):
        with pytest.raises(DataError, match=r"a newer DuckDB wrote .*pip install --upgrade duckdb"):
            act()


# --- names that no store can have ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (":memory:", "expected a file"),
        ("caf\udce9.duckdb", "not UTF-8"),
        ("~nosuchuser/s.duckdb", "no such user"),
        ("a\0b", "null"),
        ("a" * 300, "too long"),
        ("what?.duckdb", r"without \? for the store"),
        ("old?/s.duckdb", r"without \? for the store"),
        ("a\\b.duckdb", r"without \\ for the store"),
    ],
)
def test_a_name_that_no_store_can_have_is_refused(name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        Store(name)
    assert str(caught.value).isprintable()


def test_a_loop_of_links_is_no_store(tmp_path: Path) -> None:
    loop = tmp_path / "loop.duckdb"
    loop.symlink_to(loop)
    with pytest.raises(ConfigError, match="Too many levels of symbolic links"):
        Store(loop)
    assert loop.is_symlink()


@pytest.mark.parametrize("name", ["md:mine", "sqlite:mine", "http:mine"])
def test_a_name_is_always_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Store(name).add([batch()], NOW)
    assert (tmp_path / name).is_file()
    assert Store(tmp_path / name).series_ids() == ("DGS2",)


def test_a_sqlite_database_is_a_file_of_another_kind(tmp_path: Path) -> None:
    path = tmp_path / "mine.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (a)")
    before = path.read_bytes()
    for use in (lambda: Store(path).series_ids(), lambda: Store(path).add([batch()], NOW)):
        with pytest.raises(DataError, match="it is damaged or of another kind; give another path"):
            use()
    assert path.read_bytes() == before


# --- a clock that was wrong ---------------------------------------------------------------------

HOUR = pd.Timedelta(hours=1)
WRONG = pd.Timestamp("2099-01-01 12:00")


def test_a_clock_far_behind_what_is_recorded_is_refused(store: Store) -> None:
    store.add([batch("DGS10", 4.5)], WRONG)
    with pytest.raises(
        DataError, match=r"later than 2099-01-01 12:00 .* the time is 2026-01-05 13:00"
    ):
        store.add([batch("DGS30", 4.5)], NOW + HOUR)
    assert store.series_ids() == ("DGS10", "DGS2")
    with pytest.raises(DataError, match="later than 2099-01-01"), store.fetching():
        pytest.fail("a fetch began")


def test_an_hour_that_repeats_keeps_vintages_in_order(store: Store) -> None:
    store.add([batch("SPY", 500.0)], NOW)
    store.add([batch("SPY", 501.0)], NOW - HOUR)
    rows = store.rows(["SPY"])
    assert rows["value"].tolist() == [501.0] * 3
    assert rows["recorded_at"].eq(NOW + pd.Timedelta(microseconds=2)).all()
    with pytest.raises(DataError, match="set the clock"):
        store.add([batch("SPY", 502.0)], NOW - 2 * HOUR)


def test_a_copy_without_what_a_wrong_clock_recorded_goes_on(store: Store, tmp_path: Path) -> None:
    """After the clock is corrected, the same data are imported again, with the present moment."""
    store.note_fetched(["DGS2"], NOW)
    revised = [batch("DGS2", 5.0), batch("SPY", 500.0)]
    store.add(revised, WRONG, fetched={"SPY": "ok"})
    held = store.path.read_bytes()
    copy = Store(tmp_path / "copy.duckdb")
    assert store.copy(copy.path, NOW + HOUR) == 3
    assert store.path.read_bytes() == held
    assert copy.last_tried() == {"DGS2": NOW}
    copy.add(revised, NOW + HOUR)
    assert copy.series_ids() == ("DGS2", "SPY")
    assert copy.rows(["DGS2"])["available_at"].max() == NOW + HOUR


def test_a_copy_replaces_no_file(store: Store, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    for taken in (tmp_path / "taken", store.path):
        with pytest.raises(DataError, match="give a new path"):
            store.copy(taken, NOW)
    assert (tmp_path / "taken").read_text() == "mine"


def test_a_copy_that_fails_leaves_no_file(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("backtests.store.store.append_rows", fail)
    with pytest.raises(KeyboardInterrupt):
        store.copy(tmp_path / "copy.duckdb", NOW)
    assert not (tmp_path / "copy.duckdb").exists()


def test_a_copy_on_a_full_disk_names_the_file_that_the_user_asked_for(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise duckdb.IOException("Could not write file: No space left on device")

    monkeypatch.setattr("backtests.store.store.append_rows", fail)
    copy = tmp_path / "copy.duckdb"
    with pytest.raises(DataError, match=f"expected to write {re.escape(str(copy))}, .* No space"):
        store.copy(copy, NOW)
    assert not copy.exists()


# --- what counts as a revision ------------------------------------------------------------------

FUNDING = pd.Series(
    np.random.default_rng(2).normal(1e-4, 1e-4, 308), pd.bdate_range("2025-01-06", periods=308)
)


def revised(store: Store, series: str, *values: pd.Series) -> list[int]:
    """Import several times, a day apart; return the number of revised dates that each reports."""
    store = Store(store.path.with_name(f"{series}.duckdb"))
    said = []
    for n, given in enumerate(values):
        batch = batch_of(series, given, pd.DatetimeIndex(given.index), "table")
        (added,) = store.add([batch], NOW + pd.Timedelta(days=n))
        said.append(added.revised)
    assert store.summary()["revisions"].tolist() == [max(said)]
    assert store.revisions(series)["observed_on"].nunique() == max(said)
    return said


def test_a_floats_last_digits_are_no_revision(store: Store) -> None:
    up, down = (pd.Series(np.nextafter(FUNDING, to), FUNDING.index) for to in (1, -1))
    assert revised(store, "FUNDING_BTC", FUNDING, up, down) == [0, 0, 0]


def test_a_sum_that_cancels_is_zero(store: Store) -> None:
    flows = FUNDING * 1e6
    flows.iloc[5] = 0.0
    again = flows.copy()
    again.iloc[5] = 0.1 + 0.2 - 0.3
    assert again.iloc[5] != 0.0
    assert revised(store, "FLOW_BTC_ETF", flows, again) == [0, 0]


@pytest.mark.parametrize(
    ("series", "value", "digit"),
    [
        ("GDP", 29354.321, 0.001),
        ("WALCL", 8965487.0, 1.0),
        ("TLAACBW027SBOG", 24000.1234, 0.0001),
        ("CAPEX_TTM_MSFT", 88_900_123_000.0, 1000.0),
        ("DGS10", 4.57, 0.01),
    ],
)
def test_the_last_digit_that_a_publisher_gives_is_a_revision(
    store: Store, series: str, value: float, digit: float
) -> None:
    first = pd.Series(value, pd.bdate_range("2025-01-06", periods=1))
    assert revised(store, series, first, first + digit) == [0, 1]


def test_a_blank_and_a_number_differ(store: Store) -> None:
    one = pd.Series([4.0, np.nan], pd.bdate_range("2025-01-06", periods=2))
    assert revised(store, "DGS2", one, one, one[::-1].set_axis(one.index)) == [0, 0, 2]


def test_false_revisions_of_an_older_import_are_not_shown(store: Store) -> None:
    with duckdb.connect(str(store.path)) as connection:
        connection.execute(
            "INSERT INTO observations SELECT * REPLACE (value + 1e-15 AS value, recorded_at + "
            "INTERVAL 1 DAY AS recorded_at) FROM observations"
        )
    assert store.summary()["revisions"].tolist() == [0]
    assert store.revisions("DGS2").empty
