"""Where heavy, independent work is done: in this process, or in several."""

import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from types import TracebackType
from typing import Any

from backtests.plugins.load import load_again, loaded


class SerialExecutor(Executor):
    """Run each submitted call at once, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Return a future that is done."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class _Processes(ProcessPoolExecutor):
    """Run each submitted call in one of several processes, which an error or an interrupt ends."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in [] if kind is None else list(self._processes.values()):
            process.terminate()
        self.shutdown(cancel_futures=kind is not None)


def workers_of(count: int) -> Executor:
    """Return an executor of that many processes; 0 or 1 is this process itself.

    Several processes import the caller's main module anew, which must then guard what it does
    (``if __name__ == "__main__"``), and each has one thread for linear algebra.
    """
    if count < 2:
        return SerialExecutor()
    for library in ("OPENBLAS", "OMP", "MKL"):  # read by a process when it starts
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    return _Processes(count, get_context("spawn"), initializer=_begin, initargs=(loaded(),))


def _begin(plugins: dict[str, Path]) -> None:
    """Import the modules of plugins, and ignore Ctrl-C.

    Every process of a terminal gets Ctrl-C; the one that waits ends the others. What a user's code
    prints goes to stderr: stdout is the command's own.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdout = sys.stderr
    load_again(plugins)
