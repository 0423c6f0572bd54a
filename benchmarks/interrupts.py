"""Interrupt every command that writes, 200 times in all, and run each command on a full disk.

    python -m benchmarks.interrupts --times 200 --history ../shared/history

A command runs in a forked child and replaces an earlier result. The child gets SIGINT, SIGTERM or
SIGKILL after a random delay. The longest delay is 5 % above the time of a run without a signal.
Some children get SIGINT or SIGTERM twice. After the signal, the result must equal the earlier
result or the result of a run without a signal. The folder must contain no other file, and the
output must contain no traceback. After SIGKILL, a temporary file or folder of drypowder may remain,
but the next run must remove it. On a full disk, the earlier result must remain. A limit on the size
of files imitates the full disk.

``import`` and ``fetch`` write into a store, one series after another. After an interrupt, each
series must be unchanged or complete, and the next run must complete the store.
"""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from backtests.atomic import PREFIX
from benchmarks import killed
from benchmarks.forks import Ended, Order, asked, fork, warm
from benchmarks.hostile import store

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}
CONFIG = "strategy = 'spy'\nsource = 'simulated'\nyears = 2\n"
SIMULATED = ("--source", "simulated")
HELD = ("--store", "held.duckdb")
_SMALL = 2048  # bytes, less than the size of every result


@dataclass(frozen=True, kw_only=True)
class Writer:
    """A command that writes, and its result.

    Attributes
    ----------
    name, arguments
        Name of the case and arguments of the command.
    target
        The file or folder that the command writes.
    replaces
        Whether the command may replace an earlier result.
    first
        The command that makes the earlier result; empty for the same command.
    largest
        Largest size of a file on the full disk, bytes.
    env
        Environment variables.
    """

    name: str
    arguments: tuple[str, ...]
    target: str
    replaces: bool = True
    first: tuple[str, ...] = ()
    largest: int = _SMALL
    env: dict[str, str] = field(default_factory=dict)

    @property
    def grows(self) -> bool:
        """Whether the command writes series after series into a store."""
        return bool(self.first)


WRITERS = (
    Writer(name="run", arguments=("run", "--config", "c.toml", "--out", "out"), target="out"),
    Writer(
        name="flags csv", arguments=("flags", *SIMULATED, "--export", "out.csv"), target="out.csv"
    ),
    Writer(
        name="flags parquet",
        arguments=("flags", *SIMULATED, "--export", "out.parquet"),
        target="out.parquet",
    ),
    Writer(
        name="flags html", arguments=("flags", *SIMULATED, "--html", "out.html"), target="out.html"
    ),
    Writer(
        name="data export",
        arguments=("data", *HELD, "--export", "out.parquet"),
        target="out.parquet",
    ),
    Writer(
        name="data copy",
        arguments=(
            "data",
            "--store",
            "held.duckdb",
            "--copy",
            "out.duckdb",
            "--as-of",
            "2030-01-01",
        ),
        target="out.duckdb",
        replaces=False,
        largest=1 << 18,
    ),
    Writer(name="init", arguments=("init", "out.toml"), target="out.toml", replaces=False),
    Writer(
        name="import",
        arguments=("import", "files-later", "--store", "out.duckdb"),
        first=("import", "files-earlier", "--store", "out.duckdb"),
        target="out.duckdb",
        largest=1 << 18,
    ),
)
SLOW = (
    Writer(
        name="compare",
        arguments=("compare", "spy", "bills", *SIMULATED, "--draws", "0", "--out", "out.html"),
        target="out.html",
    ),
)


def fetching(env: dict[str, str]) -> Writer:
    """Return the case of a fetch of four series into a store that has two of them."""
    into = ("--store", "out.duckdb")
    two, four = (
        ("fetch", *(word for id in ids for word in ("--only", id)), *into)
        for ids in (("GDP", "SOFR"), ("GDP", "SOFR", "CAPEX_TTM_MSFT", "SPY"))
    )
    return Writer(
        name="fetch", arguments=four, first=two, target="out.duckdb", largest=1 << 18, env=env
    )


def content(path: Path) -> object:
    """Return the content of a file, folder or store (its rows by series); None if missing."""
    if path.is_dir():
        return {p.name: p.read_bytes() for p in sorted(path.iterdir())}
    if path.is_file() and path.suffix == ".duckdb":
        return {id: _undated(rows) for id, rows in asked(killed.content, path).items()}
    return path.read_bytes() if path.is_file() else None


