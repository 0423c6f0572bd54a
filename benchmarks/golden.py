"""Record the output of commands before and after a change of the code, and compare the records.

    python -m benchmarks.golden write OLD --history ../shared/history
    python -m benchmarks.golden compare OLD NEW

``write`` imports the history into a new store. A record has the output for this store and for two
simulated economies. The output consists of ``flags --json`` at twelve dates, the seven files of
``run`` for every strategy, ``compare --json`` and ``today --json``. For the store, the record also
has ``data --json``. ``compare`` prints every file and every JSON key that differs. The comparison
ignores run ids, versions and times of recording, because these change with every edit of the code.
"""

import argparse
import contextlib
import io
import json
import os
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

DATES = (
    *("2013-06-24", "2015-08-24", "2016-02-11", "2018-02-05", "2018-12-24", "2019-09-17"),
    *("2020-03-23", "2021-05-19", "2022-06-16", "2023-10-27", "2025-04-08", "2025-10-16"),
)
#: Dates for the simulated economy, which ends before the last two dates of :data:`DATES`.
SIMULATED_DATES = (*DATES[:-2], "2024-04-08", "2024-10-16")
SEEDS = (1, 2)
TODAY = ("near-cash-flow", "cash-heavy@quantities")
COMPARED = ("cash-heavy", "near-cash-flow@quantities", "spy")
#: Keys whose values change with every edit of the code or with the time of recording.
VOLATILE = {"run_id", "version", "recorded_at", "last_fetched", "path", "store"}
_NOISE = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # plotly's ids of charts
    r"|<dc:date>[^<]*</dc:date>"  # the time when matplotlib drew a chart
    r"|\b[mpic]?[0-9a-f]{10,12}\b"  # matplotlib's ids, our run ids
    r"|image[0-9a-f]{10}"
)


def write(folder: Path, history: Path, jobs: int) -> None:
    """Write the record of the present code.

    Parameters
    ----------
    folder
        Folder for the record, which must not exist.
    history
        Folder of files to import.
    jobs
        Number of processes.
    """
    folder.mkdir(parents=True)
    store = folder.resolve() / "store.duckdb"
    _say(["import", str(history), "--store", str(store)])
    with ProcessPoolExecutor(jobs) as pool:
        for done in pool.map(_record, _commands(folder.resolve(), store)):
            print(done, flush=True)
    store.unlink()


def _commands(folder: Path, store: Path) -> Iterator[tuple[list[str], Path | None]]:
    """Yield each command and the file for its output; None if the command itself writes files."""
    from strategies import STRATEGIES

    sources = {"real": ["--store", str(store)]}
    sources |= {f"seed-{s}": ["--source", "simulated", "--seed", str(s)] for s in SEEDS}
    for label, source in sources.items():
        home = folder / label
        home.mkdir()
        for name in STRATEGIES:
            yield ["run", name, *source, "--out", str(home / "run" / name)], None
        page = str(home / "compare.html")
        names = [*COMPARED, "--draws", "3", "--out", page]
        yield ["compare", *names, *source, "--json"], home / "compare.json"
        for date in DATES if label == "real" else SIMULATED_DATES:
            yield ["flags", "--at", date, *source, "--json"], home / f"flags-{date}.json"
        for name in TODAY:
            yield ["today", name, *source, "--json"], home / f"today-{name}.json"
    yield ["data", *sources["real"], "--json"], folder / "real" / "data.json"


def _record(work: tuple[list[str], Path | None]) -> str:
    arguments, target = work
    said = _say(arguments)
    if target is not None:
        target.write_text(said, encoding="utf-8")
    return " ".join(arguments[:2])


def _say(arguments: list[str]) -> str:
    """Run a command and return its stdout, or end this script if the command fails."""
    from backtests.cli.app import command

    os.environ["NO_COLOR"] = "1"
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = command(arguments)
    if code:
        raise SystemExit(f"{' '.join(arguments)}: exit {code}")
    return out.getvalue()


def compare(old: Path, new: Path, most: int) -> int:
    """Print the differences between two records and return the number of files that differ.

    Parameters
    ----------
    old, new
        Folders that :func:`write` has made.
    most
        Largest number of printed differences of one file.
    """
    names = sorted({str(p.relative_to(d)) for d in (old, new) for p in d.rglob("*") if p.is_file()})
    different = 0
    for name in names:
        found = _differences(old / name, new / name)
        different += bool(found)
        for line in found[:most]:
            print(f"{name}: {line}")
        if len(found) > most:
            print(f"{name}: … {len(found) - most} more")
    print(f"{len(names)} files, {different} differ")
    return different


def _differences(old: Path, new: Path) -> list[str]:
    if not (old.exists() and new.exists()):
        return ["only in the new record" if new.exists() else "only in the old record"]
    before, after = old.read_text(encoding="utf-8"), new.read_text(encoding="utf-8")
    if old.suffix == ".json":
        return list(_in_json(json.loads(before), json.loads(after), ""))
    lines = _clean(before).splitlines(), _clean(after).splitlines()
    if lines[0] == lines[1]:
        return []
    pairs = zip(*lines, strict=False)
    at, (a, b) = next(((n, p) for n, p in enumerate(pairs, 1) if p[0] != p[1]), (0, ("", "")))
    return [f"line {at}: {a[:80]!r} → {b[:80]!r} ({len(lines[0])} and {len(lines[1])} lines)"]


def _clean(text: str) -> str:
    return _NOISE.sub("…", text)


def _in_json(old: Any, new: Any, at: str) -> Iterator[str]:
    """Yield each key with different values in two JSON documents, and both values."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys((*old, *new)):
            if key not in VOLATILE:
                missing = "(none)"
                yield from _in_json(old.get(key, missing), new.get(key, missing), f"{at}.{key}")
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for n, (a, b) in enumerate(zip(old, new, strict=True)):
            yield from _in_json(a, b, f"{at}[{n}]")
    elif old != new:
        yield f"{at}: {str(old)[:60]} → {str(new)[:60]}"


def main() -> None:
    """Run this script with the options of its command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = parser.add_subparsers(dest="what", required=True)
    writer = parts.add_parser("write")
    writer.add_argument("folder", type=Path)
    writer.add_argument("--history", type=Path, default=Path("../shared/history"))
    writer.add_argument("--jobs", type=int, default=2)
    comparer = parts.add_parser("compare")
    comparer.add_argument("old", type=Path)
    comparer.add_argument("new", type=Path)
    comparer.add_argument("--most", type=int, default=20)
    given = parser.parse_args()
    if given.what == "write":
        write(given.folder, given.history, given.jobs)
    else:
        sys.exit(1 if compare(given.old, given.new, given.most) else 0)


if __name__ == "__main__":
    main()
