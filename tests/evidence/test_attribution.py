"""The attribution of a backtest's figures: the parts sum to the whole, and each part is right.

The parts are compared with a calculation by hand, and with a loop in plain Python. The loop uses
units and cash from the orders, but the module uses weights.
"""

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import signals
from backtests.calendar import sessions
from backtests.config_data import config_from
from backtests.engine.costs import Costs
from backtests.engine.simulate import Result, simulate
from backtests.evidence import attribution as module
from backtests.evidence import metrics
from backtests.evidence.attribution import Attribution, attribution
from backtests.history.panel import History
from backtests.pipeline import run
from backtests.runs import Run
from signals import Reading
from signals.errors import SimulationError
from signals.universe import asset
from strategies import STRATEGIES
from tests.engine.cases import FREE

pytestmark = pytest.mark.usefixtures("evaluated_before")

EXACT = 1e-9
COLUMNS = ["return", "volatility", "drawdown", "turnover", "cost"]
SESSIONS = sessions(pd.Timestamp("2020-12-29"), pd.Timestamp("2022-06-30"))
DEAR = Costs(etf_bp=50, stock_bp=100, crypto_bp=200, borrow_stock=0.3, borrow_crypto=1.0)

#: A result, closes, costs, the regime by session and the lag.
Case = tuple[Result, pd.DataFrame, Costs, pd.Series, int]
#: For each table and group: return, volatility, drawdown, turnover and cost.
Tables = dict[str, dict[Any, dict[str, float]]]


def tables(found: Attribution) -> dict[str, pd.DataFrame]:
    return {"regime": found.by_regime, "sleeve": found.by_sleeve, "year": found.by_year}


def off(found: Attribution) -> float:
    """Return the largest difference between the sum of the parts and the whole."""
    return max(float((table.sum() - found.total).abs().max()) for table in tables(found).values())


# --- Real history ----------------------------------------------------------------------------


def once(read: Callable[..., Reading]) -> Callable[..., Reading]:
    """Return the function ``read`` with a cache, so that each panel is read only once."""
    kept: dict[tuple[int, str], Reading] = {}

    def remembered(panel: pd.DataFrame, *how: object) -> Reading:
        key = id(panel), repr(how)
        if key not in kept:
            kept[key] = read(panel, *how)
        return kept[key]

    return remembered


@pytest.fixture(scope="module")
def backtest(store: Path, history: History) -> Iterator[Callable[[str], Run]]:
    """Return a function that runs a strategy on real history, and remembers the run."""
    done: dict[str, Run] = {}

    def finished(strategy: str) -> Run:
        if strategy not in done:
            config = {"strategy": strategy, "store": store, "start": "2015-01-01"}
            done[strategy] = run(config_from(config), history)
        return done[strategy]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signals, "read", once(signals.read))
        yield finished


def of(finished: Run) -> Attribution:
    config, history = finished.config, finished.history
    regime = finished.reading.regime
    return attribution(finished.result, history.closes, config.costs, regime, config.lag)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_sum_of_the_parts_is_the_whole(backtest: Callable[[str], Run], strategy: str) -> None:
    finished = backtest(strategy)
    found = of(finished)
    assert off(found) < EXACT
    for table in tables(found).values():
        assert list(table.columns) == COLUMNS
        assert table.notna().all(axis=None)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_whole_is_what_the_metrics_say(backtest: Callable[[str], Run], strategy: str) -> None:
    finished = backtest(strategy)
    returns = metrics.of_returns(finished.result.returns, finished.bills, finished.benchmark)
    trading = metrics.of_trading(finished.result)
    said = [returns[name] for name in ("total_return", "volatility", "max_drawdown")]
    said += [trading[name] for name in ("turnover", "costs")]
    assert list(of(finished).total.index) == COLUMNS
    assert list(of(finished).total) == pytest.approx(said, abs=EXACT)


def test_regimes_are_those_of_the_metrics(backtest: Callable[[str], Run]) -> None:
    finished = backtest("near-cash-flow")
    known = metrics.by_regime(
        finished.result.returns, finished.bills, finished.reading.regime, finished.benchmark, 1
    )
    assert list(of(finished).by_regime.index) == list(known.index)


def test_sleeves_are_those_held_and_cash(backtest: Callable[[str], Run]) -> None:
    held = of(backtest("near-cash-flow")).by_sleeve
    assert list(held.index) == ["memory", "defensive", "broad", "crypto", "cash"]
    assert list(of(backtest("cash-heavy")).by_sleeve.index) == ["broad", "cash"]
    assert [held[figure].loc["cash"] for figure in ("turnover", "cost")] == [0.0, 0.0]


