"""Twins of the trial's estimators: plain loops over lists, written from the claims.

Inputs are columns and conditions, as in :mod:`tests.reference.naive_trial`. A column has NaN for a
missing value. A condition has 1.0, 0.0 and NaN. Results have the unit of the inputs times
``scale``. ``TWINS`` names the twin of each estimator.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from tests.reference import naive_trial as plain
from tests.reference.naive_regressions import (
    Estimated,
    average_response,
    cr2,
    event_response,
    instrumented,
    kink,
    local_projection,
    nested_forecast,
)
from tests.reference.naive_trial import NAN, Numbers, known

# A flag


class State(NamedTuple):
    """The last known state of a flag, the first session of this state, and all stays."""

    on: bool
    at: date
    since: date
    stays: list[tuple[date, date | None]]


def status(days: Sequence[date], flag: Numbers) -> State:
    """Return the state of a flag. Sessions at which it is NaN neither begin nor end a stay.

    The current state begins after the last session at which the flag is NaN.
    """
    seen = [(day, value == 1) for day, value in zip(days, flag, strict=True) if value == value]
    runs: list[tuple[bool, date, date]] = []
    for day, on in seen:
        if runs and runs[-1][0] == on:
            runs[-1] = (on, runs[-1][1], day)
        else:
            runs.append((on, day, day))
    stays = [(first, None if last == seen[-1][0] else last) for on, first, last in runs if on]
    known_days = [(day, value) for day, value in zip(days, flag, strict=True) if day <= seen[-1][0]]
    gap = max((day for day, value in known_days if value != value), default=date.min)
    since = min(day for day, _ in seen if day >= runs[-1][1] and day > gap)
    return State(runs[-1][0], seen[-1][0], since, stays)


# Means under a condition


def _under(values: Numbers, on: Numbers, wanted: float) -> list[float]:
    pairs = zip(values, on, strict=True)
    return known([value for value, flag in pairs if flag == wanted])


def conditional_mean(
    returns: Numbers, on: Numbers, scale: float = 252.0, quarter: int = 63
) -> Estimated:
    """Return the mean over on-sessions, times ``scale``; each episode is one cluster."""
    number_of = plain.episodes(on, quarter)
    there = [i for i, r in enumerate(returns) if on[i] == 1 and r == r]
    y, groups = [returns[i] for i in there], [number_of[i] for i in there]
    error, df = cr2(y, [[1.0]] * len(y), groups, [1.0])
    return Estimated(plain.mean(y) * scale, error * scale, df, len(y))


def difference_of_means(
    returns: Numbers, on: Numbers, scale: float = 252.0, quarter: int = 63
) -> Estimated:
    """Return the mean over on-sessions minus the mean over off-sessions, times ``scale``.

    Each episode and each gap between episodes is one cluster.
    """
    with_it, without = _under(returns, on, 1.0), _under(returns, on, 0.0)
    value = plain.mean(with_it) - plain.mean(without)
    numbers = zip(plain.episodes(on, quarter), plain.gaps(on, quarter), strict=True)
    groups = [(flag, a if flag == 1 else b) for flag, (a, b) in zip(on, numbers, strict=True)]
    there = [i for i, r in enumerate(returns) if r == r and on[i] == on[i]]
    x = [[on[i], 1.0 - on[i]] for i in there]
    error, df = cr2([returns[i] for i in there], x, [groups[i] for i in there], [1.0, -1.0])
    return Estimated(value * scale, error * scale, df, len(there))


# Orders


def tau_b(x: Numbers, y: Numbers) -> float:
    """Return Kendall's tau-b: concordant minus discordant pairs, corrected for ties.

    NaN if all values of a column are tied.
    """
    score = untied_x = untied_y = 0
    for i, j in itertools.combinations(range(len(x)), 2):
        first = (x[i] > x[j]) - (x[i] < x[j])
        second = (y[i] > y[j]) - (y[i] < y[j])
        score += first * second
        untied_x += first != 0
        untied_y += second != 0
    return score / math.sqrt(untied_x * untied_y) if untied_x and untied_y else NAN


class Ordered(NamedTuple):
    """A rank correlation, its exact one-sided p-value, and the number of orders counted."""

    value: float
    p_value: float
    orders: int


def rank_order(means: Mapping[str, float], duration: Mapping[str, int]) -> Ordered:
    """Return tau-b between mean returns and earliness, and its p-value over all distinct orders.

    A class with an earlier cash flow has a smaller duration. So earliness is minus the duration.
    """
    names = list(means)
    returns = [means[name] for name in names]
    early = [-duration[name] for name in names]
    true = tau_b(early, returns)
    taus = [tau_b(order, returns) for order in sorted(set(itertools.permutations(early)))]
    as_large = sum(tau >= true - 1e-12 for tau in taus)
    return Ordered(true, as_large / len(taus), len(taus))


def peak(levels: Numbers, first: int, trough: int) -> float:
    """Return the session of the highest level from ``first`` to ``trough``, the first if tied."""
    there = [i for i in range(first, trough + 1) if not math.isnan(levels[i])]
    return float(max(there, key=lambda i: (levels[i], -i))) if there else NAN


def cascade_tau(peaks: Numbers) -> float:
    """Return tau-b between the declared order and the peaks; NaN peaks are left out.

    ``peaks`` is in the declared order: crypto, speculative, software, broad.
    """
    there = known(peaks)
    return tau_b(range(len(there)), there)


def cascade_order(episodes: Sequence[Numbers]) -> Ordered:
    """Return the mean tau of episodes and its exact p-value, from peaks in the declared order.

    Under the null hypothesis, all orders of an episode's peaks are equally likely.
    """
    taus = {i: cascade_tau(peaks) for i, peaks in enumerate(episodes)}
    used = [i for i, tau in taus.items() if not math.isnan(tau)]
    sums = {0.0: 1}
    for i in used:
        after: dict[float, int] = {}
        for order in itertools.permutations(known(episodes[i])):
            for total, count in sums.items():
                reached = round(total + cascade_tau(order), 9)
                after[reached] = after.get(reached, 0) + count
        sums = after
    true = math.fsum(taus[i] for i in used)
    as_large = sum(count for total, count in sums.items() if total >= true - 1e-6)
    orders = sum(sums.values())
    return Ordered(true / len(used) if used else NAN, as_large / orders, orders)


# Leads


def correlation(x: Numbers, y: Numbers) -> float:
    """Return Pearson's correlation."""
    centres = plain.mean(x), plain.mean(y)
    products = [(a - centres[0]) * (b - centres[1]) for a, b in zip(x, y, strict=True)]
    covariance = math.fsum(products) / (len(products) - 1)
    return covariance / math.sqrt(plain.variance(x) * plain.variance(y))


