"""On a narrow terminal, every table leaves out whole columns and never cuts off digits.

Each command runs once. Its output is then printed again on terminals of several widths. It must
agree with the output on a terminal that is wide enough for every column.
"""

import re
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import rich.table
import typer

from backtests.cli.app import app, command
from backtests.evidence.sensitivity import Moved
from backtests.sources.fetching import Outcome
from backtests.store.audit import Finding
from backtests.thesis.ledger import Verified
from tests.terminals import terminal
from tests.thesis import factory

pytestmark = pytest.mark.usefixtures("evaluated_before", "plainly", "briefly")

WIDE = 400
WIDTHS = (60, 80, 100, 120)
SIMULATED = ("--source", "simulated", "--seed", "1")
#: For each case: the module and the function that print, and the command.
CASES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "list": ("list_", "list_", ("list",)),
    "data": ("data", "_show", ("data",)),
    "data --check": ("data", "_check", ("data", "--check")),
    "data --revisions": ("data", "_revisions", ("data", "--revisions", "WALCL")),
    "flags": ("flags", "_print", ("flags", *SIMULATED)),
    "flags --at": ("flags", "_print", ("flags", *SIMULATED, "--at", "2021-03-01")),
    "flags --why": ("flags", "_why", ("flags", *SIMULATED, "--why", "dry_powder")),
    "flags --sensitivity": ("flags", "print_records", ("flags", *SIMULATED, "--sensitivity")),
    "today": ("today", "_print", ("today", *SIMULATED)),
    "today --holdings": (
        "today",
        "_print",
        ("today", "survival", *SIMULATED, "--holdings", "held.csv", "--start", "2024-12-02"),
    ),
    "brief": ("brief", "_print", ("brief", *SIMULATED)),
    "run": ("run", "_print", ("run", "memory-over-crypto-smh@quantities", *SIMULATED)),
    "compare": (
        "compare",
        "_print",
        ("compare", "near-cash-flow", "patient", *SIMULATED, "--draws", "0"),
    ),
    "sweep": (
        "sweep_said",
        "print_sweep",
        ("sweep", "near-cash-flow", *SIMULATED, "--set", "lag=1,2", "--verbose"),
    ),
    "thesis": ("thesis", "_print", ("thesis", *SIMULATED)),
    "thesis verify": ("thesis", "verify", ("thesis", "verify")),
    "check": ("check", "_say", ("check", "near-cash-flow", *SIMULATED)),
    "fetch": ("fetch", "_print", ("fetch",)),
    "import": ("import_", "_print", ("import", "in")),
}
#: Commands that print no table.
WITHOUT_TABLE = {"init"}


def outcomes() -> list[Outcome]:
    day = pd.Timestamp("2025-12-31")
    why = "HTTP 503 from https://example.org/series?id=GDP after 5 attempts"
    return [
        Outcome(name="GDP", source="FRED", failed=why),
        Outcome(name="CAPEX_TTM_YEAR_AGO_GOOGL", source="SEC", new=12_345, revised=67, last=day),
        Outcome(name="BTC-USD", source="Yahoo", note="no key", new=1_234_567, last=day),
    ]


def moved() -> list[Moved]:
    days = tuple(f"20{year:02d}-03-0{1 + year % 9}" for year in range(14, 24))
    names = ("", "absorption.injecting_enter", "scale", "A679RC1Q027SBEA ×")
    return [
        Moved(
            signal="crypto_forced_selling",
            parameter=name,
            value="bank_assets" if name == "scale" else 0.09375,
            base="gdp" if name == "scale" else 0.125,
            on=18.4,
            switches=days,
            overlap=0.123,
        )
        for name in names
    ]


