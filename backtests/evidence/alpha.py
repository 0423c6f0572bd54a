"""The alpha of a strategy: its mean return above a constant-weight portfolio of the same assets.

A constant mix of SPY and bills can have the same mean exposure as the strategy, but a different
beta. For example, the betas differ if the strategy holds SPY only in calm times. The regression
therefore finds the constant weights whose returns are closest to the strategy's returns. Alpha is
the strategy's mean return minus the mean return of the constant weights. Well-timed changes of
weights raise alpha. Costs lower alpha.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.evidence.hac import regress
from backtests.evidence.matching import check_same_sessions
from backtests.evidence.metrics import ROUNDING, YEAR, is_short
from backtests.runs import Run
from signals.errors import DataError

#: A regression needs at least this many returns for each coefficient.
FEWEST_EACH = 10


@dataclass(frozen=True, kw_only=True)
class Alpha:
    """The yearly intercept of a regression, with a HAC interval.

    Attributes
    ----------
    estimate, low, high
        The estimate is 252 times the mean daily return that the regressors do not explain. ``low``
        and ``high`` are the bounds of the 95 % interval. The estimate and its bounds are fractions
        a year.
    t
        The estimate divided by its standard error.
    lags
        Number of autocovariances in the standard error.
    betas
        A mapping from each regressor's name to its coefficient.
    """

    estimate: float
    low: float
    high: float
    t: float
    lags: int
    betas: dict[str, float]


def own_alpha(run: Run) -> Alpha | None:
    """Return the alpha of a run, with the assets of the run's strategy as regressors.

    The dependent variable is the strategy's return after costs, minus the return of bills. Each
    regressor is an asset's return before costs, minus the return of bills. The regression starts
    with the first return after the first possible fill. An asset has no return if its price is
    missing on the session or on the session before. The return of bills replaces a missing return.
    The result is None if the run has too few returns, or if no regressor varies.
    """
    held = run.result.returns.iloc[run.config.lag :]
    closes = run.history.closes[list(run.strategy.assets)].loc[run.sessions]
    bills = run.bills.reindex(held.index)
    excess = closes.pct_change(fill_method=None).reindex(held.index).sub(bills, axis=0).fillna(0.0)
    varying = excess.loc[:, excess.std() > ROUNDING]
    fewest = FEWEST_EACH * (1 + len(varying.columns))
    if varying.empty or is_short(run.result.returns) or len(held) < fewest:
        return None
    return alpha(held - bills, varying)


def alpha(excess: pd.Series, others: pd.DataFrame) -> Alpha:
    """Return the alpha of a return series, from a regression on other return series.

    The estimate is 252 times the constant term of an ordinary least squares regression.
    :func:`backtests.evidence.hac.regress` gives the HAC standard error and the fixed-b critical
    value of the 95 % interval.

    ``excess`` and ``others`` contain daily returns minus the return of bills, as fractions, on the
    same sessions. ``others`` has one column for each regressor. If sessions differ or a return is
    missing, DataError is raised.

    Notes
    -----
    The number of lags in the standard error follows a published rule. Many lags are needed, because
    portfolio weights stay constant for months. A rule that uses the data would choose too few lags,
    because daily returns are almost uncorrelated. :data:`backtests.evidence.bootstrap.COVERAGE`
    says how often intervals of alpha contain the true value.
    """
    check_same_sessions("regressors", others.index, "the returns", excess.index)
    if not (np.isfinite(excess).all() and np.isfinite(others).all(axis=None)):
        raise DataError(
            "expected a return for every session, but some are missing or infinite; leave out "
            "these sessions"
        )
    design = np.column_stack([np.ones(len(others)), others.to_numpy(dtype=np.float64)])
    fit = regress(excess.to_numpy(dtype=np.float64), design)
    estimate, error = (YEAR * part for part in fit.combined(np.eye(design.shape[1])[0]))
    reach = fit.critical(0.975) * error
    return Alpha(
        estimate=estimate,
        low=estimate - reach,
        high=estimate + reach,
        t=estimate / error if error > ROUNDING else float("nan"),
        lags=fit.lags,
        betas={str(name): float(b) for name, b in zip(others, fit.coefficients[1:], strict=True)},
    )
