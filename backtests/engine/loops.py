"""The loops of the kernel, compiled by numba.

:func:`choose` repeats :func:`backtests.engine.schedule.choose_trades`, and :func:`trade` repeats
vectorbt's accounting. Each loop rounds in the same way as the code that it reimplements. So
comparisons of almost equal numbers have equal results.

numba stores the compiled loops beside this file, or in the user's cache folder if this file's
folder is read-only. Later processes load the stored loops. All loops stand in one file, because
numba compiles a stored loop again only after a change of the loop's own file.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit

Loop = TypeVar("Loop", bound=Callable[..., Any])

#: vectorbt treats two amounts as equal if their relative difference is at most this value.
NEAR = 1e-9
#: vectorbt treats an amount of at most this size as zero.
TINY = 1e-12


def _stored(loop: Loop) -> Loop:
    """Compile a loop that Python calls, and store the compiled loop."""
    return cast(Loop, njit(cache=True)(loop))


def _inner(loop: Loop) -> Loop:
    """Compile an inner loop; numba stores its code inside each loop that calls it."""
    return cast(Loop, njit(loop))


@_stored
def choose(
    decided: np.ndarray,
    decides: np.ndarray,
    prices: np.ndarray,
    priced: np.ndarray,
    lost: np.ndarray,
    growth: np.ndarray,
    terms: tuple[int, float, float],
) -> np.ndarray:
    """Return the target weight of each trade, sessions × assets; NaN without a trade.

    Parameters
    ----------
    decided, decides
        ``decided`` holds target weights, sessions × assets. ``decides`` is True at a session with a
        decision. At other sessions, the loop does not read ``decided``.
    prices, priced, lost
        Tables of sessions × assets: the last price, whether the session has a price, and whether
        the last price becomes stale at this session.
    growth
        Growth of bills since the first session.
    terms
        The lag, the band and the gross limit of :func:`backtests.engine.simulate.simulate`.
    """
    lag, band, gross_limit = terms
    sessions, assets = prices.shape
    sizes = np.full((sessions, assets), np.nan)
    held, last = np.zeros(assets), np.zeros(assets)  # after the last trade, at the last decision
    waiting = np.zeros((lag, assets))  # the decision of a session is in row (session % lag)
    sent = np.zeros(sessions, dtype=np.bool_)
    traded, newest = 0, -lag  # session of the last trade, session of the last decision sent
    for at in range(sessions):
        if _loses(lost[at], held, sizes[at]):
            held, traded = _drifted(held, prices, growth, traded, at), at
            _close(lost[at], held, last, waiting)
        if at >= lag and sent[at - lag]:
            held, traded = _drifted(held, prices, growth, traded, at), at
            _fill(waiting[at % lag], priced[at], held, sizes[at])
        now = waiting[newest % lag]
        waits = newest + lag > at
        if not waits:
            now = _drifted(held, prices, growth, traded, at)
        if decides[at]:
            _copy(decided[at], last)
        differs = decides[at] and _differ(last, now, band)
        if differs or (not waits and _exceeds(now, gross_limit)):
            _copy(last, waiting[at % lag])
            sent[at], newest = True, at
    return sizes


@_inner
def _loses(lost: np.ndarray, held: np.ndarray, size: np.ndarray) -> bool:
    """Set the target of each lost asset to zero; return whether a lost asset is held."""
    loses = False
    for asset in range(len(held)):
        if lost[asset]:
            size[asset] = 0.0
            loses = loses or held[asset] != 0
    return loses


@_inner
def _close(lost: np.ndarray, held: np.ndarray, last: np.ndarray, waiting: np.ndarray) -> None:
    """Set the weights of lost holdings to zero, also in decisions that are not filled yet."""
    for asset in range(len(held)):
        if lost[asset] and held[asset] != 0:
            held[asset] = last[asset] = 0.0
            for row in range(len(waiting)):
                waiting[row, asset] = 0.0


@_inner
def _fill(target: np.ndarray, priced: np.ndarray, held: np.ndarray, size: np.ndarray) -> None:
    """Trade the assets that have a price to their targets."""
    for asset in range(len(held)):
        if priced[asset]:
            held[asset] = size[asset] = target[asset]


@_inner
def _copy(weights: np.ndarray, into: np.ndarray) -> None:
    """Copy weights by a loop, which compiles in half the time of a slice assignment."""
    for asset in range(len(weights)):
        into[asset] = weights[asset]


@_inner
def _drifted(
    held: np.ndarray, prices: np.ndarray, growth: np.ndarray, traded: int, at: int
) -> np.ndarray:
    """Return the weights at a session's close, after their drift since the last trade."""
    now = held.copy()
    if at == traded:
        return now
    invested = worth = 0.0
    for asset in range(len(held)):
        if held[asset] != 0:
            now[asset] = held[asset] * (prices[at, asset] / prices[traded, asset])
        invested += held[asset]
        worth += now[asset]
    worth += (1 - invested) * growth[at] / growth[traded]
    if worth <= 0:
        return held.copy()
    for asset in range(len(held)):
        now[asset] /= worth
    return now


