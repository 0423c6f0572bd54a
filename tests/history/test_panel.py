"""The panel is compared with values computed by hand from the files, and with small stores."""

import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import signals
from backtests.calendar import known_at
from backtests.history.known import as_known
from backtests.history.panel import History
from backtests.importing.import_path import Imported, import_path
from backtests.store.store import Store
from signals.catalog import CATALOG
from signals.errors import ConfigError
from tests.open_stores import keeping_open
from tests.reference import byhand

ASSETS = ("SPY", "MU", "SNDK", "META", "ARKK", "BIL", "BTC-USD", "ETH-USD", "SOL-USD")
SAME_DATE = ("BTC-USD@session", "ETH-USD@session", "SOL-USD@session")
NEVER_KNOWN = ("NFCI", "ANFCI", "STLFSI4")


# --- real history ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def everything(history_store: Path) -> History:
    """Return history with every series that the store holds."""
    return History.load(history_store, only=Store(history_store).series_ids())


@pytest.fixture(scope="module")
def held(history_store: Path) -> tuple[str, ...]:
    return Store(history_store).series_ids()


def cell(history: History, session: str | date, series_id: str) -> float | None:
    value = history.panel[series_id].loc[pd.Timestamp(session)]
    return None if np.isnan(value) else float(value)


def published(history_dir: Path, series_id: str, described: str) -> float:
    return dict(byhand.raw(history_dir, series_id))[date.fromisoformat(described)]


def random_pairs(held: tuple[str, ...], sessions: tuple[date, ...]) -> list[tuple[date, str]]:
    """Return 50 pairs: every FRED series once, then prices, coins and SEC figures."""
    rng = np.random.default_rng(20251231)
    fred = [id for id in held if id in CATALOG and CATALOG[id].source == "fred"]
    fred = [id for id in fred if id not in NEVER_KNOWN]
    sec = [id for id in held if "_TTM_" in id]
    drawn = [*fred, *ASSETS, *rng.choice(sec, 50 - len(fred) - len(ASSETS), replace=False)]
    days = [d for d in sessions if d.year >= 2012]
    return [(days[rng.integers(len(days))], str(id)) for id in drawn]


def test_fifty_random_cells_equal_the_value_by_hand(
    history_dir: Path, everything: History, held: tuple[str, ...]
) -> None:
    pairs = random_pairs(held, byhand.sessions(history_dir))
    assert len(pairs) == 50
    by_hand = [byhand.value_known(history_dir, id, day) for day, id in pairs]
    assert [cell(everything, day, id) for day, id in pairs] == by_hand
    assert sum(value is not None for value in by_hand) >= 35


def test_every_cell_equals_the_value_by_hand(
    history_dir: Path, everything: History, held: tuple[str, ...]
) -> None:
    sessions = pd.DatetimeIndex(byhand.sessions(history_dir))
    panel = everything.panel.loc[sessions[0] :]
    assert panel.index.equals(sessions.as_unit("us"))
    start = pd.Timestamp("2003-02-01")  # the values by hand begin in 2003
    for id in (*held, *SAME_DATE):
        by_hand = pd.Series(byhand.column(history_dir, id), index=panel.index, dtype="float64")
        pd.testing.assert_series_equal(
            panel[id].loc[start:],
            by_hand.loc[start:],
            check_exact=True,
            check_names=False,
            obj=id,
        )


