"""Intervals compared with arch and with a plain loop; their coverage, and paired resamples."""

import math
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from arch.bootstrap import StationaryBootstrap, optimal_block_length

from backtests.evidence.bootstrap import COVERAGE, Interval, block_length, compare_returns
from backtests.evidence.metrics import sharpe
from benchmarks.interval_coverage import WORLDS, coverage, path_of, truth_of
from signals.errors import ConfigError, DataError

N = 600
INDEX = pd.bdate_range("2015-01-01", periods=N)
EXACT = 1e-10


def returns(seed: int, mean: float = 4e-4, deviation: float = 0.01, n: int = N) -> pd.Series:
    drawn = np.random.default_rng(seed).normal(mean, deviation, n)
    return pd.Series(drawn, index=pd.bdate_range("2015-01-01", periods=n))


def constant(value: float) -> pd.Series:
    return pd.Series(value, index=INDEX)


STRATEGY, SPY, MIX = returns(1), returns(2), returns(3, deviation=0.004)
BILLS = returns(4, mean=1e-4, deviation=1e-6)


def ratio(excess: np.ndarray) -> float:
    return float(excess.mean() / excess.std(ddof=1) * math.sqrt(252))


def naive(block: int, reps: int, seed: int, level: float) -> dict[str, tuple[float, float]]:
    """Return the same intervals, from a loop over the resampled rows of arch."""
    table = np.column_stack([STRATEGY, BILLS, SPY])
    rows = StationaryBootstrap(block, table, seed=seed)
    values: dict[str, list[float]] = {"sharpe": [], "excess_spy": [], "sharpe_spy": []}
    for (drawn,), _ in rows.bootstrap(reps):
        own, cash, other = np.asarray(drawn).T
        values["sharpe"].append(ratio(own - cash))
        values["excess_spy"].append((own - other).mean() * 252)
        values["sharpe_spy"].append(ratio(own - cash) - ratio(other - cash))
    ends = [(1 - level) / 2, (1 + level) / 2]
    return {name: tuple(np.quantile(drawn, ends)) for name, drawn in values.items()}


# --- The same numbers as other implementations -----------------------------------------------


def test_the_block_is_archs_for_excess_returns_rounded_up() -> None:
    """Here bills keep their level for long, so the block length of bills would be far longer."""
    noise = STRATEGY.to_numpy()
    slow = pd.Series(np.convolve(noise, [0.6**n for n in range(12)])[:N], INDEX)
    cash = pd.Series(np.cumsum(returns(7, mean=0.0, deviation=2e-6)), INDEX)
    best = optimal_block_length(slow - cash)["stationary"].iloc[0]
    other = optimal_block_length(cash)["stationary"].iloc[0]
    assert 6 < best < other / 2
    assert best % 1 < 0.5  # rounding to the nearest number would round down
    assert compare_returns(slow, cash, {}, reps=10)["sharpe"].block == math.ceil(best)


def test_the_block_is_not_that_of_returns_before_bills_are_taken_off() -> None:
    """Bills with large slow moves would give long blocks, but both strategies have these moves."""
    cash = pd.Series(np.cumsum(returns(7, mean=0.0, deviation=1e-3)), INDEX)
    own = STRATEGY + cash
    assert block_length(own.to_numpy()) > 20
    assert compare_returns(own, cash, {}, reps=10)["sharpe"].block == block_length(
        STRATEGY.to_numpy()
    )


def test_intervals_are_those_of_a_plain_loop_over_resampled_rows() -> None:
    ours = compare_returns(STRATEGY, BILLS, {"spy": SPY}, reps=150, level=0.9, seed=5)
    theirs = naive(ours["sharpe"].block, 150, 5, 0.9)
    assert set(ours) == set(theirs)
    for name, ends in theirs.items():
        assert (ours[name].low, ours[name].high) == pytest.approx(ends, abs=EXACT)
    elsewhere = naive(ours["sharpe"].block, 150, 6, 0.9)
    assert elsewhere["sharpe"] != pytest.approx(theirs["sharpe"], abs=EXACT)


