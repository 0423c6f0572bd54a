"""Every command and snippet of the README and of the documentation works as written.

``make test`` does not run the code of the pages; ``make test-docs`` and CI run this code. Each page
runs from top to bottom, in a folder and with a store of its own. To save time, simulated histories
have six years, pages of runs have no charts and no repeated cases, and nothing uses a second
process.

A block that cannot run has ``<!-- not run: REASON -->`` in the line above. A block ``text`` below a
block shows its output. Numbers may differ. A line with only ``…`` stands for any lines, and ``…``
within a line stands for any text. Nothing else may be left out.
"""

import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from backtests.cli.app import command
from backtests.version import __version__
from benchmarks.docs_site import TOP, each_command
from tests.pages import CODE, PAGES, ROOT, Block, Page
from tests.servers import Servers

#: Languages of blocks that tests do not run, because the blocks show outputs.
SHOWN = ("text",)
#: Largest number of blocks, in all pages, that state a reason why they do not run.
MOST_NOT_RUN = 4

Shell = Callable[[str], str]


@pytest.fixture
def servers(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], Path]]:
    """Return a function that starts the loopback sources, and returns the folder of history."""
    running: list[Servers] = []

    def folder() -> Path:
        history: Path = request.getfixturevalue("history_dir")
        if not running:
            monkeypatch.setenv("FRED_API_KEY", "0" * 32)
            monkeypatch.setenv("DRYPOWDER_CONTACT", "Ann Lee ann@example.org")
            running.append(Servers(history).__enter__())
            for name, url in running[0].env().items():
                monkeypatch.setenv(name, url)
        return history

    yield folder
    for server in running:
        server.__exit__(None, None, None)


@pytest.fixture
def shell(
    servers: Callable[[], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Shell:
    """Run a line of a ``console`` block in an empty folder, and return its output."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delenv("DRYPOWDER_STORE", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(os, "cpu_count", lambda: 1)  # each process would import again

    def run(line: str) -> str:
        if line.startswith("make "):
            assert line.removeprefix("make ") in targets(), line
        elif line.startswith("cd "):
            monkeypatch.chdir(ROOT / line.removeprefix("cd "))
        elif line != "source .venv/bin/activate":
            program, *arguments = shlex.split(line)
            assert program == "drypowder", f"{line}: teach tests/test_docs.py this command"
            if "path/to/history" in arguments or arguments[0] == "fetch":
                arguments = [a.replace("path/to/history", str(servers())) for a in arguments]
            code = command(arguments)
            out, err = capsys.readouterr()
            assert code == 0, f"{line}\n{err}"
            assert "error" not in err, line
            return out
        return ""

    return run


@pytest.fixture
def own_modules() -> Iterator[None]:
    """Forget the modules that a page wrote, because another page may use the same names."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("my_"):
            del sys.modules[name]


@pytest.mark.docs
@pytest.mark.usefixtures("briefly", "plainly", "evaluated_before", "own_modules")
@pytest.mark.parametrize("page", [page for page in PAGES if page.has_code], ids=str)
def test_the_code_of_a_page_runs(
    page: Page, shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in page.blocks:
        if block.reason or block.language not in CODE:
            continue
        said = ""
        if block.title:
            Path(block.title).write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            exec(compile(block.text, str(page), "exec"), names)
            said = capsys.readouterr().out
        for line in block.commands:
            said += shell(line)
        assert_shown(block, said)


def assert_shown(block: Block, said: str) -> None:
    """Fail if the output that a page shows differs from the real output; numbers may differ.

    A page may leave out lines only where it has a line ``…``.
    """
    if not block.output:
        return
    shown = [shape(line) for line in block.output.splitlines()]
    pattern = "".join(
        "(?:.*\n)*?" if line == "…" else ".*".join(map(re.escape, line.split("…"))) + "\n"
        for line in shown
    )
    real = "".join(f"{shape(line)}\n" for line in said.splitlines())
    assert re.fullmatch(pattern, real), f"the page shows:\n{block.output}\nthe output is:\n{said}"


def shape(line: str) -> str:
    """Return a line with # for its numbers and ids, and with single spaces."""
    line = re.sub(r"\b[0-9a-f]{12}\b", "#", line.strip())
    return re.sub(r"#+", "#", " ".join(re.sub(r"[-+−]?\d[\d.,:e+]*", "#", line).split()))


def targets() -> set[str]:
    return set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))


def test_every_block_is_run_or_says_why_not() -> None:
    unknown = [
        f"{page}: {block.language or 'no language'}"
        for page in PAGES
        for block in page.blocks
        if not block.reason and block.language not in (*CODE, *SHOWN)
    ]
    assert unknown == []
    fences = {str(page): len(re.findall(r"^```", page.text, re.MULTILINE)) for page in PAGES}
    shown = {str(page): sum(2 + 2 * bool(block.output) for block in page.blocks) for page in PAGES}
    assert fences == shown, "a block that the pattern of tests/pages.py misses"
    assert sum(bool(block.reason) for page in PAGES for block in page.blocks) <= MOST_NOT_RUN


def test_a_configuration_or_a_table_names_its_file() -> None:
    for page in PAGES:
        for block in page.blocks:
            if block.language in ("toml", "csv"):
                assert block.title, f"{page}: {block.text.splitlines()[0]}"


def test_every_command_stands_on_a_page_that_runs() -> None:
    lines = [line for page in PAGES for block in page.blocks for line in block.commands]
    for path, _, _ in each_command():
        assert any(f"{line} ".startswith(f"{path} ") for line in lines), path


def test_every_option_of_a_command_stands_on_a_page() -> None:
    text = "\n".join(page.text for page in PAGES)
    told = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))
    for path, found, _ in each_command():
        for parameter in found.params:
            names = {*parameter.opts, *parameter.secondary_opts}
            if any(name.startswith("--") for name in names):
                assert told & names, f"{path}: {names}"


