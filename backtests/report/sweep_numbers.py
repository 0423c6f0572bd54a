"""The numbers of a sweep as plain data, for ``summary.json``, ``sweep --json`` and the page."""

from dataclasses import asdict
from typing import Any

import numpy as np

from backtests.evidence.luck import Luck
from backtests.evidence.metrics import YEAR
from backtests.evidence.overfitting import Overfitting
from backtests.report.numbers import plain
from backtests.sweep.findings import Findings
from backtests.sweep.said import sentences
from backtests.sweep.sweep import Swept
from backtests.sweep.trading import METRICS
from backtests.version import __version__


def sweep_numbers(swept: Swept, found: Findings) -> dict[str, Any]:
    """Return the numbers of a sweep: fractions, yearly Sharpe ratios, None for undefined ones.

    The numbers do not depend on the number of processes or on interruptions.
    """
    at = found.best
    return plain(
        {
            "sweep": _described(swept, found),
            "verdict": list(sentences(found)),
            "best": {
                "configuration": at,
                "values": swept.case.design.values(at),
                **{name: found.table[name].iloc[at] for name in METRICS},
            },
            "base": {"sharpe": found.base_sharpe, "beats": found.beaten},
            "luck": _luck(found.luck, found.effective),
            "overfitting": _overfitting(found.overfitting),
            "plateau": {"best": found.sharpes[at], "neighbours": found.neighbourhood},
        }
    )


def _described(swept: Swept, found: Findings) -> dict[str, Any]:
    """Return facts about a sweep: its id, strategy, history, dates and configurations."""
    index, request, base = swept.case.index, swept.request, swept.base
    refused = found.table["refused"].dropna()
    return {
        "sweep_id": swept.sweep_id,
        "run_id": base.run_id,
        "strategy": base.label,
        "source": base.history.source,
        "simulated": base.simulated,
        "as_of": index[-1],
        "start": index[0],
        "end": index[-1],
        "sessions": len(index) - 1,
        "version": __version__,
        **request.data(),
        "configurations": len(swept.case.design),
        "refused": found.refused,
        "notes": [f"{found.refused:,} cannot be simulated: {reason}" for reason in refused[:1]],
    }


def _luck(luck: Luck, own: float) -> dict[str, Any]:
    test, year = luck.deflation, float(np.sqrt(YEAR))
    return {
        "told": luck.is_told,
        "sharpe": luck.sharpe,
        "standard_error": luck.error,
        "hurdle": luck.hurdle,
        "trials": test.trials,
        "logged": luck.logged,
        "effective_trials": test.effective,
        "effective_trials_of_sweep": own,
        "expected_maximum": test.expected_maximum * year,
        "deflated_sharpe": test.probability,
        "deflated_sharpe_of_own_error": test.of_own_error,
        "deflated_sharpe_2014": test.probability_2014,
        "probabilistic_sharpe": luck.probability,
        "minimum_sessions": luck.minimum_length,
        "power": luck.power,
        "planned_false_discoveries": luck.planned_false,
        "observed_false_discoveries": luck.observed_false,
        "over_own_mix": None if luck.difference is None else asdict(luck.difference),
    }


def _overfitting(result: Overfitting) -> dict[str, Any]:
    ranks = result.ranks
    return {
        "probability": result.probability,
        "probability_of_loss": result.probability_of_loss,
        "splits": len(ranks),
        "median_rank": float(np.median(ranks)) if len(ranks) else float("nan"),
        "different_choices": len(np.unique(result.chosen)),
    }
