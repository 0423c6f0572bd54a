"""Surprises of capex filings are known before their use, and planted responses are found."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from backtests.calendar import CLOSE, OPEN
from backtests.history.panel import History
from backtests.thesis import filings as module
from backtests.thesis.errors import NotTestable
from backtests.thesis.filings import (
    AFTER,
    BEFORE,
    LARGEST,
    MOVED,
    STATES,
    FilingStudy,
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
from tests.reference import naive_events
from tests.thesis.planted import with_one_filer, with_planted

pytestmark = pytest.mark.usefixtures("evaluated_before")

SESSIONS = pd.bdate_range("2015-01-01", periods=700, name="session")
QUARTERS = [5.0, 6.0, 7.0, 8.0, 6.0, 7.5, 9.0, 8.5, 9.0, 8.0, 12.0, 11.0]


def one_firm(
    filed_at: list[int], amounts: list[float], assumed: int | None = None
) -> tuple[pd.Series, pd.Series]:
    """Return amounts, and the moments when they were known. One moment may be assumed."""
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
        moments = known[ttm_id("CAPEX", filing.firm)]
        assert moments[filing.session] <= filing.session + CLOSE
        before = moments.shift()[filing.session]
        assert pd.isna(before) or before < moments[filing.session]


@pytest.fixture(params=["simulated", "real"])
def either(request: pytest.FixtureRequest) -> History:
    """Return a simulated history, and then real history."""
    if request.param == "real":
        real: History = request.getfixturevalue("history")
        return real
    sample: Sample = request.getfixturevalue("simulated")
    return sample.history


@pytest.mark.parametrize("firm", HYPERSCALERS)
def test_surprises_equal_plain_loops(either: History, firm: str) -> None:
    id = ttm_id("CAPEX", firm)
    known = either.known[id].dropna()
    values = either.panel[id][known.index]
    rows = list(
        zip(pd.DatetimeIndex(known.index).date, values, known.dt.to_pydatetime(), strict=True)
    )
    expected = naive_events.surprises(rows)
    found = [filing for filing in filings(either) if filing.firm == firm]
    assert [filing.session.date() for filing in found] == [session for session, _ in expected]
    assert [filing.surprise for filing in found] == pytest.approx([size for _, size in expected])


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


def test_the_state_was_known_before_the_filing(
    simulated: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The flag is random at each session, so the result shows which session's flag decides."""
    bits = np.random.default_rng(0).integers(0, 2, len(simulated.sessions)).astype(float)
    flag = pd.Series(bits, index=simulated.sessions)
    monkeypatch.setattr(Sample, "flag", lambda sample, name: flag)
    events = table(simulated, filings(simulated.history))
    np.testing.assert_array_equal(events["state"], bits[events["at"].to_numpy() - 2])


def test_a_filing_whose_moment_was_assumed_is_left_out(simulated: Sample) -> None:
    real = filings(simulated.history)
    left, id = real[100], ttm_id("CAPEX", real[100].firm)
    known = simulated.history.known.copy()
    moment = known[id][left.session]
    known[id] = known[id].where(known[id] != moment, moment.normalize())
    assert filings(replace(simulated.history, known=known)) == (*real[:100], *real[101:])


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
            apart = at - int(sessions.searchsorted(control.session))
            assert not ((apart >= BEFORE) & (apart <= AFTER)).any()


@pytest.mark.parametrize(
    ("away", "kept"), [(0, 0), (AFTER, 0), (BEFORE, 0), (AFTER + 1, 1), (BEFORE - 1, 1)]
)
def test_a_control_with_a_filing_in_its_window_is_left_out(
    simulated: Sample, away: int, kept: int
) -> None:
    """``away`` is the number of sessions from the moved date to a filing of the same firm."""
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
    shift = (now.path - then.path).to_numpy()
    column = list(now.path).index(("software", STATES[1.0]))
    planted = shift[:, column]
    assert planted[[3 - BEFORE, -1]] == pytest.approx([-4.0, -4.0], rel=0.15)
    assert np.abs(planted[: 3 - BEFORE]).max() < 1e-9
    assert np.abs(np.delete(shift, column, axis=1)).max() < 1e-9
    assert list(now.path.index) == list(range(BEFORE, AFTER + 1))
    bounds = now.responses
    assert (bounds["low"] <= bounds["estimate"]).all()
    assert (bounds["estimate"] <= bounds["high"]).all()


def test_controls_are_flat_when_the_response_follows_the_filing(simulated: Sample) -> None:
    base = with_one_filer(simulated)
    events = table(base, filings(base.history))
    after = with_planted(
        base, events["at"].to_numpy(), -0.04 * events["surprise"].to_numpy(), ["software"]
    )
    shift = study(after).controls["estimate"] - study(base).controls["estimate"]
    assert shift.abs().max() < 1e-9


def numbers(found: FilingStudy, name: str, column: str) -> list[float]:
    """Return a column of the responses of a class, for both states."""
    return found.responses.xs(name)[column].tolist()


def test_the_last_row_of_the_path_is_the_response(simulated: Sample) -> None:
    found = study(simulated)
    assert found.path.loc[AFTER].to_numpy() == pytest.approx(found.responses["estimate"])
    assert found.n == len(found.surprises) == sum(numbers(found, "broad", "n"))


def test_slope_path_of_nothing_is_nan() -> None:
    assert np.isnan(slope_path(np.full((3, 2), np.nan), np.arange(3.0))).all()


def test_a_history_without_capex_cannot_be_studied(simulated: Sample) -> None:
    bare = with_one_filer(simulated, firm="none")
    assert filings(bare.history) == ()
    with pytest.raises(NotTestable, match="no capex surprise in filings"):
        study(bare)


def test_a_class_without_prices_is_nan(simulated: Sample) -> None:
    closes = simulated.history.closes.copy()
    closes[["BTC-USD", "ETH-USD", "SOL-USD"]] = np.nan
    found = study(replace(simulated, history=replace(simulated.history, closes=closes)))
    assert numbers(found, "crypto", "n") == [0, 0]
    assert np.isnan(numbers(found, "crypto", "estimate")).all()
    assert not np.isnan(numbers(found, "broad", "estimate")).any()


def test_past_deviation_is_shifted() -> None:
    growth = pd.Series([np.nan, 1.0, 2.0, 3.0, 4.0, 100.0])
    assert past_deviation(growth).iloc[-1] == pytest.approx(np.std([1, 2, 3, 4], ddof=1))


def test_real_history_has_some_two_hundred_filings(history: History) -> None:
    """The numbers of filings by firm were counted by hand from the filing dates of the SEC."""
    found = pd.Series([filing.firm for filing in filings(history)]).value_counts()
    assert found.to_dict() == {"MSFT": 61, "ORCL": 54, "META": 47, "GOOGL": 36, "AMZN": 28}
    assert study(Sample.of(history)).n == 208


@pytest.mark.parametrize("at", ["2019-10-31", "2023-02-03"])
def test_real_surprises_do_not_change_with_later_sessions(history: History, at: str) -> None:
    cut(history, pd.Timestamp(at))
