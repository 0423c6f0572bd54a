"""Price vintages in the store: new days extend a vintage, and revised closes make a new one."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from backtests.calendar import sessions
from backtests.history.panel import History
from backtests.store.append import JITTER
from backtests.store.batch import Batch, dated
from backtests.store.store import Store

DAYS = sessions(pd.Timestamp("2025-01-02"), pd.Timestamp("2025-03-31"))
CLOSES = pd.Series(100.0 * 1.01 ** np.arange(len(DAYS)), DAYS)
MONDAY = pd.Timestamp("2025-04-07 18:00")


def vintage(closes: pd.Series, ticker: str = "SPY") -> Batch:
    return dated(ticker, closes, "Yahoo", MONDAY)


def grown(path: Path, *vintages: pd.Series) -> tuple[Store, list[tuple[int, int]]]:
    """Add vintages a day apart; return the store and the reported changes of each vintage."""
    store, said = Store(path), []
    for n, closes in enumerate(vintages):
        (added,) = store.add([vintage(closes)], MONDAY + pd.Timedelta(days=n))
        assert added.refused == ""
        said.append((added.new, added.revised))
    return store, said


def stored(store: Store) -> int:
    return int(store.query("SELECT count(*) AS n FROM observations")["n"].iloc[0])


def seen(store: Store, as_of: pd.Timestamp | None = None) -> pd.Series:
    return History.load(store, ("SPY",), as_of=as_of).panel["SPY"].dropna()


def test_days_that_follow_extend_what_is_held(tmp_path: Path) -> None:
    store, said = grown(tmp_path / "s.duckdb", CLOSES[:40], CLOSES[:41], CLOSES)
    assert said == [(40, 0), (1, 0), (len(CLOSES) - 41, 0)]
    assert stored(store) == len(CLOSES)  # each close once
    pd.testing.assert_series_equal(seen(store), CLOSES, check_names=False, check_freq=False)


def test_an_extended_store_is_read_as_one_that_holds_the_vintage_whole(tmp_path: Path) -> None:
    extended, _ = grown(tmp_path / "a.duckdb", CLOSES[:40], CLOSES)
    whole, _ = grown(tmp_path / "b.duckdb", CLOSES)
    pd.testing.assert_series_equal(seen(extended), seen(whole))


def test_a_dividend_after_an_extension_is_a_new_vintage_and_no_old_close_is_seen(
    tmp_path: Path,
) -> None:
    paid = CLOSES.where(CLOSES.index > DAYS[45], CLOSES * 0.997)
    store, said = grown(tmp_path / "s.duckdb", CLOSES[:40], CLOSES[:50], paid)
    assert said[-1] == (len(CLOSES) - 50, 46)  # numbers of new days and of changed closes
    assert stored(store) == 50 + len(CLOSES)
    pd.testing.assert_series_equal(seen(store), paid, check_names=False, check_freq=False)


def test_and_the_new_vintage_is_extended_in_its_turn(tmp_path: Path) -> None:
    halved = CLOSES / 2
    store, said = grown(tmp_path / "s.duckdb", CLOSES[:40], halved[:45], halved)
    assert said == [(40, 0), (5, 40), (len(CLOSES) - 45, 0)]
    assert seen(store).pct_change().max() == pytest.approx(0.01)
    assert len(seen(store)) == len(CLOSES)


def test_the_store_as_it_was_shows_the_vintage_of_the_day_as_far_as_it_went(
    tmp_path: Path,
) -> None:
    store, _ = grown(tmp_path / "s.duckdb", CLOSES[:40], CLOSES[:50], CLOSES / 2)
    for days, expected in ((0, CLOSES[:40]), (1, CLOSES[:50]), (2, CLOSES / 2)):
        then = seen(store, as_of=MONDAY + pd.Timedelta(days=days)).loc[: DAYS[-1]]
        then = then[: len(expected)]
        pd.testing.assert_series_equal(then, expected, check_names=False, check_freq=False)
        assert then.index[-1] == expected.index[-1]


@pytest.mark.parametrize("earlier", [CLOSES[5:], CLOSES.drop(DAYS[20])], ids=["front", "middle"])
def test_older_days_that_come_late_are_a_new_vintage(tmp_path: Path, earlier: pd.Series) -> None:
    store, said = grown(tmp_path / "s.duckdb", earlier, CLOSES)
    assert said[-1] == (len(CLOSES) - len(earlier), 0)
    assert stored(store) == len(earlier) + len(CLOSES)
    pd.testing.assert_series_equal(seen(store), CLOSES, check_names=False, check_freq=False)


def test_the_last_bits_of_yahoos_single_precision_are_no_revision(tmp_path: Path) -> None:
    seven = pd.Series([71.69662475585938, 71.6966552734375, 71.69664764404297])
    assert seven.max() / seven.min() - 1 < JITTER
    rng = np.random.default_rng(1)
    noisy = CLOSES * (1 + rng.uniform(-0.5, 0.5, len(CLOSES)) * JITTER)
    store, said = grown(tmp_path / "s.duckdb", CLOSES[:-1], noisy)
    assert said[-1] == (1, 0)
    kept = pd.concat([CLOSES[:-1], noisy[-1:]])
    pd.testing.assert_series_equal(seen(store), kept, check_names=False, check_freq=False)


@pytest.mark.parametrize("change", [2e-6, -1e-4])
def test_what_moves_a_close_further_is_one(tmp_path: Path, change: float) -> None:
    """One change is the smallest dividend, one basis point. The other change is far smaller."""
    paid = CLOSES.where(CLOSES.index > DAYS[30], CLOSES * (1 + change))
    store, said = grown(tmp_path / "s.duckdb", CLOSES, paid)
    assert said[-1] == (0, 31)
    pd.testing.assert_series_equal(seen(store), paid, check_names=False, check_freq=False, rtol=0)


def test_days_of_a_coin_that_a_source_lacks_are_taken_over_as_held(tmp_path: Path) -> None:
    """Yahoo's prices of coins begin in 2014 or 2017 and lack some days. A coin has no splits."""
    days = pd.date_range("2025-01-01", "2025-03-31")
    held = pd.Series(100.0 + np.arange(len(days)), days)
    yahoo = (held * 1.001).drop(days[50])[20:]
    store = Store(tmp_path / "s.duckdb")
    store.add([vintage(held, "BTC-USD")], MONDAY)
    (added,) = store.add([vintage(yahoo, "BTC-USD")], MONDAY + pd.Timedelta(days=1))
    assert (added.refused, added.new, added.revised, added.kept) == ("", 0, len(yahoo), 21)
    kept = store.rows(["BTC-USD"]).set_index("observed_on")["value"]
    expected = held * 1.001
    expected[: days[19]] = held[: days[19]]
    expected.loc[days[50:51]] = held.loc[days[50:51]]
    pd.testing.assert_series_equal(kept, expected, check_names=False, check_freq=False)
    (again,) = store.add([vintage(yahoo, "BTC-USD")], MONDAY + pd.Timedelta(days=2))
    assert (again.new, again.revised) == (0, 0)


