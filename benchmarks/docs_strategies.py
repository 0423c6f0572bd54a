"""Compute the numbers of docs/strategies.md, with a function for each block.

Every function takes the rows of ``drypowder compare --start 2015-01-01 --json`` and returns
Markdown. ``benchmarks/docs_numbers.py`` writes the blocks into the page.
"""

from collections.abc import Mapping
from typing import Any

from backtests.config_data import config_from
from backtests.evidence.comparing import compare, default_names
from backtests.evidence.entries import ENOUGH, SIGNIFICANT
from backtests.history.panel import History
from backtests.report.compare_numbers import comparison_numbers
from benchmarks.docs_flags import START, table

#: A mapping from the name of each strategy to its numbers.
Numbers = Mapping[str, Mapping[str, Any]]

PLAIN = ("strategy", "CAGR", "vol", "Sharpe", "drawdown", "exposure", "turnover", "costs")
#: Columns that count how often a state began. An older file may have only one of these columns.
COUNTS = ("episodes", "entered")
RIVALS = ("hidden_markov", "markov_switching", "jump_model")


def numbers_of(history: History, names: tuple[str, ...] = (), **given: Any) -> Numbers:
    """Return the numbers of a comparison; ``given`` contains keyword arguments of ``compare``."""
    every = names or default_names()
    configs = {name: config_from({"strategy": name, "start": START}) for name in every}
    return comparison_numbers(compare(configs, history, optional=not names, **given))


def strategies_table(numbers: Numbers) -> str:
    """Return a table with a row for each strategy: figures, differences, rank and counts."""
    counts = [name for name in COUNTS if name in next(iter(numbers.values()))]
    header = (*PLAIN, "over SPY", "over own mix", "placebo", *counts)
    return table(header, [_row(label, entry, counts) for label, entry in numbers.items()])


def _row(label: str, entry: Mapping[str, Any], counts: list[str]) -> tuple[str, ...]:
    intervals, placebo = entry["intervals"], entry["placebo"]
    return (
        *plain_cells(label, entry),
        _span(intervals["excess_spy"]),
        _span(intervals["excess_mix"]),
        "–" if placebo is None else f"{placebo['rank']:.2f} {placebo['kind'][0]}",
        *("–" if entry[name] is None else str(entry[name]) for name in counts),
    )