def _undated(rows: pd.DataFrame) -> pd.DataFrame:
    """Give all revisions the same ``available_at``, so that two runs can be compared."""
    began = pd.Timestamp(killed.TODAY) + pd.Timedelta(days=180)
    known = rows["available_at"]
    return rows.assign(available_at=known.where(known < began, began))


@dataclass(frozen=True, kw_only=True)
class Bench:
    """The folders in which commands are interrupted.

    Attributes
    ----------
    root
        Folder of all other folders.
    held
        A small store to read.
    history
        Folder of real history.
    """

    root: Path
    held: Path
    history: Path

    def folder(self, writer: Writer, name: str, earlier: Path | None) -> Path:
        """Make and return a working folder, with the input of the command and an earlier result."""
        work = self.root / writer.name / name / "work"
        work.mkdir(parents=True)
        (work / "c.toml").write_text(CONFIG)
        shutil.copy(self.held, work / "held.duckdb")
        for day in ("earlier", "later"):
            (work / f"files-{day}").symlink_to(self.root / f"files-{day}")
        if earlier is not None:
            copy = shutil.copytree if earlier.is_dir() else shutil.copy
            copy(earlier, work / writer.target)
        return work

    def write_files(self) -> None:
        """Write two folders to import. The second folder has revised and additional values."""
        for name, day in (("earlier", killed.EARLIER), ("later", killed.TODAY)):
            killed.write_files(self.history, self.root / f"files-{name}", day)


@dataclass(frozen=True, kw_only=True)
class Undisturbed:
    """A run without a signal: its length in seconds, its result, and the earlier result."""

    seconds: float
    whole: object
    earlier: Path | None


def undisturbed(bench: Bench, writer: Writer) -> Undisturbed:
    """Run the command without a signal."""
    work = bench.folder(writer, "earlier", None)
    _ok(fork(Order(arguments=writer.first or writer.arguments, folder=work, env=writer.env), work))
    earlier = work / writer.target if writer.replaces else None
    work = bench.folder(writer, "whole", earlier)
    ended = _ok(fork(Order(arguments=writer.arguments, folder=work, env=writer.env), work))
    return Undisturbed(seconds=ended.seconds, whole=content(work / writer.target), earlier=earlier)


def _ok(ended: Ended) -> Ended:
    if ended.code:
        raise RuntimeError((ended.out + ended.err).decode(errors="replace"))
    return ended


def litter(work: Path, writer: Writer) -> list[str]:
    """Return the names of files in a folder that are neither input nor result."""
    known = {"c.toml", "held.duckdb", "held.duckdb.door", writer.target, "stdout", "stderr"}
    known |= {"files-earlier", "files-later"}
    locks = {f"{writer.target}{ending}" for ending in (*killed.LOCKS, ".wal")}
    known |= locks if writer.target.endswith(".duckdb") else set()
    return sorted(p.name for p in work.iterdir() if p.name not in known)


def problems(
    ended: Ended, order: Order, writer: Writer, before: object, whole: object
) -> Iterator[str]:
    """Yield the problems after an interrupt of the command, or after a full disk.

    Parameters
    ----------
    before, whole
        The earlier result, and the result of a run without a signal.
    """
    text = (ended.out + ended.err).decode(errors="replace")
    if ended.hung:
        yield "it hangs"
    if "Traceback" in text or "Exception ignored" in text:
        yield f"traceback: {text.strip().splitlines()[-1][:200]}"
    expected = {0, CODES[signal.Signals(order.number)]} if order.number else {2, 3}
    if ended.code not in expected:
        yield f"exit code {ended.code}: {text[-200:]!r}"
    now = content(order.folder / writer.target)
    if writer.grows:
        yield from _mixed(now, before, whole)
    elif not (_same(now, before) or _same(now, whole)):
        yield "the result differs from the earlier result and from the result of an undisturbed run"
    left = litter(order.folder, writer)
    ours = [name for name in left if name.startswith(PREFIX)]
    if left and not (order.number == signal.SIGKILL and left == ours):
        yield f"left in the folder: {left}"


def _mixed(now: object, before: object, whole: object) -> Iterator[str]:
    """Yield a problem for each series that is lost or half written."""
    held, earlier, later = (rows if isinstance(rows, dict) else {} for rows in (now, before, whole))
    yield from (f"{id} is lost" for id in sorted(set(earlier) - set(held)))
    for id, rows in held.items():
        if not any(id in part and rows.equals(part[id]) for part in (earlier, later)):
            yield f"{id} is neither unchanged nor complete"


