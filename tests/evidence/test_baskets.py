"""A strategy is ranked among strategies with random shares in the place of memory makers."""

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from backtests.config_data import config_from
from backtests.evidence import baskets
from backtests.evidence.baskets import random_baskets
from backtests.history.panel import History
from backtests.runs import Run
from signals.universe import UNIVERSE, members
from strategies import decide as decide_as_usual
from strategies.near_cash_flow import NearCashFlow
from tests.evidence.by_hand import LAG, daily_sharpe, held_by_hand, market_of, plain_run

pytestmark = pytest.mark.usefixtures("evaluated_before")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Record, in order, every strategy for which new decisions are made."""
    noted: list[Any] = []

    def decide(strategy: Any, *given: Any) -> pd.DataFrame:
        noted.append(strategy)
        return decide_as_usual(strategy, *given)

    monkeypatch.setattr(baskets, "decide", decide)
    return noted


def test_baskets_hold_other_shares_in_the_place_of_memory_makers(
    finished: dict[str, Run], drawn: list[Any]
) -> None:
    ours = finished["near-cash-flow"]
    assert isinstance(ours.strategy, NearCashFlow)
    made = random_baskets(ours, baskets=12)
    own, others = set(members("memory")), [s for s in drawn if s != ours.strategy]
    assert made is not None
    assert len(others) == made.n == 12
    for strategy in others:
        basket = strategy.memory
        assert len(set(basket)) == len(basket) == len(own)
        assert own.isdisjoint(basket)
        assert {UNIVERSE[ticker].market for ticker in basket} == {"stock"}
        weights = strategy.weights(ours.reading, ours.history.panel)
        assert own.isdisjoint(weights.columns)
        assert replace(strategy, memory=ours.strategy.memory) == ours.strategy
    assert len({strategy.memory for strategy in others}) > 6


def test_baskets_are_ranked_by_the_sharpe_ratio_of_a_plain_loop(
    finished: dict[str, Run], drawn: list[Any]
) -> None:
    ours = finished["near-cash-flow"]
    made = random_baskets(ours, baskets=4)
    assert made is not None

    def by_hand(strategy: Any) -> float:
        decided = strategy.weights(ours.reading, ours.history.panel).loc[ours.decided.index]
        held = held_by_hand(decided, pd.DatetimeIndex(ours.result.equity.index), LAG)
        market = market_of(ours, list(decided.columns))
        return float(daily_sharpe((held * market.priced)[:, :, None], market)[0])

    expected = [by_hand(strategy) for strategy in drawn if strategy != ours.strategy]
    true = by_hand(ours.strategy)
    assert made.others.tolist() == pytest.approx(expected, abs=1e-12)
    assert made.statistic == pytest.approx(true, abs=1e-12)
    assert made.rank == sum(other < true for other in expected) / 4
    assert made.kind == "baskets"


def test_equal_seeds_draw_equal_baskets(finished: dict[str, Run]) -> None:
    ours = finished["near-cash-flow"]
    one, same, other = (random_baskets(ours, baskets=4, seed=s) for s in (1, 1, 2))
    assert one is not None
    assert same is not None
    assert other is not None
    assert one.others.tolist() == same.others.tolist()
    assert not set(one.others) & set(other.others)


def test_without_memory_makers_there_are_no_baskets(
    finished: dict[str, Run], short: History
) -> None:
    ours = finished["near-cash-flow"]
    assert random_baskets(ours, baskets=2) is not None
    survival = plain_run(short, "survival")  # it has no sleeve of memory
    assert random_baskets(survival, baskets=2) is None
    assert random_baskets(finished["spy"], baskets=2) is None
    twin = config_from({"strategy": "near-cash-flow-smh"}).build_strategy()
    assert random_baskets(replace(ours, strategy=twin), baskets=2) is None
    fewer = replace(ours.strategy, memory=("MU",))  # type: ignore[call-arg]
    assert random_baskets(replace(ours, strategy=fewer), baskets=2) is None
    assert random_baskets(replace(ours, decided=ours.decided * 0), baskets=2) is None
    others = [t for t, a in UNIVERSE.items() if a.market == "stock" and t not in members("memory")]
    lacking = replace(short, closes=short.closes.drop(columns=others[3:]))
    assert random_baskets(replace(ours, history=lacking), baskets=2) is None
