"""Many simulations in one call, each compared with a separate simulation.

Each configuration of a batch is simulated alone by ``simulate``, too. Equity must agree to a
relative 1e-12 on every close, and each metric with the function of the same name in
``evidence/metrics.py``. A configuration that ``simulate`` refuses has the same message and no
figures. It does not change other configurations. ``python -m benchmarks.parity`` tries 2,000 cases.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from backtests.engine import loops, measures, schedule
from backtests.engine.batch import Variant
from backtests.engine.costs import Costs
from backtests.engine.many import TOGETHER, Many, simulate_many
from backtests.engine.simulate import Result
from backtests.evidence import metrics
from signals.errors import ConfigError, SimulationError
from strategies import STRATEGIES
from tests.engine.cases import ASSETS, DEAR, FREE, Case, answer, any_case, market, steady

CLOSE = 1e-12


def batched(*cases: Case, **options: Any) -> Many:
    """Return the simulation of cases that share their market and capital."""
    terms = ("weights", "costs", "lag", "band", "gross_limit")
    variants = [Variant(**{key: getattr(case, key) for key in terms}) for case in cases]
    first = cases[0]
    given = {"capital": first.capital, "keep_equity": True, **options}
    return simulate_many(variants, first.prices, first.bills, **given)


def check(many: Many, row: int, case: Case) -> None:
    """Compare a row of figures with the record, or both error messages."""
    check_against(answer(case.engine), many, row)


def check_against(result: Result | str, many: Many, row: int) -> None:
    """Compare a row of figures with a record, or with the message of its error."""
    assert many.equity is not None
    if not isinstance(result, Result):
        assert many.refused[row] == result
        assert many.equity.iloc[row].isna().all()
        assert many.metrics.iloc[row].isna().all()
        assert np.isnan(many.moments[row]).all()
        assert many.monthly.iloc[row].isna().all()
        return
    assert row not in many.refused
    assert (many.equity.iloc[row] / result.equity - 1).abs().max() <= CLOSE
    expected = figures_of(result)
    for name, value in expected.items():  # rounding errors add up over thousands of sessions
        assert many.metrics[name].iloc[row] == pytest.approx(value, rel=1e-9, abs=1e-12), name


def figures_of(result: Result) -> dict[str, float]:
    """Return the metrics of a record, computed by the functions that reports use."""
    returns, bills = result.returns, result.bills.iloc[1:]
    excess = returns - bills
    off = excess - excess.mean()
    varies = excess.std(ddof=0) >= 1e-9  # below this, ratios are only rounding errors
    figures = {
        "sessions": len(returns),
        "total_return": metrics.total_return(returns),
        "cagr": metrics.cagr(returns),
        "volatility": metrics.volatility(returns),
        "max_drawdown": metrics.max_drawdown(returns).depth,
        "exposure": float(result.exposure.iloc[1:].mean()),
        "turnover": metrics.turnover(result),
        "costs": metrics.cost_rate(result),
    }
    moments = {
        "sharpe": metrics.sharpe(returns, bills),
        "skewness": (off**3).mean() / (off**2).mean() ** 1.5,
        "kurtosis": (off**4).mean() / (off**2).mean() ** 2,
        "autocorrelation": (off * off.shift()).sum() / (off**2).sum(),
    }
    return figures | (moments if varies else {})


@settings(max_examples=8, deadline=None, derandomize=True)
@given(case=any_case())
def test_any_case_in_a_batch(case: Case) -> None:
    """The batch also has other lags, other costs and a table of weights that is refused."""
    others = [
        replace(case, lag=3, costs=DEAR),
        replace(case, band=1.0),
        replace(case, weights=case.weights[case.weights.columns[::-1]]),
        replace(case, weights=case.weights.iloc[:, :2] / 2, gross_limit=1.7),
    ]
    many = batched(case, *others)
    for row, each in enumerate([case, *others]):
        check(many, row, each)


@pytest.mark.parametrize("costs", [Costs(), FREE, DEAR], ids=["usual", "none", "dear"])
def test_all_strategies_on_real_history_in_one_batch(
    on_real_history: dict[str, Case], costs: Costs
) -> None:
    market = next(iter(on_real_history.values()))
    cases = [
        replace(on_real_history[name], prices=market.prices, costs=costs) for name in STRATEGIES
    ]
    many = batched(*cases, threads=2)
    for row, case in enumerate(cases):
        check(many, row, case)


# --- What the tables hold --------------------------------------------------------------------


def some(count: int = 40) -> list[Case]:
    prices, bills = market(250)
    random = np.random.default_rng(3)
    cases = []
    for _ in range(count):
        rows = [dict(zip(ASSETS, random.dirichlet(np.ones(4)), strict=True)) for _ in range(5)]
        cases.append(Case(steady(prices, *rows), prices, bills))
    return cases


def test_figures_do_not_depend_on_threads_or_on_the_other_configurations() -> None:
    cases = some()
    one, two, alone = batched(*cases), batched(*cases, threads=2), batched(cases[33])
    for name in ("metrics", "monthly", "equity"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(two, name), check_exact=True)
        np.testing.assert_array_equal(getattr(one, name).iloc[33], getattr(alone, name).iloc[0])
    np.testing.assert_array_equal(one.moments, two.moments)


def test_a_portfolio_is_the_same_alone_and_side_by_side_with_others() -> None:
    """The others have other lags, bands, costs, decision sessions, assets and short positions."""
    cases = some(6)
    others = [
        replace(cases[0], lag=3),
        replace(cases[1], band=0.05),
        replace(cases[2], costs=DEAR),
        replace(cases[3], weights=cases[3].weights.iloc[3::2]),
        replace(cases[4], weights=cases[4].weights[ASSETS[::-1]]),
        replace(cases[5], weights=cases[5].weights * [1, -0.2, 0.5, 0.1]),
        replace(cases[5], weights=cases[5].weights.iloc[:, :0]),
    ]
    many = batched(*cases, *others, *cases)
    for row, case in enumerate([*cases, *others, *cases]):
        alone = batched(case)
        np.testing.assert_array_equal(many.metrics.iloc[row], alone.metrics.iloc[0])
        np.testing.assert_array_equal(many.equity.iloc[row], alone.equity.iloc[0])  # type: ignore[union-attr]
        check(many, row, case)


def test_the_loops_have_room_for_all_configurations_that_run_together() -> None:
    """The compiled loops check no bounds: one configuration more would overwrite other figures."""
    assert TOGETHER <= measures.LANES


@pytest.mark.parametrize("blocks", [1, 7, 16])
def test_moments_of_blocks_are_those_of_the_excess_returns(blocks: int) -> None:
    case = some(1)[0]
    result = case.engine()
    excess = (result.returns - result.bills.iloc[1:]).to_numpy()
    parts = np.array_split(excess, blocks)
    expected = [(len(part), part.sum(), (part**2).sum()) for part in parts]
    np.testing.assert_allclose(batched(case, blocks=blocks).moments[0], expected, atol=1e-13)


def test_monthly_returns_are_those_of_the_portfolio_minus_bills() -> None:
    case = some(1)[0]
    result = case.engine()
    index = pd.DatetimeIndex(result.returns.index).to_period("M")
    grown = (1 + result.returns).groupby(index).prod()
    expected = grown - (1 + result.bills.iloc[1:]).groupby(index).prod()
    monthly = batched(case).monthly
    assert (monthly.dtypes == np.float32).all()
    np.testing.assert_allclose(monthly.iloc[0], expected, atol=1e-7)
    assert list(monthly) == list(expected.index)


def test_equity_is_left_out_unless_asked_for() -> None:
    assert batched(some(1)[0], keep_equity=False).equity is None


def test_loops_and_metrics_treat_the_same_denominators_as_zero() -> None:
    assert measures.ZERO == metrics.ZERO


def test_loops_and_the_choice_of_trades_have_the_same_tolerance() -> None:
    assert loops.ROUNDING == schedule.ROUNDING


def test_names_of_positions_fit_the_arrays_of_the_loops() -> None:
    for at, name in enumerate(measures.MEASURES):
        assert getattr(measures, name.upper()) == at
    for name in ("TURNED", "PAID", "FILLED", "EXPOSED"):
        assert getattr(measures, name) == getattr(loops, name)


def test_no_configurations_give_empty_tables() -> None:
    prices, bills = market(60)
    many = simulate_many([], prices, bills, keep_equity=True)
    assert many.equity is not None
    assert len(many.metrics) == len(many.equity) == len(many.moments) == 0


def test_one_session_gives_no_metrics() -> None:
    prices, bills = market(1)
    many = batched(Case(steady(prices, {"SPY": 0.5}), prices, bills))
    assert many.refused == {}
    assert many.metrics.loc[0, "sessions"] == 0
    assert np.isnan(many.metrics.loc[0, ["cagr", "sharpe", "max_drawdown"]].to_numpy()).all()


# --- What is refused -------------------------------------------------------------------------


def test_a_market_that_cannot_be_used_refuses_the_batch() -> None:
    case = some(1)[0]
    for change in ({"prices": case.prices.assign(MU=-1.0)}, {"capital": 0.0}):
        changed = replace(case, **change)
        with pytest.raises(SimulationError) as bad:
            batched(changed)
        assert str(bad.value) == answer(changed.engine)


@pytest.mark.parametrize("option", ["threads", "blocks"])
def test_an_option_below_one_is_refused(option: str) -> None:
    with pytest.raises(ConfigError, match=f"expected `{option}` of at least 1, was 0"):
        batched(some(1)[0], **{option: 0})


def test_refused_configurations_stand_beside_sound_ones() -> None:
    good = some(1)[0]
    bad = [
        replace(good, lag=0),
        replace(good, costs=3),  # type: ignore[arg-type]
        replace(good, gross_limit=float("nan")),
        replace(good, weights=good.weights * 2),
        replace(good, weights=good.weights.assign(MU=np.nan)),
        replace(good, weights=good.weights.assign(MU="x")),
        replace(good, weights=good.weights.assign(SNDK=0.0)),
        replace(good, weights=good.weights.shift(freq="3650D")),
    ]
    many = batched(*bad, good)
    assert sorted(many.refused) == list(range(len(bad)))
    for row, case in enumerate([*bad, good]):
        check(many, row, case)


# --- The tests find planted errors -----------------------------------------------------------


def test_a_planted_error_in_the_loops_fails_the_comparison(monkeypatch: Any) -> None:
    """In the faulty loops, each band is wider by 0.01."""
    trade = loops.trade

    def faulty(market: Any, frames: Any, terms: Any, room: Any, first: int) -> None:
        trade(market, frames, terms._replace(band=terms.band + 0.01), room, first)

    prices, bills = market(250)
    case = Case(steady(prices, {"SPY": 0.4, "MU": 0.2}, {"SPY": 0.392, "MU": 0.2}), prices, bills)
    check(batched(case), 0, case)
    monkeypatch.setattr(loops, "trade", faulty)
    with pytest.raises(AssertionError):
        check(batched(case), 0, case)


def test_a_planted_error_in_a_metric_fails_the_comparison() -> None:
    case = some(1)[0]
    many = batched(case)
    for name in figures_of(case.engine()):
        moved = replace(many, metrics=many.metrics.assign(**{name: many.metrics[name] + 1e-6}))
        with pytest.raises(AssertionError, match=name):
            check(moved, 0, case)
