"""The compiled simulation compared with vectorbt's record and with the ledger.

Each test gives one case to both simulations. Equity must agree to a relative 1e-12 at every close.
Exposure, the value traded and the costs of each session must agree to 1e-9. If one simulation
refuses a case, the other must refuse the case with the same message.
"""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from backtests.engine import loops, measures
from backtests.engine.batch import Variant
from backtests.engine.costs import Costs
from backtests.engine.kernel import AGREEMENT, Curves, check_agreement
from backtests.engine.many import simulate_many
from backtests.engine.simulate import Result
from backtests.history.panel import History
from signals.errors import SimulationError
from strategies import STRATEGIES
from tests.engine.cases import (
    ASSETS,
    COSTS,
    DEAR,
    FREE,
    SESSIONS,
    USUAL,
    Case,
    answer,
    any_case,
    cases_of,
    gap,
    market,
    steady,
)

EXACT = 1e-9
CLOSE = 1e-12


# --- Both simulations of a case --------------------------------------------------------------


def of_orders(result: Result, value: pd.Series) -> pd.Series:
    """Return, for each session, the sum of a value over its orders; 0 without an order."""
    return value.groupby(result.orders["date"]).sum().reindex(result.equity.index, fill_value=0.0)


def agree(case: Case) -> Curves:
    """Compare each compiled figure with the record, and return the compiled figures."""
    curves = case.curves()
    compare(curves, case.engine(), case.capital)
    return curves


def compare(curves: Curves, result: Result, capital: float) -> None:
    """Compare each compiled figure with the record."""
    assert gap(curves.equity, result.equity) < CLOSE
    for name in ("equity", "returns", "exposure", "bills"):
        ours, theirs = getattr(curves, name), getattr(result, name)
        pd.testing.assert_series_equal(ours, theirs, rtol=EXACT, atol=EXACT)
    value = result.orders["units"].abs() * result.orders["price"]
    traded = of_orders(result, value) / result.equity
    assert (curves.traded - traded).abs().max() < EXACT
    paid = of_orders(result, result.orders["cost"])
    assert (curves.costs - paid).abs().max() < EXACT * capital + 1e-6
    check_agreement(curves.equity, result, "the case")


def agree_or_refuse(case: Case) -> None:
    """Compare both simulations. If the portfolio is ruined, compare both error messages."""
    agree_with(answer(case.engine), case)


def agree_with(result: Result | str, case: Case) -> None:
    """Compare the compiled figures with a record, or both error messages."""
    curves = answer(case.curves)
    if isinstance(result, Result) and isinstance(curves, Curves):
        compare(curves, result, case.capital)
    else:
        assert curves == result


# --- Every strategy --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def on_simulated_history() -> dict[str, Case]:
    return cases_of(History.simulated(seed=0, years=6), "2021-10-11")


@pytest.mark.parametrize("costs", COSTS)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_on_real_history(
    on_real_history: dict[str, Case], strategy: str, costs: str
) -> None:
    agree(replace(on_real_history[strategy], costs=COSTS[costs]))


@pytest.mark.parametrize("lag", [1, 5])
@pytest.mark.parametrize("band", [0.0, 0.02])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_on_simulated_history(
    on_simulated_history: dict[str, Case], strategy: str, band: float, lag: int
) -> None:
    case = replace(on_simulated_history[strategy], band=band, lag=lag)
    curves = agree(case)
    if lag == 1:
        assert gap(curves.equity, case.ledger()[0]) < EXACT


# --- Any weights, prices and terms -----------------------------------------------------------


@settings(max_examples=40, deadline=None, derandomize=True)
@given(case=any_case())
def test_any_case(case: Case) -> None:
    agree_or_refuse(case)


@pytest.mark.parametrize(("share", "traded"), [(0.02, False), (0.0201, True)])
def test_a_decision_at_the_edge_of_the_band(share: float, traded: bool) -> None:
    prices, bills = market(5)
    case = Case(steady(prices, {"SPY": share}), prices, bills, band=0.02)
    assert agree(case).traded.any() == traded


def test_a_lost_holding_is_not_bought_again_by_a_waiting_decision() -> None:
    prices = pd.DataFrame({"MU": 100.0}, index=SESSIONS[:20])
    prices.iloc[5:11], prices.iloc[11:] = np.nan, 50.0
    bills = pd.Series(0.0, index=prices.index)
    weights = steady(prices, {"MU": 0.5}, {"MU": 0.8}, every=9).iloc[:2]
    traded = agree(Case(weights, prices, bills, lag=2)).traded
    assert list(traded.index[traded > 0]) == list(SESSIONS[[2, 10]])


