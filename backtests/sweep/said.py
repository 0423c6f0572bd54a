"""The verdict on a sweep in plain words."""

import math
from dataclasses import fields

from backtests.evidence.luck import verdict
from backtests.runs import Run
from backtests.sweep.findings import SAME_SHARPE, Findings

#: Note for a sweep in which no parameter changes the results, for example if a signal is unused.
ALIKE = (
    "All configurations have the same result, so the swept parameters have no effect and there is "
    "nothing to choose."
)
#: Note for a sweep in which only one configuration can be simulated.
ALONE = "Only one configuration has a result, so there is nothing to choose."


def sentences(found: Findings) -> tuple[str, ...]:
    """Return sentences on the best configuration, and on the base configuration.

    The sentences say how much of the best result may be luck. The sentences also compare the best
    configuration with its neighbours. If no configuration beats the base, the first sentence says
    so.
    """
    return (
        *_none(found),
        verdict(found.luck) + _unadjusted(found),
        _chosen(found),
        _near(found),
        _base(found),
    )


def assumed(best: Run, base: Run) -> tuple[str, ...]:
    """Return a note if the best configuration has other costs or another lag than the base."""
    ours, theirs = best.config, base.config
    other = [f"lag = {ours.lag}"] if ours.lag != theirs.lag else []
    for each in fields(ours.costs):
        value = getattr(ours.costs, each.name)
        if value != getattr(theirs.costs, each.name):
            other.append(f"costs.{each.name} = {value:g}")
    if not other:
        return ()
    return (
        f"The best configuration has {', '.join(other)}, unlike the base configuration. Costs and "
        "lag are assumptions about the market, not choices. Compare configurations with the same "
        "costs and lag.",
    )


def _none(found: Findings) -> tuple[str, ...]:
    better = found.sharpes[found.best] > found.base_sharpe + SAME_SHARPE
    if better or math.isnan(found.base_sharpe):
        return ()
    return (
        f"No configuration has a higher Sharpe ratio than the base configuration "
        f"({found.base_sharpe:.2f}), so the sweep found no improvement.",
    )


def _unadjusted(found: Findings) -> str:
    if found.luck.difference is None:
        return ""
    return (
        " The p-value of the comparison with the strategy's own mix of SPY and bills is not "
        "adjusted for the other trials."
    )


def _chosen(found: Findings) -> str:
    probability = found.overfitting.probability
    if not math.isfinite(probability):
        return ALIKE if found.alike else ALONE
    return (
        f"The history is split into two halves in many ways. In {100 * probability:.0f} of 100 "
        "cases, the best configuration of one half of the history is at or below the median in "
        "the other half. The share of cases at or below the median is the probability of "
        "overfitting. At a probability of overfitting of 50 %, choosing the best configuration is "
        "no better than a random choice."
    )


def _near(found: Findings) -> str:
    best = found.sharpes[found.best]
    if not math.isfinite(found.neighbourhood):
        return (
            f"The best configuration has a Sharpe ratio of {best:.2f}, and no neighbours to "
            "compare with."
        )
    return (
        f"The neighbours of the best configuration have a mean Sharpe ratio of "
        f"{found.neighbourhood:.2f}; the best configuration has a Sharpe ratio of {best:.2f}."
    )


def _base(found: Findings) -> str:
    if math.isnan(found.base_sharpe):
        return (
            "The base configuration was chosen before the sweep. The base configuration has no "
            "Sharpe ratio, because its returns equal the returns of bills."
        )
    return (
        "The base configuration was chosen before the sweep. The base configuration has a Sharpe "
        f"ratio of {found.base_sharpe:.2f} and beats {100 * found.beaten:.0f} % of the "
        "configurations that have a Sharpe ratio. Use the base configuration unless the sweep "
        "gives a strong reason against it."
    )
