"""A user's own asset classes: which strategies follow them, and which classes are refused."""

import tomllib
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtests.config import RunConfig
from backtests.config_data import config_from
from backtests.config_file import config_toml
from backtests.evidence.assessment import assess
from backtests.evidence.attribution import attribution
from backtests.history.panel import History
from backtests.pipeline import read, run_on
from backtests.report.tearsheet_numbers import metrics_of
from backtests.runs import Run, run_id
from backtests.thesis.sealed import parameters_in_use
from backtests.today import make_plan
from backtests.window import window
from signals.errors import ConfigError, MissingSeries
from signals.params import parameters
from signals.reading import Reading
from signals.universe import class_of, members
from strategies import STRATEGIES, Survival
from strategies.near_cash_flow import NearCashFlow

pytestmark = pytest.mark.usefixtures("evaluated_before")


def configured(classes: dict[str, Any], strategy: str = "near-cash-flow", **more: Any) -> RunConfig:
    return config_from({"strategy": strategy, "universe": {"classes": classes, **more}})


@pytest.fixture(scope="module")
def reading(history: History) -> Reading:
    return read(config_from({"strategy": "spy"}), history)


def ran(config: RunConfig, history: History, reading: Reading) -> Run:
    config = config.model_copy(update={"start": pd.Timestamp("2015-01-02").date()})
    return run_on(config, history, reading, window(config, history, reading))


def scale_by_hand(history: History, tickers: tuple[str, ...], session: pd.Timestamp) -> float:
    """Return 0.25 / volatility of equal weights over the last 63 returns, at most 1."""
    known = history.panel.loc[:session, list(tickers)].to_numpy()[-64:]
    returns = (known[1:] / known[:-1] - 1).mean(axis=1)
    return float(min(1.0, 0.25 / (np.std(returns, ddof=1) * np.sqrt(252))))


@pytest.mark.parametrize("memory", [("MU",), ("MU", "WDC")], ids=len)
def test_the_memory_sleeve_holds_the_class_and_nothing_else(
    history: History, reading: Reading, memory: tuple[str, ...]
) -> None:
    run = ran(configured({"memory": list(memory)}), history, reading)
    shares = {r.value: row["memory"] for r, row in NearCashFlow.table.items()}
    others = [t for t in members("memory") if t not in memory]
    assert not set(others) & set(run.decided.columns)
    for session in run.decided.index[[0, 20, 60, -1]]:
        share = shares[str(reading.regime[session])] * scale_by_hand(history, memory, session)
        for ticker in memory:
            assert run.decided.loc[session, ticker] == pytest.approx(share / len(memory), abs=1e-12)
    assert set(reading.regime[run.decided.index]) >= {"ABSORPTION", "INJECTION"}
    assert run.orders["asset"].isin(memory).any()


def test_the_regime_keeps_the_declared_classes(history: History, reading: Reading) -> None:
    config = configured({"memory": ["MU"], "crypto": ["ETH-USD"]})
    pd.testing.assert_series_equal(read(config, history).regime, reading.regime)


def test_profits_belong_to_the_class_that_the_user_names(
    history: History, reading: Reading
) -> None:
    run = ran(configured({"memory": ["AAPL"], "defensive": ["WDC"]}), history, reading)
    given = (run.result, history.closes, run.config.costs, reading.regime, 1)
    own = attribution(*given, classes=run.config.universe.classes).by_sleeve
    declared = attribution(*given).by_sleeve
    assert {"memory", "defensive"} <= set(own.index)
    assert "other" not in own.index
    assert set(declared.index) - set(own.index) == {"other"}
    assert own.loc["memory", "return"] == pytest.approx(declared.loc["other", "return"])
    assert own.loc["defensive", "return"] == pytest.approx(declared.loc["memory", "return"])


def test_the_metrics_and_the_tearsheet_use_the_classes(history: History, reading: Reading) -> None:
    run = ran(configured({"memory": ["AAPL"]}), history, reading)
    numbers = metrics_of(assess(run, robustness=False))
    assert numbers["run"]["classes"] == {"memory": ["AAPL"]}
    assert {"memory"} <= set(numbers["attribution"]["by_sleeve"]) - {"other"}
    assert "other" not in numbers["attribution"]["by_sleeve"]


def test_the_chart_of_holdings_uses_the_classes(history: History, reading: Reading) -> None:
    run = ran(configured({"memory": ["AAPL"], "hyperscalers": ["MSFT"]}), history, reading)
    held = assess(run, robustness=False).held
    assert "memory" in held
    assert "hyperscalers" not in held


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_takes_classes(strategy: str) -> None:
    memory, crypto = ("MU", "WDC"), ("BTC-USD",)
    built = configured({"memory": memory, "crypto": crypto}, strategy).build_strategy()
    before = STRATEGIES[strategy]()
    sleeves, old = (getattr(s, "sleeves", {"tickers": s.assets}) for s in (built, before))
    follows = {"memory": memory, "crypto": crypto}
    if strategy.endswith("-smh"):
        follows["memory"] = ("SMH",)
    if strategy in ("equal-weight", "trend-universe"):
        follows["tickers"] = NearCashFlow(memory=memory, crypto=crypto).assets
    assert sleeves == {name: follows.get(name, tickers) for name, tickers in old.items()}


