"""Results about luck, the lag of fills, and timing, as plain data for JSON and for pages.

Sharpe ratios and their standard errors are yearly. An undefined number is NaN, which JSON shows as
null.
"""

from dataclasses import asdict
from typing import Any

from backtests.evidence.bootstrap import LEVEL
from backtests.evidence.conclusion import Conclusion
from backtests.evidence.lead_lag import LeadLag, fading_said
from backtests.evidence.luck import Luck, verdict
from backtests.evidence.table_luck import TableLuck, table_verdict
from backtests.evidence.timing_split import TimingSplit


def conclusion_numbers(found: Conclusion) -> dict[str, Any]:
    """Return the results of the main tests; the result of an omitted test is None."""
    return {
        "difference": None if found.difference is None else asdict(found.difference),
        "level": LEVEL,
        "sharpe_significant": found.sharpe_significant,
        "timing_p_value": found.timing_p,
        "timing_significant": found.timing_significant,
        "few_episodes": found.few,
    }


def luck_numbers(luck: Luck) -> dict[str, Any]:
    """Return the numbers on luck for one strategy, with the verdict in words."""
    track, deflation = luck.track, luck.deflation
    return {
        "verdict": verdict(luck),
        "significant": luck.is_significant,
        "sharpe": luck.sharpe,
        "standard_error": luck.error,
        "hurdle": luck.hurdle,
        "trials": deflation.trials,
        "effective_trials": deflation.effective,
        "logged_trials": luck.logged_trials,
        "probabilistic_sharpe": luck.probability,
        "minimum_track_record": luck.minimum_length,
        "power": luck.power,
        "planned_false_discovery": luck.planned_false,
        "observed_false_discovery": luck.observed_false,
        "expected_maximum": luck.expected_maximum,
        "deflated_sharpe": deflation.probability,
        "deflated_sharpe_2014": deflation.probability_2014,
        "deflated_by_own_error": deflation.of_own_error,
        "skewness": track.skewness,
        "kurtosis": track.kurtosis,
        "autocorrelation": track.autocorrelation,
        "own_mix": None if luck.difference is None else asdict(luck.difference),
    }


def table_luck_numbers(luck: TableLuck, label: str) -> dict[str, Any]:
    """Return the numbers on luck for one row of a comparison, and for the comparison as a whole."""
    found, superior = luck.overfitting, luck.superiority
    confidence = luck.confidence.get(label, float("nan"))
    against = None if superior is None else superior.benchmark
    return luck_numbers(luck.rows[label]) | {
        "confidence_set_p": confidence,
        "superior_to": against if superior and label in superior.superior else None,
        "table": {
            "said": table_verdict(luck),
            "overfitting": float("nan") if found is None else found.probability,
            "benchmark": against,
            "spa_p": float("nan") if superior is None else superior.p_value,
        },
    }


def lead_lag_numbers(found: LeadLag | None) -> dict[str, Any] | None:
    """Return the information ratio at each lag, or None if no ratio was computed."""
    if found is None:
        return None
    return {
        "said": fading_said(found),
        "lag": found.lag,
        "standard_error": found.error,
        "collapse": found.collapse,
        "information_ratios": {str(lag): ratio for lag, ratio in found.ratios.items()},
        "lost_t": {str(lag): t for lag, t in found.lost.items()},
    }


def timing_numbers(split: TimingSplit, *, below_a_year: bool) -> dict[str, Any] | None:
    """Return the parts of the mean yearly return, or None if the run is shorter than a year."""
    if below_a_year:
        return None
    names = ("bills", "tilt", "timing", "trading", "borrowing", "total")
    parts = {name: getattr(split, name) for name in names}
    return parts | {"by_asset": split.by_asset.to_dict(orient="index")}
