"""E-values: evidence for claims, computed only from the weeks after a given date.

An e-value is the wealth of a bettor who starts with 1. If the claim applies to a week after the
date, the bettor bets that the claim is true, see :mod:`backtests.thesis.betting`. A bet depends
only on data that are known before the week of the bet begins.

Weekly returns are clipped at three standard deviations, so that no week can ruin the bettor. An
e-value is evidence about the mean of clipped returns. The mean of clipped returns differs from the
mean of returns if extreme returns have mostly one sign.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from scipy import stats

from backtests.thesis.betting import wealth
from backtests.thesis.claims import CLAIMS
from backtests.thesis.errors import NotTestable
from backtests.thesis.sample import Sample
from backtests.thesis.weeks import WEEKS_A_YEAR, at_week_starts, first_sessions, week_means, weekly
from signals.universe import DURATION
from strategies import STRATEGIES, kind_of

#: Date of the essay that states the thesis. The definitions of signals and claims were written
#: after the essay.
ESSAY = pd.Timestamp("2026-02-06")
REMARK = (
    "The definitions of signals and claims were written after the essay of 2026-02-06. So the "
    "weeks before the first seal of the claims count as in sample."
)
#: Names of the primary claims.
PRIMARY = tuple(claim.name for claim in CLAIMS if claim.primary)
#: A standard deviation needs at least this number of weeks before the date.
FEWEST_WEEKS = 52
#: Returns are clipped at this number of standard deviations.
CLIP = 3.0
#: The null hypothesis for a strategy: SPY's premium over bills lies between 0 and this fraction a
#: year. In the long run, US shares earned about 6 % a year over bills.
PREMIUM = 0.10
#: An e-value of this size supports the claim at the 5 % level.
CONVINCING = 20.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Accumulated:
    """The e-value of a claim or strategy since a date.

    Attributes
    ----------
    name
        Name of the claim, or of the strategy with its regime model.
    what
        A description of the weekly number. The bettor bets that the weekly number will be above
        zero.
    since
        The start date. The first week with a bet begins after this date.
    weeks
        Number of weeks with a bet. There is a bet in each week in which the claim applies.
    clipped
        Number of weeks that had a bet and a clipped return. If many weeks were clipped, the e-value
        says little about the mean return.
    e_value, highest
        The e-value after the last week, and the highest e-value so far. An e-value is 1 before the
        first week.
    path
        The e-value after each whole week, at the week's last session.
    note
        Reason why no bet is possible, such as missing data; empty if bets are possible. If the
        claim applied in no week, there is no bet, and the note is empty.
    """

    name: str
    what: str
    since: pd.Timestamp
    weeks: int
    clipped: int
    e_value: float
    highest: float
    path: pd.Series
    note: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Weeks:
    """One number for each week; the bettor bets that the number will be above zero.

    Attributes
    ----------
    values
        One number for each whole week, with the week's last session as index. A number above zero
        supports the claim. A missing number is NaN.
    counts
        Whether the claim applies to each week, as known before the week begins.
    limit
        The absolute value at which ``values`` are clipped. If None, the limit is :data:`CLIP`
        standard deviations of the weekly values before the date.
    """

    values: pd.Series
    counts: pd.Series
    limit: float | None = None


def accumulate(
    sample: Sample, since: pd.Timestamp, names: Iterable[str] | None = None
) -> tuple[Accumulated, ...]:
    """Return e-values of primary claims and thesis strategies, from the weeks after a date.

    An e-value stays valid, however often a user checks it. If data are missing, the e-value is 1,
    and the note gives the reason. If the limit for clipping is a number of standard deviations,
    data also count as missing if there are fewer than 52 weeks before the date ``since``.

    Parameters
    ----------
    since
        The date at which the claims were fixed. A week is used if the week's first session is after
        ``since``.
    names
        Names among :data:`BETS`; the default is all of them.
    """
    chosen = BETS if names is None else names
    return tuple(_accumulated(sample, pd.Timestamp(since).normalize(), name) for name in chosen)


def accumulate_since_dates(
    sample: Sample, sealed_at: pd.Timestamp | None = None
) -> tuple[Accumulated, ...]:
    """Return e-values for two start dates: the date of the seal, and the date of the essay.

    ``sealed_at`` is the moment of the seal, in UTC. If there is no seal, only the e-values since
    the date of the essay are returned. If a page shows e-values since the date of the essay, the
    page must also show :data:`REMARK`.
    """
    seals = () if sealed_at is None else (sealed_at.tz_localize(None),)
    return tuple(one for since in (*seals, ESSAY) for one in accumulate(sample, since))


def _accumulated(sample: Sample, since: pd.Timestamp, name: str) -> Accumulated:
    what, weeks_of = BETS[name]
    path = placed = pd.Series(dtype="float64")
    note = ""
    try:
        path, placed = _path(weeks_of(sample, since), sample, since)
    except NotTestable as error:
        note = str(error)
    return Accumulated(
        name=name,
        what=what,
        since=since,
        weeks=len(placed),
        clipped=int((placed.abs() > 1).sum()),
        e_value=float(path.iloc[-1]) if len(path) else 1.0,
        highest=float(max(path.max(), 1.0)) if len(path) else 1.0,
        path=path,
        note=note,
    )


def _path(weeks: Weeks, sample: Sample, since: pd.Timestamp) -> tuple[pd.Series, pd.Series]:
    """Return the wealth after each week since a date, and the outcome of each bet.

    An outcome is the week's value divided by the limit at which values are clipped. An outcome is
    not clipped, so it can be below −1 or above 1.
    """
    first = first_sessions(sample.sessions).reindex(weeks.values.index)
    limit = weeks.limit or CLIP * _deviation(weeks.values, since)
    later = weeks.values[first > since]
    placed = later[weeks.counts.reindex(later.index) & later.notna()] / limit
    gains = placed.clip(-1, 1).to_numpy(dtype=np.float64)
    grown = pd.Series(wealth(gains), index=placed.index)
    return grown.reindex(later.index).ffill().fillna(1.0), placed


def _deviation(values: pd.Series, since: pd.Timestamp) -> float:
    """Return the standard deviation of the weekly values up to a date."""
    before = values.loc[:since].dropna()
    if len(before) < FEWEST_WEEKS:
        raise NotTestable(
            f"expected at least {FEWEST_WEEKS} weeks before {since.date()}, found {len(before)}"
        )
    deviation = float(before.std())
    if not deviation > 0:
        raise NotTestable(f"every week before {since.date()} has the same return")
    return deviation


def _while_absorbed(sample: Sample, index: pd.Index) -> pd.Series:
    """Return whether the flag of absorption was on before each week began."""
    return at_week_starts(sample.condition("absorption"), index) == 1.0


def _spy_minus_crypto(sample: Sample, since: pd.Timestamp) -> Weeks:
    spread = weekly(sample.asset("SPY")) - weekly(sample.asset_class("crypto"))
    return Weeks(values=spread, counts=_while_absorbed(sample, spread.index))


def _rank_order(sample: Sample, since: pd.Timestamp) -> Weeks:
    """Return Kendall's tau-b between class returns and the declared order, for each week."""
    returns = sample.classes(DURATION).apply(weekly).dropna()
    earliness = [-rank for rank in DURATION.values()]
    tau = [stats.kendalltau(row, earliness).statistic for row in returns.to_numpy()]
    values = pd.Series(tau, index=returns.index, dtype="float64")
    return Weeks(values=values, counts=_while_absorbed(sample, values.index), limit=1.0)


