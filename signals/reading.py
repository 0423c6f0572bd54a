"""The reading that a strategy receives: the regime and the evaluations of the signals."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import pandas as pd

from signals.base import Evaluation, Pick
from signals.regimes.base import Classification, RegimeModel
from signals.stays import stays
from signals.summary import Summarised, Summary, described


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Reading(Summarised):
    """Regime and evaluations, as known at each session's close, one row for each session.

    Attributes
    ----------
    model
        The regime model.
    regime
        Name of a :class:`signals.regimes.Regime`; None if the session has no regime.
    rule, decided_by
        ``rule`` is the regime model's first rule whose condition is true at the session.
        ``decided_by`` is the rule that decided the current regime. See
        :class:`signals.regimes.Classification`.
    evaluations
        The evaluation of each signal, by name.
    voters
        Names of the signals that vote.
    """

    model: RegimeModel
    regime: pd.Series
    rule: pd.Series
    decided_by: pd.Series
    evaluations: Mapping[str, Evaluation]
    voters: tuple[str, ...]

    @property
    def flags(self) -> pd.DataFrame:
        """Flags, one ``boolean`` column for each signal; NA where a signal lacks data."""
        return self._flags.copy(deep=False)

    @property
    def scores(self) -> pd.DataFrame:
        """Scores in standard deviations, one column for each signal; NaN if a score is unknown."""
        return self._scores.copy(deep=False)

    @property
    def votes(self) -> pd.DataFrame:
        """Flags of the signals that vote; this property does not evaluate the other signals."""
        return self._votes.copy(deep=False)

    @cached_property
    def _flags(self) -> pd.DataFrame:
        return self._table("flag", self.evaluations)

    @cached_property
    def _scores(self) -> pd.DataFrame:
        return self._table("score", self.evaluations)

    @cached_property
    def _votes(self) -> pd.DataFrame:
        return self._table("flag", [name for name in self.voters if name in self.evaluations])

    def _table(self, part: str, names: Iterable[str]) -> pd.DataFrame:
        columns = {name: getattr(self.evaluations[name], part) for name in names}
        return pd.DataFrame(columns, index=self.regime.index)

    def rows(self, pick: Pick) -> "Reading":
        """Return the reading with only the rows that ``pick`` chooses."""
        return replace(
            self,
            regime=pick(self.regime),
            rule=pick(self.rule),
            decided_by=pick(self.decided_by),
            evaluations={name: e.rows(pick) for name, e in self.evaluations.items()},
        )

    def since(self, at: pd.Timestamp) -> "Reading":
        """Return a reading that begins at the session ``at``."""
        return self.rows(lambda part: part.loc[at:])

    def under(self, classification: Classification) -> "Reading":
        """Return a copy of the reading with the regimes of another regime model.

        The evaluations of the signals stay the same.
        """
        return replace(self, **vars(classification))

    def _summary(self) -> Summary:
        """Return the regime, its rule and the votes at the last session.

        Signals that do not vote are not evaluated.
        """
        title = f"Reading of {len(self.evaluations)} signals: {described(self.regime.index)}"
        if self.regime.empty:
            return Summary(title=title, facts={})
        now, votes = self.regime.fillna("none"), self.votes.iloc[-1]
        _, first, _ = stays(now)[-1]
        on = [str(name) for name in votes.index[votes.fillna(False).astype(bool)]]
        return Summary(
            title=title,
            facts={
                "regime": f"{now.iloc[-1]} since {now.index[first].date()}",
                "rule": str(self.decided_by.fillna("none").iloc[-1]),
                "votes": f"flags on: {len(on)}; flags known: {votes.notna().sum()} of {len(votes)}",
                "votes on": ", ".join(on) or "none",
            },
        )
