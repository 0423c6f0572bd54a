"""Measure how often the 95 % intervals of the trial's estimators contain the true value.

    python -m benchmarks.trial_coverage --seeds 200 [--only local_projection]

Each function of :data:`WORLDS` draws a SIMULATED world with a planted effect. The function
estimates the effect with the code of the trial, and returns the interval and the true value. The
worlds have features that make intervals too narrow: overlapping returns, slow regressors, and
volatility in clusters. If the intervals are correct, 181 to 197 of 200 intervals contain the true
value. The probability of this result is about 99 %.
"""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial

import numpy as np
import pandas as pd
from arch.bootstrap import StationaryBootstrap
from scipy.signal import lfilter

from backtests.thesis.errors import NotTestable
from backtests.thesis.estimate import Interval
from backtests.thesis.estimators.after_flag import (
    AHEAD,
    BLOCK,
    Entries,
    entries_of,
    forward_over_bills,
    inverted,
    null_values,
)
from backtests.thesis.estimators.kink import hac_fit
from backtests.thesis.estimators.lead_and_lag import lead_draws, pairs_of
from backtests.thesis.estimators.local_projection import (
    CONTRASTS,
    project,
    regressors,
)
from backtests.thesis.estimators.nested_forecast import Forecasts, forecasts, gain_draws
from backtests.thesis.inference import drawn_interval, hac_interval
from backtests.thesis.sample import LAG
from benchmarks.pools import add_options, pool_of
from benchmarks.trial_coverage_episodes import INTERVALS as EPISODES
from benchmarks.trial_coverage_events import INTERVALS as EVENTS
from signals.convexity import Convexity

#: Lower and upper bound of a 95 % interval, and the true value.
Drawn = tuple[float, float, float]

YEARS, WEEKS = 12, 52
#: Length in weeks of the return after a rise of capex, and of a forecast return.
QUARTER, MONTH = 13, 4
#: Number of sessions for which the flag of :func:`chances` stays on.
STAY = 63
#: The planted kink, points per unit of u.
KINK = 2.0
#: In each world of :func:`capex_responses`, each state applies in more than this number of weeks.
FEWEST_ON = 80


def bounds(interval: Interval, truth: float) -> Drawn:
    """Return the 95 % interval and the true value."""
    return interval.low, interval.high, truth


def dates(n: int) -> pd.DatetimeIndex:
    """Return ``n`` consecutive Fridays."""
    return pd.date_range("2005-01-07", periods=n, freq="W-FRI")


def clustered(rng: np.random.Generator, n: int, deviation: float, stay: float = 0.93) -> np.ndarray:
    """Return ``n`` returns with GARCH(1, 1) volatility, t(6) shocks and mean zero.

    ``deviation`` is the unconditional standard deviation, in the unit of the returns.
    """
    shocks = rng.standard_t(6, n) / np.sqrt(6 / 4)
    news = 0.08
    variance, out = deviation**2, np.empty(n)
    for at in range(n):
        out[at] = np.sqrt(variance) * shocks[at]
        variance = deviation**2 * (1 - news - (stay - news)) + (stay - news) * variance
        variance += news * out[at] ** 2
    return out


def spells(rng: np.random.Generator, n: int, off: float, on: float) -> np.ndarray:
    """Return a random state for each of ``n`` weeks: 1.0 (on) or 0.0 (off).

    The lengths of stays are geometric, with the means ``on`` and ``off``.
    """
    state, out = 0, np.empty(n)
    for at in range(n):
        out[at] = state
        if rng.random() < 1 / (on if state else off):
            state = 1 - state
    return out


def capex_responses(seed: int, off: float = 3.0, on: float = -1.0) -> tuple[Interval, Interval]:
    """Return two intervals: response with a state off, and response on minus response off.

    The data cover 12 years. A rise of the impulse by one standard deviation raises the return of
    the next 13 weeks by ``off`` or ``on`` points. The mean length of a stay is two years off and
    one year on. The impulse is slow: it moves by small steps in most weeks, and by large steps when
    firms file.
    """
    rng = np.random.default_rng(seed)
    n = YEARS * WEEKS
    index = dates(n)
    filed = rng.random(n) < 20 / WEEKS
    news = rng.standard_normal(n) * np.where(filed, 4.0, 0.3)
    impulse = pd.Series(20 + lagged(news, 0.985), index)
    state = pd.Series(spells(rng, n, 2 * WEEKS, WEEKS), index)
    while not FEWEST_ON < state.sum() < n - FEWEST_ON:
        state = pd.Series(spells(rng, n, 2 * WEEKS, WEEKS), index)
    scaled = pd.Series(news, index) / impulse.expanding(WEEKS).std()
    lift = scaled.fillna(0.0) * np.where(state == 1.0, on, off) / QUARTER
    weekly = pd.Series(clustered(rng, n, 2.3), index)
    weekly += sum(lift.shift(k, fill_value=0.0) for k in range(1, QUARTER + 1))
    ahead = weekly.rolling(QUARTER).sum().shift(-QUARTER)
    x = regressors(impulse, state, weekly)
    made = [project(ahead, x, signs, QUARTER) for signs in CONTRASTS.values()]
    return made[0].interval, made[1].interval


