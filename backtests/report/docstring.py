"""A docstring as plain text: the one place that takes the markup of Sphinx out."""

import re

#: A role: ``:class:`signals.base.ScoreSignal``` or ``:meth:`~Capex.level```, shown by last name.
_ROLE = re.compile(r":[\w:]+:`[~!]?(?:[^`<]*<)?([^`>]*)>?`")
_EMPHASIS = re.compile(r"(?<![\w*])(\*{1,2})(?=\S)([^*]*[^*\s])\1(?![\w*])")


def plain_text(docstring: str) -> str:
    """Return a docstring, or a part of one, without markup.

    Roles become the last part of the name they point to, literals and emphasis their own text.
    """
    text = _ROLE.sub(lambda role: role.group(1).rpartition(".")[2], docstring)
    return _EMPHASIS.sub(r"\2", text.replace("``", "")).replace("`", "")


def sections(docstring: str) -> list[tuple[str, str]]:
    """Return the headings of a class's docstring with their text, without markup.

    What stands before the first heading comes under ``what``. A heading is a line of its own,
    indented like the docstring; the sections on parameters, attributes and errors are left out.
    """
    parts: list[tuple[str, str]] = [("what", "")]
    for line in plain_text(docstring).strip().splitlines():
        stripped = line.strip()
        if line.startswith("    ") and not line.startswith("        ") and stripped:
            if set(stripped) == {"-"} or stripped in ("Parameters", "Attributes", "Raises"):
                break
            parts.append((stripped, ""))
        elif stripped:
            heading, text = parts[-1]
            parts[-1] = (heading, f"{text} {stripped}".strip())
    return parts
