"""The trial log: every trial counts once, and no line is lost or mixed with another."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from backtests.sweep import trial_log
from backtests.sweep.trial_log import Trials, add, folder_of, known_trials
from signals.errors import DataError


def trials(sweep: str, names: str, sharpe: float = 0.5, effective: float = 2.0) -> Trials:
    return Trials(
        sweep=sweep,
        strategy="near-cash-flow",
        data="fingerprint",
        sessions=1000,
        effective=effective,
        trials=list(names),
        sharpes=np.full(len(names), sharpe),
    )


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "my.duckdb"


def test_a_store_without_a_log_has_no_trials(store: Path) -> None:
    known = known_trials(store)
    assert (len(known.sharpes), known.effective) == (0, 0.0)


def test_the_log_lies_beside_its_store(store: Path) -> None:
    add(store, trials("s1", "abc"))
    assert folder_of(store) == store.with_name("my.duckdb.trials")
    assert [path.name for path in folder_of(store).iterdir()] == ["s1.parquet"]
    assert len(known_trials(store).sharpes) == 3


def test_another_store_has_another_log(store: Path, tmp_path: Path) -> None:
    add(store, trials("s1", "abc"))
    assert len(known_trials(tmp_path / "other.duckdb").sharpes) == 0


def test_trials_without_a_sharpe_ratio_leave_the_effective_number_as_it_is(store: Path) -> None:
    half = trials("s1", "abcd", effective=2.0)
    half.sharpes[2:] = np.nan
    add(store, half)
    known = known_trials(store)
    assert (len(known.sharpes), known.effective) == (2, 2.0)


def test_the_same_sweep_counts_once(store: Path) -> None:
    assert add(store, trials("s1", "abc"))
    assert not add(store, trials("s1", "abcd"))
    assert len(known_trials(store).sharpes) == 3


def test_a_trial_of_two_sweeps_counts_once_and_both_sweeps_in_full(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pandas as pd

    for day, one in (("2026-01-02", trials("s2", "abcd", 0.1)), ("2026-01-03", trials("s1", "dx"))):
        monkeypatch.setattr(trial_log, "new_york_now", lambda day=day: pd.Timestamp(day))
        add(store, one)
    known = known_trials(store)
    assert sorted(known.sharpes) == [0.1, 0.1, 0.1, 0.5, 0.5]
    assert known.effective == pytest.approx(2.0 + 2.0)


def test_a_sweep_that_repeats_part_of_another_takes_no_trials_away(store: Path) -> None:
    add(store, trials("s1", "abcdefgh", effective=6.0))
    add(store, trials("s2", "defgh", effective=1.0))
    assert known_trials(store).effective == pytest.approx(6.0)
    again = known_trials(store, without="defgh")
    assert len(again.sharpes) == 3
    assert again.effective == pytest.approx(6.0)
    assert known_trials(store, without="abcdefgh").effective == 0.0


def test_trials_of_a_sweep_can_be_left_out(store: Path) -> None:
    add(store, trials("s1", "abcd"))
    known = known_trials(store, without=["a", "b", "z"])
    assert len(known.sharpes) == 2
    assert known.effective == pytest.approx(2.0)  # the two others may be the independent ones


def test_sweeps_already_count_the_trials_that_they_contain(store: Path) -> None:
    assert not known_trials(store, without="a").includes_own
    add(store, trials("s1", "abcd"))
    add(store, trials("s2", "de"))
    add(store, trials("s3", "f", float("nan")))
    assert known_trials(store, without="a").includes_own
    assert known_trials(store, without="ae").includes_own
    assert known_trials(store, without="af").includes_own
    assert not known_trials(store, without="ax").includes_own
    assert not known_trials(store, without="abcd").includes_own  # the first sweep does not count
    assert not known_trials(store).includes_own


def test_a_trial_without_a_sharpe_ratio_is_logged_but_not_counted(store: Path) -> None:
    add(store, trials("s1", "ab", float("nan")))
    assert len(known_trials(store).sharpes) == 0
    assert known_trials(store, without="ab").includes_own
    assert not known_trials(store, without="abc").includes_own


def test_sweeps_that_end_together_lose_nothing(store: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: add(store, trials(f"s{i}", chr(97 + i))), range(24)))
    assert len(known_trials(store).sharpes) == 24


def test_a_damaged_log_is_an_error_and_not_less_luck(store: Path) -> None:
    add(store, trials("s1", "abc"))
    (folder_of(store) / "s0.parquet").write_bytes(b"half")
    with pytest.raises(DataError, match=r"expected trials of a sweep in .*s0\.parquet"):
        known_trials(store)
