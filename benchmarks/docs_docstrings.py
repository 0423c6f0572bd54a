"""Turn the docstrings into Markdown while mkdocs builds the API pages (see mkdocs.yml)."""

import re
from typing import Any

import griffe

#: A reference such as ``:class:`~signals.base.Signal```: role, then target.
_ROLE = re.compile(r":(?:class|func|meth|data|mod|attr):`~?([^`]+)`")
#: A numpydoc section: its name, underlined. The text before the first section has no fixed form.
_SECTION = re.compile(r"^\w+\n-{3,}$", re.MULTILINE)
#: A part of a docstring, such as Formula: a line with its name, and an indented block below.
_PART = re.compile(
    r"^(\w+)\n((?: {4}\S.*(?:\n|\Z))(?:(?: {4}.*)?(?:\n|\Z))*?)(?=\S|\Z)", re.MULTILINE
)


def as_markdown(docstring: str) -> str:
    """Return a docstring as Markdown.

    Roles become code or links. Parts such as Formula become a definition list.
    """
    text = _ROLE.sub(_reference, docstring).replace("``", "`")
    section = _SECTION.search(text)
    end = section.start() if section else len(text)
    free = re.sub(r"::$", ":", text[:end], flags=re.MULTILINE)
    return _PART.sub(_definition, free) + text[end:]


def _reference(role: re.Match[str]) -> str:
    """Return a link, or only code if no API page has the target."""
    return f'<autoref optional identifier="{role[1]}"><code>{role[1]}</code></autoref>'


def _definition(part: re.Match[str]) -> str:
    return f"\n{part[1]}\n:   {part[2].lstrip().rstrip()}\n\n"


class Docstrings(griffe.Extension):
    """Rewrite each docstring that mkdocstrings reads."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of one module, class, function or attribute."""
        if obj.docstring:
            obj.docstring.value = as_markdown(obj.docstring.value)
