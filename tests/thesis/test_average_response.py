"""The mean response to bond deals: planted effects, few quarters, and notes on news."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from backtests.thesis.claims import CLAIMS
from backtests.thesis.errors import NotTestable
from backtests.thesis.estimators import ESTIMATORS
from backtests.thesis.estimators.average_response import (
    average_response,
    deals,
    mean_by_quarter,
    random_means,
    spread_at_each_session,
)
from backtests.thesis.inference import t_interval
from backtests.thesis.sample import Sample
from signals.catalog import BOND_ISSUERS
from signals.duration import LONG
from tests.reference.naive_regressions import average_response as by_hand
from tests.thesis.planted import with_planted

CLAIM = next(claim for claim in CLAIMS if claim.name == "bond-deals-hurt-long-duration")


def with_deals(sample: Sample, days: list[str], issuer: str = "META") -> Sample:
    """Return the sample with these deals only, of 10 bn USD each."""
    none = {f"BOND_DEAL_{other}": pd.Series(dtype="float64") for other in BOND_ISSUERS}
    dated = pd.Series(1e10, index=pd.DatetimeIndex(days))
    events = {**sample.history.events, **none, f"BOND_DEAL_{issuer}": dated}
    return replace(sample, history=replace(sample.history, events=events))


def test_the_estimator_is_registered() -> None:
    assert ESTIMATORS["average_response"] is average_response


@pytest.mark.parametrize("size", [-3.0, 2.0])
def test_a_planted_response_is_found(simulated: Sample, size: float) -> None:
    at = deals(simulated)["at"].unique()
    planted = with_planted(simulated, at + 2, np.full(len(at), size / 100), LONG)
    now, then = average_response(CLAIM, planted), average_response(CLAIM, simulated)
    assert now.value - then.value == pytest.approx(size, rel=0.1)
    assert now.shown is not None
    assert list(now.shown.index) == list(range(6))
    if size < 0:
        assert now.p_value < 0.025
        assert now.interval.high < 0


def test_the_estimate_is_that_of_plain_loops(simulated: Sample) -> None:
    found, response = deals(simulated), spread_at_each_session(simulated)[:, -1]
    slow = by_hand(response[found["at"]].tolist(), found["quarter"].tolist())
    fast = average_response(CLAIM, simulated)
    assert (fast.value, fast.error, fast.df) == pytest.approx(slow[:3])
    bounds = t_interval(*slow[:3])
    assert (fast.interval.low, fast.interval.high90) == pytest.approx((bounds.low, bounds.high90))


def test_the_response_begins_at_the_close_before_the_deal(simulated: Sample) -> None:
    at = int(simulated.sessions.searchsorted(pd.Timestamp("2020-06-10")))
    planted = with_planted(simulated, np.array([at]), np.array([-0.5]), LONG)
    now, then = (spread_at_each_session(s)[:, -1] for s in (planted, simulated))
    touched = np.flatnonzero(~np.isclose(now, then, atol=1e-9, equal_nan=True))
    assert touched.tolist() == list(range(at - 5, at + 1))


def test_a_deal_on_a_saturday_belongs_to_monday(simulated: Sample) -> None:
    found = deals(with_deals(simulated, ["2020-06-13"]))
    assert list(found.index) == [pd.Timestamp("2020-06-15")]


def test_news_within_a_day_is_marked(simulated: Sample) -> None:
    history = simulated.history
    events = {
        **history.events,
        "FOMC": pd.Series(1.0, index=pd.DatetimeIndex(["2020-06-10"])),
        "EARNINGS_META": pd.Series(1.0, index=pd.DatetimeIndex(["2020-07-08"])),
        "EARNINGS_MSFT": pd.Series(1.0, index=pd.DatetimeIndex(["2020-08-12"])),
    }
    other = replace(simulated, history=replace(history, events=events))
    days = ["2020-06-08", "2020-06-09", "2020-06-11", "2020-06-12", "2020-07-09", "2020-08-12"]
    found = deals(with_deals(other, days))
    assert found["near"].tolist() == [False, True, True, False, False, False]
    assert found["reported"].tolist() == [False, False, False, False, True, False]


def test_the_interval_beside_leaves_out_the_deals_near_a_statement(simulated: Sample) -> None:
    """A deal near the firm's own release stays in this interval."""
    found = deals(simulated)
    response = spread_at_each_session(simulated)[:, -1]
    apart = found[~found["near"].to_numpy() & ~np.isnan(response[found["at"]])]
    assert (found["near"] != found["reported"]).any()
    value, error, df, _ = mean_by_quarter(response, apart)
    beside = average_response(CLAIM, simulated).beside["without deals near FOMC statements"]
    assert beside == t_interval(value, error, df)