def test_a_portfolio_without_orders_is_cash_alone(backtest: Callable[[str], Run]) -> None:
    found = of(backtest("bills"))
    assert list(found.by_sleeve.index) == ["cash"]
    assert list(found.by_sleeve.loc["cash"]) == pytest.approx(list(found.total), abs=EXACT)
    assert (found.by_year[["turnover", "cost"]] == 0).all(axis=None)


def test_earlier_prices_and_other_assets_make_no_difference(
    backtest: Callable[[str], Run],
) -> None:
    finished = backtest("near-cash-flow")
    index, assets = finished.result.equity.index, finished.result.weights.columns
    fewer = finished.history.closes.loc[index, list(assets[::-1])]
    regime = finished.reading.regime
    found = attribution(finished.result, fewer, finished.config.costs, regime, 1)
    pd.testing.assert_frame_equal(found.by_sleeve, of(finished).by_sleeve)


# --- By hand ---------------------------------------------------------------------------------


def small_case() -> Case:
    """Long SPY and short MU over the end of a year: four sessions, three of them with a return.

    With a lag of 1, the three returns belong to the regimes of 28, 29 and 30 December.
    """
    index = pd.DatetimeIndex(["2021-12-29", "2021-12-30", "2021-12-31", "2022-01-03"])
    closes = pd.DataFrame({"SPY": [100, 100, 110, 99.0], "MU": [50, 50, 40, 50.0]}, index=index)
    weights = pd.DataFrame({"SPY": [0.5], "MU": [-0.5]}, index=index[:1])
    bills = pd.Series([0, 0, 0.001, 0.001], index=index)
    costs = Costs(etf_bp=100, stock_bp=100, borrow_stock=0.365)  # borrowing: 0.1 % a day
    known = index.insert(0, pd.Timestamp("2021-12-28"))
    regime = pd.Series(["calm", None, "storm", "storm", "storm"], index=known, dtype=object)
    return simulate(weights, closes, bills, costs, capital=1000.0), closes, costs, regime, 1


# 30 December: SPY is bought and MU is sold for 500 each, at costs of 5 each. Equity is 990. 31
# December: SPY gains 50. The debt is 10.01 MU at 40, a gain of 99.6. Interest is 0.99. Equity is
# 1140.59. 3 January, three days later: SPY loses 55. The debt is 10.04003 MU at 50, a loss of
# 101.6015. Interest is 0.99099.
LAST = 984.97949
YEARS = 3 / 252
RETURNS = [-10 / 1000, 150.59 / 990, -155.61051 / 1140.59]
MEAN_EQUITY = (1000 + 990 + 1140.59 + LAST) / 4
BY_HAND = {
    "return": {
        "broad": (-5 + 50 - 55) / 1000,
        "memory": (-5 + 99.6 - 101.6015) / 1000,
        "cash": (0.99 + 0.99099) / 1000,
        "calm": -10 / 1000,
        "none": 150.59 / 1000,
        "storm": -155.61051 / 1000,
        2021: 140.59 / 1000,
        2022: -155.61051 / 1000,
    },
    "drawdown": {
        "broad": -55 / 1140.59,
        "memory": -101.6015 / 1140.59,
        "cash": 0.99099 / 1140.59,
        "calm": 0,
        "none": 0,
        "storm": -155.61051 / 1140.59,
        2021: 0,
        2022: -155.61051 / 1140.59,
    },
    "turnover": {
        "broad": 500 / 990 / 2 / YEARS,
        "memory": 500 / 990 / 2 / YEARS,
        "cash": 0,
        "calm": 1000 / 990 / 2 / YEARS,
        "none": 0,
        "storm": 0,
        2021: 1000 / 990 / 2 / YEARS,
        2022: 0,
    },
    "cost": {
        "broad": 5 / MEAN_EQUITY / YEARS,
        "memory": 5 / MEAN_EQUITY / YEARS,
        "cash": 0,
        "calm": 10 / MEAN_EQUITY / YEARS,
        "none": 0,
        "storm": 0,
        2021: 10 / MEAN_EQUITY / YEARS,
        2022: 0,
    },
}
CONTRIBUTIONS = {
    "broad": [-5 / 1000, 50 / 990, -55 / 1140.59],
    "memory": [-5 / 1000, 99.6 / 990, -101.6015 / 1140.59],
    "cash": [0, 0.99 / 990, 0.99099 / 1140.59],
}
GROUPS = {"calm": [0], "none": [1], "storm": [2], 2021: [0, 1], 2022: [2]}
SIGMA = statistics.stdev(RETURNS)
SQUARES = [(r - statistics.mean(RETURNS)) ** 2 for r in RETURNS]
BY_HAND["volatility"] = {
    sleeve: statistics.covariance(parts, RETURNS) / SIGMA * math.sqrt(252)
    for sleeve, parts in CONTRIBUTIONS.items()
} | {
    group: sum(SQUARES[i] for i in mine) / sum(SQUARES) * SIGMA * math.sqrt(252)
    for group, mine in GROUPS.items()
}