def plain_cells(label: str, entry: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the first cells of a row: name, returns, risks and trading."""
    sharpe = entry["intervals"]["sharpe"]
    between = f"[{number(sharpe['low'], 2)}, {number(sharpe['high'], 2)}]"
    return (
        f"`{label}`",
        percent(entry["cagr"], 1),
        percent(entry["volatility"], 1),
        f"{number(entry['sharpe'], 2)} {between}",
        percent(entry["max_drawdown"], 0),
        percent(entry["exposure"], 0),
        percent(entry["turnover"], 0),
        percent(entry["costs"], 2),
    )


def number(value: float | None, digits: int) -> str:
    """Return a number with a typographic minus sign, or a dash for None."""
    return "–" if value is None else f"{value:.{digits}f}".replace("-", "−")


def percent(value: float | None, digits: int) -> str:
    """Return a fraction in percent, without the percent sign."""
    return number(None if value is None else 100 * value, digits)


def _span(interval: Mapping[str, float | None]) -> str:
    ends = ", ".join(percent(interval[end], 0) for end in ("low", "high"))
    return f"{percent(interval['estimate'], 1)} [{ends}]"


def sample_line(numbers: Numbers) -> str:
    """Return the first day, last day and number of returns of the comparison."""
    entry = next(iter(numbers.values()))
    return f"{entry['start']} to {entry['end']}, {entry['sessions']:,} daily returns."


def luck_line(numbers: Numbers) -> str:
    """Return a sentence: how often luck alone puts at least one strategy above all its placebos."""
    placebos = [entry["placebo"] for entry in numbers.values() if entry["placebo"]]
    drawn = [placebo for placebo in placebos if placebo["kind"] == "resampled"]
    if not drawn:
        return "No strategy has a rank among placebos on resampled histories."
    n = drawn[0]["n"]
    top = 1 - (1 - 1 / (n + 1)) ** len(drawn)
    return (
        "No figure is adjusted for the number of strategies. In the table, "
        f"{len(drawn)} strategies have a rank among {n} placebos on resampled histories. If these "
        "ranks were independent, luck alone would put at least one strategy above all its placebos "
        f"in {100 * top:.0f} % of cases."
    )


def findings(numbers: Numbers) -> str:
    """Return the list of findings on the thesis."""
    lines = (_timing, _defence, _rivals, _pair, _hindsight, _patience)
    return "\n".join(f"- {line(numbers)}" for line in lines)


def _timing(numbers: Numbers) -> str:
    ranked = {n: e["placebo"] for n, e in numbers.items() if e["placebo"]}
    significant = [n for n, p in ranked.items() if p["p_value"] <= SIGNIFICANT and p["n"] >= ENOUGH]
    ranks = ", ".join(
        f"`{name}` {100 * ranked[name]['rank']:.0f} % (p {ranked[name]['p_value']:.2f})"
        for stem in ("cash-heavy", "defensive")
        for name in (stem, f"{stem}@quantities")
        if name in ranked
    )
    named = ", ".join(f"`{name}`" for name in significant) or "none"
    return (
        f"**Timing.** Strategies whose timing is significant (p-value at most {SIGNIFICANT:g}, at "
        f"least {ENOUGH} placebos): {named}. Share of placebos that a strategy beats, with its "
        f"p-value: {ranks}."
    )


def _defence(numbers: Numbers) -> str:
    said = ". ".join(
        f"The maximum drawdown of `{name}` was {percent(-e['max_drawdown'], 0)} %, and that of "
        f"its own mix was {percent(-e['mix']['max_drawdown'], 0)} %. The mean return of `{name}` "
        f"over its own mix was {_span(e['intervals']['excess_mix'])} percentage points a year"
        for name, e in ((n, numbers[n]) for n in ("cash-heavy", "defensive"))
    )
    return f"**Defence.** {said}."


def _rivals(numbers: Numbers) -> str:
    others = [numbers[n]["sharpe"] for r in RIVALS if (n := f"cash-heavy@{r}") in numbers]
    among = f"{min(others):.2f} to {max(others):.2f}" if others else "not run"
    return (
        "**Rivals.** The Sharpe ratio of `cash-heavy` is "
        f"{number(numbers['cash-heavy']['sharpe'], 2)} with the votes, "
        f"{number(numbers['cash-heavy@quantities']['sharpe'], 2)} with quantities alone and "
        f"{among} with the price-only regime models. The thesis is about quantities. With the "
        "votes, the regime also uses signals of prices. So these signals cause the difference "
        "between the first two Sharpe ratios."
    )


def _pair(numbers: Numbers) -> str:
    e, bills = numbers["memory-over-crypto"], numbers["bills"]
    return (
        "**Memory over crypto.** `memory-over-crypto` tests the sharpest claim of the thesis. "
        f"This strategy returned {percent(e['cagr'], 1)} % a year, and bills returned "
        f"{percent(bills['cagr'], 1)} % a year. The strategy's maximum drawdown was "
        f"{percent(-e['max_drawdown'], 0)} %. Bitcoin rose in the absorption of 2018 to 2020."
    )


def _hindsight(numbers: Numbers) -> str:
    held, baskets = numbers["equal-weight"], numbers["near-cash-flow"]["baskets"]
    better = round((1 - baskets["rank"]) * baskets["n"])
    return (
        "**Hindsight.** Equal weights of the same assets, held throughout, earned "
        f"{percent(held['cagr'], 1)} % a year. `near-cash-flow` did better with {better} of "
        f"{baskets['n']} random baskets of shares than with the memory makers. The assets were "
        "chosen in 2026, and this hindsight was worth more than any flag."
    )


def _patience(numbers: Numbers) -> str:
    e = numbers["patient"]
    return (
        "**Patience.** The strategy `patient` acts only in certain states. These states began "
        f"{e['entered']} times. The strategy returned {percent(e['cagr'], 1)} % a year. "
        f"{e['conclusion'].capitalize()}."
    )


BLOCKS = {
    "strategies-sample": sample_line,
    "strategies-luck": luck_line,
    "strategies-table": strategies_table,
    "strategies-findings": findings,
}
