"""The deflated Sharpe ratio, which tests whether luck can explain the best of many trials.

The best of many trials without skill has a positive Sharpe ratio. Let N be the number of
independent trials, V the variance of their Sharpe ratios, and γ Euler's constant. If no trial has
skill, the expected best Sharpe ratio is SR₀:

    SR₀ = √V · ((1 − γ) Φ⁻¹(1 − 1/N) + γ Φ⁻¹(1 − 1/(N e)))

Let v be the variance of the largest of N standard normal numbers. The rescaled deflated Sharpe
ratio, as published in 2026, is Φ((SR − SR₀) / √(V v)). Here SR is the Sharpe ratio of the chosen
trial. In the rescaled ratio, the uncertainty of SR depends only on N and on V, the variance of the
trials' Sharpe ratios. If the trials are variants of one strategy, their Sharpe ratios are almost
equal, and V is close to 0. If V is close to 0, the rescaled ratio accepts any positive Sharpe ratio
as skill. A second test therefore uses σ, the standard error of the chosen trial's Sharpe ratio. The
standard error assumes that the trial has no skill. The best of N independent trials without skill
stays below SR with the probability Φ(SR / σ)^N. The hurdle is the smallest Sharpe ratio at which
the rescaled ratio and Φ(SR / σ)^N are at least 95 %.

All Sharpe ratios are per session.

Reference
    Bailey and López de Prado (2014), "The deflated Sharpe ratio", JPM 40(5), for SR₀ and for
    :func:`deflated_2014`. López de Prado, Lipton and Zoonekynd (2026), "How to use the Sharpe
    ratio", SSRN 5520741, for :attr:`Deflation.probability`. For :attr:`Deflation.of_own_error`:
    Šidák (1967), JASA 62.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from backtests.evidence.entries import SIGNIFICANT
from backtests.evidence.track_record import TrackRecord
from signals.errors import DataError

_NORMAL = NormalDist()


@dataclass(frozen=True, kw_only=True)
class Deflation:
    """Tests whether luck can explain the Sharpe ratio of the best trial among many trials.

    All Sharpe ratios are per session.

    Attributes
    ----------
    trials, effective
        Number of trials, and the effective number of independent trials among them.
    sharpe
        Sharpe ratio of the chosen trial.
    variance
        V: the variance of the trials' Sharpe ratios (ddof 1). The variance is computed with and
        without the logged trials, and V is the larger result. V is 0 for a single trial.
    expected_maximum
        SR₀: the expected best Sharpe ratio of ``effective`` trials without skill.
    standard_error
        √(V v): the standard error of the best Sharpe ratio. 0 if there is a single trial.
    probability
        The rescaled deflated Sharpe ratio, as published in 2026: 1 minus the p-value. NaN if there
        is a single trial.
    of_own_error
        Φ(SR / σ)^N: the probability that the best trial without skill stays below SR. Here σ is the
        standard error of the chosen trial's Sharpe ratio.
    probability_2014
        The deflated Sharpe ratio, as published in 2014. The 2014 version uses the standard error of
        a single Sharpe ratio. Even a strategy with skill rarely has a probability near 1 in the
        2014 version.
    hurdle
        Smallest Sharpe ratio that passes the tests of ``probability`` and ``of_own_error`` at the 5
        % level.
    """

    trials: int
    effective: float
    sharpe: float
    variance: float
    expected_maximum: float
    standard_error: float
    probability: float
    of_own_error: float
    probability_2014: float
    hurdle: float

    @property
    def is_significant(self) -> bool:
        """Whether the Sharpe ratio reaches the hurdle, so that luck is an unlikely explanation."""
        return self.sharpe >= self.hurdle


def deflate(
    track: TrackRecord,
    trials: np.ndarray,
    effective: float,
    *,
    logged: np.ndarray | None = None,
) -> Deflation:
    """Return the test of luck for a track record that was chosen from several trials.

    Parameters
    ----------
    track
        The track record of the chosen trial.
    trials
        Sharpe ratio per session of each trial, including the chosen trial. NaN values are left out.
    effective
        Effective number of independent trials, at least 1.
        :func:`backtests.evidence.effective_trials.effective_trials` estimates this number.
    logged
        Sharpe ratio per session of each further trial in the log of earlier sweeps. Many similar
        trials in the log would make V small. V is therefore at least the variance of ``trials``
        alone, so that logged trials never lower the hurdle.

    Raises
    ------
    DataError
        Raised if ``effective`` is below 1 or is not finite.
    """
    if not (math.isfinite(effective) and effective >= 1):
        raise DataError(f"expected at least 1 effective trial, was {effective}; give 1 or more")
    own = finite(trials)
    known = own if logged is None else np.concatenate([own, finite(logged)])
    return _deflated(track, len(known), effective, max(_variance(own), _variance(known)))


def finite(sharpes: Sequence[float] | np.ndarray) -> np.ndarray:
    """Return the Sharpe ratios that are finite."""
    values = np.asarray(sharpes, dtype=np.float64)
    return values[np.isfinite(values)]


def _variance(sharpes: np.ndarray) -> float:
    return float(sharpes.var(ddof=1)) if len(sharpes) > 1 else 0.0


def _deflated(track: TrackRecord, count: int, effective: float, variance: float) -> Deflation:
    best = expected_maximum(effective, variance)
    error = math.sqrt(variance * variance_of_maximum(effective))
    own = track.standard_error(0.0)
    rescaled = _NORMAL.cdf((track.sharpe - best) / error) if error > 0 else float("nan")
    return Deflation(
        trials=count,
        effective=effective,
        sharpe=track.sharpe,
        variance=variance,
        expected_maximum=best,
        standard_error=error,
        probability=rescaled,
        of_own_error=_NORMAL.cdf(track.sharpe / own) ** effective if own > 0 else float("nan"),
        probability_2014=deflated_2014(track, best),
        hurdle=_hurdle(effective, best, error, own),
    )


def _hurdle(effective: float, best: float, error: float, own: float) -> float:
    """Return the smallest Sharpe ratio that passes both tests of luck; NaN if ``own`` is 0 or NaN.

    ``own`` is the standard error of the chosen trial's Sharpe ratio.
    """
    if not own > 0:
        return float("nan")
    alone = own * _NORMAL.inv_cdf((1 - SIGNIFICANT) ** (1 / effective))
    return max(alone, best + _NORMAL.inv_cdf(1 - SIGNIFICANT) * error)


def expected_maximum(trials: float, variance: float) -> float:
    """Return the expected value of the largest Sharpe ratio among trials without skill.

    ``variance`` is the variance of the Sharpe ratios. ``trials`` need not be a whole number. For
    fewer than about 1.3 trials, the approximate formula falls below 0, and 0 is returned.
    """
    if not trials > 1:
        return 0.0
    gamma = float(np.euler_gamma)
    nearer = _NORMAL.inv_cdf(1 - 1 / trials)
    farther = _NORMAL.inv_cdf(1 - 1 / (trials * math.e))
    return max(0.0, math.sqrt(variance) * ((1 - gamma) * nearer + gamma * farther))


def variance_of_maximum(trials: float) -> float:
    """Return the variance of the largest of several independent standard normal numbers.

    The density of the largest of k numbers is k φ(z) Φ(z)^(k − 1). The integrals for the mean and
    the variance are approximated by sums over a fine grid of z. ``trials`` is at least 1 and need
    not be a whole number.
    """
    from scipy.special import log_ndtr

    z = np.linspace(-10.0, 14.0, 4801)
    logs = math.log(trials) - z**2 / 2 + (trials - 1) * log_ndtr(z)
    density = np.exp(logs - logs.max())
    density /= density.sum()
    mean = float(density @ z)
    return float(density @ (z - mean) ** 2)


def deflated_2014(track: TrackRecord, hurdle: float) -> float:
    """Return the deflated Sharpe ratio, as published in 2014; NaN if it is undefined.

    The track record is tested against ``hurdle``, a Sharpe ratio per session. The standard error
    uses the estimated Sharpe ratio and √(T − 1), and ignores serial correlation.
    """
    sharpe = track.sharpe
    inner = 1 - track.skewness * sharpe + (track.kurtosis - 1) / 4 * sharpe**2
    if not (inner > 0 and track.n > 1):
        return float("nan")
    return _NORMAL.cdf((sharpe - hurdle) * math.sqrt((track.n - 1) / inner))
