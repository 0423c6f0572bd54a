"""Performance metrics.

Returns are simple daily returns as fractions. A year has 252 sessions. Excess is the return minus
the return of bills. Losses are negative numbers. An undefined metric is NaN, for example if returns
do not vary or if there are no returns.

A function for a single metric accepts any number of returns. If the returns cover less than a year
(:func:`is_short`), four functions give NaN for yearly metrics: :func:`of_returns`,
:func:`of_trading`, :func:`headline` and :func:`by_regime`.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from backtests.engine.simulate import Result
from backtests.evidence.entries import acted_on, observe
from backtests.runs import Run
from signals.transforms import fall_from_peak
from strategies.base import SESSIONS_A_YEAR

YEAR = SESSIONS_A_YEAR
#: The yearly Sharpe ratio is the daily Sharpe ratio times this number.
ROOT_YEAR = math.sqrt(YEAR)
#: Yearly metrics need at least this number of returns. The shortest calendar year since 1990 was
#: 2001, with 248 sessions and therefore 247 returns.
FULL_YEAR = 247
#: Names of the metrics that need a full year of returns.
YEARLY = (
    *("cagr", "volatility", "sharpe", "sortino", "calmar", "turnover", "costs"),
    *("mean_excess", "benchmark_excess", "tracking_error", "information_ratio"),
)
#: A standard deviation of daily returns below this fraction is a rounding error.
ROUNDING = 1e-12
#: Level of the value at risk.
_LEVEL = 0.95
#: If a denominator is below this value, it counts as zero and the metric is NaN.
#: :mod:`backtests.engine.measures` repeats this value, because numba does not notice a change in
#: another file.
ZERO = 1e-15


@dataclass(frozen=True, kw_only=True)
class Drawdown:
    """A loss of value from a peak to a later trough.

    Attributes
    ----------
    depth
        The largest loss from the peak, a negative fraction; 0 if there is no drawdown.
    peak, trough
        Sessions of the peak and of the lowest value. None if there is no drawdown.
    recovered
        The first session after the loss at which the value is back at the peak. None if there is no
        recovery.
    sessions
        Number of sessions from the peak to the recovery, or to the last session.
    """

    depth: float
    peak: pd.Timestamp | None
    trough: pd.Timestamp | None
    recovered: pd.Timestamp | None
    sessions: int


def total_return(returns: pd.Series) -> float:
    """Return the total return: Π(1 + r) − 1."""
    if returns.empty:
        return float("nan")
    return _float((1 + returns).prod()) - 1


def cagr(returns: pd.Series) -> float:
    """Return the compound growth rate a year: Π(1 + r)^(252/n) − 1."""
    if returns.empty:
        return float("nan")
    return float(_float((1 + returns).prod()) ** (YEAR / len(returns)) - 1)


def volatility(returns: pd.Series) -> float:
    """Return the standard deviation (ddof 1) × √252."""
    return float(returns.std() * ROOT_YEAR)


def sharpe(returns: pd.Series, bills: pd.Series) -> float:
    """Return mean(excess) / std(excess) · √252, with ddof 1; see Sharpe (1994)."""
    excess = returns - bills
    return _ratio(excess.mean(), excess.std()) * ROOT_YEAR


def sortino(returns: pd.Series, bills: pd.Series) -> float:
    """Return the Sortino ratio: mean(excess) / downside deviation · √252.

    The downside deviation is √mean(min(excess, 0)²).
    """
    excess = returns - bills
    downside = float(np.sqrt((excess.clip(upper=0) ** 2).mean()))
    return _ratio(excess.mean(), downside) * ROOT_YEAR


def drawdowns(returns: pd.Series) -> pd.Series:
    """Return each session's loss from the highest value so far.

    The highest value is at least the initial capital.
    """
    return fall_from_peak((1 + returns).cumprod(), start=1.0)


def max_drawdown(returns: pd.Series, start: pd.Timestamp | None = None) -> Drawdown:
    """Return the deepest drawdown of the returns, as :func:`worst_drawdowns` defines it."""
    none = Drawdown(depth=0.0, peak=None, trough=None, recovered=None, sessions=0)
    return next(iter(worst_drawdowns(returns, 1, start)), none)


def worst_drawdowns(
    returns: pd.Series, most: int = 10, start: pd.Timestamp | None = None
) -> list[Drawdown]:
    """Return the deepest drawdowns, deepest first.

    Of two drawdowns with equal depth, the earlier one comes first. A drawdown lasts from a peak to
    the first session whose value is back at the peak. ``start`` is the session of the initial
    capital, one session before the first return. A drawdown from the initial capital has the peak
    ``start``. If ``start`` is None, the session of the first return is used in place of ``start``.
    """
    falls = drawdowns(returns)
    below = (falls < 0).to_numpy()
    begins = np.flatnonzero(below & ~np.r_[False, below[:-1]])
    ends = np.flatnonzero(below & ~np.r_[below[1:], False])
    depths = np.minimum.reduceat(np.where(below, falls, 0.0), begins) if len(begins) else begins
    deepest = np.argsort(depths, kind="stable")[:most]
    return [_drawdown(falls, int(begins[i]), int(ends[i]), start) for i in deepest]


def _drawdown(falls: pd.Series, first: int, last: int, start: pd.Timestamp | None) -> Drawdown:
    """Return one drawdown; ``first`` to ``last`` are the positions of the sessions below the peak.

    ``start`` is the session before the first row of ``falls``. The position of ``start`` is -1.
    """
    peak, back = max(first - 1, 0 if start is None else -1), last + 1
    recovered = back < len(falls)
    trough = first + int(np.argmin(falls.iloc[first:back]))
    return Drawdown(
        depth=float(falls.iloc[trough]),
        peak=pd.Timestamp(start if start is not None and peak < 0 else falls.index[peak]),
        trough=pd.Timestamp(falls.index[trough]),
        recovered=pd.Timestamp(falls.index[back]) if recovered else None,
        sessions=(back if recovered else last) - peak,
    )


def by_year(returns: pd.DataFrame) -> pd.DataFrame:
    """Return the compound return of each calendar year, years × portfolios: Π(1 + r) − 1.

    If the first or last year is incomplete, its return covers only the sessions in ``returns``.
    """
    years = pd.Index(pd.DatetimeIndex(returns.index).year, name="year")
    return (1 + returns).groupby(years).prod() - 1


def by_month(returns: pd.Series) -> pd.Series:
    """Return the compound return of each calendar month: Π(1 + r) − 1.

    If the first or last month is incomplete, its return covers only the sessions in ``returns``.
    """
    months = pd.DatetimeIndex(returns.index).to_period("M")
    return (1 + returns).groupby(months).prod() - 1


def is_short(returns: pd.Series) -> bool:
    """Return whether returns cover less than a year, which is too short for yearly metrics.

    For example, a gain of 44 % over 119 sessions is 116 % a year, but the investor earned only 44
    %.
    """
    return len(returns) < FULL_YEAR


def _without_yearly(figures: dict[str, Any], returns: pd.Series) -> dict[str, Any]:
    """Return the metrics, with NaN for yearly metrics if the returns cover less than a year."""
    if not is_short(returns):
        return figures
    return {name: float("nan") if name in YEARLY else value for name, value in figures.items()}


def value_at_risk(returns: pd.Series) -> float:
    """Return the 5 % quantile of daily returns, interpolated between observations."""
    return float(returns.quantile(1 - _LEVEL)) if len(returns) else float("nan")


def conditional_value_at_risk(returns: pd.Series) -> float:
    """Return the mean of the daily returns at or below the value at risk."""
    return float(returns[returns <= value_at_risk(returns)].mean())


def beta(returns: pd.Series, benchmark: pd.Series) -> float:
    """Return the slope of a regression of daily returns on the benchmark's daily returns."""
    return _ratio(returns.cov(benchmark), benchmark.var())


