"""The loops of the kernel, compiled by numba.

:func:`trade` simulates many configurations of one market. The loops choose the same trades as
:func:`backtests.engine.schedule.choose_trades`, and compute the same units, cash and costs as
vectorbt. The loops round numbers in the same way as ``choose_trades`` and vectorbt. So a comparison
of almost equal numbers has the same result in the loops, in ``choose_trades`` and in vectorbt.

Configurations with the same assets form a team. If several portfolios of a team trade at the same
session, their trades are computed together. The inner loops run over the portfolios of a team, so
one instruction of the processor computes several portfolios. The numbers of a portfolio and their
rounding do not depend on the other portfolios, or on the number of threads.

For long-only portfolios, :func:`trade` visits only sessions with a decision, with a fill, or with a
price that becomes stale. At a session with trades, :func:`trade` first values all portfolios of the
team at every close since the previous trades. For portfolios with short positions, :func:`trade`
visits every close, because gross exposure can drift beyond its limit.
:mod:`backtests.engine.compiled` says why all loops are in one file.
"""

from typing import NamedTuple

import numpy as np

from backtests.engine.compiled import allocating, called, inner, reordering, stored

#: vectorbt treats two amounts as equal if their relative difference is at most this value.
NEAR = 1e-9
#: vectorbt treats an amount of at most this size as zero.
TINY = 1e-12
#: Number of legs whose values are added in one step of :func:`_value_long`.
STEP = 4
#: A sum of weights exceeds its limit only if it is above the limit by more than this fraction.
#: :mod:`backtests.engine.schedule` repeats this value, because numba does not notice a change in
#: another file.
ROUNDING = 1e-9
#: Target weights are refused if a sum exceeds its limit by more than this fraction. `check_weights`
#: allows a little less.
SLACK = ROUNDING + TINY
#: Largest number of portfolios that trade side by side. LANES is for long-only portfolios.
#: SHORT_LANES is for portfolios with short positions, which need much more memory.
LANES, SHORT_LANES = 32, 8
#: First column of each figure in a row of ``Book.legs``. UNITS are the units of the leg, QUOTE is
#: the price, and FEE is the cost rate. GOAL is the target weight; NaN if there is no trade. WANTED
#: are the units to trade. CHANGE is the change of the leg's value. LEG is the number of columns.
UNITS, QUOTE, FEE, GOAL, WANTED, CHANGE, LEG = range(0, 7 * LANES, LANES)
#: First position of each figure in ``Book.purse``. PURSE is the number of positions. CASH limits
#: purchases, and BOOKED is the cash in vectorbt's own record. WORTH is the value of the portfolio.
#: LEFT, SPENT, FLOW, TRADED and COSTS are sums of one session. LARGEST is the value of the largest
#: purchase, DUE is its value with costs, and LAST is its leg. :func:`_want` describes PAYS.
#: ALL_TURNED, ALL_PAID, ALL_FILLED and ALL_EXPOSED are the sums for ``Room.totals`` so far.
CASH, BOOKED, WORTH, LEFT, SPENT, LARGEST, DUE, LAST, PAYS = range(0, 9 * LANES, LANES)
FLOW, TRADED, COSTS, ALL_TURNED, ALL_PAID, ALL_FILLED, ALL_EXPOSED, PURSE = range(
    9 * LANES, 17 * LANES, LANES
)
#: Columns of ``Room.totals``. TURNED is the sum of value traded / equity. PAID is the sum of costs
#: in USD. FILLED is the number of sessions with a trade. EXPOSED is the sum of gross exposures at
#: all closes except the first. TOTALS is the number of columns.
TURNED, PAID, FILLED, EXPOSED, TOTALS = range(5)
#: Columns of ``Frames.places``, one row per table of weights. TARGETS, WHEN and COLUMNS are the
#: table's first positions in ``targets``, ``when`` and ``columns``. DECISIONS and ASSETS are the
#: numbers of decisions and assets. PLACE is the number of columns of ``places``. Tables may share
#: the positions in ``when`` and ``columns``.
TARGETS, WHEN, COLUMNS, DECISIONS, ASSETS, PLACE = range(6)
#: If a difference exceeds the band by more than this value, rounding errors cannot change the
#: result of the comparison.
CLEAR = 1e-9
#: Columns of ``Book.marks``. TRADED_AT is the session of the last trade. OLDEST is the position of
#: the oldest waiting decision in ``Book.queue``. WAITING is the number of waiting decisions.
#: DECIDED is the number of decisions so far. LOST is the number of sessions so far at which a price
#: became stale. DUE_AT is the next session to visit. MARKS is the number of columns.
TRADED_AT, OLDEST, WAITING, DECIDED, LOST, DUE_AT, MARKS = range(7)


