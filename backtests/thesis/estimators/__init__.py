"""The estimators of the claims, by the name that a claim declares."""

from collections.abc import Callable, Mapping

from backtests.thesis.claims import Claim
from backtests.thesis.estimate import Estimate
from backtests.thesis.estimators.after_flag import after_flag
from backtests.thesis.estimators.kink import kink
from backtests.thesis.estimators.lead_and_lag import lead_and_lag
from backtests.thesis.estimators.local_projection import local_projection
from backtests.thesis.estimators.nested_forecast import nested_forecast
from backtests.thesis.sample import Sample

Estimator = Callable[[Claim, Sample], Estimate]

ESTIMATORS: Mapping[str, Estimator] = {
    "local_projection": local_projection,
    "nested_forecast": nested_forecast,
    "lead_and_lag": lead_and_lag,
    "after_flag": after_flag,
    "kink": kink,
}
