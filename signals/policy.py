"""L12: policy that reads "too much money" makes it worse."""

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from signals.base import ScoreSignal, positive
from signals.transforms import composite, zscore


@dataclass(frozen=True, kw_only=True)
class Policy(ScoreSignal):
    """Markets price a tighter path while the balance sheet shrinks.

    Formula
        shock = Δ (DGS2 − EFFR) over ``horizon`` sessions, percentage points; balance = Δ
        WALCL/1000 over ``balance_horizon`` sessions, USD billions; score = z(mean of z(shock) and
        −z(balance)).
    Flag
        On when the score is above ``enter``, off when below ``leave``.
    Timing
        Yields are known the next session, the balance sheet the session after Thursday's H.4.1.
    NaN
        The score needs one of its two components, and compares it with its own past alone.
    Reference
        Link L12 of the thesis. The 2-year yield over the policy rate as the expected path:
        Gürkaynak, Sack, Swanson, "Do Actions Speak Louder Than Words?", IJCB (2005).

    Parameters
    ----------
    horizon, balance_horizon
        Sessions; 63 and 65 are a quarter.
    enter, leave, confirm
        See :class:`signals.base.ScoreSignal`.

    Raises
    ------
    ConfigError
        When a parameter is out of order.
    MissingSeries
        When the panel lacks a column.
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

    horizon: int = 63
    balance_horizon: int = 65

    def __post_init__(self) -> None:
        """Refuse parameters that make no sense together."""
        positive("horizon", self.horizon)
        positive("balance_horizon", self.balance_horizon)
        ScoreSignal.__post_init__(self)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The 2-year yield, the funds rate, the balance sheet."""
        return ("DGS2", "EFFR", "WALCL")

    @property
    def components(self) -> tuple[str, ...]:
        """What the score is made of, by the series."""
        return ("DGS2 − EFFR", "WALCL")

    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Return the front-end shock, the balance sheet's change, and the score."""
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
