"""The contract of a signal.

A signal is a frozen dataclass, and its fields are its parameters. It reads a point-in-time panel:
one row for each NYSE session, one column for each catalog id, each cell as known at that close.
It measures gauges on the panel. It computes its score from the gauges, and its flag from its
thresholds. Later rows of the panel never change the results of earlier rows. A test checks this
rule for every registered signal.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar, Protocol, final

import pandas as pd

from signals.errors import MissingSeries
from signals.form import ask
from signals.hysteresis import CONFIRM, Threshold, turned
from signals.params import Typed
from signals.transforms import Rows

#: Gauge of a composite score: see :attr:`signals.transforms.Composite.without`.
WITHOUT = "without"


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Gauges, score and flag of a signal on a panel, one row for each session.

    Attributes
    ----------
    signal
        The signal that was evaluated.
    gauges
        Measures of the signal, one column each, in the units of ``signal.units``.
    score
        Standard deviations of the measure's own past. A positive score means that capital is
        scarcer than in that past. NaN where the signal has no view.
    flag
        Pandas ``boolean``. NA where the signal has no view.
    injecting
        Flag of the opposite state, for a signal that has one. None for the others.
    """

    signal: "Signal"
    gauges: pd.DataFrame
    score: pd.Series
    flag: pd.Series
    injecting: pd.Series | None = None

    def rows(self, pick: "Pick") -> "Evaluation":
        """Return the evaluation with the same rows chosen from each of its parts."""
        return replace(
            self,
            gauges=pick(self.gauges),
            score=pick(self.score),
            flag=pick(self.flag),
            injecting=None if self.injecting is None else pick(self.injecting),
        )

    def until(self, at: pd.Timestamp) -> "Evaluation":
        """Return the evaluation up to a session, that session included."""
        return self.rows(lambda part: part.loc[:at])


class Pick(Protocol):
    """A function that chooses the same rows from a series and from a frame."""

    def __call__(self, part: Rows, /) -> Rows:
        """Return the chosen rows of a part."""


@dataclass(frozen=True, kw_only=True)
class Signal(Typed, ABC):
    """Measurement of one link of the thesis.

    A subclass writes ``inputs``, ``gauges``, ``score`` and ``thresholds``. It raises ConfigError
    when a parameter is outside its range.

    Attributes
    ----------
    name, link
        Its name in the registry, and the link of the thesis that it measures.
    headline
        The gauge that tables show for it.
    units
        Unit of each gauge, by the gauge's name. The unit is ``name`` for a gauge that holds words.
    parts
        Classes of the signals that it contains, by their names in the registry.

    Parameters
    ----------
    confirm
        Sessions in a row that a condition must hold before the flag changes.
    """

    name: ClassVar[str]
    link: ClassVar[str]
    headline: ClassVar[str]
    units: ClassVar[dict[str, str]]
    parts: ClassVar[Mapping[str, type["Signal"]]] = MappingProxyType({})
    above_zero: ClassVar[tuple[str, ...]] = ("confirm",)

    confirm: int = CONFIRM

    @property
    @abstractmethod
    def inputs(self) -> tuple[str, ...]:
        """Catalog ids of the series that it reads itself, without those that its parts read."""

    @abstractmethod
    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Return the measures of each session, one named column each, in :attr:`units`."""

    @abstractmethod
    def score(self, gauges: pd.DataFrame) -> pd.Series:
        """Return the score, σ; a positive one means that capital is scarcer than in its past."""

    @property
    @abstractmethod
    def thresholds(self) -> tuple[Threshold, ...]:
        """Levels of gauges: the flag turns on beyond all ``enter``, off beyond any ``leave``."""

    @property
    def injecting(self) -> tuple[Threshold, ...]:
        """Thresholds of the opposite state; empty for a signal that has no such state."""
        return ()

    @property
    def confirm_leave(self) -> int:
        """Sessions in a row that the exit condition must hold before the flag turns off."""
        return self.confirm

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the components of its composite score; empty for a signal without one."""
        return ()

    def flag(self, gauges: pd.DataFrame) -> pd.Series:
        """Return the flag that the thresholds give; override it for a rule of another form."""
        return turned(gauges, self.thresholds, self.confirm, self.confirm_leave)

    def beside(self, evaluation: Evaluation) -> dict[str, float]:
        """Return numbers that pages show beside the flag, by name with unit; none by default.

        They help a reader to judge the flag at the last session of the evaluation.
        """
        return {}

    @final
    def evaluate(
        self, panel: pd.DataFrame, parts: Mapping[str, Evaluation] = MappingProxyType({})
    ) -> Evaluation:
        """Return gauges, score and flag on a point-in-time panel, sessions × catalog ids.

        ``parts`` are evaluations on the same panel, by name. A part of the signal that is not among
        them is evaluated with its default parameters. See :func:`signals.evaluations.evaluate`.

        Raises
        ------
        MissingSeries
            When the panel lacks a column that the signal reads.
        SimulationError
            When the signal's own code fails or returns another form.
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
    """A signal that is computed from other signals.

    A subclass writes ``combine`` in place of ``gauges``. Its parts come from the set of signals
    that it is evaluated with. So a user sets a parameter of a part once, and every signal that
    contains the part uses that value.
    """

    @abstractmethod
    def combine(self, panel: pd.DataFrame, parts: Mapping[str, Evaluation]) -> pd.DataFrame:
        """Return the gauges, computed from the panel and the evaluations of the parts."""

    @final
    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Return the gauges with every part at its default parameters."""
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
    """A signal whose flag depends on one gauge: its score, or the mean behind the score.

    Its gauges hold a column ``score``. The flag turns on when the gauge :attr:`decides` is above
    ``enter``, and off when that gauge is below ``leave``.

    Parameters
    ----------
    enter
        Level of the gauge, σ, above which the flag turns on.
    leave
        Level of the gauge, σ, below which the flag turns off.
    """

    decides: ClassVar[str] = "score"
    ascending: ClassVar[tuple[str, ...]] = ("leave < enter",)

    enter: float = 1.0
    leave: float = 0.0

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """The two levels of the gauge that decides."""
        return (Threshold(gauge=self.decides, enter=self.enter, leave=self.leave, above=True),)

    def score(self, gauges: pd.DataFrame) -> pd.Series:
        """Return the gauge ``score``."""
        return gauges["score"]


def require(panel: pd.DataFrame, ids: tuple[str, ...], signal: str) -> None:
    """Raise :class:`MissingSeries` when the panel lacks a column that a signal reads."""
    missing = [id for id in ids if id not in panel.columns]
    if missing:
        raise MissingSeries(
            f"{signal} reads {', '.join(missing)}, which the history does not hold; import or "
            "fetch it (drypowder data lists what is held)"
        )
