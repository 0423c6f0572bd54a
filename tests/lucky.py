"""Made-up entries of ``compare --json`` about luck, lead and lag, and timing."""

from typing import Any


def lucky(sharpe: float | None, *, significant: bool = False) -> dict[str, Any]:
    """Return the entries of a row that has the given yearly Sharpe ratio."""
    return {
        "luck": luck(sharpe, significant=significant),
        "lead_lag": lead_lag(),
        "timing": timing(),
    }


def luck(sharpe: float | None, *, significant: bool = False) -> dict[str, Any]:
    found = {
        "verdict": "Unlikely to be luck: so it is." if significant else "May be luck: it is not.",
        "significant": significant,
        "sharpe": sharpe,
        "standard_error": 0.293,
        "hurdle": None if sharpe is None else 0.815,
        "trials": 7,
        "effective_trials": 3.25,
        "logged_trials": 1200,
        "probabilistic_sharpe": 0.9876,
        "minimum_track_record": 1421.2,
        "power": 0.529,
        "planned_false_discovery": 0.459,
        "observed_false_discovery": 0.0121,
        "expected_maximum": 0.4,
        "deflated_sharpe": 0.871,
        "deflated_sharpe_2014": 0.642,
        "deflated_by_own_error": 0.912,
        "skewness": -0.3,
        "kurtosis": 8.5,
        "autocorrelation": 0.02,
        "own_mix": {"estimate": 0.53, "error": 0.18, "p_value": 0.014, "p_value_hac": 0.004},
        "confidence_set_p": 0.23,
        "superior_to": "trend" if significant else None,
    }
    table = {
        "said": "In 11 % of the splits, the best row fails (PBO).",
        "overfitting": 0.11,
        "benchmark": "trend",
        "spa_p": 0.61,
    }
    return found | {"table": table}


def lead_lag(*, collapse: int | None = None) -> dict[str, Any]:
    return {
        "said": "Lead and lag: it fades." if collapse is None else "Lead and lag: it collapses.",
        "lag": 1,
        "standard_error": 0.316,
        "collapse": collapse,
        "information_ratios": {str(lag): 0.5 - 0.02 * lag for lag in range(-5, 11)},
        "lost_t": {str(lag): 0.5 for lag in range(-5, 10)},
    }


def timing() -> dict[str, Any]:
    return {
        "bills": 0.0173,
        "tilt": 0.1541,
        "timing": 0.0193,
        "trading": -0.0008,
        "borrowing": -0.0012,
        "total": 0.1887,
        "by_asset": {"SPY": {"weight": 0.7, "tilt": 0.1541, "timing": 0.0193}},
    }
