"""Robustness changes one choice at a time. Each row is compared with a plain run or a loop."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtests.config_data import config_from
from backtests.engine.costs import Costs
from backtests.evidence.robustness import by_choice, unchanged
from backtests.history.bills import YIELD, bill_returns
from backtests.history.panel import History
from backtests.pipeline import read, run, run_on
from backtests.plural import number_of
from backtests.runs import Run
from backtests.window import window
from signals import Reading
from tests.reference import formulas

LAGS, FACTORS, OFFSETS = (1, 2, 3, 5, 10), (0, 1, 2, 5), tuple(range(0, 21, 2))
START, LATE = "2021-10-11", "2024-03-01"
FIGURES = ["cagr", "sharpe", "max_drawdown", "exposure"]
TILT = "near-cash-flow"


@pytest.fixture(scope="module")
def short() -> History:
    return History.simulated(seed=0, years=6)


@pytest.fixture(scope="module")
def reading(short: History) -> Reading:
    return read(config_from({"strategy": "spy"}), short)


@pytest.fixture(scope="module")
def runs(short: History, reading: Reading) -> dict[str, Run]:
    """Return runs of several years, and runs of a single year."""
    one = {name: made(short, reading, name, start=LATE) for name in ("spy", "bills")}
    return {name: made(short, reading, name) for name in (TILT, "sixty-forty")} | one


@pytest.fixture(scope="module")
def tables(runs: dict[str, Run]) -> dict[str, pd.DataFrame]:
    return {name: by_choice(ours) for name, ours in runs.items()}


def made(history: History, reading: Reading, name: str, **more: Any) -> Run:
    """Return a plain run on a given reading, because signals do not depend on trading terms."""
    config = config_from({"strategy": name, "start": START, **more})
    return run_on(config, history, reading, window(config, history, reading))


def times(factor: float) -> dict[str, float]:
    return {name: factor * value for name, value in vars(Costs()).items()}


def measured(returns: np.ndarray, bills: np.ndarray, exposure: np.ndarray) -> list[float]:
    """Return four figures of daily returns, by hand. Yearly figures need a year of returns."""
    daily = returns.tolist()
    varies = (returns - bills).std() > 1e-12
    sharpe = formulas.sharpe(daily, bills.tolist()) if varies else np.nan
    yearly = [formulas.cagr(daily), sharpe] if len(daily) >= 247 else [np.nan, np.nan]
    return [*yearly, formulas.max_drawdown(daily), exposure.mean()]


def of_run(run: Run, kept: np.ndarray | None = None) -> list[float]:
    """Return the four figures of a run, over all its returns or over the returns in ``kept``."""
    equity = run.result.equity.to_numpy()
    rows = slice(None) if kept is None else kept
    exposure = run.result.weights.abs().sum(axis=1).to_numpy()[1:]
    bills = run.result.bills.to_numpy()[1:]
    return measured((equity[1:] / equity[:-1] - 1)[rows], bills[rows], exposure[rows])


def figures(table: pd.DataFrame, choice: str, case: str) -> list[float]:
    values: list[float] = np.asarray(table.loc[(choice, case), FIGURES]).tolist()
    return values


def close(expected: list[float]) -> Any:
    return pytest.approx(expected, abs=1e-9, nan_ok=True)


# --- Which rows ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "years"),
    [
        (TILT, (2021, 2022, 2023, 2024)),
        ("sixty-forty", (2021, 2022, 2023, 2024)),
        ("bills", (2024,)),
    ],
)
def test_there_is_a_row_for_every_choice(
    tables: dict[str, pd.DataFrame], runs: dict[str, Run], name: str, years: tuple[int, ...]
) -> None:
    expected = [
        ("as it is", ""),
        *(("lag", number_of(lag, "session")) for lag in LAGS),
        *(("costs", f"× {factor}") for factor in FACTORS),
        *(("rebalance day", f"+{offset} sessions") for offset in OFFSETS),
        *(("asset left out", asset) for asset in runs[name].strategy.assets),
        *(("year left out", str(year)) for year in years),
    ]
    assert tables[name].index.tolist() == expected
    assert tables[name].index.names == ["choice", "case"]
    assert list(tables[name].columns) == ["total_return", *FIGURES]


@pytest.mark.parametrize("name", [TILT, "sixty-forty"])
def test_what_is_not_moved_is_as_it_is(
    tables: dict[str, pd.DataFrame], runs: dict[str, Run], name: str
) -> None:
    table = tables[name]
    as_it_is = figures(table, "as it is", "")
    assert as_it_is == close(of_run(runs[name]))
    for case in (("lag", "1 session"), ("costs", "× 1"), ("rebalance day", "+0 sessions")):
        assert figures(table, *case) == as_it_is


def test_the_rows_that_are_moved_are_not(tables: dict[str, pd.DataFrame]) -> None:
    table = tables[TILT]
    same = table[(table == table.loc[("as it is", "")]).all(axis=1)]
    assert len(same) == 4
    assert not table.drop(same.index).duplicated().any()


def test_rows_start_from_what_was_run_and_not_from_the_defaults(
    short: History, reading: Reading
) -> None:
    """Lag, costs and day differ from the defaults. Each row changes only one of them."""
    terms = {"lag": 3, "costs": times(2), "schedule": {"offset": 4}}
    ours = made(short, reading, "sixty-forty", **terms)
    table = by_choice(ours)
    as_it_is = figures(table, "as it is", "")
    same = [("lag", "3 sessions"), ("costs", "× 1"), ("rebalance day", "+4 sessions")]
    assert unchanged(3, 4) == same
    for case in same:
        assert figures(table, *case) == as_it_is
    for changed, case in (
        ({"lag": 1}, ("lag", "1 session")),
        ({"costs": times(4)}, ("costs", "× 2")),
        ({"schedule": {"offset": 0}}, ("rebalance day", "+0 sessions")),
    ):
        other = made(short, reading, "sixty-forty", **{**terms, **changed})
        assert figures(table, *case) == close(of_run(other))
        assert figures(table, *case) != as_it_is


# --- Against plain runs ----------------------------------------------------------------------


@pytest.mark.parametrize("lag", LAGS)
def test_a_lag_is_a_plain_run_with_that_lag(
    tables: dict[str, pd.DataFrame], short: History, reading: Reading, lag: int
) -> None:
    other = made(short, reading, TILT, lag=lag)
    assert figures(tables[TILT], "lag", number_of(lag, "session")) == close(of_run(other))


def test_a_lag_of_five_is_a_run_from_the_very_beginning(
    tables: dict[str, pd.DataFrame], short: History
) -> None:
    other = run(config_from({"strategy": TILT, "start": START, "lag": 5}), short)
    assert figures(tables[TILT], "lag", "5 sessions") == close(of_run(other))


@pytest.mark.parametrize("factor", FACTORS)
def test_costs_are_a_plain_run_at_those_costs(
    tables: dict[str, pd.DataFrame], short: History, reading: Reading, factor: int
) -> None:
    other = made(short, reading, TILT, costs=times(factor))
    assert figures(tables[TILT], "costs", f"× {factor}") == close(of_run(other))


def test_without_costs_nothing_is_paid_and_more_is_earned(
    tables: dict[str, pd.DataFrame], short: History, reading: Reading
) -> None:
    free = dict.fromkeys(vars(Costs()), 0.0)
    other = made(short, reading, TILT, costs=free)
    assert other.result.orders["cost"].sum() == 0
    assert figures(tables[TILT], "costs", "× 0") == close(of_run(other))
    assert tables[TILT]["cagr"].loc["costs"].is_monotonic_decreasing


@pytest.mark.parametrize("offset", [2, 12, 20])
def test_a_day_is_a_plain_run_on_that_schedule(
    tables: dict[str, pd.DataFrame], short: History, reading: Reading, offset: int
) -> None:
    other = made(short, reading, TILT, schedule={"offset": offset})
    assert figures(tables[TILT], "rebalance day", f"+{offset} sessions") == close(of_run(other))


@pytest.mark.parametrize(
    ("asset", "sleeve", "rest"),
    [("MU", "memory", ["SNDK", "WDC", "STX"]), ("BTC-USD", "crypto", ["ETH-USD"])],
)
def test_without_an_asset_its_sleeve_is_that_of_the_others(
    tables: dict[str, pd.DataFrame],
    short: History,
    reading: Reading,
    asset: str,
    sleeve: str,
    rest: list[str],
) -> None:
    other = made(short, reading, TILT, universe={sleeve: rest})
    assert figures(tables[TILT], "asset left out", asset) == close(of_run(other))


# --- By hand ---------------------------------------------------------------------------------


def bonds_alone(history: History, share: float, rate: float) -> list[float]:
    """Return the figures of a constant share of IEF, decided at month ends, filled a session later.

    A decision is traded only if the weight has drifted by more than 2 points.
    """
    index = history.panel.index[history.panel.index >= START]
    prices = history.closes["IEF"].loc[index].to_numpy()
    bills = bill_returns(history.panel[YIELD]).loc[index].to_numpy()
    ends = [t + 1 < len(index) and index[t].month != index[t + 1].month for t in range(len(index))]
    cash, bonds, due, band = 1.0, 0.0, False, 0.02
    value, returns, exposure = 1.0, [], []
    for t in range(len(index)):
        if t:
            cash *= 1 + bills[t]
            bonds *= prices[t] / prices[t - 1]
        before = cash + bonds
        if due:
            bought = share * before - bonds
            cash, bonds = cash - bought - rate * abs(bought), share * before
        due = bool(t == 0 or ends[t]) and abs(share - bonds / (cash + bonds)) > band
        if t:
            returns.append((cash + bonds) / value - 1)
            exposure.append(bonds / (cash + bonds))
        value = cash + bonds
    return measured(np.array(returns), bills[1:], np.array(exposure))


def test_of_two_assets_the_other_keeps_its_share_and_the_rest_is_cash(
    tables: dict[str, pd.DataFrame], short: History
) -> None:
    left = figures(tables["sixty-forty"], "asset left out", "SPY")
    assert left == pytest.approx(bonds_alone(short, 0.4, 2e-4), abs=1e-12)
    for wrong in ((1.0, 2e-4), (0.4, 2e-3)):
        assert abs(bonds_alone(short, *wrong)[0] - left[0]) > 1e-5


def test_without_its_only_asset_it_is_bills(
    tables: dict[str, pd.DataFrame], runs: dict[str, Run]
) -> None:
    left, bills = figures(tables["spy"], "asset left out", "SPY"), runs["spy"].bills.to_numpy()
    assert left == close(measured(bills, bills, np.zeros(1)))
    assert np.isnan(left[1])
    assert figures(tables["bills"], "as it is", "") == close(left)
    gained = tables["spy"].loc[("asset left out", "SPY"), "total_return"]
    assert gained == pytest.approx(np.prod(1 + bills) - 1)


@pytest.mark.parametrize("year", [2021, 2022, 2023, 2024])
def test_without_a_year_the_others_are_measured(
    tables: dict[str, pd.DataFrame], runs: dict[str, Run], year: int
) -> None:
    ours = runs[TILT]
    kept = np.array([day.year != year for day in ours.result.returns.index])
    left = figures(tables[TILT], "year left out", str(year))
    assert left[:3] == close(of_run(ours, kept)[:3])
    assert left[3] == pytest.approx(of_run(ours, kept)[3], abs=1e-3)
    assert left[:3] != close(of_run(ours, ~kept)[:3])


@pytest.mark.parametrize("name", ["spy", "bills"])
def test_without_its_only_year_nothing_is_left_to_measure(
    tables: dict[str, pd.DataFrame], name: str
) -> None:
    assert tables[name].loc["year left out"].index.tolist() == ["2024"]
    cagr, sharpe, _, exposure = figures(tables[name], "year left out", "2024")
    assert np.isnan([cagr, sharpe, exposure]).all()


def test_the_run_stays_as_it_was_and_once_more_gives_the_same(
    tables: dict[str, pd.DataFrame], runs: dict[str, Run]
) -> None:
    ours = runs["sixty-forty"]
    before = [x.copy() for x in (ours.decided, ours.history.panel, ours.result.weights)]
    pd.testing.assert_frame_equal(by_choice(ours), tables["sixty-forty"], check_exact=True)
    after = (ours.decided, ours.history.panel, ours.result.weights)
    for was, now in zip(before, after, strict=True):
        pd.testing.assert_frame_equal(was, now, check_exact=True)