def correlation(returns: pd.Series, benchmark: pd.Series) -> float:
    """Return the correlation of returns and benchmark returns; NaN if one series does not vary."""
    if not min(returns.std(), benchmark.std()) >= ROUNDING:
        return float("nan")
    return float(returns.corr(benchmark))


def capture(returns: pd.Series, benchmark: pd.Series, *, up: bool) -> float:
    """Return a portfolio's mean return divided by the benchmark's mean return, on up or down days.

    An up day is a day on which the benchmark's return is above zero.
    """
    days = benchmark > 0 if up else benchmark < 0
    return _ratio(returns[days].mean(), benchmark[days].mean())


def tracking_error(returns: pd.Series, benchmark: pd.Series) -> float:
    """Return the volatility of the active return, which is return minus benchmark return."""
    return volatility(returns - benchmark)


def information_ratio(active: pd.Series) -> float:
    """Return mean(active) / std(active) · √252, with ddof 1; NaN if active returns do not vary.

    An active return is a return minus the return of a benchmark.
    """
    deviation = float(active.std())
    if not deviation >= ROUNDING:
        return float("nan")
    return float(active.mean()) / deviation * ROOT_YEAR


def of_returns(
    returns: pd.Series,
    bills: pd.Series,
    benchmark: pd.Series,
    start: pd.Timestamp | None = None,
) -> dict[str, object]:
    """Return a mapping from the name of each metric to its value: a number, a Timestamp or None.

    ``bills`` and ``benchmark`` are returns on the same sessions as ``returns``. ``start`` is the
    session of the initial capital, for :func:`max_drawdown`. ``skew`` and ``excess_kurtosis`` are
    corrected for the size of the sample, as in pandas.
    """
    fall = max_drawdown(returns, start)
    growth = cagr(returns)
    months = by_month(returns)
    figures = {
        "total_return": total_return(returns),
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
        "excess_kurtosis": _float(returns.kurt()),
        "months_above_zero": float((months > 0).mean()),
        "best_month": float(months.max()),
        "worst_month": float(months.min()),
        "tracking_error": tracking_error(returns, benchmark),
        "information_ratio": information_ratio(returns - benchmark),
    }
    return _without_yearly(figures, returns)


