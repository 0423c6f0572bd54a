"""Intervals of a strategy's figures, by resampling blocks of dates.

The intervals are too narrow where regimes last for years. :data:`COVERAGE` holds how often they
contained the truth in simulated worlds.

Every figure here is a function of first and second moments. The product of the number of times that
each resample takes each date with the returns and their squares therefore gives all resamples at
once. Every column sees the same dates, so a comparison stays paired.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from arch.bootstrap import StationaryBootstrap, optimal_block_length

from backtests.evidence.matching import check_same_sessions
from backtests.evidence.metrics import ROUNDING, YEAR
from signals.errors import ConfigError, DataError

#: Least mean length of a block, sessions.
SHORTEST_BLOCK = 5
#: Least number of returns that can be resampled, sessions.
FEWEST = 20
#: A resample varies if its standard deviation is above this share of that of all dates.
NO_VARIATION = 1e-6


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """Share of 95 % intervals that contain the truth, in three kinds of simulated worlds.

    Mean returns never change, or they change with regimes of 400 sessions on average. In the third
    kind the means of these regimes lie twice as far apart.
    """

    no_regimes: float
    slow_regimes: float
    wide_slow_regimes: float


#: The script that measures :data:`COVERAGE` and describes the simulated worlds.
COVERAGE_SOURCE = "benchmarks/interval_coverage.py"
#: By figure, from 500 seeds. The Monte Carlo error of a share is at most 2.2 percentage points.
#: ``alpha`` is the regression of :func:`backtests.evidence.alpha.alpha`; the others are bootstrap
#: intervals.
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
    """An estimate, and the percentiles of resamples in the same unit.

    ``block`` is the mean length of a block in sessions, ``reps`` the number of resamples.
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
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, Interval]:
    """Return intervals of a strategy's Sharpe ratio and of its lead over other holdings.

    Parameters
    ----------
    strategy, bills
        Simple daily returns on the same sessions, fractions.
    others
        Simple daily returns on the same sessions by name, such as the benchmark, a constant mix
        and bills.
    reps, level, seed
        Number of resamples by the stationary bootstrap, level of the intervals as a fraction, and
        seed. Equal seeds give equal intervals.

    Returns
    -------
    Intervals by name. ``sharpe`` is the mean return over bills, divided by its standard deviation
    (ddof 1), × √252. Each other holding has two: ``excess_<name>``, 252 times the mean daily
    return above it, a fraction a year, and ``sharpe_<name>``, the difference of the two Sharpe
    ratios. All use the same resamples. The mean block is Politis and White's for the strategy's
    return over bills, rounded up, at least 5 sessions.

    NaN
        The Sharpe ratio of returns that do not vary over bills, such as bills, is not defined:
        its estimate and bounds are NaN. A resample in which nothing varies is left out.

    Raises
    ------
    ConfigError, DataError
        When reps or level are out of range; when sessions differ, are fewer than 20, or a return
        is missing.

    Reference
        Politis and Romano (1994), "The stationary bootstrap", JASA 89; Politis and White (2004)
        with Patton's correction (2009), Econometric Reviews. The intervals are percentiles, since
        the jackknife of BCa intervals assumes independent dates, and studentised intervals (Ledoit
        and Wolf 2008) need a HAC error for each resample.

    Notes
    -----
    With few, slow regimes the intervals contain the truth less often than ``level`` says, see
    :data:`COVERAGE`. Longer blocks do not help, since a sample holds only a few regimes.
    """
    _check_terms(reps, level)
    columns = {"strategy": strategy, "bills": bills, **{f"other {n}": s for n, s in others.items()}}
    _check_returns(columns)
    own, cash = strategy.to_numpy(dtype=np.float64), bills.to_numpy(dtype=np.float64)
    block = block_length(own - cash)
    draws = _Draws(counts=_counts(len(own), block, reps, seed), level=level, block=block)
    sharpe = draws.sharpe(own - cash)
    intervals = {"sharpe": draws.interval(sharpe)}
    for name, series in others.items():
        other = series.to_numpy(dtype=np.float64)
        intervals[f"excess_{name}"] = draws.interval(draws.mean(own - other) * YEAR)
        intervals[f"sharpe_{name}"] = draws.interval(sharpe - draws.sharpe(other - cash))
    return intervals


def block_length(excess: np.ndarray) -> int:
    """Return Politis and White's mean block for the stationary bootstrap, at least 5 sessions."""
    if excess.std() < ROUNDING:
        return SHORTEST_BLOCK
    with np.errstate(divide="ignore", invalid="ignore"):  # returns may not vary for a while
        best = float(optimal_block_length(excess)["stationary"].iloc[0])
    return max(SHORTEST_BLOCK, int(np.ceil(best))) if np.isfinite(best) else SHORTEST_BLOCK


@dataclass(frozen=True, kw_only=True)
class _Draws:
    """The number of times that each resample takes each date; the first row takes each once."""

    counts: np.ndarray
    level: float
    block: int

    def mean(self, values: np.ndarray) -> np.ndarray:
        # One column at a time, so that equal numbers give equal sums to the last bit.
        means: np.ndarray = self.counts @ values / len(values)
        return means

    def sharpe(self, excess: np.ndarray) -> np.ndarray:
        """Return the Sharpe ratio of each resample; NaN where nothing varies."""
        overall = excess.std(ddof=1)
        if overall < ROUNDING:
            return np.full(len(self.counts), np.nan)
        centre, n = excess.mean(), len(excess)
        mean = self.mean(excess - centre)
        variance = (self.mean((excess - centre) ** 2) - mean**2) * n / (n - 1)
        varies = variance > (NO_VARIATION * overall) ** 2
        deviation = np.sqrt(np.where(varies, variance, np.nan))
        ratio: np.ndarray = (centre + mean) / deviation * np.sqrt(YEAR)
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


def _counts(n: int, block: int, reps: int, seed: int) -> np.ndarray:
    bootstrap = StationaryBootstrap(block, np.arange(n), seed=seed)
    rows = [np.bincount(bootstrap.update_indices(), minlength=n) for _ in range(reps)]
    return np.array([np.ones(n), *rows], dtype=np.float64)


def _check_terms(reps: Any, level: float) -> None:
    if not isinstance(reps, int | np.integer) or isinstance(reps, bool) or reps < 1:
        raise ConfigError(f"expected at least 1 resample, a whole number, was {reps!r}")
    if not 0 < level < 1:
        raise ConfigError(f"expected a level between 0 and 1, was {level!r}; 95 % is 0.95")


def _check_returns(columns: Mapping[str, pd.Series]) -> None:
    index = columns["strategy"].index
    if len(index) < FEWEST:
        raise DataError(f"expected at least {FEWEST} returns to resample, were {len(index)}")
    for name, series in columns.items():
        check_same_sessions(f"returns of {name}", series.index, "the strategy", index)
        finite = np.isfinite(series.to_numpy(dtype=np.float64))
        if not finite.all():
            raise DataError(
                f"expected a return of {name} for every session, found none for "
                f"{str(index[~finite][0])[:10]}; choose sessions on which all are known"
            )