def lagged(news: np.ndarray, stay: float) -> np.ndarray:
    """Return an AR(1) process with coefficient ``stay``, begun at the first shock."""
    out: np.ndarray = lfilter([1.0], [1.0, -stay], news)
    return out


def capex_off(seed: int) -> Drawn:
    """Return interval and true value of the response to capex while idle capital is ample."""
    return bounds(capex_responses(seed)[0], 3.0)


def capex_difference(seed: int) -> Drawn:
    """Return interval and true value of the response to capex: depleted minus ample capital."""
    return bounds(capex_responses(seed)[1], -4.0)


def crypto_lead(seed: int) -> Drawn:
    """Return the interval of crypto's lead over SPY in ten years of weekly returns.

    SPY's return includes 3.5 % of crypto's return in the week before. Crypto has a beta of 1.2 to
    the shocks of SPY.
    """
    rng = np.random.default_rng(seed)
    n, beta, taken, own, other = 10 * WEEKS, 1.2, 0.035, 9.0, 2.3
    shocks = clustered(rng, n + WEEKS, other)
    crypto_shocks = clustered(rng, n + WEEKS, own)
    crypto = lagged(beta * shocks + crypto_shocks, beta * taken)
    spy = shocks + taken * np.concatenate(([0.0], crypto[:-1]))
    weeks = pd.DataFrame({"crypto": crypto[WEEKS:], "SPY": spy[WEEKS:]}, dates(n))
    drawn = lead_draws(pairs_of(weeks).to_numpy())
    variance = (beta**2 * other**2 + own**2) / (1 - (beta * taken) ** 2)
    spy_variance = taken**2 * variance + other**2
    truth = taken * variance - beta**2 * taken * spy_variance
    return bounds(drawn_interval(drawn[1:]), truth / np.sqrt(variance * spy_variance))


def demand_forecasts(seed: int) -> Forecasts:
    """Return forecasts of 4-week returns in twelve years, with an effect of the absorbed share.

    The absorbed share changes slowly, and lies between 0 and 1. A rise of the share from 0 to 1
    lowers the weekly return by 1 point. The supply also changes slowly, and raises the return.
    """
    rng = np.random.default_rng(seed)
    n = YEARS * WEEKS
    share = 1 / (1 + np.exp(-lagged(rng.standard_normal(n + WEEKS) * 0.4, 0.97)[WEEKS:]))
    supply = lagged(rng.standard_normal(n + WEEKS) * 1.0, 0.93)[WEEKS:]
    drift = np.concatenate(([0.0], 0.7 + 0.05 * supply - 1.0 * share))[:-1]
    weekly = pd.Series(drift + clustered(rng, n, 2.3), dates(n))
    ahead = weekly.rolling(MONTH).sum().shift(-MONTH)
    small = pd.DataFrame({"supply": supply}, dates(n))
    return forecasts(ahead, small, small.assign(u=share))


@cache
def mean_gain(worlds: int = 1000) -> float:
    """Return the larger model's expected gain, in %, from seeds that no interval uses."""
    losses = [demand_forecasts(1_000_000 + seed).losses.sum() for seed in range(worlds)]
    total = pd.DataFrame(losses).sum()
    return float(100 * (total["small"] - total["large"]) / total["mean"])


def demand_gain(seed: int) -> Drawn:
    """Return the interval of the R² that demand adds, and the true value, a mean of many worlds."""
    drawn = gain_draws(demand_forecasts(seed))
    return bounds(drawn_interval(drawn[1:]), mean_gain())


def kink_path(seed: int) -> tuple[pd.Series, pd.Series]:
    """Return ten years of weekly u and cost of capital, in %, with a kink of 2.

    u crosses one half many times. The slope of the cost of capital against u is 1 while u is below
    one half, and 3 while u is above. Other causes move the cost by about 0.8 points a year.
    """
    rng = np.random.default_rng(seed)
    n = 10 * WEEKS
    u = 1 / (1 + np.exp(-lagged(rng.standard_normal(n) * 0.3, 0.97)))
    other = clustered(rng, n, 0.8 / np.sqrt(WEEKS)).cumsum()
    cost = 4 + other + u + KINK * np.maximum(0.0, u - 0.5)
    return pd.Series(u, dates(n)), pd.Series(cost, dates(n))


def kink_intervals(seed: int) -> tuple[Interval, Interval]:
    """Return the bootstrap interval and the HAC interval of the kink."""
    u, cost = (series.repeat(5).reset_index(drop=True) for series in kink_path(seed))
    found = replace(Convexity(), draws=500).estimate(u, cost, pd.Timestamp(2000 + seed, 1, 2))
    assert found is not None
    fit = hac_fit(found.x, found.y)
    return drawn_interval(found.draws), hac_interval(fit, *fit.combined(np.array([0.0, 0.0, 1.0])))


