"""Following ``today`` on each session gives the backtest; missing data lead to no trade."""

import json
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import duckdb
import numpy as np
import pandas as pd
import pytest

import signals
from backtests.config import RunConfig
from backtests.config_data import config_from
from backtests.engine.costs import Costs
from backtests.history.bills import YIELD, bill_returns
from backtests.history.panel import History
from backtests.holdings import orders_to
from backtests.lapse import stale
from backtests.pipeline import run
from backtests.today import Plan, Today, make_plan, next_scheduled
from signals.errors import ConfigError, MissingSeries, SimulationError
from signals.explanation import explain_all
from signals.reading import Reading
from signals.universe import CASH
from strategies import Strategy
from tests.commands import Drypowder, refused
from tests.sessions import today

pytestmark = pytest.mark.usefixtures("evaluated_before")

CAPITAL = 1_000_000.0
HELD = {"SPY": 300.0, "NVDA": 120.0, CASH: 250_000.0}
HOLDS_SPY = {"SPY": 300.0, CASH: 250_000.0}


def at(session: str) -> pd.Timestamp:
    return pd.Timestamp(session)


def orders_of(decision: Today) -> pd.DataFrame:
    """Return the orders of a decision about known holdings."""
    assert decision.orders is not None
    return decision.orders


# --- following it is the backtest -----------------------------------------------------------


def replay(plan: Plan) -> pd.DataFrame:
    """Return the orders of an investor who follows ``today`` on each session.

    Orders are filled ``lag`` sessions later, and reach the target.
    """
    closes, costs = plan.history.closes, plan.config.costs
    bills = bill_returns(plan.history.panel[YIELD], plan.config.bill_spread)
    priced = closes[list(plan.strategy.assets)].ffill()
    holdings: dict[str, float] = {CASH: plan.config.initial_capital}
    targets: list[pd.Series | None] = [None] * plan.config.lag  # the oldest comes first
    filled: list[pd.DataFrame] = []
    before = plan.followed[0]
    for session in plan.followed:
        if session != before:
            _grow(holdings, bills.loc[session], costs, (session - before).days)
        target = targets.pop(0)
        if target is not None:
            prices = priced.loc[:session].iloc[-1]
            unpriced = closes.columns[closes.loc[:session].iloc[-1].isna()]
            orders = orders_to(target, holdings, prices, costs, 8, unpriced)
            for order in orders.to_dict("records"):
                asset = order["asset"]
                holdings[asset] = holdings.get(asset, 0.0) + order["units"]
                holdings[CASH] -= order["value"] + order["cost"]
            filled.append(orders.assign(date=session))
        decision = plan.at(session, holdings)
        targets.append(decision.target if len(orders_of(decision)) else None)
        before = session
    return pd.concat(filled, ignore_index=True)


def _grow(holdings: dict[str, float], bill: float, costs: Costs, days: int) -> None:
    """Add one session's bill return to cash, and its borrowing cost to short positions."""
    holdings[CASH] *= 1 + bill
    for asset, units in holdings.items():
        if units < 0 and asset != CASH:
            holdings[asset] = units * (1 + costs.borrowed(asset, days))


