"""Slopes with few clusters, compared with statsmodels and with plain matrices; coverage."""

import math

import numpy as np
import pytest
import scipy.linalg
import statsmodels.api as sm
from scipy import stats

from backtests.thesis.clustered import FEWEST, Slope, minus, rearranged, slope, slopes
from backtests.thesis.estimators.cascade_order import tau
from backtests.thesis.inference import rank_p_value
from benchmarks.trial_coverage_events import INTERVALS, covered, events, peaks, true_tau

Drawn = tuple[np.ndarray, np.ndarray, np.ndarray]


@pytest.fixture
def drawn() -> Drawn:
    return events(np.random.default_rng(3), clusters=9, each=5, true=-2.0)


def plain_cr2(y: np.ndarray, x: np.ndarray, clusters: np.ndarray) -> tuple[float, float, float]:
    """Return slope, CR2 error and Bell–McCaffrey's degrees of freedom, from n × n matrices."""
    design = np.column_stack((np.ones(len(x)), x))
    inverse = np.linalg.inv(design.T @ design)
    maker = np.eye(len(y)) - design @ inverse @ design.T
    residuals, pick = maker @ y, np.array([0.0, 1.0])
    variance, vectors = 0.0, []
    for cluster in sorted(set(clusters)):
        chosen = np.flatnonzero(clusters == cluster)
        root = np.linalg.inv(scipy.linalg.sqrtm(maker[np.ix_(chosen, chosen)]))
        weights = pick @ inverse @ design[chosen].T @ root
        variance += (weights @ residuals[chosen]) ** 2
        vectors.append(maker[:, chosen] @ weights)
    eigenvalues = np.linalg.eigvalsh(np.array(vectors) @ np.array(vectors).T)
    df = eigenvalues.sum() ** 2 / (eigenvalues**2).sum()
    return (inverse @ design.T @ y)[1], math.sqrt(variance), df


def test_slope_equals_plain_matrices(drawn: Drawn) -> None:
    fit = slope(*drawn)
    assert (fit.value, fit.error, fit.df) == pytest.approx(plain_cr2(*drawn))
    assert (fit.n, fit.clusters) == (45, 9)
    assert fit.df < 8  # less than clusters − 1


def test_balanced_clusters_of_one_give_the_usual_robust_error() -> None:
    y, x, _ = events(np.random.default_rng(4), clusters=50, each=1, true=1.0)
    fit = slope(y, x, np.arange(50))
    robust = sm.OLS(y, sm.add_constant(x)).fit(cov_type="HC2")
    assert (fit.value, fit.error) == pytest.approx((robust.params[1], robust.bse[1]))


def test_slopes_of_permutations_equal_statsmodels(drawn: Drawn) -> None:
    y, x, clusters = drawn
    value, variance = slopes(y, np.vstack((x, x[::-1])), clusters)
    for row, shocks in enumerate((x, x[::-1])):
        fit = sm.OLS(y, sm.add_constant(shocks)).fit(
            cov_type="cluster", cov_kwds={"groups": clusters, "use_correction": False}
        )
        assert value[row] == pytest.approx(fit.params[1])
        assert variance[row] == pytest.approx(fit.bse[1] ** 2 * 9 / 8)


def test_an_event_with_a_missing_value_is_left_out(drawn: Drawn) -> None:
    y, x, clusters = drawn
    gap = y.copy()
    gap[7] = np.nan
    assert slope(gap, x, clusters) == slope(
        np.delete(y, 7), np.delete(x, 7), np.delete(clusters, 7)
    )
    gap = x.copy()
    gap[7] = np.nan
    value, _ = slopes(y, gap[None, :], clusters)
    assert value[0] == pytest.approx(slope(y, gap, clusters).value)


@pytest.mark.parametrize("change", ["few clusters", "constant", "empty"])
def test_no_slope_without_clusters_or_surprises(drawn: Drawn, change: str) -> None:
    y, x, clusters = drawn
    if change == "few clusters":
        clusters = clusters % (FEWEST - 1)
    elif change == "constant":
        x = np.ones(len(x))
    else:
        y, x, clusters = y[:0], x[:0], clusters[:0]
    fit = slope(y, x, clusters)
    assert math.isnan(fit.value)
    assert fit.df == 0.0


def test_a_difference_has_the_smaller_groups_freedom() -> None:
    few = Slope(value=1.0, error=3.0, df=4.0, n=40, clusters=9)
    many = Slope(value=0.5, error=0.1, df=60.0, n=400, clusters=80)
    difference = minus(few, many)
    assert difference.value == 0.5
    assert difference.error == pytest.approx(math.hypot(3.0, 0.1))
    assert difference.df == pytest.approx(4.0, rel=0.01)


def test_permutations_move_whole_rows() -> None:
    x = np.arange(12.0)
    rows, columns = np.repeat(np.arange(4), 3), np.tile(np.arange(3), 4)
    for draw in rearranged(x, rows, columns, draws=20):
        blocks = draw.reshape(4, 3)
        assert sorted(blocks[:, 0]) == [0, 3, 6, 9]
        assert (np.diff(blocks, axis=1) == 1).all()


def test_an_empty_cell_leaves_its_event_out() -> None:
    drawn = rearranged(np.array([1.0, 2.0, 3.0]), np.array([0, 0, 1]), np.array([0, 1, 0]), 50)
    swapped = drawn[drawn[:, 0] == 3.0]
    assert len(swapped) > 0
    assert np.isnan(swapped[:, 1]).all()
    assert (swapped[:, 2] == 1.0).all()


def test_p_values_of_permutations_are_uniform_without_an_effect() -> None:
    found = []
    for seed in range(300):
        y, x, cluster = events(np.random.default_rng(seed), clusters=9, each=5, true=0.0)
        moved = rearranged(x, cluster, np.tile(np.arange(5), 9), draws=199, seed=seed)
        value, variance = slopes(y, np.vstack((x, moved)), cluster)
        t = value / np.sqrt(variance)
        found.append(rank_p_value(t[0], t[1:], -1))
    assert stats.kstest(found, "uniform").pvalue > 0.05
    assert 0.03 <= np.mean(np.array(found) <= 0.05) <= 0.08


def test_permutations_find_an_effect() -> None:
    y, x, cluster = events(np.random.default_rng(1), clusters=40, each=5, true=-4.0)
    moved = rearranged(x, cluster, np.tile(np.arange(5), 40), draws=999)
    value, variance = slopes(y, np.vstack((x, moved)), cluster)
    t = value / np.sqrt(variance)
    assert rank_p_value(t[0], t[1:], -1) == 0.001
    assert rank_p_value(t[0], t[1:], 1) > 0.99


@pytest.mark.parametrize("name", INTERVALS)
def test_95_percent_intervals_cover_the_truth(name: str) -> None:
    """In ``benchmarks/trial_coverage.py``, 182 to 194 of 200 intervals contain the truth."""
    assert 54 <= covered(name, 60) <= 60


def test_the_true_tau_is_the_mean_of_many_draws() -> None:
    taus = tau(peaks(np.random.default_rng(0), episodes=30_000))
    assert true_tau() == pytest.approx(taus.mean(), abs=0.01)
