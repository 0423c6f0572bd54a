"""A docstring becomes plain text in one place, and no page or command shows markup."""

import re
from inspect import cleandoc

import pytest

import signals
from backtests.report.docstring import plain_text, sections

MARKUP = re.compile(r"`|:\w+:|\*\w|\w\*")


@pytest.mark.parametrize(
    ("docstring", "text"),
    [
        ("See :class:`signals.base.ScoreSignal`.", "See ScoreSignal."),
        ("(:meth:`injecting`), :meth:`~Capex.level`", "(injecting), level"),
        (":py:class:`the capex signal <signals.Capex>`", "Capex"),
        ("below ``enter`` and `leave`", "below enter and leave"),
        ("Howell, *Capital Wars* (2020), **twice**", "Howell, Capital Wars (2020), twice"),
        ("a * b, 2 ** 3, x*y", "a * b, 2 ** 3, x*y"),
        ("at 16:30: reserves", "at 16:30: reserves"),
    ],
)
def test_markup_is_taken_out(docstring: str, text: str) -> None:
    assert plain_text(docstring) == text


@pytest.mark.parametrize("indented", [True, False], ids=["to Python 3.12", "from Python 3.13"])
def test_sections_are_headings_with_their_text(indented: bool) -> None:
    docstring = """First line.

    Formula
        a = b, with A from :class:`Capex`,
        in ``USD``.
    Flag
        On.

    Parameters
    ----------
    k
        Not shown.
    """
    cls = type("Any", (), {"__doc__": docstring if indented else cleandoc(docstring)})
    assert sections(cls) == [
        ("what", "First line."),
        ("Formula", "a = b, with A from Capex, in USD."),
        ("Flag", "On."),
    ]


@pytest.mark.parametrize("name", signals.SIGNALS)
def test_no_definition_shows_markup(name: str) -> None:
    for heading, text in sections(signals.SIGNALS[name].signal):
        assert not MARKUP.search(f"{heading} {text}"), text
