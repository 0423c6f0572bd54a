"""Returns after a flag: the windows that count, and how often luck gives an equal return."""

import numpy as np
import pandas as pd
import pytest
from arch.bootstrap import StationaryBootstrap

from backtests.history.panel import History
from backtests.thesis.claims import CLAIMS
from backtests.thesis.errors import NotTestable
from backtests.thesis.estimators.after_flag import (
    AHEAD,
    BLOCK,
    Entries,
    after_flag,
    entries_of,
    forward_over_bills,
    inverted,
    null_values,
)
from backtests.thesis.inference import rank_p_value
from backtests.thesis.sample import LAG, Sample
from benchmarks.trial_coverage import chances, entries_in, patience, rewarded
from signals.opportunity import BASKET, Opportunity

CLAIM = next(claim for claim in CLAIMS if claim.estimator == "after_flag")
SESSIONS = pd.bdate_range("2010-01-01", periods=1000)
RETURNS = pd.Series(np.random.default_rng(4).normal(0.0003, 0.01, 1000), SESSIONS)
BILLS = pd.Series(0.0001, SESSIONS)


def flag_on(*stays: slice) -> pd.Series:
    """Return a flag that is on in the given stays. It is unknown at the first 100 sessions."""
    flag = pd.Series(0.0, SESSIONS)
    for stay in stays:
        flag.iloc[stay] = 1.0
    return flag.where(np.arange(1000) >= 100)


def test_a_window_begins_after_the_trade_and_is_half_a_year_long() -> None:
    found = entries_of(forward_over_bills(RETURNS, BILLS), flag_on(slice(300, 363)))
    held = slice(300 + LAG + 1, 300 + LAG + 1 + AHEAD)
    over = np.prod(1 + RETURNS.to_numpy()[held]) - np.prod(1 + BILLS.to_numpy()[held])
    assert list(found.returns.index) == [SESSIONS[300]]
    assert found.returns.iloc[0] == pytest.approx(100 * over)


def test_the_usual_return_is_that_of_every_window_with_a_view() -> None:
    forward = forward_over_bills(RETURNS, BILLS)
    found = entries_of(forward, flag_on(slice(300, 363)))
    assert found.usual == pytest.approx(forward.iloc[100 + LAG : 1000 - AHEAD].mean())


def test_a_window_that_has_not_ended_does_not_count() -> None:
    last = 1000 - AHEAD - LAG - 1
    forward = forward_over_bills(RETURNS, BILLS)
    assert len(entries_of(forward, flag_on(slice(last, 1000))).returns) == 1
    assert not len(entries_of(forward, flag_on(slice(last + 1, 1000))).returns)


def test_a_flag_that_was_on_when_its_view_began_is_no_entry() -> None:
    found = entries_of(forward_over_bills(RETURNS, BILLS), flag_on(slice(50, 150)))
    assert not len(found.returns)


def test_entries_whose_windows_overlap_are_one_episode() -> None:
    stays = (slice(200, 263), slice(264, 327), slice(450, 460))
    found = entries_of(forward_over_bills(RETURNS, BILLS), flag_on(*stays))
    assert list(found.episodes) == [0, 0, 1]


# The comparison with resampled histories


def entries(*excess: float) -> Entries:
    return Entries(returns=pd.Series(excess, dtype=float), places=np.arange(len(excess)), usual=0.0)


def test_a_resampled_value_uses_as_many_entries_as_the_true_value() -> None:
    others = [entries(1.0, 1.0, -5.0), entries(2.0, 2.0, 2.0), entries()]
    assert null_values(others, 3)[0] == pytest.approx(-1.0)
    assert set(null_values(others, 1)) <= {1.0, -5.0, 2.0}


def test_too_few_histories_with_an_entry_cannot_be_tested() -> None:
    with pytest.raises(NotTestable, match="in only 1 of 4 resampled histories"):
        null_values([entries(1.0), *[entries()] * 3], 1)


