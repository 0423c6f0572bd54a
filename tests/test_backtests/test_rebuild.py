"""Anyone can rebuild a run: its files, raw prices and the bill yield give returns.csv again.

Nothing of the engine is used here: prices and yields are read from the source files, the ledger
is plain Python.
"""

import bisect
import csv
import gzip
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from backtests.config import config_from
from backtests.pipeline import run
from backtests.report.folder import flags_table, returns_table
from strategies import STRATEGIES
from tests.reference import ledger

BORROW_NOTHING: dict[str, float] = {}
FREE = {"etf_bp": 0, "stock_bp": 0, "crypto_bp": 0, "borrow_stock": 0, "borrow_crypto": 0}
CASES: dict[str, dict[str, Any]] = {
    "default": {},
    "without costs": {"costs": FREE},
    "without band": {"band": 0.0},
    "neither": {"costs": FREE, "band": 0.0},
    "lag of five": {"lag": 5},
}


@pytest.fixture(scope="module")
def closes(history_dir: Path) -> dict[date, dict[str, float]]:
    """Return closes by session and asset, from the source files."""
    with gzip.open(history_dir / "prices.csv.gz", "rt") as lines:
        table = {
            date.fromisoformat(row.pop("Date")): {k: float(v) for k, v in row.items() if v}
            for row in csv.DictReader(lines)
        }
    for coin in ("BTC-USD", "ETH-USD", "SOL-USD"):
        with (history_dir / "crypto" / f"{coin}.csv").open() as lines:
            for row in csv.DictReader(lines):
                day = date.fromisoformat(row["Date"])
                if day in table:
                    table[day][coin] = float(row["Close"])
    return table


@pytest.fixture(scope="module")
def bills(history_dir: Path, closes: dict[date, dict[str, float]]) -> dict[date, float]:
    """Return what bills earned into each session, from DGS3MO's own file."""
    with (history_dir / "fred" / "DGS3MO.csv").open() as lines:
        yields = [(date.fromisoformat(d), float(y)) for d, y in list(csv.reader(lines))[1:] if y]
    days = [day for day, _ in yields]
    earned = {}
    sessions = sorted(closes)
    for before, today in pairwise(sessions):
        newest = bisect.bisect_left(days, before) - 1  # dated before that session, so known there
        rate = (yields[newest][1] - 0.10) / 100
        earned[today] = (1 + rate / 2) ** (2 * (today - before).days / 365) - 1
    return earned


def rebuilt(
    finished: Any, closes: dict[date, dict[str, float]], bills: dict[date, float]
) -> list[float]:
    start = finished.result.equity.index[0].date()
    orders = [
        ledger.Order(o.date.date(), o.asset, o.units, o.price, o.cost)
        for o in finished.result.orders.itertuples()
    ]
    since = {day: prices for day, prices in sorted(closes.items()) if day >= start}
    _, returns = ledger.rebuild(orders, since, bills, 1_000_000.0, BORROW_NOTHING)
    return returns


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_returns_are_rebuilt_from_orders_prices_and_bills(
    store: Path,
    closes: dict[date, dict[str, float]],
    bills: dict[date, float],
    strategy: str,
    case: str,
) -> None:
    config = {"strategy": strategy, "store": store, "start": "2015-01-01"} | CASES[case]
    finished = run(config_from(config))
    table = returns_table(finished)
    assert rebuilt(finished, closes, bills) == pytest.approx(list(table["strategy"]), abs=1e-9)
    assert [bills[day.date()] for day in table.index] == pytest.approx(
        list(table["bills"]), abs=1e-12
    )


def test_a_planted_error_is_noticed(
    store: Path, closes: dict[date, dict[str, float]], bills: dict[date, float]
) -> None:
    config = {"strategy": "near-cash-flow", "store": store, "start": "2015-01-01"}
    finished = run(config_from(config))
    nothing = dict.fromkeys(bills, 0.0)
    assert rebuilt(finished, closes, nothing) != pytest.approx(
        list(finished.result.returns), abs=1e-9
    )


def test_orders_are_filled_at_the_closes_of_their_own_date(
    store: Path, closes: dict[date, dict[str, float]]
) -> None:
    finished = run(config_from({"strategy": "equal-weight", "store": store}))
    for order in finished.result.orders.itertuples():
        assert order.price == pytest.approx(closes[order.date.date()][order.asset], rel=1e-12)


def test_a_listing_in_mid_history_is_held_only_from_then(store: Path) -> None:
    finished = run(config_from({"strategy": "equal-weight", "store": store}))
    held = finished.result.weights["SNDK"]
    assert (held.loc[:"2025-02-13"] == 0).all()
    assert held.loc["2025-03-10":].gt(0).all()


def test_flags_are_read_on_the_whole_past_not_from_the_start(store: Path) -> None:
    early = run(config_from({"strategy": "spy", "store": store, "start": "2015-01-01"}))
    late = run(config_from({"strategy": "spy", "store": store, "start": "2025-01-02"}))
    assert flags_table(early).equals(flags_table(late))
