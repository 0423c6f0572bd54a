"""One line on the terminal that shows the progress of a long command."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import Progress as Line
from rich.progress import ProgressColumn, SpinnerColumn, Task

from backtests.cli.terminal import escaped, styled
from backtests.progress import Progress

if TYPE_CHECKING:
    from backtests.cli.terminal import Screen, Styled

_MINUTE = 60  # seconds
_SPINNER = 3  # characters of the spinner and the space after it


class _Said(ProgressColumn):
    """A column that shows the step, the number of finished parts, and the remaining time.

    If the remaining time is not known, the column shows the time since the step began.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def render(self, task: Task) -> "Styled":
        spent, counts = task.elapsed or 0.0, ""
        time = in_words(spent)
        if task.total is not None:
            counts = f" · {task.completed:,.0f} of {task.total:,.0f}"
            left = time_left(task, spent)
            time = time if left is None else f"{in_words(left)} left"
        ending = f"{counts} · {time}"
        return styled(task.description[: max(0, self.width - len(ending))] + ending, "")


def time_left(task: Task, spent: float) -> float | None:
    """Return the estimated remaining time of a step, in seconds, from its mean pace so far.

    ``spent`` is the time since the step began, in seconds. If no part is done yet, or if the number
    of parts is unknown, the result is None.
    """
    done = task.completed - task.fields["before"]
    if not done or task.total is None:
        return None
    then = task.fields["then"]  # the time spent when the last part was done
    return float(max(0.0, then / done * task.remaining - (spent - then))) if task.remaining else 0.0


def in_words(seconds: float) -> str:
    """Return a time as text: in seconds below two minutes, else in minutes.

    >>> in_words(14.2), in_words(200)
    ('14 s', '3 min')
    """
    return f"{seconds:.0f} s" if seconds < 2 * _MINUTE else f"{seconds / _MINUTE:.0f} min"


@contextmanager
def progress_line(what: str, screen: "Screen") -> Iterator[Progress]:
    """Show one line while the context runs, and yield a function that changes this line."""
    line = Line(
        SpinnerColumn(),
        _Said(screen.width - _SPINNER),
        console=screen,
        transient=True,
        redirect_stdout=sys.stdout is not None and sys.stdout.isatty(),
    )

    def begin(said: str, done: int = 0, total: int | None = None) -> None:
        line.add_task(said, total=total, completed=done, before=done, then=0.0)

    def show(step: str, done: int | None = None, total: int | None = None) -> None:
        task, said, done = line.tasks[0], escaped(f"{what}: {step}"), done or 0
        if total is None or total != task.total or done < task.completed:  # another step
            line.remove_task(task.id)
            begin(said, done, total)
        elif done > task.completed:
            line.update(task.id, description=said, completed=done, then=task.elapsed or 0.0)
        else:
            line.update(task.id, description=said)

    begin(what)
    try:
        with line:
            yield show
    finally:  # an interrupt can come before the line is complete
        line.stop()
        screen.show_cursor(True)
