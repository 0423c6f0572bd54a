"""The short form of results: it fits a terminal, and its HTML is safe."""

from html.parser import HTMLParser

import pandas as pd
import pytest

import signals
from signals.base import Evaluation
from signals.summary import WIDTH, Summary, described, exact
from tests.readings import evaluation_of, reading_of

INDEX = pd.bdate_range("2024-01-01", periods=4)


def test_no_line_is_wider_than_a_terminal_and_no_word_is_lost() -> None:
    words = [f"word{number}" for number in range(60)]
    said = Summary(title=" ".join(words), facts={"a": " ".join(words), "longer name": "b"}).text()
    assert max(map(len, said.splitlines())) <= WIDTH
    assert said.split().count("word7") == 2
    assert "  a            word0" in said, "facts begin in one column"


def test_html_escapes_every_text() -> None:
    said = Summary(title="<b>t", facts={"<i>n": '<script src="x">'}).html()
    tags: list[str] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: tags.append(tag)  # type: ignore[method-assign]
    parser.feed(said)
    assert tags == ["table", "caption", "tbody", "tr", "th", "td"]
    assert "&lt;script" in said


def test_html_has_no_colours_of_its_own() -> None:
    """Without colours, the table can be read on a light and on a dark page."""
    said = Summary(title="t", facts={"n": "f"}).html()
    assert "#" not in said
    assert "background" not in said
    assert said.count("color:") == said.count("color:inherit")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1e12, "1,000,000,000,000"),
        (999_999_999_999.7, "1,000,000,000,000"),
        (123_456_789_012.0, "123,456,789,012"),
        (-2.5e15, "-2,500,000,000,000,000"),
        (6_543_210.5, "6,543,210.5"),
        (0.1 + 0.2, "0.3"),
        (0.0, "0"),
        (float("inf"), "inf"),
    ],
)
def test_a_number_that_a_user_chose_keeps_its_digits(value: float, shown: str) -> None:
    assert exact(value) == shown


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (INDEX, "4 sessions, 2024-01-01 to 2024-01-04"),
        (INDEX[:1], "1 session, 2024-01-01 to 2024-01-01"),
        (INDEX[:0], "no session"),
    ],
)
def test_sessions_are_counted_with_their_ends(index: pd.Index, expected: str) -> None:
    assert described(index) == expected


def test_a_reading_says_its_regime_since_when_and_which_votes_are_on() -> None:
    regime = ["NEUTRAL", "ABSORPTION", "ABSORPTION", "ABSORPTION"]
    evaluations = {
        "capex": evaluation_of([True] * 4, INDEX),
        "funding": evaluation_of([True, True, True, None], INDEX),
        "policy": evaluation_of([False] * 4, INDEX),
        "leverage": evaluation_of([True] * 4, INDEX),
    }
    said = repr(reading_of(regime, INDEX, evaluations, ("capex", "funding", "policy")))
    assert said.splitlines() == [
        "Reading of 4 signals: 4 sessions, 2024-01-01 to 2024-01-04",
        "  regime    ABSORPTION since 2024-01-02",
        "  rule      by hand",
        "  votes     flags on: 1; flags known: 2 of 3",
        "  votes on  capex",
    ]


def test_a_reading_without_a_regime_or_a_session_has_a_short_form() -> None:
    assert "none since 2024-01-01" in repr(reading_of([None] * 4, INDEX))
    assert repr(reading_of([], INDEX[:0])) == "Reading of 0 signals: no session"
    assert "Reading" in reading_of([None] * 4, INDEX)._repr_html_()


def test_the_short_form_of_a_reading_evaluates_no_signal_without_a_vote() -> None:
    """An evaluation is computed at its first use, which can take seconds."""

    class VotesOnly(dict[str, Evaluation]):
        def __getitem__(self, name: str) -> Evaluation:
            assert name == "capex"
            return super().__getitem__(name)

    both = VotesOnly.fromkeys(("capex", "leverage"), evaluation_of([True] * 4, INDEX))
    said = repr(reading_of(["NEUTRAL"] * 4, INDEX, VotesOnly(both), ("capex",)))
    assert "Reading of 2 signals" in said
    assert "votes on  capex" in said


@pytest.mark.parametrize(
    ("signal", "gauge", "expected"),
    [
        (signals.Bathtub(), "change", "% / quarter"),
        (signals.Bathtub(horizon=21), "change", "% over 21 sessions"),
        (signals.Bathtub(horizon=21), "level", "USD bn"),
        (signals.Duration(horizon=1), "spread", "pp over 1 session"),
        (signals.Duration(horizon=252), "memory", "% over 252 sessions"),
        (signals.CryptoProbe(horizon=20), "strength", "pp over 20 sessions"),
        (signals.CryptoProbe(month=5), "stablecoins", "% / quarter"),
        (signals.CostOfCapital(horizon=21), "credit", "pp over 21 sessions"),
        (signals.CostOfCapital(horizon=21), "credit_yield", "%"),
        (signals.InverseQE(horizon=126), "term_premium", "pp over 126 sessions"),
        (signals.Leverage(horizon=21), "growth", "% over 21 sessions"),
        (signals.Leverage(), "growth", "% / year"),
        (signals.Policy(horizon=21), "shock", "pp over 21 sessions"),
        (signals.Policy(horizon=21), "balance", "USD bn / quarter"),
        (signals.Policy(balance_horizon=130), "balance", "USD bn over 130 sessions"),
    ],
)
def test_the_unit_of_a_change_names_its_horizon(
    signal: signals.Signal, gauge: str, expected: str
) -> None:
    assert signal.unit(gauge) == expected
