"""Least squares with standard errors that remain valid under autocorrelation."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

#: Fixed-b critical values for the Bartlett kernel, as polynomials in lags / n (Kiefer and Vogelsang
#: 2005). Fixed-b values exceed normal values, because the standard error is itself an estimate.
_FIXED_B = {
    0.975: (1.9600, 2.9694, 0.4160, -0.5324),
    0.95: (1.6449, 2.1859, 0.3142, -0.3427),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Fit:
    """Coefficients of a regression, with HAC standard errors.

    Attributes
    ----------
    coefficients, covariance
        The coefficients, and their HAC covariance matrix.
    lags, n
        Number of autocovariances, and number of observations.
    """

    coefficients: np.ndarray
    covariance: np.ndarray
    lags: int
    n: int

    def combined(self, contrast: np.ndarray) -> tuple[float, float]:
        """Return a linear combination of the coefficients, and its standard error."""
        variance = float(contrast @ self.covariance @ contrast)
        return float(contrast @ self.coefficients), math.sqrt(max(variance, 0.0))

    def critical(self, level: float) -> float:
        """Return the fixed-b critical value at ``level`` (0.975 or 0.95).

        The weight of autocovariance j is 1 − j / (lags + 1), so the bandwidth is lags + 1.
        """
        share = (self.lags + 1) / self.n
        return sum(a * share**power for power, a in enumerate(_FIXED_B[level]))

    def p_value(self, value: float, error: float, sign: int) -> float:
        """Return the one-sided p-value of t = value / error under a normal distribution.

        First, t is multiplied by the normal critical value and divided by the fixed-b critical
        value, both for 97.5 %.
        """
        if not error > 0:
            return 1.0
        scale = self.critical(0.975) / _FIXED_B[0.975][0]
        return float(stats.norm.sf(sign * value / error / scale))

    def widened(self, error: float) -> float:
        """Return ``error``, widened for 95 % intervals of ±1.96 standard errors.

        The result is ``error`` times the fixed-b critical value of :meth:`critical`, divided by the
        normal critical value 1.96.
        """
        return error * self.critical(0.975) / _FIXED_B[0.975][0]


def usual_lags(n: int) -> int:
    """Return the number of lags that Lazarus, Lewis, Stock and Watson (2018) advise.

    The number of lags is ⌈1.3 √n⌉, but at most n − 1.
    """
    return min(math.ceil(1.3 * math.sqrt(n)), n - 1)


def regress(y: np.ndarray, x: np.ndarray, lags: int | None = None) -> Fit:
    """Return a least-squares fit with Newey–West standard errors (Bartlett kernel).

    The covariance is multiplied by n / (n − number of coefficients). ``y`` has n rows. ``x`` has n
    rows, one column for each regressor, and a column for the constant. The default of ``lags`` is
    :func:`usual_lags`.

    Reference
        Newey and West (1987), Econometrica 55; lags: Lazarus, Lewis, Stock and Watson (2018), "HAR
        Inference", JBES 36; critical values: Kiefer and Vogelsang (2005), Econometric Theory 21.
    """
    from statsmodels.regression.linear_model import OLS

    number = usual_lags(len(y)) if lags is None else lags
    fit = OLS(y, x, hasconst=True).fit(
        cov_type="HAC", cov_kwds={"maxlags": number, "use_correction": True}
    )
    return Fit(coefficients=fit.params, covariance=fit.cov_params(), lags=number, n=len(y))
