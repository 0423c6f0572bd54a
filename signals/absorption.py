"""Link L3: capital spending absorbs capital from markets when no idle capital is left."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from signals.base import CompoundSignal, Evaluation, Signal
from signals.capex import Capex
from signals.dry_powder import DryPowder
from signals.hysteresis import Threshold
from signals.params import Orders
from signals.transforms import zscore

#: Before the logit, u is clipped to the range from ``EDGE`` to 1 − ``EDGE``. The logit of 0 or 1 is
#: infinite.
EDGE = 0.01


@dataclass(frozen=True, kw_only=True)
class Absorption(CompoundSignal):
    """Capital spending compared with the idle capital that is still available.

    Formula
        u = A / (A + P), a fraction. A is capital spending from :class:`Capex`, in USD billions. P
        is idle capital from :class:`DryPowder`, in USD billions. The impulse is the growth of
        capital spending over a year, in %. The score is the z-score of logit u. Before the logit, u
        is clipped to the range from 0.01 to 0.99.
    Flag
        The flag ``absorbing`` turns on when u is above ``enter`` and the impulse is above
        ``impulse_enter``. The flag ``absorbing`` turns off when u is below ``leave`` or the impulse
        is below ``impulse_leave``. The flag :attr:`injecting` turns on when u is below
        ``injecting_enter``, the impulse is above ``impulse_enter``, and idle capital is above
        ``idle_enter``. The flag :attr:`injecting` turns off when u is above ``leave``, the impulse
        is below ``impulse_leave``, or idle capital is below ``idle_leave``.
    Timing
        u is known as soon as both capital spending and idle capital are known.
    NaN
        The flags ``absorbing`` and ``injecting`` are NA if u, the impulse or idle capital has no
        value.
    Reference
        Link L3 of the thesis. Gabaix, Koijen, "In Search of the Origins of Financial Fluctuations",
        NBER 28967 (2021), find that one dollar of flow into shares raises the value of the market
        by about five dollars. The levels that turn off the flag :attr:`injecting` are our own
        choice. ``leave`` and ``impulse_leave`` also turn off the flag ``absorbing``. ``idle_leave``
        equals the level at which the flag of :class:`DryPowder` turns on.
    Limits
        u depends mostly on idle capital, so u says little about capital spending. When idle capital
        is close to zero, u is close to 1 for any amount of spending. In the history to 2025, the
        rank correlation of u with idle capital in % of GDP is −0.90. The rank correlation of u with
        capital spending in % of GDP is only −0.02. The impulse measures whether spending grows, but
        not whether spending is large. To show the size of spending, :meth:`beside` returns spending
        in % of GDP. For comparison, :meth:`beside` counts the days on which the flag would be on
        with half the spending, and with twice the spending. :class:`OutsideCapital` compares
        spending with cash flow instead of idle capital. Reports show the gauges of
        :class:`OutsideCapital` next to u. The gauges of :class:`OutsideCapital` do not replace u,
        for three reasons. First, cash flows become known only from filings, about four months after
        the quarter began. Second, MSFT reports new debt under an XBRL tag that drypowder does not
        read, so MSFT's new debt is unknown. Third, ``drypowder thesis`` tests claims about u. The
        claims were stated before any test. Today the test results are known, so a new measure would
        be chosen with hindsight.

    Parameters
    ----------
    enter
        The flag ``absorbing`` can turn on when u (a fraction) is above this level.
    leave
        The flag ``absorbing`` turns off when u (a fraction) is below this level. The flag
        ``injecting`` turns off when u is above this level.
    injecting_enter
        The flag ``injecting`` can turn on when u (a fraction) is below this level.
    impulse_enter
        The flags ``absorbing`` and ``injecting`` can turn on only when the impulse is above this
        level (in % a year).
    impulse_leave
        The flags ``absorbing`` and ``injecting`` turn off when the impulse is below this level (in
        % a year).
    idle_enter
        The flag ``injecting`` can turn on when the gauge ``share`` of :class:`DryPowder` is above
        this level. ``idle_enter`` has the same unit as ``share``.
    idle_leave
        The flag ``injecting`` turns off when the gauge ``share`` of :class:`DryPowder` is below
        this level. ``idle_leave`` has the same unit as ``share``.
    confirm
        Number of consecutive sessions for which a condition must be true before a flag changes.
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
        "idle_share": "% of GDP or of bank assets",
        "excess_reserves": "USD bn",
    }
    parts: ClassVar[Mapping[str, type[Signal]]] = {"dry_powder": DryPowder, "capex": Capex}
    context: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "outside_capital": ("gap", "marginal", "raised")
    }
    inputs: ClassVar[tuple[str, ...]] = ()
    must_ascend: ClassVar[Orders] = (
        ("injecting_enter", "leave", "enter", 1),
        ("impulse_leave", "impulse_enter"),
        ("idle_leave", "idle_enter"),
    )

    enter: float = 0.5
    leave: float = 0.4
    injecting_enter: float = 0.3
    impulse_enter: float = 10.0
    impulse_leave: float = 5.0
    idle_enter: float = 2.0
    idle_leave: float = 1.0

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """Levels of u and of the impulse that turn the flag ``absorbing`` on and off."""
        return (
            Threshold(gauge="u", enter=self.enter, leave=self.leave, above=True),
            self._impulse,
        )

    @property
    def injecting(self) -> tuple[Threshold, ...]:
        """Levels of u, impulse and idle capital that turn the flag ``injecting`` on and off."""
        return (
            Threshold(gauge="u", enter=self.injecting_enter, leave=self.leave, above=False),
            self._impulse,
            Threshold(gauge="idle_share", enter=self.idle_enter, leave=self.idle_leave, above=True),
        )

    @property
    def _impulse(self) -> Threshold:
        return Threshold(
            gauge="impulse", enter=self.impulse_enter, leave=self.impulse_leave, above=True
        )

    def combine(self, panel: pd.DataFrame, parts: Mapping[str, Evaluation]) -> pd.DataFrame:
        """Return u, the impulse, and the amounts of spending and idle capital."""
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
        """Return the flag that results when all capital spending is multiplied by ``factor``.

        ``factor`` does not change the gauge ``impulse``, which is the growth of capital spending.
        """
        spent = factor * gauges["capex"]
        return self.flag(gauges.assign(u=spent / (spent + gauges["idle"])))

    def beside(self, evaluation: Evaluation) -> dict[str, float]:
        """Return numbers that show how much the flag depends on the size of capital spending."""
        gauges, on = evaluation.gauges, evaluation.flag.fillna(False).astype(bool)
        without_excess = (gauges["excess_reserves"][on] == 0).mean()
        return {
            "capex, % of GDP": float(gauges["capex_share"].iloc[-1]),
            "days on": float(on.sum()),
            "days on with capex halved": self._days_on(gauges, 0.5),
            "days on with capex doubled": self._days_on(gauges, 2.0),
            "days on with zero excess reserves, % of days on": 100 * float(without_excess),
        }

    def _days_on(self, gauges: pd.DataFrame, factor: float) -> float:
        return float(self.counterfactual(gauges, factor).fillna(False).sum())
