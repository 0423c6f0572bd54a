"""Performance metrics, each defined once.

Returns are simple daily returns as fractions; a year has 252 sessions; excess is over bills.
Losses are negative. A metric that is not defined (no variation, no observation) is NaN.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from backtests.engine.simulate import Result
from backtests.pipeline import Run, acted_on

YEAR = 252
#: A standard deviation below this, as a fraction a day, is rounding.
ROUNDING = 1e-12


@dataclass(frozen=True, kw_only=True)
class Drawdown:
    """The deepest fall from a peak.

    Attributes
    ----------
    depth
        Fraction, negative; 0 when there was none.
    peak, trough, recovered
        Sessions; None where there is none (recovered: not by the end).
    sessions
        From peak to recovery, or to the end.
    """

    depth: float
    peak: pd.Timestamp | None
    trough: pd.Timestamp | None
    recovered: pd.Timestamp | None
    sessions: int


def cagr(returns: pd.Series) -> float:
    """Return the compound growth rate a year: Π(1 + r)^(252/n) − 1."""
    if returns.empty:
        return float("nan")
    return float(_float((1 + returns).prod()) ** (YEAR / len(returns)) - 1)


def volatility(returns: pd.Series) -> float:
    """Return the standard deviation (ddof 1) × √252."""
    return float(returns.std() * np.sqrt(YEAR))


def sharpe(returns: pd.Series, bills: pd.Series) -> float:
    """Return mean excess over its standard deviation (ddof 1), × √252. Sharpe (1994)."""
    excess = returns - bills
    return _ratio(excess.mean(), excess.std()) * math.sqrt(YEAR)


def sortino(returns: pd.Series, bills: pd.Series) -> float:
    """Return mean excess over its downside deviation √mean(min(excess, 0)²), × √252."""
    excess = returns - bills
    downside = float(np.sqrt((excess.clip(upper=0) ** 2).mean()))
    return _ratio(excess.mean(), downside) * math.sqrt(YEAR)


def drawdowns(returns: pd.Series) -> pd.Series:
    """Return the fall from the highest value so far at each session; starts from the capital."""
    value = (1 + returns).cumprod()
    return value / value.cummax().clip(lower=1.0) - 1


def max_drawdown(returns: pd.Series) -> Drawdown:
    """Return the deepest drawdown with its dates; a peak at the start is the first session."""
    falls = drawdowns(returns)
    if falls.empty or falls.min() >= 0:
        return Drawdown(depth=0.0, peak=None, trough=None, recovered=None, sessions=0)
    trough = pd.Timestamp(str(falls.idxmin()))
    before, after = falls.loc[:trough], falls.loc[trough:]
    at_peak = before.index[before >= 0]
    peak = at_peak[-1] if len(at_peak) else falls.index[0]
    back = after.index[after >= 0]
    end = back[0] if len(back) else falls.index[-1]
    return Drawdown(
        depth=float(falls.min()),
        peak=pd.Timestamp(peak),
        trough=trough,
        recovered=pd.Timestamp(back[0]) if len(back) else None,
        sessions=int(falls.index.searchsorted(end) - falls.index.searchsorted(peak)),
    )


def value_at_risk(returns: pd.Series, level: float = 0.95) -> float:
    """Return the historical (1 − level) quantile of daily returns, linear between observations."""
    return float(returns.quantile(1 - level)) if len(returns) else float("nan")


def conditional_value_at_risk(returns: pd.Series, level: float = 0.95) -> float:
    """Return the mean of the daily returns at or below the value at risk."""
    return float(returns[returns <= value_at_risk(returns, level)].mean())


def beta(returns: pd.Series, benchmark: pd.Series) -> float:
    """Return the slope of daily returns on the benchmark's."""
    return _ratio(returns.cov(benchmark), benchmark.var())


def correlation(returns: pd.Series, benchmark: pd.Series) -> float:
    """Return the correlation of daily returns; NaN where one does not vary."""
    if returns.std() == 0 or benchmark.std() == 0:
        return float("nan")
    return float(returns.corr(benchmark))


def capture(returns: pd.Series, benchmark: pd.Series, *, up: bool) -> float:
    """Return mean return over the benchmark's mean, on the benchmark's up (or down) days."""
    days = benchmark > 0 if up else benchmark < 0
    return _ratio(returns[days].mean(), benchmark[days].mean())


