"""The loops of the kernel, compiled by numba.

:func:`trade` simulates many configurations of one market. It chooses the trades as
:func:`backtests.engine.schedule.choose_trades` does. It computes units, cash and costs as vectorbt
does. Each step rounds in the same way as the code that it copies. So a comparison of two almost
equal numbers has the same result in the loop and in the copied code.

The simulation of a configuration uses no data of other configurations. So its results do not depend
on the number of threads. For a long-only portfolio, the loop visits only three kinds of sessions:
sessions with a decision, with a fill, or with a price that becomes stale. The values at the closes
between two trades are computed together. For a portfolio with short positions, the loop visits
every close, because gross exposure can drift beyond its limit. :mod:`backtests.engine.compiled`
says why all loops are in one file.
"""

from typing import NamedTuple

import numpy as np

from backtests.engine.compiled import allocating, inner, stored

#: vectorbt treats two amounts as equal if their relative difference is at most this value.
NEAR = 1e-9
#: vectorbt treats an amount of at most this size as zero.
TINY = 1e-12
#: Number of sessions whose portfolio values are computed in one step. Tables of assets × sessions
#: have this number of extra columns.
STEP = 24
#: A sum of weights may exceed its limit by this fraction. `check_weights` allows a little less.
SLACK = 1e-9 + 1e-12
#: Positions in ``Book.cash``: cash that limits purchases, and cash in vectorbt's own record.
CASH, BOOKED = range(2)
#: Positions in ``Book.marks``: session of the last trade, first session that has no value yet,
#: position of the oldest waiting decision in ``Book.queue``, and number of waiting decisions.
TRADED, NEXT, OLDEST, WAITING = range(4)


class Market(NamedTuple):
    """Arrays of the market: sessions × assets, or one value for each session.

    Comments state the shapes of the other arrays.
    """

    lines: np.ndarray  # last price / growth of bills, assets × (sessions + STEP)
    deflated: np.ndarray  # the same, sessions × assets
    prices: np.ndarray  # last price, USD
    priced: np.ndarray  # whether the session has a price
    lost: np.ndarray  # whether the last price becomes stale at this session
    lost_at: np.ndarray  # the sessions at which a last price becomes stale
    growth: np.ndarray  # growth of bills since the first session
    days: np.ndarray  # calendar days since the previous session; 0 at the first session


class Frames(NamedTuple):
    """The tables of target weights, joined in flat arrays."""

    targets: np.ndarray  # weights, row by row
    when: np.ndarray  # session of each decision
    columns: np.ndarray  # position in the market of each column's asset
    starts: np.ndarray  # (tables + 1) × 3: start of each table in the three arrays above


class Terms(NamedTuple):
    """The weights, costs, lag, drift band and gross limit of each configuration."""

    frame: np.ndarray  # number of the configuration's table of weights
    tariff: np.ndarray  # number of the configuration's costs
    lag: np.ndarray
    band: np.ndarray
    limit: np.ndarray
    fees: np.ndarray  # costs × assets: cost of a trade, a fraction of its value
    borrow: np.ndarray  # costs × assets: cost of borrowing, a fraction of the debt a year
    capital: float


class Room(NamedTuple):
    """The results that ``trade`` writes, one row for each configuration.

    In the comments, ``× n`` means that each row has ``n`` columns.
    """

    value: np.ndarray  # × (sessions + STEP): value at each close / growth of bills, USD
    exposed: np.ndarray  # × (sessions + STEP): gross exposure at each close, a fraction
    totals: np.ndarray  # × 3: Σ value traded / equity, costs in USD, sessions with a trade
    traded: np.ndarray  # × sessions: value traded / equity; no rows if not requested
    paid: np.ndarray  # × sessions: costs in USD; no rows if not requested
    refused: np.ndarray  # whether the weights are not finite or exceed a limit