def test_the_p_value_is_a_rank_and_the_interval_agrees_with_it() -> None:
    drawn = np.arange(-49.0, 50.0)
    assert rank_p_value(100.0, drawn, 1) == pytest.approx(0.01)
    assert rank_p_value(100.0, drawn, -1) == 1.0
    assert rank_p_value(0.0, drawn, 1) == pytest.approx(0.51)
    interval = inverted(60.0, drawn)
    assert interval.low > 0
    assert interval.low == pytest.approx(60 - np.quantile(drawn, 0.975))
    assert interval.high90 == pytest.approx(60 - np.quantile(drawn, 0.05))


def values_of(returns: np.ndarray, draws: int, seed: int) -> tuple[float, np.ndarray]:
    """Return the value for a flag that depends on prices, and its values on resampled returns."""
    true = entries_in(returns)
    blocks = StationaryBootstrap(BLOCK, np.arange(len(returns)), seed=seed)
    others = [entries_in(returns[blocks.update_indices()]) for _ in range(draws)]
    return float(true.excess.mean()), null_values(others, len(true.returns))


def test_a_planted_reward_is_found() -> None:
    value, drawn = values_of(rewarded(3, reward=0.0015), 39, seed=1)
    assert value == pytest.approx(100 * AHEAD * 0.0015, abs=12)
    assert rank_p_value(value, drawn, 1) <= 0.05


def test_without_a_reward_little_is_found() -> None:
    p_values = [
        rank_p_value(*values_of(rewarded(seed, reward=0.0), 19, seed=seed), 1) for seed in range(10)
    ]
    assert sum(p <= 0.05 for p in p_values) <= 2


def test_the_interval_of_after_flag_contains_the_truth_about_as_often_as_it_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The truth is the mean of 1,000 worlds in benchmarks/trial_coverage.py.
    monkeypatch.setattr("benchmarks.trial_coverage.mean_reward", lambda: 6.128)
    drawn = [patience(seed, draws=39) for seed in range(20)]
    assert sum(low <= truth <= high for low, high, truth in drawn) >= 16


# Look-ahead


def assert_entries_blind_to_the_future(shift: int) -> None:
    """Compare the entries of a cut history with those of the whole history that end by the cut."""
    returns = rewarded(1)

    def found(part: np.ndarray) -> pd.Series:
        series, flag = pd.Series(part), pd.Series(chances(part))
        return entries_of(forward_over_bills(series, 0.0 * series), flag.shift(-shift)).returns

    whole = found(returns)
    for cut in range(1000, 5000, 100):
        ended = whole[whole.index + LAG + AHEAD < cut]
        pd.testing.assert_series_equal(found(returns[:cut]), ended)


def test_later_sessions_change_no_entry() -> None:
    assert_entries_blind_to_the_future(0)


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="the planted cheat is found")
def test_a_flag_that_foresees_prices_is_found() -> None:
    assert_entries_blind_to_the_future(400)


def test_the_years_before_the_basket_change_no_flag_with_a_view(history: History) -> None:
    """Resampled histories begin with the basket, so their flags must not need earlier years."""
    first = history.closes[list(BASKET)].dropna(how="all").index[0]
    whole = Opportunity().evaluate(history.panel).flag
    short = Opportunity().evaluate(history.panel.loc[first:]).flag
    view = whole.dropna().index[0]
    agree = (whole[view:].fillna(False) == short[view:].fillna(False)).mean()
    assert agree > 0.99


# On a history


def test_a_history_gives_the_value_and_its_companions(sample: Sample) -> None:
    estimate = after_flag(CLAIM, sample, draws=9)
    shown = estimate.shown
    assert shown is not None
    excess = shown["return after the flag"] - shown["usual"]
    assert estimate.value == pytest.approx(excess.mean())
    assert estimate.observations == len(shown) == 4
    assert estimate.episodes == 4
    assert estimate.p_value >= 0.1
    assert "t-test of episodes" in estimate.beside


def test_a_flag_that_never_turned_on_cannot_be_tested(sample: Sample) -> None:
    early = Sample.of(sample.history.until("2007-12-31"))
    with pytest.raises(NotTestable, match="after the flag of opportunity turned on"):
        after_flag(CLAIM, early, draws=9)
