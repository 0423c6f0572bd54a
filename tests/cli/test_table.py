"""On a narrow terminal, a table leaves out columns by rank, and never cuts off digits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtests.cli.table import numbers, print_table, words
from backtests.cli.terminal import say, styled
from tests.terminals import terminal

COLUMNS = (
    words("name"),
    numbers("CAGR"),
    numbers("alpha", rank=1),
    numbers("turnover", rank=2),
    words("why", wraps=True),
)
ROWS = [
    ("near-cash-flow", "12.3", "4.5 (t 3.1)", "156", "a [0, 1] of many words"),
    ("spy", "9.4", "–", "3", ""),
]
WIDTHS = (60, 80, 100, 120)


def printed(width: int) -> list[str]:
    with terminal(width) as screen:
        print_table(COLUMNS, ROWS)
    return screen.lines


@pytest.mark.parametrize(
    ("width", "headings", "left_out"),
    [
        (400, ["name", "CAGR", "alpha", "turnover", "why"], None),
        (60, ["name", "CAGR", "alpha", "why"], "turnover"),
        (47, ["name", "CAGR", "why"], "alpha, turnover"),
    ],
)
def test_columns_are_left_out_by_rank(
    width: int, headings: list[str], left_out: str | None
) -> None:
    lines = printed(width)
    assert lines[0].split() == headings
    assert lines[1].split()[:2] == ["near-cash-flow", "12.3"]
    assert max(map(len, lines)) <= width
    note = f"left out at width {width}: {left_out}; widen the terminal or add --json"
    assert (note in " ".join(lines)) is (left_out is not None)
    assert ("left out" in " ".join(lines)) is (left_out is not None)


def test_a_table_that_cannot_be_narrower_is_printed_whole() -> None:
    lines = printed(20)
    assert lines[1] == "near-cash-flow  12.3  a [0, 1] of many words"


@given(
    cells=st.lists(
        st.tuples(*[st.text("0123456789.-", min_size=1, max_size=20)] * 4), min_size=1, max_size=4
    ),
    width=st.integers(24, 120),
)
def test_each_cell_that_is_shown_is_whole(cells: list[tuple[str, ...]], width: int) -> None:
    columns = [numbers("first"), *(numbers(f"c{rank}", rank=rank) for rank in (1, 2, 3))]
    with terminal(width) as screen:
        print_table(columns, cells)
    kept = len(screen.lines[0].split())
    assert [line.split() for line in screen.lines[1 : len(cells) + 1]] == [
        list(row[:kept]) for row in cells
    ]
    assert max(map(len, screen.lines)) <= width


def test_a_text_that_wraps_keeps_a_readable_width() -> None:
    rows = [("1", "9" * 40, "one word after another, and then some more of them")]
    with terminal(60) as screen:
        print_table((words("n"), numbers("x", rank=1), words("t", wraps=True)), rows)
    assert screen.lines[0].split() == ["n", "t"]


def test_a_pipe_gets_every_column_and_a_line_a_row(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    print_table(COLUMNS, [*ROWS, ("long", "1.0", "", "", "word " * 1000)])
    assert len(capsys.readouterr().out.splitlines()) == 4


def test_headings_can_be_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    print_table((words(), words()), [("a", "b")], headed=False)
    assert capsys.readouterr().out.split() == ["a", "b"]


def test_prose_breaks_between_words_and_a_long_word_stays_whole() -> None:
    path = "/a/very/long/path/that/is/longer/than/a/line/of/the/terminal.html"
    with terminal(30) as screen:
        say(styled("bold", "bold"), "12.34 % of the sessions, in 1,234,567.89 USD", hang=2)
        say(f"page: {path}")
    assert screen.lines == [
        *("bold 12.34 % of the sessions,", "  in 1,234,567.89 USD"),
        *("page:", path),
    ]


def test_prose_in_a_pipe_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    say("word " * 1000, "end\nnext")
    assert capsys.readouterr().out.count("\n") == 1


def test_no_color_is_obeyed() -> None:
    with terminal(80) as coloured:
        say(styled("on", "red"))
    with terminal(80, NO_COLOR="1") as plain:
        say(styled("on", "red"))
    assert coloured.getvalue() == "\x1b[31mon\x1b[0m\n"
    assert plain.getvalue() == "on\n"
