"""``drypowder brief``: one page for a portfolio manager."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backtests.cli import history_choice, options
from backtests.cli.config_options import config_data, config_of, without_strategy
from backtests.cli.exit_code import ExitCode, check_comparable, exit_if_flipped, flips_since_fetch
from backtests.cli.terminal import RESEARCH, console, print_json, progress, say, styled
from backtests.report.out import HTML, check_file, page_of
from backtests.simulated import label_of, source_said

if TYPE_CHECKING:
    from backtests.brief.brief import Brief
    from backtests.config import RunConfig

_TERM = 8  # width of the terms at the beginning of the lines, in characters


def brief(
    at: options.At = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="DATE",
            help="Show what changed since DATE; default: one week before the session.",
        ),
    ] = None,
    store: options.Store = None,
    source: options.Source = None,
    seed: options.Seed = None,
    config: options.Config = None,
    out: options.OutPage = Path("reports"),
    pdf: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.pdf",
            help="Write the page as a PDF, usually on one A4 sheet; needs Chromium.",
        ),
    ] = None,
    mail: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.html", help="Write the page as HTML for a mail, with inline styles."
        ),
    ] = None,
    exit_code: ExitCode = False,
    json: options.Json = False,
) -> None:
    """Write one page: the regime, its reason, and what to watch.

    From the file in --config, the command uses only the history and its end. The brief uses the
    default signals and the default regime model. A file with other signals or another regime model
    is refused.
    """
    from backtests.brief.brief import make_brief
    from backtests.report.brief_numbers import brief_numbers

    page = page_of(out, "brief.html")
    _check_files(page, pdf, mail)
    asked = history_choice.HistoryOptions(source=source, store=store, seed=seed)
    checked = _config(config, asked)
    if exit_code:
        check_comparable(checked, at)
    with progress("making the brief") as step:
        history = checked.history_source().open(end=checked.end_day())
        made = make_brief(history.until(history.session(at, "--at")), since, progress=step)
        found = flips_since_fetch(checked, history, made.sample.reading) if exit_code else None
        said = {**brief_numbers(made), "since_fetch": found}
        step("writing")
        newest = at is None and checked.end is None
        written = _write(made, said, newest, page, pdf, mail)
    print_json(said) if json else _print(said, written)
    if newest:
        history_choice.warn_if_stale(history)
    exit_if_flipped(found)


def _config(config: Path | None, asked: history_choice.HistoryOptions) -> "RunConfig":
    """Return the configuration of the brief: the chosen history, and default parameters.

    Raise ConfigError if the file would change a signal or the regime.
    """
    from backtests.config import SOURCE
    from backtests.config_data import config_from
    from signals.errors import ConfigError

    data = config_data(config, None, asked, {})
    given, default = (config_from(without_strategy(each)) for each in (data, {}))
    shown = (default.build_signals(), default.build_model())
    if (given.build_signals(), given.build_model()) != shown:
        raise ConfigError(
            "expected a file with the default signals and regime model in --config; for other "
            "signals, use drypowder flags --config"
        )
    kept = {key: value for key, value in data.items() if key in (*SOURCE, "end")}
    return config_of(without_strategy(kept))


def _check_files(page: Path, pdf: Path | None, mail: Path | None) -> None:
    """Raise ConfigError if ``pdf`` or ``mail`` cannot be written, or if ``mail`` equals ``page``.

    The check comes before the brief is computed.
    """
    from backtests.atomic import resolved
    from backtests.report.pdf import find_browser
    from signals.errors import ConfigError

    if mail is not None:
        check_file(mail, "--mail", HTML)
        if resolved(mail) == resolved(page):
            raise ConfigError(
                f"expected different files in --mail and --out, but both are '{page}'; give "
                "another name"
            )
    if pdf is not None:
        check_file(pdf, "--pdf", ".pdf")
        find_browser()


def _write(
    made: "Brief",
    said: dict[str, Any],
    newest: bool,
    page: Path,
    pdf: Path | None,
    mail: Path | None,
) -> list[Path]:
    from backtests.report.brief_page import write_brief_mail, write_brief_page
    from backtests.report.pdf import write_pdf

    write_brief_page(made, said, page, newest=newest)
    if pdf is not None:
        write_pdf(page, pdf)
    if mail is not None:
        write_brief_mail(made, said, mail, newest=newest)
    return [path for path in (page, pdf, mail) if path is not None]


def _print(said: dict[str, Any], written: Iterable[Path]) -> None:
    """Print ten lines, and further lines for missing series and for ``--exit-code``.

    If not all items of a line fit, the line ends with the number of hidden items.
    """
    from backtests.report.brief_lines import brief_lines, fitted

    width, label = console().width, label_of(said["simulated"])
    regime = styled(f"{label}{said['headline']['regime']},", "bold")
    say(regime, f"as of {said['as_of']}, source {source_said(said['source'])}")
    if said["since_fetch"] is not None:
        say(said["since_fetch"]["said"])
    for term, items in brief_lines(said):
        say(f"{term:<{_TERM}} {fitted(items, width - _TERM - 1)}", hang=_TERM + 1)
    say(f"wrote {', '.join(map(str, written))}. {RESEARCH}")
