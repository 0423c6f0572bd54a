"""Link L2: the amount of idle capital is finite, so idle capital can be used up."""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import pandas as pd

from signals.base import Signal
from signals.hysteresis import Threshold, turned
from signals.params import Orders
from signals.transforms import zscore

#: Name of a scale. Idle capital and the reserves that banks need are measured relative to the
#: scale.
BankScale = Literal["gdp", "bank_assets"]
#: For each scale, the name of the gauge with idle capital in % of that scale.
SHARES: dict[BankScale, str] = {"gdp": "of_gdp", "bank_assets": "of_bank_assets"}


@dataclass(frozen=True, kw_only=True)
class DryPowder(Signal):
    """Idle capital: reverse repo plus bank reserves in excess of what banks need.

    Formula
        Idle capital P = RRPONTSYD + max(0, WRESBAL / 1000 − need), in USD billions. With ``scale``
        gdp, need = k · GDP, and share = 100 · P / GDP, in % of GDP. With ``scale`` bank_assets,
        need = a · B and share = 100 · P / B, in % of bank assets. B is the total assets of all
        commercial banks (TLAACBW027SBOG). For any ``scale``, the gauge ``of_gdp`` is the share
        that ``scale`` gdp gives, and the gauge ``of_bank_assets`` is the share that ``scale``
        bank_assets gives. The score is −z(share), where z
        is the z-score.
    Flag
        The flag is on when idle capital is depleted. The flag turns on when the share is below
        ``enter``, and off when the share is above ``leave``.
    Timing
        Reserves are known at the session after Thursday's H.4.1 release. Reverse repo is known at
        the session after its date. GDP is known 180 days after the quarter's first day. Each value
        of bank assets describes a Wednesday, and is known 12 days after this Wednesday. If the
        store has vintages (earlier releases) of GDP and bank assets, each session uses the values
        known at that session. Without vintages, each session uses the latest revision.
    NaN
        Score and flag are missing if one of three series has no value: reverse repo, reserves, or
        the series that ``scale`` needs (GDP or bank assets). With ``scale`` gdp, bank assets may be
        missing. With ``scale`` bank_assets, GDP may be missing. Score and flag are missing before
        2013-09-24, because reverse repo was sporadic until then.
    Reference
        Afonso, Giannone, La Spada, Williams, "Scarce, Abundant, or Ample?", NY Fed Staff Report
        1019 (2022), estimate that banks have enough reserves at 12 to 13 % of bank assets. The
        default of ``a`` is the mean of 12 and 13 %. Lopez-Salido, Vissing-Jorgensen, "Reserve
        Demand, Interest Rate Control, and Quantitative Tightening" (2023), compare reserves with
        deposits. Officials of the Fed compare reserves with GDP. We chose k = 9 % of GDP. Because k
        is our choice, reports repeat their main results with k from 0.08 to 0.11.
    Limits
        The literature does not agree on a scale for idle capital, so reports show three scales side
        by side (see :mod:`signals.scales`). GDP stays the default of ``scale`` for three reasons.
        First, ``drypowder thesis`` tests claims about idle capital in % of GDP. The claims were
        stated before any test. Today the test results are known, so a new default would be chosen
        with hindsight. Second, our history has only the latest revision of bank assets, and bank
        assets jump on 2010-03-31. Third, reserves below 12 % of bank assets are not always scarce.
        For example, reserves were below 12 % of bank assets in most of 2009 to 2012, during QE.

    Parameters
    ----------
    scale
        The scale with which idle capital is compared: gdp or bank_assets.
    k
        Reserves that banks need, as a fraction of GDP. Only the scale gdp uses ``k``.
    a
        Reserves that banks need, as a fraction of bank assets. Only the scale bank_assets uses
        ``a``.
    enter
        The flag turns on when the share of idle capital is below this level (in % of GDP or of bank
        assets).
    leave
        The flag turns off when the share of idle capital is above this level (in % of GDP or of
        bank assets).
    """

    name: ClassVar[str] = "dry_powder"
    link: ClassVar[str] = "L2"
    headline: ClassVar[str] = "share"
    units: ClassVar[dict[str, str]] = {
        "share": "% of GDP",
        "idle": "USD bn",
        "reverse_repo": "USD bn",
        "excess_reserves": "USD bn",
        "of_gdp": "% of GDP",
        "of_bank_assets": "% of bank assets",
    }
    inputs: ClassVar[tuple[str, ...]] = ("RRPONTSYD", "WRESBAL", "GDP", "TLAACBW027SBOG")
    must_be_positive: ClassVar[tuple[str, ...]] = ("k", "a")
    must_ascend: ClassVar[Orders] = (("enter", "leave"), ("k", 1), ("a", 1))

    scale: BankScale = "gdp"
    k: float = 0.09
    a: float = 0.125
    enter: float = 1.0
    leave: float = 2.0

    @property
    def shown_only(self) -> tuple[str, ...]:
        """Id of the series that the current ``scale`` does not use: bank assets or GDP."""
        return ("TLAACBW027SBOG",) if self.scale == "gdp" else ("GDP",)

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """Levels of the share that turn the flag on and off."""
        return (Threshold(gauge="share", enter=self.enter, leave=self.leave, above=False),)

    def unit(self, gauge: str) -> str:
        """Return the unit of a gauge; the unit of the gauge ``share`` depends on ``scale``."""
        return self.units[SHARES[self.scale] if gauge == "share" else gauge]

    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Return idle capital (USD billions, % of GDP, % of bank assets) and its parts."""
        size: dict[BankScale, pd.Series] = {
            "gdp": panel["GDP"],
            "bank_assets": panel["TLAACBW027SBOG"],
        }
        needed: dict[BankScale, pd.Series] = {
            "gdp": self.k * size["gdp"],
            "bank_assets": self.a * size["bank_assets"],
        }
        excess = {x: (panel["WRESBAL"] / 1e3 - needed[x]).clip(lower=0) for x in size}
        idle = {x: panel["RRPONTSYD"] + over for x, over in excess.items()}
        shares = {x: 100 * idle[x] / size[x] for x in size}
        return pd.DataFrame(
            {
                "share": shares[self.scale],
                "idle": idle[self.scale],
                "reverse_repo": panel["RRPONTSYD"],
                "excess_reserves": excess[self.scale],
                **{SHARES[x]: share for x, share in shares.items()},
            }
        )

    def depleted(self, gauges: pd.DataFrame, scale: BankScale) -> pd.Series:
        """Return the flag for a given scale; the signal's own :attr:`scale` has no effect."""
        (threshold,) = self.thresholds
        return turned(gauges, (replace(threshold, gauge=SHARES[scale]),), self.confirm)

    def score(self, gauges: pd.DataFrame) -> pd.Series:
        """Return −z(share), which is positive when idle capital is lower than in the past."""
        return -zscore(gauges["share"])
