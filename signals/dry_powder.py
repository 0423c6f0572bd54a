"""L2: the amount of idle capital is finite, so idle capital can be used up."""

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from signals.base import Signal
from signals.hysteresis import Threshold
from signals.params import Orders
from signals.transforms import zscore


@dataclass(frozen=True, kw_only=True)
class DryPowder(Signal):
    """Idle capital: reverse repo plus the bank reserves above what banks need.

    Formula
        Idle capital P = RRPONTSYD + max(0, WRESBAL / 1000 − k · GDP), in USD billions.
        share = 100 · P / GDP, in % of GDP. score = −z(share).
    Flag
        The flag is on when idle capital is depleted. It turns on when the share is below
        ``enter``, and off when the share is above ``leave``.
    Timing
        Reserves are known at the session after Thursday's H.4.1 release. Reverse repo is known at
        the session after its date. GDP is known 180 days after the quarter's first day. The values
        of GDP are the latest revision, unless the store holds earlier releases (vintages).
    NaN
        The signal has no view when one of the three series has no value. It has no view before
        2013-09-24, because reverse repo was sporadic until then.
    Reference
        Afonso, Giannone, La Spada, Williams, "Scarce, Abundant, or Ample?", NY Fed Staff Report
        1019 (2022); Lopez-Salido, Vissing-Jorgensen, "Reserve Demand, Interest Rate Control, and
        Quantitative Tightening" (2023). Both papers estimate that banks have enough reserves at 12
        to 13 % of bank assets. We chose k = 9 % of GDP. Because k is a choice, the reports show its
        effect: they repeat the results that depend on k for values from 0.08 to 0.11.

    Parameters
    ----------
    k
        Reserves that banks need, as a fraction of GDP.
    enter
        Share, % of GDP, below which the flag turns on.
    leave
        Share, % of GDP, above which the flag turns off.
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
    inputs: ClassVar[tuple[str, ...]] = ("RRPONTSYD", "WRESBAL", "GDP")
    must_be_positive: ClassVar[tuple[str, ...]] = ("k",)
    must_ascend: ClassVar[Orders] = (("enter", "leave"),)

    k: float = 0.09
    enter: float = 1.0
    leave: float = 2.0

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """The ``enter`` and ``leave`` levels of the share of GDP."""
        return (Threshold(gauge="share", enter=self.enter, leave=self.leave, above=False),)

    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Return idle capital as a share of GDP and in USD billions, and its two parts."""
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
        """Return −z(share), which is positive when idle capital is lower than in the past."""
        return -zscore(gauges["share"])
