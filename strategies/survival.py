"""L8 in degrees: the more capital is absorbed, the nearer the cash flows that are held."""

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from signals.reading import Reading
from signals.universe import members
from strategies.base import (
    Sleeves,
    Strategy,
    check_sleeves,
    check_volatility,
    combine,
    scaled,
    tickers_of,
)

BROAD = 0.40
#: Classes that are tilted between, in a-priori order of duration, shortest first.
ORDER = (
    "memory",
    "defensive",
    "hyperscalers",
    "semiconductors",
    "software",
    "speculative",
    "crypto",
)
ABSORBING = "absorbing"


@dataclass(frozen=True, kw_only=True)
class Survival(Strategy):
    """A market core, and a tilt from long to short duration as capital is absorbed.

    Rationale
        If scarce capital is re-ranked by how near its cash flows are, then a portfolio survives by
        moving along that ranking, by degrees, without a switch whose date decides everything.
    Rule
        40 % SPY always. 60 % over seven classes by a-priori duration: with x the absorption
        score, clipped to ±1, and p from +1 for the shortest class down to −1 for the longest in
        equal steps, a class gets 60 % / 7 · (1 + x·p). At −1 the shortest holds nothing, at +1
        the longest; without a view x is 0, which spreads evenly. The memory and crypto classes
        are scaled by min(1, ``volatility`` / volatility over 63 sessions). What that frees, and
        the share of a class with no listed member, is cash; inside a class, equal weights over
        the listed members.
    Turnover
        Decides at month ends, and when the absorption flag turns.
    Timing
        Decided at the close from the reading and the panel of that session.

    Parameters
    ----------
    volatility
        Yearly volatility, a fraction, that the memory and crypto classes are scaled to.
    """

    name: ClassVar[str] = "survival"
    description: ClassVar[str] = "a core of SPY, the rest from long to short duration by degrees"
    link: ClassVar[str] = "L8"
    active_states: ClassVar[tuple[str, ...]] = (ABSORBING,)

    volatility: float = 0.25

    def __post_init__(self) -> None:
        """Refuse a volatility that is none."""
        check_sleeves(self.sleeves)
        check_volatility(self.volatility)

    @property
    def sleeves(self) -> Sleeves:
        """SPY, and the members of each class that is tilted between."""
        return {"broad": ("SPY",)} | {name: members(name) for name in ORDER}

    @property
    def assets(self) -> tuple[str, ...]:
        """The members of its sleeves."""
        return tickers_of(self.sleeves)

    def state(self, reading: Reading, panel: pd.DataFrame) -> pd.Series | None:
        """Return whether the absorption flag is on, in a word; None without a view."""
        flag = reading.flags["absorption"]
        label = flag.map({True: ABSORBING, False: "not absorbing"}).astype(object)
        return label.where(flag.notna(), None)

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        """Return target weights, sessions × assets."""
        tilt = reading.scores["absorption"].clip(-1, 1).fillna(0.0)
        steps = (len(ORDER) - 1) / 2
        shares = pd.DataFrame({"broad": BROAD}, index=reading.scores.index)
        for rank, name in enumerate(ORDER):
            shares[name] = (1 - BROAD) / len(ORDER) * (1 + tilt * (1 - rank / steps))
        shares = scaled(shares, panel, self.sleeves, ("memory", "crypto"), self.volatility)
        return combine(shares, panel, self.sleeves)
