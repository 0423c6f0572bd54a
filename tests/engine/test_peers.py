"""Every strategy on real history: engine, plain ledger and bt give the same net asset value.

All three get the same decided weights, prices, bills and costs:

    ledger   tests/reference/ledger.py from the weights, to a relative 1e-9 at every close
    bt       the engine of the package bt, to a relative 1e-6 at every close

bt does not choose the days of trades. So it gets the executed decisions, on the session of their
fill. It gets raw prices, never deflated prices, and an algorithm pays interest on its cash. A short
position is a separate security. Its price also grows by the borrowing cost, as the debt does.

Without costs, bt's own `WeighTarget` and `Rebalance` do everything. With costs, bt defines an
amount differently. In bt, the fee is part of the amount: bt's `allocate` buys for less and sells
for more, so that cash changes by exactly the amount. In our engine and in vectorbt, the amount is
the change of the holding, and the fee is extra. If the cash is too small for a purchase, the
purchase is cut, and fee and purchase together take all remaining cash.

The two definitions agree if all cash buys one asset (`spy`, `trend`). For these strategies, bt's
own `Rebalance` must agree to 1e-6 with costs, too. For other strategies, the results differ by the
fee on each trade, compounded by the return of the asset until the next trade:
`test_bt_counts_fees_inside_an_amount` shows the size. So `AmountsBeforeFees` asks bt for amounts
that include the fee. bt then finds the units, pays the fees from its cash and does all accounting.
"""

from dataclasses import replace
from itertools import pairwise

import bt
import pandas as pd
import pytest

from backtests import pipeline
from backtests.calendar import sessions
from backtests.config_data import config_from
from backtests.engine.costs import Costs
from backtests.history.panel import History
from backtests.runs import Run
from backtests.window import window
from strategies import STRATEGIES
from tests.engine.cases import FREE, Case, gap

START = "2015-01-01"
TO_THE_LEDGER = 1e-9
TO_BT = 1e-6
COSTS = {"usual costs": Costs(), "no costs": FREE}
#: Strategies in which every trade puts all cash into one asset, or sells the whole asset.
ALL_OF_ONE = ("spy", "bitcoin", "gold", "trend")


@pytest.fixture(scope="module")
def cases(history: History) -> dict[str, Case]:
    """Return, for each strategy, the decisions of a default run, and the market."""
    configs = {name: config_from({"strategy": name, "start": START}) for name in STRATEGIES}
    reading = pipeline.read(configs["spy"], history)
    index = window(configs["spy"], history, reading)
    return {
        name: case_of(pipeline.run_on(config, history, reading, index))
        for name, config in configs.items()
    }


def case_of(run: Run) -> Case:
    case = Case(
        weights=run.decided,
        prices=run.history.closes.loc[run.result.equity.index, list(run.strategy.assets)],
        bills=run.result.bills,
        costs=run.config.costs,
        lag=run.config.lag,
        band=run.config.band,
        capital=run.config.initial_capital,
        gross_limit=run.strategy.gross_limit,
    )
    assert case.engine().equity.equals(run.result.equity)
    return case


# --- bt --------------------------------------------------------------------------------------


class Interest(bt.Algo):  # type: ignore[misc]
    """Pays interest on the cash of the session before, at the return of bills."""

    def __init__(self, bills: pd.Series) -> None:
        super().__init__()
        self.bills = bills

    def __call__(self, target: bt.Strategy) -> bool:
        target.adjust(target.capital * self.bills[target.now], flow=False)
        return True


class Leg(bt.Security):  # type: ignore[misc]
    """The long or the short side of an asset, with its proportional cost."""

    def __init__(self, name: str, rate: float) -> None:
        super().__init__(name)
        self.rate = rate

    def commission(self, q: float, p: float) -> float:
        return abs(q) * p * self.rate


