"""The vectorbt portfolio that users get has raw prices and a year of 252 sessions."""

import numpy as np
import pandas as pd
import pytest

from backtests.engine.costs import Costs
from backtests.engine.simulate import Result, simulate
from backtests.evidence import metrics

SESSIONS = pd.bdate_range("2015-01-01", periods=900)


def a_result(low: float, high: float, bills: float = 0.02) -> Result:
    """Return the result of random weights between ``low`` and ``high``, each held for weeks."""
    random = np.random.default_rng(7)
    moves = random.normal(0.0004, 0.012, (len(SESSIONS), 2))
    prices = pd.DataFrame(100 * np.exp(moves.cumsum(axis=0)), SESSIONS, ["SPY", "BTC-USD"])
    decided = SESSIONS[::15]
    weights = pd.DataFrame(random.uniform(low, high, (len(decided), 2)), decided, prices.columns)
    daily = pd.Series(bills / 252, SESSIONS)
    return simulate(weights, prices, daily, Costs(), gross_limit=2.0)


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.5), (-0.3, 0.4), (0.0, 0.0)])
def test_its_value_is_the_equity_in_dollars(low: float, high: float) -> None:
    result = a_result(low, high)
    np.testing.assert_allclose(result.portfolio.value(), result.equity, rtol=1e-9)


def test_its_figures_a_year_are_ours() -> None:
    result = a_result(0.0, 0.5)
    bills = result.bills.reindex(result.returns.index)
    portfolio, stats = result.portfolio, result.portfolio.stats()
    # vectorbt also counts the return of the first session, which is zero
    more = len(result.returns) / len(result.equity)
    grown = (1 + metrics.cagr(result.returns)) ** more - 1
    assert portfolio.annualized_return() == pytest.approx(grown, rel=1e-9)
    assert portfolio.annualized_volatility() == pytest.approx(
        metrics.volatility(result.returns), rel=1e-3
    )
    ours = metrics.sharpe(result.returns, bills)
    assert portfolio.sharpe_ratio() == pytest.approx(ours, abs=2e-3)
    assert stats["Sharpe Ratio"] == pytest.approx(ours, abs=2e-3)


def test_idle_cash_is_a_column_that_earns_bills() -> None:
    portfolio = a_result(0.0, 0.0).portfolio
    assert portfolio.wrapper.columns[-1] == ("BILLS", "long")
    years = (len(SESSIONS) - 1) / 252
    assert portfolio.total_return() == pytest.approx((1 + 0.02 / 252) ** (years * 252) - 1)


def test_the_settings_of_vectorbt_stay_as_they_were() -> None:
    import vectorbt

    before = vectorbt.settings["returns"]["year_freq"]
    assert a_result(0.0, 0.5).portfolio.sharpe_ratio() is not None
    assert vectorbt.settings["returns"]["year_freq"] == before
