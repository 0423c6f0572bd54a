"""``drypowder compare``: compare strategies with baselines, challengers and placebos."""

import os
from collections.abc import Iterable, Mapping
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backtests.cli import completion, history_choice, options
from backtests.cli.config_options import file_data
from backtests.cli.table import Columns, numbers, print_records, words
from backtests.cli.terminal import print_json, progress, say, say_limits, warn
from backtests.format import MISSING, fixed, interval, percent, text
from backtests.report.out import page_of
from backtests.simulated import source_said

if TYPE_CHECKING:
    import pandas as pd

    from backtests.cli.candidates import Candidate
    from backtests.config import RunConfig
    from backtests.evidence.comparison import Comparison
    from backtests.evidence.saved import Repeated
    from backtests.history.origin import HistorySource
    from backtests.history.panel import History
    from backtests.progress import Progress

#: Explanations of the columns, one line for each.
_LEGEND = (
    "[low, high] is the 95 % interval of the number to its left, by the stationary bootstrap.",
    "The columns 'over SPY', 'over bills' and 'over mix' show differences of mean yearly returns. "
    "A difference is the strategy's return minus the return of SPY, of bills or of a mix. The mix "
    "holds SPY and bills in constant shares. The mix has the strategy's mean net exposure. The "
    "mean net exposure is known only at the end of the backtest.",
    "alpha is the strategy's mean yearly return minus the mean yearly return of a portfolio that "
    "holds the strategy's assets at constant weights. The number t is the t-statistic of alpha "
    "(Newey–West).",
    "placebo is the fraction of placebos that the strategy's timing beats. The letter after the "
    "fraction is s for placebos with shifted dates, and r for placebos with resampled returns. The "
    "fraction is not adjusted for the number of rows.",
    "hurdle is the smallest Sharpe ratio that does not look like luck.",
    "timing is the mean yearly return from changes of weights.",
    "epi is the number of episodes. An episode is a period in which the strategy is in an active "
    "state. Two periods that are less than a quarter apart count as one episode.",
)


def compare(
    rows: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ROW",
            help="Config files, folders of finished runs, or names such as cash-heavy@quantities.",
            autocompletion=completion.rows,
        ),
    ] = None,
    store: options.Store = None,
    source: options.Source = None,
    seed: options.Seed = None,
    start: options.Start = None,
    end: options.End = None,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.toml",
            help="A TOML file with defaults for the rows that are strategy names.",
        ),
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="Set a parameter, such as volatility=0.2, in every row that has this parameter.",
        ),
    ] = None,
    lag: options.Lag = None,
    draws: Annotated[
        int, typer.Option(min=0, max=10_000, help="Number of resampled histories for placebos.")
    ] = 39,
    out: options.OutPage = Path("reports"),
    json: options.Json = False,
) -> None:
    """Compare strategies with simple rules and placebos; write a page.

    Each row is the name of a strategy, a config file that ends in .toml, or the folder of a
    finished run. If there are two rows, the command also shows the settings that differ, and the
    difference of the returns. The default rows are all strategies except the constant mix, and
    three strategies with each regime model except ``votes`` and ``labels``.
    """
    from backtests.cli.candidates import candidates_of, labelled
    from backtests.config_data import check_options
    from backtests.evidence.comparing import default_names
    from backtests.report.envelope import envelope

    page = page_of(out, "compare.html")
    defaults = file_data(config)
    given = options.given(start=start, end=end, lag=lag)
    check_options(given)
    candidates = labelled(candidates_of(rows or default_names(), defaults, given, param or ()))
    asked = history_choice.HistoryOptions(source=source, store=store, seed=seed)
    _refuse_unused(given, candidates)
    choice = history_choice.one_history(list(candidates.values()), _source_of(defaults), asked)
    with progress("comparing") as step:
        comparison, entries = _compared(candidates, choice, draws, not rows, page, step)
    first = next(iter(comparison.rows.values())).run
    if json:
        print_json(
            {**envelope(first.history, first.sessions), "notes": comparison.notes, "rows": entries}
        )
    else:
        _print(entries, page)
    for line in comparison.notes:
        warn(line)
    if first.config.end is None:
        history_choice.warn_if_stale(first.history)


def _refuse_unused(given: Mapping[str, Any], candidates: Mapping[str, "Candidate"]) -> None:
    """Raise ConfigError if an option would change the runs, but every row is a finished run."""
    from signals.errors import ConfigError

    if given and all(candidate.saved is not None for candidate in candidates.values()):
        raise ConfigError(
            f"expected --{next(iter(given))} with a strategy or a config file, but all rows are "
            "finished runs; leave the option out"
        )


def _compared(
    candidates: Mapping[str, "Candidate"],
    choice: "HistorySource",
    draws: int,
    optional: bool,
    page: Path,
    step: "Progress",
) -> tuple["Comparison", dict[str, dict[str, Any]]]:
    """Compare the rows, write the page, and return the comparison and its numbers."""
    from backtests.evidence.comparing import compare as put_side_by_side
    from backtests.evidence.comparing import series_of
    from backtests.report.compare_page import write_comparison
    from backtests.sweep.trial_log import other_trials

    configs = _configs(candidates, choice)
    whole = choice.open(series_of(configs), _last_end(configs.values()))
    comparison = put_side_by_side(
        configs,
        whole,
        log=other_trials,
        draws=draws,
        workers=os.cpu_count() or 1,
        optional=optional,
        progress=step,
    )
    numbers = write_comparison(comparison, page, _repeated(candidates, comparison, whole))
    return comparison, numbers


