"""Commands that run in this process, and what they said."""

from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import NamedTuple

from backtests.cli.app import command


class Said(NamedTuple):
    """Exit code, stdout and stderr of a command."""

    code: int
    out: str
    err: str


Drypowder = Callable[..., Said]


def said_by(*arguments: object) -> Said:
    """Run a command without the fixtures of pytest, for fixtures that several tests share."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = command([str(a) for a in arguments])
    return Said(code, out.getvalue(), err.getvalue())


def refused(said: Said, *parts: str, code: int = 2) -> None:
    """Check the exit code, that stdout is empty, and that stderr is one line with all parts."""
    assert said.out == "", said
    failed(said, *parts, code=code)


def failed(said: Said, *parts: str, code: int = 2) -> None:
    """Check the exit code, and that stderr is one line with all parts."""
    assert said.code == code, said
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1, said.err
    for part in parts:
        assert part in said.err, said.err
