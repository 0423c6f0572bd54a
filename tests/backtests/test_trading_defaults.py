"""The default costs and rules of trading, for a configuration that states none.

The defaults were chosen before any return was seen. A change needs a reason other than a better
result.
"""

import pytest

from backtests.config_data import config_from
from backtests.engine.costs import Costs
from strategies.base import SESSIONS_A_YEAR, VOLATILITY_WINDOW


def test_the_terms_of_a_run() -> None:
    config = config_from({"strategy": "spy"})
    assert config.initial_capital == 1_000_000
    assert config.benchmark == "SPY"
    assert config.lag == 1
    assert config.band == 0.02
    assert config.bill_spread == 0.10  # percentage points a year
    assert (config.schedule.every, config.schedule.offset) == ("month", 0)
    assert (VOLATILITY_WINDOW, SESSIONS_A_YEAR) == (63, 252)


@pytest.mark.parametrize(
    ("ticker", "basis_points"),
    [("SPY", 2), ("TLT", 2), ("MU", 5), ("BTC-USD", 20), ("UNKNOWN", 5), ("DOGE-USD", 20)],
)
def test_a_trade_costs_what_its_market_charges(ticker: str, basis_points: float) -> None:
    assert Costs().rate(ticker) == pytest.approx(basis_points / 10_000, rel=1e-15)


@pytest.mark.parametrize(
    ("ticker", "a_year"), [("SPY", 0.005), ("MU", 0.005), ("BTC-USD", 0.05), ("DOGE-USD", 0.05)]
)
def test_borrowing_costs_what_its_market_charges(ticker: str, a_year: float) -> None:
    assert Costs().borrow(ticker) == a_year
    assert Costs().borrowed(ticker, 73.0) == pytest.approx(a_year / 5, rel=1e-15)
