"""Numbers have one form: fractions in percent, a dash for a missing number, no minus zero."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from backtests.format import (
    fixed,
    interval,
    money,
    p_value,
    percent,
    significant,
    text,
    thousands,
)


@pytest.mark.parametrize(
    ("form", "value", "shown"),
    [
        (fixed, 1.234, "1.23"),
        (partial(fixed, digits=0, unit="%"), 14.6, "15 %"),
        (percent, 0.1234, "12.3"),
        (partial(percent, digits=2, unit="%"), -0.12345, "-12.35 %"),
        (partial(percent, signed=True), 0.02, "+2.0"),
        (significant, 0.00012345, "0.000123"),
        (partial(significant, unit="% of GDP"), 14.83, "14.8 % of GDP"),
        (partial(significant, digits=10), 33000.0, "33000"),
        (p_value, 0.0134, "0.013"),
        (p_value, 0.001, "0.001"),
        (p_value, 0.00099, "<0.001"),
        (p_value, 0.0, "<0.001"),
        (money, -1234567.891, "-1,234,567.89"),
        (thousands, 12345, "12,345"),
        (thousands, 1234567.8, "1,234,568"),
        (text, "2020-03-23", "2020-03-23"),
        (text, 3, "3"),
    ],
)
def test_a_number_is_shown(form: Callable[[Any], str], value: Any, shown: str) -> None:
    assert form(value) == shown


@pytest.mark.parametrize("form", [fixed, percent, significant, money])
def test_a_number_that_is_missing_is_a_dash_and_zero_has_no_sign(form: Callable[..., str]) -> None:
    assert {form(value) for value in (None, math.nan, math.inf, -math.inf)} == {"–"}
    assert form(-1e-9 if form is not significant else -0.0).lstrip("0.") == ""
    assert {p_value(value) for value in (None, math.nan, math.inf)} == {"–"}
    assert text(None) == "–"


def test_an_interval_without_an_end_is_left_out() -> None:
    assert interval({"low": -0.01, "high": 0.25}, percent) == "[-1.0, 25.0]"
    assert interval({"low": None, "high": 0.25}, percent) == ""
