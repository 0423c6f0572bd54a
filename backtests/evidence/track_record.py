"""Standard error, power and false discoveries of a test of one strategy's Sharpe ratio.

All Sharpe ratios in this module are per session: the mean of the excess returns over bills, divided
by their standard deviation. Multiply by √252 for a yearly Sharpe ratio.

The standard error allows for skewness, fat tails and serial correlation. Let SR be the true Sharpe
ratio, and T the number of excess returns. Let ρ be the lag-1 autocorrelation of the excess returns,
γ₃ their skewness and γ₄ their kurtosis. Normally distributed returns have γ₄ = 3. The variance of
the estimated Sharpe ratio has this formula:

    (a − b γ₃ SR + c (γ₄ − 1) / 4 SR²) / T

with a = (1 + ρ) / (1 − ρ), b = (1 + ρ + ρ²) / (1 − ρ²) and c = (1 + ρ²) / (1 − ρ²).

Reference
    López de Prado, Lipton and Zoonekynd (2026), "How to use the Sharpe ratio", SSRN 5520741. For ρ
    = 0: Mertens (2002); Bailey and López de Prado (2012), "The Sharpe ratio efficient frontier",
    Journal of Risk 15(2).
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Self

import numpy as np
import pandas as pd

from backtests.evidence.entries import SIGNIFICANT
from backtests.evidence.metrics import ROUNDING

_NORMAL = NormalDist()


@dataclass(frozen=True, kw_only=True)
class TrackRecord:
    """The moments of a track record of excess returns.

    Attributes
    ----------
    n
        Number of returns.
    sharpe
        Sharpe ratio per session.
    skewness, kurtosis
        Third and fourth standardised moments. Normally distributed returns have skewness 0 and
        kurtosis 3.
    autocorrelation
        Correlation between the return of a session and the return of the session before.
    """

    n: int
    sharpe: float
    skewness: float = 0.0
    kurtosis: float = 3.0
    autocorrelation: float = 0.0

    @classmethod
    def from_returns(cls, excess: pd.Series | np.ndarray) -> Self:
        """Return the track record of simple daily returns minus bills, as fractions.

        The Sharpe ratio uses a standard deviation with ddof 1. Skewness, kurtosis and
        autocorrelation use ddof 0. The moments are undefined if returns do not vary, if a return is
        missing, or if there are fewer than three returns. Undefined moments are NaN, but an
        undefined autocorrelation is 0.
        """
        values = np.asarray(excess, dtype=np.float64)
        n, nothing = len(values), float("nan")
        if n < 3 or not np.isfinite(values).all() or values.std() < ROUNDING:
            return cls(n=n, sharpe=nothing, skewness=nothing, kurtosis=nothing, autocorrelation=0.0)
        z = (values - values.mean()) / values.std()
        return cls(
            n=n,
            sharpe=float(values.mean() / values.std(ddof=1)),
            skewness=float((z**3).mean()),
            kurtosis=float((z**4).mean()),
            autocorrelation=float((z[1:] * z[:-1]).sum() / (z**2).sum()),
        )

    def standard_error(self, true: float | None = None) -> float:
        """Return the standard error of the Sharpe ratio per session; NaN if it is undefined.

        ``true`` is the true Sharpe ratio per session. The default is the estimated Sharpe ratio.
        """
        sharpe, rho = self.sharpe if true is None else true, self.autocorrelation
        if not abs(rho) < 1 or self.n < 1:
            return float("nan")
        once = (1 + rho) / (1 - rho)
        skewed = (1 + rho + rho**2) / (1 - rho**2) * self.skewness * sharpe
        tailed = (1 + rho**2) / (1 - rho**2) * (self.kurtosis - 1) / 4 * sharpe**2
        variance = (once - skewed + tailed) / self.n
        return math.sqrt(variance) if variance > 0 else float("nan")

    def probability(self, threshold: float = 0.0) -> float:
        """Return the probabilistic Sharpe ratio: 1 − p of the test "true Sharpe ≤ threshold".

        The standard error assumes that the true Sharpe ratio equals ``threshold``.
        """
        error = self.standard_error(threshold)
        return _cdf((self.sharpe - threshold) / error)

    def minimum_length(self, threshold: float = 0.0) -> float:
        """Return the minimum track record length: sessions needed for a significant Sharpe ratio.

        The null hypothesis of the one-sided test is that the true Sharpe ratio is at most
        ``threshold``. The length is NaN if the estimated Sharpe ratio is not above ``threshold``.
        """
        if not self.sharpe > threshold:
            return float("nan")
        spread = self.standard_error(threshold) * math.sqrt(self.n)
        return (spread * _NORMAL.inv_cdf(1 - SIGNIFICANT) / (self.sharpe - threshold)) ** 2

    def critical(self) -> float:
        """Return the smallest Sharpe ratio that is significant in a one-sided test against zero."""
        return _NORMAL.inv_cdf(1 - SIGNIFICANT) * self.standard_error(0.0)

    def power(self, alternative: float) -> float:
        """Return the power of the test if the true Sharpe ratio is ``alternative``."""
        gap = alternative - self.critical()
        return _cdf(gap / self.standard_error(alternative))

    def planned_false_discovery(self, alternative: float, prior: float) -> float:
        """Return the share of false discoveries among all strategies that pass the test.

        ``prior`` is the share of strategies with skill among all tried strategies, as a fraction.
        ``alternative`` is the true Sharpe ratio per session of strategies with skill. The result
        does not depend on the estimated Sharpe ratio.
        """
        return _share(SIGNIFICANT * (1 - prior), self.power(alternative) * prior)

    def observed_false_discovery(self, alternative: float, prior: float) -> float:
        """Return the share of false discoveries, given the estimated Sharpe ratio.

        A discovery is any strategy whose Sharpe ratio is at least the estimated Sharpe ratio.

        The parameters are those of :meth:`planned_false_discovery`.
        """
        false = (1 - prior) * (1 - self.probability())
        true = prior * (1 - self.probability(alternative))
        return _share(false, true)


def _share(false: float, true: float) -> float:
    """Return the share of false discoveries among all discoveries; NaN without a discovery."""
    return false / (false + true) if false + true > 0 else float("nan")


def _cdf(z: float) -> float:
    """Return the normal distribution function at ``z``; NaN if ``z`` is not finite."""
    return _NORMAL.cdf(z) if math.isfinite(z) else float("nan")
