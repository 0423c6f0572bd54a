"""Importing: which files are recognised or refused; no value is lost or guessed."""

import errno
import gzip
import json
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from backtests.calendar import all_sessions
from backtests.cli.app import command
from backtests.importing.csv_readers import read_csv
from backtests.importing.import_path import Imported, import_path
from backtests.store.store import Store
from signals.errors import ConfigError, DataError

NOW = pd.Timestamp("2026-01-05 12:00")
FRED = "observation_date,WALCL\n2025-01-01,6853000\n2025-01-08,6850000\n"
YAHOO = "Date,Open,Close,Adj Close,Volume\n2025-01-02,1,10,5,9\n2025-01-03,1,11,5.5,9\n"
TABLE = "Date,SPY,XYZ\n2025-01-02,580.5,\n2025-01-03,587.0,12.5\n"
SEC = {
    "cik": 789019,
    "tag": "PaymentsToAcquirePropertyPlantAndEquipment",
    "units": {
        "USD": [
            {
                "start": "2023-07-01",
                "end": "2024-06-30",
                "val": 44_477_000_000,
                "accn": "a",
                "filed": "2024-07-30",
            }
        ]
    },
}


def write(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def take(path: Path, store: Path) -> Imported:
    return import_path(path, store, recorded_at=NOW)


def monthly(header: str, value: float) -> str:
    """Return a table with one value on the first day of each month, as for monthly averages."""
    return "\n".join([header, *(f"2025-0{month}-01,{value}" for month in range(4, 9)), ""])


def values(store: Path, series: str) -> dict[str, float]:
    rows = Store(store).rows([series])
    dates = rows["observed_on"].dt.strftime("%Y-%m-%d")
    return dict(zip(dates, rows["value"].tolist(), strict=True))


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return tmp_path / "store.duckdb"


def test_fred_csv_keeps_the_publishers_unit(tmp_path: Path, db: Path) -> None:
    take(write(tmp_path, "WALCL.csv", FRED), db)
    assert values(db, "WALCL") == {"2025-01-01": 6853000.0, "2025-01-08": 6850000.0}


def test_fred_csv_with_several_series_and_fred_dots(tmp_path: Path, db: Path) -> None:
    text = "DATE,DGS2,DGS10\n2025-01-02,4.25,4.57\n2025-01-03,.,4.60\n"
    take(write(tmp_path, "graph.csv", text), db)
    assert values(db, "DGS2") == {"2025-01-02": 4.25}
    assert values(db, "DGS10") == {"2025-01-02": 4.57, "2025-01-03": 4.6}


def test_a_rate_announced_for_the_next_days_is_imported_up_to_today(
    tmp_path: Path, db: Path
) -> None:
    """On a Monday evening, FRED has the rate on reserves for Tuesday."""
    text = "observation_date,SOFR,IORB\n2026-01-05,3.7,3.65\n2026-01-06,.,3.65\n"
    (batch,) = [b for b in read_csv("graph", text, NOW) if b.series_id == "IORB"]
    assert batch.note == "left out 1 announced value with a future date"
    take(write(tmp_path, "graph.csv", text), db)
    assert values(db, "IORB") == {"2026-01-05": 3.65}
    assert values(db, "SOFR") == {"2026-01-05": 3.7}


@pytest.mark.parametrize("row", ["2026-01-06,3.7,3.65", "2026-01-13,,3.65"])
def test_any_other_row_of_a_day_to_come_is_refused(tmp_path: Path, db: Path, row: str) -> None:
    text = f"observation_date,SOFR,IORB\n2026-01-05,3.7,3.65\n{row}\n"
    with pytest.raises(DataError, match="expected a date up to today, 2026-01-05"):
        take(write(tmp_path, "graph.csv", text), db)


def test_yahoo_csv_takes_the_adjusted_close_and_the_ticker_from_its_name(
    tmp_path: Path, db: Path
) -> None:
    take(write(tmp_path, "MU.csv", YAHOO), db)
    assert values(db, "MU") == {"2025-01-02": 5.0, "2025-01-03": 5.5}


def test_price_table_plain_and_gzip_are_the_same(tmp_path: Path, db: Path) -> None:
    packed = tmp_path / "prices.csv.gz"
    packed.write_bytes(gzip.compress(TABLE.encode()))
    take(packed, db)
    assert values(db, "XYZ") == {"2025-01-03": 12.5}
    assert take(write(tmp_path, "prices.csv", TABLE), db).new == 0


def test_unknown_tickers_enter_as_prices_of_class_other(tmp_path: Path, db: Path) -> None:
    from signals.universe import asset

    take(write(tmp_path, "t.csv", TABLE), db)
    assert asset("XYZ").asset_class == "other"
    assert "XYZ" in Store(db).series_ids()


def test_sec_facts_enter_as_trailing_years(tmp_path: Path, db: Path) -> None:
    take(write(tmp_path, "msft.json", json.dumps(SEC)), db)
    assert values(db, "CAPEX_TTM_MSFT") == {"2024-06-30": 44_477_000_000.0}
    rows = Store(db).rows(["CAPEX_TTM_MSFT"])
    assert str(rows["available_at"].iloc[0]) == "2024-07-31 09:30:00"


def test_a_folder_takes_what_is_good_lists_the_foreign_and_refuses_the_bad(
    tmp_path: Path, db: Path
) -> None:
    folder = tmp_path / "in"
    write(folder, "fred/WALCL.csv", FRED)
    write(folder, "notes.txt", "hello")
    write(folder, "empty.txt", "")
    write(folder, "BAD.csv", "Date,Close\n2025-01-02,-1\n")
    done = take(folder, db)
    assert set(done.parsed.skipped) == {"notes.txt", "empty.txt"}
    assert done.parsed.refused == [
        "BAD.csv: line 2: expected a price of BAD above zero and up to 1e+09 USD, was '-1'; "
        "correct it"
    ]
    assert Store(db).series_ids() == ("WALCL",)


def test_a_day_beyond_the_calendar_refuses_only_its_own_file(tmp_path: Path, db: Path) -> None:
    write(tmp_path, "DGS10.csv", "observation_date,DGS10\n2025-01-02,4.5\n")
    beyond = all_sessions()[-1] + pd.Timedelta(days=2)
    month = (beyond - pd.Timedelta(days=360)).date()
    header = "month,debit_balances_margin_usd_m,free_credit_cash_usd_m,free_credit_margin_usd_m"
    write(tmp_path, "finra.csv", f"{header},known_from\n{month},1e6,1e5,1e5,{beyond.date()}\n")
    done = import_path(tmp_path, db, recorded_at=beyond - pd.Timedelta(days=300))
    assert done.new == 1
    assert done.refused[0].startswith("finra.csv: expected at least 1 session after")


def test_importing_twice_adds_nothing(tmp_path: Path, db: Path) -> None:
    folder = tmp_path / "in"
    write(folder, "WALCL.csv", FRED)
    write(folder, "prices.csv", TABLE)
    write(folder, "msft.json", json.dumps(SEC))
    first, second = take(folder, db), take(folder, db)
    assert first.new > 0
    assert (second.new, second.revised) == (0, 0)


def test_a_changed_value_is_a_revision_known_from_now(tmp_path: Path, db: Path) -> None:
    take(write(tmp_path, "WALCL.csv", FRED), db)
    done = take(write(tmp_path, "WALCL.csv", FRED.replace("6850000", "6850001")), db)
    assert (done.new, done.revised) == (0, 1)
    rows = Store(db).rows(["WALCL"])
    assert NOW <= rows["available_at"].max() < NOW + pd.Timedelta(seconds=1)


def test_a_price_file_that_covers_less_is_refused_because_it_would_lose_history(
    tmp_path: Path, db: Path
) -> None:
    take(write(tmp_path, "MU.csv", YAHOO), db)
    shorter = "Date,Adj Close\n2025-01-03,5.6\n"
    done = take(write(tmp_path, "MU.csv", shorter), db)
    assert "1 are missing, the first on 2025-01-02" in done.refused[0]
    assert values(db, "MU") == {"2025-01-02": 5.0, "2025-01-03": 5.5}


def test_rows_on_days_without_a_session_are_left_out_and_counted(tmp_path: Path, db: Path) -> None:
    text = "date,total_net_flow_usd_m\n2024-01-15,3\n2024-01-16,4\n"  # Martin Luther King day
    done = take(write(tmp_path, "btc_spot_etf_net_flow_usd_m.csv", text), db)
    assert values(db, "FLOW_BTC_ETF") == {"2024-01-16": 4.0}
    assert [b.note for b in done.parsed.batches] == [
        "left out 1 row on days without an NYSE session, the first on 2024-01-15"
    ]


def shifted(header: str, count: int) -> str:
    """Return a table of 60 weekdays, the first ``count`` of them moved to the day before."""
    days = pd.bdate_range("2024-03-04", periods=60)
    rows = [
        f"{day - pd.Timedelta(days=int(i < count)):%F},{5 + i % 2}" for i, day in enumerate(days)
    ]
    return "\n".join([header, *rows, ""])


@pytest.mark.parametrize(
    ("name", "id", "header"),
    [
        ("MU.csv", "MU", "Date,Close"),
        ("btc_flows.csv", "FLOW_BTC_ETF", "date,total_net_flow_usd_m"),
    ],
)
def test_dates_that_are_shifted_by_a_day_are_refused(
    tmp_path: Path, db: Path, name: str, id: str, header: str
) -> None:
    said = f"{id} on NYSE sessions, but 12 of 60 values are on other days, the first on 2024-03-03"
    with pytest.raises(DataError, match=said):
        take(write(tmp_path, name, shifted(header, 60)), db)
    done = take(write(tmp_path, name, shifted(header, 1)), db)
    assert done.refused == []
    assert len(values(db, id)) == 58  # without the shifted Monday and Good Friday


def test_prices_of_friday_repeated_at_the_weekend_are_left_out(tmp_path: Path, db: Path) -> None:
    days = pd.date_range("2024-03-04", periods=60)
    prices = pd.Series(range(60), days).where(days.day_of_week < 5).ffill() + 5.0
    rows = [f"{day:%F},{price:g}" for day, price in prices.items()]
    done = take(write(tmp_path, "MU.csv", "\n".join(["Date,Close", *rows, ""])), db)
    assert done.refused == []
    assert len(values(db, "MU")) == 43  # 44 weekdays without Good Friday


def sofr(*rates: float) -> str:
    days = pd.bdate_range("2025-03-03", periods=len(rates))
    rows = [f"{day:%F},{rate}" for day, rate in zip(days, rates, strict=True)]
    return "\n".join(["observation_date,SOFR", *rows, ""])


def test_another_unit_of_a_series_that_is_never_revised_is_refused(
    tmp_path: Path, db: Path
) -> None:
    rates = [4.3 + i / 100 for i in range(12)]
    take(write(tmp_path, "SOFR.csv", sofr(*rates)), db)
    done = take(write(tmp_path, "SOFR.csv", sofr(*(rate / 100 for rate in rates))), db)
    assert (done.new, done.revised) == (0, 0)
    assert (
        "but 12 of 12 values differ: on 2025-03-03, the value was 0.043, and the stored value"
        in (done.refused[0])
    )
    assert list(values(db, "SOFR").values()) == pytest.approx(rates)
    half = [rate + 0.01 if i % 2 else rate for i, rate in enumerate(rates)]
    done = take(write(tmp_path, "SOFR.csv", sofr(*half)), db)
    assert (done.refused, done.revised) == ([], 6)


def test_a_correction_of_a_series_that_is_never_revised_gets_a_note(
    tmp_path: Path, db: Path
) -> None:
    assert take(write(tmp_path, "SOFR.csv", sofr(4.3, 4.3, 43.1 / 2, 4.3)), db).notes == []
    done = take(write(tmp_path, "SOFR.csv", sofr(4.3, 4.3, 4.31, 4.3)), db)
    assert (done.revised, done.refused) == (1, [])
    assert done.notes == [
        "SOFR: 1 stored value changed, the first on 2025-03-05, but this series is treated as "
        "never revised. At sessions before today, backtests use the old values. If the stored "
        "values are wrong, fill a new store"
    ]


def test_an_older_download_of_a_revised_series_gets_a_note(tmp_path: Path, db: Path) -> None:
    older = "observation_date,GDP\n2024-07-01,29374.914\n"
    take(write(tmp_path, "GDP.csv", GDP), db)
    assert take(write(tmp_path, "GDP.csv", older), db).notes == [
        "GDP: 1 stored value changed, but the new values end on 2024-07-01, before the stored "
        "values end; if the new values are an older download, import the newest download again, "
        "because the last import counts"
    ]
    assert take(write(tmp_path, "GDP.csv", older), db).notes == []
    assert take(write(tmp_path, "GDP.csv", GDP), db).notes == []


def test_one_series_in_two_files_is_refused_not_chosen_from(tmp_path: Path, db: Path) -> None:
    folder = tmp_path / "in"
    write(folder, "SPY.csv", "Date,Close\n2025-01-02,580.5\n")
    write(folder, "prices.csv", TABLE)
    done = take(folder, db)
    assert "prices.csv: expected each series in one file, but SPY" in done.parsed.refused[0]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("RRPONTSYD.csv", "observation_date,RRPONTSYD\n2025-10-06,20000\n", "USD billions"),
        ("WALCL.csv", "observation_date,WALCL\n2025-01-01,6853\n", "USD millions"),
        ("WRESBAL.csv", "observation_date,WRESBAL\n2025-01-01,3200\n", "USD millions"),
        ("A.csv", "Date,Close\n2025-01-02,ten\n", "line 2: expected a finite number"),
        ("A.csv", "Date,Close\n2025-01-02,inf\n", "line 2: expected a finite number"),
        ("A.csv", "Date,Close\n2025-01-02,nan\n", "line 2: expected a finite number"),
        ("A.csv", "Date,Close\n2025-01-02,0\n", "line 2: expected a price of A above zero"),
        ("A.csv", "Date,Close\n2025-01-02,1\n2025-01-02,2\n", "line 3: expected a date that"),
        ("A.csv", "Date,Close\n2025-01-03,1\n2025-01-02,2\n", "line 3: expected a later date than"),
        ("A.csv", "Date,Close\n2025-01-02 00:00:00-05:00,1\n", "line 2: expected a plain date"),
        ("A.csv", "Date,Close\n01/02/2025,1\n", "line 2: expected a plain date"),
        ("A.csv", "Date,Close\n2025-02-30,1\n", "line 2: expected a date that exists"),
        ("A.csv", "Date,Close\n2031-01-02,1\n", "line 2: expected a date up to today"),
        ("A.csv", "Date,Close\n", "expected rows below the header"),
        (
            "A.csv",
            "Date,Close\n2025-01-02,1,2\n2025-01-03,1,2,3\n",
            "line 2: expected 2 cells, was 3",
        ),
        ("t.csv", "Date,SPY,SPY\n2025-01-02,1,2\n", "line 1: expected each column once"),
        ("two words.csv", "Date,Close\n2025-01-02,1\n", "expected the ticker as the file's name"),
        ("SNDK.csv", "Date,Close\n2014-01-02,70\n", "belongs to another company"),
        (
            "A.csv",
            "Date,Close\n2025-01-02,10.1\n2025-01-03,1010\n2025-01-06,10.2\n",
            "A on 2025-01-03: expected a close near the previous and the next close, was 1010",
        ),
        (
            "DGS10.csv",
            monthly("observation_date,DGS10", 4.1),
            "expected a value of DGS10 for each day, found one in 30 days",
        ),
        (
            "WALCL.csv",
            monthly("observation_date,WALCL", 6.8e6),
            "expected a value of WALCL for each week, found one in 30 days",
        ),
        (
            "DGS10.csv",
            "observation_date,DGS10\n2025-01-05,4.62\n2025-01-06,4.67\n",
            "each date of DGS10 on Monday to Friday, like the dates of its publisher, was "
            "2025-01-05, a Sunday; was the date shifted by a time zone",
        ),
        (
            "GDP.csv",
            "observation_date,GDP\n2024-12-31,29825.182\n",
            "each date of GDP on the first day of a quarter, like the dates of its publisher, was "
            "2024-12-31, a Tuesday",
        ),
        (
            "GDP.csv",
            "observation_date,GDP\n2025-02-01,29825.182\n",
            "GDP on the first day of a quarter, like the dates of its publisher, was 2025-02-01",
        ),
        (
            "M2SL.csv",
            "observation_date,M2SL\n2025-01-31,21548.3\n",
            "each date of M2SL on the first day of a month, like the dates of its publisher, was "
            "2025-01-31, a Friday",
        ),
        (
            "WALCL.csv",
            FRED.replace("01-08", "01-09"),
            "each date of WALCL on Wednesday, like the dates of its publisher, was 2025-01-09",
        ),
        ("WM2NS.csv", "observation_date,WM2NS\n2025-01-07,21500\n", "WM2NS on Monday"),
        ("NFCI.csv", "observation_date,NFCI\n2025-01-08,-0.6\n", "NFCI on Friday"),
        (
            "MU.csv",
            "Date,Close\n2025-06-02,100\n2025-06-09,101\n2025-06-16,102\n2025-06-23,103\n",
            "expected a value of MU for each day, found one in 7 days",
        ),
        (
            "x.csv",
            "observation_date,CAPEX_TTM_MSFT\n2025-09-30,69022000000\n",
            "they are known from filing dates; import the company's facts from the SEC instead",
        ),
        ("x.json", '{"cik": 789019, "tag": "Paym', "expected whole JSON"),
        ("x.json", json.dumps(SEC | {"units": {}}), "facts under units/USD, found none"),
        (
            "x.json",
            json.dumps(SEC | {"units": {"USD": [{"end": "2024-06-30", "val": "1"}]}}),
            "fact 1: expected a number in the field 'val', and a string in the fields",
        ),
    ],
)
def test_a_recognised_but_bad_file_is_refused_with_place_and_cure(
    tmp_path: Path, db: Path, name: str, content: str, message: str
) -> None:
    path = write(tmp_path, name, content)
    with pytest.raises(DataError) as caught:
        take(path, db)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)
    assert not db.exists()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
