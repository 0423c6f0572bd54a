"""A day with a return of zero is neither a gain nor a loss."""

import pandas as pd
import pytest

from backtests.evidence import metrics

INDEX = pd.bdate_range("2024-01-01", periods=5)


def test_a_day_without_a_return_is_no_hit() -> None:
    returns = pd.Series([0.01, 0.0, -0.01, 0.0, 0.0], index=INDEX)
    assert metrics.of_returns(returns, returns * 0, returns)["hit_rate"] == 0.2
    flat = returns * 0
    table = metrics.by_regime(flat, flat, pd.Series("A", index=INDEX), flat, lag=1)
    assert set(table["hit_rate"]) == {0.0}


def test_a_day_without_a_return_counts_to_the_downside_deviation() -> None:
    """The deviation is over all days, so a strategy that rarely loses has a low one."""
    returns = pd.Series([0.02, 0.0, -0.01, 0.0, 0.0], index=INDEX)
    downside = (0.01**2 / 5) ** 0.5
    expected = 0.002 / downside * 252**0.5
    assert metrics.sortino(returns, returns * 0) == pytest.approx(expected, rel=1e-12)