def test_the_interval_of_the_sharpe_ratio_is_archs() -> None:
    ours = compare_returns(STRATEGY, BILLS, {}, reps=200, seed=9)["sharpe"]
    arch = StationaryBootstrap(ours.block, (STRATEGY - BILLS).to_numpy(), seed=9)
    drawn = arch.conf_int(lambda x: np.array([ratio(x)]), reps=200, method="percentile", size=0.95)
    low, high = drawn.ravel()
    assert (ours.low, ours.high) == pytest.approx((low, high), abs=EXACT)


def test_estimates_are_the_metrics() -> None:
    made = compare_returns(STRATEGY, BILLS, {"spy": SPY, "mix": MIX}, reps=5)
    own = sharpe(STRATEGY, BILLS)
    assert made["sharpe"].estimate == pytest.approx(own, abs=EXACT)
    assert made["sharpe_spy"].estimate == pytest.approx(own - sharpe(SPY, BILLS), abs=EXACT)
    assert made["excess_mix"].estimate == pytest.approx(252 * (STRATEGY - MIX).mean(), abs=EXACT)


# --- Coverage --------------------------------------------------------------------------------


def test_about_nineteen_in_twenty_intervals_cover_the_truth() -> None:
    truth, covered = 4e-4 / 0.01 * math.sqrt(252), 0
    for seed in range(300):
        drawn = returns(1000 + seed, n=250)
        made = compare_returns(drawn, drawn * 0.0, {}, reps=200, seed=seed)["sharpe"]
        covered += made.low <= truth <= made.high
    assert 0.90 <= covered / 300 <= 0.985


@pytest.mark.parametrize("world", WORLDS)
def test_coverage_is_what_its_benchmark_measures(world: str) -> None:
    """There are few seeds, so the coverage may differ from the table by four Monte Carlo errors."""
    seeds = 40
    measured = coverage(seeds, WORLDS[world], reps=200)
    assert measured.keys() == COVERAGE.keys()
    for figure, share in measured.items():
        held = asdict(COVERAGE[figure])[world.replace(" ", "_")]
        error = math.sqrt(held * (1 - held) / seeds)
        assert share == pytest.approx(held, abs=4 * error), figure


def test_slow_regimes_cost_the_intervals_more_than_ten_points() -> None:
    for figure in ("sharpe", "sharpe_mix", "excess_mix"):
        assert COVERAGE[figure].slow_regimes < 0.95 - 0.10 < COVERAGE[figure].no_regimes


def test_the_benchmarks_truth_is_what_a_long_path_shows() -> None:
    world = WORLDS["wide slow regimes"]
    path = path_of(0, world, sessions=3_000_000)
    own, spy, truth = path.strategy, path.spy, truth_of(world)
    assert ratio(own) == pytest.approx(truth["sharpe"], abs=0.03)
    assert 252 * (own - spy).mean() == pytest.approx(truth["excess_spy"], abs=0.01)
    slope = np.cov(path.share * spy, spy)[0, 1] / spy.var()
    left = (own - slope * spy - 0.2 * path.sleeve).mean() * 252
    assert left == pytest.approx(truth["alpha"], abs=0.005)
    assert ratio(own) - ratio(spy) == pytest.approx(truth["sharpe_mix"], abs=0.05)


def test_a_lower_level_gives_a_narrower_interval() -> None:
    wide = compare_returns(STRATEGY, BILLS, {}, level=0.95)["sharpe"]
    narrow = compare_returns(STRATEGY, BILLS, {}, level=0.5)["sharpe"]
    assert wide.low < narrow.low < narrow.estimate < narrow.high < wide.high


def test_comparisons_are_paired() -> None:
    near = SPY + returns(7, mean=1e-4, deviation=1e-4)
    paired = compare_returns(near, BILLS, {"spy": SPY})["excess_spy"]
    apart = compare_returns(
        near, BILLS, {"spy": SPY.sample(frac=1, random_state=1).set_axis(INDEX)}
    )
    assert paired.high - paired.low < 0.1 * (apart["excess_spy"].high - apart["excess_spy"].low)
    assert paired.low > 0


def test_a_strategy_differs_from_itself_by_exactly_nothing() -> None:
    made = compare_returns(STRATEGY, BILLS, {"spy": SPY, "itself": STRATEGY.copy()}, reps=50)
    for name in ("excess_itself", "sharpe_itself"):
        assert (made[name].estimate, made[name].low, made[name].high) == (0.0, 0.0, 0.0)


