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
        Net liquidity N = WALCL/1000 − WTREGEN/1000 − RRPONTSYD, in USD billions. Δ is the change
        over ``horizon`` sessions. The gauge ``tap`` is Δ WALCL/1000. The gauge ``pipes`` is −Δ
        RRPONTSYD − Δ WTREGEN/1000. So ΔN = tap + pipes. score = −z(ΔN / N). The score is positive
        when net liquidity grows less, or shrinks more, than in the past.
    Flag
        The flag turns on when the score is above ``enter``, and off when it is below ``leave``.
    Timing
        The balance sheet and the Treasury account are known at the session after Thursday's H.4.1
        release. Reverse repo is known at the session after its date.
    NaN
        Score and flag are missing if one of the three series has no current value or no value
        ``horizon`` sessions ago. The score and the flag need 252 values of ΔN / N.
    Reference
        Practitioners define net liquidity in this way; see Howell, *Capital Wars* (2020). The
        signal measures the Fed's assets (tap) and the accounts at the Fed (pipes), but not demand.
        The thesis claims that the Fed's assets alone do not explain the level of liquidity.

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
        """Return the unit of a gauge; the unit of a change depends on ``horizon``."""
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
