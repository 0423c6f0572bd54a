"""L5: the cost of capital rises, Treasury and credit yields together."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from signals.base import Signal, ordered, positive
from signals.hysteresis import Threshold
from signals.transforms import composite, zscore

#: Yields are quoted in hundredths; differences are rounded so that 10 bp are exactly 10 bp.
DECIMALS = 6
#: By series, the gauge that holds its z-score.
_GAUGES = {"DFII10": "z_real_yield", "THREEFYTP10": "z_term_premium", "BAA10Y": "z_spread"}


@dataclass(frozen=True, kw_only=True)
class CostOfCapital(Signal):
    """What capital costs, and whether Treasuries and credit agree that it rises.

    Formula
        score = z(mean of z(DFII10), z(THREEFYTP10), z(BAA10Y)), each clipped to ±3.
        treasury = Δ DGS10 and credit = Δ (DGS10 + BAA10Y) over ``horizon`` sessions, in
        percentage points. The quadrant goes by the signs of Δ DGS10 and Δ BAA10Y: scarcity
        (+, +), growth (+, −), risk-off (−, +), easing (−, −).
    Flag
        On when the Treasury yield and the credit yield have both risen by more than ``enter``;
        left when one of them has risen by less than ``leave``. Yields that fall while spreads
        rise are risk-off, not scarcity, and do not raise it.
    Timing
        Yields are known the next session, the Baa spread two sessions later, the term premium
        seven.
    NaN
        No view of the flag while a yield is missing now or ``horizon`` sessions ago; the score
        needs two of its three components, and compares them with their own past alone.
    Reference
        Vayanos, Vila, "A Preferred-Habitat Model of the Term Structure", Econometrica (2021);
        Greenwood, Vayanos, "Bond Supply and Excess Bond Returns", RFS (2014). The term premium is
        Kim and Wright's, re-estimated by its publisher; ``term_premium=False`` leaves it out.
        The level at which the flag is left is ours: no longer higher at all.

    Parameters
    ----------
    horizon
        Sessions; 63 are a quarter.
    enter, leave
        Rises of both yields, percentage points.
    term_premium
        Whether the revised term premium counts.
    confirm
        Sessions in a row before the flag turns.

    Raises
    ------
    ConfigError
        When a parameter is out of order.
    MissingSeries
        When the panel lacks a column.
    """

    name: ClassVar[str] = "cost_of_capital"
    link: ClassVar[str] = "L5"
    headline: ClassVar[str] = "credit"
    units: ClassVar[dict[str, str]] = {
        "credit": "pp / quarter",
        "treasury": "pp / quarter",
        "spread": "pp / quarter",
        "credit_yield": "%",
        "quadrant": "name",
        "z_real_yield": "σ",
        "z_term_premium": "σ",
        "z_spread": "σ",
        "without": "name",
    }

    horizon: int = 63
    enter: float = 0.10
    leave: float = 0.0
    term_premium: bool = True

    def __post_init__(self) -> None:
        """Refuse parameters that make no sense together."""
        positive("horizon", self.horizon)
        positive("confirm", self.confirm)
        ordered("leave", self.leave, "enter", self.enter)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Real and nominal Treasury yields, the term premium, the Baa spread."""
        return ("DGS10", "BAA10Y", "DFII10", "THREEFYTP10")

    @property
    def components(self) -> tuple[str, ...]:
        """What the score is made of, by the series."""
        return ("DFII10", *(("THREEFYTP10",) if self.term_premium else ()), "BAA10Y")

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """Both rises have to hold."""
        return tuple(
            Threshold(gauge=gauge, enter=self.enter, leave=self.leave, above=True)
            for gauge in ("treasury", "credit")
        )

    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Return the rises, the quadrant they fall in, and the components of the score."""
        z = {id: zscore(panel[id]) for id in _GAUGES}
        treasury = panel["DGS10"].diff(self.horizon).round(DECIMALS)
        spread = panel["BAA10Y"].diff(self.horizon).round(DECIMALS)
        return pd.DataFrame(
            {
                "credit": (treasury + spread).round(DECIMALS),
                "treasury": treasury,
                "spread": spread,
                "credit_yield": panel["DGS10"] + panel["BAA10Y"],
                "quadrant": _quadrant(treasury, spread),
                **{gauge: z[id] for id, gauge in _GAUGES.items()},
                "without": composite({id: z[id] for id in self.components}).without,
            }
        )

    def score(self, gauges: pd.DataFrame) -> pd.Series:
        """Return the re-standardised mean of the components."""
        return composite({id: gauges[_GAUGES[id]] for id in self.components}).score


def _quadrant(treasury: pd.Series, spread: pd.Series) -> pd.Series:
    names = np.select(
        [
            treasury.isna() | spread.isna(),
            (treasury > 0) & (spread > 0),
            treasury > 0,
            spread > 0,
        ],
        ["", "scarcity", "growth", "risk-off"],
        "easing",
    )
    return pd.Series(names, index=treasury.index).replace("", None)
