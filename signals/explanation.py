"""The explanation of a signal at one session: value, flag, distance to the next flip, inputs."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

from signals.base import Evaluation, Signal
from signals.catalog import CATALOG
from signals.dry_powder import DryPowder
from signals.errors import ConfigError, DataError, shown
from signals.evaluations import inputs_of
from signals.form import WITHOUT, ask
from signals.funding import Funding
from signals.hysteresis import Threshold, flag_said, last_view, since
from signals.index import check_panel, check_session
from signals.scales import Scales, scales_at_end
from signals.summary import Summarised, Summary, amount
from signals.transforms import percentile

#: Name of an additional gauge: the number of sessions for which the flag has been on. Only a signal
#: whose flag stays on for a fixed number of sessions has this gauge.
AGE = "age"


@dataclass(frozen=True, kw_only=True, repr=False)
class Explanation(Summarised):
    """Value, score and flag of a signal at one session, and the inputs of the signal.

    Attributes
    ----------
    signal
        Name of the signal.
    value, unit
        Value and unit of the signal's main gauge (:attr:`Signal.headline`). An unknown value is
        NaN.
    percentile
        Percentage of the main gauge's past values that are at or below the newest value.
    score
        Z-score of the signal's measure, computed from past values of the measure. A positive score
        means that capital is scarcer than in the past.
    flag
        True, False, or None when the flag is NA.
    since
        First session of the flag's current state. None if the flag is NA.
    distance, distance_gauge, distance_unit
        ``distance_gauge`` names the gauge that determines the next change of the flag. ``distance``
        is the signed change of ``distance_gauge`` that would flip the flag, in ``distance_unit``.
        If a flag stays on for a fixed number of sessions, ``distance_gauge`` is :data:`AGE` while
        the flag is on. ``distance`` is NaN if the flag is NA or the gauge has no value.
    distance_value
        Current value of the gauge ``distance_gauge``, in ``distance_unit``. NaN if the flag is NA
        or the gauge has no value.
    flips
        Text with the level that the gauge ``distance_gauge`` must cross to flip the flag. The text
        is empty if the flag is NA.
    known_at
        For each input, the time at which the newest value was first known. The time is None if the
        input has no value. The mapping is empty if :func:`explain` is called without ``known``.
    missing
        Inputs that the flag or the score needs, but that have no value at the session.
    components
        Number of components whose z-scores are averaged. The number is 0 for a score without
        components.
    without, components_since
        ``without`` names the components that the score omits at the session, because data are
        missing. From the session ``components_since`` on, the list ``without`` is unchanged.
    beside
        Numbers that reports show beside the flag. Each key of the mapping contains the name and the
        unit of a number.
    scales
        Idle capital on each scale for the signal ``dry_powder``; None for all other signals.
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
    scales: Scales | None

    @property
    def rests_on(self) -> str:
        """Text that says which components the score omits, and since which date.

        The text is empty if the score omits no component.
        """
        if not self.without or self.components_since is None:
            return ""
        counted = self.components - len(self.without)
        return (
            f"uses {counted} of {self.components} components since "
            f"{self.components_since.date()}: without {', '.join(self.without)}"
        )

    @property
    def reason(self) -> str:
        """Why the flag or ``distance`` is unknown; empty if the flag and ``distance`` are known."""
        if self.flag is not None and pd.notna(self.distance):
            return ""
        if self.missing:
            return f"no value of {', '.join(self.missing[:4])}{' …' * (len(self.missing) > 4)}"
        return "no estimate yet, or too little history"

    def _summary(self) -> Summary:
        """Return the value, the score and the flag in words, and what would flip the flag."""
        above = f"; at or above {self.percentile:.0f} % of past values"
        facts = {
            "value": amount(self.value, self.unit) + above * pd.notna(self.percentile),
            "score": amount(self.score, "σ"),
            "flag": flag_said(self.flag, self.since),
        }
        if self.flag is None:
            facts["reason"] = self.reason
        else:
            facts["flips"] = f"{self.flips}; now {amount(self.distance_value, self.distance_unit)}"
        facts |= {"components": self.rests_on} if self.rests_on else {}
        if self.beside:
            said = [f"{what}: {amount(number)}" for what, number in self.beside.items()]
            facts["beside"] = "; ".join(said)
        if self.known_at:
            said = [
                f"{id} never" if moment is None else f"{id} {moment:%Y-%m-%d %H:%M}"
                for id, moment in self.known_at.items()
            ]
            facts["known since"] = ", ".join(said[:4]) + " …" * (len(said) > 4)
        return Summary(title=f"Explanation of {self.signal}", facts=facts)


