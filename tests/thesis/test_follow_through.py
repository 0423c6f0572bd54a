"""Breakouts: the closes that count, those that keep their gain, and a difference of two states."""

import numpy as np
import pandas as pd
import pytest

from backtests.evidence.entries import episodes_of, gaps_of
from backtests.thesis.errors import NotTestable
from backtests.thesis.estimators.follow_through import HIGH, LATER, _estimate, breakouts, kept_of
from tests.thesis.worlds import claim, condition, sessions

CLAIM = claim("breakouts-fail")


def closes(seed: int, persistence: float, assets: int = 20) -> tuple[pd.DataFrame, pd.Series]:
    """Return prices and a condition. While the condition is off, a rise tends to continue.

    With a negative ``persistence``, a rise tends to reverse while the condition is off.
    """
    random = np.random.default_rng(seed)
    on = condition(6, 150)
    shocks = random.normal(0, 0.01, (len(on), assets))
    pull = np.where(on == 1.0, 0.0, persistence)
    drift = np.zeros(assets)
    rows = []
    for shock, strength in zip(shocks, pull, strict=True):
        step = strength * drift + shock
        drift = 0.97 * drift + 0.03 * step
        rows.append(step)
    index = sessions(len(on))
    return pd.DataFrame(100 * np.exp(np.cumsum(rows, axis=0)), index=index), on


def test_a_breakout_lies_above_the_sixty_closes_before() -> None:
    price = pd.Series(100.0, index=sessions(200))
    price.iloc[100] = 101.0
    price.iloc[100 + LATER] = 102.0
    found = breakouts(price.to_frame("A"))
    assert found["count"].iloc[100] == 1
    assert found["kept"].iloc[100] == 1
    assert found["count"].sum() == 2  # the later rise is a breakout that loses its gain
    assert found["kept"].sum() == 1


def test_a_close_equal_to_the_highest_is_no_breakout() -> None:
    flat = pd.DataFrame({"A": np.full(200, 100.0)}, index=sessions(200))
    assert breakouts(flat)["count"].sum() == 0


def test_a_breakout_without_a_later_close_does_not_count() -> None:
    rising = pd.DataFrame({"A": np.arange(100.0, 300.0)}, index=sessions(200))
    found = breakouts(rising)
    assert found["count"].iloc[HIGH : 200 - LATER].eq(1).all()
    assert found["count"].iloc[200 - LATER :].eq(0).all()


def test_a_planted_difference_is_found() -> None:
    found = kept_of(CLAIM, *closes(1, 0.9))
    assert found.value < -10
    assert found.p_value < 0.025
    assert found.interval.high < 0
    assert found.counted == "breakouts"


def test_equal_states_differ_by_chance_alone() -> None:
    found = [kept_of(CLAIM, *closes(seed, 0.0, assets=8)) for seed in range(2, 22)]
    assert sum(estimate.p_value < 0.025 for estimate in found) <= 2
    assert sum(e.interval.low <= 0 <= e.interval.high for e in found) >= 17


def test_a_history_without_the_state_is_not_testable() -> None:
    prices, on = closes(1, 0.0)
    with pytest.raises(NotTestable, match="expected at least 50 breakouts"):
        kept_of(CLAIM, prices, on * 0.0)


def test_more_breakouts_in_a_state_are_no_effect_if_the_same_share_keeps_its_gain() -> None:
    """With the flag on, 3 of 4 breakouts of each session keep their gain.

    With the flag off, each session has one breakout, which keeps its gain on 3 of 4 sessions.
    """
    on = condition(6, 150)
    cycle = pd.Series(np.arange(len(on)) % 4 != 0, index=on.index).astype(float)
    table = pd.DataFrame(
        {
            "count": np.where(on == 1.0, 4.0, 1.0),
            "kept": np.where(on == 1.0, 3.0, cycle),
            "on": on,
            "episode": episodes_of(on),
            "gap": gaps_of(on),
        }
    )
    found = _estimate(CLAIM, table)
    assert abs(found.value) < 1.0
    assert 0.1 < found.p_value < 0.9
