"""The command line's frame: the commands, the version, and errors as one line."""

import difflib
import sys
from typing import Annotated

import typer

from backtests.cli import check, compare, data, fetch, flags, import_, init, list_, run, today
from backtests.version import __version__

app = typer.Typer(
    name="drypowder",
    help="Is AI spending absorbing liquidity? Flags known on the day, tilts, honest backtests.\n\n"
    "Research, not investment advice.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


_LONGEST = 600
_INTERRUPTED = 130  # the code for Ctrl-C
_STOPPED = "stopped; nothing was written half"


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"drypowder {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _main(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


app.command("import")(import_.import_)
app.command("fetch")(fetch.fetch)
app.command("data")(data.data)
app.command("list")(list_.list_)
app.command("flags")(flags.flags)
app.command("today")(today.today)
app.command("run")(run.run)
app.command("compare")(compare.compare)
app.command("check")(check.check)
app.command("init")(init.init)


def main() -> None:
    """Run the command line and exit."""
    sys.exit(command(sys.argv[1:]))


def command(arguments: list[str]) -> int:
    """Run one command and return its exit code: 2 for bad input, 3 when a source failed.

    Either is one line on stderr.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # σ and − on a terminal that knows ASCII alone
    try:
        code = app(arguments, standalone_mode=False) or 0
        return _say(_STOPPED, code) if code == _INTERRUPTED else code
    except typer.TyperException as error:
        return _say(_usage(error), 2)
    except (typer.Abort, KeyboardInterrupt):
        return _say(_STOPPED, _INTERRUPTED)
    except SystemExit:  # typer's answer to a pipe that is closed, as by head
        return 0
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        return _say(f"expected to read or write{where}, but: {error.strerror or error}", 2)
    except Exception as error:
        code = getattr(error, "exit_code", None)
        if not isinstance(code, int):
            raise
        return _say(str(error), code)


def _usage(error: typer.TyperException) -> str:
    """Return a usage error as one line, with the nearest command when one was mistyped."""
    message = " ".join(error.format_message().split())
    context = getattr(error, "ctx", None)
    if message.startswith("No such command") and context is not None:
        given = message.split("'")[1]
        known = context.command.list_commands(context)
        near = difflib.get_close_matches(given, known, n=1, cutoff=0.5)
        hint = f"; did you mean '{near[0]}'?" if near else ";"
        return f"unknown command '{given}'{hint} known: {', '.join(known)}"
    where = f" {context.info_name}" if context is not None and context.parent else ""
    return f"{message} (see 'drypowder{where} --help')"


def _say(message: str, code: int) -> int:
    line = " ".join(message.split())
    line = line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
    typer.echo(f"error: {line}", err=True)
    return code
