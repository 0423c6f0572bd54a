"""Progress reports of long calculations.

A calculation calls its ``progress`` before each step. The command line shows the step, the count
and the time left on a terminal.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """A function that receives each step of a long calculation before the step begins."""

    def __call__(self, step: str, done: int | None = None, total: int | None = None) -> None:
        """Receive the name of the step that begins.

        If the step has parts, ``total`` is their number and ``done`` is the number of finished
        parts.

        Several steps with the same ``total`` and a growing ``done`` count as one task.
        """


def silent(step: str, done: int | None = None, total: int | None = None) -> None:
    """Report nothing."""


def counted(items: Iterable[T], progress: Progress, step: str | Callable[[T], str]) -> Iterator[T]:
    """Yield items. Before each item, report the number of finished items.

    ``step`` is one name for all steps, or a function that returns the name of an item's step.
    """
    whole = list(items)
    for done, item in enumerate(whole):
        progress(step if isinstance(step, str) else step(item), done, len(whole))
        yield item


def within(progress: Progress, before: int, whole: int) -> Progress:
    """Return the progress function of a task that is part of a longer task.

    ``before`` is the number of parts that the longer task has done before this task begins.
    ``whole`` is the number of all parts of the longer task.
    """

    def report(step: str, done: int | None = None, total: int | None = None) -> None:
        progress(step, before + (done or 0), whole)

    return report
