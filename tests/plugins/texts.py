"""The modules of a user, as text: a strategy and a signal that pass every check."""

from collections.abc import Callable

#: Writes a text as a module, with some parts replaced, and returns the name of the module.
Write = Callable[..., str]

STRATEGY = '''
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from signals.reading import Reading
from strategies import Strategy


@dataclass(frozen=True, kw_only=True)
class Mine(Strategy):
    """Half in SPY while it stands above its mean, a tenth in bonds."""

    name: ClassVar[str] = "mine"
    description: ClassVar[str] = "half in SPY while it stands above its mean"

    window: int = 50

    @property
    def assets(self) -> tuple[str, ...]:
        return ("SPY", "IEF")

    def state(self, reading, panel):
        above = panel["SPY"] > panel["SPY"].rolling(self.window).mean()
        return above.map({True: "above", False: "below"}).astype(object)

    def weights(self, reading, panel):
        price = panel["SPY"]
        share = 0.5 * (price > price.rolling(self.window).mean())
        return pd.DataFrame({"SPY": share, "IEF": 0.1}, index=panel.index)
'''

SIGNAL = '''
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from signals.base import Signal
from signals.hysteresis import Threshold, turned


@dataclass(frozen=True, kw_only=True)
class Fear(Signal):
    """Shares fear."""

    name: ClassVar[str] = "fear"
    link: ClassVar[str] = "L9"
    headline: ClassVar[str] = "vix"
    units: ClassVar[dict[str, str]] = {"vix": "points"}

    enter: float = 25.0
    leave: float = 20.0

    @property
    def inputs(self) -> tuple[str, ...]:
        return ("VIXCLS",)

    @property
    def thresholds(self):
        return (Threshold(gauge="vix", enter=self.enter, leave=self.leave, above=True),)

    def gauges(self, panel):
        return pd.DataFrame({"vix": panel["VIXCLS"].rolling(5).mean()})

    def score(self, gauges):
        vix = gauges["vix"]
        return (vix - vix.expanding(60).mean()) / vix.expanding(60).std()

    def flag(self, gauges):
        return turned(gauges, self.thresholds, self.confirm)
'''

#: The line of the strategy that returns its weights.
RETURN = 'return pd.DataFrame({"SPY": share, "IEF": 0.1}, index=panel.index)'
