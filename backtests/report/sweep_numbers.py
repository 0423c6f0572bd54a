"""The numbers of a sweep as plain data, for ``summary.json``, ``sweep --json`` and the page."""

from typing import Any

import numpy as np

from backtests.evidence.overfitting import Overfitting
from backtests.plural import number_of
from backtests.report.luck_numbers import luck_numbers
from backtests.report.plain import plain
from backtests.sweep.findings import Findings
from backtests.sweep.said import ALIKE, assumed, sentences
from backtests.sweep.sweep import Swept
from backtests.sweep.trading import METRICS
from backtests.version import __version__


def sweep_numbers(swept: Swept, found: Findings) -> dict[str, Any]:
    """Return the numbers of a sweep.

    Returns are fractions, Sharpe ratios are yearly, and undefined numbers are None. The numbers do
    not depend on the number of processes. An interruption of the sweep does not change the numbers.
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
            "luck": {**luck_numbers(found.luck), "effective_trials_of_sweep": found.effective},
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
        "notes": [
            *(
                f"{number_of(found.refused, 'configuration')} cannot be simulated; first reason: "
                f"{reason}"
                for reason in refused[:1]
            ),
            *([ALIKE] if found.alike else []),
            *([] if found.alike else assumed(found.run, base)),
        ],
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