def compare(config: RunConfig, history: History) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the orders of the replay and of the backtest, by session and asset."""
    keys = ["date", "asset"]
    ours = replay(make_plan(config, history)).set_index(keys)[["units", "cost"]]
    engine = run(config, history).result.orders.set_index(keys)[["units", "cost"]]
    worth = engine["cost"] > 1e-4  # smaller orders come from rounding
    return ours[ours["cost"] > 1e-4].sort_index(), engine[worth].sort_index()


@pytest.mark.parametrize(
    ("strategy", "start"),
    [
        ("near-cash-flow", "2025-06-10"),
        ("defensive@quantities", "2024-01-10"),
        ("trend-universe", "2025-06-10"),
    ],
)
def test_whoever_follows_today_places_the_orders_of_the_backtest(
    history: History, strategy: str, start: str
) -> None:
    ours, engine = compare(config_from({"strategy": strategy, "start": start}), history)
    assert len(engine) > 15
    assert list(ours.index) == list(engine.index)
    pd.testing.assert_frame_equal(ours, engine, rtol=1e-6, atol=1e-5, check_names=False)


@pytest.mark.parametrize(("lag", "every"), [(2, "day"), (2, "week"), (7, "week")])
def test_an_order_that_waits_for_its_fill_is_not_placed_again(
    history: History, lag: int, every: str
) -> None:
    given = {"strategy": "near-cash-flow", "start": "2025-06-10", "lag": lag}
    config = config_from({**given, "schedule": {"every": every}, "band": 0.01})
    ours, engine = compare(config, history)
    assert len(engine) > 10
    assert list(ours.index) == list(engine.index)
    pd.testing.assert_frame_equal(ours, engine, rtol=1e-6, atol=1e-5, check_names=False)


def test_orders_begin_at_the_holdings_after_the_waiting_orders(history: History) -> None:
    """With a lag of 2, the decision of 2015-04-29 is filled on 2015-05-01."""
    config = config_from({"strategy": "cash-heavy", "lag": 2, "start": "2015-04-29"})
    plan = make_plan(config, history)
    first = plan.at(at("2015-04-29"), {CASH: 1e6})
    second = plan.at(at("2015-04-30"), {CASH: 1e6})
    assert (first.waiting, second.waiting) == (None, at("2015-04-29"))
    assert orders_of(first)["value"].sum() == pytest.approx(6e5, abs=1)
    assert orders_of(second).empty
    assert second.beyond_band == ()


def test_a_share_without_a_close_of_the_session_is_named(history: History) -> None:
    closes = history.closes.copy()
    closes.loc["2025-12-31", ["SPY", "BTC-USD"]] = np.nan
    plan = make_plan(config_from({"strategy": "cash-heavy"}), replace(history, closes=closes))
    decision = plan.at(at("2025-12-31"), {"BTC-USD": 1.0, "MU": 10.0, CASH: 1e5})
    assert decision.older == {"SPY": at("2025-12-30")}, "a coin's day ends later"
    assert decision.missing == {}


def test_a_series_that_its_publisher_has_ended_is_not_late(history: History) -> None:
    """IOER ended on 2021-07-28, and SOFR has no value after 2025-12-10."""
    panel = history.panel.copy()
    panel.loc["2025-12-22":, "SOFR"] = np.nan
    cut = replace(history, panel=panel)
    late = stale(cut).loc["2025-12-31"]
    assert (late["SOFR"], late["IOER"]) == (True, False)
    reading = signals.read(panel)
    assert explain_all(reading.evaluations, panel)["funding"].missing == ("SOFR",)


def test_whoever_follows_a_strategy_with_a_short_leg_places_the_orders_of_the_backtest(
    history: History,
) -> None:
    given = {"strategy": "memory-over-crypto", "start": "2018-09-04", "end": "2020-06-30"}
    cut = history.until(at("2020-06-30"))
    ours, engine = compare(config_from({**given, "params": {"volatility": 0.4}}), cut)
    assert len(engine) > 100
    pd.testing.assert_frame_equal(ours, engine, rtol=1e-6, atol=1e-5, check_names=False)


@pytest.mark.parametrize("lag", [2, 3])
def test_a_trade_back_to_the_limit_is_placed_once_until_it_is_filled(
    history: History, lag: int
) -> None:
    """On 2019-05-28, the short position in bitcoin pushes gross exposure beyond the limit."""
    given = {"strategy": "memory-over-crypto-smh", "start": "2015-01-02", "lag": lag}
    finished = run(config_from(given), history.until("2019-06-28"))
    plan = make_plan(finished.config, finished.history)
    first = at("2019-05-28")
    place = int(finished.sessions.searchsorted(first))
    held = finished.result.weights.loc[first]
    value = float(finished.result.equity[first])
    prices = finished.history.closes.loc[first].to_dict()
    holdings = {str(a): w * value / prices[a] for a, w in held.items() if w}
    holdings[CASH] = value - sum(units * prices[a] for a, units in holdings.items())
    decisions = [plan.at(day, holdings) for day in finished.sessions[place : place + lag + 1]]
    assert [decision.waiting for decision in decisions] == [None, *[first] * (lag - 1), None]
    placed = [not orders_of(decision).empty for decision in decisions[:lag]]
    assert placed == [True, *[False] * (lag - 1)]


def test_whoever_does_not_trade_back_to_the_limit_is_told_again(history: History) -> None:
    """With a lag of 2, the trade of one session is filled two sessions later."""
    config = config_from({"strategy": "memory-over-crypto", "lag": 2})
    plan = make_plan(config, history.until("2019-05-21"))
    price = history.closes.loc["2019-05-15"].to_dict()
    held = {"MU": 0.75e6 / price["MU"], "BTC-USD": -0.35e6 / price["BTC-USD"], CASH: 0.6e6}
    sessions = plan.weights.loc["2019-05-13":"2019-05-20"].index
    decisions = [plan.at(day, held) for day in sessions]
    assert [d.beyond_limit for d in decisions] == [True] * len(sessions)
    assert not any(d.is_decision_day for d in decisions)
    told = [not orders_of(decision).empty for decision in decisions]
    assert told[1:] == [not before for before in told[:-1]], "every second session"


@pytest.mark.parametrize(("coins", "beyond"), [(-5.0, False), (-6.0, True)])
def test_shorts_beyond_the_gross_limit_are_cut_back_on_any_day(
    history: History, coins: float, beyond: bool
) -> None:
    """With 75 % of 1,000,000 USD long, 25 % short is at the gross limit, and 30 % is beyond it."""
    config = config_from({"strategy": "memory-over-crypto"})
    session = at("2019-05-15")
    price = history.closes.loc[:session].iloc[-1]
    held = {"MU": 0.75e6 / price["MU"], "BTC-USD": coins * 5e4 / price["BTC-USD"], CASH: 0.25e6}
    held[CASH] -= coins * 5e4
    decision = today(config, history, session, held)
    assert not decision.is_decision_day
    assert decision.beyond_limit == beyond
    assert orders_of(decision).empty != beyond
    if beyond:
        reached = orders_of(decision).set_index("asset")["value"]["BTC-USD"] + coins * 5e4
        assert reached / decision.value == pytest.approx(decision.target["BTC-USD"], abs=1e-4)


@pytest.mark.parametrize("strategy", ["near-cash-flow", "memory-over-crypto"])
def test_whoever_follows_today_on_a_simulated_history_places_the_orders_of_the_backtest(
    strategy: str,
) -> None:
    history = History.simulated(3, 4)
    weekly = {"every": "week", "offset": 2}
    config = config_from({"strategy": strategy, "schedule": weekly, "start": "2024-04-01"})
    ours, engine = compare(config, history)
    assert len(engine) > 50
    pd.testing.assert_frame_equal(ours, engine, rtol=1e-6, atol=1e-5, check_names=False)


def test_the_plan_of_a_whole_history_is_what_each_session_knew(history: History) -> None:
    config = config_from({"strategy": "near-cash-flow", "start": "2024-01-10"})
    plan = make_plan(config, history)
    for session in plan.followed[[0, 41, 54, 300, -1]]:
        then, now = today(config, history, session, HELD), plan.at(session, HELD)
        assert _plain(then) == _plain(now)


def test_a_store_read_as_of_each_session_says_the_same(history: History, tmp_path: Path) -> None:
    """All closes so far are imported each evening, so ``as_of`` has later rows to leave out."""
    from backtests.importing.import_path import import_path

    closes = history.closes["SPY"].loc["2022":"2024-03-04"]
    week = closes.index[-6:]
    path, file = tmp_path / "s.duckdb", tmp_path / "SPY.csv"
    for session in week:
        closes.loc[:session].rename("Close").rename_axis("Date").to_csv(file)
        import_path(file, path, recorded_at=session + pd.Timedelta(hours=18))
    config = config_from({"strategy": "trend"})
    plan = make_plan(config, History.load(path, config.series()))
    for session in week:
        then = History.load(path, config.series(), as_of=session)
        assert then.panel.index[-1] == session
        assert _plain(today(config, then, session, HOLDS_SPY)) == _plain(
            plan.at(session, HOLDS_SPY)
        )
    assert [plan.at(session).is_decision_day for session in week] == [0, 0, 0, 1, 0, 0]


def _plain(decision: Today) -> dict[str, object]:
    return {
        name: value.to_dict() if hasattr(value, "to_dict") else value
        for name, value in vars(decision).items()
    }


# --- which days decide ----------------------------------------------------------------------


def test_a_day_between_decisions_keeps_the_target_and_orders_nothing(history: History) -> None:
    decision = today(config_from({"strategy": "near-cash-flow"}), history, at("2024-03-11"), HELD)
    assert not decision.is_decision_day
    assert decision.decided_because is None
    assert orders_of(decision).empty
    assert decision.beyond_band is not None
    assert "NVDA" in decision.beyond_band
    assert decision.decided_on == at("2024-02-29")
    assert decision.target.to_dict() == decision.before.to_dict()
    assert decision.target.to_dict() != decision.if_decided.to_dict()
    assert decision.next_decision == at("2024-03-28")  # Good Friday ends the month early


@pytest.mark.parametrize(
    ("session", "because"),
    [
        ("2013-10-07", "start"),
        ("2017-03-06", "change of state from NEUTRAL to INJECTION"),
        ("2025-04-08", "change of state from INJECTION to FORCED_SELLING"),
        ("2024-03-28", "schedule"),
        ("2024-03-27", None),
    ],
)
def test_a_day_of_decision_says_why(history: History, session: str, because: str | None) -> None:
    plan = make_plan(config_from({"strategy": "cash-heavy"}), history)
    assert plan.at(at(session)).decided_because == because


def test_a_schedule_and_a_change_of_state_may_fall_on_one_day(history: History) -> None:
    config = config_from({"strategy": "cash-heavy", "schedule": {"every": "day"}})
    plan = make_plan(config, history)
    reasons = {plan.at(session).decided_because for session in plan.followed[1000:1400]}
    assert "schedule" in reasons
    assert any(reason and reason.startswith("schedule; change of state from") for reason in reasons)


def test_a_rule_that_keeps_to_its_schedule_decides_on_no_change(history: History) -> None:
    plan = make_plan(config_from({"strategy": "trend"}), history)
    reasons = {plan.at(session).decided_because for session in plan.followed[1:600]}
    assert reasons == {None, "schedule"}


def test_the_next_decision_is_scheduled_and_after_the_session() -> None:
    from backtests.engine.schedule import Schedule

    assert next_scheduled(Schedule(), at("2024-03-28")) == at("2024-04-30")
    assert next_scheduled(Schedule(every="quarter", offset=25), at("2024-01-02")) == at(
        "2024-02-06"
    )
    assert next_scheduled(Schedule(every="day"), at("2024-03-28")) == at("2024-04-01")
    assert next_scheduled(Schedule(), at("2199-01-01")) is None


@pytest.mark.parametrize(
    ("session", "part"),
    [
        ("2025-10-04", "was Saturday 2025-10-04; the last session before this date is 2025-10-03"),
        ("2026-01-02", "the history runs from 1990-01-02 to 2025-12-31"),
        ("2025-10-03 16:00", "give the date without a time of day or time zone"),
    ],
)
def test_a_day_that_is_no_session_is_refused(history: History, session: str, part: str) -> None:
    plan = make_plan(config_from({"strategy": "spy"}), history)
    with pytest.raises(ConfigError, match=f"expected a session of the history, .*{part}"):
        plan.at(at(session))


def test_a_start_is_a_day_of_decision_and_nothing_comes_before_it(history: History) -> None:
    config = config_from({"strategy": "near-cash-flow", "start": "2024-03-11"})
    decision = today(config, history, at("2024-03-11"), HELD)
    assert decision.decided_because == "start"
    assert decision.orders is not None
    assert not decision.orders.empty
    with pytest.raises(ConfigError, match="start 2024-03-11 lies outside the history"):
        today(config, history, at("2024-03-08"))
    with pytest.raises(ConfigError, match="on or after the strategy's start on 2024-03-11"):
        make_plan(config, history).at(at("2024-03-08"))


# --- units of an order ----------------------------------------------------------------------


@pytest.mark.parametrize("session", ["2020-11-16", "2020-11-25"])
def test_units_come_from_the_close_of_the_decision_and_a_backtest_computes_its_own(
    history: History, session: str
) -> None:
    """Bitcoin rises after the first session, and falls after the second one."""
    cut = history.until(pd.Timestamp(session) + pd.Timedelta(days=60))
    config = config_from({"strategy": "bitcoin", "start": session})
    bought = orders_of(make_plan(config, cut).at(at(session), {CASH: CAPITAL})).iloc[0]
    filled = run(config, cut).result.orders.iloc[0]
    change = filled["price"] / bought["price"]
    assert abs(change - 1) > 0.05
    assert bought["units"] / filled["units"] == pytest.approx(change, abs=1e-3)
    assert (bought["units"] * filled["price"] > CAPITAL) == (change > 1)


def test_the_command_says_from_which_prices_its_units_come(
    on_store: Drypowder, tmp_path: Path
) -> None:
    path = tmp_path / "h.csv"
    path.write_text("asset,units\nCASH,1000\n")
    said = " ".join(on_store("today", "spy", "--holdings", path).out.split())
    assert (
        "A backtest trades to the target weights at the close of 2026-01-02, with the prices of "
        "that close. The units below come from the last known prices:"
    ) in said


@dataclass(frozen=True, kw_only=True)
class AboveItsMean(Strategy):
    """Hold SPY while its price is above its mean; before a mean is known, the weight is NaN."""

    name: ClassVar[str] = "above-its-mean"
    description: ClassVar[str] = "SPY above its mean"
    assets: ClassVar[tuple[str, ...]] = ("SPY",)

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        mean = panel[["SPY"]].rolling(200).mean()
        return (panel[["SPY"]] > mean).astype(float).where(mean.notna())


def test_weights_before_the_start_are_not_read(history: History) -> None:
    """A backtest accepts weights of NaN before its first decision, and so does the plan."""
    config = config_from({"strategy": AboveItsMean, "start": "2025-01-02"})
    finished = run(config, history)
    decision = make_plan(config, history).at(at("2025-12-31"))
    assert decision.target.to_dict() == finished.decided.loc["2025-12-31"].to_dict() == {"SPY": 1.0}
    early = config_from({"strategy": AboveItsMean, "start": "2003-01-02"})
    for refuse in (run, make_plan):
        with pytest.raises(SimulationError, match="a finite weight of SPY on 2003-01-02, was nan"):
            refuse(early, history)


# --- missing data ---------------------------------------------------------------------------


def without(history: History, tickers: tuple[str, ...], last: str) -> History:
    """Return the history as it would be if the prices of some assets ended on ``last``."""
    late = history.panel.index > at(last)
    limit = history.panel.index > at(last) + pd.Timedelta(days=10)
    panel, closes = history.panel.copy(), history.closes.copy()
    for ticker in tickers:
        panel.loc[late, ticker] = panel[ticker].loc[at(last)]
        panel.loc[limit, ticker] = float("nan")
        closes.loc[late, ticker] = float("nan")
    return History(panel=panel, known=history.known, closes=closes, source="store")


FUNDS = ("USMV", "XLP", "XLU")  # without XLV the flag duration would lose its view


@pytest.mark.parametrize("session", ["2025-12-31", "2025-12-30"])
def test_a_target_whose_prices_are_missing_is_kept_marked_and_not_traded(
    history: History, session: str
) -> None:
    """The prices of three funds end on 2025-12-12.

    Of the two tested sessions, 2025-12-31 is a decision day and 2025-12-30 is not.
    """
    config = config_from({"strategy": "defensive"})
    held = {"USMV": 1000.0, "SPY": 100.0, CASH: 100_000.0}
    cut = without(history, FUNDS, "2025-12-12")
    decision, normal = (today(config, h, at(session), held) for h in (cut, history))
    assert normal.target["XLP"] == 0.15
    assert decision.target.to_dict() == normal.target.to_dict()
    assert decision.is_decision_day == normal.is_decision_day
    assert decision.missing == dict.fromkeys(FUNDS, at("2025-12-12"))
    assert decision.orders is not None
    assert not set(orders_of(decision)["asset"]) & set(FUNDS)
    assert normal.missing == {}


def test_a_price_within_its_limit_is_not_missing(history: History) -> None:
    cut = without(history, FUNDS, "2025-12-22")
    decision = today(config_from({"strategy": "defensive"}), cut, at("2025-12-31"))
    assert decision.missing == {}


def test_what_was_never_listed_is_not_missing(history: History) -> None:
    decision = today(config_from({"strategy": "near-cash-flow"}), history, at("2024-03-28"))
    assert decision.target["SNDK"] == 0
    assert decision.missing == {}


def test_a_decision_names_the_signals_without_a_view_and_the_series_never_seen(
    history: History,
) -> None:
    """BTC-USD is late from 2025-05-01 on; the spending of firms was never known."""
    spending = [id for id in map(str, history.panel) if id.startswith("CAPEX")]
    cut = without(history, ("BTC-USD",), "2025-05-01")
    panel, known = cut.panel.copy(), cut.known.copy()
    panel[spending], known[spending] = np.nan, pd.NaT
    cut = replace(cut, panel=panel, known=known)
    decision = today(config_from({"strategy": "cash-heavy"}), cut, at("2025-06-30"))
    assert set(decision.no_view) == {"absorption", "capex", "crypto_probe"}
    assert decision.no_view["crypto_probe"] == ("BTC-USD",)
    assert set(decision.unseen) == set(decision.no_view["capex"])
    assert "without a view" in repr(decision)
    later = cut.known.copy()
    later.loc["2025-07-01":, spending] = at("2025-07-01")
    plan = make_plan(config_from({"strategy": "cash-heavy"}), replace(cut, known=later))
    assert plan.at(at("2025-06-30")).unseen == decision.unseen
    assert today(config_from({"strategy": "spy"}), cut, at("2025-06-30")).no_view == {}
    assert today(config_from({"strategy": "cash-heavy"}), history, at("2025-06-30")).no_view == {}


def test_an_asset_held_without_a_fresh_price_counts_at_its_last_one(history: History) -> None:
    cut = without(history, ("NVDA",), "2025-12-12")
    decision = today(config_from({"strategy": "spy"}), cut, at("2025-12-31"), HELD)
    assert decision.missing == {"NVDA": at("2025-12-12")}
    closes = history.closes
    spy, nvda = closes["SPY"].loc["2025-12-31"], closes["NVDA"].loc["2025-12-12"]
    assert decision.value == pytest.approx(300 * spy + 120 * nvda + 250_000)
    assert "NVDA" not in set(orders_of(decision)["asset"])


@pytest.mark.parametrize(
    ("last", "missing", "older"),
    [
        ("2025-12-12", {"XLP": at("2025-12-12")}, {}),
        ("2025-12-30", {}, {"XLP": at("2025-12-30")}),
    ],
)
def test_the_price_of_a_short_position_is_missing_or_old_as_that_of_a_long_one(
    history: History,
    last: str,
    missing: dict[str, pd.Timestamp],
    older: dict[str, pd.Timestamp],
) -> None:
    config = config_from(
        {
            "strategy": "memory-over-crypto-smh",
            "regime_model": "quantities",
            "universe": {"crypto": ["XLP"]},
        }
    )
    decision = today(config, without(history, ("XLP",), last), at("2025-12-31"))
    assert decision.target["XLP"] < 0
    assert (decision.missing, decision.older) == (missing, older)


def test_a_state_without_a_view_decides_nothing(history: History) -> None:
    """If balance sheets, rates and GDP end, too few votes are known for a regime."""
    ended = ["WALCL", "WRESBAL", "RRPONTSYD", "GDP", "DGS10", "BAA10Y", "DGS2", "EFFR", "BTC-USD"]
    ended += ["SOFR", "IORB"]
    panel = history.panel.copy()
    panel.loc[panel.index > at("2025-12-12"), ended] = float("nan")
    cut = History(
        panel=panel,
        known=history.known.where(panel.notna()),
        closes=history.closes,
        source="store",
    )
    config = config_from({"strategy": "defensive"})
    decision = today(config, cut, at("2025-12-31"), HELD)
    assert decision.state_is_lost
    assert decision.regime is None
    assert not decision.is_decision_day
    assert orders_of(decision).empty
    assert decision.decided_on == at("2025-11-28")
    assert decision.missing["WRESBAL"] == at("2025-12-11")  # Thursday, the day of publication
    before = today(config, history, at("2025-12-12"))
    assert decision.target.to_dict() == before.target.to_dict()


# --- late data ------------------------------------------------------------------------------

LATE = at("2025-10-31")


@pytest.fixture(scope="module")
def late_store(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store in which FRED's series end on 2025-10-01."""
    path = Path(shutil.copy(store, tmp_path_factory.mktemp("late") / "late.duckdb"))
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "DELETE FROM observations WHERE source = 'FRED' AND observed_on > '2025-10-01'"
        )
    return path


