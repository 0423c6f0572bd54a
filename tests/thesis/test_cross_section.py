"""Single shares sorted by the duration known then, and held in thirds, without funds or coins."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from backtests.history.panel import History
from backtests.thesis import cross_section as module
from backtests.thesis.cross_section import (
    FEWEST,
    cross_section,
    durations,
    held,
    long_less_short,
    month_ends,
    monthly,
    shares_of,
    thirds,
)
from backtests.thesis.errors import NotTestable
from backtests.thesis.measures import measure
from backtests.thesis.sample import LAG, Sample
from signals.empirical_duration import empirical_durations
from signals.universe import FUNDS, UNIVERSE
from tests.thesis.worlds import claim


@pytest.fixture(scope="module")
def simulated() -> Sample:
    return Sample.of(History.simulated(1, years=8, thesis=False))


@pytest.fixture(scope="module")
def known(simulated: Sample) -> pd.DataFrame:
    return durations(simulated)


def test_shares_are_neither_funds_nor_coins(simulated: Sample) -> None:
    shares = set(shares_of(simulated))
    assert {"MU", "MSFT", "TSM", "AAPL", "INTC"} <= shares
    assert not shares & FUNDS
    assert not shares & {"SPY", "SMH", "ARKK", "GBTC", "IBIT", "VOO", "BTC-USD"}
    assert not FUNDS & set(UNIVERSE)


def test_each_ticker_of_the_real_prices_is_a_share_or_a_fund_as_listed(history: History) -> None:
    shares = set(shares_of(Sample.of(history)))
    assert shares == {
        *("AAPL", "ADBE", "AMD", "AMZN", "ASML", "AVGO", "COIN", "CRM", "CRWV", "GOOGL", "INTC"),
        *("META", "MSFT", "MSTR", "MU", "NOW", "NVDA", "ORCL", "SNDK", "SNOW", "STX", "TEAM"),
        *("TSM", "WDAY", "WDC"),
    }


def test_months_end_at_their_last_session_and_an_open_month_has_no_end(simulated: Sample) -> None:
    until = simulated.history.until("2022-05-18")
    ends = month_ends(Sample(history=until, reading=simulated.reading))
    assert list(ends[-2:]) == [pd.Timestamp("2022-03-31"), pd.Timestamp("2022-04-29")]


def test_durations_are_those_known_at_the_month_end(simulated: Sample, known: pd.DataFrame) -> None:
    at = known.index[20]
    shares = shares_of(simulated)
    expected = empirical_durations(simulated.history.panel.loc[:at], shares)["duration"]
    pd.testing.assert_series_equal(known.loc[at], expected, check_names=False)


def test_thirds_by_hand() -> None:
    row = pd.DataFrame([[3.0, 1.0, np.nan, 2.0, -4.0, 9.0, 1.0, 5.0]], columns=list("abcdefgh"))
    found = thirds(row).iloc[0]
    # Seven durations: two shares in each outer third. b and g are equal, and b comes first.
    assert found[found == 1.0].index.tolist() == ["f", "h"]
    assert found[found == -1.0].index.tolist() == ["b", "e"]
    assert found[found == 0.0].index.tolist() == ["a", "d", "g"]
    assert np.isnan(found["c"])


def test_a_sort_is_held_from_the_second_session_of_the_next_month(
    simulated: Sample, known: pd.DataFrame
) -> None:
    """The sort is known at the month's last close and traded at the next close.

    The returns after this close count.
    """
    kept, sessions = held(simulated, known), simulated.sessions
    end = known.index[10]
    after = int(sessions.searchsorted(end)) + 1
    assert kept.loc[sessions[after]].equals(kept.loc[end])
    assert kept.loc[sessions[after + 1]].equals(known.loc[end].rename(sessions[after + 1]))


def test_the_daily_return_equals_plain_loops(simulated: Sample, known: pd.DataFrame) -> None:
    found, sessions = long_less_short(simulated), simulated.sessions
    closes = simulated.history.closes
    for place in (900, 1300, 1800):
        decided = [end for end in known.index if end <= sessions[place - 2]][-1]
        ranked = known.loc[decided].dropna().sort_values(kind="stable").index.tolist()
        number = len(ranked) // 3
        sides = []
        for side in (ranked[-number:], ranked[:number]):
            returns = [closes[t].iloc[place] / closes[t].iloc[place - 1] - 1 for t in side]
            sides.append(sum(returns) / number)
        assert found.iloc[place] == pytest.approx(sides[0] - sides[1])


def test_a_share_without_a_return_does_not_count(simulated: Sample) -> None:
    sides = held(simulated, thirds(durations(simulated)))
    long = sides.iloc[1500][sides.iloc[1500] == 1.0].index
    closes = simulated.history.closes.copy()
    closes.loc[closes.index[1500], long[0]] = np.nan
    other = replace(simulated, history=replace(simulated.history, closes=closes))
    returns = closes[long[1:]].pct_change(fill_method=None).iloc[1500].mean()
    short = sides.iloc[1500][sides.iloc[1500] == -1.0].index
    expected = returns - closes[short].pct_change(fill_method=None).iloc[1500].mean()
    assert long_less_short(other).iloc[1500] == pytest.approx(expected)


def test_the_claim_measures_this_spread_on_absorbed_sessions(simulated: Sample) -> None:
    found = measure(claim("long-shares-fall-behind"), simulated)
    pd.testing.assert_series_equal(found.values, long_less_short(simulated))
    pd.testing.assert_series_equal(found.on, simulated.condition("absorption"))


def cut(sample: Sample, at: pd.Timestamp) -> None:
    """Compare the spread of a cut history with that of the whole history."""
    now = long_less_short(Sample(history=sample.history.until(at), reading=sample.reading))
    pd.testing.assert_series_equal(now, long_less_short(sample).loc[:at], check_exact=True)


@pytest.mark.parametrize("at", ["2020-06-15", "2022-09-30"])
def test_the_spread_does_not_change_with_later_sessions(simulated: Sample, at: str) -> None:
    cut(simulated, pd.Timestamp(at))


@pytest.mark.xfail(strict=True, raises=AssertionError)
def test_a_duration_from_later_months_is_found(
    simulated: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "durations", lambda sample: durations(sample).shift(-3))
    cut(simulated, pd.Timestamp("2020-06-15"))


def test_rank_correlations_equal_scipys(simulated: Sample, known: pd.DataFrame) -> None:
    from scipy.stats import spearmanr

    months, closes = monthly(simulated, known), simulated.history.closes
    sessions = simulated.sessions
    first, second = known.index[12], known.index[13]
    begin, end = (int(sessions.searchsorted(day)) + 1 for day in (first, second))
    shares = known.loc[first].dropna().index
    earned = closes[shares].iloc[end] / closes[shares].iloc[begin] - 1
    assert months.loc[first, "shares"] == earned.notna().sum()
    assert months.loc[first, "correlation"] == pytest.approx(
        spearmanr(known.loc[first, shares], earned, nan_policy="omit").statistic
    )
    on = simulated.condition("absorption")
    assert months["on"].iloc[12] == on.iloc[begin + 1] or np.isnan(on.iloc[begin + 1])
    assert len(months) == len(known) - 1


def test_a_return_over_two_months_is_not_a_months_return(
    simulated: Sample, known: pd.DataFrame
) -> None:
    """A month end without enough durations has no ranking."""
    whole = monthly(simulated, known)
    without = monthly(simulated, known.drop(known.index[13]))
    assert np.isnan(without["correlation"].iloc[12])
    kept = without.index.delete(12)
    pd.testing.assert_frame_equal(without.loc[kept], whole.loc[kept])


def test_the_months_do_not_change_if_the_history_ends_on_the_first_session_of_a_month(
    simulated: Sample, known: pd.DataFrame
) -> None:
    """The last return ends LAG sessions after a ranking, at the last session of the history."""
    rankings = known.iloc[:40]
    last = simulated.sessions[int(simulated.sessions.searchsorted(rankings.index[-1])) + LAG]
    ended = Sample(history=simulated.history.until(last), reading=simulated.reading)
    pd.testing.assert_frame_equal(monthly(ended, rankings), monthly(simulated, rankings))


def test_a_planted_order_is_found_in_its_state_only(
    simulated: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    months = pd.DataFrame(
        {"correlation": [-0.5, -0.6, 0.1, 0.0, -0.1, 0.1, -0.4, -0.5], "shares": 20},
        index=pd.date_range("2020-01-31", periods=8, freq="ME"),
    ).assign(on=[1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0])
    monkeypatch.setattr(module, "monthly", lambda sample, known: months)
    found = cross_section(simulated).correlations
    absorbed, other = (found.loc[state] for state in ("capital absorbed", "other months"))
    assert absorbed["estimate"] == pytest.approx(-0.5)
    assert (absorbed["months"], absorbed["clusters"]) == (4, 2)
    assert absorbed["low"] < -0.5 < absorbed["high"]
    assert (other["estimate"], other["months"], other["clusters"]) == (pytest.approx(0.025), 4, 1)
    assert np.isnan(other["low"])


def test_the_last_sort_names_three_thirds(simulated: Sample, known: pd.DataFrame) -> None:
    found = cross_section(simulated)
    assert found.now["duration"].is_monotonic_decreasing
    measured = empirical_durations(simulated.history.panel.loc[: found.last], ["NVDA"])
    assert found.now["error"]["NVDA"] == measured["error"]["NVDA"] > 0
    assert found.now["third"].tolist() == sorted(
        found.now["third"], key=["long", "middle", "short"].index
    )
    assert (found.first, found.last) == (known.index[0], known.index[-1])


def test_too_few_shares_are_not_testable(simulated: Sample) -> None:
    shares = shares_of(simulated)[: FEWEST - 1]
    closes = simulated.history.closes
    gone = [t for t in shares_of(simulated) if t not in shares]
    few = replace(simulated.history, closes=closes.drop(columns=gone))
    with pytest.raises(NotTestable, match="expected 9 shares with an empirical duration"):
        durations(replace(simulated, history=few))
