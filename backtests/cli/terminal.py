"""What reaches the terminal: every text that is not ours is shown with its control characters.

File names, server answers, config values and errors of a user's code may hold escape sequences
that recolour a terminal, move its cursor or set its title. While a command runs, all that is
written to stdout and stderr passes :class:`Escaping`. Tables and styles are rich's, whose own
sequences pass because :func:`console` escapes the text before it is styled.
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

    #: What other modules call the terminal and a text in a style.
    Screen: TypeAlias = Console
    Styled: TypeAlias = Text

#: Control characters but for tab and newline, marks that turn the direction of text or are not
#: seen, line separators, and halves of characters.
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ud800-\udfff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def escaped(text: str) -> str:
    r"""Return a text with control characters shown, like ``\x1b``.

    >>> escaped("\x1b[31mred")
    '\\x1b[31mred'
    """
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


class Escaping:
    """A text stream that escapes what is written to another one, :attr:`stream`.

    Its :attr:`answer` is where JSON goes.
    """

    def __init__(self, stream: TextIO, answer: Any = None) -> None:
        self.stream = stream
        self.answer = self if answer is None else answer

    def write(self, text: str) -> int:
        """Write a text, escaped."""
        self.stream.write(escaped(text))
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Write some texts, escaped."""
        for line in lines:
            self.write(line)

    def close(self) -> None:
        """Do nothing: whoever borrows the stream does not end it."""

    def __getattr__(self, name: str) -> Any:
        """Return what else the stream has, but for its bytes."""
        if name in ("buffer", "detach", "reconfigure"):
            raise AttributeError(name)
        return getattr(self.stream, name)


@contextmanager
def escaping(*, json_alone: bool = False) -> Iterator[None]:
    """Escape whatever is written to stdout and stderr while inside.

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
        stream.reconfigure(errors="replace")  # σ and − on a terminal that knows ASCII alone
    return Escaping(stream)


def console(*, stderr: bool = False) -> "Console":
    """Return where tables are printed; in a pipe plain text, a line a row; NO_COLOR is obeyed.

    Square brackets are no markup; a style comes from :func:`styled`.
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
    """Return a text in a style of rich's, such as ``bold`` or ``red``."""
    from rich.text import Text

    return Text(escaped(text), style)


@contextmanager
def progress(what: str) -> Iterator[Any]:
    """Show that something is going on, on a terminal; stay quiet in a pipe.

    Yields a function that takes the name of the present step.
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
    r"""Return a character as JSON escapes it, also where JSON need not, like ``\u007f``."""
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))


def complain(kind: str, message: str) -> None:
    """Print one line on stderr, like ``error: …``; nothing when there is no stderr."""
    if sys.stderr is not None:
        line = escaped(" ".join(message.split()))
        print(f"{kind}: {_cut(line)}", file=sys.stderr, flush=True)


_LONGEST = 600


def _cut(line: str) -> str:
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def warn(message: str) -> None:
    """Print one line of warning on stderr."""
    complain("warning", message)
