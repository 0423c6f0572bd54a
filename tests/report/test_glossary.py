"""The glossary of the pages."""

import re
from pathlib import Path

import pytest

from backtests.report.glossary import TERMS, anchor, explained

CONTRIBUTING = Path(__file__).parents[2] / "CONTRIBUTING.md"


def test_pages_and_contributors_read_the_same_definition() -> None:
    rows = re.findall(r"^\| ([\w ,]+) \| (.+) \|$", CONTRIBUTING.read_text("utf-8"), re.MULTILINE)
    shared = {name: said for name, said in rows if name in TERMS}
    assert shared == {name: TERMS[name] for name in shared}
    assert {"regime", "episode", "own mix", "unlikely to be luck"} <= shared.keys()


def test_each_term_has_a_place_of_its_own() -> None:
    assert len({anchor(term) for term in TERMS}) == len(TERMS)


def test_a_link_leads_to_its_term() -> None:
    assert explained("own mix", "its mix <x>") == (
        '<a class="term" href="#term-own-mix" aria-describedby="term-own-mix">its mix &lt;x&gt;</a>'
    )


def test_an_unknown_term_is_refused() -> None:
    with pytest.raises(KeyError, match="expected a term of the glossary, was 'luk'"):
        explained("luk")
