"""The brief as plain data, for ``brief --json``, for pages and for the terminal."""

from dataclasses import asdict
from typing import Any

from backtests.brief.brief import Brief
from backtests.brief.dates import Expected
from backtests.brief.holdings import Holding
from backtests.report.brief_words import moves_words, regime_words, sure_words, watch, why
from backtests.report.envelope import envelope
from backtests.report.flags_numbers import pending, said_of_scales, voters
from backtests.report.plain import plain
from backtests.report.thesis_words import verdict_sentences
from backtests.thesis.links import WORDS
from backtests.thesis.verdicts import Verdict


def brief_numbers(brief: Brief) -> dict[str, Any]:
    """Return the brief with dates as ISO strings. Weights and frequencies are fractions."""
    first, last = brief.sample.sessions[0], brief.session
    reading = brief.sample.reading
    return plain(
        {
            **envelope(brief.sample.history),
            "regime": brief.regime,
            "since": brief.since,
            "sessions": brief.lasted,
            "decided_by": brief.rule,
            "pending": pending(reading),
            "headline": {
                "regime": regime_words(brief),
                "why": why(brief),
                "sure": verdict_sentences(brief.verdicts, str(first.date()), str(last.date())),
                "sure_short": sure_words(brief),
                "watch": watch(brief),
            },
            "votes_for": voters(reading, True),
            "votes_against": voters(reading, False),
            "no_view": voters(reading, None),
            "scales": said_of_scales(brief.said),
            "claims": [_claim(verdict) for verdict in brief.verdicts],
            "links": [{**asdict(link), "name": WORDS[link.link]} for link in brief.links],
            "compared_with": brief.before,
            "changes": [asdict(change) for change in brief.changes],
            "flips": [asdict(flip) for flip in brief.flips],
            "dates": [_expected(one) for one in brief.dates],
            "holdings": [_holding(one) for one in brief.holdings],
            "late": [asdict(one) for one in brief.late],
        }
    )


def _claim(verdict: Verdict) -> dict[str, Any]:
    claim = verdict.claim
    return {
        "name": claim.name,
        "link": claim.link,
        "statement": claim.statement,
        "outcome": verdict.outcome,
        "reason": verdict.reason,
        "power": verdict.power,
    }


def _expected(one: Expected) -> dict[str, Any]:
    return {**asdict(one), "certain": one.basis == "calendar"}


def _holding(one: Holding) -> dict[str, Any]:
    return {**asdict(one), "moves": one.moves, "moved": moves_words(one)}
