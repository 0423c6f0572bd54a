"""The settings of a run, and the check of each setting."""

import json
import re
from collections.abc import Iterable
from dataclasses import fields
from datetime import date
from itertools import chain
from numbers import Integral
from pathlib import Path
from typing import Any, Self

import pandas as pd
import pydantic

from backtests.atomic import resolved
from backtests.build import build, refuse_unknown
from backtests.engine.costs import Costs
from backtests.engine.schedule import BAND, Schedule
from backtests.engine.simulate import CAPITAL
from backtests.history.bills import SPREAD
from backtests.history.origin import HistorySource, Source
from backtests.plugins.labels import read_labels
from backtests.plugins.load import is_plugin, load_signal, load_strategy
from backtests.plugins.source import source_of
from backtests.plural import some_of
from backtests.store.store import store_path
from signals import REGIMES, SIGNALS, RegimeModel, Signal, needed, voters
from signals.errors import ConfigError, shown, unknown
from signals.form import ask, author_code
from signals.params import names_of
from signals.regimes import Labels, Votes
from signals.universe import CASH, check_classes
from strategies import STRATEGIES, Strategy
from strategies.base import ticker_fields

#: Names of the settings that choose the history.
SOURCE = {f.name for f in fields(HistorySource)}
#: Settings of a run that are set like parameters, as in ``--param lag=2``.
SETTINGS = ("lag", "band")


