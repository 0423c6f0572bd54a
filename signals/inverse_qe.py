"""Link L6: absorption works like QE in reverse, because investors rebalance their portfolios."""

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from signals.base import ScoreSignal
from signals.hysteresis import Threshold
from signals.summary import over
from signals.transforms import composite, zscore


@dataclass(frozen=True, kw_only=True)
class InverseQE(ScoreSignal):
    """Whether bonds stop hedging shares while the term premium rises.

    Formula
        The gauge ``correlation`` is the correlation of the daily returns of SPY and TLT over
        ``horizon`` sessions. The gauge ``term_premium`` is the change of THREEFYTP10 over
        ``horizon`` sessions, in percentage points. The gauge ``mean`` is the average of the
        z-scores of ``correlation`` and ``term_premium``. The score is the z-score of ``mean``.
    Flag
        The flag turns on when the mean is above ``enter`` and the correlation is above zero. The
        flag turns off when the mean is below ``leave`` or the correlation is below zero.
    Timing
        The close of a session is known at that session. The term premium is known seven sessions
        after its date.
    NaN
        The flag is NA if the correlation or the mean is missing. The mean needs at least one of its
        components. The score omits a component without enough data, and needs 252 sessions with
        values of all other components.
    Reference
        Kaminska, Zinna, "Official Demand for U.S. Debt", IMF WP/14/66; Greenwood, Hanson, Stein, "A
        Gap-Filling Theory of Corporate Debt Maturity Choice", JF (2010). The publisher re-estimates
        past values of the term premium. With ``term_premium=False``, the score and the flag do not
        use the term premium. Drypowder has no data on the duration of new bonds, so the signal does
        not measure this duration.

    Parameters
    ----------
    horizon
        Number of sessions over which ``correlation`` and ``term_premium`` are measured; 63 sessions
        are a quarter.
    term_premium
        Whether the score and the flag use the term premium. The publisher revises past values of
        the term premium.
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
    inputs: ClassVar[tuple[str, ...]] = ("SPY", "TLT", "THREEFYTP10")
    must_be_positive: ClassVar[tuple[str, ...]] = ("horizon",)

    horizon: int = 63
    term_premium: bool = True

    @property
    def shown_only(self) -> tuple[str, ...]:
        """Id of the term premium if ``term_premium`` is False; otherwise empty."""
        return () if self.term_premium else ("THREEFYTP10",)

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the components: the correlation, and the term premium if it is included."""
        return ("correlation", "THREEFYTP10") if self.term_premium else ("correlation",)

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """Levels for the flag: ``enter`` and ``leave`` for the mean, and 0 for the correlation."""
        return (
            Threshold(gauge="mean", enter=self.enter, leave=self.leave, above=True),
            Threshold(gauge="correlation", enter=0.0, leave=0.0, above=True),
        )

    def unit(self, gauge: str) -> str:
        """Return the unit of a gauge, such as ``pp over 20 sessions`` if ``horizon`` is 20."""
        return over(self.units[gauge], self.horizon)

    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Return the correlation, the change of the term premium, their mean, and the score."""
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
                **vars(made),
            }
        )
