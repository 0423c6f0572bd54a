"""Confidence intervals of a strategy's metrics, computed from resampled blocks of dates.

The intervals are too narrow if regimes last for years. :data:`COVERAGE` says how often the
intervals contained the true value in simulated markets.

Every metric is computed from the mean and the variance of returns. A count matrix says how often
each resample contains each date. The count matrix times the returns gives every resample's sum of
returns. The count matrix times the squared returns gives every resample's sum of squares. All
portfolios use the same resampled dates, so a comparison is paired.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from backtests.evidence.matching import check_same_sessions
from backtests.evidence.metrics import ROOT_YEAR, ROUNDING, YEAR
from signals.errors import ConfigError, DataError

#: Default confidence level of all intervals, as a fraction.
LEVEL = 0.95
#: Lower limit of the mean length of a block, in sessions.
SHORTEST_BLOCK = 5
#: The sample needs at least this many returns.
FEWEST = 20
#: A resample counts as constant if its standard deviation is at most this fraction of the sample's
#: standard deviation.
NO_VARIATION = 1e-6


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """Share of 95 % intervals that contain the true value, in three kinds of simulated markets.

    In ``no_regimes``, mean returns never change. In ``slow_regimes``, mean returns change with
    regimes that last 400 sessions on average. In ``wide_slow_regimes``, mean returns of regimes
    differ twice as much as in ``slow_regimes``.
    """

    no_regimes: float
    slow_regimes: float
    wide_slow_regimes: float


#: The script that measures :data:`COVERAGE` and describes the simulated markets.
COVERAGE_SOURCE = "benchmarks/interval_coverage.py"
#: Coverage of the interval of each metric, estimated by simulations with 500 seeds. The Monte Carlo
#: error of a share is at most 2.2 percentage points. The interval of ``alpha`` comes from
#: :func:`backtests.evidence.alpha.alpha`. All other intervals come from the bootstrap.
COVERAGE: dict[str, Coverage] = {
    "sharpe": Coverage(no_regimes=0.94, slow_regimes=0.83, wide_slow_regimes=0.60),
    "sharpe_spy": Coverage(no_regimes=0.95, slow_regimes=0.79, wide_slow_regimes=0.59),
    "sharpe_mix": Coverage(no_regimes=0.95, slow_regimes=0.79, wide_slow_regimes=0.59),
    "excess_spy": Coverage(no_regimes=0.95, slow_regimes=0.85, wide_slow_regimes=0.71),
    "excess_bills": Coverage(no_regimes=0.95, slow_regimes=0.80, wide_slow_regimes=0.57),
    "excess_mix": Coverage(no_regimes=0.95, slow_regimes=0.81, wide_slow_regimes=0.64),
    "alpha": Coverage(no_regimes=0.94, slow_regimes=0.89, wide_slow_regimes=0.85),
}


@dataclass(frozen=True, kw_only=True)
class Interval:
    """An estimate and its interval, which lies between two percentiles of the resampled estimates.

    The bounds ``low`` and ``high`` have the unit of the estimate. ``block`` is the mean length of a
    block, in sessions. ``reps`` is the number of resamples.
    """

    estimate: float
    low: float
    high: float
    block: int
    reps: int


def compare_returns(
    strategy: pd.Series,
    bills: pd.Series,
    others: Mapping[str, pd.Series],
    *,
    reps: int = 1000,
    level: float = LEVEL,
    seed: int = 0,
) -> dict[str, Interval]:
    """Return intervals for a strategy's Sharpe ratio and for its advantage over other portfolios.

    Parameters
    ----------
    strategy, bills
        Simple daily returns on the same sessions, as fractions.
    others
        A mapping from a portfolio's name to its simple daily returns on the same sessions. These
        portfolios are, for example, the benchmark, a constant mix and bills.
    reps, level, seed
        ``reps`` is the number of resamples of the stationary bootstrap. ``level`` is the confidence
        level of the intervals, a fraction. Equal seeds give equal intervals.

    Returns
    -------
    A mapping from the name of a metric to its interval. ``sharpe`` is the yearly Sharpe ratio of
    the strategy: mean(excess) / std(excess) · √252, with ddof 1. Excess is the strategy's return
    minus the return of bills. Each portfolio in ``others`` has two intervals. Let d be the
    strategy's daily return minus the portfolio's daily return. ``excess_<name>`` is 252 times the
    mean of d, a fraction per year. ``sharpe_<name>`` is the strategy's Sharpe ratio minus the
    portfolio's Sharpe ratio. All intervals use the same resamples. The rule of Politis and White
    computes the mean length of a block from the strategy's returns minus the returns of bills. The
    mean length is rounded up to whole sessions, and is at least 5 sessions.

    NaN
        The Sharpe ratio is undefined if returns minus bills do not vary. For example, a portfolio
        that holds only bills has no Sharpe ratio. The estimate and bounds of an undefined Sharpe
        ratio are NaN. A resample is left out if its returns do not vary.

    Raises
    ------
    ConfigError, DataError
        ConfigError if ``reps`` or ``level`` is out of range. DataError if sessions differ, if a
        return is missing, or if the sample has fewer than 20 returns.

    Reference
        Politis and Romano (1994), "The stationary bootstrap", JASA 89; Politis and White (2004)
        with Patton's correction (2009), Econometric Reviews. The bounds of the intervals are
        percentiles. BCa intervals are not used, because their jackknife assumes independent dates.
        Studentised intervals (Ledoit and Wolf 2008) are not used, because each resample would need
        a HAC standard error.

    Notes
    -----
    If the sample contains only a few long regimes, the coverage of the intervals is below ``level``
    (:data:`COVERAGE`). Longer blocks do not raise the coverage, because the sample still contains
    only a few regimes.
    """
    _check_terms(reps, level)
    columns = {"strategy": strategy, "bills": bills, **{f"other {n}": s for n, s in others.items()}}
    _check_returns(columns)
    own, cash = strategy.to_numpy(dtype=np.float64), bills.to_numpy(dtype=np.float64)
    block = block_length(own - cash)
    draws = _Draws(counts=date_counts(len(own), block, reps, seed), level=level, block=block)
    sharpe = draws.sharpe(own - cash)
    intervals = {"sharpe": draws.interval(sharpe)}
    for name, series in others.items():
        other = series.to_numpy(dtype=np.float64)
        intervals[f"excess_{name}"] = draws.interval(draws.mean(own - other) * YEAR)
        intervals[f"sharpe_{name}"] = draws.interval(sharpe - draws.sharpe(other - cash))
    return intervals


def block_length(
    excess: np.ndarray, *, bootstrap: Literal["stationary", "circular"] = "stationary"
) -> int:
    """Return the length of a block by the rule of Politis and White, at least 5 sessions.

    For the stationary bootstrap, the result is the mean length of a block. All circular blocks have
    the same length.
    """
    from arch.bootstrap import optimal_block_length

    if excess.std() < ROUNDING:
        return SHORTEST_BLOCK
    with np.errstate(divide="ignore", invalid="ignore"):  # returns can be constant for weeks
        best = float(optimal_block_length(excess)[bootstrap].iloc[0])
    return max(SHORTEST_BLOCK, int(np.ceil(best))) if np.isfinite(best) else SHORTEST_BLOCK


@dataclass(frozen=True, kw_only=True)
class _Draws:
    """How many times each date occurs in each resample. The first row is the original sample."""

    counts: np.ndarray
    level: float
    block: int

    def mean(self, values: np.ndarray) -> np.ndarray:
        # Multiply one column at a time, so that equal inputs give exactly equal sums.
        means: np.ndarray = self.counts @ values / len(values)
        return means

    def sharpe(self, excess: np.ndarray) -> np.ndarray:
        """Return the Sharpe ratio of each resample; NaN if a resample does not vary."""
        overall = excess.std(ddof=1)
        if overall < ROUNDING:
            return np.full(len(self.counts), np.nan)
        centre, n = excess.mean(), len(excess)
        mean = self.mean(excess - centre)
        variance = (self.mean((excess - centre) ** 2) - mean**2) * n / (n - 1)
        varies = variance > (NO_VARIATION * overall) ** 2
        deviation = np.sqrt(np.where(varies, variance, np.nan))
        ratio: np.ndarray = (centre + mean) / deviation * ROOT_YEAR
        return ratio

    def interval(self, drawn: np.ndarray) -> Interval:
        tail = (1 - self.level) / 2
        resampled = drawn[1:][~np.isnan(drawn[1:])]
        low = high = float("nan")
        if len(resampled) and not np.isnan(drawn[0]):
            low, high = np.quantile(resampled, [tail, 1 - tail])
        return Interval(
            estimate=float(drawn[0]),
            low=float(low),
            high=float(high),
            block=self.block,
            reps=len(drawn) - 1,
        )


def date_counts(n: int, block: int, reps: int, seed: int) -> np.ndarray:
    """Return how often each date occurs in each resample, as an array of resamples × ``n`` dates.

    The stationary bootstrap draws the resamples. The first row is the original sample, in which
    each date occurs once. The next ``reps`` rows are the resamples. ``block`` is the mean length of
    a block, in sessions. Equal seeds give equal resamples.
    """
    from arch.bootstrap import StationaryBootstrap

    bootstrap = StationaryBootstrap(block, np.arange(n), seed=seed)
    rows = [np.bincount(bootstrap.update_indices(), minlength=n) for _ in range(reps)]
    return np.array([np.ones(n), *rows], dtype=np.float64)


def _check_terms(reps: Any, level: float) -> None:
    if not isinstance(reps, int | np.integer) or isinstance(reps, bool) or reps < 1:
        raise ConfigError(
            "expected `reps`, the number of resamples, to be a whole number of at least 1, "
            f"was {reps!r}"
        )
    if not 0 < level < 1:
        raise ConfigError(f"expected `level` between 0 and 1, was {level!r}; for 95 % give 0.95")


def _check_returns(columns: Mapping[str, pd.Series]) -> None:
    index = columns["strategy"].index
    if len(index) < FEWEST:
        raise DataError(f"expected at least {FEWEST} returns, but found {len(index)}")
    for name, series in columns.items():
        check_same_sessions(f"returns of {name}", series.index, "the strategy", index)
        finite = np.isfinite(series.to_numpy(dtype=np.float64))
        if not finite.all():
            raise DataError(
                f"expected a return of {name} for every session, but found none for "
                f"{str(index[~finite][0])[:10]}; choose sessions without gaps"
            )
