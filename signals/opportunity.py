"""L14: patience is paid: rare chances come."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from signals.base import CompoundSignal, Evaluation, Signal, positive
from signals.bathtub import Bathtub
from signals.forced_selling import ForcedSelling
from signals.hysteresis import Threshold
from signals.policy import Policy
from signals.transforms import difference, same_date, zscore

BASKET = ("ARKK", "MSTR", "COIN", "BTC-USD")
_MINIMUM = 252


@dataclass(frozen=True, kw_only=True)
class Opportunity(CompoundSignal):
    """Capitulation is over and liquidity turns.

    Formula
        drawdown of an equal-weighted, daily rebalanced basket of ARKK, MSTR, COIN and bitcoin from
        its highest value so far, %; decile = the worst tenth of its own past. score = −z(drawdown):
        positive when the speculative lie low.
    Flag
        All of: within the last ``memory`` sessions forced selling was on and the basket reached
        its worst past decile; forced selling is off now; the VIX is at most ``calm`` of its high of
        63 sessions; the score of the bathtub or of policy is lower than 21 sessions ago (policy's
        counts where it rests on the same components). Confirmed ``confirm`` sessions in a row,
        then on for ``stay`` sessions, after which it may come again.
    Timing
        That of its parts.
    NaN
        No view before 252 sessions with ``members`` of the basket, a view of forced selling and
        63 sessions of the VIX; a gap in the view ends a stay.
    Reference
        Link L14 of the thesis. The levels are stated in advance, not fitted.

    Parameters
    ----------
    memory, stay
        Sessions.
    calm
        Fraction of the VIX's high.
    members
        Of the basket, that a session needs. With 1, MicroStrategy alone is the basket to 2013.
    confirm
        Sessions in a row before the flag turns on.

    Raises
    ------
    ConfigError
        When a parameter is out of order.
    MissingSeries
        When the panel lacks a column.
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

    memory: int = 42
    stay: int = 63
    calm: float = 0.7
    members: int = 1

    def __post_init__(self) -> None:
        """Refuse parameters that make no sense together."""
        for name in ("memory", "stay", "calm", "members", "confirm"):
            positive(name, getattr(self, name))

    @property
    def inputs(self) -> tuple[str, ...]:
        """The basket and the VIX."""
        return (*BASKET, "VIXCLS")

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """Capitulation, then calm, then liquidity."""
        return (
            Threshold(gauge="capitulated", enter=0.5, leave=0.5, above=True),
            Threshold(gauge="forced_selling", enter=0.5, leave=0.5, above=False),
            Threshold(gauge="vix_of_high", enter=self.calm, leave=self.calm, above=False),
            Threshold(gauge="liquidity", enter=0.0, leave=0.0, above=False),
        )

    def combine(self, panel: pd.DataFrame, parts: Mapping[str, Evaluation]) -> pd.DataFrame:
        """Return the basket's drawdown, its worst decile so far, and the conditions."""
        forced = parts["forced_selling"].flag
        drawdown = _basket_drawdown(panel, self.members)
        decile = drawdown.expanding(_MINIMUM).quantile(0.1)
        seen = _within(forced.fillna(False), self.memory) & _within(drawdown <= decile, self.memory)
        high = panel["VIXCLS"].rolling(63).max()
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
                "vix_of_high": panel["VIXCLS"] / high,
                "liquidity": pd.concat(turns, axis=1).min(axis=1),
            }
        )

    def score(self, gauges: pd.DataFrame) -> pd.Series:
        """Return −z(drawdown)."""
        return -zscore(gauges["drawdown"])

    def flag(self, gauges: pd.DataFrame) -> pd.Series:
        """Return whether a chance has come: it stays for a fixed time, not until a level."""
        now = (
            (gauges["capitulated"] > 0.5)
            & (gauges["forced_selling"] < 0.5)
            & (gauges["vix_of_high"] <= self.calm)
            & (gauges["liquidity"] < 0)
        )
        view = gauges[["capitulated", "forced_selling", "vix_of_high"]].notna().all(axis=1)
        return _stays(now, view, self.confirm, self.stay)


def _within(event: pd.Series, sessions: int) -> pd.Series:
    """Return whether an event happened in the last n sessions, this one included."""
    return event.astype(float).rolling(sessions, min_periods=1).max() > 0.5


def _stays(now: pd.Series, view: pd.Series, confirm: int, stay: int) -> pd.Series:
    """Return a flag that is on for ``stay`` sessions once ``now`` has held ``confirm`` in a row.

    While it is on nothing is counted; a gap in the view ends it.
    """
    run = left = 0
    out = np.zeros(len(now), dtype=bool)
    seen = view.to_numpy(dtype=bool)
    for i, holds in enumerate(now.to_numpy(dtype=bool)):
        left = max(left - 1, 0) if seen[i] else 0
        run = run + 1 if seen[i] and holds and not left else 0
        if run >= confirm:
            run, left = 0, stay
        out[i] = left > 0
    return pd.Series(out, index=now.index, dtype="boolean").mask(~seen)


def _basket_drawdown(panel: pd.DataFrame, members: int) -> pd.Series:
    """Return the basket's fall from its highest value so far, %; NaN before it has its members."""
    each = same_date(panel, BASKET).pct_change(fill_method=None)
    returns = each.mean(axis=1).where(each.notna().sum(axis=1) >= members)
    value = (1 + returns.fillna(0.0)).cumprod()
    fall = 100 * (value / value.cummax() - 1)
    return fall.where(np.asarray(returns.notna().cummax(), dtype=bool))
