"""Every public name has a docstring and stands on an API page of the documentation."""

import inspect
import pydoc
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cached_property
from typing import Any, get_type_hints

import pydantic
import pytest

import backtests
import signals
import strategies
from benchmarks.docs_docstrings import as_markdown
from benchmarks.docs_site import (
    PARTS,
    catalog,
    commands,
    each_command,
    filled,
    foreign,
    linked,
    table,
)
from signals.regimes import REGIMES
from tests.pages import PAGES

PACKAGES = (signals, strategies, backtests)
PREFIXES = tuple(f"{package.__name__}." for package in PACKAGES)
NAMES = {f"{p.__name__}.{name}": getattr(p, name) for p in PACKAGES for name in p.__all__}
NAMES |= {f"signals.regimes.{cls.__name__}": cls for cls in REGIMES.values()}
CLASSES = {name: found for name, found in NAMES.items() if inspect.isclass(found)}
API = "\n".join(page.text for page in PAGES if page.path.parent.name == "api")
LISTED = re.findall(r"^::: (\S+)$", API, flags=re.MULTILINE)


def test_every_public_name_stands_once_on_an_api_page() -> None:
    assert set(NAMES) - set(LISTED) == set()
    assert len(LISTED) == len(set(LISTED))


def test_the_class_of_every_result_stands_on_an_api_page() -> None:
    listed = [pydoc.locate(name) for name in LISTED]
    results = {get_type_hints(found)["return"] for found in listed if inspect.isfunction(found)}
    own = {kind for kind in results if getattr(kind, "__module__", "").startswith(PREFIXES)}
    assert {f"{kind.__module__}.{kind.__name__}" for kind in own if kind not in listed} == set()


def test_every_class_of_a_registry_is_public() -> None:
    listed = [entry.signal for entry in signals.SIGNALS.values()]
    assert {*listed, *strategies.STRATEGIES.values()} <= set(CLASSES.values())


def test_every_public_function_and_class_has_a_docstring() -> None:
    # Python gives a dataclass without a docstring its signature as docstring.
    bare = [
        name
        for name, found in NAMES.items()
        if callable(found) and (not found.__doc__ or found.__doc__.startswith(f"{found.__name__}("))
    ]
    assert bare == []


@pytest.mark.parametrize("name", list(CLASSES))
def test_every_public_method_and_field_is_documented(name: str) -> None:
    cls = CLASSES[name]
    bare = [method for method, found in methods(cls) if not found.__doc__]
    assert bare == []
    assert undescribed(cls) == []


def methods(cls: type) -> Iterator[tuple[str, Any]]:
    """Yield the public methods and properties that a class defines."""
    for name, found in vars(cls).items():
        if name.startswith("_"):
            continue
        if isinstance(found, property | cached_property | classmethod | staticmethod):
            yield name, getattr(found, "__func__", None) or found
        elif inspect.isfunction(found):
            yield name, found


def undescribed(cls: type) -> list[str]:
    """Return the fields that neither the class nor one of its base classes describes."""
    if issubclass(cls, pydantic.BaseModel):
        return [name for name, field in cls.model_fields.items() if not field.description]
    if not is_dataclass(cls):
        return []
    text = "\n".join(inspect.getdoc(base) or "" for base in cls.__mro__ if base is not object)
    described = {
        name
        for line in re.findall(r"^([a-z_]\w*(?:, \w+)*)$", text, re.M)
        for name in line.split(", ")
    }
    return [field.name for field in fields(cls) if field.name not in described]


def test_a_field_without_a_description_is_found() -> None:
    from dataclasses import dataclass

    @dataclass
    class Half:
        """A class.

        Attributes
        ----------
        one, two
            Numbers.
        """

        one: int
        two: int
        three: int

        def four(self) -> int:
            return 4

    assert undescribed(Half) == ["three"]
    assert [name for name, found in methods(Half) if not found.__doc__] == ["four"]


def test_a_docstring_becomes_markdown() -> None:
    sections = "Parameters\n----------\nk\n    A share.\n"
    free = "See :class:`~signals.Signal`, ``k``.\n\nFormula\n    a\n    b\n\nFlag\n    On.\n\n"
    link = '<autoref optional identifier="signals.Signal"><code>signals.Signal</code></autoref>'
    assert re.sub(r"\n+", "\n", as_markdown(free + sections)) == (
        f"See {link}, `k`.\nFormula\n:   a\n    b\nFlag\n:   On.\n{sections}"
    )


def test_generated_parts_name_every_command_option_and_series() -> None:
    text = commands()
    for path, command, context in each_command():
        assert f"## `{path}`\n" in text
        for parameter in command.get_params(context):
            assert all(f"`{option}" in text or f" {option}" in text for option in parameter.opts)
    assert all(f"| `{id}` |" in catalog() for id in signals.catalog.CATALOG)


def test_every_generated_part_stands_on_one_page() -> None:
    line = r"^<!-- generated: (\S+) -->\n\*Only the built site .+\*$"
    mark = re.compile(line, re.MULTILINE)
    marks = [name for page in PAGES for name in mark.findall(page.text)]
    assert sorted(marks) == sorted(PARTS)


def test_what_a_page_would_load_from_another_host_is_found() -> None:
    assert foreign('<script async src="https://a.b/c.js"></script>') == ["https://a.b/c.js"]
    assert foreign('<link rel="stylesheet" href="//a.b/c.css">') == ["//a.b/c.css"]
    assert foreign('<link rel=stylesheet href="a.css"><a href="https://a.b">a link</a>') == []


def test_a_mark_is_filled_and_links_to_the_top_stay_inside_the_site() -> None:
    page = filled("before\n\n<!-- generated: links -->\n*Only the built site*\n\nafter")
    assert "L15" in page
    assert "generated" not in page
    assert "Only the built site" not in page
    assert linked("[a](../CONTRIBUTING.md#terms)", "glossary.md") == "[a](contributing.md#terms)"
    assert linked("[a](docs/luck.md)", "CONTRIBUTING.md") == "[a](luck.md)"
    assert table(("a", "b"), [("x|y", 1)]) == "| a | b |\n| --- | --- |\n| x\\|y | 1 |"
