"""The estimators of the claims, by the name that a claim declares."""

from collections.abc import Callable, Mapping

from backtests.thesis.claims import Claim
from backtests.thesis.estimate import Estimate
from backtests.thesis.estimators.conditional import difference_of_means, mean
from backtests.thesis.estimators.follow_through import follow_through
from backtests.thesis.estimators.rank_order import rank_order
from backtests.thesis.sample import Sample

Estimator = Callable[[Claim, Sample], Estimate]

ESTIMATORS: Mapping[str, Estimator] = {
    "mean": mean,
    "difference_of_means": difference_of_means,
    "rank_order": rank_order,
    "follow_through": follow_through,
}