def _configs(
    candidates: Mapping[str, "Candidate"], choice: "HistorySource"
) -> dict[str, "RunConfig"]:
    """Return the configuration of each row, with the chosen source of history."""
    used = {"source": choice.decided(), "store": choice.store}
    return {
        label: candidate.config.model_copy(update=used) for label, candidate in candidates.items()
    }


def _source_of(defaults: Mapping[str, Any]) -> "HistorySource | None":
    """Return the source of history that a configuration states, or None."""
    from backtests.config import SOURCE
    from backtests.history.origin import HistorySource

    stated = {key: value for key, value in defaults.items() if key in SOURCE}
    return HistorySource(**stated) if stated else None


def _repeated(
    candidates: Mapping[str, "Candidate"], comparison: "Comparison", whole: "History"
) -> dict[str, "Repeated"]:
    """Return each finished run, computed again on the whole history."""
    from backtests.evidence.saved import repeat

    return {
        label: repeat(candidate.saved, comparison.rows[label].run, whole)
        for label, candidate in candidates.items()
        if candidate.saved is not None
    }


def _last_end(configs: Iterable["RunConfig"]) -> "pd.Timestamp | None":
    """Return the latest end date, or None if a configuration has no end date."""
    ends = [config.end_day() for config in configs]
    known = [end for end in ends if end is not None]
    return max(known) if len(known) == len(ends) else None


def _print(entries: dict[str, Any], page: Path) -> None:
    from backtests.evidence.entries import FEW, NOTHING
    from backtests.evidence.placebo_rank import leaning_said
    from backtests.report.compare_numbers import coverage_said
    from backtests.report.compare_words import conclusion, luck_words, saved_words, settings_words

    name, first = next(iter(entries.items()))
    label = source_said(first["source"])
    say(f"{first['start']} to {first['end']}, source: {label}")
    if first["pair"] is not None:
        against = first["pair"]["against"]
        say(f"settings of {name} against {against}: {settings_words(first['pair'])}")
    say(" ".join(conclusion(entries)))
    print_records(COLUMNS, [{"name": name, **entry} for name, entry in entries.items()])
    for name, entry in entries.items():
        if entry["saved"] is not None:
            say(saved_words(name, entry["saved"], entry))
    for line in (*_LEGEND, f"With fewer than {FEW} episodes, {NOTHING}.", coverage_said()):
        say(line)
    if any(e["placebo"] and e["placebo"]["kind"] == "resampled" for e in entries.values()):
        say(leaning_said())
    for line in luck_words(entries):
        say(line)
    say(f"page: {page}")
    say_limits(backtest=True)


def _alpha(alpha: dict[str, Any] | None) -> str:
    if alpha is None or alpha["t"] is None:
        return MISSING
    return f"{percent(alpha['estimate'])} (t {fixed(alpha['t'], 1)})"


def _placebo(placebo: dict[str, Any] | None) -> str:
    return MISSING if placebo is None else f"{fixed(placebo['rank'])}{placebo['kind'][0]}"


def _timing(split: dict[str, Any] | None) -> str:
    return MISSING if split is None else percent(split["timing"])


def _over(side: str, entry: dict[str, Any]) -> str:
    """Return the mean yearly excess over ``side`` in percent, and its confidence interval."""
    bounds = entry["intervals"][f"excess_{side}"]
    return f"{percent(bounds['estimate'])} {interval(bounds, percent)}".strip()


def _growth(entry: dict[str, Any]) -> str:
    """Return the CAGR in percent; for a row shorter than a year, return the total return."""
    if entry["cagr"] is None:
        return f"{percent(entry['total_return'])} in total"
    return percent(entry["cagr"])


COLUMNS: Columns = (
    (words("strategy"), itemgetter("name")),
    (numbers("CAGR"), _growth),
    (numbers("vol", rank=6), lambda entry: percent(entry["volatility"])),
    (numbers("Sharpe"), lambda entry: fixed(entry["sharpe"])),
    (numbers("[low, high]", rank=5), lambda entry: interval(entry["intervals"]["sharpe"], fixed)),
    (numbers("drawdown", rank=4), lambda entry: percent(entry["max_drawdown"], 0)),
    (numbers("expo", rank=8), lambda entry: percent(entry["exposure"], 0)),
    (numbers("turn", rank=9), lambda entry: percent(entry["turnover"], 0)),
    (numbers("cost", rank=10), lambda entry: percent(entry["costs"], 2)),
    (numbers("over SPY", rank=11), lambda entry: _over("spy", entry)),
    (numbers("over bills", rank=12), lambda entry: _over("bills", entry)),
    (numbers("over mix", rank=1), lambda entry: _over("mix", entry)),
    (numbers("hurdle", rank=13), lambda entry: fixed(entry["luck"]["hurdle"])),
    (numbers("timing", rank=14), lambda entry: _timing(entry["timing"])),
    (numbers("alpha", rank=7), lambda entry: _alpha(entry["alpha"])),
    (numbers("placebo", rank=3), lambda entry: _placebo(entry["placebo"])),
    (numbers("epi", rank=2), lambda entry: text(entry["episodes"])),
)