@_inner
def _differ(target: np.ndarray, held: np.ndarray, band: float) -> bool:
    """Return whether a target weight differs from the held weight by more than the band."""
    differs = False
    for asset in range(len(held)):
        differs = differs or abs(target[asset] - held[asset]) > band
    return differs


@_inner
def _exceeds(weights: np.ndarray, gross_limit: float) -> bool:
    """Return whether a portfolio with a short position exceeds its limit of gross exposure."""
    gross, shorts = 0.0, False
    for weight in weights:
        gross += abs(weight)
        shorts = shorts or weight < 0
    return shorts and gross > gross_limit + 1e-9


@_stored
def trade(
    sizes: np.ndarray, prices: np.ndarray, fees: np.ndarray, groups: np.ndarray, capital: float
) -> np.ndarray:
    """Return value, gross value, traded value and costs at each close, all deflated.

    Parameters
    ----------
    sizes, prices
        Tables of sessions × legs: the target weight of each trade, NaN without a trade, and the
        deflated price.
    fees, groups
        ``fees`` holds each leg's cost of a trade, a fraction of the traded value. ``groups`` holds
        the number of each leg's asset. The legs of an asset are next to each other.
    """
    sessions, legs = prices.shape
    figures = np.zeros((sessions, 4))
    units, changes, order = np.zeros(legs), np.zeros(legs), np.zeros(legs, dtype=np.int64)
    cash = booked = capital  # ``cash`` limits purchases; ``booked`` is vectorbt's own record
    for at in range(sessions):
        worth, _ = _value(cash, units, prices[at], groups)
        flow = 0.0
        for leg in order[: _queue(sizes[at], prices[at], units, worth, changes, order)]:
            price = prices[at, leg]
            wanted = sizes[at, leg] * worth / price - units[leg]
            bought, paid, cash = _filled(wanted, price, fees[leg], cash)
            units[leg] = _plus(units[leg], bought)
            flow -= bought * price + paid
            figures[at, 2] += abs(bought) * price
            figures[at, 3] += paid
        booked = _plus(booked, flow)
        figures[at, 0], figures[at, 1] = _value(booked, units, prices[at], groups)
    return figures


@_inner
def _queue(
    sizes: np.ndarray,
    prices: np.ndarray,
    units: np.ndarray,
    worth: float,
    changes: np.ndarray,
    order: np.ndarray,
) -> int:
    """Write the legs to trade into ``order``, the largest sale first; return their number."""
    count = 0
    for leg in range(len(units)):
        if worth <= 0 or np.isnan(sizes[leg]) or np.isnan(prices[leg]):
            continue
        changes[leg] = sizes[leg] * worth - units[leg] * prices[leg]
        place = count
        while place > 0 and changes[order[place - 1]] > changes[leg]:
            order[place] = order[place - 1]
            place -= 1
        order[place] = leg
        count += 1
    return count


@_inner
def _filled(wanted: float, price: float, fee: float, cash: float) -> tuple[float, float, float]:
    """Return the traded units, the cost and the remaining cash of an order, as in vectorbt."""
    if abs(wanted) <= TINY:
        return 0.0, 0.0, cash
    paid = abs(wanted) * price * fee
    if wanted < 0:
        earned = _plus(-wanted * price, -paid)
        return (wanted, paid, cash + earned) if earned >= 0 else (0.0, 0.0, cash)
    due = wanted * price + paid
    if cash <= TINY:
        return 0.0, 0.0, cash
    if due <= cash or _equal(due, cash):
        return wanted, paid, _plus(cash, -due)
    spent = cash / (1 + fee)
    return spent / price, cash - spent, 0.0


@_inner
def _value(
    cash: float, units: np.ndarray, prices: np.ndarray, groups: np.ndarray
) -> tuple[float, float]:
    """Return the value and the gross value of a portfolio, with the two legs of an asset netted."""
    value, net, gross = cash, 0.0, 0.0
    for leg in range(len(units)):
        if leg > 0 and groups[leg] != groups[leg - 1]:
            gross += abs(net)
            net = 0.0
        if units[leg] != 0:
            net += units[leg] * prices[leg]
            value += units[leg] * prices[leg]
    return value, gross + abs(net)


@_inner
def _plus(a: float, b: float) -> float:
    """Return the sum of two amounts, or 0 if the sum is only a rounding error."""
    return 0.0 if _equal(a, -b) else a + b


@_inner
def _equal(a: float, b: float) -> bool:
    """Return whether two amounts are equal, except for rounding."""
    return abs(a - b) <= max(NEAR * max(abs(a), abs(b)), TINY)
