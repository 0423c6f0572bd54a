"""The parameters of a strategy that are sleeves, also in a user's class."""

from dataclasses import dataclass

import pytest

from signals.errors import ConfigError
from strategies import CashHeavy, NearCashFlow


@dataclass(frozen=True, kw_only=True)
class WithMore(NearCashFlow):
    """A strategy with more sleeves, and with tuples that are not sleeves."""

    tech: tuple[str, ...] = ("QQQ",)
    windows: tuple[int, ...] = (21, 63)
    reads: tuple[str, ...] = ("DGS3MO",)


def test_tuples_of_text_are_sleeves_and_parts_of_the_contract_are_not() -> None:
    assert set(WithMore().sleeves) == {"broad", "memory", "crypto", "defensive", "tech"}
    assert "DGS3MO" not in WithMore().assets


@dataclass(frozen=True, kw_only=True)
class NoTuple(CashHeavy):
    """A strategy with a default that is a string instead of a tuple."""

    broad: tuple[str, ...] = "QQQ"  # type: ignore[assignment]


def test_a_sleeve_that_is_no_tuple_is_refused_not_left_out() -> None:
    with pytest.raises(ConfigError, match="broad: expected a tuple of tickers"):
        NoTuple()


@dataclass(frozen=True, kw_only=True)
class Ascending(CashHeavy):
    """A strategy whose parameters have common names, which the base class must not use."""

    ascending: bool = True
    above_zero: float = -1.0


def test_a_parameter_may_be_called_ascending() -> None:
    assert Ascending().assets == ("SPY",)
