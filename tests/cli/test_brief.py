"""drypowder brief: ten lines, its files, and its errors."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from backtests.brief.holdings import held_weights
from backtests.cli import brief
from backtests.report.brief_lines import brief_lines, fitted
from tests.commands import Drypowder
from tests.terminals import terminal

pytestmark = pytest.mark.usefixtures("briefly")


def test_brief_prints_ten_lines_and_writes_its_files(drypowder: Drypowder, tmp_path: Path) -> None:
    page, mail = tmp_path / "new" / "brief.html", tmp_path / "new" / "mail.html"
    said = drypowder("brief", "--source", "simulated", "--out", page, "--mail", mail)
    assert said.code == 0
    lines = said.out.splitlines()
    assert len(lines) == 10
    assert lines[0].startswith("SIMULATED: ")
    assert lines[-1].startswith(f"wrote {page}, {mail}.")
    assert page.is_file()
    assert mail.is_file()


def test_json_is_of_the_session_and_the_day_it_is_asked_for(
    drypowder: Drypowder, tmp_path: Path
) -> None:
    given = ("--source", "simulated", "--out", tmp_path / "b.html", "--json")
    said = drypowder("brief", *given, "--at", "2023-06-30", "--since", "2023-06-02")
    numbers = json.loads(said.out)
    assert (numbers["as_of"], numbers["compared_with"]) == ("2023-06-30", "2023-06-02")
    flags = json.loads(drypowder("flags", *given[:2], "--json", "--at", "2023-06-30").out)
    for key in ("regime", "since", "decided_by", "votes_for", "votes_against", "no_view"):
        assert numbers[key] == flags[key]
    for flip in numbers["flips"]:
        assert flip["distance"] == flags["signals"][flip["signal"]]["distance"]
        assert flip["on"] == flags["signals"][flip["signal"]]["flag"]


@pytest.mark.parametrize(
    ("given", "part"),
    [
        (("--out", "brief.pdf"), "expected --out to be a folder or an .html file"),
        (("--mail", "mail.txt"), "expected --mail to end in .html"),
        (("--pdf", "brief.html"), "expected --pdf to end in .pdf"),
        (("--at", "1980-01-01"), "lies outside the history"),
        (
            ("--since", "2024-12-31"),
            "expected --since to be earlier than the brief's session 2024-12-31",
        ),
    ],
)
def test_bad_input_gets_one_line(
    drypowder: Drypowder,
    given: tuple[str, str],
    part: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    said = drypowder("brief", "--source", "simulated", *given)
    assert said.code == 2
    assert part in said.err
    assert said.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_without_chromium_a_pdf_is_refused_before_the_work(
    drypowder: Drypowder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    said = drypowder("brief", "--source", "simulated", "--pdf", "brief.pdf")
    assert said.code == 2
    assert "leave --pdf out" in said.err
    assert list(tmp_path.iterdir()) == []


def test_at_80_columns_a_line_has_whole_items_only() -> None:
    signals = [f"signal_{number}" for number in range(10)]
    said: dict[str, Any] = {
        "simulated": False,
        "source": "store",
        "as_of": "2025-12-31",
        "headline": {"regime": "ABSORPTION since 2025-10-16", "sure_short": "0 of 3; 2"},
        "decided_by": "half of the votes",
        "pending": {"regime": "FORCED_SELLING", "sessions": 1, "needed": 2},
        "votes_for": signals[:6],
        "votes_against": signals[6:],
        "compared_with": "2025-12-24",
        "changes": [],
        "links": [
            {"link": f"L{n}", "word": ("on", "off", "no view", "no flag")[(n - 1) % 4]}
            for n in range(1, 16)
        ],
        "flips": [{"signal": name, "on": True, "flips": "u below 0.4 %"} for name in signals],
        "dates": [{"day": "2026-01-02", "short": "H.4.1"}] * 9,
        "holdings": [{"strategy": name, "weights": {"CASH": 0.55}} for name in signals],
        "late": [],
        "since_fetch": None,
    }
    with terminal(80) as screen:
        brief._print(said, [Path("reports/brief.html")])
    lines = screen.lines[1:]
    assert len(lines) == 9
    assert max(map(len, lines)) <= 80
    assert "on L1 5 9 13; off L2 6 10 14; no view L3 7 11 15; no flag L4 8 12" in lines[3]
    assert lines[4].endswith("; +8 more")
    assert lines[4].count("(u below 0.4 %)") == 2
    assert lines[6].count("55 %") == int(10 - int(lines[6].split("+")[1].split()[0]))


def empty_brief() -> dict[str, Any]:
    """Return the numbers of a brief in which all lists are empty."""
    empty = ("links", "holdings", "flips", "dates", "changes", "votes_for", "votes_against", "late")
    return {
        **{key: [] for key in empty},
        "decided_by": "none",
        "pending": None,
        "headline": {"sure_short": ""},
        "compared_with": "2025-12-24",
    }


def test_a_strategy_that_cannot_be_followed_has_no_cash() -> None:
    holdings = [
        {"strategy": "patient", "weights": {}},
        {"strategy": "survival", "weights": {"SPY": 0.4, "CASH": 0.6}},
    ]
    lines = dict(brief_lines(empty_brief() | {"holdings": holdings}))
    assert lines["cash"] == ["patient –", "survival 60 %"]


def test_a_strategy_without_cash_has_0_percent() -> None:
    """The weights of a brief leave out an asset, or cash, without a weight."""
    weights = held_weights(pd.Series({"SPY": 0.7, "XLP": 0.3, "XLU": 0.0}))
    assert weights == {"SPY": 0.7, "XLP": 0.3}
    holdings = [{"strategy": "defensive", "weights": weights}]
    lines = dict(brief_lines(empty_brief() | {"holdings": holdings}))
    assert lines["cash"] == ["defensive 0 %"]


def test_a_series_without_any_value_is_missing_and_not_late() -> None:
    late = {"what": "DGS2", "last": "2025-09-12", "affects": "no view", "unseen": False}
    missing = {"what": "SOFR", "last": None, "affects": "no view", "unseen": True}
    said = empty_brief() | {"late": [late, missing]}
    lines = dict(brief_lines(said))
    assert lines["late"] == ["DGS2 (last value known on 2025-09-12): no view"]
    assert lines["missing"] == ["SOFR: no view"]
    assert "missing" not in dict(brief_lines(said | {"late": []}))


@pytest.mark.parametrize(
    ("room", "said"),
    [(15, "one; two; three"), (14, "one; +2 more"), (12, "one; +2 more"), (3, "one; +2 more")],
)
def test_items_that_do_not_fit_are_counted(room: int, said: str) -> None:
    assert fitted(["one", "two", "three"], room) == said


def test_without_items_a_line_says_none() -> None:
    assert fitted([], 20) == "none"


def test_on_a_day_without_any_flag_the_brief_says_that_no_flag_can_flip(
    drypowder: Drypowder, tmp_path: Path
) -> None:
    early = ("--at", "2019-01-10", "--since", "2019-01-03")
    said = drypowder("brief", "--source", "simulated", *early, "--out", tmp_path / "brief.html")
    assert said.code == 0
    assert "flips    none" in said.out.splitlines()
