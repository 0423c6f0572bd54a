"""The trial: every claim of the thesis on one history."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from backtests.history.panel import History
from backtests.thesis.claims import CLAIMS, Claim
from backtests.thesis.errors import NotTestable
from backtests.thesis.estimate import Estimate
from backtests.thesis.estimators import ESTIMATORS
from backtests.thesis.sample import Sample
from backtests.thesis.status import status
from backtests.thesis.verdicts import Verdict, adjusted_p_values, judge, judge_status


@dataclass(frozen=True, kw_only=True, eq=False)
class Trial:
    """The verdicts on all claims, with the sample from which they come."""

    sample: Sample
    verdicts: tuple[Verdict, ...]

    def of(self, name: str) -> Verdict:
        """Return the verdict on the claim with this name."""
        return next(verdict for verdict in self.verdicts if verdict.claim.name == name)


def try_claims(
    history: History,
    claims: Sequence[Claim] = CLAIMS,
    *,
    progress: Callable[[str], None] = lambda name: None,
) -> Trial:
    """Return the verdict on every claim, in the order of the claims.

    A claim that the history cannot test is ``not testable yet``; the other claims are judged.
    ``progress`` is called with the name of each claim.
    """
    sample = Sample.of(history)
    estimates: dict[Claim, Estimate] = {}
    decided: dict[Claim, Verdict] = {}
    for claim in claims:
        progress(claim.name)
        try:
            if claim.is_status:
                decided[claim] = judge_status(claim, status(claim, sample))
            else:
                estimates[claim] = ESTIMATORS[claim.estimator](claim, sample)
        except NotTestable as error:
            decided[claim] = Verdict(claim=claim, outcome="not testable yet", reason=str(error))
    adjusted = adjusted_p_values(estimates)
    decided |= {c: judge(c, estimate, adjusted[c]) for c, estimate in estimates.items()}
    return Trial(sample=sample, verdicts=tuple(decided[claim] for claim in claims))