def explain(
    evaluation: Evaluation,
    panel: pd.DataFrame,
    at: pd.Timestamp,
    known: pd.DataFrame | None = None,
    among: Mapping[str, Evaluation] = MappingProxyType({}),
) -> Explanation:
    """Return the explanation of a signal at a session, from the data known at that session.

    Parameters
    ----------
    evaluation, panel
        Evaluation of the signal, and its panel. The function ignores rows after ``at``.
    known
        Table of the same shape as the panel. Each cell contains the moment at which the panel's
        value was first known. The times in :attr:`Explanation.known_at` are copied from ``known``.
    among
        All evaluations on the panel, by signal name. The function takes three things from
        ``among``: the parameters of the signal's parts, the values of the gauges in ``context``,
        and the scale ``price`` of idle capital.

    Raises
    ------
    DataError
        Raised if the panel has no sessions, or if ``known`` lacks the session ``at``.
    ConfigError
        Raised if the panel or the evaluation lacks the session ``at``, or if an argument has a
        wrong type.
    """
    check_panel(panel)
    if not isinstance(evaluation, Evaluation):
        raise ConfigError(
            f"expected the evaluation of a signal, was {shown(evaluation)}; give one such as "
            "signals.DryPowder().evaluate(panel)"
        )
    if not isinstance(among, Mapping):
        raise ConfigError(
            f"expected `among` as a mapping from name to evaluation, was {shown(among)}; give one "
            "such as reading.evaluations, or leave it out"
        )
    at = check_session(at, panel.index)
    check_session(at, evaluation.flag.index, "the evaluation")
    past = evaluation.until(at)
    signal, gauges = past.signal, past.gauges
    on = last_view(past.flag)
    measured = gauges_of(past)
    binding, distance = _binding(limits(signal, on), measured, on)
    unit = "sessions" if ends_by_age(signal, on) else signal.unit(binding.gauge)
    without = gauges[WITHOUT].fillna("") if signal.components else None
    others = {name: other.signal for name, other in among.items()}
    inputs, deciding = inputs_of(signal, others), inputs_of(signal, others, deciding=True)
    return Explanation(
        signal=signal.name,
        value=float(gauges[signal.headline].iloc[-1]),
        unit=signal.unit(signal.headline),
        percentile=percentile(_comparable(signal, gauges, without)),
        score=float(past.score.iloc[-1]),
        flag=on,
        since=since(past.flag),
        distance=distance,
        distance_gauge=binding.gauge,
        distance_unit=unit,
        distance_value=float("nan") if on is None else float(measured[binding.gauge].iloc[-1]),
        flips="" if on is None else binding.flips(on, unit),
        known_at=_known_at(inputs, known, at),
        missing=tuple(id for id in deciding if is_missing(id, panel, at)),
        components=len(signal.components),
        without=() if without is None else tuple(filter(None, without.iloc[-1].split(", "))),
        components_since=None if without is None else since(without),
        beside={**ask(signal, "beside", past), **_context(signal, among, at)},
        scales=_scales(past, among),
    )


def explain_all(
    evaluations: Mapping[str, Evaluation],
    panel: pd.DataFrame,
    known: pd.DataFrame | None = None,
) -> dict[str, Explanation]:
    """Return the explanation of each signal at its last session, by name; see :func:`explain`."""
    return {
        name: explain(e, panel, pd.Timestamp(e.flag.index[-1]), known, evaluations)
        for name, e in evaluations.items()
    }


def _context(signal: Signal, among: Mapping[str, Evaluation], at: pd.Timestamp) -> dict[str, float]:
    """Return the gauges of other signals that ``signal.context`` lists."""
    return {
        f"{name} {gauge}, {among[name].signal.unit(gauge)}": float(among[name].gauges[gauge][at])
        for name, gauges in signal.context.items()
        if name in among
        for gauge in gauges
    }


