"""A history from a user's DataFrames equals that of a store; bad input is one line of error."""

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtests.economy import make_economy
from backtests.history.panel import History
from backtests.importing.import_path import import_path
from backtests.store.batch import is_event, is_price, rule_of
from signals.errors import ConfigError, DataError, DrypowderError, MissingSeries
from signals.universe import UNIVERSE, session_close_id

RECORDED = pd.Timestamp("2025-03-17 12:00")
DAYS = pd.date_range("2025-01-02", "2025-03-14")
SESSIONS = DAYS[(DAYS.day_of_week < 5) & ~DAYS.isin(pd.to_datetime(["2025-01-09", "2025-01-20"]))]
SESSIONS = SESSIONS[pd.Timestamp("2025-02-17") != SESSIONS]
WEDNESDAYS = DAYS[DAYS.day_of_week == 2]
VALUES = {
    "WALCL": pd.Series(6.7e6 + 1e3 * np.arange(len(WEDNESDAYS)), index=WEDNESDAYS),
    "DGS3MO": pd.Series(4.2 + 0.01 * np.arange(len(SESSIONS)), index=SESSIONS),
    "GDP": pd.Series([29000.0, 29500.0], index=pd.to_datetime(["2024-07-01", "2024-10-01"])),
}


def prices() -> pd.DataFrame:
    steps = np.arange(len(DAYS), dtype=float)
    table = pd.DataFrame({"SPY": 590 + steps, "OWN": 20 + steps, "BTC-USD": 9e4 + steps}, DAYS)
    table.loc[~DAYS.isin(SESSIONS), ["SPY", "OWN"]] = float("nan")
    return table


@pytest.fixture
def stored(tmp_path: Path) -> History:
    """Return a history of the same rows, imported as files into a store."""
    for ticker, closes in prices().items():
        text = closes.dropna().rename("Close").rename_axis("Date").to_csv(date_format="%Y-%m-%d")
        (tmp_path / f"{ticker}.csv").write_text(text)
    for id, values in VALUES.items():
        text = values.rename(id).rename_axis("observation_date").to_csv(date_format="%Y-%m-%d")
        (tmp_path / f"{id}.csv").write_text(text)
    store = tmp_path / "store.duckdb"
    assert import_path(tmp_path, store, recorded_at=RECORDED).refused == []
    return History.load(store)


def assert_equal(ours: History, theirs: History) -> None:
    for part in ("panel", "known", "closes", "withheld"):
        pd.testing.assert_frame_equal(
            getattr(ours, part), getattr(theirs, part), check_freq=False, obj=part
        )


# --- the panel ------------------------------------------------------------------------------------


def test_a_history_of_frames_equals_a_store_with_the_same_rows(stored: History) -> None:
    ours = History.from_frames(prices(), VALUES, known="catalog")
    assert_equal(ours, stored)
    assert ours.source == "frames"
    assert ours.panel["BTC-USD@session"].notna().any()


def test_stated_moments_give_the_panel_that_the_economy_gives() -> None:
    """Series and coins of the simulated economy, with the moments of publication that it states.

    Series that are known only when they are recorded are left out, and so are assets that are
    listed later.
    """
    rows = {
        id: part
        for id, part in make_economy(1, 3, thesis=True).rows().items()
        if not is_event(id)
        and len(part)
        and rule_of(id).kind != "recorded"
        and not (id in UNIVERSE and _listed_late(id, part))
    }
    dated = {id: part.set_index("observed_on")["value"] for id, part in rows.items()}
    table = pd.DataFrame({id: values for id, values in dated.items() if is_price(id)})
    series = {id: values for id, values in dated.items() if not is_price(id)}
    known = {id: rows[id].set_index("observed_on")["available_at"] for id in series}
    ours = History.from_frames(table, series, known)
    theirs = History.simulated(1, 3)
    coins = [session_close_id(str(ticker)) for ticker in table if str(ticker).endswith("-USD")]
    ids = [*series, *table, *coins]
    assert len(ids) > 150
    index = ours.panel.index.intersection(theirs.panel.index)
    pd.testing.assert_frame_equal(
        ours.panel.loc[index, ids], theirs.panel.loc[index, ids], check_freq=False
    )


