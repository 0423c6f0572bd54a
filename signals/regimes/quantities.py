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
    """Regime from the two flags of the signal ``absorption``.

    If the flag ``absorption`` is on, the regime is ABSORPTION. If only the flag ``injecting`` is
    on, the regime is INJECTION. If both flags are off, the regime is NEUTRAL. If the flag
    ``absorption`` is NA, the regime is None. Claims about market timing are tested with
    ``quantities``. With a regime from past returns, a test of timing would use the same returns
    twice: for the regime and for the result.
    """

    name: ClassVar[str] = "quantities"
    description: ClassVar[str] = "only the signal absorption (amounts and flows of capital)"
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
        """Return the regime of each session; None if the flag ``absorption`` is NA."""
        absorption = evaluations.get("absorption")
        if absorption is None or absorption.injecting is None:
            raise ConfigError("expected absorption among the signals, but it is missing; add it")
        holds = {
            "too few views": absorption.flag.isna(),
            "absorption": absorption.flag,
            "injecting": absorption.injecting,
        }
        return at_once(self, first_rule(holds, panel.index))
