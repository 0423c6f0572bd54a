"""Regimes from amounts and flows of capital, without prices and returns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from signals.base import Evaluation
from signals.errors import ConfigError
from signals.regimes.base import Classification, Regime, RegimeModel, at_once, first_rule


@dataclass(frozen=True, kw_only=True)
class Quantities(RegimeModel):
    """Regime from ``absorption`` alone: ABSORPTION if on, INJECTION if injecting, else NEUTRAL.

    Claims about timing are tested with this model. With a regime from past returns, a test of
    timing would use the same returns twice. The regime is None where ``absorption`` has no view.
    """

    name: ClassVar[str] = "quantities"
    description: ClassVar[str] = "stocks and flows alone: the signal absorption"
    rules: ClassVar[Mapping[str, str | None]] = {
        "too few views": None,
        "absorption": Regime.ABSORPTION.value,
        "injecting": Regime.INJECTION.value,
        "none": Regime.NEUTRAL.value,
    }
    rests_on: ClassVar[tuple[str, ...]] = ("absorption",)

    def classify(
        self, panel: pd.DataFrame, evaluations: Mapping[str, Evaluation]
    ) -> Classification:
        """Return the regime of each session; None without a view of ``absorption``."""
        absorption = evaluations.get("absorption")
        if absorption is None or absorption.injecting is None:
            raise ConfigError("expected absorption among the signals, but it is missing; add it")
        holds = {
            "too few views": absorption.flag.isna(),
            "absorption": absorption.flag,
            "injecting": absorption.injecting,
        }
        return at_once(first_rule(holds, panel.index), self.rules)
