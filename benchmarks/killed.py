"""Kill fetches and imports at random moments with ``kill -9``, and test the remaining store.

    python -m benchmarks.killed --history ../shared/history --times 200

Children of a warm process fetch eight series from local servers or import a small folder. A child
starts without a store, with a store of earlier data, or with a store of schema version 1. The
script kills each child after a random delay. The longest delay is the time of a run that is not
killed. After each kill, the script tests that:

- the store opens, and ``check_store`` finds no error;
- every series is unchanged or complete;
- every series whose fetch is recorded as successful is in the store;
- no lock is held;
- the next run makes the same store as a run that is not killed.
"""

import argparse
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import filelock
import numpy as np
import pandas as pd

from backtests.calendar import all_sessions
from backtests.importing.import_path import import_path
from backtests.store import locking
from backtests.store import store as storing
from backtests.store.audit import check_store
from backtests.store.store import Store
from signals.errors import DrypowderError
from tests.fetches import last_fetched

ROOT = Path(__file__).resolve().parent.parent
EARLIER, TODAY = "2025-06-30", "2025-12-31"
RECORDED_AT = {EARLIER: "2025-07-01 18:00", TODAY: "2026-01-02 18:00"}
FETCHED = (
    *("RRPONTSYD", "WRESBAL", "SOFR", "GDP", "CAPEX_TTM_MU"),
    *("SPY", "IBIT", "SOL-USD"),
)
FILES = (
    *("fred/GDP.csv", "fred/WRESBAL.csv", "fred/RRPONTSYD.csv", "fred/SOFR.csv"),
    "crypto/SOL-USD.csv",
    "edgar/MSFT_PaymentsToAcquirePropertyPlantAndEquipment.json",
)
TICKERS = ("SPY", "QQQ", "MU", "NVDA")
KEYS = {"FRED_API_KEY": "0" * 32, "DRYPOWDER_CONTACT": "Ann Lee ann@example.org"}
LOCKS = (".door", ".lock", ".fetch.lock")
STARTS = ("no store", "an earlier vintage", "schema version 1")
#: Messages of a child: the work begins, a write begins, a write ends, the child waits to be killed,
#: the work is done, the work failed (a traceback follows).
READY, IN, OUT, HELD, DONE, WRONG = b"r", b"(", b")", b"h", b"d", b"x"

Content = dict[str, pd.DataFrame]


@dataclass(frozen=True, kw_only=True)
class Work:
    """The fetch or import that a child runs.

    Attributes
    ----------
    folder
        Folder to import; empty for a fetch.
    env
        Environment variables of a fetch.
    cache
        Folder for the cache of yfinance.
    today
        Last day with data.
    hold
        Moment at which the child waits to be killed, or empty for no wait. ``created`` is just
        after the child opens the file for writing. ``midway`` is before the child adds the rows.
        ``committed`` is before the child closes the file.
    """

    folder: str = ""
    env: dict[str, str]
    cache: str
    today: str = TODAY
    hold: str = ""


