"""The estimators of the claims, by the name that a claim declares."""

from collections.abc import Callable, Mapping

from backtests.thesis.claims import Claim
from backtests.thesis.estimate import Estimate
from backtests.thesis.estimators.cascade_order import cascade_order
from backtests.thesis.estimators.event_response import event_response
from backtests.thesis.sample import Sample

Estimator = Callable[[Claim, Sample], Estimate]

ESTIMATORS: Mapping[str, Estimator] = {
    "cascade_order": cascade_order,
    "event_response": event_response,
}
