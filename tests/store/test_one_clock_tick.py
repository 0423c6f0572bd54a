"""Values that are recorded at the same tick of the clock keep the order of their recording."""

from pathlib import Path

import pandas as pd

from backtests.store.batch import dated
from backtests.store.store import Store

TICK = pd.Timestamp("2025-04-07 18:00")
DAYS = pd.DatetimeIndex(["2025-04-02", "2025-04-03"])


def test_each_addition_has_a_moment_of_its_own(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.duckdb")
    for value in (1.0, 2.0, 1.0, 3.0):
        store.add([dated("DGS10", pd.Series(value, DAYS[:1]), "FRED", TICK)], TICK)
    rows = store.query("SELECT value, recorded_at FROM observations ORDER BY recorded_at")
    assert rows["value"].tolist() == [1.0, 2.0, 1.0, 3.0]
    assert rows["recorded_at"].is_unique
    assert (rows["recorded_at"] - TICK).max() < pd.Timedelta(seconds=1)


def test_of_two_price_vintages_the_reader_sees_the_second_alone(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.duckdb")
    for value in (100.0, 99.0):
        store.add([dated("SPY", pd.Series(value, DAYS), "Yahoo", TICK)], TICK)
    assert store.rows(["SPY"])["value"].tolist() == [99.0, 99.0]