def _scales(past: Evaluation, among: Mapping[str, Evaluation]) -> Scales | None:
    """Return idle capital on each scale if the signal measures idle capital, otherwise None."""
    if not isinstance(past.signal, DryPowder):
        return None
    at, price = past.flag.index[-1], among.get(Funding.name)
    return scales_at_end(
        {DryPowder.name: past, **({} if price is None else {Funding.name: price.until(at)})}
    )


def _comparable(signal: Signal, gauges: pd.DataFrame, without: pd.Series | None) -> pd.Series:
    """Return the main gauge; NaN at sessions whose components differ from the last session's.

    Two values of a mean or a score are comparable only if both values use the same components.
    """
    headline = gauges[signal.headline]
    if without is None or signal.headline not in ("mean", "score"):
        return headline
    return headline.where(without == without.iloc[-1])


def ends_by_age(signal: Signal, on: bool | None) -> bool:
    """Return whether a flag is on and will turn off after a fixed number of sessions."""
    return bool(on) and signal.lasts is not None


def limits(signal: Signal, on: bool | None) -> tuple[Threshold, ...]:
    """Return the levels that determine the next flip; ``on`` is the flag, or None for NA."""
    if ends_by_age(signal, on):
        last = float(signal.lasts or 0)
        return (Threshold(gauge=AGE, enter=last, leave=last, above=False),)
    return signal.thresholds


def gauges_of(evaluation: Evaluation) -> pd.DataFrame:
    """Return the gauges of a signal.

    If the flag stays on for a fixed number of sessions, the gauge :data:`AGE` is added. The age is
    0 while the flag is off, and NaN while the flag is NA. If the flag turns on again at the session
    at which the flag would turn off, the age restarts at 1.
    """
    lasts = evaluation.signal.lasts
    if lasts is None:
        return evaluation.gauges
    on = evaluation.flag.fillna(False).astype(int)
    run = on.groupby((on == 0).cumsum()).cumsum()
    age = ((run - 1) % lasts + 1).where(run > 0, 0)
    return evaluation.gauges.assign(**{AGE: age.where(evaluation.flag.notna())})


def _binding(
    thresholds: tuple[Threshold, ...], gauges: pd.DataFrame, on: bool | None
) -> tuple[Threshold, float]:
    """Return the threshold for the next flip, and the gauge's distance to the threshold."""
    if on is None:
        return thresholds[0], float("nan")
    last = gauges.iloc[-1]
    distances = {t: t.distance(float(last[t.gauge]), on) for t in thresholds}

    # If the flag is on, the next flip depends on the condition that is closest to becoming false.
    # If the flag is off, the next flip depends on the condition that is furthest from becoming
    # true. To compare gauges, the function divides each distance by the standard deviation of the
    # gauge. A gauge without a value counts as infinitely far from its level.
    def slack(t: Threshold) -> float:
        if np.isnan(distances[t]):
            return float("inf")
        spread = float(gauges[t.gauge].std())
        return (1 if t.above != on else -1) * distances[t] / (spread if spread > 0 else 1.0)

    chosen = (min if on else max)(thresholds, key=slack)
    return chosen, distances[chosen]


def is_missing(id: str, panel: pd.DataFrame, at: pd.Timestamp) -> bool:
    """Return whether a series lacks a value at a session, and has not ended before this session."""
    ended = CATALOG[id].ended if id in CATALOG else None
    if ended is not None and at > pd.Timestamp(ended):
        return False
    return id not in panel or bool(panel[id].isna()[at])


def _known_at(
    inputs: tuple[str, ...], known: pd.DataFrame | None, at: pd.Timestamp
) -> dict[str, pd.Timestamp | None]:
    if known is None:
        return {}
    if at not in known.index:
        raise DataError(
            f"expected `known` to contain every session of the panel, but {at.date()} is missing; "
            "pass History.known"
        )
    row = known.loc[at]
    return {id: None if pd.isna(row.get(id)) else pd.Timestamp(str(row[id])) for id in inputs}