class Market(NamedTuple):
    """Arrays of the market: sessions × assets, or one value for each session.

    If an array has another shape, the comment beside the array states this shape.
    """

    deflated: np.ndarray  # last price / growth of bills
    inverse: np.ndarray  # 1 / deflated
    prices: np.ndarray  # last price, USD
    priced: np.ndarray  # whether the session has a price
    complete: np.ndarray  # whether the session has the prices of all assets
    lost: np.ndarray  # whether the last price becomes stale at this session
    lost_at: np.ndarray  # the sessions at which a last price becomes stale
    growth: np.ndarray  # growth of bills since the first session
    days: np.ndarray  # calendar days since the previous session; 0 at the first session


class Frames(NamedTuple):
    """All tables of target weights, as flat arrays."""

    targets: np.ndarray  # weights, column by column
    when: np.ndarray  # session of each decision
    columns: np.ndarray  # position in the market of each column's asset
    places: np.ndarray  # tables × PLACE


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

    value: np.ndarray  # sessions × rows: value at each close / growth of bills, USD
    totals: np.ndarray  # × TOTALS
    exposed: np.ndarray  # sessions × rows: gross exposure at each close, a fraction
    traded: np.ndarray  # × sessions: value traded / equity; no rows if not requested
    paid: np.ndarray  # × sessions: costs in USD; no rows if not requested
    refused: np.ndarray  # whether a weight is not finite or a sum of weights exceeds its limit


class Team(NamedTuple):
    """Configurations with the same assets, which are simulated together.

    Either all configurations of a team have short positions, or none.

    The field ``rows`` and the fields from ``when`` to ``shorts`` have one value or one row for each
    configuration. In each array of prices or weights, numbers that the loops use together are close
    together in memory.
    """

    sides: int  # 2 if the team has short positions, otherwise 1
    columns: np.ndarray  # position in the market of each asset
    rows: np.ndarray  # row in ``Room``
    deflated: np.ndarray  # ``Market.deflated`` of the assets, and 1 / deflated
    inverse: np.ndarray
    weights: np.ndarray  # target weights, decisions × configurations × assets
    when: np.ndarray  # position of the first decision in ``Frames.when``
    decisions: np.ndarray  # number of decisions
    lag: np.ndarray
    band: np.ndarray
    limit: np.ndarray
    shorts: np.ndarray  # × assets × sessions: prices of short positions; no rows if long-only


class Book(NamedTuple):
    """The state of all portfolios in a :class:`Team`. A lane is a portfolio's position in the team.

    The arrays from ``held`` to ``trades`` have one row for each portfolio. For each figure,
    ``legs`` and ``purse`` contain the values of all portfolios, one after the other. A leg is the
    long or the short side of an asset. Each row of ``legs`` contains all figures of one leg. So the
    compiler knows that the figures do not overlap in memory.
    """

    held: np.ndarray  # × assets: weights after the last trade
    last: np.ndarray  # × assets: weights of the last decision, if there are short positions
    queue: np.ndarray  # × waiting × assets: ring buffer of the decisions that wait for their fill
    sent: np.ndarray  # × waiting: session of each decision in queue
    marks: np.ndarray  # × MARKS
    trades: np.ndarray  # whether the portfolio trades at this session
    now: np.ndarray  # assets: weights of one portfolio after the drift
    order: np.ndarray  # legs of one portfolio
    parts: np.ndarray  # cash, units and sums, as :func:`_value_long` reads them
    legs: np.ndarray  # legs × LEG
    purse: np.ndarray  # PURSE


# --- Teams ---------------------------------------------------------------------------------------


@stored
def trade(market: Market, frames: Frames, terms: Terms, room: Room, first: int) -> None:
    """Simulate consecutive configurations, one for each row of ``room``.

    ``first`` is the number of the first configuration.
    """
    room.totals[:] = 0.0
    sides = _sides(frames, terms, room, first)
    done = 0
    while done < len(sides):
        rows = _alike(frames, terms, sides, first, done)
        done = rows[-1] + 1
        if sides[rows[0]] > 0:
            team = _team(market, frames, terms, rows, first, sides[rows[0]])
            _follow(market, frames, team, _book(terms, team, first), room)


@allocating
def _sides(frames: Frames, terms: Terms, room: Room, first: int) -> np.ndarray:
    """Return 1, 2 or 0 for each configuration.

    1 means long-only, 2 means with short positions, and 0 means refused.
    """
    sides = np.zeros(len(room.refused), dtype=np.int64)
    for row in range(len(sides)):
        frame = terms.frame[first + row]
        targets = _targets(frames, frame)
        sums = np.zeros((2, frames.places[frame, DECISIONS]))
        room.refused[row] = not _sound(targets, terms.limit[first + row], sums)
        if not room.refused[row]:
            sides[row] = 2 if _any_negative(targets) else 1
    return sides


