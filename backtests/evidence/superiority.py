"""Tests whether a strategy is better than a benchmark, and which strategies may be the best.

Each test compares mean excess returns over bills. All excess returns are first divided by their
standard deviation over the whole period. The mean of the scaled returns is a Sharpe ratio. A
standard deviation over the whole period is known only at the end of the period. In tests with
unscaled returns, the most volatile strategies would dominate.

SPA and StepM then divide each strategy's difference from the benchmark by the standard deviation of
this difference. If the differences were not divided by their standard deviations, the strategies
that are least like the benchmark would dominate. The tests would then miss a small but steady
advantage.

References
----------
SPA: Hansen (2005), "A test for superior predictive ability", JBES 23. StepM: Romano and Wolf
(2005), "Stepwise multiple testing as formalized data snooping", Econometrica 73. Model Confidence
Set: Hansen, Lunde and Nason (2011), Econometrica 79.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.evidence.bootstrap import block_length
from backtests.evidence.entries import SIGNIFICANT
from backtests.evidence.metrics import ROUNDING

#: One minus the confidence level of the Model Confidence Set. The set contains the best strategy
#: with a probability of 90 %.
SET_SIZE = 0.10


@dataclass(frozen=True, kw_only=True)
class Superiority:
    """The test of several strategies against one benchmark.

    Attributes
    ----------
    benchmark
        Name of the benchmark.
    p_value
        Consistent p-value of the SPA test. The null hypothesis is that no strategy is better than
        the benchmark. The true sample counts as one of the resamples, so the p-value is never 0. If
        no strategy has a higher mean than the benchmark, the test statistic is 0, and the p-value
        is 1.
    superior
        Names of the strategies that StepM finds better than the benchmark, at the 5 % level.
    block, reps
        Mean length of a block of the stationary bootstrap in sessions, and number of resamples.
    """

    benchmark: str
    p_value: float
    superior: tuple[str, ...]
    block: int
    reps: int


def superiority(
    excess: pd.DataFrame, benchmark: pd.Series, *, reps: int = 500, seed: int = 0
) -> Superiority | None:
    """Return the results of the SPA and StepM tests of several strategies against one benchmark.

    Parameters
    ----------
    excess
        Simple daily returns minus bills, as fractions: sessions × strategies.
    benchmark
        Simple daily returns of the benchmark minus bills. ``benchmark.name`` is the name of the
        benchmark.
    reps, seed
        Number of resamples of the stationary bootstrap, and seed.

    Returns
    -------
    A strategy is ignored if its returns are constant, or if they equal the benchmark's returns
    after scaling. The result is None if all strategies are ignored, or if the benchmark's returns
    are constant.
    """
    from arch.bootstrap import StepM

    models, against = scaled(excess), scaled(benchmark.to_frame("benchmark"))
    if against.empty:
        return None
    gains = scaled(models.sub(against["benchmark"], axis=0))
    if gains.empty:
        return None
    block = block_length(against["benchmark"].to_numpy())
    nothing = pd.Series(0.0, index=gains.index)
    test = StepM(nothing, -gains, size=SIGNIFICANT, block_size=block, reps=reps, seed=seed)
    test.compute()
    test.spa.subset(np.ones(gains.shape[1], dtype=bool))
    test.spa.compute()
    # Hansen's statistic is at least 0, but the statistic of the package arch can be negative. If no
    # strategy is ahead, Hansen's statistic is 0, so no resample has a smaller statistic.
    is_ahead = float(gains.mean().max()) > 0
    above = round(float(test.spa.pvalues["consistent"]) * reps) if is_ahead else reps
    return Superiority(
        benchmark=str(benchmark.name),
        p_value=(above + 1) / (reps + 1),
        superior=tuple(str(name) for name in gains if name in test.superior_models),
        block=block,
        reps=reps,
    )


def confidence_set(excess: pd.DataFrame, *, reps: int = 500, seed: int = 0) -> dict[str, float]:
    """Return the p-value of each strategy in the Model Confidence Set.

    A strategy with a p-value above 10 % may be the best one. Equal strategies have equal p-values.
    A strategy with constant returns has no p-value. The parameters are those of
    :func:`superiority`.
    """
    from arch.bootstrap import MCS

    losses = -scaled(excess)
    if losses.empty:
        return {}
    twins = _twins(losses)
    different = losses[list(dict.fromkeys(twins.values()))]
    if different.shape[1] < 2:
        return dict.fromkeys(twins, 1.0)
    block = max(block_length(different[name].to_numpy()) for name in different)
    test = MCS(different, size=SET_SIZE, reps=reps, block_size=block, seed=seed)
    test.compute()
    found = test.pvalues["Pvalue"]
    return {name: float(found[twin]) for name, twin in twins.items()}


def scaled(excess: pd.DataFrame) -> pd.DataFrame:
    """Return columns divided by their standard deviation, without constant columns."""
    spread = excess.std()
    varying = excess.loc[:, spread >= ROUNDING]
    return varying / spread[varying.columns]


def _twins(table: pd.DataFrame) -> dict[str, str]:
    """Return a mapping from each column to the first column with equal values, up to rounding."""
    first: dict[str, str] = {}
    for name in table:
        same = (n for n in first if n == first[n] and np.allclose(table[n], table[name], atol=1e-9))
        first[str(name)] = next(same, str(name))
    return first