class AmountsBeforeFees(bt.Algo):  # type: ignore[misc]
    """Moves every holding to its share of the value before fees. The largest purchase comes last.

    The amounts follow bt's definition, so they include the fee. No amount exceeds the cash.
    """

    def __call__(self, target: bt.Strategy) -> bool:
        wishes = target.temp["weights"] * target.value
        changes = {leg: wishes[leg] - target[leg].value for leg in wishes.index}
        for leg, change in sorted(changes.items(), key=lambda item: item[1]):
            amount = change + target[leg].rate * abs(change)
            if wishes[leg] == 0 and amount <= target.capital:
                target.close(leg)  # sells every unit
            else:
                target.allocate(min(amount, max(target.capital, 0.0)), child=leg)
        return True


def bt_value(case: Case, trade: bt.Algo) -> pd.Series:
    """Return bt's value of the portfolio at each close, USD."""
    value: pd.Series = bt_portfolio(case, trade).values
    return value.loc[case.prices.index]


def bt_portfolio(case: Case, trade: bt.Algo) -> bt.Strategy:
    """Return bt's portfolio after it went through every session."""
    prices, weights, legs = as_legs(case)
    algos = [Interest(case.bills), bt.algos.WeighTarget(weights), trade]
    test = bt.Backtest(
        bt.Strategy("peer", algos, children=legs),
        prices,
        initial_capital=case.capital,
        integer_positions=False,
    )
    strategy = test.strategy
    strategy.setup(test.data)
    strategy.adjust(case.capital)
    for now in test.dates:  # as in Backtest.run, but without its statistics
        strategy.update(now)
        if now in prices.index:
            strategy.run()
            strategy.update(now)
    return strategy


def bt_cash(case: Case, algo: type[bt.Algo]) -> float:
    """Return the cash that bt has left at the end, USD."""
    return float(bt_portfolio(case, algo()).capital)


def as_legs(case: Case) -> tuple[pd.DataFrame, pd.DataFrame, list[Leg]]:
    """Return prices and executed weights by leg, on sessions and on fills, and bt's securities.

    A missing price is replaced by the last price, because holdings are valued in this way. An asset
    that is not listed on the day of a fill has no weight, so that bt does not trade it.
    """
    assert case.engine().notes == (), "bt is not told what to do with a holding without a price"
    targets = case.engine().targets
    index = pd.DatetimeIndex(case.prices.index)
    fills = index[index.get_indexer(targets.index) + case.lag]
    wanted = targets.set_axis(fills).where(case.prices.loc[fills].notna())
    closes = case.prices.ffill()
    prices, weights, legs = {}, {}, []
    for asset in targets.columns:
        rate = case.costs.rate(asset)
        prices[asset], weights[asset] = closes[asset], wanted[asset].clip(lower=0)
        legs.append(Leg(asset, rate))
        if (wanted[asset] < 0).any():
            short = f"{asset} short"
            prices[short] = closes[asset] * owed(index, case.costs.borrow(asset))
            weights[short] = wanted[asset].clip(upper=0)
            legs.append(Leg(short, rate))
    return pd.DataFrame(prices, index=index), pd.DataFrame(weights, index=fills), legs


def owed(index: pd.DatetimeIndex, rate: float) -> list[float]:
    """Return the units owed at each session, if one unit is borrowed at the first session."""
    units = [1.0]
    for before, now in pairwise(index):
        units.append(units[-1] * (1 + rate * (now - before).days / 365))
    return units


# --- The three agree -------------------------------------------------------------------------


@pytest.mark.parametrize("costs", COSTS)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_engine_and_the_ledger_agree(cases: dict[str, Case], strategy: str, costs: str) -> None:
    case = replace(cases[strategy], costs=COSTS[costs])
    assert gap(case.engine().equity, case.ledger()[0]) < TO_THE_LEDGER


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_without_costs_the_engine_and_bt_agree(cases: dict[str, Case], strategy: str) -> None:
    case = replace(cases[strategy], costs=FREE)
    assert gap(case.engine().equity, bt_value(case, bt.algos.Rebalance())) < TO_BT


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_with_costs_the_engine_and_bt_agree(cases: dict[str, Case], strategy: str) -> None:
    case = cases[strategy]
    assert gap(case.engine().equity, bt_value(case, AmountsBeforeFees())) < TO_BT


