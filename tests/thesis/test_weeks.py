"""Weekly returns: their first and last session. Later sessions never change them."""

import numpy as np
import pandas as pd
import pytest

from backtests.thesis.sample import LAG
from backtests.thesis.weeks import earned_after, earned_in, log_over_bills, week_ends

SESSIONS = pd.bdate_range("2024-01-01", periods=30)
#: The return of each session is a power of two, so a sum shows which sessions are in it.
OVER = pd.Series(2.0 ** np.arange(30), SESSIONS)


def test_a_week_ends_at_its_last_session() -> None:
    holiday = SESSIONS[SESSIONS != "2024-01-12"]
    assert list(week_ends(holiday)[:2]) == [pd.Timestamp("2024-01-05"), pd.Timestamp("2024-01-11")]


def test_a_week_that_may_be_incomplete_is_left_out() -> None:
    assert week_ends(SESSIONS[:8])[-1] == pd.Timestamp("2024-01-05")


def test_a_return_begins_after_the_trade_and_ends_as_long_after_its_last_week() -> None:
    ends = week_ends(SESSIONS)
    assert LAG == 1
    assert earned_after(OVER, ends, 1).iloc[0] == sum(2.0**k for k in range(6, 11))
    assert earned_after(OVER, ends, 2).iloc[1] == sum(2.0**k for k in range(11, 21))


def test_a_return_that_has_not_ended_is_missing() -> None:
    assert list(earned_after(OVER, week_ends(SESSIONS), 2).isna()) == [False] * 3 + [True] * 3


def test_a_missing_return_makes_only_its_own_sums_missing() -> None:
    holed = OVER.where(OVER.index != SESSIONS[8])
    ends = week_ends(SESSIONS)
    assert list(earned_after(holed, ends, 1).isna()) == [True, *[False] * 3, True, True]
    assert list(earned_in(holed, ends).isna()) == [True, True, *[False] * 4]


def test_a_weeks_own_return_ends_at_its_last_session() -> None:
    assert earned_in(OVER, week_ends(SESSIONS)).iloc[1] == sum(2.0**k for k in range(5, 10))


@pytest.mark.parametrize("cut", [13, 18, 24])
def test_later_sessions_change_no_finished_return(cut: int) -> None:
    short, ends = OVER.iloc[:cut], week_ends(SESSIONS[:cut])
    before = earned_after(short, ends, 1).dropna()
    whole = earned_after(OVER, week_ends(SESSIONS), 1)
    pd.testing.assert_series_equal(before, whole[before.index], check_freq=False)


def test_log_returns_over_bills_are_differences_of_logs() -> None:
    over = log_over_bills(pd.Series([0.10, np.nan]), pd.Series([0.01, 0.01]))
    assert over[0] == pytest.approx(np.log(1.10 / 1.01))
    assert np.isnan(over[1])
