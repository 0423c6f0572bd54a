"""Links L2 and L3: the price of reserves shows whether bank reserves are scarce."""

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from signals.base import Signal
from signals.hysteresis import Threshold
from signals.params import Orders
from signals.transforms import Composite, composite, zscore

#: Basis points in one percentage point.
BASIS_POINTS = 100.0
#: Number of decimals to which a spread in basis points is rounded. Published rates have two
#: decimals of a percent, so a spread is a whole number of basis points. Without rounding, two equal
#: spreads can differ in the last digit.
DECIMALS = 4


@dataclass(frozen=True, kw_only=True)
class Funding(Signal):
    """The price of reserves: overnight rates compared with the rate that the Fed pays on reserves.

    Formula
        The rate on reserves is IORB from 2021-07-29 on, and IOER before that date. The gauge
        ``sofr_spread`` is SOFR minus the rate on reserves, in basis points. The gauge
        ``fed_funds_spread`` is EFFR minus the rate on reserves, in basis points. The gauge
        ``scarce_days`` is the percentage of the last ``window`` sessions on which ``sofr_spread``
        is above zero. The gauge ``standing_repo`` is the Fed's lending through the standing repo
        facility. The gauge ``discount_window`` is the Fed's lending through the discount window.
        The gauges ``standing_repo`` and ``discount_window`` are means over the last ``window``
        sessions, in USD billions. The gauge ``mean_sofr_spread`` is the mean of ``sofr_spread``
        over the last ``window`` sessions. The gauge ``mean_fed_funds_spread`` is the mean of
        ``fed_funds_spread`` over the last ``window`` sessions. The score is the z-score of m, where
        m is the average of z(mean_sofr_spread) and z(mean_fed_funds_spread).
    Flag
        The flag is on when reserves are scarce. The flag turns on when ``scarce_days`` is above
        ``enter``, and off when ``scarce_days`` is below ``leave``. A bank with idle reserves can
        lend these reserves in repo at SOFR. If SOFR is above the rate on reserves, a bank that
        keeps its reserves gives up interest. If SOFR is above the rate on reserves on most
        sessions, banks want to keep their reserves. Reserves that banks want to keep are not idle.
        The formula does not use GDP, asset prices, or an estimate of how many reserves banks need.
    Timing
        SOFR and EFFR are known on the next session on which the Fed is open. The rate on reserves
        is announced in advance. The panel delays the rate on reserves by one session. So a spread
        compares rates of the same date. On Columbus Day and Veterans Day, the Fed publishes no SOFR
        and no EFFR, so a spread compares an older SOFR or EFFR with a newer rate on reserves.
        Lending through the standing repo facility is known at the session after its date. Lending
        through the discount window is known at the session after the H.4.1 release.
    NaN
        A mean or percentage over the window needs the current value, and values on at least half of
        the sessions. The flag is NA if SOFR or the rate on reserves is missing. SOFR begins on
        2018-04-03. The score needs at least one of its two components. Missing data on lending do
        not affect the flag or the score.
    Reference
        Afonso, Giannone, La Spada, Williams, "Scarce, Abundant, or Ample?", NY Fed Staff Report
        1019 (2022), measure the scarcity of reserves by the spread of the federal funds rate.
        Copeland, Duffie, Yang, "Reserves Were Not So Ample After All", Quarterly Journal of
        Economics (2025): repo rates rise above the rate on reserves when large banks hold few
        reserves. The default of ``enter`` (50 %) is our own choice. If ``scarce_days`` is above 50
        %, SOFR exceeds the rate on reserves on most sessions. The default of ``leave`` is half of
        the default of ``enter``.

    Parameters
    ----------
    window
        Number of sessions for percentages and means; 21 sessions are a month.
    enter
        The flag turns on when ``scarce_days`` is above this level (in % of sessions).
    leave
        The flag turns off when ``scarce_days`` is below this level (in % of sessions).
    """

    name: ClassVar[str] = "funding"
    link: ClassVar[str] = "L2"
    headline: ClassVar[str] = "scarce_days"
    units: ClassVar[dict[str, str]] = {
        "scarce_days": "% of sessions",
        "sofr_spread": "bp",
        "fed_funds_spread": "bp",
        "mean_sofr_spread": "bp",
        "mean_fed_funds_spread": "bp",
        "standing_repo": "USD bn",
        "discount_window": "USD bn",
        "without": "name",
    }
    inputs: ClassVar[tuple[str, ...]] = ("SOFR", "EFFR", "IORB", "IOER", "SRF", "WLCFLPCL")
    shown_only: ClassVar[tuple[str, ...]] = ("SRF", "WLCFLPCL")
    components: ClassVar[tuple[str, ...]] = ("mean_sofr_spread", "mean_fed_funds_spread")
    must_be_positive: ClassVar[tuple[str, ...]] = ("window",)
    must_ascend: ClassVar[Orders] = (("leave", "enter"),)

    window: int = 21
    enter: float = 50.0
    leave: float = 25.0

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """The levels of the gauge ``scarce_days`` at which the flag turns on and off."""
        return (Threshold(gauge="scarce_days", enter=self.enter, leave=self.leave, above=True),)

    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Return the spreads, the percentage ``scarce_days``, and the lending by the Fed."""
        paid = panel["IORB"].fillna(panel["IOER"])
        sofr, fed_funds = (_spread(panel[rate], paid) for rate in ("SOFR", "EFFR"))
        is_above = (sofr > 0).astype("float64").where(sofr.notna())
        gauges = pd.DataFrame(
            {
                "scarce_days": 100 * self._mean(is_above),
                "sofr_spread": sofr,
                "fed_funds_spread": fed_funds,
                "mean_sofr_spread": self._mean(sofr),
                "mean_fed_funds_spread": self._mean(fed_funds),
                "standing_repo": self._mean(panel["SRF"]),
                "discount_window": self._mean(panel["WLCFLPCL"] / 1e3),
            }
        )
        return gauges.assign(without=self._composite(gauges).without)

    def _mean(self, values: pd.Series) -> pd.Series:
        """Return the mean of the window.

        The mean is NaN if the last value is missing, or if more than half of the values are
        missing.
        """
        mean = values.rolling(self.window, min_periods=(self.window + 1) // 2).mean()
        return mean.where(values.notna())

    def _composite(self, gauges: pd.DataFrame) -> Composite:
        return composite({name: zscore(gauges[name]) for name in self.components})

    def score(self, gauges: pd.DataFrame) -> pd.Series:
        """Return the score: the z-score of the mean of the components' z-scores."""
        return self._composite(gauges).score


def _spread(rate: pd.Series, paid: pd.Series) -> pd.Series:
    """Return a rate (%) minus the rate on reserves (%), in basis points."""
    return (BASIS_POINTS * (rate - paid)).round(DECIMALS)
