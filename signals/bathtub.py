"""Link L7: Fed assets, accounts at the Fed, and the demand for capital determine liquidity."""

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from signals.base import ScoreSignal
from signals.summary import over
from signals.transforms import zscore


@dataclass(frozen=True, kw_only=True)
class Bathtub(ScoreSignal):
    """Net liquidity, and its change due to Fed assets, the Treasury account and reverse repo.

    Formula
        WALCL is the Fed's assets. WTREGEN is the Treasury's account at the Fed. RRPONTSYD is
        reverse repo. Net liquidity N = WALCL/1000 − WTREGEN/1000 − RRPONTSYD, in USD billions. Δ is
        the change over ``horizon`` sessions. The gauge ``tap`` is Δ WALCL/1000. The gauge ``pipes``
        is −Δ RRPONTSYD − Δ WTREGEN/1000. So ΔN = tap + pipes. The score is −z(ΔN / N), where z is
        the z-score. The score is positive when ΔN / N is below its average over past sessions.
    Flag
        The flag turns on when the score is above ``enter``, and off when the score is below
        ``leave``.
    Timing
        WALCL and WTREGEN are known at the session after Thursday's H.4.1 release. Reverse repo is
        known at the session after its date.
    NaN
        Score and flag need two values of WALCL, WTREGEN and RRPONTSYD: the current value, and the
        value ``horizon`` sessions ago. The score and the flag need 252 values of ΔN / N.
    Reference
        The formula for N is common among practitioners; see Howell, *Capital Wars* (2020). The
        gauge ``tap`` measures the Fed's assets, and the gauge ``pipes`` measures the accounts at
        the Fed. No gauge measures the demand for liquidity. The thesis claims that the Fed's assets
        alone do not explain the level of liquidity.

    Parameters
    ----------
    horizon
        Number of sessions over which the change is measured; 65 sessions are a quarter.
    """

    name: ClassVar[str] = "bathtub"
    link: ClassVar[str] = "L7"
    headline: ClassVar[str] = "change"
    units: ClassVar[dict[str, str]] = {
        "change": "% / quarter",
        "level": "USD bn",
        "delta": "USD bn",
        "tap": "USD bn",
        "pipes": "USD bn",
        "score": "σ",
    }
    inputs: ClassVar[tuple[str, ...]] = ("WALCL", "WTREGEN", "RRPONTSYD")
    must_be_positive: ClassVar[tuple[str, ...]] = ("horizon",)

    horizon: int = 65

    def unit(self, gauge: str) -> str:
        """Return the unit of a gauge, such as ``% over 20 sessions`` if ``horizon`` is 20."""
        return over(self.units[gauge], self.horizon)

    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Return the level of net liquidity, its change, and the two parts of the change."""
        assets, account = panel["WALCL"] / 1e3, panel["WTREGEN"] / 1e3
        level = assets - account - panel["RRPONTSYD"]
        tap = assets.diff(self.horizon)
        pipes = -panel["RRPONTSYD"].diff(self.horizon) - account.diff(self.horizon)
        change = 100 * (tap + pipes) / level
        return pd.DataFrame(
            {
                "change": change,
                "level": level,
                "delta": tap + pipes,
                "tap": tap,
                "pipes": pipes,
                "score": -zscore(change),
            }
        )
