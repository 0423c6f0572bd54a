"""The store with fetched data: vintages, one fetch at a time, migrations, and earlier states."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import filelock
import numpy as np
import pandas as pd
import pytest

from backtests.history.panel import History
from backtests.store.batch import Batch, dated
from backtests.store.schema import MIGRATIONS, SCHEMA_VERSION
from backtests.store.store import FETCHED, Store
from signals.errors import ConfigError, DataError
from tests.fetches import last_fetched

NOW = pd.Timestamp("2026-01-05 12:00")
LATER = NOW + pd.Timedelta(days=30)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store.duckdb")


def plain(values: dict[str, float], series: str = "GDP", at: pd.Timestamp = NOW) -> Batch:
    return dated(series, pd.Series(values.values(), pd.DatetimeIndex(values)), "FRED", at)


def archive(*rows: tuple[str, str, float], series: str = "GDP") -> Batch:
    """Return vintages from rows: date, moment from which the value was known, value."""
    table = pd.DataFrame(rows, columns=["observed_on", "available_at", "value"])
    for column in ("observed_on", "available_at"):
        table[column] = pd.to_datetime(table[column], format="mixed").astype("datetime64[us]")
    return Batch(series_id=series, rows=table.assign(source="ALFRED"), vintages=True)


def prices(value: float, days: int = 250, ticker: str = "SPY") -> Batch:
    index = pd.bdate_range("2025-01-02", periods=days)
    index = index[~index.isin(["2025-01-09", "2025-01-20", "2025-02-17", "2025-04-18"])]
    return dated(ticker, pd.Series(value, index), "Yahoo", NOW)


def everything(store: Store) -> pd.DataFrame:
    return store.query("SELECT * FROM observations ORDER BY ALL")


def seen(store: Store, session: str, series: str = "GDP") -> float:
    return float(History.load(store, (series,)).panel[series].loc[pd.Timestamp(session)])


FIRST = ("2025-01-01", "2025-05-01 09:30", 100.0)
SECOND = ("2025-01-01", "2025-06-02 09:30", 101.0)
WITHDRAWN = ("2025-01-01", "2025-07-01 09:30", np.nan)


# --- vintages -------------------------------------------------------------------------------


def test_a_session_sees_the_vintage_of_its_day(store: Store) -> None:
    store.add([archive(FIRST, SECOND, WITHDRAWN), prices(500.0)], NOW)
    assert np.isnan(seen(store, "2025-04-30"))
    assert seen(store, "2025-05-01") == 100.0
    assert seen(store, "2025-05-30") == 100.0
    assert seen(store, "2025-06-02") == 101.0
    assert np.isnan(seen(store, "2025-07-01"))  # the archive withdrew the value


def test_later_values_from_elsewhere_no_longer_count_once_there_are_vintages(store: Store) -> None:
    store.add([plain({"2024-10-01": 90.0, "2025-01-01": 107.0}), prices(500.0)], NOW)
    assert seen(store, "2025-07-14") == 107.0  # the latest revision counts after 180 days
    store.add([archive(FIRST, SECOND)], LATER)
    assert seen(store, "2025-07-14") == 101.0
    assert np.isnan(seen(store, "2025-04-14"))  # a value outside the archive was not known


def test_plain_values_are_still_stored_beside_vintages_but_do_not_count(store: Store) -> None:
    store.add([archive(FIRST, SECOND), prices(500.0)], NOW)
    (added,) = store.add([plain({"2025-01-01": 107.0})], LATER)
    assert (added.new, added.revised) == (1, 0)
    assert seen(store, "2025-12-01") == 101.0
    assert 107.0 in everything(store)["value"].tolist()
    assert not store.add([plain({"2025-01-01": 107.0})], LATER)[0].new


def test_adding_the_same_vintages_again_adds_nothing(store: Store) -> None:
    rows = (FIRST, SECOND, WITHDRAWN)
    (first,) = store.add([archive(*rows)], NOW)
    before = everything(store)
    (again,) = store.add([archive(*rows)], LATER)
    assert (first.new, first.revised) == (3, 0)
    assert (again.new, again.revised) == (0, 0)
    pd.testing.assert_frame_equal(everything(store), before)


def test_a_vintage_that_differs_in_a_floats_last_digit_is_held_already(store: Store) -> None:
    store.add([archive(FIRST, SECOND)], NOW)
    moved = (*SECOND[:2], float(np.nextafter(SECOND[2], 1e3)))
    (again,) = store.add([archive(FIRST, moved)], LATER)
    assert (again.new, again.revised) == (0, 0)


def test_a_vintage_that_the_archive_changes_and_changes_back_counts_as_given_last(
    store: Store,
) -> None:
    wrong = (*SECOND[:2], 111.0)
    store.add([archive(FIRST, SECOND), prices(500.0)], NOW)
    for days, second in ((1, wrong), (2, SECOND)):
        (added,) = store.add([archive(FIRST, second)], NOW + pd.Timedelta(days=days))
        assert (added.new, added.revised) == (0, 1)
        assert seen(store, "2025-06-02") == second[2]


def test_new_vintages_are_appended_and_nothing_held_changes(store: Store) -> None:
    store.add([archive(FIRST)], NOW)
    before = everything(store)
    fresh = ("2025-04-01", "2025-08-01 09:30", 103.0)
    (added,) = store.add([archive(FIRST, SECOND, fresh)], LATER)
    assert (added.new, added.revised) == (1, 1)
    after = everything(store)
    kept = after[after["recorded_at"] == NOW].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, before)
    assert after["available_at"].max() == pd.Timestamp(fresh[1])  # the archive's own moment


def test_a_vintage_equal_to_a_plain_value_is_a_vintage_of_its_own(store: Store) -> None:
    at_rule = ("2025-01-01", "2025-06-30 00:00", 107.0)
    store.add([plain({"2025-01-01": 107.0}), prices(500.0)], NOW)
    (added,) = store.add([archive(FIRST, at_rule)], LATER)
    assert (added.new, added.revised) == (2, 0)
    assert seen(store, "2025-07-14") == 107.0


def test_of_two_values_known_at_one_moment_the_last_given_counts(store: Store) -> None:
    friday, saturday = FIRST, (*FIRST[:2], 99.0)
    store.add([archive(friday, saturday), prices(500.0)], NOW)
    assert seen(store, "2025-05-01") == 99.0
    assert store.add([archive(friday, saturday)], LATER)[0].revised == 0


def test_a_revision_of_a_passed_quarter_hides_nothing_newer(store: Store) -> None:
    fresh = ("2025-04-01", "2025-08-01 09:30", 103.0)
    annual = ("2025-01-01", "2025-09-25 09:30", 102.0)
    store.add([archive(FIRST, annual, fresh), prices(500.0)], NOW)
    assert seen(store, "2025-10-01") == 103.0
    told = store.rows(["GDP"])
    assert told["value"].tolist() == [100.0, 103.0]
    assert len(everything(store).query("series_id == 'GDP'")) == 3


def test_random_vintages_are_seen_as_by_hand(store: Store) -> None:
    rng = np.random.default_rng(7)
    quarters = pd.date_range("2024-01-01", "2025-07-01", freq="QS")
    rows = [
        (
            str(q.date()),
            str(q + pd.Timedelta(days=int(lag), hours=9)),
            float(rng.integers(1000, 9999)),
        )
        for q in quarters
        for lag in rng.choice(np.arange(30, 300), 6, replace=False)
    ]
    rng.shuffle(rows)
    ordered = sorted(((d, k, float(v)) for d, k, v in rows), key=lambda row: row[:2])
    store.add([archive(*ordered), prices(500.0)], NOW)
    panel = History.load(store, ("GDP",)).panel["GDP"].loc["2025-01-02":]
    for session, value in zip(panel.index, panel, strict=True):
        close = str(session + pd.Timedelta(hours=16))
        known = [row for row in ordered if row[1] <= close]
        assert value == max(known, key=lambda row: row[:2])[2], session


def test_what_is_no_vintage_cannot_pass_for_one() -> None:
    rows = archive(FIRST, ("2025-07-01", "2025-10-30", 2.0)).rows
    for given in (
        {"series_id": "SPY", "rows": rows, "vintages": True},
        {"series_id": "GDP", "rows": rows.assign(source="FRED"), "vintages": True},
        {"series_id": "GDP", "rows": rows},
        {"series_id": "GDP", "rows": rows.assign(source=_last_is_fred), "vintages": True},
    ):
        with pytest.raises(DataError, match="vintages"):
            Batch(**given)


def _last_is_fred(rows: pd.DataFrame) -> list[str]:
    return [*rows["source"].iloc[:-1], "FRED"]


# --- one writer, one fetch ------------------------------------------------------------------


def test_a_writer_waits_for_another_as_long_as_it_was_told(store: Store) -> None:
    lock = filelock.FileLock(f"{store.path}.lock", thread_local=False)
    lock.acquire()
    end = threading.Timer(0.5, lock.release)
    end.start()
    assert store.add([plain({"2025-01-01": 100.0})], NOW, wait=20.0)[0].new == 1
    end.join()
    lock.acquire()
    with pytest.raises(DataError, match="only writer"):
        store.add([plain({"2025-01-01": 100.0})], NOW, wait=0.1)
    lock.release()


def test_a_second_fetch_is_told_to_wait_while_imports_go_on(store: Store) -> None:
    with store.fetching():
        with (
            pytest.raises(DataError, match=r"only fetch into .*; wait for it to end"),
            Store(store.path).fetching(),
        ):
            pytest.fail("two fetches at once")
        store.add([plain({"2025-01-01": 100.0})], NOW)
    with store.fetching():
        assert store.series_ids() == ("GDP",)


def test_a_fetch_that_was_killed_leaves_the_way_free(store: Store) -> None:
    hold = (
        "import sys, time; from backtests.store.store import Store\n"
        "with Store(sys.argv[1]).fetching(): print('in', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(store.path)], stdout=subprocess.PIPE
    ) as fetch:
        assert fetch.stdout is not None
        fetch.stdout.readline()
        with pytest.raises(DataError), store.fetching():
            pytest.fail("two fetches at once")
        fetch.send_signal(signal.SIGKILL)
    with store.fetching():
        pass


def test_the_last_success_of_each_series_is_remembered(store: Store) -> None:
    assert last_fetched(store) == {}
    store.add([plain({"2025-01-01": 100.0})], NOW, fetched={"GDP": FETCHED, "M2SL": "no answer"})
    assert last_fetched(store) == {"GDP": NOW}
    store.note_fetched(["GDP"], LATER, "no answer")
    store.note_fetched(["M2SL", "SPY"], LATER)
    assert last_fetched(store) == {"GDP": NOW, "M2SL": LATER, "SPY": LATER}
    assert len(store.query("SELECT * FROM fetched")) == 5


def test_a_refused_vintage_is_no_success(store: Store) -> None:
    store.add([prices(500.0)], NOW)
    store.add([prices(501.0, days=20)], LATER, fetched={"SPY": FETCHED})
    assert last_fetched(store) == {}
    assert "missing" in store.query("SELECT outcome FROM fetched")["outcome"].iloc[0]


def test_a_fetch_that_fails_midway_is_not_remembered(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add([plain({"2025-01-01": 100.0})], NOW)

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("backtests.store.store.note_fetches", fail)
    with pytest.raises(KeyboardInterrupt):
        store.add([plain({"2025-04-01": 100.0})], LATER, fetched={"GDP": FETCHED})
    assert len(everything(store)) == 1
    assert last_fetched(store) == {}


def test_the_first_dates_held(store: Store) -> None:
    store.add([plain({"2025-01-01": 100.0, "2025-04-01": 101.0}), prices(500.0)], NOW)
    assert store.first_dates(["GDP", "QQQ"]) == {"GDP": pd.Timestamp("2025-01-01")}


# --- when a fetch or an import began -------------------------------------------------------------


def test_the_first_recording_of_a_store_has_no_moment_because_nothing_was_known(
    store: Store,
) -> None:
    with store.fetching(NOW):
        store.add([plain({"2025-01-01": 100.0})], NOW)
    assert store.last_recording() is None


def test_a_fetch_notes_when_it_began_even_if_it_brings_nothing(store: Store) -> None:
    store.add([plain({"2025-01-01": 100.0})], NOW)
    with store.fetching(LATER):
        pass
    assert store.last_recording() == LATER


def test_a_recording_began_after_every_row_before_it_though_clocks_go_back(store: Store) -> None:
    store.add([plain({"2025-01-01": 100.0})], NOW)
    store.note_recording(NOW - pd.Timedelta(hours=1))
    began = store.last_recording()
    assert began is not None
    assert began > everything(store)["recorded_at"].max()
    store.add([plain({"2025-04-01": 101.0})], NOW - pd.Timedelta(hours=1))
    assert everything(store)["recorded_at"].max() >= began


def test_rows_of_a_fetch_are_not_before_its_start_though_clocks_go_back(store: Store) -> None:
    store.add([plain({"2025-01-01": 100.0})], NOW)
    with store.fetching(LATER):
        store.add([plain({"2025-04-01": 101.0})], LATER - pd.Timedelta(seconds=30))
    assert everything(store)["recorded_at"].max() == LATER


def test_a_series_counts_from_the_moment_of_its_first_row(store: Store) -> None:
    store.add([plain({"2025-01-01": 100.0})], NOW)
    assert store.series_ids(NOW) == store.series_ids()
    assert store.series_ids(NOW - pd.Timedelta(microseconds=1)) == ()


def test_a_copy_keeps_the_moments_up_to_its_date(store: Store, tmp_path: Path) -> None:
    store.add([plain({"2025-01-01": 100.0})], NOW)
    for at in (LATER, LATER + pd.Timedelta(days=1)):
        store.note_recording(at)
    store.copy(tmp_path / "copy.duckdb", LATER)
    assert Store(tmp_path / "copy.duckdb").last_recording() == LATER


# --- migrations -----------------------------------------------------------------------------

#: The tables that version 1 does not have.
NEW = {"fetched", "recordings"}
VERSION_1 = """
CREATE TABLE IF NOT EXISTS drypowder (schema_version INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS observations (
    series_id VARCHAR NOT NULL,
    observed_on DATE NOT NULL,
    available_at TIMESTAMP NOT NULL,
    value DOUBLE,
    source VARCHAR NOT NULL,
    recorded_at TIMESTAMP NOT NULL
);
INSERT INTO drypowder VALUES (1);
INSERT INTO observations
SELECT 'DGS2', DATE '2020-01-01' + CAST(n AS INTEGER),
       TIMESTAMP '2020-01-02 09:30' + to_days(CAST(n AS INTEGER)), 1.5, 'FRED',
       TIMESTAMP '2025-12-01 10:00'
FROM range(500) r(n);
"""


@pytest.fixture
def old(store: Store) -> Store:
    with duckdb.connect(str(store.path)) as connection:
        connection.execute(VERSION_1)
    return store


def version(store: Store) -> int:
    return int(store.query("SELECT schema_version AS v FROM drypowder")["v"].iloc[0])


def test_a_store_of_version_1_is_read_as_it_is(old: Store) -> None:
    held = old.path.read_bytes()
    assert len(old.rows(["DGS2"])) == 500
    assert old.last_tried() == {}
    assert old.last_recording() is None
    assert len(old.summary()) == 1
    assert old.path.read_bytes() == held


def test_the_first_write_migrates_it_and_keeps_every_row(old: Store) -> None:
    before = everything(old)
    old.add([plain({"2025-01-01": 100.0})], NOW, fetched={"GDP": FETCHED})
    assert version(old) == SCHEMA_VERSION == 3
    after = everything(old)
    pd.testing.assert_frame_equal(after[after["series_id"] == "DGS2"], before)
    assert last_fetched(old) == {"GDP": NOW}


def test_a_fresh_store_has_the_schema_of_a_migrated_one(old: Store, tmp_path: Path) -> None:
    fresh = Store(tmp_path / "fresh.duckdb")
    for target in (old, fresh):
        target.add([plain({"2025-01-01": 100.0})], NOW)
    columns = "SELECT table_name, column_name, data_type FROM duckdb_columns() ORDER BY ALL"
    pd.testing.assert_frame_equal(old.query(columns), fresh.query(columns))
    assert sorted(MIGRATIONS) == list(range(1, SCHEMA_VERSION + 1))


def test_a_newer_store_is_refused_by_readers_and_writers(old: Store) -> None:
    with duckdb.connect(str(old.path)) as connection:
        connection.execute("UPDATE drypowder SET schema_version = 4")
    for act in (old.series_ids, lambda: old.add([plain({"2025-01-01": 1e4})], NOW)):
        with pytest.raises(DataError, match=r"expected schema version 1 to 3 in .*, was 4"):
            act()


KILLED = """
import sys, time
import pandas as pd
from backtests.store import store
from tests.store.test_store_live import plain
if sys.argv[2] == "midway":
    def wait(*_):
        print("midway", flush=True)
        time.sleep(60)
    store.append_rows = wait
else:
    print("start", flush=True)
store.Store(sys.argv[1]).add([plain({"2025-01-01": 100.0})], pd.Timestamp("2026-01-05"))
"""


@pytest.mark.parametrize(("moment", "delay"), [("midway", 0.0), ("any", 0.01), ("any", 0.03)])
def test_a_kill_leaves_the_old_or_the_new_version_whole(
    old: Store, moment: str, delay: float
) -> None:
    before = everything(old)
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(old.path), moment], stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(delay)
        writer.send_signal(signal.SIGKILL)
    tables = set(old.query("SELECT table_name AS t FROM duckdb_tables()")["t"])
    assert NEW & tables == (NEW if version(old) == SCHEMA_VERSION else set())
    if moment == "midway":
        assert version(old) == 1
    after = everything(old)
    pd.testing.assert_frame_equal(after[after["series_id"] == "DGS2"], before)
    old.add([plain({"2025-01-01": 100.0})], NOW)  # the next write succeeds
    assert version(old) == SCHEMA_VERSION
    assert len(everything(old)) == 501


# --- earlier states of the store ------------------------------------------------------------


def grown(path: Path, until: pd.Timestamp | None = None) -> Store:
    """Return a store after four recordings, or after those up to the moment ``until``."""
    store = Store(path)
    for at, batches in (
        ("2025-12-01 18:00", [prices(500.0, 200), plain({"2025-01-01": 100.0})]),
        ("2025-12-10 18:00", [prices(250.0, 230), plain({"2025-01-01": 104.0})]),
        ("2025-12-20 18:00", [archive(FIRST, SECOND), prices(30.0, 100, "QQQ")]),
        ("2025-12-30 18:00", [prices(125.0, 250), archive(WITHDRAWN)]),
    ):
        if until is None or pd.Timestamp(at) <= until:
            store.add(batches, pd.Timestamp(at))
    return store


@pytest.mark.parametrize("day", ["2025-12-01", "2025-12-10", "2025-12-25"])
def test_as_of_a_day_is_the_store_cut_at_its_end(tmp_path: Path, day: str) -> None:
    end = pd.Timestamp(day) + pd.Timedelta(days=1)
    cut = History.load(grown(tmp_path / "cut.duckdb", end))
    whole = grown(tmp_path / "whole.duckdb")
    then = History.load(whole, as_of=day)
    assert then.digest() == cut.digest()
    pd.testing.assert_frame_equal(then.known, cut.known)
    for as_of in (date.fromisoformat(day), pd.Timestamp(day), f"{day} 23:59"):
        assert History.load(whole, as_of=as_of).digest() == cut.digest()
    assert then.digest() != History.load(whole).digest()


def test_as_of_a_moment_counts_to_the_minute_on_new_yorks_clock(tmp_path: Path) -> None:
    store = grown(tmp_path / "store.duckdb")
    for as_of, close in (
        ("2025-12-10 17:59", 500.0),
        ("2025-12-10 18:00", 250.0),
        (pd.Timestamp("2025-12-10 22:59", tz="UTC"), 500.0),
        (pd.Timestamp("2025-12-10 23:00", tz="UTC"), 250.0),
    ):
        assert History.load(store, as_of=as_of).panel["SPY"].dropna().unique().tolist() == [close]


def test_as_of_before_anything_or_no_date_says_so(tmp_path: Path) -> None:
    store = grown(tmp_path / "store.duckdb")
    with pytest.raises(DataError, match="recorded up to 2025-11-30 23:59 in the store"):
        History.load(store, as_of="2025-11-30")
    for text in ("yesterday evening", "04/05/2027", "13.05.2027", "2027"):
        with pytest.raises(ConfigError, match="as_of must be a date"):
            History.load(store, as_of=text)


# --- what the system refuses ----------------------------------------------------------------

FULL = """
import resource, sys
import pandas as pd
from backtests.store.store import Store
from tests.store.test_store_live import plain
size = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
days = pd.bdate_range("2000-01-03", periods=1_667).strftime("%Y-%m-%d")
many = plain({day: 100.0 + n for n, day in enumerate(days)}, "DGS2")
try:
    Store(sys.argv[1]).add([many], pd.Timestamp("2026-01-05 12:00"))
except Exception as error:
    print(type(error).__name__, error)
"""


def fill(store: Store, size: int) -> str:
    """Return the message of a write while no file may be larger than ``size`` bytes."""
    command = [sys.executable, "-c", FULL, str(store.path), str(size)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("size", [0, 4096, 60_000])
def test_a_disk_that_is_full_at_the_first_write_leaves_no_broken_store(
    store: Store, size: int
) -> None:
    said = fill(store, size)
    assert said.startswith("DataError expected to write")
    assert "File too large" in said
    assert "\n" not in said
    left = {p.name.removeprefix(store.path.name) for p in store.path.parent.iterdir()}
    assert left <= {"", ".lock", ".door"}
    store.add([plain({"2025-01-01": 100.0})], NOW)  # with free space, the next write succeeds
    assert len(everything(store)) == 1


def test_a_link_to_a_store_is_followed_even_where_there_is_none_yet(
    store: Store, tmp_path: Path
) -> None:
    there = tmp_path / "other" / "store.duckdb"
    store.path.symlink_to(there)
    store.add([plain({"2025-01-01": 100.0})], NOW)
    assert store.path.is_symlink()
    assert Store(there).series_ids() == store.series_ids() == ("GDP",)


def test_threads_of_one_process_read_and_write_beside_each_other(store: Store) -> None:
    store.add([plain({"2025-01-01": 100.0})], NOW)
    failures: list[BaseException] = []

    def again(act: Callable[[int], object]) -> None:
        try:
            for n in range(40):
                act(n)
        except BaseException as error:
            failures.append(error)

    def write(n: int) -> None:
        store.note_fetched(["GDP"], NOW + pd.Timedelta(days=n), wait=20.0)

    acts = (lambda n: store.rows(["GDP"]), lambda n: store.series_ids(), write)
    threads = [threading.Thread(target=again, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert last_fetched(store)["GDP"] == NOW + pd.Timedelta(days=39)