def traded(result: Result) -> pd.Series:
    """Return |Δw| of each order: the order's value divided by equity at the close of the fill."""
    orders = result.orders
    equity = result.equity.reindex(orders["date"]).to_numpy()
    share: pd.Series = orders["units"].abs() * orders["price"] / equity
    return share.astype(float)


def turnover(result: Result) -> float:
    """Return the turnover, Σ|Δw| / 2 a year; see :func:`traded`."""
    return _ratio(float(traded(result).sum()) / 2, len(result.returns) / YEAR)


def cost_rate(result: Result) -> float:
    """Return yearly trading costs divided by mean equity, as a fraction."""
    paid, years = float(result.orders["cost"].sum()), len(result.returns) / YEAR
    return _ratio(paid / float(result.equity.mean()), years)


def of_trading(result: Result) -> dict[str, object]:
    """Return exposure, turnover and costs as fractions, and the numbers of orders and decisions.

    Exposure is the mean of :attr:`backtests.engine.simulate.Result.exposure` over all closes after
    the first close. At the first close, the portfolio is still in cash.
    """
    figures = {
        "exposure": float(result.exposure.iloc[1:].mean()),
        "turnover": turnover(result),
        "costs": cost_rate(result),
        "orders": len(result.orders),
        "decisions_executed": len(result.targets),
    }
    return _without_yearly(figures, result.returns)


def of_run(run: Run) -> dict[str, object]:
    """Return a mapping from name to value, with all metrics of a run's returns and trading."""
    result = run.result
    start = pd.Timestamp(run.sessions[0])
    return of_returns(result.returns, run.bills, run.benchmark, start) | of_trading(result)


def headline(returns: pd.Series, bills: pd.Series, exposure: pd.Series) -> dict[str, float]:
    """Return a mapping with ``total_return``, ``cagr``, ``sharpe``, ``max_drawdown``, ``exposure``.

    ``bills`` and ``exposure`` contain at least the sessions of the returns.
    """
    figures = {
        "total_return": total_return(returns),
        "cagr": cagr(returns),
        "sharpe": sharpe(returns, bills.reindex(returns.index)),
        "max_drawdown": max_drawdown(returns).depth if len(returns) else float("nan"),
        "exposure": float(exposure.loc[returns.index].mean()),
    }
    return _without_yearly(figures, returns)


def by_regime(
    returns: pd.Series, bills: pd.Series, regime: pd.Series, benchmark: pd.Series, lag: int
) -> pd.DataFrame:
    """Return the metrics of each regime, computed from the returns earned under this regime.

    The table also shows the benchmark's mean return over bills. The benchmark does not follow the
    regime, so ``benchmark_excess`` shows whether market returns differ between regimes.

    Parameters
    ----------
    returns, bills, benchmark
        Simple daily returns on the same sessions.
    regime, lag
        ``regime`` is the regime known at each close, with one row per session of the history. A
        session without a regime has a missing value. ``lag`` is the number of sessions from
        decision to fill. :func:`backtests.evidence.entries.acted_on` assigns each return to a
        regime.

    Returns
    -------
    One row per regime, sorted by first appearance. The row ``none`` covers returns without a
    regime. ``sessions`` is the number of sessions of the regime, and ``share`` is this number
    divided by the number of all sessions. :class:`backtests.evidence.entries.Observed` defines
    ``episodes`` and ``entered``. ``mean_excess`` is 252 times the strategy's mean daily excess, and
    ``benchmark_excess`` is 252 times the benchmark's mean daily excess. ``volatility`` is yearly.
    ``hit_rate`` is the share of days with a return above zero. All columns except ``sessions``,
    ``episodes`` and ``entered`` are fractions.
    """
    earned = acted_on(regime, lag).reindex(returns.index)
    names = earned.fillna("none")
    rows = {}
    for name in dict.fromkeys(names):
        mine = names == name
        figures = {
            "sessions": int(mine.sum()),
            "share": float(mine.mean()),
            **asdict(observe(earned if name != "none" else names, (name,))),
            "mean_excess": float((returns - bills)[mine].mean() * YEAR),
            "benchmark_excess": float((benchmark - bills)[mine].mean() * YEAR),
            "volatility": volatility(returns[mine]),
            "hit_rate": float((returns[mine] > 0).mean()),
        }
        rows[name] = _without_yearly(figures, returns)
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("regime")


def _ratio(numerator: Any, denominator: Any) -> float:
    """Return a ratio; NaN if the denominator is missing, infinite or almost zero."""
    if not np.isfinite(denominator) or abs(denominator) < ZERO:
        return float("nan")
    return float(numerator / denominator)


def _float(value: Any) -> float:
    return float(value)
