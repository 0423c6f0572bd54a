"""A user's own strategy in a file: an example.

Run these commands in the folder of this file::

    drypowder check my_strategy:Careful
    drypowder run my_strategy:Careful --start 2015-01-01
    drypowder today my_strategy:Careful
"""

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from signals import Reading
from strategies import Strategy


@dataclass(frozen=True, kw_only=True)
class Careful(Strategy):
    """SPY, with a smaller weight for each vote that capital is scarce.

    Parameters
    ----------
    most
        Weight of SPY, a fraction, while no vote is on.
    """

    name: ClassVar[str] = "careful"
    description: ClassVar[str] = "SPY, with a smaller weight for each vote on scarce capital"

    most: float = 1.0

    @property
    def assets(self) -> tuple[str, ...]:
        """The only asset is SPY; the rest is cash in bills."""
        return ("SPY",)

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        """Return the weight of SPY at each session. Row t uses only rows up to t."""
        views = reading.votes.notna().sum(axis=1)
        against = reading.votes.fillna(False).sum(axis=1) / views.where(views > 0)
        share = self.most * (1 - against.fillna(0.0))
        return pd.DataFrame({"SPY": share.where(panel["SPY"].notna(), 0.0)})
