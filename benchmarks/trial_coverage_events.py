"""SIMULATED worlds with dated events, used by :mod:`benchmarks.trial_coverage`.

Filings: five firms file once a quarter. Idle capital is depleted in 9 quarters and ample in 40
quarters. Responses and surprises have heavy tails (t with 4 degrees of freedom). Events of one
quarter share 60 % of the variance of responses, and 50 % of the variance of surprises. Policy: 90
quarters have two statements each. Cascade: in each of 12 episodes, each of four classes has a date
of its peak. The dates are normally distributed, and their means are in the declared order. Bond
deals: there are 8 deals in 5 quarters. Policy surprises: the change of the yield has a common cause
with the response, so least squares is biased. The instrument is strong (an F of about 30) or weak
(an F of about 3).
"""

import math
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import pandas as pd

from backtests.thesis.clustered import Slope, minus, slope
from backtests.thesis.estimate import Interval
from backtests.thesis.estimators.average_response import mean_by_quarter
from backtests.thesis.estimators.cascade_order import tau
from backtests.thesis.estimators.instrumented import ratio_of
from backtests.thesis.inference import few_clusters, t_interval

FIRMS, DEPLETED, AMPLE = 5, 9, 40
STATEMENTS, QUARTERS = 2, 90
EPISODES, MEANS = 12, np.array([0.0, 0.5, 1.0, 1.5])
#: Bond deals in each quarter, and their true mean response.
DEALS, MEAN = (2, 1, 1, 1, 3), -1.0
#: True slopes: with depleted idle capital, with ample idle capital, and for policy surprises.
ON, OFF, POLICY = -2.0, 0.5, -1.0
_SHARED_RESPONSE, _SHARED_SURPRISE = 0.6, 0.5


def events(
    rng: np.random.Generator, clusters: int, each: int, true: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return responses with a given slope, the surprises, and each event's cluster."""
    cluster = np.repeat(np.arange(clusters), each)
    surprise = np.clip(_heavy(rng, cluster, _SHARED_SURPRISE), -3, 3)
    return true * surprise + 5 * _heavy(rng, cluster, _SHARED_RESPONSE), surprise, cluster


def _heavy(rng: np.random.Generator, cluster: np.ndarray, shared: float) -> np.ndarray:
    common = rng.standard_t(4, cluster.max() + 1)[cluster]
    own = rng.standard_t(4, len(cluster))
    drawn: np.ndarray = (math.sqrt(shared) * common + math.sqrt(1 - shared) * own) / math.sqrt(2)
    return drawn


def peaks(rng: np.random.Generator, episodes: int = EPISODES) -> np.ndarray:
    """Return dates of peaks as numbers, episodes × classes in the declared order."""
    drawn: np.ndarray = rng.standard_normal((episodes, len(MEANS))) + MEANS
    return drawn


def true_tau() -> float:
    """Return the mean tau of :func:`peaks`: the mean of 2 P(declared order) − 1 over pairs."""
    pairs = [(i, j) for j in range(len(MEANS)) for i in range(j)]
    return float(np.mean([math.erf((MEANS[j] - MEANS[i]) / 2) for i, j in pairs]))


def _filings(rng: np.random.Generator) -> tuple[Interval, float]:
    fits = [slope(*events(rng, n, FIRMS, b)) for n, b in ((DEPLETED, ON), (AMPLE, OFF))]
    return _interval(minus(*fits)), ON - OFF


def _depleted(rng: np.random.Generator) -> tuple[Interval, float]:
    return _interval(slope(*events(rng, DEPLETED, FIRMS, ON))), ON


def _policy(rng: np.random.Generator) -> tuple[Interval, float]:
    return _interval(slope(*events(rng, QUARTERS, STATEMENTS, POLICY))), POLICY


def _deals(rng: np.random.Generator) -> tuple[Interval, float]:
    quarter = np.repeat(np.arange(len(DEALS)), DEALS)
    response = MEAN + 5 * _heavy(rng, quarter, _SHARED_RESPONSE)
    table = pd.DataFrame({"at": np.arange(len(quarter)), "quarter": quarter})
    value, error, df, _ = mean_by_quarter(response, table)
    return t_interval(value, error, df), MEAN


def _instrumented(rng: np.random.Generator, strength: float) -> tuple[Interval, float]:
    response, surprise, quarter = events(rng, QUARTERS // 2, STATEMENTS, 0.0)
    change = strength * surprise + _heavy(rng, quarter, 0.0) + 0.1 * response
    found = ratio_of(response + POLICY * change, change, surprise, quarter)
    return found.interval(), POLICY


def _cascade(rng: np.random.Generator) -> tuple[Interval, float]:
    taus = tau(peaks(rng))
    return t_interval(float(taus.mean()), *few_clusters(taus)), true_tau()


def _interval(fit: Slope) -> Interval:
    return t_interval(fit.value, fit.error, fit.df)


#: Each function draws a world, and returns an interval and the true value.
INTERVALS: Mapping[str, Callable[[np.random.Generator], tuple[Interval, float]]] = {
    "filings, difference of slopes": _filings,
    "filings, slope while depleted": _depleted,
    "policy statements": _policy,
    "order of falls": _cascade,
    "bond deals, average_response": _deals,
    "policy surprises, instrumented": partial(_instrumented, strength=0.7),
    "weak policy surprises, instrumented": partial(_instrumented, strength=0.2),
}


def covered(name: str, seeds: int) -> int:
    """Return the number of seeds whose 95 % interval contains the true value."""
    drawn = (INTERVALS[name](np.random.default_rng(seed)) for seed in range(seeds))
    return sum(bounds.low <= truth <= bounds.high for bounds, truth in drawn)
