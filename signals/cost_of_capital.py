"""Link L5: the cost of capital rises when Treasury and credit yields rise together."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from signals.base import Signal
from signals.hysteresis import Threshold
from signals.params import Orders
from signals.summary import over
from signals.transforms import composite, zscore

#: Number of decimals to which a yield difference is rounded. Without rounding, a rise of 10 basis
#: points can differ from 0.10 in the last digits.
DECIMALS = 6
#: For each series, the name of the gauge that contains the z-score of the series.
_GAUGES = {"DFII10": "z_real_yield", "THREEFYTP10": "z_term_premium", "BAA10Y": "z_spread"}


@dataclass(frozen=True, kw_only=True)
class CostOfCapital(Signal):
    """The cost of capital, and whether Treasury and credit yields rise together.

    Formula
        The score uses three series: the real yield DFII10, the term premium THREEFYTP10 and the
        credit spread BAA10Y. The z-score of each series is clipped to ±3. The score is the z-score
        of the mean of the three clipped z-scores. The symbol Δ means the change over ``horizon``
        sessions. The gauge ``treasury`` is Δ DGS10, in percentage points. The gauge ``credit`` is Δ
        (DGS10 + BAA10Y), in percentage points. The signs of Δ DGS10 and Δ BAA10Y give the quadrant:
        scarcity (+, +), growth (+, −), risk-off (−, +), easing (−, −).
    Flag
        The flag turns on when the Treasury yield and the credit yield have both risen by more than
        ``enter``. The flag turns off when the Treasury yield or the credit yield has risen by less
        than ``leave``. If the Treasury yield falls and the spread rises, the market is risk-off,
        and the flag cannot turn on.
    Timing
        Yields are known one session after their date. The Baa spread is known two sessions after
        its date. The term premium is known seven sessions after its date.
    NaN
        The flag is NA if a yield has no current value or no value ``horizon`` sessions ago. The
        score needs at least two of its three components. With ``term_premium=False``, the score
        needs at least one of two components. If a component is missing, the score is the z-score of
        the mean of the other components.
    Reference
        Vayanos, Vila, "A Preferred-Habitat Model of the Term Structure", Econometrica (2021);
        Greenwood, Vayanos, "Bond Supply and Excess Bond Returns", RFS (2014). The term premium
        comes from the model of Kim and Wright. The publisher re-estimates past values of the term
        premium. With ``term_premium=False``, the score does not use the term premium. The default
        of ``leave`` (0) is our own choice. If ``leave`` is 0, the flag turns off when the Treasury
        yield or the credit yield has fallen over ``horizon`` sessions.

    Parameters
    ----------
    horizon
        Number of sessions over which the rise of a yield is measured; 63 sessions are a quarter.
    enter
        The flag turns on when the Treasury yield and the credit yield have both risen by more than
        this number (in percentage points).
    leave
        The flag turns off when the Treasury yield or the credit yield has risen by less than this
        number (in percentage points).
    term_premium
        Whether the score includes the term premium. The publisher revises past values of the term
        premium.
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
    inputs: ClassVar[tuple[str, ...]] = ("DGS10", "BAA10Y", "DFII10", "THREEFYTP10")
    must_be_positive: ClassVar[tuple[str, ...]] = ("horizon",)
    must_ascend: ClassVar[Orders] = (("leave", "enter"),)

    horizon: int = 63
    enter: float = 0.10
    leave: float = 0.0
    term_premium: bool = True

    @property
    def shown_only(self) -> tuple[str, ...]:
        """Id of the term premium if ``term_premium`` is False; otherwise empty."""
        return () if self.term_premium else ("THREEFYTP10",)

    @property
    def components(self) -> tuple[str, ...]:
        """Ids of the series whose z-scores are averaged in the score."""
        return ("DFII10", *(("THREEFYTP10",) if self.term_premium else ()), "BAA10Y")

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """Levels of the two yield rises (Treasury, credit) that turn the flag on and off."""
        return tuple(
            Threshold(gauge=gauge, enter=self.enter, leave=self.leave, above=True)
            for gauge in ("treasury", "credit")
        )

    def unit(self, gauge: str) -> str:
        """Return the unit of a gauge, such as ``pp over 20 sessions`` if ``horizon`` is 20."""
        return over(self.units[gauge], self.horizon)

    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Return the changes of the yields, the quadrant, and the z-scores of the components."""
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
        """Return the z-score of the components' mean."""
        return composite({id: gauges[_GAUGES[id]] for id in self.components}).score


def _quadrant(treasury: pd.Series, spread: pd.Series) -> pd.Series:
    up, wider = treasury > 0, spread > 0
    names = np.select([up & wider, up, wider], ["scarcity", "growth", "risk-off"], "easing")
    return pd.Series(names, index=treasury.index).where(treasury.notna() & spread.notna(), None)