@called
def _sound(targets: np.ndarray, limit: float, sums: np.ndarray) -> bool:
    """Return whether all weights are finite and within their limits.

    Before the call, ``sums`` contains zeros. After the call, ``sums`` contains the net and the
    gross weight of each decision.
    """
    net, gross = sums[0], sums[1]
    for start in range(0, len(targets), max(len(net), 1)):
        weights = targets[start : start + len(net)]
        for at in range(len(net)):
            net[at] += weights[at]
            gross[at] += abs(weights[at])
    wrong = 0
    for at in range(len(net)):
        wrong += not ((net[at] <= 1 + SLACK) & (gross[at] <= limit + SLACK))
    return wrong == 0


@inner
def _any_negative(targets: np.ndarray) -> bool:
    negative = 0
    for weight in targets:
        negative += weight < 0
    return negative > 0


@allocating
def _alike(frames: Frames, terms: Terms, sides: np.ndarray, first: int, start: int) -> np.ndarray:
    """Return the rows of a team: consecutive rows with equal assets and equal ``sides``."""
    most = SHORT_LANES if sides[start] == 2 else LANES
    assets = _assets(frames, terms.frame[first + start])
    end = start + 1
    while end < min(len(sides), start + most) and sides[end] == sides[start]:
        if not _same(assets, _assets(frames, terms.frame[first + end])):
            break
        end += 1
    return np.arange(start, end)


@allocating
def _assets(frames: Frames, frame: int) -> np.ndarray:
    start = frames.places[frame, COLUMNS]
    return frames.columns[start : start + frames.places[frame, ASSETS]]


@allocating
def _targets(frames: Frames, frame: int) -> np.ndarray:
    """Return the target weights of a table, column by column."""
    start, size = frames.places[frame, TARGETS], frames.places[frame, DECISIONS]
    return frames.targets[start : start + size * frames.places[frame, ASSETS]]


@inner
def _same(a: np.ndarray, b: np.ndarray) -> bool:
    same = len(a) == len(b)
    for k in range(min(len(a), len(b))):
        same &= a[k] == b[k]
    return same


@allocating
def _team(
    market: Market, frames: Frames, terms: Terms, rows: np.ndarray, first: int, sides: int
) -> Team:
    """Return the team of the configurations in ``rows``."""
    given = first + rows
    frame = terms.frame[given]
    columns = _assets(frames, frame[0])
    shorts = np.zeros((len(rows) if sides == 2 else 0, len(columns), len(market.growth)))
    for lane in range(len(shorts)):
        _owe(market, columns, terms.borrow[terms.tariff[given[lane]]], shorts[lane])
    count, lag = frames.places[frame, DECISIONS], np.minimum(terms.lag[given], len(market.growth))
    weights = np.empty((count.max(), len(rows), len(columns)))
    for lane in range(len(rows)):
        _turn(_targets(frames, frame[lane]), count[lane], weights[:, lane])
    return Team(
        sides, columns, rows, _of_assets(market.deflated, columns),
        _of_assets(market.inverse, columns), weights, frames.places[frame, WHEN], count, lag,
        terms.band[given], terms.limit[given], shorts,
    )  # fmt: skip


@called
def _turn(columns: np.ndarray, count: int, weights: np.ndarray) -> None:
    """Copy the target weights from ``columns`` to ``weights``, an array of decisions × assets.

    In ``columns``, all weights of one asset are next to each other.
    """
    for at in range(count):
        for k in range(weights.shape[1]):
            weights[at, k] = columns[k * count + at]


