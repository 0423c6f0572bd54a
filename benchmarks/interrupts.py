"""200 interrupts over every command that writes a file, and a full disk in each.

    python -m benchmarks.interrupts --times 200

A command runs in a forked child over an earlier good file and gets SIGINT, SIGTERM or SIGKILL at a
moment drawn evenly from the length of an undisturbed run, every fourth one the signal twice. Then
the file has to be as it was or as an undisturbed run makes it, nothing may lie beside it, and
nothing printed may hold a traceback; after a kill one folder of ours may lie there, which the next
run has to remove. On a full disk (no file may grow beyond some size) the earlier file has to stay.
"""

import argparse
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from backtests.atomic import PREFIX
from benchmarks.forks import Ended, Order, fork, warm
from benchmarks.hostile import store

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}
CONFIG = "strategy = 'spy'\nsource = 'simulated'\nyears = 2\n"
SIMULATED = ("--source", "simulated")
_SMALL = 2048  # bytes; every file is larger


@dataclass(frozen=True, kw_only=True)
class Writer:
    """A command that writes, the file or folder that it writes, and whether it may replace one."""

    name: str
    arguments: tuple[str, ...]
    target: str
    replaces: bool = True
    largest: int = _SMALL


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
        arguments=("data", "--store", "held.duckdb", "--export", "out.parquet"),
        target="out.parquet",
    ),
    Writer(name="init", arguments=("init", "out.toml"), target="out.toml", replaces=False),
)
SLOW = (
    Writer(
        name="compare",
        arguments=("compare", "spy", "bills", *SIMULATED, "--draws", "0", "--out", "out.html"),
        target="out.html",
    ),
)


def content(path: Path) -> object:
    """Return what a file or a folder holds; None when there is nothing."""
    if path.is_dir():
        return {p.name: p.read_bytes() for p in sorted(path.iterdir())}
    return path.read_bytes() if path.is_file() else None


def prepared(folder: Path, writer: Writer, held: Path, earlier: Path | None) -> Path:
    """Return a folder to work in, with what the command reads and an earlier result."""
    work = folder / "work"
    work.mkdir(parents=True)
    (work / "c.toml").write_text(CONFIG)
    shutil.copy(held, work / "held.duckdb")
    if earlier is not None:
        copy = shutil.copytree if earlier.is_dir() else shutil.copy
        copy(earlier, work / writer.target)
    return work


def litter(work: Path, writer: Writer) -> list[str]:
    """Return what lies in a folder beside inputs and result."""
    known = {"c.toml", "held.duckdb", "held.duckdb.door", writer.target}
    return sorted(p.name for p in work.iterdir() if p.name not in known)


def problems(ended: Ended, order: Order, writer: Writer, before: object) -> Iterator[str]:
    """Yield what is wrong after a command that was stopped or had no room."""
    text = (ended.out + ended.err).decode(errors="replace")
    if ended.hung:
        yield "it hangs"
    if "Traceback" in text or "Exception ignored" in text:
        yield f"traceback: {text.strip().splitlines()[-1][:200]}"
    expected = {0, CODES[signal.Signals(order.number)]} if order.number else {2}
    if ended.code not in expected:
        yield f"exit code {ended.code}: {text[-200:]!r}"
    now = content(order.folder / writer.target)
    if ended.code != 0 and order.number != signal.SIGKILL and now != before and not _whole(now):
        yield "the earlier file is harmed"
    if now is None and before is not None:
        yield "the earlier file is gone"
    left = litter(order.folder, writer)
    ours = [name for name in left if name.startswith(PREFIX)]
    if left and not (order.number == signal.SIGKILL and left == ours):
        yield f"left lying: {left}"


def _whole(now: object) -> bool:
    """Return whether a result looks complete by its end."""
    if isinstance(now, dict):
        return len(now) == 7 and all(now.values())
    if not isinstance(now, bytes):
        return now is None
    return now.endswith((b"\n", b"PAR1"))


def main() -> None:
    """Interrupt, fill, and print what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--slow", action="store_true", help="compare, too")
    parser.add_argument("--only", default="", help="writers whose name holds this")
    given = parser.parse_args()
    warm()
    writers = [w for w in (*WRITERS, *(SLOW if given.slow else ())) if given.only in w.name]
    rng = np.random.default_rng(given.seed)
    failed = 0
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        held = store(root / "made")
        for w, writer in enumerate(writers):
            base = root / writer.name
            work = prepared(base / "first", writer, held, None)
            order = Order(arguments=writer.arguments, folder=work)
            first = fork(order, base / "first")
            assert first.code == 0, first.err
            earlier = work / writer.target if writer.replaces else None
            codes = Counter[int]()
            times = given.times // len(writers) + (w < given.times % len(writers))
            for i in range(times):
                folder = base / str(i)
                work = prepared(folder, writer, held, earlier)
                before = content(work / writer.target)
                delay = float(rng.uniform(0.02, first.seconds * 1.05))
                one = replace(
                    order,
                    folder=work,
                    number=SIGNALS[i % 3],
                    delay=delay,
                    again=0.05 if i % 4 == 3 and i % 3 != 2 else 0.0,
                )
                ended = fork(one, folder)
                codes[ended.code] += 1
                found = list(problems(ended, one, writer, before))
                if ended.code == -signal.SIGKILL:
                    if not writer.replaces:
                        (work / writer.target).unlink(missing_ok=True)
                    again = fork(replace(order, folder=work), folder)
                    left = litter(work, writer)
                    if again.code or left:
                        found.append(f"the next run: {again.code}, left {left}")
                failed += bool(found)
                for problem in found:
                    print(f"{writer.name} {one.number} after {delay:.3f} s: {problem}", flush=True)
                shutil.rmtree(folder)
            folder = base / "full"
            work = prepared(folder, writer, held, earlier)
            before = content(work / writer.target)
            full = replace(order, folder=work, largest=writer.largest)
            found = list(problems(fork(full, folder), full, writer, before))
            failed += bool(found)
            for problem in found:
                print(f"{writer.name} on a full disk: {problem}", flush=True)
            print(
                f"{writer.name} ({first.seconds:.2f} s): {times} interrupts, exit codes "
                + ", ".join(f"{c}: {n}" for c, n in sorted(codes.items())),
                flush=True,
            )
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    print(f"Python {version}: {given.times} interrupts, {len(writers)} full disks; {failed} failed")
    raise SystemExit(failed > 0)


if __name__ == "__main__":
    main()
