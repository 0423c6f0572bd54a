"""Rules that turn estimates into verdicts, fixed before any estimate was seen.

- Contradicted: all effects in the 90 % interval are smaller than the smallest interesting effect.
  An effect against the claimed direction counts as negative. A wide interval does not contradict a
  claim.
- Supported: the adjusted one-sided p-value is at most 2.5 %, and the whole 95 % interval has the
  sign that the claim states. If an effect is significant but too small to matter, the claim is
  contradicted.
- Inconclusive: everything else. If the estimator counts episodes and finds fewer than three
  episodes, the claim is always inconclusive.
- Not testable yet: the history is too short, or lacks data.

Holm's method adjusts the p-values of the primary claims. Benjamini and Hochberg's method adjusts
the p-values of all other claims for the false discovery rate. Benjamini and Hochberg's method is
valid if the tests are independent or positively dependent. We expect positively dependent tests,
because all tests use the same few episodes.

Reference
    Holm (1979), Scandinavian Journal of Statistics 6; Benjamini and Hochberg (1995), JRSS B 57;
    Benjamini and Yekutieli (2001), Annals of Statistics 29.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from backtests.evidence.entries import FEW
from backtests.plural import number_of
from backtests.thesis.claim import Claim
from backtests.thesis.estimate import Estimate
from backtests.thesis.power import LEVEL, power, smallest_detectable
from backtests.thesis.status import Status
from signals.summary import Summarised, Summary

Outcome = Literal["supported", "contradicted", "inconclusive", "not testable yet", "on", "off"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Verdict(Summarised):
    """The verdict on one claim.

    Attributes
    ----------
    outcome
        If the claim says only that a flag is on, the outcome is ``on``, ``off`` or ``not testable
        yet``. For any other claim, the outcome is ``supported``, ``contradicted``,
        ``inconclusive`` or ``not testable yet``.
    reason
        The reason for the outcome.
    estimate
        The estimate. None if the claim says only that a flag is on, or if the claim is not testable
        yet.
    status
        The state and the dates of the flag if the outcome is ``on`` or ``off``, else None.
    adjusted
        The adjusted one-sided p-value. NaN if there is no estimate.
    power
        Probability, as a fraction, that the test finds a true effect of the smallest interesting
        size. The power is not adjusted for the number of claims. NaN if the power is unknown.
    detectable
        Effect, in the claim's unit, that the test finds with a probability of 80 %. NaN if the
        effect is unknown.
    """

    claim: Claim
    outcome: Outcome
    reason: str
    estimate: Estimate | None = None
    status: Status | None = None
    adjusted: float = float("nan")
    power: float = float("nan")
    detectable: float = float("nan")

    def _summary(self) -> Summary:
        facts = {"claim": self.claim.statement, "outcome": self.outcome, "reason": self.reason}
        if self.estimate is not None:
            facts["estimate"] = f"{self.estimate.said()} {self.claim.unit}"
        return Summary(title=f"Verdict on {self.claim.name}", facts=facts)


def adjusted_p_values(estimates: Mapping[Claim, Estimate]) -> dict[Claim, float]:
    """Return the adjusted p-value of each claim.

    Holm's method adjusts the p-values of primary claims. Benjamini and Hochberg's method adjusts
    the p-values of all other claims.
    """
    from statsmodels.stats.multitest import multipletests

    adjusted: dict[Claim, float] = {}
    for primary, method in ((True, "holm"), (False, "fdr_bh")):
        claims = [claim for claim in estimates if claim.primary == primary]
        if claims:
            p_values = [estimates[claim].p_value for claim in claims]
            adjusted |= dict(
                zip(claims, map(float, multipletests(p_values, method=method)[1]), strict=True)
            )
    return adjusted


def judge(claim: Claim, estimate: Estimate, adjusted: float) -> Verdict:
    """Return the verdict on a claim from its estimate and its adjusted p-value."""
    outcome, reason = _outcome(claim, estimate, adjusted)
    assert claim.smallest is not None  # every claim with an estimate declares ``smallest``
    return Verdict(
        claim=claim,
        outcome=outcome,
        reason=reason,
        estimate=estimate,
        adjusted=adjusted,
        power=power(estimate.error, estimate.df, claim.smallest),
        detectable=smallest_detectable(estimate.error, estimate.df),
    )


def _outcome(claim: Claim, estimate: Estimate, adjusted: float) -> tuple[Outcome, str]:
    if estimate.episodes is not None and estimate.episodes < FEW:
        count = number_of(estimate.episodes, "episode")
        return "inconclusive", f"{count}: nothing can be concluded from fewer than {FEW}"
    bounds = estimate.interval
    near = min(claim.sign * bounds.low, claim.sign * bounds.high)
    far90 = max(claim.sign * bounds.low90, claim.sign * bounds.high90)
    if far90 < (claim.smallest or 0.0):
        return "contradicted", "the whole 90 % interval lies below the smallest interesting effect"
    if adjusted <= LEVEL and near > 0:
        return "supported", f"the interval excludes zero; adjusted p-value {_p_said(adjusted)}"
    return "inconclusive", _why_open(near, adjusted)


def _why_open(near: float, adjusted: float) -> str:
    if near > 0:
        return f"the interval excludes zero, but the adjusted p-value is {_p_said(adjusted)}"
    return "the interval contains both zero and effects of interesting size"


def _p_said(value: float) -> str:
    """Return a p-value as text; no p-value is shown as zero."""
    return "below 0.001" if value < 0.001 else f"{value:.3f}"


def judge_status(claim: Claim, status: Status) -> Verdict:
    """Return the verdict on a claim about one flag: whether the flag is on, and since when.

    If the flag is unknown at the end of the history, the claim is not testable yet.
    """
    outcome: Outcome = "on" if status.on else "off"
    since = f"{outcome} since {status.since.date()}"
    if not status.current:
        reason = (
            f"the flag is unknown after {status.at.date()}, because data are missing, and "
            f"was {since} before; add newer data"
        )
        return Verdict(claim=claim, outcome="not testable yet", reason=reason)
    reason = f"{since}; number of periods with the flag on: {len(status.stays)}"
    return Verdict(claim=claim, outcome=outcome, reason=reason, status=status)


def fewest_episodes(verdicts: Iterable[Verdict]) -> int | None:
    """Return the lowest number of episodes among verdicts; None if no verdict counts episodes."""
    counts = [v.estimate.episodes for v in verdicts if v.estimate is not None]
    return min((count for count in counts if count is not None), default=None)