def test_a_short_fetch_of_a_coin_that_only_adds_days_copies_nothing(tmp_path: Path) -> None:
    days = pd.date_range("2025-01-01", "2025-03-31")
    closes = pd.Series(100.0 + np.arange(len(days)), days)
    store = Store(tmp_path / "s.duckdb")
    store.add([vintage(closes[:80], "BTC-USD")], MONDAY)
    (added,) = store.add([vintage(closes[70:], "BTC-USD")], MONDAY + pd.Timedelta(days=1))
    assert (added.new, added.revised, added.kept) == (len(days) - 80, 0, 0)
    assert stored(store) == len(days)


@pytest.mark.parametrize("ratio", [1 / 100, 100])
def test_days_of_a_coin_on_another_scale_than_those_held_are_refused(
    tmp_path: Path, ratio: float
) -> None:
    days = pd.date_range("2024-10-01", "2025-03-31")
    closes = pd.Series(100.0 + np.arange(len(days)), days)
    store = Store(tmp_path / "s.duckdb")
    store.add([vintage(closes[:"2024-12-31"], "BTC-USD")], MONDAY)
    other = vintage(closes["2025-01-01":] * ratio, "BTC-USD")
    (added,) = store.add([other], MONDAY + pd.Timedelta(days=1))
    assert (added.new, added.revised) == (0, 0)
    assert added.refused.startswith(
        "BTC-USD on 2025-01-01: expected closes without a sudden shift, but this close was "
    )
    assert (
        "import the whole history with all prices in the same unit; the whole series was left out"
        in added.refused
    )
    assert stored(store) == 92
    (added,) = store.add([vintage(closes * ratio, "BTC-USD")], MONDAY + pd.Timedelta(days=2))
    assert (added.refused, added.new) == ("", 90)  # the whole history in one unit is accepted


