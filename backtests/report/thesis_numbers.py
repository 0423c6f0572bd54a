"""The numbers of the trial as plain data, for ``thesis --json`` and for the page."""

from collections import Counter
from dataclasses import asdict
from typing import Any

from backtests.report.bathtub import bathtub_now
from backtests.report.envelope import envelope
from backtests.report.plain import plain, records
from backtests.report.thesis_words import LIMITATIONS, strength, verdict_sentences
from backtests.thesis.cross_section import CrossSection
from backtests.thesis.episodes import EpisodeAccount
from backtests.thesis.estimate import Estimate
from backtests.thesis.evalues import ESSAY, REMARK, Accumulated
from backtests.thesis.event_tables import SurpriseStudy
from backtests.thesis.filings import FilingStudy
from backtests.thesis.ledger import Seal
from backtests.thesis.links import LINKS, link_flags
from backtests.thesis.rivals import Rivals
from backtests.thesis.trial import Trial
from backtests.thesis.verdicts import Verdict, fewest_episodes
from signals.hysteresis import since
from signals.reading import Reading


def thesis_numbers(trial: Trial) -> dict[str, Any]:
    """Return every number of a trial, with dates as ISO strings. An undefined number is None.

    Estimates and their bounds are in the unit of the claim. P-values and the powers of tests are
    fractions. If a part of the trial is missing, its value is None or empty, and ``lacking`` gives
    the reason.
    """
    sample = trial.sample
    first, last = str(sample.sessions[0].date()), str(sample.sessions[-1].date())
    numbers = {
        **envelope(sample.history),
        "verdict": verdict_sentences(trial.verdicts, first, last),
        "links": [_link(trial, link) for link in LINKS],
        "claims": [_claim(verdict) for verdict in trial.verdicts],
        "by_k": None if trial.by_k is None else records(trial.by_k),
        "bathtub": bathtub_now(sample),
        "regime": _regime(sample.reading),
        **_other_evidence(trial),
        "essay": ESSAY,
        "remark": REMARK,
        "lacking": dict(trial.lacking),
        "limitations": LIMITATIONS,
    }
    return plain(numbers)


def _other_evidence(trial: Trial) -> dict[str, Any]:
    return {
        "episodes": [_account(account) for account in trial.episodes],
        "filings": None if trial.filings is None else _filings(trial.filings),
        "releases": None if trial.releases is None else _filings(trial.releases),
        "events": None if trial.events is None else records(trial.events),
        "deals": None if trial.deals is None else records(trial.deals),
        "surprises": None if trial.surprises is None else _surprises(trial.surprises),
        "cross_section": None if trial.cross_section is None else _shares(trial.cross_section),
        "rivals": None if trial.rivals is None else _rivals(trial.rivals),
        "e_values": [_accumulated(found) for found in trial.accumulated],
        "seal": None if trial.seal is None else seal_numbers(trial.seal),
        "changes_since_seal": trial.changes,
        "calibration": None if trial.calibration is None else trial.calibration.model_dump(),
    }


def _link(trial: Trial, link: str) -> dict[str, Any]:
    """Return the row of the scoreboard for one link of the thesis.

    If the link has a primary claim, the link has the verdict of this claim. If the link has no
    primary claim, the link has the verdict that all its tested claims share. If the tested claims
    have different verdicts, the verdict of the link is ``mixed``. The verdict ``not testable yet``
    counts only if no claim of the link could be tested. If the link has only claims about states,
    the verdict is the state of the link's flag.
    """
    verdicts = [verdict for verdict in trial.verdicts if verdict.claim.link == link]
    tested = [verdict for verdict in verdicts if not verdict.claim.is_status] or verdicts
    deciding = (
        [verdict for verdict in tested if verdict.claim.primary]
        or [verdict for verdict in tested if verdict.outcome != "not testable yet"]
        or tested
    )
    lead = deciding[0]
    outcomes = Counter(verdict.outcome for verdict in tested)
    agree = len({verdict.outcome for verdict in deciding}) == 1
    return {
        "link": link,
        "statement": LINKS[link],
        "flags": [asdict(flag) for flag in link_flags(trial.sample.reading.evaluations, link)],
        "verdict": lead.outcome if agree else "mixed",
        "outcomes": dict(outcomes),
        "strength": strength(lead) if agree else "see its claims",
        "lead": lead.claim.name,
        "is_primary": lead.claim.primary,
        "episodes": fewest_episodes(tested),
        "claims": [verdict.claim.name for verdict in verdicts],
    }


def _claim(verdict: Verdict) -> dict[str, Any]:
    status = verdict.status
    return {
        **asdict(verdict.claim),
        "outcome": verdict.outcome,
        "reason": verdict.reason,
        "strength": strength(verdict),
        "adjusted_p_value": verdict.adjusted,
        "power": verdict.power,
        "detectable": verdict.detectable,
        "estimate": None if verdict.estimate is None else _estimate(verdict.estimate),
        "status": None if status is None else asdict(status),
    }


def _estimate(estimate: Estimate) -> dict[str, Any]:
    keys = ("value", "error", "df", "observations", "counted", "episodes", "start", "end", "method")
    return {
        **{key: getattr(estimate, key) for key in keys},
        "interval": asdict(estimate.interval),
        "p_value": estimate.p_value,
        "tests": dict(estimate.tests),
        "tests_beside": dict(estimate.tests_beside),
        "beside": {name: asdict(bounds) for name, bounds in estimate.beside.items()},
        "notes": estimate.notes,
    }


def _regime(reading: Reading) -> dict[str, Any]:
    names = reading.regime
    number = names.fillna("none").ne(names.fillna("none").shift()).cumsum()
    stays = [stay for _, stay in names.groupby(number) if stay.iloc[0] is not None]
    return {
        "now": names.iloc[-1],
        "since": since(names),
        "stays": [
            {"regime": stay.iloc[0], "start": stay.index[0], "end": stay.index[-1]}
            for stay in stays
        ],
    }


def _account(account: EpisodeAccount) -> dict[str, Any]:
    episode, keys = account.episode, ("name", "title", "start", "end", "kind", "source")
    return {
        **{key: getattr(episode, key) for key in keys},
        "regime_before": account.regime_before,
        "flag_leads": dict(account.flag_leads),
        "falls": account.falls.to_dict(orient="index"),
        "order": account.order,
        "strategies": dict(account.strategies),
    }


def _filings(study: FilingStudy) -> dict[str, Any]:
    return {
        "n": study.n,
        "firms": study.firms,
        "first": study.first,
        "last": study.last,
        "surprise": study.surprises.describe().to_dict(),
        "responses": records(study.responses),
        "controls": records(study.controls),
    }


def _surprises(study: SurpriseStudy) -> dict[str, Any]:
    return {"instrument": study.instrument, "responses": records(study.responses)}


def _shares(found: CrossSection) -> dict[str, Any]:
    return {
        "shares": found.shares,
        "first": found.first,
        "last": found.last,
        "correlations": records(found.correlations),
        "now": records(found.now),
    }


def _rivals(rivals: Rivals) -> dict[str, Any]:
    return {"table": records(rivals.table), "notes": rivals.notes, "method": rivals.method}


def seal_numbers(seal: Seal) -> dict[str, Any]:
    """Return a seal (a line of the ledger) without the claims, the parameters and the series."""
    return {k: v for k, v in asdict(seal).items() if k not in ("claims", "parameters", "series")}


def _accumulated(found: Accumulated) -> dict[str, Any]:
    keys = ("name", "what", "since", "weeks", "clipped", "e_value", "highest", "note")
    return {key: getattr(found, key) for key in keys}
