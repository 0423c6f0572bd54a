"""A terminal of a given width that keeps the text printed on it."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

_STYLE = re.compile("\x1b\\[[0-9;]*m")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True

    @property
    def text(self) -> str:
        """What was printed, without colours."""
        return _STYLE.sub("", self.getvalue())

    @property
    def lines(self) -> list[str]:
        """The printed lines, without colours and trailing spaces."""
        return [line.rstrip() for line in self.text.splitlines()]


@contextmanager
def terminal(width: int, **environment: str) -> Iterator[Terminal]:
    """While the context runs, stdout is a terminal of this width; stderr does not change."""
    screen = Terminal()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("NO_COLOR", "FORCE_COLOR"):
            patch.delenv(name, raising=False)
        for name, value in {"COLUMNS": str(width), "TERM": "xterm", **environment}.items():
            patch.setenv(name, value)
        patch.setattr("sys.stdout", screen)
        yield screen
