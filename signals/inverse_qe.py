"""L6: it works as QE in reverse, through portfolio rebalancing."""

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from signals.base import ScoreSignal, positive
from signals.hysteresis import Threshold
from signals.transforms import composite, zscore


@dataclass(frozen=True, kw_only=True)
class InverseQE(ScoreSignal):
    """Bonds stop hedging shares while the term premium rises: duration is being pushed out.

    Formula
        correlation of daily returns of SPY and TLT over ``horizon`` sessions; Δ THREEFYTP10 over
        ``horizon`` sessions, percentage points; mean = mean of the two z; score = z(mean).
    Flag
        On when the mean is above ``enter`` and the correlation above zero; left when the mean is
        below ``leave`` or the correlation below zero.
    Timing
        Closes are known the same session, the term premium seven sessions later.
    NaN
        No view of the flag without a correlation or a mean; the mean needs one of its two
        components, and the score 252 means of those it rests on.
    Reference
        Kaminska, Zinna, "Official Demand for U.S. Debt", IMF WP/14/66; Greenwood, Hanson, Stein,
        "A Gap-Filling Theory of Corporate Debt Maturity Choice", JF (2010). The term premium is
        re-estimated by its publisher; ``term_premium=False`` leaves it out. The supply of
        duration itself needs issuance data and is not part of it.

    Parameters
    ----------
    horizon
        Sessions; 63 are a quarter.
    term_premium
        Whether the revised term premium counts.
    enter, leave, confirm
        See :class:`signals.base.ScoreSignal`.

    Raises
    ------
    ConfigError
        When a parameter is out of order.
    MissingSeries
        When the panel lacks a column.
    """

    name: ClassVar[str] = "inverse_qe"
    link: ClassVar[str] = "L6"
    headline: ClassVar[str] = "correlation"
    units: ClassVar[dict[str, str]] = {
        "correlation": "correlation",
        "term_premium": "pp / quarter",
        "z_correlation": "σ",
        "z_term_premium": "σ",
        "mean": "σ",
        "score": "σ",
        "without": "name",
    }

    horizon: int = 63
    term_premium: bool = True

    def __post_init__(self) -> None:
        """Refuse parameters that make no sense together."""
        positive("horizon", self.horizon)
        ScoreSignal.__post_init__(self)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Shares, long Treasuries, the term premium."""
        return ("SPY", "TLT", "THREEFYTP10")

    @property
    def components(self) -> tuple[str, ...]:
        """The correlation, and the term premium where it counts."""
        return ("correlation", "THREEFYTP10") if self.term_premium else ("correlation",)

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """The mean, and a correlation that no longer hedges."""
        return (
            Threshold(gauge="mean", enter=self.enter, leave=self.leave, above=True),
            Threshold(gauge="correlation", enter=0.0, leave=0.0, above=True),
        )

    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Return the correlation, the change of the term premium, and the score."""
        returns = panel[["SPY", "TLT"]].pct_change(fill_method=None)
        correlation = returns["SPY"].rolling(self.horizon).corr(returns["TLT"])
        premium = panel["THREEFYTP10"].diff(self.horizon)
        parts = {"z_correlation": zscore(correlation), "z_term_premium": zscore(premium)}
        made = composite(dict(zip(self.components, parts.values(), strict=False)))
        return pd.DataFrame(
            {
                "correlation": correlation,
                "term_premium": premium,
                **parts,
                "mean": made.mean,
                "score": made.score,
                "without": made.without,
            }
        )
