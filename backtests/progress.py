"""Progress reports of long calculations.

A calculation calls its ``progress`` before each step. On a terminal, the command line shows the
step, the number of finished parts and the time left.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """A function that receives each step of a long calculation before the step begins."""

    def __call__(self, step: str, done: int | None = None, total: int | None = None) -> None:
        """Receive the name of the next step, just before the step begins.

        If the step has parts, ``total`` is the number of all parts and ``done`` is the number of
        finished parts.

        Consecutive steps with the same ``total`` and a growing ``done`` belong to one task.
        """


def silent(step: str, done: int | None = None, total: int | None = None) -> None:
    """Report nothing."""


def counted(items: Iterable[T], progress: Progress, step: str | Callable[[T], str]) -> Iterator[T]:
    """Yield items one by one; before each item, report how many items are finished.

    ``step`` is the name of the step, or a function that returns a name for each item.
    """
    whole = list(items)
    for done, item in enumerate(whole):
        progress(step if isinstance(step, str) else step(item), done, len(whole))
        yield item


def within(progress: Progress, before: int, whole: int) -> Progress:
    """Return a function that turns the progress of a subtask into the progress of the main task.

    ``before`` is the number of parts of the main task that are finished before the subtask begins.
    ``whole`` is the number of all parts of the main task. The parts of the subtask count as parts
    of the main task.
    """

    def report(step: str, done: int | None = None, total: int | None = None) -> None:
        progress(step, before + (done or 0), whole)

    return report
