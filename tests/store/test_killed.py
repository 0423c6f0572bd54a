"""A fetch or import that is killed leaves only complete series, and the next run works."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import duckdb
import filelock
import pytest

from backtests.store import locking
from backtests.store.store import FETCHED, Store
from benchmarks import killed
from benchmarks.killed import Case, Kill, Nursery, content, kill, kills, problems, unlike

KILLS = len(killed.STARTS)  # kills of each kind at random moments; others are at chosen moments


class Scene(NamedTuple):
    nursery: Nursery
    fetches: list[Case]
    imports: list[Case]


@pytest.fixture(scope="module")
def scene(history_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with killed.prepared(history_dir, tmp_path_factory.mktemp("killed")) as prepared:
        yield Scene(*prepared)


@pytest.fixture
def whole(scene: Scene, tmp_path: Path) -> Path:
    """Return a store with imported data, from a run that was not killed."""
    first = scene.imports[1].start
    assert first is not None
    (tmp_path / "whole").mkdir()
    return Path(shutil.copy(first, tmp_path / "whole/store.duckdb"))


def wrong(done: list[Kill]) -> list[str]:
    return [f"{k.case}, {k.delay:.3f} s, {k.moment}: {p}" for k in done for p in k.problems]


# --- kills ----------------------------------------------------------------------------------


def test_fetches_killed_at_random_moments(scene: Scene, tmp_path: Path) -> None:
    assert wrong(list(kills(scene.nursery, scene.fetches, KILLS, tmp_path, seed=1))) == []


def test_imports_killed_at_random_moments(scene: Scene, tmp_path: Path) -> None:
    assert wrong(list(kills(scene.nursery, scene.imports, KILLS, tmp_path, seed=2))) == []


@pytest.mark.parametrize("start", killed.STARTS[::2])
@pytest.mark.parametrize("hold", ["created", "midway", "committed"])
def test_imports_killed_inside_their_transaction(
    scene: Scene, tmp_path: Path, hold: str, start: str
) -> None:
    case = scene.imports[killed.STARTS.index(start)]
    done = kill(scene.nursery, case, None, tmp_path / "kill", hold)
    assert done.moment == "in a write"
    assert wrong([done]) == []
    assert done.changed == (len(case.truth) if hold == "committed" else 0)
    assert done.left_wal >= (hold == "committed")


def test_a_first_fetch_killed_inside_its_first_transaction(scene: Scene, tmp_path: Path) -> None:
    done = kill(scene.nursery, scene.fetches[0], None, tmp_path / "kill", "midway")
    assert wrong([done]) == []


# --- the test finds planted errors ----------------------------------------------------------


def looked_at(scene: Scene, store: Path) -> list[str]:
    """Return the problems of a store that began with the earlier vintage."""
    case = scene.imports[1]
    assert case.start is not None
    return problems(store, content(case.start), {}, case.truth)


def spoil(store: Path, sql: str) -> None:
    with duckdb.connect(str(store)) as connection:
        connection.execute(sql)


def test_a_whole_store_has_no_problem(scene: Scene, whole: Path) -> None:
    assert looked_at(scene, whole) == []
    assert unlike(whole, content(whole)) == []


def test_half_a_series_is_seen(scene: Scene, whole: Path) -> None:
    spoil(whole, "DELETE FROM observations WHERE series_id = 'MU' AND observed_on > '2024-06-01'")
    assert looked_at(scene, whole) == ["MU is neither unchanged nor complete"]
    assert "MU differs after the next run" in unlike(whole, scene.imports[1].truth)


def test_a_series_that_is_lost_is_seen(scene: Scene, whole: Path) -> None:
    spoil(whole, "DELETE FROM observations WHERE series_id = 'MU'")
    assert looked_at(scene, whole) == ["MU is lost"]


def test_a_value_known_earlier_is_seen(scene: Scene, whole: Path) -> None:
    spoil(whole, "UPDATE observations SET available_at = observed_on WHERE series_id = 'WRESBAL'")
    found = looked_at(scene, whole)
    assert found[0] == "WRESBAL is neither unchanged nor complete"
    assert "look ahead" in found[1]


def test_a_fetch_noted_without_its_rows_is_seen(scene: Scene, whole: Path) -> None:
    spoil(whole, f"INSERT INTO fetched VALUES ('SOFR', now()::TIMESTAMP, '{FETCHED}')")
    assert looked_at(scene, whole) == ["SOFR is noted as fetched but not complete"]


def test_a_store_that_does_not_open_is_seen(scene: Scene, whole: Path) -> None:
    whole.write_bytes(whole.read_bytes()[:6000])
    assert "does not open: expected a store of drypowder" in looked_at(scene, whole)[0]
    assert "does not open after the next run" in unlike(whole, {})[0]
    whole.unlink()
    assert looked_at(scene, whole) == ["the store is gone"]


def test_a_lock_that_is_left_is_seen(
    scene: Scene, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locking, "PATIENCE", 0.1)
    with (
        Store(whole).fetching(),
        filelock.FileLock(f"{whole}.lock"),
        filelock.FileLock(f"{whole}.door"),
    ):
        assert looked_at(scene, whole) == [
            "store.duckdb.door is still held",
            "store.duckdb.lock is still held",
            "store.duckdb.fetch.lock is still held",
        ]


def test_what_is_left_lying_is_seen(whole: Path) -> None:
    (whole.parent / ".store.duckdb.123").touch()
    assert unlike(whole, content(whole)) == [".store.duckdb.123 is left in the folder"]