# --- Where bt's definitions differ -----------------------------------------------------------


def test_bt_counts_fees_inside_an_amount() -> None:
    """Buy half of 1,000 USD at 100 with a fee of 1 %.

    We buy 5 units and pay a fee of 5 USD. bt spends 500 USD with the fee.
    """
    case = one_purchase(weight=0.5)
    spent = {algo: 1000 - bt_cash(case, algo) for algo in (bt.algos.Rebalance, AmountsBeforeFees)}
    assert spent[bt.algos.Rebalance] == pytest.approx(500, rel=1e-12)
    assert spent[AmountsBeforeFees] == pytest.approx(505, rel=1e-12)
    assert case.engine().orders["units"].tolist() == pytest.approx([5], rel=1e-12)


def test_bt_and_the_engine_agree_on_the_amount_where_it_is_all_cash() -> None:
    case = one_purchase(weight=1.0)
    bought = case.engine().orders["units"].iloc[0] * 100
    assert bought == pytest.approx(1000 / 1.01, rel=1e-12)
    for algo in (bt.algos.Rebalance, AmountsBeforeFees):
        assert bt_cash(case, algo) == pytest.approx(0, abs=1e-8)
        assert bt_value(case, algo()).iloc[-1] == pytest.approx(bought, rel=1e-12)


@pytest.mark.parametrize("strategy", ALL_OF_ONE)
def test_bts_own_rebalancing_agrees_with_costs_where_all_cash_buys_one_asset(
    cases: dict[str, Case], strategy: str
) -> None:
    case = cases[strategy]
    assert case.engine().orders["cost"].sum() > 0
    assert gap(case.engine().equity, bt_value(case, bt.algos.Rebalance())) < TO_BT


def test_elsewhere_it_is_apart_by_about_what_the_fees_could_have_earned(
    cases: dict[str, Case],
) -> None:
    case = cases["near-cash-flow"]
    apart = gap(case.engine().equity, bt_value(case, bt.algos.Rebalance()))
    assert 1e-4 < apart < 1e-2


def one_purchase(weight: float) -> Case:
    index = sessions(pd.Timestamp("2021-01-04"), pd.Timestamp("2021-01-08"))
    return Case(
        weights=pd.DataFrame({"SPY": [weight]}, index=index[:1]),
        prices=pd.DataFrame({"SPY": 100.0}, index=index),
        bills=pd.Series(0.0, index=index),
        costs=replace(FREE, etf_bp=100),
        gross_limit=1.0,
        lag=1,
        band=0.02,
        capital=1000.0,
    )


# --- The tests find planted errors -----------------------------------------------------------


def one_decision_slightly_off(case: Case) -> Case:
    weights = case.weights.copy()
    weights.loc[case.engine().targets.index[5]] *= 0.999
    return replace(case, weights=weights)


def no_interest_over_one_weekend(case: Case) -> Case:
    days = pd.Series(case.bills.index).diff().dt.days
    monday = case.bills.index[days > 2][200]
    return replace(case, bills=case.bills.mask(case.bills.index == monday, 0.0))


PLANTED = {
    "filled a session late": lambda case: replace(case, lag=case.lag + 1),
    "coins a tenth of a basis point dearer": lambda case: replace(
        case, costs=replace(case.costs, crypto_bp=case.costs.crypto_bp + 0.1)
    ),
    "no borrowing cost": lambda case: replace(case, costs=replace(case.costs, borrow_crypto=0)),
    "no interest over one weekend": no_interest_over_one_weekend,
    "one decision a thousandth smaller": one_decision_slightly_off,
}


@pytest.mark.parametrize("error", PLANTED)
def test_an_error_planted_in_a_peer_is_seen(cases: dict[str, Case], error: str) -> None:
    case = cases["memory-over-crypto"]
    wrong = PLANTED[error](case)
    assert gap(case.engine().equity, wrong.ledger()[0]) > 100 * TO_THE_LEDGER
    assert gap(case.engine().equity, bt_value(wrong, AmountsBeforeFees())) > TO_BT
