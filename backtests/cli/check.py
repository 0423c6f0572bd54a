"""``drypowder check``: check whether a class fits its base class and has no look-ahead."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backtests.cli import completion, history_choice, options
from backtests.cli.config_options import (
    assigned,
    config_data,
    config_of,
    names_assigned,
    refuse_parameters_of_strategies,
    without_strategy,
)
from backtests.cli.terminal import print_json, progress, say, styled
from backtests.simulated import SIMULATED

if TYPE_CHECKING:
    from backtests.config import RunConfig
    from backtests.history.panel import History
    from backtests.plugins.check import Check
    from signals.base import Signal

_HANG = 19  # characters before the result of a check


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
    start: options.Start = None,
    config: options.Config = None,
    param: options.Param = None,
    json: options.Json = False,
) -> None:
    """Check the form of a strategy or signal, and test for look-ahead."""
    from backtests.pipeline import history_of
    from backtests.plugins.check import check_signal, check_strategy

    asked = history_choice.HistoryOptions(source=source, store=store, seed=seed)
    data = config_data(config, None, asked, options.given(start=start))
    checked, signal = _what(name, data, param or ())
    with progress("reading history"):
        ids = checked.series() if signal is None else checked.regime_series()
        history = history_of(checked, ids=ids)
    with progress("checking") as step:
        step(name)
        checks = (
            check_strategy(checked, history)
            if signal is None
            else check_signal(signal, checked, history)
        )
    _say(name, "strategy" if signal is None else "signal", history, checks, json)
    for failed in checks:
        if failed.error is not None:
            raise failed.error


def _what(
    name: str, data: dict[str, Any], param: Sequence[str]
) -> tuple["RunConfig", "Signal | None"]:
    """Return the configuration for the check, and the signal to check (None for a strategy).

    ``data`` contains the settings of a configuration, as in a TOML file, and ``param`` sets
    parameters. A checked strategy replaces the strategy in ``data``. If a signal is checked, the
    default strategy replaces the strategy in ``data``.
    """
    from backtests.config_data import split_name
    from backtests.plugins.load import is_plugin, load_class
    from signals import SIGNALS
    from signals.base import Signal
    from signals.errors import ConfigError, unknown
    from strategies import STRATEGIES

    path, _ = split_name(name)
    if is_plugin(path):
        cls = load_class(path)
        if issubclass(cls, Signal):
            plugins = {path: True, **data.get("plugin_signals", {})}
            return _signal(cls, {**data, "plugin_signals": plugins}, param)
    elif name in SIGNALS:
        return _signal(SIGNALS[name].signal, data, param)
    elif path not in STRATEGIES:
        raise ConfigError(unknown("strategy or signal", name, (*STRATEGIES, *SIGNALS)))
    assigned(data, param)
    return config_of({**data, "strategy": name}), None


def _signal(
    cls: type["Signal"], data: dict[str, Any], param: Sequence[str]
) -> tuple["RunConfig", "Signal"]:
    """Return the configuration for the check of a signal, and the signal."""
    from signals.errors import ConfigError
    from signals.params import names_of

    for path in names_assigned(param):
        if path in names_of(cls):
            raise ConfigError(
                f"expected a parameter of {cls.name} with its prefix, was {path!r}; write "
                f"{cls.name}.{path}"
            )
    refuse_parameters_of_strategies(param)
    kept = without_strategy(data)
    assigned(kept, param)
    config = config_of(kept)
    return config, config.build_signals()[cls.name]


def _say(name: str, kind: str, history: "History", checks: Sequence["Check"], json: bool) -> None:
    from backtests.report.envelope import envelope

    if json:
        print_json(
            {
                **envelope(history),
                "name": name,
                "kind": kind,
                "ok": all(c.holds for c in checks),
                "checks": [{"check": c.name, "ok": c.holds, "said": c.said} for c in checks],
            }
        )
        return
    shown = f"{SIMULATED} history" if history.is_simulated else f"history: {history.source}"
    say(styled(f"{name},", "bold"), f"a {kind}, on {shown}")
    for c in checks:
        mark = styled("ok   ", "green") if c.holds else styled("wrong", "red")
        say(mark, f" {c.name:<10}  {c.said}", hang=_HANG)
