"""The response of the duration spread to the 2-year yield, with policy surprises as instrument.

The duration spread is the return of long-duration classes minus the return of short-duration
classes. On the day of a statement, the yield changes for many reasons. The surprise is measured in
a short window around the announcement, so the surprise contains only news about policy. The
surprise is therefore an instrument for the change of the yield on the day of the statement.

The instrument is the San Francisco Fed's series MPS_ME. MPS_ME measures the surprise in the
statement and the press conference together. Since 2019, much of the news has come in the press
conference. The response in the claim also covers the statement and the press conference. MPS_ME
combines several interest rate futures, so MPS_ME does not depend on the price of a single security.
If the history lacks MPS_ME, the surprise of Bauer and Swanson (MPS_BS) is used. MPS_BS covers the
statement, but not the press conference.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from backtests.thesis.claim import Claim
from backtests.thesis.clustered import Slope, slope, slopes_without_one
from backtests.thesis.errors import NotTestable
from backtests.thesis.estimate import Estimate, Interval
from backtests.thesis.inference import rank_p_value, t_interval
from backtests.thesis.policy import UNIT, sessions_of, statements
from backtests.thesis.responses import (
    AFTER_NEWS,
    DRAWS,
    Responses,
    complete,
    tested,
    without_one,
)
from backtests.thesis.sample import Sample

#: Ids of the instrument, in order of preference.
SURPRISES = ("MPS_ME", "MPS_BS")
_EVERYTHING = (-math.inf, math.inf)


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """The slopes of a response and of a yield change, both regressed on the same instrument.

    Attributes
    ----------
    reduced, first
        ``reduced`` is the slope in the regression of the response on the instrument. ``first`` is
        the slope in the regression of the yield change on the instrument (the first stage).
    covariance
        Covariance of the two slopes (CR2).
    """

    reduced: Slope
    first: Slope
    covariance: float

    @property
    def value(self) -> float:
        """The ratio of the two slopes: two-stage least squares with one instrument."""
        return self.reduced.value / self.first.value

    @property
    def error(self) -> float:
        """Standard error of the ratio by the delta method."""
        return math.sqrt(self._variance(self.value)) / abs(self.first.value)

    @property
    def strength(self) -> float:
        """F statistic of the first stage, with clustered errors."""
        return (self.first.value / self.first.error) ** 2

    def _variance(self, ratio: float) -> float:
        """Return the variance of the slope of (response − ratio · change) on the instrument."""
        both = self.reduced.error**2 + (ratio * self.first.error) ** 2
        return both - 2 * ratio * self.covariance

    def bounds(self, level: float) -> tuple[float, float]:
        """Return Anderson and Rubin's confidence set for the ratio.

        For a ratio β, (response − β · change) is regressed on the instrument. If the slope is not
        significant, the confidence set contains β. A t-test at the significance level 1 − ``level``
        decides whether a slope is significant. The bounds of the confidence set solve a quadratic
        equation. If the confidence set is not a bounded interval, the result is (−∞, ∞).
        """
        squared = float(stats.t.ppf((1 + level) / 2, self.reduced.df)) ** 2
        a = self.first.value**2 - squared * self.first.error**2
        b = self.reduced.value * self.first.value - squared * self.covariance
        c = self.reduced.value**2 - squared * self.reduced.error**2
        if a <= 0:  # the slope of the first stage may be zero
            return _EVERYTHING
        middle, half = b / a, math.sqrt(max(b * b - a * c, 0.0)) / a
        return middle - half, middle + half

    def interval(self) -> Interval:
        """Return the confidence sets at 95 % and 90 %.

        If the 95 % set has no bounds, both sets are (−∞, ∞).
        """
        (low, high), (low90, high90) = self.bounds(0.95), self.bounds(0.90)
        if not math.isfinite(low):
            low90, high90 = _EVERYTHING
        return Interval(low=low, high=high, low90=low90, high90=high90)


def ratio_of(y: np.ndarray, x: np.ndarray, z: np.ndarray, clusters: np.ndarray) -> Ratio:
    """Return the slopes of y and of x on z; the columns have no NaN.

    The estimate is the slope of y divided by the slope of x. The covariance of the two slopes is (P
    − M) / 4. P is the variance of the slope of y + x. M is the variance of the slope of y − x.
    """
    plus, minus = (slope(y + sign * x, z, clusters).error for sign in (1, -1))
    return Ratio(
        reduced=slope(y, z, clusters),
        first=slope(x, z, clusters),
        covariance=(plus**2 - minus**2) / 4,
    )


def instrumented(claim: Claim, sample: Sample) -> Estimate:
    """Return how strongly the duration spread responds if a policy surprise changes DGS2.

    Formula
        The response and the change of DGS2 are both regressed on the instrument. The estimate is
        the slope of the response divided by the slope of the change (two-stage least squares). The
        response is the spread's compounded return from the close before the statement to the close
        5 sessions after the statement. The change of DGS2 is the change on the date of the
        statement. Unscheduled statements are included.
    Timing
        The surprise was estimated on the full sample and published later. So the estimate measures
        a reaction and is not a trading rule.
    NaN
        A statement is left out if its surprise, its change of DGS2 or its response is unknown.
    Interval
        The interval is Anderson and Rubin's set, from the CR2 t-test with one cluster for each
        calendar quarter. Anderson and Rubin's set is also valid if the instrument is weak. If the
        confidence set has no bounds, the verdict is inconclusive. The estimate is repeated with
        each statement left out in turn. The lowest and the highest of the repeated estimates are
        shown, each with a confidence set.
    Errors
        NotTestable if the history lacks the surprises, the yields, or the prices of a class that
        the duration spread uses. NotTestable is also raised if the statements lie in fewer than
        four quarters, or if all surprises are equal.
    Reference
        Anderson and Rubin (1949), Annals of Mathematical Statistics 20; Andrews, Stock and Sun
        (2019), "Weak Instruments in IV Regression", Annual Review of Economics 11; Gertler and
        Karadi (2015), AEJ Macroeconomics 7. The surprises come from Bauer and Swanson (2023), NBER
        Macroeconomics Annual 37, and from Acosta, Ajello, Bauer, Loria and Miranda-Agrippino
        (2025).
    """
    id, events = surprises(sample)
    y, x, z, quarter = _columns(events)
    found = ratio_of(y, x, z, quarter)
    tested(found.reduced, "policy statements")
    slopes, variances = events.permuted(0)
    beside, influence = without_one(
        events,
        slopes_without_one(y, z) / slopes_without_one(x, z),
        lambda rest: ratio_of(*_columns(rest)).interval(),
    )
    of_reduced = claim.sign * (1 if found.first.value >= 0 else -1)
    reduced, permuted = found.reduced, slopes / np.sqrt(variances)
    return Estimate(
        value=found.value,
        interval=found.interval(),
        tests={
            "Anderson–Rubin": reduced.p_value(of_reduced),
            "permuted surprises": rank_p_value(permuted[0], permuted[1:], of_reduced),
        },
        error=found.error,
        df=reduced.df,
        observations=reduced.n,
        counted="policy statements",
        episodes=None,
        start=events.table.index[0],
        end=events.table.index[-1],
        method="The estimate comes from two-stage least squares. Anderson and Rubin's interval "
        "uses CR2 standard errors with one cluster for each calendar quarter. Anderson and Rubin's "
        "interval is also valid if the instrument is weak (Andrews, Stock and Sun 2019). A second "
        "test compares the t statistic with the t statistics of "
        f"{DRAWS:,} permutations of the surprises.",
        beside={
            "delta method": t_interval(found.value, found.error, reduced.df),
            "least squares": slope(y, x, quarter).interval,
            **beside,
        },
        shown=pd.DataFrame({"response": events.path() / found.first.value}).rename_axis("session"),
        notes=_notes(id, found, influence),
    )


def surprises(sample: Sample) -> tuple[str, Responses]:
    """Return the instrument's id, and the statements with known surprise, change and response.

    In the table, ``surprise`` is the instrument, and ``change`` is the change of DGS2. ``surprise``
    and ``change`` are in units of 10 basis points.
    """
    meetings = sample.events("FOMC").index
    of_statements = {id: sample.events(id).reindex(meetings).dropna() for id in SURPRISES}
    id = next((id for id, values in of_statements.items() if len(values)), None)
    if id is None:
        raise NotTestable("the history has no surprise of an FOMC statement")
    values = of_statements[id]
    found = statements(sample, values.index)
    at = sample.sessions[sessions_of(sample, values.index)]
    found["surprise"] = values.set_axis(at).groupby(level=0).sum() / UNIT
    return id, complete(sample, found[found["change"].notna()], AFTER_NEWS)


def _columns(events: Responses) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    table = events.table
    x, z, quarter = (table[name].to_numpy() for name in ("change", "surprise", "quarter"))
    return events.response[:, -1], x, z, quarter


def _notes(id: str, found: Ratio, influence: tuple[str, ...]) -> tuple[str, ...]:
    unbounded = not math.isfinite(found.interval().low)
    return (
        f"Instrument: {id}. F statistic of the first stage: {found.strength:.1f}. A surprise of 10 "
        f"basis points changes DGS2 by {10 * found.first.value:.1f} basis points on average.",
        "The surprise was estimated on the full sample and published later. So the estimate "
        "measures a reaction and is not a trading rule.",
        *influence,
        "The dates of the statements come from the history's series of FOMC statements.",
        *(
            ["The instrument is too weak: Anderson and Rubin's set has no bounds."]
            if unbounded
            else []
        ),
    )
