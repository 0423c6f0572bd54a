"""Surprises of capex filings: known before they are used, and planted responses are found."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from backtests.calendar import OPEN
from backtests.history.panel import History
from backtests.thesis import filings as module
from backtests.thesis.errors import NotTestable
from backtests.thesis.filings import (
    AFTER,
    BEFORE,
    LARGEST,
    MOVED,
    STATES,
    controls,
    filings,
    new_amounts,
    past_deviation,
    slope_path,
    study,
    table,
)
from backtests.thesis.returns import windows
from backtests.thesis.sample import Sample
from signals.catalog import HYPERSCALERS, ttm_id
from tests.thesis.planted import with_one_filer, with_planted

SESSIONS = pd.bdate_range("2015-01-01", periods=700, name="session")
QUARTERS = [5.0, 6.0, 7.0, 8.0, 6.0, 7.5, 9.0, 8.5, 9.0, 8.0, 12.0, 11.0]


@pytest.fixture(scope="module")
def simulated() -> Sample:
    return Sample.of(History.simulated(1, thesis=False))


def one_firm(
    filed_at: list[int], amounts: list[float], assumed: int | None = None
) -> tuple[pd.Series, pd.Series]:
    """Return the amounts and moments that a panel shows; one moment may be assumed."""
    values = pd.Series(np.nan, index=SESSIONS)
    known = pd.Series(pd.NaT, index=SESSIONS, dtype="datetime64[us]")
    for number, (at, amount) in enumerate(zip(filed_at, amounts, strict=True)):
        values.iloc[at:] = amount
        known.iloc[at:] = SESSIONS[at] + (pd.Timedelta(0) if number == assumed else OPEN)
    return values, known


def years() -> list[float]:
    return [sum(QUARTERS[n - 4 : n]) for n in range(4, len(QUARTERS) + 1)]


def test_growth_is_the_quarter_minus_the_quarter_a_year_earlier() -> None:
    found = new_amounts(*one_firm([64 * n for n in range(9)], years()))
    seasonal = [QUARTERS[n] - QUARTERS[n - 4] for n in range(4, len(QUARTERS))]
    assert found["growth"].iloc[1:].tolist() == pytest.approx(
        [change / level for change, level in zip(seasonal, years(), strict=False)]
    )
    assert list(found.index) == [SESSIONS[64 * n] for n in range(9)]


def test_deviation_uses_only_earlier_changes_and_needs_four() -> None:
    found = new_amounts(*one_firm([64 * n for n in range(9)], years()))
    growth = found["growth"].tolist()
    assert found["deviation"].isna().tolist() == [True] * 5 + [False] * 4
    for n in range(5, 9):
        assert found["deviation"].iloc[n] == pytest.approx(np.std(growth[1:n], ddof=1))


def test_an_assumed_moment_is_no_filing_but_counts_as_an_earlier_change() -> None:
    whole = new_amounts(*one_firm([64 * n for n in range(9)], years()))
    found = new_amounts(*one_firm([64 * n for n in range(9)], years(), assumed=6))
    assert found["filed"].tolist() == [True] * 6 + [False] + [True] * 2
    pd.testing.assert_frame_equal(found.drop(columns="filed"), whole.drop(columns="filed"))


def test_a_change_over_a_missing_quarter_does_not_count() -> None:
    places = [64 * n for n in range(5)] + [64 * n for n in range(6, 10)]
    found = new_amounts(*one_firm(places, years()))
    assert found["growth"].isna().tolist() == [True] + [False] * 4 + [True] + [False] * 3
    assert found["deviation"].iloc[6] == pytest.approx(np.std(found["growth"].iloc[1:5], ddof=1))


def test_a_stale_amount_that_returns_is_no_new_filing() -> None:
    values, known = one_firm([64 * n for n in range(9)], years())
    values.iloc[100:110], known.iloc[100:110] = np.nan, pd.NaT
    assert len(new_amounts(values, known)) == 9


def test_surprises_are_limited(simulated: Sample) -> None:
    panel = simulated.history.panel.copy()
    first = filings(simulated.history)[-1]
    panel.loc[first.session :, ttm_id("CAPEX", first.firm)] *= 10
    found = filings(replace(simulated.history, panel=panel))[-1]
    assert found.surprise == LARGEST
    assert found.growth > 8


def test_filings_are_in_order_and_of_all_firms(simulated: Sample) -> None:
    found = filings(simulated.history)
    assert {filing.firm for filing in found} == set(HYPERSCALERS)
    assert [f.session for f in found] == sorted(f.session for f in found)
    known = simulated.history.known
    for filing in found[::17]:
        moment = known.at[filing.session, ttm_id("CAPEX", filing.firm)]
        assert moment <= filing.session + pd.Timedelta(hours=16)
        assert moment > filing.session - pd.Timedelta(days=1)


def cut(history: History, at: pd.Timestamp) -> None:
    """Compare surprises and states of a cut history with those of the whole history."""
    sample, whole = Sample.of(history.until(at)), Sample.of(history)
    now, then = (table(one, filings(one.history)) for one in (sample, whole))
    pd.testing.assert_frame_equal(now, then.loc[:at], check_exact=True)


@pytest.mark.parametrize("at", ["2012-06-29", "2017-03-31", "2021-10-29"])
def test_surprises_and_states_do_not_change_with_later_sessions(simulated: Sample, at: str) -> None:
    cut(simulated.history, pd.Timestamp(at))


@pytest.mark.parametrize(
    "cheat",
    [
        lambda growth: growth.expanding(4).std().shift(-1),
        lambda growth: pd.Series(growth.std(), index=growth.index),
    ],
)
@pytest.mark.xfail(strict=True, raises=AssertionError)
def test_a_deviation_from_later_changes_is_found(
    simulated: Sample,
    monkeypatch: pytest.MonkeyPatch,
    cheat: Callable[[pd.Series], pd.Series],
) -> None:
    monkeypatch.setattr(module, "past_deviation", cheat)
    cut(simulated.history, pd.Timestamp("2017-03-31"))


def test_the_state_was_known_before_the_filing(simulated: Sample) -> None:
    events = table(simulated, filings(simulated.history))
    flag = simulated.flag("dry_powder")
    for row in events.itertuples():
        before = flag.iloc[row.at - 2]
        assert row.state == before or (np.isnan(row.state) and np.isnan(before))
    assert set(events["state"].dropna()) == set(STATES)


def test_windows_compound_and_leave_incomplete_ones_out() -> None:
    returns = pd.Series([0.1, 0.2, np.nan, 0.5, -0.5, 0.1])
    found = windows(returns, np.array([0, 1, 4, 5]), 0, 1)
    assert found[0] == pytest.approx([0.1, 1.1 * 1.2 - 1])
    assert np.isnan(found[[1, 3]]).all()
    assert found[2] == pytest.approx([-0.5, 0.5 * 1.1 - 1])
    assert np.isnan(windows(returns, np.array([0]), -1, 0)).all()


def test_controls_lie_between_filings_of_their_firm(simulated: Sample) -> None:
    real = filings(simulated.history)
    moved = controls(simulated.history, real)
    assert 0.9 * len(real) < len(moved) <= len(real)
    sessions = simulated.sessions
    for firm in HYPERSCALERS:
        at = sessions.get_indexer(pd.DatetimeIndex([f.session for f in real if f.firm == firm]))
        for control in (one for one in moved if one.firm == firm):
            apart = at - sessions.get_loc(control.session)  # type: ignore[operator]
            assert not ((apart >= BEFORE) & (apart <= AFTER)).any()


@pytest.mark.parametrize(
    ("away", "kept"), [(0, 0), (AFTER, 0), (BEFORE, 0), (AFTER + 1, 1), (BEFORE - 1, 1)]
)
def test_a_control_with_a_filing_in_its_window_is_left_out(
    simulated: Sample, away: int, kept: int
) -> None:
    """``away``: sessions from the moved date to a filing of the same firm."""
    filing = filings(simulated.history)[-20]
    at = int(simulated.sessions.searchsorted(filing.session)) - away - MOVED
    near = replace(filing, session=simulated.sessions[at])
    assert len(controls(simulated.history, [near])) == kept


def test_a_control_before_the_history_is_left_out(simulated: Sample) -> None:
    early = replace(filings(simulated.history)[0], session=simulated.sessions[-MOVED - 1])
    assert controls(simulated.history, [early]) == ()


def test_study_finds_a_planted_response_in_its_class_and_state_only(simulated: Sample) -> None:
    base = with_one_filer(simulated)
    events = table(base, filings(base.history))
    events = events[events["state"] == 1.0]
    after = with_planted(
        base, events["at"].to_numpy() + 3, -0.04 * events["surprise"].to_numpy(), ["software"]
    )
    now, then = study(after), study(base)
    shift = (now.responses["estimate"] - then.responses["estimate"]).round(9)
    planted = ("software", STATES[1.0])
    assert shift[planted] == pytest.approx(-4.0, rel=0.15)
    assert (shift.drop(planted) == 0).all()
    path = (now.path - then.path)[planted]
    assert path.loc[:2].abs().max() < 1e-9  # type: ignore[misc]
    assert path.loc[3] == pytest.approx(-4.0, rel=0.1)
    assert list(now.path.index) == list(range(BEFORE, AFTER + 1))
    bounds = now.responses.loc[planted]
    assert bounds["low"] <= bounds["estimate"] <= bounds["high"]


def test_controls_are_flat_when_the_response_follows_the_filing(simulated: Sample) -> None:
    base = with_one_filer(simulated)
    events = table(base, filings(base.history))
    after = with_planted(
        base, events["at"].to_numpy(), -0.04 * events["surprise"].to_numpy(), ["software"]
    )
    shift = study(after).controls["estimate"] - study(base).controls["estimate"]
    assert shift.abs().max() < 1e-9


def test_the_last_row_of_the_path_is_the_response(simulated: Sample) -> None:
    found = study(simulated)
    assert found.path.loc[AFTER].to_numpy() == pytest.approx(found.responses["estimate"])
    assert found.n == len(found.surprises) == found.responses["n"].loc["broad"].sum()


def test_slope_path_of_nothing_is_nan() -> None:
    assert np.isnan(slope_path(np.full((3, 2), np.nan), np.arange(3.0))).all()


def test_a_history_without_capex_cannot_be_studied(simulated: Sample) -> None:
    bare = with_one_filer(simulated, firm="none")
    assert filings(bare.history) == ()
    with pytest.raises(NotTestable, match="no filing of capital expenditure with a surprise"):
        study(bare)


def test_a_class_without_prices_is_nan(simulated: Sample) -> None:
    closes = simulated.history.closes.copy()
    closes[["BTC-USD", "ETH-USD", "SOL-USD"]] = np.nan
    found = study(replace(simulated, history=replace(simulated.history, closes=closes)))
    assert found.responses.loc["crypto", "n"].sum() == 0
    assert found.responses.loc["crypto", "estimate"].isna().all()
    assert found.responses.loc["broad", "estimate"].notna().all()


def test_past_deviation_is_shifted() -> None:
    growth = pd.Series([np.nan, 1.0, 2.0, 3.0, 4.0, 100.0])
    assert past_deviation(growth).iloc[-1] == pytest.approx(np.std([1, 2, 3, 4], ddof=1))
