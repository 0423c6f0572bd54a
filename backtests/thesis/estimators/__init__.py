"""The functions that estimate claims. Each claim declares the name of its function."""

from collections.abc import Callable, Mapping

from backtests.thesis.claim import Claim
from backtests.thesis.estimate import Estimate
from backtests.thesis.estimators.after_flag import after_flag
from backtests.thesis.estimators.average_response import average_response
from backtests.thesis.estimators.cascade_order import cascade_order
from backtests.thesis.estimators.conditional import difference_of_means, mean
from backtests.thesis.estimators.event_response import event_response
from backtests.thesis.estimators.follow_through import follow_through
from backtests.thesis.estimators.instrumented import instrumented
from backtests.thesis.estimators.kink import kink
from backtests.thesis.estimators.lead_and_lag import lead_and_lag
from backtests.thesis.estimators.local_projection import local_projection
from backtests.thesis.estimators.nested_forecast import nested_forecast
from backtests.thesis.estimators.rank_order import rank_order
from backtests.thesis.sample import Sample

Estimator = Callable[[Claim, Sample], Estimate]

ESTIMATORS: Mapping[str, Estimator] = {
    "mean": mean,
    "difference_of_means": difference_of_means,
    "rank_order": rank_order,
    "local_projection": local_projection,
    "event_response": event_response,
    "nested_forecast": nested_forecast,
    "lead_and_lag": lead_and_lag,
    "cascade_order": cascade_order,
    "follow_through": follow_through,
    "after_flag": after_flag,
    "kink": kink,
    "instrumented": instrumented,
    "average_response": average_response,
}
