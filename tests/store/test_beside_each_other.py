"""Several processes use one store: two fetches, or a fetch with readers, or with imports."""

import multiprocessing
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import filelock
import pandas as pd
import pytest

from backtests.cli.app import command
from backtests.history.panel import History
from backtests.importing.import_path import import_path
from backtests.store.audit import check_store
from backtests.store.locking import reading
from backtests.store.store import Store
from benchmarks.killed import FETCHED, KEYS, RECORDED_AT, TODAY, Content, content, write_files
from signals.errors import DataError, DrypowderError
from tests.servers import Fault, Servers, gdp_revisions

#: Series that are imported here from one file each, and never fetched.
OTHERS = ("DGS10", "DGS30", "DGS3MO", "VIXCLS", "BAA10Y", "T10YIE")
LOCKED = "expected to be the only writer"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Local servers, a store with imported data, and the store's content after one fetch."""

    servers: Servers
    env: dict[str, str]
    start: Path
    truth: Content
    ids: tuple[str, ...]

    def fetch(self, store: Path) -> "Fetch":
        """Start ``drypowder fetch`` in a new process."""
        only = [word for id in self.ids for word in ("--only", id)]
        arguments = ["fetch", "--store", str(store), *only]
        said = [store.with_name(f"{time.monotonic_ns()}.{end}") for end in ("out", "err")]
        process = apart().Process(target=fetch_on, args=(arguments, self.env, *said))
        process.start()
        return Fetch(process, *said)


def apart() -> ForkServerContext:
    """Return a context for new processes. They fork from a process with all imports done."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        [__name__, "backtests.cli.fetch", "backtests.cli.flags", "backtests.sources.fetching"]
    )
    return context


def fetch_on(arguments: list[str], env: dict[str, str], out: Path, err: Path) -> None:
    """Run a command in this process, and end the process with the command's exit code."""
    os.environ.update(env)
    for number, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    sys.exit(command(arguments))


@dataclass(frozen=True)
class Fetch:
    """A fetch that runs in another process."""

    process: ForkServerProcess
    out: Path
    err: Path

    @property
    def runs(self) -> bool:
        return self.process.is_alive()

    def end(self) -> tuple[int | None, str]:
        """Wait for the end of the fetch; return its exit code and its stderr."""
        self.process.join()
        self.out.unlink()
        said = self.err.read_text()
        self.err.unlink()
        return self.process.exitcode, said


