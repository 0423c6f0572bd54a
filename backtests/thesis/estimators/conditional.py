"""Estimators of claims about a mean, and of claims about a difference of two means.

The first kind of estimate is the mean of the values while the claim's condition is on. If a claim
has no condition, the estimate is the mean of all values. The second kind of estimate is the mean
with the condition on minus the mean with the condition off.

The condition of a claim is a flag. The flag was on in only a few episodes, and all returns of one
episode may have the same cause. Two methods remain valid if the returns of one episode are
dependent. The first method treats each episode as one cluster. The second method compares the true
dates of the condition with shifted dates. The daily interval, which assumes that distant sessions
are independent, is also shown.
"""

import math
from dataclasses import replace

import numpy as np
import pandas as pd

from backtests.evidence.entries import episodes_of, gaps_of
from backtests.thesis.claim import Claim
from backtests.thesis.errors import NotTestable
from backtests.thesis.estimate import Estimate
from backtests.thesis.inference import (
    Clusters,
    segments_of,
    shifted,
    timing,
    welch,
)
from backtests.thesis.measures import YEARLY, Measure, measure
from backtests.thesis.parts import (
    HOLDINGS,
    SHIFTED,
    Part,
    by_day,
    by_episode,
    by_shift,
    estimate_of,
)
from backtests.thesis.sample import Sample

#: An estimate needs at least ``FEWEST_ON`` values while the condition is on, and at least
#: ``FEWEST`` values in total. A difference of means also needs ``FEWEST_ON`` values while the
#: condition is off.
FEWEST_ON, FEWEST = 20, 252


def mean(claim: Claim, sample: Sample) -> Estimate:
    """Return the estimate of a claim about a mean, see :func:`mean_of`."""
    return mean_of(claim, measure(claim, sample))


def difference_of_means(claim: Claim, sample: Sample) -> Estimate:
    """Return the estimate of a claim about a difference of means, see :func:`difference_of`."""
    return difference_of(claim, measure(claim, sample))


def mean_of(claim: Claim, measured: Measure) -> Estimate:
    """Return the mean of the values to which a claim applies.

    A claim applies while its condition is on. A claim without a condition applies to all values. If
    a claim has a condition, each episode is one cluster. A claim without a condition is about a
    strategy, and each segment of the strategy's values is one cluster. A segment contains one
    episode in which the strategy is in an active state. If there is only one cluster, the interval
    assumes that distant sessions are independent.

    If ``measured`` has holdings (``held``), the test shifts the dates of the holdings and needs no
    clusters. A test with shifted holdings is exact if the holdings do not depend on prices.
    """
    kept = _kept(measured, claim)
    if claim.condition is None:
        numbers, design = segments_of(kept["on"]), np.ones((len(kept), 1))
    else:
        numbers = kept["episode"]
        design = np.column_stack([kept["on"], 1 - kept["on"]])
    daily = by_day(kept["values"], design, np.eye(design.shape[1])[0], measured.scale, claim.sign)
    value = _mean(kept, claim) * measured.scale
    parts = [daily]
    group = Clusters.of(kept["values"], kept["ones"], numbers)
    if len(group.counts) > 1:
        parts.insert(0, by_episode(value, measured.scale, claim.sign, group))
    if measured.held is not None and measured.excess is not None:
        parts.insert(0, _by_holdings(measured.held, measured.excess, value, claim.sign))
    return _estimate(claim, measured, kept, value, parts)


