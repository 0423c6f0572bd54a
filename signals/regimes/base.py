"""The contract of a regime model, and the confirmation that a change of regime needs."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

import pandas as pd

from signals.base import Evaluation
from signals.params import Typed

#: Sessions in a row before a change of regime counts; forced selling does not wait that long.
CONFIRM_REGIME = 10
CONFIRM_FORCED = 2


class Regime(StrEnum):
    """What the world looks like, in the thesis's words."""

    INJECTION = "INJECTION"
    NEUTRAL = "NEUTRAL"
    ABSORPTION = "ABSORPTION"
    FORCED_SELLING = "FORCED_SELLING"
    OPPORTUNITY = "OPPORTUNITY"


@dataclass(frozen=True, kw_only=True)
class Classification:
    """The regime of each session, and which rule decided it; one row a session.

    Attributes
    ----------
    regime
        Name of a :class:`Regime`; None where there is none.
    rule
        The rule that holds at the session. While a change is being confirmed it speaks for
        another regime than the one in force.
    decided_by
        The rule behind the regime in force: the last one that spoke for it. None without a regime.
    """

    regime: pd.Series
    rule: pd.Series
    decided_by: pd.Series


@dataclass(frozen=True, kw_only=True)
class RegimeModel(Typed, ABC):
    """How evaluations, or prices alone, become one regime.

    Subclasses are frozen, keyword-only dataclasses; their fields are their parameters.

    Attributes
    ----------
    name, summary
        Its name in the registry, and one line on it.
    rules
        By the name of each rule, the regime that it speaks for.
    price_only
        Whether it knows prices and yields alone, no signal.
    confirmed
        Whether a change of regime waits to be confirmed, see :func:`settle`.
    """

    name: ClassVar[str]
    description: ClassVar[str]
    rules: ClassVar[Mapping[str, str | None]]
    price_only: ClassVar[bool] = False
    confirmed: ClassVar[bool] = False

    @property
    def inputs(self) -> tuple[str, ...]:
        """Catalog ids that it reads itself."""
        return ()

    @property
    def rests_on(self) -> tuple[str, ...]:
        """Names of the signals that it takes into account."""
        return ()

    @abstractmethod
    def classify(
        self, panel: pd.DataFrame, evaluations: Mapping[str, Evaluation]
    ) -> Classification:
        """Return the regime of each session; no row depends on a later one.

        Parameters
        ----------
        panel
            Point-in-time panel, sessions × catalog ids.
        evaluations
            Of the signals on that panel, by name.

        Raises
        ------
        ConfigError
            When a signal that it rests on is missing.
        MissingSeries
            When the panel lacks a column that it reads.
        """


def at_once(rule: pd.Series, rules: Mapping[str, str | None]) -> Classification:
    """Return the classification of a model whose rules need no confirmation."""
    regime = spoken_for(rule, rules)
    return Classification(regime=regime, rule=rule, decided_by=rule.where(regime.notna()))


def spoken_for(rule: pd.Series, rules: Mapping[str, str | None]) -> pd.Series:
    """Return the regime that each session's rule speaks for, before confirmation."""
    return pd.Series([rules[name] for name in rule], index=rule.index, dtype=object, name="regime")


def decided_by(regime: pd.Series, rule: pd.Series, rules: Mapping[str, str | None]) -> pd.Series:
    """Return the rule behind the regime in force: the last that spoke for it.

    Parameters
    ----------
    regime
        Of each session, confirmed.
    rule
        The rule that holds at each session.
    rules
        By the name of each rule, the regime that it speaks for.

    Returns
    -------
    Names of rules; None without a regime. No row depends on a later one.
    """
    in_force = regime.fillna("") == spoken_for(rule, rules).fillna("")
    return rule.where(in_force).ffill().where(regime.notna()).rename("decided_by")


def sessions_to_confirm(name: str | None, confirm: int = CONFIRM_REGIME) -> int:
    """Return how many sessions in a row a regime must be spoken for before it is in force."""
    return CONFIRM_FORCED if name == Regime.FORCED_SELLING else confirm


def settle(raw: pd.Series, confirm: int = CONFIRM_REGIME) -> pd.Series:
    """Return a regime that changes only once the new one has stood ``confirm`` sessions in a row.

    The first regime is confirmed like any other. Where there is no view there is at once no
    regime, and what stood before is forgotten. FORCED_SELLING is confirmed in 2 sessions.
    """
    current: str | None = None
    candidate, run = None, 0
    out: list[str | None] = []
    for name in raw:
        run = run + 1 if name == candidate else 1
        candidate = name
        if name is None:
            current = None
        elif run >= sessions_to_confirm(name, confirm):
            current = name
        out.append(current)
    return pd.Series(out, index=raw.index, dtype=object, name="regime")