@contextmanager
def placed(history_dir: Path, folder: Path, ids: tuple[str, ...] = FETCHED) -> Iterator[Place]:
    """Yield a place whose fetches ask for ``ids``, or for all series if ``ids`` is empty."""
    start, alone = folder / "start.duckdb", folder / "alone.duckdb"
    files = write_files(history_dir, folder / "files", TODAY)
    import_path(files, start, pd.Timestamp(RECORDED_AT[TODAY]))
    shutil.copy(start, alone)
    with Servers(history_dir, today=TODAY) as servers:
        servers.fred.vintages["GDP"] = gdp_revisions(servers.fred.values("GDP"))
        env = os.environ | servers.env()
        env |= KEYS | {"XDG_CACHE_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
        place = Place(servers=servers, env=env, start=start, truth={}, ids=ids)
        code, trouble = place.fetch(alone).end()
        assert code in ((0,) if ids else (0, 3)), trouble
        place.truth.update(content(alone))
        yield place


@pytest.fixture(scope="module")
def place(history_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with placed(history_dir, tmp_path_factory.mktemp("place")) as made:
        assert set(FETCHED) <= set(made.truth)
        yield made


@pytest.fixture
def store(place: Place, tmp_path: Path) -> Path:
    return Path(shutil.copy(place.start, tmp_path / "store.duckdb"))


def unlike(store: Path, truth: Content) -> list[str]:
    """Return the series that differ from ``truth``, and the errors that ``check_store`` finds."""
    held = content(store)
    ids = sorted(set(held) | set(truth))
    same = {id for id in held.keys() & truth.keys() if held[id].equals(truth[id])}
    differ = [id for id in ids if id not in same]
    return differ + [str(f) for f in check_store(Store(store)) if f.severity == "error"]


def test_a_series_that_lost_a_row_is_seen(place: Place, store: Path) -> None:
    short = dict(place.truth)
    shutil.copy(place.start.with_name("alone.duckdb"), store)
    assert unlike(store, short) == []
    short["SPY"] = short["SPY"].iloc[:-1]
    assert unlike(store, short) == ["SPY"]


# --- two fetches ----------------------------------------------------------------------------


def both(place: Place, store: Path) -> list[tuple[int | None, str]]:
    """Start two fetches at once; return exit code and stderr of each, the successful one first."""
    place.servers.faults.add(Fault("slow", match="vintagedates", seconds=3.0))
    two = [place.fetch(store), place.fetch(store)]
    ended = [fetch.end() for fetch in two]
    place.servers.faults.clear()
    return sorted(ended, key=str)


def test_of_two_fetches_one_fetches_and_the_other_says_so(place: Place, store: Path) -> None:
    (won, quiet), (lost, line) = both(place, store)
    assert (won, quiet, lost) == (0, "", 2), (quiet, line)
    assert line.startswith(f"error: expected to be the only fetch into {store}, but another fetch")
    assert line.count("\n") == 1
    assert unlike(store, place.truth) == []


# --- readers --------------------------------------------------------------------------------


@dataclass
class Waits:
    """The duration of each reading in seconds, and the errors."""

    what: str
    seconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


READINGS: dict[str, Callable[[Path], Any]] = {
    "load": lambda store: History.load(store),
    "ids": lambda store: Store(store).series_ids(),
    "flags": lambda store: _flags(store),
    "linger": lambda store: _linger(store, times=5),
    "die": lambda store: os._exit(1),
}


def _flags(store: Path) -> None:
    code = command(["flags", "--store", str(store), "--json"])
    if code:
        raise DataError(f"flags ended with {code}")


def _linger(store: Path, times: int) -> None:
    for _ in range(times):
        with reading(store):
            time.sleep(0.2)


def read_on(what: str, store: Path, stop: Event, mouth: Connection) -> None:
    """Read again and again until ``stop`` is set, and continue after an error."""
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - the process ends with it
    waits = Waits(what)
    while not stop.is_set():
        start = time.monotonic()
        try:
            READINGS[what](store)
        except BaseException as error:  # a command may raise SystemExit
            waits.failures.append(f"{what}: {type(error).__name__}: {error}")
        waits.seconds.append(time.monotonic() - start)
        if len(waits.seconds) == 1:
            mouth.send("ready")
        stop.wait(0.1)
    mouth.send(waits)


def heard(what: str, ear: Connection) -> Waits:
    """Return the last message of a reader, or a failure if its process died."""
    try:
        said = ear.recv()
    except EOFError:
        return Waits(what, failures=[f"{what}: the process died"])
    return said if isinstance(said, Waits) else heard(what, ear)


@contextmanager
def readers(store: Path, whats: list[str]) -> Iterator[list[Waits]]:
    """Let processes read a store in a ``with`` block. Afterwards the list has their results."""
    context = apart()
    stop, ears = context.Event(), []
    for what in whats:
        ear, mouth = context.Pipe(duplex=False)
        context.Process(target=read_on, args=(what, store, stop, mouth), daemon=True).start()
        mouth.close()
        ears.append(ear)
    assert all(ear.poll(120) for ear in ears), "a reader does not begin"
    met: list[Waits] = []
    try:
        yield met
    finally:
        stop.set()
        met.extend(heard(what, ear) for what, ear in zip(whats, ears, strict=True))


def beside_readers(place: Place, store: Path, whats: list[str]) -> tuple[list[Waits], float]:
    """Return the results of readers during a fetch, and the seconds of the fetch."""
    with readers(store, whats) as met:
        start = time.monotonic()
        code, trouble = place.fetch(store).end()
        seconds = time.monotonic() - start
        assert code in ((0,) if place.ids else (0, 3)), trouble
    return met, seconds


def test_readers_beside_a_fetch_never_fail_and_nothing_is_lost(place: Place, store: Path) -> None:
    met, _ = beside_readers(place, store, ["load", "ids", "flags"])
    assert [failure for waits in met for failure in waits.failures] == []
    assert all(len(waits.seconds) > 1 for waits in met)
    assert unlike(store, place.truth) == []


def test_a_writer_comes_in_among_readers_that_never_cease(store: Path) -> None:
    waited = []
    with readers(store, ["linger"] * 6) as met:
        for n in range(5):
            start = time.monotonic()
            Store(store).note_fetched(["GDP"], pd.Timestamp("2026-01-05") + pd.Timedelta(days=n))
            waited.append(time.monotonic() - start)
    assert [failure for waits in met for failure in waits.failures] == []
    assert max(waited) < 5.0  # without the lock file .door, the writer gives up after 20 s


def test_a_reader_that_fails_is_seen(tmp_path: Path) -> None:
    with readers(tmp_path / "none.duckdb", ["ids"]) as met:
        pass
    assert "ids: DataError: expected a store at" in met[0].failures[0]


def test_a_reader_that_dies_is_seen(store: Path) -> None:
    with readers(store, ["die"]) as met:
        pass
    assert met[0].failures == ["die: the process died"]


# --- imports --------------------------------------------------------------------------------


def import_others(folder: Path, store: Path, fetch: Fetch) -> list[str]:
    """Import file after file while a fetch runs. Repeat an import that is refused.

    Returns
    -------
    The result of each attempt: ``beside`` or ``after`` the fetch, or the message of the refusal.
    """
    met = []
    left = [folder / f"{id}.csv" for id in OTHERS]
    while left:
        when = "beside" if fetch.runs else "after"
        try:
            import_path(left[0], store)
            met.append(when)
            left.pop(0)
        except DrypowderError as error:
            met.append(str(error))
        time.sleep(0.2)
    return met


def test_imports_beside_a_fetch_lose_nothing(
    place: Place, store: Path, history_dir: Path, tmp_path: Path
) -> None:
    others = tmp_path / "others"
    others.mkdir()
    for id in OTHERS:
        shutil.copy(history_dir / f"fred/{id}.csv", others)
    import_path(others, tmp_path / "others.duckdb")
    fetch = place.fetch(store)
    met = import_others(others, store, fetch)
    assert fetch.end() == (0, "")
    assert "beside" in met
    refusals = set(met) - {"beside", "after"}
    assert all(r.startswith(f"{LOCKED} of {store}") and "\n" not in r for r in refusals)
    assert unlike(store, place.truth | content(tmp_path / "others.duckdb")) == []


def test_an_import_beside_a_writer_says_so_on_one_line(
    place: Place, store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = content(store)
    with filelock.FileLock(f"{store}.lock"):
        assert command(["import", str(place.start.parent / "files"), "--store", str(store)]) == 2
    line = capsys.readouterr().err
    assert line.startswith(f"error: {LOCKED} of {store}, but another import or fetch is running")
    assert line.count("\n") == 1
    assert unlike(store, before) == []
