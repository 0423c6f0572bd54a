"""SIMULATED worlds with few episodes, used by :mod:`benchmarks.trial_coverage`.

A world has twelve years of daily returns with heavy tails (t with 5 degrees of freedom) and
volatility in clusters. A flag is on in six episodes of 40 to 199 sessions, at random dates.
"""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from backtests.thesis.claim import Claim
from backtests.thesis.claims import CLAIMS
from backtests.thesis.estimate import Interval
from backtests.thesis.estimators.conditional import difference_of, mean_of
from backtests.thesis.estimators.follow_through import kept_of
from backtests.thesis.estimators.rank_order import order_of, tau
from backtests.thesis.measures import YEARLY, Measure
from signals.universe import DURATION

SESSIONS, EPISODES = 3000, 6
#: Planted effect, percentage points a year.
EFFECT = 30.0
#: Planted mean returns of the classes while the flag is on, percentage points a year. Most pairs of
#: classes are in the declared order.
MEANS = np.array([0.0, -70.0, -30.0, -90.0, -50.0, -60.0, -120.0, -150.0])
#: In an episode, a strategy reduces its weight of shares by this fraction.
CUT = 0.4


def _claim(name: str) -> Claim:
    return next(claim for claim in CLAIMS if claim.name == name)


def _returns(rng: np.random.Generator, daily: float = 0.012, columns: int = 1) -> np.ndarray:
    """Return daily returns, sessions × columns; the log volatility is an AR(1) process."""
    shocks = rng.normal(0, 0.06, SESSIONS)
    level = np.zeros(SESSIONS)
    for day in range(1, SESSIONS):
        level[day] = 0.98 * level[day - 1] + shocks[day]
    drawn = rng.standard_t(5, (SESSIONS, columns)) * np.sqrt(3 / 5)
    result: np.ndarray = daily * np.exp(level - level.var())[:, None] * drawn
    return result


def _condition(rng: np.random.Generator) -> np.ndarray:
    on = np.zeros(SESSIONS)
    for start in np.linspace(50, SESSIONS - 450, EPISODES).astype(int):
        begin = start + int(rng.integers(0, 150))
        on[begin : begin + int(rng.integers(40, 200))] = 1.0
    return on


def _series(values: np.ndarray) -> pd.Series:
    return pd.Series(values, index=pd.bdate_range("2010-01-04", periods=SESSIONS))


def _measured(rng: np.random.Generator) -> Measure:
    on = _condition(rng)
    values = _returns(rng)[:, 0] + on * EFFECT / YEARLY
    return Measure(values=_series(values), on=_series(on), scale=YEARLY, counted="sessions")


def _mean(rng: np.random.Generator) -> tuple[Interval, float]:
    return mean_of(_claim("memory-over-crypto"), _measured(rng)).interval, EFFECT


def _difference(rng: np.random.Generator) -> tuple[Interval, float]:
    return difference_of(_claim("crypto-weaker-than-usual"), _measured(rng)).interval, EFFECT


def _holdings(rng: np.random.Generator) -> tuple[Interval, float]:
    """Return the interval of a strategy's return over its constant mix, and the true value.

    In the episodes, shares lose ``EFFECT`` points a year, and the strategy holds fewer shares.
    """
    on = _condition(rng)
    market = _returns(rng)[:, 0] - on * EFFECT / YEARLY
    held = 1.0 - CUT * on
    measured = Measure(
        values=_series((held - held.mean()) * market),
        on=_series(on),
        scale=YEARLY,
        counted="sessions",
        held=_series(held),
        excess=_series(market),
    )
    truth = CUT * EFFECT * on.mean() * (1 - on.mean())
    return mean_of(_claim("cash-heavy-beats-its-mix"), measured).interval, truth


def _order(rng: np.random.Generator) -> tuple[Interval, float]:
    on, ranks = _condition(rng), np.array(list(DURATION.values()), dtype=np.float64)
    common = 0.7 * _returns(rng) + 0.7 * _returns(rng, columns=len(ranks))
    returns = common + on[:, None] * MEANS / YEARLY
    frame = pd.DataFrame(returns, index=_series(on).index, columns=list(DURATION))
    truth = float(tau(MEANS[None, :], -ranks)[0])
    return order_of(_claim("short-duration-first"), frame, _series(on)).interval, truth


def _breakouts(rng: np.random.Generator) -> tuple[Interval, float]:
    """Return the interval of the flag's effect on breakouts that keep their gain; true value 0.

    Prices have no pattern, so breakouts keep their gain equally often with the flag on and off.
    """
    on = _series(_condition(rng))
    common = 0.6 * _returns(rng) + 0.8 * _returns(rng, columns=12)
    closes = pd.DataFrame(100 * np.exp(common.cumsum(axis=0)), index=on.index)
    return kept_of(_claim("breakouts-fail"), closes, on).interval, 0.0


INTERVALS: Mapping[str, Callable[[np.random.Generator], tuple[Interval, float]]] = {
    "mean, episodes": _mean,
    "difference_of_means, shifted dates": _difference,
    "mean, shifted holdings": _holdings,
    "rank_order": _order,
    "follow_through": _breakouts,
}
