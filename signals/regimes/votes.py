"""The default regime model: the signals vote, and three flags decide in addition."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from signals.base import Evaluation
from signals.regimes.base import (
    CONFIRM_REGIME,
    Classification,
    Regime,
    RegimeModel,
    decided_by,
    settle,
    spoken_for,
)


@dataclass(frozen=True, kw_only=True)
class Votes(RegimeModel):
    """Regime from the votes of the signals and three flags that decide in addition.

    The first rule that holds decides. No regime: fewer than ``min_views`` votes have a view.
    FORCED_SELLING: the flag ``forced_selling`` is on. OPPORTUNITY: the flag ``opportunity`` is on.
    ABSORPTION: the flag ``absorption`` is on, or at least half of the votes with a view are on.
    INJECTION: ``absorption`` is injecting. NEUTRAL: none of these holds.

    Parameters
    ----------
    voters
        Names of the signals that vote.
    min_views
        Number of votes with a view that a regime needs.
    confirm
        Sessions in a row that a rule must hold before the regime changes; FORCED_SELLING needs 2.
    """

    name: ClassVar[str] = "votes"
    description: ClassVar[str] = "the votes of the signals, and three flags beside them"
    confirmed: ClassVar[bool] = True
    #: The rules in order. The first one that holds decides.
    rules: ClassVar[Mapping[str, str | None]] = {
        "too few views": None,
        "forced_selling": Regime.FORCED_SELLING.value,
        "opportunity": Regime.OPPORTUNITY.value,
        "absorption": Regime.ABSORPTION.value,
        "half of the votes": Regime.ABSORPTION.value,
        "injecting": Regime.INJECTION.value,
        "none": Regime.NEUTRAL.value,
    }

    voters: tuple[str, ...]
    min_views: int = 5
    confirm: int = CONFIRM_REGIME

    @property
    def rests_on(self) -> tuple[str, ...]:
        """Return the names of the voters, and of the signals whose flags decide in addition."""
        return tuple(dict.fromkeys((*self.voters, "absorption", "forced_selling", "opportunity")))

    def classify(
        self, panel: pd.DataFrame, evaluations: Mapping[str, Evaluation]
    ) -> Classification:
        """Return the regime of each session; None where too few votes have a view."""
        rule = self._rule(panel.index, evaluations)
        regime = settle(spoken_for(rule, self.rules), self.confirm)
        return Classification(
            regime=regime, rule=rule, decided_by=decided_by(regime, rule, self.rules)
        )

    def _rule(self, index: pd.Index, evaluations: Mapping[str, Evaluation]) -> pd.Series:
        """Return the name of the first rule that holds at each session."""
        flags = {name: evaluations[name].flag for name in self.voters if name in evaluations}
        votes = pd.DataFrame(flags, index=index)
        views = votes.notna().sum(axis=1)
        absorption = evaluations.get("absorption")
        holds = {
            "too few views": views < self.min_views,
            **{
                name: _on(evaluations[name].flag if name in evaluations else None, index)
                for name in ("forced_selling", "opportunity", "absorption")
            },
            "half of the votes": votes.fillna(False).sum(axis=1) * 2 >= views,
            "injecting": _on(absorption.injecting if absorption else None, index),
        }
        conditions = [condition.to_numpy(dtype=bool) for condition in holds.values()]
        named = np.select(conditions, [np.array(name, dtype=object) for name in holds], "none")
        return pd.Series(named, index=index, dtype=object, name="rule")


def _on(flag: pd.Series | None, index: pd.Index) -> pd.Series:
    """Return True where a flag is on; all False when the flag is None."""
    if flag is None:
        return pd.Series(False, index=index)
    return flag.fillna(False).astype(bool)
