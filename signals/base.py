"""The contract of a signal.

A signal is a frozen dataclass, and its fields are its parameters. A signal reads a point-in-time
panel: one row for each NYSE session, one column for each catalog id. Each cell holds the value that
was known at the close of its session. The signal computes its gauges from the panel, and its score
from the gauges. The flag follows from the gauges and the thresholds. Later rows of the panel never
change the results of earlier rows. A test checks this rule for every registered signal.
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
from signals.params import Orders, Typed
from signals.transforms import Rows

#: Name of the gauge with the components that a composite score lacks: see
#: :attr:`signals.transforms.Composite.without`.
WITHOUT = "without"


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Gauges, score and flag of a signal on a panel, one row for each session.

    Attributes
    ----------
    signal
        The signal that was evaluated.
    gauges
        The values that the signal measures, with one column for each gauge. ``signal.unit`` returns
        the unit of a gauge.
    score
        Score, in standard deviations of the measure's past values. A positive score means that
        capital is scarcer than in the past. NaN where the signal has no view.
    flag
        The flag, as a pandas ``boolean``. NA where the signal has no view.
    injecting
        Flag of the opposite state. None for a signal without an opposite state.
    """

    signal: "Signal"
    gauges: pd.DataFrame
    score: pd.Series
    flag: pd.Series
    injecting: pd.Series | None = None

    def rows(self, pick: "Pick") -> "Evaluation":
        """Return the evaluation with only the rows that ``pick`` chooses."""
        return replace(
            self,
            gauges=pick(self.gauges),
            score=pick(self.score),
            flag=pick(self.flag),
            injecting=None if self.injecting is None else pick(self.injecting),
        )

    def until(self, at: pd.Timestamp) -> "Evaluation":
        """Return the evaluation's rows up to a session, including that session."""
        return self.rows(lambda part: part.loc[:at])


class Pick(Protocol):
    """A function that chooses the same rows from a series and from a frame."""

    def __call__(self, part: Rows, /) -> Rows:
        """Return the chosen rows of a series or a frame."""


@dataclass(frozen=True, kw_only=True)
class Signal(Typed, ABC):
    """Measurement of one link of the thesis.

    A subclass defines ``inputs``, ``gauges``, ``score`` and ``thresholds``. A parameter outside its
    range raises ConfigError.

    Attributes
    ----------
    name, link
        Name of the signal in the registry, and the link of the thesis that the signal measures.
    headline
        The gauge that tables show for the signal.
    units
        Unit of each gauge, by the gauge's name. The unit is ``name`` for a gauge that holds words.
    parts
        The signals that this signal contains: their classes, by their names in the registry.
    context
        Gauges of other signals that pages show beside the flag, by the names of those signals. They
        change neither flag nor score.

    Parameters
    ----------
    confirm
        Number of consecutive sessions for which a condition must be true before the flag changes.
    """

    name: ClassVar[str]
    link: ClassVar[str]
    headline: ClassVar[str]
    units: ClassVar[dict[str, str]]
    parts: ClassVar[Mapping[str, type["Signal"]]] = MappingProxyType({})
    context: ClassVar[Mapping[str, tuple[str, ...]]] = MappingProxyType({})
    must_be_positive: ClassVar[tuple[str, ...]] = ("confirm",)

    confirm: int = CONFIRM

    @property
    @abstractmethod
    def inputs(self) -> tuple[str, ...]:
        """Catalog ids that the signal itself reads, without the inputs of its parts."""

    @abstractmethod
    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Return a table of sessions × gauges.

        The columns of the table are the keys of :attr:`units`.
        """

    @abstractmethod
    def score(self, gauges: pd.DataFrame) -> pd.Series:
        """Return the score, in σ. A positive score means scarcer capital than in the past."""

    @property
    @abstractmethod
    def thresholds(self) -> tuple[Threshold, ...]:
        """Levels that turn the flag on (beyond all ``enter``) or off (beyond any ``leave``)."""

    @property
    def injecting(self) -> tuple[Threshold, ...]:
        """Thresholds of the opposite state; empty for a signal that has no such state."""
        return ()

    @property
    def confirm_leave(self) -> int:
        """Number of consecutive sessions with a true exit condition before the flag turns off."""
        return self.confirm

    @property
    def shown_only(self) -> tuple[str, ...]:
        """Ids among :attr:`inputs` that change only gauges for context, neither flag nor score."""
        return ()

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the components of the composite score; empty without a composite score."""
        return ()

    def unit(self, gauge: str) -> str:
        """Return the unit of a gauge; a subclass overrides it if a parameter decides the unit."""
        return self.units[gauge]

    def flag(self, gauges: pd.DataFrame) -> pd.Series:
        """Return the flag that the thresholds give; a subclass can override this method."""
        return turned(gauges, self.thresholds, self.confirm, self.confirm_leave)

    def beside(self, evaluation: Evaluation) -> dict[str, float]:
        """Return numbers that pages show beside the flag; empty by default.

        Each key is a name with a unit. The numbers help a user to judge the flag at the last
        session of the evaluation.
        """
        return {}

    @final
    def evaluate(
        self, panel: pd.DataFrame, parts: Mapping[str, Evaluation] = MappingProxyType({})
    ) -> Evaluation:
        """Return gauges, score and flag on a point-in-time panel, sessions × catalog ids.

        ``parts`` maps names of signals to their evaluations on the same panel. A part that
        ``parts`` lacks is evaluated with its default parameters. See
        :func:`signals.evaluations.evaluate`.

        Raises
        ------
        MissingSeries
            When the panel lacks a column that the signal reads.
        SimulationError
            When the signal's own code fails, or when its results break the contract of this class.
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

    A subclass defines ``combine`` instead of ``gauges``. The signal takes its parts from the
    signals that are evaluated with it. So a user sets a parameter of a part once, and every signal
    that contains the part uses that value.
    """

    @abstractmethod
    def combine(self, panel: pd.DataFrame, parts: Mapping[str, Evaluation]) -> pd.DataFrame:
        """Return the gauges, computed from the panel and the evaluations of the parts."""

    @final
    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Return the gauges when every part has its default parameters."""
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

    The gauges include a column ``score``. The attribute :attr:`decides` names the gauge on which
    the flag depends. The flag turns on when this gauge is above ``enter``, and off when it is below
    ``leave``.

    Parameters
    ----------
    enter
        Level of the gauge, σ, above which the flag turns on.
    leave
        Level of the gauge, σ, below which the flag turns off.
    """

    decides: ClassVar[str] = "score"
    must_ascend: ClassVar[Orders] = (("leave", "enter"),)

    enter: float = 1.0
    leave: float = 0.0

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """The ``enter`` and ``leave`` levels of the gauge that :attr:`decides` names."""
        return (Threshold(gauge=self.decides, enter=self.enter, leave=self.leave, above=True),)

    def score(self, gauges: pd.DataFrame) -> pd.Series:
        """Return the column ``score`` of the gauges."""
        return gauges["score"]


def require(panel: pd.DataFrame, ids: tuple[str, ...], signal: str) -> None:
    """Raise :class:`MissingSeries` when the panel lacks a column that a signal reads."""
    missing = [id for id in ids if id not in panel.columns]
    if missing:
        raise MissingSeries(
            f"{signal} reads {', '.join(missing)}, which the history does not hold; import or "
            "fetch it (drypowder data lists what is held)"
        )