class Plan(NamedTuple):
    """One configuration: decisions, costs, lag, limits, and prices of short positions."""

    targets: np.ndarray  # decisions × assets
    when: np.ndarray
    columns: np.ndarray
    fees: np.ndarray  # by leg
    shorts: np.ndarray  # assets × (sessions + STEP); no rows for a long-only portfolio
    lag: int
    band: float
    limit: float


class Book(NamedTuple):
    """The state of one portfolio. ``units`` and all later arrays have one value for each leg."""

    held: np.ndarray  # weights after the last trade
    last: np.ndarray  # weights of the last decision
    now: np.ndarray  # weights after the drift
    sizes: np.ndarray  # target weight of each asset that trades now; NaN for other assets
    queue: np.ndarray  # ring buffer of the decisions that wait for their fill
    sent: np.ndarray  # session of each decision in queue
    cash: np.ndarray
    marks: np.ndarray
    units: np.ndarray
    goals: np.ndarray
    quotes: np.ndarray
    wanted: np.ndarray
    changes: np.ndarray
    order: np.ndarray


@stored
def trade(market: Market, frames: Frames, terms: Terms, room: Room, first: int) -> None:
    """Simulate consecutive configurations, one for each row of ``room``.

    ``first`` is the number of the first configuration.
    """
    for row in range(len(room.value)):
        plan = _plan(market, frames, terms, first + row)
        room.refused[row] = not _sound(plan)
        if not room.refused[row]:
            _follow(market, plan, _book(plan, terms.capital), room, row)


@allocating
def _plan(market: Market, frames: Frames, terms: Terms, i: int) -> Plan:
    """Return the configuration with number ``i``."""
    start, end = frames.starts[terms.frame[i]], frames.starts[terms.frame[i] + 1]
    columns = frames.columns[start[2] : end[2]]
    when = frames.when[start[1] : end[1]]
    targets = frames.targets[start[0] : end[0]].reshape((len(when), len(columns)))
    shorts = _shorts(market, targets, columns, terms.borrow[terms.tariff[i]])
    sides = 2 if len(shorts) else 1
    fees = np.zeros(sides * len(columns))
    for k in range(len(columns)):
        fees[sides * k : sides * (k + 1)] = terms.fees[terms.tariff[i], columns[k]]
    lag = min(terms.lag[i], len(market.growth))
    return Plan(targets, when, columns, fees, shorts, lag, terms.band[i], terms.limit[i])


@allocating
def _shorts(
    market: Market, targets: np.ndarray, columns: np.ndarray, borrow: np.ndarray
) -> np.ndarray:
    """Return the prices of short positions: deflated prices, increased by the borrowing cost.

    If no weight is negative, the table has no rows.
    """
    negative = False
    for row in range(len(targets)):
        for k in range(len(columns)):
            negative = negative or targets[row, k] < 0
    lines = np.zeros((len(columns) if negative else 0, market.lines.shape[1]))
    for k in range(len(lines)):
        owed = 1.0
        for at in range(len(market.growth)):
            owed *= 1 + borrow[columns[k]] * market.days[at] / 365
            lines[k, at] = market.prices[at, columns[k]] * owed / market.growth[at]
    return lines


@inner
def _sound(plan: Plan) -> bool:
    """Return whether all weights are finite and within their limits."""
    for row in range(len(plan.targets)):
        net = gross = 0.0
        for k in range(len(plan.columns)):
            net += plan.targets[row, k]
            gross += abs(plan.targets[row, k])
        if not (net <= 1 + SLACK and gross <= plan.limit + SLACK):
            return False
    return True


@allocating
def _book(plan: Plan, capital: float) -> Book:
    """Return a portfolio that holds only cash."""
    assets = len(plan.columns)
    legs = 2 * assets if len(plan.shorts) else assets
    waiting = min(plan.lag, len(plan.when) + 1) + 1
    return Book(
        np.zeros(assets), np.zeros(assets), np.zeros(assets), np.full(assets, np.nan),
        np.zeros((waiting, assets)), np.zeros(waiting, dtype=np.int64),
        np.full(2, capital), np.zeros(4, dtype=np.int64), np.zeros(legs), np.zeros(legs),
        np.zeros(legs), np.zeros(legs), np.zeros(legs), np.zeros(legs, dtype=np.int64),
    )  # fmt: skip