@pytest.fixture(scope="module")
def late(late_store: Path) -> History:
    return History.load(late_store)


def test_late_data_do_not_turn_orders_round(history: History, late: History) -> None:
    """Four votes and absorption become NA.

    The other five votes alone would give NEUTRAL, and an order to buy instead of to sell.
    """
    config = config_from({"strategy": "cash-heavy"})
    price = history.closes["SPY"].loc[LATE]
    held = {"SPY": 400_000 / price, CASH: 600_000.0}
    full, cut = (today(config, h, LATE, held) for h in (history, late))
    assert (full.regime, full.target["SPY"]) == ("ABSORPTION", 0.2)
    assert orders_of(full)["units"].to_list() == pytest.approx([-200_000 / price], rel=1e-3)
    assert cut.state_is_lost
    assert not cut.is_decision_day
    assert orders_of(cut).empty
    assert cut.decided_on == at("2025-10-02")  # before the first of FRED's series is stale
    assert cut.target.to_dict() == today(config, history, at("2025-10-02")).target.to_dict()


def without_reserves(history: History, first: str, last: str) -> Plan:
    """Return the plan of cash-heavy if WRESBAL is late from one session to another."""
    panel = history.panel.copy()
    panel.loc[first:last, "WRESBAL"] = float("nan")
    return make_plan(config_from({"strategy": "cash-heavy"}), replace(history, panel=panel))