def test_own_sleeves_and_own_tickers_stay() -> None:
    built = configured({"memory": ["MU"]}, defensive=["XLP"], crypto=[]).build_strategy()
    assert parameters(built) == {
        "volatility": 0.25,
        "broad": ("SPY",),
        "memory": ("MU",),
        "crypto": (),
        "defensive": ("XLP",),
    }
    mine = configured({"memory": ["MU"]}, "equal-weight", tickers=["GLD"]).build_strategy()
    assert mine.assets == ("GLD",)


def test_costs_follow_the_market_of_the_ticker_and_not_the_class() -> None:
    config = configured({"crypto": ["IBIT", "MSTR"], "speculative": ["ARKK", "IWM", "COIN"]})
    assert [config.costs.rate(t) for t in config.build_strategy().assets[5:7]] == [2e-4, 5e-4]
    assert config.costs.borrow("IBIT") == config.costs.borrow_stock


def test_a_ticker_that_left_its_class_has_none() -> None:
    own = {"memory": ("MU",), "defensive": ("XYZ",)}
    named = {t: class_of(t, own) for t in ("MU", "WDC", "XYZ", "XLP", "GLD", "ABC")}
    assert list(named.values()) == ["memory", "other", "defensive", "other", "metals", "other"]


@pytest.mark.parametrize(
    ("classes", "said"),
    [
        ({"memry": ["MU"]}, "unknown class 'memry'; did you mean 'memory'? known: bonds, broad,"),
        ({"other": ["MU"]}, "unknown class 'other'"),
        ({"memory": []}, "expected tickers in class memory, found none; remove this class"),
        ({"memory": ["MU", "MU"]}, "class memory: expected tickers, each once"),
        ({"memory": ["MU", " WDC"]}, "class memory: expected tickers, each once"),
        (
            {"memory": ["MU"], "crypto": ["MU"]},
            "found it in memory and crypto; remove MU from one of the two classes",
        ),
        (
            {"crypto": ["GLD"]},
            'found it in crypto and by default in metals; add metals = ["SLV"]',
        ),
        ({"crypto": ["GLD", "SLV"]}, "choose other tickers for metals"),
        ({"memory": "MU"}, """config key universe.classes.memory: .* like memory=["A", "B"]"""),
        (["MU"], "config key universe.classes: input should be a valid dictionary"),
    ],
)
def test_wrong_classes_are_one_line(classes: Any, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        configured(classes)
    parts = said.split(" .* ")
    assert all(part in str(error.value) for part in parts), error.value
    assert "\n" not in str(error.value)


def test_a_class_beats_a_sleeve_that_is_spelled_out_with_its_default() -> None:
    """A file that ``init`` writes lists the default tickers of every sleeve."""
    built = configured({"memory": ["MU"]}, memory=list(members("memory"))).build_strategy()
    assert built.assets[:2] == ("SPY", "MU")


def test_a_class_and_a_sleeve_of_the_same_name_are_refused() -> None:
    both = r"memory either in universe or in universe\.classes, found memory in both"
    with pytest.raises(ConfigError, match=both):
        configured({"memory": ["MU"]}, memory=["WDC"])


@pytest.mark.parametrize("name", ["memory", "software"], ids=["held", "not held"])
def test_a_ticker_without_prices_is_named_with_its_class(
    history: History, reading: Reading, name: str
) -> None:
    config = configured({name: ["NOSUCH"]})
    assert "NOSUCH" in config.series()
    with pytest.raises(MissingSeries, match=f"class {name}: expected prices of NOSUCH"):
        ran(config, history, reading)
    with pytest.raises(MissingSeries, match=f"class {name}: expected prices of NOSUCH"):
        make_plan(config, history, reading)


def test_the_file_of_a_run_repeats_its_classes() -> None:
    config = configured({"memory": ["MU"], "crypto": ["BTC-USD"]}, defensive=["XLP"])
    assert config_from(tomllib.loads(config_toml(config))) == config


def test_without_the_table_nothing_changes() -> None:
    plain, empty = config_from({"strategy": "survival"}), configured({}, "survival")
    assert plain == empty
    assert config_toml(plain) == config_toml(empty)
    assert "classes" not in config_toml(plain)
    assert "classes" not in plain.identity()
    assert list(parameters(Survival())) == ["volatility"]
    assert parameters_in_use()["strategy survival"] == {"volatility": 0.25}
    assert repr(Survival()) == "Survival(volatility=0.25)"


def test_classes_change_the_id_of_a_run() -> None:
    simulated = History.simulated(0, 6)
    plain = config_from({"strategy": "survival"})
    assert run_id(configured({"memory": ["MU"]}, "survival"), simulated) != run_id(plain, simulated)
