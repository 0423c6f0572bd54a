"""The costs of short positions, and the limit of gross exposure.

The first tests compare with calculations by hand, in dollars. The later tests compare random long
and short portfolios with the ledger (`tests/reference/ledger.py`), to a relative 1e-9 at every
close.

A decision with a gross exposure above the limit is refused. A portfolio with short positions may
also drift above the limit. At such a close, the engine decides to go back to the last decided
weights, and fills this decision `lag` sessions later. It does nothing if another decision waits for
its fill, or is taken at this close.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtests.calendar import sessions
from backtests.engine.simulate import Result
from signals.errors import SimulationError
from tests.engine.cases import ASSETS, DEAR, FREE, Case, gap

#: Sessions since Thursday 7 January 2021, so that the third session is a Monday.
SESSIONS = sessions(pd.Timestamp("2021-01-07"), pd.Timestamp("2021-07-30"))
EXACT = 1e-9
BY_HAND = 1e-12


def quotes(**closes: list[float]) -> pd.DataFrame:
    """Return closes from the first session on; BTC means BTC-USD."""
    table = pd.DataFrame(closes, dtype=float).rename(columns={"BTC": "BTC-USD"})
    return table.set_axis(SESSIONS[: len(table)])


def thousand(prices: pd.DataFrame, weights: pd.DataFrame, bills: float = 0.0, **terms: Any) -> Case:
    """Return a case of 1,000 USD. By default, trades and borrowing cost nothing."""
    earned = pd.Series(bills, index=prices.index)
    return Case(weights, prices, earned, **{"costs": FREE, "capital": 1000.0, **terms})


def decide(prices: pd.DataFrame, *rows: tuple[int, dict[str, float]]) -> pd.DataFrame:
    """Return decisions from pairs of session position and weights; BTC means BTC-USD."""
    table = pd.DataFrame([row for _, row in rows], index=SESSIONS[[at for at, _ in rows]])
    return table.rename(columns={"BTC": "BTC-USD"}).reindex(columns=prices.columns).fillna(0.0)


def held(case: Case) -> Result:
    """Compare the engine's result with the ledger's, and return the engine's result."""
    result = case.engine()
    assert gap(result.equity, case.ledger()[0]) < EXACT
    return result


def equity(case: Case) -> list[float]:
    return held(case).equity.tolist()


def fills(result: Result) -> list[int]:
    """Return the positions of the sessions on which something was traded."""
    return SESSIONS.get_indexer(pd.DatetimeIndex(result.orders["date"].unique())).tolist()


# --- What borrowing costs --------------------------------------------------------------------

#: Borrowing costs: 0.1 % a day for coins, and 0.05 % a day for shares.
TENTH_A_DAY = replace(FREE, borrow_crypto=0.365, borrow_stock=0.1825)


def test_borrowing_is_charged_by_calendar_day_three_over_a_weekend() -> None:
    """On Friday, 5 coins are sold at 100.

    On Monday, 5 × 1.003 coins are owed, and on Tuesday 5 × 1.003 × 1.001.
    """
    prices = quotes(BTC=[100, 100, 100, 100])
    case = thousand(prices, decide(prices, (0, {"BTC": -0.5})), costs=TENTH_A_DAY)
    assert [day.day_name()[:3] for day in prices.index] == ["Thu", "Fri", "Mon", "Tue"]
    assert equity(case) == pytest.approx([1000, 1000, 998.5, 997.9985], rel=BY_HAND)


def test_a_stock_is_borrowed_at_the_rate_of_stocks() -> None:
    prices = quotes(MU=[100, 100, 100])
    case = thousand(prices, decide(prices, (0, {"MU": -0.5})), costs=TENTH_A_DAY)
    assert equity(case) == pytest.approx([1000, 1000, 1000 - 500 * 0.0015], rel=BY_HAND)


def test_borrowing_is_charged_on_what_is_owed_at_todays_price() -> None:
    """Over the weekend the coin falls to 80. Equity is 1500 − 5 × 1.003 × 80 = 1098.8."""
    prices = quotes(BTC=[100, 100, 80])
    case = thousand(prices, decide(prices, (0, {"BTC": -0.5})), costs=TENTH_A_DAY)
    assert equity(case)[-1] == pytest.approx(1098.8, rel=BY_HAND)


def test_a_long_position_pays_no_borrowing() -> None:
    prices = quotes(BTC=[100, 100, 100])
    case = thousand(prices, decide(prices, (0, {"BTC": 0.5})), costs=TENTH_A_DAY)
    assert equity(case) == [1000, 1000, 1000]


