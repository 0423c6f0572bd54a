"""The code of docs/notebook.md works as written, from top to bottom."""

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = (Path(__file__).resolve().parent.parent / "docs/notebook.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.mark.usefixtures("briefly", "uncharted")
def test_the_blocks_run_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in BLOCKS:
        exec(compile(block, "docs/notebook.md", "exec"), names)
    said = capsys.readouterr().out
    assert "SIMULATED: Run of near-cash-flow" in said
    assert "\nRun of equal-weight" in said, "own DataFrames are not simulated"
    assert {path.name for path in tmp_path.iterdir()} == {
        *("returns.parquet", "flags.parquet", "out")
    }


def test_the_page_names_every_choice_of_known() -> None:
    from backtests.history.frames import BY_CATALOG

    assert f'`"{BY_CATALOG}"`' in PAGE