@pytest.mark.parametrize(
    ("series_id", "session", "described"),
    [
        # H.4.1 comes on Thursday at 16:30, so Friday's close is the first to see it. If Thursday is
        # a holiday, Monday's close is the first.
        ("WALCL", "2024-11-21", "2024-11-13"),
        ("WALCL", "2024-11-22", "2024-11-20"),
        ("WALCL", "2024-11-29", "2024-11-20"),  # the day after Thanksgiving
        ("WALCL", "2024-12-02", "2024-11-27"),
        ("WALCL", "2025-06-20", "2025-06-11"),  # the day after Juneteenth
        ("WALCL", "2025-06-23", "2025-06-18"),
        ("WALCL", "2014-06-20", "2014-06-18"),  # no holiday yet
        ("WALCL", "2021-11-12", "2021-11-03"),  # Veterans Day, New York trades
        ("WALCL", "2021-11-15", "2021-11-10"),
        ("WALCL", "2014-12-26", "2014-12-17"),  # Christmas
        ("WALCL", "2014-12-29", "2014-12-24"),
        ("WALCL", "2015-01-02", "2014-12-24"),  # New Year's Day
        ("WALCL", "2015-01-05", "2014-12-31"),
        ("WRESBAL", "2019-07-05", "2019-06-26"),  # Independence Day
        ("WRESBAL", "2019-07-08", "2019-07-03"),
        # GDP is known 180 days after the first day of the quarter.
        ("GDP", "2013-06-28", "2012-10-01"),
        ("GDP", "2013-07-01", "2013-01-01"),
        ("GDP", "2025-06-27", "2024-10-01"),
        ("GDP", "2025-06-30", "2025-01-01"),
        ("GDP", "2025-12-26", "2025-04-01"),
        ("GDP", "2025-12-29", "2025-07-01"),
        ("M2SL", "2024-02-29", "2023-12-01"),
        ("M2SL", "2024-03-01", "2024-01-01"),
        # Most daily rates are known at the next session, some later.
        ("DGS10", "2024-01-16", "2024-01-12"),  # after a long weekend
        ("SOFR", "2024-01-16", "2024-01-12"),
        ("BAA10Y", "2024-01-16", "2024-01-11"),
        ("THREEFYTP10", "2024-01-16", "2024-01-04"),
        ("VIXCLS", "2024-01-17", "2024-01-16"),
        # On Columbus Day and Veterans Day, New York trades, but the New York Fed and FRED are
        # closed.
        ("EFFR", "2024-10-14", "2024-10-10"),
        ("EFFR", "2024-10-15", "2024-10-11"),
        ("SOFR", "2022-11-11", "2022-11-09"),
        ("SOFR", "2022-11-14", "2022-11-10"),
        ("EFFR", "2018-11-12", "2018-11-08"),  # Veterans Day on a Sunday, kept on Monday
        ("EFFR", "2023-11-10", "2023-11-09"),  # on a Saturday, not kept on Friday
        ("EFFR", "2023-11-13", "2023-11-10"),
        ("BAA10Y", "2024-10-15", "2024-10-10"),
        ("BAA10Y", "2024-10-16", "2024-10-11"),
        ("BAMLH0A0HYM2", "2024-10-15", "2024-10-14"),
        ("RRPONTSYD", "2024-10-14", "2024-10-11"),  # published on the day itself
        ("DGS10", "2024-10-14", "2024-10-11"),  # Treasury posts it the same evening
        ("SPY", "2024-01-16", "2024-01-16"),
        # A coin's UTC day ends after New York's close, so a session sees the day before.
        ("BTC-USD", "2024-06-03", "2024-06-02"),  # a Monday sees Sunday
        ("BTC-USD", "2024-06-04", "2024-06-03"),
        ("ETH-USD", "2024-01-16", "2024-01-15"),  # New York was closed on the 15th
        ("BTC-USD@session", "2024-06-03", "2024-05-31"),  # the last session's own date: Friday
        ("BTC-USD@session", "2024-06-04", "2024-06-03"),
        ("ETH-USD@session", "2024-01-16", "2024-01-12"),
        ("FUNDING_BTC", "2024-06-03", "2024-06-02"),
    ],
)
def test_a_session_sees(
    history_dir: Path, everything: History, series_id: str, session: str, described: str
) -> None:
    expected = published(history_dir, series_id, described)
    assert byhand.value_known(history_dir, series_id, date.fromisoformat(session)) == expected
    assert cell(everything, session, series_id) == expected


@pytest.mark.parametrize(
    ("series_id", "described", "known"),
    [
        ("EFFR", "2024-10-10", "2024-10-11"),
        ("EFFR", "2024-10-11", "2024-10-15"),  # Columbus Day
        ("SOFR", "2024-11-08", "2024-11-12"),  # Veterans Day
        ("SOFR", "2018-11-09", "2018-11-13"),  # Veterans Day, moved from a Sunday
        ("SOFR", "2023-11-09", "2023-11-10"),  # Veterans Day on a Saturday: open on Friday
        ("SOFR", "2021-06-17", "2021-06-18"),  # Juneteenth likewise
        ("BAA10Y", "1997-01-17", "1997-01-22"),  # New York traded on Martin Luther King Day
        ("BAA10Y", "1998-01-16", "1998-01-21"),  # and has been closed on it since 1998
        ("BAA10Y", "2024-10-11", "2024-10-16"),
        ("DGS10", "2024-10-11", "2024-10-14"),
        ("RRPONTSYD", "2024-10-11", "2024-10-14"),
    ],
)
def test_rates_are_known_when_their_publisher_is_open(
    series_id: str, described: str, known: str
) -> None:
    date = pd.DatetimeIndex([described])
    moment = known_at(CATALOG[series_id].known, date, pd.Timestamp("2026-01-02"))
    assert moment[0] == pd.Timestamp(f"{known} 09:30")


