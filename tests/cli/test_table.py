"""The terminal's table leaves out columns, by rank, where it is narrow; it cuts no digit."""

import pytest

from backtests.cli import table
from backtests.cli.table import numbers, print_table, words
from backtests.cli.terminal import console

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


def printed(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> list[str]:
    screen = console()
    screen.width = width
    monkeypatch.setattr(table, "console", lambda: screen)
    print_table(COLUMNS, ROWS)
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    ("width", "headings", "said"),
    [
        (1000, ["name", "CAGR", "alpha", "turnover", "why"], None),
        (48, ["name", "CAGR", "alpha", "why"], "left out at width 48: turnover"),
        (36, ["name", "CAGR", "why"], "left out at width 36: alpha, turnover"),
    ],
)
def test_columns_are_left_out_by_rank(
    width: int,
    headings: list[str],
    said: str | None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = printed(width, monkeypatch, capsys)
    assert lines[0].split() == headings
    assert lines[1].split()[:2] == ["near-cash-flow", "12.3"]
    assert max(map(len, lines)) <= width
    whole = " ".join(lines)
    assert whole.endswith(said) if said else "left out" not in whole


def test_a_pipe_gets_every_column_and_a_line_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(COLUMNS, ROWS)
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_headings_can_be_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    print_table((words(), words()), [("a", "b")], headed=False)
    assert capsys.readouterr().out.split() == ["a", "b"]