@dataclass(frozen=True, kw_only=True)
class Run:
    """The messages of a child, and the seconds from its start until its end."""

    said: str
    seconds: float

    @property
    def moment(self) -> str:
        """Return the part of the work during which the child ended."""
        marks = self.said.strip("rh")
        if not marks:
            return "before"
        return {"(": "in a write", ")": "after a write", "d": "ended"}[marks[-1]]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A fetch or import, the store before it (or None), and the result of a run without a kill."""

    name: str
    work: Work
    start: Path | None
    truth: Content
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Kill:
    """One kill: its delay (seconds), the interrupted part of the work, and the problems found."""

    case: str
    delay: float
    moment: str
    left_wal: bool
    changed: int
    problems: list[str]


# --- children -----------------------------------------------------------------------------------


def act(work: Work, store: str, say: Callable[[bytes], Any]) -> None:
    """Fetch or import, and send the messages of the child."""
    os.environ.update(work.env)
    _mark(say)
    if work.hold:
        _hold(work.hold, say)
    say(READY)
    if work.folder:
        import_path(work.folder, store, pd.Timestamp(RECORDED_AT[work.today]))
    else:
        _fetch(work, store)
    say(DONE)


def _fetch(work: Work, store: str) -> None:
    import yfinance

    from backtests.sources.fetching import fetch

    yfinance.set_tz_cache_location(work.cache)
    failed = [f"{o.name}: {o.failed}" for o in fetch(Store(store), only=FETCHED) if o.failed]
    if failed:
        raise RuntimeError("; ".join(failed))


def _mark(say: Callable[[bytes], Any]) -> None:
    """Report when the child enters and leaves a method of the store that writes."""

    def marked(write: Callable[..., Any]) -> Callable[..., Any]:
        def within(*given: Any, **named: Any) -> Any:
            say(IN)
            done = write(*given, **named)
            say(OUT)
            return done

        return within

    Store.add = marked(Store.add)  # type: ignore[method-assign]
    Store.note_recording = marked(Store.note_recording)  # type: ignore[method-assign]


def _hold(where: str, say: Callable[[bytes], Any]) -> None:
    """Make the first write wait at the given moment until the child is killed."""
    connect, append = locking.connect, storing.append_rows  # type: ignore[attr-defined]

    def wait() -> None:
        say(HELD)
        time.sleep(600)

    def connected(path: Path, *, read_only: bool, **more: Any) -> Any:
        connection = connect(path, read_only=read_only, **more)
        if where == "created" and not read_only:
            wait()
        return connection

    def appended(connection: Any, rows: Any) -> None:
        if where == "midway":
            wait()
        append(connection, rows)
        if where == "committed":
            connection.execute("COMMIT")
            wait()

    locking.connect, storing.append_rows = connected, appended  # type: ignore[attr-defined]


def nursery() -> None:
    """Fork a child for each order on stdin, kill it after its delay, and print its messages."""
    import backtests.sources.fetching  # noqa: F401 - otherwise each child would import it

    all_sessions()
    for line in sys.stdin:
        order = json.loads(line)
        said, seconds = _raise_child(Work(**order["work"]), order["store"], order["delay"])
        print(json.dumps({"said": said.decode(errors="replace"), "seconds": seconds}), flush=True)


def _raise_child(work: Work, store: str, delay: float | None) -> tuple[bytes, float]:
    ear, mouth = os.pipe()
    child = os.fork()
    if not child:
        os.close(ear)
        _live(work, store, mouth)
    os.close(mouth)
    said, seconds = _listen(child, ear, delay)
    os.waitpid(child, 0)
    os.close(ear)
    return said, seconds


def _live(work: Work, store: str, mouth: int) -> None:
    """Run the work in the child, and end the child."""
    try:
        act(work, store, lambda mark: os.write(mouth, mark))
    except BaseException:
        os.write(mouth, WRONG + traceback.format_exc()[-3000:].encode())
    finally:
        os._exit(0)


def _listen(child: int, ear: int, delay: float | None) -> tuple[bytes, float]:
    """Return the messages of a child.

    Kill the child after the delay, or when the child waits to be killed.
    """
    said, start = os.read(ear, 1), time.monotonic()
    while True:
        left = None if delay is None else max(0.0, start + delay - time.monotonic())
        if HELD in said[-1:] or not select.select([ear], [], [], left)[0]:
            os.kill(child, signal.SIGKILL)
            delay = None
        more = os.read(ear, 4096)
        if not more:
            return said, time.monotonic() - start
        said += more


class Nursery:
    """A process that imports everything once and forks children."""

    def __enter__(self) -> "Nursery":
        """Start the process."""
        start = "from benchmarks.killed import nursery; nursery()"
        command = [sys.executable, "-W", "ignore", "-c", start]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
        return self

    def __exit__(self, *_: object) -> None:
        """Close the stdin of the process, and wait for its end."""
        self._process.communicate()

    def run(self, work: Work, store: Path, delay: float | None = None) -> Run:
        """Run a fetch or import in a child, kill it after ``delay`` seconds, and return the run."""
        order = {"work": asdict(work), "store": str(store), "delay": delay}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(order), file=self._process.stdin, flush=True)
        run = Run(**json.loads(self._process.stdout.readline()))
        if WRONG.decode() in run.said:
            raise RuntimeError(f"a child failed: {run.said}")
        return run


# --- the content of a store ---------------------------------------------------------------------


def content(store: Path) -> Content:
    """Return a store's rows by series, without times of recording; empty for a missing file."""
    if not store.exists():
        return {}
    rows = Store(store).query(
        "SELECT series_id, observed_on, available_at, value FROM observations ORDER BY ALL"
    )
    groups = rows.groupby("series_id", sort=False)
    return {str(id): part.reset_index(drop=True) for id, part in groups}


def problems(store: Path, before: Content, noted: dict[str, Any], truth: Content) -> list[str]:
    """Return the problems of a store after a kill.

    Parameters
    ----------
    before, noted
        The rows and the fetch times of the store before the killed run.
    truth
        The rows after a run that is not killed.
    """
    found = _locks(store)
    if not store.exists():
        return [*found, *(["the store is gone"] if before else [])]
    try:
        return [*found, *_within(Store(store), before, noted, truth)]
    except DrypowderError as error:
        return [*found, f"does not open: {error}"]


