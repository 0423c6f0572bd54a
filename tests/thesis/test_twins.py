"""Compare the statistics that estimators share with plain loops, written from the docstrings."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import NamedTuple, cast

import numpy as np
import pandas as pd
import pytest

from backtests.evidence import hac
from backtests.evidence.entries import episodes_of, gaps_of
from backtests.thesis import inference, verdicts
from backtests.thesis import power as power_of_a_test
from backtests.thesis import sample as samples
from backtests.thesis.claim import Claim
from backtests.thesis.claims import CLAIMS
from backtests.thesis.estimate import Estimate, Interval
from backtests.thesis.responses import spread
from backtests.thesis.sample import Sample
from backtests.thesis.status import status
from backtests.thesis.weeks import weekly
from signals.duration import LONG, SHORT
from signals.universe import members
from tests.reference import naive_estimators
from tests.reference import naive_regressions as regressions
from tests.reference import naive_trial as plain
from tests.reference.naive_trial import NAN, Numbers

START = date(2016, 1, 4)


def sessions(n: int) -> pd.DatetimeIndex:
    return pd.bdate_range(START, periods=n)


def series(values: Numbers) -> pd.Series:
    return pd.Series(list(values), index=sessions(len(values)), dtype="float64")


def assert_same(
    fast: Sequence[float] | np.ndarray | pd.Series, slow: Numbers, relative: float = 1e-10
) -> None:
    """Compare two columns: NaN at the same places, other values equal within ``relative``."""
    assert len(fast) == len(slow)
    for place, (a, b) in enumerate(zip(fast, slow, strict=True)):
        same = (
            math.isnan(a) if math.isnan(b) else math.isclose(a, b, rel_tol=relative, abs_tol=1e-12)
        )
        assert same, f"{place}: {a!r}, by the twin {b!r}"


def assert_bounds(fast: Interval, slow: plain.Bounds) -> None:
    assert_same([fast.low, fast.high, fast.low90, fast.high90], list(slow))


def spells(*lengths: int, first: float = 0.0) -> list[float]:
    """Return a condition that alternates between off and on after the given numbers of sessions."""
    values = itertools.cycle([first, 1 - first])
    return [v for length, v in zip(lengths, values, strict=False) for _ in range(length)]


def random_condition(seed: int, n: int = 900) -> list[float]:
    """Return a condition with long and short spells, and sessions at which it is unknown."""
    rng = np.random.default_rng(seed)
    out: list[float] = []
    while len(out) < n:
        value = float(rng.choice([0.0, 1.0, NAN], p=[0.55, 0.35, 0.1]))
        out += [value] * int(rng.choice([1, 5, 40, 62, 63, 64, 65, 120]))
    return out[:n]


CONDITIONS = {
    "never on": [0.0] * 50,
    "always on": [1.0] * 50,
    "no view": [NAN] * 50,
    "no view, then always on": [NAN] * 5 + [1.0] * 5,
    "one episode": spells(20, 30, 40),
    "on at both ends": spells(30, 200, 30, first=1.0),
    "on at the first session, with a hole": spells(30, 5, 30, 100, 4, first=1.0),
    "62 sessions between": spells(3, 3, 62, 3),
    "63 sessions between": spells(3, 3, 63, 3),
    "a hole in the last episode": spells(100, 10, 100, 10, 5, 10),
    "no view within an episode": [0.0, 1.0, NAN, 0.0, NAN, 1.0, 0.0],
    "no view before the first episode": [NAN] * 80 + spells(3, 3, 100, 3, first=1.0),
    "no view in a gap": [1.0, *[NAN] * 100, 1.0, 0.0],
    "no view at the end": [0.0, 1.0, *[0.0] * 80, *[NAN] * 3],
    **{f"random {seed}": random_condition(seed) for seed in range(12)},
}


@pytest.fixture(params=CONDITIONS, scope="module")
def on(request: pytest.FixtureRequest) -> list[float]:
    return CONDITIONS[request.param]


# Sample


@pytest.mark.parametrize("seed", range(4))
def test_weekly_returns(seed: int) -> None:
    rng = np.random.default_rng(seed)
    returns = rng.normal(0, 0.02, 160)
    returns[rng.random(160) < 0.2] = NAN
    returns[40:60] = NAN
    days = sessions(200)[np.sort(rng.choice(200, 160, replace=False))]
    fast = weekly(pd.Series(returns, index=days))
    slow = plain.weekly([day.date() for day in days], list(returns))
    assert [day.date() for day in fast.index] == [day for day, _ in slow]
    assert_same(fast, [value for _, value in slow])


@pytest.mark.parametrize("n", range(1, 12))
def test_the_last_week_is_left_out_unless_it_ends_on_a_friday(n: int) -> None:
    days = sessions(n)
    fast = weekly(series([0.01] * n))
    slow = plain.weekly([day.date() for day in days], [0.01] * n)
    assert [day.date() for day in fast.index] == [day for day, _ in slow]
    assert_same(fast, [value for _, value in slow])


def test_returns_and_conditions_of_a_history(sample: Sample) -> None:
    closes = sample.history.closes
    for name in ("memory", "crypto"):
        assets = [plain.simple_returns(closes[ticker].tolist()) for ticker in members(name)]
        assert_same(sample.asset_class(name), plain.class_return(assets))
    for signal in ("absorption", "dry_powder"):
        flag = sample.flag(signal)
        assert_same(sample.condition(signal), plain.condition(flag.tolist(), samples.LAG))
    short, long = (
        [plain.mean(row) for row in zip(*map(sample.asset_class, names), strict=True)]
        for names in (SHORT, LONG)
    )
    found = spread(sample, np.arange(len(sample.sessions)), 0, 0)[:, 0]
    assert_same(found, [b - a for a, b in zip(short, long, strict=True)])


# Inference


def test_episodes(on: list[float]) -> None:
    assert_same(episodes_of(series(on)), plain.episodes(on))


def test_gaps(on: list[float]) -> None:
    assert_same(gaps_of(series(on)), plain.gaps(on))


def test_a_hole_in_an_episode_belongs_to_the_gap_before_the_episode() -> None:
    assert_same(gaps_of(series([0, 1, 0, 1, *[0] * 63])), [0, NAN, 0, NAN, *[1] * 63])


def test_gaps_are_numbered_from_0_without_a_gap_before_the_first_episode() -> None:
    assert_same(gaps_of(series([NAN, 1, *[0] * 63, 1])), [NAN, NAN, *[0] * 63, NAN])


def test_segments(on: list[float]) -> None:
    assert_same(inference.segments_of(series(on)), plain.segments(on))


@pytest.mark.parametrize("means", [[], [1.0], [1.0, 1.0], [0.1, -0.2, 0.4], [1e6, 1e6 + 1]])
def test_few_clusters(means: list[float]) -> None:
    assert_same(inference.few_clusters(np.array(means)), plain.few_clusters(means))


class Observed(NamedTuple):
    """Values with their clusters, and the sums and counts of the values by session."""

    values: list[float]
    clusters: list[float]
    summed: inference.Clusters


def observed(seed: int, sizes: Sequence[int], start: int = 0) -> Observed:
    """Return random values in clusters of the given sizes. Some sessions have several values."""
    rng = np.random.default_rng(seed)
    clusters = [float(start + c) for c, size in enumerate(sizes) for _ in range(size)]
    values = [rng.normal(size=rng.integers(1, 4)).tolist() for _ in clusters]
    summed = inference.Clusters.of(
        series([sum(v) for v in values]), series([len(v) for v in values]), series(clusters)
    )
    flat = [(v, c) for v_all, c in zip(values, clusters, strict=True) for v in v_all]
    return Observed([v for v, _ in flat], [c for _, c in flat], summed)


SIZES = [[1, 1], [1, 40], [10, 10, 10], [3, 50, 20, 1, 7], [2] * 12]


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_error_of_a_mean_by_clusters(sizes: list[int]) -> None:
    values, clusters, summed = observed(len(sizes), sizes)
    error, df = regressions.cr2(values, [[1.0]] * len(values), clusters, [1.0])
    assert_same([summed.mean, *inference.clustered(summed)], [plain.mean(values), error, df], 1e-9)


@pytest.mark.parametrize(("on_sizes", "off_sizes"), list(itertools.product(SIZES, SIZES)), ids=str)
def test_error_of_a_difference_by_clusters(on_sizes: list[int], off_sizes: list[int]) -> None:
    with_it, without = observed(1, on_sizes), observed(2, off_sizes, start=100)
    x = [[1.0, 0.0]] * len(with_it.values) + [[0.0, 1.0]] * len(without.values)
    slow = regressions.cr2(
        with_it.values + without.values, x, with_it.clusters + without.clusters, [1.0, -1.0]
    )
    assert_same(inference.clustered(with_it.summed, without.summed), slow, 1e-9)


def test_equal_clusters_give_the_t_test_on_their_means() -> None:
    values = np.random.default_rng(5).normal(size=40).tolist()
    numbers = [float(i // 8) for i in range(40)]
    one_each = series([1.0] * 40)
    summed = inference.Clusters.of(series(values), one_each, series(numbers))
    slow = plain.few_clusters(plain.cluster_means(values, numbers))
    assert_same(inference.clustered(summed), slow, 1e-9)


@pytest.mark.parametrize("sizes", [[], [5]])
def test_fewer_than_two_clusters_have_no_error(sizes: list[int]) -> None:
    few, enough = observed(1, sizes), observed(2, [4, 4, 4])
    for groups in ([few], [few, enough], [enough, few]):
        assert_same(inference.clustered(*(group.summed for group in groups)), [NAN, 0.0])


@pytest.mark.parametrize("df", [0.0, 1.0, 2.0, 7.0, 30.0, math.inf])
@pytest.mark.parametrize(("value", "error"), [(0.0, 1.0), (-3.2, 1.1), (5.0, 0.01), (2.0, NAN)])
def test_intervals_and_p_values_of_a_t_distribution(value: float, error: float, df: float) -> None:
    assert_bounds(inference.t_interval(value, error, df), plain.t_interval(value, error, df))
    for sign in (1, -1):
        fast = inference.t_p_value(value, error, df, sign)
        assert_same([fast], [plain.t_p_value(value, error, df, sign)])


def test_an_estimate_without_an_error_has_a_p_value_of_one() -> None:
    assert inference.t_p_value(2.0, 0.0, 5.0, 1) == plain.t_p_value(2.0, 0.0, 5.0, 1) == 1.0


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("drawn", [[1.0], [0.0, 0.0, NAN], [-1.0, 2.0, 0.0, 3.0, NAN], [NAN]])
def test_p_values_of_resampled_estimates(drawn: list[float], sign: int) -> None:
    assert inference.drawn_p_value(np.array(drawn), sign) == plain.drawn_p_value(drawn, sign)


def test_interval_of_resampled_estimates() -> None:
    drawn = np.append(np.arange(1001.0), NAN)
    assert_bounds(inference.drawn_interval(drawn), plain.Bounds(25.0, 975.0, 50.0, 950.0))


def random_flag(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return a persistent condition without NaN, with at least two sessions on and two off."""
    flag = (rng.random(n // 10 + 1).repeat(10)[:n] < 0.4).astype(float)
    flag[:4] = [1.0, 0.0, 1.0, 0.0]
    return flag


@pytest.mark.parametrize("centre", [0.0, 1.0, 100.0])
@pytest.mark.parametrize("seed", range(4))
def test_welch(seed: int, centre: float) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(centre, 1.0, 300)
    rows = np.array([random_flag(rng, 300) for _ in range(5)])
    slow = [plain.welch(values.tolist(), row.tolist()) for row in rows]
    assert_same(inference.welch(values, rows), slow)


def test_welch_is_nan_with_a_single_session_on_or_off() -> None:
    values, rows = np.array([1.0, 2.0, 4.0]), np.array([[1.0, 0, 0], [1, 1, 0], [0, 0, 0]])
    assert np.isnan(inference.welch(values, rows)).all()
    assert all(math.isnan(plain.welch(values.tolist(), row.tolist())) for row in rows)


@pytest.mark.parametrize("seed", range(4))
def test_timing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, rows = rng.normal(0.01, 0.02, 200), rng.random((4, 200)).round(1)
    rows[3] = 0.5
    slow = [plain.timing(values.tolist(), row.tolist()) for row in rows]
    assert_same(inference.timing(values, rows)[:3], slow[:3])
    assert math.isnan(slow[3])


LENGTHS = [(20, 1000), (101, 100), (100, 100), (250, 60), (977, 50)]


@pytest.mark.parametrize(("n", "shifts"), LENGTHS)
def test_a_statistic_of_shifted_dates(n: int, shifts: int) -> None:
    rng = np.random.default_rng(n)
    values, flag = rng.normal(size=n), random_flag(rng, n)
    fast = inference.shifted(
        series(values.tolist()), series(flag.tolist()), inference.welch, shifts=shifts
    )
    slow = plain.shifted(values.tolist(), flag.tolist(), plain.welch, shifts)
    assert_same([fast.true, *fast.others], [slow.true, *slow.others])
    assert_bounds(fast.interval(0.4, 0.2), slow.interval(0.4, 0.2))
    assert_same([fast.widened(0.2)], [slow.widened(0.2)])
    for sign in (1, -1):
        assert_same([fast.p_value(sign)], [slow.p_value(sign)])


@pytest.mark.parametrize(("n", "shifts"), [(2, 9), (20, 9), (20, 19), (20, 20), (5003, 1000)])
def test_the_first_row_of_shifts_is_the_true_condition(n: int, shifts: int) -> None:
    flag = random_flag(np.random.default_rng(0), max(n, 4))[:n]
    seen: list[np.ndarray] = []

    def keep(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
        seen.append(rows)
        return np.zeros(len(rows))

    inference.shifted(series([0.0] * n), series(flag.tolist()), keep, shifts=shifts)
    (rows,) = seen
    moves = plain.shifts_of(n, shifts)
    assert rows[0].tolist() == flag.tolist()
    assert (rows == [np.roll(flag, move) for move in moves]).all()
    assert len(set(moves)) == len(moves) == min(n, shifts + 1)


def test_shifts_without_a_statistic_are_left_out() -> None:
    flag = np.array([1.0, 1.0, 0.0, 0.0, 1.0, 0.0])

    def of_every_second(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return np.array([2.0, NAN, 1.0, NAN, 2.0, NAN])

    drawn = inference.shifted(series([0.0] * 6), series(flag.tolist()), of_every_second)
    assert drawn.others.tolist() == [1.0, 2.0]
    assert drawn.p_value(1) == plain.Shifted(2.0, [1.0, 2.0]).p_value(1) == 2 / 3


def test_true_dates_without_a_statistic_have_a_p_value_of_one() -> None:
    drawn = inference.Shifted(true=NAN, others=np.array([0.0, 1.0]))
    assert drawn.p_value(1) == plain.Shifted(NAN, [0.0, 1.0]).p_value(1) == 1.0


# Regressions


@pytest.mark.parametrize("lags", [None, 0, 1, 12])
@pytest.mark.parametrize("seed", range(3))
def test_newey_west(seed: int, lags: int | None) -> None:
    rng = np.random.default_rng(seed)
    n, k = 60 + 40 * seed, 1 + seed
    x = np.column_stack([np.ones(n), rng.normal(size=(n, k)).cumsum(axis=0)])
    y = x @ rng.normal(size=k + 1) + np.cumsum(rng.normal(size=n))
    fast, slow = hac.regress(y, x, lags), regressions.newey_west(y.tolist(), x.tolist(), lags)
    assert (fast.lags, fast.n) == (slow.lags, slow.n)
    assert_close(fast.coefficients, slow.coefficients, 1e-9)
    assert_close(fast.covariance.ravel(), np.array(slow.covariance).ravel().tolist(), 1e-9)
    contrast = rng.normal(size=k + 1)
    value, error = fast.combined(contrast)
    assert_close([value, error], slow.combined(contrast.tolist()), 1e-9)
    shape = (fast.lags, fast.n)
    bounds = inference.hac_interval(fast, value, error)
    assert_bounds(bounds, regressions.fixed_b_interval(value, error, *shape))
    for sign in (1, -1):
        p = regressions.fixed_b_p_value(value, error, *shape, sign)
        assert_same([fast.p_value(value, error, sign)], [p])
    widened = regressions.fixed_b(0.975, *shape) * error / 1.96
    assert_same([fast.widened(error)], [widened])


def assert_close(fast: Sequence[float] | np.ndarray, slow: Numbers, relative: float) -> None:
    """Compare numbers from the inverse of a matrix, with a tolerance relative to the largest."""
    scale = max(abs(v) for v in slow)
    assert np.allclose(fast, slow, rtol=0, atol=relative * scale)


# Power


@pytest.mark.parametrize("df", [1.0, 2.0, 3.0, 5.0, 12.0, 40.0, 500.0, math.inf])
@pytest.mark.parametrize("effect", [-1.0, 0.0, 0.5, 1.0, 2.0, 5.0, 20.0])
def test_power(effect: float, df: float) -> None:
    fast = power_of_a_test.power(2.0, df, effect)
    assert math.isclose(fast, plain.power(2.0, df, effect), rel_tol=1e-8, abs_tol=1e-10)


@pytest.mark.parametrize("df", [1.0, 2.0, 3.0, 5.0, 12.0, 40.0, 500.0, math.inf])
def test_smallest_detectable_effect(df: float) -> None:
    found = power_of_a_test.smallest_detectable(0.3, df)
    assert math.isclose(plain.power(0.3, df, found), 0.8, rel_tol=1e-7)


@pytest.mark.parametrize(("error", "df"), [(NAN, 5.0), (0.0, 5.0), (1.0, 0.0), (1.0, 0.5)])
def test_no_power_without_an_error_or_a_degree_of_freedom(error: float, df: float) -> None:
    assert math.isnan(power_of_a_test.power(error, df, 1.0))
    assert math.isnan(power_of_a_test.smallest_detectable(error, df))
    assert math.isnan(plain.power(error, df, 1.0))


# Verdicts

NO_INTERVAL = plain.Bounds(NAN, NAN, NAN, NAN)
JUDGED = [claim for claim in CLAIMS if not claim.is_status]


def estimate(
    interval: plain.Bounds = NO_INTERVAL, p: float = 1.0, episodes: int | None = None
) -> Estimate:
    return Estimate(
        value=0.0,
        interval=Interval(**interval._asdict()),
        tests={"test": p},
        error=NAN,  # without an error there is no power to compute
        df=0.0,
        observations=10,
        counted="sessions",
        episodes=episodes,
        start=pd.Timestamp(START),
        end=pd.Timestamp(START),
        method="",
    )


@pytest.mark.parametrize("seed", range(6))
def test_adjusted_p_values(seed: int) -> None:
    rng = np.random.default_rng(seed)
    # The p-values are rounded, so that some are tied.
    p_values = {claim: round(float(rng.random() ** 3), 1 + seed % 3) for claim in JUDGED}
    fast = verdicts.adjusted_p_values({claim: estimate(p=p) for claim, p in p_values.items()})
    for primary, adjust in ((True, plain.holm), (False, plain.benjamini_hochberg)):
        claims = [claim for claim in JUDGED if claim.primary == primary]
        slow = adjust([p_values[claim] for claim in claims])
        assert_same([fast[claim] for claim in claims], slow)


@pytest.mark.parametrize("number", [0, 1])
def test_adjusting_one_p_value_or_none(number: int) -> None:
    fast = verdicts.adjusted_p_values({claim: estimate(p=0.04) for claim in JUDGED[:number]})
    assert list(fast.values()) == plain.holm([0.04] * number) == [0.04] * number


def test_a_test_without_a_p_value_counts_as_one() -> None:
    for tests in ({"first": NAN, "second": 0.01}, {"first": 0.01, "second": NAN}):
        assert replace(estimate(), tests=tests).p_value == 1.0


def claims_of_both_directions() -> list[Claim]:
    return [next(c for c in JUDGED if c.direction == side) for side in ("above", "below")]


@pytest.mark.parametrize("claim", claims_of_both_directions(), ids=lambda claim: claim.name)
@pytest.mark.parametrize("episodes", [None, 2, 3])
@pytest.mark.parametrize("p", [0.025, 0.0251])
def test_outcomes(claim: Claim, episodes: int | None, p: float) -> None:
    sign = 1 if claim.direction == "above" else -1
    smallest = claim.smallest or NAN
    steps = [smallest * share for share in (-1.5, -1, -0.5, 0, 0.5, 1, 1.5)]
    for low, low90, high90, high in itertools.combinations_with_replacement(steps, 4):
        bounds = plain.Bounds(low, high, low90, high90)
        fast = verdicts.judge(claim, estimate(bounds, p, episodes), p).outcome
        assert fast == plain.outcome(sign, smallest, episodes, bounds, p), bounds


@pytest.mark.parametrize("seed", range(6))
def test_status(seed: int) -> None:
    flag = [NAN, *random_condition(seed, 300), NAN]
    claim = next(claim for claim in CLAIMS if claim.is_status)
    fast = status(claim, cast(Sample, SimpleNamespace(flag=lambda _: series(flag))))
    slow = naive_estimators.status([day.date() for day in sessions(302)], flag)
    assert (fast.on, fast.at.date(), fast.since.date()) == slow[:3]
    stays = [(stay.start.date(), stay.end and stay.end.date()) for stay in fast.stays]
    assert stays == slow.stays
