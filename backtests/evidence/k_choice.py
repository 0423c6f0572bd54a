"""What a result owes to k, the reserves that banks are taken to need: the same run for several.

k = 9 % of GDP is a choice, not an estimate, so whatever rests on it is shown for 8 to 11 %.
"""

import pandas as pd

import signals
from backtests.evidence import metrics
from backtests.pipeline import Run, entered, trade

KS = (0.08, 0.09, 0.10, 0.11)


def by_k(run: Run) -> pd.DataFrame:
    """Return a row a k: how often ABSORPTION was entered, and what came of the strategy.

    Columns ``absorption_entered, cagr, sharpe, max_drawdown, exposure``; fractions. Empty for a
    strategy that does not follow the regime.
    """
    if not run.strategy.follows_regime:
        return pd.DataFrame()
    return pd.DataFrame.from_dict({k: _row(run, k) for k in KS}, orient="index").rename_axis("k")


def _row(run: Run, k: float) -> dict[str, float]:
    panel = run.history.panel
    reading = signals.reread(panel, run.reading, run.config.build_signals(), k)
    index = pd.DatetimeIndex(run.result.equity.index)
    result = trade(run.config, run.strategy, run.history, reading, index)
    return {
        "absorption_entered": entered(reading, result),
        "cagr": metrics.cagr(result.returns),
        "sharpe": metrics.sharpe(result.returns, run.bills),
        "max_drawdown": metrics.max_drawdown(result.returns).depth,
        "exposure": float(result.exposure.iloc[1:].mean()),
    }