def _within(store: Store, before: Content, noted: dict[str, Any], truth: Content) -> Iterator[str]:
    held = content(store.path)
    whole = {id for id, rows in held.items() if id in truth and rows.equals(truth[id])}
    same = {id for id, rows in held.items() if id in before and rows.equals(before[id])}
    yield from (
        f"{id} is neither unchanged nor complete" for id in sorted(set(held) - whole - same)
    )
    yield from (f"{id} is lost" for id in sorted(set(before) - set(held)))
    fresh = {id for id, at in last_fetched(store).items() if noted.get(id) != at}
    yield from (f"{id} is noted as fetched but not complete" for id in sorted(fresh - whole))
    yield from _findings(store) if held else ()


def _findings(store: Store) -> Iterator[str]:
    # The check opens the file nine times, which is fast while another reader holds the file open.
    with locking.reading(store.path):
        yield from (str(f) for f in check_store(store) if f.severity == "error")


def _locks(store: Path) -> list[str]:
    found = []
    for ending in LOCKS:
        try:
            filelock.FileLock(f"{store}{ending}", timeout=0).acquire().lock.release()
        except filelock.Timeout:
            found.append(f"{store.name}{ending} is still held")
    return found


def same(rows: pd.DataFrame, others: pd.DataFrame | None) -> bool:
    return others is not None and rows.equals(others)


def unlike(store: Path, truth: Content) -> list[str]:
    """Return how a store differs from the result of a run that was not killed."""
    try:
        held = content(store)
        found = list(_findings(Store(store)))
    except DrypowderError as error:
        return [f"does not open after the next run: {error}"]
    ids = sorted(set(held) | set(truth))
    differ = [id for id in ids if id not in held or not same(held[id], truth.get(id))]
    litter = {p.name for p in store.parent.iterdir()} - _beside(store)
    return [
        *found,
        *(f"{id} differs after the next run" for id in differ),
        *(f"{name} is left in the folder" for name in sorted(litter)),
    ]


def _beside(store: Path) -> set[str]:
    return {f"{store.name}{ending}" for ending in ("", *LOCKS)}


# --- kills --------------------------------------------------------------------------------------


def kill(nursery: Nursery, case: Case, delay: float | None, folder: Path, hold: str = "") -> Kill:
    """Kill one run, test the store that remains, and run again.

    Parameters
    ----------
    delay
        Seconds from the start of the child's work until the kill.
    folder
        New folder for the store, which is removed if the test finds no problem.
    hold
        Moment at which the child waits to be killed (:class:`Work` lists the moments). ``hold``
        replaces ``delay``.
    """
    store = folder / "store.duckdb"
    folder.mkdir(parents=True)
    if case.start is not None:
        shutil.copy(case.start, store)
    before, noted = content(store), last_fetched(Store(store))
    run = nursery.run(Work(**asdict(case.work) | {"hold": hold}), store, delay)
    left_wal = Path(f"{store}.wal").exists()
    found = problems(store, before, noted, case.truth)
    changed = 0
    if not found:
        changed = sum(not same(rows, before.get(id)) for id, rows in content(store).items())
    try:
        nursery.run(case.work, store)
        found += unlike(store, case.truth)
    except RuntimeError as error:
        found.append(f"the next run fails: {str(error).strip().splitlines()[-1]}")
    if not found:
        shutil.rmtree(folder)
    return Kill(
        case=case.name,
        delay=delay or 0.0,
        moment=run.moment,
        left_wal=left_wal,
        changed=changed,
        problems=found,
    )


def kills(
    nursery: Nursery, cases: Sequence[Case], times: int, folder: Path, seed: int = 0
) -> Iterator[Kill]:
    """Kill ``times`` runs, case after case. The delays are spread evenly over the time of a run."""
    rng = np.random.default_rng(seed)
    share = (np.arange(times) + rng.random(times)) / times
    for i, u in enumerate(rng.permutation(share)):
        case = cases[i % len(cases)]
        yield kill(nursery, case, float(u) * case.seconds, folder / f"kill{i}")


# --- cases --------------------------------------------------------------------------------------


@contextmanager
def prepared(history_dir: Path, folder: Path) -> Iterator[tuple[Nursery, list[Case], list[Case]]]:
    """Start servers; yield the forking process, the cases of fetches, and the cases of imports."""
    from tests.servers import Servers, gdp_revisions

    with Servers(history_dir, today=TODAY) as servers, Nursery() as nursery:
        servers.fred.vintages["GDP"] = gdp_revisions(servers.fred.values("GDP"))
        env = servers.env() | KEYS
        cache = str(folder / "cache")
        fetches = [Work(env=env, cache=cache, today=day) for day in (EARLIER, TODAY)]
        imports = [
            replace(work, folder=str(write_files(history_dir, folder / work.today, work.today)))
            for work in fetches
        ]
        yield (
            nursery,
            _cases("fetch", nursery, fetches, servers, folder / "fetch"),
            _cases("import", nursery, imports, servers, folder / "import"),
        )