@pytest.mark.parametrize(
    ("first", "last", "back", "because"),
    [
        (
            "2025-11-26",
            "2025-12-02",
            "2025-12-03",
            "due on 2025-11-28, but delayed by late data",
        ),
        (
            "2025-04-07",
            "2025-04-10",
            "2025-04-11",
            "change of state from INJECTION to FORCED_SELLING",
        ),
    ],
    ids=["a month end", "a new state"],
)
def test_what_was_due_while_the_state_was_lost_is_decided_once_it_is_known(
    history: History, first: str, last: str, back: str, because: str
) -> None:
    plan = without_reserves(history, first, last)
    lost = plan.lost.index[plan.lost].intersection(history.panel.loc[first:last].index)
    assert len(lost) == 4
    assert not any(plan.at(session).is_decision_day for session in lost)
    assert plan.at(at(back)).decided_because == because
    after = plan.followed[plan.followed > at(back)][0]
    assert not plan.at(after).is_decision_day


def test_a_state_that_came_and_went_while_the_state_was_lost_is_not_decided_on(
    history: History,
) -> None:
    """FORCED_SELLING lasts from 2025-04-08 to 2025-05-05, and the state is lost all this time."""
    plan = without_reserves(history, "2025-04-07", "2025-05-12")
    assert "FORCED_SELLING" in set(plan.reading.regime.loc["2025-04-07":"2025-05-12"])
    assert plan.state is not None
    assert "FORCED_SELLING" not in set(plan.state.loc["2025-04-07":])
    assert plan.at(at("2025-05-13")).decided_because == (
        "due on 2025-04-30, but delayed by late data; change of state from INJECTION to NEUTRAL"
    )


