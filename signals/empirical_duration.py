"""Empirical duration: the loss of an asset when the real yield rises."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from signals.transforms import same_date

#: Number of weeks in a regression, and the smallest number of weeks that an estimate needs.
WEEKS, FEWEST_WEEKS = 156, 104
_WEEK = 5  # sessions


def empirical_durations(panel: pd.DataFrame, tickers: Sequence[str]) -> pd.DataFrame:
    """Return the empirical duration of assets as known at the panel's last close.

    Formula
        An asset's weekly returns over the last 156 weeks are regressed (OLS) on a constant, SPY's
        weekly returns and ΔDFII10. The variable ΔDFII10 is the weekly change of the real yield, as
        a fraction: 0.01 is one percentage point. The duration, in years, is the negated coefficient
        on ΔDFII10. A duration of 5 means a loss of 5 % when the real yield rises by one percentage
        point.
    Timing
        A week is five sessions. The weeks are counted back from the last row of the panel. All
        prices and yields are from dates up to the previous session; see
        :func:`signals.transforms.same_date`.
    NaN
        The regression omits a week in which a variable is missing. If fewer than 104 weeks have
        values of all variables, the duration and its standard error are NaN.
    Errors
        MissingSeries if the panel lacks a ticker.
    Reference
        Dechow, Sloan and Soliman (2004), "Implied Equity Duration", Review of Accounting Studies 9.

    Returns
    -------
    pd.DataFrame
        One row for each asset. The columns are ``duration`` in years, its standard ``error`` in
        years, and the number of ``weeks``.
    """
    recent = panel.tail(_WEEK * WEEKS + 2)  # + 1 for the first change, + 1 for shifted prices
    prices = same_date(recent, ["SPY", *tickers]).iloc[::-_WEEK].iloc[::-1]
    returns = prices.pct_change(fill_method=None).tail(WEEKS)
    rates = recent["DFII10"].iloc[::-_WEEK].iloc[::-1].diff().tail(WEEKS) / 100
    x = np.column_stack([np.ones(len(rates)), returns["SPY"], rates])
    rows = _regress(returns[list(tickers)].to_numpy(dtype=np.float64), x)
    return pd.DataFrame(rows, index=pd.Index(tickers, name="asset"))


def _regress(y: np.ndarray, x: np.ndarray) -> dict[str, np.ndarray]:
    """Regress each column of y on x; weeks with a NaN in the column or in x are left out."""
    used = ~(np.isnan(y) | np.isnan(x).any(axis=1)[:, None])
    weeks = used.sum(axis=0)
    seen = weeks >= FEWEST_WEEKS
    scale = np.array([1.0, 0.02, 0.001])  # usual sizes of the values in each column of x
    x0 = np.nan_to_num(x) / scale
    y0 = np.where(used, y, 0.0)[:, seen]
    products = np.einsum("ti,tj,tn->nij", x0, x0, used[:, seen].astype(float))
    inverse = np.linalg.inv(products)
    coefficients = np.einsum("nij,tj,tn->ni", inverse, x0, y0)
    residuals = np.where(used[:, seen], y0 - x0 @ coefficients.T, 0.0)
    variance = inverse[:, 2, 2] * (residuals**2).sum(axis=0) / (weeks[seen] - 3)
    found = {name: np.full(y.shape[1], np.nan) for name in ("duration", "error")}
    found["duration"][seen] = -coefficients[:, 2] / scale[2]
    found["error"][seen] = np.sqrt(variance) / scale[2]
    return {**found, "weeks": weeks}
