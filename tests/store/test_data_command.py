"""``drypowder data``: the check finds exactly the planted errors. Also exports and revisions."""

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from backtests.calendar import all_sessions, sessions
from backtests.cli.app import command
from backtests.history.panel import History
from backtests.store.audit import Finding, check_store
from backtests.store.batch import Batch, dated
from backtests.store.closes import check_shifts
from backtests.store.shifts import shifts, spikes
from backtests.store.store import Store
from signals.errors import DataError
from tests.commands import Drypowder, Said
from tests.open_stores import keeping_open
from tests.store.test_store_live import archive, plain

NOW = pd.Timestamp("2026-01-05 12:00")
TODAY = pd.Timestamp("2026-01-05")
SESSIONS = all_sessions()
YEAR = sessions(pd.Timestamp("2025-01-01"), pd.Timestamp("2025-12-31"))
COLUMNS = ("series_id", "observed_on", "available_at", "value", "source", "recorded_at")


Data = Callable[..., Said]


@pytest.fixture
def data(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Data:
    def run(*arguments: object, store: Path = tmp_path / "store.duckdb") -> Said:
        code = command(["data", "--store", str(store), *map(str, arguments)])
        return Said(code, *capsys.readouterr())

    return run


def walk(seed: int, index: pd.DatetimeIndex = YEAR, size: float = 0.01) -> pd.Series:
    moves = np.random.default_rng(seed).normal(0, size, len(index))
    return pd.Series(100 * np.exp(np.cumsum(moves)), index)


def batches() -> dict[str, Batch]:
    """Return one correct series of each kind."""
    days = pd.date_range("2025-01-01", "2026-01-03", unit="us")
    weeks = pd.date_range("2025-01-01", "2025-12-31", freq="W-WED", unit="us")
    made = {
        "SPY": dated("SPY", walk(1), "Yahoo", NOW),
        "MU": dated("MU", walk(2, size=0.03), "Yahoo", NOW),
        "BTC-USD": dated("BTC-USD", walk(3, days, 0.04), "Yahoo", NOW),
        "DGS2": dated("DGS2", pd.Series(4.0, YEAR), "FRED", NOW),
        "WALCL": dated("WALCL", pd.Series(7e6, weeks), "FRED", NOW),
        "NFCI": dated("NFCI", pd.Series(0.1, weeks + pd.Timedelta(days=2)), "FRED", NOW),
    }
    vintages = (
        ("2025-01-01", "2025-05-01 09:30", 3e4),
        ("2025-01-01", "2025-06-02 09:30", 3.1e4),
        ("2025-04-01", "2025-08-01 09:30", 3e4),
    )
    return {**made, "GDP": archive(*vintages)}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "store.duckdb"
    Store(path).add(list(batches().values()), NOW)
    return path


@pytest.fixture
def sound(made: Path, tmp_path: Path) -> Store:
    """Return a correct store, into which a test plants an error."""
    return Store(shutil.copy(made, tmp_path / "store.duckdb"))


def plant(sound: Store, sql: str) -> list[Finding]:
    """Plant an error in a store by SQL, and return what the check finds."""
    with duckdb.connect(str(sound.path)) as connection:
        connection.execute(sql)
    with keeping_open(sound):
        return check_store(sound, TODAY)


def only(found: list[Finding], severity: str, series: str, *parts: str) -> Finding:
    """Assert that the only finding has this severity and series, and one line with ``parts``."""
    assert [(f.severity, f.series) for f in found] == [(severity, series)], list(map(str, found))
    assert "\n" not in str(found[0])
    for part in parts:
        assert part in str(found[0])
    return found[0]


# --- a correct store has no finding ---------------------------------------------------------


def test_in_a_store_without_fault_nothing_is_found(sound: Store) -> None:
    assert check_store(sound, TODAY) == []


def test_real_history_has_no_error_and_few_notes(data: Data, store: Path) -> None:
    said = data("--check", store=store)
    assert said.code == 0, said.out
    assert "error:" not in said.out
    assert said.out.count("note:") < 40
    assert said.out.splitlines()[-1].startswith("0 errors, ")


def test_revisions_vintages_and_a_second_whole_vintage_are_no_fault(sound: Store) -> None:
    given = batches()
    higher = dated("SPY", walk(1) * 0.99, "Yahoo", NOW)
    revised = dated("DGS2", pd.Series(4.1, YEAR[:5]), "FRED", NOW)
    plain_gdp = plain({"2024-10-01": 2.9e4, "2025-01-01": 3.2e4})
    sound.add([higher, revised, plain_gdp, given["GDP"]], NOW + pd.Timedelta(days=1))
    assert check_store(sound, TODAY) == []


# --- each planted error gives one finding -----------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "series", "parts"),
    [
        (
            "INSERT INTO observations SELECT * REPLACE (value + 1 AS value) FROM observations "
            "WHERE series_id = 'DGS2' AND observed_on = '2025-03-03'",
            "DGS2",
            ("2025-03-03", "a backtest may use any of these values"),
        ),
        (
            "UPDATE observations SET available_at = observed_on - INTERVAL 1 DAY "
            "WHERE series_id = 'DGS2' AND observed_on = '2025-01-02'",
            "DGS2",
            ("2025-01-02", "the values of 1 date were known earlier"),
        ),
        (
            "UPDATE observations SET available_at = observed_on + INTERVAL 16 HOUR "
            "WHERE series_id = 'DGS2' AND observed_on = '2025-03-03'",
            "DGS2",
            ("2025-03-03", "1 session later", "look ahead", "into a new store"),
        ),
        (
            "UPDATE observations SET available_at = observed_on + INTERVAL 16 HOUR "
            "WHERE series_id = 'WALCL'",
            "WALCL",
            ("16:30 on the Thursday after the date", "the values of 53 dates were known earlier"),
        ),
        (
            "UPDATE observations SET available_at = observed_on + INTERVAL 16 HOUR "
            "WHERE series_id = 'BTC-USD' AND observed_on = '2025-03-03'",
            "BTC-USD",
            ("24:00 UTC",),
        ),
        (
            "UPDATE observations SET available_at = observed_on + INTERVAL 5 DAY "
            "WHERE series_id = 'NFCI'",
            "NFCI",
            ("when the store records the value",),
        ),
        (
            "INSERT INTO observations SELECT * REPLACE (value + 1 AS value, recorded_at + "
            "INTERVAL 5 DAY AS recorded_at) FROM observations "
            "WHERE series_id = 'DGS2' AND observed_on = '2025-03-03'",
            "DGS2",
            ("each revision", "1 revision was known earlier", "look ahead"),
        ),
        (
            "UPDATE observations SET value = value / 1000 "
            "WHERE series_id = 'WALCL' AND observed_on = '2025-02-05'",
            "WALCL",
            ("2025-02-05", "USD millions", "was 7000", "another unit"),
        ),
        (
            "UPDATE observations SET value = value * 4 "
            "WHERE series_id = 'WALCL' AND observed_on < '2025-02-05'; "
            "UPDATE observations SET value = value / 1.4 "
            "WHERE series_id = 'WALCL' AND observed_on >= '2025-02-05'",
            "WALCL",
            ("2025-02-05", "to change by at most a factor of 5", "is a decimal point misplaced?"),
        ),
        (
            "UPDATE observations SET value = value / 100 "
            "WHERE series_id = 'GDP' AND observed_on = '2025-04-01'",
            "GDP",
            ("2025-04-01", "to change by at most a factor of 5, but it changed to 300"),
        ),
        (
            "UPDATE observations SET value = 'inf' WHERE series_id = 'DGS2'",
            "DGS2",
            ("was inf, with 249 more values outside this range",),
        ),
        (
            "UPDATE observations SET value = 0 "
            "WHERE series_id = 'MU' AND observed_on = '2025-12-30'",
            "MU",
            ("USD", "was 0"),
        ),
        (
            "INSERT INTO observations SELECT * REPLACE ('UNRATE' AS series_id) FROM observations "
            "WHERE series_id = 'DGS2'",
            "UNRATE",
            ("unknown id",),
        ),
        (
            "INSERT INTO observations SELECT * REPLACE ('my_series' AS series_id) "
            "FROM observations WHERE series_id = 'SPY'",
            "my_series",
            ("unknown id",),
        ),
        (
            "UPDATE observations SET value = value * 6 "
            "WHERE series_id = 'SPY' AND observed_on = '2025-06-02'",
            "SPY",
            ("2025-06-02", "over 5 times too high or low"),
        ),
        (
            "UPDATE observations SET value = value / 10 "
            "WHERE series_id = 'BTC-USD' AND observed_on = '2026-01-03'",
            "BTC-USD",
            ("2026-01-03", "over 5 times too high or low"),
        ),
        (
            "INSERT INTO observations SELECT * REPLACE ('SNDK' AS series_id) FROM observations "
            "WHERE series_id = 'SPY'",
            "SNDK",
            ("listing on 2025-02-13",),
        ),
        (
            "INSERT INTO observations VALUES ('GDP', '2099-01-01', '2099-04-01', 3e4, 'ALFRED', "
            "'2026-01-05')",
            "GDP",
            ("2099-01-01", "no date after today"),
        ),
        (
            "UPDATE observations SET recorded_at = '2099-01-01', available_at = greatest("
            "available_at, '2099-01-01') WHERE series_id = 'NFCI'",
            "",
            (
                "53 rows, the last recorded on 2099-01-01",
                "The computer's clock was wrong",
                "--as-of",
            ),
        ),
        (
            "INSERT INTO observations SELECT 'DGS2', '2025-03-01', '2025-03-04 09:30', 4, 'FRED', "
            "max(recorded_at) FROM observations WHERE series_id = 'DGS2'",
            "DGS2",
            ("2025-03-01", "expected each date of DGS2 on Monday to Friday", "a Saturday"),
        ),
    ],
)
def test_an_error_is_found(sound: Store, sql: str, series: str, parts: tuple[str, ...]) -> None:
    errors = [f for f in plant(sound, sql) if f.severity == "error"]
    only(errors, "error", series, *parts)


