"""The contract of a signal.

A signal is a frozen dataclass whose fields are its parameters. It is given a point-in-time panel
(one row a NYSE session, one column a catalog id, each cell as known at that close) and measures
gauges. Its score is made of the gauges, and its flag follows from its thresholds. Appending the
future to the panel never changes the past of any of them: that is the law, and a test holds every
registered signal to it.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Protocol, TypeVar, final

import numpy as np
import pandas as pd

from signals.errors import ConfigError, MissingSeries
from signals.form import ask
from signals.hysteresis import CONFIRM, Threshold, turned
from signals.params import Typed

Rows = TypeVar("Rows", pd.Series, pd.DataFrame)
#: Gauge of a composite: names of the components that do not count, joined by ", "; else None.
WITHOUT = "without"


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What a signal says at each session of a panel; every part has one row a session.

    Attributes
    ----------
    signal
        Which signal.
    gauges
        Its measures, one column each, in the units of the signal.
    score
        Positive where capital is scarcer than in its own past, in standard deviations of it; NaN
        without a view.
    flag
        Pandas ``boolean``; NA without a view.
    injecting
        The same for the opposite state of a signal that has one; None for the others.
    """

    signal: "Signal"
    gauges: pd.DataFrame
    score: pd.Series
    flag: pd.Series
    injecting: pd.Series | None = None

    def rows(self, pick: "Pick") -> "Evaluation":
        """Return it with some of its rows, picked from each part alike."""
        return Evaluation(
            signal=self.signal,
            gauges=pick(self.gauges),
            score=pick(self.score),
            flag=pick(self.flag),
            injecting=None if self.injecting is None else pick(self.injecting),
        )

    def until(self, at: pd.Timestamp) -> "Evaluation":
        """Return it up to a session."""
        return self.rows(lambda part: part.loc[:at])


class Pick(Protocol):
    """A choice of rows: the same of a series and of a frame."""

    def __call__(self, part: Rows, /) -> Rows:
        """Return the part with the rows chosen."""


@dataclass(frozen=True, kw_only=True)
class Signal(Typed, ABC):
    """One link of the thesis, measured.

    Subclasses are frozen, keyword-only dataclasses; their fields are their parameters. They write
    ``inputs``, ``gauges``, ``score`` and ``thresholds``.

    Attributes
    ----------
    name, link
        Its name in the registry, and the link of the thesis it measures.
    headline
        The gauge that stands for it in tables.
    units
        Of each gauge, by name; ``name`` for a gauge that holds words.
    parts
        Signals that it contains, by their names in the registry.

    Parameters
    ----------
    confirm
        Sessions in a row before the flag turns.
    """

    name: ClassVar[str]
    link: ClassVar[str]
    headline: ClassVar[str]
    units: ClassVar[dict[str, str]]
    parts: ClassVar[Mapping[str, type["Signal"]]] = MappingProxyType({})

    confirm: int = CONFIRM

    @property
    @abstractmethod
    def inputs(self) -> tuple[str, ...]:
        """Catalog ids of the series it reads itself; those of its parts are theirs."""

    @abstractmethod
    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Return its named measures, one column each, in the units of :attr:`units`."""

    @abstractmethod
    def score(self, gauges: pd.DataFrame) -> pd.Series:
        """Return the score: positive means capital is scarcer than in its own past."""

    @property
    @abstractmethod
    def thresholds(self) -> tuple[Threshold, ...]:
        """Gauges that must all be beyond ``enter`` for the flag; any beyond ``leave`` ends it."""

    @property
    def injecting(self) -> tuple[Threshold, ...]:
        """Thresholds of the opposite state, for a signal that has one; empty for the others."""
        return ()

    @property
    def confirm_leave(self) -> int:
        """Sessions in a row before the flag turns off."""
        return self.confirm

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the components of its composite; its gauge ``without`` lists those missing."""
        return ()

    def flag(self, gauges: pd.DataFrame) -> pd.Series:
        """Return the flag; only a signal whose rule is no threshold writes its own."""
        return turned(gauges, self.thresholds, self.confirm, self.confirm_leave)

    def beside(self, evaluation: Evaluation) -> dict[str, float]:
        """Return numbers to show beside the flag, by name and unit; empty by default.

        They say what a reader must know to judge the flag at the evaluation's last session.
        """
        return {}

    @final
    def evaluate(
        self, panel: pd.DataFrame, parts: Mapping[str, Evaluation] = MappingProxyType({})
    ) -> Evaluation:
        """Return gauges, score and flag on a panel.

        Parameters
        ----------
        panel
            Point-in-time panel, sessions × catalog ids.
        parts
            Evaluations on the same panel, by name. A part of the signal that is missing there is
            evaluated with its default parameters. See :func:`signals.evaluate.evaluate`.

        Raises
        ------
        MissingSeries
            When the panel lacks a column that it reads.
        SimulationError
            When the signal's own code fails or answers in another form.
        """
        require(panel, ask(self, "inputs"), self.name)
        gauges = self._measure(panel, parts)
        ask(self, "thresholds")
        injecting = ask(self, "injecting")
        return Evaluation(
            signal=self,
            gauges=gauges,
            score=ask(self, "score", gauges).rename(self.name),
            flag=ask(self, "flag", gauges).rename(self.name),
            injecting=turned(gauges, injecting, self.confirm) if injecting else None,
        )

    def _measure(self, panel: pd.DataFrame, parts: Mapping[str, Evaluation]) -> pd.DataFrame:
        gauges: pd.DataFrame = ask(self, "gauges", panel)
        return gauges


