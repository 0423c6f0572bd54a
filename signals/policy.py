"""Link L12: policy against "too much money" makes the shortage of capital worse."""

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from signals.base import ScoreSignal
from signals.summary import over
from signals.transforms import composite, zscore


@dataclass(frozen=True, kw_only=True)
class Policy(ScoreSignal):
    """Whether markets expect tighter policy while the Fed's balance sheet shrinks.

    Formula
        The gauge ``shock`` is the change of DGS2 − EFFR over ``horizon`` sessions, in percentage
        points. The gauge ``balance`` is the change of WALCL/1000 over ``balance_horizon`` sessions,
        in USD billions. The score is the z-score of m, where m is the mean of z(shock) and
        −z(balance).
    Flag
        The flag turns on when the score is above ``enter``, and off when the score is below
        ``leave``.
    Timing
        Yields are known one session after their date. The balance sheet is known at the session
        after Thursday's H.4.1 release.
    NaN
        The score needs at least one of its two components. If one component is missing, the score
        uses the other component alone.
    Reference
        Link L12 of the thesis. The 2-year yield minus the policy rate measures the expected path
        of policy: Gürkaynak, Sack, Swanson, "Do Actions Speak Louder Than Words?", IJCB (2005).

    Parameters
    ----------
    horizon
        Number of sessions over which the change of DGS2 − EFFR is measured; 63 sessions are a
        quarter.
    balance_horizon
        Number of sessions over which the balance sheet's change is measured; 65 sessions are a
        quarter.
    """

    name: ClassVar[str] = "policy"
    link: ClassVar[str] = "L12"
    headline: ClassVar[str] = "shock"
    units: ClassVar[dict[str, str]] = {
        "shock": "pp / quarter",
        "balance": "USD bn / quarter",
        "z_shock": "σ",
        "z_balance": "σ",
        "score": "σ",
        "without": "name",
    }
    inputs: ClassVar[tuple[str, ...]] = ("DGS2", "EFFR", "WALCL")
    components: ClassVar[tuple[str, ...]] = ("DGS2 − EFFR", "WALCL")
    must_be_positive: ClassVar[tuple[str, ...]] = ("horizon", "balance_horizon")

    horizon: int = 63
    balance_horizon: int = 65

    def unit(self, gauge: str) -> str:
        """Return the unit of a gauge; the unit of ``balance`` depends on ``balance_horizon``."""
        horizon = self.balance_horizon if gauge == "balance" else self.horizon
        return over(self.units[gauge], horizon)

    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Return the change of DGS2 − EFFR, the change of the balance sheet, and the score."""
        shock = (panel["DGS2"] - panel["EFFR"]).diff(self.horizon)
        balance = (panel["WALCL"] / 1e3).diff(self.balance_horizon)
        parts = {"z_shock": zscore(shock), "z_balance": -zscore(balance)}
        made = composite(dict(zip(self.components, parts.values(), strict=True)))
        return pd.DataFrame(
            {
                "shock": shock,
                "balance": balance,
                **parts,
                "score": made.score,
                "without": made.without,
            }
        )
