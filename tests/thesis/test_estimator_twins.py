"""Plain twins of the estimators, compared with closed forms and with the estimators."""

import math
from collections.abc import Sequence
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.regression.linear_model import OLS

from backtests.thesis.claim import EstimatorName
from backtests.thesis.errors import NotTestable
from backtests.thesis.estimators import conditional
from backtests.thesis.estimators.follow_through import breakouts
from backtests.thesis.estimators.rank_order import permutation_p_value, tau
from backtests.thesis.measures import Measure
from signals.universe import DURATION
from tests.reference import naive_estimators as twins
from tests.reference import naive_regressions as regressions
from tests.reference import naive_trial as plain
from tests.reference.naive_trial import NAN
from tests.thesis.worlds import claim, condition, noise


def close(fast: Sequence[float] | np.ndarray, slow: Sequence[float] | np.ndarray) -> bool:
    return bool(np.allclose(fast, slow, rtol=1e-8, atol=1e-12, equal_nan=True))


def test_each_estimator_has_a_twin() -> None:
    assert set(twins.TWINS) == set(get_args(EstimatorName))


# Closed forms


def test_holm_and_benjamini_hochberg_by_hand() -> None:
    # Of five p-values, Holm multiplies the j-th smallest by 6 − j, and the other method by 5 / j.
    p_values = [0.03, 0.01, 0.05, 0.02, 0.04]
    assert close(plain.holm(p_values), [0.09, 0.05, 0.09, 0.08, 0.09])
    assert close(plain.benjamini_hochberg(p_values), [0.05] * 5)


@pytest.mark.parametrize(("few", "many"), [(2, 2), (3, 27), (10, 11)])
def test_cr2_with_clusters_of_one_observation(few: int, many: int) -> None:
    # Imbens and Kolesár (2016), section II: the variance HC2 equals Welch's, and the degrees of
    # freedom depend only on the two numbers of observations. Their example with 3 and 27 has 2.5
    # degrees of freedom.
    y = np.random.default_rng(few).normal(size=few + many).tolist()
    x = [[1.0, 0.0]] * few + [[0.0, 1.0]] * many
    error, df = regressions.cr2(y, x, range(few + many), [1.0, -1.0])
    welch = plain.variance(y[:few]) / few + plain.variance(y[few:]) / many
    weight = few**2 * (few - 1) + many**2 * (many - 1)
    assert close([error, df], [welch**0.5, (few + many) ** 2 * (few - 1) * (many - 1) / weight])


@pytest.mark.parametrize("seed", range(5))
def test_tau_b_of_tied_values_equals_scipys(seed: int) -> None:
    x, y = np.random.default_rng(seed).integers(0, 5, (2, 9)).tolist()
    assert close([twins.tau_b(x, y)], [stats.kendalltau(x, y, variant="b").statistic])


def test_p_values_of_perfect_orders() -> None:
    means = {"near": 0.3, "middle": 0.2, "far": 0.1, "farthest": 0.0}
    perfect = twins.rank_order(means, {name: i for i, name in enumerate(means)})
    assert perfect == twins.Ordered(1.0, 1 / 24, 24)
    reverse = twins.rank_order(means, {name: -i for i, name in enumerate(means)})
    assert reverse == twins.Ordered(-1.0, 1.0, 24)


def test_declared_classes_have_1680_distinct_orders() -> None:
    # In 8 classes, groups of 2, 3 and 2 share a rank, so there are 8! / (2! 3! 2!) orders.
    means = {name: -float(i) for i, name in enumerate(DURATION)}
    ordered = twins.rank_order(means, DURATION)
    assert (ordered.orders, ordered.p_value) == (1680, 1 / 1680)
    assert close([ordered.value], [23 / math.sqrt(23 * 28)])


def test_p_values_of_cascades() -> None:
    assert twins.cascade_order([[1, 2, 3, 4]]) == twins.Ordered(1.0, 1 / 24, 24)
    assert twins.cascade_order([[1, 2, 3, 4], [5, 6, 7, 9]]) == twins.Ordered(1.0, 1 / 576, 576)
    mixed = twins.cascade_order([[1, 2, 3, 4], [4, 3, 2, 1], [NAN, NAN, NAN, 1.0]])
    assert mixed.value == 0.0
    # Without crypto, three classes have six orders; five of them have a tau of at least −1/3.
    assert twins.cascade_order([[NAN, 2, 3, 1]]) == twins.Ordered(-1 / 3, 5 / 6, 6)