def test_commands_in_sentences_exist() -> None:
    options = {
        path: {option for parameter in found.params for option in names_of(parameter)}
        for path, found, _ in each_command()
    }
    for page in PAGES:
        for text in re.findall(r"`(drypowder [^`]+)`", page.text):
            words = text.split()
            if words[1].isupper() or words[1].startswith("-"):
                continue
            path = " ".join(words[:3]) if " ".join(words[:3]) in options else " ".join(words[:2])
            assert path in options, f"{page}: {text}"
            asked = {word.split("=")[0] for word in words if word.startswith("--")}
            assert asked <= options[path], f"{page}: {text}"


def names_of(parameter: Any) -> list[str]:
    return ["--help", *parameter.opts, *parameter.secondary_opts]


def test_links_and_pictures_exist() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.text):
            assert (page.path.parent / target).is_file(), f"{page}: {target}"


def test_every_page_has_a_link_from_another_page() -> None:
    linked = {
        (page.path.parent / target).resolve()
        for page in PAGES
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.text)
        if (page.path.parent / target).resolve() != page.path
    }
    docs = {page.path for page in PAGES if page.path.parent != ROOT}
    assert docs - linked == {ROOT / "docs" / "index.md"}  # the first page of the site


def test_every_folder_named_exists() -> None:
    for page in PAGES:
        for name in re.findall(
            r"`((?:backtests|signals|strategies|tests|benchmarks|examples)/[\w/.]*)`", page.text
        ):
            mine = name.rpartition("/")[2].startswith("my_")
            assert mine or (ROOT / name).exists(), f"{page}: {name}"


def test_every_page_stands_in_the_navigation() -> None:
    listed = re.findall(r": (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), flags=re.MULTILINE)
    pages = {str(path.relative_to(ROOT / "docs")) for path in ROOT.glob("docs/**/*.md")}
    assert sorted(listed) == sorted(pages | set(TOP.values()))


def test_the_release_has_the_same_version_everywhere() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    date = re.search(r"^date-released: (\S+)$", citation, flags=re.MULTILINE)
    assert f"\nversion: {__version__}\n" in citation
    assert date is not None
    assert f"\n## [{__version__}] – {date[1]}\n" in changelog


def test_the_readme_is_one_screen_and_a_start() -> None:
    readme = next(page for page in PAGES if page.path.name == "README.md")
    assert len(readme.text.splitlines()) <= 60


@pytest.mark.parametrize("first", ["README.md", "docs/index.md"])
def test_the_first_page_gives_the_result_of_the_page_that_it_names(first: str) -> None:
    before_the_table = (ROOT / first).read_text(encoding="utf-8").partition("\n|")[0]
    text = " ".join(before_the_table.split())
    claims = re.findall(r"\[([^]]*)\]\((?:docs/)?(thesis|strategies)\.md\)", text)
    assert [page for _, page in claims] == ["thesis", "strategies"]
    for claim, page in claims:
        there = (ROOT / f"docs/{page}.md").read_text(encoding="utf-8")
        assert claim in " ".join(there.split())
