"""The response to policy surprises: a plain twin, weak instruments, and the dates that count."""

import math
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from statsmodels.sandbox.regression.gmm import IV2SLS

from backtests.thesis.claims import CLAIMS
from backtests.thesis.clustered import slope
from backtests.thesis.errors import NotTestable
from backtests.thesis.estimators import ESTIMATORS
from backtests.thesis.estimators.instrumented import Ratio, instrumented, ratio_of, surprises
from backtests.thesis.inference import t_p_value
from backtests.thesis.sample import Sample
from backtests.thesis.verdicts import judge
from signals.duration import LONG
from tests.thesis.planted import with_planted

CLAIM = next(claim for claim in CLAIMS if claim.name == "policy-surprise-hurts-long-duration")


def with_events(sample: Sample, **events: pd.Series) -> Sample:
    held = {**sample.history.events, **events}
    return replace(sample, history=replace(sample.history, events=held))


def drawn(seed: int, strength: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return y, x, z and clusters: x and y share a cause, and the true slope of y on x is −2."""
    rng = np.random.default_rng(seed)
    clusters = np.repeat(np.arange(40), 2)
    z, cause, own = rng.normal(size=(3, 80))
    x = strength * z + cause
    return -2 * x + 3 * cause + own, x, z, clusters


def test_the_estimator_is_registered() -> None:
    assert ESTIMATORS["instrumented"] is instrumented


@pytest.mark.parametrize("seed", range(5))
def test_the_ratio_is_two_stage_least_squares(seed: int) -> None:
    y, x, z, clusters = drawn(seed, 1.0)
    one = np.ones(len(y))
    oracle = IV2SLS(y, np.column_stack([one, x]), np.column_stack([one, z])).fit()
    assert ratio_of(y, x, z, clusters).value == pytest.approx(oracle.params[1], rel=1e-9)


def test_the_instrument_removes_a_common_cause() -> None:
    y, x, z, clusters = drawn(3, 1.0)
    found = ratio_of(y, x, z, clusters)
    low, high = found.bounds(0.95)
    assert low < -2.0 < high < 0
    assert slope(y, x, clusters).value > -1.0


def test_the_set_holds_exactly_the_slopes_that_the_test_does_not_reject() -> None:
    y, x, z, clusters = drawn(4, 0.8)
    low, high = ratio_of(y, x, z, clusters).bounds(0.95)
    for beta, p_value in ((low, 0.05), (high, 0.05)):
        fit = slope(y - beta * x, z, clusters)
        both = 2 * t_p_value(abs(fit.value), fit.error, fit.df, 1)
        assert both == pytest.approx(p_value, abs=1e-9)


def test_with_a_strong_instrument_the_set_is_the_interval_of_the_delta_method() -> None:
    y, x, z, clusters = drawn(5, 30.0)
    found = ratio_of(y, x, z, clusters)
    low, high = found.bounds(0.95)
    assert (low + high) / 2 == pytest.approx(found.value, abs=0.1 * (high - low))
    assert high - low == pytest.approx(4 * found.error, rel=0.1)


def weak() -> Ratio:
    return ratio_of(*drawn(2, 0.0))


def test_a_weak_instrument_gives_a_set_without_bounds() -> None:
    found = weak()
    assert found.strength < 4
    assert found.bounds(0.95) == (-math.inf, math.inf)
    bounds = found.interval()
    assert (bounds.low, bounds.low90, bounds.high) == (-math.inf, -math.inf, math.inf)


def test_a_set_without_bounds_is_inconclusive_and_named(
    simulated: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = sys.modules["backtests.thesis.estimators.instrumented"]  # the module, not the function
    monkeypatch.setattr(module, "ratio_of", lambda *columns: weak())
    found = instrumented(CLAIM, simulated)
    assert "no bounds" in found.notes[-1]
    assert judge(CLAIM, found, 0.0001).outcome == "inconclusive"


@pytest.mark.parametrize("size", [-2.0, 1.5])
def test_a_planted_response_to_the_yield_is_found(simulated: Sample, size: float) -> None:
    _, events = surprises(simulated)
    at = simulated.sessions.get_indexer(pd.DatetimeIndex(events.table.index))
    shocks = size / 100 * events.table["change"].to_numpy()
    planted = with_planted(simulated, at, shocks, LONG)
    now, then = instrumented(CLAIM, planted), instrumented(CLAIM, simulated)
    assert now.value - then.value == pytest.approx(size, rel=0.1)
    assert now.interval.low < now.value < now.interval.high
    surprise, change = (events.table[name].to_numpy() for name in ("surprise", "change"))
    first_stage = float(np.polyfit(surprise, change, 1)[0])
    said = f"A surprise of 10 basis points changes DGS2 by {10 * first_stage:.1f} basis points"
    assert said in now.notes[0]
    assert "F statistic of the first stage" in now.notes[0]
    assert "is not a trading rule" in now.notes[1]
    assert "series of FOMC statements" in now.notes[-1]


def test_unscheduled_statements_count_and_other_dates_do_not(simulated: Sample) -> None:
    days = simulated.history.events["FOMC"].index
    kept = days[1::2]
    fewer = with_events(simulated, FOMC=pd.Series(0.0, index=kept))
    _, events = surprises(fewer)
    assert set(events.table.index) <= set(kept)
    _, all_events = surprises(simulated)
    assert len(all_events.table) > 1.8 * len(events.table)


def test_a_statement_on_a_sunday_belongs_to_monday(simulated: Sample) -> None:
    sunday = pd.DatetimeIndex(["2020-03-15"])
    one = pd.Series(0.3, index=sunday)
    _, events = surprises(with_events(simulated, FOMC=one, MPS_ME=one))
    assert list(events.table.index) == [pd.Timestamp("2020-03-16")]
    assert events.table["surprise"].tolist() == pytest.approx([3.0])


def test_without_the_first_instrument_the_second_takes_its_place(simulated: Sample) -> None:
    none = pd.Series(dtype="float64")
    assert surprises(simulated)[0] == "MPS_ME"
    assert surprises(with_events(simulated, MPS_ME=none))[0] == "MPS_BS"
    with pytest.raises(NotTestable, match="no surprise of an FOMC statement"):
        surprises(with_events(simulated, MPS_ME=none, MPS_BS=none))


def test_two_intervals_beside_leave_out_the_statements_that_matter_most(simulated: Sample) -> None:
    table = (events := surprises(simulated)[1]).table
    y, columns = events.response[:, -1], (table["change"], table["surprise"], table["quarter"])
    all_but_one = [
        ratio_of(np.delete(y, at), *(np.delete(column.to_numpy(), at) for column in columns))
        for at in range(len(y))
    ]
    found = instrumented(CLAIM, simulated)
    for most in (min, max):
        at = most(range(len(y)), key=lambda at: all_but_one[at].value)
        name = f"without {pd.DatetimeIndex(table.index)[at].date()}"
        assert vars(found.beside[name]) == pytest.approx(vars(all_but_one[at].interval()))
        assert f"{all_but_one[at].value:+.2f} ({name})" in found.notes[2]


def test_statements_do_not_change_with_later_sessions(simulated: Sample) -> None:
    at = pd.Timestamp("2017-03-31")
    now = surprises(replace(simulated, history=simulated.history.until(at)))[1]
    whole = surprises(simulated)[1].table
    pd.testing.assert_frame_equal(now.table, whole.loc[: now.table.index[-1]])
    assert len(now.table) >= (whole.index <= at).sum() - 1  # the last window may be cut


def test_few_quarters_are_not_testable(simulated: Sample) -> None:
    few = simulated.history.events["FOMC"].iloc[-5:]
    with pytest.raises(NotTestable, match=r"in 3 calendar quarters \(policy statements\)"):
        instrumented(CLAIM, with_events(simulated, FOMC=few))
