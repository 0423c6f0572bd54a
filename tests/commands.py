"""The result of a command that runs in this process."""

from collections.abc import Callable
from typing import NamedTuple


class Said(NamedTuple):
    """Exit code, stdout and stderr of a command."""

    code: int
    out: str
    err: str


Drypowder = Callable[..., Said]
