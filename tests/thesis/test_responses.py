"""Responses to events: the reason why a slope cannot be tested is named."""

import numpy as np
import pytest

from backtests.thesis import responses
from backtests.thesis.clustered import slope
from backtests.thesis.errors import NotTestable

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