def test_the_peak_is_the_first_highest_level_up_to_the_trough() -> None:
    assert twins.peak([9, 1, 3, NAN, 3, 0, 8], 1, 5) == 2
    assert math.isnan(twins.peak([1, NAN, NAN], 1, 2))


def test_lead_and_lag_of_a_series_and_its_delayed_copy() -> None:
    leader = np.random.default_rng(3).normal(size=300)
    follower = np.append(NAN, leader[:-1])
    # The follower has no first return, so both correlations lack the first pair.
    backward = np.corrcoef(follower[1:-1], leader[2:])[0, 1]
    both = twins.lead_and_lag(leader.tolist(), follower.tolist())
    assert close([both], [1.0 - backward])
    assert close([twins.lead_and_lag(follower.tolist(), leader.tolist())], [-both])


def test_lead_and_lag_leaves_a_pair_out_of_both_correlations() -> None:
    first, second = np.random.default_rng(4).normal(size=(2, 80))
    first[30] = NAN
    kept = [i for i in range(79) if i not in (29, 30)]
    later = [i + 1 for i in kept]
    forward, backward = (
        np.corrcoef(a[kept], b[later])[0, 1] for a, b in ((first, second), (second, first))
    )
    assert close([twins.lead_and_lag(first.tolist(), second.tolist())], [forward - backward])


def test_breakouts_by_hand() -> None:
    flat = [1.0] * 60
    assert twins.breakouts([*flat, 2.0, *[1.0] * 30, 3.0]) == [(60, True)]
    assert twins.breakouts([*flat, 2.0, *[1.0] * 30, 2.0]) == [(60, False)]
    assert twins.breakouts([*flat, 2.0, *[1.0] * 30]) == []
    assert twins.breakouts([NAN, *flat[1:], 2.0, *[1.0] * 30, 3.0]) == []
    assert twins.breakouts([*flat, 1.0, *[1.0] * 31]) == []


def test_returns_after_a_flag_by_hand() -> None:
    returns, bills = [0.0, 0.0, 0.0, 0.1, 0.1, 0.0, 0.0, 0.0], [0.0] * 8
    # The flag turns on at session 1; with a delay of 1, its two sessions are 3 and 4.
    found = twins.after_flag(returns, bills, [0, 1, 1, 0, 0, 0, 0, 1], horizon=2, delay=1)
    # Five returns over two sessions are known: 10 %, 21 %, 10 %, 0 % and 0 %.
    assert close([found.value, found.n], [21 - 41 / 5, 1])
    flag = [NAN, NAN, NAN, 0, 1, 0, 0, 0]  # only the two returns of 0 % have a view
    viewed = twins.after_flag(returns, bills, flag, horizon=2, delay=1, viewed=True)
    assert close([viewed.value], [0.0])


@pytest.mark.parametrize("lags", [0, 5, None])
def test_local_projection_equals_statsmodels(lags: int | None) -> None:
    rng = np.random.default_rng(4)
    impulse, control = rng.normal(size=(2, 150))
    state = (rng.random(150) < 0.4).astype(float)
    y = 2 * impulse - 3 * state * impulse + rng.normal(size=150)
    found = regressions.local_projection(
        y.tolist(), impulse.tolist(), state.tolist(), [control.tolist()], lags
    )
    x = np.column_stack([np.ones(150), state, impulse, state * impulse, control])
    maxlags = math.ceil(1.3 * math.sqrt(150)) if lags is None else lags
    fit = OLS(y, x).fit(cov_type="HAC", cov_kwds={"maxlags": maxlags, "use_correction": True})
    assert close(found.ample[:2], [fit.params[2], fit.bse[2]])
    assert close(found.difference[:2], [fit.params[3], fit.bse[3]])


