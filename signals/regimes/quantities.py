"""Regimes from stocks and flows, without prices and returns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from signals.base import Evaluation
from signals.errors import ConfigError
from signals.regimes.base import Classification, Regime, RegimeModel, at_once


@dataclass(frozen=True, kw_only=True)
class Quantities(RegimeModel):
    """Regime from ``absorption`` alone: ABSORPTION when on, INJECTION when injecting, or NEUTRAL.

    Claims about timing use this model. A regime that contains past returns would be tested on the
    returns that it contains. There is no regime where ``absorption`` has no view.
    """

    name: ClassVar[str] = "quantities"
    description: ClassVar[str] = "stocks and flows alone: the signal absorption"
    rules: ClassVar[Mapping[str, str | None]] = {
        "too few views": None,
        "absorption": Regime.ABSORPTION.value,
        "injecting": Regime.INJECTION.value,
        "none": Regime.NEUTRAL.value,
    }

    @property
    def rests_on(self) -> tuple[str, ...]:
        """Name of the one signal that decides."""
        return ("absorption",)

    def classify(
        self, panel: pd.DataFrame, evaluations: Mapping[str, Evaluation]
    ) -> Classification:
        """Return the regime of each session; None without a view of ``absorption``."""
        absorption = evaluations.get("absorption")
        if absorption is None or absorption.injecting is None:
            raise ConfigError("expected absorption among the signals, was without it; add it")
        conditions = [
            absorption.flag.isna(),
            absorption.flag.fillna(False),
            absorption.injecting.fillna(False),
        ]
        names = [np.array(name, dtype=object) for name in self.rules]
        named = np.select([c.to_numpy(dtype=bool) for c in conditions], names[:-1], "none")
        return at_once(pd.Series(named, index=panel.index, dtype=object, name="rule"), self.rules)
