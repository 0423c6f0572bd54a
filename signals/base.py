"""Base classes of signals, and the result of a signal on a panel.

A signal is a frozen dataclass, and its fields are its parameters. A signal reads a point-in-time
panel: one row for each NYSE session, one column for each series. Each cell contains the value that
was known at the close of its session. A gauge is a named measure that the signal computes from the
panel. The signal computes its score from its gauges. The flag turns on and off when gauges cross
their thresholds. Later rows of the panel never change the results of earlier rows. A test checks
every registered signal for look-ahead.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar, Protocol, final

import pandas as pd

from signals.catalog import CATALOG
from signals.errors import MissingSeries
from signals.form import ask
from signals.hysteresis import CONFIRM, Threshold, flag_said, last_view, since, turned
from signals.index import check_panel
from signals.params import Orders, Typed
from signals.summary import Summarised, Summary, amount, described
from signals.transforms import Rows


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Evaluation(Summarised):
    """Gauges, score and flag of a signal on a panel, one row for each session.

    Attributes
    ----------
    signal
        The signal that was evaluated.
    gauges
        Table of sessions × gauges. A gauge is a named measure; ``signal.unit`` returns its unit.
    score
        Z-score of the signal's measure, computed from past values of the measure. A positive score
        means that capital is scarcer than in the past. The score is NaN at sessions where the score
        cannot be computed.
    flag
        The flag, as a pandas ``boolean``. The flag is NA if a gauge that the flag uses has no
        value.
    injecting
        The signal's second flag. For example, the second flag of the signal ``absorption`` is on
        when idle capital is ample and spending grows. ``injecting`` is None if the signal has only
        one flag.
    """

    signal: "Signal"
    gauges: pd.DataFrame
    score: pd.Series
    flag: pd.Series
    injecting: pd.Series | None = None

    def rows(self, pick: "Pick") -> "Evaluation":
        """Return the evaluation with only the rows that the function ``pick`` chooses."""
        return replace(
            self,
            gauges=pick(self.gauges),
            score=pick(self.score),
            flag=pick(self.flag),
            injecting=None if self.injecting is None else pick(self.injecting),
        )

    def until(self, at: pd.Timestamp) -> "Evaluation":
        """Return the evaluation up to a session, including the row of that session."""
        return self.rows(lambda part: part.loc[:at])

    def _summary(self) -> Summary:
        """Return the signal, and its main gauge, score and flag at the last session."""
        signal = self.signal
        title = f"Evaluation of {signal.name}: {described(self.flag.index)}"
        facts = {"signal": repr(signal), "gauges": ", ".join(map(str, self.gauges))}
        if self.flag.empty:
            return Summary(title=title, facts=facts)
        value = float(self.gauges[signal.headline].iloc[-1])
        last = {
            signal.headline: amount(value, signal.unit(signal.headline)),
            "score": amount(float(self.score.iloc[-1]), "σ"),
            "flag": flag_said(last_view(self.flag), since(self.flag)),
        }
        return Summary(title=title, facts={**facts, **last})


class Pick(Protocol):
    """A function that chooses rows of a table; the table is a Series or a DataFrame."""

    def __call__(self, part: Rows, /) -> Rows:
        """Return the chosen rows of a Series or a DataFrame."""


@dataclass(frozen=True, kw_only=True)
class Signal(Typed, ABC):
    """Base class of signals. Each signal measures one link (step) of the thesis, from L1 to L15.

    A subclass defines ``inputs``, ``gauges``, ``score`` and ``thresholds``. A parameter outside its
    range raises ConfigError.

    Attributes
    ----------
    name, link
        Name of the signal in the registry, and the link of the thesis that the signal measures,
        such as ``L3``.
    headline
        Name of the signal's main gauge. Tables show the main gauge.
    units
        Mapping from the name of each gauge to its unit. If a gauge contains text, the unit is
        ``name``.
    parts
        The other signals that this signal uses, as a mapping from registry name to class.
    context
        ``context`` maps the name of another signal to the names of gauges of that signal. Reports
        show the gauges in ``context`` beside the flag. The gauges in ``context`` do not affect the
        flag or the score.

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
        """Ids of the series that the signal itself reads.

        The ids do not include series that only the signal's parts read.
        """

    @abstractmethod
    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Return a table of gauges (named measures), with one row for each session.

        The columns of the table are the keys of :attr:`units`.
        """

    @abstractmethod
    def score(self, gauges: pd.DataFrame) -> pd.Series:
        """Return the score, in σ. A positive score means scarcer capital than in the past."""

    @property
    @abstractmethod
    def thresholds(self) -> tuple[Threshold, ...]:
        """Levels of gauges that turn the flag on or off; see :func:`signals.hysteresis.turned`."""

    @property
    def injecting(self) -> tuple[Threshold, ...]:
        """Thresholds of the signal's second flag; empty if the signal has only one flag."""
        return ()

    @property
    def confirm_leave(self) -> int:
        """Number of consecutive sessions needed to turn the flag off.

        A session counts toward ``confirm_leave`` if at least one gauge has crossed its ``leave``
        level.
        """
        return self.confirm

    @property
    def lasts(self) -> int | None:
        """Number of sessions for which the flag stays on; None if gauges turn the flag off."""
        return None

    @property
    def shown_only(self) -> tuple[str, ...]:
        """Ids of the inputs that affect neither the flag nor the score."""
        return ()

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the components whose z-scores are averaged; empty if there are no components."""
        return ()

    def unit(self, gauge: str) -> str:
        """Return the unit of a gauge; in a subclass, the unit can depend on a parameter."""
        return self.units[gauge]

    def flag(self, gauges: pd.DataFrame) -> pd.Series:
        """Return the flag computed from the thresholds; a subclass can override this method."""
        return turned(gauges, self.thresholds, self.confirm, self.confirm_leave)

    def beside(self, evaluation: Evaluation) -> dict[str, float]:
        """Return the numbers that reports show beside the flag; the default is an empty mapping.

        Each key of the mapping is a text that names a number and its unit. The numbers help a
        reader of the report to judge the flag at the last session.
        """
        return {}

    @final
    def evaluate(
        self, panel: pd.DataFrame, parts: Mapping[str, Evaluation] = MappingProxyType({})
    ) -> Evaluation:
        """Return the gauges, the score and the flag of the signal, one row for each session.

        ``panel`` is a point-in-time table of sessions × series ids. ``parts`` maps signal names to
        evaluations on the same panel. If ``parts`` lacks the evaluation of a part, the part is
        evaluated with default parameters. See :func:`signals.evaluations.evaluate`.

        Raises
        ------
        MissingSeries
            Raised if the panel lacks a column that the signal reads.
        ConfigError, DataError
            Raised if ``panel`` is not a DataFrame, or if its index does not consist of sessions.
        SimulationError
            Raised if the code of the signal fails, or if a result does not have the required form.
        """
        check_panel(panel)
        require(panel, ask(self, "inputs"), self.name)
        gauges = self._measure(panel, parts)
        for name in ("thresholds", "confirm_leave", "lasts", "shown_only", "components"):
            ask(self, name)
        for gauge in gauges:
            ask(self, "unit", gauge)
        injecting = ask(self, "injecting")
        return Evaluation(
            signal=self,
            gauges=gauges,
            score=ask(self, "score", gauges).astype("float64").rename(self.name),
            flag=ask(self, "flag", gauges).rename(self.name),
            injecting=turned(gauges, injecting, self.confirm) if injecting else None,
        )

    def _measure(self, panel: pd.DataFrame, parts: Mapping[str, Evaluation]) -> pd.DataFrame:
        gauges: pd.DataFrame = ask(self, "gauges", panel)
        return gauges


@dataclass(frozen=True, kw_only=True)
class CompoundSignal(Signal):
    """A signal that is computed from other signals.

    A subclass defines ``combine`` instead of ``gauges``. A part is a signal that another signal
    uses. If several signals of one :class:`signals.evaluations.Evaluations` use the same part, the
    part has the same parameters in all these signals.
    """

    @abstractmethod
    def combine(self, panel: pd.DataFrame, parts: Mapping[str, Evaluation]) -> pd.DataFrame:
        """Return the gauges, computed from the panel and the evaluations of the parts."""

    @final
    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Return the gauges, computed with the default parameters of every part."""
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
    """A signal whose flag depends on one gauge: the score, or the mean of the components.

    The table of gauges has a column ``score``. The attribute :attr:`decides` names the gauge on
    which the flag depends.

    Parameters
    ----------
    enter
        The flag turns on when the gauge in :attr:`decides` is above this level (in standard
        deviations).
    leave
        The flag turns off when the gauge in :attr:`decides` is below this level (in standard
        deviations).
    """

    decides: ClassVar[str] = "score"
    must_ascend: ClassVar[Orders] = (("leave", "enter"),)

    enter: float = 1.0
    leave: float = 0.0

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """Levels that turn the flag on and off, for the gauge named in :attr:`decides`."""
        return (Threshold(gauge=self.decides, enter=self.enter, leave=self.leave, above=True),)

    def score(self, gauges: pd.DataFrame) -> pd.Series:
        """Return the column ``score`` of the gauges."""
        return gauges["score"]


def require(panel: pd.DataFrame, ids: tuple[str, ...], name: str) -> None:
    """Raise :class:`MissingSeries` when the panel lacks a column that a signal or strategy reads.

    ``name`` is the name of the signal or strategy.
    """
    missing = [id for id in ids if id not in panel.columns]
    events = [id for id in missing if id in CATALOG and CATALOG[id].frequency == "event"]
    if events:
        raise MissingSeries(
            f"{name} reads {', '.join(events)}, but the panel does not contain dated events; "
            "choose another series"
        )
    if missing:
        raise MissingSeries(
            f"{name} reads series that the history lacks: {', '.join(missing)}; correct the id, or "
            "import or fetch the series ('drypowder data' lists the stored series)"
        )