def _same(a: object, b: object) -> bool:
    """Return whether two results are the same, apart from times and ids."""
    if isinstance(a, dict) and isinstance(b, dict):
        return set(a) == set(b) and all(_same(a[name], b[name]) for name in a)
    if isinstance(a, bytes) and isinstance(b, bytes):
        return a == b or (abs(len(a) - len(b)) < 64 and a[-4:] == b[-4:])
    if hasattr(a, "equals"):
        return bool(a.equals(b))
    return a is None and b is None


def interrupted(bench: Bench, writer: Writer, base: Undisturbed, times: int, rng: Any) -> int:
    """Interrupt a command many times, print its problems, and return the number of failures."""
    codes, failed = Counter[int](), 0
    for i in range(times):
        work = bench.folder(writer, str(i), base.earlier)
        order = Order(
            arguments=writer.arguments,
            folder=work,
            env=writer.env,
            number=SIGNALS[i % 3],
            delay=float(rng.uniform(0.02, base.seconds * 1.05)),
            again=0.05 if i % 4 == 3 and i % 3 != 2 else 0.0,
        )
        before = content(work / writer.target)
        ended = fork(order, work)
        codes[ended.code] += 1
        found = list(problems(ended, order, writer, before, base.whole))
        if ended.code == -signal.SIGKILL or (writer.grows and ended.code):
            found += _next_run(work, writer, base)
        failed += bool(found)
        for problem in found:
            signal_name = signal.Signals(order.number).name
            said = f"{writer.name}, {signal_name} after {order.delay:.3f} s: {problem}"
            print(said, flush=True)
        shutil.rmtree(work.parent)
    said = ", ".join(f"{code}: {count}" for code, count in sorted(codes.items()))
    print(
        f"{writer.name} ({base.seconds:.2f} s): {times} interrupts, runs by exit code {said}",
        flush=True,
    )
    return failed


def _next_run(work: Path, writer: Writer, base: Undisturbed) -> Iterator[str]:
    """Yield the problems of the next run after an interrupt."""
    if not writer.replaces:
        (work / writer.target).unlink(missing_ok=True)
    ended = fork(Order(arguments=writer.arguments, folder=work, env=writer.env), work)
    left = litter(work, writer)
    if ended.code or left:
        yield f"the next run: exit code {ended.code}, left in the folder: {left}"
    if not _same(content(work / writer.target), base.whole):
        yield "the next run and an undisturbed run have different results"


def on_a_full_disk(bench: Bench, writer: Writer, base: Undisturbed) -> int:
    """Run a command on a full disk, print its problems, and return whether it had problems."""
    work = bench.folder(writer, "full", base.earlier)
    before = content(work / writer.target)
    order = Order(arguments=writer.arguments, folder=work, env=writer.env, largest=writer.largest)
    found = list(problems(fork(order, work), order, writer, before, base.whole))
    for problem in found:
        print(f"{writer.name} on a full disk: {problem}", flush=True)
    return bool(found)


def serving(history: Path) -> tuple[int, dict[str, str]]:
    """Start a process that serves the three sources; return its id and variables for clients."""
    ear, mouth = os.pipe()
    child = os.fork()
    if not child:
        from tests.servers import Servers

        with Servers(history, today=killed.TODAY) as servers:
            os.write(mouth, json.dumps(servers.env()).encode())
            os.close(mouth)
            threading.Event().wait(7200)
        os._exit(0)
    os.close(mouth)
    with os.fdopen(ear, "rb") as said:
        return child, json.loads(said.read()) | killed.KEYS


def main() -> None:
    """Run all interrupts and full disks, and print the results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--history", type=Path, default=Path("../shared/history"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--slow", action="store_true", help="also interrupt compare")
    parser.add_argument("--only", default="", help="only cases whose name contains this text")
    given = parser.parse_args()
    child, env = serving(given.history.resolve())
    warm()
    writers = (*WRITERS, fetching(env), *(SLOW if given.slow else ()))
    writers = tuple(w for w in writers if given.only in w.name)
    rng = np.random.default_rng(given.seed)
    failed = 0
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        bench = Bench(root=root, held=store(root / "made"), history=given.history.resolve())
        bench.write_files()
        for w, writer in enumerate(writers):
            base = undisturbed(bench, writer)
            times = given.times // len(writers) + (w < given.times % len(writers))
            failed += interrupted(bench, writer, base, times, rng)
            failed += on_a_full_disk(bench, writer, base)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    print(f"Python {version}: {given.times} interrupts, {len(writers)} full disks; {failed} failed")
    raise SystemExit(failed > 0)


if __name__ == "__main__":
    main()
