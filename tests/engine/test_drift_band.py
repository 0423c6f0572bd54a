"""A decision is traded only if an asset is further from its target than the band."""

import pandas as pd
import pytest

from backtests.engine.simulate import simulate
from tests.engine.cases import FREE


@pytest.mark.parametrize(("share", "orders"), [(0.0199, 0), (0.02, 0), (0.0201, 1)])
def test_a_deviation_of_exactly_the_band_is_left_alone(share: float, orders: int) -> None:
    index = pd.bdate_range("2024-01-01", periods=5)
    prices = pd.DataFrame({"SPY": 100.0}, index=index)
    weights = pd.DataFrame({"SPY": [share]}, index=index[:1])
    result = simulate(weights, prices, pd.Series(0.0, index=index), FREE, band=0.02)
    assert len(result.orders) == len(result.targets) == orders