def _cases(
    kind: str, nursery: Nursery, works: list[Work], servers: Any, folder: Path
) -> list[Case]:
    """Return a case for each starting store, with the store after a run that is not killed."""
    earlier, later = works
    servers.today = earlier.today
    first, _ = _made(nursery, earlier, None, folder / "earlier")
    servers.today = later.today
    fresh = _made(nursery, later, None, folder / "fresh")
    grown = _made(nursery, later, first, folder / "grown")
    starts = (None, first, _downgraded(first))
    return [
        Case(
            name=f"{kind} into {name}",
            work=later,
            start=start,
            truth=content(made),
            seconds=seconds,
        )
        for name, start, (made, seconds) in zip(STARTS, starts, (fresh, grown, grown), strict=True)
    ]


def _made(nursery: Nursery, work: Work, start: Path | None, folder: Path) -> tuple[Path, float]:
    """Return the store after a fetch or import that is not killed, and the seconds of this run."""
    store = folder / "store.duckdb"
    folder.mkdir(parents=True)
    if start is not None:
        shutil.copy(start, store)
    return store, nursery.run(work, store).seconds


def _downgraded(store: Path) -> Path:
    """Return a copy of a store in schema version 1."""
    old = store.with_name("old.duckdb")
    shutil.copy(store, old)
    with duckdb.connect(str(old)) as connection:
        connection.execute("DROP TABLE fetched; DROP TABLE recordings")
        connection.execute("UPDATE drypowder SET schema_version = 1")
    return old


def write_files(history_dir: Path, folder: Path, day: str) -> Path:
    """Write a small folder to import, with data up to a day.

    Two folders for different days also have different figures for some dates.
    """
    folder.mkdir(parents=True)
    for name in FILES:
        text = (history_dir / name).read_text(encoding="utf-8")
        (folder / Path(name).name).write_text(_until(text, day) if name[-3:] == "csv" else text)
    table = pd.read_csv(history_dir / "prices.csv.gz", usecols=["Date", *TICKERS]).tail(1000)
    table = table[table["Date"] <= day].set_index("Date")
    (table if day == TODAY else table * 2).to_csv(folder / "prices.csv")
    return folder


def _until(text: str, day: str) -> str:
    """Cut a table of two columns at a day; for the earlier day, also change the last 8 values."""
    head, *lines = text.splitlines()
    rows = [line.split(",") for line in lines if line[:10] <= day]
    if day == EARLIER:
        rows = [
            *rows[:-8],
            *([on, str(float(value) * 0.99) if value else ""] for on, value in rows[-8:]),
        ]
    return "\n".join([head, *(",".join(row) for row in rows), ""])


def told(done: list[Kill], cases: Sequence[Case]) -> str:
    """Return a table with one line for each case and one line for each problem."""
    lines = []
    for case in cases:
        mine = [k for k in done if k.case == case.name]
        where = Counter(k.moment for k in mine)
        states = Counter(
            "none" if not k.changed else "all" if k.changed == len(case.truth) else "some"
            for k in mine
        )
        lines.append(
            f"{case.name} ({case.seconds:.2f} s undisturbed): {len(mine)} kills, "
            + ", ".join(
                f"{where[m]} {m}" for m in ("before", "in a write", "after a write", "ended")
            )
            + f"; {sum(k.left_wal for k in mine)} left a write-ahead log; series changed: "
            + ", ".join(f"{s} {states[s]}" for s in ("none", "some", "all"))
            + f"; {sum(bool(k.problems) for k in mine)} with problems"
        )
    for k in done:
        lines += [f"  {k.case} after {k.delay:.3f} s, {k.moment}: {p}" for p in k.problems]
    return "\n".join(lines)


def main() -> None:
    """Kill the runs and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--history", type=Path, required=True)
    parser.add_argument(
        "--times", type=int, default=200, help="kills, half in fetches, half in imports"
    )
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as place,
        prepared(given.history.resolve(), Path(place)) as (nursery, fetches, imports),
    ):
        failed = 0
        for cases in (fetches, imports):
            runs = kills(nursery, cases, given.times // 2, Path(place) / cases[0].name, given.seed)
            done = list(runs)
            failed += sum(bool(k.problems) for k in done)
            print(told(done, cases), flush=True)
    if failed:
        raise SystemExit(f"{failed} kills left a store with problems")


if __name__ == "__main__":
    main()
