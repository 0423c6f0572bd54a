"""Print text on the terminal, with control characters replaced by visible text.

File names, server answers, config values and errors of a user's code can contain escape sequences.
An escape sequence can recolour a terminal, move its cursor or set its title. While a command runs,
:class:`Escaping` escapes all text to stdout and stderr.

The package rich sets a style with an escape sequence. The escape sequence of a style must reach the
terminal unchanged. So the console of :func:`console` escapes each string before rich adds the
style.
"""

import json
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TextIO, TypeAlias

from backtests.progress import Progress, silent

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    #: Other modules import ``Screen`` and ``Styled`` from this module, and need not import rich.
    Screen: TypeAlias = Console
    Styled: TypeAlias = Text

#: The characters that are escaped: control characters, invisible marks, marks of the direction of
#: text, line separators and surrogates. Tab and newline are not escaped.
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ud800-\udfff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_LONGEST = 600  # maximum length of an error or a warning, in characters
#: Each command about signals or strategies ends its text with this sentence.
RESEARCH = "Research, not investment advice."
ENDLESS = 1_000_000  # width of a pipe, in characters, so that no line breaks


def escaped(text: str) -> str:
    r"""Return ``text`` with control characters replaced by visible escapes such as ``\x1b``.

    >>> escaped("\x1b[31mred")
    '\\x1b[31mred'
    """
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


class Escaping:
    """A stream that replaces control characters in a text, and writes the text to :attr:`stream`.

    :func:`print_json` writes JSON to :attr:`answer`.
    """

    def __init__(self, stream: TextIO, answer: Any = None) -> None:
        self.stream = stream
        self.answer = self if answer is None else answer
        self.over = False  # whether the command has ended

    def write(self, text: str) -> int:
        """Escape and write a text, and return its length before escaping.

        After the command has ended, the method writes nothing. When Python exits, the package
        colorama writes an escape sequence, which the user would see. Numba loads colorama.
        """
        if not self.over:
            self.stream.write(escaped(text))
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Escape and write each text in ``lines``."""
        for line in lines:
            self.write(line)

    def close(self) -> None:
        """Do nothing, so that stdout or stderr stays open."""

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the stream, except attributes that could bypass the escaping."""
        if name in ("buffer", "detach", "reconfigure"):
            raise AttributeError(name)
        return getattr(self.stream, name)


@contextmanager
def escaping(*, json_alone: bool = False) -> Iterator[None]:
    """Escape all text that goes to stdout or stderr inside the context.

    With ``json_alone``, only :func:`print_json` writes to stdout. All other text, such as what a
    user's class prints, goes to stderr.
    """
    before = sys.stdout, sys.stderr
    streams = sys.stdout, sys.stderr = [_escaping(stream) for stream in before]
    if json_alone and None not in before:
        sys.stdout = Escaping(sys.stderr.stream, sys.stdout)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
        for stream in filter(None, streams):
            stream.over = True


def _escaping(stream: TextIO | None) -> Any:
    if stream is None:
        return None
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="replace")  # replaces σ and − on a terminal that knows only ASCII
    return Escaping(stream)


def console(*, stderr: bool = False) -> "Console":
    """Return a rich console, which obeys NO_COLOR and writes plain text into a pipe.

    In a pipe, each paragraph and each row of a table is one line, even if COLUMNS is set. Square
    brackets in a text do not set a style; use :func:`styled` for styles.
    """
    from rich.console import Console

    class Plain(Console):
        def render_str(self, text: str, **options: Any) -> "Text":
            return super().render_str(_one_line(text), **options)

    stream = sys.stderr if stderr else sys.stdout
    return Plain(
        file=getattr(stream, "stream", stream),
        width=None if _is_terminal(stream) else ENDLESS,
        highlight=False,
        markup=False,
        emoji=False,
    )


def _is_terminal(stream: Any) -> bool:
    return stream is not None and bool(stream.isatty())


def _one_line(text: str) -> str:
    return escaped(text).replace("\n", r"\n")


def styled(text: str, style: str) -> "Text":
    """Return ``text`` with one of rich's styles, such as ``bold`` or ``red``."""
    from rich.text import Text

    return Text(_one_line(text), style)


def say(*parts: "str | Text", hang: int = 0) -> None:
    """Print ``parts`` on stdout as one paragraph, with a space between two parts.

    On a terminal, lines break only between words. A word that is longer than a line, such as a
    path, stays whole. The lines after the first one begin with ``hang`` spaces.
    """
    from rich.text import Text

    screen = console()
    whole = Text(" ").join(styled(p, "") if isinstance(p, str) else p for p in parts)
    at = _breaks(whole.plain, screen.width, hang)
    for number, line in enumerate(whole.divide(at)):
        line.rstrip()
        screen.print(Text(" " * hang if number else "").append_text(line), soft_wrap=True)


def say_limits(*, backtest: bool) -> None:
    """Print that the results are not advice; for a backtest, also print what is not modelled."""
    say(f"Capacity and tax are not modelled. {RESEARCH}" if backtest else RESEARCH)


def _breaks(text: str, width: int, hang: int = 0) -> list[int]:
    """Return the positions in ``text`` at which a new line begins.

    A line has at most ``width`` characters, unless a single word is longer. ``hang`` is the number
    of spaces at the start of each line after the first.
    """
    found, column = [], 0
    for word in re.finditer(r"\s*\S+", text):
        if column and column + len(word[0]) > width:
            found.append(word.end() - len(word[0].lstrip()))
            column = hang + len(word[0].lstrip())
        else:
            column += len(word[0])
    return found


@contextmanager
def progress(what: str) -> Iterator[Progress]:
    """Show the progress of a task on the terminal, until the ``with`` block ends.

    In a pipe, nothing is shown. The context yields a function, which the task calls before each
    step. The line shows the step, the number of finished parts, and the time left. The line
    disappears at the end, also after Ctrl-C.
    """
    if not _is_terminal(sys.stderr):
        yield silent
        return
    from backtests.cli.progress_line import progress_line

    with progress_line(what, console(stderr=True)) as show, escaping():
        yield show


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
        print(_wrapped(f"{kind}: {cut}", sys.stderr), file=sys.stderr, flush=True)


def _wrapped(line: str, stream: Any) -> str:
    """Return a line, broken between words if the stream is a terminal."""
    if not _is_terminal(stream):
        return line
    ends = [0, *_breaks(line, shutil.get_terminal_size().columns), len(line)]
    return "\n".join(line[start:end].rstrip() for start, end in pairwise(ends))


def warn(message: str) -> None:
    """Print a warning on stderr, in one line."""
    complain("warning", message)
