"""Run many commands of drypowder quickly, without importing Python packages each time.

Imports take seconds, but without imports most commands here take almost no time. So one process
imports everything once, and forks a child for each command. The child runs
``backtests.cli.app.main`` in its own folder, and writes its output to files.
"""

import functools
import os
import pickle
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

P = ParamSpec("P")
T = TypeVar("T")

PATIENCE = 240.0  # seconds; a child that takes longer counts as hung
_PAUSE = 0.002


@dataclass(frozen=True, kw_only=True)
class Order:
    """One command to run.

    Attributes
    ----------
    arguments
        Arguments of the command line.
    folder
        Working folder of the command.
    env
        Environment variables that differ from those of this process.
    largest
        Largest size of a file, bytes, to imitate a full disk; 0 for no limit.
    number, delay
        ``number`` is the signal that the child gets, 0 for no signal. ``delay`` is the time until
        the signal, seconds.
    again
        Seconds from the first signal to the second signal; 0 for no second signal.
    before
        Function that the child calls before the command.
    """

    arguments: Sequence[str]
    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)
    largest: int = 0
    number: int = 0
    delay: float = 0.0
    again: float = 0.0
    before: Callable[[], None] = lambda: None


@dataclass(frozen=True, kw_only=True)
class Ended:
    """The result of a command: exit code (negative for a signal) and output."""

    code: int
    out: bytes
    err: bytes
    seconds: float
    hung: bool = False


def warm() -> None:
    """Import the modules that commands need, so that children start faster."""
    import importlib

    for name in (
        *("app", "check", "compare", "data", "fetch", "flags", "import_", "init", "run", "today"),
    ):
        importlib.import_module(f"backtests.cli.{name}")
    for name in (
        *(
            "importing.import_path",
            "pipeline",
            "report.folder",
            "report.flags_page",
            "plugins.check",
        ),
        *("report.compare_page", "report.export", "evidence.comparing", "today"),
        "sources.fetching",
    ):
        importlib.import_module(f"backtests.{name}")
    _remember_histories()
    for name in ("rich.console", "rich.table", "rich.status", "tomlkit", "quantstats", "arch"):
        importlib.import_module(name)


def _remember_histories() -> None:
    """Simulate the histories of the commands, once for all children."""
    from backtests.history.panel import History

    simulated = functools.cache(History.simulated)
    for years in (2, 20):
        simulated(0, years, thesis=True)
    History.simulated = staticmethod(simulated)  # type: ignore[method-assign]


def fork(order: Order, logs: Path) -> Ended:
    """Run one command in a child and return its result."""
    out, err = logs / "stdout", logs / "stderr"
    start = time.monotonic()
    child = os.fork()
    if not child:
        _live(order, out, err)
    code, hung = _wait(child, order, start)
    return Ended(
        code=code,
        out=out.read_bytes(),
        err=err.read_bytes(),
        seconds=time.monotonic() - start,
        hung=hung,
    )


def asked(function: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    """Call a function in a child and return its result.

    The parent process must not use DuckDB, because DuckDB's threads do not survive a fork.
    """
    ear, mouth = os.pipe()
    child = os.fork()
    if not child:
        try:
            with os.fdopen(mouth, "wb") as out:
                pickle.dump(function(*given, **named), out)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    os.close(mouth)
    with os.fdopen(ear, "rb") as said:
        answer = said.read()
    os.waitpid(child, 0)
    if not answer:
        raise RuntimeError(f"{function.__name__} failed in a child")
    return cast(T, pickle.loads(answer))


def _live(order: Order, out: Path, err: Path) -> None:
    """Run the order in the child, and end the child."""
    code = 99
    signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs ignore SIGINT
    try:
        for number, path in ((1, out), (2, err)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        code = _run(order)
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _run(order: Order) -> int:
    from backtests.cli.app import main

    os.chdir(order.folder)
    os.environ.update(order.env)
    sys.path.insert(0, "")
    sys.argv = ["drypowder", *order.arguments]
    if order.largest:
        resource.setrlimit(resource.RLIMIT_FSIZE, (order.largest, order.largest))
    order.before()
    try:
        main()
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else 0
    return 0


def _wait(child: int, order: Order, start: float) -> tuple[int, bool]:
    """Send a child the signals of its order; return its exit code and whether it hung."""
    due = [order.delay, order.delay + order.again] if order.again else [order.delay]
    due = due if order.number else []
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status), False
        now = time.monotonic() - start
        if due and now >= due[0]:
            os.kill(child, order.number)
            due = due[1:]
        if now > PATIENCE:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return -signal.SIGKILL, True
        time.sleep(_PAUSE)
