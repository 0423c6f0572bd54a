"""Errors of a user's code are described on one line."""

import pandas as pd
import pytest

from signals.errors import describe_exception, shown


@pytest.mark.parametrize("kind", [ValueError, SyntaxError])
def test_an_exception_is_described_on_one_line(kind: type[Exception]) -> None:
    said = describe_exception(kind("line one\n\n   line two\r\n"))
    assert said.startswith(f"{kind.__name__}: line one line two")
    assert "\n" not in said


def test_an_object_is_shown_on_one_line() -> None:
    assert shown(pd.Series([1.5, 2.5])) == "0    1.5 1    2.5 dtype: float64"
    assert shown("two  spaces") == "'two  spaces'"
