"""Our metrics equal plain loops, and say nothing where nothing is defined."""

import math

import numpy as np
import pandas as pd
import pytest

from backtests.evidence import metrics
from tests.reference import formulas


def series(values: list[float]) -> pd.Series:
    return pd.Series(values, index=pd.bdate_range("2024-01-01", periods=len(values)))


@pytest.fixture(params=range(5))
def sides(request: pytest.FixtureRequest) -> tuple[pd.Series, pd.Series, pd.Series]:
    rng = np.random.default_rng(request.param)
    benchmark = rng.standard_t(4, 900) * 0.01
    strategy = 0.5 * benchmark + rng.normal(0.0003, 0.006, 900)
    bills = np.full(900, 0.0001) + rng.uniform(0, 5e-5, 900)
    return series(list(strategy)), series(list(bills)), series(list(benchmark))


def test_every_metric_equals_its_plain_formula(
    sides: tuple[pd.Series, pd.Series, pd.Series],
) -> None:
    ours = metrics.of_returns(*sides)
    r, bills, b = (list(side) for side in sides)
    plain = {
        "total_return": formulas.total_return(r),
        "cagr": formulas.cagr(r),
        "volatility": formulas.volatility(r),
        "sharpe": formulas.sharpe(r, bills),
        "sortino": formulas.sortino(r, bills),
        "max_drawdown": formulas.max_drawdown(r),
        "calmar": formulas.calmar(r),
        "var_95": formulas.var_95(r),
        "cvar_95": formulas.cvar_95(r),
        "beta": formulas.beta(r, b),
        "correlation": formulas.correlation(r, b),
        "up_capture": formulas.capture(r, b, 1),
        "down_capture": formulas.capture(r, b, -1),
        "hit_rate": sum(x > 0 for x in r) / len(r),
        "best_day": max(r),
        "worst_day": min(r),
    }
    for name, value in plain.items():
        assert ours[name] == pytest.approx(value, rel=1e-10), name


def test_quantstats_agrees_where_its_definition_is_ours(
    sides: tuple[pd.Series, pd.Series, pd.Series],
) -> None:
    import quantstats.stats as qs

    r = sides[0]
    zero = r * 0
    assert metrics.cagr(r) == pytest.approx(qs.cagr(r.copy(), periods=252), rel=1e-9)
    assert metrics.sharpe(r, zero) == pytest.approx(qs.sharpe(r.copy(), periods=252), rel=1e-9)
    assert metrics.sortino(r, zero) == pytest.approx(qs.sortino(r.copy(), periods=252), rel=1e-9)
    assert metrics.max_drawdown(r).depth == pytest.approx(qs.max_drawdown(r.copy()), rel=1e-9)
    assert metrics.volatility(r) == pytest.approx(qs.volatility(r.copy(), periods=252), rel=1e-9)


def test_drawdown_has_its_dates() -> None:
    fall = metrics.max_drawdown(series([0.1, -0.2, -0.1, 0.2, 0.3, 0.0]))
    assert fall.depth == pytest.approx(-0.28)
    assert (fall.peak, fall.trough, fall.recovered) == tuple(
        pd.Timestamp(d) for d in ("2024-01-01", "2024-01-03", "2024-01-05")
    )
    assert fall.sessions == 4


def test_a_drawdown_that_never_recovers_has_no_recovery_date() -> None:
    fall = metrics.max_drawdown(series([0.1, -0.5, 0.1]))
    assert fall.recovered is None
    assert fall.sessions == 2


def test_a_loss_from_the_first_day_counts_from_the_capital() -> None:
    assert metrics.max_drawdown(series([-0.1, 0.05])).depth == pytest.approx(-0.1)


def test_without_a_fall_there_is_no_drawdown() -> None:
    fall = metrics.max_drawdown(series([0.1, 0.0, 0.1]))
    assert (fall.depth, fall.peak, fall.sessions) == (0.0, None, 0)


def test_returns_that_do_not_vary_have_no_ratios() -> None:
    flat = series([0.0] * 30)
    ours = metrics.of_returns(flat, flat, flat)
    for name in ("sharpe", "sortino", "calmar", "beta", "correlation", "up_capture"):
        assert math.isnan(ours[name]), name  # type: ignore[arg-type]
    assert ours["cagr"] == 0


def test_a_return_counts_for_the_regime_known_the_day_before() -> None:
    returns = series([0.01, 0.02, -0.03, 0.04])
    regime = pd.Series(["A", "B", "B", "B"], index=returns.index, dtype=object)
    table = metrics.by_regime(returns, returns * 0, regime, 2 * returns)
    assert table.loc["A", "sessions"] == 1
    assert table.loc["A", "mean_excess"] == pytest.approx(0.02 * 252)
    assert table.loc["A", "benchmark_excess"] == pytest.approx(0.04 * 252)
    assert table.loc["none", "sessions"] == 1
    assert table.loc["B", "hit_rate"] == 0.5
    assert table["episodes"].tolist() == [1, 1, 1]
