"""Responses to events: which single events matter most, and why a slope cannot be tested."""

import math

import numpy as np
import pandas as pd
import pytest

from backtests.thesis import responses
from backtests.thesis.clustered import slope
from backtests.thesis.errors import NotTestable
from backtests.thesis.estimate import Interval

RESPONSES = np.random.default_rng(0).standard_normal(12)
QUARTERS = np.arange(12) // 2


def test_a_slope_with_a_standard_error_is_returned() -> None:
    fit = slope(RESPONSES, np.arange(12.0), QUARTERS)
    assert responses.tested(fit, "bond deals") is fit


def test_too_few_quarters_are_named() -> None:
    fit = slope(RESPONSES, np.arange(12.0), QUARTERS // 2)
    with pytest.raises(NotTestable, match=r"events in 3 calendar quarters \(bond deals\)"):
        responses.tested(fit, "bond deals")


def test_equal_surprises_in_enough_quarters_are_named() -> None:
    fit = slope(RESPONSES, np.ones(12), QUARTERS)
    with pytest.raises(NotTestable, match=r"the 12 events differ too little .* \(bond deals\)"):
        responses.tested(fit, "bond deals")


def three_events() -> responses.Responses:
    days = pd.DatetimeIndex(["2019-06-19", "2020-03-16", "2022-06-15"])
    return responses.Responses(response=np.zeros((3, 1)), table=pd.DataFrame(index=days))


def bounds(events: responses.Responses) -> Interval:
    """Return an interval that contains only the number of events."""
    count = float(len(events.table))
    return Interval(low=count, high=count, low90=count, high90=count)


def test_the_note_on_single_events_goes_from_the_lowest_to_the_highest_estimate() -> None:
    others = np.array([-1.2, -0.4, -1.9])
    found, (note,) = responses.without_one(three_events(), others, bounds)
    assert found == dict.fromkeys(
        ("without 2022-06-15", "without 2020-03-16"), bounds(three_events().without(0))
    )
    assert note == (
        "If any one event is left out, the estimate is from -1.90 (without 2022-06-15) to -0.40 "
        "(without 2020-03-16)."
    )


def test_without_an_interval_over_the_other_events_there_is_no_note() -> None:
    def too_few(events: responses.Responses) -> Interval:
        return Interval(low=math.nan, high=math.nan, low90=math.nan, high90=math.nan)

    assert responses.without_one(three_events(), np.zeros(3), too_few) == ({}, ())
