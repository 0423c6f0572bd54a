"""The command line: its commands, its version, and a one-line message for every error."""

import difflib
import errno
import os
import signal
import sys
import sysconfig
import traceback
from pathlib import Path
from typing import Annotated, Any

import typer

from backtests.cli import (
    brief,
    check,
    compare,
    data,
    fetch,
    flags,
    import_,
    init,
    list_,
    run,
    sweep,
    thesis,
    today,
)
from backtests.cli.stopping import Stop, stoppable
from backtests.cli.terminal import complain, escaping
from backtests.garbage import collect_rarely
from backtests.version import __version__

app = typer.Typer(
    name="drypowder",
    help="Is AI spending absorbing liquidity? Flags, portfolio tilts and backtests use only data "
    "that were known at the time.\n\nResearch, not investment advice.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


_HOME = Path(__file__).resolve().parents[2]
_SIGNALLED = 128  # exit code after a signal: this number plus the signal's number
STOPPED = "stopped; every written file is complete"


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"drypowder {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _main(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


app.command("import")(import_.import_)
app.command("fetch")(fetch.fetch)
app.command("data")(data.data)
app.command("list")(list_.list_)
app.command("brief")(brief.brief)
app.command("flags")(flags.flags)
app.command("today")(today.today)
app.command("run")(run.run)
app.command("compare")(compare.compare)
app.command("sweep")(sweep.sweep)
app.add_typer(thesis.app, name="thesis")
app.command("check")(check.check)
app.command("init")(init.init)


def main() -> None:
    """Run the command line and exit."""
    collect_rarely()
    code = command(sys.argv[1:])
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # from here on, Ctrl-C shows no traceback
    _flush()
    if code > _SIGNALLED:
        os._exit(code)  # sys.exit would wait for a thread that still waits for a server
    sys.exit(code)


def _flush() -> None:
    """Flush stdout and stderr.

    If a stream cannot be flushed, its text is dropped, so that Python prints no traceback at exit.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def command(arguments: list[str]) -> int:
    """Run one command and return its exit code: 2 for bad input, 3 if a source failed.

    An error is one line on stderr. The exit code is 130 after Ctrl-C, 143 after SIGTERM, and 129
    after SIGHUP.
    """
    os.environ["MPLBACKEND"] = "Agg"  # with this setting, matplotlib opens no window
    stop = Stop()
    try:
        with stoppable(stop), escaping(json_alone="--json" in arguments):
            code = _run(arguments)
            stop.over = True
    except BaseException:
        if not stop.signal:
            raise
        code = stop.code
    if code in (Stop().code, stop.code):  # typer reports every interrupt as Ctrl-C
        code = stop.code
        complain("error", STOPPED)
    return code


def _run(arguments: list[str]) -> int:
    if sum(argument.partition("=")[0] == "--config" for argument in arguments) > 1:
        return _failed("expected --config once, found it twice; put all keys into one file", 2)
    try:
        return int(app(arguments, standalone_mode=False) or 0)
    except typer.TyperException as error:
        return _failed(_usage(error), 2)
    except KeyboardInterrupt:
        return Stop().code
    except SystemExit as error:
        return _ended(error)
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        return _failed(f"expected to read or write{where}, but: {error.strerror or error}", 2)
    except BaseException as error:
        return _raised(error)


def _raised(error: BaseException) -> int:
    """Return the exit code for an error of drypowder or of a user's code.

    If the error has no exit code and does not come from a user's code, the error is raised again.
    """
    code = getattr(error, "exit_code", None)
    if isinstance(code, int):
        return _failed(str(error), code)
    if not _is_of_user(error):
        raise error
    from signals.errors import describe_exception

    said = describe_exception(error)
    return _failed(f"expected your class to run without an error, but it failed: {said}", 2)


def _is_of_user(error: BaseException) -> bool:
    """Return whether a traceback includes a file of the user.

    Files of drypowder, of Python and of installed packages do not count as files of the user.
    """
    packages = ("backtests", "signals", "strategies", "benchmarks")
    installed = map(sysconfig.get_path, ("stdlib", "platstdlib", "purelib", "platlib"))
    known = (*(str(_HOME / package) for package in packages), *installed, "<")
    frames = traceback.extract_tb(error.__traceback__)
    return not all(frame.filename.startswith(known) for frame in frames)


def _ended(error: SystemExit) -> int:
    """Return the exit code after SystemExit; the code is 2 if a user's class raised SystemExit."""
    cause = error.__context__
    if isinstance(cause, OSError) and cause.errno == errno.EPIPE:
        return 0  # the process that read the output has ended
    if not _is_of_user(error):  # typer ends shell completion by SystemExit
        return error.code if isinstance(error.code, int) else 0
    return _failed(
        f"expected your class to return, but it ended Python (SystemExit: {error.code}); remove "
        "sys.exit() from your class",
        2,
    )


def _usage(error: typer.TyperException) -> str:
    """Return a usage error in one line; for an unknown command, suggest the most similar one."""
    message = " ".join(error.format_message().split())
    context = getattr(error, "ctx", None)
    if message.startswith("No such command") and context is not None:
        given = message.split("'")[1]
        known = context.command.list_commands(context)
        near = difflib.get_close_matches(given, known, n=1, cutoff=0.5)
        hint = f"; did you mean '{near[0]}'?" if near else ";"
        return f"unknown command '{given}'{hint} known: {', '.join(known)}"
    return f"{message} (see '{_path_of(context)} --help')"


def _path_of(context: Any) -> str:
    """Return the full name of a context's command, such as ``drypowder thesis seal``."""
    names: list[str] = []
    while context is not None and context.parent is not None:
        names.insert(0, str(context.info_name))
        context = context.parent
    return " ".join(("drypowder", *names))


def _failed(message: str, code: int) -> int:
    complain("error", message)
    return code