class Universe(pydantic.BaseModel):
    """The tickers of a run: one list for each sleeve, and one for each changed asset class.

    Attributes
    ----------
    classes
        Asset classes whose tickers differ from drypowder's universe. If a sleeve has the name of an
        asset class, the sleeve gets the tickers of this class.
    """

    model_config = pydantic.ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, tuple[str, ...]] = pydantic.Field(init=False)

    classes: dict[str, tuple[str, ...]] = {}

    @pydantic.field_validator("classes")
    @classmethod
    def _known_and_apart(cls, given: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        check_classes(given)
        return given

    @pydantic.model_serializer(mode="wrap")
    def _without_empty_classes(self, plain: pydantic.SerializerFunctionWrapHandler) -> Any:
        data = plain(self)
        return data if self.classes else {k: v for k, v in data.items() if k != "classes"}

    @property
    def sleeves(self) -> dict[str, tuple[str, ...]]:
        """The user's own tickers, as one list for each sleeve."""
        return self.__pydantic_extra__


class RunConfig(pydantic.BaseModel):
    """The configuration of one backtest: every setting with its default.

    ``drypowder init`` writes the description of each field beside its setting.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    @pydantic.field_validator("start", "end", mode="before")
    @classmethod
    def _a_day(cls, given: Any) -> Any:
        """Raise ValueError for a number, because pydantic would read it as seconds since 1970."""
        if given is None or isinstance(given, date) or _is_day(given):
            return given
        raise ValueError(f"expected a date like 2015-01-01, was {shown(given)}")

    @pydantic.field_validator("seed", "years", "lag", mode="before")
    @classmethod
    def _a_whole(cls, given: Any) -> Any:
        """Return a numpy integer, such as an element of ``np.arange``, as an int."""
        return given if isinstance(given, bool) or not isinstance(given, Integral) else int(given)

    @pydantic.field_validator("store", "labels", mode="before")
    @classmethod
    def _valid_path(cls, given: Any) -> Any:
        """Return a value unchanged; raise ConfigError for a path that cannot be a file."""
        if isinstance(given, str | Path):
            resolved(given)
        return given

    strategy: str
    """A name that 'drypowder list' shows, or your own strategy as my_module:MyStrategy."""
    regime_model: str = pydantic.Field(
        default=Votes.name, description=f"The regime model: {', '.join(REGIMES)}."
    )
    labels: Path | None = None
    """CSV file with the header date,label; only for regime model 'labels'."""
    regime: dict[str, Any] = {}
    """Parameters of the regime model."""
    params: dict[str, Any] = {}
    """Parameters of the strategy."""
    universe: Universe = Universe()
    """Tickers of the strategy's assets, as one list for each sleeve."""
    signals: dict[str, dict[str, Any]] = {}
    """Parameters of signals, as one table for each signal's name."""
    plugin_signals: dict[str, pydantic.StrictBool] = {}
    """Paths of your own signals, such as my_module:MySignal. With the value true, the signal's flag
    is a vote on the regime."""
    source: Source | None = None
    """'store', 'simulated', or 'frames' for DataFrames given in Python. The default is 'store' if
    the store contains data, otherwise 'simulated'."""
    store: Path | None = None
    """File of the store; default: the file in the variable DRYPOWDER_STORE, else a file in the
    platform's data folder."""
    seed: int = pydantic.Field(default=0, strict=True)
    """Seed of the simulated economy, 0 or above."""
    years: int = pydantic.Field(default=20, strict=True)
    """Length of the simulated economy, 2 to 33 years."""
    thesis: bool = pydantic.Field(default=True, strict=True)
    """If false, idle capital and spending have no effect on returns in the simulated economy."""
    start: date | None = None
    """First day of the run; default: the first session with a regime."""
    end: date | None = None
    """Last day of the run; default: the end of the history."""
    schedule: Schedule = Schedule()
    """Sessions on which the strategy decides even if its state does not change."""
    lag: int = pydantic.Field(default=1, ge=1, le=252, strict=True)
    """Sessions from decision to fill, at least 1."""
    band: float = pydantic.Field(default=BAND, ge=0, lt=1, strict=True)
    """A decision is traded only if a weight differs from its target by more than this fraction of
    the portfolio."""
    initial_capital: float = pydantic.Field(default=CAPITAL, ge=1, le=1e12, strict=True)
    """Capital at the start, USD."""
    benchmark: str = "SPY"
    """Ticker of the benchmark."""
    bill_spread: float = pydantic.Field(default=SPREAD, ge=-1, le=5, strict=True)
    """Difference between the 3-month yield and the yield of idle cash, percentage points a year."""
    costs: Costs = Costs()
    """Costs of trading and of borrowing."""

    _read: tuple[Path | None, tuple[tuple[date, str], ...]] = pydantic.PrivateAttr((None, ()))

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """Yield the settings that differ from their defaults, for ``repr``."""
        fields = RunConfig.model_fields
        return ((k, v) for k, v in super().__repr_args__() if v != fields[str(k)].default)

    @property
    def label(self) -> str:
        """Name of the strategy, with ``@model`` for a regime model other than votes."""
        return self.label_of(self.strategy_class())

    def label_of(self, strategy: Strategy | type[Strategy]) -> str:
        """Return :attr:`label` for a strategy that is already loaded."""
        name = strategy.name
        return name if self.regime_model == Votes.name else f"{name}@{self.regime_model}"

    def strategy_class(self) -> type[Strategy]:
        """Return the class of the strategy, from the registry or from a user's module."""
        if is_plugin(self.strategy):
            return load_strategy(self.strategy)
        if self.strategy not in STRATEGIES:
            raise ConfigError(unknown("strategy", self.strategy, STRATEGIES))
        return STRATEGIES[self.strategy]

    def build_strategy(self) -> Strategy:
        """Return the strategy with its parameters and its universe.

        An unknown name or an invalid value raises ConfigError. If the strategy's ``assets`` or
        ``reads`` is not a tuple of names, SimulationError is raised.
        """
        cls = self.strategy_class()
        if cls.name == self.benchmark:
            raise ConfigError(
                "expected a strategy with another name than the benchmark, but both are called "
                f"{cls.name}; rename your strategy or choose another benchmark"
            )
        self._check_model(cls)
        sleeves, classes = self.universe.sleeves, self.universe.classes
        refuse_unknown(sleeves, ticker_fields(cls), f"sleeve of {cls.name}")
        _refuse_twice(sleeves, self.params, "universe", "params")
        defaults = {f.name: f.default for f in fields(cls)}
        chosen = {n for n, v in {**sleeves, **self.params}.items() if v != defaults.get(n)}
        _refuse_twice(chosen, classes, "universe", "universe.classes")
        for name in self.params:
            if name not in names_of(cls):
                said = unknown(f"parameter of {cls.name}", name, names_of(cls))
                raise ConfigError(said + _place(name))
        built = build(cls, {**sleeves, **self.params}, f"parameter of {cls.name}")
        with author_code(f"{cls.name}: setting its classes"):
            built = built.with_classes(classes) if classes else built
        for name in ("assets", "reads"):
            ask(built, name)
        if CASH in map(str.upper, built.assets):
            raise ConfigError(
                f"expected the assets of {cls.name} without cash, but {CASH} is among them; leave "
                "it out, because the rest of a portfolio is always in cash"
            )
        return built

    def build_signals(self) -> dict[str, Signal]:
        """Return every registered signal and every signal of the user, with its parameters.

        An unknown name, two signals with the same name, or an invalid value raises ConfigError. If
        the inputs of a signal are not a tuple of ids, SimulationError is raised.
        """
        classes = {name: entry.signal for name, entry in SIGNALS.items()}
        for path in self.plugin_signals:
            cls = load_signal(path)
            if cls.name in classes:
                raise ConfigError(
                    f"{path}: a signal {cls.name!r} already exists; rename your signal"
                )
            classes[cls.name] = cls
        refuse_unknown(self.signals, classes, "signal")
        built = {
            name: build(cls, self.signals.get(name, {}), f"parameter of {name}")
            for name, cls in classes.items()
        }
        for signal in built.values():
            ask(signal, "inputs")
        return built

    def _check_model(self, cls: type[Strategy]) -> None:
        """Raise ConfigError unless the regime model is known and suits the strategy."""
        name = self.regime_model
        if name not in REGIMES:
            raise ConfigError(unknown("regime model", name, REGIMES))
        if name != Votes.name and not cls.follows_regime:
            raise ConfigError(
                f"expected regime model {name} only with a strategy that follows the regime, but "
                f"{cls.name} follows no regime; leave the regime model out"
            )
        if (name == Labels.name) != (self.labels is not None):
            raise ConfigError(
                f"expected regime model {Labels.name} together with a file of labels, but "
                f"regime_model is {name} and labels is "
                f"{'not set' if self.labels is None else self.labels}; change one of the two"
            )

    def build_model(self) -> RegimeModel:
        """Return the regime model with its parameters.

        An unknown name or an invalid value raises ConfigError. Invalid labels raise ConfigError or
        DataError.
        """
        cls, fixed = REGIMES[self.regime_model], self._fixed_of_model()
        known = [name for name in names_of(cls) if name not in fixed]
        refuse_unknown(self.regime, known, f"parameter of regime model {cls.name}")
        model = build(cls, {**fixed, **self.regime}, f"parameter of regime model {cls.name}")
        if isinstance(model, Votes) and model.min_views > len(model.voters):
            raise ConfigError(
                f"expected regime.min_views up to {len(model.voters)}, the number of signals that "
                f"vote, was {model.min_views}; choose a smaller number"
            )
        return model

    def _fixed_of_model(self) -> dict[str, Any]:
        """Return the regime model's parameters whose values come from other settings."""
        if self.regime_model == Votes.name:
            return {"voters": (*voters(), *self.more_voters())}
        if self.labels is None:
            return {}
        path, dated = self._read
        return {"dated": dated if path == self.labels else read_labels(self.labels)}

    def with_labels_of(self, model: RegimeModel) -> Self:
        """Return the configuration with the labels that a regime model used.

        If the file of labels changes later, the returned configuration keeps these labels.
        """
        fixed = self.model_copy()
        if isinstance(model, Labels):
            fixed._read = self.labels, model.dated
        return fixed

    def more_voters(self) -> tuple[str, ...]:
        """Return the names of the user's signals that vote."""
        return tuple(load_signal(path).name for path, votes in self.plugin_signals.items() if votes)

    def series(self) -> tuple[str, ...]:
        """Return the ids and tickers that a run reads, without repeats.

        The ids do not include the yield of bills, which every run reads.
        """
        strategy = self.build_strategy()
        classed = chain.from_iterable(self.universe.classes.values())
        ids = (*strategy.assets, *strategy.reads, *self.regime_series(), *classed)
        return tuple(dict.fromkeys(ids))

    def regime_series(self) -> tuple[str, ...]:
        """Return the benchmark's ticker, and the ids that the signals and the regime model read."""
        read = (*needed(self.build_signals()), *self.build_model().inputs)
        return tuple(dict.fromkeys((self.benchmark, *read)))

    def end_day(self) -> pd.Timestamp | None:
        """Return the last day of the run; None if the run lasts to the end of the history."""
        return None if self.end is None else pd.Timestamp(self.end)

    def history_source(self) -> HistorySource:
        """Return the source of the history."""
        return HistorySource(**self.model_dump(include=SOURCE))

    def store_path(self) -> Path:
        """Return the path that :func:`backtests.store.store.store_path` gives for the store."""
        return store_path(self.store)

    def identity(self) -> str:
        """Return the part of the run id that comes from the settings, as JSON with sorted keys."""
        # run_id hashes the objects that are built from these settings, because the objects include
        # default values. So the settings of these objects are left out here.
        built = {"params", "universe", "signals", "labels", "regime"}
        data = self.model_dump(mode="json", exclude=SOURCE | built)
        if self.universe.classes:
            data["classes"] = self.universe.classes
        data["own"] = self.own_sources()
        return json.dumps(data, sort_keys=True)

    def own_sources(self) -> list[str]:
        """Return the source code on which the user's signals and the user's strategy depend."""
        plugins: list[type] = [load_signal(path) for path in self.plugin_signals]
        if is_plugin(self.strategy):
            plugins.append(self.strategy_class())
        return [source_of(cls) for cls in plugins]


def _is_day(given: Any) -> bool:
    """Return whether a value is a string with a valid date, such as 2015-01-01."""
    if not isinstance(given, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", given):
        return False
    try:
        date.fromisoformat(given)
    except ValueError:
        return False
    return True


def _place(name: str) -> str:
    """Return where a parameter belongs that a user wrongly put into ``params``; may be empty."""
    owner, dot, rest = str(name).partition(".")
    if name in SETTINGS:
        return f"; write {name} as a key of its own, beside params"
    if dot and owner in SIGNALS:
        return f"; write it with the key signals, like {{{owner!r}: {{{rest!r}: …}}}}"
    return ""


def unknown_parameter(strategy: str, name: str, known: Iterable[str]) -> str:
    """Return the message for an unknown path of a parameter without a prefix.

    The message also lists the signals and the regime model that have such a parameter.
    """
    settings = () if name in SETTINGS else SETTINGS
    owners: list[tuple[str, type]] = [("regime", cls) for cls in REGIMES.values()]
    owners += [(owner, entry.signal) for owner, entry in SIGNALS.items()]
    paths = dict.fromkeys(f"{owner}.{name}" for owner, cls in owners if name in names_of(cls))
    hint = f"; with a prefix: {some_of([*paths])}" if paths else ""
    return unknown(f"parameter of {strategy}", name, (*known, *settings)) + hint


def _refuse_twice(one: Iterable[str], other: Iterable[str], here: str, there: str) -> None:
    twice = sorted({*one} & {*other})
    if twice:
        raise ConfigError(
            f"expected {twice[0]} either in {here} or in {there}, found {twice[0]} in both; delete "
            "one of them"
        )
