"""The verdict on a sweep in plain words."""

import math

from backtests.evidence.luck import verdict
from backtests.sweep.findings import Findings


def sentences(found: Findings) -> tuple[str, ...]:
    """Return the verdict: on luck, on choosing, on the neighbours, and on the base."""
    return (
        verdict(found.luck) + _unadjusted(found),
        _chosen(found),
        _near(found),
        _base(found),
    )


def _unadjusted(found: Findings) -> str:
    if found.luck.difference is None:
        return ""
    return " The comparison with the own mix does not count the other trials."


def _chosen(found: Findings) -> str:
    probability = found.overfitting.probability
    if not math.isfinite(probability):
        return "With a single configuration there is nothing to choose."
    return (
        f"The best configuration of one half of the history ranks below the median in the other "
        f"half in {100 * probability:.0f} of 100 cases (probability of overfitting). With 50 of "
        "100 cases, choosing is worth nothing."
    )


def _near(found: Findings) -> str:
    best = found.sharpes[found.best]
    if not math.isfinite(found.neighbourhood):
        return f"The best Sharpe ratio is {best:.2f}; it has no neighbours to compare with."
    return (
        f"The neighbours of the best configuration have a mean Sharpe ratio of "
        f"{found.neighbourhood:.2f}; the best one has {best:.2f}."
    )


def _base(found: Findings) -> str:
    return (
        f"The base configuration, chosen before the sweep, has {found.base_sharpe:.2f} and beats "
        f"{100 * found.beaten:.0f} % of the configurations. Use the base unless the sweep gives a "
        "strong reason against it."
    )
