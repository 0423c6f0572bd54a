"""Link L8: long-duration, speculative assets lose most when capital is scarce.

An asset has a short duration if most of its cash flows come soon. When capital is scarce,
short-duration assets earn higher returns than long-duration assets.
"""

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from signals.base import ScoreSignal
from signals.empirical_duration import empirical_durations
from signals.summary import over
from signals.transforms import same_date, zscore
from signals.universe import DURATION, UNIVERSE, members

#: ``SHORT`` lists the asset classes with a shorter duration than the broad market. ``LONG`` lists
#: the asset classes with a longer duration.
SHORT = tuple(name for name, rank in DURATION.items() if rank < DURATION["broad"])
LONG = tuple(name for name, rank in DURATION.items() if rank > DURATION["broad"])


@dataclass(frozen=True, kw_only=True)
class Duration(ScoreSignal):
    """The mean return of short-duration classes minus the mean return of long-duration classes.

    Formula
        The short classes are memory and defensive. The long classes are software, speculative and
        crypto. The spread is the mean return of the short classes minus the mean return of the long
        classes, in percentage points. Returns are measured over ``horizon`` sessions. The return of
        a class is the mean return of its assets. All classes have equal weights. The score is the
        z-score of the spread.
    Flag
        The flag turns on when the score is above ``enter``, and off when the score is below
        ``leave``.
    Timing
        The closes of shares and coins are from the same date, the date of the previous session.
    NaN
        An asset counts if it has a current price and a price ``horizon`` sessions ago. If no asset
        of a class counts at a session, score and flag are missing.
    Reference
        Weber, "Cash Flow Duration and the Term Structure of Equity Returns", JFE (2018); Gormsen,
        Lazarus, "Duration-Driven Returns", JF (2023). The order of the classes by duration was
        fixed before we looked at any return. The regression in :meth:`empirical` gives little
        support for this order. The signal is computed from past returns, so no claim about returns
        is tested with the signal.

    Parameters
    ----------
    horizon
        Number of sessions over which returns are measured; 63 sessions are a quarter.
    """

    name: ClassVar[str] = "duration"
    link: ClassVar[str] = "L8"
    headline: ClassVar[str] = "spread"
    units: ClassVar[dict[str, str]] = {
        "spread": "pp / quarter",
        **dict.fromkeys((*SHORT, *LONG), "% / quarter"),
        "score": "σ",
    }
    inputs: ClassVar[tuple[str, ...]] = tuple(t for c in (*SHORT, *LONG) for t in members(c))
    must_be_positive: ClassVar[tuple[str, ...]] = ("horizon",)

    horizon: int = 63

    def unit(self, gauge: str) -> str:
        """Return the unit of a gauge, such as ``% over 20 sessions`` if ``horizon`` is 20."""
        return over(self.units[gauge], self.horizon)

    def gauges(self, panel: pd.DataFrame) -> pd.DataFrame:
        """Return the spread, the return of each class, and the score."""
        returns = 100 * same_date(panel, self.inputs).pct_change(self.horizon, fill_method=None)
        classes = {c: returns[list(members(c))].mean(axis=1) for c in (*SHORT, *LONG)}
        frame = pd.DataFrame(classes)
        long = frame[list(LONG)].mean(axis=1, skipna=False)
        spread = frame[list(SHORT)].mean(axis=1, skipna=False) - long
        return pd.DataFrame({"spread": spread, **classes, "score": zscore(spread)})

    def empirical(self, panel: pd.DataFrame, at: pd.Timestamp) -> pd.DataFrame:
        """Return the empirical duration of each asset except SPY and bonds, as known at a session.

        See :func:`signals.empirical_duration.empirical_durations`. No signal uses the empirical
        duration, because the estimate is noisy.
        """
        shares = [t for t, a in UNIVERSE.items() if a.asset_class != "bonds" and t != "SPY"]
        return empirical_durations(panel.loc[:at], shares)
