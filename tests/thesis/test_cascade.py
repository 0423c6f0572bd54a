"""The order of falls: a planted order is found, p-values are uniform, a fall counts once."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from backtests.calendar import sessions
from backtests.evidence.entries import QUARTER
from backtests.history.panel import History
from backtests.thesis.claims import CLAIMS
from backtests.thesis.episodes import CASCADE, span_of
from backtests.thesis.errors import NotTestable
from backtests.thesis.estimators import ESTIMATORS
from backtests.thesis.estimators.cascade_order import (
    cascade_order,
    dated_peaks,
    peak_numbers,
    permuted_p_value,
    tau,
)
from backtests.thesis.events import read_events
from backtests.thesis.sample import Sample
from tests.reference import naive_events
from tests.thesis.planted import as_real, with_planted

CLAIM = next(claim for claim in CLAIMS if claim.estimator == "cascade_order")
SESSIONS = sessions(pd.Timestamp("2012-01-03"), pd.Timestamp("2025-12-31"))


def falls(order: tuple[str, ...], apart: int = 5) -> pd.DataFrame:
    """Return returns in which the classes peak one after the other, ``apart`` sessions apart."""
    returns = np.zeros((len(SESSIONS), len(CASCADE)))
    for episode in read_events().episodes:
        if span := span_of(episode, SESSIONS):
            for place, name in enumerate(order):
                at, column = span[0] - 40 + apart * place, CASCADE.index(name)
                returns[[at, at + 1, span[0]], column] = 0.1, -0.1, -0.3
    return pd.DataFrame(returns, index=SESSIONS, columns=list(CASCADE))


def first_row(returns: pd.DataFrame) -> pd.Series:
    return dated_peaks(returns)[0].iloc[0]


def test_the_estimator_is_registered() -> None:
    assert ESTIMATORS["cascade_order"] is cascade_order


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (CASCADE, 1.0),
        (CASCADE[::-1], -1.0),
        (("speculative", "crypto", "software", "broad"), 2 / 3),
    ],
)
def test_a_planted_order_is_found(order: tuple[str, ...], expected: float) -> None:
    assert first_row(falls(order))["tau"] == pytest.approx(expected)


def test_equal_dates_are_tied() -> None:
    assert first_row(falls(CASCADE, apart=0))["tau"] == 0.0
    assert tau(np.array([1, 1, 2, 2])) == pytest.approx(4 / np.sqrt(6 * 4))


def test_tau_equals_scipys_tau_b() -> None:
    drawn = np.random.default_rng(0).integers(0, 4, size=(60, 4))
    for row in drawn[np.ptp(drawn, axis=1) > 0]:
        assert tau(row) == pytest.approx(stats.kendalltau(range(4), row).statistic)


def test_an_episode_that_repeats_a_fall_is_left_out() -> None:
    shown, repeated = dated_peaks(falls(CASCADE))
    troughs = SESSIONS.get_indexer(pd.DatetimeIndex(shown["trough"]))
    assert min(np.diff(np.sort(troughs))) >= QUARTER
    assert "repo-spike" in shown.index
    assert set(repeated).isdisjoint(shown.index)


def test_the_trough_lies_in_the_episode_and_peaks_before_it() -> None:
    rng = np.random.default_rng(0)
    returns = pd.DataFrame(
        0.02 * rng.standard_normal((len(SESSIONS), 4)), index=SESSIONS, columns=list(CASCADE)
    )
    shown, _ = dated_peaks(returns)
    spans = {e.name: span_of(e, SESSIONS) for e in read_events().episodes}
    for name, row in shown.iterrows():
        span = spans[str(name)]
        assert span is not None
        trough, *peaks = SESSIONS.get_indexer(pd.DatetimeIndex(row[["trough", *CASCADE]]))
        assert span[0] <= trough <= span[1]
        assert all(1 <= trough - peak <= QUARTER for peak in peaks)


def test_troughs_peaks_and_taus_equal_plain_loops() -> None:
    rng = np.random.default_rng(1)
    drawn = 0.02 * rng.standard_normal((len(SESSIONS), 4)).round(2)
    shown, _ = dated_peaks(pd.DataFrame(drawn, index=SESSIONS, columns=list(CASCADE)))
    plain = {name: drawn[:, number].tolist() for number, name in enumerate(CASCADE)}
    spans = {e.name: span_of(e, SESSIONS) for e in read_events().episodes}
    for name, row in shown.iterrows():
        span = spans[str(name)]
        assert span is not None
        peaks, trough = naive_events.peaks_and_trough(plain, *span)
        assert row["trough"] == SESSIONS[trough]
        assert row[list(CASCADE)].tolist() == [SESSIONS[peaks[part]] for part in CASCADE]
        assert row["tau"] == pytest.approx(naive_events.tau_b(list(peaks.values())))


def test_an_episode_without_a_class_is_left_out() -> None:
    returns = falls(CASCADE)
    returns.loc[:"2017", "crypto"] = np.nan
    assert dated_peaks(returns)[0]["trough"].min() > pd.Timestamp("2018-01-01")


def test_p_values_are_uniform_when_the_order_is_random() -> None:
    """The mean tau of 12 episodes is discrete: a single value has a probability of about 8 %."""
    rng = np.random.default_rng(0)
    drawn = [rng.permuted(np.tile(np.arange(4), (12, 1)), axis=1) for _ in range(1000)]
    found = np.array([permuted_p_value(numbers, 1, seed) for seed, numbers in enumerate(drawn)])
    for level in (0.025, 0.05, 0.1, 0.25, 0.5, 0.75):
        share, error = np.mean(found <= level), np.sqrt(level * (1 - level) / len(found))
        assert level - 0.08 - 3 * error <= share <= level + 3 * error


def test_the_p_value_equals_all_permutations_of_two_episodes() -> None:
    numbers = np.array([[0, 1, 2, 3], [0, 2, 1, 3]])
    taus = [tau(np.array(order)) for order in itertools.permutations(range(4))]
    means = [(a + b) / 2 for a in taus for b in taus]
    exact = np.mean(np.array(means) >= (1 + 2 / 3) / 2 - 1e-12)
    assert permuted_p_value(numbers, 1) == pytest.approx(exact, abs=0.004)
    assert permuted_p_value(numbers, -1) > 0.99


def test_peak_numbers_are_days_in_the_declared_order() -> None:
    shown, _ = dated_peaks(falls(CASCADE))
    assert (np.diff(peak_numbers(shown), axis=1) > 0).all()


def test_an_estimate_on_a_real_history_has_one_tau_an_episode(simulated: Sample) -> None:
    base = as_real(simulated)
    for number, name in enumerate(CASCADE):
        peaks = [
            span[0] - 50 + 8 * number
            for episode in read_events().episodes
            if (span := span_of(episode, base.sessions))
        ]
        at = np.array(peaks)
        base = with_planted(base, np.append(at, at + 1), np.repeat([2.0, -0.7], len(at)), [name])
    found = cascade_order(CLAIM, base)
    assert found.value > max(0.5, cascade_order(CLAIM, as_real(simulated)).value)
    assert found.episodes == found.observations == len(found.shown)  # type: ignore[arg-type]
    assert found.interval.low <= found.value <= found.interval.high
    assert found.p_value < 0.01


def test_a_simulated_history_has_no_episodes(simulated: Sample) -> None:
    with pytest.raises(NotTestable, match="no dated episodes"):
        cascade_order(CLAIM, simulated)


def test_one_episode_is_not_enough(simulated: Sample) -> None:
    history = simulated.history.until("2015-10-30")
    with pytest.raises(NotTestable, match=r"1 dated episode with prices .* at least 2 are needed"):
        cascade_order(CLAIM, as_real(replace(simulated, history=_without_2013(history))))


def _without_2013(history: History) -> History:
    closes = history.closes.copy()
    closes.loc[:"2014", ["BTC-USD", "ETH-USD", "SOL-USD"]] = np.nan
    return replace(history, closes=closes)
