"""L7: the level is supply, plus plumbing, less demand."""

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from signals.base import ScoreSignal, positive
from signals.transforms import zscore


@dataclass(frozen=True, kw_only=True)
class Bathtub(ScoreSignal):
    """Net liquidity, and what moved it: the central bank's tap or the plumbing.

    Formula
        N = WALCL/1000 − WTREGEN/1000 − RRPONTSYD, in USD billions. Over ``horizon`` sessions,
        tap = Δ WALCL/1000 and pipes = −Δ RRPONTSYD − Δ WTREGEN/1000, so that ΔN = tap + pipes.
        score = −z(ΔN / N): positive when liquidity shrinks faster than it used to.
    Flag
        On when the score is above ``enter``, off when below ``leave``.
    Timing
        Balance sheet and Treasury account are known the session after Thursday's H.4.1, reverse
        repo the next session.
    NaN
        No view while one of the three has none now or ``horizon`` sessions ago; the score needs
        252 changes.
    Reference
        Net liquidity as practitioners draw it; Howell, *Capital Wars* (2020). It measures supply
        and plumbing alone; that supply does not explain the level is the thesis's claim.

    Parameters
    ----------
    horizon
        Sessions; 65 are a quarter.
    enter, leave, confirm
        See :class:`signals.base.ScoreSignal`.

    Raises
    ------
    ConfigError
        When a parameter is out of order.
    MissingSeries
        When the panel lacks a column.
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

    horizon: int = 65

    def __post_init__(self) -> None:
        """Refuse parameters that make no sense together."""
        positive("horizon", self.horizon)
        ScoreSignal.__post_init__(self)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The balance sheet, the Treasury's account, reverse repo."""
        return ("WALCL", "WTREGEN", "RRPONTSYD")

    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Return the level, its change, and the two parts of the change."""
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