def test_equal_seeds_give_equal_intervals() -> None:
    assert compare_returns(STRATEGY, BILLS, {"spy": SPY}, reps=50, seed=3) == compare_returns(
        STRATEGY, BILLS, {"spy": SPY}, reps=50, seed=3
    )
    other = compare_returns(STRATEGY, BILLS, {"spy": SPY}, reps=50, seed=4)
    assert other != compare_returns(STRATEGY, BILLS, {"spy": SPY}, reps=50, seed=3)


# --- Blocks ----------------------------------------------------------------------------------


def test_a_block_has_at_least_five_sessions() -> None:
    assert block_length(STRATEGY.to_numpy()) == 5
    assert compare_returns(STRATEGY, BILLS, {}, reps=5)["sharpe"].block == 5
    assert block_length(np.zeros(N)) == 5
    assert block_length(np.append(np.zeros(N - 1), 0.01)) == 5


def test_persistent_returns_get_longer_blocks() -> None:
    noise = np.random.default_rng(1).normal(0, 0.01, N)
    persistent = pd.Series(noise).ewm(alpha=0.1).mean().to_numpy()
    assert block_length(persistent) > 20


@pytest.mark.parametrize("n", [20, 21, 40])
def test_short_histories_have_intervals_too(n: int) -> None:
    made = compare_returns(returns(1, n=n), returns(2, n=n) * 1e-3, {}, reps=20)["sharpe"]
    assert made.low < made.high


# --- What is not defined ---------------------------------------------------------------------


def test_bills_have_no_sharpe_ratio_but_can_be_exceeded() -> None:
    made = compare_returns(STRATEGY, BILLS, {"bills": BILLS}, reps=50)
    undefined = made["sharpe_bills"]
    assert all(math.isnan(x) for x in (undefined.estimate, undefined.low, undefined.high))
    assert made["excess_bills"].low < made["excess_bills"].estimate < made["excess_bills"].high
    assert made["sharpe"].low < made["sharpe"].high


def test_a_strategy_in_bills_throughout_has_none_either() -> None:
    rounding = pd.Series(np.tile([1e-16, -1e-16], N // 2), index=INDEX)
    made = compare_returns(BILLS + rounding, BILLS, {"spy": SPY}, reps=50)
    assert math.isnan(made["sharpe"].estimate)
    assert math.isnan(made["sharpe_spy"].high)
    assert math.isfinite(made["excess_spy"].high)


def test_resamples_without_the_only_days_that_varied_are_left_out() -> None:
    once = constant(1e-4)
    once.iloc[300:302] = [0.02, -0.01]
    made = compare_returns(once, constant(1e-4), {}, reps=300)["sharpe"]
    assert made.low < made.estimate < made.high


@pytest.mark.parametrize("wrong", [SPY.iloc[1:], SPY.shift(1, freq="D"), SPY.iloc[::-1]])
def test_other_sessions_are_refused(wrong: pd.Series) -> None:
    with pytest.raises(DataError, match="returns of other spy on the 600 sessions of the strategy"):
        compare_returns(STRATEGY, BILLS, {"spy": wrong})
    with pytest.raises(DataError, match="returns of bills"):
        compare_returns(STRATEGY, wrong, {})


@pytest.mark.parametrize("hole", [np.nan, np.inf])
def test_missing_returns_are_refused(hole: float) -> None:
    gap = SPY.copy()
    gap.iloc[7] = hole
    with pytest.raises(DataError, match="none for 2015-01-12"):
        compare_returns(STRATEGY, BILLS, {"spy": gap})
    with pytest.raises(DataError, match="a return of strategy"):
        compare_returns(gap, BILLS, {})


def test_impossible_terms_are_refused() -> None:
    with pytest.raises(ConfigError, match="`level` between 0 and 1, was 95"):
        compare_returns(STRATEGY, BILLS, {}, level=95)
    with pytest.raises(ConfigError, match="`reps`, the number of resamples"):
        compare_returns(STRATEGY, BILLS, {}, reps=0)
    with pytest.raises(DataError, match="at least 20 returns, but found 19"):
        compare_returns(STRATEGY.iloc[:19], BILLS.iloc[:19], {})


def test_an_interval_says_what_it_rests_on() -> None:
    made = compare_returns(STRATEGY, BILLS, {}, reps=40)["sharpe"]
    assert isinstance(made, Interval)
    assert (made.block, made.reps) == (5, 40)
