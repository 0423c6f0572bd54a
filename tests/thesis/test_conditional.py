"""Means by episode: planted means are found, and few episodes give wider intervals."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from backtests.evidence.own_mix import mix_of
from backtests.thesis.errors import NotTestable
from backtests.thesis.estimators.conditional import difference_of, mean_of
from backtests.thesis.measures import MEASURES, YEARLY, Measure, measure
from backtests.thesis.parts import DAILY, EPISODES, HOLDINGS, SHIFTED
from backtests.thesis.sample import Sample
from signals.errors import ConfigError
from signals.universe import members
from tests.thesis.worlds import claim, condition, noise

BELOW = claim("crypto-below-spy")
ABOVE = claim("memory-over-crypto")
WEAKER = claim("crypto-weaker-than-usual")
TIMED = claim("cash-heavy-beats-its-mix")
MEMORY = members("memory")


def measured(values: pd.Series, on: pd.Series) -> Measure:
    return Measure(values=values, on=on, scale=YEARLY, counted="sessions")


def planted(seed: int, effect: float, episodes: int = 6) -> Measure:
    """Return returns whose mean is ``effect`` points a year while the condition holds."""
    on = condition(episodes, 120)
    return measured(noise(seed) + on * effect / YEARLY, on)


def test_every_claim_about_a_mean_has_its_measure() -> None:
    from backtests.thesis.claims import CLAIMS

    means = {c.name for c in CLAIMS if c.estimator in ("mean", "difference_of_means")}
    assert set(MEASURES) == means


def test_a_claim_about_a_strategy_takes_no_condition_and_any_other_claim_needs_one(
    sample: Sample,
) -> None:
    """The sessions of a strategy's claim do not depend on a flag."""
    with pytest.raises(ConfigError, match="expected `condition` to be None, was absorption"):
        measure(replace(TIMED, condition="absorption"), sample)
    with pytest.raises(ConfigError, match="expected `condition` to name a signal, was None"):
        measure(replace(BELOW, condition=None), sample)


def of_class(sample: Sample, *tickers: str) -> pd.Series:
    """Return the mean return of some assets, from closes of the same dates."""
    closes = sample.history.closes[list(tickers)]
    return (closes / closes.shift(1) - 1).mean(axis=1)


def by_week(values: pd.Series) -> list[pd.Series]:
    """Return the values of each whole calendar week."""
    weeks = [part for _, part in values.groupby(pd.DatetimeIndex(values.index).to_period("W-FRI"))]
    return weeks if values.index[-1].day_name() == "Friday" else weeks[:-1]


COINS = ("BTC-USD", "ETH-USD", "SOL-USD")


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("crypto-below-spy", COINS, ("SPY",)),
        ("crypto-weaker-while-reserves-scarce", COINS, ("SPY",)),
        ("memory-over-crypto", MEMORY, COINS),
        ("metals-are-no-shelter", ("GLD", "SLV"), None),
    ],
)
def test_a_daily_measure_is_the_return_of_one_side_minus_the_return_of_the_other(
    sample: Sample, name: str, first: tuple[str, ...], second: tuple[str, ...] | None
) -> None:
    """Metals are compared with bills."""
    found = measure(claim(name), sample)
    other = sample.bills if second is None else of_class(sample, *second)
    expected = of_class(sample, *first) - other
    assert expected.notna().sum() > 1000
    pd.testing.assert_series_equal(found.values, expected, check_names=False)
    assert (found.scale, found.counted) == (25_200, "sessions")


def test_the_cost_of_capital_is_the_real_yield_plus_the_credit_spread(sample: Sample) -> None:
    """A weekly change is in percentage points, and 52 such changes make a year."""
    found = measure(claim("cost-rises-while-absorbed"), sample)
    panel = sample.history.panel
    level = [float(week.iloc[-1]) for week in by_week(panel["DFII10"] + panel["BAA10Y"])]
    assert found.values.to_numpy()[1:] == pytest.approx(np.diff(level), nan_ok=True)
    assert (found.scale, found.counted) == (52, "weeks")