def _listed_late(id: str, part: pd.DataFrame) -> bool:
    listed = UNIVERSE[id].listed
    return listed is not None and part["observed_on"].iloc[0] < pd.Timestamp(listed)


@pytest.mark.parametrize(
    ("known", "first"),
    [
        (pd.Timedelta(days=8), "2025-01-16"),  # Wednesday 8 January + 8 days
        (datetime.timedelta(days=11), "2025-01-21"),  # a Sunday, and Monday is a holiday
        (pd.Timedelta(days=8, hours=15), "2025-01-16"),  # before the close
        (pd.Timedelta(days=8, hours=17), "2025-01-17"),  # after the close
    ],
)
def test_a_lag_says_when_a_value_is_first_in_the_panel(known: Any, first: str) -> None:
    walcl = VALUES["WALCL"].iloc[:1]
    panel = History.from_frames(prices(), {"WALCL": walcl}, {"WALCL": known}).panel["WALCL"]
    assert panel.first_valid_index() == pd.Timestamp(first)


@pytest.mark.parametrize(
    ("stated", "first", "moment"),
    [
        ("2025-01-10", "2025-01-10", "2025-01-10 09:30"),
        ("2025-01-11", "2025-01-13", "2025-01-13 09:30"),
        ("2025-01-10 16:30", "2025-01-13", "2025-01-10 16:30"),
        ("2025-01-10 20:00+00:00", "2025-01-10", "2025-01-10 15:00"),
        ("2025-01-10 22:00+00:00", "2025-01-13", "2025-01-10 17:00"),
    ],
)
def test_a_stated_day_counts_from_the_open_and_a_moment_as_it_is(
    stated: str, first: str, moment: str
) -> None:
    walcl = VALUES["WALCL"].iloc[:1]
    known = pd.Series(pd.to_datetime([stated]), index=walcl.index)
    history = History.from_frames(prices(), {"WALCL": walcl}, {"WALCL": known})
    assert history.panel["WALCL"].first_valid_index() == pd.Timestamp(first)
    assert history.known["WALCL"].dropna().iloc[0] == pd.Timestamp(moment)


def test_a_value_published_late_does_not_replace_a_newer_one() -> None:
    """The value of 15 January is published after the value of 22 January, so it is never shown."""
    walcl = VALUES["WALCL"].iloc[:3]
    known = pd.Series(pd.to_datetime(["2025-01-09", "2025-02-10", "2025-01-23"]), walcl.index)
    panel = History.from_frames(prices(), {"WALCL": walcl}, {"WALCL": known}).panel["WALCL"]
    assert set(panel.loc["2025-01-09":"2025-01-22"]) == {walcl.iloc[0]}
    assert set(panel.loc["2025-01-23":"2025-02-12"]) == {walcl.iloc[2]}


def test_later_rows_change_no_earlier_session() -> None:
    whole = History.from_frames(prices(), VALUES, "catalog").panel
    cut = {id: values.loc[:"2025-02-14"] for id, values in VALUES.items()}
    early = History.from_frames(prices().loc[:"2025-02-14"], cut, "catalog").panel
    pd.testing.assert_frame_equal(early, whole.loc[early.index], check_freq=False)


# --- refusals -------------------------------------------------------------------------------------

WALCL = VALUES["WALCL"]
GIVEN: dict[str, Any] = {"prices": prices(), "series": {"WALCL": WALCL}, "known": "catalog"}