def test_a_series_is_listed_with_the_date_on_which_its_last_value_was_known(late: History) -> None:
    missing = today(config_from({"strategy": "cash-heavy"}), late, LATE).missing
    assert missing["DGS10"] == at("2025-10-02")  # the next session
    assert missing["WALCL"] == at("2025-10-02")  # the Thursday after Wednesday's balance sheet
    assert "GDP" not in missing
    assert "SPY" not in missing


@pytest.mark.parametrize(("fred", "is_lost"), [(["WALCL"], False), (["WRESBAL"], True)])
def test_the_quantities_alone_rest_on_absorption(
    history: History, fred: list[str], is_lost: bool
) -> None:
    panel = history.panel.copy()
    panel.loc[at("2025-12-15") :, fred] = float("nan")
    cut = replace(history, panel=panel)
    session = at("2025-12-31")
    by_quantities = today(config_from({"strategy": "defensive@quantities"}), cut, session)
    assert by_quantities.state_is_lost == is_lost
    assert list(by_quantities.missing) == (fred if is_lost else [])
    by_votes = today(config_from({"strategy": "defensive"}), cut, session)
    assert by_votes.state_is_lost
    assert list(by_votes.missing) == fred


def test_a_vote_that_rests_on_prices_is_lost_with_them(history: History) -> None:
    """The prices of all funds of the class defensive end, so the flag duration is NA."""
    funds = (*FUNDS, "XLV")
    cut = without(history, funds, "2025-12-12")
    decision = today(config_from({"strategy": "defensive"}), cut, at("2025-12-31"))
    assert decision.state_is_lost
    assert decision.missing == dict.fromkeys(funds, at("2025-12-12"))


