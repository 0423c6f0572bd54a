"""Placebos compared with the engine and a plain loop: they are fair, and detect timing."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

from backtests.calendar import sessions
from backtests.engine.costs import Costs
from backtests.engine.simulate import simulate
from backtests.evidence.placebo import (
    Placebo,
    rank_of,
    shift_placebo,
    timing_gain,
)
from backtests.evidence.placebo import _market as market_of
from backtests.evidence.placebo import _returns as returns_of
from signals.errors import ConfigError, DataError
from tests.engine.cases import FREE

SESSIONS = sessions(pd.Timestamp("2018-01-02"), pd.Timestamp("2020-12-31"))
ASSETS = ["SPY", "MU", "BTC-USD", "NVDA"]
USUAL = Costs()
DEAR = Costs(etf_bp=50, stock_bp=100, crypto_bp=200, borrow_stock=0.3, borrow_crypto=1.0)


# --- Cases -----------------------------------------------------------------------------------


def market(n: int, assets: list[str] = ASSETS, seed: int = 7) -> tuple[pd.DataFrame, pd.Series]:
    random = np.random.default_rng(seed)
    steps = random.normal(0.0003, 0.02, (n, len(assets)))
    prices = pd.DataFrame(80 * np.exp(steps.cumsum(axis=0)), index=SESSIONS[:n], columns=assets)
    return prices, pd.Series(random.uniform(0, 2e-4, n), index=prices.index)


def in_force(
    prices: pd.DataFrame, total: float = 0.9, every: int = 20, short: bool = False, seed: int = 3
) -> pd.DataFrame:
    """Return weights that stay for ``every`` sessions.

    With ``short``, some weights are negative.
    """
    random = np.random.default_rng(seed)
    n = len(prices)
    rows = random.dirichlet(np.ones(prices.shape[1]), n // every + 1) * total
    if short:
        rows[:, 2] *= -1
        rows[::2, 0] *= -1
    return pd.DataFrame(rows.repeat(every, axis=0)[:n], prices.index, prices.columns)


def flags(n: int, seed: int, stay: float = 0.95) -> np.ndarray:
    """Return a persistent random flag, as 0 and 1."""
    switch = np.random.default_rng(seed).random(n) > stay
    return (switch.cumsum() % 2).astype(float)


def one_asset(n: int, seed: int) -> tuple[pd.DataFrame, pd.Series]:
    prices, bills = market(n, ["SPY"], seed)
    return prices, bills * 0.0


# --- Against the engine ----------------------------------------------------------------------


def engine_returns(
    held: pd.DataFrame, prices: pd.DataFrame, bills: pd.Series, costs: Costs
) -> pd.Series:
    """Return the returns of the engine if it trades to the given weights at every close.

    With a band of 0, the engine does not trade if a target is unchanged. So every second target is
    moved by 1e-12, which forces a trade.
    """
    decisions = held.shift(-1).iloc[:-1] * (1 - 1e-12 * (np.arange(len(held) - 1) % 2))[:, None]
    return simulate(decisions, prices, bills, costs, 1, band=0.0).returns


def shifted(held: pd.DataFrame, prices: pd.DataFrame, by: int) -> pd.DataFrame:
    rolled = pd.DataFrame(np.roll(held.to_numpy(), by, axis=0), held.index, held.columns)
    return rolled.where(prices.notna(), 0.0)


def daily(held: pd.DataFrame, prices: pd.DataFrame, bills: pd.Series, costs: Costs) -> np.ndarray:
    priced = held.to_numpy().T * prices.notna().to_numpy().T
    return np.asarray(returns_of(market_of(held, prices, bills, costs), priced[:, None, :])[0])


def largest_gap(
    total: float, costs: Costs, short: bool, shifts: range, unlisted: int = 60
) -> float:
    """Return the largest difference between a daily return and the engine's, over some shifts.

    The engine starts in cash and buys at the second close. So the comparison starts one day later.
    """
    prices, bills = market(180)
    prices.iloc[:unlisted, 3] = np.nan
    held = in_force(prices, total, short=short)
    gaps = []
    for by in shifts:
        moved = shifted(held, prices, by)
        engine = engine_returns(moved, prices, bills, costs).to_numpy()
        gaps.append(np.abs(engine - daily(moved, prices, bills, costs))[2:].max())
    return float(max(gaps))


@pytest.mark.parametrize("short", [False, True])
def test_daily_returns_are_the_engines_at_usual_costs(short: bool) -> None:
    assert largest_gap(0.9, USUAL, short, range(0, 180, 9)) < 2e-6


def test_without_costs_they_are_the_engines_to_rounding() -> None:
    assert largest_gap(0.9, FREE, True, range(0, 180, 60)) < 1e-12
    assert largest_gap(1.0, FREE, False, range(0, 180, 60)) < 1e-10


def test_fully_invested_the_engine_buys_less_by_what_trading_costs() -> None:
    """The engine cuts a purchase that cash cannot pay, and the placebo does not.

    So their returns differ by at most the cost times a day's return.
    """
    gap = largest_gap(1.0, USUAL, False, range(0, 180, 60))
    assert 2e-6 < gap < 1e-4


def test_the_comparison_sees_a_forgotten_cost_and_a_day_too_many() -> None:
    prices, bills = market(180)
    held = in_force(prices)
    engine = engine_returns(held, prices, bills, USUAL).to_numpy()[2:]
    assert np.abs(engine - daily(held, prices, bills, FREE)[2:]).max() > 1e-4
    late = held.shift(1).fillna(0.0)
    assert np.abs(engine - daily(late, prices, bills, USUAL)[2:]).max() > 1e-3
    shorts = in_force(prices, short=True)
    engine = engine_returns(shorts, prices, bills, USUAL).to_numpy()[2:]
    unpaid = Costs(borrow_stock=0, borrow_crypto=0)
    assert np.abs(engine - daily(shorts, prices, bills, unpaid)[2:]).max() > 1e-5


# --- Against plain Python --------------------------------------------------------------------


#: Numbers by session, then by asset.
Grid = list[list[float]]


def plain_sharpe(
    rows: Grid,
    closes: Grid,
    bills: list[float],
    days: list[int],
    rates: list[float],
    fees: list[float],
) -> float:
    """Return the Sharpe ratio of a list of weights, by loops over sessions and assets."""
    excess, left, many = [], 1.0, range(len(rates))
    for t in range(1, len(rows)):
        grown, cash, value = [], 1.0, 0.0
        for a in many:
            now, last = closes[t][a], closes[t - 1][a]
            move = now / last if not (math.isnan(now) or math.isnan(last)) else 1.0
            fee = 1 + fees[a] * days[t] / 365 if rows[t - 1][a] < 0 else 1.0
            grown.append(rows[t - 1][a] * move * fee)
            cash -= rows[t - 1][a]
        value = sum(grown) + cash * (1 + bills[t])
        paid = sum(rates[a] * abs(rows[t][a] - grown[a] / value) for a in many)
        interest = 1 + bills[t]
        growth = ((value - interest) / left + interest) * (1 - paid)
        excess.append(growth - 1 - bills[t])
        left = 1 - paid
    mean = sum(excess) / len(excess)
    variance = sum((x - mean) ** 2 for x in excess) / (len(excess) - 1)
    return mean / math.sqrt(variance) * math.sqrt(252)


def plain_gain(
    held: Grid,
    closes: Grid,
    bills: list[float],
    days: list[int],
    rates: list[float],
    fees: list[float],
    by: int,
) -> float:
    n, many = len(held), range(len(rates))
    there = [[not math.isnan(closes[t][a]) for a in many] for t in range(n)]
    rows = [[held[(t - by) % n][a] if there[t][a] else 0.0 for a in many] for t in range(n)]
    mean = [sum(r[a] for r in rows) / sum(row[a] for row in there) for a in many]
    steady = [[mean[a] if there[t][a] else 0.0 for a in many] for t in range(n)]
    given = (closes, bills, days, rates, fees)
    return plain_sharpe(rows, *given) - plain_sharpe(steady, *given)


@pytest.mark.parametrize("short", [False, True])
@pytest.mark.parametrize("unlisted", [0, 12])
def test_every_shift_is_that_of_a_plain_loop(short: bool, unlisted: int) -> None:
    prices, bills = market(45)
    prices.iloc[:unlisted, 3] = np.nan
    held = in_force(prices, every=7, short=short)
    made = shift_placebo(held, prices, bills, DEAR, shifts=1000)
    days = [0, *np.diff(prices.index.to_numpy()).astype("timedelta64[D]").astype(int).tolist()]
    rates, fees = [DEAR.rate(a) for a in ASSETS], [DEAR.borrow(a) for a in ASSETS]
    given = (held.to_numpy().tolist(), prices.to_numpy().tolist(), bills.tolist(), days)
    plain = [plain_gain(*given, rates, fees, by) for by in range(45)]
    assert made.statistic == pytest.approx(plain[0], abs=1e-12)
    assert np.sort(made.others) == pytest.approx(sorted(plain[1:]), abs=1e-12)
    assert made.rank == pytest.approx(np.mean([x < plain[0] for x in plain[1:]]))
    assert timing_gain(held, prices, bills, DEAR) == made.statistic


def test_an_asset_without_a_price_is_cash_that_day() -> None:
    prices, bills = market(60)
    prices.iloc[30, 1] = np.nan
    held = in_force(prices)
    without = held.copy()
    without.iloc[30, 1] = 0.0
    assert timing_gain(held, prices, bills, USUAL) == timing_gain(without, prices, bills, USUAL)


# --- The ranks of placebos -------------------------------------------------------------------


def placebo_of(
    flag: np.ndarray, prices: pd.DataFrame, bills: pd.Series, shifts: int = 200
) -> Placebo:
    held = pd.DataFrame(flag[:, None], prices.index, prices.columns)
    return shift_placebo(held, prices, bills, FREE, shifts=shifts, seed=1)


def test_flags_that_know_nothing_rank_uniformly() -> None:
    ranks = [placebo_of(flags(300, seed), *one_asset(300, 5000 + seed)).rank for seed in range(200)]
    assert kstest(ranks, "uniform").pvalue > 0.01
    cheats = [1 - (1 - rank) / 2 for rank in ranks]
    assert kstest(cheats, "uniform").pvalue < 0.01


def test_foresight_ranks_at_the_top() -> None:
    prices, bills = one_asset(600, 1)
    coming = prices["SPY"].pct_change().rolling(20).mean().shift(-20).fillna(0.0).to_numpy()
    made = placebo_of((coming > 0).astype(float), prices, bills, 500)
    assert made.rank > 0.98
    assert made.p_value < 0.02
    assert placebo_of((coming < 0).astype(float), prices, bills, 500).rank < 0.02


def test_a_session_decides_between_foresight_and_hindsight() -> None:
    prices, bills = one_asset(500, 2)
    rises = (prices["SPY"].pct_change() > 0).astype(float).to_numpy()
    assert placebo_of(np.append(rises[1:], 0.0), prices, bills).rank == 1.0
    assert 0.01 < placebo_of(rises, prices, bills).rank < 0.99


def test_average_exposure_earns_no_timing() -> None:
    prices, bills = market(300)
    held = in_force(prices, every=300)
    made = shift_placebo(held, prices, bills, USUAL, shifts=10)
    assert made.statistic == pytest.approx(0.0, abs=1e-12)
    assert math.isnan(made.rank)
    assert math.isnan(made.p_value)


def test_cash_throughout_has_no_gain() -> None:
    prices, bills = market(60)
    assert math.isnan(timing_gain(in_force(prices) * 0.0, prices, bills, USUAL))


def test_shifts_are_distinct_and_seeded() -> None:
    prices, bills = market(120)
    held = in_force(prices, every=1)
    made = [shift_placebo(held, prices, bills, USUAL, shifts=50, seed=s) for s in (1, 1, 2)]
    assert len(np.unique(made[0].others)) == made[0].n == 50
    assert np.array_equal(made[0].others, made[1].others)
    assert not np.array_equal(made[0].others, made[2].others)
    assert shift_placebo(held, prices, bills, USUAL).n == 119
    assert made[0].kind == "shifts"


def test_ranks_count_ties_by_half_and_p_values_in_full() -> None:
    made = rank_of(2.0, [1.0, 2.0, 2.0, 3.0, float("nan")], "resampled")
    assert (made.rank, made.p_value, made.n) == (0.5, 4 / 5, 4)
    assert rank_of(9.0, [1.0, 2.0, 3.0], "shifts").rank == 1.0
    assert math.isnan(rank_of(float("nan"), [1.0], "shifts").rank)
    assert math.isnan(rank_of(1.0, [], "shifts").rank)


def test_what_does_not_match_is_refused() -> None:
    prices, bills = market(60)
    held = in_force(prices)
    with pytest.raises(DataError, match="closes on the 60 sessions of the weights"):
        timing_gain(held, prices.iloc[1:], bills, USUAL)
    with pytest.raises(DataError, match="bills on the 60 sessions"):
        timing_gain(held, prices, bills.iloc[::-1], USUAL)
    with pytest.raises(DataError, match="closes of MU; add"):
        timing_gain(held, prices.drop(columns="MU"), bills, USUAL)
    with pytest.raises(DataError, match="finite weights"):
        timing_gain(held.where(held > 0.2), prices, bills, USUAL)
    with pytest.raises(DataError, match="bill return for every session"):
        timing_gain(held, prices, bills.where(bills > 1e-4), USUAL)
    with pytest.raises(ConfigError, match="shifts: expected a whole number of at least 1, was 0"):
        shift_placebo(held, prices, bills, USUAL, shifts=0)
