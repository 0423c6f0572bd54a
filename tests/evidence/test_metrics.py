"""Our metrics equal plain loops, and are missing if they are not defined."""

import math

import numpy as np
import pandas as pd
import pytest

from backtests.calendar import sessions
from backtests.engine.simulate import Result, simulate
from backtests.evidence import metrics
from tests.engine.cases import FREE
from tests.reference import formulas

#: The parts of the deepest drawdown. Other tests compare them.
TESTED_ELSEWHERE = {f"max_drawdown_{part}" for part in ("peak", "trough", "recovered", "sessions")}


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
    months = formulas.months(r, [f"{day:%Y-%m}" for day in sides[0].index])
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
        "skew": formulas.skew(r),
        "excess_kurtosis": formulas.kurtosis(r),
        "months_above_zero": sum(m > 0 for m in months) / len(months),
        "best_month": max(months),
        "worst_month": min(months),
        "tracking_error": formulas.tracking_error(r, b),
        "information_ratio": formulas.information_ratio(r, b),
    }
    missing = ours.keys() - plain.keys() - TESTED_ELSEWHERE
    assert not missing, f"write {sorted(missing)} in tests/reference/formulas.py and add to plain"
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
    daily = qs.information_ratio(r.copy(), sides[2].copy())  # type: ignore[no-untyped-call]
    assert metrics.information_ratio(r - sides[2]) == pytest.approx(daily * 252**0.5, rel=1e-9)
    months = metrics.by_month(r)
    assert months.max() == pytest.approx(qs.best(r.copy(), aggregate="ME"), rel=1e-9)
    assert months.min() == pytest.approx(qs.worst(r.copy(), aggregate="ME"), rel=1e-9)


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
    flat = series([0.0] * 300)
    ours = metrics.of_returns(flat, flat, flat)
    for name in ("sharpe", "sortino", "calmar", "beta", "correlation", "up_capture"):
        assert math.isnan(ours[name]), name  # type: ignore[arg-type]
    assert ours["cagr"] == 0


def test_a_series_that_varies_only_by_rounding_has_no_correlation() -> None:
    flat, varying = series([0.1] * 7), series([0.01, -0.02, 0.03, 0.0, 0.01, -0.01, 0.02])
    assert 0 < flat.std() < 1e-16
    assert math.isnan(metrics.correlation(flat, varying))
    assert math.isnan(metrics.correlation(varying, flat))


@pytest.mark.parametrize("lag", [1, 2])
def test_a_return_counts_for_the_regime_it_was_earned_under(lag: int) -> None:
    returns = series([0.01, 0.02, -0.03, 0.04, 0.05] * 60)
    known = ["A", "B", "B", "B", "B"] * 60
    regime = pd.Series(known, index=returns.index, dtype=object)
    table = metrics.by_regime(returns, returns * 0, regime, 2 * returns, lag)
    earned: dict[str, list[float]] = {"A": [], "B": [], "none": []}
    for day, gain in enumerate(returns):
        earned[known[day - 1 - lag] if day > lag else "none"].append(gain)
    for name, gains in earned.items():
        row = table.loc[name]
        assert row["sessions"] == len(gains)
        assert row["share"] == pytest.approx(len(gains) / 300)
        assert row["mean_excess"] == pytest.approx(252 * sum(gains) / len(gains))
        assert row["benchmark_excess"] == pytest.approx(2 * row["mean_excess"])
        assert row["hit_rate"] == pytest.approx(sum(g > 0 for g in gains) / len(gains))
    assert table["episodes"].to_dict() == {"none": 1, "A": 1, "B": 1}
    assert table["entered"].to_dict() == {"none": 0, "A": 59, "B": 60}


# --- Edges that an average hides -------------------------------------------------------------


def test_the_value_at_risk_itself_is_part_of_what_lies_at_or_below_it() -> None:
    """The 5 % quantile of 21 returns is the second lowest, and the third lowest is equal to it."""
    returns = series([-0.06, -0.03, -0.03, *np.linspace(0.0, 0.018, 18)])
    assert metrics.value_at_risk(returns) == -0.03
    assert metrics.conditional_value_at_risk(returns) == pytest.approx(-0.04)