@pytest.mark.parametrize(
    ("series_id", "session", "billions"),
    [
        # Amazon first used its tag in 2018 and 2019. Earlier periods are known 45 days after their
        # end.
        ("CAPEX_TTM_AMZN", "2017-02-13", None),
        ("CAPEX_TTM_AMZN", "2017-02-14", 7.804),
        ("CAPEX_TTM_AMZN", "2018-08-13", 12.905),
        ("CAPEX_TTM_AMZN", "2018-08-14", 13.035),
        ("CAPEX_TTM_AMZN", "2018-10-26", 13.035),  # filed that Friday
        ("CAPEX_TTM_AMZN", "2018-10-29", 13.312),
        # Alphabet made its first filing under this name in October 2015.
        ("CAPEX_TTM_GOOGL", "2015-02-13", 7.358),
        ("CAPEX_TTM_GOOGL", "2015-02-17", 10.959),
        ("CAPEX_TTM_GOOGL", "2015-10-29", 10.959),
        ("CAPEX_TTM_GOOGL", "2015-10-30", 11.366),  # 7.815 + 10.959 − 7.408
        ("CAPEX_TTM_GOOGL", "2016-02-12", 9.915),
        ("CAPEX_TTM_YEAR_AGO_GOOGL", "2015-10-29", 7.358),
        ("CAPEX_TTM_YEAR_AGO_GOOGL", "2015-10-30", None),  # no quarters before 2014Q3
        ("CAPEX_TTM_YEAR_AGO_GOOGL", "2016-02-12", 10.959),
        # Microsoft's fiscal year ends in June: 30.604 + 28.107 − 19.164.
        ("CAPEX_TTM_MSFT", "2024-04-25", 35.202),
        ("CAPEX_TTM_MSFT", "2024-04-26", 39.547),
    ],
)
def test_a_session_sees_of_the_filings(
    history_dir: Path, everything: History, series_id: str, session: str, billions: float | None
) -> None:
    expected = None if billions is None else round(billions * 1e9)
    assert byhand.value_known(history_dir, series_id, date.fromisoformat(session)) == expected
    assert cell(everything, session, series_id) == expected


def test_reverse_repo_has_no_view_before_its_first_regular_operation(
    history_dir: Path, everything: History
) -> None:
    seen = everything.panel["RRPONTSYD"]
    assert byhand.raw(history_dir, "RRPONTSYD")[0][0] < date(2013, 9, 23)
    assert seen.loc[:"2013-09-23"].isna().all()
    assert seen.loc["2013-09-24"] == published(history_dir, "RRPONTSYD", "2013-09-23")
    known = everything.known["RRPONTSYD"].loc[pd.Timestamp("2013-09-24")]
    assert known.date() == date(2013, 9, 24)


def test_re_estimated_indices_are_never_seen_before_they_were_recorded(everything: History) -> None:
    assert everything.panel[list(NEVER_KNOWN)].isna().all(axis=None)


def test_closes_stand_on_their_own_date(history_dir: Path, everything: History) -> None:
    monday = pd.Timestamp("2024-06-03")
    assert everything.closes.at[monday, "BTC-USD"] == published(
        history_dir, "BTC-USD", "2024-06-03"
    )
    assert everything.panel.at[monday, "BTC-USD"] == published(history_dir, "BTC-USD", "2024-06-02")
    for id in ASSETS:
        raw = dict(byhand.raw(history_dir, id))
        expected = [raw.get(day.date(), np.nan) for day in everything.closes.index]
        np.testing.assert_array_equal(everything.closes[id].to_numpy(), expected)


def test_no_cell_was_known_after_its_session(everything: History) -> None:
    at_close = pd.DatetimeIndex(everything.panel.index) + pd.Timedelta(hours=16)
    assert (everything.known.notna() == everything.panel.notna()).all(axis=None)
    assert not everything.known.gt(pd.Series(at_close, everything.known.index), axis=0).any(
        axis=None
    )


def test_importing_real_history_again_adds_nothing(
    history_dir: Path, store: Path, tmp_path: Path
) -> None:
    again = Path(shutil.copy(store, tmp_path / "again.duckdb"))
    result = import_path(history_dir, again, recorded_at=pd.Timestamp("2026-02-02 09:00"))
    assert (result.new, result.revised) == (0, 0)


