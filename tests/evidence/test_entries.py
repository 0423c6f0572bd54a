"""The regime under which a return was earned, and the numbers of episodes and entries."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from backtests.config_data import config_from
from backtests.evidence import entries
from backtests.evidence.assessment import assess
from backtests.evidence.entries import (
    QUARTER,
    TOO_FEW,
    Observed,
    acted_on,
    is_inconclusive,
    observe,
    observed_said,
)
from backtests.history.panel import History
from backtests.pipeline import read, run_on
from backtests.report.tearsheet_numbers import metrics_of
from backtests.runs import Run
from backtests.window import window
from signals.reading import Reading

INDEX = pd.bdate_range("2024-01-01", periods=400)
SINCE = {"start": "2015-01-01"}


def labels(states: str) -> pd.Series:
    """Return labels from a string with one letter for each session; a dot means no label."""
    return pd.Series([None if s == "." else s for s in states], INDEX[: len(states)], dtype=object)


def seen(states: str, active_states: str = "A") -> tuple[int, int]:
    """Return the numbers of episodes and entries of ``active_states`` in a string of labels."""
    found = observe(labels(states), tuple(active_states))
    return found.episodes, found.entered


# --- Which label a return was earned under ---------------------------------------------------


@pytest.mark.parametrize("lag", [1, 2, 5])
def test_a_return_is_earned_under_the_label_of_1_plus_lag_closes_before(lag: int) -> None:
    known = labels("ABCDEFGHIJ")
    earned = acted_on(known, lag)
    assert earned.iloc[: 1 + lag].isna().all()
    assert list(earned.iloc[1 + lag :]) == list(known.iloc[: -1 - lag])


@pytest.fixture(scope="module")
def reading(history: History) -> Reading:
    return read(config_from({"strategy": "cash-heavy", **SINCE}), history)


def made(history: History, reading: Reading, **more: object) -> Run:
    config = config_from({"strategy": "cash-heavy", **SINCE, **more})
    return run_on(config, history, reading, window(config, history, reading))


#: Share of SPY that cash-heavy decides on in each regime.
SHARES = {"INJECTION": 0.8, "NEUTRAL": 0.6, "ABSORPTION": 0.2, "FORCED_SELLING": 0.0}


def furthest_from_its_table(run: Run, shift: int) -> float:
    """Return the largest difference between SPY's weight and the weight that the label demands."""
    held = run.result.weights["SPY"].shift(1)  # weight at the close before the session
    known = run.reading.regime.shift(shift).reindex(held.index)
    first = run.config.lag + 1  # nothing is held before the first fill
    return float((held - known.map(SHARES)).iloc[first:].abs().max())


@pytest.mark.parametrize("lag", [1, 3])
def test_during_each_return_the_weights_of_its_label_were_held(
    lag: int, history: History, reading: Reading
) -> None:
    """Drift changes SPY's weight by a few points.

    The weights of regimes differ by 20 points or more.
    """
    run = made(history, reading, lag=lag)
    assert furthest_from_its_table(run, 1 + lag) < 0.06
    assert furthest_from_its_table(run, lag) > 0.5


def test_what_is_in_cash_earns_bills_in_forced_selling(history: History, reading: Reading) -> None:
    """With the regime of a wrong session, returns with 80 % in SPY would count as cash.

    They would give +23.9 % a year over bills.
    """
    run = made(history, reading)
    regimes = metrics_of(assess(run, robustness=False))["regimes"]
    assert regimes["FORCED_SELLING"]["sessions"] == 102
    assert regimes["FORCED_SELLING"]["mean_excess"] == pytest.approx(-0.0015, abs=1e-4)
    absorbed = (reading.regime.shift(2) == "ABSORPTION").reindex(run.benchmark.index)
    by_hand = 252 * (run.benchmark - run.bills)[absorbed].mean()
    assert regimes["ABSORPTION"]["benchmark_excess"] == pytest.approx(by_hand, abs=1e-12)


# --- Episodes and entries --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("states", "active_states", "entered"),
    [
        ("NNNNNN", "A", 0),
        ("NNAANN", "A", 1),
        ("NAANAN", "A", 2),
        ("AANNNN", "A", 0),  # began before the window
        ("AANAAN", "A", 1),
        (".AANNN", "A", 0),  # the state before is unknown
        (".NAANN", "A", 1),
        ("NNNNNA", "A", 1),
        ("NA.ANN", "A", 2),  # no label counts as outside
        ("......", "A", 0),
        ("NABABN", "AB", 1),  # both states form one stay
        ("NANBNN", "AB", 2),
        ("ANANAN", "A", 2),
        ("", "A", 0),
    ],
)
def test_an_entry_begins_inside_the_window(states: str, active_states: str, entered: int) -> None:
    assert seen(states, active_states)[1] == entered