def spoiled(ticker: str, day: str, price: float) -> pd.DataFrame:
    table = prices()
    table.loc[day, ticker] = price
    return table


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (
            {"known": None},
            ConfigError,
            r"when the values of WALCL became known, was None.*16:30 on the Thursday after",
        ),
        ({"known": {"WALCL": 8}}, ConfigError, "was 8; .*a lag like pd.Timedelta"),
        ({"known": {"WALCL": pd.bdate_range("2025-01-01", "2026-01-01")}}, ConfigError, "was Date"),
        ({"known": {"WALCLL": "catalog"}}, ConfigError, "did you mean 'WALCL'"),
        ({"known": {"WALCL": pd.Timedelta(days=-1)}}, DataError, "the lag is -1 days"),
        ({"known": {"WALCL": pd.Timedelta(days=400)}}, DataError, "0 to 366 days after"),
        (
            {"known": {"WALCL": datetime.timedelta(days=10**8)}},
            DataError,
            "the lag is 100,000,000 days",
        ),
        ({"known": {"WALCL": datetime.timedelta.max}}, DataError, "0 to 366 days after"),
        (
            {"known": {"WALCL": pd.Series(pd.Timestamp("2026-06-01"), WALCL.index)}},
            DataError,
            "0 to 366 days after .*, but 2025-01-08 is known on 2026-06-01; correct",
        ),
        (
            {"known": {"WALCL": pd.Series(pd.Timestamp("2025-01-07"), WALCL.index)}},
            DataError,
            "0 to 366 days after .*, but 2025-01-08 is known on 2025-01-07; correct",
        ),
        (
            {"known": {"WALCL": pd.Series("03/04/2025", WALCL.index)}},  # March or April?
            DataError,
            "days or moments like 2025-10-06, was '03/04/2025'; convert",
        ),
        ({"known": {"WALCL": pd.Series("2025-03", WALCL.index)}}, DataError, "was '2025-03'"),
        (
            {"known": {"WALCL": WALCL.iloc[:3]}},
            DataError,
            "WALCL on 2025-01-29, found none; add the day",
        ),
        ({"series": {"WALCLL": WALCL}}, MissingSeries, "did you mean 'WALCL'"),
        ({"series": {"SPY": WALCL}}, MissingSeries, "prices of assets belong in `prices`"),
        ({"series": {"UNRATE": WALCL}}, MissingSeries, "'Add a series or a source' in CONTRIB"),
        ({"series": {"WALCL": WALCL / 1e6}}, DataError, "2025-01-08: expected.*another unit"),
        ({"series": {"WALCL": WALCL.tz_localize("UTC")}}, DataError, "the time zone UTC"),
        ({"series": {"WALCL": WALCL.iloc[[0, 0, 1]]}}, DataError, "2025-01-08 twice"),
        ({"series": {"WALCL": WALCL.iloc[::-1]}}, DataError, "sort_index"),
        ({"series": {"WALCL": WALCL.astype(str) + "x"}}, DataError, "expected numbers"),
        ({"series": {"WALCL": WALCL.tolist()}}, ConfigError, "expected a Series"),
        ({"series": WALCL.to_frame()}, ConfigError, "`series` as a mapping by catalog id"),
        ({"known": pd.Timedelta(days=1)}, ConfigError, "`known` as a mapping by catalog id"),
        ({"series": {"WALCL": WALCL.reset_index(drop=True)}}, DataError, "pd.to_datetime"),
        ({"series": {"CAPEX_TTM_MSFT": WALCL * 1e4}}, ConfigError, "filing dates of CAPEX"),
        ({"prices": prices()["SPY"]}, ConfigError, r"to_frame\('SPY'\)"),
        ({"prices": prices().rename(columns={"OWN": "GDP"})}, ConfigError, "in `series`"),
        ({"prices": prices().rename(columns={"OWN": "SPY"})}, ConfigError, "SPY twice"),
        ({"prices": prices().rename(columns={"OWN": 7})}, ConfigError, "was 7; rename it"),
        ({"prices": prices().tz_localize("UTC")}, DataError, "the time zone UTC"),
        ({"prices": prices().iloc[::-1]}, DataError, "sort_index"),
        ({"prices": spoiled("SPY", "2025-01-03", -1)}, DataError, "2025-01-03: expected a price"),
        ({"prices": spoiled("SPY", "2025-01-03", np.inf)}, DataError, "a finite number"),
        (
            {"prices": spoiled("SPY", "2025-01-09", 590)},
            DataError,
            "NYSE session, the first on 2025-01-09",
        ),
        ({"prices": prices().rename(columns={"OWN": "SNDK"})}, DataError, "before the listing"),
        ({"prices": prices()[["SPY"]] * np.nan}, DataError, "SPY"),
    ],
)
def test_wrong_frames_are_refused_in_one_line(
    change: dict[str, Any], error: type[DrypowderError], said: str
) -> None:
    with pytest.raises(error, match=said) as raised:
        History.from_frames(**{**GIVEN, **change})
    assert "\n" not in str(raised.value)
    assert "line " not in str(raised.value)