def test_a_purchase_without_cash_is_not_held() -> None:
    """MU has no price when it should pay for NVDA, so the third decision stays within the band."""
    prices, bills = market(30)
    prices.loc[SESSIONS[11], "MU"] = np.nan
    begin, sold = {"SPY": 0.1, "MU": 0.6}, {"SPY": 0.3, "NVDA": 0.7}
    near = {"SPY": 0.37, "NVDA": 0.1, "MU": 0.53}
    weights = steady(prices, begin, sold, near, every=10)
    traded = agree(Case(weights, prices, bills, band=0.1)).traded
    assert (traded.iloc[12:] == 0).all()


@pytest.mark.parametrize("lag", [1, 3])
def test_a_short_that_drifts_beyond_the_limit_is_traded_back(lag: int) -> None:
    prices, bills = market()
    prices["BTC-USD"] = 100 * 1.003 ** np.arange(len(prices))
    case = Case(steady(prices, {"BTC-USD": -0.97}, every=200), prices, bills, lag=lag)
    curves = agree(case)
    assert (curves.traded > 0).sum() > 5
    assert gap(curves.equity, case.ledger()[0]) < EXACT


def test_equal_purchases_are_cut_in_the_order_of_their_columns() -> None:
    prices, bills = market()
    agree(Case(steady(prices, dict.fromkeys(ASSETS, 0.25)), prices, bills, DEAR))


@pytest.mark.parametrize("share", [0.2, 0.25])
def test_equal_purchases_beyond_the_cash_are_filled_in_the_order_of_their_columns(
    share: float,
) -> None:
    """Costs of half the value of a trade leave no cash for the purchases of the last columns."""
    prices, bills = market()
    costs = Costs(etf_bp=10, stock_bp=10, crypto_bp=10).times(500)
    agree(Case(steady(prices, dict.fromkeys(ASSETS, share), every=400), prices, bills, costs))


def test_equal_orders_on_flat_prices() -> None:
    """On flat prices every holding drifts alike, so many orders have exactly the same value."""
    prices, bills = market()
    prices[:] = 100.0
    rows = dict.fromkeys(ASSETS, 0.2), dict.fromkeys(ASSETS, 0.25), {"SPY": -0.5, "MU": 0.5}
    for lag in (1, 3):
        agree(Case(steady(prices, *rows), prices, bills, DEAR, lag=lag))


def test_a_small_remainder_of_cash_is_treated_as_vectorbt_treats_it() -> None:
    """Cash below 1e-9 of an order is dropped by vectorbt.

    Weights that are rounded to ten digits leave such cash.
    """
    prices, bills = market()
    rows = {"SPY": 1 - 4e-10}, {"MU": 1 - 4e-10}, {"SPY": 0.5, "MU": 0.5 - 2e-10}
    agree(Case(steady(prices, *rows, every=1), prices, bills, FREE))


def test_without_assets_or_decisions_all_is_cash() -> None:
    prices, bills = market()
    for weights in (pd.DataFrame(index=prices.index[:3]), pd.DataFrame(columns=["SPY"])):
        curves = agree(Case(weights, prices, bills))
        assert not curves.exposure.any()
        assert not curves.traded.any()


def test_costs_above_the_value_of_a_sale() -> None:
    prices, bills = market(30)
    case = Case(steady(prices, {"SPY": 0.9}, {"SPY": 0.5}), prices, bills)
    agree(replace(case, costs=Costs().times(6000)))  # costs are 120 % of the value traded


def test_each_loop_is_compiled_once_whatever_the_layout_of_the_input() -> None:
    """Otherwise, numba would compile again for each memory layout, which takes seconds."""
    prices, bills = market(30)
    frozen = prices.to_numpy(copy=True)
    frozen.flags.writeable = False
    shapes = [prices, prices[["SPY"]], prices[ASSETS[:0]], prices[ASSETS[::-1]], prices.T.copy().T]
    for shape in [*shapes, pd.DataFrame(frozen, index=prices.index, columns=ASSETS)]:
        weights = pd.DataFrame(0.2, index=prices.index[::5], columns=shape.columns)
        agree(Case(weights, shape, bills))
        agree(Case(-weights, shape, bills, lag=int(np.int64(2))))
        simulate_many([Variant(weights=weights, costs=USUAL)], shape, bills)
    signatures = [getattr(loop, "signatures") for loop in (loops.trade, measures.measure)]  # noqa: B009
    assert [len(each) for each in signatures] == [1, 1]


# --- What is refused -------------------------------------------------------------------------