@pytest.mark.parametrize(
    "lacking",
    [DAYS[:1], DAYS[-1:], DAYS[10:16]],
    ids=["the first day", "the last day", "six days"],
)
def test_a_share_that_lacks_more_than_single_days_is_refused(
    tmp_path: Path, lacking: pd.DatetimeIndex
) -> None:
    store, _ = grown(tmp_path / "s.duckdb", CLOSES)
    shorter = (CLOSES / 2).drop(lacking)
    (added,) = store.add([vintage(shorter)], MONDAY + pd.Timedelta(days=1))
    assert f"{len(lacking)} are missing, the first on {lacking[0].date()}" in added.refused
    assert stored(store) == len(CLOSES)


def test_single_days_that_a_source_lacks_stay_as_held_on_the_vintages_scale(
    tmp_path: Path,
) -> None:
    """There is a split in between, so the copied prices of earlier days are halved, too."""
    halved = CLOSES.where(CLOSES.index > DAYS[40], CLOSES / 2)
    holes = DAYS[[10, 11, 39, 50]]
    store = Store(tmp_path / "s.duckdb")
    store.add([vintage(CLOSES)], MONDAY)
    (added,) = store.add([vintage(halved.drop(holes))], MONDAY + pd.Timedelta(days=1))
    assert (added.new, added.revised, added.kept) == (0, 41, 4)
    pd.testing.assert_series_equal(seen(store), halved, check_names=False, check_freq=False)


def test_of_a_day_at_which_the_scale_changes_it_is_taken_halfway(tmp_path: Path) -> None:
    paid = CLOSES.where(CLOSES.index > DAYS[20], CLOSES * 0.98)
    store = Store(tmp_path / "s.duckdb")
    store.add([vintage(CLOSES)], MONDAY)
    store.add([vintage(paid.drop(DAYS[20]))], MONDAY + pd.Timedelta(days=1))
    kept = seen(store)[DAYS[20]]
    assert kept == pytest.approx(CLOSES[DAYS[20]] * 0.98**0.5)


def test_a_hole_in_what_stands_otherwise_changes_nothing(tmp_path: Path) -> None:
    store, said = grown(tmp_path / "s.duckdb", CLOSES[:-1], CLOSES.drop(DAYS[20]))
    assert said[-1] == (1, 0)
    assert stored(store) == len(CLOSES)
    pd.testing.assert_series_equal(seen(store), CLOSES, check_names=False, check_freq=False)


def test_but_what_is_held_never_drifts_further_than_that(tmp_path: Path) -> None:
    """Each vintage is compared with the stored first vintage, not with the vintage before."""
    steps = [CLOSES * (1 + 0.6 * JITTER * n) for n in range(3)]
    _, said = grown(tmp_path / "s.duckdb", *steps)
    assert said == [(len(CLOSES), 0), (0, 0), (0, len(CLOSES))]
