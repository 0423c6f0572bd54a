"""Which holdings are further from their target than the drift band allows."""

import pandas as pd
import pytest

from backtests.config_data import config_from
from backtests.history.panel import History
from tests.sessions import today


@pytest.mark.parametrize(("width", "beyond"), [(0.999, ("SPY",)), (1.001, ())])
def test_a_holding_is_beyond_the_band_by_how_far_it_is_from_its_target(
    width: float, beyond: tuple[str, ...]
) -> None:
    history = History.simulated(years=6)
    session = pd.Timestamp(history.panel.index[-1])
    price = history.panel["SPY"].loc[session]
    held = {"SPY": 900_000 / price, "CASH": 100_000.0}  # a tenth below the target
    config = config_from({"strategy": "spy", "band": 0.1 * width})
    assert today(config, history, session, held).beyond_band == beyond
