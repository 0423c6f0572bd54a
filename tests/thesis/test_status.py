"""Claims about a state: on or off, since when, and every stay."""

import pandas as pd
import pytest

from backtests.thesis.claim import Claim
from backtests.thesis.errors import NotTestable
from backtests.thesis.status import Status, status
from backtests.thesis.verdicts import judge_status
from tests.thesis.worlds import claim, sessions

CLAIM = claim("capital-absorbed")


class Flags:
    """A sample with one flag."""

    def __init__(self, values: list[float | None]) -> None:
        self.values = values

    def flag(self, name: str) -> pd.Series:
        assert name == "absorption"
        return pd.Series(self.values, index=sessions(len(self.values)), dtype="float64")


def found(*values: float | None, of: Claim = CLAIM) -> Status:
    return status(of, Flags(list(values)))  # type: ignore[arg-type]


def test_a_flag_that_is_on_lasts_without_an_end() -> None:
    days = sessions(5)
    seen = found(None, 0.0, 1.0, 1.0, 1.0)
    assert (seen.on, seen.at, seen.since) == (True, days[4], days[2])
    assert [(stay.start, stay.end) for stay in seen.stays] == [(days[2], None)]


def test_a_flag_that_is_off_names_its_past_stays() -> None:
    days = sessions(7)
    seen = found(1.0, 1.0, 0.0, 1.0, 0.0, 0.0, None)
    assert (seen.on, seen.at, seen.since) == (False, days[5], days[4])
    assert [(s.start, s.end) for s in seen.stays] == [(days[0], days[1]), (days[3], days[3])]


def test_a_flag_that_was_never_on_has_no_stay() -> None:
    seen = found(0.0, 0.0)
    assert seen.stays == ()
    assert seen.since == sessions(2)[0]


def test_a_state_begins_again_after_sessions_without_a_known_flag() -> None:
    """The flag may have changed while data were missing."""
    days = sessions(5)
    seen = found(0.0, 0.0, None, 0.0, 0.0)
    assert (seen.on, seen.since) == (False, days[3])


def test_a_stay_lasts_through_sessions_without_a_known_flag() -> None:
    days = sessions(4)
    seen = found(1.0, None, 1.0, 0.0)
    assert [(stay.start, stay.end) for stay in seen.stays] == [(days[0], days[2])]


def test_a_flag_that_is_known_at_the_end_decides_the_verdict() -> None:
    verdict = judge_status(CLAIM, found(0.0, 1.0, 1.0))
    since = sessions(3)[1].date()
    assert verdict.outcome == "on"
    assert verdict.reason == f"on since {since}; number of periods with the flag on: 1"


def test_a_flag_that_is_unknown_at_the_end_gives_no_state() -> None:
    days = [day.date() for day in sessions(5)]
    verdict = judge_status(CLAIM, found(0.0, 1.0, 1.0, None, None))
    assert (verdict.outcome, verdict.status) == ("not testable yet", None)
    assert verdict.reason == (
        f"the flag is unknown after {days[2]}, because data are missing, and was on since "
        f"{days[1]} before; add newer data"
    )


def test_a_claim_without_a_flag_is_not_testable() -> None:
    with pytest.raises(NotTestable, match="names no flag"):
        found(0.0, of=claim("crypto-leads"))
