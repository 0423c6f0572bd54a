"""E-values: evidence that stays valid, however often a user checks it.

A bettor starts with a wealth of 1. The e-value is the wealth of the bettor. A test observes one
number a week. Every week, the bettor bets that the week's number will be above zero. The size of
the bet is chosen before the week begins. The null hypothesis says that the expected value of the
week's number is zero or less. If the null hypothesis is true, no betting rule makes money on
average. Under the null hypothesis, the probability that the wealth ever reaches 20 is at most 5 %.
The test may end at any time.
"""

import numpy as np

#: Largest bet, as a fraction of the wealth. At the worst outcome, the bettor loses the whole bet.
LARGEST_BET = 0.75
#: Assumed variance of gains before the first week. With a variance of 1/9, a gain of 1 is three
#: standard deviations.
PRIOR_VARIANCE = 1 / 9
#: Stakes of :func:`outperformance`, which averages the results of all four stakes.
STAKES = (0.1, 0.2, 0.4, 0.8)


def bets(gains: np.ndarray) -> np.ndarray:
    """Return each week's bet: a fraction of the wealth, from 0 to :data:`LARGEST_BET`.

    ``gains`` contains numbers from −1 to 1. The last axis of ``gains`` is the week. The bet of a
    week is m / (v + m²), clipped to the range from 0 to :data:`LARGEST_BET`. The number m is the
    mean gain of the earlier weeks. The number v is the mean of the squared deviations in the
    earlier weeks. The deviation of a week is the week's gain minus the mean of all gains up to and
    including the week. The function adds one week before the first week, with gain 0 and squared
    deviation :data:`PRIOR_VARIANCE`. The first bet is 0.

    Reference
        Waudby-Smith and Ramdas (2024), "Estimating means of bounded random variables by betting",
        JRSS B 86. The approximate GRAPA bets and the limit of 3/4 come from Waudby-Smith and
        Ramdas.
    """
    weeks = np.arange(1, gains.shape[-1] + 1)
    total = gains.cumsum(axis=-1)
    squares = (gains - total / (weeks + 1)) ** 2
    mean = (total - gains) / weeks
    variance = (PRIOR_VARIANCE + squares.cumsum(axis=-1) - squares) / weeks
    chosen: np.ndarray = (mean / (variance + mean**2)).clip(0.0, LARGEST_BET)
    return chosen


def wealth(gains: np.ndarray) -> np.ndarray:
    """Return the wealth after each week: the product of (1 + bet · gain) over all weeks so far.

    Under the null hypothesis, the expected gain of each week, given the earlier weeks, is at most
    zero. ``gains`` contains numbers from −1 to 1. The last axis of ``gains`` is the week.
    """
    grown: np.ndarray = (1 + bets(gains) * gains).cumprod(axis=-1)
    return grown


def outperformance(differences: np.ndarray) -> np.ndarray:
    """Return an e-value after each week: the evidence that the first of two forecasters is better.

    The expected difference of a week is the expected value of the week's difference, given the
    earlier weeks. Under the null hypothesis, the mean of the expected differences of all weeks so
    far is at most zero. The expected difference of a single week may be positive.

    Formula
        The e-value is the mean of exp(λ S − ψ(λ) V) over the stakes λ. S is the sum of the
        differences. V is the sum of the squared deviations. The function ψ is ψ(λ) = −log(1 − λ) −
        λ. A deviation is a difference minus the mean of the earlier differences. In the first week,
        the deviation equals the difference.
    Reference
        Choe and Ramdas (2024), "Comparing Sequential Forecasters", Operations Research 72, arXiv
        2110.00115: the sub-exponential e-process. Choe and Ramdas average over all stakes. This
        function averages over the four stakes in :data:`STAKES`.

    Parameters
    ----------
    differences
        For each week, the loss of the second forecaster minus the loss of the first forecaster. A
        positive difference is evidence for the first forecaster. All differences must lie between
        −½ and ½. The last axis is the week.
    """
    weeks = np.arange(1, differences.shape[-1] + 1)
    total = differences.cumsum(axis=-1)
    before = (total - differences) / np.maximum(weeks - 1, 1)
    spread = ((differences - before) ** 2).cumsum(axis=-1)
    parts = [np.exp(stake * total + (np.log1p(-stake) + stake) * spread) for stake in STAKES]
    mixed: np.ndarray = np.mean(parts, axis=0)
    return mixed
