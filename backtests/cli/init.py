"""``drypowder init``: a configuration file with everything in it, explained."""

import json
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from backtests.cli import completion

DEFAULT = Path("drypowder.toml")
_WIDTH = 44

#: By key of RunConfig what it says, in the sections of the file; a test holds it to be complete.
SECTIONS: dict[str, dict[str, str]] = {
    "What is run": {
        "strategy": "a name of 'drypowder list', or your own: my_module:MyStrategy",
        "regime_model": "how the signals become a regime: {models}",
        "labels": "CSV of dates and labels, for the regime model labels",
        "benchmark": "ticker that it is compared with",
    },
    "When": {
        "start": "first decision, YYYY-MM-DD; left out: the first session with a regime",
        "end": "last session, YYYY-MM-DD; left out: the last one held",
        "lag": "sessions from decision to fill, at least 1",
    },
    "Money": {
        "initial_capital": "USD",
        "band": "drift of an asset's weight below which nothing is traded, a fraction",
        "bill_spread": "what idle cash earns less than 3-month bills, percentage points a year",
    },
    "Where history comes from": {
        "source": "store or simulated; left out: the store if it holds data, else simulated",
        "store": "the store's file; left out: the default one",
        "seed": "of the simulated economy, 0 or above",
        "years": "of the simulated economy, 2 to 33",
        "thesis": "false: an economy in which capital has no effect on returns",
    },
}
#: By key of RunConfig that is a table of its own.
TABLES: dict[str, str] = {
    "params": "Parameters of the strategy.",
    "universe": "The strategy's assets by sleeve, tickers.",
    "schedule": "When it decides whatever happens.",
    "costs": "What trading and borrowing cost.",
    "signals": "Parameters of signals; take the # away to change one.",
    "own_signals": "Signals of your own by dotted path, and whether each votes on the regime.",
}
#: By key of such a table.
SCHEDULE = {
    "every": "month, quarter, week (its last session) or day",
    "offset": "sessions after that, 0 to 60",
}
COSTS = {
    "etf_bp": "one-way cost of trading a fund, basis points",
    "stock_bp": "of a share, basis points",
    "crypto_bp": "of a coin, basis points",
    "borrow_stock": "borrowing a fund or share to sell it short, a fraction a year",
    "borrow_crypto": "borrowing a coin, a fraction a year",
}
#: What to write for a key that has no value by default.
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
            help="The strategy whose parameters and universe to write.",
            autocompletion=completion.strategies,
        ),
    ] = "near-cash-flow",
) -> None:
    """Write a configuration file that explains itself, for 'run --config'."""
    from backtests.atomic import resolved, write_text
    from signals.errors import ConfigError

    text = template(strategy)
    target = resolved(file)
    if os.path.lexists(file) or target.exists():
        raise ConfigError(f"expected no file at {file}, found one; name another or remove it")
    if not target.parent.is_dir():
        raise ConfigError(f"expected a folder for {file}, found none; make it first")
    write_text(target, text)
    typer.echo(f"wrote {file}; change it, then: drypowder run --config {file}")


def template(strategy: str) -> str:
    """Return a commented configuration of a strategy that says no more than its defaults.

    Raises
    ------
    ConfigError
        When there is no such strategy.
    """
    from backtests.config import config_from

    config = config_from({"strategy": strategy})
    lines = [
        "# A run of drypowder: drypowder run --config THIS-FILE",
        "# Every value is the default; a line that begins with # is left out.",
    ]
    for title, keys in SECTIONS.items():
        lines += ["", f"# --- {title}", *_scalars(config, keys)]
    for key, said in TABLES.items():
        lines += ["", f"# {said}", f"[{key}]", *_tables(config)[key]]
    return "\n".join(lines) + "\n"


def _scalars(config: Any, keys: dict[str, str]) -> Iterator[str]:
    from signals import REGIMES

    for key, said in keys.items():
        value = getattr(config, key)
        shown = _EXAMPLES[key] if value is None else value
        said = said.format(models=", ".join(REGIMES))
        yield _line(key, shown, said, off=value is None)


def _tables(config: Any) -> dict[str, list[str]]:
    """Return the lines of each table."""
    return {
        "params": _of_strategy(config, sleeves=False),
        "universe": _of_strategy(config, sleeves=True),
        "schedule": [_line(k, getattr(config.schedule, k), said) for k, said in SCHEDULE.items()],
        "costs": [_line(k, getattr(config.costs, k), said) for k, said in COSTS.items()],
        "signals": list(_signals(config.build_signals())),
        "own_signals": ['# "my_module:MySignal" = true'],
    }


def _of_strategy(config: Any, sleeves: bool) -> list[str]:
    from backtests.report.docstring import documented_parameters
    from signals.params import parameters

    built = config.build_strategy()
    said = documented_parameters(type(built))
    lines = [
        _line(name, value, said.get(name, ""))
        for name, value in parameters(built).items()
        if isinstance(value, tuple) is sleeves
    ]
    return lines or [f"# {built.name} has none"]


def _signals(chosen: dict[str, Any]) -> Iterator[str]:
    from backtests.report.docstring import documented_parameters
    from signals.params import parameters

    for name, signal in chosen.items():
        said = documented_parameters(type(signal))
        what, _, _ = (type(signal).__doc__ or "").partition("\n")
        yield f"# {name}: {what}"
        for key, value in parameters(signal).items():
            if isinstance(value, bool | int | float | str | tuple):
                yield _line(f"{name}.{key}", value, said.get(key, ""), off=True)


def _line(key: str, value: Any, said: str, off: bool = False) -> str:
    text = f"{'# ' * off}{key} = {_toml(value)}"
    return f"{text:<{_WIDTH}}  # {said}" if said else text


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | Path):
        return json.dumps(str(value), ensure_ascii=False)
    return str(value)
