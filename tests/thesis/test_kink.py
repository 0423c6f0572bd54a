"""The kink of the trial is the kink of the signal convexity, with a statistical test."""

from dataclasses import replace

import numpy as np
import pytest

from backtests.history.panel import History
from backtests.thesis.claims import CLAIMS
from backtests.thesis.errors import NotTestable
from backtests.thesis.estimators.kink import hac_fit, kink, last_estimate
from backtests.thesis.sample import Sample
from benchmarks.trial_coverage import covered
from signals.convexity import Convexity, kink_of, quarter_starts

CLAIM = next(claim for claim in CLAIMS if claim.estimator == "kink")


def changes(bend: float, noise: float, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Return regressors, and changes of the cost of capital with a slope of 1 and a kink."""
    rng = np.random.default_rng(2)
    x = np.column_stack([np.ones(n), rng.standard_normal((n, 2))])
    return x, x @ np.array([0.0, 1.0, bend]) + noise * rng.standard_normal(n)


def test_a_kink_without_noise_is_found_exactly() -> None:
    x, y = changes(2.0, 0.0)
    found = kink_of(x, y, 13, 20, seed=1)
    assert found.slope == pytest.approx(1.0)
    assert found.kink == pytest.approx(2.0)
    np.testing.assert_allclose(found.draws, 2.0)
    np.testing.assert_allclose(hac_fit(x, y).coefficients, [0, 1, 2], atol=1e-12)


def test_a_kink_with_noise_is_found_by_both_methods() -> None:
    x, y = changes(2.0, 1.0)
    low, high = kink_of(x, y, 13, 200, seed=1).bounds(0.95)
    assert 0 < low < 2 < high < 4
    fit = hac_fit(x, y)
    value, error = fit.combined(np.array([0.0, 0.0, 1.0]))
    assert fit.p_value(value, error, 1) < 0.001


def test_the_value_and_the_90_percent_interval_of_kink_are_those_of_convexity(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    signal = sample.reading.evaluations["convexity"].signal
    assert isinstance(signal, Convexity)
    assert signal.level == 0.90
    monkeypatch.setitem(kink.__globals__, "REPS", signal.draws)
    estimate = kink(CLAIM, sample)
    last = sample.reading.evaluations["convexity"].gauges.iloc[-1]
    assert estimate.value == pytest.approx(last["kink"])
    assert estimate.interval.low90 == pytest.approx(last["low"])
    assert estimate.interval.high90 == pytest.approx(last["high"])
    assert estimate.interval.low < last["low"] < last["high"] < estimate.interval.high
    assert set(estimate.tests) == {"stationary bootstrap", "HAC"}
    assert estimate.episodes == last["excursions"]


def test_too_few_excursions_are_not_identified(sample: Sample) -> None:
    early = Sample.of(sample.history.until("2012-06-29"))
    with pytest.raises(NotTestable, match=r"not identified: .* at least 3 times, found \d"):
        kink(CLAIM, early)


def test_too_few_weeks_are_not_identified(sample: Sample) -> None:
    evaluations = dict(sample.reading.evaluations)
    signal = evaluations["convexity"].signal
    assert isinstance(signal, Convexity)
    longer = replace(evaluations["convexity"], signal=replace(signal, minimum=5000))
    reading = replace(sample.reading, evaluations={**evaluations, "convexity": longer})
    with pytest.raises(NotTestable, match="not identified: expected at least 5000 weeks"):
        kink(CLAIM, replace(sample, reading=reading))


def test_a_history_without_yields_cannot_be_tested(sample: Sample) -> None:
    others = {k: e for k, e in sample.reading.evaluations.items() if k != "convexity"}
    reading = replace(sample.reading, evaluations=others)
    with pytest.raises(NotTestable, match="lacks series that convexity needs"):
        kink(CLAIM, replace(sample, reading=reading))


def test_real_history_does_not_identify_it(history: History) -> None:
    with pytest.raises(NotTestable, match="not identified"):
        kink(CLAIM, Sample.of(history))


@pytest.mark.parametrize("name", ["kink", "kink, HAC"])
def test_the_interval_of_kink_contains_the_truth_less_often_than_it_says(name: str) -> None:
    assert 27 <= sum(covered(seed, name) for seed in range(40)) <= 40


# Look-ahead


def assert_blind_to_the_quarter(sample: Sample, planted: int) -> None:
    """Compare the estimate with that of a history whose last quarter is different."""
    _, _, before = last_estimate(sample)
    panel = sample.history.panel.copy()
    start = quarter_starts(sample.sessions)[-1]
    panel["DGS10"] += np.where(np.arange(len(panel)) >= start - planted, 3.0, 0.0)
    _, _, after = last_estimate(replace(sample, history=replace(sample.history, panel=panel)))
    np.testing.assert_array_equal(before.draws, after.draws)


def test_the_last_quarter_changes_nothing(sample: Sample) -> None:
    assert_blind_to_the_quarter(sample, 0)


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="the planted cheat is found")
def test_an_earlier_change_is_found(sample: Sample) -> None:
    assert_blind_to_the_quarter(sample, 1)
