"""The page of ``thesis``: the verdict, the fifteen links, and the evidence for each claim."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from backtests.atomic import write_text
from backtests.evidence.entries import FEW, QUARTER
from backtests.format import (
    MISSING,
    fixed,
    is_missing,
    p_value,
    percent,
    state,
    text,
    thousands,
)
from backtests.history.origin import stale_warning
from backtests.report.bathtub_chart import NARROW, WIDE, bathtub_chart, bathtub_said
from backtests.report.page import page, render
from backtests.report.thesis_charts import beside_chart, interval_chart, shown_chart
from backtests.report.thesis_evidence import (
    calibration_view,
    deals_view,
    e_value_views,
    episodes_view,
    events_view,
    responses_view,
    rival_views,
    rivals_said,
    shares_view,
    surprises_view,
    timelines,
)
from backtests.report.thesis_words import EVEN, MEANINGS, SIGNS, k_said
from backtests.simulated import label_of
from backtests.thesis.claim import Claim
from backtests.thesis.links import LINKS
from backtests.thesis.power import DETECTABLE, LEVEL
from backtests.thesis.trial import Trial
from backtests.thesis.verdicts import Verdict
from signals.dry_powder import DryPowder

#: For each state, the page lists at most this many unbroken periods.
STAYS = 6
_LATE = ", after the verdicts on earlier claims were known"
_LARGE = 5.0  # if the smallest interesting effect is 5 or more, one decimal is enough


def write_thesis_page(
    trial: Trial, numbers: Mapping[str, Any], path: Path, *, newest: bool = True
) -> None:
    """Write one self-contained page without scripts. An existing page is replaced.

    ``numbers`` comes from :func:`backtests.report.thesis_numbers.thesis_numbers`. If ``newest`` is
    True, the page warns about an outdated history. A file that cannot be written raises DataError.
    """
    label = label_of(numbers["simulated"])
    section = render("thesis.html.j2", **_values(trial, numbers, label, newest))
    write_text(path, page(f"{label}the thesis on trial, {numbers['as_of']}", section))


def _values(trial: Trial, numbers: Mapping[str, Any], label: str, newest: bool) -> dict[str, Any]:
    tub = bathtub_said(numbers["bathtub"])
    return {
        "n": numbers,
        "label": label,
        "quarter": QUARTER,
        "few": FEW,
        "even": EVEN,
        "detectable": DETECTABLE,
        "stale": stale_warning(trial.sample.history) if newest else None,
        "signs": SIGNS,
        "meanings": {k: v for k, v in MEANINGS.items() if k in _outcomes(numbers)},
        "board": [_board_row(row) for row in numbers["links"]],
        "bathtub": [
            bathtub_chart(numbers["bathtub"], layout, f"{label}bathtub: {tub}")
            for layout in (WIDE, NARROW)
        ],
        "by_k": _by_k(trial, numbers["by_k"] or []),
        "k_said": k_said(numbers["by_k"] or []),
        "timelines": timelines(trial, label),
        "links": [_link(trial, numbers, link, label) for link in LINKS],
        "filings": responses_view(trial.filings, "filing", label),
        "releases": responses_view(trial.releases, "release", label),
        "events": events_view(trial.events),
        "deals": deals_view(trial.deals),
        "surprises": surprises_view(trial.surprises, label),
        "shares": shares_view(trial.cross_section),
        "late": sorted({str(v.claim.declared) for v in trial.verdicts if v.claim.after_verdicts}),
        "episodes": episodes_view(trial.episodes),
        "rivals": rival_views(trial.rivals, label),
        "rivals_said": rivals_said(trial.rivals),
        "calibration": calibration_view(trial),
        "e_values": e_value_views(trial.accumulated, label),
    }


def _outcomes(numbers: Mapping[str, Any]) -> set[str]:
    of_claims = {claim["outcome"] for claim in numbers["claims"]}
    of_claims |= {row["outcome"] for row in numbers["by_k"] or []}
    return of_claims | {row["verdict"] for row in numbers["links"]}


def _board_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of the scoreboard as texts."""
    counts = ", ".join(f"{count} {outcome}" for outcome, count in row["outcomes"].items())
    return {
        **row,
        "flags": [_flag(flag) for flag in row["flags"]],
        "counts": counts if len(row["outcomes"]) > 1 else "",
        "episodes": text(row["episodes"]),
    }


