"""Unbroken periods of a state."""

import pandas as pd

from signals.stays import stays


def test_a_stay_ends_before_the_next_state_begins() -> None:
    assert stays(pd.Series(list("aabba"))) == [("a", 0, 1), ("b", 2, 3), ("a", 4, 4)]


def test_a_state_that_never_changes_is_one_stay() -> None:
    assert stays(pd.Series([True, True, True])) == [(True, 0, 2)]
