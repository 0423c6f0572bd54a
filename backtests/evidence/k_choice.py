"""Compute a run's results for other values of k: the reserves that banks need, divided by GDP.

The default k = 9 % of GDP is our choice and not an estimate. Reports therefore show results for k
from 8 to 11 % of GDP.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from backtests.evidence.entries import observed_in
from backtests.evidence.variation import check_kernel, varied_headline
from backtests.pipeline import state_and_weights
from backtests.progress import Progress, counted, silent
from backtests.runs import Run
from signals.base import Evaluation, Signal
from signals.dry_powder import DryPowder
from signals.evaluations import Evaluations
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
    panel, reading = run.history.panel, run.reading
    configured = run.config.build_signals()
    chosen = with_parameter(configured, "dry_powder.k", k)
    if chosen != configured:
        reading = read_again(run, panel, chosen, reading.evaluations)
    return outcome(run, reading, panel)


def read_again(
    run: Run,
    panel: pd.DataFrame,
    chosen: Mapping[str, Signal],
    earlier: Mapping[str, Evaluation],
) -> Reading:
    """Return the regime and the signals on a panel.

    The regime comes from the run's regime model. ``chosen`` maps names to signals. ``earlier`` maps
    names of signals to earlier evaluations that remain valid on ``panel``. An earlier evaluation is
    used again only if its signal, and all signals that this signal contains, are unchanged.
    """
    evaluations = Evaluations(panel, chosen, earlier)
    classification = run.config.build_model().classify(panel, evaluations)
    return replace(run.reading, **vars(classification), evaluations=evaluations)


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
