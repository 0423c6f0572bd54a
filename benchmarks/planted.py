"""Put planted errors into a copy of the code, and show which of them the tests find.

    python benchmarks/planted.py --jobs 2
    python benchmarks/planted.py --only fill-late sec-120-days
    python benchmarks/planted.py --sample 20 --seed 3

``planted.toml`` is the table of errors. An entry has these keys:

- ``id``: the name of the error;
- ``file``, ``old``, ``new``: the file, a snippet in it, and the snippet that replaces it. ``old``
  must occur exactly once in the file;
- ``after``: a snippet that occurs exactly once; only the first ``old`` after this snippet is
  replaced;
- ``breaks``: a sentence that says what the error breaks;
- ``tests``: the files in ``tests`` to run, fastest first;
- ``only``: an expression for pytest's ``-k``;
- ``reason``: why no test can find the error. An error without a ``reason`` must make a test fail.
  If all tests pass, a test is missing.

The script copies the tracked files to a temporary folder, so the checkout does not change. One
process imports the third-party packages, and its children run the tests.

Each set of tests first runs without an error. A set that already fails without an error proves
nothing, and the script reports this set. The time limit with an error is five times the time
without an error, but at least a minute. If the tests exceed the limit, the error counts as caught,
because it may cause an endless loop. ``--trust`` skips the runs without an error. Use ``--trust``
only if the tests pass.

An error is ``caught`` if a test fails and ``survived`` if all tests pass. An error ``no longer
applies`` if its snippet or its tests no longer exist; the table then needs a correction. The exit
code is 1 if an entry no longer applies, if tests fail without an error, or if an error without a
reason survives.
"""

import argparse
import ast
import compileall
import importlib
import os
import py_compile
import random
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import current_process, get_context
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE = Path(__file__).with_suffix(".toml")
HISTORY = "DRYPOWDER_TEST_HISTORY"
#: Time limit of tests with an error: TIMES the time without the error, but at least LEAST seconds.
TIMES, LEAST = 5.0, 60.0
#: Time limits, seconds: tests without an error, and tests with an error under ``--trust``.
LONGEST, TRUSTED = 900.0, 240.0

#: pytest's warning about plugins that are already imported.
WARM = "ignore::pytest.PytestAssertRewriteWarning"
#: Third-party packages that are imported once before the first test.
BORROWED = (
    "pytest",
    "pandas",
    "numba",
    "duckdb",
    "exchange_calendars",
    "pydantic",
    "typer",
    "rich.console",
    "rich.table",
    "plotly.graph_objects",
    "scipy.stats",
    "statsmodels.api",
    "arch.bootstrap",
    "requests",
    "tenacity",
    "yfinance",
    "fredapi",
    "hmmlearn.hmm",
    "jumpmodels.jump",
    "vectorbt",
    "quantstats",
)

CAUGHT, SURVIVED, STALE = "caught", "survived", "no longer applies"
#: Exit codes of pytest. Only the first three codes mean that tests were run.
PASSED, FAILED, COLLECTION, INTERNAL = 0, 1, 2, 3


@dataclass(frozen=True, kw_only=True)
class Planted:
    """One error of the table: its place, its text, what it breaks, and its tests."""

    id: str
    file: str
    old: str
    new: str
    breaks: str
    tests: tuple[str, ...]
    after: str = ""
    only: str = ""
    reason: str = ""

    @property
    def choice(self) -> tuple[str, ...]:
        """The arguments of pytest that choose the tests."""
        files = (f"tests/{name}" for name in self.tests)
        return (*files, *(("-k", self.only) if self.only else ()))

    def applied(self, text: str) -> str:
        """Return the text of the file with the error; a missing ``old`` raises ValueError."""
        at = _place(text, self.after) if self.after else 0
        start = text.find(self.old, at) if self.after else _place(text, self.old)
        if start < 0:
            raise ValueError(f"{self.file} has no {self.old.strip()!r} after {self.after!r}")
        changed = text[:start] + self.new + text[start + len(self.old) :]
        if self.file.endswith(".py"):
            ast.parse(changed)
        return changed


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result for one error."""

    planted: Planted
    kind: str
    seconds: float = 0.0
    why: str = ""

    @property
    def good(self) -> bool:
        """Whether the error was caught, or was not caught for a known reason."""
        return self.kind == CAUGHT or (self.kind == SURVIVED and bool(self.planted.reason))

    def __str__(self) -> str:
        """Return the outcome as one line."""
        told = self.why or (self.planted.reason if self.kind == SURVIVED else "")
        also = f" [{told}]" if told else ""
        seconds = f"{self.seconds:6.1f} s"
        return f"{self.kind:<17} {seconds}  {self.planted.id}: {self.planted.breaks}{also}"


def _place(text: str, part: str) -> int:
    found = text.count(part)
    if found != 1:
        raise ValueError(f"expected the text {part.strip()[:70]!r} once, found it {found} times")
    return text.index(part)


def read_table(path: Path) -> list[Planted]:
    """Return the errors of a table, in the order of the table."""
    entries = tomllib.loads(path.read_text(encoding="utf-8"))["error"]
    table = [Planted(**{**entry, "tests": tuple(entry["tests"])}) for entry in entries]
    twice = [id for id, n in Counter(planted.id for planted in table).items() if n > 1]
    if twice:
        raise SystemExit(f"{path.name}: expected each id once, found {twice[0]} more than once")
    return table


# --- copies and tests -----------------------------------------------------------------------


def warm_up() -> None:
    """Import third-party packages once, because the imports take longer than most tests."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in BORROWED:
            with suppress(ImportError):
                importlib.import_module(name)


