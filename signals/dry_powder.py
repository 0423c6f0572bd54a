"""L2: idle capital is a finite stock, and is depleted."""

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from signals.base import Signal, ordered, positive
from signals.hysteresis import Threshold
from signals.transforms import zscore


@dataclass(frozen=True, kw_only=True)
class DryPowder(Signal):
    """Idle capital: reverse repo plus the reserves above what banks need.

    Formula
        P = RRPONTSYD + max(0, WRESBAL / 1000 − k · GDP), in USD billions; share = 100 · P / GDP,
        in % of GDP; score = −z(share).
    Flag
        On (idle capital is depleted) when the share is below ``enter``, off when above ``leave``.
    Timing
        Reserves are known the session after Thursday's H.4.1, reverse repo the next session, GDP
        180 days after the quarter's first day. GDP is the latest revision unless vintages are
        held.
    NaN
        No view while one of the three has none, so never before 2013-09-24: reverse repo was
        sporadic.
    Reference
        Afonso, Giannone, La Spada, Williams, "Scarce, Abundant, or Ample?", NY Fed Staff Report
        1019 (2022); Lopez-Salido, Vissing-Jorgensen, "Reserve Demand, Interest Rate Control, and
        Quantitative Tightening" (2023). They put satiation at 12 to 13 % of bank assets; k = 9 %
        of GDP is our choice, so results that rest on it are shown for 0.08 to 0.11.

    Parameters
    ----------
    k
        Reserves that banks need, as a share of GDP.
    enter, leave
        Levels of the share, % of GDP.
    confirm
        Sessions in a row before the flag turns.

    Raises
    ------
    ConfigError
        When a parameter is out of order.
    MissingSeries
        When the panel lacks a column.
    """

    name: ClassVar[str] = "dry_powder"
    link: ClassVar[str] = "L2"
    headline: ClassVar[str] = "share"
    units: ClassVar[dict[str, str]] = {
        "share": "% of GDP",
        "idle": "USD bn",
        "reverse_repo": "USD bn",
        "excess_reserves": "USD bn",
    }

    k: float = 0.09
    enter: float = 1.0
    leave: float = 2.0

    def __post_init__(self) -> None:
        """Refuse parameters that make no sense together."""
        positive("k", self.k)
        positive("confirm", self.confirm)
        ordered("enter", self.enter, "leave", self.leave)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Reverse repo, reserves and output."""
        return ("RRPONTSYD", "WRESBAL", "GDP")

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """The share alone decides."""
        return (Threshold(gauge="share", enter=self.enter, leave=self.leave, above=False),)

    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Return the share of GDP, the stock, and its two parts."""
        reverse_repo, gdp = panel["RRPONTSYD"], panel["GDP"]
        excess = (panel["WRESBAL"] / 1e3 - self.k * gdp).clip(lower=0)
        idle = reverse_repo + excess
        return pd.DataFrame(
            {
                "share": 100 * idle / gdp,
                "idle": idle,
                "reverse_repo": reverse_repo,
                "excess_reserves": excess,
            }
        )

    def score(self, gauges: pd.DataFrame) -> pd.Series:
        """Return −z(share): positive when idle capital is low for its past."""
        return -zscore(gauges["share"])
