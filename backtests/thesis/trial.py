"""The trial: tests of every claim of the thesis on one history."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import pandas as pd

from backtests.evidence.k_choice import KS
from backtests.history.panel import History, check_history
from backtests.plural import number_of
from backtests.progress import Progress, counted, silent, within
from backtests.simulated import label_of
from backtests.thesis.calibration import PATH, Calibration, read_calibration
from backtests.thesis.claim import Claim
from backtests.thesis.claims import CLAIMS
from backtests.thesis.cross_section import CrossSection, cross_section
from backtests.thesis.episodes import EpisodeAccount, accounts
from backtests.thesis.errors import NotTestable
from backtests.thesis.estimate import Estimate
from backtests.thesis.estimators import ESTIMATORS, Estimator
from backtests.thesis.evalues import ESSAY, Accumulated, accumulate_since_dates
from backtests.thesis.event_tables import SurpriseStudy, counts, deal_table, surprise_study
from backtests.thesis.events import read_events
from backtests.thesis.filings import FilingStudy, study
from backtests.thesis.ledger import Seal, changes_since, in_force, read_ledger
from backtests.thesis.other_k import SHOWN, table_of, with_k
from backtests.thesis.releases import releases
from backtests.thesis.rivals import Rivals, compare_rivals
from backtests.thesis.sample import Sample
from backtests.thesis.status import status
from backtests.thesis.verdicts import Verdict, adjusted_p_values, judge, judge_status
from signals.errors import ConfigError, shown, unknown
from signals.summary import Summarised, Summary, described

Part = TypeVar("Part")
#: The parts of the trial that follow the tests of the claims, in the order of computation.
PARTS = (
    *(
        "other k",
        "seal",
        "episodes",
        "filings",
        "releases",
        "events",
        "bond deals",
        "policy surprises",
    ),
    *("single shares", "rivals", "e-values", "calibration"),
)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Trial(Summarised):
    """The verdicts on all claims, and the other evidence.

    Attributes
    ----------
    sample
        The data that were tested.
    verdicts
        One verdict for each claim, in the order of the claims.
    by_k
        Verdicts on the primary claims and on two status claims, for several values of the parameter
        k, see :func:`backtests.thesis.other_k.table_of`.
    episodes
        What happened in each dated episode.
    filings, releases
        Responses of asset classes to capex filings, and to the earnings releases before the
        filings.
    events, deals, surprises
        ``events`` contains the number of dated events of each kind. ``deals`` contains each bond
        deal with its response. ``surprises`` contains the responses of asset classes to policy
        surprises. See :mod:`backtests.thesis.event_tables`.
    cross_section
        Single shares ranked by empirical duration, and the correlation of duration with return.
    rivals
        Forecasts of the thesis compared with forecasts of rival explanations.
    accumulated
        E-values since the seal, and e-values since the date of the essay. The essay states the
        thesis.
    seal
        The last seal that changed the claims or parameters, see
        :func:`backtests.thesis.ledger.in_force`. None if there is no ledger.
    changes
        One sentence for each change of claims, parameters and code since the seal. E-values use
        today's definitions of claims and signals. If a definition changed after the seal, the weeks
        before the change count as in sample.
    calibration
        How often the trial supports each claim in simulated economies.
    lacking
        One pair for each part of the trial that is None or empty: the name of the part, and the
        reason.
    """

    sample: Sample
    verdicts: tuple[Verdict, ...]
    by_k: pd.DataFrame | None = None
    episodes: tuple[EpisodeAccount, ...] = ()
    filings: FilingStudy | None = None
    releases: FilingStudy | None = None
    events: pd.DataFrame | None = None
    deals: pd.DataFrame | None = None
    surprises: SurpriseStudy | None = None
    cross_section: CrossSection | None = None
    rivals: Rivals | None = None
    accumulated: tuple[Accumulated, ...] = ()
    seal: Seal | None = None
    changes: tuple[str, ...] = ()
    calibration: Calibration | None = None
    lacking: tuple[tuple[str, str], ...] = ()

    def of(self, name: str) -> Verdict:
        """Return the verdict on the claim with this name; an unknown name raises ConfigError."""
        for verdict in self.verdicts:
            if verdict.claim.name == name:
                return verdict
        raise ConfigError(unknown("claim", name, [v.claim.name for v in self.verdicts]))

    def _summary(self) -> Summary:
        """Return the verdicts on primary claims, and counts of all verdicts."""
        counted = Counter(verdict.outcome for verdict in self.verdicts)
        primary = {v.claim.name: _said(v) for v in self.verdicts if v.claim.primary}
        claims = number_of(len(self.verdicts), "claim")
        label = label_of(self.sample.is_simulated)
        title = f"{label}Trial of {claims}: {described(self.sample.sessions)}"
        outcomes = ", ".join(f"{number} {outcome}" for outcome, number in counted.items())
        return Summary(title=title, facts={**primary, "all claims": outcomes or "none"})


def _said(verdict: Verdict) -> str:
    """Return a verdict in words, with the estimate, its 95 % interval and its unit."""
    if verdict.estimate is None:
        return str(verdict.outcome)
    return f"{verdict.outcome}; {verdict.estimate.said()} {verdict.claim.unit}"


def try_claims(
    history: History,
    claims: Sequence[Claim] = CLAIMS,
    *,
    estimators: Mapping[str, Estimator] = ESTIMATORS,
    progress: Progress = silent,
) -> Trial:
    """Return the verdict on every claim, in the order of the claims.

    If the history cannot test a claim, its verdict is ``not testable yet``. ``estimators`` maps the
    name of each estimator to its function. A claim names its estimator in the field ``estimator``.
    Before each test, ``progress`` receives the name of the claim and the number of claims already
    tested. An empty list, a value that is not a list of claims, or a value that is not a history
    raises ConfigError.
    """
    check_history(history)
    for claim in claims if isinstance(claims, Sequence) and claims else [claims]:
        if not isinstance(claims, Sequence) or not isinstance(claim, Claim):
            raise ConfigError(
                f"expected a list of claims, was {shown(claim)}; pass a list: [claim], with "
                "claims from backtests.thesis.claims"
            )
    sample = Sample.of(history)
    verdicts = judge_claims(sample, claims, estimators=estimators, progress=progress)
    return Trial(sample=sample, verdicts=verdicts)


def judge_claims(
    sample: Sample,
    claims: Sequence[Claim],
    *,
    estimators: Mapping[str, Estimator] = ESTIMATORS,
    progress: Progress = silent,
) -> tuple[Verdict, ...]:
    """Return the verdict on each claim, in the order of the claims; see :func:`try_claims`.

    The p-values of primary claims are adjusted as one group, and the p-values of the other claims
    as a second group. So the verdicts on primary claims do not depend on the other claims.
    """
    estimates: dict[Claim, Estimate] = {}
    decided: dict[Claim, Verdict] = {}
    for claim in counted(claims, progress, lambda claim: claim.name):
        try:
            if claim.is_status:
                decided[claim] = judge_status(claim, status(claim, sample))
            else:
                estimates[claim] = estimators[claim.estimator](claim, sample)
        except NotTestable as error:
            decided[claim] = Verdict(claim=claim, outcome="not testable yet", reason=str(error))
    adjusted = adjusted_p_values(estimates)
    decided |= {c: judge(c, estimate, adjusted[c]) for c, estimate in estimates.items()}
    return tuple(decided[claim] for claim in claims)


def try_thesis(
    history: History, ledger: Path | None = None, *, progress: Progress = silent
) -> Trial:
    """Return the verdicts on all claims and all other evidence from one history.

    If data for a part of the trial are missing, the part is None or empty, and
    :attr:`Trial.lacking` gives the reason. ``ledger`` is the file of sealed claims. The file may be
    missing.

    Raises
    ------
    DataError
        Raised if :func:`backtests.thesis.ledger.read_ledger` cannot read an existing ledger.
    """
    _check_ledger(ledger)  # checked before the claims, which take a minute
    steps = len(CLAIMS) + len(PARTS)
    claimed = try_claims(history, progress=within(progress, 0, steps))
    sample, lacking = claimed.sample, dict[str, str]()

    def part(name: str, make: Callable[[], Part]) -> Part | None:
        progress(name, len(CLAIMS) + PARTS.index(name), steps)
        try:
            return make()
        except NotTestable as error:
            lacking[name] = str(error)
            return None

    by_k = part("other k", lambda: _by_k(sample))
    seal = part("seal", lambda: _seal_in_force(ledger))
    episodes = part("episodes", lambda: _episodes(sample))
    filed = part("filings", lambda: study(sample))
    released = part("releases", lambda: study(sample, releases))
    events = part("events", lambda: counts(sample))
    deals = part("bond deals", lambda: deal_table(sample))
    surprises = part("policy surprises", lambda: surprise_study(sample))
    shares = part("single shares", lambda: cross_section(sample))
    rivals = part("rivals", lambda: compare_rivals(sample))
    accumulated = part("e-values", lambda: _accumulated(sample, seal))
    calibration = part("calibration", _calibration)
    return replace(
        claimed,
        by_k=by_k,
        episodes=episodes or (),
        filings=filed,
        releases=released,
        events=events,
        deals=deals,
        surprises=surprises,
        cross_section=shares,
        rivals=rivals,
        accumulated=accumulated or (),
        seal=seal,
        changes=() if seal is None else tuple(changes_since(seal)),
        calibration=calibration,
        lacking=tuple(lacking.items()),
    )


def _by_k(sample: Sample) -> pd.DataFrame:
    return table_of({k: judge_claims(with_k(sample, k), SHOWN) for k in KS})


def _episodes(sample: Sample) -> tuple[EpisodeAccount, ...]:
    found = accounts(sample, read_events())
    if not found:
        raise NotTestable("the history contains no dated episode")
    return found


def _check_ledger(ledger: Path | None) -> None:
    """Raise DataError if an existing ledger cannot be read."""
    if ledger is not None and ledger.exists():
        read_ledger(ledger)


def _seal_in_force(ledger: Path | None) -> Seal:
    if ledger is None or not ledger.exists():
        raise NotTestable("no claim has been sealed yet; run 'drypowder thesis seal'")
    return in_force(read_ledger(ledger))


def _accumulated(sample: Sample, seal: Seal | None) -> tuple[Accumulated, ...]:
    """Return e-values since the seal, then e-values since the date of the essay."""
    found = accumulate_since_dates(sample, None if seal is None else seal.moment)
    last = sample.sessions[-1]
    begun = tuple(one for one in found if one.since < last)
    if not begun:
        raise NotTestable(f"the history has no session after {ESSAY.date()}, the date of the essay")
    return begun


def _calibration() -> Calibration:
    if not PATH.is_file():
        raise NotTestable("not measured yet; run 'python -m benchmarks.trial --write'")
    return read_calibration()
