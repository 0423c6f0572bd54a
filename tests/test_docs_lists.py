"""The lists of classes, options, files and columns in the pages of docs are complete."""

import re
from pathlib import Path

from backtests.cli.flags import COLUMNS
from backtests.importing.tables import TABLES
from backtests.report.tearsheet_tables import ROWS
from backtests.sweep.folder import FILES as SWEPT
from backtests.sweep.results import PARTS
from signals.universe import OPEN_CLASSES
from tests.cli.test_out import FILES, FOLDERS, PAGES

DOCS = Path(__file__).resolve().parent.parent / "docs"
UNIVERSE, TERMINAL = ((DOCS / f"{name}.md").read_text() for name in ("own-universe", "terminal"))


def test_every_class_is_named() -> None:
    sentence = re.search(r"The classes are (.*?)\.", UNIVERSE, flags=re.DOTALL)
    assert sentence is not None
    assert re.findall(r"`(\w+)`", sentence[1]) == list(OPEN_CLASSES)


def test_every_option_that_writes_is_in_the_table() -> None:
    rows = re.findall(r"^\| `(--\w+)` \| (.*?) \| (.*?) \|$", TERMINAL, flags=re.MULTILINE)
    listed = {(name, option) for option, names, _ in rows for name in re.findall(r"`(\w+)`", names)}
    outs = {(name, "--out") for name in (*FOLDERS, *PAGES)}
    assert listed == {*FILES, *outs, ("data", "--copy")}
    endings = {(names.strip("`"), option): said for option, names, said in rows}
    for (command, option), accepted in FILES.items():
        assert re.findall(r"`(\.\w+)`", endings[command, option]) == list(accepted)


def test_every_column_of_the_flags_is_named() -> None:
    page = (DOCS / "read-flags.md").read_text()
    listed = re.findall(r"^\| `(.+?)` \|", page.partition("## ")[0], flags=re.MULTILINE)
    assert listed == [column.heading for column, _ in COLUMNS if column.heading != "signal"]


def test_every_metric_has_its_unit_and_formula() -> None:
    """The table has the order of the tearsheet."""
    section = (DOCS / "files.md").read_text().partition("\n## Metrics\n")[2]
    listed = re.findall(r"^\| `(\w+)` \| [^|]+ \| .+ \|$", section, flags=re.MULTILINE)
    assert listed == [metric.key for metric in ROWS]


def test_every_file_that_a_sweep_leaves_is_named() -> None:
    """The folder of parts exists only while a sweep runs."""
    table = (
        (DOCS / "sweep.md").read_text().partition("\n## What is written\n")[2].partition("\n\nThe")
    )
    listed = re.findall(r"^\| `(.*?)` \|", table[0], flags=re.MULTILINE)
    assert sorted(listed) == sorted({*SWEPT} - {PARTS})


def test_the_columns_of_every_table_are_named() -> None:
    tables = (DOCS / "import.md").read_text().partition("\n## Tables and dated events\n")[2]
    named = [
        set(re.findall(r"`(\w+)`", columns))
        for columns in re.findall(r"^\|.*?\| (.*?) \|.*?\|$", tables, flags=re.MULTILINE)
    ]
    for table in TABLES:
        assert any(set(table.marks) | {table.date} <= columns for columns in named), table.marks
