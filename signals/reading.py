"""What strategies see of the signals."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from signals.base import Evaluation, Pick
from signals.regimes.base import Classification


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What was known at each session's close, one row a session.

    Attributes
    ----------
    regime
        Name of a :class:`signals.regimes.Regime`, or None where there is none.
    rule, decided_by
        Which rule holds, and which one decided the regime in force; see
        :class:`signals.regimes.Classification`.
    evaluations
        What each signal says, by name.
    voters
        Names of the signals that vote.
    """

    regime: pd.Series
    rule: pd.Series
    decided_by: pd.Series
    evaluations: Mapping[str, Evaluation]
    voters: tuple[str, ...]

    @cached_property
    def flags(self) -> pd.DataFrame:
        """One column a signal, ``boolean``: True speaks for scarce capital, NA is no view."""
        return self._table("flag")

    @cached_property
    def scores(self) -> pd.DataFrame:
        """One column a signal, standard deviations of its own past; NaN is no view."""
        return self._table("score")

    @cached_property
    def votes(self) -> pd.DataFrame:
        """The columns of :attr:`flags` that vote."""
        return self.flags[[name for name in self.voters if name in self.evaluations]]

    def _table(self, part: str) -> pd.DataFrame:
        columns = {name: getattr(e, part) for name, e in self.evaluations.items()}
        return pd.DataFrame(columns, index=self.regime.index)

    def rows(self, pick: Pick) -> "Reading":
        """Return the reading with some of its rows, picked from each part alike."""
        return Reading(
            regime=pick(self.regime),
            rule=pick(self.rule),
            decided_by=pick(self.decided_by),
            evaluations={name: e.rows(pick) for name, e in self.evaluations.items()},
            voters=self.voters,
        )

    def since(self, at: pd.Timestamp) -> "Reading":
        """Return the reading from a session on."""
        return self.rows(lambda part: part.loc[at:])

    def under(self, classification: Classification) -> "Reading":
        """Return the reading with the regime of another model."""
        return Reading(**vars(classification), evaluations=self.evaluations, voters=self.voters)
