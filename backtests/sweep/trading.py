"""Simulate many configurations with the numba engine, and check this engine against vectorbt."""

from collections.abc import Sequence

import pandas as pd

from backtests.engine.batch import Variant
from backtests.engine.kernel import check_agreement
from backtests.engine.many import Many, simulate_many
from backtests.evidence.overfitting import BLOCKS
from backtests.runs import Run
from backtests.sweep.case import Case
from backtests.sweep.setting import Setting
from backtests.sweep.stages import Stages
from signals.errors import SimulationError

#: Metrics of :class:`backtests.engine.many.Many` that a sweep stores for each configuration.
METRICS = (
    *("sharpe", "cagr", "volatility", "max_drawdown", "exposure", "turnover", "costs"),
    *("skewness", "kurtosis", "autocorrelation"),
)


def simulated(
    case: Case,
    settings: Sequence[Setting],
    decided: Sequence[pd.DataFrame],
    threads: int,
    *,
    keep_equity: bool = False,
) -> Many:
    """Return the compiled engine's results, one for each configuration in ``settings``."""
    variants = [
        Variant(
            weights=weights,
            costs=setting.costs,
            lag=setting.lag,
            band=setting.band,
            gross_limit=setting.strategy.gross_limit,
        )
        for setting, weights in zip(settings, decided, strict=True)
    ]
    return simulate_many(
        variants,
        case.closes,
        case.bills,
        capital=case.capital,
        threads=threads,
        blocks=BLOCKS,
        keep_equity=keep_equity,
        name=case.base.strategy.name,
    )


def check_base(case: Case, base: Run) -> None:
    """Raise SimulationError if the sweep and vectorbt differ on the base configuration.

    The base configuration goes through all stages of the sweep. ``base`` is the run that vectorbt
    has simulated. The sweep's target weights must equal the target weights of ``base``.
    :func:`backtests.engine.kernel.check_agreement` compares the sweep's equity with that of
    ``base``.
    """
    decided = Stages(case).decided(case.base)
    if not decided.equals(base.decided):
        raise SimulationError(
            f"{base.label}: expected the sweep and the run to decide on the same weights, but the "
            "weights of the base configuration differ; report this defect"
        )
    many = simulated(case, [case.base], [decided], 1, keep_equity=True)
    if many.refused:
        raise SimulationError(many.refused[0])
    assert many.equity is not None
    check_agreement(many.equity.iloc[0], base.result, base.label)
