"""Earnings releases before filings: their dates, and the one filing that each belongs to."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from backtests.history.panel import History
from backtests.thesis import filings as module
from backtests.thesis.claims import CLAIMS
from backtests.thesis.errors import NotTestable
from backtests.thesis.estimators.event_response import event_response
from backtests.thesis.filings import Filing, controls, filings, study, table
from backtests.thesis.releases import LONGEST, first_close_after, release_id, releases
from backtests.thesis.sample import Sample
from signals.catalog import HYPERSCALERS
from signals.duration import LONG
from tests.thesis.planted import with_one_filer, with_planted

CLAIM = next(claim for claim in CLAIMS if claim.name == "capex-releases-hurt-long-duration")


def with_releases(history: History, firm: str, dates: pd.Series) -> History:
    return replace(history, events={**history.events, release_id(firm): dates})


def last_filing(history: History, firm: str) -> Filing:
    return [filing for filing in filings(history) if filing.firm == firm][-1]


def test_a_release_has_the_surprise_of_its_filing_and_comes_before_it(simulated: Sample) -> None:
    history = simulated.history
    filed = {(f.firm, f.surprise, f.growth): f.session for f in filings(history)}
    found = releases(history)
    assert len(found) > 0.9 * len(filed)
    assert {release.firm for release in found} == set(HYPERSCALERS)
    for release in found:
        apart = filed[release.firm, release.surprise, release.growth] - release.session
        assert pd.Timedelta(0) <= apart <= LONGEST + pd.Timedelta(days=5)


@pytest.mark.parametrize(
    ("day", "after_close", "first"),
    [
        ("2024-01-30", True, "2024-01-31"),
        ("2024-01-30", False, "2024-01-30"),
        ("2024-02-02", True, "2024-02-05"),
        ("2024-02-03", True, "2024-02-05"),
        ("2024-02-03", False, "2024-02-05"),
    ],
)
def test_the_session_is_the_first_that_closes_after_the_release(
    day: str, after_close: bool, first: str
) -> None:
    sessions = pd.bdate_range("2024-01-01", "2024-03-01")
    assert first_close_after(pd.Timestamp(day), after_close, sessions) == pd.Timestamp(first)


@pytest.mark.parametrize(("days", "matched"), [(0, True), (10, True), (11, False), (-1, False)])
def test_a_filing_follows_its_release_within_10_days(
    simulated: Sample, days: int, matched: bool
) -> None:
    """A filing is known one session after the session on which it is made."""
    history = simulated.history
    filing = last_filing(history, "MSFT")
    filed = simulated.sessions[int(simulated.sessions.searchsorted(filing.session)) - 1]
    dates = pd.Series(1.0, index=[filed - pd.Timedelta(days=days)])
    found = [r for r in releases(with_releases(history, "MSFT", dates)) if r.firm == "MSFT"]
    assert len(found) == int(matched)


def test_a_release_belongs_to_the_first_filing_after_it(simulated: Sample) -> None:
    """Of two filings within ten days, the release is matched only to the first one."""
    history = simulated.history
    firm = [filing for filing in filings(history) if filing.firm == "MSFT"]
    close = (firm[-2], replace(firm[-1], session=firm[-2].session + pd.Timedelta(days=3)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("backtests.thesis.releases.filings", lambda history: close)
        found = releases(history)
    assert [release.surprise for release in found] == [firm[-2].surprise]


def test_a_firm_without_release_dates_has_no_releases(simulated: Sample) -> None:
    history = replace(simulated.history, events={})
    assert releases(history) == ()
    with pytest.raises(NotTestable, match="no capex surprise in releases"):
        study(Sample(history=history, reading=simulated.reading), releases)


def cut(sample: Sample, at: pd.Timestamp) -> None:
    """Compare the releases of a cut history with those whose filing was known at the cut."""
    history = sample.history
    now = releases(history.until(at))
    filed = {(f.firm, f.growth) for f in filings(history) if f.session <= at}
    assert now == tuple(r for r in releases(history) if (r.firm, r.growth) in filed)


@pytest.mark.parametrize("at", ["2012-06-29", "2017-03-31", "2021-10-29"])
def test_releases_do_not_change_with_later_sessions(simulated: Sample, at: str) -> None:
    cut(simulated, pd.Timestamp(at))


@pytest.mark.xfail(strict=True, raises=AssertionError)
def test_a_deviation_from_later_changes_is_found(
    simulated: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    cheat: Callable[[pd.Series], pd.Series] = lambda g: pd.Series(g.std(), index=g.index)  # noqa: E731
    monkeypatch.setattr(module, "past_deviation", cheat)
    cut(simulated, pd.Timestamp("2017-03-31"))


def test_controls_of_releases_contain_no_release_of_the_firm(simulated: Sample) -> None:
    real = releases(simulated.history)
    moved = controls(simulated.history, real)
    assert 0.9 * len(real) < len(moved) <= len(real)
    places = {
        firm: simulated.sessions.get_indexer(
            pd.DatetimeIndex([r.session for r in real if r.firm == firm])
        )
        for firm in HYPERSCALERS
    }
    for control in moved:
        apart = places[control.firm] - int(simulated.sessions.searchsorted(control.session))
        assert not ((apart >= module.BEFORE) & (apart <= module.AFTER)).any()


def test_a_planted_response_to_releases_in_one_state_is_found(simulated: Sample) -> None:
    base = with_one_filer(simulated)
    events = table(base, releases(base.history))
    events = events[events["state"] == 1.0]
    shocks = -0.04 * events["surprise"].to_numpy()
    planted = with_planted(base, events["at"].to_numpy(), shocks, LONG)
    now, then = event_response(CLAIM, planted), event_response(CLAIM, base)
    assert now.value - then.value == pytest.approx(-4.0, rel=0.15)
    assert now.counted == "releases"
    assert "in a release is taken from the first filing within 10 days" in now.notes[2]


def test_the_study_of_releases_counts_releases(simulated: Sample) -> None:
    found = study(simulated, releases)
    assert found.n == int(found.responses.xs("broad")["n"].sum())
    assert not np.isnan(found.responses.xs("broad")["estimate"]).any()


def test_of_two_releases_before_a_filing_the_later_one_decides_with_its_own_time_of_day(
    simulated: Sample,
) -> None:
    """The earlier release came before the open, and the later release came after the close."""
    history = simulated.history
    sessions = pd.DatetimeIndex(history.panel.index)
    filing = last_filing(history, "MSFT")
    at = sessions.get_loc(filing.session)
    assert isinstance(at, int)
    days = sessions[[at - 5, at - 2]]
    two = with_releases(history, "MSFT", pd.Series([0.0, 1.0], index=days))
    (found,) = [release for release in releases(two) if release.firm == "MSFT"]
    assert found.session == sessions[at - 1]
