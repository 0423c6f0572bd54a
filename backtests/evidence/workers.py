"""Executors that run slow, independent calculations in this process or in several processes."""

import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from backtests.garbage import collect_rarely
from backtests.plugins.load import load_again, loaded
from signals.errors import SimulationError
from signals.params import check_whole


class SerialExecutor(Executor):
    """An executor that runs each submitted call immediately, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run the call now; return a ``Future`` that already has the result or the error."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class _Processes(ProcessPoolExecutor):
    """An executor with several processes; an error or an interrupt ends all processes.

    If a process ends before its work is done, SimulationError is raised. For example, a process
    ends early if there is too little memory, or if a plugin cannot be loaded.
    """

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        for process in [] if kind is None else list(self._processes.values()):
            process.terminate()
        self.shutdown(cancel_futures=kind is not None)
        if kind is not None and issubclass(kind, BrokenProcessPool):
            raise SimulationError(
                "expected each worker process to finish its work, but one ended early; correct the "
                "error that it printed, or free some memory, then run the command again"
            ) from None


def workers_of(count: int) -> Executor:
    """Return an executor with ``count`` processes; for 0 or 1, calls run in this process.

    Each worker process imports the caller's main module. So the main module must guard its work
    with ``if __name__ == "__main__"``. Each worker process uses one thread for linear algebra,
    unless an environment variable such as ``OMP_NUM_THREADS`` sets another number.
    """
    check_whole("workers", count, 0)
    if count < 2:
        return SerialExecutor()
    for library in ("OPENBLAS", "OMP", "MKL"):  # a process reads these variables when it starts
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    return _Processes(count, get_context("spawn"), initializer=_begin, initargs=(loaded(),))


def _begin(plugins: dict[str, Path]) -> None:
    collect_rarely()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the main process ends its workers
    sys.stdout = sys.stderr  # stdout is for the command's output; plugins print to stderr
    load_again(plugins)