def test_a_day_on_which_the_benchmark_stands_still_is_neither_up_nor_down() -> None:
    benchmark, returns = series([0.02, 0.0, -0.01, 0.0]), series([0.01, 0.5, -0.02, -0.3])
    assert metrics.capture(returns, benchmark, up=True) == pytest.approx(0.5)
    assert metrics.capture(returns, benchmark, up=False) == pytest.approx(2.0)


def bought_once(closes: int) -> Result:
    """Return a run that puts all in SPY one session after the decision, at a constant price."""
    index = series([0.0] * closes).index
    prices = pd.DataFrame({"SPY": 100.0}, index=index)
    weights = pd.DataFrame({"SPY": [1.0]}, index=index[:1])
    return simulate(weights, prices, pd.Series(0.0, index=index), FREE)


def test_mean_exposure_is_over_the_closes_at_which_something_could_be_held() -> None:
    """The close of the decision does not count, because the fill is later."""
    result = bought_once(5)
    assert list(result.exposure) == pytest.approx([0, 1, 1, 1, 1])
    assert metrics.of_trading(result)["exposure"] == pytest.approx(1.0)
    said = metrics.headline(result.returns, result.bills, result.exposure)
    assert said["exposure"] == pytest.approx(1.0)


# --- Drawdowns and years ---------------------------------------------------------------------

Fall = tuple[float, int, int, int | None, int]


def slow_drawdowns(returns: pd.Series) -> list[Fall]:
    """Return depth, peak, trough, recovery and sessions of every drawdown, by a plain loop."""
    value = peak = 1.0
    at = 0
    found: list[Fall] = []
    open_: tuple[float, int, int] | None = None
    for day, r in enumerate(returns):
        value *= 1 + r
        if value >= peak:
            if open_:
                found.append((*open_, day, day - open_[1]))
            peak, at, open_ = value, day, None
            continue
        fall = value / peak - 1
        if open_ is None or fall < open_[0]:
            open_ = (fall, at, day)
    if open_:
        found.append((*open_, None, len(returns) - 1 - open_[1]))
    return sorted(found, key=lambda fall: fall[0])


@pytest.mark.parametrize("seed", range(5))
def test_the_worst_drawdowns_equal_a_plain_loop(seed: int) -> None:
    returns = series(list(np.random.default_rng(seed).normal(0.0005, 0.01, 500)))
    slow = slow_drawdowns(returns)
    found = metrics.worst_drawdowns(returns, 7)
    assert len(found) == min(7, len(slow))
    days = returns.index
    for fall, (depth, peak, trough, recovered, length) in zip(found, slow, strict=False):
        assert fall.depth == pytest.approx(depth)
        assert (fall.peak, fall.trough, fall.sessions) == (days[peak], days[trough], length)
        assert fall.recovered == (None if recovered is None else days[recovered])
    assert metrics.max_drawdown(returns) == found[0]


def test_a_drawdown_from_the_initial_capital_begins_a_session_before_the_first_return() -> None:
    """The value is 1 at the start, 0.9 after the first return, and back at 1 after the second."""
    returns = series([-0.1, 1 / 0.9 - 1 + 1e-9, -0.2])
    days, start = returns.index, returns.index[0] - pd.offsets.BDay()
    deepest, other = metrics.worst_drawdowns(returns, start=start)
    assert (deepest.peak, deepest.trough, deepest.sessions) == (days[1], days[2], 1)
    assert (other.peak, other.trough, other.recovered) == (start, days[0], days[1])
    assert other.sessions == 2
    said = metrics.of_returns(returns[:2], returns[:2], returns[:2], start)
    assert (said["max_drawdown_peak"], said["max_drawdown_sessions"]) == (start, 2)


def test_a_year_s_own_return_is_compounded_over_its_sessions() -> None:
    returns = pd.Series(
        [0.1, 0.2, -0.5], pd.DatetimeIndex(["2023-12-28", "2023-12-29", "2024-01-02"])
    )
    table = metrics.by_year(pd.DataFrame({"mine": returns, "other": 0.0}))
    assert table["mine"].to_dict() == pytest.approx({2023: 0.32, 2024: -0.5})
    assert (table["other"] == 0).all()


