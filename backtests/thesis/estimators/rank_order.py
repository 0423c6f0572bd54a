"""Link L8: whether asset classes with earlier cash flows earn more while a flag is on."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pandas as pd

from backtests.evidence.bootstrap import block_length
from backtests.evidence.entries import episodes_of
from backtests.thesis.claim import Claim
from backtests.thesis.errors import NotTestable
from backtests.thesis.estimate import Estimate, Interval
from backtests.thesis.inference import (
    drawn_interval,
    drawn_p_value,
    few_clusters,
    t_p_value,
)
from backtests.thesis.measures import YEARLY
from backtests.thesis.sample import Sample
from signals.universe import DURATION

#: Number of resamples for the interval, and their seed.
REPS, SEED = 1000, 0
#: Smallest number of sessions with the claim's flag on.
FEWEST = 20
METHOD = (
    "The lower bounds come from a stationary bootstrap of sessions (Politis, Romano 1994). The "
    "upper bounds depend on the number of pairs of classes in the wrong order. A pair counts as "
    "wrong only if the difference of its two mean returns is significant. The significance level "
    "is valid for all pairs together. A permutation test compares the declared order with all "
    "possible orders of the classes."
)


def rank_order(claim: Claim, sample: Sample) -> Estimate:
    """Return the estimate of a claim about the order of the classes, see :func:`order_of`."""
    assert claim.condition is not None
    return order_of(claim, sample.classes(DURATION), sample.condition(claim.condition))


def order_of(claim: Claim, returns: pd.DataFrame, on: pd.Series) -> Estimate:
    """Return Kendall's tau-b between the classes' mean returns and their declared order.

    Tau-b is a rank correlation from −1 to 1. A positive tau-b means that classes with earlier cash
    flows earn more. The declared order has ties, so the largest possible tau-b is below 1, see
    :func:`largest_tau`. The mean returns use only the sessions at which the claim's flag is on. The
    return of bills is not subtracted, because the subtraction would not change the order of the
    mean returns.

    Interval and tests
        The lower bounds are percentiles of a stationary bootstrap of sessions. Noise in the mean
        returns moves each resampled tau towards zero. So the upper percentiles of the resampled
        taus are too low, and the upper bounds of tau come from :func:`largest_tenable`. The claim
        must pass three tests. The first test is a permutation test over all orders of the classes.
        The second test is a t-test on the tau of each episode (Ibragimov, Müller 2010), if there
        are several episodes. The third test counts bootstrapped values of tau with the wrong sign.
    Power
        The standard error comes from the t-test on episodes, because this test is the hardest to
        pass. If there is only one episode, the standard error comes from the bootstrap.
    """
    kept = returns[(on == 1.0) & returns.notna().all(axis=1)]
    if len(kept) < FEWEST:
        raise NotTestable(
            f"expected at least {FEWEST} sessions at which the condition is on and all classes "
            f"have returns, found {len(kept)}; add history"
        )
    order = -np.array([DURATION[name] for name in kept.columns], dtype=np.float64)
    means = resampled_means(kept.to_numpy())
    taus = tau(kept.groupby(episodes_of(on).reindex(kept.index)).mean().to_numpy(), order)
    error, df = few_clusters(taus)
    if df < 1:
        error, df = float(tau(means[1:], order).std(ddof=1)), math.inf
    return Estimate(
        value=float(tau(means[:1], order)[0]),
        interval=_interval(means, order),
        tests=_tests(means, taus, order, claim.sign),
        error=error,
        df=df,
        observations=len(kept),
        counted="sessions",
        episodes=len(taus),
        start=on.dropna().index[0],
        end=on.dropna().index[-1],
        method=METHOD,
        shown=_by_class(kept),
        notes=(f"With the ties of the declared order, tau-b is at most {largest_tau(order):.2f}.",),
    )


def _interval(means: np.ndarray, order: np.ndarray) -> Interval:
    return replace(
        drawn_interval(tau(means[1:], order)),
        high=largest_tenable(means, order, 0.975),
        high90=largest_tenable(means, order, 0.95),
    )


def _tests(means: np.ndarray, taus: np.ndarray, order: np.ndarray, sign: int) -> dict[str, float]:
    """Return the p-values of the tests; ``means`` is the result of :func:`resampled_means`."""
    tests = {
        "order of classes permuted": permutation_p_value(means[0], order, sign),
        "distant sessions independent": drawn_p_value(tau(means[1:], order), sign),
    }
    error, df = few_clusters(taus)
    if df >= 1:
        tests["episodes independent"] = t_p_value(float(taus.mean()), error, df, sign)
    return tests


def tau(means: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return Kendall's tau-b between each row of ``means`` and ``order``.

    ``means`` is rows × classes, and ``order`` has one number for each class. A row in which
    all means are equal gives NaN.
    """
    first, second = np.triu_indices(len(order), 1)
    by_mean = np.sign(means[:, first] - means[:, second])
    by_order = np.sign(order[first] - order[second])
    untied = np.sqrt(np.abs(by_mean).sum(axis=1) * np.abs(by_order).sum())
    with np.errstate(invalid="ignore", divide="ignore"):
        result: np.ndarray = (by_mean * by_order).sum(axis=1) / untied
    return result