def test_a_strategy_that_follows_no_regime_loses_nothing_by_it(late: History) -> None:
    decision = today(config_from({"strategy": "trend"}), late, LATE)
    assert not decision.state_is_lost
    assert decision.is_decision_day
    assert decision.missing == {}


def test_a_figure_that_a_filing_leaves_out_is_not_late(history: History) -> None:
    """Alphabet's first filings left out the figure of the previous year, so capex was NA."""
    plan = make_plan(config_from({"strategy": "cash-heavy"}), history)
    flag = plan.reading.flags["capex"]
    assert flag.loc["2015-10-29":"2015-10-30"].isna().to_list() == [False, True]
    assert history.withheld.loc["2015-10-30", "CAPEX_TTM_YEAR_AGO_GOOGL"]
    assert not plan.lost.any()


def test_a_signal_that_never_had_a_view_changes_nothing(history: History) -> None:
    cut = replace(history, panel=history.panel.assign(**{"BTC-USD": float("nan")}))
    plan = make_plan(config_from({"strategy": "cash-heavy"}), cut)
    assert plan.reading.flags["crypto_probe"].isna().all()
    assert not plan.lost.any()


# --- the command ----------------------------------------------------------------------------


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "h.csv"
    path.write_text("asset,units\nSPY,1000\nCASH,500000\n")
    return path