@inner
def _follow(market: Market, plan: Plan, book: Book, room: Room, row: int) -> None:
    """Choose and execute the trades of a configuration, session after session."""
    decided = lost = fills = 0
    every = len(plan.shorts) > 0
    at = 0 if every else _next(market, plan, book, decided, lost)
    while at < len(market.growth):
        trades = False
        if lost < len(market.lost_at) and market.lost_at[lost] == at:
            trades, lost = _give_up(market, plan, book, at), lost + 1
        if book.marks[WAITING] > 0 and book.sent[book.marks[OLDEST]] + plan.lag == at:
            _fill(market, plan, book, at)
            trades = True
        if decided < len(plan.when) and plan.when[decided] == at:
            _decide(market, plan, book, decided, at)
            decided += 1
        if every and book.marks[WAITING] == 0:
            _hold_to_limit(market, plan, book, at)
        if trades:
            _value(market, plan, book, room, row, at)
            fills += _trade(market, plan, book, room, row, at)
        at = at + 1 if every else _next(market, plan, book, decided, lost)
    _value(market, plan, book, room, row, len(market.growth))
    room.totals[row, 2] = fills


@inner
def _next(market: Market, plan: Plan, book: Book, decided: int, lost: int) -> int:
    """Return the next session with a decision, with a fill, or with a price that becomes stale."""
    at = len(market.growth)
    if decided < len(plan.when):
        at = plan.when[decided]
    if lost < len(market.lost_at):
        at = min(at, market.lost_at[lost])
    if book.marks[WAITING] > 0:
        at = min(at, book.sent[book.marks[OLDEST]] + plan.lag)
    return at


@inner
def _give_up(market: Market, plan: Plan, book: Book, at: int) -> bool:
    """Close holdings whose price becomes stale. Return True if any price becomes stale.

    If a holding is closed, its asset gets the weight 0 in all decisions that wait for their fill.
    """
    loses = holds = False
    for k in range(len(plan.columns)):
        if market.lost[at, plan.columns[k]]:
            book.sizes[k] = 0.0
            loses, holds = True, holds or book.held[k] != 0
    if holds:
        _drift(market, plan, book, at)
        for k in range(len(plan.columns)):
            gone = market.lost[at, plan.columns[k]] and book.held[k] != 0
            book.held[k] = 0.0 if gone else book.now[k]
            if gone:
                book.last[k] = 0.0
                book.queue[:, k] = 0.0
        book.marks[TRADED] = at
    return loses


@inner
def _fill(market: Market, plan: Plan, book: Book, at: int) -> None:
    """Apply the oldest decision in ``queue`` to all assets that have a price at the session."""
    oldest = book.marks[OLDEST]
    if not _all_priced(market, plan, at):
        _drift(market, plan, book, at)
    for k in range(len(plan.columns)):
        if market.priced[at, plan.columns[k]]:
            book.now[k] = book.sizes[k] = book.queue[oldest, k]
        book.held[k] = book.now[k]
    book.marks[TRADED] = at
    book.marks[OLDEST] = (oldest + 1) % len(book.queue)
    book.marks[WAITING] -= 1


@inner
def _all_priced(market: Market, plan: Plan, at: int) -> bool:
    priced = True
    for k in range(len(plan.columns)):
        priced &= market.priced[at, plan.columns[k]]
    return priced