def difference_of(claim: Claim, measured: Measure) -> Estimate:
    """Return the mean with the claim's condition on, minus the mean with the condition off.

    The test shifts the dates of the condition. The test compares Welch's t statistic of the true
    dates with the t statistics of the shifted dates. The test with shifted dates is exact if the
    condition does not depend on the values. The estimate also shows two other intervals, which do
    not affect the verdict. The first interval treats each episode and each gap between episodes as
    one cluster. The first interval needs at least two episodes and two gaps. The second interval
    assumes that distant sessions are independent.
    """
    kept = _kept(measured, claim)
    off = int((kept["on"] == 0.0).sum())
    _check_enough(off, FEWEST_ON, f"{measured.counted} with the condition off")
    design = np.column_stack([kept["on"], 1 - kept["on"]])
    daily = by_day(kept["values"], design, np.array([1.0, -1.0]), measured.scale, claim.sign)
    groups = [
        Clusters.of(kept["values"], kept["ones"], numbers)
        for numbers in (kept["episode"], kept["gap"])
    ]
    value = (groups[0].mean - groups[1].mean) * measured.scale
    parts = [
        by_shift(shifted(kept["values"], kept["on"], welch), value, claim.sign, SHIFTED),
        daily,
    ]
    if min(len(group.counts) for group in groups) > 1:
        parts.insert(1, by_episode(value, measured.scale, claim.sign, *groups))
    return _estimate(claim, measured, kept, value, parts)


def _by_holdings(held: pd.Series, excess: pd.Series, value: float, sign: int) -> Part:
    """Return the interval of a strategy's advantage over a constant mix.

    The advantage ``value`` is the strategy's return after costs minus the return of the mix. The
    null hypothesis says that the advantage is zero. A test compares a statistic of the true
    holdings with statistics of holdings at shifted dates.

    For shifted holdings, the statistic is the t statistic of the gain from timing, see
    :func:`backtests.thesis.inference.timing`. For the true holdings, the statistic is ``value``
    divided by the standard error of the gain from timing. Shifted holdings would pay the same costs
    as the true holdings. So the statistics of shifted holdings leave out costs.
    """
    both = pd.DataFrame({"held": held, "excess": excess}).dropna()
    drawn = shifted(both["excess"], both["held"], timing)
    apart = (both["held"] - both["held"].mean()) * both["excess"]
    error = float(apart.std(ddof=1)) / math.sqrt(len(apart)) * YEARLY
    return by_shift(replace(drawn, true=value / error), value, sign, HOLDINGS)


def _mean(kept: pd.DataFrame, claim: Claim) -> float:
    values = kept["values"] if claim.condition is None else kept["values"][kept["on"] == 1.0]
    return float(values.mean())


def _kept(measured: Measure, claim: Claim) -> pd.DataFrame:
    """Return the rows with a value and a known condition; raise NotTestable if there are too few.

    The function first numbers the episodes and gaps, and then drops the rows without a value. So a
    dropped row still counts as time between two episodes.
    """
    rows = pd.DataFrame({"values": measured.values, "on": measured.on}).assign(
        episode=lambda row: episodes_of(row["on"], measured.quarter),
        gap=lambda row: gaps_of(row["on"], measured.quarter),
    )
    kept = rows.dropna(subset=["values", "on"])
    _check_enough(len(kept), FEWEST, measured.counted)
    if claim.condition is not None:
        on = int((kept["on"] == 1.0).sum())
        _check_enough(on, FEWEST_ON, f"{measured.counted} with the condition on")
    return kept.assign(ones=1.0)


def _check_enough(found: int, fewest: int, what: str) -> None:
    if found < fewest:
        raise NotTestable(f"expected at least {fewest} {what}, found {found}; add history")


def _estimate(
    claim: Claim, measured: Measure, kept: pd.DataFrame, value: float, parts: list[Part]
) -> Estimate:
    counted = kept if claim.condition is None else kept[kept["on"] == 1.0]
    return estimate_of(
        value,
        parts,
        observations=len(counted),
        counted=measured.counted,
        episodes=kept["episode"].nunique(),
        start=kept.index[0],
        end=kept.index[-1],
        shown=_by_episode(kept, measured.scale),
    )


def _by_episode(kept: pd.DataFrame, scale: float) -> pd.DataFrame:
    """Return a row for each episode: start, end, mean in the claim's unit, number of values."""
    rows = kept.assign(session=kept.index).groupby("episode")
    return pd.DataFrame(
        {
            "start": rows["session"].first(),
            "end": rows["session"].last(),
            "mean": rows["values"].mean() * scale,
            "count": rows["values"].size(),
        }
    )
