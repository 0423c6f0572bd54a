"""Twins of the weekly estimates of the trial: plain loops over sessions, easy to check by eye.

Each function takes prices, bill returns and gauges at their sessions. It shares no code with
:mod:`backtests.thesis`.
"""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

WAIT = 1  # sessions from a decision to its trade


def last_sessions(days: pd.DatetimeIndex) -> list[int]:
    """Return the position of the last session of each week that is over."""
    ends = [
        at
        for at in range(len(days) - 1)
        if days[at + 1].isocalendar()[:2] != days[at].isocalendar()[:2]
    ]
    return [*ends, len(days) - 1] if days[-1].day_name() == "Friday" else ends


def log_excess(prices: Sequence[float], bills: Sequence[float], begin: int, end: int) -> float:
    """Return the log return over bills from the close ``begin`` to the close ``end``."""
    if end >= len(prices):
        return math.nan
    cash = 1.0
    for at in range(begin + 1, end + 1):
        cash *= 1 + bills[at]
    return math.log(prices[end] / prices[begin]) - math.log(cash)


def response(
    prices: Sequence[float],
    bills: Sequence[float],
    impulse: Sequence[float],
    flag: Sequence[float],
    ends: Sequence[int],
) -> tuple[float, float]:
    """Return the 13-week responses while the flag is off and while it is on, both times 100."""
    rows, targets = [], []
    for week in range(4, len(ends)):
        at = ends[week]
        past = [impulse[ends[k]] for k in range(week + 1) if not math.isnan(impulse[ends[k]])]
        if len(past) < 52 or week + 13 >= len(ends) or math.isnan(flag[at]):
            continue
        unit = float(np.std(past, ddof=1))
        moves = [impulse[ends[week - k]] / unit for k in range(5)]
        state = [1.0, *moves] if flag[at] == 1.0 else [0.0] * 6
        other = [0.0] * 6 if flag[at] == 1.0 else [1.0, *moves]
        lags = [log_excess(prices, bills, ends[week - k - 1], ends[week - k]) for k in range(4)]
        target = log_excess(prices, bills, at + WAIT, ends[week + 13] + WAIT)
        row = [*other, *state, *lags]
        if not any(math.isnan(number) for number in [*row, target]):
            rows.append(row)
            targets.append(100 * target)
    slopes = np.linalg.lstsq(np.array(rows), np.array(targets), rcond=None)[0]
    return float(slopes[1]), float(slopes[7])


def gain(
    prices: Sequence[float],
    bills: Sequence[float],
    supply: Sequence[float],
    demand: Sequence[float],
    ends: Sequence[int],
) -> float:
    """Return the out-of-sample R² that demand adds to supply, in %, for returns of four weeks."""
    rows = []
    for week, at in enumerate(ends):
        if math.isnan(supply[at]) or math.isnan(demand[at]):
            continue
        end = ends[week + 4] + WAIT if week + 4 < len(ends) else len(prices)
        rows.append((at, end, supply[at], demand[at], log_excess(prices, bills, at + WAIT, end)))
    errors = np.zeros(3)
    for at, end, s, u, earned in rows:
        known = [row for row in rows if row[1] <= at]
        if end >= len(prices) or len(known) < 260:
            continue
        y = np.array([row[4] for row in known])
        for place, now in enumerate(([1.0], [1.0, s], [1.0, s, u])):
            x = np.array([[1.0, row[2], row[3]][: place + 1] for row in known])
            errors[place] += (earned - now @ np.linalg.lstsq(x, y, rcond=None)[0]) ** 2
    return float(100 * (errors[1] - errors[2]) / errors[0])


def lead(crypto: Sequence[float], spy: Sequence[float], ends: Sequence[int]) -> float:
    """Return crypto's lead over SPY minus SPY's lead over crypto, from daily simple returns."""
    weekly = []
    for begin, end in zip([-1, *ends[:-1]], ends, strict=True):
        grown = []
        for returns in (crypto, spy):
            seen = [returns[at] for at in range(begin + 1, end + 1) if not math.isnan(returns[at])]
            grown.append(math.prod(1 + r for r in seen) - 1 if seen else math.nan)
        weekly.append(grown)
    pairs = [
        [*now, *later]
        for now, later in itertools.pairwise(weekly)
        if not any(math.isnan(r) for r in [*now, *later])
    ]
    c, s, c_later, s_later = zip(*pairs, strict=True)
    return float(np.corrcoef(c, s_later)[0, 1] - np.corrcoef(s, c_later)[0, 1])


def after(
    prices: Sequence[float], bills: Sequence[float], flag: Sequence[float]
) -> tuple[float, int]:
    """Return a difference of SPY's mean return over bills in 126 sessions, and the entries.

    The difference is the mean after entries of the flag, minus the mean after any session.
    """
    chosen, usual = [], []
    for at in range(len(prices)):
        begin, end = at + WAIT, at + WAIT + 126
        if end >= len(prices) or math.isnan(flag[at]):
            continue
        cash = math.prod(1 + bills[k] for k in range(begin + 1, end + 1))
        earned = 100 * (prices[end] / prices[begin] - cash)
        usual.append(earned)
        if at and flag[at] == 1.0 and flag[at - 1] == 0.0:
            chosen.append(earned)
    return sum(chosen) / len(chosen) - sum(usual) / len(usual), len(chosen)
