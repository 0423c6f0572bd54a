"""The results of a run for other values of k, the reserves that banks need as a share of GDP.

k = 9 % is a choice, not an estimate, so reports show results for 8 to 11 %.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from backtests.evidence.entries import observed_in
from backtests.evidence.variation import varied_headline
from backtests.pipeline import decided_on
from backtests.runs import Run
from signals.base import Evaluation, Signal
from signals.evaluations import Evaluations
from signals.params import with_parameter
from signals.reading import Reading
from signals.regimes import Regime

KS = (0.08, 0.09, 0.10, 0.11)


def by_k(run: Run) -> pd.DataFrame:
    """Return the episodes of ABSORPTION and the headline figures of a run, one row per k.

    The columns are ``absorption_episodes, absorption_entered`` (see
    :class:`backtests.evidence.entries.Observed`), then those of
    :func:`backtests.evidence.metrics.headline`; fractions. The table is empty for a strategy that
    does not follow the regime, and for a regime that does not rest on ``absorption``.
    """
    rests = run.config.build_model().rests_on
    if not run.strategy.follows_regime or "absorption" not in rests:
        return pd.DataFrame()
    return pd.DataFrame.from_dict({k: _row(run, k) for k in KS}, orient="index").rename_axis("k")


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
    known: Mapping[str, Evaluation],
) -> Reading:
    """Return the reading of a panel and of chosen signals by a run's regime model and votes.

    ``known`` holds the evaluations on that panel that are still valid, by the signal's name.
    """
    evaluations = Evaluations(panel, chosen, known)
    classification = run.config.build_model().classify(panel, evaluations)
    return replace(run.reading, **vars(classification), evaluations=evaluations)


def outcome(run: Run, reading: Reading, panel: pd.DataFrame) -> dict[str, Any]:
    """Return a row of :func:`by_k`: the figures of a run's strategy under another reading."""
    decided = run.decided
    if reading is not run.reading:
        _, decided = decided_on(run.config, run.strategy, reading, panel, run.sessions)
    seen = observed_in(run, reading.regime, (Regime.ABSORPTION,))
    return {
        "absorption_episodes": seen.episodes,
        "absorption_entered": seen.entered,
        **varied_headline(run, decided),
    }
