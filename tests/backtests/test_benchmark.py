"""The benchmark is bought at the first possible fill of the strategy; before, it holds bills."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from backtests.config_data import config_from
from backtests.history.panel import History
from backtests.history.prices import benchmark_returns
from backtests.pipeline import run
from signals.errors import StaleSeries


@pytest.mark.parametrize("lag", [1, 4])
def test_until_the_first_fill_the_benchmark_is_bills(lag: int) -> None:
    history = History.simulated(years=6)
    done = run(config_from({"strategy": "bills", "lag": lag, "start": "2024-06-03"}), history)
    market = history.closes["SPY"].pct_change(fill_method=None).loc[done.result.returns.index]
    expected = pd.concat([done.bills.iloc[:lag], market.iloc[lag:]])
    pd.testing.assert_series_equal(done.benchmark, expected, check_names=False, check_exact=True)
    assert (market.iloc[:lag] != done.bills.iloc[:lag]).all()


def test_a_missing_price_of_the_benchmark_says_when_a_run_can_start() -> None:
    simulated = History.simulated(years=6)
    index = pd.DatetimeIndex(simulated.closes.index[:300])
    closes = simulated.closes.copy()
    closes.loc[index[:40], "SPY"] = np.nan
    history = replace(simulated, closes=closes)
    said = f"or start on {index[40].date()} or later$"
    with pytest.raises(StaleSeries, match=said):
        benchmark_returns("SPY", history, index, pd.Series(0.0, index), lag=1)