@dataclass(frozen=True, kw_only=True)
class CompoundSignal(Signal):
    """A signal that contains others: it writes ``combine`` in place of ``gauges``.

    Its parts are those of the set that it is evaluated with. So a parameter of a part is set in
    one place and holds wherever the part is read.
    """

    @abstractmethod
    def combine(self, panel: pd.DataFrame, parts: Mapping[str, Evaluation]) -> pd.DataFrame:
        """Return its gauges, made of the evaluations of its parts."""

    @final
    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Return its named measures, with parts that have their default parameters."""
        return self._measure(panel, {})

    def _measure(self, panel: pd.DataFrame, parts: Mapping[str, Evaluation]) -> pd.DataFrame:
        own = {
            name: parts[name] if name in parts else part().evaluate(panel)
            for name, part in self.parts.items()
        }
        gauges: pd.DataFrame = ask(self, "combine", panel, own)
        return gauges


@dataclass(frozen=True, kw_only=True)
class ScoreSignal(Signal):
    """A signal whose flag stands on its own score, or on the mean of z that the score is made of.

    Its gauges hold a column ``score``; the flag is on when the gauge :attr:`decides` is above
    ``enter`` and off when it is below ``leave``.

    Parameters
    ----------
    enter, leave
        Levels of that gauge, σ.
    confirm
        Sessions in a row before the flag turns.

    Raises
    ------
    ConfigError
        When ``leave`` does not lie below ``enter``.
    """

    decides: ClassVar[str] = "score"

    enter: float = 1.0
    leave: float = 0.0

    def __post_init__(self) -> None:
        """Refuse parameters that make no sense together."""
        positive("confirm", self.confirm)
        ordered("leave", self.leave, "enter", self.enter)

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """One gauge decides."""
        return (Threshold(gauge=self.decides, enter=self.enter, leave=self.leave, above=True),)

    def score(self, gauges: pd.DataFrame) -> pd.Series:
        """Return the gauge of that name."""
        return gauges["score"]


def require(panel: pd.DataFrame, ids: tuple[str, ...], signal: str) -> None:
    """Raise :class:`MissingSeries` when the panel lacks a column that a signal reads."""
    missing = [id for id in ids if id not in panel.columns]
    if missing:
        raise MissingSeries(
            f"{signal} reads {', '.join(missing)}, which the history does not hold; import or "
            "fetch it (drypowder data lists what is held)"
        )


def positive(name: str, value: float) -> None:
    """Raise :class:`ConfigError` unless a parameter is a positive, finite number."""
    if not (np.isfinite(value) and value > 0):
        raise ConfigError(f"{name} must be a positive number, was {value!r}")


def ordered(low_name: str, low: float, high_name: str, high: float) -> None:
    """Raise :class:`ConfigError` unless one parameter lies below another."""
    if not low < high:
        raise ConfigError(f"{low_name} must lie below {high_name}, were {low!r} and {high!r}")
