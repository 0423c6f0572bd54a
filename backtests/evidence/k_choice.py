"""What a result owes to k, the reserves that banks are taken to need: the same run for several.

k = 9 % of GDP is a choice, not an estimate, so whatever rests on it is shown for 8 to 11 %.
"""

from typing import Any

import pandas as pd

import signals
from backtests.evidence.entries import observed_in
from backtests.evidence.metrics import headline
from backtests.pipeline import Run, decided_on, trade
from signals.agnostic import RIVALS
from signals.regime import Reading, Regime

KS = (0.08, 0.09, 0.10, 0.11)


def by_k(run: Run) -> pd.DataFrame:
    """Return a row a k: how often ABSORPTION came up, and what came of the strategy.

    Columns ``absorption_episodes, absorption_entered`` (see
    :class:`backtests.evidence.entries.Observed`), then those of
    :func:`backtests.evidence.metrics.headline`; fractions. Empty for a strategy that does not
    follow the regime, and for one whose regime rests on prices alone.
    """
    if not run.strategy.follows_regime or run.config.driver in RIVALS:
        return pd.DataFrame()
    return pd.DataFrame.from_dict({k: _row(run, k) for k in KS}, orient="index").rename_axis("k")


def _row(run: Run, k: float) -> dict[str, Any]:
    panel = run.history.panel
    chosen = signals.with_k(run.config.build_signals(), k)
    voted = signals.reread(panel, run.reading, chosen, ("dry_powder", "absorption"))
    return outcome(run, signals.drive(panel, voted, chosen, run.config.driver), panel)


def outcome(run: Run, reading: Reading, panel: pd.DataFrame) -> dict[str, Any]:
    """Return what comes of a run's strategy under another reading, by the names of :func:`by_k`."""
    strategy = run.strategy
    index = pd.DatetimeIndex(run.result.equity.index)
    _, decided = decided_on(run.config, strategy, reading, panel, index)
    result = trade(run.config, strategy, run.history, decided, index)
    seen = observed_in(run, reading.regime, (Regime.ABSORPTION,))
    return {
        "absorption_episodes": seen.episodes,
        "absorption_entered": seen.entered,
        **headline(result.returns, run.bills, result.exposure),
    }
