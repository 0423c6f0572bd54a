"""The numbers of an assessment as plain data, for ``metrics.json`` and for the page."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from backtests.evidence.assessment import Assessment
from backtests.evidence.entries import unknown_said
from backtests.evidence.own_mix import has_spy
from backtests.report.luck_numbers import (
    conclusion_numbers,
    lead_lag_numbers,
    luck_numbers,
    timing_numbers,
)
from backtests.report.plain import plain, records
from backtests.runs import Run
from backtests.version import __version__
from signals.hysteresis import since
from signals.params import parameters

LEFT_OUT = (
    "Three parts are left out: the robustness tests, the test of lead and lag, and the comparison "
    "with a constant mix of SPY and bills. A robustness test repeats the run with one change, such "
    "as another lag or other costs. Some robustness tests leave out an asset or a year. One test "
    "changes the parameter k, the share of GDP that banks need as reserves. Another test changes "
    "the values of a revised series. Run again without --no-robustness to see all tests."
)


def metrics_of(assessment: Assessment) -> dict[str, Any]:
    """Return the content of ``metrics.json``: the run, its metrics, attribution and robustness.

    Returns and weights are fractions. Dates are ISO strings. An undefined metric is null. Yearly
    metrics are null if the run is shorter than a year. If the robustness tests are left out, these
    items are null: ``by_k``, ``by_revision``, ``robustness``, ``lead_lag``, and ``own_mix`` in
    ``luck``. If tests are left out, a note of the run says so. If a strategy has no timing, or if
    the run is too short for the test of lead and lag, ``lead_lag`` is null.
    """
    cases, parts = assessment.robustness, assessment.attribution
    return plain(
        {
            "run": description(assessment),
            "strategy": assessment.strategy,
            "benchmark": assessment.benchmark,
            "bills": assessment.bills,
            "regimes": assessment.regimes.to_dict(orient="index"),
            "years": assessment.years.to_dict(orient="index"),
            "drawdowns": [asdict(fall) for fall in assessment.drawdowns],
            "by_k": None if cases is None else cases.by_k.to_dict(orient="index"),
            "by_revision": None if cases is None else records(cases.by_revision),
            "attribution": {
                "by_regime": parts.by_regime.to_dict(orient="index"),
                "by_sleeve": parts.by_sleeve.to_dict(orient="index"),
                "by_year": parts.by_year.to_dict(orient="index"),
                "total": parts.total.to_dict(),
            },
            "robustness": None if cases is None else records(cases.by_choice),
            "conclusion": conclusion_numbers(assessment.conclusion),
            "luck": luck_numbers(assessment.luck),
            "lead_lag": lead_lag_numbers(assessment.lead_lag),
            "timing": timing_numbers(assessment.timing, below_a_year=assessment.below_a_year),
        }
    )


def growth_key(run: Mapping[str, Any]) -> str:
    """Return the key in ``metrics.json`` of the metric that shows a run's growth.

    The metric is CAGR, or the total return if the run is shorter than a year. ``run`` is the result
    of :func:`description`.
    """
    return "total_return" if run["below_a_year"] else "cagr"


def notes_of(run: Run) -> list[str]:
    """Return notes on the simulation of a run, on missing regimes and on a missing comparison."""
    notes = list(run.result.notes)
    if unknown := unknown_said(run):
        notes.append(f"{unknown}; the returns of these sessions say nothing about the regimes")
    if not has_spy(run.history):
        notes.append(
            "the history has no prices of SPY, so the strategy is not compared with its own mix "
            "of SPY and bills"
        )
    return notes


def description(assessment: Assessment) -> dict[str, Any]:
    """Return facts about a run: strategy, history, dates, terms of trading, regime and notes."""
    run = assessment.run
    config, equity, regime = run.config, run.result.equity, run.reading.regime
    absorption, own = assessment.absorption, assessment.own_states
    left_out = (LEFT_OUT,) if assessment.robustness is None else ()
    return {
        "strategy": run.label,
        "regime_model": config.regime_model,
        "params": parameters(run.strategy),
        **({"classes": config.universe.classes} if config.universe.classes else {}),
        "source": run.history.source,
        "simulated": run.simulated,
        "start": equity.index[0],
        "end": equity.index[-1],
        "sessions": len(run.result.returns),
        "below_a_year": assessment.below_a_year,
        "schedule": parameters(config.schedule),
        "lag": config.lag,
        "band": config.band,
        "initial_capital": config.initial_capital,
        "final_equity": float(equity.iloc[-1]),
        "benchmark": config.benchmark,
        "costs": parameters(config.costs),
        "bill_spread": config.bill_spread,
        "run_id": run.run_id,
        "version": __version__,
        "regime": regime.iloc[-1],
        "regime_since": since(regime),
        "decides_on_change": run.state is not None and not run.strategy.only_scheduled,
        "absorption_episodes": absorption.episodes,
        "absorption_entered": absorption.entered,
        "state_episodes": None if own is None else own.episodes,
        "state_entered": None if own is None else own.entered,
        "inconclusive": assessment.inconclusive,
        "notes": [*notes_of(run), *left_out],
    }