def test_the_mean_product_of_standardised_returns_is_their_correlation(sample: Sample) -> None:
    found = measure(claim("correlation-higher-while-absorbed"), sample)
    weekly = [
        [np.prod(1 + week.to_numpy()) - 1 for week in by_week(sample.asset(ticker))]
        for ticker in ("SPY", "TLT")
    ]
    both = np.array(weekly)[:, ~np.isnan(weekly).any(axis=0)]
    assert found.values.mean() == pytest.approx(np.corrcoef(both)[0, 1], abs=5e-3)
    assert (found.scale, found.counted) == (1, "weeks")


@pytest.mark.parametrize("strategy", ["cash-heavy", "near-cash-flow"])
def test_the_measure_of_a_strategy_is_its_return_minus_its_mix_from_the_first_fill_on(
    sample: Sample, strategy: str
) -> None:
    found = measure(claim(f"{strategy}-beats-its-mix"), sample)
    run = sample.run(f"{strategy}@quantities")
    first = run.sessions[1 + run.config.lag]
    expected = (run.result.returns - mix_of(run).returns).loc[first:]
    pd.testing.assert_series_equal(found.values, expected, check_names=False)
    assert (found.scale, found.counted) == (25_200, "sessions")


def test_the_weight_that_earns_a_return_is_the_weight_at_the_close_before(sample: Sample) -> None:
    found = measure(TIMED, sample)
    run = sample.run("cash-heavy@quantities")
    assert found.held is not None
    assert found.excess is not None
    days = found.values.index
    before = run.sessions[run.sessions.get_indexer(days) - 1]
    weights = run.result.weights["SPY"].loc[before]
    assert found.held.to_numpy() == pytest.approx(weights.to_numpy())
    excess = (sample.asset("SPY") - sample.bills).loc[days]
    assert found.excess.to_numpy() == pytest.approx(excess.to_numpy())


def test_a_planted_mean_is_found() -> None:
    found = mean_of(BELOW, planted(1, -60.0))
    assert found.value == pytest.approx(-60.0, abs=20.0)
    assert found.interval.high < 0
    assert found.p_value < 0.025
    assert found.episodes == 6


def test_the_mean_is_the_mean_of_all_sessions_with_the_condition() -> None:
    given = planted(2, 10.0)
    expected = given.values[given.on == 1.0].mean() * 25_200
    assert mean_of(ABOVE, given).value == pytest.approx(expected)


def test_with_clusters_of_equal_size_the_interval_is_the_t_test_on_their_means() -> None:
    from scipy.stats import ttest_1samp

    given = planted(3, 0.0)
    inside = given.on == 1.0
    means = given.values[inside].to_numpy().reshape(6, 120).mean(axis=1) * YEARLY
    expected = ttest_1samp(means, 0.0).confidence_interval(0.95)
    found = mean_of(ABOVE, given).interval
    assert (found.low, found.high) == pytest.approx(tuple(expected))


def test_two_episodes_give_a_far_wider_interval_than_their_days() -> None:
    found = mean_of(ABOVE, planted(4, 0.0, episodes=2))
    by_day = found.beside[DAILY]
    assert found.interval.high - found.interval.low > 2 * (by_day.high - by_day.low)


def test_one_episode_leaves_only_the_daily_interval() -> None:
    found = mean_of(ABOVE, planted(5, 0.0, episodes=1))
    assert set(found.tests) == {DAILY}
    assert found.episodes == 1


def test_a_planted_difference_is_found_by_shifts() -> None:
    found = difference_of(WEAKER, planted(6, -60.0))
    assert found.value == pytest.approx(-60.0, abs=25.0)
    assert set(found.tests) == {SHIFTED}
    assert set(found.tests_beside) == {DAILY, EPISODES}
    assert found.p_value < 0.025


def test_the_direction_decides_the_side_of_the_test() -> None:
    given = planted(6, -60.0)
    other = replace(WEAKER, direction="above")
    assert difference_of(other, given).p_value > 0.95


