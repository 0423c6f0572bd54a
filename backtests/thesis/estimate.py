"""The result of an estimator for one claim."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from signals.summary import Summarised, Summary, amount


@dataclass(frozen=True, kw_only=True)
class Interval:
    """Bounds of a 95 % and of a 90 % interval, in the unit of the claim."""

    low: float
    high: float
    low90: float
    high90: float


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Estimate(Summarised):
    """An estimate for a claim, with its interval and its tests.

    Attributes
    ----------
    value
        The estimate, in the unit of the claim.
    interval
        The interval on which the verdict depends, in the unit of the claim.
    tests
        Mapping from the name of a test to its one-sided p-value. The verdict depends on all tests
        in ``tests``. The null hypothesis is that the claim is false: the estimated number is zero,
        or has the opposite sign.
    error, df
        ``error`` is the standard error, in the unit of the claim. ``df`` is the number of degrees
        of freedom of the t distribution; infinite for a normal distribution. The power of the test
        follows from ``error`` and ``df``, see :mod:`backtests.thesis.power`.
    observations
        Number of observations. ``counted`` is the kind of observation, for example sessions, weeks,
        filings or breakouts.
    episodes
        Number of separate episodes in which the claim applied; None if the estimator of the claim
        does not count episodes. For most claims, an episode is a period in which the claim's flag
        is on. For a claim about a strategy, an episode is a period in which the strategy is in an
        active state. For a claim about AI capex, an episode is a period in which idle capital is
        depleted. If the claim is about ample idle capital only, an episode is a period in which
        idle capital is ample. For the claim about convexity, an episode is a period in which the
        absorbed share u is above one half. For the claim about the order in which asset classes
        fall, each listed period of market stress is an episode. For the claim about returns after a
        flag turns on, an episode is a group of entries, see
        :attr:`backtests.thesis.estimators.after_flag.Entries.episodes`.
    method
        A few sentences about the computation of the interval and the tests, with the reference.
    beside
        Mapping from a name to a further interval, in the unit of the claim. A further interval is
        computed by another method, for another asset, or without one event. The verdict depends on
        ``interval``, but not on the intervals in ``beside``.
    tests_beside
        One-sided p-values of tests on which the verdict does not depend.
    shown
        Numbers for the chart of the claim, for example sessions × columns or classes × columns.
    notes
        Further facts that a reader needs. Each note has one or two sentences.
    """

    value: float
    interval: Interval
    tests: Mapping[str, float]
    error: float
    df: float
    observations: int
    counted: str
    episodes: int | None
    start: pd.Timestamp
    end: pd.Timestamp
    method: str
    beside: Mapping[str, Interval] = field(default_factory=dict)
    tests_beside: Mapping[str, float] = field(default_factory=dict)
    shown: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()

    @property
    def p_value(self) -> float:
        """The largest p-value in ``tests``: a claim must pass all tests. NaN counts as 1."""
        return max(1.0 if math.isnan(p) else p for p in self.tests.values())

    def said(self) -> str:
        """Return the estimate with its 95 % interval as text, without the unit of the claim."""
        low, high = amount(self.interval.low), amount(self.interval.high)
        return f"{amount(self.value)} [{low}, {high}]"

    def _summary(self) -> Summary:
        facts = {
            "value": f"{self.said()}, in the unit of the claim",
            "p-value": f"{self.p_value:.3f}, one-sided, not adjusted",
            self.counted: f"{self.observations:,}, {self.start.date()} to {self.end.date()}",
        }
        if self.episodes is not None:
            facts["episodes"] = f"{self.episodes:,}"
        return Summary(title="Estimate with its 95 % interval", facts=facts)
