"""Events keep their dates, are not in the panel, end at ``until``, and change the digest."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtests.history.panel import History
from backtests.importing.import_path import import_path
from backtests.store.audit import check_store
from backtests.store.batch import is_event
from backtests.store.store import Store
from signals.errors import DataError

RECORDED = pd.Timestamp("2025-03-05 12:00")
RECORDED_LATER = pd.Timestamp("2025-03-17 13:00")
SPY = "Date,Close\n" + "".join(
    f"{day.date()},{500 + n}\n" for n, day in enumerate(pd.bdate_range("2025-02-24", "2025-03-14"))
)
DEALS = "issuer,announce,total_usd\nMeta,2025-02-25,30000000000\nMeta,2025-03-03,10000000000\n"
SURPRISES = "Date,STMT,PC,ME\n2025-01-29,0.01,,0.02\n2025-02-26,-0.03,0.01,-0.02\n"
PREMIUM = "observation_date,ACMTP10\n2025-02-25,0.50\n2025-02-26,0.60\n"

Load = Callable[..., History]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Import prices and some files in March 2025, and load what the store holds."""

    def load(**files: str) -> History:
        store = tmp_path / "store.duckdb"
        (tmp_path / "SPY.csv").write_text(SPY)
        import_path(tmp_path / "SPY.csv", store, recorded_at=pd.Timestamp("2025-03-17 12:00"))
        for name, text in files.items():
            (tmp_path / f"{name}.csv").write_text(text)
            import_path(tmp_path / f"{name}.csv", store, recorded_at=RECORDED_LATER)
        return History.load(store)

    return load


def by_date(values: pd.Series) -> dict[str, float]:
    return {str(day)[:10]: float(value) for day, value in values.items()}


def test_the_values_of_an_event_series_lie_on_the_dates_of_the_events(load: Load) -> None:
    events = load(deals=DEALS, surprises=SURPRISES).events
    assert by_date(events["BOND_DEAL_META"]) == {"2025-02-25": 30e9, "2025-03-03": 10e9}
    assert by_date(events["MPS_ST"]) == {"2025-01-29": 0.01, "2025-02-26": -0.03}
    assert by_date(events["MPS_PC"]) == {"2025-02-26": 0.01}


def test_an_event_is_in_no_panel_and_makes_no_session(load: Load) -> None:
    """The policy surprise of January is earlier than the first price, but adds no session."""
    history = load(deals=DEALS, surprises=SURPRISES)
    for frame in (history.panel, history.known, history.closes):
        assert not [id for id in frame.columns if is_event(id)]
        assert frame.index[0] == pd.Timestamp("2025-02-24")


def test_until_cuts_the_events_with_the_sessions(load: Load) -> None:
    history = load(deals=DEALS, surprises=SURPRISES).until("2025-02-28")
    assert by_date(history.events["BOND_DEAL_META"]) == {"2025-02-25": 30e9}
    assert len(history.events["MPS_ME"]) == 2
    assert not len(history.until("2025-02-24").events["BOND_DEAL_META"])


def test_the_newest_value_of_an_event_counts(load: Load) -> None:
    load(deals=DEALS)
    events = load(deals=DEALS.replace("03-03,10", "03-03,12")).events
    assert by_date(events["BOND_DEAL_META"]) == {"2025-02-25": 30e9, "2025-03-03": 12e9}


def test_events_alone_are_no_history(tmp_path: Path) -> None:
    (tmp_path / "deals.csv").write_text(DEALS)
    import_path(tmp_path / "deals.csv", tmp_path / "store.duckdb", recorded_at=RECORDED)
    with pytest.raises(DataError, match="at least one of the requested series"):
        History.load(tmp_path / "store.duckdb")


def test_a_later_event_does_not_lengthen_a_history_without_prices(tmp_path: Path) -> None:
    (tmp_path / "DGS10.csv").write_text("observation_date,DGS10\n2025-02-24,4.4\n2025-02-25,4.3\n")
    (tmp_path / "deals.csv").write_text(DEALS)
    import_path(tmp_path, tmp_path / "store.duckdb", recorded_at=RECORDED)
    history = History.load(tmp_path / "store.duckdb")
    assert history.panel.index[-1] == pd.Timestamp("2025-02-25")
    assert len(history.events["BOND_DEAL_META"]) == 2


# --- series that are known when recorded --------------------------------------------------------


def test_a_series_known_when_recorded_never_reaches_a_panel_before_the_recording(
    tmp_path: Path,
) -> None:
    store = tmp_path / "store.duckdb"
    for name, text, recorded in (
        ("SPY", SPY, "2025-03-17 12:00"),
        ("ACMTP10", PREMIUM, "2025-03-17 13:00"),
    ):
        (tmp_path / f"{name}.csv").write_text(text)
        import_path(tmp_path / f"{name}.csv", store, recorded_at=pd.Timestamp(recorded))
    premium = History.load(store).panel["ACMTP10"]
    assert premium.isna().all()  # the last session with prices is before the recording


def test_a_series_known_when_recorded_reaches_the_first_close_after_the_recording(
    tmp_path: Path,
) -> None:
    store = tmp_path / "store.duckdb"
    for name, text, recorded in (
        ("ACMTP10", PREMIUM, RECORDED),
        ("SPY", SPY, pd.Timestamp("2025-03-17 12:00")),
    ):
        (tmp_path / f"{name}.csv").write_text(text)
        import_path(tmp_path / f"{name}.csv", store, recorded_at=recorded)
    premium = History.load(store).panel["ACMTP10"]
    assert premium.loc[:"2025-03-04"].isna().all()
    assert premium["2025-03-05"] == 0.60  # recorded at noon of that day


# --- the digest ---------------------------------------------------------------------------------


def test_the_digest_covers_the_events(load: Load) -> None:
    history = load(deals=DEALS)
    deals = history.events["BOND_DEAL_META"]
    later = deals.set_axis(deals.index + pd.Timedelta(days=1))
    digests = {
        replace(history, events=events).digest()
        for events in (
            {"BOND_DEAL_META": deals},
            {"BOND_DEAL_META": deals + 1},
            {"BOND_DEAL_META": later},
            {"BOND_DEAL_ORCL": deals},
            {},
        )
    }
    assert len(digests) == 5


def test_a_series_without_any_event_does_not_change_the_digest(load: Load) -> None:
    history = load()
    empty = {"FOMC": pd.Series(np.array([]), index=pd.DatetimeIndex([]), dtype="float64")}
    assert replace(history, events=empty).digest() == replace(history, events={}).digest()


# --- the audit ----------------------------------------------------------------------------------


def test_the_audit_expects_no_next_event(tmp_path: Path) -> None:
    """The audit reports neither a gap between two deals a year apart, nor a series that ended."""
    store = Store(tmp_path / "store.duckdb")
    texts = {"deals": DEALS.replace("2025-02-25", "2024-02-27"), "SPY": SPY, "dates": BEFORE_OPEN}
    for name, text in texts.items():
        (tmp_path / f"{name}.csv").write_text(text)
        import_path(tmp_path / f"{name}.csv", store, recorded_at=pd.Timestamp("2025-03-17 12:00"))
    assert check_store(store, pd.Timestamp("2025-03-17")) == []


#: This release is known at the open of its date. A release without a time of day is known a day
#: later.
BEFORE_OPEN = "report_date,symbol,timing_second_source,timing_assumed\n2025-03-04,MSFT,BMO,\n"
