"""Turn the arguments of ``compare`` into configurations.

An argument is the name of a strategy, a config file, or the folder of a finished run.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backtests.cli.config_options import OF_STRATEGY, assigned, file_data, names_assigned
from backtests.config import SETTINGS, SOURCE, RunConfig, unknown_parameter
from backtests.config_data import config_from, split_name
from backtests.evidence.saved import SavedRun, read_saved
from backtests.evidence.settings import distinct_labels
from backtests.parameter_paths import split
from backtests.plugins.load import is_plugin, load_strategy
from signals.errors import ConfigError, unknown
from signals.params import names_of
from signals.regimes import REGIMES, Votes
from strategies import STRATEGIES, Strategy

#: Keys of a configuration that belong to its regime model.
_OF_MODEL = ("regime_model", "regime", "labels")


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One argument of ``compare`` and its configuration.

    Attributes
    ----------
    given
        The argument.
    config
        The configuration.
    states_source
        True if the argument itself chooses the source of the history.
    saved
        The finished run, if the argument is a folder.
    """

    given: str
    config: RunConfig
    states_source: bool = False
    saved: SavedRun | None = None


def candidates_of(
    arguments: Iterable[str],
    defaults: Mapping[str, Any],
    options: Mapping[str, Any],
    assignments: Sequence[str],
) -> list[Candidate]:
    """Return the configuration of each argument.

    Options and assignments do not change a finished run. A finished run keeps its own parameters.

    Parameters
    ----------
    arguments
        Config files, folders of finished runs, and names of strategies.
    defaults
        Settings for arguments that are names of strategies. The parameters and the universe apply
        only to the strategy in ``defaults``. The regime model applies only to a strategy that
        follows the regime. An argument such as ``name@model`` keeps its own regime model.
    options
        Values by key, such as ``start``. The values in ``options`` override defaults and config
        files.
    assignments
        Texts such as ``dry_powder.k=0.11``. An assignment sets its parameter in every configuration
        that has the parameter.

    Raises
    ------
    ConfigError
        Raised if an argument cannot be used, or if an assignment names a parameter that no
        configuration has.
    """
    found = [_read(argument, defaults, options) for argument in arguments]
    rows = [one[1] for one in found if not isinstance(one, SavedRun)]
    paths = dict(zip(assignments, names_assigned(assignments), strict=True))
    used: set[str] = set()
    for data in rows:
        fitting = [text for text in assignments if _has(data, paths[text])]
        assigned(data, fitting, options)
        used |= set(fitting)
    _refuse_unused({text: path for text, path in paths.items() if text not in used}, rows)
    return [_candidate(one) for one in found]


_Given = tuple[str, dict[str, Any]]


def _read(
    argument: str, defaults: Mapping[str, Any], options: Mapping[str, Any]
) -> _Given | SavedRun:
    if argument.endswith(".toml"):
        data = file_data(Path(argument))
        if "strategy" not in data:
            raise ConfigError(f"expected a strategy in {argument}; add the key `strategy`")
        return argument, {**data, **options}
    if not _is_name(argument) and _is_path(argument):
        return read_saved(Path(argument))
    if not _is_name(argument):
        said = unknown("strategy", split_name(argument)[0], STRATEGIES)
        raise ConfigError(f"no folder {argument!r} exists, and {said}")
    return argument, {**_defaults_of(argument, defaults), **options, "strategy": argument}


def _is_name(argument: str) -> bool:
    return is_plugin(argument) or split_name(argument)[0] in STRATEGIES


def _is_path(argument: str) -> bool:
    return argument != "" and ("/" in argument or os.path.exists(argument))


def _defaults_of(name: str, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of the defaults, without the keys that do not apply to the given strategy."""
    data = {key: deepcopy(value) for key, value in defaults.items() if key != "strategy"}
    bare, model = split_name(name)
    if split_name(defaults.get("strategy", ""))[0] != bare:
        data = {key: value for key, value in data.items() if key not in OF_STRATEGY}
    cls = _class_of(bare)
    if model is not None or (cls is not None and not cls.follows_regime):
        data = {key: value for key, value in data.items() if key not in _OF_MODEL}
    return data


def _class_of(name: str) -> type[Strategy] | None:
    return load_strategy(name) if is_plugin(name) else STRATEGIES.get(name)


def _has(data: Mapping[str, Any], path: str) -> bool:
    """Return whether a configuration can have the parameter ``path``.

    Every configuration can have parameters of signals, of the schedule and of the costs, and the
    settings ``lag`` and ``band``. Any other parameter without a prefix must belong to the
    configuration's strategy. A parameter with the prefix ``regime`` must belong to the
    configuration's regime model.
    """
    owner, name = split(path)
    if path in SETTINGS or owner not in ("", "regime"):
        return True
    if owner:
        return name in _names_of_model(data)
    cls = _class_of(split_name(data["strategy"])[0])
    return cls is None or path in names_of(cls)


def _refuse_unused(unused: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Raise ConfigError if ``unused`` is not empty.

    The keys of ``unused`` are the assignments that no row uses. The values are the paths of the
    assigned parameters.
    """
    for text, path in unused.items():
        if not rows:
            raise ConfigError(
                f"expected a row that --param {text} can change, but every row is a finished run; "
                "give a run's config.toml instead of its folder"
            )
        if path.startswith("regime."):
            known = {f"regime.{name}" for row in rows for name in _names_of_model(row)}
            raise ConfigError(unknown("parameter of the compared regime models", path, known))
        classes = [_class_of(split_name(row["strategy"])[0]) for row in rows]
        known = {name for cls in classes if cls is not None for name in names_of(cls)}
        raise ConfigError(unknown_parameter("the compared strategies", path, known))


def _names_of_model(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the parameters of a configuration's regime model, or () if the model is unknown."""
    _, model = split_name(data["strategy"])
    named = REGIMES.get(model or str(data.get("regime_model", Votes.name)))
    return () if named is None else names_of(named)


def _candidate(one: _Given | SavedRun) -> Candidate:
    if isinstance(one, SavedRun):
        return Candidate(given=str(one.folder), config=one.config, states_source=True, saved=one)
    argument, data = one
    named = argument.endswith(".toml") and bool(SOURCE & data.keys())
    return Candidate(given=argument, config=config_from(data), states_source=named)


def labelled(candidates: Sequence[Candidate]) -> dict[str, Candidate]:
    """Return a mapping from label to configuration, in the order of the arguments.

    The label of a finished run contains the name of the run's folder. Two equal configurations
    raise ConfigError.
    """
    plain = [c for c in candidates if c.saved is None]
    labels = dict(zip(map(id, plain), distinct_labels([c.config for c in plain]), strict=True))
    saved = [c.saved.label for c in candidates if c.saved is not None]
    found: dict[str, Candidate] = {}
    for candidate in candidates:
        label = candidate.saved.label if candidate.saved else labels[id(candidate)]
        if candidate.saved and (saved.count(label) > 1 or label in labels.values()):
            label = f"{candidate.config.label} ({candidate.given})"
        if label in found:
            raise ConfigError(_twice(label, found[label], candidate))
        found[label] = candidate
    return found


def _twice(label: str, first: Candidate, second: Candidate) -> str:
    if first.given != second.given and any(c.given.endswith(".toml") for c in (first, second)):
        return (
            f"expected different strategies, but {first.given} and {second.given} have the same "
            "settings; leave one out"
        )
    return f"expected each strategy once, but {label} is given twice; leave one out"