@pytest.mark.parametrize(
    ("sql", "series", "parts"),
    [
        (
            "DELETE FROM observations WHERE series_id = 'SPY' AND observed_on = '2025-03-03'",
            "SPY",
            ("2025-03-03", "no close on 1 of 250 sessions"),
        ),
        (
            "DELETE FROM observations WHERE series_id = 'BTC-USD' AND observed_on IN "
            "('2025-03-01', '2025-03-02')",
            "BTC-USD",
            ("2025-03-01", "no close on 2 of 368 days"),
        ),
        (
            "INSERT INTO observations VALUES ('SPY', '2025-03-01', '2025-03-01 16:00', 100, "
            "'Yahoo', (SELECT max(recorded_at) FROM observations WHERE series_id = 'SPY'))",
            "SPY",
            ("2025-03-01", "1 close on days without an NYSE session"),
        ),
        (
            "DELETE FROM observations WHERE series_id = 'DGS2' AND observed_on BETWEEN "
            "'2025-03-03' AND '2025-03-10'",
            "DGS2",
            ("2025-03-03", "1 gap of more than 5 sessions; the longest gap has 6 sessions"),
        ),
        (
            "DELETE FROM observations WHERE series_id = 'WALCL' AND observed_on = '2025-03-05'",
            "WALCL",
            ("2025-02-26", "1 gap longer than a week; the longest gap has 14 days"),
        ),
        (
            "INSERT INTO observations VALUES ('GDP', '2024-10-01', '2025-05-02', 3e4, 'ALFRED', "
            "'2026-01-05')",
            "GDP",
            ("2025-01-01", "the values of 1 date became known before the value of an earlier date"),
        ),
        (
            "DELETE FROM observations WHERE series_id = 'DGS2' AND observed_on > '2025-12-15'",
            "DGS2",
            (
                "2025-12-15",
                "more than 10 days before the newest data",
                "staleness limit is 10 days",
            ),
        ),
    ],
)
def test_a_note_is_found(sound: Store, sql: str, series: str, parts: tuple[str, ...]) -> None:
    only(plant(sound, sql), "note", series, *parts)


