"""Link L1: AI capital spending stimulates the economy like fiscal spending."""

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from signals.base import Evaluation, Signal
from signals.catalog import HYPERSCALERS, ttm_id, year_ago_id
from signals.firms import amounts, check_firms, ids_of
from signals.hysteresis import Threshold
from signals.params import Orders
from signals.transforms import zscore


@dataclass(frozen=True, kw_only=True)
class Capex(Signal):
    """Capital expenditure of the hyperscalers over four fiscal quarters, and its growth.

    Formula
        A is the capital expenditure of ``firms`` over the last four fiscal quarters, in USD
        billions. A' is the expenditure of the firms over the same fiscal quarters one year earlier.
        The impulse is 100 · (A / A' − 1), in %. The score is the z-score of the impulse.
    Flag
        The flag turns on when the impulse is above ``enter``, and off when the impulse is below
        ``leave``.
    Timing
        An amount is known at the session after its first filing with the SEC. A firm can change the
        XBRL tag of an amount, and then publish old amounts again under the new tag. An amount is
        late if it first appears more than 120 days after the end of its period. A late amount
        counts as known 45 days after the end of its period. If the firm is not yet listed 45 days
        after the end of the period, a late amount counts as known only after its filing.
    NaN
        The level is NaN if the amount of a firm is missing. The impulse uses only firms with a
        current amount and an amount a year earlier. The impulse is NaN if fewer than ``minimum``
        firms have a current and an earlier amount.
    Reference
        Link L1 of the thesis. The amounts come from cash-flow statements filed with the SEC (XBRL).

    Parameters
    ----------
    firms
        Tickers of the firms; only companies whose SEC filings drypowder reads are allowed. The
        signal ``absorption`` uses the firms of the signal ``capex``. The signal ``outside_capital``
        has its own parameter ``firms``.
    minimum
        The impulse needs at least this number of firms. A firm counts if its current amount and its
        amount a year earlier are known.
    enter
        The flag turns on when the impulse is above this level (in % a year).
    leave
        The flag turns off when the impulse is below this level (in % a year).
    """

    name: ClassVar[str] = "capex"
    link: ClassVar[str] = "L1"
    headline: ClassVar[str] = "impulse"
    units: ClassVar[dict[str, str]] = {
        "impulse": "% / year",
        "level": "USD bn / year",
        "share": "% of GDP",
        "firms": "firms compared",
    }
    must_ascend: ClassVar[Orders] = (("leave", "enter"),)
    shown_only: ClassVar[tuple[str, ...]] = ("GDP",)

    firms: tuple[str, ...] = HYPERSCALERS
    minimum: int = 4
    enter: float = 20.0
    leave: float = 10.0

    def __post_init__(self) -> None:
        """Raise ConfigError for an unknown or repeated firm, or a parameter outside its range."""
        super().__post_init__()
        check_firms(self.firms, self.minimum, "CAPEX")

    @property
    def inputs(self) -> tuple[str, ...]:
        """Ids of the series: GDP, and each firm's spending now and one year earlier."""
        now, then = (ids_of("CAPEX", self.firms, id_of) for id_of in (ttm_id, year_ago_id))
        return (*now, *then, "GDP")

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """Levels of the impulse that turn the flag on and off."""
        return (Threshold(gauge="impulse", enter=self.enter, leave=self.leave, above=True),)

    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Return the impulse, the level (in USD and in % of GDP), and the number of firms."""
        now, then = (amounts(panel, "CAPEX", self.firms, id_of) for id_of in (ttm_id, year_ago_id))
        both = now.notna() & then.notna()
        growth = now.where(both).sum(axis=1) / then.where(both).sum(axis=1) - 1
        level = now.sum(axis=1, min_count=len(self.firms)) / 1e9
        return pd.DataFrame(
            {
                "impulse": 100 * growth.where(both.sum(axis=1) >= self.minimum),
                "level": level,
                "share": 100 * level / panel["GDP"],
                "firms": both.sum(axis=1).astype(float),
            }
        )

    def beside(self, evaluation: Evaluation) -> dict[str, float]:
        """Return the number of firms that the impulse uses, or an empty mapping.

        The mapping is empty if the impulse uses all firms, or if there is no impulse.
        """
        compared, firms = float(evaluation.gauges["firms"].iloc[-1]), len(self.firms)
        missing = self.minimum <= compared < firms  # with fewer firms, there is no impulse
        return {f"firms compared, of {firms}": compared} if missing else {}

    def score(self, gauges: pd.DataFrame) -> pd.Series:
        """Return z(impulse)."""
        return zscore(gauges["impulse"])
