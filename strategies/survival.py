"""Link L8: as more capital is absorbed, move gradually to assets whose cash flows come sooner."""

from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

import pandas as pd

from signals.reading import Reading
from signals.universe import DURATION, OwnClasses, members
from strategies.sleeves import ScaledSleeves, Sleeves

BROAD = 0.40
#: Asset classes between which the weights move, from short to long duration. The sleeve ``broad``
#: (SPY) keeps its weight.
ORDER = tuple(name for name in DURATION if name != "broad")
ABSORBING = "absorbing"


@dataclass(frozen=True, kw_only=True)
class Survival(ScaledSleeves):
    """40 % in SPY; as capital is absorbed, the rest moves from long to short duration.

    Rationale
        The thesis says: if capital is scarce, investors prefer assets whose cash flows come soon.
        As capital becomes scarcer, the portfolio moves gradually to assets whose cash flows come
        soon. Because the change is gradual, the result does not depend on a few dates with large
        trades.
    Rule
        SPY has a weight of 40 %. Seven asset classes share the other 60 %. Each class has the
        weight 60 % / 7 · (1 + x·p). The number x is the score of the signal ``absorption``, clipped
        to ±1. The number p falls in equal steps from +1 for the class of shortest duration to −1
        for the class of longest duration. If the absorption score is −1 or less, the class of
        shortest duration has weight 0. If the absorption score is 1 or more, the class of longest
        duration has weight 0. If the absorption score is unknown, all seven classes have equal
        weights. The classes ``memory`` and ``crypto`` are scaled to the target volatility.

    Parameters
    ----------
    volatility
        Yearly target volatility of the classes ``memory`` and ``crypto``, as a fraction.
    own
        Pairs of an asset class and its tickers, for each class whose tickers a user replaces. A
        configuration sets ``own`` from its table ``[universe.classes]``, so ``--param`` cannot set
        ``own``.
    """

    name: ClassVar[str] = "survival"
    description: ClassVar[str] = (
        "40 % SPY; the rest moves gradually to assets of short duration when capital gets scarcer"
    )
    link: ClassVar[str] = "L8"
    active_states: ClassVar[tuple[str, ...]] = (ABSORBING,)

    own: tuple[tuple[str, tuple[str, ...]], ...] = field(default=(), repr=False)

    def with_classes(self, own: OwnClasses) -> Self:
        """Return the strategy with other tickers in some classes."""
        return replace(self, own=tuple(own.items()))

    @property
    def sleeves(self) -> Sleeves:
        """A mapping from the name of each sleeve to its tickers.

        The sleeve ``broad`` contains SPY. Each of the seven classes is a sleeve. The tickers in
        ``own`` replace the default tickers.
        """
        declared = {"broad": ("SPY",)} | {name: members(name) for name in ORDER}
        return declared | {name: held for name, held in self.own if name in declared}

    def state(self, reading: Reading, panel: pd.DataFrame) -> pd.Series | None:
        """Return ``absorbing``, ``not absorbing``, or None where the flag ``absorption`` is NA."""
        flag = reading.evaluations["absorption"].flag
        label = flag.map({True: ABSORBING, False: "not absorbing"}).astype(object)
        return label.where(flag.notna(), None)

    def planned(self, reading: Reading) -> pd.DataFrame:
        """Return the weight of SPY's sleeve and of each class, sessions × sleeves."""
        tilt = reading.evaluations["absorption"].score.clip(-1, 1).fillna(0.0)
        steps = (len(ORDER) - 1) / 2
        shares = pd.DataFrame({"broad": BROAD}, index=reading.regime.index)
        for rank, name in enumerate(ORDER):
            shares[name] = (1 - BROAD) / len(ORDER) * (1 + tilt * (1 - rank / steps))
        return shares