def test_a_gap_of_as_many_sessions_as_bond_markets_keep_is_none(sound: Store) -> None:
    gap = "observed_on BETWEEN '2025-03-03' AND '2025-03-07'"
    assert plant(sound, f"DELETE FROM observations WHERE series_id = 'DGS2' AND {gap}") == []


def test_a_store_that_ended_is_one_note_not_one_a_series(sound: Store) -> None:
    only(check_store(sound, pd.Timestamp("2026-06-01")), "note", "", "2026-01-03", "149 days old")


def test_a_series_that_its_publisher_ended_is_no_note_unless_its_end_is_missing(
    sound: Store,
) -> None:
    """The Board paid IOER until 2021-07-28."""
    days = sessions(pd.Timestamp("2021-01-04"), pd.Timestamp("2021-07-28"))
    sound.add([dated("IOER", pd.Series(0.1, days), "FRED", NOW)], NOW)
    assert check_store(sound, TODAY) == []
    sql = "DELETE FROM observations WHERE series_id = 'IOER' AND observed_on > '2021-06-30'"
    only(plant(sound, sql), "note", "IOER", "2021-06-30", "the series ends here")


def test_a_series_that_its_publisher_ended_is_stale_only_if_its_end_is_missing(
    sound: Store, data: Data
) -> None:
    """The Board paid IOER until 2021-07-28."""

    def stale_since() -> object:
        rows = {row["series"]: row for row in json.loads(data("--json").out)["series"]}
        return rows["IOER"]["stale_since"]

    days = sessions(pd.Timestamp("2021-01-04"), pd.Timestamp("2021-07-28"))
    sound.add([dated("IOER", pd.Series(0.1, days[:-20]), "FRED", NOW)], NOW)
    assert stale_since() == "2021-07-09"
    sound.add([dated("IOER", pd.Series(0.1, days), "FRED", NOW)], NOW)
    assert stale_since() is None


