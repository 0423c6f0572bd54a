"""The local servers answer as the four publishers do, and make the faults that a test asks for."""

import io
import json
import multiprocessing
import socket
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from email.message import Message
from http.client import HTTPException
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit, urlunsplit

import pandas as pd
import pytest
from fredapi import Fred

from signals.catalog import CATALOG
from tests.servers import Fault, Servers, archived_since, gdp_revisions
from tests.servers.vintages import as_of, periods

TODAY = "2026-10-01"
KEY = "0123456789abcdef0123456789abcdef"
MSFT = "/api/xbrl/companyconcept/CIK0000789019/us-gaap/PaymentsToAcquirePropertyPlantAndEquipment"
CONTACT = {"User-Agent": "drypowder tests@example.org"}


@pytest.fixture
def servers(history_dir: Path) -> Iterator[Servers]:
    with Servers(history_dir, today=TODAY) as running:
        yield running


class Answer(NamedTuple):
    status: int
    headers: Message
    body: bytes


def read(url: str, headers: dict[str, str] | None = None, timeout: float = 5.0) -> Answer:
    """Request a URL once. An answer with an error status is returned like any other answer."""
    request = urllib.request.Request(url, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as refused:
        with refused:
            return Answer(refused.code, refused.headers, refused.read())


def fred_url(servers: Servers, endpoint: str, **query: Any) -> str:
    base = servers.env()["DRYPOWDER_FRED_URL"]
    asked = {"api_key": KEY, "file_type": "json"} | query
    return f"{base}/fred/{endpoint}?{urlencode(asked)}"


def fred(servers: Servers, endpoint: str, **query: Any) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(read(fred_url(servers, endpoint, **query)).body)
    return answer


def observations(servers: Servers, id: str, **query: Any) -> dict[str, Any]:
    return fred(servers, "series/observations", series_id=id, **query)


def client(servers: Servers) -> Fred:
    class Loopback(Fred):  # type: ignore[misc]
        root_url = servers.env()["DRYPOWDER_FRED_URL"] + "/fred"

    return Loopback(api_key=KEY)


def chart(servers: Servers, ticker: str, **query: Any) -> dict[str, Any]:
    url = f"{servers.env()['DRYPOWDER_YAHOO_URL']}/v8/finance/chart/{ticker}?{urlencode(query)}"
    answer: dict[str, Any] = json.loads(read(url).body)["chart"]
    return answer


def file_column(history_dir: Path, name: str, column: str) -> "pd.Series[float]":
    cells = pd.read_csv(history_dir / name, index_col=0, parse_dates=True, dtype=str)[column]
    return cells.dropna().map(float)  # Python always reads the nearest float


class TestFred:
    def test_observations_are_the_file_digit_for_digit(
        self, servers: Servers, history_dir: Path
    ) -> None:
        rows = observations(servers, "WALCL")["observations"]
        lines = (history_dir / "fred/WALCL.csv").read_text().splitlines()[1:]
        assert [f"{r['date']},{r['value']}" for r in rows] == lines
        assert {(r["realtime_start"], r["realtime_end"]) for r in rows} == {(TODAY, TODAY)}

    def test_fredapi_reads_them(self, servers: Servers, history_dir: Path) -> None:
        for id in ("SOFR", "GDP"):
            series = client(servers).get_series(id)
            expected = file_column(history_dir, f"fred/{id}.csv", id)
            assert series[expected.index[0] :].to_dict() == expected.to_dict()

    def test_fredapi_reads_series_info_and_vintage_dates(self, servers: Servers) -> None:
        info = client(servers).get_series_info("GDP")
        assert (info["id"], info["frequency"]) == ("GDP", "Quarterly")
        assert client(servers).get_series_vintage_dates("WALCL")[0] == pd.Timestamp("2002-12-19")

    def test_a_hole_is_a_dot(self, servers: Servers) -> None:
        servers.fred.vintages["HOLED"] = {"2020-01-02": {"2020-01-01": "."}}
        assert observations(servers, "HOLED")["observations"][0]["value"] == "."
        assert client(servers).get_series("HOLED").isna().all()
        base = servers.env()["DRYPOWDER_FRED_URL"]
        download = read(f"{base}/graph/fredgraph.csv?id=HOLED").body
        assert download == b"observation_date,HOLED\n2020-01-01,\n"

    def test_the_download_is_the_file_and_needs_no_key(
        self, servers: Servers, history_dir: Path
    ) -> None:
        base = servers.env()["DRYPOWDER_FRED_URL"] + "/graph/fredgraph.csv?id="
        assert read(base + "T10YIE").body == (history_dir / "fred/T10YIE.csv").read_bytes()
        missing = read(base + "NOSUCH")
        assert missing.status == 404
        assert "html" in missing.headers["Content-Type"]
        assert all("api_key" not in r.query for r in servers.requests)

    def test_rows_are_limited_offset_sorted_and_bounded(self, servers: Servers) -> None:
        def dates(**query: Any) -> list[str]:
            return [r["date"] for r in observations(servers, "GDP", **query)["observations"]]

        assert dates(limit=2, offset=1) == ["1947-04-01", "1947-07-01"]
        assert dates(limit=1, sort_order="desc") == ["2025-10-01"]
        assert dates(observation_start="2025-02-01", observation_end="2025-07-01") == [
            "2025-04-01",
            "2025-07-01",
        ]
        assert observations(servers, "GDP", limit=2)["count"] == 316  # 79 years of quarters

    @pytest.mark.parametrize(
        ("query", "reason"),
        [
            ({"api_key": "short"}, "api_key is not a 32 character alpha-numeric lower-case"),
            ({"api_key": KEY.upper()}, "api_key is not a 32 character alpha-numeric lower-case"),
            ({"series_id": "NOSUCH"}, "Bad Request.  The series does not exist."),
            ({"series_id": "../fred/GDP"}, "The series does not exist."),
            ({"realtime_start": "2026-10-02"}, "realtime_start can not be after today's date"),
            ({"vintage_dates": "2026-10-02"}, "vintage_dates can not be after today's date"),
            ({"realtime_start": "1/1/2015"}, "is not a YYYY-MM-DD formatted date"),
            ({"limit": "100001"}, "limit is not between 1 and 100000"),
            ({"series_id": "DGS10", "realtime_start": "1990-01-01"}, "maximum number of vintage"),
            ({"realtime_start": "1940-01-01", "realtime_end": "1940-01-02"}, "exist in ALFRED"),
        ],
    )
    def test_what_fred_refuses_is_refused_in_its_form(
        self, servers: Servers, query: dict[str, str], reason: str
    ) -> None:
        asked = {"series_id": "GDP"} | query
        answer = read(fred_url(servers, "series/observations", **asked))
        refused = json.loads(answer.body)
        assert (answer.status, refused["error_code"]) == (400, 400)
        assert reason in refused["error_message"]
        answer = read(fred_url(servers, "series/observations", **asked, file_type="xml"))
        assert answer.status == 400
        assert b'<error code="400" message="Bad Request.  ' in answer.body

    def test_fredapi_says_what_was_refused(self, servers: Servers) -> None:
        with pytest.raises(ValueError, match=r"Bad Request\.  The series does not exist\."):
            client(servers).get_series("NOSUCH")
        with pytest.raises(ValueError, match="maximum number of vintage dates allowed"):
            client(servers).get_series_all_releases("DGS10")

    def test_the_day_is_that_of_us_central(self, history_dir: Path) -> None:
        with Servers(history_dir) as servers:
            today = pd.Timestamp.now(tz="America/Chicago").strftime("%Y-%m-%d")
            assert observations(servers, "GDP")["realtime_end"] == today

    def test_vintage_dates_come_in_pages(self, servers: Servers) -> None:
        query = {"series_id": "DGS10"}
        whole = fred(servers, "series/vintagedates", **query)
        assert whole["count"] == len(whole["vintage_dates"]) > 2_000
        parts = [
            fred(servers, "series/vintagedates", **query, limit=5_000, offset=offset)
            for offset in (0, 5_000)
        ]
        assert [day for p in parts for day in p["vintage_dates"]] == whole["vintage_dates"]
        assert fred(servers, "series/vintagedates", **query, limit=10_001)["error_code"] == 400

    @pytest.mark.parametrize(
        ("id", "observed", "released"),
        [
            ("WALCL", "2025-11-19", "2025-11-20"),
            ("WALCL", "2025-11-26", "2025-11-28"),  # Thanksgiving
            ("DGS10", "2025-07-03", "2025-07-07"),
            ("GDP", "2025-01-01", "2025-06-30"),
            ("NFCI", "2025-11-21", "2025-11-26"),
        ],
    )
    def test_a_value_comes_out_by_the_catalogs_rule(
        self, servers: Servers, id: str, observed: str, released: str
    ) -> None:
        whole = {"realtime_start": "2024-06-01", "realtime_end": "9999-12-31"}
        [row] = observations(
            servers, id, **whole, observation_start=observed, observation_end=observed
        )["observations"]
        assert (row["realtime_start"], row["realtime_end"]) == (released, "9999-12-31")

    def test_before_its_release_a_value_does_not_exist(self, servers: Servers) -> None:
        servers.today = "2025-11-19"
        assert observations(servers, "WALCL")["observations"][-1]["date"] == "2025-11-12"
        servers.today = "2025-11-20"
        assert observations(servers, "WALCL")["observations"][-1]["date"] == "2025-11-19"

    def test_every_series_of_the_history_is_served(
        self, servers: Servers, history_dir: Path
    ) -> None:
        for path in (history_dir / "fred").glob("*.csv"):
            rows = observations(servers, path.stem)["observations"]
            lines = path.read_text().splitlines()[1:]
            assert [f"{r['date']},{r['value']}" for r in rows[-len(lines) :]] == [
                f"{line}." if line.endswith(",") else line for line in lines
            ]
            assert path.stem in CATALOG

    @pytest.mark.parametrize(
        ("id", "first"),
        [
            ("GDP", ("1947-01-01", "243.164")),
            ("M2SL", ("1959-01-01", "286.600")),
            ("TB3MS", ("1934-01-01", "0.72")),
            ("DGS10", ("1962-01-02", "4.06")),
            ("WALCL", ("2002-12-18", "719542")),
            ("DTB3", ("1954-01-04", "1.33")),  # history has no file of it
            ("TLAACBW027SBOG", ("1973-01-03", "728.000")),
        ],
    )
    def test_a_series_begins_where_the_publisher_begins(
        self, servers: Servers, id: str, first: tuple[str, str]
    ) -> None:
        rows = observations(servers, id)["observations"]
        assert (rows[0]["date"], rows[0]["value"]) == first
        days = [row["date"] for row in rows]
        assert days == sorted(set(days))
        assert days[-1] > "2025-09"

    def test_every_series_of_the_catalog_is_served(self, servers: Servers) -> None:
        for series in CATALOG.values():
            if series.source == "fred":
                assert observations(servers, series.id, limit=1)["count"] > 100


class TestVintages:
    REVISED = {  # noqa: RUF012
        "2020-01-30": {"2019-10-01": "100"},
        "2020-02-27": {"2019-10-01": "101"},
        "2020-03-26": {"2019-10-01": "101"},
        "2020-04-29": {"2019-10-01": "100", "2020-01-01": "90"},
    }

    @pytest.fixture
    def revised(self, servers: Servers) -> Servers:
        servers.fred.vintages["REVISED"] = self.REVISED
        return servers

    def rows(self, servers: Servers, **query: Any) -> list[tuple[str, ...]]:
        found = observations(servers, "REVISED", **query)["observations"]
        return [(r["date"], r["realtime_start"], r["realtime_end"], r["value"]) for r in found]

    def test_each_value_is_a_row_with_the_days_it_held(self, revised: Servers) -> None:
        whole = {"realtime_start": "1776-07-04", "realtime_end": "9999-12-31"}
        assert self.rows(revised, **whole) == [
            ("2019-10-01", "2020-01-30", "2020-02-26", "100"),
            ("2019-10-01", "2020-02-27", "2020-04-28", "101"),
            ("2019-10-01", "2020-04-29", "9999-12-31", "100"),
            ("2020-01-01", "2020-04-29", "9999-12-31", "90"),
        ]

    def test_rows_are_clamped_to_the_period_asked_for(self, revised: Servers) -> None:
        period = {"realtime_start": "2020-02-01", "realtime_end": "2020-03-01"}
        assert self.rows(revised, **period) == [
            ("2019-10-01", "2020-02-01", "2020-02-26", "100"),
            ("2019-10-01", "2020-02-27", "2020-03-01", "101"),
        ]

    def test_asked_for_by_vintage_date(self, revised: Servers) -> None:
        assert [r[3] for r in self.rows(revised, vintage_dates="2020-03-01")] == ["101"]
        assert [r[3] for r in self.rows(revised, vintage_dates="2020-02-01,2020-05-01")] == [
            "100",
            "100",
            "90",
        ]

    def test_what_came_after_today_is_not_known_yet(self, revised: Servers) -> None:
        revised.today = "2020-03-30"
        whole = {"realtime_start": "1776-07-04", "realtime_end": "9999-12-31"}
        assert self.rows(revised, **whole)[-1] == ("2019-10-01", "2020-02-27", "9999-12-31", "101")
        assert len(self.rows(revised, **whole)) == 2

    def test_fredapi_reads_all_releases(self, revised: Servers) -> None:
        releases = client(revised).get_series_all_releases("REVISED")
        assert releases["value"].tolist() == [100.0, 101.0, 100.0, 90.0]

    def test_more_than_two_thousand_in_a_call_are_refused(self, servers: Servers) -> None:
        days = pd.date_range("2015-01-01", periods=2_001).strftime("%Y-%m-%d")
        servers.fred.vintages["DAILY"] = {day: {day: "1"} for day in days}
        start = {"realtime_start": days[0]}
        few = observations(servers, "DAILY", **start, realtime_end=days[-2])
        assert few["count"] == 2_000
        many = observations(servers, "DAILY", **start, realtime_end=days[-1])
        assert "There are 2001 vintage dates" in many["error_message"]

    def test_a_series_without_an_archive_has_today_only(self, servers: Servers) -> None:
        servers.fred.not_in_alfred.add("SOFR")
        assert observations(servers, "SOFR")["count"] > 1_000
        for answer in (
            observations(servers, "SOFR", realtime_start="2024-01-01"),
            fred(servers, "series/vintagedates", series_id="SOFR"),
        ):
            assert "does not exist in ALFRED" in answer["error_message"]

    def test_an_archive_that_began_late_dates_all_before_by_its_first_day(
        self, servers: Servers
    ) -> None:
        late = archived_since(self.REVISED, "2020-03-01")
        assert [(p.start, p.value) for p in periods(late)] == [
            ("2020-03-01", "101"),
            ("2020-04-29", "100"),
            ("2020-04-29", "90"),
        ]

    def test_gdp_is_revised_towards_the_files_value(self, servers: Servers) -> None:
        values = servers.fred.values("GDP")
        vintages = gdp_revisions(values)
        held = periods(vintages)
        assert {p.date: p.value for p in held if p.end == "9999-12-31"} == values
        [*revised, last] = [p for p in held if p.date == "2015-01-01"]
        assert [p.start for p in (*revised, last)] == [
            "2015-04-30",
            "2015-06-01",
            "2015-06-29",
            "2015-09-24",
            "2016-09-29",
            "2017-09-28",
        ]
        final = float(last.value)
        misses = [abs(float(p.value) / final - 1) for p in revised]
        assert 0 < misses[-1] < misses[0] < 0.02
        assert vintages == gdp_revisions(values) != gdp_revisions(values, seed=1)

    def test_gdps_newest_quarter_has_its_advance_alone(self, servers: Servers) -> None:
        held = periods(gdp_revisions(servers.fred.values("GDP")))
        assert [p.start for p in held if p.date == "2025-10-01"] == ["2026-01-30"]
        assert all(p.start > p.date for p in held)
        assert len(as_of(held, "1947-05-01")) == 1


def _yfinance_closes(base: str, tickers: list[str], cache: str) -> dict[str, Any]:
    """Return what yfinance reads, also for an unknown ticker. Runs in a new process."""
    import yfinance
    from curl_cffi import requests

    warnings.simplefilter("ignore")

    class Loopback(requests.Session[requests.Response]):
        def request(self, method: Any, url: str, *args: Any, **more: Any) -> Any:
            here, asked = urlsplit(base), urlsplit(url)
            moved = asked._replace(scheme=here.scheme, netloc=here.netloc)
            return super().request(method, urlunsplit(moved), *args, **more)

    yfinance.set_tz_cache_location(cache)
    yfinance.config.debug.hide_exceptions = False
    session = Loopback(impersonate="chrome")
    found: dict[str, Any] = {}
    for ticker in tickers:
        table = yfinance.Ticker(ticker, session=session).history(period="max")
        found[ticker] = (table.index.strftime("%Y-%m-%d").tolist(), table["Close"].tolist())
    raw = yfinance.Ticker("SPY", session=session).history(period="max", auto_adjust=False)
    found["raw SPY"] = raw["Close"].tolist()
    found["dividends"] = int((raw["Dividends"] > 0).sum())
    try:
        yfinance.Ticker("NOSUCH", session=session).history(start="2020-01-01")
    except Exception as error:
        found["unknown"] = repr(error)
    return found


class TestYahoo:
    def test_yfinance_reads_the_files_prices_bit_for_bit(
        self, servers: Servers, history_dir: Path, tmp_path: Path
    ) -> None:
        files = {
            "SPY": file_column(history_dir, "prices.csv.gz", "SPY"),
            "SNDK": file_column(history_dir, "prices.csv.gz", "SNDK"),
            "BTC-USD": file_column(history_dir, "crypto/BTC-USD.csv", "Close"),
        }
        base = servers.env()["DRYPOWDER_YAHOO_URL"]
        context = multiprocessing.get_context("spawn")  # yfinance caches answers
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            found = pool.submit(_yfinance_closes, base, list(files), str(tmp_path)).result()
        for ticker, column in files.items():
            dates, closes = found[ticker]
            assert dates == pd.DatetimeIndex(column.index).strftime("%Y-%m-%d").tolist()
            assert closes == column.tolist()
        assert found["raw SPY"][0] != found["SPY"][1][0]
        assert found["raw SPY"][-1] == found["SPY"][1][-1]
        assert found["dividends"] == 92  # four a year, from March 2003 to December 2025
        assert "Not Found" in found["unknown"]
        assert {r.path for r in servers.requests} >= {"/", "/v1/test/getcrumb"}

    def test_shares_are_stamped_at_the_open_and_coins_at_midnight_utc(
        self, servers: Servers
    ) -> None:
        def first(ticker: str) -> str:
            [result] = chart(servers, ticker, range="max")["result"]
            return str(pd.Timestamp(result["timestamp"][0], unit="s"))

        assert first("SPY") == "2003-01-02 14:30:00"
        assert first("BTC-USD") == "2013-04-28 00:00:00"

    def test_a_period_holds_its_start_and_not_its_end(self, servers: Servers) -> None:
        day = int(pd.Timestamp("2025-06-02 09:30", tz="America/New_York").timestamp())
        [result] = chart(servers, "SPY", period1=day, period2=day + 86_400)["result"]
        assert result["timestamp"] == [day]
        weekend = day + 5 * 86_400
        [result] = chart(servers, "SPY", period1=weekend, period2=weekend + 86_400)["result"]
        assert "timestamp" not in result

    def test_before_a_listing_there_are_no_data(self, servers: Servers) -> None:
        error = chart(servers, "SNDK", period1=0, period2=1_600_000_000)["error"]
        assert error["description"].startswith("Data doesn't exist for startDate = 0")

    def test_an_unknown_ticker_is_not_found(self, servers: Servers) -> None:
        answer = chart(servers, "NOSUCH", range="max")
        assert (answer["result"], answer["error"]["code"]) == (None, "Not Found")

    def test_raw_and_adjusted_closes_part_at_dividends_alone(self, servers: Servers) -> None:
        def gap(ticker: str) -> set[float]:
            [result] = chart(servers, ticker, range="max")["result"]
            raw = result["indicators"]["quote"][0]["close"]
            adjusted = result["indicators"]["adjclose"][0]["adjclose"]
            return {round(a / r, 9) for a, r in zip(adjusted, raw, strict=True)}

        assert gap("NVDA") == {1.0}
        assert gap("SPY") == {round(0.997**n, 9) for n in range(93)}

    def test_a_running_day_is_a_last_row(self, servers: Servers) -> None:
        servers.yahoo.running = pd.Timestamp("2026-01-02 11:00", tz="America/New_York")
        [result] = chart(servers, "SPY", range="5d")["result"]
        assert result["timestamp"][-1] == int(servers.yahoo.running.timestamp())
        assert result["meta"]["regularMarketPrice"] == round(678.315 * 1.01, 2)

    def test_today_bounds_the_prices(self, servers: Servers) -> None:
        servers.today = "2024-03-01"
        [result] = chart(servers, "SPY", range="1d")["result"]
        assert pd.Timestamp(result["timestamp"][0], unit="s").date().isoformat() == "2024-03-01"
        assert chart(servers, "SNDK", range="1d")["error"]["code"] == "Not Found"


class TestSec:
    def url(self, servers: Servers, path: str = MSFT) -> str:
        return f"{servers.env()['DRYPOWDER_SEC_URL']}{path}.json"

    def test_a_concept_is_the_file(self, servers: Servers, history_dir: Path) -> None:
        served = read(self.url(servers), CONTACT).body
        [file] = (history_dir / "edgar").glob("MSFT_*.json")
        assert served == file.read_bytes()

    def test_without_a_contact_it_is_forbidden(self, servers: Servers) -> None:
        assert read(self.url(servers)).status == 403
        assert read(self.url(servers), {"User-Agent": "drypowder"}).status == 403

    def test_what_it_does_not_hold_is_not_found(self, servers: Servers) -> None:
        answer = read(self.url(servers, MSFT.replace("PlantAndEquipment", "")), CONTACT)
        assert answer.status == 404
        assert b"<Code>NoSuchKey</Code>" in answer.body

    def test_today_bounds_the_filings(self, servers: Servers) -> None:
        servers.today = "2020-01-01"
        facts = json.loads(read(self.url(servers), CONTACT).body)["units"]["USD"]
        assert "2019" < max(fact["filed"] for fact in facts) <= "2020-01-01"


def nyfed_url(
    servers: Servers, path: str, first: str = "2024-01-01", last: str = "2024-12-31"
) -> str:
    base = servers.env()["DRYPOWDER_NYFED_URL"]
    return f"{base}/api/{path}/search.json?startDate={first}&endDate={last}"


class TestNewYorkFed:
    def operations(self, servers: Servers, first: str, last: str) -> list[dict[str, Any]]:
        answer = json.loads(read(nyfed_url(servers, "rp/results", first, last)).body)
        held: list[dict[str, Any]] = answer["repo"]["operations"]
        return held

    def test_rates_are_the_file_newest_first(self, servers: Servers, evidence_dir: Path) -> None:
        rows = json.loads(read(nyfed_url(servers, "rates/secured/tgcr")).body)["refRates"]
        file = file_column(evidence_dir, "rates/TGCRRATE.csv", "TGCRRATE").to_dict()
        expected = [value for day, value in file.items() if str(day).startswith("2024")]
        assert [row["percentRate"] for row in rows[::-1]] == expected
        assert rows[0]["effectiveDate"] == "2024-12-31"
        assert {row["type"] for row in rows} == {"TGCR"}

    def test_a_date_has_two_operations_of_the_facility_and_others(self, servers: Servers) -> None:
        held = self.operations(servers, "2025-12-31", "2025-12-31")
        facility = [o for o in held if (o["operationType"], o["term"]) == ("Repo", "Overnight")]
        assert len(facility) == 2
        assert sum(o["totalAmtAccepted"] for o in facility) == 74_600_000_000
        assert len(held) == 4

    def test_today_bounds_both(self, servers: Servers) -> None:
        servers.today = "2024-03-01"  # a rate is published on the next day
        rows = json.loads(read(nyfed_url(servers, "rates/secured/tgcr")).body)["refRates"]
        assert rows[0]["effectiveDate"] == "2024-02-29"
        assert (
            self.operations(servers, "2024-01-01", "2024-12-31")[0]["operationDate"] == "2024-03-01"
        )

    def test_without_a_span_it_is_a_bad_request(self, servers: Servers) -> None:
        assert read(nyfed_url(servers, "rp/results", "yesterday")).status == 400
        assert read(nyfed_url(servers, "rp/nothing")).status == 404


class TestRequests:
    def test_each_is_recorded_with_its_headers_and_moment(self, servers: Servers) -> None:
        observations(servers, "GDP")
        read(f"{servers.env()['DRYPOWDER_SEC_URL']}{MSFT}.json", CONTACT)
        first, second = servers.requests
        assert (first.source, first.path) == ("fred", "/fred/series/observations")
        assert first.query["api_key"] == KEY
        assert second.headers["user-agent"] == CONTACT["User-Agent"]
        assert second.at > first.at

    def test_the_environment_names_four_servers(self, servers: Servers) -> None:
        names = ("YAHOO", "FRED", "SEC", "NYFED")
        assert set(servers.env()) == {f"DRYPOWDER_{name}_URL" for name in names}
        assert len(set(servers.env().values())) == 4, "name a new server in this test"


FORMS = ["json", "xml", "csv", "chart", "facts", "rates"]


def every_table(servers: Servers) -> dict[str, str]:
    """Return an address for each format of a table."""
    env = servers.env()
    return {
        "json": fred_url(servers, "series/observations", series_id="GDP"),
        "xml": fred_url(servers, "series/observations", series_id="GDP", file_type="xml"),
        "csv": f"{env['DRYPOWDER_FRED_URL']}/graph/fredgraph.csv?id=GDP",
        "chart": f"{env['DRYPOWDER_YAHOO_URL']}/v8/finance/chart/SPY?range=1y",
        "facts": f"{env['DRYPOWDER_SEC_URL']}{MSFT}.json",
        "rates": nyfed_url(servers, "rates/secured/tgcr"),
    }


#: Where the rows of a JSON document are, and the names of their dates and values.
_PLACES = {
    "json": (("observations",), "date", "value"),
    "facts": (("units", "USD"), "end", "val"),
    "rates": (("refRates",), "effectiveDate", "percentRate"),
}


def parsed(form: str, raw: bytes) -> "pd.DataFrame":
    """Return dates and values of a table in any format, as text."""
    if form == "csv":
        table = pd.read_csv(io.BytesIO(raw), dtype=str)
        return table.set_axis(["date", "value"], axis=1)
    if form == "xml":
        rows = pd.read_xml(io.BytesIO(raw), parser="etree", dtype=str)
        return rows[["date", "value"]]
    document = json.loads(raw)
    if form == "chart":
        [result] = document["chart"]["result"]
        days = [pd.Timestamp(t, unit="s").strftime("%Y-%m-%d") for t in result["timestamp"]]
        values = result["indicators"]["adjclose"][0]["adjclose"]
        return pd.DataFrame({"date": days, "value": map(str, values)})
    keys, date, value = _PLACES[form]
    rows = document
    for key in keys:
        rows = rows[key]
    return pd.DataFrame({"date": [r[date] for r in rows], "value": [str(r[value]) for r in rows]})


class TestFaultsInTables:
    def befallen(self, servers: Servers, form: str, fault: Fault) -> tuple[bytes, bytes]:
        """Return the correct body of a table, and the body with a fault."""
        url = every_table(servers)[form]
        good = read(url, CONTACT).body
        servers.faults.add(fault)
        bad = read(url, CONTACT).body
        assert [f for f, _ in servers.faults.done] == [fault]
        assert read(url, CONTACT).body == good
        return good, bad

    @pytest.mark.parametrize("form", FORMS)
    def test_renamed(self, servers: Servers, form: str) -> None:
        good, bad = self.befallen(servers, form, Fault("renamed"))
        names = {
            "csv": b",GDP\n",
            "xml": b" value=",
            "chart": b'"adjclose"',
            "facts": b'"val"',
            "rates": b'"percentRate"',
        }
        name = names.get(form, b'"value"')
        assert name in good
        assert name not in bad

    @pytest.mark.parametrize("form", ["json", "csv", "facts", "rates"])
    def test_empty(self, servers: Servers, form: str) -> None:
        good, bad = self.befallen(servers, form, Fault("empty"))
        assert len(parsed(form, good)) > 0
        assert len(parsed(form, bad)) == 0 if form == "csv" else b"[]" in bad

    @pytest.mark.parametrize("form", FORMS)
    def test_text_in_place_of_a_number(self, servers: Servers, form: str) -> None:
        good, bad = self.befallen(servers, form, Fault("text_numbers", text="n/a"))
        assert b"n/a" not in good
        assert bad.count(b"n/a") == 1

    @pytest.mark.parametrize("form", ["json", "xml", "csv", "chart", "rates"])
    def test_a_date_twice(self, servers: Servers, form: str) -> None:
        good, bad = (parsed(form, raw) for raw in self.befallen(servers, form, Fault("duplicate")))
        assert good["date"].is_unique
        assert bad["date"].duplicated().sum() == 1
        assert len(bad) == len(good) + 1

    @pytest.mark.parametrize("form", FORMS)
    def test_a_date_to_come(self, servers: Servers, form: str) -> None:
        good, bad = (parsed(form, raw) for raw in self.befallen(servers, form, Fault("future")))
        assert good["date"].max() < TODAY
        assert bad["date"].max() == "2026-10-31"

    @pytest.mark.parametrize("form", FORMS)
    def test_a_spike(self, servers: Servers, form: str) -> None:
        good, bad = (parsed(form, raw) for raw in self.befallen(servers, form, Fault("spike")))
        ratio = bad["value"].astype(float) / good["value"].astype(float)
        assert ratio.max() == pytest.approx(100)
        assert (ratio != 1).sum() == 1

    def test_a_fault_without_a_place_is_an_error_of_the_test(self, history_dir: Path) -> None:
        def plant() -> None:
            with Servers(history_dir, today=TODAY) as servers:
                servers.faults.add(Fault("spike"))
                with pytest.raises((OSError, HTTPException)):
                    fred(servers, "series", series_id="GDP")

        with pytest.raises(AssertionError, match="expected a table"):
            plant()

    def test_vintage_dates_are_a_table_with_faults(self, servers: Servers) -> None:
        servers.faults.add(Fault("duplicate", match="vintagedates"))
        dates = fred(servers, "series/vintagedates", series_id="GDP")["vintage_dates"]
        assert len(dates) == len(set(dates)) + 1


class TestFaultsOnTheWire:
    def test_a_status_with_the_time_to_wait(self, servers: Servers) -> None:
        servers.faults.add(Fault("status", status=429, retry_after=7))
        answer = read(every_table(servers)["json"])
        assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
        assert json.loads(answer.body)["error_code"] == 429

    @pytest.mark.parametrize("status", [403, 429, 500, 503])
    @pytest.mark.parametrize("form", ["xml", "chart", "facts"])
    def test_any_status_of_any_source(self, servers: Servers, form: str, status: int) -> None:
        servers.faults.add(Fault("status", status=status))
        answer = read(every_table(servers)[form], CONTACT)
        assert (answer.status, answer.headers["Retry-After"]) == (status, None)

    def test_a_connection_held(self, servers: Servers) -> None:
        servers.faults.add(Fault("timeout", seconds=30))
        with pytest.raises(TimeoutError):
            read(every_table(servers)["json"], timeout=0.1)

    def test_a_connection_cut_in_mid_body(self, servers: Servers) -> None:
        servers.faults.add(Fault("cut"))
        with pytest.raises(HTTPException, match="IncompleteRead"):
            read(every_table(servers)["json"])

    def test_a_text_cut_in_valid_http(self, servers: Servers) -> None:
        servers.faults.add(Fault("truncated"))
        with pytest.raises(json.JSONDecodeError):
            json.loads(read(every_table(servers)["json"]).body)

    def test_a_page_in_place_of_data(self, servers: Servers) -> None:
        servers.faults.add(Fault("html"))
        answer = read(every_table(servers)["chart"])
        assert (answer.status, answer.headers.get_content_type()) == (200, "text/html")

    def test_a_reset(self, servers: Servers) -> None:
        servers.faults.add(Fault("reset"))
        with pytest.raises(ConnectionResetError):
            read(every_table(servers)["json"])

    def test_a_body_that_drips(self, servers: Servers) -> None:
        servers.faults.add(Fault("slow", seconds=0.4))
        start = time.monotonic()
        whole = json.loads(read(every_table(servers)["json"]).body)
        assert whole["count"] == 316
        assert time.monotonic() - start >= 0.4

    @pytest.mark.parametrize(
        ("form", "status"), [("json", 400), ("csv", 404), ("chart", 404), ("facts", 404)]
    )
    def test_a_series_vanished(self, servers: Servers, form: str, status: int) -> None:
        servers.faults.add(Fault("vanished"))
        assert read(every_table(servers)[form], CONTACT).status == status


class TestPlanting:
    def test_a_fault_meets_what_it_matches_as_often_as_told(self, servers: Servers) -> None:
        servers.faults.add(Fault("status", status=503, match="series_id=GDP", times=2))
        urls = every_table(servers)
        assert read(urls["csv"]).status == 200
        assert [read(urls["json"]).status for _ in range(3)] == [503, 503, 200]

    def test_a_fault_for_always_ends_when_cleared(self, servers: Servers) -> None:
        servers.faults.add(Fault("status", times=None))
        url = every_table(servers)["chart"]
        assert [read(url).status for _ in range(3)] == [503, 503, 503]
        servers.faults.clear()
        assert read(url).status == 200

    def test_an_unknown_kind_is_refused(self) -> None:
        with pytest.raises(ValueError, match="expected a kind of status"):
            Fault("spikes")  # type: ignore[arg-type]

    def test_down_refuses_connections_and_up_again_answers_on_the_same_port(
        self, servers: Servers
    ) -> None:
        urls = every_table(servers)
        servers.down = True
        for url in urls.values():
            with pytest.raises(urllib.error.URLError, match="refused"):
                read(url)
        servers.down = False
        assert read(urls["json"]).status == 200
        assert urls == every_table(servers)

    def test_leaving_closes_everything_even_while_a_connection_is_held(
        self, history_dir: Path
    ) -> None:
        start = time.monotonic()
        with Servers(history_dir, today=TODAY) as servers:
            servers.faults.add(Fault("timeout", seconds=60))
            parts = urlsplit(every_table(servers)["json"])
            held = socket.create_connection((parts.hostname or "", parts.port or 0))
            held.sendall(f"GET {parts.path}?{parts.query} HTTP/1.1\r\n\r\n".encode())
            while not servers.faults.done:
                time.sleep(0.005)
        with held:
            assert held.recv(1) == b""
        assert time.monotonic() - start < 10
