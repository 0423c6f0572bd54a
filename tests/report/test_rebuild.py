"""A run's returns.csv can be rebuilt from the run's files, raw prices and the bill yield.

The tests do not use the engine. They read prices and yields from the source files, and their ledger
is plain Python.
"""

import bisect
import csv
import gzip
from collections.abc import Callable
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from backtests.config_data import config_from
from backtests.history.panel import History
from backtests.pipeline import read, run, run_on
from backtests.report.folder import flags_table
from backtests.runs import Run
from backtests.window import window
from strategies import STRATEGIES
from tests.reference import ledger

pytestmark = pytest.mark.usefixtures("evaluated_before")

START = "2015-01-01"
NO_BORROW: dict[str, float] = {}
FREE = {"etf_bp": 0, "stock_bp": 0, "crypto_bp": 0, "borrow_stock": 0, "borrow_crypto": 0}
CASES: dict[str, dict[str, Any]] = {
    "default": {},
    "without costs": {"costs": FREE},
    "without band": {"band": 0.0},
    "neither": {"costs": FREE, "band": 0.0},
    "lag of five": {"lag": 5},
}
#: Strategies that are rebuilt in every case: one with coins, one that sells short, one with many
#: assets, and one without the regime.
VARIED = ("near-cash-flow", "memory-over-crypto", "equal-weight", "trend")
WAYS = [
    (strategy, case)
    for strategy in STRATEGIES
    for case in CASES
    if strategy in VARIED or case == "default"
]


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
    """Return what bills earned since the previous session, from the file of DGS3MO."""
    with (history_dir / "fred" / "DGS3MO.csv").open() as lines:
        yields = [(date.fromisoformat(d), float(y)) for d, y in list(csv.reader(lines))[1:] if y]
    days = [day for day, _ in yields]
    earned = {}
    sessions = sorted(closes)
    for before, today in pairwise(sessions):
        newest = bisect.bisect_left(days, before) - 1  # dated earlier, so known at ``before``
        rate = (yields[newest][1] - 0.10) / 100
        earned[today] = (1 + rate / 2) ** (2 * (today - before).days / 365) - 1
    return earned


@pytest.fixture(scope="module")
def finished(history: History) -> Callable[..., Run]:
    """Return a function that runs a strategy with given settings; the history is read only once."""
    usual = config_from({"strategy": "spy", "start": START})
    reading = read(usual, history)
    index = window(usual, history, reading)

    def run_with(strategy: str, **settings: Any) -> Run:
        config = config_from({"strategy": strategy, "start": START} | settings)
        return run_on(config, history, reading, index)

    return run_with


def rebuilt(
    backtest: Run,
    closes: dict[date, dict[str, float]],
    bills: dict[date, float],
    borrow: dict[str, float] | None = None,
) -> list[float]:
    """Return daily returns, rebuilt from orders.

    If ``borrow`` is None, borrowing costs are those of the backtest's configuration.
    """
    start = backtest.result.equity.index[0].date()
    orders = [
        ledger.Order(o["date"].date(), o["asset"], o["units"], o["price"], o["cost"])
        for o in backtest.result.orders.to_dict("records")
    ]
    if borrow is None:
        borrow = {asset: backtest.config.costs.borrow(asset) for asset in backtest.strategy.assets}
    since = {day: prices for day, prices in sorted(closes.items()) if day >= start}
    _, returns = ledger.rebuild(orders, since, bills, 1_000_000.0, borrow)
    return returns


@pytest.mark.parametrize(("strategy", "case"), WAYS)
def test_returns_are_rebuilt_from_orders_prices_and_bills(
    finished: Callable[..., Run],
    closes: dict[date, dict[str, float]],
    bills: dict[date, float],
    strategy: str,
    case: str,
) -> None:
    backtest = finished(strategy, **CASES[case])
    table = backtest.returns
    assert rebuilt(backtest, closes, bills) == pytest.approx(list(table["strategy"]), abs=1e-9)
    assert [bills[day.date()] for day in table.index] == pytest.approx(
        list(table["bills"]), abs=1e-12
    )


@pytest.mark.parametrize("forgotten", ["bills", "borrowing"])
def test_a_planted_error_is_noticed(
    finished: Callable[..., Run],
    closes: dict[date, dict[str, float]],
    bills: dict[date, float],
    forgotten: str,
) -> None:
    backtest = finished("memory-over-crypto")
    if forgotten == "bills":
        wrong = rebuilt(backtest, closes, dict.fromkeys(bills, 0.0))
    else:
        wrong = rebuilt(backtest, closes, bills, NO_BORROW)
    assert wrong != pytest.approx(list(backtest.result.returns), abs=1e-9)


def test_orders_are_filled_at_the_closes_of_their_own_date(
    store: Path, closes: dict[date, dict[str, float]]
) -> None:
    finished = run(config_from({"strategy": "equal-weight", "store": store}))
    for order in finished.result.orders.to_dict("records"):
        close = closes[order["date"].date()][order["asset"]]
        assert order["price"] == pytest.approx(close, rel=1e-12)


def test_a_listing_in_mid_history_is_held_only_from_then(store: Path) -> None:
    finished = run(config_from({"strategy": "equal-weight", "store": store}))
    held = finished.result.weights["SNDK"]
    assert (held.loc[:"2025-02-13"] == 0).all()
    assert held.loc["2025-03-10":].gt(0).all()


def test_flags_are_read_on_the_whole_past_not_from_the_start(store: Path) -> None:
    early = run(config_from({"strategy": "spy", "store": store, "start": "2015-01-01"}))
    late = run(config_from({"strategy": "spy", "store": store, "start": "2025-01-02"}))
    assert flags_table(early).equals(flags_table(late))
