"""The input of the estimators: class returns, weeks, flags, conditions and errors."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from backtests.thesis.errors import NotTestable
from backtests.thesis.responses import spread
from backtests.thesis.sample import Sample
from backtests.thesis.weeks import weekly
from signals.universe import members


def test_a_class_return_is_the_mean_of_its_listed_assets(sample: Sample) -> None:
    day = sample.sessions[-100]
    returns = [sample.asset(ticker)[day] for ticker in members("crypto")]
    assert sample.asset_class("crypto")[day] == pytest.approx(np.nanmean(returns))


def test_a_return_uses_closes_of_the_same_dates(sample: Sample) -> None:
    closes = sample.history.closes["BTC-USD"]
    day = sample.sessions[-50]
    before = sample.sessions[-51]
    assert sample.asset("BTC-USD")[day] == pytest.approx(closes[day] / closes[before] - 1)
    assert closes[day] != sample.history.panel["BTC-USD"][day]


def test_an_asset_without_a_price_is_not_testable(sample: Sample) -> None:
    with pytest.raises(NotTestable, match="no price of NOPE"):
        sample.asset("NOPE")


def test_a_class_without_a_price_is_not_testable(sample: Sample) -> None:
    closes = sample.history.closes.drop(columns=list(members("metals")))
    with pytest.raises(NotTestable, match="no price of the class metals"):
        replace(sample, history=replace(sample.history, closes=closes)).asset_class("metals")


def test_a_flag_without_a_view_is_not_testable(sample: Sample) -> None:
    early = Sample.of(sample.history.until(sample.sessions[30]))
    with pytest.raises(NotTestable, match="flag of opportunity has no value"):
        early.flag("opportunity")


def test_a_strategy_on_a_history_that_is_too_short_is_not_testable(sample: Sample) -> None:
    early = Sample.of(sample.history.until(sample.sessions[5]))
    with pytest.raises(NotTestable, match="cash-heavy@quantities cannot be run"):
        early.run("cash-heavy@quantities")


def test_a_strategy_without_any_regime_is_not_testable(sample: Sample) -> None:
    early = Sample.of(sample.history.until(sample.sessions[120]))
    with pytest.raises(
        NotTestable, match="cash-heavy@quantities cannot be run: no regime is known"
    ):
        early.run("cash-heavy@quantities")


def test_weeks_compound_and_an_unfinished_week_is_left_out() -> None:
    days = pd.bdate_range("2024-01-01", "2024-01-17")  # two weeks and a Monday to Wednesday
    returns = pd.Series([0.01, 0.01, np.nan, *[0.01] * 10], index=days)
    found = weekly(returns)
    assert list(found.index) == [pd.Timestamp("2024-01-05"), pd.Timestamp("2024-01-12")]
    assert found.iloc[0] == pytest.approx(1.01**4 - 1)
    assert found.iloc[1] == pytest.approx(1.01**5 - 1)


@pytest.mark.parametrize("cut", [-700, -20])
def test_conditions_and_gauges_do_not_change_when_later_rows_are_removed(
    sample: Sample, cut: int
) -> None:
    last = sample.sessions[cut]
    early = Sample.of(sample.history.until(last))
    assert early.condition("absorption").equals(sample.condition("absorption").loc[:last])
    assert early.gauge("absorption", "u").equals(sample.gauge("absorption", "u").loc[:last])
    at = np.arange(len(early.sessions))
    np.testing.assert_array_equal(spread(early, at, 0, 0), spread(sample, at, 0, 0))


def test_a_condition_that_looks_ahead_is_caught(sample: Sample) -> None:
    last = sample.sessions[-700]
    early = Sample.of(sample.history.until(last))

    def cheat(seen: Sample) -> pd.Series:
        return seen.flag("dry_powder") - seen.flag("dry_powder").mean()

    assert not cheat(early).equals(cheat(sample).loc[:last])


def test_a_simulated_sample_says_so(sample: Sample) -> None:
    assert sample.is_simulated