def _by_k(trial: Trial, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of the table with the verdicts for several values of k, as texts."""
    return [_of_k(trial.of(row["claim"]), row) for row in rows]


def _of_k(verdict: Verdict, row: Mapping[str, Any]) -> dict[str, Any]:
    unit = estimate = bounds = MISSING
    if not is_missing(row["estimate"]):
        unit, estimate = _unit(verdict.claim), _number(verdict, row["estimate"])
        bounds = _between(verdict, row["low"], row["high"])
    return {
        "claim": row["claim"],
        "k": percent(row["k"], 0),
        "base": row["k"] == DryPowder().k,
        "outcome": row["outcome"],
        "unit": unit,
        "cells": [estimate, bounds, p_value(row["adjusted"]), fixed(row["episodes"], 0)],
    }


def _flag(flag: Mapping[str, Any]) -> dict[str, Any]:
    return {"said": f"{flag['signal']} {state(flag['on'])}", "since": flag["since"]}


def _link(trial: Trial, numbers: Mapping[str, Any], link: str, label: str) -> dict[str, Any]:
    said = {claim["name"]: claim for claim in numbers["claims"]}
    return {
        "link": link,
        "statement": LINKS[link],
        "claims": [
            _claim(verdict, said[verdict.claim.name], label)
            for verdict in trial.verdicts
            if verdict.claim.link == link
        ],
    }


def _claim(verdict: Verdict, said: Mapping[str, Any], label: str) -> dict[str, Any]:
    """Return the charts of a claim, and its facts as pairs of term and text."""
    return {
        "name": verdict.claim.name,
        "statement": verdict.claim.statement,
        "primary": verdict.claim.primary,
        "late": verdict.claim.after_verdicts,
        "outcome": verdict.outcome,
        "reason": verdict.reason,
        "charts": _charts(verdict, label),
        "result": [*_result(verdict), *_test(verdict)],
        "remarks": [*_stays(said["status"]), *_notes(verdict)],
        "declared": _declared(verdict),
    }


def _charts(verdict: Verdict, label: str) -> list[str]:
    estimate, claim = verdict.estimate, verdict.claim
    if estimate is None or claim.smallest is None:
        return []
    unit = _unit(claim)
    bounds = _between(verdict, estimate.interval.low, estimate.interval.high)
    name = f"{label}{claim.name}: estimate {_number(verdict, estimate.value)}, interval {bounds}"
    drawn = [interval_chart(estimate, claim.smallest, claim.sign, unit, f"{name} {unit}")]
    name = f"{label}{claim.name}: the numbers behind the estimate"
    others = f"{label}{claim.name}: further intervals, to compare with the estimate"
    own = shown_chart(estimate.shown, unit, name)
    more = (own, beside_chart(estimate, unit, others))
    return [*drawn, *(chart for chart in more if chart is not None)]


def _number(verdict: Verdict, value: float) -> str:
    """Return a number in the claim's unit, with one decimal for large effects, else with two.

    A number of at least 1,000 has no decimals.
    """
    if abs(value) >= 1000:
        return thousands(value)
    return fixed(value, 1 if (verdict.claim.smallest or 0.0) >= _LARGE else 2)


def _unit(claim: Claim) -> str:
    """Return the unit of a claim in words."""
    return {"tau": "Kendall's tau"}.get(claim.unit, claim.unit)


def _between(verdict: Verdict, low: float, high: float) -> str:
    if math.isinf(low) or math.isinf(high):
        return "no bounds"
    return f"{_number(verdict, low)} to {_number(verdict, high)}"


def _result(verdict: Verdict) -> list[tuple[str, str]]:
    estimate = verdict.estimate
    if estimate is None:
        return []
    bounds = estimate.interval
    span = f"{estimate.start.date()} to {estimate.end.date()}"
    episodes = [] if estimate.episodes is None else [("Episodes", str(estimate.episodes))]
    return [
        (f"Estimate, {_unit(verdict.claim)}", _number(verdict, estimate.value)),
        ("95 % interval", _between(verdict, bounds.low, bounds.high)),
        ("90 % interval", _between(verdict, bounds.low90, bounds.high90)),
        *episodes,
        (f"Observed {estimate.counted}", f"{estimate.observations:,}, {span}"),
    ]


def _test(verdict: Verdict) -> list[tuple[str, str]]:
    estimate, claim = verdict.estimate, verdict.claim
    if estimate is None:
        return []
    tests, beside = map(_p_values, (estimate.tests, estimate.tests_beside))
    sign = "-" if claim.sign < 0 else ""
    return [
        ("Adjusted p-value", f"{p_value(verdict.adjusted)} (limit {LEVEL})"),
        ("P-values that decide", tests),
        *([("Other p-values", beside)] if beside else []),
        ("Smallest interesting effect", f"{sign}{_number(verdict, claim.smallest or 0.0)}"),
        ("Smallest detectable effect", f"{sign}{_number(verdict, verdict.detectable)}"),
        ("Power at the smallest interesting effect, %", percent(verdict.power, 0)),
    ]


def _declared(verdict: Verdict) -> list[tuple[str, str]]:
    claim, estimate = verdict.claim, verdict.estimate
    pairs = [
        ("Measured", claim.estimand),
        ("Declared", f"{claim.declared}{_LATE if claim.after_verdicts else ''}"),
        ("Why a smaller effect does not matter", claim.argument),
        ("What would refute it", claim.refuted_by),
        ("Method", "" if estimate is None else estimate.method),
    ]
    return [(term, said) for term, said in pairs if said]


def _notes(verdict: Verdict) -> list[tuple[str, str]]:
    notes = () if verdict.estimate is None else verdict.estimate.notes
    return [("Notes", " ".join(notes))] if notes else []


def _p_values(tests: Mapping[str, float]) -> str:
    return "; ".join(f"{name} {p_value(p)}" for name, p in tests.items())


def _stays(status: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Return a heading, and the last periods with the flag on as text, newest first."""
    stays = [] if status is None else status["stays"]
    said = [f"{stay['start']} to {stay['end'] or 'now'}" for stay in stays[::-1][:STAYS]]
    return [("Periods with the flag on, newest first", "; ".join(said))] if said else []