@inner
def _decide(market: Market, plan: Plan, book: Book, decided: int, at: int) -> None:
    """Schedule the fill of a decision if a weight changes by more than the band."""
    newest = (book.marks[OLDEST] + book.marks[WAITING] - 1) % len(book.queue)
    waits = book.marks[WAITING] > 0
    if not waits:
        _drift(market, plan, book, at)
    differs = False
    for k in range(len(plan.columns)):
        now = book.queue[newest, k] if waits else book.now[k]
        book.last[k] = plan.targets[decided, k]
        differs = differs or abs(book.last[k] - now) > plan.band
    if differs:
        _send(market, plan, book, at)


@inner
def _send(market: Market, plan: Plan, book: Book, at: int) -> None:
    """Put the last decision into the queue if the sessions include the session of its fill."""
    if at + plan.lag < len(market.growth):
        place = (book.marks[OLDEST] + book.marks[WAITING]) % len(book.queue)
        for k in range(len(plan.columns)):
            book.queue[place, k] = book.last[k]
        book.sent[place] = at
        book.marks[WAITING] += 1


@inner
def _hold_to_limit(market: Market, plan: Plan, book: Book, at: int) -> None:
    """If gross exposure is above its limit, schedule a trade back to the last target weights."""
    _drift(market, plan, book, at)
    gross, shorts = 0.0, False
    for weight in book.now:
        gross += abs(weight)
        shorts = shorts or weight < 0
    if shorts and gross > plan.limit + 1e-9:
        _send(market, plan, book, at)


@inner
def _drift(market: Market, plan: Plan, book: Book, at: int) -> None:
    """Write the drifted weights at a close into ``now``; the drift starts at the last trade."""
    held, now, since = book.held, book.now, book.marks[TRADED]
    invested = worth = 0.0
    for k in range(len(held)):
        now[k] = held[k]
        if held[k] != 0 and at != since:
            column = plan.columns[k]
            now[k] *= market.prices[at, column] / market.prices[since, column]
        invested += held[k]
        worth += now[k]
    worth += (1 - invested) * market.growth[at] / market.growth[since]
    if at != since:
        for k in range(len(held)):
            now[k] = now[k] / worth if worth > 0 else held[k]


@inner
def _trade(market: Market, plan: Plan, book: Book, room: Room, row: int, at: int) -> bool:
    """Fill the orders of a session, the largest sale first; return whether anything is traded."""
    worth = _quote(market, plan, book, at)
    pays, last = _want(book, plan.fees, worth)
    if pays:
        traded, costs, flow = _fill_all(book, plan.fees, last)
    else:
        traded, costs, flow = _fill_in_order(book, plan.fees)
    book.cash[BOOKED] = _plus(book.cash[BOOKED], flow)
    value = book.cash[BOOKED]
    for leg in range(len(book.units)):
        if book.units[leg] != 0:
            value += book.units[leg] * book.quotes[leg]
    _note(room, row, at, traded / value, costs * market.growth[at])
    return traded > 0


@inner
def _want(book: Book, fees: np.ndarray, worth: float) -> tuple[bool, int]:
    """Write the units to trade in each leg, and the resulting change of the leg's value.

    Return two values. The first value says whether the cash pays for all purchases except the
    largest. The second value is the leg of the largest purchase, or −1 if there is no purchase.
    """
    cash, spent, largest, last = book.cash[CASH], 0.0, 0.0, -1
    for leg in range(len(book.units)):
        goal = book.goals[leg] * (worth if worth > 0 else np.nan)
        change = goal - book.units[leg] * book.quotes[leg]
        book.changes[leg] = change  # NaN if nothing is traded: all comparisons below are false
        book.wanted[leg] = goal / book.quotes[leg] - book.units[leg]
        cost = abs(change) * fees[leg]
        cash -= change + cost if change < 0 else 0.0
        spent += change + cost if change > 0 else 0.0
        if change > 0 and change >= largest:
            largest, last = change, leg
    others = spent - (largest + largest * fees[last] if last >= 0 else 0.0)
    return others <= cash * (1 - 1e-6) - 1e-9, last


