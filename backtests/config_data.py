"""Turn plain data, such as the content of a TOML file, into the configuration of a run."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd
import pydantic

from backtests.build import first_fault, refuse_unknown
from backtests.config import RunConfig
from backtests.engine.costs import Costs
from backtests.engine.schedule import Schedule
from backtests.plugins.load import path_of, prefer_file
from signals import Signal
from signals.errors import ConfigError, shown
from signals.regimes import Labels
from strategies import Strategy


def config_from(data: Mapping[str, Any]) -> RunConfig:
    """Return a configuration built from plain data, such as the content of a TOML file.

    In Python, ``strategy`` and the keys of ``plugin_signals`` may be classes, for example classes
    of a notebook. A command can repeat a run only if the command can import the run's classes.

    An unknown key or an invalid value raises ConfigError. For an unknown key, the message suggests
    the most similar valid key. An array, an Index or a Series counts as a list of its values.
    """
    if not isinstance(data, Mapping):
        raise ConfigError(
            f"expected a mapping of config keys, was {shown(data)}; write it like "
            "{'strategy': 'spy'}"
        )
    data = {key: _plain(value, str(key)) for key, value in _with_paths(data).items()}
    refuse_unknown_keys(data)
    for key, part in (("costs", Costs), ("schedule", Schedule)):
        if isinstance(data.get(key), Mapping):
            refuse_unknown(data[key], [f.name for f in fields(part)], f"config key in {key}")
    try:
        config = RunConfig.model_validate(_split_model(data))
    except pydantic.ValidationError as error:
        raise ConfigError(first_fault(error, "config key ")) from None
    if config.start and config.end and config.start > config.end:
        raise ConfigError(
            f"expected start before end, but start is {config.start} and end is {config.end}; "
            "swap the two dates"
        )
    config.build_strategy()
    config.build_signals()
    config.build_model()
    return config


def _plain(value: Any, key: str) -> Any:
    """Return a value with Python numbers and lists instead of numbers and arrays of numpy.

    A set, a DataFrame or ``pd.NA`` raises ConfigError. ``key`` is the config key of the value.
    """
    if isinstance(value, Mapping):
        return {name: _plain(one, f"{key}.{name}") for name, one in value.items()}
    if isinstance(value, np.datetime64):
        value = pd.Timestamp(value)
    if isinstance(value, np.ndarray | np.generic | pd.Index | pd.Series):
        return value.tolist()
    if isinstance(value, set | frozenset | pd.DataFrame) or value is pd.NA or value is pd.NaT:
        raise ConfigError(f"config key {key}: expected a value or a list, was {shown(value)}")
    return value


def check_options(given: Mapping[str, Any]) -> None:
    """Raise ConfigError if an option such as ``start`` has an invalid value.

    The message names the option, such as ``--start``. A message of :func:`config_from` names the
    key of the config file, not the option.
    """
    try:
        RunConfig.model_validate({"strategy": "", **given})
    except pydantic.ValidationError as error:
        raise ConfigError(first_fault(error, "--")) from None


def _with_paths(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data with each class replaced by its dotted path."""
    given = dict(data)
    if "strategy" in given:
        given["strategy"] = _with_path(given["strategy"], "params")
    voting = given.get("plugin_signals")
    if isinstance(voting, list | tuple | set):
        raise ConfigError(
            f"config key plugin_signals: expected a mapping, was {shown(voting)}; write it like "
            "{YourSignal: True}"
        )
    if isinstance(voting, Mapping):
        given["plugin_signals"] = {
            _with_path(key, "signals"): value for key, value in voting.items()
        }
    return given


def _with_path(given: object, key: str) -> object:
    """Return the dotted path if ``given`` is a class; otherwise return ``given`` unchanged.

    If ``given`` is an instance of a strategy or of a signal, ConfigError is raised. ``key`` is the
    config key for the object's parameters.
    """
    if isinstance(given, Strategy | Signal):
        name = type(given).__name__
        raise ConfigError(
            f"expected the class {name}, was the object {shown(given)}; give {name}, and its "
            f"parameters with the key {key}"
        )
    if isinstance(given, str):
        prefer_file(given)
    return path_of(given) if isinstance(given, type) else given


def refuse_unknown_keys(data: Mapping[str, Any]) -> None:
    """Raise ConfigError for an unknown key; the message suggests the most similar valid key."""
    refuse_unknown(data, RunConfig.model_fields, "config key")


def split_name(name: object) -> tuple[str, str | None]:
    """Split ``name@model`` into strategy and regime model; without ``@``, the model is None."""
    strategy, at, model = str(name).partition("@")
    return strategy, model if at else None


def _split_model(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data, with the strategy and the regime model under separate keys.

    A strategy like ``name@model`` is split into the strategy and the regime model. A strategy like
    ``name@file.csv`` is split into the strategy and the file of labels. A strategy with a file of
    labels has the regime model ``labels``.
    """
    name, model = split_name(data.get("strategy", ""))
    if model is None:
        return dict(data)
    if model.endswith(".csv"):
        return {**data, "strategy": name, "regime_model": Labels.name, "labels": model}
    if data.get("regime_model", model) != model:
        raise ConfigError(
            f"expected one regime model, but the strategy gives {model!r} and `regime_model` is "
            f"{data['regime_model']!r}; remove one of the two"
        )
    return {**data, "strategy": name, "regime_model": model}
