"""E-values: evidence that stays valid however often one looks at it.

A bettor starts with a wealth of 1. The e-value is the wealth of the bettor. Every week the bettor
bets that a number is above zero, and fixes the bet before the week begins. The null hypothesis says
that the number's expected value is zero or less. Then no betting rule makes money on average, and
the probability that the wealth ever reaches 20 is at most 5 %. The test may end at any time.
"""

import numpy as np

#: Largest bet: the fraction of the wealth that the bettor loses at the worst outcome.
LARGEST_BET = 0.75
#: Assumed variance of gains before the first week. A gain of 1 is then three standard deviations.
PRIOR_VARIANCE = 1 / 9
#: Stakes of :func:`outperformance`. Their results are averaged.
STAKES = (0.1, 0.2, 0.4, 0.8)


def bets(gains: np.ndarray) -> np.ndarray:
    """Return each week's bet: a fraction of the wealth, from 0 to :data:`LARGEST_BET`.

    ``gains`` are numbers from −1 to 1; weeks are the last axis. The bet of a week is m / (v + m²),
    clipped to this range. m and v are the mean and the variance of the gains in earlier weeks. One
    imagined week, with gain 0 and variance :data:`PRIOR_VARIANCE`, comes before them. The first bet
    is 0.

    Reference
        Waudby-Smith and Ramdas (2024), "Estimating means of bounded random variables by betting",
        JRSS B 86: the approximate GRAPA bets, with the authors' limit of 3/4.
    """
    weeks = np.arange(1, gains.shape[-1] + 1)
    total = gains.cumsum(axis=-1)
    squares = (gains - total / (weeks + 1)) ** 2
    mean = (total - gains) / weeks
    variance = (PRIOR_VARIANCE + squares.cumsum(axis=-1) - squares) / weeks
    chosen: np.ndarray = (mean / (variance + mean**2)).clip(0.0, LARGEST_BET)
    return chosen


def wealth(gains: np.ndarray) -> np.ndarray:
    """Return the wealth after each week: the product of 1 + bet · gain over the weeks so far.

    The null hypothesis says: given the past, the expected gain of every week is at most zero.
    ``gains`` are numbers from −1 to 1; weeks are the last axis.
    """
    grown: np.ndarray = (1 + bets(gains) * gains).cumprod(axis=-1)
    return grown


def outperformance(differences: np.ndarray) -> np.ndarray:
    """Return the e-value of "this forecaster is better than the other" after each week.

    Given the past, each week's difference has an expected value. The null hypothesis says that the
    mean of these expected values over the weeks so far is at most zero. This hypothesis allows a
    positive expected value in some weeks.

    Formula
        E = mean over the stakes λ of exp(λ S − ψ(λ) V), with ψ(λ) = −log(1 − λ) − λ. S is the sum
        of the differences. V is the sum of squared deviations: each difference minus the mean of
        the earlier differences. For the first difference, this mean is 0.
    Reference
        Choe and Ramdas (2024), "Comparing Sequential Forecasters", Operations Research 72, arXiv
        2110.00115: the sub-exponential e-process. The authors mix all stakes. We mix four stakes.

    Parameters
    ----------
    differences
        Loss of the other forecaster minus loss of this forecaster, in a unit in which all
        differences lie between −½ and ½. Weeks are the last axis.
    """
    weeks = np.arange(1, differences.shape[-1] + 1)
    total = differences.cumsum(axis=-1)
    before = (total - differences) / np.maximum(weeks - 1, 1)
    spread = ((differences - before) ** 2).cumsum(axis=-1)
    parts = [np.exp(stake * total + (np.log1p(-stake) + stake) * spread) for stake in STAKES]
    mixed: np.ndarray = np.mean(parts, axis=0)
    return mixed
