"""Regimes that a user gives as labels. Each label applies from its date on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import ClassVar

import pandas as pd

from signals.base import Evaluation
from signals.errors import ConfigError, unknown
from signals.regimes.base import Classification, Regime, RegimeModel, at_once


@dataclass(frozen=True, kw_only=True)
class Labels(RegimeModel):
    """Regime from a user's dated labels: each session has the newest label up to its date.

    A label is first used at the New York close of the first session on or after its date. A label
    needs no confirmation, because the label was known on its date. Sessions before the first date
    have no regime.

    Parameters
    ----------
    dated
        Pairs of a date and the name of a :class:`Regime`, in ascending order of dates.
    """

    name: ClassVar[str] = "labels"
    description: ClassVar[str] = "your own labels, from a CSV file of dates and labels"
    rules: ClassVar[Mapping[str, str | None]] = {
        "before the first label": None,
        **{regime.value: regime.value for regime in Regime},
    }

    dated: tuple[tuple[date, str], ...]

    def __post_init__(self) -> None:
        """Raise ConfigError for missing or unknown labels, and for repeated or unordered dates."""
        super().__post_init__()
        if not self.dated:
            raise ConfigError(
                "expected at least one date with a label, found none; add a date and a label"
            )
        for day, label in self.dated:
            if isinstance(day, datetime):
                raise ConfigError(f"expected a date without a time of day, was {day}; use .date()")
            if label not in list(Regime):
                raise ConfigError(unknown("label", label, list(Regime)))
        for (earlier, _), (later, _) in pairwise(self.dated):
            if not earlier < later:
                raise ConfigError(
                    f"expected each date once and in ascending order, but {later} follows "
                    f"{earlier}; sort the rows and drop duplicates"
                )

    def classify(
        self, panel: pd.DataFrame, evaluations: Mapping[str, Evaluation]
    ) -> Classification:
        """Return the newest label at each session."""
        given = pd.Series({pd.Timestamp(day): label for day, label in self.dated}, dtype=object)
        label = given.reindex(panel.index, method="ffill").astype(object)
        rule = label.where(label.notna(), "before the first label").rename("rule")
        return at_once(self, rule)