def test_a_shifted_condition_is_uniform_without_an_effect() -> None:
    ranks = [difference_of(WEAKER, planted(seed, 0.0)).p_value for seed in range(60)]
    assert 0.35 < np.mean(ranks) < 0.65
    assert 1 <= sum(rank < 0.1 for rank in ranks) <= 14


@pytest.mark.parametrize("estimate", [mean_of, difference_of])
def test_the_interval_covers_the_truth(estimate: object) -> None:
    name = ABOVE if estimate is mean_of else WEAKER
    inside = 0
    for seed in range(60):
        found = estimate(name, planted(seed, 15.0)).interval  # type: ignore[operator]
        inside += found.low <= 15.0 <= found.high
    assert inside >= 52


def test_holdings_with_planted_timing_beat_their_shifts() -> None:
    on = condition(6, 120)
    market = noise(7) + 0.0004 - on * 0.002
    held = 0.6 - 0.4 * on
    given = replace(measured((held - held.mean()) * market, on), held=held, excess=market)
    found = mean_of(TIMED, given)
    assert set(found.tests) == {HOLDINGS}
    assert found.p_value < 0.025
    assert found.interval.low < found.value < found.interval.high


def test_costs_count_against_the_timing_of_holdings() -> None:
    on = condition(6, 120)
    market, held = noise(8), 0.6 - 0.4 * on
    gain = (held - held.mean()) * market
    free = replace(measured(gain, on), held=held, excess=market)
    paid = replace(free, values=gain - 0.05 / 252)
    assert mean_of(TIMED, paid).p_value > mean_of(TIMED, free).p_value
    assert mean_of(TIMED, paid).value == pytest.approx(mean_of(TIMED, free).value - 5.0)


def test_too_few_sessions_with_the_condition_are_not_testable() -> None:
    on = condition(1, 10)
    with pytest.raises(NotTestable, match="at least 20 sessions with the condition on, found 10"):
        mean_of(ABOVE, measured(noise(9), on))


def test_too_few_sessions_are_named_without_a_condition_that_the_claim_does_not_have() -> None:
    given = measured(noise(9).iloc[:100], pd.Series(1.0, index=noise(9).index[:100]))
    assert TIMED.condition is None
    with pytest.raises(NotTestable, match=r"^expected at least 252 sessions, found 100; add"):
        mean_of(TIMED, given)


def test_a_missing_value_or_view_is_left_out() -> None:
    given = planted(10, 0.0)
    values, on = given.values.copy(), given.on.copy()
    values.iloc[::7] = np.nan
    on.iloc[:50] = np.nan
    kept = values[(on == 1.0) & values.notna()]
    assert mean_of(ABOVE, measured(values, on)).value == pytest.approx(kept.mean() * YEARLY)


def test_a_return_belongs_to_the_flag_of_two_sessions_before(sample: Sample) -> None:
    flag, on = sample.flag("absorption"), sample.condition("absorption")
    assert on.iloc[2:].equals(flag.shift(2).iloc[2:])
    assert not on.equals(flag)


def test_an_unfinished_week_does_not_count(sample: Sample) -> None:
    """The simulated history ends on Tuesday 2024-12-31."""
    changes = measure(claim("cost-rises-while-absorbed"), sample).values
    assert changes.index[-1] == pd.Timestamp("2024-12-27")


def test_a_week_without_a_view_at_its_first_session_has_no_condition(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flag of a later session was not known before the week's first return."""
    sessions = sample.sessions
    wednesday = next(day for day in sessions[2000:] if day.weekday() == 2)
    on = pd.Series(1.0, index=sessions).where(sessions >= wednesday)
    monkeypatch.setattr(Sample, "condition", lambda self, signal: on)
    weekly_on = measure(claim("cost-rises-while-absorbed"), sample).on
    friday = wednesday + pd.Timedelta(days=2)
    assert weekly_on.loc[:friday].isna().all()
    assert weekly_on.loc[friday + pd.Timedelta(days=1) :].eq(1.0).all()