def events(seed: int) -> tuple[list[float], list[float], list[int]]:
    """Return responses, surprises and quarters of 60 events in 12 quarters."""
    rng = np.random.default_rng(seed)
    surprises, noisy = rng.normal(size=(2, 60))
    return (0.5 * surprises + noisy).tolist(), surprises.tolist(), [i // 5 for i in range(60)]


def test_errors_by_cluster_equal_statsmodels() -> None:
    y, surprises, quarters = events(6)
    x = [[1.0, v] for v in surprises]
    found = regressions.clustered(y, x, quarters)
    fit = OLS(y, x).fit(cov_type="cluster", cov_kwds={"groups": quarters})
    assert close(found.coefficients, fit.params)
    assert close(np.array(found.covariance), fit.cov_params())


def test_event_responses_of_two_states() -> None:
    y, surprises, quarters = events(7)
    state = [float(15 <= i < 40) for i in range(60)]
    parts = []
    for wanted in (1.0, 0.0):
        there = [i for i in range(60) if state[i] == wanted]
        chosen = ([column[i] for i in there] for column in (y, surprises, quarters))
        parts.append(regressions.event_response(*chosen))
    found = regressions.event_response(y, surprises, quarters, state)
    on, off = parts
    assert close([found.value], [on.value - off.value])
    assert close([found.error, found.n], [math.hypot(on.error, off.error), 60])
    assert min(on.df, off.df) < found.df < on.df + off.df
    whole = OLS(y, [[1, s, d, s * d] for s, d in zip(surprises, state, strict=True)]).fit()
    assert close([found.value], [whole.params[3]])


def forecast_inputs() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(7)
    supply, demand = rng.normal(size=(2, 120))
    return supply + 2 * demand + rng.normal(size=120), supply, demand


def nested(y: np.ndarray, supply: np.ndarray, demand: np.ndarray) -> regressions.Nested:
    return regressions.nested_forecast(y.tolist(), [supply.tolist()], [demand.tolist()], first=30)


def test_nested_forecasts_without_noise() -> None:
    _, supply, demand = forecast_inputs()
    found = nested(supply + 2 * demand, supply, demand)
    assert close([found.large, found.difference], [100.0, 100.0 - found.small])


def test_nested_forecasts_by_refitting_at_each_row() -> None:
    y, supply, demand = forecast_inputs()
    found = nested(y, supply, demand)
    errors = []
    for i in range(33, 120):  # at row 33, the targets of rows 0 to 29 are known
        past = slice(0, i - 3)
        forecasts = [y[past].mean()]
        for columns in ([supply], [supply, demand]):
            x = np.column_stack([np.ones(120), *columns])
            forecasts.append(x[i] @ np.linalg.lstsq(x[past], y[past], rcond=None)[0])
        errors.append(y[i] - np.array(forecasts))
    e0, e1, e2 = np.array(errors).T
    assert close(found.adjusted, 2 * e1 * (e1 - e2))  # Clark and West's term, multiplied out
    r2 = [100 - 100 * (e**2).sum() / (e0**2).sum() for e in (e1, e2)]
    assert close(found[:3], [*r2, r2[1] - r2[0]])


def test_a_kink_without_noise_is_found_exactly() -> None:
    u = (0.5 + 0.4 * np.sin(np.arange(200) / 9)).tolist()
    cost = [1.0 + 2 * v + 3 * max(0.0, v - 0.5) + 0.01 * i for i, v in enumerate(u)]
    assert close(regressions.kink(cost, u), [2.0, 3.0, 187])


def test_seasonal_surprises_by_hand() -> None:
    totals = [100.0, 110.0, 108.0, 120.0]
    last = twins.seasonal_surprises(totals, fewest=2)[-1]
    # The earlier changes are 10 and −2. Their mean is 4, and their standard deviation is √72.
    assert close(last, [12 / math.sqrt(72), 12 / 108])
    last = twins.seasonal_surprises(totals, fewest=2, drift=True)[-1]
    assert close(last, [(12 - 4) / math.sqrt(72), 12 / 108])
    assert math.isnan(twins.seasonal_surprises(totals, fewest=3)[-1].standardised)
    relative = twins.seasonal_surprises([100.0, 110.0, 121.0, 108.9], fewest=2, relative=True)
    assert math.isnan(relative[-1].standardised)  # both earlier growth rates were 10 %
    assert close([relative[-1].growth], [-0.1])


def test_a_surprise_is_limited() -> None:
    totals = [100.0, 101.0, 103.0, 104.0, 106.0, 206.0, 6.0]
    found = twins.seasonal_surprises(totals, limit=3.0)
    assert [row.standardised for row in found[-2:]] == [3.0, -3.0]


# Estimators


def assert_twin_of_means(values: pd.Series, on: pd.Series, counted: str = "sessions") -> None:
    """Compare both estimators of means with their twins, on the same values and conditions."""
    measured = Measure(values=values, on=on, scale=25_200.0, counted=counted)
    given = (values.tolist(), on.tolist(), 25_200.0, 13 if counted == "weeks" else 63)

    fast = conditional.mean_of(claim("crypto-below-spy"), measured)
    slow = twins.conditional_mean(*given)
    assert close([fast.value, fast.error, fast.df, fast.observations], slow)
    bounds = plain.t_interval(slow.value, slow.error, slow.df)
    assert close([fast.interval.low, fast.interval.high90], [bounds.low, bounds.high90])

    fast = conditional.difference_of(claim("crypto-weaker-than-usual"), measured)
    slow = twins.difference_of_means(*given)
    assert close([fast.value], [slow.value])
    beside = fast.beside["episodes independent"]
    bounds = plain.t_interval(slow.value, slow.error, slow.df)
    assert close([beside.low, beside.high90], [bounds.low, bounds.high90])


@pytest.mark.parametrize("episodes", [3, 5])
def test_means(episodes: int) -> None:
    values, on = noise(episodes, 1200), condition(episodes, 60, 1200)
    on.iloc[130:140] = 0.0  # a hole in the first episode
    on.iloc[:20] = NAN
    values.iloc[::17] = NAN
    assert_twin_of_means(values, on)


def test_the_p_value_of_a_difference_comes_from_shifted_dates() -> None:
    values, on = noise(3, 400), condition(2, 60, 400)
    values.iloc[::17] = NAN
    measured = Measure(values=values, on=on, scale=1.0, counted="sessions")
    fast = conditional.difference_of(claim("crypto-weaker-than-usual"), measured)
    kept = values.notna()
    drawn = plain.shifted(values[kept].tolist(), on[kept].tolist(), plain.welch)
    assert close(list(fast.tests.values()), [drawn.p_value(-1)])
    bounds = drawn.interval(fast.value, fast.value / drawn.true)
    assert close([fast.interval.low, fast.interval.high90], [bounds.low, bounds.high90])


@pytest.mark.parametrize("lost", ["values", "views"])
def test_episodes_stay_apart_when_sessions_between_are_lost(lost: str) -> None:
    values, on = noise(1, 1200), condition(3, 60, 1200)
    on.iloc[230:290] = 1.0  # 70 sessions after the first episode
    (values if lost == "values" else on).iloc[165:225] = NAN
    assert_twin_of_means(values, on)


def test_a_quarter_has_13_weeks() -> None:
    values, on = noise(2, 600), condition(4, 20, 600)
    on.iloc[150:160] = 1.0  # 31 weeks after the first episode
    assert_twin_of_means(values, on, "weeks")


def test_a_condition_that_always_holds_has_no_difference() -> None:
    on = condition(1, 60, 600) * 0 + 1
    measured = Measure(values=noise(1, 600), on=on, scale=1.0, counted="sessions")
    with pytest.raises(NotTestable, match="20 sessions with the condition off, found 0"):
        conditional.difference_of(claim("crypto-weaker-than-usual"), measured)


def early() -> np.ndarray:
    return -np.array(list(DURATION.values()), dtype=float)


@pytest.mark.parametrize("seed", range(6))
def test_rank_order(seed: int) -> None:
    means = np.random.default_rng(seed).normal(size=8).round(seed % 3)  # rounded: some are tied
    slow = twins.rank_order(dict(zip(DURATION, means.tolist(), strict=True)), DURATION)
    assert close(tau(means[None, :], early()), [slow.value])
    assert close([permutation_p_value(means, early(), 1)], [slow.p_value])


@pytest.mark.parametrize("seed", range(4))
def test_breakouts(seed: int) -> None:
    rng = np.random.default_rng(seed)
    closes = pd.DataFrame(100 + rng.normal(0.05, 1, (500, 3)).cumsum(axis=0)).round(1)
    closes = closes.mask(rng.random((500, 3)) < 0.002)
    closes.iloc[:50, 0] = NAN
    found = [b for column in closes for b in twins.breakouts(closes[column].tolist())]
    kept, count = [0.0] * 500, [0.0] * 500
    for session, is_kept in found:
        kept[session] += is_kept
        count[session] += 1
    table = breakouts(closes)
    assert len(found) > 20
    assert table["count"].tolist() == count
    assert table["kept"].tolist() == kept
