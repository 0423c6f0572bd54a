"""The contract of a signal, and the latch that turns a measure into a flag.

A signal is a frozen dataclass whose fields are its parameters. It is given a point-in-time panel
(one row a NYSE session, one column a catalog id, each cell as known at that close) and answers
with gauges, a score and a flag. Appending the future to the panel never changes the past of any
of them: that is the law, and a test holds every registered signal to it.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np
import pandas as pd

from signals.errors import ConfigError, DataError, MissingSeries
from signals.index import check_session, check_sessions
from signals.params import Typed
from signals.transforms import percentile

CONFIRM = 5
#: Gauge of a composite: names of the components that do not count, joined by ", "; else None.
WITHOUT = "without"


def latch(
    enter: pd.Series,
    leave: pd.Series,
    view: pd.Series,
    confirm: int = CONFIRM,
    confirm_leave: int | None = None,
) -> pd.Series:
    """Return a flag with hysteresis, confirmed on entry and on exit.

    Starting from off, the flag turns on at the ``confirm``-th session in a row on which ``enter``
    holds, and off at the ``confirm_leave``-th in a row on which ``leave`` holds.

    Parameters
    ----------
    enter, leave
        Boolean, one value a session.
    view
        Boolean; where False the flag is NA. A gap in the view forgets: the flag starts from off.
    confirm, confirm_leave
        Sessions in a row, at least 1; the second is the first unless given.

    Returns
    -------
    Series of pandas ``boolean``: True, False, or NA without a view.
    """
    state, run = False, 0
    out = np.zeros(len(view), dtype=bool)
    seen = view.to_numpy(dtype=bool)
    for i, (start, stop) in enumerate(zip(enter.to_numpy(bool), leave.to_numpy(bool), strict=True)):
        if not seen[i]:
            state, run = False, 0
            continue
        run = run + 1 if (stop if state else start) else 0
        if run >= (confirm_leave or confirm if state else confirm):
            state, run = not state, 0
        out[i] = state
    return pd.Series(out, index=view.index, dtype="boolean").mask(~seen)


def hysteresis(measure: pd.Series, enter: float, leave: float, confirm: int = CONFIRM) -> pd.Series:
    """Return the flag of one measure: on beyond ``enter``, off beyond ``leave`` again.

    With ``enter`` above ``leave`` the flag stands for high values, else for low ones. NA where
    the measure is NaN. See :func:`latch` for confirmation.
    """
    sign = 1 if enter > leave else -1
    return latch(
        sign * measure > sign * enter,
        sign * measure < sign * leave,
        measure.notna(),
        confirm,
    )


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """The measure a flag stands on, and where it turns.

    Attributes
    ----------
    gauge
        Name of the gauge.
    enter, leave
        Levels, in the gauge's unit, beyond which the flag enters and leaves.
    above
        True where the flag stands for high values of the gauge.
    """

    gauge: str
    enter: float
    leave: float
    above: bool

    def flips(self, on: bool, unit: str) -> str:
        """Say where the gauge has to go for the flag to flip, in words."""
        beyond = "above" if self.above != on else "below"
        return f"{self.gauge} {beyond} {self.leave if on else self.enter:g} {unit}".strip()

    def distance(self, value: float, on: bool) -> float:
        """Return how far the gauge has to move to flip the flag, signed, in the gauge's unit."""
        return (self.leave if on else self.enter) - value


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What a signal says at one session, and on what it rests.

    Attributes
    ----------
    value, unit
        The headline gauge and its unit; NaN without a view.
    percentile
        Share of the gauge's own past at or below the value, %.
    score
        In standard deviations of its own past; positive means capital is scarcer.
    flag
        True, False, or None without a view.
    since
        First session of the present state of the flag; None without a view.
    distance
        How far the binding gauge has to move to flip the flag, in ``distance_unit``.
    distance_value
        Where the binding gauge is now, in ``distance_unit``; NaN without a view.
    flips
        In words, where the binding gauge has to go for the flag to flip; empty without a view.
    known_at
        For each input, the moment its present value was first known (None when it has none).
    missing
        Inputs that have no value at the session.
    components
        Number of components of the score; 0 where it is no composite.
    without, components_since
        Components that do not count at the session, and the first session of which this is true.
    beside
        Numbers to be shown beside the flag, by what they are, unit included.
    """

    signal: str
    value: float
    unit: str
    percentile: float
    score: float
    flag: bool | None
    since: pd.Timestamp | None
    distance: float
    distance_gauge: str
    distance_unit: str
    distance_value: float
    flips: str
    known_at: dict[str, pd.Timestamp | None]
    missing: tuple[str, ...]
    components: int
    without: tuple[str, ...]
    components_since: pd.Timestamp | None
    beside: dict[str, float]

    @property
    def rests_on(self) -> str:
        """Say which components a composite lacks, and since when; empty where all count."""
        if not self.without or self.components_since is None:
            return ""
        counted = self.components - len(self.without)
        return (
            f"rests on {counted} of {self.components} components since "
            f"{self.components_since.date()}: without {', '.join(self.without)}"
        )

    @property
    def reason(self) -> str:
        """Why there is no view; empty where there is one."""
        if self.flag is not None:
            return ""
        if self.missing:
            return f"no value of {', '.join(self.missing[:4])}{' …' * (len(self.missing) > 4)}"
        return "not identified yet, or too little history"


@dataclass(frozen=True, kw_only=True)
class Signal(Typed, ABC):
    """One link of the thesis, measured.

    Subclasses are frozen, keyword-only dataclasses; their fields are their parameters.

    Attributes
    ----------
    name, link
        Its name in the registry, and the link of the thesis it measures.
    headline
        The gauge that stands for it in tables.
    units
        Of each gauge, by name; ``name`` for a gauge that holds words.
    """

    name: ClassVar[str]
    link: ClassVar[str]
    headline: ClassVar[str]
    units: ClassVar[dict[str, str]]

    @property
    @abstractmethod
    def inputs(self) -> tuple[str, ...]:
        """Catalog ids of the series it reads."""

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the components of its composite; its gauge ``without`` lists those missing."""
        return ()

    def beside(self, panel: pd.DataFrame) -> dict[str, float]:
        """Return numbers to show beside the flag, by name and unit; empty by default.

        For what a reader must know to judge the flag at the panel's last session.
        """
        return {}

    @abstractmethod
    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Return its named measures, one column each, in the units of :attr:`units`."""

    @abstractmethod
    def score(self, panel: pd.DataFrame) -> pd.Series:
        """Return the score: positive means capital is scarcer than in its own past."""

    @abstractmethod
    def flag(self, panel: pd.DataFrame) -> pd.Series:
        """Return the flag as pandas ``boolean``; NA without a view."""

    def views(self, panel: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
        """Return flag and score; a signal may compute what they share once."""
        return self.flag(panel), self.score(panel)

    @property
    @abstractmethod
    def thresholds(self) -> tuple[Threshold, ...]:
        """Gauges that must all be beyond ``enter`` for the flag; any beyond ``leave`` ends it."""

    def explain(
        self, panel: pd.DataFrame, at: pd.Timestamp, known: pd.DataFrame | None = None
    ) -> Explanation:
        """Say what the signal says at a session, from what was known then.

        Parameters
        ----------
        panel
            The point-in-time panel; rows after ``at`` are not read.
        at
            A session of the panel.
        known
            Moments at which the cells of the panel were first known, same shape; when given,
            the explanation names the moment for each input.

        Raises
        ------
        DataError
            When the panel has no sessions, or ``known`` has others.
        ConfigError
            When ``at`` is no session of the panel.
        """
        check_sessions(panel.index, "the panel")
        at = check_session(at, panel.index)
        past = panel.loc[:at]
        gauges, flag = self.gauges(past), self.flag(past)
        headline = gauges[self.headline]
        on = None if flag.isna().iloc[-1] else bool(flag.iloc[-1])
        binding, distance = self._binding(gauges, on)
        without = gauges[WITHOUT].fillna("") if self.components else None
        return Explanation(
            signal=self.name,
            value=float(headline.iloc[-1]),
            unit=self.units[self.headline],
            percentile=percentile(self._comparable(headline, without)),
            score=float(self.score(past).iloc[-1]),
            flag=on,
            since=since(flag),
            distance=distance,
            distance_gauge=binding.gauge,
            distance_unit=self.units[binding.gauge],
            distance_value=float("nan") if on is None else float(gauges[binding.gauge].iloc[-1]),
            flips="" if on is None else binding.flips(on, self.units[binding.gauge]),
            known_at=_known_at(self.inputs, known, at),
            missing=tuple(id for id in self.inputs if id not in past or past[id].isna().iloc[-1]),
            components=len(self.components),
            without=() if without is None else tuple(filter(None, without.iloc[-1].split(", "))),
            components_since=None if without is None else since(without),
            beside=self.beside(past),
        )

    def _comparable(self, headline: pd.Series, without: pd.Series | None) -> pd.Series:
        """Return the headline gauge on sessions with the same components as the last session."""
        if without is None or self.headline not in ("mean", "score"):
            return headline
        return headline.where(without == without.iloc[-1])

    def _binding(self, gauges: pd.DataFrame, on: bool | None) -> tuple[Threshold, float]:
        """Return the threshold that decides the next flip, and the distance to it.

        Off, the flag waits for the condition that is furthest from holding; on, it ends with the
        condition that is nearest to failing. Furthest and nearest are in standard deviations of
        each gauge's own past.
        """
        last = gauges.iloc[-1]
        distances = {t: t.distance(float(last[t.gauge]), bool(on)) for t in self.thresholds}
        if on is None:
            return self.thresholds[0], float("nan")

        def slack(t: Threshold) -> float:
            sign = (1 if t.above else -1) * (-1 if on else 1)
            spread = float(gauges[t.gauge].std())
            return sign * distances[t] / (spread if spread > 0 else 1.0)

        chosen = (min if on else max)(self.thresholds, key=slack)
        return chosen, distances[chosen]


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
    confirm: int = CONFIRM

    def __post_init__(self) -> None:
        """Refuse parameters that make no sense together."""
        positive("confirm", self.confirm)
        ordered("leave", self.leave, "enter", self.enter)

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """One gauge decides."""
        return (Threshold(gauge=self.decides, enter=self.enter, leave=self.leave, above=True),)

    def score(self, panel: pd.DataFrame) -> pd.Series:
        """Return the gauge of that name."""
        return self.gauges(panel)["score"].rename(self.name)

    def flag(self, panel: pd.DataFrame) -> pd.Series:
        """Return whether the deciding gauge is high."""
        return self._high(self.gauges(panel))

    def views(self, panel: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
        """Return flag and score from one set of gauges, unless a subclass has its own of either."""
        if type(self).flag is not ScoreSignal.flag or type(self).score is not ScoreSignal.score:
            return super().views(panel)
        gauges = self.gauges(panel)
        if not {"score", self.decides} <= set(gauges):
            return super().views(panel)  # which says what is missing
        return self._high(gauges), gauges["score"].rename(self.name)

    def _high(self, gauges: pd.DataFrame) -> pd.Series:
        measure = gauges[self.decides]
        return hysteresis(measure, self.enter, self.leave, self.confirm).rename(self.name)


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


def parameters(obj: object) -> dict[str, object]:
    """Return the fields of a dataclass with their values, in order."""
    return {f.name: getattr(obj, f.name) for f in fields(obj)}  # type: ignore[arg-type]


def since(flag: pd.Series) -> pd.Timestamp | None:
    """Return the first session of the present state of a flag or regime; None without a view."""
    if flag.empty or pd.isna(flag.iloc[-1]):
        return None
    same = (flag == flag.iloc[-1]).fillna(False).to_numpy(dtype=bool)
    changes = np.flatnonzero(~same)
    first = int(changes[-1]) + 1 if len(changes) else 0
    return pd.Timestamp(flag.index[first])


def _known_at(
    inputs: tuple[str, ...], known: pd.DataFrame | None, at: pd.Timestamp
) -> dict[str, pd.Timestamp | None]:
    if known is None:
        return {}
    if at not in known.index:
        raise DataError(
            f"expected moments of the panel's own sessions, found none for {at.date()}; give "
            "History.known"
        )
    row = known.loc[at]
    return {id: None if pd.isna(row.get(id)) else pd.Timestamp(str(row[id])) for id in inputs}