@pytest.fixture
def prepared(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Give commands the store of real history, and replace slow results by made-up ones."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DRYPOWDER_STORE", str(store))
    Path("held.csv").write_text("asset,units\nSPY,1234.5678\nBTC-USD,0.12345678\nCASH,98765.43\n")
    Path("in").mkdir()
    Path("in/GDP.csv").write_text("observation_date,GDP\n2025-01-01,29962.047\n")
    Path("in/XYZ.csv").write_text("Date,Close\n2025-01-02,123.456\n")
    Path("in/notes.txt").write_text("12345 words about the year 2025\n")
    monkeypatch.setattr("backtests.thesis.trial.try_thesis", lambda *_, **__: factory.whole_trial())
    what = "expected at least 5000 USD billions, was 299.62047"
    findings = [Finding(severity="error", series="GDP", what=what)]
    monkeypatch.setattr("backtests.store.audit.check_store", lambda *_: findings)
    for page in ("thesis", "compare", "brief"):
        writer = f"backtests.report.{page}_page.write_{page}_page"
        monkeypatch.setattr(writer, lambda *_, **__: None)
    monkeypatch.setattr("backtests.evidence.sensitivity.sensitivity", lambda *_: moved())
    case = request.node.callspec.params["case"]
    if case == "fetch":
        monkeypatch.setattr("backtests.sources.fetching.fetch", lambda *_, **__: outcomes())
    if case == "import":
        monkeypatch.setenv("DRYPOWDER_STORE", "new.duckdb")
    if case == "thesis verify":
        changes = ("parameter dry_powder.k was 0.09, is 0.1125 since the line of 2024-02-01",)
        found = Verified(seals=(factory.seal(),), changes=changes)
        monkeypatch.setattr("backtests.thesis.ledger.verify", lambda *_, **__: found)
        real = replace(factory.sample().history, source="store")
        monkeypatch.setattr("backtests.history.panel.History.load", lambda *_: real)


def printing(case: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[], object]:
    """Run a command, and return a function that prints its result again."""
    module, function, words = CASES[case]
    home = import_module(f"backtests.cli.{module}")
    prints = getattr(home, function)
    if case in ("list", "thesis verify"):  # the command only prints
        return lambda: command(list(words))
    calls: list[Callable[[], object]] = []

    def note(*given: Any, **named: Any) -> None:
        calls.append(lambda: prints(*given, **named))

    monkeypatch.setattr(home, function, note)
    command(list(words))
    assert calls, f"{case} did not reach {function}"

    def again() -> None:
        with suppress(typer.Exit):  # data --check exits, because it found an error
            for call in calls:
                call()

    return again


def tables_on(
    width: int, again: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> tuple[list[list[dict[str, str]]], list[str]]:
    """Return the cells of each table by row and heading, and the printed lines."""
    made: list[Any] = []

    class Noted(rich.table.Table):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            made.append(self)

    monkeypatch.setattr(rich.table, "Table", Noted)
    with terminal(width) as screen:
        again()
    tables = []
    for table in made:
        names = [str(column.header) for column in table.columns]
        columns = [[str(cell) for cell in column._cells] for column in table.columns]
        rows = zip(*columns, strict=True) if columns else ()
        tables.append([dict(zip(names, row, strict=True)) for row in rows])
    return tables, screen.lines


@pytest.mark.parametrize("case", CASES)
@pytest.mark.usefixtures("prepared")
def test_no_digit_is_cut(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    again = printing(case, monkeypatch)
    wide, whole = tables_on(WIDE, again, monkeypatch)
    known = Counter(" ".join(whole).split())
    assert not any("left out" in line for line in whole)
    for width in WIDTHS:
        tables, lines = tables_on(width, again, monkeypatch)
        long = [line for line in lines if len(line) > width]
        assert [line for line in long if " " in line.strip()] == []  # a long path stays whole
        said = re.sub(r"left out at width \d+:.*?--json", " ", " ".join(lines))
        shown = Counter(re.sub(r"\+\d+\s+more\b", " ", said).split())
        assert shown - known == Counter(), width
        assert len(tables) == len(wide)
        for narrow_table, wide_table in zip(tables, wide, strict=True):
            assert len(narrow_table) == len(wide_table)
            for row, wide_row in zip(narrow_table, wide_table, strict=True):
                assert row.items() <= wide_row.items()
                assert Counter(" ".join(row.values()).split()) <= shown


def test_every_command_is_a_case() -> None:
    names = {c.name for c in app.registered_commands} | {g.name for g in app.registered_groups}
    assert names - WITHOUT_TABLE == {words[0] for _, _, words in CASES.values()}
