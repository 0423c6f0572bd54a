"""Difficult answers of sources: wrong companies, old crumbs, rate limits, vintages, poison.

A poisoned answer is a wrong answer that looks valid. ``benchmarks/live_data.py`` fetches the whole
catalog with every poisoned answer.
"""

import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from backtests.cli.app import command
from backtests.sources import edgar, fetching, fred, jobs, secrets, yahoo
from backtests.sources.fetching import fetch
from backtests.sources.fred import FredSource
from backtests.sources.http import Deadline
from backtests.store.store import Store
from signals.catalog import CATALOG
from tests.servers import Fault, Poison, Servers, Vintages
from tests.servers.poisons import POISONS, document
from tests.servers.poisons import put as put_at
from tests.sources.conftest import TODAY
from tests.sources.test_fetch import (
    NOW,
    QUICK,
    bring,
    everything,
    lead_to,
    rows,
)

pytestmark = pytest.mark.usefixtures("kept_open")

PATIENT = replace(QUICK, read=20.0, budget=300.0)
#: For each series with a poisoned answer: one series of the same source, one of another source.
OTHERS = {
    "CAPEX_TTM_MU": ("CAPEX_TTM_META", "COIN"),
    "GDP": ("DRTSCILM", "COIN"),
    "SOFR": ("IORB", "COIN"),
    "SNDK": ("COIN", "IORB"),
    "TGCR": ("SRF", "COIN"),
    "SRF": ("TGCR", "COIN"),
}
WAYS = [(target, poison) for target, ways in POISONS.items() for poison in ways]


@pytest.fixture
def servers(running: Servers, monkeypatch: pytest.MonkeyPatch) -> Iterator[Servers]:
    lead_to(running, monkeypatch)
    running.requests.clear()
    yield running
    running.today, running.poison, running.limits = TODAY, None, {}
    running.yahoo.crumb_life = None
    running.faults.clear()


# --- poison ---------------------------------------------------------------------------------


def test_there_are_53_ways() -> None:
    assert len({(name, poison.name) for name, poison in WAYS}) == 53


@pytest.mark.parametrize(
    ("name", "poison"), [pytest.param(n, p, id=f"{n}: {p.name}") for n, p in WAYS]
)
def test_a_poisoned_answer_costs_its_own_series_alone_in_this_fetch_and_the_next(
    name: str, poison: Poison, servers: Servers, target: Store
) -> None:
    servers.poison, others = poison, OTHERS[name]
    # yfinance keeps parts of an answer until the process ends; the other sources keep nothing.
    again = name == "SNDK" or poison is POISONS[name][0]
    for new in (True, False) if again else (True,):
        outcomes = bring(target, name, *others, policy=PATIENT)
        assert outcomes[name].failed
        assert "\n" not in outcomes[name].failed
        assert len(outcomes[name].failed) < 400
        assert {n: outcomes[n].failed for n in others} == dict.fromkeys(others, "")
        assert all((outcomes[n].new > 10) == new for n in others)
        assert name not in target.series_ids()


@pytest.mark.parametrize("name", POISONS)
def test_what_was_poisoned_comes_in_when_it_is_well_again(
    name: str, servers: Servers, target: Store
) -> None:
    servers.poison = POISONS[name][0]
    assert bring(target, name, policy=PATIENT)[name].failed
    servers.poison = None
    assert bring(target, name, policy=PATIENT)[name].failed == ""
    assert name in target.series_ids()