@inner
def _fill_all(book: Book, fees: np.ndarray, last: int) -> tuple[float, float, float]:
    """Fill the sales, then the smaller purchases, then the largest purchase (leg ``last``).

    Return the value traded, the costs, and the change of cash. vectorbt's own record of the cash
    has the same change. Numbers are added in the same sequence as in vectorbt. The sequence matters
    because a rounding error in the cash can decide which of two equal orders is filled.
    """
    cash, flow, traded, costs = book.cash[CASH], 0.0, 0.0, 0.0
    for leg in range(len(book.units)):
        sold = -book.wanted[leg] if book.wanted[leg] < -TINY else 0.0
        amount = sold * book.quotes[leg]
        paid = amount * fees[leg]
        cash += amount - paid
        flow += amount - paid
        traded += amount
        costs += paid
    for leg in range(len(book.units)):
        wanted = 0.0 if leg == last else book.wanted[leg]
        bought = wanted if wanted > TINY else 0.0
        amount = bought * book.quotes[leg]
        paid = amount * fees[leg]
        cash -= amount + paid
        flow -= amount + paid
        traded += amount
        costs += paid
        move = wanted if abs(wanted) > TINY else 0.0
        book.units[leg] = _plus(book.units[leg], move)
    book.cash[CASH] = cash
    if last < 0:
        return traded, costs, flow
    units, paid = _filled(book.wanted[last], book.quotes[last], fees[last], book.cash)
    book.units[last] = _plus(book.units[last], units)
    amount = units * book.quotes[last]
    return traded + amount, costs + paid, flow - (amount + paid)


@inner
def _fill_in_order(book: Book, fees: np.ndarray) -> tuple[float, float, float]:
    """Fill the orders, the largest sale first, as far as the cash is sufficient."""
    flow = traded = costs = 0.0
    for leg in book.order[: _sort(book)]:
        price = book.quotes[leg]
        bought, paid = _filled(book.wanted[leg], price, fees[leg], book.cash)
        book.units[leg] = _plus(book.units[leg], bought)
        flow -= bought * price + paid
        traded += abs(bought) * price
        costs += paid
    return traded, costs, flow


@inner
def _note(room: Room, row: int, at: int, traded: float, paid: float) -> None:
    """Add a session's trades and costs to the totals; also write daily figures if requested."""
    room.totals[row, 0] += traded
    room.totals[row, 1] += paid
    if row < len(room.traded):
        room.traded[row, at] = traded
        room.paid[row, at] = paid


@inner
def _quote(market: Market, plan: Plan, book: Book, at: int) -> float:
    """Write the price and target of each leg, clear the sizes, and return the value before trades.

    The short leg of an asset comes before its long leg.
    """
    leg, worth = 0, book.cash[CASH]
    for k in range(len(plan.columns)):
        size = book.sizes[k]
        book.sizes[k] = np.nan
        if len(plan.shorts):
            book.quotes[leg] = plan.shorts[k, at]
            book.goals[leg] = 0.0 if size > 0 else size
            leg += 1
        book.quotes[leg] = market.deflated[at, plan.columns[k]]
        book.goals[leg] = 0.0 if size < 0 else size
        leg += 1
    for leg in range(len(book.units)):
        if book.units[leg] != 0:
            worth += book.units[leg] * book.quotes[leg]
    return float(worth)


@inner
def _sort(book: Book) -> int:
    """Set ``order`` to the legs that trade, the largest sale first. Return the number of legs."""
    count = 0
    order, changes = book.order, book.changes
    for leg in range(len(book.units)):
        if np.isnan(changes[leg]):
            continue
        place = count
        while place > 0 and changes[order[place - 1]] > changes[leg]:
            order[place] = order[place - 1]
            place -= 1
        order[place] = leg
        count += 1
    return count


