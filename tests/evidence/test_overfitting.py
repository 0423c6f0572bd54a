"""The probability of backtest overfitting, compared with plain loops, and on noise."""

from itertools import combinations

import numpy as np
import pytest

from backtests.evidence.overfitting import Overfitting, block_moments, overfitting
from signals.errors import DataError


def naive(returns: np.ndarray, blocks: int) -> dict[tuple[int, ...], tuple[float, float, float]]:
    """Return in-sample and out-of-sample Sharpe ratio and rank for each combination, by loops."""
    length = returns.shape[1] // blocks
    cut = [returns[:, -length * blocks :][:, b * length : (b + 1) * length] for b in range(blocks)]
    found = {}
    for inside in combinations(range(blocks), blocks // 2):
        outside = [b for b in range(blocks) if b not in inside]
        mine = sharpes(np.hstack([cut[b] for b in inside]))
        other = sharpes(np.hstack([cut[b] for b in outside]))
        best = mine.index(max(mine))
        rank = sum(x < other[best] for x in other) + (sum(x == other[best] for x in other) + 1) / 2
        found[inside] = (mine[best], other[best], rank / (len(mine) + 1))
    return found


def sharpes(returns: np.ndarray) -> list[float]:
    return [0.0 if np.ptp(r) == 0 else float(r.mean() / r.std(ddof=1)) for r in returns]


def rows(found: Overfitting) -> list[tuple[float, float, float]]:
    return sorted(zip(found.in_sample, found.out_of_sample, found.ranks, strict=True))


@pytest.mark.parametrize(("trials", "sessions", "blocks"), [(7, 83, 6), (20, 160, 8), (2, 40, 4)])
def test_every_combination_equals_a_plain_loop(trials: int, sessions: int, blocks: int) -> None:
    returns = np.random.default_rng(trials).normal(1e-4, 0.01, (trials, sessions))
    returns[-1, : sessions // 2] = 0.0  # a trial that holds bills for the first half
    found, expected = overfitting(block_moments(returns, blocks)), naive(returns, blocks)
    assert rows(found) == pytest.approx(np.array(sorted(expected.values())))
    share = sum(rank <= 0.5 for _, _, rank in expected.values()) / len(expected)
    assert found.probability == share
    assert found.logits == pytest.approx(np.log(found.ranks / (1 - found.ranks)))
    loss = sum(out < 0 for _, out, _ in expected.values()) / len(expected)
    assert found.probability_of_loss == pytest.approx(loss)


def test_more_trials_than_fit_at_once_give_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = block_moments(np.random.default_rng(1).normal(size=(30, 200)), 8)
    whole = overfitting(moments)
    monkeypatch.setattr("backtests.evidence.overfitting._AT_ONCE", 45)
    parts = overfitting(moments)
    assert rows(parts) == pytest.approx(np.array(rows(whole)))
    assert parts.probability == whole.probability


def test_trials_may_have_different_numbers_of_returns() -> None:
    returns = np.random.default_rng(2).normal(size=(5, 64))
    moments = block_moments(returns, 4)
    longer = block_moments(np.repeat(returns[:1], 2, axis=1), 4)
    moments[0] = longer[0]
    found = overfitting(moments)
    assert len(found.ranks) == 6
    assert not np.array_equal(found.in_sample, overfitting(block_moments(returns, 4)).in_sample)


def test_noise_is_overfitted_in_half_of_the_cases() -> None:
    """The recipe of the R package pbo: 100 trials, 1,000 sessions, 8 blocks of noise."""
    rng = np.random.default_rng(0)
    found = [overfitting(block_moments(rng.normal(size=(100, 1000)), 8)) for _ in range(60)]
    assert np.mean([each.probability for each in found]) == pytest.approx(0.5, abs=0.08)


def test_skill_is_found_again_out_of_sample() -> None:
    returns = np.random.default_rng(0).normal(size=(100, 1000))
    returns[3] += 0.3
    found = overfitting(block_moments(returns))
    assert found.probability == 0
    assert (found.chosen == 3).all()
    assert len(found.chosen) == 12_870
    assert found.in_sample.mean() == pytest.approx(0.3, abs=0.05)


def test_equal_trials_have_the_median_rank() -> None:
    returns = np.repeat(np.random.default_rng(0).normal(size=(1, 320)), 37, axis=0)
    found = overfitting(block_moments(returns, 8))
    assert found.ranks == pytest.approx(0.5)


def test_the_first_of_equal_trials_is_chosen() -> None:
    """Leverage keeps a Sharpe ratio, but not its last digits; the factor 1.7 changes them."""
    once = np.random.default_rng(0).normal(size=(6, 320))
    found = overfitting(block_moments(np.vstack([once, 1.7 * once]), 8))
    assert found.chosen.tolist() == overfitting(block_moments(once, 8)).chosen.tolist()
    assert found.chosen.max() < 6


def test_the_order_of_the_blocks_does_not_matter() -> None:
    """Each trial has a partner with 1.7 times its returns, except in the first of eight blocks."""
    rng = np.random.default_rng(0)
    once = rng.normal(size=(9, 320))
    partners = np.hstack([rng.normal(size=(9, 40)), 1.7 * once[:, 40:]])
    moments = block_moments(np.vstack([once, partners]), 8)
    expected = np.array(rows(overfitting(moments)))
    for _ in range(5):
        mixed = moments[:, rng.permutation(8)]
        assert rows(overfitting(mixed)) == pytest.approx(expected, abs=1e-9)


def test_only_one_trial_has_no_probability() -> None:
    found = overfitting(block_moments(np.random.default_rng(0).normal(size=(1, 100))))
    assert np.isnan([found.probability, found.probability_of_loss]).all()


def test_block_moments_leave_out_the_first_sessions() -> None:
    moments = block_moments(np.array([[9.0, 1.0, 2.0, 3.0, 4.0]]), 2)
    assert moments.tolist() == [[[2.0, 3.0, 5.0], [2.0, 7.0, 25.0]]]


@pytest.mark.parametrize(
    ("returns", "blocks", "message"),
    [
        (np.zeros((2, 40)), 7, "expected an even number of blocks, at least 2, was 7"),
        (np.zeros((2, 31)), 16, "expected at least 32 sessions for 16 blocks, but found 31"),
        (np.full((2, 40), np.nan), 4, "expected a return for each trial and session"),
    ],
)
def test_bad_returns_are_refused(returns: np.ndarray, blocks: int, message: str) -> None:
    with pytest.raises(DataError, match=message):
        block_moments(returns, blocks)


def test_bad_moments_are_refused() -> None:
    with pytest.raises(DataError, match=r"trials × blocks × 3 .* shape \(3, 4\)"):
        overfitting(np.zeros((3, 4)))
    with pytest.raises(DataError, match="expected finite moments"):
        overfitting(np.zeros((3, 4, 3)))