@pytest.mark.parametrize("column", COLUMNS)
def test_a_small_case_agrees_with_a_calculation_by_hand(column: str) -> None:
    found = attribution(*small_case())
    parts = {
        group: value for table in tables(found).values() for group, value in table[column].items()
    }
    assert parts == pytest.approx(BY_HAND[column], abs=1e-12)


def test_the_total_of_a_small_case_agrees_with_a_calculation_by_hand() -> None:
    total = attribution(*small_case()).total
    assert total["return"] == pytest.approx(LAST / 1000 - 1, abs=1e-12)
    assert total["volatility"] == pytest.approx(SIGMA * math.sqrt(252), abs=1e-12)
    assert total["drawdown"] == pytest.approx(LAST / 1140.59 - 1, abs=1e-12)
    assert total["turnover"] == pytest.approx(1000 / 990 / 2 / YEARS, abs=1e-12)
    assert total["cost"] == pytest.approx(10 / MEAN_EQUITY / YEARS, abs=1e-12)


# --- Random portfolios, long and short -------------------------------------------------------

MIXED = ["SPY", "MU", "BTC-USD", "NVDA", "UNKNOWN"]
SIDES = np.array([-1, 1, -1, 1, 1])


def random_case(seed: int, *, flips: bool, costs: Costs = DEAR, n: int = 300, lag: int = 1) -> Case:
    """Return random long and short weights on prices with gaps, a listing and a delisting."""
    random = np.random.default_rng(seed)
    index = SESSIONS[:n]
    steps = random.normal(0.0003, 0.02, (n, len(MIXED)))
    closes = pd.DataFrame(80 * np.exp(steps.cumsum(axis=0)), index=index, columns=MIXED)
    closes = closes.mask(random.random(closes.shape) < 0.02)  # gaps
    closes.loc[index[: n // 10], "NVDA"] = np.nan  # listed later
    closes.loc[index[n // 2 :], "UNKNOWN"] = np.nan  # delisted
    decided = index[::7]
    sizes = random.dirichlet(np.ones(len(MIXED)), len(decided))
    sides = random.choice([-1, 1], sizes.shape) if flips else SIDES
    weights = pd.DataFrame(sizes * sides, index=decided, columns=MIXED)
    bills = pd.Series(random.uniform(-1e-4, 4e-4, n), index=index)
    names = np.array(["calm", "storm", None], dtype=object)[random.integers(0, 3, n // 10)]
    regime = pd.Series(np.repeat(names, 10), index=index)
    return simulate(weights, closes, bills, costs, lag), closes, costs, regime, lag


@pytest.mark.parametrize("flips", [True, False])
@pytest.mark.parametrize("seed", range(6))
def test_the_sums_hold_for_random_portfolios_long_and_short(seed: int, flips: bool) -> None:
    case = random_case(seed, flips=flips)
    result = case[0]
    assert (result.weights < -0.05).any(axis=None)
    assert any("closed at its last price" in note for note in result.notes)
    found = attribution(*case)
    assert off(found) < EXACT
    assert list(found.by_year.index) == [2020, 2021, 2022]
    assert set(found.by_regime.index) == {"calm", "storm", "none"}
    assert "other" in found.by_sleeve.index


def test_both_sides_of_one_asset_are_told_apart() -> None:
    """The cash is too small for the whole purchase that closes a short.

    So the short side stays partly open, next to a new long side, and still pays borrowing costs.
    """
    index = SESSIONS[:12]
    closes = pd.DataFrame(100.0, index=index, columns=["SPY", "MU"])
    weights = pd.DataFrame({"SPY": [0, 0.6], "MU": [-1, 0.4]}, index=index[[0, 3]])
    result = simulate(weights, closes, pd.Series(1e-4, index=index), DEAR)
    regime = pd.Series("calm", index=index)
    assert (result.weights["MU"].iloc[5:] > 0).all()
    assert off(attribution(result, closes, DEAR, regime, 1)) < EXACT
    with pytest.raises(SimulationError, match="USD on 2021-01-06"):
        attribution(replace(result, owed=result.weights.clip(upper=0)), closes, DEAR, regime, 1)


# --- A loop in plain Python ------------------------------------------------------------------


def earned_under(regime: pd.Series, lag: int) -> dict[pd.Timestamp, str]:
    """Return, for each session, the regime at the time of the decision behind its return."""
    labels = ["none" if pd.isna(label) else str(label) for label in regime]
    known = ["none"] * (lag + 1) + labels
    return dict(zip(regime.index, known, strict=False))


def split(
    result: Result, closes: pd.DataFrame, costs: Costs, regime: pd.Series, lag: int
) -> list[dict[str, Any]]:
    """Return a dict for each session: labels, and profit, traded value and cost of each sleeve."""
    rows: list[dict[str, Any]] = []
    units: defaultdict[str, float] = defaultdict(float)
    price: dict[str, float] = {}
    cash = float(result.equity.iloc[0])
    days = list(result.equity.index)
    orders = defaultdict(list)
    for order in result.orders.to_dict("records"):
        orders[order["date"]].append(order)
    closed = {
        day: dict(zip(closes.columns, row, strict=True))
        for day, row in zip(closes.index, closes.to_numpy().tolist(), strict=True)
    }
    under = earned_under(regime, lag)
    for before, day in zip([None, *days], days, strict=False):
        old = dict(price)
        price |= {a: p for a, p in closed[day].items() if not math.isnan(p)}
        if before is None:
            continue
        earned = cash * result.bills[day]
        profit: defaultdict[str, float] = defaultdict(float, cash=earned)
        traded: defaultdict[str, float] = defaultdict(float)
        cost: defaultdict[str, float] = defaultdict(float)
        cash += earned
        for name, held in units.items():
            if held != 0:
                years = (day - before).days / 365
                growth = costs.borrow(name) * years if held < 0 else 0.0
                after = held * (1 + growth)
                profit[asset(name).asset_class] += after * price[name] - held * old[name]
                units[name] = after
        for order in orders[day]:
            sleeve = asset(order["asset"]).asset_class
            cash -= order["units"] * order["price"] + order["cost"]
            units[order["asset"]] += order["units"]
            profit[sleeve] -= order["cost"]
            cost[sleeve] += order["cost"]
            traded[sleeve] += abs(order["units"]) * order["price"]
        value = cash + sum(held * price[name] for name, held in units.items() if held)
        rows.append({
            "day": day, "year": day.year, "regime": under[day],
            "profit": profit, "traded": traded, "cost": cost, "equity": value,
        })  # fmt: skip
    return rows


def deepest(values: list[float]) -> tuple[int, int]:
    """Return peak and trough of the deepest fall, by a loop over all closes."""
    best, top, span = 0.0, 0, (0, 0)
    for at, value in enumerate(values):
        top = at if value > values[top] else top
        if value / values[top] - 1 < best:
            best, span = value / values[top] - 1, (top, at)
    return span


def looped(
    result: Result, closes: pd.DataFrame, costs: Costs, regime: pd.Series, lag: int
) -> Tables:
    """Return all tables of an attribution as dicts, from plain sums over the sessions."""
    rows = split(result, closes, costs, regime, lag)
    equity = [float(result.equity.iloc[0]), *(row["equity"] for row in rows)]
    returns = [b / a - 1 for a, b in pairwise(equity)]
    years, mean_equity = len(rows) / 252, statistics.fmean(equity)
    peak, trough = deepest(equity)
    sigma, mean = statistics.stdev(returns), statistics.fmean(returns)
    squares = sum((r - mean) ** 2 for r in returns)
    sleeves = {sleeve for row in rows for sleeve in row["profit"]}
    averages = {
        s: statistics.fmean(row["profit"][s] / equity[i] for i, row in enumerate(rows))
        for s in sleeves
    }
    out: Tables = {
        k: defaultdict(lambda: dict.fromkeys(COLUMNS, 0.0)) for k in ("regime", "sleeve", "year")
    }
    for i, row in enumerate(rows):
        for sleeve in sleeves:
            profit = row["profit"][sleeve]
            part = {
                "return": profit / equity[0],
                "drawdown": profit / equity[peak] if peak <= i < trough else 0.0,
                "turnover": row["traded"][sleeve] / row["equity"] / 2 / years,
                "cost": row["cost"][sleeve] / mean_equity / years,
            }
            deviation = profit / equity[i] - averages[sleeve]
            together = deviation * (returns[i] - mean) / (len(rows) - 1) / sigma
            for table, group in (
                ("sleeve", sleeve),
                ("regime", row["regime"]),
                ("year", row["year"]),
            ):
                for name, value in part.items():
                    out[table][group][name] += value
                if table == "sleeve":
                    out[table][group]["volatility"] += together * math.sqrt(252)
        for table in ("regime", "year"):
            share = (returns[i] - mean) ** 2 / squares
            out[table][row[table]]["volatility"] += share * sigma * math.sqrt(252)
    return out


def assert_same(found: Attribution, expected: Tables) -> None:
    for name, table in tables(found).items():
        assert set(table.index) == set(expected[name])
        for group, row in expected[name].items():
            assert table.loc[group].to_dict() == pytest.approx(row, abs=EXACT), (name, group)


@pytest.mark.parametrize(("seed", "lag"), [(0, 1), (1, 2), (2, 5)])
def test_a_loop_over_units_and_cash_agrees_on_longs_and_shorts(seed: int, lag: int) -> None:
    case = random_case(seed, flips=False, lag=lag)
    assert_same(attribution(*case), looped(*case))


def test_a_loop_over_units_and_cash_agrees_on_real_history(
    backtest: Callable[[str], Run],
) -> None:
    finished = backtest("near-cash-flow")
    index, assets = finished.result.equity.index, list(finished.result.weights.columns)
    closes = finished.history.closes.loc[index, assets]
    costs, regime = finished.config.costs, finished.reading.regime
    assert_same(of(finished), looped(finished.result, closes, costs, regime, 1))


# --- Planted errors --------------------------------------------------------------------------


def without_costs(case: Case) -> Case:
    result, closes, costs, regime, lag = case
    return replace(result, orders=result.orders.assign(cost=0.0)), closes, costs, regime, lag


def weights_a_day_late(case: Case) -> Case:
    result, closes, costs, regime, lag = case
    return replace(result, weights=result.weights.shift(1).fillna(0.0)), closes, costs, regime, lag


def without_interest(case: Case) -> Case:
    result, closes, costs, regime, lag = case
    return replace(result, bills=result.bills * 0.0), closes, costs, regime, lag


def without_borrowing(case: Case) -> Case:
    result, closes, _, regime, lag = case
    return result, closes, FREE, regime, lag


def prices_a_day_late(case: Case) -> Case:
    result, closes, costs, regime, lag = case
    return result, closes.shift(1).bfill(), costs, regime, lag


def an_asset_without_prices(case: Case) -> Case:
    result, closes, costs, regime, lag = case
    return result, closes.drop(columns="MU"), costs, regime, lag


def half_of_history(case: Case) -> Case:
    result, closes, costs, regime, lag = case
    return result, closes.iloc[len(closes) // 2 :], costs, regime, lag


PLANTED = [
    without_costs,
    weights_a_day_late,
    without_interest,
    without_borrowing,
    prices_a_day_late,
    an_asset_without_prices,
    half_of_history,
]


@pytest.mark.parametrize("spoil", PLANTED, ids=lambda spoil: spoil.__name__)
def test_what_does_not_make_up_the_equity_is_refused(spoil: Callable[[Case], Case]) -> None:
    case = random_case(1, flips=False)
    with pytest.raises(SimulationError, match=r"expected the profits .* give the prices"):
        attribution(*spoil(case))


@pytest.mark.parametrize("spoil", PLANTED[:5], ids=lambda spoil: spoil.__name__)
def test_without_that_refusal_the_sums_would_tell(
    spoil: Callable[[Case], Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_check", lambda profit, equity: None)
    assert off(attribution(*random_case(1, flips=False))) < EXACT
    assert off(attribution(*spoil(random_case(1, flips=False)))) > 1000 * EXACT


@pytest.mark.parametrize("days", [-1, 1])
def test_a_regime_of_another_day_is_noticed_by_the_loop(days: int) -> None:
    """The sums are still correct with a regime of another day. Only the loop finds this error."""
    result, closes, costs, regime, lag = random_case(1, flips=False)
    moved = attribution(result, closes, costs, regime.shift(days), lag)
    assert off(moved) < EXACT
    with pytest.raises(AssertionError):
        assert_same(moved, looped(result, closes, costs, regime, lag))


# --- Edges -----------------------------------------------------------------------------------


def steady(prices: list[float], weight: float = 1.0, bill: float = 0.0) -> Attribution:
    """Return the attribution of SPY held from the second close on, without costs."""
    index = SESSIONS[: len(prices)]
    closes = pd.DataFrame({"SPY": prices}, index=index)
    weights = pd.DataFrame({"SPY": [weight]}, index=index[:1])
    result = simulate(weights, closes, pd.Series(bill, index=index), FREE)
    return attribution(result, closes, FREE, pd.Series("calm", index=index), 1)


def test_without_a_drawdown_every_part_of_it_is_zero() -> None:
    found = steady([100, 100, 101, 102, 104])
    assert found.total["drawdown"] == 0
    for table in tables(found).values():
        assert (table["drawdown"] == 0).all()
    assert off(found) < EXACT


def test_a_fall_from_the_capital_itself_is_a_drawdown() -> None:
    """The capital is the first peak. After the costs of the first fill, equity is below it."""
    known, index = SESSIONS[:4], SESSIONS[1:4]
    closes = pd.DataFrame({"SPY": [100, 100, 90.0]}, index=index)
    weights = pd.DataFrame({"SPY": [1.0]}, index=index[:1])
    costs = Costs(etf_bp=100)
    result = simulate(weights, closes, pd.Series(0.0, index=index), costs, capital=1010.0)
    regime = pd.Series(["calm", "storm", "storm", "storm"], index=known)
    found = attribution(result, closes, costs, regime, 1)
    assert found.by_regime["drawdown"].to_dict() == pytest.approx(
        {"calm": -10 / 1010, "storm": -100 / 1010}, abs=1e-12
    )
    assert off(found) < EXACT


def test_a_peak_at_the_first_return_is_not_the_capital() -> None:
    found = steady([100, 100, 90, 80], bill=0.01)
    assert found.total["drawdown"] == pytest.approx(-0.2, abs=1e-12)
    assert found.by_sleeve["drawdown"].to_dict() == pytest.approx(
        {"broad": -0.2, "cash": 0.0}, abs=1e-12
    )


def test_one_return_has_no_volatility_but_everything_else() -> None:
    found = steady([100, 100])
    assert math.isnan(found.total["volatility"])
    for table in tables(found).values():
        assert table["volatility"].isna().all()
        defined = [name for name in COLUMNS if name != "volatility"]
        assert list(table[defined].sum()) == pytest.approx(list(found.total[defined]), abs=EXACT)
    assert found.by_sleeve.loc["broad", "turnover"] == pytest.approx(126)


def test_one_close_has_nothing_to_attribute() -> None:
    found = steady([100])
    assert found.by_regime.empty
    assert found.by_year.empty
    assert list(found.by_sleeve.index) == ["cash"]
    assert found.total["return"] == found.total["drawdown"] == 0
    assert found.total[["volatility", "turnover", "cost"]].isna().all()


def test_what_never_moves_has_no_volatility_to_share() -> None:
    found = steady([100] * 5)
    assert found.total["volatility"] == 0
    for table in tables(found).values():
        assert (table["volatility"] == 0).all()


def test_a_session_without_a_known_regime_counts_as_none() -> None:
    result, closes, costs, regime, lag = small_case()
    found = attribution(result, closes, costs, regime.iloc[:1], lag)
    assert list(found.by_regime.index) == ["calm", "none"]
    assert off(found) < EXACT


def test_nothing_that_was_given_is_changed() -> None:
    result, closes, _, regime, _ = case = random_case(2, flips=True)
    tables_given = (result.weights, result.orders, closes)
    columns_given = (result.equity, regime)
    tables_kept = [table.copy() for table in tables_given]
    columns_kept = [column.copy() for column in columns_given]
    attribution(*case)
    for table, given in zip(tables_kept, tables_given, strict=True):
        assert table.equals(given)
    for column, series in zip(columns_kept, columns_given, strict=True):
        assert column.equals(series)


def test_the_unit_of_prices_and_the_capital_make_no_difference() -> None:
    result, closes, costs, regime, lag = random_case(3, flips=True)
    dear = closes.assign(MU=closes["MU"] * 7)
    weights = result.targets
    once, again = (
        attribution(simulate(weights, p, result.bills, costs, capital=c), p, costs, regime, lag)
        for p, c in ((closes, 1e6), (dear, 1e8))
    )
    for name, table in tables(once).items():
        pd.testing.assert_frame_equal(table, tables(again)[name], atol=EXACT, rtol=0)