def lead_and_lag(first: Numbers, second: Numbers) -> float:
    """Return corr(first, second a week later) − corr(second, first a week later).

    Both correlations use the same pairs of weeks: the pairs without a missing return.
    """
    pairs = itertools.pairwise(zip(first, second, strict=True))
    rows = [(*now, *later) for now, later in pairs]
    a, b, a_later, b_later = zip(*(row for row in rows if len(known(row)) == 4), strict=True)
    return correlation(a, b_later) - correlation(b, a_later)


# Breakouts


class Breakout(NamedTuple):
    """The session of a breakout, and whether a later close was higher."""

    session: int
    kept: bool


def breakouts(closes: Numbers, high: int = 60, later: int = 31) -> list[Breakout]:
    """Return the closes above the highest of ``high`` earlier closes, and which kept the gain.

    All earlier closes and the close ``later`` sessions afterwards must exist.
    """
    found = []
    for i in range(high, len(closes) - later):
        before, then = closes[i - high : i], closes[i + later]
        if len(known(before)) == high and closes[i] > max(before) and not math.isnan(then):
            found.append(Breakout(i, then > closes[i]))
    return found


def follow_through(closes: Mapping[str, Numbers], on: Numbers, scale: float = 100.0) -> Estimated:
    """Return the share of breakouts that kept their gain: on-sessions minus off-sessions.

    ``on`` is the condition that belongs to the session of the breakout. This twin computes no
    standard error.
    """
    kept: dict[float, list[float]] = {1.0: [], 0.0: []}
    for column in closes.values():
        for session, is_kept in breakouts(column):
            if not math.isnan(on[session]):
                kept[on[session]].append(float(is_kept))
    value = plain.mean(kept[1.0]) - plain.mean(kept[0.0])
    return Estimated(value * scale, NAN, NAN, len(kept[1.0]) + len(kept[0.0]))


