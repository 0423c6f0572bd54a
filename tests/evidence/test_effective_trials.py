"""The number of independent trials, on trials whose dependence is known."""

import math

import numpy as np
import pytest
from scipy import stats

from backtests.evidence.effective_trials import BestWithoutSkill, effective_trials
from benchmarks.luck import effective_rank
from signals.errors import DataError


def alike(rho: float, trials: int = 100, sessions: int = 1500) -> np.ndarray:
    """Return trials in which any two have the correlation ``rho``."""
    rng = np.random.default_rng(4)
    shared, alone = rng.normal(size=sessions), rng.normal(size=(trials, sessions))
    values: np.ndarray = math.sqrt(rho) * shared + math.sqrt(1 - rho) * alone
    return 0.01 * values + 0.001


def quantile_of_best(rho: float, trials: int) -> float:
    """Return the 95 % quantile of the largest of equally correlated normal numbers."""
    grid = np.linspace(-6, 6, 2001)
    weights = stats.norm.pdf(grid)
    weights /= weights.sum()

    def below(x: float) -> float:
        inner = stats.norm.cdf((x - math.sqrt(rho) * grid) / math.sqrt(1 - rho)) ** trials
        return float(weights @ inner)

    low, high = 0.0, 6.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) < 0.95 else (low, middle)
    return high


def test_unrelated_trials_count_in_full_and_copies_once() -> None:
    unrelated = alike(0.0)
    copies = np.repeat(unrelated[:3], 7, axis=0) * np.linspace(0.5, 2.0, 21)[:, None] + 0.002
    assert effective_trials(unrelated) == pytest.approx(100, rel=0.2)
    assert effective_trials(copies) == pytest.approx(3, rel=0.2)
    assert effective_trials(np.vstack([copies, np.zeros(1500)])) == effective_trials(copies)
    assert effective_trials(unrelated[:1]) == pytest.approx(1, rel=0.2)
    assert effective_trials(np.zeros((4, 300))) == 1


@pytest.mark.parametrize("rho", [0.5, 0.9])
def test_the_best_of_the_independent_trials_has_the_same_quantile(rho: float) -> None:
    found = effective_trials(alike(rho))
    critical = stats.norm.ppf(0.95 ** (1 / found))
    assert critical == pytest.approx(quantile_of_best(rho, 100), abs=0.12)


def test_parts_give_the_same_number_as_the_whole() -> None:
    trials = alike(0.3, trials=40, sessions=200)
    best = BestWithoutSkill(200, draws=300, seed=2)
    for part in (trials[20:], trials[:5], trials[5:20]):
        best.add(part)
    assert best.effective() == pytest.approx(effective_trials(trials, draws=300, seed=2), rel=1e-4)
    with pytest.raises(DataError, match="expected trials of 200 sessions, were 100"):
        best.add(trials[:, :100])


def test_the_effective_rank_counts_unrelated_trials() -> None:
    rng = np.random.default_rng(0)
    three = rng.normal(size=(3, 5000))
    copies = np.repeat(three, 7, axis=0) * rng.uniform(0.5, 2.0, (21, 1)) + 0.1
    assert effective_rank(three) == pytest.approx(3, abs=0.01)
    assert effective_rank(copies) == pytest.approx(3, abs=0.01)
    assert effective_rank(np.vstack([copies, np.zeros(5000)])) == pytest.approx(3, abs=0.01)
    assert effective_rank(three[:1]) == 1
    assert effective_rank(np.zeros((4, 100))) == 1


def test_the_effective_rank_of_two_trials_follows_from_their_correlation() -> None:
    """The correlation matrix of two trials has the eigenvalues 1 + ρ and 1 − ρ."""
    pair = np.random.default_rng(0).normal(size=(2, 300))
    pair[1] += 2 * pair[0]
    rho = float(np.asarray(np.corrcoef(pair)).ravel()[1])
    shares = np.array([1 + rho, 1 - rho]) / 2
    assert effective_rank(pair) == pytest.approx(np.exp(-(shares * np.log(shares)).sum()))


def test_more_trials_than_sessions_give_the_same_rank_as_the_correlation_matrix() -> None:
    values = np.random.default_rng(3).normal(size=(60, 40))
    shares = np.linalg.eigvalsh(np.corrcoef(values))
    shares = shares[shares > 1e-12] / shares.sum()
    assert effective_rank(values) == pytest.approx(np.exp(-(shares * np.log(shares)).sum()))