def test_a_price_times_seven_changes_no_flag(history: History) -> None:
    prices = [id for id in history.panel.columns if id.partition("@")[0] in history.closes]
    assert len(prices) > 80
    before = signals.read(history.panel)
    after = signals.read(history.panel.assign(**{id: 7 * history.panel[id] for id in prices}))
    pd.testing.assert_frame_equal(after.flags, before.flags)
    pd.testing.assert_series_equal(after.regime, before.regime)
    pd.testing.assert_frame_equal(after.scores, before.scores, rtol=1e-9)


# --- small stores ---------------------------------------------------------------------------


def table(name: str, values: pd.Series, label: str = "Date") -> str:
    """Return the text of a CSV file with one column of values; NaN becomes a blank."""
    cells = ("" if np.isnan(v) else repr(float(v)) for v in values)
    lines = (f"{day.date()},{cell}" for day, cell in zip(values.index, cells, strict=True))
    return "\n".join([f"{label},{name}", *lines, ""])


class Sources:
    """A folder of source files, and the store into which the tests import them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "sources"
        self.folder.mkdir()
        self.store = folder / "store.duckdb"

    def price(self, ticker: str, values: pd.Series) -> None:
        (self.folder / f"{ticker}.csv").write_text(table("Close", values))

    def fred(self, id: str, values: pd.Series | dict[str, float]) -> None:
        series = pd.Series(values, dtype="float64")
        series.index = pd.DatetimeIndex(series.index)
        (self.folder / f"{id}.csv").write_text(table(id, series, "observation_date"))

    def record(self, at: str) -> Imported:
        """Import the files that the folder holds at this time."""
        result = import_path(self.folder, self.store, recorded_at=pd.Timestamp(at))
        assert not result.parsed.refused
        return result

    def history(self, *ids: str) -> History:
        """Return the history of 2024; a simple SPY defines its sessions.

        SPY is imported into a copy of the store. In the store itself, this import in 2025 would
        change the dates of later recordings in 2024.
        """
        spy = self.folder.parent / "SPY.csv"
        spy.write_text(table("Close", walk("2024-01-02", "2024-12-31", start=470.0)))
        copy = Path(shutil.copy(self.store, self.store.with_name("copy.duckdb")))
        with keeping_open(Store(copy)):
            import_path(spy, copy, recorded_at=pd.Timestamp("2025-03-03 09:00"))
            return History.load(copy, only=["SPY", *ids])

    def seen(self, id: str) -> pd.Series:
        """Return the value of a series as known at each session."""
        return self.history(id).panel[id]


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    return Sources(tmp_path)


def walk(first: str, last: str, start: float, freq: str = "B") -> pd.Series:
    """Return a price that moves by less than 2 % a day."""
    days = pd.date_range(first, last, freq=freq)
    steps = np.random.default_rng(7).uniform(-0.02, 0.02, len(days))
    return pd.Series(start * np.cumprod(1 + steps), index=days)


def test_a_split_is_never_seen_as_a_fall(sources: Sources) -> None:
    whole = walk("2024-01-02", "2024-12-31", start=1200.0)
    sources.price("NVDA", whole.loc[:"2024-06-07"])
    sources.record("2024-06-07 18:00")
    sources.price("NVDA", whole / 10)
    assert sources.record("2024-12-31 18:00").revised == 110  # each close became a tenth

    history = sources.history("NVDA")
    for seen in (history.panel["NVDA"], history.closes["NVDA"]):
        assert seen.pct_change(fill_method=None).abs().max() <= 0.05
        expected = (whole / 10).reindex(seen.index)
        np.testing.assert_array_equal(seen, expected)


def test_an_earlier_vintage_alone_is_used_whole(sources: Sources) -> None:
    whole = walk("2024-01-02", "2024-12-31", start=1200.0)
    sources.price("NVDA", whole.loc[:"2024-06-07"])
    sources.record("2024-12-31 18:00")
    seen = sources.seen("NVDA")
    assert seen.loc["2024-06-07"] == whole.loc["2024-06-07"]
    assert seen.loc["2024-06-17"] == whole.loc["2024-06-07"]  # ten days old
    assert seen.loc["2024-06-18":].isna().all()


def test_revising_an_old_quarter_does_not_bring_it_back(sources: Sources) -> None:
    first = {"2023-04-01": 27000.0, "2023-07-01": 27500.0, "2023-10-01": 28000.0}
    sources.fred("GDP", first)
    sources.record("2024-04-15 12:00")
    before = sources.seen("GDP")
    sources.fred("GDP", {**first, "2023-04-01": 27123.0, "2023-07-01": 27623.0})
    result = sources.record("2024-09-26 12:00")
    assert (result.new, result.revised) == (0, 2)
    pd.testing.assert_series_equal(sources.seen("GDP"), before)
    assert before.loc["2024-03-29":"2024-09-27"].eq(28000.0).all()


@pytest.mark.parametrize(
    ("recorded_at", "first_seen"),
    [("2024-09-26 12:00", "2024-09-26"), ("2024-09-26 16:30", "2024-09-27")],
)
def test_a_revised_value_is_seen_once_recorded(
    sources: Sources, recorded_at: str, first_seen: str
) -> None:
    quarters = {"2023-10-01": 28000.0, "2024-01-01": 28300.0}
    sources.fred("GDP", quarters)
    sources.record("2024-04-15 12:00")
    sources.fred("GDP", {"2023-10-01": 28111.0, "2024-01-01": 28411.0})
    sources.record(recorded_at)
    gdp = sources.seen("GDP")
    sessions = gdp.index
    revised = sessions >= pd.Timestamp(first_seen)
    second_quarter_known = sessions >= pd.Timestamp("2024-06-29")
    assert gdp[second_quarter_known & ~revised].eq(28300.0).all()
    assert gdp[revised].eq(28411.0).all()
    assert not gdp.eq(28111.0).any()


def test_a_revision_before_publication_is_what_gets_published(sources: Sources) -> None:
    sources.fred("GDP", {"2024-01-01": 28300.0})
    sources.record("2024-04-26 12:00")
    sources.fred("GDP", {"2024-01-01": 28255.0})
    sources.record("2024-05-30 12:00")
    gdp = sources.seen("GDP")
    assert gdp.loc[:"2024-06-28"].isna().all()
    assert gdp.loc["2024-07-01":"2024-12-30"].eq(28255.0).all()


def test_a_value_that_returns_to_its_first_is_a_revision_too(sources: Sources) -> None:
    for at, value in (
        ("2024-07-01 12:00", 1.0),
        ("2024-08-01 12:00", 2.0),
        ("2024-09-03 12:00", 1.0),
    ):
        sources.fred("GDP", {"2024-01-01": 28000.0 + value})
        sources.record(at)
    gdp = sources.seen("GDP") - 28000
    assert gdp.loc["2024-07-01":"2024-07-31"].eq(1).all()
    assert gdp.loc["2024-08-01":"2024-08-30"].eq(2).all()
    assert gdp.loc["2024-09-03":"2024-12-30"].eq(1).all()


def test_importing_twice_adds_nothing(sources: Sources) -> None:
    sources.fred("GDP", {"2023-10-01": 28000.0, "2024-01-01": 28300.0})
    sources.fred("NFCI", {"2024-01-05": -0.5, "2024-01-12": -0.52})
    sources.fred("WALCL", {"2024-01-03": 7.68e6, "2024-01-10": 7.69e6})
    sources.price("BTC-USD", walk("2024-01-02", "2024-12-31", start=44000.0, freq="D"))
    assert sources.record("2025-01-02 09:00").new > 0
    rows = Store(sources.store).summary()
    for at in ("2025-01-02 09:00", "2025-02-03 09:00"):
        again = sources.record(at)
        assert (again.new, again.revised) == (0, 0)
    pd.testing.assert_frame_equal(Store(sources.store).summary(), rows)


def test_a_price_times_seven_changes_no_return(sources: Sources) -> None:
    whole = walk("2024-01-02", "2024-12-31", start=90.0)
    sources.price("MU", whole)
    sources.record("2025-01-02 09:00")
    before = sources.seen("MU").pct_change(fill_method=None)
    sources.price("MU", 7 * whole)
    sources.record("2025-01-03 09:00")
    after = sources.seen("MU").pct_change(fill_method=None)
    np.testing.assert_allclose(after, before, rtol=1e-9, atol=1e-14)


def test_a_re_estimated_index_is_seen_from_when_it_was_recorded(sources: Sources) -> None:
    fridays = pd.date_range("2023-12-01", "2024-01-26", freq="W-FRI")
    sources.fred("NFCI", pd.Series(-0.5 + 0.01 * np.arange(len(fridays)), index=fridays))
    sources.record("2024-02-01 10:00")
    nfci = sources.seen("NFCI")
    assert nfci.loc[:"2024-01-31"].isna().all()
    assert nfci.loc["2024-02-01"] == pytest.approx(-0.42)
    assert nfci.first_valid_index() == pd.Timestamp("2024-02-01")


@pytest.mark.parametrize("blank", ["", " ", "."])
def test_a_blank_is_not_zero(sources: Sources, blank: str) -> None:
    text = f"observation_date,RRPONTSYD\n2024-01-11,626.27\n2024-01-12,603.0\n2024-01-15,{blank}\n"
    (sources.folder / "RRPONTSYD.csv").write_text(text + "2024-01-16,0.0\n")
    sources.record("2025-01-02 09:00")
    seen = sources.seen("RRPONTSYD")
    assert seen.loc["2024-01-16"] == 603.0
    assert seen.loc["2024-01-17"] == 0.0  # a published zero counts as a value


@pytest.mark.parametrize(
    ("id", "last", "last_seen"),
    [
        pytest.param("DGS10", "2024-02-15", "2024-02-23", id="daily: 10 days"),
        pytest.param("WALCL", "2024-02-14", "2024-03-06", id="weekly: 21 days"),
        pytest.param("M2SL", "2024-02-01", "2024-06-10", id="monthly: 130 days"),
        pytest.param("GDP", "2023-07-01", "2024-06-28", id="quarterly: 365 days"),
        pytest.param("MU", "2024-02-15", "2024-02-23", id="share: 10 days"),
        pytest.param(
            "BTC-USD", "2024-02-15", "2024-02-16", id="coin: 4 days, of which 3 a weekend"
        ),
    ],
)
def test_a_series_that_ends_is_no_view_after_its_limit(
    sources: Sources, id: str, last: str, last_seen: str
) -> None:
    step = {"WALCL": "W-WED", "M2SL": "MS", "GDP": "QS", "BTC-USD": "D"}.get(id, "B")
    days = pd.date_range("2023-01-01", last, freq=step)
    level = {"WALCL": 7e6, "M2SL": 2e4, "GDP": 2.7e4}.get(id, 4.0)
    values = pd.Series(level + np.arange(len(days)) / 1000, index=days)
    (sources.fred if id in CATALOG else sources.price)(id, values)
    sources.record("2025-01-02 09:00")

    history = sources.history(id)
    seen = history.panel[id]
    assert seen.last_valid_index() == pd.Timestamp(last_seen)
    assert seen.loc[last_seen] == values.iloc[-1]
    assert seen.loc[seen.first_valid_index() : last_seen].notna().all()
    if id not in CATALOG:
        assert history.closes[id].last_valid_index() == pd.Timestamp(last)


def test_a_cash_flow_that_skips_a_quarter_ends_before_spending_does() -> None:
    """Cash flow ends first, so that old cash flow is never compared with new spending.

    Spending lasts longer, because it may be an annual figure.
    """
    index = pd.bdate_range("2024-01-02", "2025-12-31")
    first = pd.Timestamp("2024-03-31")
    rows = pd.DataFrame(
        {"observed_on": [first], "available_at": [pd.Timestamp("2024-05-02 09:30")], "value": 1e10}
    )
    last = {
        concept: index[~np.isnan(as_known(f"{concept}_TTM_MSFT", rows, index)[0])][-1]
        for concept in ("CAPEX", "OCF", "BUYBACKS", "DEBT_ISSUED", "LEASES")
    }
    assert last.pop("CAPEX") == pd.Timestamp("2025-07-04")
    assert set(last.values()) == {pd.Timestamp("2024-10-17")}


def test_nothing_is_filled_backwards(sources: Sources) -> None:
    sources.price("COIN", walk("2024-03-01", "2024-12-31", start=200.0))
    sources.fred("GDP", {"2024-01-01": 28300.0})
    sources.record("2025-01-02 09:00")
    panel = sources.history("COIN", "GDP").panel
    assert panel["COIN"].first_valid_index() == pd.Timestamp("2024-03-01")
    assert panel["GDP"].first_valid_index() == pd.Timestamp("2024-07-01")


def test_a_history_cannot_end_before_its_first_session() -> None:
    history = History.simulated(0, 2)
    first = history.panel.index[0]
    assert list(history.until(first).panel.index) == [first]
    with pytest.raises(ConfigError, match=f"of the history, {first.date()}, was 1980-01-01;"):
        history.until("1980-01-01")
