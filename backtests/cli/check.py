"""``drypowder check``: check that a strategy or signal keeps its contract and has no look-ahead."""

from typing import Annotated, Any

import typer

from backtests.cli import completion, options
from backtests.cli.terminal import print_json, progress, say, styled

_HANG = 19  # characters before what a check says


def check(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="my_module:MyStrategy, or a name shown by 'drypowder list'.",
            autocompletion=completion.strategies_and_signals,
        ),
    ],
    store: options.Store = None,
    source: options.Source = None,
    seed: options.Seed = None,
    start: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="First session of the backtest, like 2015-01-01."),
    ] = None,
    json: options.Json = False,
) -> None:
    """Check whether a strategy or signal keeps its contract and has no look-ahead."""
    from backtests.plugins.check import check_signal, check_strategy

    config, signal = _what(name, options.given(start=start))
    history = options.open_history(source, store, seed, config.series())
    with progress("checking") as step:
        step(name)
        checks = (
            check_strategy(config, history)
            if signal is None
            else check_signal(signal, config, history)
        )
    _say(name, "strategy" if signal is None else "signal", history.source, checks, json)
    for failed in checks:
        if failed.error is not None:
            raise failed.error


def _what(name: str, keys: dict[str, Any]) -> tuple[Any, Any]:
    """Return the configuration for the check, and the signal to check (None for a strategy)."""
    from backtests.config import config_from
    from backtests.plugins.load import is_plugin, load_class
    from signals import SIGNALS
    from signals.base import Signal
    from signals.errors import ConfigError, unknown
    from strategies import STRATEGIES

    path, _, _ = name.partition("@")
    if is_plugin(path):
        cls = load_class(path)
        if issubclass(cls, Signal):
            config = config_from({**keys, "strategy": "bills", "plugin_signals": {path: True}})
            return config, config.build_signals()[cls.name]
    elif name in SIGNALS:
        config = config_from({**keys, "strategy": "bills"})
        return config, config.build_signals()[name]
    elif path not in STRATEGIES:
        raise ConfigError(unknown("strategy or signal", name, (*STRATEGIES, *SIGNALS)))
    return config_from({**keys, "strategy": name}), None


def _say(name: str, kind: str, source: str, checks: list[Any], json: bool) -> None:
    if json:
        print_json(
            {
                "name": name,
                "kind": kind,
                "source": source,
                "ok": all(c.holds for c in checks),
                "checks": [{"check": c.name, "ok": c.holds, "said": c.said} for c in checks],
            }
        )
        return
    shown = "SIMULATED history" if source == "simulated" else f"history: {source}"
    say(styled(f"{name},", "bold"), f"a {kind}, on {shown}")
    for c in checks:
        mark = styled("ok   ", "green") if c.holds else styled("wrong", "red")
        say(mark, f" {c.name:<10}  {c.said}", hang=_HANG)
