"""Fixtures for all tests: histories that are made once, and runs without slow extras."""

import gc
import hashlib
import os
import shutil
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache, wraps
from pathlib import Path
from typing import Any

import filelock
import pandas as pd
import pytest

from backtests.cli.app import command
from backtests.garbage import collect_rarely
from backtests.history.panel import History
from backtests.importing.import_path import import_path
from signals.base import Evaluation, Signal
from tests.commands import Drypowder, Said
from tests.servers.evidence import evidence_folder

ROOT = Path(__file__).resolve().parent.parent
RECORDED_AT = pd.Timestamp("2026-01-02 09:00")
#: The stores that several tests read and none writes.
SHARED: set[Path] = set()
#: The latest evaluations, with their parts, for :func:`evaluated_before`; and how many are kept.
EVALUATED: OrderedDict[Any, tuple[Evaluation, Mapping[str, Evaluation]]] = OrderedDict()
EVALUATIONS = 300


#: The files that take longest, the longest first.
LONGEST = (
    "sources/test_fetch_faults.py",
    "sources/test_fetch.py",
    "store/test_killed.py",
    "sources/test_fetch_live.py",
    "backtests/test_today.py",
    "cli/test_flags_and_today.py",
    "report/test_tearsheet_page.py",
    "evidence/test_comparison.py",
    "test_examples.py",
    "store/test_beside_each_other.py",
    "engine/test_kernel.py",
    "sweep/test_faults.py",
    "signals/test_twins.py",
    "report/test_thesis_page.py",
    "store/test_store_live.py",
    "plugins/test_lookahead.py",
    "signals/test_truncation.py",
    "cli/test_cli.py",
    "report/test_compare_page.py",
    "cli/test_eighty_columns.py",
    "store/test_data_command.py",
    "evidence/test_walkforward.py",
    "economy/test_economy.py",
    "signals/test_price_only.py",
    "engine/test_peers.py",
    "cli/test_hostile.py",
    "history/test_panel.py",
    "engine/test_engine.py",
    "engine/test_short_leg.py",
    "sources/test_servers.py",
    "evidence/test_assessment.py",
    "strategies/test_oracles.py",
    "thesis/test_filings.py",
    "thesis/test_ledger.py",
    "evidence/test_revision.py",
    "cli/test_compare_rows.py",
    "evidence/test_compare_runs.py",
    "report/test_flags_page.py",
)


def pytest_xdist_auto_num_workers() -> int:
    """Run one process more than there are cores, because many tests wait for other processes."""
    return (os.cpu_count() or 1) + 1


def pytest_configure() -> None:
    """Let each process of the tests search for unused objects as rarely as a command."""
    collect_rarely()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that reads real history, and put the longest files first.

    ``-m "not history"`` leaves those tests out. If a long file came last, one process would work
    while the others have nothing left to do.
    """
    places = {ROOT / "tests" / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))
    for item in items:
        if "history_dir" in getattr(item, "fixturenames", ()):
            item.add_marker("history")


@pytest.fixture(scope="session")
def history_dir() -> Path:
    """Return the folder of real history; if it is missing, tests are skipped, or fail on CI."""
    folder = (ROOT / os.environ.get("DRYPOWDER_TEST_HISTORY", "../shared/history")).resolve()
    return _holding(folder, "prices.csv.gz", "DRYPOWDER_TEST_HISTORY")


@pytest.fixture(scope="session")
def evidence_dir(history_dir: Path) -> Path:
    """Return the folder of more evidence; if it is missing, tests are skipped, or fail on CI."""
    folder = evidence_folder(history_dir)
    return _holding(folder, "rates/IOER.csv", "DRYPOWDER_TEST_EVIDENCE")


def _holding(folder: Path, file: str, variable: str) -> Path:
    """Return a folder that has a file; if the file is missing, skip the test, or fail it on CI."""
    if not (folder / file).is_file():
        reason = (
            f"no {file} in {folder}: put the files that its README describes there, or name their "
            f"folder in {variable}"
        )
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def history_store(history_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store of real history without more evidence; tests must not write to it."""
    with _once(tmp_path_factory, "history_store") as (path, missing):
        if missing:
            assert import_path(history_dir, path, recorded_at=RECORDED_AT).refused == []
    return path


