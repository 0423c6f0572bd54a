"""The vectorbt portfolio that users get has raw prices and a year of 252 sessions."""

import numpy as np
import pandas as pd
import pytest

from backtests import History, config_from, run, walk_forward
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
def test_the_value_of_the_portfolio_is_the_equity_in_dollars(low: float, high: float) -> None:
    result = a_result(low, high)
    np.testing.assert_allclose(result.portfolio.value(), result.equity, rtol=1e-9)


def test_yearly_figures_of_the_portfolio_are_ours() -> None:
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


def growth(returns: pd.Series) -> float:
    """Return the total growth of daily returns, a fraction."""
    return float(np.prod(1 + returns.to_numpy()) - 1)


def test_the_benchmark_of_the_portfolio_is_the_benchmark_of_the_run() -> None:
    result = a_result(0.0, 0.5)
    benchmark = pd.Series(np.random.default_rng(1).normal(0, 0.01, 899), SESSIONS[1:])
    portfolio = result.with_benchmark(benchmark).portfolio
    grown = growth(benchmark)
    for stats in (portfolio.stats(), portfolio.returns_stats()):
        assert stats["Benchmark Return [%]"] == pytest.approx(100 * grown)
    assert portfolio.total_benchmark_return() == pytest.approx(grown)
    assert portfolio.beta() == pytest.approx(metrics.beta(result.returns, benchmark), abs=2e-3)
    assert portfolio.benchmark_value(group_by=False).shape == portfolio.close.shape


def test_without_a_run_its_benchmark_is_bills() -> None:
    bills = (1 + 0.02 / 252) ** 899 - 1
    assert a_result(0.0, 0.5).portfolio.total_benchmark_return() == pytest.approx(bills)


def test_a_run_and_a_walk_forward_give_their_benchmark_to_the_portfolio() -> None:
    history = History.simulated(years=6)
    config = config_from({"strategy": "cash-heavy", "start": "2020-01-02"})
    chosen = walk_forward(config, {"dry_powder.k": [0.08, 0.1]}, history, first_years=2)
    for finished in (run(config, history), chosen.run):
        total = finished.result.portfolio.total_benchmark_return()
        assert total == pytest.approx(growth(finished.benchmark))


def test_the_settings_of_vectorbt_stay_as_they_were() -> None:
    import vectorbt

    before = vectorbt.settings["returns"]["year_freq"]
    assert a_result(0.0, 0.5).portfolio.sharpe_ratio() is not None
    assert vectorbt.settings["returns"]["year_freq"] == before
