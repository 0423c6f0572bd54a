"""What a run is made of, as typed data: checked before anything is read, enough to repeat it."""

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import pydantic

from backtests.engine.costs import Costs
from backtests.engine.schedule import BAND
from backtests.engine.simulate import CAPITAL
from backtests.history.bills import SPREAD
from backtests.history.opening import Choice, Source
from signals import SIGNALS, Signal
from signals.errors import ConfigError, unknown
from strategies import STRATEGIES, Strategy

T = TypeVar("T")


class RunConfig(pydantic.BaseModel):
    """One backtest.

    Attributes
    ----------
    strategy
        A name of :data:`strategies.STRATEGIES`.
    params
        Parameters of the strategy that differ from its defaults.
    signals
        By signal name, parameters that differ from its defaults.
    source
        ``store`` or ``simulated``; None lets the data decide, see
        :class:`backtests.history.opening.Choice`.
    store
        The store's file; None for the default one.
    seed, years, thesis
        Of the simulated economy.
    start, end
        The first decision falls on the first session at or after ``start``; None for the first
        session with a regime. The run ends with the last session at or before ``end``.
    lag
        Sessions from decision to fill.
    band
        Drift per asset, as a fraction, below which nothing is traded.
    initial_capital
        USD.
    benchmark
        Ticker.
    bill_spread
        What idle cash earns less than the 3-month yield, percentage points a year.
    costs
        See :class:`backtests.engine.costs.Costs`.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    strategy: str
    params: dict[str, Any] = {}
    signals: dict[str, dict[str, Any]] = {}
    source: Source | None = None
    store: Path | None = None
    seed: int = pydantic.Field(default=0, strict=True)
    years: int = pydantic.Field(default=20, strict=True)
    thesis: bool = pydantic.Field(default=True, strict=True)
    start: date | None = None
    end: date | None = None
    lag: int = pydantic.Field(default=1, ge=1, le=252, strict=True)
    band: float = pydantic.Field(default=BAND, ge=0, lt=1, strict=True)
    initial_capital: float = pydantic.Field(default=CAPITAL, ge=1, le=1e12, strict=True)
    benchmark: str = "SPY"
    bill_spread: float = pydantic.Field(default=SPREAD, ge=-1, le=5, strict=True)
    costs: Costs = Costs()

    def build_strategy(self) -> Strategy:
        """Return the strategy with its parameters.

        Raises
        ------
        ConfigError
            When the name or a parameter is unknown, or a value cannot be used.
        """
        if self.strategy not in STRATEGIES:
            raise ConfigError(unknown("strategy", self.strategy, STRATEGIES))
        return build(STRATEGIES[self.strategy], self.params, f"parameter of {self.strategy}")

    def build_signals(self) -> dict[str, Signal]:
        """Return every registered signal, with the parameters given.

        Raises
        ------
        ConfigError
            Likewise.
        """
        _refuse_unknown(self.signals, SIGNALS, "signal")
        return {
            name: build(entry.signal, self.signals.get(name, {}), f"parameter of {name}")
            for name, entry in SIGNALS.items()
        }

    def choice(self) -> Choice:
        """Return where its history comes from."""
        return Choice(
            source=self.source,
            store=self.store,
            seed=self.seed,
            years=self.years,
            thesis=self.thesis,
        )

    def identity(self) -> str:
        """Return what tells this run from another on equal data, as canonical JSON."""
        where = {"source", "store", "seed", "years", "thesis"}
        return json.dumps(self.model_dump(mode="json", exclude=where), sort_keys=True)


def build(cls: type[T], params: Mapping[str, Any], what: str) -> T:
    """Return a parameter dataclass from plain values, checked by its types.

    Raises
    ------
    ConfigError
        When a name is unknown or a value is of another type or out of range.
    """
    _refuse_unknown(params, [f.name for f in fields(cls)], what)  # type: ignore[arg-type]
    for f in fields(cls):  # type: ignore[arg-type]
        if isinstance(params.get(f.name), bool) and f.type is not bool:
            raise ConfigError(f"{what} {f.name}: expected a number, was {params[f.name]!r}")
    try:
        return pydantic.TypeAdapter(cls).validate_python(dict(params))
    except pydantic.ValidationError as error:
        raise ConfigError(_first_fault(error, f"{what} ")) from None


def config_from(data: Mapping[str, Any]) -> RunConfig:
    """Return the configuration that plain data describe.

    Raises
    ------
    ConfigError
        When a key is unknown (with the nearest known one) or a value cannot be used.
    """
    _refuse_unknown(data, RunConfig.model_fields, "config key")
    costs = data.get("costs", {})
    if isinstance(costs, Mapping):
        _refuse_unknown(costs, [f.name for f in fields(Costs)], "config key in costs")
    try:
        config = RunConfig.model_validate(dict(data))
    except pydantic.ValidationError as error:
        raise ConfigError(_first_fault(error, "config key ")) from None
    if config.start and config.end and config.start > config.end:
        raise ConfigError(
            f"expected start before end, were {config.start} and {config.end}; swap them"
        )
    config.build_strategy()
    config.build_signals()
    return config


def read_config(path: Path) -> dict[str, Any]:
    """Return the plain data of a TOML file.

    Raises
    ------
    ConfigError
        When the file is missing or no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"expected a config file at {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # TOMLDecodeError and UnicodeDecodeError are ones
        raise ConfigError(f"expected TOML in {path}: {error}") from None


def config_toml(config: RunConfig) -> str:
    """Return the configuration as TOML that :func:`read_config` reads back."""
    import tomli_w

    data = config.model_dump(mode="python", exclude_none=True)
    if config.store is not None:
        data["store"] = str(config.store)
    return tomli_w.dumps(data)


def _refuse_unknown(given: Iterable[str], known: Iterable[str], what: str) -> None:
    names = list(known)
    for key in given:
        if key not in names:
            raise ConfigError(unknown(what, key, names))


def _first_fault(error: pydantic.ValidationError, what: str) -> str:
    fault = error.errors()[0]
    where = ".".join(map(str, fault["loc"]))
    if isinstance(cause := fault.get("ctx", {}).get("error"), Exception):
        return f"{what}{where}: {cause}".replace(" : ", ": ")
    return f"{what}{where}: {fault['msg'].lower()}, was {fault['input']!r}"
