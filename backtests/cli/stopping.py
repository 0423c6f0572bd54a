"""Stop a command after Ctrl-C or SIGTERM, or when its terminal closes."""

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

#: Time after a signal in which further signals do not interrupt the cleanup, in seconds.
GRACE = 2.0
_AGAIN = 0.05
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


class Stop:
    """A handler that raises KeyboardInterrupt for the signals that stop a command."""

    def __init__(self) -> None:
        self.signal = 0  # number of the last signal, or 0 before the first signal
        self._at = -GRACE
        self.over = False  # True once the command has ended, so that further signals are ignored

    @property
    def code(self) -> int:
        """Exit code, as in a shell: 130 for Ctrl-C, 143 for SIGTERM, 129 for SIGHUP."""
        return 128 + (self.signal or signal.SIGINT)

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Record each signal, and raise KeyboardInterrupt at most once in :data:`GRACE` seconds."""
        if self.over:
            return
        self.signal = number
        if time.monotonic() - self._at >= GRACE:
            self._at = time.monotonic()
            raise KeyboardInterrupt

    def again(self, unraisable: Any) -> None:
        """Send the signal again if Python dropped the KeyboardInterrupt that the signal raised."""
        if self.signal and issubclass(unraisable.exc_type, KeyboardInterrupt):
            self._at = -GRACE
            threading.Timer(_AGAIN, signal.raise_signal, [self.signal]).start()
        else:
            sys.__unraisablehook__(unraisable)


@contextmanager
def stoppable(stop: Stop) -> Iterator[None]:
    """Let ``stop`` handle Ctrl-C, SIGTERM and SIGHUP inside the context.

    If the process already ignores a signal, the process continues to ignore this signal. For
    example, ``nohup`` makes a process ignore SIGHUP. Outside the main thread, the context changes
    nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    before = {n: signal.getsignal(n) for n in numbers if signal.getsignal(n) != signal.SIG_IGN}
    hook, sys.unraisablehook = sys.unraisablehook, stop.again
    try:
        for number in before:
            signal.signal(number, stop)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        sys.unraisablehook = hook
