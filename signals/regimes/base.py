"""The base class of regime models, and the rule that confirms a change of regime."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

import numpy as np
import pandas as pd

from signals.base import Evaluation
from signals.params import Typed

#: Number of consecutive sessions for which a rule must give a regime before the regime changes.
CONFIRM_REGIME = 10
CONFIRM_FORCED = 2


class Regime(StrEnum):
    """State of the supply of capital, such as INJECTION (ample) or ABSORPTION (scarce)."""

    INJECTION = "INJECTION"
    NEUTRAL = "NEUTRAL"
    ABSORPTION = "ABSORPTION"
    FORCED_SELLING = "FORCED_SELLING"
    OPPORTUNITY = "OPPORTUNITY"


@dataclass(frozen=True, kw_only=True)
class Classification:
    """For each session, the regime and the rule that decided the regime.

    Attributes
    ----------
    model
        The regime model.
    regime
        Name of a :class:`Regime`; None if the session has no regime.
    rule
        The model's first rule whose condition is true at the session. If ``rule`` gives a new
        regime, ``regime`` is still the previous regime until the new regime is confirmed.
    decided_by
        The rule that decided the session's regime: the newest rule so far that gives this regime.
        None if the session has no regime.
    """

    model: "RegimeModel"
    regime: pd.Series
    rule: pd.Series
    decided_by: pd.Series


@dataclass(frozen=True, kw_only=True)
class RegimeModel(Typed, ABC):
    """Base class of models that assign one regime to each session.

    Attributes
    ----------
    name, description
        Name of the model in the registry, and a one-line description.
    rules
        Mapping from the name of each rule to the regime that the rule gives.
    price_only
        Whether the model reads only prices and yields, and no signal.
    """

    name: ClassVar[str]
    description: ClassVar[str]
    rules: ClassVar[Mapping[str, str | None]]
    price_only: ClassVar[bool] = False

    @property
    def inputs(self) -> tuple[str, ...]:
        """Ids of the series that the model reads in addition to its signals."""
        return ()

    @property
    def rests_on(self) -> tuple[str, ...]:
        """Names of the signals that the model uses."""
        return ()

    @abstractmethod
    def classify(
        self, panel: pd.DataFrame, evaluations: Mapping[str, Evaluation]
    ) -> Classification:
        """Return the regime of each session. A row never depends on a later row.

        ``panel`` is a point-in-time table of sessions × series ids. ``evaluations`` contains the
        evaluation of each signal on that panel, by name. Raise ConfigError when ``evaluations``
        lacks a signal that the model needs, and MissingSeries when the panel lacks a column.
        """


def first_rule(holds: Mapping[str, pd.Series], index: pd.Index) -> pd.Series:
    """Return the name of the first rule that is true at each session, or ``none``.

    ``holds`` maps each rule, in order, to a boolean series. The series is True at each session at
    which the rule is true. NA in ``holds`` counts as False.
    """
    conditions = [rule.fillna(False).to_numpy(dtype=bool) for rule in holds.values()]
    names = [np.array(name, dtype=object) for name in holds]
    return pd.Series(np.select(conditions, names, "none"), index=index, dtype=object, name="rule")


def at_once(model: "RegimeModel", rule: pd.Series) -> Classification:
    """Return a classification whose regime changes at once, without confirmation.

    Each session has the regime that ``rule`` gives at this session. Compare :func:`settle`.
    """
    regime = regime_of_rule(rule, model.rules)
    return Classification(
        model=model, regime=regime, rule=rule, decided_by=rule.where(regime.notna())
    )


def regime_of_rule(rule: pd.Series, rules: Mapping[str, str | None]) -> pd.Series:
    """Return the regime that each session's rule gives, before confirmation."""
    return pd.Series([rules[name] for name in rule], index=rule.index, dtype=object, name="regime")


def rule_in_force(regime: pd.Series, rule: pd.Series, rules: Mapping[str, str | None]) -> pd.Series:
    """Return the rule that decided each session's regime.

    ``regime`` is the confirmed regime of each session. ``rule`` is the first true rule of each
    session. ``rules`` maps each rule to its regime. The rule that decided is the newest rule, up to
    the session, that gives the confirmed regime. The result is None if the session has no regime.
    """
    same = regime.fillna("") == regime_of_rule(rule, rules).fillna("")
    return rule.where(same).ffill().where(regime.notna()).rename("decided_by")


def sessions_to_confirm(name: str | None, confirm: int) -> int:
    """Return the number of consecutive sessions that a new regime needs for confirmation."""
    return CONFIRM_FORCED if name == Regime.FORCED_SELLING else confirm


def settle(raw: pd.Series, confirm: int = CONFIRM_REGIME) -> pd.Series:
    """Return the confirmed regime of each session.

    A new regime in ``raw`` is confirmed at the last of ``confirm`` consecutive sessions with the
    new regime. A change to FORCED_SELLING needs only 2 consecutive sessions. Until a new regime is
    confirmed, the previous regime stays. The first regime of a history also needs confirmation. If
    ``raw`` is missing at a session, that session has no regime. After a session without a regime,
    every regime needs confirmation again.
    """
    code, names = pd.factorize(raw)  # a session without a regime has the code −1
    at = np.arange(len(raw))
    begins = np.append(True, code[1:] != code[:-1])[: len(raw)]
    run = at - np.maximum.accumulate(np.where(begins, at, 0)) + 1
    needed = np.array([*(sessions_to_confirm(name, confirm) for name in names), 1])
    since = np.maximum.accumulate(np.where(run >= needed[code], at, -1))
    out = np.array([*raw, None], dtype=object)[since]  # position −1 is the last value, None
    return pd.Series(out, index=raw.index, dtype=object, name="regime")
