"""Texts of the trial: its verdict, and the strength of each result."""

from collections.abc import Mapping, Sequence
from typing import Any

from backtests.evidence.entries import FEW
from backtests.format import is_missing, percent
from backtests.plural import number_of
from backtests.thesis.power import DETECTABLE
from backtests.thesis.verdicts import Verdict, fewest_episodes

#: A sign for each outcome helps readers who cannot tell the colours apart.
SIGNS = {
    "supported": "✓",
    "contradicted": "✗",
    "inconclusive": "?",
    "mixed": "±",
    "not testable yet": "…",
    "on": "●",
    "off": "○",
}
#: What each outcome means.
MEANINGS = {
    "supported": "the data support the claim, even after adjustment for the number of claims",
    "contradicted": "the data exclude an effect that is large enough to be interesting",
    "inconclusive": "the true effect may be zero, or it may be large enough to be interesting",
    "mixed": "the claims of this link have different verdicts",
    "not testable yet": "the history is too short or lacks data",
    "on": "the state that the claim describes exists now; the trial does not test this claim",
    "off": "the state that the claim describes does not exist now; the trial does not test this "
    "claim",
}
#: Limits of the whole trial, one to three sentences each.
LIMITATIONS = (
    "The history has few episodes. The sessions within an episode are not independent "
    "observations.",
    "A test that finds nothing does not refute the claim. The power of a test says how often the "
    "test finds a true effect.",
    "The assets and the definitions were chosen in 2026, with knowledge of the past.",
    "The essay is from 2026-02-06 and was written with knowledge of the past. Our definitions were "
    "written after the essay. Only data that are newer than the definitions can test the thesis "
    "without hindsight.",
    "The flags use public numbers of the Federal Reserve and of firms' filings. Private capital "
    "and foreign capital are not measured.",
    "The trial compares returns during a state with returns at other times. A difference in "
    "returns does not prove that the state is the cause.",
    "Capacity, tax and the market impact of trades are not modelled.",
)
EVEN = 0.5  # with a power below 0.5, a test misses most interesting effects


def verdict_sentences(verdicts: Sequence[Verdict], start: str, end: str) -> tuple[str, str]:
    """Return two texts: whether the thesis holds, and how sure one can be.

    Only the primary claims among ``verdicts`` count. ``start`` and ``end`` are the first and last
    day of the history.
    """
    primary = [verdict for verdict in verdicts if verdict.claim.primary]
    return _whether(primary, start, end), _how_sure(primary)


def _whether(primary: Sequence[Verdict], start: str, end: str) -> str:
    outcomes = [verdict.outcome for verdict in primary]
    good, bad = outcomes.count("supported"), outcomes.count("contradicted")
    rest = len(outcomes) - good - bad
    counts = f"{_are(good)} supported, {_are(bad)} contradicted and {_are(rest)} open"
    held = f"On the history from {start} to {end}, {_held(good, bad, len(outcomes))}"
    return f"{held}: of its {len(outcomes)} main claims, {counts}."


def _are(count: int) -> str:
    return "none is" if count == 0 else f"{count} {'is' if count == 1 else 'are'}"


def _held(good: int, bad: int, claims: int) -> str:
    if claims and good == claims:
        return "the thesis holds"
    if claims and bad == claims:
        return "the thesis does not hold"
    if good and good >= bad:
        return "the thesis holds only in part"
    if bad:
        return "the thesis is in doubt"
    return "the thesis is neither confirmed nor refuted"


def _how_sure(primary: Sequence[Verdict]) -> str:
    powers = [verdict.power for verdict in primary if not is_missing(verdict.power)]
    fewest = fewest_episodes(primary)
    if not powers:
        return "Nobody can be sure: the history is too short for the tests."
    if fewest is not None and fewest < FEW:
        return (
            f"One cannot be sure: capital was absorbed in only {number_of(fewest, 'episode')}, and "
            f"a test needs at least {FEW} episodes."
        )
    sure = "One can be fairly sure" if min(powers) >= DETECTABLE else "One can be partly sure"
    sure = "One cannot be sure" if max(powers) < EVEN else sure
    seen = "" if fewest is None else f"capital was absorbed in {fewest} episodes. "
    test = "The test" if seen else "the test"
    return (
        f"{sure}: {seen}{test} of a single main claim would detect the smallest interesting effect "
        f"in {_of(powers)}."
    )


def _of(powers: Sequence[float]) -> str:
    low, high = percent(min(powers), 0), percent(max(powers), 0)
    return f"{low} of 100 cases" if low == high else f"{low} to {high} of 100 cases"


def k_said(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return sentences on k: the verdicts and the signs of estimates that change with k.

    ``rows`` is the value ``by_k`` of :func:`backtests.report.thesis_numbers.thesis_numbers`.
    """
    outcomes: dict[str, set[str]] = {}
    signs: dict[str, set[bool]] = {}
    for row in rows:
        outcomes.setdefault(row["claim"], set()).add(row["outcome"])
        if not is_missing(row["estimate"]):
            signs.setdefault(row["claim"], set()).add(row["estimate"] > 0)
    changed = ", ".join(name for name, found in outcomes.items() if len(found) > 1)
    flipped = ", ".join(name for name, found in signs.items() if len(found) > 1)
    said = (
        f"The verdict changes with k for: {changed}." if changed else "No verdict changes with k."
    )
    return f"{said} The sign of the estimate changes with k for: {flipped}." if flipped else said


def strength(verdict: Verdict) -> str:
    """Return the strength of the evidence in words.

    For an inconclusive claim, return the strength of the test.
    """
    if verdict.status is not None:
        return "a state, not tested"
    if verdict.estimate is None:
        return "not tested"
    if verdict.outcome == "supported":
        return _evidence(verdict.adjusted)
    if verdict.outcome == "contradicted":
        return "strong" if _is_beyond(verdict) else "moderate"
    return _test(verdict.power)


def _evidence(p_value: float) -> str:
    words = ((0.001, "very strong"), (0.01, "strong"))
    return next((word for limit, word in words if p_value <= limit), "moderate")


def _is_beyond(verdict: Verdict) -> bool:
    """Return whether every effect in the 95 % interval is below the smallest interesting effect."""
    assert verdict.estimate is not None
    bounds, sign = verdict.estimate.interval, verdict.claim.sign
    return max(sign * bounds.low, sign * bounds.high) < (verdict.claim.smallest or 0.0)


def _test(power: float) -> str:
    if is_missing(power):
        return "power unknown"
    if power < EVEN:
        return "weak test"
    return "good test" if power >= DETECTABLE else "fair test"
