"""``--out`` names a folder, a file's ending names its format, a bad path is one line of error."""

import os
from pathlib import Path

import pytest

from backtests.cli.app import app
from backtests.report.out import page_of
from tests.commands import Drypowder, refused

SIMULATED = ("--source", "simulated")
#: Commands that write several files into a folder, and commands that write one page.
FOLDERS = {"run": ("run", "spy"), "sweep": ("sweep", "cash-heavy", "--set", "lag=1,2")}
PAGES = {"compare": ("compare", "spy"), "thesis": ("thesis",), "brief": ("brief",)}
#: Options that name one file, and the endings that they accept.
FILES = {
    ("flags", "--html"): (".html",),
    ("flags", "--export"): (".csv", ".parquet"),
    ("brief", "--pdf"): (".pdf",),
    ("brief", "--mail"): (".html",),
    ("data", "--export"): (".parquet",),
}


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run each test in an empty folder; a command that begins long work fails the test."""

    def worked(*_: object, **__: object) -> None:
        pytest.fail("the command began to work before it checked its paths")

    monkeypatch.chdir(tmp_path)
    for long in ("History.simulated", "History.load"):
        monkeypatch.setattr(f"backtests.history.panel.{long}", worked)


def test_every_out_option_is_listed_here() -> None:
    """The tables above must list every command that has an option for writing files."""
    found = {
        (command.callback.__name__.rstrip("_"), parameter)
        for command in app.registered_commands
        if command.callback is not None
        for parameter in ("out", "html", "pdf", "mail", "export")
        if parameter in command.callback.__annotations__
    }
    written = {(command, option.removeprefix("--")) for command, option in FILES}
    outs = {(name, "out") for name in (*FOLDERS, *PAGES) if name != "thesis"}
    assert found == written | outs


@pytest.mark.parametrize("name", PAGES)
def test_a_page_goes_into_a_folder_or_into_a_file(name: str) -> None:
    assert page_of(Path("new/folder"), f"{name}.html") == Path(f"new/folder/{name}.html")
    assert page_of(Path("new/mine.html"), f"{name}.html") == Path("new/mine.html")


@pytest.mark.parametrize("command", PAGES.values(), ids=PAGES)
def test_a_page_is_no_other_kind_of_file(drypowder: Drypowder, command: tuple[str, ...]) -> None:
    said = drypowder(*command, *SIMULATED, "--out", "page.pdf")
    refused(said, "expected --out to be a folder or an .html file, was 'page.pdf'")


@pytest.mark.parametrize("command", PAGES.values(), ids=PAGES)
def test_a_folder_with_the_name_of_the_page_is_refused(
    drypowder: Drypowder, command: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "page.html").mkdir()
    said = drypowder(*command, *SIMULATED, "--out", "page.html")
    refused(said, "'page.html' is a folder")


@pytest.mark.parametrize("command", FOLDERS.values(), ids=FOLDERS)
def test_several_files_need_a_folder(drypowder: Drypowder, command: tuple[str, ...]) -> None:
    said = drypowder(*command, *SIMULATED, "--out", "result.html")
    refused(said, "--out to be a folder for several files", "remove .html")


@pytest.mark.parametrize("command", FOLDERS.values(), ids=FOLDERS)
def test_a_folder_with_other_files_is_left_alone(
    drypowder: Drypowder, command: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("notes")
    refused(drypowder(*command, *SIMULATED, "--out", "mine"), "'notes.txt'", "--out")


@pytest.mark.parametrize("command", [*FOLDERS.values(), *PAGES.values()], ids=[*FOLDERS, *PAGES])
@pytest.mark.parametrize("out", ["file", "file/deeper"])
def test_a_file_in_place_of_a_folder_is_refused(
    drypowder: Drypowder, command: tuple[str, ...], out: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("as it was")
    refused(drypowder(*command, *SIMULATED, "--out", out), "expected a folder at", "was a file")
    assert (tmp_path / "file").read_text() == "as it was"


@pytest.mark.parametrize("command", [*FOLDERS.values(), *PAGES.values()], ids=[*FOLDERS, *PAGES])
def test_a_folder_without_permission_is_refused(
    drypowder: Drypowder,
    command: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "access", lambda *_, **__: False)  # root may write everywhere
    said = drypowder(*command, *SIMULATED, "--out", "locked")
    refused(said, f"expected to write in {tmp_path}", "no permission", "another path with --out")


@pytest.mark.parametrize(("command", "option"), FILES)
def test_a_file_option_names_its_format(drypowder: Drypowder, command: str, option: str) -> None:
    endings = " or ".join(FILES[command, option])
    said = drypowder(command, option, "file.docx")
    refused(said, f"expected {option} to end in {endings}, was 'file.docx'")


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("flags", "--export"), "held.csv"),
        (("flags", "--html"), "held.html"),
        (("brief", "--mail"), "held.html"),
        (("brief", "--pdf"), "held.pdf"),
        (("compare", "spy", "--out"), "held.html"),
        (("thesis", "--out"), "held.html"),
    ],
)
def test_a_store_is_never_replaced(
    drypowder: Drypowder, words: tuple[str, ...], name: str, tmp_path: Path
) -> None:
    Path("x.csv").write_text("observation_date,DGS2\n2024-01-02,1\n2024-01-03,1\n")
    assert drypowder("import", "x.csv", "--store", name).code == 0
    before = (tmp_path / name).read_bytes()
    said = drypowder(*words, name, "--store", name)
    refused(said, f"expected {words[-1]}", f"'{name}' is a store, which would be lost")
    assert (tmp_path / name).read_bytes() == before


@pytest.mark.parametrize(
    ("out", "mail"), [("a.html", "./a.html"), ("reports", "reports/brief.html")]
)
def test_the_mail_of_a_brief_does_not_replace_its_page(
    drypowder: Drypowder, out: str, mail: str
) -> None:
    said = drypowder("brief", *SIMULATED, "--out", out, "--mail", mail)
    refused(said, "expected different files in --mail and --out", "another name")


@pytest.mark.parametrize("command", ["run", "sweep", "compare", "thesis", "brief"])
def test_help_says_what_out_is(drypowder: Drypowder, command: str) -> None:
    said = " ".join(drypowder(command, "--help").out.split())
    assert "--out FOLDER" in said
    assert ("FOLDER|FILE.html" in said) is (command in PAGES)
