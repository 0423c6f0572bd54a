"""``drypowder fetch``: every value of the sources comes into the store, and the key never does."""

import bisect
import json
import logging
import os
import re
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from backtests.calendar import OPEN, all_sessions
from backtests.cli.app import command
from backtests.history.panel import History
from backtests.importing.import_path import import_path
from backtests.sources import edgar, fetching, fred, jobs, nyfed, secrets, yahoo
from backtests.sources.fetching import Outcome, fetch
from backtests.sources.fred import FredSource
from backtests.sources.http import Deadline, RetryPolicy
from backtests.store.batch import is_price
from backtests.store.store import Store
from signals.catalog import CATALOG
from signals.errors import ConfigError, DrypowderError, SourceError
from signals.universe import UNIVERSE
from tests.commands import Said
from tests.fetches import last_fetched
from tests.importing.test_evidence_by_hand import drawn
from tests.open_stores import keeping_open
from tests.reference import byhand
from tests.servers import Fault, Servers, Vintages, archived_since, gdp_revisions
from tests.servers import yahoo as served_prices
from tests.servers.fred import read_values
from tests.servers.vintages import periods
from tests.servers.web import Request, Response
from tests.sources.conftest import TODAY

pytestmark = pytest.mark.usefixtures("kept_open")

ALL_OUT = "2026-10-01"  # by then the last quarter in the files is published
NOW = pd.Timestamp("2026-01-02 09:00")
KEY = "k3y0123456789abcdefsecret0123456"
CONTACT = "Ann Lee ann@example.org"
#: The module of each source, and the publisher's limit in requests a second.
MODULES = {"SEC": edgar, "FRED": fred, "NYFed": nyfed, "Yahoo": yahoo}
ALLOWED = {"SEC": 10.0, "FRED": 2.0, "NYFed": 2.0, "Yahoo": 2.0}
RATES = {name: source.RATE for name, source in MODULES.items()}
IDENTITY = {"FRED_API_KEY": KEY, "DRYPOWDER_CONTACT": CONTACT}
QUICK = RetryPolicy(
    connect=2.0, read=10.0, attempts=3, reach=2, wait=0.01, longest=0.05, budget=120.0
)
#: Series that FRED's server has, but for which real history has no file.
NO_FILE = {"DTB3"}
SESSIONS = list(all_sessions().strftime("%Y-%m-%d"))


@pytest.fixture
def servers(history_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Servers]:
    with Servers(history_dir, TODAY) as running:
        lead_to(running, monkeypatch)
        yield running


def lead_to(
    servers: Servers, patch: pytest.MonkeyPatch, now: pd.Timestamp = NOW
) -> pytest.MonkeyPatch:
    """Connect this process to the servers: addresses, present moment, key and contact."""
    for name, value in (servers.env() | IDENTITY).items():
        patch.setenv(name, value)
    patch.setattr(fetching, "new_york_now", lambda: now)
    for source in MODULES.values():
        patch.setattr(source, "RATE", (10_000, 1.0))
    return patch


def bring(target: Store, *only: str, policy: RetryPolicy = QUICK) -> dict[str, Outcome]:
    """Fetch. An unexpected error is a bug of the program, so it ends the test."""
    outcomes = fetch(target, only=only, policy=policy)
    for outcome in outcomes:
        if outcome.unforeseen is not None:
            raise outcome.unforeseen
    return {outcome.name: outcome for outcome in outcomes}


def everything(target: Store) -> pd.DataFrame:
    return target.query("SELECT * FROM observations ORDER BY ALL")


def rows(target: Store, ids: list[str] | None = None) -> pd.DataFrame:
    """Return the stored rows, without their source and the moment of recording."""
    held = target.query(
        "SELECT series_id, observed_on, available_at, value FROM observations ORDER BY ALL"
    )
    return held if ids is None else held[held["series_id"].isin(ids)].reset_index(drop=True)


def latest(target: Store, ids: list[str]) -> pd.DataFrame:
    """Return the newest value of each date, without the moment when it was known."""
    return target.query(
        "SELECT series_id, observed_on, arg_max(value, available_at) AS value FROM observations "
        "WHERE list_contains(?, series_id) GROUP BY ALL ORDER BY ALL",
        [ids],
    )


def price_rows(target: Store, ticker: str) -> pd.Series:
    held = target.rows([ticker])
    return pd.Series(held["value"].to_numpy(), pd.DatetimeIndex(held["observed_on"]))


# --- the whole catalog ----------------------------------------------------------------------


class Whole(NamedTuple):
    """A fetch of everything, and a second fetch right after it."""

    store: Store
    first: dict[str, Outcome]
    second: dict[str, Outcome]
    before: pd.DataFrame
    seconds: float