def history() -> Path:
    """Return the folder of market history, without which pytest would skip tests."""
    folder = (ROOT / os.environ.get(HISTORY, "../shared/history")).resolve()
    if not (folder / "prices.csv.gz").is_file():
        raise SystemExit(f"expected market history in {folder}, found none; name it in {HISTORY}")
    return folder


def copy_tracked(to: Path) -> None:
    """Copy the files that git tracks, with their present content."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)


def run_tests(copy: Path, choice: Sequence[str], longest: float) -> tuple[int | None, float, str]:
    """Run tests; return pytest's exit code, the seconds and the first line on a failure.

    A child of this warm process runs the tests. After ``longest`` seconds, the child and its
    processes are killed, and the exit code is None.
    """
    begun = time.monotonic()
    code: int | None
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        child = os.fork()
        os.setpgid(child, child)
        if not child:
            code = INTERNAL
            try:
                signal.signal(signal.SIGTERM, signal.SIG_DFL)
                os.dup2(said.fileno(), 1)
                os.dup2(said.fileno(), 2)
                code = _pytest(copy, choice)
            finally:
                os._exit(code)
        code = _waited(child, begun + longest)
        said.seek(0)
        lines = [line for line in said if line.startswith(("FAILED", "ERROR"))]
    return code, time.monotonic() - begun, (lines or [""])[0].strip()[:160]


def _pytest(copy: Path, choice: Sequence[str]) -> int:
    """Run pytest in this process, on the modules of a copy."""
    import pytest

    os.environ.pop("CI", None)  # if CI is set, pytest prints whole differences, which takes minutes
    os.environ[HISTORY] = str(history())
    # Python checks the bytecode of the copy by the content of the source. No bytecode is added,
    # because Python would check new bytecode only by size and time.
    os.environ |= {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    sys.dont_write_bytecode = True
    os.chdir(copy)
    sys.path[0] = str(copy)
    words = ["-x", "-q", "-n0", "-p", "no:cacheprovider", "-W", WARM]
    code = int(pytest.main([*words, *choice]))
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def _waited(child: int, deadline: float) -> int | None:
    """Wait for a child, then kill its group; return its exit code, or None after the deadline."""
    ended = status = 0
    try:
        while not ended and time.monotonic() < deadline:
            ended, status = os.waitpid(child, os.WNOHANG)
            time.sleep(0.0 if ended else 0.05)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        if not ended:
            os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) if ended else None


@contextmanager
def planted_in(copy: Path, planted: Planted) -> Iterator[None]:
    """Put an error into a copy, and restore the file at the end of the context."""
    file = copy / planted.file
    if not file.is_file():
        raise ValueError(f"expected the file {planted.file}, found none")
    text = file.read_text(encoding="utf-8")
    file.write_text(planted.applied(text), encoding="utf-8")
    try:
        yield
    finally:
        file.write_text(text, encoding="utf-8")


class Worker:
    """A process that runs tests in its own copy of the checkout."""

    copy: Path

    @classmethod
    def begin(cls, folder: Path) -> None:
        """Make the copy of this process. After SIGTERM, the process also ends its tests."""
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        current_process().daemon = False  # tests may start processes
        cls.copy = folder / str(os.getpid()) / ROOT.name
        cls.copy.mkdir(parents=True)
        copy_tracked(cls.copy)
        by_content = py_compile.PycInvalidationMode.CHECKED_HASH
        compileall.compile_dir(cls.copy, quiet=2, invalidation_mode=by_content)

    @classmethod
    def usual(cls, choice: tuple[str, ...]) -> float:
        """Return the seconds of tests without an error, or infinity if a test fails."""
        code, seconds, said = run_tests(cls.copy, choice, LONGEST)
        if code != PASSED:
            told = f"fails without an error (exit code {code}): {shlex.join(choice)} {said}"
            print(told, flush=True)
        return seconds if code == PASSED else float("inf")

    @classmethod
    def outcome(cls, task: tuple[Planted, float | None]) -> Outcome:
        """Return the result for an error.

        ``task`` contains the error, and the seconds of its tests without the error, if known.
        """
        planted, usual = task
        try:
            return cls._tried(planted, usual)
        except (ValueError, SyntaxError) as error:
            return Outcome(planted=planted, kind=STALE, why=str(error))

    @classmethod
    def _tried(cls, planted: Planted, usual: float | None) -> Outcome:
        """Run the tests with an error; raise ValueError if the result proves nothing."""
        choice = shlex.join(planted.choice)
        if usual == float("inf"):
            raise ValueError(f"the tests fail without the error: {choice}")
        longest = TRUSTED if usual is None else max(LEAST, TIMES * usual)
        with planted_in(cls.copy, planted):
            code, seconds, said = run_tests(cls.copy, planted.choice, longest)
        if code is None and TIMES * (usual or cls.usual(planted.choice)) > longest:
            raise ValueError(f"the tests take too long without the error: {choice}")
        if code not in (None, PASSED, FAILED, COLLECTION):
            raise ValueError(f"pytest ended with exit code {code} and ran no test of {choice}")
        kind = SURVIVED if code == PASSED else CAUGHT
        why = "the tests did not end" if code is None else said
        return Outcome(planted=planted, kind=kind, seconds=seconds, why=why)


def outcomes(
    table: Sequence[Planted], jobs: int, folder: Path, *, trust: bool
) -> Iterator[Outcome]:
    """Yield the result for each error as soon as the result is known."""
    choices = [] if trust else list(dict.fromkeys(planted.choice for planted in table))
    with get_context("fork").Pool(jobs, Worker.begin, (folder,)) as pool:
        usual = dict(zip(choices, pool.imap(Worker.usual, choices), strict=True))
        tasks = [(planted, usual.get(planted.choice)) for planted in table]
        yield from pool.imap_unordered(Worker.outcome, tasks)


# --- the command ----------------------------------------------------------------------------


def chosen(table: list[Planted], given: argparse.Namespace) -> list[Planted]:
    """Return the errors that the options choose."""
    if given.only:
        known = {planted.id: planted for planted in table}
        strange = [id for id in given.only if id not in known]
        if strange:
            raise SystemExit(f"expected ids of the table, got {strange[0]}; see --list")
        return [known[id] for id in given.only]
    if given.sample:
        picked = random.Random(given.seed).sample(table, min(given.sample, len(table)))
        return sorted(picked, key=table.index)
    return table


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--only", nargs="+", metavar="ID")
    parser.add_argument("--sample", type=int, metavar="N", help="N errors, drawn by --seed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--trust", action="store_true", help="skip the test runs without an error")
    parser.add_argument("--list", action="store_true", help="print the table and run nothing")
    given = parser.parse_args()
    table = chosen(read_table(given.table), given)
    if given.list:
        for planted in table:
            print(f"{planted.id:<28} {planted.file}: {planted.breaks}")
        return 0
    history()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        warm_up()
        found = []
        for outcome in outcomes(table, given.jobs, Path(folder), trust=given.trust):
            print(outcome, flush=True)
            found.append(outcome)
    count = Counter(outcome.kind for outcome in found)
    told = ", ".join(f"{count[kind]} {kind}" for kind in (CAUGHT, SURVIVED, STALE))
    mean = sum(outcome.seconds for outcome in found) / max(len(found), 1)
    print(
        f"{len(found)} planted errors: {told}; {mean:.1f} s for each error, "
        f"{time.monotonic() - begun:.0f} s in all with {given.jobs} jobs"
    )
    return 0 if all(outcome.good for outcome in found) else 1


if __name__ == "__main__":
    sys.exit(main())
