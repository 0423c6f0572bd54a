"""Print the results of ``drypowder sweep``."""

from shlex import quote
from typing import Any

from backtests.cli.table import numbers, print_table, words
from backtests.cli.terminal import print_json, say, say_limits, styled
from backtests.format import fixed, percent
from backtests.simulated import SIMULATED, source_said

#: Stages of a sweep, in the order in which they are printed.
_STAGES = {
    "preparation": "history, and the base run with two engines",
    "signals": "signals",
    "regime": "regime",
    "strategy": "strategy and decisions",
    "trading": "simulation and metrics",
    "table": "rows",
    "writing": "files",
    "all": "sweep",
    "luck": "best run with vectorbt, tests for luck, page",
}


def print_sweep(said: dict[str, Any], folder: str, *, json: bool, verbose: bool) -> None:
    """Print the numbers of a sweep as JSON, or as a table with the verdict."""
    if json:
        print_json(said)
        return
    about, best = said["sweep"], said["best"]
    say(
        styled(f"{about['strategy']},", "bold"),
        f"{about['configurations']:,} configurations, {about['start']} to {about['end']},",
        f"source: {source_said(about['source'])}",
    )
    print_table((words("best configuration"), numbers()), _rows(best))
    for sentence in said["verdict"]:
        say(sentence)
    if verbose:
        rows = [(_STAGES[s], f"{said['seconds'][s]:.1f}") for s in _STAGES if s in said["seconds"]]
        print_table((words("stage"), numbers("seconds")), rows)
    best_one = f"drypowder run --config {quote(f'{folder}/best.toml')}"
    say(f"page: {folder}/sweep.html; run the best one: {best_one}")
    if about["simulated"]:
        say(f"This history is {SIMULATED}, so its trials do not enter a log.")
    say_limits(backtest=True)


def _rows(best: dict[str, Any]) -> list[tuple[str, str]]:
    from backtests.report.sweep_maps import shown_value  # imports numpy, which --help must not

    chosen = [(path, shown_value(value)) for path, value in best["values"].items()]
    return [
        *chosen,
        ("Sharpe", fixed(best["sharpe"])),
        ("CAGR, %", percent(best["cagr"])),
        ("volatility, %", percent(best["volatility"])),
        ("max drawdown, %", percent(best["max_drawdown"])),
        ("turnover, % a year", percent(best["turnover"], 0)),
        ("costs, % a year", percent(best["costs"], 2)),
    ]
