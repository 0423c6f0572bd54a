"""``drypowder init``: write a configuration file that lists and explains every setting."""

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backtests.cli import completion, options
from backtests.cli.terminal import say

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.items import Table

    from backtests.config import RunConfig
    from strategies import Strategy


DEFAULT = Path("drypowder.toml")
_WIDTH = 44
#: Types of the signal parameters in a configuration file.
_WRITABLE = (bool, int, float, str, tuple)

#: The keys of RunConfig that hold a single value, grouped by section of the file. RunConfig
#: describes each key.
SECTIONS: dict[str, tuple[str, ...]] = {
    "What is run": ("strategy", "regime_model", "labels", "benchmark"),
    "When": ("start", "end", "lag"),
    "Money": ("initial_capital", "band", "bill_spread"),
    "Where history comes from": ("source", "store", "seed", "years", "thesis"),
}
#: The keys of RunConfig that are tables, in the order of the file.
TABLES = ("params", "universe", "regime", "schedule", "costs", "signals", "plugin_signals")
#: Example settings for 'drypowder sweep', which reads the same file.
_SWEEP = (
    "--- Settings of a sweep; start the sweep with: drypowder sweep --config THIS-FILE",
    "[sweep]",
    'design = "grid"                             # grid, random or lhs',
    "[sweep.set]",
    '"dry_powder.k" = "0.07:0.11:5"              # five values; or a list: [0.08, 0.09]',
)
#: Example values of the keys without a default.
_EXAMPLES: dict[str, Any] = {
    "labels": "labels.csv",
    "start": date(2015, 1, 1),
    "end": date(2024, 12, 31),
    "source": "simulated",
    "store": "store.duckdb",
}


def init(
    file: Annotated[Path, typer.Argument(help="The file to write.")] = DEFAULT,
    strategy: Annotated[
        str,
        typer.Option(
            help="The file lists the parameters and the universe of this strategy.",
            autocompletion=completion.strategies,
        ),
    ] = options.DEFAULT_STRATEGY,
) -> None:
    """Write a commented configuration file for 'run --config'."""
    from backtests.atomic import resolved, write_text
    from signals.errors import ConfigError

    text = template(strategy)
    target = resolved(file)
    if os.path.lexists(file) or target.exists():
        raise ConfigError(f"expected no file at {file}; give another name or remove the file")
    write_text(target, text)
    say(f"wrote {file}; edit this file, then: drypowder run --config {file}")


def template(strategy: str) -> str:
    """Return a commented configuration; an unknown strategy raises ConfigError."""
    import tomlkit

    from backtests.config_data import config_from
    from backtests.report.docstring import documented_parameters

    config = config_from({"strategy": strategy})
    said = documented_parameters(type(config))
    document = tomlkit.document()
    document.add(tomlkit.comment("A run of drypowder: drypowder run --config THIS-FILE"))
    document.add(
        tomlkit.comment(
            "A line without a leading # has the default value. Remove a leading # to use a setting."
        )
    )
    for title, keys in SECTIONS.items():
        document.add(tomlkit.nl()).add(tomlkit.comment(f"--- {title}"))
        for key in keys:
            _add(document, key, getattr(config, key), said[key])
    for key in TABLES:
        document.add(tomlkit.nl())
        document.add(key, _table(config, key).comment(said[key]))
    document.add(tomlkit.nl())
    for line in _SWEEP:
        document.add(tomlkit.comment(line))
    return document.as_string()


def _table(config: "RunConfig", key: str) -> "Table":
    """Return the table for a key in :data:`TABLES`, filled with defaults."""
    import tomlkit

    table = tomlkit.table()
    if key == "plugin_signals":
        table.add(tomlkit.comment('"my_module:MySignal" = true'))
    elif key == "signals":
        for name, signal in config.build_signals().items():
            what, _, _ = (type(signal).__doc__ or "").partition("\n")
            table.add(tomlkit.comment(f"{name}: {what}"))
            _add_all(table, signal, lambda value: isinstance(value, _WRITABLE), f"{name}.")
    elif key == "regime":
        _add_all(table, config.build_model(), lambda value: isinstance(value, float | int), None)
    elif key in ("params", "universe"):
        strategy = config.build_strategy()
        _add_all(table, strategy, lambda value: isinstance(value, tuple) is (key == "universe"))
        if not table:
            table.add(tomlkit.comment(f"{strategy.name} has no settings in the table [{key}]"))
        if key == "universe":
            table.add(tomlkit.nl())
            table.add("classes", _classes(strategy))
    else:
        _add_all(table, getattr(config, key))
    return table


def _classes(strategy: "Strategy") -> "Table":
    """Return the table of asset classes, with one comment for each asset class.

    The comment lists the tickers that the strategy holds for the class. If the strategy has no
    sleeve for the class, the comment lists all tickers of the class. If a user removes the ``#`` of
    a line, the strategy still trades the same assets.
    """
    import tomlkit

    from signals.universe import CLASSES, OPEN_CLASSES, members
    from strategies.sleeves import SleeveStrategy

    sleeves = {}
    if isinstance(strategy, SleeveStrategy):
        sleeves = {n: s for n, s in strategy.sleeves.items() if n not in strategy.of_no_class}
    table = tomlkit.table()
    table.comment(
        "Your tickers for an asset class. A sleeve with the class's name uses your tickers."
    )
    for name in OPEN_CLASSES:
        _add(table, name, sleeves.get(name, members(name)), CLASSES[name], left_out=True)
    return table


def _add_all(
    table: "Table",
    built: object,
    chosen: Callable[[Any], bool] = lambda value: True,
    within: str | None = "",
) -> None:
    """Add the chosen parameters of a dataclass to the table, each with its description.

    If ``within`` is an empty string, each parameter is written as a setting. If ``within`` is any
    other string, each parameter is written as a comment, and its name begins with ``within``. If
    ``within`` is None, each parameter is written as a comment without a prefix.
    """
    from backtests.report.docstring import documented_parameters
    from signals.params import parameters

    said = documented_parameters(type(built))
    for name, value in parameters(built).items():
        if chosen(value):
            left_out = within != ""
            _add(table, f"{within or ''}{name}", value, said.get(name, ""), left_out=left_out)


def _add(
    table: "Table | TOMLDocument", key: str, value: Any, said: str, *, left_out: bool = False
) -> None:
    """Add a setting and its description to the table.

    If ``value`` is None or ``left_out`` is True, the setting is written as a comment.
    """
    import tomlkit

    item = tomlkit.item(_EXAMPLES[key] if value is None else value)
    line = f"{key} = {item.as_string()}"
    remark = f"  # {said}" if said else ""
    if left_out or value is None:
        table.add(tomlkit.comment(f"{line:<{_WIDTH - 2}}{remark}"))
        return
    table.add(key, item)
    if said:
        item.comment(said)
        item.trivia.comment_ws = " " * (max(0, _WIDTH - len(line)) + 2)