def test_an_empty_store_is_an_error(tmp_path: Path) -> None:
    sound = Store(tmp_path / "empty.duckdb")
    sound.add([], NOW)
    only(check_store(sound), "error", "", "empty")


# --- splits, spikes and other shifts of the level ---------------------------------------------


COIN_DAYS = pd.date_range(end="2026-01-04", periods=250, unit="us")


def split(closes: pd.Series, ratio: float, day: int) -> pd.Series:
    spoiled = closes.copy()
    spoiled.iloc[day:] *= ratio
    return spoiled


Faults = Callable[..., list[Finding]]


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty store. A copy of it takes less time than a new store."""
    path = tmp_path_factory.mktemp("blank") / "store.duckdb"
    Store(path).add([], NOW)
    return path


@pytest.fixture
def faults(blank: Path, tmp_path: Path) -> Faults:
    """Return what the check finds. An import refuses prices with errors, and reports notes."""

    def found_in(closes: pd.Series, ticker: str = "MU") -> list[Finding]:
        sound = Store(shutil.copy(blank, tmp_path / f"{ticker}.duckdb"))
        with keeping_open(sound):
            sound.add([dated(ticker, closes, "Yahoo", NOW)], NOW)
            found = check_store(sound, TODAY)
        if any(finding.severity == "error" for finding in found):
            with pytest.raises(DataError, match="the whole series was left out"):
                check_shifts(ticker, closes)
        else:
            assert check_shifts(ticker, closes).count("expected") == len(found)
        return found

    return found_in


@pytest.mark.parametrize(
    ("ratio", "named"),
    [(1 / 2, "2:1"), (1 / 3, "3:1"), (1 / 10, "10:1"), (1 / 20, "20:1"), (2, "1:2"), (5, "1:5")],
)
@pytest.mark.parametrize("day", [120, 240])
def test_an_unadjusted_split_is_found(faults: Faults, ratio: float, named: str, day: int) -> None:
    found = faults(split(walk(5, size=0.02), ratio, day))
    only(found, "error", "MU", str(YEAR[day].date()), f"as after a split of {named};")


@pytest.mark.parametrize(
    ("ticker", "size", "day"),
    [("SNDK", 0.02, 60), ("XYZ", 0.02, 30), ("MU", 0.05, 120), ("MU", 0.02, 246)],
    ids=["a young share", "one whose listing is unknown", "a wild share", "the last days"],
)
def test_what_may_be_a_split_or_a_real_move_is_a_note(
    faults: Faults, ticker: str, size: float, day: int
) -> None:
    """SNDK was listed on 13 February 2025. The other files here begin at the start of 2025."""
    index = YEAR[pd.Timestamp("2025-02-13") <= YEAR] if ticker == "SNDK" else YEAR
    found = faults(split(walk(5, index, size), 0.5, day), ticker)
    cure = "is this a real move, or are the closes not adjusted?"
    only(found, "note", ticker, f"as after a split of 2:1; {cure}")


@pytest.mark.parametrize(("ticker", "first"), [("MU", "2025-01-02"), ("XYZ", "2003-01-02")])
def test_a_split_in_the_first_rows_of_an_old_share_is_found(ticker: str, first: str) -> None:
    """The date of the listing counts. The first row may be long after the listing."""
    index = sessions(pd.Timestamp(first), TODAY)[:250]
    (found,) = shifts(ticker, split(walk(5, index, 0.02), 0.25, 30))
    assert (found.day, found.alarm) == (index[30], True)
    assert "as after a split of 4:1; import the adjusted history" in found.what


@pytest.mark.parametrize("ticker", ["SPY", "BTC-USD", "XYZ"])
@pytest.mark.parametrize("ratio", [100, 1000, 1 / 100])
@pytest.mark.parametrize("day", [3, 120, 247])
def test_a_level_that_shifts_further_than_any_market_is_an_error(
    faults: Faults, ticker: str, ratio: float, day: int
) -> None:
    index = COIN_DAYS if "BTC" in ticker else YEAR
    found = faults(split(walk(5, index, 0.05), ratio, day), ticker)
    only(found, "error", ticker, str(index[day].date()), "sudden shift", "in the same unit")


@pytest.mark.parametrize("ratio", [8, 1 / 8])
@pytest.mark.parametrize("days", [2, 19])
def test_a_shift_that_goes_back_is_an_error(faults: Faults, ratio: float, days: int) -> None:
    """A shift of one day counts as a spike. A longer shift gives one finding, not two."""
    closes = split(split(walk(5, size=0.06), ratio, 120), 1 / ratio, 120 + days)
    found = faults(closes)
    only(found, "error", "MU", str(YEAR[120].date()), f"the price moved back {days} days later")


@pytest.mark.parametrize("ratio", [12.2, 1 / 12.2])
def test_a_lasting_shift_that_a_share_may_make_is_a_note(faults: Faults, ratio: float) -> None:
    found = faults(split(walk(5, size=0.02), ratio, 120))
    only(found, "note", "MU", "a real move?")


def test_a_coin_that_nobody_vouches_for_may_lose_everything_in_a_day(faults: Faults) -> None:
    fallen, risen = (split(walk(5, COIN_DAYS, 0.05), ratio, 120) for ratio in (1 / 200, 200))
    only(faults(fallen, "LUNA-USD"), "note", "LUNA-USD", "a real move?")
    only(faults(risen, "MOON-USD"), "error", "MOON-USD", "in the same unit")


def test_real_moves_of_young_shares_are_no_errors() -> None:
    """500 shares of 60 sessions. Each has one real move, often by more than a factor of two."""
    rng = np.random.default_rng(3)
    alarms = 0
    for _ in range(500):
        moves = rng.standard_t(3, 60) * rng.uniform(0.01, 0.04)
        moves[rng.integers(5, 55)] = rng.choice([-1, 1]) * rng.uniform(0.55, 1.5)
        closes = pd.Series(30 * np.exp(np.cumsum(moves)), YEAR[:60])
        alarms += any(shift.alarm for shift in shifts("XYZ", closes))
    assert alarms == 0


def test_one_scale_of_spy_divided_by_a_hundred_is_refused(history: History) -> None:
    closes = history.closes["SPY"].dropna()
    assert shifts("SPY", closes) == []
    spoiled = closes.where(closes.index >= "2014-07-01", closes / 100)
    with pytest.raises(
        DataError, match=r"SPY on 2014-07-01: .* was 100\.7 times the previous close"
    ):
        check_shifts("SPY", spoiled)


def test_a_company_that_loses_half_its_worth_is_not_taken_for_a_split(faults: Faults) -> None:
    calm, wild = walk(5, size=0.01), walk(6, size=0.06)
    after = calm.iloc[119] * 0.5 * wild / wild.iloc[120]
    fallen = pd.concat([calm.iloc[:120], after.iloc[120:]])
    assert fallen.iloc[120] / fallen.iloc[119] == pytest.approx(0.5)
    assert faults(fallen) == []


@pytest.mark.parametrize("ratio", [0.75, 0.6, 1.5, 0.42])
def test_a_jump_of_another_size_is_no_split(faults: Faults, ratio: float) -> None:
    assert faults(split(walk(5), ratio, 120)) == []


def test_a_coin_does_not_split(faults: Faults) -> None:
    closes = split(walk(5, pd.date_range("2025-01-01", "2026-01-04", unit="us")), 0.5, 120)
    assert faults(closes, "BTC-USD") == []


def test_a_spike_stands_off_its_neighbours_of_which_the_ends_have_one() -> None:
    day = pd.date_range("2025-01-01", periods=5)
    for values, expected in (
        ([1, 1, 5.5, 1, 1], [2]),
        ([1, 1, 0.19, 1, 1], [2]),
        ([1, 1, 1, 1, 5.5], [4]),
        ([1, 1, 1, 1, 0.1], [4]),
        ([1, 1, 5.5, 5.5, 5.5], []),
        ([1, 1, 4.5, 1, 1], []),
        ([1, 6, 36, 36, 36], []),
        ([100, 1, 1, 1, 1], [0]),
    ):
        assert spikes(pd.Series(values, day, dtype=float)) == [day[i] for i in expected]


# --- the command --------------------------------------------------------------------------------


def test_check_ends_with_2_when_there_is_an_error(data: Data, sound: Store) -> None:
    assert data("--check").code == 0
    plant(sound, "UPDATE observations SET value = 99 WHERE series_id = 'DGS2'")
    said = data("--check")
    assert said.code == 2
    assert said.out.startswith("error: DGS2 2025-01-02: expected -2 to 25 %, was 99, with 249 more")
    assert said.out.splitlines()[-1].startswith("1 error, ")
    told = json.loads(data("--check", "--json").out)
    assert told["errors"] == 1
    assert told["findings"][0]["series"] == "DGS2"
    assert told["findings"][0]["where"] == "2025-01-02"


def test_check_is_quick(sound: Store, tmp_path: Path) -> None:
    big = Store(tmp_path / "big.duckdb")
    index = SESSIONS[pd.Timestamp("2025-01-01") > SESSIONS][-5000:]
    big.add([dated(f"T{i}", walk(i, index), "Yahoo", NOW) for i in range(100)], NOW)
    start = time.process_time()
    assert [f for f in check_store(big, TODAY) if f.severity == "error"] == []
    assert time.process_time() - start < 6.0  # 500,000 rows; about 1 s on an idle machine


def test_the_export_holds_every_row_and_column(data: Data, sound: Store, tmp_path: Path) -> None:
    target = tmp_path / "all.parquet"
    target.write_text("an older one")
    said = data("--export", target)
    assert said.code == 0
    order = "ORDER BY series_id, observed_on, available_at, recorded_at"
    with duckdb.connect() as connection:
        written = connection.execute(f"SELECT * FROM '{target}'").df()
        kinds = connection.execute(f"DESCRIBE SELECT * FROM '{target}'").df()
    assert tuple(written.columns) == COLUMNS
    pd.testing.assert_frame_equal(written, sound.query(f"SELECT * FROM observations {order}"))
    # pandas reads a DATE as an object
    assert "DATE" not in set(kinds["column_type"])
    assert f"wrote {len(written):,} rows" in said.out
    assert sorted(p.name for p in tmp_path.iterdir() if "all" in p.name) == ["all.parquet"]


def test_an_export_that_fails_leaves_what_was_there(
    data: Data, sound: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "all.parquet"
    target.write_text("an older one")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    assert data("--export", target).code == 2
    assert target.read_text() == "an older one"
    assert sorted(p.name for p in tmp_path.iterdir() if "all" in p.name) == ["all.parquet"]


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("all.csv", "to end in .parquet"),
        ("d.parquet", "folder"),
    ],
)
def test_an_export_elsewhere_is_refused(
    data: Data, sound: Store, tmp_path: Path, name: str, part: str
) -> None:
    (tmp_path / "d.parquet").mkdir()
    said = data("--export", tmp_path / name)
    assert (said.code, said.out) == (2, "")
    assert part in said.err
    assert said.err.count("\n") == 1


def test_an_export_never_replaces_the_store(data: Data, tmp_path: Path) -> None:
    path = tmp_path / "store.parquet"
    Store(path).add([plain({"2025-01-01": 100.0})], NOW)
    assert data("--export", path, store=path).code == 2
    assert Store(path).series_ids() == ("GDP",)


def test_a_series_that_its_publisher_revises_is_marked(data: Data, sound: Store) -> None:
    rows = {row["series"]: row for row in json.loads(data("--json").out)["series"]}
    marked = {name: rows[name]["revised"] for name in ("GDP", "DGS2", "SPY")}
    assert marked == {"GDP": True, "DGS2": False, "SPY": False}


def test_revisions_of_a_series_with_vintages(data: Data, sound: Store) -> None:
    more = (
        ("2025-04-01", "2025-09-02 09:30", 3.3e4),
        ("2025-07-01", "2025-11-03 09:30", 3.4e4),
    )
    sound.add([archive(*more), plain({"2025-01-01": 9e4})], NOW)
    lines = data("--revisions", "GDP").out.splitlines()
    assert lines[0].split() == ["date", "value", "known", "recorded"]
    assert " ".join(lines[1].split()) == "2025-01-01 30000 2025-05-01 09:30 2026-01-05 12:00"
    assert [line.split()[:2] for line in lines[2:5]] == [
        ["2025-01-01", "31000"],
        ["2025-04-01", "30000"],
        ["2025-04-01", "33000"],
    ]
    assert lines[5] == (
        "GDP: 2 dates revised; absolute change from the first to the newest value: median 2000, "
        "maximum 3000, USD billions, annual rate"
    )
    assert len(lines) == 6


def test_revisions_of_what_was_imported_twice_and_of_prices(data: Data, sound: Store) -> None:
    later = NOW + pd.Timedelta(days=1)
    changed = walk(1)
    changed.iloc[3] += 0.5
    sound.add(
        [
            dated("DGS2", pd.Series(4.25, YEAR[:1]), "FRED", NOW),
            dated("SPY", changed, "Yahoo", NOW),
        ],
        later,
    )
    told = json.loads(data("--revisions", "DGS2", "--json").out)
    assert [row["value"] for row in told["values"]] == [4.0, 4.25]
    assert told["values"][1]["available_at"] == str(later)
    assert (told["revised"], told["largest_change"], told["unit"]) == (1, 0.25, "%")
    spy = json.loads(data("--revisions", "SPY", "--json").out)
    assert (spy["revised"], spy["median_change"]) == (1, pytest.approx(0.5))


def test_a_value_withdrawn_is_a_revision_to_none(data: Data, sound: Store) -> None:
    sound.add([archive(("2025-01-01", "2025-09-01 09:30", np.nan))], NOW)
    out = data("--revisions", "GDP").out
    assert "none" in out.splitlines()[3]
    assert out.splitlines()[-1] == "GDP: 1 date revised"
    assert json.loads(data("--revisions", "GDP", "--json").out)["values"][2]["value"] is None


def test_a_series_never_revised_says_so_and_an_unknown_one_names_the_nearest(
    data: Data, sound: Store
) -> None:
    assert data("--revisions", "MU").out == "MU: no date was revised\n"
    said = data("--revisions", "gpd")
    assert said.code == 2
    assert "did you mean 'GDP'?" in said.err
    assert said.err.count("\n") == 1


def test_one_thing_at_a_time(data: Data, sound: Store) -> None:
    said = data("--check", "--revisions", "GDP")
    assert said.code == 2
    assert "expected only one of --check, --revisions, --export and --copy" in said.err


def test_a_copy_is_made_as_of_a_date(data: Data, sound: Store, tmp_path: Path) -> None:
    sound.add([plain({"2024-10-01": 2.9e4})], NOW + pd.Timedelta(days=1))
    rows = len(sound.query("SELECT 1 FROM observations"))
    copy = tmp_path / "copy.duckdb"
    said = data("--copy", copy, "--as-of", "2026-01-05")
    assert (said.code, said.err) == (0, "")
    assert said.out == f"wrote {rows - 1:,} rows recorded up to 2026-01-05 23:59 to {copy}\n"
    assert len(Store(copy).query("SELECT 1 FROM observations")) == rows - 1


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("--copy", "x.duckdb"), "--copy FILE and --as-of DATE together"),
        (("--as-of", "2026-01-05"), "--copy FILE and --as-of DATE together"),
        (("--copy", "x.duckdb", "--as-of", "yesterday-ish"), "must be a date like"),
        (("--copy", "x.duckdb", "--as-of", "2020-01-01"), "expected a date on or after 20"),
        (("--copy", "x.duckdb", "--as-of", "2026-01-05", "--check"), "expected only one of"),
    ],
)
def test_a_copy_without_a_plain_date_is_refused(
    data: Data, sound: Store, arguments: tuple[str, ...], part: str
) -> None:
    said = data(*arguments)
    assert (said.code, said.out) == (2, "")
    assert part in said.err


def test_without_a_store_the_command_says_how_to_make_one(
    drypowder: Drypowder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "none" / "store.duckdb"
    monkeypatch.setattr("backtests.store.store.store_path", lambda given: path)
    said = drypowder("data")
    line = f"no store at {path} yet; make one: drypowder import PATH, or drypowder fetch\n"
    assert said == (0, line, "")
    said = drypowder("data", "--json")
    assert (said.code, json.loads(said.out)) == (0, {"store": str(path), "series": []})
    assert said.err == f"notice: {line}"
    assert not path.parent.exists()


@pytest.mark.parametrize(
    "option", [("--check",), ("--revisions", "GDP"), ("--export", "a.parquet")]
)
def test_a_task_without_a_store_is_an_error(
    drypowder: Drypowder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    option: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("backtests.store.store.store_path", lambda given: tmp_path / "s.duckdb")
    said = drypowder("data", *option)
    assert (said.code, said.out) == (2, "")
    assert "expected a store at" in said.err
    assert list(tmp_path.iterdir()) == []