def test_a_month_s_own_return_is_compounded_over_its_sessions() -> None:
    """January has two sessions and gains 10 %; February has one and loses 5 %; March stands still.

    A month without a gain is not above zero.
    """
    days = pd.DatetimeIndex(["2024-01-30", "2024-01-31", "2024-02-01", "2024-03-01"])
    returns = pd.Series([-0.5, 1.2, -0.05, 0.0], days)
    said = metrics.of_returns(returns, returns * 0, returns * 0)
    assert said["best_month"] == pytest.approx(0.10)
    assert said["worst_month"] == pytest.approx(-0.05)
    assert said["months_above_zero"] == pytest.approx(1 / 3)


def test_the_information_ratio_divides_the_mean_active_return_by_the_tracking_error() -> None:
    """Active returns of 1 % and 3 % have mean 2 % and standard deviation √2 %."""
    benchmark = series([-0.04, 0.10] * 150)
    returns = benchmark + series([0.01, 0.03] * 150)
    said = metrics.of_returns(returns, returns * 0, benchmark)
    deviation = 0.01 * math.sqrt(300 / 299)
    assert said["tracking_error"] == pytest.approx(deviation * math.sqrt(252))
    assert said["information_ratio"] == pytest.approx(0.02 / deviation * math.sqrt(252))
    itself = metrics.of_returns(benchmark, benchmark * 0, benchmark)
    assert itself["tracking_error"] == 0
    assert math.isnan(itself["information_ratio"])  # type: ignore[arg-type]


# --- Less than a year ------------------------------------------------------------------------


def test_every_whole_calendar_year_counts_as_a_year() -> None:
    calendar = sessions(pd.Timestamp("1990-01-01"), pd.Timestamp("2025-12-31"))
    held = pd.Series(0.0, index=calendar)
    lengths = held.groupby(calendar.year).size()
    assert len(lengths) == 36
    assert not any(metrics.is_short(held.iloc[: n - 1]) for n in lengths)


@pytest.mark.parametrize(("n", "known"), [(119, False), (246, False), (247, True)])
def test_figures_a_year_are_undefined_below_a_year(n: int, known: bool) -> None:
    random = np.random.default_rng(0)
    r, b = series(list(random.normal(0.003, 0.01, n))), series(list(random.normal(0, 0.01, n)))
    said = metrics.of_returns(r, r * 0, b)
    yearly = {name: said[name] for name in metrics.YEARLY if name in said}
    assert {"cagr", "volatility", "sharpe", "sortino", "calmar"} <= yearly.keys()
    assert {"tracking_error", "information_ratio"} <= yearly.keys()
    assert all(math.isfinite(value) == known for value in yearly.values())  # type: ignore[arg-type]
    assert said["total_return"] == pytest.approx(formulas.total_return(list(r)))
    assert all(math.isfinite(said[name]) for name in ("max_drawdown", "var_95", "beta"))  # type: ignore[arg-type]
    table = metrics.by_regime(r, r * 0, pd.Series("A", index=r.index), b, 1)
    for column in ("mean_excess", "benchmark_excess", "volatility"):
        assert math.isfinite(table[column].loc["A"]) == known
    row = metrics.headline(r, r * 0, pd.Series(1.0, index=r.index))
    assert math.isfinite(row["cagr"]) == math.isfinite(row["sharpe"]) == known
    assert row["total_return"] == said["total_return"]
    traded = metrics.of_trading(bought_once(n + 1))
    assert math.isfinite(traded["turnover"]) == math.isfinite(traded["costs"]) == known  # type: ignore[arg-type]


def test_the_formulas_themselves_hold_for_any_number_of_returns() -> None:
    r = [0.01, -0.02, 0.03]
    assert metrics.cagr(series(r)) == pytest.approx(formulas.cagr(r))
    assert metrics.sharpe(series(r), series([0.0] * 3)) == pytest.approx(
        formulas.sharpe(r, [0.0] * 3)
    )
