"""Read docstrings: their sections and parameters, as plain text without markup.

Before version 3.13, Python keeps the indentation of docstrings. The functions of this module remove
the indentation.
"""

import re
from inspect import cleandoc

#: A role, such as ``:class:`signals.base.ScoreSignal``` or ``:meth:`~Capex.level```.
_ROLE = re.compile(r":[\w:]+:`[~!]?(?:[^`<]*<)?([^`>]*)>?`")
_EMPHASIS = re.compile(r"(?<![\w*])(\*{1,2})(?=\S)([^*]*[^*\s])\1(?![\w*])")


def plain_text(docstring: str) -> str:
    """Return a docstring without markup.

    A Sphinx role becomes the last part of its target: a reference to ``signals.base.Signal``
    becomes ``Signal``.
    """
    text = _ROLE.sub(lambda role: role.group(1).rpartition(".")[2], docstring)
    return _EMPHASIS.sub(r"\2", text.replace("``", "")).replace("`", "")


def sections(cls: type) -> list[tuple[str, str]]:
    """Return the sections in the docstring of a class, as pairs of heading and text.

    The heading of the first pair is ``"what"``, and its text is the docstring's first line. In the
    docstring, the text below a heading must be indented. The result has no markup. The result
    ends before the first section with the heading Parameters, Attributes or Raises.
    """
    first, _, rest = plain_text(cleandoc(cls.__doc__ or "")).partition("\n")
    parts: list[tuple[str, str]] = [("what", first)]
    for line in rest.splitlines():
        if line.strip() in ("Parameters", "Attributes", "Raises"):
            break
        if line and not line.startswith(" "):
            parts.append((line, ""))
        elif line:
            heading, text = parts[-1]
            parts[-1] = (heading, f"{text} {line.strip()}".strip())
    return parts


def documented_parameters(cls: type) -> dict[str, str]:
    """Return a description of each parameter of a class and of its base classes.

    The keys are names of parameters, and each value is one line of text. The lines come from the
    docstring of a dataclass, or from the fields of a pydantic model.
    """
    described = {name: f.description for name, f in getattr(cls, "model_fields", {}).items()}
    said = {name: _remark(text) for name, text in described.items() if text}
    for base in reversed(cls.__mro__):
        own = _parameters(cleandoc(base.__doc__ or ""))
        said |= {name: text for name, text in own.items() if not text.startswith("see ")}
    return said


def _parameters(docstring: str) -> dict[str, str]:
    said: dict[str, str] = {}
    names: list[str] = []
    for line in docstring.partition("Parameters\n----------\n")[2].splitlines():
        if line.startswith(" "):
            for name in names:
                said[name] = f"{said.get(name, '')} {line.strip()}".strip()
        elif not line:
            break
        else:
            names = [name.strip() for name in line.split(",")]
    return {name: _remark(text) for name, text in said.items()}


def _remark(text: str) -> str:
    """Return a text without markup, without its full stop, and with a lower-case first letter.

    If the second letter is a capital letter, as in ``USD``, the first letter does not change.
    """
    text = " ".join(plain_text(text).split()).rstrip(".")
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]
