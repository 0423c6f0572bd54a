"""L3: the regime flips from injection to absorption when the impulse meets an empty stock."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from signals.base import CompoundSignal, Evaluation, Signal, ordered, positive
from signals.capex import Capex
from signals.dry_powder import DryPowder
from signals.hysteresis import Threshold
from signals.transforms import zscore

#: The share is clipped here before its logit, so that an empty stock does not give infinity.
EDGE = 0.01


@dataclass(frozen=True, kw_only=True)
class Absorption(CompoundSignal):
    """Capital spending against the idle capital that is left to pay for it.

    Formula
        u = A / (A + P), a fraction, with A from :class:`Capex` and P from :class:`DryPowder`, both
        in USD billions; score = z(logit u), u clipped to 0.01 to 0.99.
    Flag
        Absorbing when u is above ``enter`` and the impulse above ``impulse_enter``; left when u is
        below ``leave`` or the impulse below ``impulse_leave``. Injecting (:attr:`injecting`) when
        u is below ``injecting_enter``, the impulse above ``impulse_enter`` and idle capital above
        ``idle_enter``; left when u is above ``leave``, the impulse below ``impulse_leave`` or idle
        capital below ``idle_leave``.
    Timing
        That of its two parts.
    NaN
        No view unless both parts have one.
    Reference
        Link L3 of the thesis. That flows move prices by a multiple: Gabaix, Koijen, "In Search of
        the Origins of Financial Fluctuations", NBER 28967 (2021). The levels at which injecting is
        left are ours: absorbing's own for u and impulse, and for idle capital the pair of
        :class:`DryPowder`.
    Limits
        u hardly measures capital spending. Where idle capital is close to nothing u is close to 1
        whatever is spent: on history to 2025 the rank correlation of u is −0.90 with idle capital
        over GDP and −0.02 with capital spending over GDP. The impulse decides whether spending
        grows, not whether it is large. So :meth:`beside` shows spending over GDP, and on how many
        days the flag would be on if spending were half or twice what it was.

    Parameters
    ----------
    enter, leave, injecting_enter
        Levels of u, fractions.
    impulse_enter, impulse_leave
        Levels of the impulse, %.
    idle_enter, idle_leave
        Levels of idle capital, % of GDP.
    confirm
        Sessions in a row before a flag turns.

    Raises
    ------
    ConfigError
        When a parameter is out of order.
    MissingSeries
        When the panel lacks a column.
    """

    name: ClassVar[str] = "absorption"
    link: ClassVar[str] = "L3"
    headline: ClassVar[str] = "u"
    units: ClassVar[dict[str, str]] = {
        "u": "fraction",
        "impulse": "% / year",
        "capex": "USD bn / year",
        "capex_share": "% of GDP",
        "idle": "USD bn",
        "idle_share": "% of GDP",
        "excess_reserves": "USD bn",
    }
    parts: ClassVar[Mapping[str, type[Signal]]] = {"dry_powder": DryPowder, "capex": Capex}

    enter: float = 0.5
    leave: float = 0.4
    injecting_enter: float = 0.3
    impulse_enter: float = 10.0
    impulse_leave: float = 5.0
    idle_enter: float = 2.0
    idle_leave: float = 1.0

    def __post_init__(self) -> None:
        """Refuse parameters that make no sense together."""
        ordered("leave", self.leave, "enter", self.enter)
        ordered("injecting_enter", self.injecting_enter, "leave", self.leave)
        ordered("impulse_leave", self.impulse_leave, "impulse_enter", self.impulse_enter)
        ordered("idle_leave", self.idle_leave, "idle_enter", self.idle_enter)
        positive("confirm", self.confirm)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Nothing of its own."""
        return ()

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """Absorbing needs both."""
        return (
            Threshold(gauge="u", enter=self.enter, leave=self.leave, above=True),
            Threshold(
                gauge="impulse", enter=self.impulse_enter, leave=self.impulse_leave, above=True
            ),
        )

    @property
    def injecting(self) -> tuple[Threshold, ...]:
        """An impulse that idle capital amply pays for."""
        return (
            Threshold(gauge="u", enter=self.injecting_enter, leave=self.leave, above=False),
            Threshold(
                gauge="impulse", enter=self.impulse_enter, leave=self.impulse_leave, above=True
            ),
            Threshold(gauge="idle_share", enter=self.idle_enter, leave=self.idle_leave, above=True),
        )

    def combine(self, panel: pd.DataFrame, parts: Mapping[str, Evaluation]) -> pd.DataFrame:
        """Return u with the parts it is made of."""
        capex, powder = parts["capex"].gauges, parts["dry_powder"].gauges
        return pd.DataFrame(
            {
                "u": capex["level"] / (capex["level"] + powder["idle"]),
                "impulse": capex["impulse"],
                "capex": capex["level"],
                "capex_share": capex["share"],
                "idle": powder["idle"],
                "idle_share": powder["share"],
                "excess_reserves": powder["excess_reserves"],
            }
        )

    def score(self, gauges: pd.DataFrame) -> pd.Series:
        """Return z(logit u)."""
        u = gauges["u"].clip(EDGE, 1 - EDGE)
        logit: pd.Series = np.log(u / (1 - u))  # type: ignore[assignment]
        return zscore(logit)

    def counterfactual(self, gauges: pd.DataFrame, factor: float) -> pd.Series:
        """Return the flag as it would be with all capital spending multiplied by ``factor``.

        The impulse stays as it is, since it compares spending with spending.
        """
        spent = factor * gauges["capex"]
        return self.flag(gauges.assign(u=spent / (spent + gauges["idle"])))

    def beside(self, evaluation: Evaluation) -> dict[str, float]:
        """Return numbers that show how little the flag depends on the size of capital spending."""
        gauges, on = evaluation.gauges, evaluation.flag.fillna(False).astype(bool)
        without_excess = (gauges["excess_reserves"][on] == 0).mean()
        return {
            "capex, % of GDP": float(gauges["capex_share"].iloc[-1]),
            "days on": float(on.sum()),
            "days on with capex halved": self._days_on(gauges, 0.5),
            "days on with capex doubled": self._days_on(gauges, 2.0),
            "share of the days on without excess reserves, %": 100 * float(without_excess),
        }

    def _days_on(self, gauges: pd.DataFrame, factor: float) -> float:
        return float(self.counterfactual(gauges, factor).fillna(False).sum())