def test_a_file_that_may_be_cut_in_its_last_row_gets_a_note(
    tmp_path: Path, db: Path, end: str
) -> None:
    whole = "observation_date,DFII10\n2025-01-02,2.24\n2025-01-03,2.26"
    done = take(write(tmp_path, "DFII10.csv", whole + end), db)
    assert done.notes == []
    cut = take(write(tmp_path, "DFII10.csv", whole[:-2]), db)  # the value 2.26 becomes 2.
    assert cut.notes[:1] == [
        "DFII10: the file ends without a line break, so its last row may be cut; check the row"
    ]


def test_tickers_with_the_same_note_share_a_line(tmp_path: Path, db: Path) -> None:
    labor_day = "2025-09-01,1,1,1,1,1,1,1\n"
    table = f"Date,AA,BB,CC,DD,EE,FF,GG\n{labor_day}2025-09-02,1,1,1,1,1,1,1\n"
    done = take(write(tmp_path, "prices.csv", table), db)
    assert done.notes == [
        "AA, BB, CC, DD, EE and 2 more: left out 1 row on days without an NYSE session, "
        "the first on 2025-09-01"
    ]


def test_an_unadjusted_split_in_a_price_table_refuses_only_its_ticker(
    tmp_path: Path, db: Path
) -> None:
    days = pd.bdate_range("2025-03-03", periods=30)
    nvda = [100 + i % 2 if i < 15 else 10 + i % 2 / 10 for i in range(30)]
    rows = [f"{day.date()},{590 + i},{nvda[i]}" for i, day in enumerate(days)]
    done = take(write(tmp_path, "prices.csv", "\n".join(["Date,SPY,NVDA", *rows, ""])), db)
    (message,) = done.refused
    assert message.startswith("prices.csv: NVDA on 2025-03-24: expected closes adjusted for splits")
    assert "the whole series was left out" in message
    assert done.parsed.files == {"prices.csv": 1}
    assert len(values(db, "SPY")) == 30
    assert not values(db, "NVDA")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", ""),
        ("a.txt", "\n\n"),
        ("a.txt", "hello world"),
        ("a.json", '{"hello": 1}'),
        ("a.csv", "observation_date,NO_SUCH_SERIES\n2025-01-01,1\n"),
        ("a.csv", "time,value\n1,2\n"),
    ],
)
def test_a_foreign_file_alone_is_an_error(
    tmp_path: Path, db: Path, name: str, content: str
) -> None:
    with pytest.raises(DataError, match="found nothing to import"):
        take(write(tmp_path, name, content), db)
    assert not db.exists()


