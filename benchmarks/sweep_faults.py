"""Kill sweeps at random moments, resume them, and compare their results with an undisturbed sweep.

    python -m benchmarks.sweep_faults --store FILE --kills 10

The script starts ``drypowder sweep`` and sends SIGKILL. The delay is random, and at most the
working time of an undisturbed sweep. The script then runs the same command again to its end. A
sweep that ends before its kill does not count. Then the script starts a sweep with two workers of a
local Dask cluster, and kills one worker after the first results. The file of results must equal
that of the undisturbed sweep, byte for byte.
"""

import argparse
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from backtests.sweep.folder import REQUEST
from backtests.sweep.results import FILE, parts_of

SETS = (
    *("dry_powder.k=0.07:0.11:5", "regime.confirm=5,10", "volatility=0.15:0.35:10"),
    *("schedule.offset=0:15:4", "band=0,0.02"),
)
#: Memory for each process, MB: small enough that a sweep has several dozen chunks.
MEMORY_MB = 25
EARLY = "finished before the kill"


def command(store: Path, out: Path, workers: int) -> list[str]:
    """Return the command line of a sweep."""
    sets = [part for text in SETS for part in ("--set", text)]
    means = ["--memory", f"{MEMORY_MB * max(workers, 1)}MB", "--workers", str(workers)]
    line = [sys.executable, "-m", "backtests", "sweep", "near-cash-flow", "--store", str(store)]
    return [*line, *sets, *means, "--out", str(out)]


def start(store: Path, out: Path, workers: int = 0) -> subprocess.Popen[bytes]:
    """Start a sweep in a process of its own."""
    line = command(store, out, workers)
    return subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def finish(store: Path, out: Path) -> None:
    """Run a sweep to its end."""
    subprocess.run(command(store, out, 0), check=True, capture_output=True)


def working_time(out: Path) -> float:
    """Return the seconds between the first file of a finished sweep and its file of results."""
    return (out / FILE).stat().st_mtime - (out / REQUEST).stat().st_mtime


def digest(out: Path) -> str:
    """Return a hash of the file of results."""
    return hashlib.sha256((out / FILE).read_bytes()).hexdigest()


def killed(store: Path, out: Path, delay: float) -> str:
    """Kill a sweep ``delay`` seconds after its first file; return text on the written results."""
    with start(store, out) as process:
        while process.poll() is None and not (out / REQUEST).exists():
            time.sleep(0.005)
        try:
            process.wait(delay)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
    if process.returncode == 0:
        return EARLY
    if (out / FILE).exists():
        return "all results"
    done = sum(len(span) for span, _ in parts_of(out)) if out.exists() else 0
    return f"{done:,} configurations"


def kill_worker(store: Path, out: Path) -> str:
    """Run a sweep with two workers and kill one after the first results; return a summary."""
    with start(store, out, workers=2) as process:
        while process.poll() is None and not parts_of(out):
            time.sleep(0.01)
        children = psutil.Process(process.pid).children(recursive=True)
        workers = [c for c in children if "spawn_main" in " ".join(c.cmdline())]
        os.kill(workers[0].pid, signal.SIGKILL)
        code = process.wait()
    if code != 0:
        raise SystemExit(f"the sweep with a killed worker ended with exit code {code}")
    return f"1 of {len(workers)} workers killed"


def check(what: str, out: Path, expected: str) -> bool:
    """Print a finished case, and return whether its results are equal."""
    same = digest(out) == expected
    print(f"{what}; at the end: {'equal' if same else 'DIFFERENT'}", flush=True)
    shutil.rmtree(out)
    return same


def main() -> None:
    """Run all cases, and exit with 1 if a file of results differs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--store", type=Path, required=True, help="a store with real history")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        store = Path(shutil.copy(given.store, Path(name) / "store.duckdb"))
        finish(store, Path(name) / "whole")  # the first sweep also compiles the loops
        expected = digest(Path(name) / "whole")
        finish(store, Path(name) / "timed")
        seconds = working_time(Path(name) / "timed")
        print(f"undisturbed: {seconds:.1f} s of work, sha256 {expected[:16]}", flush=True)
        moments = random.Random(given.seed)
        results: list[bool] = []
        while len(results) < given.kills:
            out, delay = Path(name) / "killed", moments.uniform(0.0, 1.0) * seconds
            said = killed(store, out, delay)
            if said == EARLY:
                shutil.rmtree(out)
                continue
            finish(store, out)
            what = f"kill {len(results) + 1} after {delay:.1f} s: {said}"
            results.append(check(what, out, expected))
        out = Path(name) / "workers"
        results.append(check(f"Dask: {kill_worker(store, out)}", out, expected))
    print(f"{sum(results)} of {len(results)} equal")
    sys.exit(not all(results))


if __name__ == "__main__":
    main()
