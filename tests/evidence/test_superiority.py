"""SPA, StepM and the Model Confidence Set, on returns whose skill is known."""

import numpy as np
import pandas as pd
import pytest
from arch.bootstrap import MCS, SPA

from backtests.evidence.bootstrap import block_length
from backtests.evidence.superiority import confidence_set, scaled, superiority


def excess(skill: dict[str, float], n: int = 1500, seed: int = 0) -> pd.DataFrame:
    """Return daily returns over bills with the given daily Sharpe ratios."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(n, len(skill)))
    noise = (noise - noise.mean(axis=0)) / noise.std(axis=0)
    scales = np.linspace(0.002, 0.03, len(skill))  # volatilities differ, but must not decide
    return pd.DataFrame((noise + list(skill.values())) * scales, columns=list(skill))


RETURNS = excess({"skilled": 0.15, "plain": 0.0, "wild": 0.01, "base": 0.0})


def test_only_the_strategy_with_skill_is_superior() -> None:
    found = superiority(RETURNS.drop(columns="base"), RETURNS["base"])
    assert found is not None
    assert found.benchmark == "base"
    assert found.superior == ("skilled",)
    assert found.p_value < 0.01


def test_without_skill_nothing_is_superior() -> None:
    found = superiority(RETURNS[["plain", "wild"]], RETURNS["base"])
    assert found is not None
    assert found.superior == ()
    assert found.p_value > 0.2


def test_the_p_value_is_that_of_arch_on_scaled_losses() -> None:
    found = superiority(RETURNS.drop(columns="base"), RETURNS["base"], reps=200, seed=3)
    assert found is not None
    models = RETURNS.drop(columns="base")
    losses, own = -models / models.std(), -RETURNS["base"] / RETURNS["base"].std()
    block = block_length((RETURNS["base"] / RETURNS["base"].std()).to_numpy())
    less = losses.sub(own, axis=0)
    spa = SPA(0 * own, less / less.std(), block_size=block, reps=200, seed=3)
    spa.compute()
    assert (found.block, found.reps) == (block, 200)
    assert found.p_value == pytest.approx((200 * spa.pvalues["consistent"] + 1) / 201)


def test_a_steady_small_advantage_is_found_among_rows_that_vary_more() -> None:
    rng = np.random.default_rng(4)
    n = 2520
    base = rng.normal(0.0, 0.01, n)
    close = base + 0.08 * rng.normal(0.0, 0.01, n) + 0.08 * 0.08 * 0.01  # t of about 4
    far = {f"far{i}": rng.normal(0.0, 0.01, n) for i in range(10)}
    far = {name: x - x.mean() + base.mean() for name, x in far.items()}
    found = superiority(pd.DataFrame({"close": close, **far}), pd.Series(base, name="base"))
    assert found is not None
    assert found.superior == ("close",)


def test_a_p_value_is_never_zero() -> None:
    found = superiority(RETURNS[["skilled"]], RETURNS["base"], reps=50)
    assert found is not None
    assert found.p_value == pytest.approx(1 / 51)


@pytest.mark.parametrize("names", [["plain"], ["plain", "wild", "base"]])
def test_if_every_strategy_is_behind_the_benchmark_the_p_value_is_one(names: list[str]) -> None:
    found = superiority(RETURNS[names], RETURNS["skilled"])
    assert found is not None
    assert (found.p_value, found.superior) == (1.0, ())


def test_what_does_not_vary_or_equals_the_benchmark_is_left_out() -> None:
    base = RETURNS["base"]
    assert superiority(pd.DataFrame({"bills": 0.0 * base, "twin": 2 * base}), base) is None
    assert superiority(RETURNS, 0.0 * base) is None
    found = superiority(RETURNS[["skilled"]].assign(bills=0.0), base)
    assert found is not None
    assert found.superior == ("skilled",)


def test_the_confidence_set_keeps_the_best_and_drops_the_worst() -> None:
    found = confidence_set(RETURNS.assign(bills=0.0, twin=3 * RETURNS["plain"]))
    assert found["skilled"] == 1
    assert max(found[name] for name in ("plain", "wild", "base")) < 0.1
    assert found["twin"] == found["plain"]
    assert "bills" not in found


def test_the_confidence_set_is_that_of_arch() -> None:
    found = confidence_set(RETURNS, reps=150, seed=5)
    losses = -scaled(RETURNS)
    block = max(block_length(losses[name].to_numpy()) for name in losses)
    test = MCS(losses, size=0.1, reps=150, block_size=block, seed=5)
    test.compute()
    assert found == pytest.approx(test.pvalues["Pvalue"].to_dict())


def test_a_set_of_one_strategy_is_the_strategy() -> None:
    assert confidence_set(RETURNS[["plain"]]) == {"plain": 1.0}
    assert confidence_set(RETURNS[["plain"]].assign(twin=RETURNS["plain"])) == {
        "plain": 1.0,
        "twin": 1.0,
    }
    assert confidence_set(0 * RETURNS) == {}