def test_several_paths_are_imported_like_one_folder(tmp_path: Path, db: Path) -> None:
    good, wrong = write(tmp_path, "a/MU.csv", YAHOO), write(tmp_path, "GDP.csv", FRED[:-4] + "x\n")
    twice = write(tmp_path, "b/MU.csv", YAHOO)
    done = import_path([wrong, good, twice.parent, good], db, recorded_at=NOW)
    assert done.parsed.files == {str(good): 1}
    assert [line.partition(": ")[0] for line in done.refused] == [str(wrong), str(twice)]
    assert "each series in one file" in done.refused[1]
    assert Store(db).series_ids() == ("MU",)


def test_if_one_of_several_paths_does_not_exist_nothing_is_stored(tmp_path: Path, db: Path) -> None:
    good = write(tmp_path, "MU.csv", YAHOO)
    with pytest.raises(DataError, match=r"none\.csv, found none"):
        import_path([good, tmp_path / "none.csv"], db, recorded_at=NOW)
    with pytest.raises(DataError, match="expected the path of a file or folder"):
        import_path([good, ""], db)
    with pytest.raises(DataError, match="expected the path of a file or folder"):
        import_path([], db)
    assert not db.exists()


def test_a_binary_file_is_foreign(tmp_path: Path, db: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(bytes(range(256)))
    with pytest.raises(DataError, match="no readable text"):
        take(path, db)


# --- a damaged file is refused, not skipped -----------------------------------------------------

DAMAGED = {
    "prices.csv.gz": gzip.compress(TABLE.encode())[:-12],
    "bits.csv.gz": gzip.compress(TABLE.encode())[:20] + b"\xff" * 40,
    "wide.csv": TABLE.encode("utf-16"),
    "latin.csv": "Date,Close,né\n".encode("latin-1"),
    "GDP.csv": b"",
    "blank.csv": b"\n\n",
    "facts.json": b"",
    "zipped.csv.gz": gzip.compress(b""),
    "SOFR.csv": b"\x00" * 512,
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_refused_and_the_good_go_in(tmp_path: Path, db: Path, name: str) -> None:
    folder = tmp_path / "in"
    write(folder, "WALCL.csv", FRED)
    (folder / name).write_bytes(DAMAGED[name])
    done = take(folder, db)
    assert done.parsed.skipped == {}
    assert [line.split(":")[0] for line in done.refused] == [name]
    assert "damaged or of another kind" in done.refused[0]
    assert Store(db).series_ids() == ("WALCL",)


def test_a_broken_link_named_like_data_is_refused(tmp_path: Path, db: Path) -> None:
    folder = tmp_path / "in"
    write(folder, "WALCL.csv", FRED)
    (folder / "DGS10.csv").symlink_to(folder / "gone.csv")
    (folder / "readme").symlink_to(folder / "gone")
    done = take(folder, db)
    assert done.refused == [
        "DGS10.csv: expected a file, was a broken link; restore the file behind the link"
    ]
    assert done.parsed.skipped == {"readme": "not a regular file"}
    assert Store(db).series_ids() == ("WALCL",)


def test_a_link_to_a_folder_is_named_and_not_followed(tmp_path: Path, db: Path) -> None:
    folder = tmp_path / "in"
    write(folder, "WALCL.csv", FRED)
    write(tmp_path, "elsewhere/SPY.csv", YAHOO)
    (folder / "more").symlink_to(tmp_path / "elsewhere")
    (folder / "loop").symlink_to(folder)
    done = take(folder, db)
    said = "a link to a folder is not followed; import that folder by its own path"
    assert done.parsed.skipped == {"more": said, "loop": said}
    assert Store(db).series_ids() == ("WALCL",)


def test_a_file_whose_folder_does_not_let_us_in_is_refused_and_the_good_go_in(
    tmp_path: Path, db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder can be listed but not entered, so the system does not say what its files are."""
    folder = tmp_path / "in"
    write(folder, "WALCL.csv", FRED)
    write(folder, "closed/SPY.csv", YAHOO)
    told = Path.stat

    def stat(self: Path, **named: Any) -> Any:
        if self.parent.name == "closed":
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return told(self, **named)

    monkeypatch.setattr(Path, "stat", stat)
    done = take(folder, db)
    said = "expected a readable file or folder, but the system says: Permission denied"
    assert done.refused == [f"closed/SPY.csv: {said}"]
    assert Store(db).series_ids() == ("WALCL",)
    with pytest.raises(DataError, match="the system says: Permission denied"):
        take(folder / "closed" / "SPY.csv", db)


def test_a_file_or_folder_that_cannot_be_read_is_refused(
    tmp_path: Path, db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "in"
    write(folder, "WALCL.csv", FRED)
    write(folder, "shut.csv", TABLE)
    write(folder, "closed/SPY.csv", YAHOO)
    scan, opened = os.scandir, Path.open

    def denied(name: object) -> PermissionError:
        return PermissionError(errno.EACCES, "Permission denied", str(name))

    def scandir(path: str) -> Any:
        if str(path).endswith("closed"):
            raise denied(path)
        return scan(path)

    def open_(self: Path, *given: Any, **named: Any) -> Any:
        if self.name == "shut.csv":
            raise denied(self)
        return opened(self, *given, **named)

    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(Path, "open", open_)
    done = take(folder, db)
    said = "expected a readable file or folder, but the system says: Permission denied"
    assert sorted(done.refused) == [f"closed: {said}", f"shut.csv: {said}"]
    assert list(done.parsed.files) == ["WALCL.csv"]


def test_a_pipe_and_a_device_are_not_read(tmp_path: Path, db: Path) -> None:
    folder = tmp_path / "in"
    write(folder, "WALCL.csv", FRED)
    os.mkfifo(folder / "pipe.csv")
    (folder / "zero.csv").symlink_to("/dev/zero")
    skipped = take(folder, db).parsed.skipped
    assert skipped == {"pipe.csv": "not a regular file", "zero.csv": "not a regular file"}
    for alone in (folder / "pipe.csv", Path("/dev/zero")):
        with pytest.raises(DataError, match="not a regular file"):
            take(alone, db)


@pytest.mark.parametrize("packed", [True, False])
def test_no_more_is_read_than_a_table_can_hold(
    tmp_path: Path, db: Path, packed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backtests.importing.files.MOST_BYTES", 2**20)
    bomb = b"Date,Close\n" + b"0" * 2**21
    path = tmp_path / "A.csv"
    path.write_bytes(gzip.compress(bomb) if packed else bomb)
    with pytest.raises(DataError, match="expected at most 1 MiB of text"):
        take(path, db)


def test_an_empty_path_is_not_the_working_folder(
    tmp_path: Path, db: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "WALCL.csv", FRED)
    monkeypatch.chdir(tmp_path)
    assert command(["import", "", "--store", str(db)]) == 2
    assert "was empty" in capsys.readouterr().err
    assert not db.exists()
    assert command(["import", ".", "--store", str(db)]) == 0


def test_the_command_ends_with_2_after_a_damaged_file(
    tmp_path: Path, db: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "in"
    write(folder, "WALCL.csv", FRED)
    (folder / "prices.csv.gz").write_bytes(DAMAGED["prices.csv.gz"])
    assert command(["import", str(folder), "--store", str(db)]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("error: prices.csv.gz: expected a whole gzip file")
    assert "1 file, 1 series: 2 rows new" in said.out


# --- files compared with stored values ----------------------------------------------------------

GDP = "observation_date,GDP\n2024-07-01,29511.664\n2024-10-01,29825.182\n"


@pytest.mark.parametrize(
    ("row", "day", "value", "before"),
    [
        ("2025-01-01,299.775", "2025-01-01", "299.775", "29825.2"),
        ("2024-10-01,298.25182", "2024-10-01", "298.252", "29511.7"),  # a revision
        ("2024-04-01,290.16714", "2024-07-01", "29511.7", "290.167"),  # an older date
    ],
)
def test_a_slipped_decimal_beside_what_is_held_is_refused(
    tmp_path: Path, db: Path, row: str, day: str, value: str, before: str
) -> None:
    take(write(tmp_path, "GDP.csv", GDP), db)
    write(tmp_path, "in/WALCL.csv", FRED)
    write(tmp_path, "in/GDP.csv", f"observation_date,GDP\n{row}\n")
    done = take(tmp_path / "in", db)
    assert done.refused == [
        f"expected GDP to change by at most a factor of 5, but on {day} the value was {value} "
        f"after {before}; the whole series was left out; if the value comes from a file, correct "
        "the file"
    ]
    assert list(values(db, "GDP").values()) == [29511.664, 29825.182]
    assert len(values(db, "WALCL")) == 2


def test_a_decimal_that_slipped_earlier_is_mended_by_a_right_file(tmp_path: Path, db: Path) -> None:
    take(write(tmp_path, "GDP.csv", "observation_date,GDP\n2024-10-01,298.25182\n"), db)
    done = take(write(tmp_path, "GDP.csv", GDP), db)
    assert (done.refused, done.new, done.revised) == ([], 1, 1)


# --- currency -----------------------------------------------------------------------------------


def test_the_currency_of_an_unknown_ticker_is_assumed_aloud(
    tmp_path: Path, db: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(write(tmp_path, "005930.KS.csv", "Date,Close\n2025-01-02,53400\n"))
    assert command(["import", path, "--store", str(db)]) == 0
    assert "005930.KS: USD assumed; confirm USD with --currency USD" in capsys.readouterr().out
    assert command(["import", path, "--store", str(db), "--currency", "USD"]) == 0
    assert "assumed" not in capsys.readouterr().out


def test_a_known_ticker_needs_no_currency(tmp_path: Path, db: Path) -> None:
    assert take(write(tmp_path, "MU.csv", YAHOO), db).assumed == []
    table = write(tmp_path, "t.csv", TABLE)
    assert take(table, db).assumed == ["XYZ"]
    assert take(table, db).assumed == [], "the second import of a file adds no row"


def test_another_currency_is_refused(
    tmp_path: Path, db: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(write(tmp_path, "005930.KS.csv", "Date,Close\n2025-01-02,53400\n"))
    assert command(["import", path, "--store", str(db), "--currency", "KRW"]) == 2
    assert "expected prices in USD, were in KRW" in capsys.readouterr().err
    assert not db.exists()


def test_an_import_prints_its_counts(tmp_path: Path, db: Path) -> None:
    done = import_path(write(tmp_path, "t.csv", TABLE), db, NOW)
    counted = f"{done.new:,} new, {done.revised:,} revised"
    assert repr(done).splitlines()[:2] == [
        f"Import of 1 file, {len(done.parsed.batches)} series",
        f"  rows  {counted}",
    ]


def test_the_currency_may_be_in_small_letters(tmp_path: Path, db: Path) -> None:
    done = import_path(write(tmp_path, "t.csv", TABLE), db, NOW, currency="usd")
    assert done.currency == "USD"
    assert done.assumed == []


# --- the moment of recording --------------------------------------------------------------------


def test_a_moment_of_recording_may_have_a_time_zone(tmp_path: Path, db: Path) -> None:
    path = write(tmp_path, "walcl.csv", FRED)
    import_path(path, db, NOW.tz_localize("America/New_York").tz_convert("UTC"))
    assert set(Store(db).rows(["WALCL"])["recorded_at"]) == {NOW}


@pytest.mark.parametrize("moment", ["2026-01-05", pd.NaT, 20260105])
def test_another_moment_of_recording_is_refused_without_blaming_the_file(
    tmp_path: Path, db: Path, moment: Any
) -> None:
    with pytest.raises(ConfigError, match="expected recorded_at as a Timestamp, was"):
        import_path(write(tmp_path, "walcl.csv", FRED), db, moment)
    assert not db.exists()


def test_a_day_that_has_not_closed_is_left_out(tmp_path: Path, db: Path) -> None:
    text = "Date,Close\n2026-01-02,1\n2026-01-05,2\n"  # NOW is noon of the second day
    done = take(write(tmp_path, "MU.csv", text), db)
    assert values(db, "MU") == {"2026-01-02": 1.0}
    assert done.parsed.batches[0].note == "2026-01-05 left out: the day had not closed"


def test_a_coin_of_the_utc_day_ahead_is_left_out_not_refused(tmp_path: Path, db: Path) -> None:
    path = write(tmp_path, "BTC-USD.csv", "Date,Close\n2026-01-04,1\n2026-01-05,2\n2026-01-06,3\n")
    import_path(path, db, recorded_at=pd.Timestamp("2026-01-05 20:00"))
    assert values(db, "BTC-USD") == {"2026-01-04": 1.0, "2026-01-05": 2.0}


def test_a_price_file_of_blanks_is_refused(tmp_path: Path, db: Path) -> None:
    take(write(tmp_path, "MU.csv", YAHOO), db)
    with pytest.raises(DataError, match="on sessions in the column Close, found none"):
        take(write(tmp_path, "MU.csv", "Date,Close\n2025-01-02,\n2025-01-03,\n"), db)
    assert values(db, "MU") == {"2025-01-02": 5.0, "2025-01-03": 5.5}


def test_two_vintages_of_one_moment_stay_in_order(tmp_path: Path, db: Path) -> None:
    take(write(tmp_path, "MU.csv", YAHOO), db)
    take(write(tmp_path, "MU.csv", YAHOO.replace("5.5", "5.6")), db)
    assert values(db, "MU") == {"2025-01-02": 5.0, "2025-01-03": 5.6}


def fact(**changes: object) -> str:
    """Return a companyconcept document with one fact. ``changes`` replaces some of its fields."""
    good = SEC["units"]["USD"][0]  # type: ignore[index]
    return json.dumps(SEC | {"units": {"USD": [good | changes]}})


def test_an_sec_amount_below_the_part_that_it_contains_is_refused(tmp_path: Path, db: Path) -> None:
    year = SEC["units"]["USD"][0]  # type: ignore[index]
    half = year | {"end": "2023-12-31", "val": 19_647_000_000, "filed": "2024-01-30"}
    in_thousands = year | {"val": 44_477_000}
    document = SEC | {"units": {"USD": [half, in_thousands]}}
    with pytest.raises(DataError) as caught:
        take(write(tmp_path, "x.json", json.dumps(document)), db)
    assert str(caught.value) == (
        "x.json: expected the amount from 2023-07-01 to 2024-06-30 to include the amount from "
        "2023-07-01 to 2023-12-31, but the amounts were 4.4477e+07 and 1.9647e+10; correct the "
        "amount that is in another unit"
    )
    may_fall = document | {"tag": "NetCashProvidedByUsedInOperatingActivities"}
    assert not take(write(tmp_path, "y.json", json.dumps(may_fall)), db).refused


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (json.dumps(SEC | {"cik": None}), "expected a company number in the field 'cik'"),
        (json.dumps(SEC | {"cik": [1]}), "expected a company number in the field 'cik'"),
        (json.dumps(SEC | {"units": {"USD": 5}}), "facts under units/USD, found none"),
        (
            json.dumps(SEC | {"units": {"USD": [None]}}),
            "fact 1: expected a number in the field 'val', and a string in the fields",
        ),
        (fact(end="2024-13-45"), "fact 1: expected a date like 2025-09-30, was '2024-13-45'"),
        (fact(filed="9999-12-31"), "end ≤ filed ≤ today"),
        (fact(filed="2024-01-30"), "start ≤ end ≤ filed ≤ today"),
        (fact(start="1800-01-01"), "start ≤ end ≤ filed ≤ today"),
        (fact(val=15441), "fact 1: expected USD in 1e+06 to 1e+13, was 15441"),
        (
            fact(val=True),
            "and a string in the fields 'end', 'filed' and 'accn', and in 'start' if given, was",
        ),
        (fact(val=float("inf")), "fact 1: expected USD"),
        ("{" * 50_000, "expected whole JSON"),
    ],
)
def test_hostile_sec_documents_are_refused(
    tmp_path: Path, db: Path, content: str, message: str
) -> None:
    with pytest.raises(DataError) as caught:
        take(write(tmp_path, "x.json", content), db)
    assert message in str(caught.value)
    assert not db.exists()


def test_one_hostile_file_does_not_keep_the_good_out(tmp_path: Path, db: Path) -> None:
    folder = tmp_path / "in"
    write(folder, "WALCL.csv", FRED)
    write(folder, "x.json", json.dumps(SEC | {"cik": None}))
    done = take(folder, db)
    assert len(done.refused) == 1
    assert Store(db).series_ids() == ("WALCL",)


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_any_line_ends_and_quoted_headers_are_read(tmp_path: Path, db: Path, ends: str) -> None:
    text = '\ufeff"Date","Close"\n"2025-01-02","10"\n'.replace("\n", ends)
    (tmp_path / "MU.CSV").write_bytes(text.encode())
    take(tmp_path / "MU.CSV", db)
    assert values(db, "MU") == {"2025-01-02": 10.0}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('Date,Close\n2025-01-02,"4\n5"\n2025-01-03,46\n', r"line 2: .* was '4\\n5'"),  # not 45
        ('Date,Close\n2025-01-02,"4\n2025-01-03,5\n', r"line 2: .* was '4\\n2025-01-03,5'"),
        ("\n \nDate,Close\n2025-01-02,x\n", "line 4: .* was 'x'"),
        ("\n \nDate,Close\n2025-01-02,4,4\n", "line 4: expected 2 cells, was 3"),
        ("\n \nDate,Close,Close\n2025-01-02,4,4\n", "line 3: expected each column once"),
        (f"Date,Close\n2025-01-02,{'x' * 999}\n", f"was '{'x' * 60}'; correct it"),
    ],
)
def test_a_message_names_the_line_of_the_file_and_shows_the_cell(
    tmp_path: Path, db: Path, content: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        take(write(tmp_path, "MU.csv", content), db)


@pytest.mark.parametrize("first", ["Date", "date", "session", ""])
def test_a_price_table_may_name_its_dates_as_pandas_does(
    tmp_path: Path, db: Path, first: str
) -> None:
    done = take(write(tmp_path, "prices.csv", TABLE.replace("Date", first)), db)
    assert done.parsed.files == {"prices.csv": 2}
    assert values(db, "SPY") == {"2025-01-02": 580.5, "2025-01-03": 587.0}
    assert values(db, "XYZ") == {"2025-01-03": 12.5}


def test_rates_of_coins_are_not_prices(tmp_path: Path, db: Path) -> None:
    """BTC is a share, too, but a file with the column ``date`` may contain funding rates."""
    with pytest.raises(DataError, match="unknown header: 'date,BTC'"):
        take(write(tmp_path, "rates.csv", "date,BTC\n2025-01-02,0.0001\n"), db)


def test_a_table_of_yfinance_with_several_headers_is_refused_with_the_cure(
    tmp_path: Path, db: Path
) -> None:
    text = "Price,Close,Volume\nTicker,SPY,SPY\nDate,,\n2025-01-02,580.5,9\n"
    with pytest.raises(DataError, match=r"yfinance .*\['Close'\]\.to_csv\('prices.csv'\)"):
        take(write(tmp_path, "SPY.csv", text), db)


def test_a_fred_series_outside_the_catalog_is_named_with_the_cure(tmp_path: Path, db: Path) -> None:
    text = "observation_date,UNRATE\n2025-01-01,4.0\n"
    cure = "not in the catalog: UNRATE; 'Add a series or a source' in CONTRIBUTING.md"
    with pytest.raises(DataError, match=cure):
        take(write(tmp_path, "UNRATE.csv", text), db)


def test_a_header_in_capitals_makes_no_tickers(tmp_path: Path, db: Path) -> None:
    """The file has the prices of SPY. OPEN and LOW are also tickers of other companies."""
    text = "Date,OPEN,HIGH,LOW,CLOSE\n2025-01-02,580,581,579,580\n"
    with pytest.raises(DataError, match="unknown header: 'Date,OPEN,HIGH,LOW,CLOSE'"):
        take(write(tmp_path, "SPY.csv", text), db)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("DGS10.csv", "Date,Close\n2025-01-02,4\n", "DGS10 is a series of the catalog"),
        ("t.csv", "Date,SPY,DGS10\n2025-01-02,500,4\n", "DGS10 is a series of the catalog"),
        ("A.csv", "Date,Close\n0001-01-02,4\n", "a date on or after 1900-01-01"),
        ("A.csv", "Date,Close\n2025-01-04,4\n", "expected prices on sessions"),
        ("annual.csv", "ticker,period_end\nMSFT,2024-06-30\n", "expected the column"),
    ],
)
def test_what_would_enter_as_something_else_is_refused(
    tmp_path: Path, db: Path, name: str, content: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        take(write(tmp_path, name, content), db)


def test_a_hollow_price_vintage_is_refused(tmp_path: Path, db: Path) -> None:
    days = [f"2025-01-{day:02},{100 + day}\n" for day in (2, 3, 6, 7, 8, 10, 13, 14)]
    take(write(tmp_path, "MU.csv", f"Date,Close\n{''.join(days)}"), db)
    done = take(write(tmp_path, "MU.csv", f"Date,Close\n{days[0]}{days[-1]}"), db)
    assert "6 are missing, the first on 2025-01-03" in done.refused[0]
    assert len(values(db, "MU")) == 8
