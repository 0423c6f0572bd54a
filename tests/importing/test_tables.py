"""Tables of several publishers: their series, and the moments when values are known."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from backtests.importing.import_path import import_path
from backtests.importing.tables import TABLES
from backtests.store.store import Store
from signals.catalog import CATALOG
from signals.errors import DataError

NOW = pd.Timestamp("2026-01-05 12:00")
STATEMENTS = "date_time,SEP,UST2Y,UST10Y,SP500\n"


def imported(folder: Path, name: str, text: str) -> dict[str, list[tuple[str, str, float]]]:
    """Import a file, and return its rows by series: date, moment when known, value."""
    (folder / name).write_text(text)
    store = folder / "store.duckdb"
    import_path(folder / name, store, recorded_at=NOW)
    rows = Store(store).query("SELECT * FROM observations ORDER BY series_id, observed_on")
    found: dict[str, list[tuple[str, str, float]]] = {}
    columns = (rows[name] for name in ("series_id", "observed_on", "available_at", "value"))
    for id, on, known, value in zip(*columns, strict=True):
        found.setdefault(str(id), []).append((str(on)[:10], str(known)[:16], float(value)))
    return found


def test_every_series_of_a_table_is_in_the_catalog() -> None:
    ids = {id for table in TABLES if not table.by for id in table.columns}
    assert ids <= set(CATALOG)


# --- from when a value is known -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("stated", "known"),
    [
        ("2025-11-25", "2025-11-25 09:30"),  # a session: its open
        ("2025-12-25", "2025-12-26 09:30"),  # Christmas: the open of the next session
        ("2025-11-22", "2025-11-24 09:30"),  # a Saturday
        ("", "2025-11-25 09:30"),  # no day: the 25th of the next month
    ],
)
def test_a_table_may_state_the_day_from_which_a_value_is_known(
    tmp_path: Path, stated: str, known: str
) -> None:
    text = f"{FINRA}2025-10-31,1183653,{190000},{180000},{stated}\n"
    assert imported(tmp_path, "finra.csv", text)["MARGIN_DEBT"] == [("2025-10-31", known, 1183653)]


FINRA = (
    "month,debit_balances_margin_usd_m,free_credit_cash_usd_m,free_credit_margin_usd_m,known_from\n"
)


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ("2025-10-30", "from 0 to 366 days after the date that the value describes"),
        ("2035-10-31", "from 0 to 366 days after the date that the value describes"),
        ("soon", "a plain date like 2025-10-06"),
    ],
)
def test_a_day_before_the_date_is_refused(tmp_path: Path, stated: str, message: str) -> None:
    with pytest.raises(DataError, match=f"line 2: expected .*{message}"):
        imported(tmp_path, "finra.csv", f"{FINRA}2025-10-31,1183653,1,1,{stated}\n")


def test_a_later_day_for_a_stored_value_is_told_because_the_store_keeps_the_earlier_day(
    tmp_path: Path,
) -> None:
    """A user finds that a table states a day before the publication, and corrects the table."""
    store, file = tmp_path / "store.duckdb", tmp_path / "finra.csv"

    def notes(*days: str) -> list[str]:
        ends = ("2025-08-31", "2025-09-30")
        rows = [f"{end},1e6,1e5,1e5,{day}" for end, day in zip(ends, days, strict=True)]
        file.write_text(FINRA + "\n".join(rows) + "\n")
        return import_path(file, store, recorded_at=NOW).notes

    assert notes("2025-09-25", "2025-09-30") == []
    assert notes("2025-09-25", "2025-10-27") == [
        f"{id}: according to this import, 1 stored value became known later than the store says; "
        "the store cannot change stored moments, so import into a new store"
        for id in ("MARGIN_DEBT", "FREE_CREDIT")
    ]
    assert notes("2025-09-24", "2025-09-30") == []


def test_the_month_of_margin_debt_means_the_end_of_the_month(tmp_path: Path) -> None:
    """Without a stated day, the publication rule must not count from the first of the month."""
    found = imported(tmp_path, "finra.csv", f"{FINRA}2025-09-01,1e6,1e5,1e5,\n")
    assert found["MARGIN_DEBT"] == [("2025-09-30", "2025-10-27 09:30", 1e6)]  # the 25th: Saturday


def test_a_fiscal_year_before_the_listing_is_left_out(tmp_path: Path) -> None:
    header = "ticker,period_end,long_term_debt_usd,debt_issuance_usd,interest_expense_usd,"
    rows = ["CRWV,2024-12-31,1e9,1e9,1e8,1e9", "CRWV,2025-12-31,2e9,2e9,2e8,2e9"]
    text = "\n".join([header + "operating_cash_flow_usd", *rows]) + "\n"
    assert [on for on, *_ in imported(tmp_path, "annual.csv", text)["DEBT_FY_CRWV"]] == [
        "2025-12-31"
    ]


def test_a_fiscal_year_without_an_iso_date_is_refused_not_left_out(tmp_path: Path) -> None:
    """As text, 12/31/2024 sorts before every listing, for example before 2012-05-18."""
    header = "ticker,period_end,long_term_debt_usd,debt_issuance_usd,interest_expense_usd,"
    text = f"{header}operating_cash_flow_usd\nMETA,12/31/2024,1e9,1e9,1e8,1e9\n"
    with pytest.raises(DataError, match=r"line 2: expected a plain date .*'12/31/2024'"):
        imported(tmp_path, "annual.csv", text)


def test_a_day_to_come_is_no_error(tmp_path: Path) -> None:
    """The file of the end of December states the 25th of January, a day in the future."""
    text = f"{FINRA}2025-12-31,1200000,190000,180000,2026-01-25\n"
    (row,) = imported(tmp_path, "finra.csv", text)["MARGIN_DEBT"]
    assert row[1] == "2026-01-26 09:30"


# --- how cells become values --------------------------------------------------------------------


def test_free_credit_is_cash_and_margin_accounts_where_both_are_given(tmp_path: Path) -> None:
    text = (
        f"{FINRA}2010-01-31,266455,281035,,2010-02-25\n"  # both accounts in one cell, until 2010-01
        "2010-02-28,263657,106131,164624.0,2010-03-25\n"
    )
    found = imported(tmp_path, "finra.csv", text)
    assert [row[2] for row in found["MARGIN_DEBT"]] == [266455, 263657]
    assert [(row[0], row[2]) for row in found["FREE_CREDIT"]] == [("2010-02-28", 270755)]


def test_an_earnings_release_is_known_the_session_after_unless_it_comes_before_the_open(
    tmp_path: Path,
) -> None:
    text = (
        "report_date,symbol,timing_second_source,timing_assumed\n"
        "1996-04-18,MSFT,,\n"  # no source states the time, so after the close
        "2012-05-04,SNDK_old,AMC,AMC\n"  # another company
        "2024-02-02,AMZN,BMO,AMC\n"  # the second source counts
        "2025-01-31,META,,BMO\n"
        "2025-10-30,META,AMC,BMO\n"
    )
    found = imported(tmp_path, "dates.csv", text)
    assert found == {
        "EARNINGS_MSFT": [("1996-04-18", "1996-04-19 09:30", 1.0)],
        "EARNINGS_AMZN": [("2024-02-02", "2024-02-02 09:30", 0.0)],
        "EARNINGS_META": [
            ("2025-01-31", "2025-01-31 09:30", 0.0),
            ("2025-10-30", "2025-10-31 09:30", 1.0),
        ],
    }


def test_a_statement_between_meetings_is_not_scheduled(tmp_path: Path) -> None:
    text = "date,time_ny,SEP,Unscheduled,PC\n2020-03-03,10:00,0,1,1\n2025-12-10,14:00,1,0,1\n"
    found = imported(tmp_path, "fomc.csv", text)["FOMC"]
    assert [(row[0], row[2]) for row in found] == [("2020-03-03", 0.0), ("2025-12-10", 1.0)]
    with pytest.raises(DataError, match="FOMC, was 'yes'"):
        imported(tmp_path, "fomc.csv", text.replace("0,1,1", "0,yes,1"))


def test_a_decision_is_dated_at_its_announcement(tmp_path: Path) -> None:
    text = (
        "announcement_date,announcement_time_ny,effective_date,rate_percent,rate\n"
        "2021-07-28,14:00,2021-07-29,0.15,IORB\n"
        "2021-07-28,14:00,2021-07-29,0.25,SRF_MINIMUM_BID\n"
    )
    assert imported(tmp_path, "rates.csv", text) == {
        "DECISION_IORB": [("2021-07-28", "2021-07-28 16:00", 0.15)],
        "DECISION_SRF_MINIMUM_BID": [("2021-07-28", "2021-07-28 16:00", 0.25)],
    }


def test_a_bond_deal_belongs_to_the_issuers_ticker(tmp_path: Path) -> None:
    text = (
        "issuer,announce,total_usd,n_tranches\n"
        "Alphabet,2025-11-03,17000000000.0,7\n"
        "Somebody,2025-11-04,1.0,1\n"
    )
    assert imported(tmp_path, "deals.csv", text) == {
        "BOND_DEAL_GOOGL": [("2025-11-03", "2025-11-03 16:00", 17e9)]
    }


@pytest.mark.parametrize(
    ("name", "window"),
    [
        ("USMPD_statements", "ST"),
        ("USMPD_press_conferences", "PC"),
        ("USMPD_monetary_events", "ME"),
    ],
)
def test_the_files_name_says_which_window_the_changes_are_of(
    tmp_path: Path, name: str, window: str
) -> None:
    found = imported(
        tmp_path, f"{name}.csv", f"{STATEMENTS}2025-12-10 14:00:00,1,-0.03,-0.01,0.4\n"
    )
    recorded = str(NOW)[:16]
    assert found == {
        f"FED_{window}_SP500": [("2025-12-10", recorded, 0.4)],
        f"FED_{window}_UST10Y": [("2025-12-10", recorded, -0.01)],
        f"FED_{window}_UST2Y": [("2025-12-10", recorded, -0.03)],
    }


def test_surprises_of_one_date_add_up(tmp_path: Path) -> None:
    text = (
        "Date,Time,MPS,MPS_ORTH\n"
        "1988-08-09,9:45am,0.125,0.5\n"
        "1988-08-09,11:30am,0.25,\n"  # MPS_ORTH of this statement is unknown
        "1988-08-17,11:30am,0.5,0.25\n"
    )
    found = imported(tmp_path, "bs.csv", text)
    assert [(row[0], row[2]) for row in found["MPS_BS"]] == [
        ("1988-08-09", 0.375),
        ("1988-08-17", 0.5),
    ]
    assert [(row[0], row[2]) for row in found["MPS_BS_ORTH"]] == [("1988-08-17", 0.25)]


def test_a_publishers_name_leads_to_the_series_of_the_catalog(tmp_path: Path) -> None:
    text = "observation_date,SRF_ACCEPTED_USD_BN\n2025-10-30,0.02\n2025-10-31,50.35\n"
    assert imported(tmp_path, "srf.csv", text) == {
        "SRF": [("2025-10-30", "2025-10-31 09:30", 0.02), ("2025-10-31", "2025-11-03 09:30", 50.35)]
    }
    text = "observation_date,TGCRRATE\n2024-10-11,4.8\n"  # the next weekday is Columbus Day
    assert imported(tmp_path, "tgcr.csv", text)["TGCR"] == [("2024-10-11", "2024-10-15 09:30", 4.8)]


def test_a_second_source_beside_the_flow_is_not_read(tmp_path: Path) -> None:
    text = "date,total_net_flow_usd_m,second_source_usd_m\n2025-12-30,355.1,355.0\n"
    found = imported(tmp_path, "btc_spot_etf_net_flow_usd_m.csv", text)
    assert found == {"FLOW_BTC_ETF": [("2025-12-30", "2025-12-31 09:30", 355.1)]}


KOREA = "month,hs8542_usd,hs854232_memory_usd,known_from\n"
POSITIONS = "date,spec_long,spec_short,spec_net,known_from\n"


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("m.csv", f"{FINRA}2025-10-31,1183653000000,1,1,2025-11-25\n", "USD millions"),
        ("m.csv", f"{FINRA}2025-10-31,1183.6,1,1,2025-11-25\n", "USD millions"),
        ("k.csv", f"{KOREA}2025-10-01,13175,1,2025-12-15\n", "USD, was"),
        ("d.csv", "issuer,announce,total_usd\nMeta,2025-10-30,30\n", "USD, was '30'"),
        ("e.csv", "date,OIS_2Y,STOXX50\n2025-10-30,999,0.1\n", "basis points"),
        ("s.csv", "observation_date,SRF_ACCEPTED_USD_BN\n2025-10-31,50350\n", "USD billions"),
        (
            "k.csv",
            "month,hs8542_usd,known_from\n2025-10-01,1e10,2025-12-15\n",
            "the column hs85423",
        ),
        ("p.csv", "Date,STMT,PC,ME\n2025-12-10,much,,\n", "line 2: expected a finite number"),
        ("c.csv", f"{POSITIONS}2025-12-16,1,1,0,x\n", "a plain date"),
    ],
)
def test_a_wrong_unit_or_cell_is_refused(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        imported(tmp_path, name, text)
    assert not (tmp_path / "store.duckdb").exists()


# --- the whole folder ---------------------------------------------------------------------------


def test_the_evidence_enters_after_history_without_a_revision(
    history_store: Path, evidence_dir: Path, tmp_path: Path
) -> None:
    """Series in both folders are equal, so no value is revised and no series is refused."""
    store = Path(shutil.copy(history_store, tmp_path / "store.duckdb"))
    done = import_path(evidence_dir, store, recorded_at=NOW)
    assert (done.refused, done.revised) == ([], 0)
    new = {a.series_id: a.new for a in done.added}
    assert (new["SOFR"], new["IORB"], new["EFFR"], new["FLOW_BTC_ETF"]) == (0, 0, 0, 0)
    skipped = dict(done.parsed.skipped)
    assert skipped.pop("README.md").startswith("unknown header")
    assert {(name[:6], why[-22:]) for name, why in skipped.items()} == {
        ("firms/", " is not in the catalog")
    }
    again = import_path(evidence_dir, store, recorded_at=NOW)
    assert (again.new, again.revised) == (0, 0)
