"""Link L14: rare chances to buy occur, and patient investors profit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from signals.base import CompoundSignal, Evaluation, Signal
from signals.bathtub import Bathtub
from signals.forced_selling import ForcedSelling
from signals.hysteresis import Threshold, fixed_stay
from signals.params import Orders
from signals.policy import Policy
from signals.transforms import difference, fall_from_peak, same_date, zscore

BASKET = ("ARKK", "MSTR", "COIN", "BTC-USD")
_MINIMUM = 252


@dataclass(frozen=True, kw_only=True)
class Opportunity(CompoundSignal):
    """Whether a rare chance to buy is here: forced selling has ended and liquidity improves.

    Formula
        A basket of ARKK, MSTR, COIN and bitcoin has equal weights and is rebalanced daily. The
        gauge ``drawdown`` is the basket's fall from its highest past value, in %. The gauge
        ``decile`` is the 10th percentile of all drawdowns up to the session. The score is
        −z(drawdown), where z is the z-score. The score is positive when the drawdown is deeper than
        in the past.
    Flag
        The flag turns on only if four conditions are true. Condition 1: within the last ``memory``
        sessions, there was forced selling, and there was a deep drawdown. Forced selling means that
        the flag ``forced_selling`` is on. A drawdown is deep if the drawdown is at or below the
        gauge ``decile``. Condition 2: the flag ``forced_selling`` is off at the current session.
        Condition 3: the VIX is at most ``calm`` times its highest value of the last 63 sessions.
        Condition 4: the score of ``bathtub`` or ``policy`` has fallen over the last 21 sessions.
        Condition 4 compares two scores of ``policy`` only if both scores have the same components.
        The flag turns on when all four conditions are true for ``confirm`` sessions in a row. The
        flag stays on for ``stay`` sessions, and can then turn on again.
    Timing
        The signal is known as soon as its input series and the signals ``forced_selling``,
        ``bathtub`` and ``policy`` are known.
    NaN
        The flag is NA until the basket's drawdown is known on at least 252 sessions. The flag is NA
        if the flag ``forced_selling`` is NA, or if the VIX is missing on one of the last 63
        sessions. If the scores of ``bathtub`` and ``policy`` are both unknown, condition 4 is
        false. Condition 4 never makes the flag NA. After a session at which the flag is NA, the
        flag is off until it turns on again.
    Reference
        Link L14 of the thesis. The levels of the four conditions were fixed in advance and not
        fitted to data.

    Parameters
    ----------
    memory
        Number of most recent sessions in which condition 1 looks for forced selling and for a deep
        drawdown.
    stay
        Number of sessions for which the flag stays on.
    calm
        Largest VIX at which the flag can turn on, as a fraction of the highest VIX in 63 sessions.
    members
        The return of the basket needs the returns of at least this number of assets. The basket has
        four assets, so a number above 4 is not allowed. With ``members`` = 1, the basket contains
        only MSTR until another asset has a return.
    confirm
        Number of consecutive sessions for which all conditions must be true before the flag turns
        on.
    """

    name: ClassVar[str] = "opportunity"
    link: ClassVar[str] = "L14"
    headline: ClassVar[str] = "drawdown"
    units: ClassVar[dict[str, str]] = {
        "drawdown": "%",
        "decile": "%",
        "capitulated": "",
        "forced_selling": "",
        "vix_of_high": "fraction",
        "liquidity": "σ over 21 sessions",
    }
    parts: ClassVar[Mapping[str, type[Signal]]] = {
        "forced_selling": ForcedSelling,
        "bathtub": Bathtub,
        "policy": Policy,
    }
    inputs: ClassVar[tuple[str, ...]] = (*BASKET, "VIXCLS")
    must_be_positive: ClassVar[tuple[str, ...]] = ("memory", "stay", "calm", "members")
    must_ascend: ClassVar[Orders] = (("calm", 1), ("members", len(BASKET) + 1))

    memory: int = 42
    stay: int = 63
    calm: float = 0.7
    members: int = 1

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """Levels of four gauges; the flag turns on when all four have crossed their levels."""
        return (
            Threshold(gauge="capitulated", enter=0.5, leave=0.5, above=True),
            Threshold(gauge="forced_selling", enter=0.5, leave=0.5, above=False),
            Threshold(gauge="vix_of_high", enter=self.calm, leave=self.calm, above=False),
            Threshold(gauge="liquidity", enter=0.0, leave=0.0, above=False),
        )

    @property
    def lasts(self) -> int:
        """Number of sessions for which the flag stays on; missing data can end the stay earlier."""
        return self.stay

    def combine(self, panel: pd.DataFrame, parts: Mapping[str, Evaluation]) -> pd.DataFrame:
        """Return the basket's drawdown, the decile of drawdowns, and a gauge for each condition."""
        forced = parts["forced_selling"].flag
        drawdown = _basket_drawdown(panel, self.members)
        decile = drawdown.expanding(_MINIMUM).quantile(0.1)
        seen = _within(forced.fillna(False), self.memory) & _within(drawdown <= decile, self.memory)
        policy = parts["policy"].gauges
        turns = [
            parts["bathtub"].score.diff(21),
            difference(policy["score"], policy["without"], 21),
        ]
        return pd.DataFrame(
            {
                "drawdown": drawdown,
                "decile": decile,
                "capitulated": seen.astype(float).where(decile.notna() & forced.notna()),
                "forced_selling": forced.astype("Float64").astype(float),
                "vix_of_high": panel["VIXCLS"] / panel["VIXCLS"].rolling(63).max(),
                "liquidity": pd.concat(turns, axis=1).min(axis=1),
            }
        )

    def score(self, gauges: pd.DataFrame) -> pd.Series:
        """Return −z(drawdown)."""
        return -zscore(gauges["drawdown"])

    def flag(self, gauges: pd.DataFrame) -> pd.Series:
        """Return a flag that stays on for a fixed number of sessions."""
        now = (
            (gauges["capitulated"] > 0.5)
            & (gauges["forced_selling"] < 0.5)
            & (gauges["vix_of_high"] <= self.calm)
            & (gauges["liquidity"] < 0)
        )
        view = gauges[["capitulated", "forced_selling", "vix_of_high"]].notna().all(axis=1)
        return fixed_stay(now, view, self.confirm, self.stay)


def _within(event: pd.Series, sessions: int) -> pd.Series:
    """Return whether an event happened in the last n sessions, including the current session."""
    return event.astype(float).rolling(sessions, min_periods=1).max() > 0.5


def _basket_drawdown(panel: pd.DataFrame, members: int) -> pd.Series:
    """Return the basket's fall from its highest past value, in %; NaN before the first return."""
    each = same_date(panel, BASKET).pct_change(fill_method=None)
    returns = each.mean(axis=1).where(each.notna().sum(axis=1) >= members)
    fall = 100 * fall_from_peak((1 + returns.fillna(0.0)).cumprod())
    return fall.where(np.asarray(returns.notna().cummax(), dtype=bool))