@pytest.mark.parametrize(
    ("states", "episodes"),
    [
        ("NNNNNN", 0),
        ("NNANNN", 1),
        ("AANNNN", 1),  # began before the window: partly observed
        ("NNNNNA", 1),  # ends after the window: partly observed
        ("NAANAN", 1),
        ("NA" + "N" * (QUARTER - 1) + "AN", 1),
        ("NA" + "N" * QUARTER + "AN", 2),
        ("NA" + "." * QUARTER + "AN", 2),
        ("A" + "N" * QUARTER + "A" + "N" * QUARTER + "A", 3),
        ("A" + "N" * 40 + "A" + "N" * 40 + "A", 1),  # each stay is near the one before
    ],
)
def test_stays_closer_than_a_quarter_are_one_episode(states: str, episodes: int) -> None:
    assert seen(states)[0] == episodes


def by_hand(states: list[object]) -> tuple[int, int]:
    """Count episodes and entries of A, session by session."""
    episodes = entered = 0
    labelled, inside, away = False, False, QUARTER
    for state in states:
        now = state == "A"
        episodes += now and away >= QUARTER
        entered += now and not inside and labelled
        away = 0 if now else away + 1
        inside, labelled = now, labelled or state is not None
    return episodes, entered


@pytest.mark.parametrize("seed", range(20))
def test_counts_equal_a_plain_loop(seed: int) -> None:
    random = np.random.default_rng(seed)
    stays = random.choice(["A", "N", "."], 30).tolist()
    lengths = random.integers(1, 90, 30).tolist()
    states = "".join(s * n for s, n in zip(stays, lengths, strict=True))[:400]
    assert seen(states) == by_hand([None if s == "." else s for s in states])


def test_two_stays_eight_sessions_apart_are_one_episode(history: History, reading: Reading) -> None:
    """ABSORPTION is on from 2018-09-04 to 09-19, 2018-10-02 to 2020-02-10, and from 2025-10-03."""
    driven = config_from({"strategy": "cash-heavy@quantities", **SINCE})
    quantities = read(driven, history)
    run = run_on(driven, history, quantities, window(driven, history, quantities))
    assert entries.of_absorption(run) == Observed(episodes=2, entered=3)
    assert is_inconclusive(run)


def test_by_votes_ten_stays_are_six_episodes(history: History, reading: Reading) -> None:
    """Another set of votes gives other numbers; docs/few-episodes.md states them, too."""
    assert entries.of_absorption(made(history, reading)) == Observed(episodes=6, entered=10)


def test_a_conclusion_needs_three_episodes_not_three_entries(
    history: History, reading: Reading
) -> None:
    run = made(history, reading)

    def with_regime(states: str) -> Run:
        index = run.result.equity.index
        known = pd.Series(list(states.ljust(len(index), "N")), index, dtype=object)
        known = known.map({"A": "ABSORPTION", "N": "NEUTRAL"})
        return replace(run, state=known, reading=replace(reading, regime=known))

    flicker = with_regime("NNNANANANAN")
    assert entries.of_own_states(flicker) == Observed(episodes=1, entered=4)
    assert is_inconclusive(flicker)
    twice = with_regime(("NA" + "N" * QUARTER) * 2)
    assert entries.of_own_states(twice) == Observed(episodes=2, entered=2)
    assert is_inconclusive(twice)
    apart = with_regime(("NA" + "N" * QUARTER) * 3)
    assert entries.of_own_states(apart) == Observed(episodes=3, entered=3)
    assert not is_inconclusive(apart)


def test_a_window_that_starts_inside_a_state_did_not_enter_it(
    history: History, reading: Reading
) -> None:
    """ABSORPTION by the votes begins on 2025-10-16 and lasts to the end of the history."""
    begun = made(history, reading, start="2025-10-10")
    assert entries.of_absorption(begun) == Observed(episodes=1, entered=1)
    inside = made(history, reading, start="2025-10-20")
    assert entries.of_absorption(inside) == Observed(episodes=1, entered=0)


def test_sentences_count_the_episodes_and_warn_if_there_are_few() -> None:
    often, once = Observed(episodes=6, entered=10), Observed(episodes=1, entered=0)
    absorption = "ABSORPTION had 6 episodes and began 10 times."
    assert observed_said(often, None) == observed_said(often, often) == absorption
    acts = "The states in which this strategy acts had 1 episode and began 0 times."
    assert observed_said(often, once) == f"{absorption} {acts} {TOO_FEW}"
    assert observed_said(once, often).count(TOO_FEW) == 0
    assert observed_said(once, None) == f"ABSORPTION had 1 episode and began 0 times. {TOO_FEW}"
