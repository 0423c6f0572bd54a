"""Responses to filings and policy statements: planted effects are found; missing data are named."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from backtests.history.panel import History
from backtests.thesis.claim import Claim
from backtests.thesis.claims import CLAIMS
from backtests.thesis.clustered import Slope, minus, slope
from backtests.thesis.errors import NotTestable
from backtests.thesis.estimators import ESTIMATORS
from backtests.thesis.estimators.event_response import event_response, policy_table
from backtests.thesis.events import Events, read_events
from backtests.thesis.filings import AFTER, filings, table
from backtests.thesis.policy import statements
from backtests.thesis.responses import AFTER_NEWS, complete, spread, without_one
from backtests.thesis.sample import Sample
from signals.duration import LONG, SHORT
from signals.errors import ConfigError
from signals.universe import members
from tests.thesis.planted import as_real, with_one_filer, with_planted

FILINGS, RELEASES, POLICY = (
    next(claim for claim in CLAIMS if claim.name == name)
    for name in (
        "capex-filings-hurt-long-duration",
        "capex-releases-hurt-long-duration",
        "tight-policy-hurts-long-duration",
    )
)


def test_the_estimator_is_registered() -> None:
    assert ESTIMATORS["event_response"] is event_response


def test_spread_is_the_mean_of_long_classes_minus_the_mean_of_short_ones(
    simulated: Sample,
) -> None:
    at = np.array([2000, 3000])
    found = spread(simulated, at, 0, 3)
    for row, place in enumerate(at):
        long, short = (
            np.mean([np.prod(1 + simulated.asset_class(name).to_numpy()[place : place + 4])
                     for name in names])
            for names in (LONG, SHORT)
        )  # fmt: skip
        assert found[row, -1] == pytest.approx(long - short)


def test_an_event_before_a_declared_class_has_prices_is_left_out(simulated: Sample) -> None:
    closes = simulated.history.closes.copy()
    closes.loc[closes.index[:2500], list(members("crypto"))] = np.nan
    late = replace(simulated, history=replace(simulated.history, closes=closes))
    found = spread(late, np.array([2000, 3000]), 0, 3)[:, -1]
    assert np.isnan(found[0])
    assert found[1] == spread(simulated, np.array([3000]), 0, 3)[0, -1]


@pytest.mark.parametrize("size", [-3.0, 2.0])
def test_a_planted_response_to_filings_is_found(simulated: Sample, size: float) -> None:
    base = with_one_filer(simulated)
    events = table(base, filings(base.history))
    events = events[events["state"] == 1.0]
    shocks = size / 100 * events["surprise"].to_numpy()
    planted = with_planted(base, events["at"].to_numpy(), shocks, LONG)
    now, then = event_response(FILINGS, planted), event_response(FILINGS, base)
    assert now.value - then.value == pytest.approx(size, rel=0.1)
    assert now.observations == then.observations
    assert now.start in planted.sessions
    assert now.shown is not None
    assert list(now.shown.index) == list(range(AFTER + 1))


def test_a_large_planted_response_passes_both_tests() -> None:
    simulated = Sample.of(History.simulated(3, thesis=False))  # depleted in 21 quarters
    events = table(simulated, filings(simulated.history))
    events = events[events["state"] == 1.0]
    shocks = -0.10 * events["surprise"].to_numpy()
    found = event_response(FILINGS, with_planted(simulated, events["at"].to_numpy(), shocks, LONG))
    assert set(found.tests) == {"clustered t", "permuted surprises"}
    assert found.p_value < 0.01
    assert found.interval.high < 0
    assert found.episodes is not None
    assert found.episodes >= 1


def test_the_same_response_in_both_states_is_no_difference(simulated: Sample) -> None:
    base = with_one_filer(simulated)
    events = table(base, filings(base.history)).dropna(subset="state")
    shocks = -0.03 * events["surprise"].to_numpy()
    planted = with_planted(base, events["at"].to_numpy(), shocks, LONG)
    shift = event_response(FILINGS, planted).value - event_response(FILINGS, base).value
    assert abs(shift) < 0.2


@pytest.mark.parametrize("size", [-2.0, 1.5])
def test_a_planted_response_to_policy_is_found(simulated: Sample, size: float) -> None:
    base = as_real(simulated)
    events = policy_table(base, read_events())
    shocks = size / 100 * events["surprise"].to_numpy()
    planted = with_planted(base, events["at"].to_numpy(), shocks, LONG)
    now, then = event_response(POLICY, planted), event_response(POLICY, base)
    assert now.value - then.value == pytest.approx(size, rel=0.1)
    assert now.episodes is None
    assert now.shown is not None
    assert list(now.shown.index) == list(range(AFTER_NEWS + 1))


@pytest.mark.parametrize("claim", [FILINGS, POLICY])
def test_two_intervals_beside_leave_out_the_events_that_matter_most(
    simulated: Sample, claim: Claim
) -> None:
    base = as_real(with_one_filer(simulated))
    if claim is POLICY:
        events = complete(base, policy_table(base, read_events()), AFTER_NEWS)
        firm = ""
    else:
        found = table(base, filings(base.history)).assign(row=0, column=0)
        depleted = found[found["state"] == 1.0]
        shocks = -0.10 * depleted["surprise"].to_numpy()
        base = with_planted(base, depleted["at"].to_numpy(), shocks, LONG)
        events, firm = complete(base, found, AFTER), "MSFT "
    y, x, state, quarter = (
        events.response[:, -1],
        *(events.table[name].to_numpy() for name in ("surprise", "state", "quarter")),
    )

    def without(at: int) -> Slope:
        kept = np.arange(len(y)) != at
        parts = [kept & (state == one) for one in sorted(set(state), reverse=True)]
        fits = [slope(y[part], x[part], quarter[part]) for part in parts]
        return minus(*fits) if len(fits) == 2 else fits[0]

    estimate, all_but_one = event_response(claim, base), [without(at) for at in range(len(y))]
    assert len(estimate.beside) == 2
    assert any("events.toml" in note for note in estimate.notes) == (claim is POLICY)
    for most in (min, max):
        at = most(range(len(y)), key=lambda at: all_but_one[at].value)
        name = f"without {firm}{events.table.index[at].date()}"
        assert vars(estimate.beside[name]) == pytest.approx(vars(all_but_one[at].interval))
        assert any(f"{all_but_one[at].value:+.2f} ({name})" in note for note in estimate.notes)


def test_without_the_only_surprise_no_interval_is_beside(simulated: Sample) -> None:
    """The surprises of all events but one are equal."""
    found = statements(simulated, simulated.sessions[::60]).assign(surprise=0.0)
    events = complete(simulated, found, AFTER_NEWS)
    events.table["surprise"] = np.where(np.arange(len(events.table)) == 7, 1.0, 0.0)
    others = events.slopes_without_one()
    assert without_one(events, others, lambda rest: rest.slope().interval) == ({}, ())


def test_policy_news_is_the_change_of_the_yield_dated_on_the_day(simulated: Sample) -> None:
    base = as_real(simulated)
    events = policy_table(base, read_events())
    yields, at = base.history.panel["DGS2"].to_numpy(), events["at"].to_numpy()
    assert events["surprise"].to_numpy() == pytest.approx((yields[at + 1] - yields[at]) / 0.10)
    dated = (base.history.known["DGS2"].dt.normalize() == base.sessions).to_numpy()
    assert dated[at + 1].all()  # the next value became known at this session


def test_a_yield_that_is_late_is_no_news_of_zero(simulated: Sample) -> None:
    """The panel repeats the last yield until the next one is known."""
    at = 2000
    panel, known = simulated.history.panel.copy(), simulated.history.known.copy()
    repeated = simulated.sessions == simulated.sessions[at + 1]
    for late_one in (panel, known):
        late_one["DGS2"] = late_one["DGS2"].mask(repeated, late_one["DGS2"].shift())
    late = replace(simulated, history=replace(simulated.history, panel=panel, known=known))
    days = simulated.sessions[[at - 40, at]]
    change = statements(late, days)["change"]
    assert change.isna().tolist() == [False, True]
    assert change.iloc[0] == statements(simulated, days)["change"].iloc[0]


def test_a_statement_on_a_sunday_belongs_to_the_next_session(simulated: Sample) -> None:
    events = policy_table(as_real(simulated), read_events())
    assert pd.Timestamp("2020-03-16") in events.index
    assert pd.Timestamp("2020-03-15") not in events.index


def test_dates_of_announced_operations_are_no_policy_news(simulated: Sample) -> None:
    known = read_events()
    operation = replace(
        known.policy[0], what="end of runoff", day=pd.Timestamp("2019-05-15").date()
    )
    more = Events(episodes=(), policy=(*known.policy, operation))
    base = as_real(simulated)
    pd.testing.assert_frame_equal(policy_table(base, more), policy_table(base, known))


def test_estimates_are_the_same_every_time(simulated: Sample) -> None:
    first, again = (event_response(FILINGS, simulated) for _ in range(2))
    assert first.tests == again.tests


def test_a_simulated_history_has_no_policy_dates(simulated: Sample) -> None:
    with pytest.raises(NotTestable, match="no dates of real policy statements"):
        event_response(POLICY, simulated)


def test_policy_needs_the_two_year_yield(simulated: Sample) -> None:
    history = replace(simulated.history, panel=simulated.history.panel.drop(columns="DGS2"))
    with pytest.raises(NotTestable, match="no value of DGS2"):
        event_response(POLICY, as_real(replace(simulated, history=history)))


def test_a_history_without_releases_cannot_test_a_claim_about_them(simulated: Sample) -> None:
    with pytest.raises(NotTestable, match="no releases of capital spending"):
        event_response(RELEASES, replace(simulated, history=replace(simulated.history, events={})))


def test_filings_need_quarters_in_both_states() -> None:
    short = Sample.of(History.simulated(1, years=5))
    with pytest.raises(NotTestable, match=r"in \d calendar quarters .* at least 4 are needed"):
        event_response(FILINGS, short)


@pytest.mark.parametrize("claim", [FILINGS, POLICY])
def test_a_missing_side_is_named(simulated: Sample, claim: Claim) -> None:
    closes = simulated.history.closes.copy()
    closes[["BTC-USD", "ETH-USD", "SOL-USD"]] = np.nan
    bare = as_real(replace(simulated, history=replace(simulated.history, closes=closes)))
    with pytest.raises(NotTestable, match="no price of the class crypto"):
        event_response(claim, bare)


def test_another_claim_is_refused_by_its_name(simulated: Sample) -> None:
    other = next(claim for claim in CLAIMS if claim.estimator == "mean")
    with pytest.raises(ConfigError, match=r"unknown claim 'crypto-below-spy'.*keep the claim's"):
        event_response(other, simulated)