def test_the_command_says_that_a_day_decides_nothing_and_when_the_next_does(
    on_store: Drypowder, mine: Path
) -> None:
    code, out, _ = on_store("today", "near-cash-flow", "--at", "2024-03-11", "--holdings", mine)
    assert code == 0
    assert "not a decision day: the target of 2024-02-29 stays" in out
    assert "the next scheduled decision is on 2024-03-28" in out
    assert "no orders" in out
    code, out, _ = on_store("today", "near-cash-flow", "--at", "2024-03-28", "--holdings", mine)
    assert "a decision day (schedule); the next scheduled decision is on 2024-04-30" in out
    assert "target weights at the close of 2024-04-01" in " ".join(out.split())


def test_holdings_before_their_orders_are_filled_are_not_called_within_the_band(
    on_store: Drypowder, mine: Path
) -> None:
    options = ("--at", "2024-04-01", "--param", "lag=5", "--holdings", mine)
    out = " ".join(on_store("today", "near-cash-flow", *options).out.split())
    assert "the orders of 2024-03-28 are not filled yet and are not repeated here; " in out
    assert "no orders: once those orders are filled, every holding is within the drift band" in out


def test_the_json_of_the_command_has_the_day_the_reason_and_the_regime(
    on_store: Drypowder, mine: Path
) -> None:
    said = json.loads(
        on_store("today", "near-cash-flow", "--at", "2024-03-11", "--holdings", mine, "--json").out
    )
    expected: dict[str, Any] = {
        "is_decision_day": False,
        "decided_because": None,
        "next_decision_date": "2024-03-28",
        "regime": "NEUTRAL",
        "since": "2023-11-15",
        "missing": [],
        "state_is_lost": False,
        "orders": [],
        "beyond_limit": False,
    }
    assert {key: said[key] for key in expected} == expected
    assert said["weights"] == said["last_decision"]["weights"] != said["weights_if_decided"]


