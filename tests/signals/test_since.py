"""The first session of the present state of a flag or regime."""

import pandas as pd
import pytest

from signals.hysteresis import since

NAMES = {"1": True, ".": False, "?": pd.NA}


@pytest.mark.parametrize(
    ("states", "first"),
    [
        (".11", 1),
        ("1.1", 2),
        ("111", 0),
        ("11.", 2),
        (".?1", 2),
        ("1?1", 2),  # a session without a view ends a state
        ("?..", 1),
    ],
)
def test_a_state_began_the_session_after_the_last_other_one(states: str, first: int) -> None:
    index = pd.bdate_range("2024-01-02", periods=len(states))
    flag = pd.Series([NAMES[s] for s in states], index=index, dtype="boolean")
    assert since(flag) == index[first]


def test_a_regime_began_the_session_after_the_last_other_one() -> None:
    index = pd.bdate_range("2024-01-02", periods=4)
    regime = pd.Series(["NEUTRAL", "NEUTRAL", "ABSORPTION", "ABSORPTION"], index=index)
    assert since(regime) == index[2]


@pytest.mark.parametrize("last", [pd.NA, None])
def test_a_missing_last_state_has_no_first_session(last: object) -> None:
    index = pd.bdate_range("2024-01-02", periods=2)
    assert since(pd.Series([True, last], index=index, dtype="object")) is None
