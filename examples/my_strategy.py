"""A strategy of one's own, in a file of one's own.

From this folder::

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
    """Own the market, less of it for each vote that capital is scarce.

    Parameters
    ----------
    most
        Weight of SPY, a fraction, while no vote is on.
    """

    name: ClassVar[str] = "careful"
    description: ClassVar[str] = "SPY, less of it for each vote that capital is scarce"

    most: float = 1.0

    @property
    def assets(self) -> tuple[str, ...]:
        """SPY alone; what is not in it is cash in bills."""
        return ("SPY",)

    def weights(self, reading: Reading, panel: pd.DataFrame) -> pd.DataFrame:
        """Return one row a session. Row t uses rows up to t alone."""
        views = reading.votes.notna().sum(axis=1)
        against = reading.votes.fillna(False).sum(axis=1) / views.where(views > 0)
        share = self.most * (1 - against.fillna(0.0))
        return pd.DataFrame({"SPY": share.where(panel["SPY"].notna(), 0.0)})