def of_returns(returns: pd.Series, bills: pd.Series, benchmark: pd.Series) -> dict[str, object]:
    """Return the metrics that returns alone give, by name; fractions, dates as Timestamps.

    Parameters
    ----------
    returns, bills, benchmark
        Simple daily returns on the same sessions.
    """
    fall = max_drawdown(returns)
    growth = cagr(returns)
    return {
        "total_return": _float((1 + returns).prod()) - 1,
        "cagr": growth,
        "volatility": volatility(returns),
        "sharpe": sharpe(returns, bills),
        "sortino": sortino(returns, bills),
        "max_drawdown": fall.depth,
        "max_drawdown_peak": fall.peak,
        "max_drawdown_trough": fall.trough,
        "max_drawdown_recovered": fall.recovered,
        "max_drawdown_sessions": fall.sessions,
        "calmar": _ratio(growth, abs(fall.depth)),
        "var_95": value_at_risk(returns),
        "cvar_95": conditional_value_at_risk(returns),
        "hit_rate": float((returns > 0).mean()),
        "beta": beta(returns, benchmark),
        "correlation": correlation(returns, benchmark),
        "up_capture": capture(returns, benchmark, up=True),
        "down_capture": capture(returns, benchmark, up=False),
        "best_day": float(returns.max()),
        "worst_day": float(returns.min()),
        "skew": _float(returns.skew()),
        "kurtosis": _float(returns.kurt()),
    }


def of_trading(result: Result) -> dict[str, object]:
    """Return what trading says: exposure, turnover and costs, fractions a year where a rate.

    Turnover is Σ|Δw|/2 a year, Δw the value of each order over equity at the fill's close. Costs
    are all trading costs over mean equity, a year. Exposure is the mean gross weight outside cash.
    """
    years = len(result.returns) / YEAR
    orders = result.orders
    equity = result.equity.reindex(orders["date"]).to_numpy()
    traded = orders["units"].abs() * orders["price"]
    return {
        "exposure": float(result.exposure.iloc[1:].mean()),
        "turnover": _ratio(float((traded / equity).sum()) / 2, years),
        "costs": _ratio(float(orders["cost"].sum()) / float(result.equity.mean()), years),
        "orders": len(orders),
        "decisions_executed": len(result.targets),
    }


def of_run(run: Run) -> dict[str, object]:
    """Return everything that a run's returns and its trading say, by name."""
    result = run.result
    return of_returns(result.returns, run.bills, run.benchmark) | of_trading(result)


def headline(returns: pd.Series, bills: pd.Series, exposure: pd.Series) -> dict[str, float]:
    """Return ``cagr, sharpe, max_drawdown, exposure`` of some returns; NaN where not defined.

    Parameters
    ----------
    returns
        Simple daily returns.
    bills, exposure
        On these sessions and perhaps more.
    """
    return {
        "cagr": cagr(returns),
        "sharpe": sharpe(returns, bills.reindex(returns.index)),
        "max_drawdown": max_drawdown(returns).depth if len(returns) else float("nan"),
        "exposure": float(exposure.loc[returns.index].mean()),
    }


def by_regime(
    returns: pd.Series, bills: pd.Series, regime: pd.Series, benchmark: pd.Series
) -> pd.DataFrame:
    """Return a row a regime: sessions, episodes, yearly mean excess, volatility, hit rate.

    A return counts for the regime known at the close before it, so it could have been acted on.
    A strategy that follows the regime cannot judge it: the benchmark's excess stands beside.
    """
    known = acted_on(regime).reindex(returns.index).fillna("none")
    starts = known != known.shift(1)
    excess = returns - bills
    rows = {
        name: {
            "sessions": int(mine.sum()),
            "episodes": int((starts & mine).sum()),
            "mean_excess": float(excess[mine].mean() * YEAR),
            "benchmark_excess": float((benchmark - bills)[mine].mean() * YEAR),
            "volatility": volatility(returns[mine]),
            "hit_rate": float((returns[mine] > 0).mean()),
        }
        for name in dict.fromkeys(known)
        for mine in [known == name]
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("regime")


def _ratio(numerator: Any, denominator: Any) -> float:
    """Return a ratio; NaN where the denominator is zero, to rounding, or missing."""
    if not np.isfinite(denominator) or abs(denominator) < 1e-15:
        return float("nan")
    return float(numerator / denominator)


def _float(value: Any) -> float:
    return float(value)