def _strategy_minus_mix(strategy: str, sample: Sample, since: pd.Timestamp) -> Weeks:
    """Return a strategy's weekly return minus the return of a constant mix of SPY and bills.

    The weight of SPY in the mix is the strategy's mean net exposure up to the date. The mix pays no
    costs.

    A strategy with a higher exposure than the mix earns a higher premium without any timing. The
    excess exposure of a session is the strategy's exposure minus the exposure of the mix, but at
    least 0. The exposure is known at the close before the session. The function subtracts the
    week's mean excess exposure times the weekly part of :data:`PREMIUM`. SPY's true premium over
    bills is assumed to be between 0 and :data:`PREMIUM`, so a strategy of SPY and bills can beat
    the mix only by timing. A strategy with other assets can also beat the mix if the other assets
    earn more than SPY.

    The limit for clipping uses the larger of two standard deviations before the date: of the
    strategy's values, and of SPY's return over bills. If a strategy held only bills before the
    date, the standard deviation of the strategy's values is too small for a limit.
    """
    result, spy = sample.run(strategy).result, sample.asset("SPY")
    held, returns = result.weights.sum(axis=1), result.returns
    if held.loc[:since].empty:
        raise NotTestable(f"{strategy} has no exposure before {since.date()}")
    share = float(held.loc[:since].mean())
    mix = (share * spy + (1 - share) * sample.bills).reindex(returns.index)
    values = weekly(returns) - weekly(mix)
    beyond = week_means((held.shift(1) - share).clip(lower=0.0)).reindex(values.index)
    deviation = max(_deviation(v, since) for v in (values, weekly(spy) - weekly(sample.bills)))
    return Weeks(
        values=values - beyond * PREMIUM / WEEKS_A_YEAR,
        counts=pd.Series(True, index=values.index),
        limit=CLIP * deviation,
    )


def _labels() -> tuple[str, ...]:
    """Return the thesis strategies; if one follows a regime, its name ends in ``@quantities``."""
    thesis = [strategy for strategy in STRATEGIES.values() if kind_of(strategy) == "thesis"]
    return tuple(
        f"{strategy.name}@quantities" if strategy.follows_regime else strategy.name
        for strategy in thesis
    )


_TESTED = "cash-heavy@quantities"
_MIX = (
    "minus the weekly return of a constant mix of SPY and bills. The weight of SPY in the mix is "
    "the strategy's mean exposure before the date. If the strategy's exposure is above the "
    "mix's weight of SPY, the weekly return is reduced by the difference times 10 % a year. The "
    "result is clipped"
)

#: Mapping from the name of a claim or strategy to two items. The first item describes the weekly
#: number. The bettor bets that the weekly number will be above zero. The second item is the
#: function that returns the weekly numbers.
BETS: dict[str, tuple[str, Callable[[Sample, pd.Timestamp], Weeks]]] = {
    "crypto-below-spy": (
        "weekly return of SPY minus weekly return of crypto, in weeks in which capital is "
        "absorbed; the difference is clipped",
        _spy_minus_crypto,
    ),
    "short-duration-first": (
        "Kendall's tau-b between the weekly returns of the classes and their declared order, in "
        "weeks in which capital is absorbed",
        _rank_order,
    ),
    "cash-heavy-beats-its-mix": (
        f"weekly return of {_TESTED} {_MIX}",
        partial(_strategy_minus_mix, _TESTED),
    ),
    **{
        label: (f"weekly return of {label} {_MIX}", partial(_strategy_minus_mix, label))
        for label in _labels()
        if label != _TESTED
    },
}
