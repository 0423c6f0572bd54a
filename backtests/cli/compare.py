"""``drypowder compare``: strategies next to baselines, challengers and placebos."""

import os
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from backtests.cli import completion, table
from backtests.cli.options import (
    DateOption,
    JsonOption,
    LagOption,
    SeedOption,
    SourceOption,
    StoreOption,
    choose_history,
    console,
    print_json,
    progress,
    warn,
    warn_if_stale,
)
from backtests.cli.table import print_table, words
from backtests.report.format import MISSING, fixed, interval, percent, text


def compare(
    strategies: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[STRATEGY]...",
            help="Names such as cash-heavy or cash-heavy@quantities.",
            autocompletion=completion.strategies,
        ),
    ] = None,
    store: StoreOption = None,
    source: SourceOption = None,
    seed: SeedOption = None,
    start: DateOption = None,
    end: DateOption = None,
    lag: LagOption = None,
    draws: Annotated[
        int, typer.Option(min=0, max=10_000, help="Number of resampled histories for placebos.")
    ] = 39,
    out: Annotated[Path, typer.Option("--out", help="The page to write.")] = Path(
        "reports/compare.html"
    ),
    json: JsonOption = False,
) -> None:
    """Compare strategies with baselines, challengers and placebos; write a page.

    Without names it compares every strategy, and the tilts by other regime models.
    """
    from backtests.evidence.comparison import compare as put_side_by_side
    from backtests.evidence.comparison import configs_of, default_names, growth_of, series_of
    from backtests.evidence.entries import acted_on
    from backtests.report.compare_numbers import about, comparison_numbers
    from backtests.report.compare_page import write_compare_page

    _check_page(out)
    given = {"start": start, "end": end, "lag": lag}
    base = {key: value for key, value in given.items() if value is not None}
    configs = configs_of(strategies or default_names(), base)
    choice = choose_history(source, store, seed)
    with progress("comparing") as step:
        end_day = next(iter(configs.values())).end_day()
        history = choice.open(series_of(configs), end_day)
        comparison = put_side_by_side(
            configs,
            history,
            draws=draws,
            workers=os.cpu_count() or 1,
            optional=not strategies,
            progress=step,
        )
        numbers = comparison_numbers(comparison)
        growth = growth_of(comparison)
        said = about(comparison, history)
        earned_under = acted_on(comparison.regime, said["lag"])
        write_compare_page(numbers, growth, earned_under, said, out)
    print_json(numbers) if json else _print(numbers, out)
    for line in comparison.notes:
        warn(line)
    if end is None:
        warn_if_stale(history)


def _check_page(out: Path) -> None:
    from backtests.atomic import resolved
    from signals.errors import ConfigError

    target = resolved(out)
    folder = next(parent for parent in target.parents if parent.exists())
    if out.suffix != ".html" or target.is_dir() or not folder.is_dir():
        raise ConfigError(f"expected --out to be an .html file in a folder, was '{out}'")


def _print(numbers: dict[str, Any], out: Path) -> None:
    from backtests.evidence.entries import FEW, NOTHING
    from backtests.evidence.significance import leaning_said
    from backtests.report.compare_numbers import coverage_said

    first = next(iter(numbers.values()))
    screen = console()
    label = "SIMULATED" if first["simulated"] else first["source"]
    screen.print(f"{first['start']} to {first['end']}, source: {label}")
    print_table(_COLUMNS, [(name, *_cells(entry)) for name, entry in numbers.items()])
    typer.echo(
        "[low, high]: 95 % interval by the stationary bootstrap. over …: mean yearly return minus "
        "that of SPY, of bills, and of a constant SPY/bills mix with the same mean net exposure, "
        "known only afterwards. alpha: mean yearly return beyond its assets at constant weights, "
        "and its Newey–West t. placebo: share of placebos that its timing beats (s shifted dates, "
        "r resampled returns), not adjusted for the number of rows. epi: episodes of its states; "
        "stays less than a quarter apart count as one episode. Below "
        f"{FEW} episodes {NOTHING}. {coverage_said()} {leaning_said()}"
    )
    typer.echo(f"page: {out}")
    typer.echo("Capacity and tax are not modelled. Research, not investment advice.")


_COLUMNS = (
    words("strategy"),
    table.numbers("CAGR"),
    table.numbers("vol"),
    table.numbers("Sharpe"),
    table.numbers(rank=3),
    table.numbers("drawdown"),
    table.numbers("expo", rank=5),
    table.numbers("turn", rank=6),
    table.numbers("cost", rank=7),
    table.numbers("over SPY", rank=8),
    table.numbers("over bills", rank=9),
    table.numbers("over mix", rank=1),
    table.numbers("alpha", rank=4),
    table.numbers("placebo", rank=2),
    table.numbers("epi"),
)


def _cells(entry: dict[str, Any]) -> list[str]:
    intervals, placebo = entry["intervals"], entry["placebo"]
    return [
        percent(entry["cagr"]),
        percent(entry["volatility"]),
        fixed(entry["sharpe"]),
        interval(intervals["sharpe"], fixed),
        percent(entry["max_drawdown"], 0),
        percent(entry["exposure"], 0),
        percent(entry["turnover"], 0),
        percent(entry["costs"], 2),
        *(_span(intervals[f"excess_{side}"]) for side in ("spy", "bills", "mix")),
        _alpha(entry["alpha"]),
        MISSING if placebo is None else f"{fixed(placebo['rank'])}{placebo['kind'][0]}",
        text(entry["episodes"]),
    ]


def _alpha(alpha: dict[str, Any] | None) -> str:
    """Return an alpha with its t, in percent."""
    if alpha is None or alpha["t"] is None:
        return MISSING
    return f"{percent(alpha['estimate'])} (t {fixed(alpha['t'], 1)})"


def _span(bounds: dict[str, float | None]) -> str:
    """Return an estimate with its interval, in percent."""
    return f"{percent(bounds['estimate'])} {interval(bounds, partial(percent, digits=0))}".strip()