def test_fewer_than_four_quarters_are_not_testable(simulated: Sample) -> None:
    days = ["2020-02-03", "2020-02-04", "2020-05-04", "2020-08-03", "2020-08-04"]
    with pytest.raises(NotTestable, match=r"in 3 calendar quarters \(bond deals\); at least 4"):
        average_response(CLAIM, with_deals(simulated, days))
    found = average_response(CLAIM, with_deals(simulated, [*days, "2020-11-02"]))
    assert found.observations == 6
    assert found.notes[0].startswith("6 deals of 1 firms in 4 calendar quarters.")


def test_a_history_without_deals_is_not_testable(simulated: Sample) -> None:
    bare = replace(simulated, history=replace(simulated.history, events={}))
    with pytest.raises(NotTestable, match="no bond deal of a hyperscaler"):
        average_response(CLAIM, bare)


def test_deals_do_not_change_with_later_sessions(simulated: Sample) -> None:
    at = pd.Timestamp("2017-03-31")
    now = deals(replace(simulated, history=simulated.history.until(at)))
    pd.testing.assert_frame_equal(now, deals(simulated).loc[:at])


def test_random_dates_keep_the_year_and_the_distance_of_deals_in_a_quarter() -> None:
    """The response of a session is its own position. So a mean shows to where the dates moved."""
    sessions = pd.bdate_range("2019-01-01", "2020-12-31")
    where = np.arange(len(sessions), dtype=float)
    first = int(sessions.searchsorted(pd.Timestamp("2020-01-01")))
    at = np.array([first + 10, first + 12])
    found = pd.DataFrame({"at": at, "quarter": 1}, index=sessions[at])
    drawn = random_means(where, found, sessions, draws=2000)
    assert drawn.min() >= first
    length = len(sessions) - first
    wrapped = np.isclose(drawn, first + length / 2)  # one deal at each end of the year
    assert np.allclose(drawn[~wrapped] % 1, 0)
    assert len(np.unique(drawn)) > 0.95 * length


def test_random_dates_leave_out_sessions_without_a_response() -> None:
    sessions = pd.bdate_range("2020-01-01", "2020-12-31")
    response = np.where(np.arange(len(sessions)) % 2 == 0, 1.0, np.nan)
    found = pd.DataFrame({"at": [4], "quarter": 1}, index=sessions[[4]])
    assert (random_means(response, found, sessions, draws=500) == 1.0).all()


def test_the_test_by_random_dates_keeps_its_level() -> None:
    rng, ranks = np.random.default_rng(0), []
    sessions = pd.bdate_range("2015-01-01", "2018-12-31")
    for _ in range(80):
        response = pd.Series(rng.normal(size=len(sessions))).rolling(6).sum().to_numpy()
        at = np.sort(rng.choice(np.arange(10, len(sessions)), 8, replace=False))
        days = sessions[at]
        found = pd.DataFrame({"at": at, "quarter": days.year * 4 + days.quarter}, index=days)
        drawn = random_means(response, found, sessions, draws=199)
        ranks.append((drawn <= response[at].mean()).mean())
    assert 0.4 < np.mean(ranks) < 0.6
    assert sum(rank < 0.1 for rank in ranks) <= 15
