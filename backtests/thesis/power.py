"""The power of a test: the probability that the test finds a true effect."""

import math

from scipy import stats

#: One-sided significance level of the test. A two-sided 95 % interval has the same level on each
#: side.
LEVEL = 0.025
#: An effect counts as detectable if the test finds it with this probability.
DETECTABLE = 0.8


def power(error: float, df: float, effect: float) -> float:
    """Return the probability that a one-sided t-test finds a true effect of the given size.

    ``error`` and ``effect`` have the same unit. ``df`` may be infinite. The result is NaN if
    ``error`` is not a positive finite number, or if ``df`` is below 1.
    """
    if not error > 0 or not math.isfinite(error) or df < 1:
        return float("nan")
    critical = float(stats.t.ppf(1 - LEVEL, df))
    if math.isinf(df):
        return float(stats.norm.sf(critical - effect / error))
    return float(stats.nct.sf(critical, df, effect / error))


def smallest_detectable(error: float, df: float) -> float:
    """Return the effect that a test finds with a probability of 80 %; NaN if the power is NaN."""
    from scipy.optimize import brentq

    if math.isnan(power(error, df, 0.0)):
        return float("nan")
    top = 1.0
    while power(1.0, df, top) < DETECTABLE:
        top *= 2
    return error * float(brentq(lambda size: power(1.0, df, size) - DETECTABLE, 0.0, top))
