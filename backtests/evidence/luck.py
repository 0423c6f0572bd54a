"""Tests whether luck can explain a strategy's Sharpe ratio, given the number of trials.

A trial is a backtest of a strategy with one combination of parameters. The hurdle is a Sharpe ratio
that the best of all known trials rarely reaches by luck. Known trials are the strategies that one
command tests together, and the trials of earlier parameter sweeps. Unknown trials, such as dropped
ideas, are not counted. If unknown trials were counted, the hurdle would be higher.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.evidence.deflation import Deflation, deflate, finite
from backtests.evidence.entries import SIGNIFICANT
from backtests.evidence.metrics import FULL_YEAR, ROOT_YEAR
from backtests.evidence.sharpe_difference import SharpeDifference, sharpe_difference
from backtests.evidence.track_record import TrackRecord
from backtests.plural import number_of
from signals.summary import Summarised, Summary, amount

#: Assumed yearly Sharpe ratio of a strategy with skill, for power and false discoveries. The stock
#: market had about this Sharpe ratio over a century.
SKILLED = 0.5
#: Assumed share of skilled strategies among all tried strategies. The value, one in ten, is a
#: choice of this project.
PRIOR = 0.1


@dataclass(frozen=True, kw_only=True)
class Logged:
    """The trials in a log of earlier parameter sweeps.

    Attributes
    ----------
    sharpes
        The yearly Sharpe ratio of each trial. Values that are not finite are ignored.
    effective
        Effective number of independent trials among the logged trials. The effective number cannot
        be estimated from the log, because the log has no returns. Each sweep therefore logs its
        effective number of trials.
    includes_own
        True if ``effective`` already counts the trials of the current command.
    """

    sharpes: np.ndarray
    effective: float
    includes_own: bool = False


#: A log without trials. Simulated histories and stores without a parameter sweep have this log.
NO_LOG = Logged(sharpes=np.empty(0), effective=0.0)


@dataclass(frozen=True, kw_only=True, repr=False)
class Luck(Summarised):
    """Tests whether luck can explain one strategy's Sharpe ratio. Undefined values are NaN.

    Attributes
    ----------
    track
        The track record of returns minus bills. If the returns cover less than a year, the moments
        of the track record are NaN.
    deflation
        The test against the best of all known trials.
    logged_trials
        Number of trials with a Sharpe ratio in the log of earlier sweeps.
    probability
        Probabilistic Sharpe ratio: 1 − p of the test "the true Sharpe ratio is at most 0". The
        probabilistic Sharpe ratio ignores other trials.
    minimum_length
        Smallest number of sessions for which the test of ``probability`` finds the estimated Sharpe
        ratio significant at the 5 % level. NaN if the Sharpe ratio is 0 or negative.
    power
        Probability that the test of ``probability`` detects skill if the true yearly Sharpe ratio
        is 0.5.
    planned_false, observed_false
        ``planned_false`` is the fraction of false discoveries among strategies that pass the test.
        ``observed_false`` is the fraction of false discoveries among strategies whose Sharpe ratio
        is at least the estimated Sharpe ratio. ``planned_false`` and ``observed_false`` assume that
        one in ten tried strategies has a yearly Sharpe ratio of 0.5.
    difference
        The test of the strategy's Sharpe ratio against the Sharpe ratio of a constant mix. The
        constant mix holds SPY and bills, and has the strategy's mean net exposure. None if no mix
        was given, if the returns cover less than a year, or if the test is undefined.
    """

    track: TrackRecord
    deflation: Deflation
    logged_trials: int
    probability: float
    minimum_length: float
    power: float
    planned_false: float
    observed_false: float
    difference: SharpeDifference | None

    @property
    def sharpe(self) -> float:
        """The yearly Sharpe ratio over bills."""
        return self.track.sharpe * ROOT_YEAR

    @property
    def error(self) -> float:
        """The standard error of the yearly Sharpe ratio."""
        return self.track.standard_error() * ROOT_YEAR

    @property
    def hurdle(self) -> float:
        """Smallest yearly Sharpe ratio that is significant at the 5 % level, given all trials."""
        return self.deflation.hurdle * ROOT_YEAR

    @property
    def expected_maximum(self) -> float:
        """The expected best yearly Sharpe ratio among all trials if no trial has skill."""
        return self.deflation.expected_maximum * ROOT_YEAR

    @property
    def is_significant(self) -> bool:
        """Whether the Sharpe ratio reaches the hurdle."""
        return self.deflation.is_significant

    def _summary(self) -> Summary:
        reached = "reached" if self.is_significant else "not reached"
        counted = number_of(self.deflation.trials, "trial")
        return Summary(
            title="Tests whether luck can explain a yearly Sharpe ratio",
            facts={
                "Sharpe": f"{amount(self.sharpe)}, standard error {amount(self.error)}",
                "hurdle": f"{amount(self.hurdle)} with {counted}; {reached}",
                "power": f"{amount(100 * self.power, '%')} if the true ratio is {SKILLED}",
            },
        )


def luck(
    excess: pd.Series | np.ndarray,
    *,
    mix: pd.Series | np.ndarray | None = None,
    trials: Sequence[float] | np.ndarray = (),
    effective: float | None = None,
    log: Logged = NO_LOG,
) -> Luck:
    """Return tests of whether luck can explain one strategy's Sharpe ratio.

    Parameters
    ----------
    excess
        The strategy's simple daily returns minus the returns of bills, as fractions.
    mix
        Simple daily returns of a constant mix, minus the returns of bills. The constant mix holds
        SPY and bills, and has the strategy's mean net exposure. ``mix`` has the same sessions as
        ``excess``.
    trials
        Yearly Sharpe ratios of all strategies that one command tests together, including this
        strategy. If ``trials`` is empty, the strategy is the only trial.
    effective
        Effective number of independent trials among ``trials``, for example from
        :func:`backtests.evidence.effective_trials.effective_trials`. The default is the number of
        ``trials``.
    log
        The trials in the log of earlier sweeps, for example from
        :func:`backtests.sweep.trial_log.other_trials`.
    """
    returns = np.asarray(excess, dtype=np.float64)
    is_short = len(returns) < FULL_YEAR
    track = TrackRecord.from_returns(returns[:0] if is_short else returns)
    known = finite(trials) if len(trials) else np.array([track.sharpe * ROOT_YEAR])
    logged = finite(log.sharpes)
    count = max(1.0, float(len(known)) if effective is None else effective)
    independent = max(count, log.effective) if log.includes_own else count + log.effective
    skilled = SKILLED / ROOT_YEAR
    return Luck(
        track=track,
        deflation=deflate(track, known / ROOT_YEAR, independent, logged=logged / ROOT_YEAR),
        logged_trials=len(logged),
        probability=track.probability(),
        minimum_length=track.minimum_length(),
        power=track.power(skilled),
        planned_false=track.planned_false_discovery(skilled, PRIOR),
        observed_false=track.observed_false_discovery(skilled, PRIOR),
        difference=(
            None if mix is None or is_short else sharpe_difference(returns, np.asarray(mix))
        ),
    )


def verdict(found: Luck) -> str:
    """Return sentences that compare a Sharpe ratio with the hurdle and with a constant mix."""
    if not math.isfinite(found.hurdle):
        why = "do not vary" if found.track.n else "cover less than a year"
        return f"No verdict on luck: the returns over bills {why}."
    first = "Unlikely to be luck" if found.is_significant else "May be luck"
    side = "reaches" if found.is_significant else "is below"
    return (
        f"{first}: the Sharpe ratio of {found.sharpe:z.2f} {side} the hurdle of "
        f"{found.hurdle:.2f}. Without skill, {_trials(found)} would reach this hurdle in "
        f"{100 * SIGNIFICANT:.0f} of 100 cases.{_mix(found.difference)}"
    )


def _trials(found: Luck) -> str:
    count = found.deflation.trials
    log = (
        f"{found.logged_trials:,} of them logged"
        if found.logged_trials
        else "no log of earlier trials"
    )
    if count == 1:
        return f"a single trial ({log})"
    return f"the best of {count:,} trials ({found.deflation.effective:.1f} independent, {log})"


def _mix(difference: SharpeDifference | None) -> str:
    if difference is None:
        return ""
    side = "lead" if difference.estimate >= 0 else "shortfall"
    verb = "is" if difference.p_value <= SIGNIFICANT else "is not"
    p = p_said(difference.p_value)
    return (
        " Against its own mix, which holds SPY and bills at the same mean exposure, the strategy's "
        f"{side} in Sharpe ratio {verb} significant ({p})."
    )


def p_said(value: float) -> str:
    """Return a p-value in words."""
    return f"p {value:.2f}" if value >= 0.005 else "p < 0.01"
