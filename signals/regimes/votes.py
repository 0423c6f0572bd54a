"""Default regime model: flags of three signals have priority over the votes of other signals."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from signals.base import Evaluation
from signals.regimes.base import (
    CONFIRM_REGIME,
    Classification,
    Regime,
    RegimeModel,
    first_rule,
    regime_of_rule,
    rule_in_force,
    settle,
)


@dataclass(frozen=True, kw_only=True)
class Votes(RegimeModel):
    """Regime from three flags and the votes of the signals; the flags have priority over votes.

    The rules below are checked in order, and the first true rule decides. A vote is the flag of a
    signal in ``voters``. A session has no regime if fewer than ``min_views`` votes are known. The
    regime is FORCED_SELLING if the flag ``forced_selling`` is on, and OPPORTUNITY if the flag
    ``opportunity`` is on. The regime is ABSORPTION if the flag ``absorption`` is on, or if at least
    half of the known votes are on. The regime is INJECTION if the flag ``injecting`` of
    ``absorption`` is on. If no other rule is true, the regime is NEUTRAL.

    Parameters
    ----------
    voters
        Names of the signals that vote.
    min_views
        A session has a regime only if at least this number of votes is known.
    confirm
        Number of consecutive sessions with a new regime before the regime changes; FORCED_SELLING
        needs 2.
    """

    name: ClassVar[str] = "votes"
    description: ClassVar[str] = "three flags first, then the votes of the signals"
    must_be_positive: ClassVar[tuple[str, ...]] = ("min_views", "confirm")
    #: The regime of each rule, in order. The first true rule decides.
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
        """Names of the voters, and of the three signals whose flags have priority over votes."""
        return tuple(dict.fromkeys((*self.voters, "absorption", "forced_selling", "opportunity")))

    def classify(
        self, panel: pd.DataFrame, evaluations: Mapping[str, Evaluation]
    ) -> Classification:
        """Return the regime of each session; None if too few votes are known."""
        rule = first_rule(self._holds(panel.index, evaluations), panel.index)
        regime = settle(regime_of_rule(rule, self.rules), self.confirm)
        return Classification(
            model=self, regime=regime, rule=rule, decided_by=rule_in_force(regime, rule, self.rules)
        )

    def _holds(
        self, index: pd.Index, evaluations: Mapping[str, Evaluation]
    ) -> dict[str, pd.Series]:
        """Return a boolean series for each rule, in order; True where the rule is true."""
        flags = {name: evaluations[name].flag for name in self.voters if name in evaluations}
        votes = pd.DataFrame(flags, index=index)
        views = votes.notna().sum(axis=1)
        never = pd.Series(False, index=index)
        absorption = evaluations.get("absorption")
        injecting = absorption.injecting if absorption else None
        return {
            "too few views": views < self.min_views,
            **{
                name: evaluations[name].flag if name in evaluations else never
                for name in ("forced_selling", "opportunity", "absorption")
            },
            "half of the votes": votes.fillna(False).sum(axis=1) * 2 >= views,
            "injecting": never if injecting is None else injecting,
        }
