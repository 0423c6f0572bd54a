"""Print on the terminal, with control characters made visible.

File names, server answers, config values and errors of a user's code can contain escape sequences.
An escape sequence can recolour a terminal, move its cursor or set its title. While a command runs,
:class:`Escaping` escapes all text to stdout and stderr. :func:`console` escapes a text first, and
rich then adds the style. So the escape sequences of rich stay intact.
"""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO, TypeAlias

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    #: Types for other modules, so that other modules do not import the printing parts of rich.
    Screen: TypeAlias = Console
    Styled: TypeAlias = Text

#: Control characters except tab and newline, invisible marks, marks of text direction, line
#: separators, and surrogates.
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ud800-\udfff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_LONGEST = 600  # maximum length of an error or a warning, in characters


def escaped(text: str) -> str:
    r"""Return a text with control characters replaced by visible escapes such as ``\x1b``.

    >>> escaped("\x1b[31mred")
    '\\x1b[31mred'
    """
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


class Escaping:
    """A stream that writes escaped text to :attr:`stream`, and JSON to :attr:`answer`."""

    def __init__(self, stream: TextIO, answer: Any = None) -> None:
        self.stream = stream
        self.answer = self if answer is None else answer

    def write(self, text: str) -> int:
        """Escape and write a text, and return its length before escaping."""
        self.stream.write(escaped(text))
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Write several escaped texts."""
        for line in lines:
            self.write(line)

    def close(self) -> None:
        """Do nothing, because the stream belongs to the process."""

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the stream, except attributes that give access to bytes."""
        if name in ("buffer", "detach", "reconfigure"):
            raise AttributeError(name)
        return getattr(self.stream, name)


@contextmanager
def escaping(*, json_alone: bool = False) -> Iterator[None]:
    """Escape all text that goes to stdout or stderr inside the context.

    With ``json_alone``, only :func:`print_json` writes to stdout. All other output goes to stderr,
    for example what a user's class prints.
    """
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = map(_escaping, before)
    if json_alone and None not in before:
        sys.stdout = Escaping(sys.stderr.stream, sys.stdout)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def _escaping(stream: TextIO | None) -> Any:
    if stream is None:
        return None
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="replace")  # such as σ and − on a terminal that knows only ASCII
    return Escaping(stream)


def console(*, stderr: bool = False) -> "Console":
    """Return a rich console, which obeys NO_COLOR and writes plain text into a pipe.

    In a pipe, each row of a table is one line. Square brackets in a text do not set a style;
    :func:`styled` does.
    """
    from rich.console import Console

    class Plain(Console):
        def render_str(self, text: str, **options: Any) -> "Text":
            return super().render_str(escaped(text).replace("\n", r"\n"), **options)

    stream = sys.stderr if stderr else sys.stdout
    wide = None if stream is not None and stream.isatty() else 1000
    return Plain(
        file=getattr(stream, "stream", stream),
        width=wide,
        highlight=False,
        markup=False,
        emoji=False,
    )


def styled(text: str, style: str) -> "Text":
    """Return a text with one of rich's styles, such as ``bold`` or ``red``."""
    from rich.text import Text

    return Text(escaped(text), style)


@contextmanager
def progress(what: str) -> Iterator[Any]:
    """Show the name of a task on a terminal while the context runs.

    The context yields a function that shows the current step of the task.
    """
    errors = console(stderr=True)
    if not errors.is_terminal:
        yield lambda step: None
        return
    with errors.status(styled(what, "")) as status, escaping():
        yield lambda step: status.update(styled(f"{what}: {step}", ""))


def print_json(data: Any) -> None:
    """Print plain data as JSON on stdout."""
    text = json.dumps(data, indent=2, ensure_ascii=False)
    text = _CONTROL.sub(lambda found: json.dumps(found[0])[1:-1], text)
    print(text, file=getattr(sys.stdout, "answer", sys.stdout), flush=True)


def complain(kind: str, message: str) -> None:
    """Print one line, such as ``error: …``, on stderr if stderr exists."""
    if sys.stderr is not None:
        line = escaped(" ".join(message.split()))
        cut = line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
        print(f"{kind}: {cut}", file=sys.stderr, flush=True)


def warn(message: str) -> None:
    """Print a warning on stderr, in one line."""
    complain("warning", message)