@inner
def _filled(wanted: float, price: float, fee: float, purse: np.ndarray) -> tuple[float, float]:
    """Fill an order as vectorbt does, and return the traded units and the cost."""
    cash = purse[CASH]
    if abs(wanted) <= TINY:
        return 0.0, 0.0
    paid = abs(wanted) * price * fee
    if wanted < 0:
        earned = _plus(-wanted * price, -paid)
        if earned < 0:
            return 0.0, 0.0
        purse[CASH] = cash + earned
        return wanted, paid
    due = wanted * price + paid
    if cash <= TINY:
        return 0.0, 0.0
    if due <= cash or _equal(due, cash):
        purse[CASH] = _plus(cash, -due)
        return wanted, paid
    spent = cash / (1 + fee)
    purse[CASH] = 0.0
    return spent / price, cash - spent


@inner
def _plus(a: float, b: float) -> float:
    """Return the sum of two amounts, or 0 if the sum is only a rounding error."""
    return 0.0 if _equal(a, -b) else a + b


@inner
def _equal(a: float, b: float) -> bool:
    """Return whether two amounts differ at most by rounding."""
    return abs(a - b) <= max(NEAR * max(abs(a), abs(b)), TINY)


@inner
def _value(market: Market, plan: Plan, book: Book, room: Room, row: int, end: int) -> None:
    """Write the portfolio's value at each close that has no value yet and is before ``end``.

    Each step computes the values of several sessions. The last step may go beyond ``end``; the next
    call overwrites the values at and after ``end``.
    """
    value, exposed = room.value[row], room.exposed[row]
    start, book.marks[NEXT] = book.marks[NEXT], end
    if len(plan.shorts):
        _value_legs(market, plan, book, value, exposed, start, end)
        return
    count = _held(plan, book)
    for at in range(start, end, STEP):
        here = value[at : at + STEP]
        for j in range(STEP):
            here[j] = book.cash[BOOKED]
        done = 0
        while done + 4 <= count:
            _add_four(market.lines, plan.columns, book, done, at, here)
            done += 4
        for i in range(done, count):
            k = book.order[i]
            line = market.lines[plan.columns[k], at : at + STEP]
            units = book.units[k]
            for j in range(STEP):
                here[j] += units * line[j]
    for at in range(start, end):
        exposed[at] = 1 - book.cash[BOOKED] / value[at]


@inner
def _held(plan: Plan, book: Book) -> int:
    """Fill ``order`` with the legs whose units are not 0, and return the number of these legs."""
    count = 0
    for leg in range(len(book.units)):
        if book.units[leg] != 0:
            book.order[count] = leg
            count += 1
    return count


@inner
def _add_four(
    lines: np.ndarray, columns: np.ndarray, book: Book, done: int, at: int, here: np.ndarray
) -> None:
    """Add the values of four legs, in one pass over the sessions of a step."""
    a, b, c, d = book.order[done], book.order[done + 1], book.order[done + 2], book.order[done + 3]
    one, two = book.units[a], book.units[b]
    three, four = book.units[c], book.units[d]
    first, second = lines[columns[a], at : at + STEP], lines[columns[b], at : at + STEP]
    third, fourth = lines[columns[c], at : at + STEP], lines[columns[d], at : at + STEP]
    for j in range(STEP):
        here[j] = here[j] + one * first[j] + two * second[j] + three * third[j] + four * fourth[j]


@inner
def _value_legs(
    market: Market, plan: Plan, book: Book, value: np.ndarray, exposed: np.ndarray, start: int,
    end: int,
) -> None:  # fmt: skip
    """Write values and gross exposure.

    In gross exposure, an asset's short leg offsets its long leg.
    """
    for at in range(start, end):
        worth, gross = book.cash[BOOKED], 0.0
        for k in range(len(plan.columns)):
            net = 0.0
            if book.units[2 * k] != 0:
                net = book.units[2 * k] * plan.shorts[k, at]
                worth += net
            if book.units[2 * k + 1] != 0:
                long = book.units[2 * k + 1] * market.deflated[at, plan.columns[k]]
                worth += long
                net += long
            gross += abs(net)
        value[at] = worth
        exposed[at] = gross / worth
