"""The pages of the documentation, and the blocks of code in them."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: The languages of code that tests run, and of files that a block writes.
CODE = ("console", "python", "toml", "csv")
_BLOCK = re.compile(
    r"^(?:<!-- not run: (?P<reason>.*?) -->\n)?"
    r'^```(?P<language>\w*)(?: title="(?P<title>[^"]+)")?\n(?P<text>.*?)^```$'
    r"(?:\n\n```text\n(?P<output>.*?)^```$)?",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, kw_only=True)
class Block:
    """A block of code of a page.

    Attributes
    ----------
    language
        Language after the fence, such as ``console``.
    text
        Content of the block.
    title
        Name of the file that the block shows; empty for other blocks.
    reason
        Why the block does not run, from the comment above it; empty for a block that runs.
    output
        Content of the block ``text`` below; empty without one.
    """

    language: str
    text: str
    title: str
    reason: str
    output: str

    @cached_property
    def commands(self) -> tuple[str, ...]:
        """The commands of a ``console`` block; a backslash joins a line with the next one."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return tuple(" ".join(line[2:].split()) for line in lines if line.startswith("$ "))


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page and its blocks, in order."""

    path: Path

    def __str__(self) -> str:
        """Return the path below the project's folder."""
        return str(self.path.relative_to(ROOT))

    @cached_property
    def text(self) -> str:
        """The page as it stands in the repository."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """Every fenced block."""
        found = (match.groupdict(default="") for match in _BLOCK.finditer(self.text))
        return tuple(Block(**groups) for groups in found)

    @property
    def has_code(self) -> bool:
        """Whether a block of the page is code."""
        return any(block.language in CODE for block in self.blocks)


PAGES = tuple(
    Page(path=path)
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md")))
)
