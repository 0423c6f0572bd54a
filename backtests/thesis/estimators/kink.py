"""Link L4: how much faster the cost of capital rises when more than half of capital is absorbed."""

from dataclasses import replace

import numpy as np
import pandas as pd

from backtests.evidence.hac import Fit, regress, usual_lags
from backtests.thesis.claim import Claim
from backtests.thesis.errors import NotTestable
from backtests.thesis.estimate import Estimate
from backtests.thesis.inference import drawn_interval, drawn_p_value, hac_interval, too_narrow
from backtests.thesis.sample import Sample
from signals.convexity import Convexity, Kink, cost_of, quarter_starts

#: Number of bootstrap samples. The signal itself uses fewer samples, too few for a 2.5th
#: percentile.
REPS = 1000
#: Fraction of 95 % intervals that contained the true value in 200 SIMULATED economies, see
#: ``benchmarks/trial_coverage.py``.
COVERAGE = 0.88


def kink(claim: Claim, sample: Sample) -> Estimate:
    """Return how much faster the cost of capital rises when the absorbed share is above one half.

    Formula
        The absorbed share is u. The cost of capital is DGS10 + BAA10Y. The signal regresses 13-week
        changes of the cost of capital on 13-week changes of u and of max(0, u − 0.5). The kink is
        the coefficient on the change of max(0, u − 0.5).
    Timing
        The estimate uses only weeks before the start of the last calendar quarter, like the signal
        convexity at the last session of the history.
    NaN
        The signal's rules for missing values apply, see :class:`signals.convexity.Convexity`.
    Interval
        The bounds are percentiles from the signal's stationary bootstrap. The mean length of a
        block is at least 13 weeks. The interval is too narrow (:data:`COVERAGE`), so the claim must
        also pass a test with Newey–West errors.
    Errors
        NotTestable if fewer than 104 weeks have known 13-week changes, or if data are missing.
        NotTestable is also raised if u rose above 0.5 on fewer than 3 occasions.
    Reference
        Politis and Romano (1994), JASA 89; Newey and West (1987), Econometrica 55.
    """
    at, stays, found = last_estimate(sample)
    fit = hac_fit(found.x, found.y)
    value, error = fit.combined(np.array([0.0, 0.0, 1.0]))
    interval = drawn_interval(found.draws)
    return Estimate(
        value=found.kink,
        interval=interval,
        tests={
            "stationary bootstrap": drawn_p_value(found.draws, claim.sign),
            "HAC": fit.p_value(value, error, claim.sign),
        },
        error=float(np.nanstd(found.draws, ddof=1)),
        df=float("inf"),
        observations=len(found.y),
        counted="weeks",
        episodes=stays,
        start=sample.gauge("absorption", "u").dropna().index[0],
        end=at,
        method="The bounds are percentiles from a stationary bootstrap (Politis and Romano 1994). "
        "The mean length of a block is at least 13 weeks.",
        beside={"HAC": hac_interval(fit, value, error)},
        notes=(too_narrow(COVERAGE),),
    )


def last_estimate(sample: Sample) -> tuple[pd.Timestamp, int, Kink]:
    """Return the session of the last estimate, the number of excursions so far, and the kink.

    An excursion is a period in which the absorbed share u rose above 0.5, see
    :class:`signals.convexity.Convexity`. Raises NotTestable if the signal has no estimate.
    """
    if "convexity" not in sample.reading.evaluations:
        raise NotTestable("the history lacks series that convexity needs")
    evaluation = sample.reading.evaluations["convexity"]
    signal = evaluation.signal
    assert isinstance(signal, Convexity)
    starts = quarter_starts(sample.sessions)
    stays = int(evaluation.gauges["excursions"].iloc[starts[-1] - 1]) if starts else 0
    if stays < signal.excursions:
        raise NotTestable(
            f"not identified: expected the absorbed share u to rise above {signal.knee:g} at least "
            f"{signal.excursions} times, found {stays}"
        )
    before = slice(0, starts[-1])
    at = sample.sessions[starts[-1]]
    u, cost = evaluation.gauges["u"], cost_of(sample.history.panel)
    found = replace(signal, draws=REPS).estimate(u.iloc[before], cost.iloc[before], at)
    if found is None:
        raise NotTestable(
            f"not identified: expected at least {signal.minimum} weeks with known "
            f"{signal.horizon}-week changes of the absorbed share u and of the cost of capital, "
            "found fewer"
        )
    return at, stays, found


def hac_fit(x: np.ndarray, y: np.ndarray) -> Fit:
    """Return the signal's regression with Newey–West errors and at least 13 lags.

    Neighbouring weeks share parts of their 13-week changes, so their errors are correlated.
    """
    return regress(y, x, max(usual_lags(len(y)), 13))