def kink_drawn(seed: int) -> Drawn:
    """Return the bootstrap interval of the kink."""
    return bounds(kink_intervals(seed)[0], KINK)


def kink_hac(seed: int) -> Drawn:
    """Return the HAC interval of the kink."""
    return bounds(kink_intervals(seed)[1], KINK)


def chances(returns: np.ndarray) -> np.ndarray:
    """Return 1.0 for 63 sessions after the end of a fall, and 0.0 otherwise.

    A fall is a price more than 12 % below the highest price of 126 sessions. A fall ends if,
    within 42 sessions, the price is more than 4 % above the lowest price of 21 sessions.
    """
    price = pd.Series(np.cumprod(1 + returns))
    fallen = (price / price.rolling(126, min_periods=1).max() < 0.88).astype(float)
    again = price / price.rolling(21, min_periods=1).min() > 1.04
    now = np.flatnonzero((fallen.rolling(42, min_periods=1).max() > 0) & again)
    flag, free = np.zeros(len(price)), 1
    for at in now.tolist():
        if at >= free:
            flag[at : at + STAY] = 1.0
            free = at + STAY + 1
    return flag


def rewarded(seed: int, reward: float = 0.0005) -> np.ndarray:
    """Return twenty years of daily returns.

    After each start of the flag, 126 daily returns are raised by ``reward``.
    """
    rng = np.random.default_rng(seed)
    returns = 0.0002 + clustered(rng, 5000, 0.011, stay=0.985)
    paid = 0
    while True:
        flag = chances(returns)
        starts = np.flatnonzero(np.diff(flag) > 0) + 1
        if len(starts) <= paid:
            return returns
        begin = starts[paid] + LAG + 1
        returns[begin : begin + AHEAD] += reward
        paid += 1


def entries_in(returns: np.ndarray) -> Entries:
    """Return the entries of the flag of :func:`chances`; bills earn nothing."""
    series = pd.Series(returns)
    return entries_of(forward_over_bills(series, 0.0 * series), pd.Series(chances(returns)))


@cache
def mean_reward(worlds: int = 1000) -> float:
    """Return the expected value of the estimate, from seeds that no interval uses."""
    found = [entries_in(rewarded(1_000_000 + seed)) for seed in range(worlds)]
    return float(np.mean([entries.excess.mean() for entries in found if len(entries.returns)]))


def patience(seed: int, draws: int = 99) -> Drawn:
    """Return the interval of the return after the flag, and the true value, a mean of worlds."""
    returns = rewarded(seed)
    true = entries_in(returns)
    if not len(true.returns):
        raise NotTestable("the flag never turned on")
    blocks = StationaryBootstrap(BLOCK, np.arange(len(returns)), seed=seed)
    others = [entries_in(returns[blocks.update_indices()]) for _ in range(draws)]
    drawn = null_values(others, len(true.returns))
    return bounds(inverted(float(true.excess.mean()), drawn), mean_reward())


def _drawn(draw: Callable[[np.random.Generator], tuple[Interval, float]], seed: int) -> Drawn:
    return bounds(*draw(np.random.default_rng(seed)))


#: For each estimator, a function from a seed to the interval and the true value.
WORLDS: Mapping[str, Callable[[int], Drawn]] = {
    "local_projection off": capex_off,
    "local_projection on minus off": capex_difference,
    "lead_and_lag": crypto_lead,
    "nested_forecast": demand_gain,
    "after_flag": patience,
    "kink": kink_drawn,
    "kink, HAC": kink_hac,
    **{name: partial(_drawn, drawn) for name, drawn in {**EPISODES, **EVENTS}.items()},
}


def covered(seed: int, name: str) -> float:
    """Return 1.0 if the interval contains the true value, else 0.0; NaN without an interval."""
    try:
        low, high, truth = WORLDS[name](seed)
    except NotTestable:
        return float("nan")
    return float(low <= truth <= high)


def main() -> None:
    """Print the number of seeds whose interval contains the true value, for each estimator."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--only", default="", help="only estimators whose name contains this text")
    add_options(parser, workers=1)
    given = parser.parse_args()
    print(f"SIMULATED, {given.seeds} seeds; 181 to 197 of 200 are expected of a 95 % interval")
    with pool_of(given.workers, given.dask) as pool:
        for name in (name for name in WORLDS if given.only in name):
            found = np.array(list(pool.map(partial(covered, name=name), range(given.seeds))))
            n = int(np.isfinite(found).sum())
            print(f"{name:35s}{int(np.nansum(found)):5d} of {n}", flush=True)


if __name__ == "__main__":
    from benchmarks import trial_coverage  # a worker finds its functions by this name

    trial_coverage.main()
