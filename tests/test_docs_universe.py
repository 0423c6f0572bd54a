"""docs/universe.md and docs/terminal.md say what the program does."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from backtests.config import config_from
from backtests.runs import Run
from signals.universe import OPEN_CLASSES
from tests.cli.test_out import FILES, FOLDERS, PAGES

DOCS = Path(__file__).resolve().parent.parent / "docs"
UNIVERSE, TERMINAL = ((DOCS / f"{name}.md").read_text() for name in ("universe", "terminal"))


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", UNIVERSE, flags=re.DOTALL)


def test_the_files_are_configurations() -> None:
    sleeves, classes = (config_from(tomllib.loads(block)) for block in blocks("toml"))
    assert sleeves.build_strategy().assets == ("SPY", "SMH", "BTC-USD", "ETH-USD", "XLP", "XLU")
    assert classes.build_strategy().assets[:3] == ("SPY", "MU", "WDC")


@pytest.mark.usefixtures("briefly")
def test_the_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backtests.store.store.default_store", lambda: tmp_path / "none.duckdb")
    monkeypatch.setattr("backtests.history.origin.default_store", lambda: tmp_path / "none.duckdb")
    names: dict[str, Any] = {}
    (block,) = blocks("python")
    exec(compile(block, "docs/universe.md", "exec"), names)
    finished: Run = names["finished"]
    assert {"MU", "WDC"} <= set(finished.weights.columns)
    assert not {"STX", "ETH-USD"} & set(finished.weights.columns)


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
