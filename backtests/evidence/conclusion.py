"""The main conclusions about the return, the skill and the timing of a run.

Other modules describe the tests. This module says which tests the run passes.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import pandas as pd

from backtests.evidence.bootstrap import Interval, compare_returns
from backtests.evidence.entries import SIGNIFICANT
from backtests.evidence.lead_lag import LeadLag
from backtests.evidence.luck import Luck
from backtests.evidence.metrics import is_short


@dataclass(frozen=True, kw_only=True)
class Conclusion:
    """The main tests of a run. An attribute is None if its test was not made.

    Attributes
    ----------
    difference
        The run's mean return minus the benchmark's mean return, with a 95 % interval, as fractions
        per year. A mean return is 252 times the mean daily return. None if the returns cover less
        than a year.
    sharpe_significant
        Whether the Sharpe ratio reaches the hurdle of :mod:`backtests.evidence.luck`.
    timing_p
        One-sided p-value of the information ratio, computed from the ratio's standard error. The
        information ratio compares the run with its own mean weights. None if the run has no timing,
        or if the information ratio was not computed.
    few
        True if the run has too few episodes for a conclusion about its timing.
    """

    difference: Interval | None
    sharpe_significant: bool | None
    timing_p: float | None
    few: bool

    @property
    def timing_significant(self) -> bool | None:
        """Whether the timing is significantly better than luck; None if there is no p-value."""
        return None if self.timing_p is None else self.timing_p <= SIGNIFICANT


def conclude(
    returns: pd.DataFrame, luck: Luck, lead_lag: LeadLag | None, *, few: bool
) -> Conclusion:
    """Return the main conclusions from a run.

    ``returns`` holds simple daily returns as fractions, in the columns ``strategy``, ``benchmark``
    and ``bills``. ``luck`` and ``lead_lag`` are test results of the same run. ``few`` becomes
    :attr:`Conclusion.few`.
    """
    return Conclusion(
        difference=_difference(returns),
        sharpe_significant=luck.is_significant if math.isfinite(luck.hurdle) else None,
        timing_p=None if lead_lag is None else _p_value(lead_lag),
        few=few,
    )


def _difference(returns: pd.DataFrame) -> Interval | None:
    own, other = returns["strategy"], returns["benchmark"]
    if is_short(own):
        return None
    found = compare_returns(own, returns["bills"], {"benchmark": other})
    return found["excess_benchmark"]


def _p_value(found: LeadLag) -> float | None:
    """Return the probability that a strategy without timing reaches the run's information ratio."""
    ratio = found.ratios.get(found.lag, float("nan"))
    return NormalDist().cdf(-ratio / found.error) if math.isfinite(ratio) else None
