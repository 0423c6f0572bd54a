"""``drypowder run``: run one backtest and write its tearsheet and files."""

from pathlib import Path
from typing import Annotated, Any

import typer

from backtests.cli import history_choice, options, table
from backtests.cli.config_options import config_data, config_of, require_strategy
from backtests.cli.table import print_table, words
from backtests.cli.terminal import print_json, progress, say, say_limits, styled, warn
from backtests.report.out import check_out
from backtests.simulated import SIMULATED, source_said


def run(
    strategy: Annotated[str | None, options.STRATEGY] = None,
    store: options.Store = None,
    source: options.Source = None,
    seed: options.Seed = None,
    start: options.Start = None,
    end: options.End = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Folder to write to; default: reports/[SIMULATED-]<strategy>-<run id>.",
        ),
    ] = None,
    config: options.Config = None,
    param: options.Param = None,
    lag: options.Lag = None,
    robustness: Annotated[
        bool,
        typer.Option(
            help="Repeat the run with another dry_powder.k, and with other lags, costs, decision "
            "days and assets."
        ),
    ] = True,
    json: options.Json = False,
) -> None:
    """Run one backtest; write its tearsheet and files."""
    from backtests.atomic import resolved
    from backtests.evidence.assessment import assess
    from backtests.evidence.entries import observed_said
    from backtests.pipeline import run as run_pipeline
    from backtests.report.folder import check_folder, default_folder, write_run
    from backtests.report.tearsheet_numbers import notes_of
    from backtests.sweep.trial_log import other_trials

    given = options.given(strategy=strategy, start=start, end=end, lag=lag)
    asked = history_choice.HistoryOptions(source=source, store=store, seed=seed)
    data = config_data(config, param, asked, given)
    require_strategy(data)
    checked = config_of(data)
    if out is not None:
        check_out(out)
        out = resolved(out)
        check_folder(out, checked.label, "give another folder with --out")
    with progress("running") as step:
        step(checked.strategy)
        done = run_pipeline(checked)
        folder = out or default_folder(done)
        assessment = assess(
            done,
            robustness=robustness,
            log=other_trials(done),
            progress=step,
        )
        numbers = write_run(assessment, folder, step)
    observed = observed_said(assessment.absorption, assessment.own_states)
    print_json(numbers) if json else _print(numbers, observed, folder)
    for line in notes_of(done):
        warn(line)
    if checked.end is None:
        history_choice.warn_if_stale(done.history)


def _print(numbers: dict[str, Any], observed: str, folder: Path) -> None:
    from backtests.report.luck_section import luck_sentences
    from backtests.report.tearsheet_tables import rows_of
    from backtests.report.tearsheet_words import conclusion_said, in_one_regime

    described = numbers["run"]
    say(
        styled(f"{described['strategy']},", "bold"),
        f"{described['start']} to {described['end']},",
        f"source: {source_said(described['source'])}",
    )
    say(conclusion_said(numbers))
    rows = [(row["label"], *row["shown"].values()) for row in rows_of(numbers).values()]
    names = (described["strategy"], described["benchmark"], "bills")
    columns = [table.numbers(name, rank=rank) for rank, name in enumerate(names)]
    print_table((words(wraps=True), *columns), rows)
    if described["below_a_year"]:
        say(
            f"{described['sessions']} sessions are less than a year, so yearly figures are left "
            f"out. {in_one_regime(numbers)}."
        )
    say(observed)
    for line in luck_sentences(numbers):
        say(line)
    say(f"tearsheet: {folder / 'tearsheet.html'}")
    if described["simulated"]:
        say(
            f"This history is {SIMULATED}. For real history: drypowder import PATH, then run again."
        )
    say_limits(backtest=True)
