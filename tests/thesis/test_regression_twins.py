"""Estimators of leads, forecasts, responses, flags, kinks and events, compared with plain twins."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtests.thesis import clustered, filings
from backtests.thesis.estimators.after_flag import entries_of, forward_over_bills
from backtests.thesis.estimators.average_response import mean_by_quarter
from backtests.thesis.estimators.instrumented import ratio_of
from backtests.thesis.estimators.kink import hac_fit
from backtests.thesis.estimators.lead_and_lag import lead_draws, pairs_of
from backtests.thesis.estimators.local_projection import State, project, regressors
from backtests.thesis.estimators.nested_forecast import DELAY, FIRST, forecasts, gain_draws
from tests.reference import naive_estimators as twins
from tests.reference import naive_regressions as regressions
from tests.reference.naive_trial import NAN

WEEKS = pd.date_range("2014-01-03", periods=500, freq="W-FRI")


def close(fast: Any, slow: Any) -> bool:
    return bool(np.allclose(fast, slow, rtol=1e-8, atol=1e-10, equal_nan=True))


def weekly_noise(seed: int) -> pd.Series:
    return pd.Series(np.random.default_rng(seed).normal(size=500), index=WEEKS)


def test_lead_and_lag() -> None:
    weeks = pd.DataFrame({"first": weekly_noise(1), "second": weekly_noise(2)})
    weeks.iloc[:40, 0] = NAN
    weeks.iloc[200, 1] = NAN
    drawn = lead_draws(pairs_of(weeks).to_numpy(), reps=2)
    assert close(drawn[0], twins.lead_and_lag(*(weeks[c].tolist() for c in weeks)))


def test_nested_forecast() -> None:
    target, x = weekly_noise(3), pd.DataFrame({"small": weekly_noise(4), "new": weekly_noise(5)})
    target.iloc[-5:] = NAN
    made = forecasts(target, x[["small"]], x)
    slow = regressions.nested_forecast(
        target.tolist(),
        [x["small"].tolist()],
        [x["new"].tolist()],
        first=FIRST,
        horizon=DELAY,
    )
    assert close(gain_draws(made, reps=2)[0], slow.difference)
    adjusted = np.asarray(made.clark_west)
    assert close(adjusted[~np.isnan(adjusted)], slow.adjusted)


@pytest.mark.parametrize("signs", [{"off": 1}, {"on": 1, "off": -1}])
def test_local_projection(signs: dict[State, int]) -> None:
    impulse, past = weekly_noise(6).cumsum(), weekly_noise(7)
    state = pd.Series((np.arange(500) // 60 % 2).astype(float), index=WEEKS)
    response = weekly_noise(8) + 0.1 * impulse
    x = regressors(impulse, state, past)
    fast = project(response, x, signs, 13)

    past_deviation = impulse.expanding(52).std()
    scaled = [impulse.shift(k) / past_deviation for k in range(5)]
    lagged = [lag for k in range(1, 5) for lag in (scaled[k], scaled[k] * state)]
    controls = [*lagged, *(past.shift(k) for k in range(4))]
    slow = regressions.local_projection(
        response.tolist(),
        scaled[0].tolist(),
        state.tolist(),
        [control.tolist() for control in controls],
        fast.fit.lags,
    )
    chosen = slow.difference if "on" in signs else slow.ample
    assert close([fast.value, fast.error], chosen[:2])


def test_after_flag() -> None:
    rng = np.random.default_rng(9)
    returns, bills = pd.Series(rng.normal(0, 0.01, 900)), pd.Series(np.full(900, 1e-4))
    flag = pd.Series((rng.random(30).repeat(30) < 0.3).astype(float))
    flag.iloc[:200] = NAN
    forward = forward_over_bills(returns, bills)
    entries = entries_of(forward, flag)
    slow = twins.after_flag(returns.tolist(), bills.tolist(), flag.tolist(), viewed=True)
    assert close([entries.excess.mean(), len(entries.returns)], [slow.value, slow.n])


def test_kink() -> None:
    u = pd.Series(0.5 + 0.4 * np.sin(np.arange(300) / 9))
    walk = np.cumsum(np.random.default_rng(10).normal(size=300))
    cost = pd.Series(walk / 20) + 2 * u
    beyond = (u - 0.5).clip(lower=0)
    x = np.column_stack([np.ones(300), u.diff(13), beyond.diff(13)])[13:]
    fast = hac_fit(x, cost.diff(13).to_numpy()[13:])
    slow = regressions.kink(cost.tolist(), u.tolist())
    assert close(fast.coefficients[1:], [slow.slope, slow.kink])


@pytest.mark.parametrize("seed", range(10))
def test_event_response(seed: int) -> None:
    rng = np.random.default_rng(seed)
    quarters = np.sort(rng.integers(0, 4 + 2 * seed, 100))
    x = rng.normal(size=100)
    y = 0.3 * x + rng.normal(size=100) + rng.normal(size=30)[quarters]
    y[3] = NAN
    fast = clustered.slope(y, x, quarters)
    slow = regressions.event_response(y.tolist(), x.tolist(), quarters.tolist())
    assert close([fast.value, fast.error, fast.df, fast.n], slow)

    state = (quarters % 2 == 0).astype(float)
    parts = [clustered.slope(y[state == s], x[state == s], quarters[state == s]) for s in (1, 0)]
    if min(part.clusters for part in parts) >= clustered.FEWEST:
        fast = clustered.minus(*parts)
        both = (y.tolist(), x.tolist(), quarters.tolist(), state.tolist())
        assert close([fast.value, fast.error, fast.df, fast.n], regressions.event_response(*both))


@pytest.mark.parametrize("seed", range(6))
def test_average_response(seed: int) -> None:
    rng = np.random.default_rng(seed)
    response = rng.normal(size=(30, 1)) + rng.normal(size=(30, 1))
    table = pd.DataFrame({"at": np.arange(30), "quarter": np.sort(rng.integers(0, 4 + seed, 30))})
    fast = mean_by_quarter(response[:, -1], table)
    slow = regressions.average_response(response[:, -1].tolist(), table["quarter"].tolist())
    assert close(fast, [*slow[:3], table["quarter"].nunique()])


@pytest.mark.parametrize("strength", [0.15, 0.5, 2.0])
@pytest.mark.parametrize("seed", range(4))
def test_instrumented(seed: int, strength: float) -> None:
    rng = np.random.default_rng(seed)
    quarters = np.sort(rng.integers(0, 15, 60))
    z, other = rng.normal(size=(2, 60))
    x = strength * z + other
    y = -x + 2 * other + rng.normal(size=15)[quarters]
    fast = ratio_of(y, x, z, quarters)
    slow = regressions.instrumented(y.tolist(), x.tolist(), z.tolist(), quarters.tolist())
    assert close([fast.value, fast.strength], slow[:2])
    low, high = fast.bounds(0.95)
    if np.isfinite(low):
        assert close([low, high], slow[2:])
    else:  # the set is the whole line, or the line without a gap
        assert not np.isfinite(slow[2:]).all()


def test_surprises_of_filings() -> None:
    totals = [100.0, 110.0, 107.8, 113.2, 135.9, 139.9, 181.9]
    growth = pd.Series(totals).pct_change()
    surprises = (growth / filings.past_deviation(growth)).clip(-filings.LARGEST, filings.LARGEST)
    slow = twins.seasonal_surprises(totals, filings.EARLIER, relative=True, limit=filings.LARGEST)
    assert close(surprises, [row.standardised for row in slow])
