"""Each strategy gets the placebo that fits its flags, or a reason why it has no rank."""

from dataclasses import replace
from typing import get_args

import pandas as pd
import pytest

from backtests.config_data import config_from
from backtests.evidence.placebo_rank import NOTES, Method, PlaceboRank, draw_gains, in_force, place
from backtests.evidence.workers import workers_of
from backtests.history.panel import History
from backtests.pipeline import read, run_on
from backtests.runs import Run
from backtests.window import window
from signals.regimes import REGIMES
from tests.evidence.by_hand import FITTED, TERMS

pytestmark = pytest.mark.usefixtures("evaluated_before")


@pytest.fixture(scope="module")
def timed(short: History, finished: dict[str, Run]) -> dict[str, Run]:
    """Return runs of every kind of strategy, all on the same reading."""
    first = config_from({"strategy": "spy", **TERMS})
    voted = read(first, short)
    index, runs = window(first, short, voted), dict(finished)
    names = ("bills", "equal-weight", "vol-target", "cash-heavy", "survival", "patient")
    for name in (*names, "near-cash-flow@quantities", "defensive@quantities"):
        config = config_from({"strategy": name, **TERMS})
        model = config.build_model()
        reading = voted.under(model.classify(short.panel, voted.evaluations))
        runs[name] = run_on(config, short, reading, index)
    constant = runs["cash-heavy@quantities"].decided * 0 + 0.4
    runs["constant"] = replace(runs["cash-heavy@quantities"], decided=constant)
    return runs


METHODS: dict[str, Method] = {
    "cash-heavy@quantities": "shifted",
    "defensive@quantities": "shifted",
    "near-cash-flow@quantities": "resampled",
    "near-cash-flow": "resampled",
    "cash-heavy": "resampled",
    "survival": "resampled",
    "patient": "resampled",
    "trend": "resampled",
    "vol-target": "resampled",
    "spy": "no_timing",
    "bills": "no_timing",
    "equal-weight": "no_timing",
    "constant": "no_timing",
    FITTED: "not_refitted",
}


def test_each_strategy_has_the_placebo_that_fits_its_flags(timed: dict[str, Run]) -> None:
    assert timed.keys() == METHODS.keys()
    placed = place(timed, [dict.fromkeys(timed, 0.1), dict.fromkeys(timed, 9.0)], shifts=5)
    assert {name: luck.method for name, luck in placed.items()} == METHODS
    for luck in placed.values():
        kinds = {"shifted": "shifts", "resampled": "resampled"}
        assert (luck.placebo.kind if luck.placebo else None) == kinds.get(luck.method)
        if luck.method == "resampled" and luck.placebo:
            assert luck.placebo.others.tolist() == [0.1, 9.0]


def test_each_method_has_a_sentence() -> None:
    assert set(NOTES) == set(get_args(Method))


def test_without_draws_what_follows_prices_is_not_ranked(timed: dict[str, Run]) -> None:
    placed = place(timed, [], shifts=5)
    for name, luck in placed.items():
        assert luck.method == ("not_drawn" if METHODS[name] == "resampled" else METHODS[name])
        assert (luck.placebo is None) == (luck.method != "shifted")


def test_every_rival_is_left_unranked(timed: dict[str, Run]) -> None:
    for name in (name for name, model in REGIMES.items() if model.price_only):
        config = timed[FITTED].config.model_copy(update={"regime_model": name})
        placed = place({"it": replace(timed[FITTED], config=config)}, [{"it": 0.0}])
        assert placed["it"] == PlaceboRank(placebo=None, method="not_refitted")


def test_gains_are_drawn_of_those_alone_that_need_them(timed: dict[str, Run]) -> None:
    still = {name: timed[name] for name, how in METHODS.items() if how != "resampled"}
    with workers_of(1) as pool:
        assert draw_gains(still, pool, draws=3) == []
        assert draw_gains(timed, pool, draws=0) == []
        (part,) = draw_gains(still | {"trend": timed["trend"]}, pool, draws=1)
    assert [gain.keys() for gain in part.result()] == [{"trend"}]


def test_equal_seeds_draw_equal_gains_and_the_first_stay_when_more_are_drawn(
    finished: dict[str, Run],
) -> None:
    def gains(draws: int, seed: int) -> list[float]:
        with workers_of(1) as pool:
            parts = draw_gains({"it": finished["trend"]}, pool, draws=draws, seed=seed)
            return [gain["it"] for part in parts for gain in part.result()]

    first = gains(1, 0)
    assert gains(2, 0)[:1] == first
    assert gains(1, 1) != first


def test_weights_are_in_force_from_their_fill_to_the_next() -> None:
    index = pd.DatetimeIndex(pd.bdate_range("2024-01-02", periods=7))
    decided = pd.DataFrame({"SPY": [0.1, 0.4, 0.7]}, index=index[[0, 3, 6]])
    soon, late = in_force(decided, index, 1), in_force(decided, index, 2)
    assert soon["SPY"].tolist() == [0.1, 0.1, 0.1, 0.4, 0.4, 0.4]
    assert late["SPY"].tolist() == [0.1, 0.1, 0.1, 0.4, 0.4]
    assert soon.index.equals(index[1:])
    assert late.index.equals(index[2:])
    early = decided.reindex(index).ffill()["SPY"].iloc[1:]
    assert early.tolist() != soon["SPY"].tolist()
