"""What was held and traded through time, against sums by hand."""

import numpy as np
import pandas as pd
import pytest

from backtests.engine.simulate import Result
from backtests.evidence.held import held_by_class, traded_by_session

DAYS = pd.bdate_range("2024-01-01", periods=4)


def result() -> Result:
    """Return a portfolio of 100 USD that holds two memory shares and a short position in SPY."""
    weights = pd.DataFrame(
        {"SPY": [0, 0, -0.2, -0.2], "MU": [0, 0.3, 0.3, 0.1], "WDC": [0, 0.1, np.nan, 0.1]},
        index=DAYS,
    )
    orders = pd.DataFrame(
        {
            "date": [DAYS[1], DAYS[1], DAYS[2], DAYS[2], DAYS[3]],
            "asset": ["MU", "WDC", "SPY", "WDC", "MU"],
            "units": [30.0, 10.0, -20.0, -10.0, -20.0],
            "price": 1.0,
            "cost": 0.0,
        }
    )
    equity = pd.Series(100.0, index=DAYS)
    return Result(
        equity=equity,
        returns=equity.pct_change().iloc[1:],
        weights=weights,
        owed=weights.clip(upper=0),
        targets=weights,
        orders=orders,
        exposure=weights.abs().sum(axis=1),
        bills=0 * equity,
        notes=(),
        account=None,
    )


def test_weights_add_up_by_class_and_the_rest_is_cash() -> None:
    held = held_by_class(result(), {})
    assert list(held) == ["memory", "broad", "cash"]
    assert held["memory"].tolist() == pytest.approx([0, 0.4, 0.3, 0.2])
    assert held["broad"].tolist() == pytest.approx([0, 0, -0.2, -0.2])
    assert held["cash"].tolist() == pytest.approx([1, 0.6, 0.9, 1.0])


def test_a_ticker_has_the_class_that_the_user_gave_it() -> None:
    held = held_by_class(result(), {"defensive": ("WDC",), "memory": ("MU",)})
    assert held["defensive"].tolist() == pytest.approx([0, 0.1, 0, 0.1])
    assert held["memory"].tolist() == pytest.approx([0, 0.3, 0.3, 0.1])


def test_trades_are_half_of_the_traded_value() -> None:
    assert traded_by_session(result()).tolist() == pytest.approx([0, 0.2, 0.15, 0.1])