BAD: dict[str, dict[str, Any]] = {
    "lag of at least 1": {"lag": 0},
    "band from 0 to below 1": {"band": 1.0},
    "capital above 0 USD": {"capital": 0.0},
    "sum of weights of at most 1": {"weights": lambda w: w * 0 + 0.3},
    "gross exposure of at most 1": {"weights": lambda w: w.assign(MU=-0.9)},
    "finite weight of MU": {"weights": lambda w: w.assign(MU=np.nan)},
    "weights as a DataFrame": {"weights": lambda w: w["SPY"]},
    "tickers as columns of weights": {"weights": lambda w: w.set_axis(range(4), axis=1)},
    "prices as a DataFrame": {"prices": lambda p: p["SPY"]},
    "prices of SNDK": {"weights": lambda w: w.assign(SNDK=0.0)},
    "prices on the session of every decision": {"weights": lambda w: w.shift(freq="3650D")},
    "prices above zero": {"prices": lambda p: p.assign(MU=0.0)},
    "expected numbers in bills": {"bills": lambda b: b.astype(str) + " %"},
    "bill yield": {"bills": lambda b: b.mask(b.index == SESSIONS[9])},
    "falls to zero or below": {
        "weights": lambda w: w * 0 - [0.0, 0.9, 0.0, 0.0],
        "prices": lambda p: p.assign(MU=np.where(p.index < SESSIONS[10], 100.0, 300.0)),
    },
}


@pytest.mark.parametrize("message", BAD)
def test_both_refuse_with_the_same_message(message: str) -> None:
    prices, bills = market()
    case = Case(steady(prices, {"SPY": 0.5, "MU": 0.2}, every=100), prices, bills)
    change = {k: v(getattr(case, k)) if callable(v) else v for k, v in BAD[message].items()}
    case = replace(case, **change)
    with pytest.raises(SimulationError, match=message) as record:
        case.engine()
    with pytest.raises(SimulationError) as compiled:
        case.curves()
    assert str(compiled.value) == str(record.value)


# --- The tests find planted errors -----------------------------------------------------------


PLANTED = {
    "a session later": lambda case: replace(case, lag=case.lag + 1),
    "another band": lambda case: replace(case, band=0.05),
    "no costs": lambda case: replace(case, costs=FREE),
    "no borrowing": lambda case: replace(
        case, costs=replace(case.costs, borrow_stock=0, borrow_crypto=0)
    ),
    "no bills": lambda case: replace(case, bills=case.bills * 0),
    "a weight slightly off": lambda case: replace(case, weights=case.weights * 0.99999),
    "a higher limit": lambda case: replace(case, gross_limit=1.5),
}


@pytest.mark.parametrize("error", PLANTED)
def test_a_planted_difference_fails_the_check(error: str) -> None:
    prices, bills = market()
    rows = {"SPY": 0.4, "MU": 0.2, "BTC-USD": -0.4}, {"SPY": 0.37, "MU": 0.23, "BTC-USD": -0.4}
    case = Case(steady(prices, *rows), prices, bills)
    agree(case)
    with pytest.raises(SimulationError, match="expected equity of the compiled simulation") as bad:
        check_agreement(PLANTED[error](case).curves().equity, case.engine(), "case")
    assert str(bad.value).startswith("case: ")
    assert "\n" not in str(bad.value)


@pytest.mark.parametrize(("off", "fails"), [(5e-10, False), (2e-9, True), (np.nan, True)])
def test_the_check_accepts_one_part_in_a_billion(off: float, fails: bool) -> None:
    assert AGREEMENT == 1e-9
    prices, bills = market()
    case = Case(steady(prices, {"SPY": 0.5}), prices, bills)
    result, moved = case.engine(), case.curves().equity.copy()
    moved.iloc[40] *= 1 + off
    if not fails:
        check_agreement(moved, result, "case")
        return
    with pytest.raises(SimulationError, match=f"first on {prices.index[40].date()}"):
        check_agreement(moved, result, "case")


def test_other_sessions_fail_the_check() -> None:
    prices, bills = market()
    case = Case(steady(prices, {"SPY": 0.5}), prices, bills)
    shorter = replace(case, prices=prices[:-1], weights=case.weights[: prices.index[-2]])
    with pytest.raises(SimulationError, match="first on"):
        check_agreement(shorter.curves().equity, case.engine(), "case")


# --- The stored loops ------------------------------------------------------------------------


SCRIPT = """
import pandas as pd
from backtests.engine import loops, measures
from backtests.engine.costs import Costs
from backtests.engine.batch import Variant
from backtests.engine.many import simulate_many
index = pd.bdate_range("2024-01-01", periods=5)
prices = pd.DataFrame({"SPY": 100.0}, index=index)
weights = pd.DataFrame({"SPY": [0.5]}, index=index[:1])
simulate_many([Variant(weights=weights, costs=Costs())], prices, pd.Series(0.0, index=index))
for loop in (loops.trade, measures.measure):
    print(sum(loop.stats.cache_hits.values()), sum(loop.stats.cache_misses.values()))
"""


def test_a_second_process_loads_the_stored_loops() -> None:
    def counts() -> list[str]:
        root = Path(__file__).resolve().parents[2]
        command = [sys.executable, "-c", SCRIPT]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    assert counts()[0] in ("1 0", "0 1")  # loaded, or compiled after a change of the loops
    assert counts() == ["1 0", "1 0"]
