"""Hostile input is refused in one harmless line, with exit code 0, 2 or 3."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.forks import Ended
from benchmarks.hostile import Case, problems
from signals.errors import DataError, SimulationError
from signals.form import author_code

ROOT = Path(__file__).resolve().parents[2]


def test_hostile_input_is_refused_in_one_harmless_line() -> None:
    arguments = [sys.executable, "-m", "benchmarks.hostile", "--every", "25"]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "; 0 failed" in done.stdout


@pytest.mark.parametrize(
    ("code", "out", "err"),
    [
        (1, b"", b"error: x\n"),
        (2, b"", b"Traceback (most recent call last):\n"),
        (2, b"", b"error: \x1b[31mred\n"),
        (2, b"", "error: \u202egnp.exe\n".encode()),
        (2, b"", b"error: a\nerror: b\n"),
        (2, b"", b""),
        (0, b"hello {}", b""),
    ],
    ids=["exit 1", "traceback", "escape", "direction", "two lines", "silence", "no JSON"],
)
def test_an_answer_that_breaks_a_rule_is_noticed(code: int, out: bytes, err: bytes) -> None:
    case = Case(name="", arguments=("flags", "--json"))
    assert problems(case, Ended(code=code, out=out, err=err, seconds=0.0))
    assert not problems(case, Ended(code=2, out=b"", err=b"error: no\n", seconds=0.0))


# --- code of a user -------------------------------------------------------------------------


class _NoTextError(Exception):
    def __str__(self) -> str:
        raise ValueError("no text")

    __repr__ = __str__


class _Base(BaseException):
    pass


@pytest.mark.parametrize(
    "error",
    [SystemExit(0), SystemExit(1), _Base("no"), GeneratorExit(), _NoTextError(), MemoryError()],
    ids=["exits with 0", "exits with 1", "BaseException", "generator", "no text", "memory"],
)
def test_whatever_a_users_code_raises_is_one_error_of_the_kind_asked_for(
    error: BaseException,
) -> None:
    failed = pytest.raises(SimulationError, match=r"^mine: weights failed: ")
    with failed as caught, author_code("mine: weights", SimulationError):
        raise error
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("error", [DataError("of ours"), KeyboardInterrupt()])
def test_an_error_of_ours_and_an_interrupt_pass_through_a_users_code(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught, author_code("mine"):
        raise error
    assert caught.value is error