@pytest.fixture(scope="session")
def store(
    history_store: Path, evidence_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return a store of real history and more evidence; tests must not write to it."""
    with _once(tmp_path_factory, "store") as (path, missing):
        if missing:
            shutil.copy(history_store, path)
            assert import_path(evidence_dir, path, recorded_at=RECORDED_AT).refused == []
    return path


@contextmanager
def _once(tmp_path_factory: pytest.TempPathFactory, name: str) -> Iterator[tuple[Path, bool]]:
    """Yield the path of a store that all processes of a run share, and whether it is missing.

    While one process makes the store, the others wait.
    """
    base = _shared_folder(tmp_path_factory)
    path, made = base / name / "store.duckdb", base / name / "made"
    path.parent.mkdir(exist_ok=True)
    with filelock.FileLock(base / f"{name}.lock"):
        yield path, not made.exists()
        made.touch()
    SHARED.add(path)


def _shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a temporary folder that all processes of a run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session", autouse=True)
def compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let one process at a time compile the loops of the engine, which takes 20 seconds.

    The first process stores the loops. The others wait, and then load them.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        yield
        return
    from numba.core.dispatcher import Dispatcher

    compile_loop, lock = Dispatcher.compile, _shared_folder(tmp_path_factory) / "compiled.lock"
    waiting = filelock.FileLock(lock)

    def compile_alone(self: Dispatcher, signature: Any) -> Any:
        with waiting:
            return compile_loop(self, signature)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Dispatcher, "compile", compile_alone)
        yield


@pytest.fixture(scope="session", autouse=True)
def no_garbage_collected_by_statsmodels() -> Iterator[None]:
    """Let statsmodels adjust p-values without collecting all garbage of the process each time.

    Collecting takes a quarter of a second in a process that runs tests, and a trial adjusts often.
    """
    from statsmodels.stats import multitest

    adjust = multitest.multipletests

    @wraps(adjust)
    def adjust_only(*arguments: Any, **options: Any) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(gc, "collect", lambda: 0)
            return adjust(*arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(multitest, "multipletests", adjust_only)
        yield


@pytest.fixture(scope="session", autouse=True)
def kept_histories() -> Iterator[None]:
    """Keep each history of the shared stores, and the latest simulated ones, for the next test.

    Nothing changes a history, so tests can share it. A store that a test makes itself is read each
    time.
    """
    load = History.load
    simulated = lru_cache(16)(History.simulated)
    kept: dict[str, History] = {}

    @wraps(simulated)
    def simulate_once(seed: int = 0, years: int = 20, *, thesis: bool = True) -> History:
        return simulated(seed, years, thesis=thesis)

    @wraps(load)
    def load_once(store: Path, *how: Any, **more: Any) -> History:
        if store not in SHARED:
            return load(store, *how, **more)
        asked = repr((store, how, more))
        if asked not in kept:
            kept[asked] = load(store, *how, **more)
        return kept[asked]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(History, "load", staticmethod(load_once))
        patch.setattr(History, "simulated", staticmethod(simulate_once))
        yield


@pytest.fixture(scope="module")
def evaluated_before() -> Iterator[None]:
    """Reuse evaluations from earlier tests if signal and inputs are equal.

    This fixture is for tests of commands and runs. It is not for tests that count evaluations, or
    that test how a signal is evaluated. Signals of plugins, and signals that a test evaluates
    alone, are computed each time.
    """
    evaluate = Signal.evaluate

    @wraps(evaluate)
    def evaluate_once(
        self: Signal, panel: pd.DataFrame, parts: Mapping[str, Evaluation] | None = None
    ) -> Evaluation:
        if parts is None or not type(self).__module__.startswith("signals."):
            return evaluate(self, panel, parts or {})
        asked = _asked(self, panel, parts)
        if asked not in EVALUATED:
            # The key has the ids of the parts. The parts are kept, too, so that no later part can
            # get the same id.
            EVALUATED[asked] = (evaluate(self, panel, parts), parts)
        EVALUATED.move_to_end(asked)
        if len(EVALUATED) > EVALUATIONS:
            EVALUATED.popitem(last=False)
        return EVALUATED[asked][0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Signal, "evaluate", evaluate_once)
        yield


def _asked(signal: Signal, panel: pd.DataFrame, parts: Mapping[str, Evaluation]) -> Any:
    """Return a key from a signal, its parameters, the numbers of its inputs, and its parts."""
    digest = hashlib.sha256(panel.index.to_numpy().tobytes())
    for name in signal.inputs:
        digest.update(panel[name].to_numpy(dtype="float64").tobytes())
    return type(signal), repr(signal), digest.digest(), *map(id, parts.values())


@pytest.fixture
def drypowder(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Drypowder:
    """Run a command in this process, with no store in the environment."""
    monkeypatch.delenv("DRYPOWDER_STORE", raising=False)

    def run(*arguments: object) -> Said:
        code = command([str(a) for a in arguments])
        out, err = capsys.readouterr()
        return Said(code, out, err)

    return run


@pytest.fixture
def on_store(drypowder: Drypowder, store: Path, monkeypatch: pytest.MonkeyPatch) -> Drypowder:
    """Run a command in this process, with the store of real history in the environment."""
    monkeypatch.setenv("DRYPOWDER_STORE", str(store))
    return drypowder


@pytest.fixture
def uncharted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write runs without quantstats' plots, which take a second a page.

    The tests of the report draw them.
    """
    monkeypatch.setattr("backtests.report.tearsheet_page._varies", lambda returns: False)


@pytest.fixture
def plainly(uncharted: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write runs without quantstats' plots and without robustness cases.

    The tests of the evidence look at those cases.
    """
    monkeypatch.setattr("backtests.evidence.assessment._robustness", lambda *_: None)


@pytest.fixture
def briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulate at most six years where a command would simulate twenty.

    This fixture is for tests in which the length of the history does not matter.
    """
    simulated = History.simulated

    def shortened(seed: int = 0, years: int = 20, **more: bool) -> History:
        return simulated(seed, min(years, 6), **more)

    monkeypatch.setattr(History, "simulated", shortened)


@pytest.fixture(scope="session")
def history(store: Path) -> History:
    """Return real history as a run gets it: the signals' inputs and every price."""
    return History.load(store)