@allocating
def _of_assets(table: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return some columns of a table, without a copy if all columns are requested in order."""
    if _same(columns, np.arange(table.shape[1])):
        return table
    return table[:, columns]


@inner
def _owe(market: Market, columns: np.ndarray, borrow: np.ndarray, lines: np.ndarray) -> None:
    """Write the deflated prices of short positions, including borrowing costs, to ``lines``."""
    for k in range(len(columns)):
        owed = 1.0
        for at in range(len(market.growth)):
            owed *= 1 + borrow[columns[k]] * market.days[at] / 365
            lines[k, at] = market.prices[at, columns[k]] * owed / market.growth[at]


@allocating
def _book(terms: Terms, team: Team, first: int) -> Book:
    """Return portfolios that hold only cash."""
    lanes, assets = len(team.rows), len(team.columns)
    waiting = np.minimum(team.lag, team.decisions + 1).max() + 1
    legs = np.zeros((team.sides * assets, LEG))
    legs[:, GOAL : GOAL + LANES] = np.nan
    for lane in range(lanes):
        fees = terms.fees[terms.tariff[first + team.rows[lane]]]
        for leg in range(len(legs)):
            legs[leg, FEE + lane] = fees[team.columns[leg // team.sides]]
    purse = np.zeros(PURSE)
    purse[CASH : CASH + LANES] = purse[BOOKED : BOOKED + LANES] = terms.capital
    return Book(
        np.zeros((lanes, assets)), np.zeros((lanes, assets)), np.zeros((lanes, waiting, assets)),
        np.zeros((lanes, waiting), dtype=np.int64), np.zeros((lanes, MARKS), dtype=np.int64),
        np.zeros(lanes, dtype=np.bool_), np.zeros(assets), np.zeros(len(legs), dtype=np.int64),
        np.zeros((1 + -(-len(legs) // STEP) * (STEP + 1)) * LANES), legs, purse,
    )  # fmt: skip


# --- Decisions and drift -------------------------------------------------------------------------


@inner
def _follow(market: Market, frames: Frames, team: Team, book: Book, room: Room) -> None:
    """Choose and execute the trades of all portfolios in ``team``, session after session."""
    lanes = range(len(team.rows))
    at, valued = len(market.growth), 0
    for lane in lanes:
        book.marks[lane, DUE_AT] = _next(market, frames, team, book, lane, -1)
        at = min(at, book.marks[lane, DUE_AT])
    while at < len(market.growth):
        trades, following = False, len(market.growth)
        for lane in lanes:
            if book.marks[lane, DUE_AT] == at:
                trades |= _visit(market, frames, team, book, lane, at)
                book.marks[lane, DUE_AT] = _next(market, frames, team, book, lane, at)
            following = min(following, book.marks[lane, DUE_AT])
        if trades:
            _value(team, book, room, valued, at)
            _trade(market, team, book, room, at)
            valued = at
        at = following
    _value(team, book, room, valued, len(market.growth))
    for lane in lanes:
        totals = room.totals[team.rows[lane]]
        totals[TURNED] = book.purse[ALL_TURNED + lane]
        totals[PAID] = book.purse[ALL_PAID + lane]
        totals[FILLED] = book.purse[ALL_FILLED + lane]
        totals[EXPOSED] = book.purse[ALL_EXPOSED + lane]


@inner
def _next(market: Market, frames: Frames, team: Team, book: Book, lane: int, at: int) -> int:
    """Return the next session with a decision, with a fill, or with a price that becomes stale."""
    if team.sides == 2:
        return at + 1
    marks = book.marks[lane]
    following = len(market.growth)
    if marks[DECIDED] < team.decisions[lane]:
        following = frames.when[team.when[lane] + marks[DECIDED]]
    if marks[LOST] < len(market.lost_at):
        following = min(following, market.lost_at[marks[LOST]])
    if marks[WAITING] > 0:
        following = min(following, book.sent[lane, marks[OLDEST]] + team.lag[lane])
    return following


@inner
def _visit(market: Market, frames: Frames, team: Team, book: Book, lane: int, at: int) -> bool:
    """Update the decisions of a portfolio at a session, and return whether it trades."""
    marks, trades = book.marks[lane], False
    if marks[LOST] < len(market.lost_at) and market.lost_at[marks[LOST]] == at:
        trades = _give_up(market, team, book, lane, at)
        marks[LOST] += 1
    if marks[WAITING] > 0 and book.sent[lane, marks[OLDEST]] + team.lag[lane] == at:
        _fill(market, team, book, lane, at)
        trades = True
    decided = marks[DECIDED]
    if decided < team.decisions[lane] and frames.when[team.when[lane] + decided] == at:
        decision = book.queue[lane, _place(book, marks[OLDEST] + marks[WAITING])]
        for k in range(len(decision)):
            decision[k] = team.weights[decided, lane, k]
        _decide(market, team, book, lane, at, decision)
        marks[DECIDED] += 1
    if team.sides == 2 and marks[WAITING] == 0:
        _hold_to_limit(market, team, book, lane, at)
    book.trades[lane] = trades
    return trades


@inner
def _aim(team: Team, book: Book, lane: int, k: int, size: float) -> None:
    """Set the target weight of an asset.

    In ``book.legs``, an asset's short leg is before its long leg.
    """
    if team.sides == 2:
        book.legs[2 * k, GOAL + lane] = min(size, 0.0)
        book.legs[2 * k + 1, GOAL + lane] = max(size, 0.0)
    else:
        book.legs[k, GOAL + lane] = size


@called
def _give_up(market: Market, team: Team, book: Book, lane: int, at: int) -> bool:
    """Close assets whose price becomes stale. Return True if any price becomes stale.

    If a holding is closed, the asset's weight becomes 0 in all decisions that are not filled yet.
    """
    held = book.held[lane]
    loses = holds = False
    for k in range(len(held)):
        if market.lost[at, team.columns[k]]:
            _aim(team, book, lane, k, 0.0)
            loses, holds = True, holds or held[k] != 0
    if holds:
        _drift(market, team, book, lane, at)
        for k in range(len(held)):
            gone = market.lost[at, team.columns[k]] and held[k] != 0
            held[k] = 0.0 if gone else book.now[k]
            if gone:
                book.last[lane, k] = 0.0
                book.queue[lane, :, k] = 0.0
        book.marks[lane, TRADED_AT] = at
    return loses


@inner
def _fill(market: Market, team: Team, book: Book, lane: int, at: int) -> None:
    """Fill the oldest decision in the queue: each asset with a price gets its target weight."""
    marks, held = book.marks[lane], book.held[lane]
    decision = book.queue[lane, marks[OLDEST]]
    if market.complete[at]:
        for k in range(len(held)):
            held[k] = decision[k]
        for k in range(len(held)):
            _aim(team, book, lane, k, decision[k])
    else:
        _fill_priced(market, team, book, lane, at, decision)
    marks[TRADED_AT] = at
    marks[OLDEST] = _place(book, marks[OLDEST] + 1)
    marks[WAITING] -= 1


@called
def _fill_priced(
    market: Market, team: Team, book: Book, lane: int, at: int, decision: np.ndarray
) -> None:
    """Fill a decision at a session on which at least one asset of the market has no price."""
    held = book.held[lane]
    _drift(market, team, book, lane, at)
    for k in range(len(held)):
        if market.priced[at, team.columns[k]]:
            held[k] = decision[k]
            _aim(team, book, lane, k, decision[k])
        else:
            held[k] = book.now[k]
    _afford(held, book.now)


@called
def _afford(held: np.ndarray, before: np.ndarray) -> None:
    """Reduce purchases, the largest first, until the weights of assets add up to at most 1.

    ``before`` contains the weights before the purchases. A purchase that turns a short position
    into a long position counts as two purchases.
    """
    missing = -1.0
    for weight in held:
        missing += weight
    while missing > ROUNDING:
        largest, at = 0.0, -1
        for k in range(len(held)):
            covered = min(held[k], 0.0) - min(before[k], 0.0)
            bought = max(held[k], 0.0) - max(before[k], 0.0)
            if max(covered, bought) >= largest and max(covered, bought) > 0:
                largest, at = max(covered, bought), k
        if at < 0:
            return
        cut = min(largest, missing)
        held[at] -= cut
        missing -= cut


@inner
def _decide(
    market: Market, team: Team, book: Book, lane: int, at: int, decision: np.ndarray
) -> None:
    """Schedule the fill of a decision if a weight changes by more than the band.

    ``decision`` is the first free row of the queue. This row already contains the target weights of
    the decision.
    """
    marks = book.marks[lane]
    if team.sides == 2:
        for k in range(len(decision)):
            book.last[lane, k] = decision[k]
    if marks[WAITING] > 0:
        newest = _place(book, marks[OLDEST] + marks[WAITING] - 1)
        differs = _differs(decision, book.queue[lane, newest], team.band[lane])
    else:
        differs = _surely_differs(team, book, lane, at, decision)
        if not differs:
            _drift(market, team, book, lane, at)
            differs = _differs(decision, book.now, team.band[lane])
    if differs:
        _send(market, team, book, lane, at)


@inner
def _differs(targets: np.ndarray, weights: np.ndarray, band: float) -> bool:
    differs = False
    for k in range(len(targets)):
        differs |= abs(targets[k] - weights[k]) > band
    return differs


@inner
def _surely_differs(team: Team, book: Book, lane: int, at: int, decision: np.ndarray) -> bool:
    """Return True only if a target weight differs from the drifted weight by more than the band.

    If this function returns False, the caller must compute the drifted weights exactly and compare
    again. The exact comparison needs divisions for each weight. This function needs no division, so
    this function is faster.
    """
    held, now = book.held[lane], book.now
    worth = _grow(held, team.deflated[at], team.inverse[book.marks[lane, TRADED_AT]], now)
    least = (team.band[lane] + CLEAR) * worth
    for k in range(len(held)):
        if abs(decision[k] * worth - now[k]) > least:
            return worth > 0
    return False


@reordering
def _grow(held: np.ndarray, deflated: np.ndarray, inverse: np.ndarray, now: np.ndarray) -> float:
    """Write each holding's value after the drift to ``now``; return the portfolio's value."""
    worth = 1.0
    for k in range(len(held)):
        now[k] = held[k] * (deflated[k] * inverse[k])
        worth += now[k] - held[k]
    return worth


@inner
def _send(market: Market, team: Team, book: Book, lane: int, at: int) -> None:
    """Queue the decision in the first free row, unless its fill is after the last session."""
    if at + team.lag[lane] < len(market.growth):
        marks = book.marks[lane]
        book.sent[lane, _place(book, marks[OLDEST] + marks[WAITING])] = at
        marks[WAITING] += 1


@inner
def _place(book: Book, count: int) -> int:
    """Return ``count`` modulo the length of the queue, computed without a division."""
    return count - book.queue.shape[1] if count >= book.queue.shape[1] else count


@inner
def _hold_to_limit(market: Market, team: Team, book: Book, lane: int, at: int) -> None:
    """If gross exposure exceeds its limit, schedule a trade back to the last decision's weights."""
    _drift(market, team, book, lane, at)
    gross, shorts = 0.0, False
    for weight in book.now:
        gross += abs(weight)
        shorts = shorts or weight < 0
    if shorts and gross > team.limit[lane] + ROUNDING:
        for k in range(len(book.now)):
            book.queue[lane, book.marks[lane, OLDEST], k] = book.last[lane, k]
        _send(market, team, book, lane, at)


@inner
def _drift(market: Market, team: Team, book: Book, lane: int, at: int) -> None:
    """Write the drifted weights at a close into ``now``; the drift starts at the last trade."""
    since, held = book.marks[lane, TRADED_AT], book.held[lane]
    if at == since:
        for k in range(len(held)):
            book.now[k] = held[k]
        return
    before, after = market.prices[since], market.prices[at]
    grown = market.growth[since], market.growth[at]
    _drifted(held, before, after, team.columns, grown, book.now)


@called
def _drifted(
    held: np.ndarray, before: np.ndarray, after: np.ndarray, columns: np.ndarray,
    grown: tuple[float, float], now: np.ndarray,
) -> None:  # fmt: skip
    """Write the drifted weights to ``now``.

    Prices have changed, and cash has grown by the return of bills.
    """
    invested = worth = 0.0
    for k in range(len(held)):
        now[k] = held[k]
        if held[k] != 0:
            now[k] *= after[columns[k]] / before[columns[k]]
        invested += held[k]
        worth += now[k]
    worth += (1 - invested) * grown[1] / grown[0]
    for k in range(len(held)):
        now[k] = now[k] / worth if worth > 0 else held[k]


# --- Orders of a session -------------------------------------------------------------------------


@inner
def _trade(market: Market, team: Team, book: Book, room: Room, at: int) -> None:
    """Fill the orders of a session, the largest sale first in each portfolio."""
    lanes = len(team.rows)
    _quote(team, book, at)
    _worth(book.legs, book.purse, lanes)
    _want(book.legs, book.purse, lanes)
    _sell_all(book.legs, book.purse, lanes)
    _buy_all(book.legs, book.purse, lanes)
    for lane in range(lanes):
        if book.trades[lane]:
            _finish(book, lane)
    _worth_after(book.legs, book.purse, lanes)
    _add_totals(book.purse, market.growth[at], lanes)
    for lane in range(lanes):
        if book.trades[lane] and len(room.traded):
            _note(market, team, book, room, lane, at)
        book.trades[lane] = False


@inner
def _quote(team: Team, book: Book, at: int) -> None:
    """Write the deflated prices of each asset's long and short side to ``book.legs``."""
    for leg in range(len(book.legs)):
        here, k = book.legs[leg], leg // team.sides
        price = team.deflated[at, k]
        for lane in range(len(team.rows)):
            here[QUOTE + lane] = price
        if team.sides == 2 and leg % 2 == 0:
            for lane in range(len(team.rows)):
                here[QUOTE + lane] = team.shorts[lane, k, at]


@called
def _worth(legs: np.ndarray, purse: np.ndarray, lanes: int) -> None:
    """Write the value of each portfolio before its trades."""
    _add_up(legs, purse, CASH, lanes)


@called
def _worth_after(legs: np.ndarray, purse: np.ndarray, lanes: int) -> None:
    """Write the value of each portfolio after its trades."""
    _add_up(legs, purse, BOOKED, lanes)


@inner
def _add_up(legs: np.ndarray, purse: np.ndarray, cash: int, lanes: int) -> None:
    for lane in range(lanes):
        purse[WORTH + lane] = purse[cash + lane]
    for leg in range(len(legs)):
        here = legs[leg]
        for lane in range(lanes):
            purse[WORTH + lane] += here[UNITS + lane] * here[QUOTE + lane]


@called
def _want(legs: np.ndarray, purse: np.ndarray, lanes: int) -> None:
    """Write the units to trade in each leg, and the resulting change of the leg's value.

    This function sets PAYS and LAST in ``purse``. PAYS is 1 if the cash and the proceeds of all
    sales are enough for all purchases except the largest, otherwise 0. LAST is the position of the
    largest purchase in ``legs``, or −1 if there is no purchase.
    """
    for lane in range(lanes):
        purse[LEFT + lane] = purse[CASH + lane]
        purse[SPENT + lane] = purse[LARGEST + lane] = purse[DUE + lane] = 0.0
        purse[LAST + lane] = -1.0
    for leg in range(len(legs)):
        here = legs[leg]
        for lane in range(lanes):
            worth, quote, units = purse[WORTH + lane], here[QUOTE + lane], here[UNITS + lane]
            goal = here[GOAL + lane] * (worth if worth > 0 else np.nan)
            # Without a trade, ``change`` is NaN, so all comparisons below are false.
            change = goal - units * quote
            here[GOAL + lane] = np.nan
            here[CHANGE + lane] = change
            here[WANTED + lane] = goal / quote - units
            due = change + abs(change) * here[FEE + lane]
            purse[LEFT + lane] -= due if change < 0 else 0.0
            purse[SPENT + lane] += due if change > 0 else 0.0
            largest = (change > 0) & (change >= purse[LARGEST + lane])
            purse[LARGEST + lane] = change if largest else purse[LARGEST + lane]
            purse[DUE + lane] = due if largest else purse[DUE + lane]
            purse[LAST + lane] = leg if largest else purse[LAST + lane]
    for lane in range(lanes):
        others = purse[SPENT + lane] - purse[DUE + lane]
        purse[PAYS + lane] = others <= purse[LEFT + lane] * (1 - 1e-6) - 1e-9


@called
def _sell_all(legs: np.ndarray, purse: np.ndarray, lanes: int) -> None:
    """Fill all sales of the portfolios whose PAYS is 1 (see :func:`_want`).

    Numbers are added in the same order as in vectorbt, because a rounding error in the cash can
    decide which of two equal orders is filled.
    """
    for lane in range(lanes):
        purse[LEFT + lane] = purse[CASH + lane]
        purse[FLOW + lane] = purse[TRADED + lane] = purse[COSTS + lane] = 0.0
    for leg in range(len(legs)):
        here = legs[leg]
        for lane in range(lanes):
            wanted = here[WANTED + lane]
            sold = -wanted if (wanted < -TINY) & (purse[PAYS + lane] > 0) else 0.0
            amount = sold * here[QUOTE + lane]
            paid = amount * here[FEE + lane]
            purse[LEFT + lane] += amount - paid
            purse[FLOW + lane] += amount - paid
            purse[TRADED + lane] += amount
            purse[COSTS + lane] += paid


@called
def _buy_all(legs: np.ndarray, purse: np.ndarray, lanes: int) -> None:
    """Fill all purchases except the largest, in the portfolios whose PAYS is 1 (see :func:`_want`).

    This function also updates the units in ``legs``, for the sales of :func:`_sell_all` and for
    these purchases.
    """
    for leg in range(len(legs)):
        here = legs[leg]
        for lane in range(lanes):
            fills = (purse[PAYS + lane] > 0) & (purse[LAST + lane] != leg)
            wanted = here[WANTED + lane] if fills else 0.0
            bought = wanted if wanted > TINY else 0.0
            amount = bought * here[QUOTE + lane]
            paid = amount * here[FEE + lane]
            purse[LEFT + lane] -= amount + paid
            purse[FLOW + lane] -= amount + paid
            purse[TRADED + lane] += amount
            purse[COSTS + lane] += paid
            move = wanted if abs(wanted) > TINY else 0.0
            here[UNITS + lane] = _plus(here[UNITS + lane], move)


@inner
def _finish(book: Book, lane: int) -> None:
    """Fill the remaining orders: the largest purchase, or all orders if the cash is too small."""
    purse = book.purse
    if purse[PAYS + lane] > 0:
        purse[CASH + lane] = purse[LEFT + lane]
        if purse[LAST + lane] >= 0:
            _fill_leg(book, int(purse[LAST + lane]), lane)
    else:
        for leg in book.order[: _sort(book, lane)]:
            _fill_leg(book, leg, lane)
    purse[BOOKED + lane] = _plus(purse[BOOKED + lane], purse[FLOW + lane])


@inner
def _fill_leg(book: Book, leg: int, lane: int) -> None:
    """Fill the order of one leg; reduce a purchase to the amount that the cash can pay."""
    here, purse = book.legs[leg], book.purse
    price = here[QUOTE + lane]
    units, paid, cash = _filled(here[WANTED + lane], price, here[FEE + lane], purse[CASH + lane])
    here[UNITS + lane] = _plus(here[UNITS + lane], units)
    purse[CASH + lane] = cash
    purse[FLOW + lane] -= units * price + paid
    purse[TRADED + lane] += abs(units) * price
    purse[COSTS + lane] += paid


@called
def _add_totals(purse: np.ndarray, growth: float, lanes: int) -> None:
    """Add a session's trades and costs to the totals. A session without a trade adds 0."""
    for lane in range(lanes):
        traded = purse[TRADED + lane]
        purse[ALL_TURNED + lane] += traded / purse[WORTH + lane]
        purse[ALL_PAID + lane] += purse[COSTS + lane] * growth
        purse[ALL_FILLED + lane] += 1.0 if traded > 0 else 0.0


@inner
def _note(market: Market, team: Team, book: Book, room: Room, lane: int, at: int) -> None:
    """Write the trades and the costs of a portfolio on a session."""
    row = team.rows[lane]
    room.traded[row, at] = book.purse[TRADED + lane] / book.purse[WORTH + lane]
    room.paid[row, at] = book.purse[COSTS + lane] * market.growth[at]


@inner
def _sort(book: Book, lane: int) -> int:
    """Write the legs to trade into ``order``, the largest sale first; return their number."""
    count = 0
    order, changes = book.order, book.legs[:, CHANGE + lane]
    for leg in range(len(changes)):
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
def _filled(wanted: float, price: float, fee: float, cash: float) -> tuple[float, float, float]:
    """Fill an order by vectorbt's rules. Return the traded units, the cost and the new cash."""
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


@inner
def _plus(a: float, b: float) -> float:
    """Return the sum of two amounts, or 0 if the sum is only a rounding error."""
    return 0.0 if _equal(a, -b) else a + b


@inner
def _equal(a: float, b: float) -> bool:
    """Return whether two amounts are equal, except for rounding errors."""
    return abs(a - b) <= max(NEAR * max(abs(a), abs(b)), TINY)


# --- Values at each close ------------------------------------------------------------------------


@inner
def _value(team: Team, book: Book, room: Room, start: int, end: int) -> None:
    """Write the portfolios' values at each close from ``start`` to ``end`` − 1."""
    first, last = team.rows[0], team.rows[-1] + 1
    if team.sides == 2:
        for lane in range(len(team.rows)):
            _value_legs(team, book, room, lane, start, end)
        return
    _pack(book.legs, book.purse, book.parts, len(team.rows))
    for at in range(start, end):
        _value_long(team.deflated[at], book.parts, len(team.rows))
        _record(book.parts[len(book.parts) - LANES :], book.purse, room.value[at][first:last])
    for at in range(start, min(end, len(room.exposed))):
        for lane in range(len(team.rows)):
            room.exposed[at, first + lane] = 1 - book.parts[lane] / room.value[at, first + lane]


@called
def _pack(legs: np.ndarray, purse: np.ndarray, parts: np.ndarray, lanes: int) -> None:
    """Write the cash and the units of the portfolios to ``parts``.

    ``parts`` begins with the cash of all portfolios. The rest of ``parts`` has one block for each
    group of ``STEP`` legs. A block contains the units of each leg, and space for the sums of all
    portfolios.
    """
    for lane in range(lanes):
        parts[lane] = purse[BOOKED + lane]
    for leg in range(len(legs)):
        start = LANES * (1 + leg + leg // STEP)
        here, there = legs[leg], parts[start : start + LANES]
        for lane in range(lanes):
            there[lane] = here[UNITS + lane]


@called
def _value_long(prices: np.ndarray, parts: np.ndarray, lanes: int) -> None:
    """Write the value of each long-only portfolio at one close to the end of ``parts``."""
    assets = len(prices)
    for k in range(0, assets, STEP):
        one = prices[k]
        two = prices[k + 1] if k + 1 < assets else 0.0
        three = prices[k + 2] if k + 2 < assets else 0.0
        four = prices[k + 3] if k + 3 < assets else 0.0
        start = LANES * (k + k // STEP)
        _add_group(parts[start : start + (STEP + 2) * LANES], lanes, one, two, three, four)


@called
def _add_group(
    group: np.ndarray, lanes: int, one: float, two: float, three: float, four: float
) -> None:
    """Add the values of ``STEP`` legs to the sums at the start of ``group``.

    ``group`` has three parts: the old sums, the units of each leg, and the new sums. This function
    writes the new sums. All numbers are in one array, so the compiler knows that they do not
    overlap in memory.
    """
    for lane in range(lanes):
        pair = one * group[LANES + lane] + two * group[2 * LANES + lane]
        other = three * group[3 * LANES + lane] + four * group[4 * LANES + lane]
        group[5 * LANES + lane] = group[lane] + (pair + other)


@called
def _record(worth: np.ndarray, purse: np.ndarray, value: np.ndarray) -> None:
    """Write the value of each long-only portfolio at a close, and add up its exposure.

    At the first close, a portfolio holds only cash, so its exposure is 0.
    """
    for lane in range(len(value)):
        value[lane] = worth[lane]
        purse[ALL_EXPOSED + lane] += 1 - purse[BOOKED + lane] / worth[lane]


@called
def _value_legs(team: Team, book: Book, room: Room, lane: int, start: int, end: int) -> None:
    """Write a portfolio's value and gross exposure at each close from ``start`` to ``end`` − 1.

    The gross exposure of an asset is the absolute value of the sum of its long and short leg.
    """
    row = team.rows[lane]
    for at in range(start, end):
        worth, gross = book.purse[BOOKED + lane], 0.0
        for k in range(len(team.columns)):
            net = book.legs[2 * k, UNITS + lane] * team.shorts[lane, k, at]
            worth += net
            long = book.legs[2 * k + 1, UNITS + lane] * team.deflated[at, k]
            worth += long
            gross += abs(net + long)
        room.value[at, row] = worth
        book.purse[ALL_EXPOSED + lane] += gross / worth if at > 0 else 0.0
        if at < len(room.exposed):
            room.exposed[at, row] = gross / worth
