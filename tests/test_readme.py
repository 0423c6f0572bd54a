"""Every command and snippet of the README works as written.

``make test`` leaves out the commands and snippets; ``make readme`` and CI run them. To save
time, simulated histories have six years, and ``compare`` uses one process.
"""

import os
import re
import shlex
from pathlib import Path

import pytest

from backtests.cli.app import command
from tests.servers import Servers

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONSOLE = re.findall(r"^\$ (.+)$", README, flags=re.MULTILINE)
BLOCKS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
#: The commands, in two parts that two processes run beside each other. Both begin with the import.
LINES = [line for line in CONSOLE if line.startswith("drypowder ")]
MIDDLE = LINES.index("drypowder thesis --source simulated")
PARTS = {"runs": LINES[:MIDDLE], "trial and plugins": [LINES[0], *LINES[MIDDLE:]]}
#: The runs that each part writes into its folder of reports, and elsewhere.
WRITTEN = {
    "runs": (["SIMULATED-near-cash-flow", "cash-heavy", "near-cash-flow"], ["out"]),
    "trial and plugins": (["half-unless-scarce", "near-cash-flow"], []),
}
#: Blocks that are a file of the reader's, named in their first line.
FILES = {b.splitlines()[0][2:]: b for b in BLOCKS if re.match(r"# \w+\.py\n", b)}
PYTHON = [block for block in BLOCKS if block not in FILES.values()]


def test_the_make_targets_exist() -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    named = [line.removeprefix("make ") for line in CONSOLE if line.startswith("make ")]
    assert named == ["run", "test"]
    assert set(named) <= set(targets)


@pytest.mark.readme
@pytest.mark.usefixtures("briefly")
@pytest.mark.parametrize("part", PARTS)
def test_the_commands_run_in_order(
    part: str,
    request: pytest.FixtureRequest,
    history_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DRYPOWDER_STORE", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)  # more processes would import everything again
    monkeypatch.setattr("backtests.history.origin.default_store", lambda: tmp_path / "s.duckdb")
    monkeypatch.setattr("backtests.store.store.default_store", lambda: tmp_path / "s.duckdb")
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setenv("FRED_API_KEY", "0" * 32)
    monkeypatch.setenv("DRYPOWDER_CONTACT", "Ann Lee ann@example.org")
    with Servers(history_dir) as servers:
        for name, url in servers.env().items():
            monkeypatch.setenv(name, url)
        for line in PARTS[part]:
            arguments = shlex.split(line.replace("path/to/history", str(history_dir)))[1:]
            assert command(arguments) == 0, f"{line}\n{capsys.readouterr().err}"
            if arguments[0] == "run" or part != "runs":  # the first run is written whole
                request.getfixturevalue("plainly")
    said = capsys.readouterr()
    assert "error" not in said.err
    pages = sorted(p.parent.name for p in tmp_path.rglob("tearsheet.html"))
    usual, chosen = WRITTEN[part]
    assert [page.rsplit("-", 1)[0] for page in pages[: len(usual)]] == usual
    assert pages[len(usual) :] == chosen


def test_every_command_runs() -> None:
    assert len(LINES) == 27
    assert {line for part in PARTS.values() for line in part} == set(LINES)


@pytest.mark.readme
@pytest.mark.parametrize("snippet", PYTHON)
def test_the_snippets_run(snippet: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(snippet, "README.md", "exec"), {})
    assert "ABSORPTION" in capsys.readouterr().out


def test_links_and_pictures_exist() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).is_file(), target


def test_every_folder_named_exists() -> None:
    for name in re.findall(r"`([a-z]+/(?:[\w/.]+)?)`", README):
        assert (ROOT / name).exists() or (ROOT / "backtests" / name).exists(), name
