"""Output to the terminal, with control characters made visible.

File names, server answers, config values and errors of a user's code can contain escape sequences
that recolour a terminal, move its cursor or set its title. While a command runs, :class:`Escaping`
escapes all text to stdout and stderr. rich draws tables and styles. Its sequences stay intact,
since :func:`console` escapes a text before rich styles it.
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

    #: Names for other modules of the terminal and of a styled text.
    Screen: TypeAlias = Console
    Styled: TypeAlias = Text

#: Control characters except tab and newline, invisible marks and marks of text direction, line
#: separators, and surrogates.
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ud800-\udfff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def escaped(text: str) -> str:
    r"""Return a text with visible escapes, such as ``\x1b``, for control characters.

    >>> escaped("\x1b[31mred")
    '\\x1b[31mred'
    """
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


class Escaping:
    """A text stream that escapes each text and writes it to another stream, :attr:`stream`.

    Its :attr:`answer` is where JSON goes.
    """

    def __init__(self, stream: TextIO, answer: Any = None) -> None:
        self.stream = stream
        self.answer = self if answer is None else answer

    def write(self, text: str) -> int:
        """Write an escaped text and return the length of the original."""
        self.stream.write(escaped(text))
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Write several escaped texts."""
        for line in lines:
            self.write(line)

    def close(self) -> None:
        """Leave the stream open, since it belongs to the process."""

    def __getattr__(self, name: str) -> Any:
        """Return another attribute of the stream, except those that give access to its bytes."""
        if name in ("buffer", "detach", "reconfigure"):
            raise AttributeError(name)
        return getattr(self.stream, name)


@contextmanager
def escaping(*, json_alone: bool = False) -> Iterator[None]:
    """Escape all text to stdout and stderr inside the context.

    With ``json_alone`` stdout gets what :func:`print_json` writes and nothing else. What a user's
    class prints then goes to stderr.
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
        stream.reconfigure(errors="replace")  # for σ and − on a terminal with ASCII only
    return Escaping(stream)


def console(*, stderr: bool = False) -> "Console":
    """Return rich's console for tables. It obeys NO_COLOR and writes plain text into a pipe.

    In a pipe each row is one line. Square brackets are text; use :func:`styled` for a style.
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
        soft_wrap=False,
        markup=False,
        emoji=False,
    )


def styled(text: str, style: str) -> "Text":
    """Return a text in a style of rich, such as ``bold`` or ``red``."""
    from rich.text import Text

    return Text(escaped(text), style)


@contextmanager
def progress(what: str) -> Iterator[Any]:
    """Show the progress of a task on a terminal; print nothing in a pipe.

    The context yields a function that takes the name of the present step.
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
    text = _CONTROL.sub(lambda found: _unicode_escape(found[0]), text)
    print(text, file=getattr(sys.stdout, "answer", sys.stdout), flush=True)


def _unicode_escape(character: str) -> str:
    r"""Return the JSON escape of a character, such as ``\u007f``."""
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))


def complain(kind: str, message: str) -> None:
    """Print one line on stderr, such as ``error: …``. Without a stderr print nothing."""
    if sys.stderr is not None:
        line = escaped(" ".join(message.split()))
        print(f"{kind}: {_cut(line)}", file=sys.stderr, flush=True)


_LONGEST = 600


def _cut(line: str) -> str:
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def warn(message: str) -> None:
    """Print a warning on stderr, in one line."""
    complain("warning", message)
