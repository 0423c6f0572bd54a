"""The information ratio that a run would have if its decisions were filled earlier or later.

If a strategy has real timing skill, its information ratio falls slowly as the delay of fills grows.
If a strategy uses future data, its information ratio collapses after one more session of delay. The
gain from future data comes from a single return. With a later fill, the strategy misses this
return. Fills before a decision, or at the close of a decision, are impossible. The information
ratios at lags of 0 or less show what a trader with foresight would have earned.

The information ratio is the mean active return divided by its standard deviation, times √252. The
active return is the portfolio's return minus the return of a reference portfolio. The reference
portfolio always holds the strategy's mean weights, and it pays no costs. A strategy without timing
has no active return before costs, so the information ratio measures only timing. If the reference
portfolio held SPY, the information ratio would mostly measure the choice of assets. The return from
the choice of assets hardly depends on the delay of fills.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.evidence.metrics import ROUNDING, YEAR, information_ratio, is_short
from backtests.evidence.placebo_rank import is_still
from backtests.evidence.sharpe_difference import long_run_covariance
from backtests.evidence.timing_split import growth_of_assets
from backtests.evidence.variation import check_kernel, varied_together
from backtests.runs import Run

#: Number of sessions from the close of a decision to the fill. Fills at lag 0 or below are
#: impossible. For a run whose lag is 10 or more, see :func:`lags_of`.
LAGS = tuple(range(-5, 11))
#: In a collapse, one more session of delay removes more than this fraction of the information
#: ratio.
LOST = 0.5
#: Smallest HAC t-statistic of the lost return that counts as a collapse (:class:`LeadLag`).
LEAST_T = 4.0


@dataclass(frozen=True, kw_only=True)
class LeadLag:
    """The information ratios of a run, for each lag between decision and fill.

    Attributes
    ----------
    lag
        The lag of the run, in sessions.
    ratios, error
        ``ratios`` is a mapping from lag to information ratio; NaN if the active return does not
        vary. Lags of 0 or less are impossible. ``error`` is the standard error of a ratio:
        1 / √years.
    lost
        A mapping from lag to the HAC t-statistic of the mean lost return. The lost return at lag n
        is the daily return at lag n minus the daily return at lag n + 1.
    collapse
        The smallest n for which the information ratio collapses between lag n and lag n + 1. Each n
        from 0 to the run's lag is tested if lag n and lag n + 1 are measured. None if there is no
        collapse. A collapse of the information ratio is a sign of look-ahead.
    """

    lag: int
    ratios: dict[int, float]
    error: float
    lost: dict[int, float]
    collapse: int | None


def lead_lag(run: Run) -> LeadLag | None:
    """Return the information ratios of a run, for each lag between decision and fill.

    For each lag, the decided weights are simulated with the run's costs. All lags are measured on
    the same sessions. The first L returns are left out, where L is the longest lag of
    :func:`lags_of`. The result is None if the measured sessions cover less than a year. The result
    is None if the weights change only when an asset is listed or delisted.
    """
    if not len(run.decided.columns) or is_still(run):
        return None
    lags = lags_of(run.config.lag)
    if is_short(run.result.returns.iloc[lags[-1] :]):
        return None
    check_kernel(run)
    mean = mean_weights_returns(run)
    active = {lag: (r - mean).iloc[lags[-1] :] for lag, r in _returns(run, lags).items()}
    ratios = {lag: information_ratio(part) for lag, part in active.items()}
    lost = {lag: _lost(active[lag] - active[lag + 1]) for lag in lags if lag + 1 in active}
    at_risk = (lag for lag in lost if 0 <= lag <= run.config.lag)
    fallen = (lag for lag in at_risk if _collapses(ratios, lost, lag))
    return LeadLag(
        lag=run.config.lag,
        ratios=ratios,
        error=math.sqrt(YEAR / len(active[1])),
        lost=lost,
        collapse=next(fallen, None),
    )


def fading_said(found: LeadLag) -> str:
    """Return sentences that say whether a later fill makes the information ratio collapse."""
    if found.collapse is None:
        last = max(found.ratios)
        here, later = found.ratios[found.lag], found.ratios[last]
        if math.isnan(here):
            return (
                "Lead and lag: at the run's lag, the returns equal the returns of the mean "
                "weights, so there is no information ratio."
            )
        return (
            "Lead and lag: at the run's lag, the information ratio over the "
            f"mean weights is {here:z.2f} (standard error {found.error:.2f}). At a lag of {last} "
            f"sessions, the ratio is {_said(later)}. If fills come one session later, the "
            "information ratio does not collapse."
        )
    before, after = found.ratios[found.collapse], found.ratios[found.collapse + 1]
    return (
        f"Lead and lag: if the lag from decision to fill grows from {found.collapse} to "
        f"{found.collapse + 1} sessions, the information ratio collapses from {before:.2f} to "
        f"{after:.2f}. Check the strategy for look-ahead."
    )


def _said(ratio: float) -> str:
    return "undefined" if math.isnan(ratio) else f"{ratio:z.2f}"


def mean_weights_returns(run: Run) -> pd.Series:
    """Return the daily returns of a run's mean weights, before costs, as fractions.

    The weight of an asset is its mean weight over the sessions after its first price. The remaining
    weight is in bills.
    """
    growth, weights = growth_of_assets(run), run.result.weights.shift().iloc[1:]
    mean = weights.where(growth.notna()).mean()
    excess = growth.sub(run.bills, axis=0).fillna(0.0)
    return (excess * mean.fillna(0.0)).sum(axis=1) + run.bills


def decided_earlier(decided: pd.DataFrame, index: pd.DatetimeIndex, by: int) -> pd.DataFrame:
    """Return a strategy's decisions with earlier dates.

    Each decision moves ``by`` sessions back. No decision moves further back than the first session
    of ``index``. If several decisions move to the first session, only the last decision remains.
    """
    places = np.maximum(index.get_indexer(pd.DatetimeIndex(decided.index)) - by, 0)
    moved = decided.set_axis(index[places], axis=0)
    return moved[~moved.index.duplicated(keep="last")]


def lags_of(lag: int) -> tuple[int, ...]:
    """Return the lags to measure for a run whose lag is ``lag``, in ascending order.

    The lags are :data:`LAGS`. If ``lag`` is 10 or more, ``lag`` and ``lag`` + 1 are also measured.
    """
    return LAGS if lag < LAGS[-1] else (*(each for each in LAGS if each < lag), lag, lag + 1)


def _returns(run: Run, lags: tuple[int, ...]) -> dict[int, pd.Series]:
    """Return, for each lag, the run's daily returns if its decisions are filled at this lag."""
    decided = {by: decided_earlier(run.decided, run.sessions, by) for by in range(2 - LAGS[0])}
    variants = [(decided[max(1 - lag, 0)], max(lag, 1)) for lag in lags]
    curves = varied_together(run, variants)
    return {lag: each.returns for lag, each in zip(lags, curves, strict=True)}


def _lost(difference: pd.Series) -> float:
    """Return the HAC t-statistic of a mean; NaN if all values, or all but one, are equal."""
    values = difference.to_numpy(dtype=np.float64)
    if not min(values[1:].std(), values[:-1].std()) >= ROUNDING:
        return float("nan")
    variance = long_run_covariance((values - values.mean())[:, None]).item() / len(values)
    return float(values.mean() / math.sqrt(variance))


def _collapses(ratios: dict[int, float], lost: dict[int, float], lag: int) -> bool:
    here, later = ratios[lag], ratios[lag + 1]
    return here > 0 and later < (1 - LOST) * here and lost[lag] >= LEAST_T
