"""Link L10: investors who borrowed must sell when margin debt shrinks."""

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from signals.base import Signal
from signals.hysteresis import Threshold
from signals.params import Orders
from signals.summary import over
from signals.transforms import zscore


@dataclass(frozen=True, kw_only=True)
class Leverage(Signal):
    """Margin debt at US brokers, the growth of this debt, and the cash that investors can withdraw.

    Formula
        M is the newest known margin debt. M' is the margin debt that was known ``horizon`` sessions
        earlier. F is the cash that investors can withdraw. The growth is 100 · (M / M' − 1), in %.
        The gauge ``free_credit`` is 100 · F / M, in % of margin debt. The score is −z(growth),
        where z is the z-score.
    Flag
        The flag is on when margin debt shrinks: borrowers then sell assets to repay debt. The flag
        turns on when the growth is below ``enter``, and off when the growth is above ``leave``.
    Timing
        FINRA publishes the value of a month's end in the third week of the next month. The imported
        file states the date from which a value counts as known: the 25th of the next month. The
        default ``horizon`` of 252 sessions is only approximately one year. Around the 25th of a
        month, the growth can therefore cover 11 or 13 months instead of 12.
    NaN
        The flag is NA if margin debt has no current value or no value ``horizon`` sessions earlier.
        Missing free credit does not affect the flag or the score.
    Reference
        Adrian, Shin, "Liquidity and Leverage", Journal of Financial Intermediation 19 (2010):
        leverage is procyclical, so falling leverage comes with forced sales. Margin debt follows
        share prices, so no claim about returns is tested with margin debt. The default levels of
        ``enter`` (zero growth) and ``leave`` are our own choice.

    Parameters
    ----------
    horizon
        Number of sessions over which growth is measured; 252 sessions are a year.
    enter
        The flag turns on when the growth is below this level (in %).
    leave
        The flag turns off when the growth is above this level (in %).
    """

    name: ClassVar[str] = "leverage"
    link: ClassVar[str] = "L10"
    headline: ClassVar[str] = "growth"
    units: ClassVar[dict[str, str]] = {
        "growth": "% / year",
        "margin_debt": "USD bn",
        "free_credit": "% of margin debt",
    }
    inputs: ClassVar[tuple[str, ...]] = ("MARGIN_DEBT", "FREE_CREDIT")
    shown_only: ClassVar[tuple[str, ...]] = ("FREE_CREDIT",)
    must_be_positive: ClassVar[tuple[str, ...]] = ("horizon",)
    must_ascend: ClassVar[Orders] = (("enter", "leave"),)

    horizon: int = 252
    enter: float = 0.0
    leave: float = 5.0

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """Levels of the growth that turn the flag on and off."""
        return (Threshold(gauge="growth", enter=self.enter, leave=self.leave, above=False),)

    def unit(self, gauge: str) -> str:
        """Return the unit of a gauge, such as ``% over 20 sessions`` if ``horizon`` is 20."""
        return over(self.units[gauge], self.horizon)

    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Return margin debt, its growth, and free credit in % of margin debt."""
        debt = panel["MARGIN_DEBT"]
        return pd.DataFrame(
            {
                "growth": 100 * (debt / debt.shift(self.horizon) - 1),
                "margin_debt": debt / 1e3,
                "free_credit": 100 * panel["FREE_CREDIT"] / debt,
            }
        )

    def score(self, gauges: pd.DataFrame) -> pd.Series:
        """Return −z(growth), which is positive when margin debt grows less than in the past."""
        return -zscore(gauges["growth"])
