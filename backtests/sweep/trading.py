"""Simulate many configurations with the numba engine, and check this engine against vectorbt."""

from collections.abc import Sequence

import pandas as pd

from backtests.engine.batch import Variant
from backtests.engine.kernel import AGREEMENT
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
    has simulated. The sweep's target weights must equal the target weights of ``base``. At each
    close, the sweep's equity may differ from vectorbt's equity by at most 1e-9 of vectorbt's
    equity.
    """
    decided = Stages(case).decided(case.base)
    many = simulated(case, [case.base], [decided], 1, keep_equity=True)
    if many.refused:
        raise SimulationError(many.refused[0])
    assert many.equity is not None
    gap = (many.equity.iloc[0] / base.result.equity - 1).abs()
    if not (decided.equals(base.decided) and (gap <= AGREEMENT).all()):
        raise SimulationError(
            f"{base.label}: expected vectorbt and the compiled engine to agree on the base "
            "configuration, but their weights or their equity differ (largest relative difference "
            f"of equity: {gap.max():.2g}); install the declared versions of numba and vectorbt, or "
            "report this defect"
        )