def test_an_error_of_our_own_costs_one_series_too_and_says_where_it_is(
    servers: Servers, target: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = FredSource.batches

    def wrong(self: FredSource, id: str, now: pd.Timestamp) -> Any:
        return 1 / 0 if id == "SOFR" else whole(self, id, now)

    monkeypatch.setattr(FredSource, "batches", wrong)
    first, second = (
        {o.name: o for o in fetch(target, only=["SOFR", "IORB"], policy=PATIENT)} for _ in range(2)
    )
    for outcomes in (first, second):
        said = outcomes["SOFR"].failed
        assert said.startswith("the answer of FRED cannot be read: ZeroDivisionError: division by")
        assert "test_fetch_live.py:" in said
        assert isinstance(outcomes["SOFR"].unforeseen, ZeroDivisionError)
        assert outcomes["IORB"].failed == ""
    with pytest.raises(ZeroDivisionError):  # ``bring`` raises the error in tests
        bring(target, "SOFR")


def test_the_command_gives_one_line_to_an_error_of_our_own(
    servers: Servers,
    target: Store,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(edgar.EdgarSource, "batches", lambda *_: [None][1])
    arguments = ["fetch", "--store", str(target.path), "--only", "CAPEX_TTM_MU", "--only", "IORB"]
    assert command([*arguments, "--json"]) == 3
    answer = json.loads(capsys.readouterr().out)["series"]
    assert "IndexError" in answer["CAPEX_TTM_MU"]["failed"]
    assert answer["IORB"]["failed"] is None


# --- answers for another series -------------------------------------------------------------


def test_amazons_document_is_not_microsofts(
    servers: Servers, target: Store, history_dir: Path
) -> None:
    """The document is complete and plausible, but its cik is that of another company."""
    (file,) = (history_dir / "edgar").glob("AMZN_PaymentsToAcquireProd*.json")
    amazon = json.loads(file.read_text())
    servers.poison = Poison(name="AMZN", match="CIK0000789019", change=document(lambda _: amazon))
    outcome = bring(target, "CAPEX_TTM_MSFT", policy=PATIENT)["CAPEX_TTM_MSFT"]
    assert "expected the SEC's answer for CIK 789019 and PaymentsToAcquirePropertyPlant" in (
        outcome.failed
    )
    assert "was an answer for CIK 1018724" in outcome.failed
    assert not target.exists() or target.series_ids() == ()


def test_a_chart_of_qqq_is_not_spys(servers: Servers, target: Store) -> None:
    qqq = Poison(
        name="QQQ",
        match="chart/SPY",
        change=document(lambda d: d["chart"]["result"][0]["meta"].update(symbol="QQQ")),
    )
    servers.poison = qqq
    said = bring(target, "SPY", "COIN", policy=PATIENT)
    assert said["SPY"].failed == (
        "expected a chart of SPY from Yahoo, was a chart of 'QQQ'; the answer was discarded"
    )
    assert target.series_ids() == ("COIN",)


def test_a_symbol_may_be_written_in_small_letters(servers: Servers, target: Store) -> None:
    """The comparison of symbols ignores upper and lower case."""
    change = document(lambda d: d["chart"]["result"][0]["meta"].update(symbol="btc-usd"))
    servers.poison = Poison(name="small", match="chart/BTC-USD", change=change)
    assert bring(target, "BTC-USD", policy=PATIENT)["BTC-USD"].failed == ""


def test_freds_csv_of_another_series_is_refused(
    servers: Servers, target: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FRED_API_KEY")
    monkeypatch.setattr(secrets, "key_file", lambda: target.path.parent / "no-key")
    servers.poison = Poison(
        name="another",
        match="csv.id=IORB",
        change=lambda r: replace(r, body=r.body.replace(b",IORB\n", b",DFEDTARU\n")),
    )
    assert "has no values of IORB" in bring(target, "IORB", policy=PATIENT)["IORB"].failed
    assert not target.exists() or target.series_ids() == ()


def test_an_archives_answer_to_another_question_is_refused(servers: Servers, target: Store) -> None:
    servers.poison = Poison(
        name="another", match="series_id=GDP", change=put_at("series_id", "GDPC1")
    )
    said = bring(target, "GDP", policy=PATIENT)["GDP"].failed
    assert said == (
        "expected series_id GDP in FRED's answer, was 'GDPC1'; the answer was discarded"
    )


def test_a_coin_whose_dates_are_before_utc_is_refused(servers: Servers, target: Store) -> None:
    """In New York, the bar of a UTC day begins on the evening before, so its date is too early."""
    bring(target, "BTC-USD", policy=PATIENT)
    before = everything(target)
    for zone, refused in (("America/New_York", True), ("Asia/Tokyo", False)):
        change = put_at("chart", "result", 0, "meta", "exchangeTimezoneName", zone)
        servers.poison = Poison(name=zone, match="chart/BTC-USD", change=change)
        said = bring(target, "BTC-USD", policy=PATIENT)["BTC-USD"].failed
        assert said == refused * (
            "expected Yahoo's dates of BTC-USD in UTC, but the dates in Yahoo's time zone "
            "America/New_York are earlier; the answer was discarded"
        )
        pd.testing.assert_frame_equal(everything(target), before)


# --- crumbs and rates -----------------------------------------------------------------------


def test_an_expired_crumb_is_renewed_and_the_fetch_goes_on(servers: Servers, target: Store) -> None:
    """The server refuses the old crumb, and gives no new crumb for the old cookie."""
    tickers = ("MU", "COIN", "SNDK", "SPY", "QQQ", "TLT")
    servers.yahoo.crumb_life, servers.yahoo.refused = 5, 0
    outcomes = bring(target, *tickers, policy=PATIENT)
    assert {o.failed for o in outcomes.values()} == {""}
    assert 1 <= servers.yahoo.refused <= 3  # 6 to 12 charts, 5 for each crumb
    assert set(target.series_ids()) == set(tickers)


def test_a_crumb_that_is_never_taken_costs_its_series_alone(
    servers: Servers, target: Store
) -> None:
    servers.faults.add(Fault("status", status=401, times=None, match="chart/COIN"))
    outcomes = bring(target, "COIN", "SNDK", policy=PATIENT)
    assert (
        outcomes["COIN"].failed
        == "Yahoo refused the access token (crumb), because it has expired (401)"
    )
    assert outcomes["SNDK"].failed == ""


def test_the_secs_403_for_asking_too_often_is_asked_again_later(
    servers: Servers, target: Store
) -> None:
    match = "CIK0000723125"
    servers.faults.add(Fault("status", status=403, times=2, match=match))
    patience = replace(PATIENT, wait=0.2, longest=5.0)
    assert bring(target, "CAPEX_TTM_MU", policy=patience)["CAPEX_TTM_MU"].failed == ""
    at = [r.at for r in servers.requests if match in r.path][:3]
    assert 0.2 <= at[1] - at[0] <= 1.5  # seconds: the wait with jitter, then twice the wait
    assert 0.4 <= at[2] - at[1] <= 2.5
    servers.faults.add(Fault("status", status=403, times=None, match=match))
    said = bring(target, "CAPEX_TTM_MU", policy=PATIENT)["CAPEX_TTM_MU"].failed
    assert said == "SEC got too many requests (403)"


def test_but_not_where_it_says_that_we_did_not_say_who_we_are(
    servers: Servers, target: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers.sec, "answer", lambda _: servers.sec.undeclared())
    said = bring(target, "CAPEX_TTM_MU", policy=PATIENT)["CAPEX_TTM_MU"].failed
    assert said.startswith("SEC refused (403): ")
    assert len(servers.requests) == 1


def test_within_the_sources_rates_nothing_is_refused(
    servers: Servers, target: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The servers have shorter windows than real sources, and refuse requests above a limit."""
    for source, name in ((edgar, "sec"), (fred, "fred"), (yahoo, "yahoo")):
        monkeypatch.setattr(source, "RATE", (4, 0.6))
        servers.limits[name] = (4, 0.5)
    ids = ("CAPEX_TTM_MU", "CAPEX_TTM_META", "GDP", "DRTSCILM", "IORB", "MU", "COIN")
    outcomes = bring(target, *ids, policy=replace(PATIENT, attempts=1))
    assert {o.failed for o in outcomes.values()} == {""}


@pytest.mark.parametrize("ids", [("GDP", "DRTSCILM", "IORB"), ("MU", "COIN", "SNDK")])
def test_waiting_for_a_rate_does_not_outlast_the_budget(
    ids: tuple[str, ...], servers: Servers, target: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for source in (fred, yahoo):
        monkeypatch.setattr(source, "RATE", (3, 600.0))
    begun = time.monotonic()
    outcomes = bring(target, *ids, policy=replace(PATIENT, budget=8.0))
    assert time.monotonic() - begun < 12.0
    late = [name for name, o in outcomes.items() if "not fetched within 8 s" in o.failed]
    assert late
    assert set(late) | set(target.series_ids()) == set(ids)
    assert not set(late) & set(target.last_tried())  # the next fetch begins with them


def test_a_store_that_others_write_to_is_not_waited_for_beyond_the_budget() -> None:
    clock = Deadline(replace(PATIENT, budget=5.0))
    assert fetching._wait(clock) <= 5.0
    assert fetching._wait(Deadline(PATIENT)) == fetching.LONGEST_WAIT


# --- later vintages -------------------------------------------------------------------------

WEEKS = [str(day.date()) for day in pd.date_range("2019-01-04", "2025-12-26", freq="7D")]


def reestimated() -> Vintages:
    """Return vintages of an index: each release, on a Wednesday, changes all earlier values."""
    vintages: dict[str, dict[str, str]] = {}
    for n in range(100, len(WEEKS)):
        out = str((pd.Timestamp(WEEKS[n]) + pd.Timedelta(days=5)).date())
        vintages[out] = {
            week: f"{0.01 * i + 0.001 * (n % (i + 3)):.4f}" for i, week in enumerate(WEEKS[: n + 1])
        }
    return vintages


def between_sessions() -> Vintages:
    """Return revisions on days without a session in between. One of them is withdrawn."""
    made: dict[str, dict[str, str]] = {"2025-01-08": {"2024-10-01": "10", "2024-07-01": "9"}}
    made["2025-01-10"] = {"2024-10-01": "11"}  # Friday
    made["2025-01-11"] = {"2024-10-01": "10", "2024-07-01": "8"}
    made["2025-01-12"] = {"2024-07-01": "."}
    made["2025-02-05"] = {"2025-01-01": "12"}
    return made


CASES = {
    "GDP": ("GDP", None, ("2010-03-01", "2019-09-27", "2025-12-20")),
    "an index re-estimated whole": ("NFCI", reestimated, ("2024-05-01", "2025-06-30")),
    "vintages between sessions": ("DRTSCILM", between_sessions, ("2025-01-10", "2025-01-11")),
}


def held_until(target: Store, id: str) -> dict[tuple[Any, Any], str]:
    """Return, for each date and moment, the value that was recorded last."""
    held = target.query(
        "SELECT observed_on, available_at, arg_max(coalesce(value, 'nan'::DOUBLE), recorded_at) "
        "AS value FROM observations WHERE series_id = ? GROUP BY ALL ORDER BY ALL",
        [id],
    )
    return {(on, at): repr(value) for on, at, value in held.itertuples(index=False)}


@pytest.mark.parametrize("case", CASES)
def test_fetching_later_vintages_alone_gives_what_a_whole_fetch_gives(
    case: str, servers: Servers, target: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    id, make, days = CASES[case]
    if make is not None:
        monkeypatch.setitem(servers.fred.vintages, id, make())
    for day in (*days, TODAY):
        servers.today = day
        assert bring(target, id, policy=PATIENT)[id].failed == ""
    whole = Store(tmp_path / "whole.duckdb")
    bring(whole, id, policy=PATIENT)
    assert held_until(target, id) == held_until(whole, id)
    if case == "GDP":
        pd.testing.assert_frame_equal(rows(target), rows(whole))
    assert bring(target, id, policy=PATIENT)[id].last == bring(whole, id)[id].last


def test_only_vintages_after_the_last_one_held_are_asked_for(
    servers: Servers, target: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(servers.fred.vintages, "NFCI", reestimated())
    servers.today = "2025-12-11"
    bring(target, "NFCI", policy=PATIENT)
    before = len(everything(target))
    servers.today = TODAY
    servers.requests.clear()
    outcome = bring(target, "NFCI", policy=PATIENT)["NFCI"]
    (asked,) = [r.query for r in servers.requests if r.path.endswith("observations")]
    assert asked["realtime_start"] == "2025-12-03"  # the vintage before the one of the 10th
    assert asked["realtime_end"] == "2025-12-31"
    assert outcome.new == 3 + 2 + 1  # 3 values of 3 new weeks, and 2 + 1 in later vintages
    assert len(everything(target)) - before == outcome.new + outcome.revised
    assert outcome.last == pd.Timestamp("2025-12-26")


@pytest.mark.parametrize("change", ["a value held was another", "a value held is gone"])
def test_an_archive_that_is_another_than_before_is_asked_for_whole(
    change: str, servers: Servers, target: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    vintages = {day: dict(values) for day, values in reestimated().items()}
    monkeypatch.setitem(servers.fred.vintages, "NFCI", vintages)
    servers.today = "2025-12-11"
    bring(target, "NFCI", policy=PATIENT)
    for day in vintages:
        if WEEKS[7] in vintages[day] and change == "a value held is gone":
            del vintages[day][WEEKS[7]]
        elif WEEKS[7] in vintages[day]:
            vintages[day][WEEKS[7]] = "3.3333"
    servers.today = TODAY
    servers.requests.clear()
    assert bring(target, "NFCI", policy=PATIENT)["NFCI"].failed == ""
    asked = [r.query for r in servers.requests if r.path.endswith("observations")]
    assert [q["realtime_start"] for q in asked] == ["2025-12-03", min(vintages)]
    assert ("3.3333" in str(held_until(target, "NFCI"))) == (change != "a value held is gone")


# --- plausible ranges -----------------------------------------------------------------------

#: The publisher's first value and a recent value, rounded, in the unit of the catalog.
WHOLE = {
    "GDP": (243.164, 31422.5),
    "PNFI": (23.0, 4364.4),
    "A679RC1Q027SBEA": (1.6, 1466.4),
    "M2SL": (286.6, 22355.3),
    "WM2NS": (1591.4, 22429.8),
    "TLAACBW027SBOG": (728.0, 24500.0),
    "WALCL": (719_542.0, 6_640_618.0),
    "TREAST": (629_397.0, 4_227_801.0),
    "WTREGEN": (5_959.0, 837_306.0),
    "WRESBAL": (171_496.0, 2_957_410.0),
    "RRPONTSYD": (0.1, 105.993),
}


@pytest.mark.parametrize("id", WHOLE)
def test_a_range_holds_the_whole_history_and_no_file_in_another_unit(id: str) -> None:
    entry, (first, last) = CATALOG[id], WHOLE[id]
    assert entry.low <= first <= last <= entry.high
    thousand = [first * 1000, last * 1000] if "billions" in entry.unit else [first / 1000]
    assert any(value < entry.low or value > entry.high for value in thousand)


def test_what_lies_before_the_catalogs_first_is_left_out_whatever_it_is(
    servers: Servers, target: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "WRESBAL.csv"
    file.write_text("observation_date,WRESBAL\n1984-02-01,20\n1990-01-03,n/a\n2025-12-24,2950000\n")
    assert command(["import", str(file), "--store", str(target.path)]) == 0
    assert "1 rows new" in capsys.readouterr().out
    fetched = Store(tmp_path / "fetched.duckdb")
    assert bring(fetched, "WRESBAL", policy=PATIENT)["WRESBAL"].failed == ""
    first = CATALOG["WRESBAL"].first
    assert first is not None
    for store in (target, fetched):
        assert store.first_dates(["WRESBAL"])["WRESBAL"] >= pd.Timestamp(first)


@pytest.mark.parametrize("id", ["GDP", "M2SL"])
def test_a_file_from_the_publishers_first_date_on_is_imported(
    id: str, servers: Servers, target: Store, tmp_path: Path
) -> None:
    """A file from FRED has GDP since 1947 and M2 since 1959."""
    lines = [f"{day},{value}" for day, value in servers.fred.values(id).items()]
    file = tmp_path / f"{id}.csv"
    file.write_text("\n".join([f"observation_date,{id}", *lines, ""]))
    assert command(["import", str(file), "--store", str(target.path)]) == 0
    assert len(everything(target)) == len(lines)
    millions = [f"{day},{1000 * float(v):.1f}" for day, v in servers.fred.values(id).items()]
    file.write_text("\n".join([f"observation_date,{id}", *millions, ""]))
    assert command(["import", str(file), "--store", str(target.path)]) == 2


@pytest.mark.parametrize("at", [0, 5, -1])
def test_a_decimal_that_slipped_in_an_early_value_is_seen(
    at: int, servers: Servers, target: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """GDP of 1948 times 100 is less than GDP of 2025, so the plausible range contains it."""
    values = dict(itertools.islice(servers.fred.values("GDP").items(), 40))
    day = list(values)[at]
    values[day] = str(100 * float(values[day]))
    file = tmp_path / "GDP.csv"
    file.write_text("\n".join(["observation_date,GDP", *(f"{d},{v}" for d, v in values.items())]))
    assert command(["import", str(file), "--store", str(target.path)]) == 2
    assert "expected GDP to change by at most a factor of 5" in capsys.readouterr().err


def test_jobs_know_what_is_held_of_archives(servers: Servers, target: Store) -> None:
    clock = Deadline(PATIENT)
    (job,) = jobs.jobs_of(target, None, ["GDP"], clock)
    assert job.ask is not None
    assert job.ask(NOW)[0].series_id == "GDP"
