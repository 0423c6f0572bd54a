"""A stopped command leaves no half-written file; control characters are printed escaped."""

import ast
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from rich.progress import Task, TaskID

from backtests.atomic import PREFIX, replacing, resolved, write_text
from backtests.cli.app import STOPPED, command
from backtests.cli.progress_line import time_left
from backtests.cli.stopping import Stop, stoppable
from backtests.cli.terminal import console, escaping, print_json, progress
from backtests.progress import Progress, counted, within
from backtests.store.locking import writing
from backtests.store.store import Store
from signals.errors import ConfigError, DataError
from tests.terminals import Terminal

CLI = Path(__file__).resolve().parents[2] / "backtests" / "cli"


def write_half(path: Path, error: BaseException | type[BaseException]) -> None:
    with replacing(path) as fresh:
        fresh.write_text("half")
        raise error


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, OSError(28, "No space left")])
def test_a_write_that_fails_leaves_the_earlier_file_alone(
    tmp_path: Path, error: BaseException | type[BaseException]
) -> None:
    path = tmp_path / "page.html"
    path.write_text("earlier")
    with pytest.raises((KeyboardInterrupt, ValueError, DataError)):
        write_half(path, error)
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot sync a folder")
def test_a_write_whose_folder_cannot_be_saved_says_that_the_file_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "page.html"
    path.write_text("earlier")
    sync = os.fsync

    def failing(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(5, "Input/output error")
        sync(handle)

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(
        DataError, match=r"Input/output error\. .*page\.html has its new content now"
    ) as caught:
        write_text(path, "later")
    assert "Nothing was changed" not in str(caught.value)
    assert path.read_text() == "later"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_replaces_an_earlier_one_as_a_whole(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for name in ("a", "b"):
        with replacing(out) as fresh:
            fresh.mkdir()
            (fresh / name).write_text(name)
    assert [p.name for p in out.iterdir()] == ["b"]
    assert list(tmp_path.iterdir()) == [out]


def test_what_a_killed_program_left_is_removed_and_an_earlier_run_comes_back(
    tmp_path: Path,
) -> None:
    left = tmp_path / f"{PREFIX}abc"
    (left / "earlier" / "out").mkdir(parents=True)
    (left / "earlier" / "out" / "mine").touch()
    (left / "lock").touch()
    (tmp_path / f"{PREFIX}killed-before-it-was-locked").mkdir()
    write_text(tmp_path / "other.html", "x")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["other.html", "out"]
    assert (tmp_path / "out" / "mine").is_file()


def test_a_folder_that_is_in_use_is_left_alone(tmp_path: Path) -> None:
    with replacing(tmp_path / "one.html") as fresh:
        fresh.write_text("one")
        write_text(tmp_path / "two.html", "two")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["one.html", "two.html"]


def test_a_link_leads_to_its_file(tmp_path: Path) -> None:
    (tmp_path / "real.html").write_text("earlier")
    (tmp_path / "link.html").symlink_to("real.html")
    write_text(tmp_path / "link.html", "new")
    assert (tmp_path / "link.html").is_symlink()
    assert (tmp_path / "real.html").read_text() == "new"


def test_a_loop_of_links_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(ConfigError, match="Too many levels of symbolic links"):
        resolved(tmp_path / "loop" / "x.html")


@pytest.mark.parametrize("path", ["~nosuchuser/x", "a\0b", "a\udcff"])
def test_what_can_be_no_path_is_one_line(path: str) -> None:
    with pytest.raises(ConfigError, match="expected a valid path"):
        resolved(path)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signals_end_a_command_alike(
    number: signal.Signals,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(
        "backtests.store.store.Store.summary", lambda self: os.kill(os.getpid(), number)
    )
    assert command(["data", "--store", "any.duckdb"]) == code
    assert capsys.readouterr().err == "error: stopped; every written file is complete\n"


@pytest.mark.parametrize(
    "arguments",
    [["run", "\x1b[31m"], ["flags", "--source", "\x9b2J"], ["\x1b]0;x\x07"], ["today", "\u202ex"]],
)
def test_escapes_in_arguments_are_shown(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(arguments) == 2
    err = capsys.readouterr().err
    assert not set(err) & set("\x1b\x9b\x07\u202e")
    assert "\\x" in err or "\\u202e" in err


def test_tables_and_json_show_escapes(capsys: pytest.CaptureFixture[str]) -> None:
    console().print("\x1b[31m[bold]x[/y]")
    print_json({"a": "\x1b\x7f\x9b\udcff"})
    shown, _, said = capsys.readouterr().out.partition("\n")
    assert shown == r"\x1b[31m[bold]x[/y]"
    assert json.loads(said) == {"a": "\x1b\x7f\x9b\udcff"}
    assert r"\u007f\u009b\udcff" in said


def test_no_command_prints_past_the_terminal() -> None:
    """Only terminal.py may make a rich console, print a traceback, or use Python's own streams."""
    for path in set(CLI.glob("*.py")) - {CLI / "terminal.py"}:
        tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        names = {n.attr if isinstance(n, ast.Attribute) else getattr(n, "id", "") for n in tree}
        assert not names & {"Console", "__stdout__", "__stderr__", "buffer", "print_exc"}, path
        text = path.read_text(encoding="utf-8")
        assert "rich.text" not in text, path
        assert "rich.console" not in text, path


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["run", "spy", "--start", "1420070400"], "expected a date like 2015-01-01"),
        (["run", "near-cash-flow", "--param", "memory=A,B"], 'like memory=["A", "B"]'),
        (["import", "~nosuchuser/x"], "no such user"),
        (["run", "spy", "--source", "simulated", "--out", "~nosuchuser/x"], "no such user"),
    ],
)
def test_bad_values_get_one_line(
    arguments: list[str], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(arguments) == 2
    assert part in capsys.readouterr().err


def test_a_python_without_docstrings_is_told_on_one_line(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("strategy = 'spy'\nsource = 'simulated'\nyears = 2\n")
    words = [sys.executable, "-OO", "-m", "backtests"]
    env = os.environ | {"PYTHONPATH": str(CLI.parents[1])}
    for arguments, code in ((["list"], 0), (["run", "--config", "c.toml"], 2)):
        done = subprocess.run([*words, *arguments], cwd=tmp_path, env=env, capture_output=True)
        assert (done.returncode, done.stderr.count(b"\n")) == (code, code // 2), done.stderr


# --- signals at odd moments -------------------------------------------------------------------


@contextmanager
def no_escape() -> Iterator[None]:
    """If an interrupt escapes from the command, fail this test instead of stopping pytest."""
    try:
        yield
    except KeyboardInterrupt:
        pytest.fail("the interrupt escapes from the command")


def test_a_signal_after_the_command_has_ended_changes_nothing() -> None:
    stop = Stop()
    with no_escape(), stoppable(stop):
        stop.over = True
        signal.raise_signal(signal.SIGTERM)
    assert stop.signal == 0


def test_a_signal_before_the_first_line_of_a_command_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextmanager
    def stopped_at_once(**_: bool) -> Iterator[None]:
        signal.raise_signal(signal.SIGTERM)
        yield

    monkeypatch.setattr("backtests.cli.app.escaping", stopped_at_once)
    with no_escape():
        assert command(["list"]) == 143
    assert capsys.readouterr().err == f"error: {STOPPED}\n"


@pytest.mark.parametrize(
    "error",
    [duckdb.InterruptException("x"), RuntimeError("Query interrupted")],
    ids=["own", "bare"],
)
def test_a_signal_that_duckdb_reports_stops_like_any_other(
    error: Exception, tmp_path: Path
) -> None:
    path = tmp_path / "store.duckdb"
    with pytest.raises(KeyboardInterrupt), writing(path, 0.0):
        raise error
    with pytest.raises(RuntimeError, match="another"), writing(path, 0.0):
        raise RuntimeError("another")


def test_a_copy_of_a_store_that_is_stopped_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        assert not copy.exists(), "a killed program would leave this file"
        raise KeyboardInterrupt

    held, copy = Store(tmp_path / "held.duckdb"), tmp_path / "copy.duckdb"
    with writing(held.path, 0.0):
        pass
    monkeypatch.setattr("backtests.store.store.append_rows", stop)
    with pytest.raises(KeyboardInterrupt):
        held.copy(copy, pd.Timestamp("2030-01-01"))
    assert not [p for p in tmp_path.iterdir() if "copy" in p.name or p.name.startswith(PREFIX)]


# --- Progress on a terminal -------------------------------------------------------------------


def shown_while(steps: Callable[[Progress], None]) -> str:
    """Return the text that a terminal receives on stderr while a task reports its steps."""
    screen = Terminal()
    with pytest.MonkeyPatch.context() as patch, suppress(KeyboardInterrupt):
        patch.setattr("sys.stderr", screen)
        patch.setenv("COLUMNS", "80")
        patch.setenv("TERM", "xterm")
        with progress("counting") as step:
            steps(step)
    return screen.getvalue()


def test_progress_shows_step_count_and_time_left_and_is_gone_at_the_end() -> None:
    def work(step: Progress) -> None:
        for item in counted(range(3), step, "sheep"):
            time.sleep(0.25)  # for a refresh
            assert item < 3

    shown = shown_while(work)
    assert "counting: sheep · 0 of 3 · " in shown
    assert re.search(r"counting: sheep · 2 of 3 · \d+ s left", shown)
    assert shown.endswith("\x1b[2K\x1b[?25h")  # the line is erased, and the cursor is back


def test_an_interrupt_leaves_a_clean_terminal() -> None:
    def work(step: Progress) -> None:
        step("sheep", 1, 3)
        raise KeyboardInterrupt

    shown = shown_while(work)
    assert shown.count("\x1b[?25h") >= shown.count("\x1b[?25l") == 1
    assert shown.endswith("\x1b[2K\x1b[?25h")


def test_an_interrupt_while_the_line_begins_shows_the_cursor_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(self: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("rich.live._RefreshThread.start", interrupted)
    shown = shown_while(lambda step: None)
    assert "\x1b[?25l" in shown
    assert shown.endswith("\x1b[?25h")


def test_progress_is_quiet_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("counting") as step:
        step("sheep", 1, 3)
    assert capsys.readouterr() == ("", "")


def test_the_time_left_follows_the_mean_pace() -> None:
    def task(done: int, *, before: int, then: float) -> Task:
        fields = {"before": before, "then": then}
        return Task(TaskID(0), "", 10, done, _get_time=lambda: 0.0, fields=fields)

    assert time_left(task(0, before=0, then=0.0), 5.0) is None
    assert time_left(task(4, before=0, then=8.0), 8.0) == 12.0
    assert time_left(task(4, before=0, then=8.0), 11.0) == 9.0
    assert time_left(task(4, before=0, then=8.0), 60.0) == 0.0
    assert time_left(task(6, before=4, then=8.0), 8.0) == 16.0  # four were done before
    assert time_left(task(10, before=0, then=8.0), 9.0) == 0.0


def test_a_part_of_a_longer_task_counts_on() -> None:
    said: list[tuple[str, int | None, int | None]] = []
    whole = within(lambda *given: said.append(given), 5, 9)
    assert list(counted("ab", whole, str.upper)) == ["a", "b"]
    assert said == [("A", 5, 9), ("B", 6, 9)]


def test_a_stream_of_an_ended_command_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    """When Python exits, colorama writes to the stream that was stdout when numba loaded it."""
    with escaping():
        kept = sys.stdout
        print("during")
    kept.write("\x1b[0m")
    assert capsys.readouterr().out == "during\n"
