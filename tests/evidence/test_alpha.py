"""Alpha compared with a Newey–West regression by hand: on random returns and on real history."""

import math

import numpy as np
import pandas as pd
import pytest

from backtests.config_data import config_from
from backtests.evidence.alpha import Alpha, alpha, own_alpha
from backtests.history.panel import History
from backtests.pipeline import run
from backtests.runs import Run
from signals.errors import DataError

pytestmark = pytest.mark.usefixtures("evaluated_before")

N = 500
INDEX = pd.bdate_range("2015-01-01", periods=N)


def drawn(seed: int, columns: int) -> pd.DataFrame:
    values = np.random.default_rng(seed).normal(3e-4, 0.01, (N, columns))
    return pd.DataFrame(values, index=INDEX, columns=[f"asset {i}" for i in range(columns)])


def by_hand(excess: np.ndarray, others: np.ndarray, lags: int) -> tuple[float, float]:
    """Return yearly alpha and its t statistic, by least squares with Newey and West's errors."""
    design = np.column_stack([np.ones(len(excess)), others])
    n, k = design.shape
    inverse = np.linalg.inv(design.T @ design)
    coefficients = inverse @ design.T @ excess
    scores = design * (excess - design @ coefficients)[:, None]
    middle = scores.T @ scores
    for lag in range(1, lags + 1):
        product = scores[lag:].T @ scores[:-lag]
        middle += (1 - lag / (lags + 1)) * (product + product.T)
    error = math.sqrt((inverse @ middle @ inverse)[0, 0] * n / (n - k))
    return 252 * coefficients[0], coefficients[0] / error


def test_alpha_and_t_are_those_by_hand() -> None:
    others = drawn(1, 3)
    excess = others.dot(pd.Series([0.5, 0.2, -0.3], others.columns)) + drawn(2, 1)["asset 0"]
    found = alpha(excess, others)
    estimate, t = by_hand(excess.to_numpy(), others.to_numpy(), found.lags)
    assert found.lags == math.ceil(1.3 * math.sqrt(N)) == 30
    assert found.estimate == pytest.approx(estimate, rel=1e-9)
    assert found.t == pytest.approx(t, rel=1e-9)
    assert found.betas == pytest.approx({"asset 0": 0.5, "asset 1": 0.2, "asset 2": -0.3}, abs=0.15)


def test_the_returns_before_the_first_fill_do_not_count_for_the_minimum() -> None:
    """A lag of almost a year leaves too few of a year's returns for a regression."""
    history = History.simulated(seed=0, years=3)
    terms = {"strategy": "spy", "source": "simulated", "start": "2023-12-06"}
    late = run(config_from({**terms, "lag": 252}), history)
    assert len(late.result.returns) > 252
    assert own_alpha(late) is None


def test_the_interval_is_as_wide_as_averaging_over_so_many_lags_asks_for() -> None:
    """The critical value is compared with the simulated 95 % quantile of |t| without any alpha."""
    found = alpha(drawn(2, 1)["asset 0"], drawn(1, 1))
    critical = (found.high - found.low) / 2 / (found.estimate / found.t)
    noise = np.random.default_rng(3).standard_normal((8000, N))
    apart = noise - noise.mean(axis=1, keepdims=True)
    variance = (apart**2).sum(axis=1)
    for lag in range(1, 31):
        variance += 2 * (1 - lag / 31) * (apart[:, lag:] * apart[:, :-lag]).sum(axis=1)
    t = noise.sum(axis=1) / np.sqrt(variance)
    assert critical == pytest.approx(np.quantile(np.abs(t), 0.95), rel=0.04)
    assert critical > 2.1  # more than 1.96, which holds if the error is known


def test_constant_weights_have_none_and_good_timing_has_all_it_earns() -> None:
    market = drawn(1, 1)
    constant = alpha(0.6 * market["asset 0"], market)
    assert constant.estimate == pytest.approx(0, abs=1e-12)
    assert math.isnan(constant.t)
    foresight = market["asset 0"].clip(lower=0)
    timed = alpha(foresight, market)
    assert timed.low > 0
    assert timed.estimate > 0.5


def test_other_sessions_and_missing_returns_are_refused() -> None:
    market = drawn(1, 1)
    with pytest.raises(DataError, match=r"500 sessions of the returns, but .* \(499 sessions\)"):
        alpha(market["asset 0"], market.iloc[1:])
    hole = market.copy()
    hole.iloc[7, 0] = np.nan
    with pytest.raises(DataError, match="expected a return for every session"):
        alpha(market["asset 0"], hole)


# --- The alpha of a run ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def near_cash_flow(history: History) -> Run:
    return run(config_from({"strategy": "near-cash-flow", "start": "2015-01-01"}), history)


def test_near_cash_flow_earns_about_4_points_beyond_its_own_assets(near_cash_flow: Run) -> None:
    """Alpha is computed here from equity and closes.

    It is half of the strategy's gain over its constant mix, with a t of about 2.
    """
    result, lag = near_cash_flow.result, near_cash_flow.config.lag
    equity, bills = result.equity.to_numpy(), result.bills.to_numpy()[1:]
    closes = near_cash_flow.history.closes.loc[result.equity.index]
    prices = closes[list(near_cash_flow.strategy.assets)].to_numpy()
    others = np.nan_to_num(prices[1:] / prices[:-1] - 1 - bills[:, None], nan=0.0)
    excess = equity[1:] / equity[:-1] - 1 - bills
    found = own_alpha(near_cash_flow)
    assert found is not None
    estimate, t = by_hand(excess[lag:], others[lag:], found.lags)
    assert (found.estimate, found.t) == pytest.approx((estimate, t), rel=1e-6)
    assert 3 < 100 * estimate < 4.5
    assert 1.5 < t < 2.1


def test_holding_one_asset_has_no_alpha_and_bills_no_regression(history: History) -> None:
    held, idle = (
        run(config_from({"strategy": name, "start": "2015-01-01"}), history)
        for name in ("constant-mix", "bills")
    )
    found = own_alpha(held)
    assert isinstance(found, Alpha)
    assert found.estimate == pytest.approx(0, abs=2e-3)
    assert own_alpha(idle) is None


def test_less_than_a_year_has_none(history: History) -> None:
    """A calendar year counts as a year, although 2023 has only 249 returns."""
    terms = {"strategy": "constant-mix", "start": "2023-01-03"}
    almost, year = (
        own_alpha(run(config_from({**terms, "end": end}), history))
        for end in ("2023-12-22", "2023-12-29")
    )
    assert almost is None
    assert year is not None
