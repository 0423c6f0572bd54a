"""Compute a run's results for other values of k: the reserves that banks need, divided by GDP.

The default k = 9 % of GDP is our choice and not an estimate. Reports therefore show results for k
from 8 to 11 % of GDP.
"""

from typing import Any

import pandas as pd

import signals
from backtests.evidence.entries import observed_in
from backtests.evidence.variation import check_kernel, varied_headline
from backtests.pipeline import state_and_weights
from backtests.progress import Progress, counted, silent
from backtests.runs import Run
from signals.dry_powder import DryPowder
from signals.params import with_parameter
from signals.reading import Reading
from signals.regimes import Regime

KS = (0.08, 0.09, 0.10, 0.11)


def by_k(run: Run, progress: Progress = silent) -> pd.DataFrame:
    """Return the episodes of ABSORPTION and the headline metrics of a run, one row per k.

    The first columns are ``absorption_episodes`` and ``absorption_entered``;
    :class:`backtests.evidence.entries.Observed` defines both counts. The other columns are the
    metrics of :func:`backtests.evidence.metrics.headline`, as fractions. The table is empty if the
    strategy ignores the regime, or if the regime ignores the signal ``absorption``. The table is
    also empty if idle capital is not measured relative to GDP.
    """
    rests = run.config.build_model().rests_on
    powder = run.config.build_signals()[DryPowder.name]
    uses_k = isinstance(powder, DryPowder) and powder.scale == "gdp"
    if not run.strategy.follows_regime or "absorption" not in rests or not uses_k:
        return pd.DataFrame()
    check_kernel(run)
    rows = {k: _row(run, k) for k in counted(KS, progress, "other k")}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("k")


def _row(run: Run, k: float) -> dict[str, Any]:
    panel, reading, config = run.history.panel, run.reading, run.config
    configured = config.build_signals()
    chosen = with_parameter(configured, "dry_powder.k", k)
    if chosen != configured:
        model, earlier = config.build_model(), reading.evaluations
        reading = signals.read(panel, chosen, config.more_voters(), model, earlier)
    return outcome(run, reading, panel)


def outcome(run: Run, reading: Reading, panel: pd.DataFrame) -> dict[str, Any]:
    """Return a row of :func:`by_k`.

    The run's strategy follows the regime and the signals of ``reading``.
    """
    decided = run.decided
    if reading is not run.reading:
        _, decided = state_and_weights(run.config, run.strategy, reading, panel, run.sessions)
    seen = observed_in(run, reading.regime, (Regime.ABSORPTION,))
    return {
        "absorption_episodes": seen.episodes,
        "absorption_entered": seen.entered,
        **varied_headline(run, decided),
    }