# Returns ahead


def ahead(returns: Numbers, horizon: int, delay: int = 0) -> list[float]:
    """Return the compounded return of the ``horizon`` sessions after each session.

    These sessions begin ``1 + delay`` sessions later. The result is NaN if a return is missing.
    """
    out = []
    for i in range(len(returns)):
        window = returns[i + 1 + delay : i + 1 + delay + horizon]
        out.append(math.prod(1 + r for r in window) - 1 if len(window) == horizon else NAN)
    return out


def after_flag(
    returns: Numbers,
    bills: Numbers,
    flag: Numbers,
    horizon: int = 126,
    delay: int = 1,
    viewed: bool = False,
) -> Estimated:
    """Return the mean return over bills after the flag turns on, minus the mean after any session.

    The result is in percent. The flag turns on if it is on, and was off at the session before. With
    ``viewed``, "any session" means any session at which the flag is known. This twin computes no
    standard error. n is the number of times that the flag turned on and has a whole horizon
    afterwards.
    """
    pairs = zip(ahead(returns, horizon, delay), ahead(bills, horizon, delay), strict=True)
    over = [(a - b) * 100 for a, b in pairs]
    turned = [i for i in range(1, len(flag)) if flag[i] == 1 and flag[i - 1] == 0]
    chosen = known([over[i] for i in turned])
    usual = known([v for v, f in zip(over, flag, strict=True) if not viewed or f == f])
    return Estimated(plain.mean(chosen) - plain.mean(usual), NAN, NAN, len(chosen))


# Filings


class Surprise(NamedTuple):
    """The surprise, divided by the deviation of past changes, and the trailing year's growth."""

    standardised: float
    growth: float


def seasonal_surprises(
    totals: Numbers,
    fewest: int = 4,
    drift: bool = False,
    relative: bool = False,
    limit: float = math.inf,
) -> list[Surprise]:
    """Return the surprise of each trailing-year total against a seasonal random walk.

    The walk expects a quarter as large as the same quarter a year earlier. A total changes by the
    new quarter minus the quarter a year earlier, so the walk expects no change. The surprise is the
    change divided by the standard deviation of earlier changes, clipped to ±limit. It needs at
    least ``fewest`` earlier changes. With ``drift``, the mean of earlier changes is subtracted
    first. With ``relative``, changes are fractions of the total before.
    """
    out = [Surprise(NAN, NAN)]
    changes: list[float] = []
    for before, now in itertools.pairwise(totals):
        growth = now / before - 1
        change = growth if relative else now - before
        past = known(changes)
        expected = plain.mean(past) if drift else 0.0
        deviation = math.sqrt(plain.variance(past)) if len(past) >= max(2, fewest) else NAN
        standardised = (change - expected) / deviation if deviation > 1e-12 else NAN
        out.append(Surprise(max(min(standardised, limit), -limit), growth))
        changes.append(change)
    return out


#: The twin of each estimator, by the estimator's name in :mod:`backtests.thesis.claim`.
TWINS: dict[str, Callable[..., object]] = {
    "status": status,
    "mean": conditional_mean,
    "difference_of_means": difference_of_means,
    "rank_order": rank_order,
    "local_projection": local_projection,
    "event_response": event_response,
    "nested_forecast": nested_forecast,
    "lead_and_lag": lead_and_lag,
    "cascade_order": cascade_order,
    "follow_through": follow_through,
    "after_flag": after_flag,
    "kink": kink,
    "instrumented": instrumented,
    "average_response": average_response,
}
