"""The form of a claim: its fields, the estimators and their units, and the rules of a declaration.

The condition of a claim is a signal. The claim applies while the flag of this signal is on. If the
flag depended on past returns, the test of a claim about returns would not be fair. So the flag of a
tested claim must belong to one of :data:`QUANTITY_FLAGS`. The flags of :data:`QUANTITY_FLAGS` use
quantities and overnight rates, but no asset prices. The claim of link L14 is an exception: its flag
is computed from prices. To test the claim of link L14, the trial resamples prices and computes the
flag again.
"""

import math
from dataclasses import dataclass
from datetime import date
from typing import Literal

from backtests.thesis.links import LINKS
from signals.errors import ConfigError, unknown
from signals.params import Typed
from signals.registry import SIGNALS

EstimatorName = Literal[
    "status",
    "mean",
    "difference_of_means",
    "rank_order",
    "local_projection",
    "event_response",
    "nested_forecast",
    "lead_and_lag",
    "cascade_order",
    "follow_through",
    "after_flag",
    "kink",
    "instrumented",
    "average_response",
]

#: Signals whose flags are computed without prices or returns of assets. ``funding`` uses only
#: overnight rates and the rate that the Fed pays on reserves.
QUANTITY_FLAGS = ("dry_powder", "funding", "capex", "outside_capital", "absorption", "bathtub")
#: Estimators that need a condition. With the estimator ``mean``, a claim about assets needs a
#: condition, and a claim about a strategy has no condition. All other estimators take no condition.
NEEDS_CONDITION = ("status", "difference_of_means", "rank_order", "follow_through", "after_flag")
#: Units of the estimators. An estimator is left out if it has no unit, or if its unit differs from
#: claim to claim.
UNITS: dict[str, str] = {
    "rank_order": "tau",
    "cascade_order": "tau",
    "local_projection": "percentage points in 13 weeks",
    "nested_forecast": "percent of the squared error",
    "lead_and_lag": "correlation",
    "follow_through": "percentage points",
    "after_flag": "percentage points in 126 sessions",
    "kink": "percentage points per unit of u",
    "instrumented": "percentage points in 6 sessions",
    "average_response": "percentage points in 6 sessions",
}


@dataclass(frozen=True, kw_only=True)
class Claim(Typed):
    """One claim, a sentence that data can support or refute.

    Attributes
    ----------
    name
        Name of the claim in commands and files.
    link
        Label of the claim's link, from L1 to L15. A link is a step of the thesis.
    statement
        The claim in one sentence.
    estimand
        A description, in words, of the number that the trial estimates. For the estimator
        ``status``, the estimand describes a flag.
    unit
        Unit of the estimand and of ``smallest``; empty for the estimator ``status``.
    condition
        Name of a signal: the claim applies while the signal's flag is on. None if the claim applies
        at every session, or if ``estimand`` says when the claim applies. A return is used if the
        flag was on at the close :data:`backtests.thesis.sample.LAG` sessions before the return
        begins.
    estimator
        How the number is estimated. ``status`` estimates no number and gives no p-value. ``status``
        reports whether the flag is on, and the periods in which the flag was on. ``mean`` is the
        mean over the sessions with the flag on. If the claim has no condition, ``mean`` is the mean
        over all sessions. ``difference_of_means`` is the mean with the flag on minus the mean with
        the flag off.
    direction
        ``above`` if the claim says that the estimand is above zero; ``below`` if the claim says
        that the estimand is below zero.
    smallest
        Smallest interesting effect, a positive finite number in ``unit``; None for the estimator
        ``status``.
    argument
        Why a smaller effect does not matter.
    refuted_by
        The result that speaks against the claim.
    declared
        Date of the declaration.
    after_verdicts
        True if the verdicts on earlier claims were known when this claim was declared. If True, the
        claim is never primary.
    primary
        Whether the claim is one of the three claims that decide the verdict on the thesis. Holm's
        method adjusts the p-values of primary claims. The p-values of all other claims are adjusted
        for the false discovery rate.

    Raises
    ------
    ConfigError
        Raised if the name, the statement, the estimand or ``refuted_by`` is empty, if the link is
        unknown, or if the fields contradict one another.
    """

    name: str
    link: str
    statement: str
    estimand: str
    unit: str = ""
    condition: str | None = None
    estimator: EstimatorName
    direction: Literal["above", "below"] = "above"
    smallest: float | None = None
    argument: str = ""
    refuted_by: str
    declared: date
    after_verdicts: bool = False
    primary: bool = False

    def __post_init__(self) -> None:
        """Raise ConfigError if a field is empty, or if the fields contradict one another."""
        super().__post_init__()
        for field in ("name", "statement", "estimand", "refuted_by"):
            if not getattr(self, field).strip():
                raise ConfigError(
                    f"{self.name or 'claim'}: expected `{field}` as text, was empty; state it"
                )
        if self.link not in LINKS:
            raise ConfigError(unknown(f"link of {self.name}:", self.link, LINKS))
        if self.condition is not None and self.condition not in SIGNALS:
            raise ConfigError(unknown(f"condition of {self.name}:", self.condition, SIGNALS))
        if self.after_verdicts and self.primary:
            raise ConfigError(
                f"{self.name}: expected `primary` to be false if `after_verdicts` is true, but "
                "both are true; set one of them to false"
            )
        if self.is_status:
            if self.smallest is not None or self.primary or self.condition is None:
                raise ConfigError(
                    f"{self.name}: for the estimator `status`, expected `condition` to name a "
                    "signal, `smallest` to be None and `primary` to be false; correct these "
                    "fields, or choose another estimator"
                )
            return
        if not (self.smallest and 0 < self.smallest < math.inf and self.unit and self.argument):
            raise ConfigError(
                f"{self.name}: expected `smallest` above zero and finite, a `unit` and an "
                f"`argument`, were {self.smallest}, {self.unit!r} and {self.argument!r}; state all "
                "three"
            )
        self._check_estimator()
        if self.condition not in (None, *QUANTITY_FLAGS) and self.estimator != "after_flag":
            raise ConfigError(
                f"{self.name}: expected `condition` to be one of {', '.join(QUANTITY_FLAGS)}, was "
                f"{self.condition}, whose flag depends on prices or yields; choose one of the "
                "expected signals"
            )

    def _check_estimator(self) -> None:
        """Raise ConfigError if the estimator does not fit the condition or the unit."""
        needed = self.estimator in NEEDS_CONDITION
        if needed and self.condition is None:
            raise ConfigError(
                f"{self.name}: for the estimator {self.estimator}, expected `condition` to name a "
                "signal, was None; name a signal, such as absorption"
            )
        if self.condition is not None and not needed and self.estimator != "mean":
            raise ConfigError(
                f"{self.name}: the estimator {self.estimator} takes no condition, but `condition` "
                f"is {self.condition}; set `condition` to None, and state in `estimand` when the "
                "claim applies"
            )
        if self.unit != UNITS.get(self.estimator, self.unit):
            raise ConfigError(
                f"{self.name}: for the estimator {self.estimator}, expected the unit "
                f"{UNITS[self.estimator]!r}, was {self.unit!r}; correct the unit and `smallest`"
            )

    @property
    def is_status(self) -> bool:
        """True if the claim says only that a flag is on; a claim of this kind has no p-value."""
        return self.estimator == "status"

    @property
    def sign(self) -> int:
        """1 if the claim says that the estimand is above zero; −1 if the claim says below zero."""
        return 1 if self.direction == "above" else -1