def test_the_proceeds_of_a_short_sale_earn_bills() -> None:
    """Cash of 1000 earns 1 %. Then coins for 505 are sold, and cash of 1515 earns 1 %."""
    prices = quotes(BTC=[100, 100, 100])
    case = thousand(prices, decide(prices, (0, {"BTC": -0.5})), bills=0.01)
    assert equity(case) == pytest.approx([1000, 1010, 1515 * 1.01 - 505], rel=BY_HAND)


# --- A short that goes against you -----------------------------------------------------------


def test_a_short_whose_asset_doubles_loses_what_it_was_worth_and_is_cut_back() -> None:
    """Four coins are sold at 100 for a fee of 4, so cash is 1396.

    At a price of 200, equity is 1396 − 800 = 596, and gross exposure is 800 / 596 = 1.34. The
    target is 40 % of 596, which is 238.4. So coins for 561.6 are bought, for a fee of 5.616.
    """
    prices = quotes(BTC=[100, 100, 200, 200, 200])
    costs = replace(FREE, crypto_bp=100)
    result = held(thousand(prices, decide(prices, (0, {"BTC": -0.4})), costs=costs))
    assert result.equity.tolist() == pytest.approx([1000, 996, 596, 590.384, 590.384], rel=BY_HAND)
    assert result.exposure.iloc[2:4].tolist() == pytest.approx([800 / 596, 238.4 / 590.384])
    assert list(result.targets.index) == list(SESSIONS[[0, 2]])


def test_the_long_leg_pays_for_the_short_one() -> None:
    """Long 500 of MU, short 500 of coins. MU rises by 10 % (+50), and the coin by 6 % (−30)."""
    prices = quotes(MU=[50, 50, 55], BTC=[100, 100, 106])
    case = thousand(prices, decide(prices, (0, {"MU": 0.5, "BTC": -0.5})))
    assert equity(case) == pytest.approx([1000, 1000, 1020], rel=BY_HAND)


def test_a_portfolio_below_zero_is_refused_in_one_line() -> None:
    """On Monday, equity is 1500 − 5 × 301 = −5, before coins can be bought back."""
    prices = quotes(BTC=[100, 100, 301, 301])
    case = thousand(prices, decide(prices, (0, {"BTC": -0.5})))
    assert case.ledger()[0][2] == pytest.approx(-5)
    with pytest.raises(SimulationError, match="on 2021-01-11; reduce short positions") as refused:
        case.engine()
    assert "\n" not in str(refused.value)


# --- The limit -------------------------------------------------------------------------------


def test_a_decision_beyond_the_limit_is_refused_in_one_line() -> None:
    prices = quotes(MU=[50, 50, 50], BTC=[100, 100, 100])
    case = thousand(prices, decide(prices, (1, {"MU": 0.6, "BTC": -0.5})))
    message = r"gross exposure of at most 1, was 1\.1 on 2021-01-08"
    with pytest.raises(SimulationError, match=message) as refused:
        case.engine()
    assert "\n" not in str(refused.value)
    assert held(replace(case, gross_limit=1.1)).equity.iloc[-1] == 1000


EVEN = {"MU": 0.5, "BTC": -0.5}


def squeeze(n: int = 9, to: float = 110.0, at: int = 3) -> pd.DataFrame:
    """Return constant prices, with one jump of the coin from 100 to ``to``."""
    return quotes(MU=[50] * n, BTC=[100] * at + [to] * (n - at))


@pytest.mark.parametrize("lag", [1, 2, 4])
def test_an_excess_lasts_lag_sessions(lag: int) -> None:
    """At 110, equity is 950, and gross exposure is 1050 / 950. The fill brings each side to 475."""
    prices = squeeze(n=12, at=6)
    result = held(thousand(prices, decide(prices, (0, EVEN)), lag=lag))
    assert fills(result) == [lag, 6 + lag]
    gross = result.exposure.tolist()
    assert gross[6 : 6 + lag] == pytest.approx([1050 / 950] * lag, rel=BY_HAND)
    assert gross[6 + lag :] == pytest.approx([1] * (6 - lag), rel=BY_HAND)
    assert result.orders["units"].tolist()[-2:] == pytest.approx(
        [(550 - 475) / 110, (475 - 500) / 50]
    )


def test_a_gain_on_a_short_is_left_alone() -> None:
    prices = squeeze(to=90)
    result = held(thousand(prices, decide(prices, (0, EVEN))))
    assert fills(result) == [1]
    assert result.exposure.iloc[-1] == pytest.approx(950 / 1050, rel=BY_HAND)