@pytest.fixture(scope="module")
def whole(history_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    target = Store(tmp_path_factory.mktemp("whole") / "store.duckdb")
    with (
        Servers(history_dir, ALL_OUT) as running,
        pytest.MonkeyPatch.context() as patch,
        keeping_open(target),
    ):
        lead_to(running, patch, pd.Timestamp(ALL_OUT))
        patient = replace(QUICK, read=60.0, budget=1800.0)
        begun = time.perf_counter()
        first = bring(target, policy=patient)
        seconds = time.perf_counter() - begun
        before = everything(target)
        return Whole(target, first, bring(target, policy=patient), before, seconds)


def test_everything_fetched_is_what_the_files_hold_value_for_value(
    whole: Whole, store: Path
) -> None:
    imported = Store(store)
    live = [id for id in CATALOG if CATALOG[id].source != "file"] + [*UNIVERSE]
    both = sorted(set(live) & set(imported.series_ids()))
    assert set(whole.store.series_ids()) == set(both) | NO_FILE  # exactly these series
    assert len(both) > 90
    begin = imported.first_dates(both)
    fetched = since(begin, latest(whole.store, both))
    # The file of SRF in the evidence has rounding errors in its sums, such as 0.10200000000000001.
    pd.testing.assert_frame_equal(fetched, latest(imported, both), rtol=1e-15, atol=0)
    once = [id for id in both if is_price(id) or not CATALOG[id].revised]
    fetched = since(begin, rows(whole.store, once))
    pd.testing.assert_frame_equal(fetched, rows(imported, once), rtol=1e-15, atol=0)


def test_twenty_random_cells_of_what_was_fetched_equal_the_value_by_hand(
    whole: Whole, history_store: Path, history_dir: Path
) -> None:
    """The cells are of series that only the evidence has.

    Series with vintages are left out, because their values are known by another rule.
    """
    added = set(whole.store.series_ids()) - set(Store(history_store).series_ids()) - NO_FILE
    once = tuple(sorted(id for id in added if not CATALOG[id].revised))
    panel = History.load(whole.store, only=once).panel
    pairs = drawn(once, byhand.sessions(history_dir))
    cells = [float(panel[id].loc[pd.Timestamp(day)]) for day, id in pairs]
    by_hand = [byhand.value_known(history_dir, id, day) for day, id in pairs]
    assert [None if np.isnan(cell) else cell for cell in cells] == by_hand
    assert len({id for _, id in pairs}) == 20
    assert sum(value is not None for value in by_hand) >= 10


def since(begin: dict[str, pd.Timestamp], held: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that are not before ``begin``, the first date of each series in our files."""
    return held[held["observed_on"] >= held["series_id"].map(begin)].reset_index(drop=True)


def test_what_the_publishers_have_before_our_files_begin_comes_in_too(
    whole: Whole, history_dir: Path
) -> None:
    """In FRED's real data, GDP begins in 1947 with 243.164, and M2 begins in 1959 with 286.6."""
    ids = [id for id in CATALOG if CATALOG[id].source == "fred"]
    held = latest(whole.store, ids).set_index(["series_id", "observed_on"])["value"]
    assert held["GDP"][pd.Timestamp("1947-01-01")] == 243.164
    assert held["M2SL"][pd.Timestamp("1959-01-01")] == 286.6
    for id in ids:
        first = CATALOG[id].first or pd.Timestamp.min
        served = {
            pd.Timestamp(day): float(value)
            for day, value in read_values(history_dir, id).items()
            if value != "." and pd.Timestamp(day) >= pd.Timestamp(first)
        }
        assert held[id].to_dict() == served, id


def test_nothing_fails_but_what_the_server_has_no_data_of(whole: Whole) -> None:
    failed = {name for name, outcome in whole.first.items() if outcome.failed}
    assert failed == set()
    noted = {name: o.note for name, o in whole.first.items() if o.note}
    young = "the facts of CRWV are not enough to sum "  # too young a company
    assert noted["CAPEX_TTM_CRWV"] == f"{young}CAPEX over a trailing year"
    absent = r"no facts under any of the [124] known tags of [A-Z_]+"
    assert all("_TTM_" in name for name in noted)
    others = [note for note in noted.values() if not note.startswith(young)]
    assert all(re.fullmatch(absent, note) for note in others)


def test_twice_in_a_row_adds_nothing(
    whole: Whole, record_property: Callable[[str, object], None]
) -> None:
    record_property("seconds of a fetch of everything", round(whole.seconds, 1))
    assert sum(o.new for o in whole.first.values()) == len(whole.before)
    assert [(o.new, o.revised) for o in whole.second.values() if o.new or o.revised] == []
    pd.testing.assert_frame_equal(everything(whole.store), whole.before)


def test_without_a_key_the_public_csv_serves_what_is_never_revised(
    whole: Whole, servers: Servers, target: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers.today = ALL_OUT
    lead_to(servers, monkeypatch, pd.Timestamp(ALL_OUT))
    monkeypatch.delenv("FRED_API_KEY")
    monkeypatch.setattr(secrets, "key_file", lambda: target.path.parent / "no-key")
    ids = [s.id for s in CATALOG.values() if s.source == "fred"]
    monkeypatch.setattr(jobs, "_wanted", lambda store, only: tuple(ids))
    outcomes = bring(target, policy=replace(QUICK, read=60.0, budget=1800.0))
    revised = [id for id in ids if CATALOG[id].revised]
    never = [id for id in ids if not CATALOG[id].revised]
    assert len(revised) > 10
    assert len(never) > 20
    assert not any(o.failed for o in outcomes.values())  # so the command ends with 0
    for id in revised:
        assert "the series is revised, so its vintages need a key" in outcomes[id].note
        assert "set FRED_API_KEY" in outcomes[id].note
    assert set(target.series_ids()) == set(never)
    pd.testing.assert_frame_equal(rows(target), rows(whole.store, never), rtol=0, atol=0)
    assert {r.path for r in servers.requests} == {"/graph/fredgraph.csv"}


def test_only_what_is_named_is_asked_for(servers: Servers, target: Store) -> None:
    assert set(bring(target, "SOFR", "MU")) == {"SOFR", "MU"}
    assert set(target.series_ids()) == {"SOFR", "MU"}
    assert {r.source for r in servers.requests} == {"fred", "yahoo"}
    for name, expected in (("FLOW_BTC_ETF", "no live source"), ("wal", "unknown series or ticker")):
        with pytest.raises(ConfigError, match=expected):
            bring(target, name)


def test_one_year_ago_figure_is_enough_to_name_a_company(servers: Servers, target: Store) -> None:
    assert set(bring(target, "CAPEX_TTM_YEAR_AGO_MU")) == {"CAPEX_TTM_MU"}
    assert set(target.series_ids()) == {"CAPEX_TTM_MU", "CAPEX_TTM_YEAR_AGO_MU"}


def test_the_standing_facility_is_the_sum_of_its_overnight_operations(
    servers: Servers, target: Store
) -> None:
    """Each date has two overnight operations, a reverse repo and an operation for a month."""
    bring(target, "SRF")
    held = target.rows(["SRF"]).set_index("observed_on")["value"]
    assert held[pd.Timestamp("2025-10-31")] == 50.35
    assert held[pd.Timestamp("2025-12-31")] == 74.6
    assert held.index[0] == pd.Timestamp("2021-07-29")
    assert {r.query["startDate"][5:] for r in servers.requests} == {"07-29", "01-01"}


def test_the_next_day_brings_the_next_day_alone(servers: Servers, target: Store) -> None:
    servers.today = "2025-12-22"
    bring(target, "DGS2", "WALCL")
    servers.today = TODAY
    outcomes = bring(target, "DGS2", "WALCL")
    assert 1 <= outcomes["WALCL"].new <= 2
    assert 4 <= outcomes["DGS2"].new <= 7
    assert all(o.revised == 0 for o in outcomes.values())


# --- the command ----------------------------------------------------------------------------


Command = Callable[..., Said]


@pytest.fixture
def drypowder(target: Store, capsys: pytest.CaptureFixture[str]) -> Command:
    def run(*arguments: str) -> Said:
        code = command(["fetch", "--store", str(target.path), *arguments])
        return Said(code, *capsys.readouterr())

    return run


def test_the_command_says_what_is_new(servers: Servers, drypowder: Command) -> None:
    said = drypowder("--only", "SOFR", "--only", "WALCL")
    assert said.code == 0
    assert re.search(r"^SOFR +FRED +[\d,]+ +0 +2025-12-3\d", said.out, re.MULTILINE)
    assert re.search(r"^2 series: [\d,]+ rows new, 0 revised, 0 unchanged, 0 failed", said.out, 8)
    again = drypowder("--only", "SOFR", "--only", "WALCL")
    assert "2 series: 0 rows new, 0 revised, 2 unchanged, 0 failed" in again.out


def test_the_command_ends_with_3_when_a_series_failed(servers: Servers, drypowder: Command) -> None:
    servers.faults.add(Fault("vanished", match="series_id=DTB3&"))
    said = drypowder("--only", "DTB3", "--only", "SOFR")
    assert said.code == 3
    assert re.search(r"^DTB3 +FRED +failed: .*does not exist", said.out, re.MULTILINE)
    assert "1 failed" in said.out
    assert re.search(r"^SOFR +FRED +[\d,]+", said.out, re.MULTILINE)


def test_the_command_speaks_json(servers: Servers, drypowder: Command) -> None:
    servers.faults.add(Fault("vanished", match="series_id=DTB3&"))
    said = drypowder("--json", "--only", "DTB3", "--only", "SOFR")
    answer = json.loads(said.out)
    assert said.code == 3
    assert answer["series"]["SOFR"]["new"] > 1000
    assert answer["series"]["SOFR"]["failed"] is None
    assert "does not exist" in answer["series"]["DTB3"]["failed"]


def test_a_start_that_is_no_date_is_refused(servers: Servers, drypowder: Command) -> None:
    said = drypowder("--start", "yesterday", "--only", "SOFR")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("error: --start must be a date")


@pytest.mark.parametrize("ticker", ["MU?X=1", "MU#A", " MU ", "X/../MU", "SPY,MU", "[/b]", ""])
def test_what_is_no_ticker_is_refused(servers: Servers, drypowder: Command, ticker: str) -> None:
    said = drypowder("--only", ticker)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"error: unknown series or ticker '{ticker}'")
    assert servers.requests == []


def test_a_ticker_that_nobody_knows_failed(servers: Servers, drypowder: Command) -> None:
    said = drypowder("--only", "NOSUCH")
    assert said.code == 3
    assert re.search(r"^NOSUCH +Yahoo +failed: Yahoo has no such ticker", said.out, re.MULTILINE)
    line = " ".join(said.out.split())
    assert "(404); an id outside the catalog counts as a ticker" in line


def test_square_brackets_of_a_source_are_shown_as_they_are(
    servers: Servers, drypowder: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bracketed(request: Request, status: int) -> Response:
        return Response(status=status, body=b"no [/b] tag [red]", content_type="text/plain")

    monkeypatch.setattr(servers.fred, "refusal", bracketed)
    servers.faults.add(Fault("status", status=400, times=None, match="observations"))
    said = drypowder("--only", "SOFR")
    assert said.code == 3
    assert "failed: FRED refused (400): no [/b] tag [red]" in said.out


@pytest.mark.parametrize(
    ("name", "id"),
    [("FRED", "SOFR"), ("YAHOO", "MU"), ("SEC", "CAPEX_TTM_MU"), ("NYFED", "SRF")],
)
@pytest.mark.parametrize("url", ["nonsense", "ftp://127.0.0.1", "http://"])
def test_an_address_that_is_none_is_refused(
    drypowder: Command,
    servers: Servers,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    id: str,
    url: str,
) -> None:
    monkeypatch.setenv(f"DRYPOWDER_{name}_URL", url)
    said = drypowder("--only", id)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"error: expected DRYPOWDER_{name}_URL to be an address like https:")
    assert f"was '{url}'" in said.err


def test_a_start_to_come_is_refused(servers: Servers, drypowder: Command) -> None:
    said = drypowder("--only", "MU", "--start", "2130-01-01")
    assert (said.code, said.out) == (2, "")
    assert "before today, was 2130-01-01" in said.err


def test_a_place_where_no_store_can_be_is_found_before_anything_is_asked(
    servers: Servers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "file").touch()
    for path, said in (
        (tmp_path, "it is a folder"),
        (pipe, "it is a device or pipe"),
        (tmp_path / "file" / "store.duckdb", "it is a file or lies below a file"),
    ):
        assert command(["fetch", "--store", str(path), "--only", "MU"]) == 2
        line = capsys.readouterr().err
        assert line.startswith("error: expected")
        assert said in line
        assert line.count("\n") == 1
    assert pipe.is_fifo()
    assert servers.requests == []


def test_a_series_that_is_always_silent_does_not_keep_the_others_out(
    servers: Servers, target: Store
) -> None:
    """The next fetch begins with the series that was requested longest ago, even if it failed."""
    servers.faults.add(Fault("timeout", match="series_id=DGS10", times=None, seconds=60.0))
    hurried = replace(QUICK, read=30.0, attempts=1, budget=2.0)
    ids = ("DGS10", "DGS2", "SOFR")
    first, second = (bring(target, *ids, policy=hurried) for _ in range(2))
    assert "did not answer in 2 s" in first["DGS10"].failed
    assert "not fetched within 2 s" in first["DGS2"].failed
    assert (second["DGS2"].failed, second["SOFR"].failed) == ("", "")


def test_what_is_named_and_cannot_be_asked_for_failed(
    servers: Servers, drypowder: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("FRED_API_KEY")
    monkeypatch.delenv("DRYPOWDER_CONTACT")
    monkeypatch.setattr(secrets, "key_file", lambda: tmp_path / "no-key")
    said = drypowder("--only", "GDP", "--only", "CAPEX_TTM_MU", "--only", "SOFR")
    assert said.code == 3
    assert re.search(
        r"^GDP +FRED +failed: the series is revised, .* set FRED_API_KEY", said.out, re.MULTILINE
    )
    assert re.search(r"^CAPEX_TTM_MU +SEC +failed: .* set DRYPOWDER_CONTACT", said.out, 8)
    assert "SOFR" in said.out


def test_without_a_network_it_ends_within_30_seconds_a_line_a_source(
    servers: Servers, drypowder: Command, target: Store
) -> None:
    servers.down = True
    begun = time.monotonic()
    said = drypowder()
    assert time.monotonic() - begun < 30
    assert said.code == 3
    assert "Traceback" not in said.out + said.err
    lines = [line for line in said.out.splitlines() if "failed:" in line]
    counted = {}
    for source in ("FRED", "SEC", "NYFed", "Yahoo"):
        of_it = [line for line in lines if f"{source} cannot be reached; check the network" in line]
        more = re.search(r"^\S+ and (\d+) more", of_it[0])
        counted[source] = len(of_it) if more is None else 1 + int(more[1])
        assert more is None or len(of_it) == 1
    assert len(lines) < 10
    assert counted["Yahoo"] > 40
    assert f" {sum(counted.values())} failed, in " in said.out
    assert "--json lists every series" in said.out
    assert not target.exists()


def test_a_series_with_values_in_the_store_keeps_its_row() -> None:
    from backtests.cli.fetch import grouped_outcomes

    def five(last: pd.Timestamp | None) -> list[Outcome]:
        names = ("MU", "SPY", "QQQ", "GLD", "TLT")
        return [Outcome(name=n, source="Yahoo", last=last, failed="no answer") for n in names]

    assert [row.name for row in grouped_outcomes(five(None))] == ["MU and 4 more"]
    assert grouped_outcomes(five(NOW)) == five(NOW)


# --- limits of requests ---------------------------------------------------------------------


def test_without_a_contact_the_sec_is_left_out_with_a_note(
    servers: Servers, target: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DRYPOWDER_CONTACT")
    monkeypatch.setattr(jobs, "_wanted", lambda store, only: ("CAPEX_TTM_MU", "SOFR"))
    outcomes = bring(target)
    assert outcomes["CAPEX_TTM_MU"].failed == ""
    assert "set DRYPOWDER_CONTACT" in outcomes["CAPEX_TTM_MU"].note
    assert target.series_ids() == ("SOFR",)
    assert "sec" not in {r.source for r in servers.requests}


def test_a_contact_without_an_address_is_refused(
    servers: Servers, target: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRYPOWDER_CONTACT", "somebody")
    with pytest.raises(ConfigError, match=r"like 'Ann Lee ann@example\.org', was 'somebody'"):
        bring(target, "CAPEX_TTM_MU")


def test_the_sec_is_told_who_asks(servers: Servers, target: Store) -> None:
    bring(target, "CAPEX_TTM_MU")
    assert {r.headers["User-Agent"].split(" ", 1)[1] for r in servers.requests} == {CONTACT}


def most_within(requests: list[Request], seconds: float) -> int:
    """Return the largest number of requests that arrived within a window of some seconds."""
    at = sorted(request.at for request in requests)
    return max(bisect.bisect_right(at, first + seconds) - i for i, first in enumerate(at))


def test_the_count_of_requests_in_a_window_counts(servers: Servers, target: Store) -> None:
    bring(target, "CAPEX_TTM_MU", "CAPEX_TTM_META")
    assert most_within(servers.requests, 60.0) == len(servers.requests) == 4


def test_no_source_is_asked_more_often_than_it_allows() -> None:
    for source, (requests, seconds) in RATES.items():
        assert requests / seconds <= ALLOWED[source]


def test_the_sec_is_not_asked_faster_than_its_rate_over_all_companies(
    servers: Servers, target: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edgar, "RATE", (3, 0.5))
    bring(target, *(f"CAPEX_TTM_{name}" for name in ("MU", "META", "MSFT", "ORCL")))
    assert len(servers.requests) == 8  # four companies, two tags each
    assert most_within(servers.requests, 0.4) <= 3


def test_fred_is_not_asked_faster_than_its_rate_over_all_series(
    servers: Servers, target: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fred, "RATE", (3, 0.5))
    bring(target, "GDP", "DRTSCILM", "IORB", "DFEDTARU", "PNFI")
    assert len(servers.requests) >= 8  # two for each of three revised series, and retries
    assert most_within(servers.requests, 0.4) <= 3


def test_the_time_that_a_fetch_may_take_is_kept(servers: Servers, target: Store) -> None:
    servers.faults.add(Fault("status", status=503, retry_after=30, times=None, match="SOFR"))
    hurried = replace(QUICK, budget=1.0, longest=60.0)
    begun = time.monotonic()
    outcomes = bring(target, "SOFR", policy=hurried)
    assert time.monotonic() - begun < 5
    assert "has an internal error (503)" in outcomes["SOFR"].failed


# --- prices ---------------------------------------------------------------------------------


def rewrite(
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[served_prices.Prices], served_prices.Prices],
) -> None:
    """Let the server send changed prices from now on."""
    load = served_prices._load

    def changed(folder: Path, ticker: str) -> served_prices.Prices | None:
        prices = load(folder, ticker)
        return None if prices is None else change(prices)

    monkeypatch.setattr(served_prices, "_load", changed)


def scaled(before: str, factor: float) -> Callable[[served_prices.Prices], served_prices.Prices]:
    def change(p: served_prices.Prices) -> served_prices.Prices:
        def part(cells: list[float | None]) -> list[float | None]:
            return [
                None if cell is None else cell * factor if day < before else cell
                for day, cell in zip(p.dates, cells, strict=True)
            ]

        return replace(p, adjusted=part(p.adjusted), raw=part(p.raw))

    return change


def test_a_session_that_has_not_closed_is_left_out(
    servers: Servers, target: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    noon = datetime(2025, 12, 31, 12, 0, tzinfo=ZoneInfo("America/New_York"))
    servers.today, servers.yahoo.running = "2025-12-30", noon
    monkeypatch.setattr(fetching, "new_york_now", lambda: pd.Timestamp("2025-12-31 12:00"))
    during = bring(target, "MU")["MU"]
    assert "2025-12-31 left out: the day had not closed" in during.note
    assert during.last == pd.Timestamp("2025-12-30")
    servers.today, servers.yahoo.running = "2025-12-31", None
    monkeypatch.setattr(fetching, "new_york_now", lambda: pd.Timestamp("2025-12-31 16:30"))
    after = bring(target, "MU")["MU"]
    assert (after.note, after.last) == ("", pd.Timestamp("2025-12-31"))


def test_a_split_between_two_fetches_is_one_new_whole_vintage_and_changes_no_return(
    servers: Servers, target: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers.today = "2025-12-24"
    count = bring(target, "MU", "SPY")["MU"].new
    before = History.load(target, ("MU",)).closes["MU"]
    servers.today = TODAY
    rewrite(monkeypatch, scaled("2025-12-26", 0.25))  # a split of four for one on the 26th
    after = bring(target, "MU", "SPY")["MU"]
    whole = price_rows(target, "MU")
    assert (after.new, after.revised) == (4, count)  # the 26th, 29th, 30th and 31st
    assert len(whole) == count + 4
    closes = History.load(target, ("MU",)).closes["MU"].loc[: before.index[-1]]
    np.testing.assert_allclose(closes, before / 4, rtol=1e-15)
    np.testing.assert_allclose(closes.pct_change(), before.pct_change(), rtol=1e-11, atol=1e-14)
    held = target.query("SELECT count(*) AS n FROM observations WHERE series_id = 'MU'")
    assert held["n"].iloc[0] == 2 * count + 4  # the old vintage stays in the store


def test_prices_in_another_currency_are_refused(
    servers: Servers, target: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    meta = served_prices._meta
    monkeypatch.setattr(served_prices, "_meta", lambda *a: meta(*a) | {"currency": "KRW"})
    assert "expected prices in USD, were in KRW" in bring(target, "MU")["MU"].failed
    assert target.series_ids() == ()


def test_an_answer_without_prices_is_told_in_yahoos_words(
    servers: Servers, target: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    none = {"chart": {"result": None, "error": {"code": "X", "description": "may be delisted"}}}
    monkeypatch.setattr(servers.yahoo, "_chart", lambda *_: served_prices._json(none))
    assert bring(target, "MU")["MU"].failed == "Yahoo refused (200): may be delisted"


def test_what_was_traded_before_the_listing_is_cut(
    servers: Servers, target: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until 2016, SNDK was the ticker of another company."""

    def older(p: served_prices.Prices) -> served_prices.Prices:
        dates = ["2016-05-11", "2016-05-12", *p.dates]
        cells = [76.18, 76.18]
        return replace(p, dates=dates, adjusted=[*cells, *p.adjusted], raw=[*cells, *p.raw])

    rewrite(monkeypatch, older)
    outcome = bring(target, "SNDK")["SNDK"]
    assert outcome.note == "left out 2 rows before the listing"
    assert price_rows(target, "SNDK").index[0] == pd.Timestamp("2025-02-13")


@pytest.mark.parametrize("end", ["begins later", "ends earlier"])
def test_an_answer_shorter_than_what_is_held_is_refused_and_nothing_lost(
    end: str, servers: Servers, target: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(target, "MU", "SPY")
    before = everything(target)
    if end == "ends earlier":
        servers.today = "2025-06-30"
    else:
        rewrite(
            monkeypatch,
            lambda p: replace(p, dates=p.dates[9:], adjusted=p.adjusted[9:], raw=p.raw[9:]),
        )
    outcome = bring(target, "MU")["MU"]
    assert "expected prices of MU on every stored date" in outcome.failed
    pd.testing.assert_frame_equal(everything(target), before)
    assert last_fetched(target)["MU"] == NOW  # the last successful fetch


def test_a_later_start_does_not_shorten_what_is_held(servers: Servers, target: Store) -> None:
    bring(target, "MU")
    first = price_rows(target, "MU").index[0]
    (outcome,) = fetch(target, start="2024-01-01", only=["MU"], policy=QUICK)
    assert (outcome.failed, outcome.new) == ("", 0)
    (fresh,) = fetch(target, start="2024-01-01", only=["SPY"], policy=QUICK)
    assert price_rows(target, "SPY").index[0] == pd.Timestamp("2024-01-02")
    assert price_rows(target, "MU").index[0] == first
    assert fresh.failed == ""


# --- vintages -------------------------------------------------------------------------------


def known_gdp(vintages: Vintages, sessions: pd.DatetimeIndex) -> pd.Series:
    """Return the GDP known at each session, computed by plain loops without drypowder.

    A vintage is known on the session after its date. Values in the first vintage were published
    before the archive began. Such a value is known 180 days after the first day of its quarter, as
    in the catalog, if this is earlier.
    """
    events: list[tuple[str, str, str, float]] = []
    opening = min(vintages)
    for vintage, values in vintages.items():
        for quarter, value in values.items():
            known = after(vintage)
            if vintage == opening:
                by_rule = pd.Timestamp(quarter) + pd.Timedelta(days=180)
                known = min(known, str(by_rule.date()))
            events.append((known, vintage, quarter, float(value)))
    events.sort()
    held: dict[str, float] = {}
    seen = []
    for session in sessions:
        while events and events[0][0] <= str(session.date()):
            _, _, quarter, published = events.pop(0)
            held[quarter] = published
        newest = max(held, default="")
        fresh = newest and (session - pd.Timestamp(newest)).days <= 365
        seen.append(held[newest] if fresh else np.nan)
    return pd.Series(seen, sessions)


def after(day: str) -> str:
    """Return the session after a day."""
    return str(SESSIONS[bisect.bisect_right(SESSIONS, day)])


@pytest.mark.parametrize("begins", ["1990-01-01", "2011-12-23"])
def test_at_every_session_the_panel_is_what_had_been_published_by_then(
    begins: str, servers: Servers, target: Store, history_dir: Path, tmp_path: Path
) -> None:
    vintages = archived_since(gdp_revisions(servers.fred.values("GDP")), begins)
    servers.fred.vintages["GDP"] = vintages
    bring(target, "GDP", "SPY")
    panel = History.load(target, ("GDP", "SPY")).panel["GDP"]
    expected = known_gdp(vintages, pd.DatetimeIndex(panel.index))
    pd.testing.assert_series_equal(panel, expected, check_names=False, check_freq=False)
    assert len(panel) > 8000
    assert panel.notna().sum() > 8000

    # If each vintage already had the latest revision, the panel would be different.
    plain = Store(tmp_path / "latest.duckdb")
    import_path(history_dir / "fred" / "GDP.csv", plain, recorded_at=NOW)
    final = {day: float(value) for day, value in servers.fred.values("GDP").items()}
    latest = {v: {q: str(final[q]) for q in vintages[v]} for v in vintages}
    revised = known_gdp(latest, pd.DatetimeIndex(panel.index))
    differ = int((panel != revised)[panel.notna()].sum())
    assert differ > (5000 if begins == "1990-01-01" else 2000)
    imported = History.load(plain, ("GDP",)).panel["GDP"].reindex(panel.index)
    assert (panel != imported)[panel.notna() & imported.notna()].sum() > differ / 2
    assert set(imported.dropna()) <= set(final.values())


def test_the_loop_over_vintages_finds_a_panel_that_looks_ahead(servers: Servers) -> None:
    vintages = gdp_revisions(servers.fred.values("GDP"))
    sessions = all_sessions()[4000:4400]
    early = {
        str((pd.Timestamp(day) - pd.Timedelta(days=1)).date()): v for day, v in vintages.items()
    }
    assert (known_gdp(vintages, sessions) != known_gdp(early, sessions)).any()


def daily_vintages(count: int) -> Vintages:
    """Return daily vintages: each value is revised after a day, and some dates have no value."""
    days = [str(day.date()) for day in pd.bdate_range("2008-01-01", periods=count + 1)]
    made: dict[str, dict[str, str]] = {days[1]: {days[0]: "1.5"}}
    for i in range(1, count):
        first = "." if i % 50 == 0 else f"{1 + i % 7 / 10:.4f}"
        before = "." if (i - 1) % 50 == 0 else f"{1 + (i - 1) % 7 / 10 + 0.01:.4f}"
        made[days[i + 1]] = {days[i]: first, days[i - 1]: before}
    return made


def published(vintages: Vintages) -> dict[tuple[str, str], str]:
    """Return the value of each date and moment at which it became known; '.' without a value.

    If two vintages come between the same sessions, the later one counts. A date that is first
    published without a value is left out.
    """
    known = {(p.date, after(p.start)): p.value for p in periods(vintages)}
    out: dict[tuple[str, str], str] = {}
    dates = set()
    for (day, moment), value in sorted(known.items()):
        if value != "." or day in dates:
            out[day, moment] = value if value == "." else repr(float(value))
        dates |= {day} if value != "." else set()
    return out


def told(target: Store) -> dict[tuple[str, str], str]:
    held = target.query("SELECT observed_on, available_at, value FROM observations")
    assert (held["available_at"].dt.normalize() + OPEN == held["available_at"]).all()
    return {
        (str(on.date()), str(at.date())): "." if np.isnan(value) else repr(value)
        for on, at, value in held.itertuples(index=False)
    }


def test_more_than_2000_vintages_come_in_pieces_and_whole(servers: Servers, target: Store) -> None:
    vintages = daily_vintages(4500)
    servers.fred.vintages["THREEFYTP10"] = vintages
    outcome = bring(target, "THREEFYTP10")["THREEFYTP10"]
    assert outcome.failed == ""
    pieces = [r for r in servers.requests if r.path.endswith("observations")]
    assert len(pieces) == 3
    assert told(target) == published(vintages)
    assert bring(target, "THREEFYTP10")["THREEFYTP10"].new == 0


def test_a_hole_of_the_archive_is_no_value_and_a_withdrawn_value_is_none(
    servers: Servers, target: Store
) -> None:
    servers.fred.vintages["GDP"] = {
        "2024-04-26": {"2023-10-01": "28000", "2024-01-01": "."},
        "2024-05-31": {"2024-01-01": "28300"},
        "2024-06-28": {"2024-01-01": "."},
    }
    assert bring(target, "GDP", "SPY")["GDP"].failed == ""
    panel = History.load(target, ("GDP", "SPY")).panel["GDP"]
    assert panel["2024-05-31"] == 28000.0
    assert panel["2024-06-03"] == 28300.0
    assert panel["2024-06-28"] == 28300.0
    assert np.isnan(panel["2024-07-01"])


# --- the key --------------------------------------------------------------------------------

RUN = """
import logging, sys
logging.basicConfig(level=logging.DEBUG)
from backtests.sources import http
from backtests.cli.app import command
http.RetryPolicy.__init__.__kwdefaults__.update(read=0.5, wait=0.01, longest=0.05)
sys.exit(command(sys.argv[1:]))
"""
ROOT = Path(__file__).resolve().parents[2]


class Run(NamedTuple):
    """A fetch in another process: everything that it wrote, and all command lines."""

    code: int
    written: str
    store: bytes
    commands: bytes


def run_apart(servers: Servers, folder: Path, environment: dict[str, str], *only: str) -> Run:
    target = folder / "store" / "store.duckdb"
    asked = [word for id in only for word in ("--only", id)]
    out, err = folder / "out", folder / "err"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-c", RUN, "fetch", "--store", str(target), "--json", *asked],
            stdout=stdout,
            stderr=stderr,
            cwd=ROOT,
            env=os.environ | {"XDG_CACHE_HOME": str(folder), "HOME": str(folder)} | environment,
        )
        commands = b""
        while process.poll() is None:
            commands += command_lines()
            time.sleep(0.2)
    store = b"".join(p.read_bytes() for p in sorted(target.parent.glob("*")))
    return Run(process.returncode, out.read_text() + err.read_text(), store, commands)


def command_lines() -> bytes:
    found = b""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += path.read_bytes()
        except OSError:  # this process has ended
            continue
    return found


def test_the_key_shows_nowhere_whatever_goes_wrong(servers: Servers, tmp_path: Path) -> None:
    servers.faults.add(
        Fault("status", status=400, times=None, match="series_id=IORB"),
        Fault("status", status=500, times=None, match="series_id=GDP"),
        Fault("timeout", seconds=1.0, times=None, match="series_id=EFFR"),
        Fault("reset", times=None, match="series_id=DFEDTARU"),
        Fault("html", times=None, match="series_id=PNFI"),
        Fault("text_numbers", times=None, match="series_id=VIXCLS"),
    )
    bad = ("IORB", "GDP", "EFFR", "DFEDTARU", "PNFI", "VIXCLS")
    run = run_apart(servers, tmp_path, {}, "SOFR", "DRTSCILM", *bad, "MU", "CAPEX_TTM_MU")
    assert run.code == 3
    answer = json.loads(run.written[: run.written.index("\n}") + 2])["series"]
    assert {name for name, said in answer.items() if said["failed"]} == set(bad)
    assert any(r.query.get("api_key") == KEY for r in servers.requests)  # the key was sent
    assert "DEBUG:urllib3.connectionpool" in run.written  # the libraries wrote logs
    assert "api_key=<key>" in run.written
    assert b"drypowder" in run.commands or b"store.duckdb" in run.commands
    assert len(run.store) > 100_000
    for text in (run.written.encode(), run.store, run.commands):
        assert KEY.encode() not in text
    assert "Traceback" not in run.written


def test_the_key_shows_nowhere_when_connections_are_refused(
    servers: Servers, tmp_path: Path
) -> None:
    servers.down = True
    run = run_apart(servers, tmp_path, {}, "SOFR", "GDP")
    assert run.code == 3
    assert "FRED cannot be reached" in run.written
    assert KEY not in run.written
    assert "Traceback" not in run.written


@pytest.mark.parametrize("status", [400, 403, 429, 500])
@pytest.mark.parametrize("place", ["environment", "file"])
def test_a_source_that_echoes_the_key_does_not_get_it_into_a_message(
    place: str,
    status: int,
    servers: Servers,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if place == "file":
        monkeypatch.delenv("FRED_API_KEY")
        private(monkeypatch, tmp_path, KEY, 0o600)

    def echo(request: Request, status: int) -> Response:
        said = f"refused: {request.query.get('api_key')} and {request.target}"
        return Response(status=status, body=said.encode(), content_type="text/plain")

    monkeypatch.setattr(servers.fred, "refusal", echo)
    servers.faults.add(Fault("status", status=status, times=None, match="observations"))
    caplog.set_level(logging.DEBUG)
    source = FredSource(secrets.fred_key(), Deadline(QUICK), Store(tmp_path / "none.duckdb"))
    for id in ("SOFR", "GDP"):
        with pytest.raises(DrypowderError) as raised:
            source.batches(id, NOW)
        shown = "".join(traceback.format_exception(raised.value))
        assert KEY not in shown + repr(raised.value) + str(raised.value)
    assert KEY not in caplog.text
    assert KEY in {r.query["api_key"] for r in servers.requests}


def private(monkeypatch: pytest.MonkeyPatch, folder: Path, text: str, mode: int) -> Path:
    path = folder / "fred_api_key"
    path.write_text(text)
    path.chmod(mode)
    monkeypatch.setattr(secrets, "key_file", lambda: path)
    return path


def test_a_key_may_lie_in_a_file_of_ones_own(
    servers: Servers, target: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("FRED_API_KEY")
    private(monkeypatch, tmp_path, f"{KEY}\n", 0o600)
    assert bring(target, "GDP")["GDP"].new > 100
    assert {r.query["api_key"] for r in servers.requests} == {KEY}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_key_file_that_others_may_read_is_refused_with_the_cure(
    mode: int,
    servers: Servers,
    drypowder: Command,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.delenv("FRED_API_KEY")
    path = private(monkeypatch, tmp_path, KEY, mode)
    said = drypowder("--only", "SOFR")
    assert said.code == 2
    assert said.err.rstrip().endswith(f"chmod 600 {path}")
    assert len(said.err.splitlines()) == 1
    assert KEY not in said.err
    assert servers.requests == []


@pytest.mark.parametrize("key", [KEY.upper(), KEY[:-1], KEY + "0", "my-secret key"])
def test_a_key_of_another_form_is_refused_without_being_shown(
    key: str, servers: Servers, drypowder: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRED_API_KEY", key)
    said = drypowder("--only", "SOFR")
    assert said.code == 2
    assert said.err.startswith("error: expected 32 lower-case letters and digits in FRED_API_KEY")
    assert key not in said.err + said.out
    assert KEY[:8] not in said.err
    assert servers.requests == []


def test_a_key_of_another_form_fails_only_the_series_of_fred(
    servers: Servers, drypowder: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRED_API_KEY", "my-secret key")
    said = drypowder("--only", "SOFR", "--only", "CAPEX_TTM_MU")
    assert said.code == 3
    assert re.search("^SOFR +FRED +failed: expected 32 lower-case letters", said.out, re.MULTILINE)
    assert "my-secret" not in said.err + said.out
    assert "1 failed" in said.out
    assert {r.source for r in servers.requests} == {"sec"}


def test_a_page_of_freds_answer_with_missing_entries_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FRED states 10,500 vintages. The second page has 499 vintages instead of 500."""
    dates = [str(day.date()) for day in pd.date_range("1990-01-01", periods=10_499)]

    def answer(url: str, params: dict[str, str], *, read: Callable[[str], object]) -> object:
        first = int(params["offset"])
        page = dates[first : first + int(params["limit"])]
        return read(json.dumps({"count": 10_500, "vintage_dates": page}))

    source = FredSource(KEY, Deadline(QUICK), Store(tmp_path / "none.duckdb"))
    monkeypatch.setattr(source.client, "get", answer)
    said = r"^expected 500 vintage_dates after the first 10000 in FRED's answer, found 499$"
    with pytest.raises(SourceError, match=said):
        source.batches("GDP", NOW)