def largest_tau(order: np.ndarray) -> float:
    """Return the largest possible tau-b between means without ties and an order with ties."""
    ranks = np.argsort(np.argsort(order, kind="stable"), kind="stable")
    return float(tau(ranks[None, :].astype("float64"), order)[0])


def largest_tenable(means: np.ndarray, order: np.ndarray, level: float) -> float:
    """Return a one-sided upper bound for the tau-b of the true means.

    Two classes count as a pair in the wrong order only if their means differ significantly in the
    wrong direction. All pairs have the same critical value, which comes from the resamples. For
    each pair, d is the difference of the two mean returns. A resample's deviation is (d of the
    resample − d of the sample) / (standard error of d). Each resample contributes one number: the
    largest deviation among all pairs. The critical value is a quantile of these numbers. The
    probability of the quantile is ``level``. A pair whose true means are in the right order can
    count as wrong by mistake. The probability of at least one mistake is about 1 − ``level``.

    Parameters
    ----------
    means
        The result of :func:`resampled_means`.
    """
    first, second = np.triu_indices(len(order), 1)
    ordered = np.sign(order[first] - order[second])
    first, second, ordered = (part[ordered != 0] for part in (first, second, ordered))
    ahead = ordered * (means[:, first] - means[:, second])
    error = ahead[1:].std(axis=0, ddof=1)
    critical = np.quantile(((ahead[1:] - ahead[0]) / error).max(axis=1), level)
    against = int((ahead[0] + critical * error < 0).sum())
    return largest_tau(order) * (1 - 2 * against / len(ordered))


def resampled_means(returns: np.ndarray) -> np.ndarray:
    """Return the mean of each class, for the sample and for each stationary-bootstrap resample.

    ``returns`` is sessions × classes. The result has one column for each class. The first row
    belongs to the sample, and each further row to one resample.
    """
    from arch.bootstrap import StationaryBootstrap

    block = block_length(returns.mean(axis=1))
    bootstrap = StationaryBootstrap(block, np.arange(len(returns)), seed=SEED)
    drawn = (returns[bootstrap.update_indices()].mean(axis=0) for _ in range(REPS))
    return np.array([returns.mean(axis=0), *drawn])


def permutation_p_value(means: np.ndarray, order: np.ndarray, sign: int) -> float:
    """Return the p-value of a permutation test over all possible rankings of the classes.

    For each ranking, the statistic is ``sign`` times the tau-b with the mean returns. The p-value
    is the fraction of rankings with a statistic at or above the statistic of the declared ranking.
    """
    orders = np.array(sorted(set(itertools.permutations(order.tolist()))))
    taus = np.array([tau(means[None, :], row)[0] for row in orders])
    true = float(tau(means[None, :], order)[0])
    return float((sign * taus >= sign * true - 1e-12).mean())


def _by_class(returns: pd.DataFrame) -> pd.DataFrame:
    """Return the mean return of each class, in percentage points a year, with its rank."""
    return pd.DataFrame({"mean": YEARLY * returns.mean(), "rank": pd.Series(DURATION)})