def test_gross_exposure_exactly_at_the_limit_is_within_it() -> None:
    prices = squeeze(to=100)
    assert fills(held(thousand(prices, decide(prices, (0, EVEN))))) == [1]


def test_a_trade_back_to_the_limit_goes_to_the_decision_that_the_band_left_alone() -> None:
    """The last decision counts, even if the band prevented its trade."""
    prices = squeeze(at=5)
    newer = {"MU": 0.48, "BTC": -0.49}
    case = thousand(prices, decide(prices, (0, EVEN), (3, newer)), band=0.03)
    result = held(case)
    assert fills(result) == [1, 6]
    assert result.weights.iloc[6].tolist() == pytest.approx([0.48, -0.49], rel=BY_HAND)


def test_a_waiting_decision_is_waited_for() -> None:
    prices = squeeze(at=4)
    case = thousand(prices, decide(prices, (0, EVEN), (3, {"MU": 0.3})), lag=3)
    assert fills(held(case)) == [3, 6]


def test_a_decision_of_that_session_comes_first() -> None:
    prices = squeeze(at=3)
    case = thousand(prices, decide(prices, (0, EVEN), (3, {"MU": 0.3})))
    result = held(case)
    assert fills(result) == [1, 4]
    assert result.weights.iloc[4].tolist() == pytest.approx([0.3, 0], abs=BY_HAND)


def test_a_decision_that_the_band_leaves_alone_is_no_excuse() -> None:
    """Every session repeats the same decision. No asset leaves the band, but gross is 1.105."""
    prices = squeeze(at=3)
    rows = [(at, EVEN) for at in range(len(prices))]
    result = held(thousand(prices, decide(prices, *rows), band=0.2))
    assert fills(result) == [1, 4]
    assert result.exposure.iloc[4:].max() == pytest.approx(1, rel=BY_HAND)


def test_a_holding_given_up_is_not_bought_back_at_the_limit() -> None:
    """NVDA loses its price at the third session, and is closed.

    It has prices again before the coin jumps.
    """
    n, at = 30, 24
    prices = squeeze(n=n, to=120.0, at=at).assign(NVDA=10.0)
    prices.iloc[2:20, 2] = np.nan
    three = {"MU": 0.3, "BTC": -0.5, "NVDA": 0.2}
    result = held(thousand(prices, decide(prices, (0, three)), gross_limit=1.0))
    assert result.exposure.iloc[at] == pytest.approx((0.3 + 0.6) / 0.9, rel=BY_HAND)  # within
    dearer = prices.assign(**{"BTC-USD": prices["BTC-USD"].where(prices["BTC-USD"] == 100, 140.0)})
    result = held(thousand(dearer, decide(dearer, (0, three)), gross_limit=1.0))
    assert fills(result)[-1] == at + 1
    assert result.weights.iloc[at + 1].tolist() == pytest.approx([0.3, -0.5, 0.0], abs=BY_HAND)
    assert result.targets.iloc[-1].tolist() == [0.3, -0.5, 0.0]


def test_an_excess_at_the_end_is_left_since_its_fill_is_not_in_history() -> None:
    prices = squeeze(n=4, at=3)
    result = held(thousand(prices, decide(prices, (0, EVEN))))
    assert fills(result) == [1]
    assert list(result.targets.index) == [SESSIONS[0]]


@pytest.mark.parametrize("later", [{}, {"BTC": -0.1}])
def test_without_a_short_nothing_is_done_whatever_is_decided_later(
    later: dict[str, float],
) -> None:
    """The limit of 0.5 does not apply to a portfolio without shorts. Later shorts do not count."""
    prices = quotes(MU=[50, 50, 60, 60, 60, 60, 60], BTC=[100] * 7)
    case = thousand(prices, decide(prices, (0, {"MU": 0.5}), (6, later)))
    assert fills(held(replace(case, gross_limit=0.5))) == [1]


# --- Random portfolios -----------------------------------------------------------------------