def test_missing_data_are_said_in_text_and_json_and_exit_with_3(
    on_store: Drypowder, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = without(history, FUNDS, "2025-12-12")
    monkeypatch.setattr(History, "load", classmethod(lambda cls, *a, **k: cut))
    code, out, err = on_store("today", "defensive")
    assert code == 3
    assert re.search(r"XLP +15\.0 %", out)
    for fund in FUNDS:
        assert f"{fund}: the last price is from 2025-12-12, too old to use" in err
    code, out, _ = on_store("today", "defensive", "--json")
    assert code == 3
    expected = [{"id": fund, "last_known_on": "2025-12-12"} for fund in FUNDS]
    assert json.loads(out)["missing"] == expected


def test_an_asset_that_only_a_signal_reads_is_not_said_to_keep_a_target(
    on_store: Drypowder, history: History, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = without(history, (*FUNDS, "XLV"), "2025-12-12")
    monkeypatch.setattr(History, "load", classmethod(lambda cls, *a, **k: late))
    too_old = "XLV: the last price is from 2025-12-12, too old to use; fetch or import prices"
    err = on_store("today", "cash-heavy").err
    assert f"{too_old} (the strategy or a signal reads them)" in err
    mine.write_text("asset,units\nCASH,1000\nXLV,5\n")
    err = on_store("today", "cash-heavy", "--holdings", mine).err
    assert f"{too_old} (the asset keeps its target and is not traded)" in err


def test_late_data_are_said_and_exit_with_3(on_store: Drypowder, late_store: Path) -> None:
    asked = ("cash-heavy", "--at", LATE.date(), "--store", late_store)
    code, out, err = on_store("today", *asked)
    assert code == 3
    assert "not a decision day: the target of 2025-10-02 stays" in out
    told = "the last value, known on 2025-10-02, is too old to use; fetch or import the series\n"
    assert f"WALCL: {told}" in err
    assert "the last target stays" in err
    code, out, _ = on_store("today", *asked, "--json")
    assert code == 3
    assert {"id": "WALCL", "last_known_on": "2025-10-02"} in json.loads(out)["missing"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("GDP", "GLD"),
        ("spy", "SPY"),
        ("VIXCLS", ""),
        ("BTC-USD@session", "BTC-USD"),
        ("cash", "CASH"),
    ],
)
def test_only_what_has_a_price_can_be_held(
    on_store: Drypowder, tmp_path: Path, name: str, hint: str
) -> None:
    path = tmp_path / "h.csv"
    path.write_text(f"asset,units\n{name},10\nCASH,1000\n")
    said = on_store("today", "spy", "--holdings", path)
    refused(said, f"unknown asset '{name}'", f"did you mean '{hint}'" if hint else "")


def test_the_library_refuses_a_series_as_a_holding(history: History) -> None:
    with pytest.raises(MissingSeries, match="unknown asset 'GDP'"):
        today(config_from({"strategy": "spy"}), history, at("2025-12-31"), {"GDP": 1.0})


def test_holdings_in_a_series_are_holdings_in_a_mapping(history: History) -> None:
    plan = make_plan(config_from({"strategy": "spy"}), history)
    held = {"SPY": 10, CASH: 10_000}
    ours, theirs = (plan.at(at("2025-12-31"), each) for each in (pd.Series(held), held))
    assert ours.orders is not None
    assert theirs.orders is not None
    assert ours.value == theirs.value
    pd.testing.assert_frame_equal(ours.orders, theirs.orders)


@pytest.mark.parametrize(
    "held",
    [
        pd.DataFrame({"SPY": [10], CASH: [100]}),
        pd.Series([1, 2], index=["SPY", "SPY"]),
        [("SPY", 10)],
        "SPY",
    ],
)
def test_holdings_of_another_type_get_one_line(history: History, held: Any) -> None:
    plan = make_plan(config_from({"strategy": "spy"}), history)
    with pytest.raises(
        ConfigError, match="expected the holdings as a mapping or a Series"
    ) as caught:
        plan.at(at("2025-12-31"), held)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("units", ["x", None, float("nan"), float("inf"), True])
def test_units_that_are_no_number_get_one_line(history: History, units: Any) -> None:
    plan = make_plan(config_from({"strategy": "spy"}), history)
    with pytest.raises(ConfigError, match="expected a number of units of SPY, was") as caught:
        plan.at(at("2025-12-31"), {"SPY": units, CASH: 1e6})
    assert "\n" not in str(caught.value)
