"""The response of returns to a rise of AI capex, while idle capital is ample or depleted."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from backtests.evidence.entries import episodes_of
from backtests.evidence.hac import Fit, regress, usual_lags
from backtests.thesis.claim import Claim
from backtests.thesis.errors import NotTestable
from backtests.thesis.estimate import Estimate, Interval
from backtests.thesis.inference import hac_interval
from backtests.thesis.sample import Sample
from backtests.thesis.weeks import earned_after, earned_in, log_over_bills, week_ends
from signals.errors import ConfigError, unknown
from signals.universe import DURATION

State = Literal["off", "on"]

#: Lengths of responses, in weeks. ``WEEKS`` is for the claims, and ``LONGEST`` is for the chart.
WEEKS, LONGEST = 13, 26
#: Number of lags of the impulse, and number of past weekly returns. The five firms file within
#: about three weeks, so a rise of the impulse can last for three weeks. The fourth lag is the
#: additional lag of a lag-augmented projection.
LAGS = 4
#: Smallest number of weeks for a standard deviation, and smallest number of weeks in a state. In 52
#: weeks, each firm files four times.
FEWEST = 52
#: The states of dry_powder that a claim compares, with their signs.
CONTRASTS: Mapping[str, Mapping[State, int]] = {
    "capex-lifts-with-slack": {"off": 1},
    "capex-drains-without-slack": {"off": -1, "on": 1},
}
METHOD = (
    "The response comes from a weekly lag-augmented local projection (Jordà 2005; Montiel Olea and "
    "Plagborg-Møller 2021). The interval uses Newey–West errors and fixed-b critical values "
    "(Kiefer and Vogelsang 2005)."
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Response:
    """The response of a return to an impulse, in log points × 100, with its HAC standard error.

    ``weeks`` contains the weeks that the regression uses.
    """

    value: float
    error: float
    fit: Fit
    weeks: pd.Index

    @property
    def interval(self) -> Interval:
        """The interval with fixed-b critical values."""
        return hac_interval(self.fit, self.value, self.error)


@dataclass(frozen=True, kw_only=True, eq=False)
class Weeks:
    """Weekly data: the state of idle capital, and an asset's returns in and after each week.

    Attributes
    ----------
    ends
        The last session of each week.
    state
        The flag of dry_powder as known at each week's end: 1.0 (idle capital depleted), 0.0 or NaN.
    over
        The asset's log return over bills, one value a session.
    """

    ends: pd.DatetimeIndex
    state: pd.Series
    over: pd.Series

    def design(self, impulse: pd.Series) -> pd.DataFrame:
        """Return weekly regressors for an impulse that has one value a session."""
        return regressors(impulse.reindex(self.ends), self.state, earned_in(self.over, self.ends))

    def after(self, weeks: int) -> pd.Series:
        """Return the asset's log return over bills, × 100, in a period after each week.

        ``weeks`` is the length of the period, see :func:`backtests.thesis.weeks.earned_after`.
        """
        return 100 * earned_after(self.over, self.ends, weeks)


def local_projection(claim: Claim, sample: Sample, *, whole: bool = True) -> Estimate:
    """Return the response of SPY's 13-week return over bills to the growth of AI capex.

    Formula
        For each week t, y_t = a_s + b_s x_t + Σ c_sk x_t−k + Σ d_k r_t+1−k + e. The index k of the
        two sums runs from 1 to 4. The target y_t is SPY's log return over bills in the 13 weeks
        after week t, × 100. The state s is the flag of dry_powder at the end of week t. The impulse
        x_t is a gauge of the signal capex at the end of week t. The lag x_t−k is the impulse k
        weeks earlier. The impulse and its lags are divided by the standard deviation of the impulse
        up to week t. The return r_t is SPY's log return over bills in week t. The second sum
        contains the returns of the weeks t, t − 1, t − 2 and t − 3. The coefficient b_s is the
        response to a rise of the impulse by one standard deviation. Log returns add up, so the
        response after 13 weeks is the sum of 13 weekly responses.
    Timing
        The impulse, the standard deviation, the state and r_t are known at the last session of week
        t. The target y_t begins at the close :data:`backtests.thesis.sample.LAG` sessions after the
        last session of week t.
    NaN
        A week with a missing value is left out. The weeks of a rare state (fewer than 52 weeks) are
        left out if the claim does not need the state. The standard deviation of the impulse is NaN
        until 52 weeks are known.
    Interval
        Newey–West errors with at least 13 lags. The impulses of a state are zero in the weeks of
        the other state. So for a claim about one state, the fixed-b critical values use the number
        of weeks in this state. For a claim that compares two states, the critical values use the
        number of weeks in the rarer state.
    Errors
        NotTestable if a state of the claim has fewer than 52 weeks, or if data are missing.
        ConfigError if :data:`CONTRASTS` lacks the claim.
    Reference
        Jordà (2005), AER 95; Montiel Olea and Plagborg-Møller (2021), Econometrica 89, for the
        additional lag; Ramey and Zubairy (2018), JPE 126, for the states. The additional lag makes
        the errors valid for persistent impulses.

    Parameters
    ----------
    whole
        If False, only SPY's 13-week response to AI capex is estimated.
    """
    if claim.name not in CONTRASTS:
        raise ConfigError(f"{unknown('claim', claim.name, CONTRASTS)}; keep the claim's name")
    signs = CONTRASTS[claim.name]
    impulses = _impulses(sample)
    weeks = _weeks(sample, sample.asset("SPY"))
    design = weeks.design(impulses["capex"])
    response = project(weeks.after(WEEKS), design, signs, WEEKS)
    used = response.weeks
    return Estimate(
        value=response.value,
        interval=response.interval,
        tests={"HAC": response.fit.p_value(response.value, response.error, claim.sign)},
        error=response.fit.widened(response.error),
        df=float("inf"),
        observations=len(used),
        counted="weeks",
        episodes=_episodes(sample.flag("dry_powder").loc[used[0] : used[-1]], signs),
        start=used[0],
        end=used[-1],
        method=METHOD,
        beside=_beside(sample, impulses, signs) if whole else {},
        shown=_path(weeks, impulses, signs) if whole else None,
        notes=("Returns are log returns, × 100.",),
    )


def project(y: pd.Series, x: pd.DataFrame, signs: Mapping[State, int], weeks: int) -> Response:
    """Return the response of an asset's return to an impulse, from weekly data.

    Parameters
    ----------
    y
        The log return after each week, × 100, see :meth:`Weeks.after`.
    x
        The regressors, see :func:`regressors`.
    signs
        Mapping from state to sign. For example, ``{"on": 1, "off": -1}`` means the response with
        dry_powder on minus the response with dry_powder off.
    weeks
        Length of the period over which the return is measured, in weeks. The Newey–West errors have
        at least ``weeks`` lags.

    Raises
    ------
    NotTestable
        Raised if a state in ``signs`` has fewer than 52 weeks.
    """
    rows = _usable(x.assign(y=y).dropna(), signs)
    names = [str(name) for name in rows if name != "y"]
    contrast = np.array([_sign(name, signs) for name in names], dtype=np.float64)
    lags = max(usual_lags(len(rows)), weeks)
    fit = regress(rows["y"].to_numpy(), rows[names].to_numpy(), lags)
    rarest = min(int(rows[state].sum()) for state in signs)
    fit = replace(fit, n=rarest)  # the impulses of a state are zero in all other weeks
    value, error = fit.combined(contrast)
    return Response(value=value, error=error, fit=fit, weeks=rows.index)


def regressors(impulse: pd.Series, state: pd.Series, past: pd.Series) -> pd.DataFrame:
    """Return a table of regressors, with one row for each week.

    Each of the two states has its own regressors: a constant, the impulse and its lags. Both states
    share four more regressors: the past returns.

    ``impulse``, ``state`` (1.0 or 0.0) and ``past`` (the return of the week) have one value a week.
    The regressors of a state are zero in the weeks of the other state. A row does not depend on
    later weeks.
    """
    scale = impulse.expanding(FEWEST).std()
    scale = scale.where(scale > 0)  # an impulse that never moved has no standard deviation
    moves = {"impulse": impulse / scale}
    moves |= {f"lag {k}": impulse.shift(k) / scale for k in range(1, LAGS + 1)}
    columns: dict[str, pd.Series] = {}
    for name, value in (("off", 0.0), ("on", 1.0)):
        inside = (state == value).astype(float).where(state.notna())
        columns[name] = inside
        columns |= {f"{name} {move}": inside * moved for move, moved in moves.items()}
    columns |= {f"return {k}": past.shift(k - 1) for k in range(1, LAGS + 1)}
    return pd.DataFrame(columns)


def _usable(rows: pd.DataFrame, signs: Mapping[State, int]) -> pd.DataFrame:
    """Return the table without the weeks and columns of a state that has fewer than 52 weeks.

    Raises NotTestable if the claim needs a state that has fewer than 52 weeks.
    """
    for state in ("off", "on"):
        n = int(rows[state].sum()) if state in rows else FEWEST
        if state in signs and n < FEWEST:
            raise NotTestable(
                f"expected {FEWEST} weeks with dry_powder {state} and a known return, found {n}"
            )
        if n < FEWEST:
            others = [name for name in rows if not str(name).startswith(state)]
            rows = rows.loc[rows[state] == 0.0, others]
    return rows


def _sign(column: str, signs: Mapping[State, int]) -> int:
    return next((sign for state, sign in signs.items() if column == f"{state} impulse"), 0)


def _weeks(sample: Sample, returns: pd.Series) -> Weeks:
    ends = week_ends(sample.sessions)
    state = sample.flag("dry_powder").reindex(ends)
    return Weeks(ends=ends, state=state, over=log_over_bills(returns, sample.bills))


def _episodes(flag: pd.Series, signs: Mapping[State, int]) -> int:
    """Return the number of episodes in which the flag is on.

    If ``signs`` lacks ``on``, return the number of episodes in which the flag is off.
    """
    return int(episodes_of(flag if "on" in signs else 1 - flag).nunique())


def _impulses(sample: Sample) -> dict[str, pd.Series]:
    """Return the capex impulse and, if known, the quarterly change of net liquidity, both in %."""
    impulses = {"capex": sample.gauge("capex", "impulse")}
    with suppress(NotTestable):
        impulses["net liquidity"] = sample.gauge("bathtub", "change")
    return impulses


def _path(
    weeks: Weeks, impulses: Mapping[str, pd.Series], signs: Mapping[State, int]
) -> pd.DataFrame:
    """Return, for each impulse, the responses after 1 to 26 weeks, with their 95 % intervals."""
    columns: dict[str, list[float]] = {}
    for name, impulse in impulses.items():
        design = weeks.design(impulse)
        with suppress(NotTestable):  # too few weeks for the longest response
            made = [project(weeks.after(h), design, signs, h) for h in range(1, LONGEST + 1)]
            columns[name] = [response.value for response in made]
            columns[f"{name} low"] = [response.interval.low for response in made]
            columns[f"{name} high"] = [response.interval.high for response in made]
    return pd.DataFrame(columns, index=pd.RangeIndex(1, LONGEST + 1, name="weeks"))


def _beside(
    sample: Sample, impulses: Mapping[str, pd.Series], signs: Mapping[State, int]
) -> dict[str, Interval]:
    """Return intervals for further responses to the growth of capex and of net liquidity.

    The result contains SPY's response to net liquidity, and each asset class's response to capex
    and to net liquidity. A class is left out if its prices are missing or begin too late.
    """
    found: dict[str, Interval] = {}
    for name in ("SPY", *DURATION):
        with suppress(NotTestable):
            weeks = _weeks(
                sample, sample.asset(name) if name == "SPY" else sample.asset_class(name)
            )
            for to, impulse in impulses.items():
                if (name, to) != ("SPY", "capex"):  # the estimate itself
                    response = project(weeks.after(WEEKS), weeks.design(impulse), signs, WEEKS)
                    found[f"{name} to {to}"] = response.interval
    return found