def random_case(seed: int, lag: int = 1, band: float = 0.0, limit: float = 1.0) -> Case:
    """Return volatile prices, and decisions close to the limit. Many decisions are almost equal."""
    random = np.random.default_rng(seed)
    n, times = 120, 20
    steps = random.normal(0, 0.03, (n, len(ASSETS))).cumsum(axis=0)
    prices = pd.DataFrame(80 * np.exp(steps), index=SESSIONS[:n], columns=ASSETS)
    rows = np.array([one_long_one_short(random) for _ in range(times // 5)]).repeat(5, axis=0)
    rows *= random.uniform(0.96, 1, rows.shape) * limit
    at = np.sort(random.choice(n, times, replace=False))
    return Case(
        weights=pd.DataFrame(rows, index=prices.index[at], columns=ASSETS),
        prices=prices,
        bills=pd.Series(random.uniform(0, 4e-4, n), index=prices.index),
        costs=DEAR,
        capital=1000.0,
        lag=lag,
        band=band,
        gross_limit=limit,
    )


def one_long_one_short(random: np.random.Generator) -> np.ndarray:
    """Return weights of both signs with a gross exposure of 1, of which at most 0.65 is long."""
    halves = random.permutation([1, 1, -1, -1])
    size = random.dirichlet(np.full(len(ASSETS), 3.0))
    long = size[halves > 0].sum()
    share = min(long, 0.65) / long
    short = (1 - share * long) / (1 - long)
    return np.asarray(np.where(halves > 0, share * size, -short * size))


def of_the_limit(case: Case, result: Result) -> int:
    """Return the number of decisions that only the limit caused."""
    return len(result.targets.index.difference(case.weights.index))


grid = (
    pytest.mark.parametrize("seed", range(4)),
    pytest.mark.parametrize("lag", [1, 2, 5]),
    pytest.mark.parametrize("band", [0.0, 0.02, 0.1]),
)


def over_the_grid(test: Callable[..., None]) -> Callable[..., None]:
    for axis in grid:
        test = axis(test)
    return test


@over_the_grid
def test_long_and_short_portfolios_give_the_ledgers_equity(
    seed: int, lag: int, band: float
) -> None:
    case = random_case(seed, lag, band, limit=(0.6, 1.0, 1.5)[seed % 3])
    assert of_the_limit(case, held(case)) > 0


@over_the_grid
def test_and_so_they_do_where_prices_are_missing(seed: int, lag: int, band: float) -> None:
    case = random_case(seed, lag, band)
    holes = np.random.default_rng(seed).uniform(size=case.prices.shape) < 0.1
    holes[40:60, seed % len(ASSETS)] = True
    holes[0] = False
    held(replace(case, prices=case.prices.mask(holes)))


@over_the_grid
def test_gross_is_within_its_limit_after_every_fill_and_above_it_for_at_most_lag_sessions(
    seed: int, lag: int, band: float
) -> None:
    """Costs are zero, because the limit applies to weights before costs."""
    case = replace(random_case(seed, lag, band), costs=FREE)
    result = held(case)
    over = (result.exposure > 1 + EXACT).to_numpy()
    assert not over[fills(result)].any()
    assert 0 < longest(over) <= lag


def longest(flags: np.ndarray) -> int:
    """Return the length of the longest run of true values."""
    return max((len(list(stretch)) for on, stretch in groupby(flags) if on), default=0)


# --- The tests find planted errors -----------------------------------------------------------


def weekdays_only(case: Case) -> Case:
    """Move every session to the day after the session before, so that a weekend counts one day."""
    days = pd.date_range(case.prices.index[0], periods=len(case.prices))
    moved = dict(zip(case.prices.index, days, strict=True))
    return replace(
        case,
        prices=case.prices.rename(index=moved),
        weights=case.weights.rename(index=moved),
        bills=case.bills.rename(index=moved),
    )


PLANTED: dict[str, Callable[[Case], list[float]]] = {
    "no limit": lambda case: replace(case, gross_limit=np.inf).ledger()[0],
    "another limit": lambda case: replace(case, gross_limit=1.01).ledger()[0],
    "no borrowing cost": lambda case: replace(
        case, costs=replace(case.costs, borrow_stock=0, borrow_crypto=0)
    ).ledger()[0],
    "borrowing by sessions": lambda case: weekdays_only(case).ledger()[0],
    "cut back a session late": lambda case: replace(case, lag=case.lag + 1).ledger()[0],
}


@pytest.mark.parametrize("error", PLANTED)
def test_an_error_planted_in_the_ledger_is_seen(error: str) -> None:
    case = random_case(seed=0, band=0.02)
    assert gap(held(case).equity, PLANTED[error](case)) > 1000 * EXACT


def test_a_stretch_that_is_too_long_is_seen() -> None:
    assert longest(np.array([True, True, False, True, True, True, False])) == 3
    assert longest(np.array([False, False])) == 0
    case = replace(random_case(seed=0, band=0.02), costs=FREE, gross_limit=2.0)
    assert longest((case.engine().exposure > 1 + EXACT).to_numpy()) > 1
