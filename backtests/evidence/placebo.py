"""Whether timing was more than luck: the same strategy with its timing broken, many times over.

Timing is what a strategy gains on its own average holdings (:func:`timing_gain`). Two ways break
it, for two kinds of flags:

- Flags from quantities (balance sheets, capital spending): the holdings are shifted round the
  circle of dates. Episodes keep their number and length, the market keeps its course, and only
  which meets which is left to chance (:func:`shift_placebo`).
- Flags from prices: shifted backward, holdings that follow prices would have foreseen the fall
  that they follow. So history is drawn anew from blocks of market moves, and the signals are read
  again on it (:func:`resample_prices`). Quantities stay at their dates.

A claim of timing has to stand out among these.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from arch.bootstrap import StationaryBootstrap

from backtests.engine.costs import Costs
from backtests.evidence.metrics import YEAR
from signals.catalog import CATALOG
from signals.errors import ConfigError, DataError
from signals.universe import asset, session_close_id

Kind = Literal["shifts", "resampled"]
Timing = Callable[[pd.DataFrame, pd.DataFrame], dict[str, float]]

#: Numbers in one array of a chunk of shifts: it stays in the processor's cache.
CHUNK = 60_000
#: A standard deviation below this, as a fraction a day, is rounding.
ROUNDING = 1e-12
#: Mean length of a block of market moves, sessions: a quarter.
BLOCK = 63
#: Joint draws, in order, of which an asset takes the first that it was listed in.
TRIES = 8
#: Share of the way to its source's level that a quoted level goes back a session.
PULL = 1 / 252
#: Daily series that are set or counted, not quoted by a market.
NOT_QUOTED = ("RRPONTSYD", "IORB", "DFEDTARU")
#: Quoted series whose moves are proportional to their level.
PROPORTIONAL = ("VIXCLS", "DTWEXBGS")


@dataclass(frozen=True, kw_only=True, eq=False)
class Placebo:
    """A statistic beside what it is when timing is broken.

    Attributes
    ----------
    statistic
        Of the strategy as it was.
    others
        Of the strategy with its timing broken; those that are not defined are left out.
    rank
        Share of the others strictly below, plus half of those equal: 0 to 1, 1 is best. NaN where
        there is no timing.
    p_value
        (1 + number of others at least as high) / (1 + n); NaN likewise.
    kind
        ``shifts`` or ``resampled``.
    n
        Number of others.
    """

    statistic: float
    others: np.ndarray
    rank: float
    p_value: float
    kind: Kind
    n: int


def rank_of(true: float, others: np.ndarray | list[float], kind: Kind) -> Placebo:
    """Return where a statistic stands among its placebos; NaN ones do not count."""
    drawn = np.asarray(others, dtype=np.float64)
    drawn = drawn[~np.isnan(drawn)]
    n = len(drawn)
    rank = p_value = float("nan")
    if n and not np.isnan(true):
        rank = float((drawn < true).mean() + (drawn == true).mean() / 2)
        p_value = float((1 + (drawn >= true).sum()) / (1 + n))
    return Placebo(statistic=float(true), others=drawn, rank=rank, p_value=p_value, kind=kind, n=n)


# --- Shifts ----------------------------------------------------------------------------------


def timing_gain(held: pd.DataFrame, closes: pd.DataFrame, bills: pd.Series, costs: Costs) -> float:
    """Return the Sharpe ratio of a strategy above that of its own mean weights, held throughout.

    Average exposure earns what markets pay for it, with no skill at all: 30 % of shares cut a
    drawdown by two thirds. Held at its mean over the sessions on which it could be held, each
    asset keeps its average weight, and what is left is when it was held. Both sides are computed
    by one expression, rebalanced daily and charged alike, so that neither owes its lead to how it
    is computed.

    Parameters
    ----------
    held
        Sessions × assets: target weights in force at each close, fractions, after the lag; the
        remainder is cash in bills. Rows before the first fill do not belong.
    closes
        The same sessions × at least those assets, USD, each on its own date; NaN without a price.
    bills
        Simple return of bills into each session, a fraction; the first is not used.
    costs
        Costs of trading and borrowing.

    Returns
    -------
    Difference of yearly Sharpe ratios over bills, after costs.

    Timing
        Weights of a close earn the returns of the next session.

    NaN
        An asset without a price at a close cannot be held then: its weight is cash. The gain is
        NaN where one of the two does not vary (all cash).

    Raises
    ------
    DataError
        When sessions or assets do not match, a weight is not finite, or a bill return is missing.
    """
    market = _market(held, closes, bills, costs)
    return float(_timing(market, held.to_numpy(dtype=np.float64).T[:, None, :])[0])


def shift_placebo(
    held: pd.DataFrame,
    closes: pd.DataFrame,
    bills: pd.Series,
    costs: Costs,
    *,
    shifts: int = 1000,
    seed: int = 0,
) -> Placebo:
    """Return a strategy's timing gain beside those of its holdings shifted round the dates.

    Shifted by s sessions, what was held at the close of session t − s is held at that of t; the
    end goes on at the beginning. It is exact where the holdings do not follow prices. Holdings
    that do are favoured by some shifts: see :func:`resample_placebo`.

    Parameters
    ----------
    held, closes, bills, costs
        See :func:`timing_gain`.
    shifts
        How many, drawn without replacement from 1 to sessions − 1; all where there are fewer.
    seed
        Equal seeds give equal shifts.

    Returns
    -------
    The placebo. Where end and beginning differ a shifted strategy trades once more than the true
    one, which at usual costs is below a basis point a year over a decade.

    NaN
        Rank and p-value are NaN where the weights never change: there is no timing.

    Raises
    ------
    DataError
        See :func:`timing_gain`.
    ConfigError
        When fewer than one shift is asked for.
    """
    if shifts < 1:
        raise ConfigError(f"expected at least 1 shift, was {shifts}")
    market = _market(held, closes, bills, costs)
    weights = held.to_numpy(dtype=np.float64).T
    true = float(_timing(market, weights[:, None, :])[0])
    chosen = _choose(weights.shape[1], shifts, seed)
    others = [_timing(market, part) for part in _shifted(weights, chosen)]
    still = bool((np.ptp(weights, axis=1) <= ROUNDING).all())
    placebo = rank_of(float("nan") if still else true, np.concatenate(others), "shifts")
    return replace(placebo, statistic=true)


def _choose(sessions: int, shifts: int, seed: int) -> np.ndarray:
    every = np.random.default_rng(seed).permutation(np.arange(1, sessions))
    return every[:shifts]


def _shifted(weights: np.ndarray, shifts: np.ndarray) -> Iterator[np.ndarray]:
    """Yield assets × shifts × sessions, a chunk of shifts at a time."""
    sessions = weights.shape[1]
    twice = np.concatenate((weights, weights), axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(twice, sessions, axis=1)
    for part in np.array_split(shifts, -(-len(shifts) * weights.size // CHUNK)):
        if len(part):
            yield windows[:, sessions - part]


@dataclass(frozen=True, kw_only=True)
class _Market:
    """What was to be had. Assets × sessions, or one a session; the first session earns nothing."""

    priced: np.ndarray
    growth: np.ndarray
    owed: np.ndarray  # growth of a short position: what was borrowed, and the fee for it
    bills: np.ndarray
    rates: np.ndarray


def _market(held: pd.DataFrame, closes: pd.DataFrame, bills: pd.Series, costs: Costs) -> _Market:
    _check_matching(held, closes, bills)
    assets = [str(a) for a in held.columns]
    prices = closes[assets].astype("float64")
    growth = prices.ffill().pct_change(fill_method=None).fillna(0.0).to_numpy().T + 1
    days = np.diff(pd.DatetimeIndex(held.index).to_numpy().astype("datetime64[D]")).astype(float)
    fee = np.outer([costs.borrow(a) for a in assets], np.concatenate(([0.0], days)) / 365)
    return _Market(
        priced=prices.notna().to_numpy().T.astype(np.float64),
        growth=growth,
        owed=growth * (1 + fee),
        bills=bills.to_numpy(dtype=np.float64)[1:],
        rates=np.array([costs.rate(a) for a in assets]),
    )


def _timing(market: _Market, wanted: np.ndarray) -> np.ndarray:
    """Return the gain of each of some assets × ways × sessions of weights."""
    held = wanted * market.priced[:, None, :]
    there = np.maximum(market.priced.sum(axis=1), 1.0)[:, None]
    mean = np.einsum("ast->as", held) / there
    if market.priced.all():
        mean = mean[:, :1]  # shifting changes no mean
    steady = mean[:, :, None] * market.priced[:, None, :]
    gain: np.ndarray = _sharpe(market, held) - _sharpe(market, steady)
    return gain


def _sharpe(market: _Market, held: np.ndarray) -> np.ndarray:
    excess = _returns(market, held) - market.bills
    deviation = excess.std(axis=1, ddof=1)
    deviation[deviation < ROUNDING] = np.nan
    sharpe: np.ndarray = excess.mean(axis=1) / deviation * np.sqrt(YEAR)
    return sharpe


def _returns(market: _Market, held: np.ndarray) -> np.ndarray:
    """Return ways × sessions from the second on, after costs.

    As in the engine, targets are fractions of the value before costs, so that paying these leaves
    weights a little larger; the cost of a trade falls on the session that ends with it.
    """
    before, bought = held[:, :, :-1], held[:, :, 1:]
    grown = before * market.growth[:, None, 1:]
    if (before < 0).any():
        grown = np.where(before < 0, before * market.owed[:, None, 1:], grown)
    cash = 1 - np.einsum("ast->st", before)
    value = np.einsum("ast->st", grown) + cash * (1 + market.bills)
    paid = _paid(market, grown, bought, value)
    # what was paid for the last trade came out of cash, and does not earn bills
    left = np.ones_like(paid)
    left[:, 1:] -= paid[:, :-1]
    interest = 1 + market.bills
    returns: np.ndarray = ((value - interest) / left + interest) * (1 - paid) - 1
    return returns


def _paid(market: _Market, grown: np.ndarray, bought: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Return the cost of trading from drifted to target weights, a fraction of the value."""
    traded = grown / value
    np.subtract(bought, traded, out=traded)
    np.abs(traded, out=traded)
    paid: np.ndarray = np.einsum("a,ast->st", market.rates, traded)
    return paid


def _check_matching(held: pd.DataFrame, closes: pd.DataFrame, bills: pd.Series) -> None:
    for what, index in (("closes", closes.index), ("bills", bills.index)):
        if not index.equals(held.index):
            raise DataError(
                f"expected {what} on the {len(held)} sessions of the weights, were on "
                f"{len(index)} others; reindex them"
            )
    missing = [a for a in held.columns if a not in closes.columns]
    if missing:
        raise DataError(f"expected closes of {', '.join(map(str, missing))}; none are given")
    if len(held) < 3 or not len(held.columns):
        raise DataError(
            f"expected at least 3 sessions and 1 asset, were {len(held)} and {len(held.columns)}"
        )
    if not np.isfinite(held.to_numpy(dtype=np.float64)).all():
        raise DataError("expected finite weights, was NaN or infinite; fill them with 0 for cash")
    if not np.isfinite(bills.to_numpy(dtype=np.float64)[1:]).all():
        raise DataError("expected a bill return for every session; choose other dates")


# --- Resampled history -----------------------------------------------------------------------


def resample_placebo(
    timing: Timing,
    panel: pd.DataFrame,
    closes: pd.DataFrame,
    *,
    draws: int,
    seed: int = 0,
    block: int = BLOCK,
) -> dict[str, list[float]]:
    """Return what strategies' timing gains are on resampled histories, by strategy.

    Parameters
    ----------
    timing
        From a panel and closes, each strategy's timing gain by name: it reads the signals anew,
        takes bills from the panel it is given, and calls :func:`timing_gain`.
    panel, closes, block
        See :func:`resample_prices`.
    draws
        How many histories; the first ones are the same when more are asked for.
    seed
        Equal seeds give equal histories.

    Returns
    -------
    A gain a draw, in order; give them to :func:`rank_of` with the true one.

    Raises
    ------
    ConfigError
        When fewer than one draw is asked for.
    """
    if draws < 1:
        raise ConfigError(f"expected at least 1 draw, was {draws}")
    gains: dict[str, list[float]] = {}
    for state in np.random.SeedSequence(seed).generate_state(draws):
        drawn = resample_prices(panel, closes, block=block, seed=int(state))
        for name, gain in timing(*drawn).items():
            gains.setdefault(name, []).append(gain)
    return gains


def resample_prices(
    panel: pd.DataFrame, closes: pd.DataFrame, *, block: int = BLOCK, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a history whose market took another course while quantities took the same.

    Whole sessions are drawn in blocks, so that everything quoted on a session keeps together: log
    returns of all assets, changes of yields and spreads, log changes of VIX and the dollar.
    Balance sheets, output, capital spending, ETF flows, funding rates and rates that are set by
    decision stay at their dates. Nothing before the first price is touched.

    A quarter is the mean length of a block: the fall over 21 sessions, the volatility and the
    correlation over 63 that flags look at lie mostly within a block, so flags follow prices as
    they do; yet blocks are far shorter than a regime or an episode of the quantities, whose link
    with the market is cut. What looks back a year or more sees some blocks joined.

    Parameters
    ----------
    panel
        Sessions × ids, as known at each close, as in :attr:`backtests.history.panel.History.panel`.
    closes
        The same sessions × assets, USD, each on its own date.
    block
        Mean length of a block, sessions; blocks are geometric (stationary bootstrap) and go round
        from the end to the beginning.
    seed
        Equal seeds give equal draws.

    Returns
    -------
    Panel and closes of the same shape. Each column starts from its own first level, and coins in
    the panel stay a session behind: they show the last close before the session's own, and after
    a weekend or holiday what they had moved by then, if the session drawn follows one too.

    Timing
        Series that are known late stay as late: their changes are drawn by panel row.

    NaN
        Exactly where it was: an asset is listed when it was listed. Where the session drawn has no
        return of an asset that is listed, the asset takes it from the next of 8 such draws that
        has, and shares that with whatever else was not listed in the ones before (coins mostly
        stay with coins); failing all, from a block of its own begun at a random session of its
        listing. Any session of its listing is as likely as any other, and blocks stay blocks; some
        co-movement with what was listed earlier is lost.

    Raises
    ------
    DataError
        When sessions differ, no asset has a price, or a price in the panel has no closes.
    ConfigError
        When the block is shorter than a session.

    Notes
    -----
    Changes of yields put end to end would drift without bound. Each quoted level is therefore
    drawn back to the level of the session it follows, by 1/252 of what lies between a session,
    and stays within its lowest and highest value since the first price. That blurs the joints of
    blocks over a year and leaves differences between yields intact inside the bounds.

    Reference
        Politis and Romano (1994), "The stationary bootstrap", JASA 89.
    """
    first = _first_price(panel, closes)
    if block < 1:
        raise ConfigError(f"expected a block of at least 1 session, was {block}")
    blocks = _draw(len(closes) - first - 1, block, seed)
    levels = closes.iloc[first:].astype("float64")
    prices = _redraw(levels.transform(np.log), blocks, 0.0)
    new_closes = closes.copy()
    new_closes.iloc[first + 1 :] = np.exp(prices.levels[1:])
    new_closes = new_closes.where(closes.notna())

    new_panel = panel.copy()
    rows = panel.index[first + 1 :]
    shown = _shown(panel.iloc[first:], closes.iloc[first:], new_closes.iloc[first:], prices)
    for name, values in {**shown, **_quotes(panel.iloc[first:], blocks)}.items():
        new_panel.loc[rows, name] = values[1:]
    return new_panel, new_closes


@dataclass(frozen=True, kw_only=True)
class _Blocks:
    """What each session but the first may take its change from.

    ``joint`` is tries × sessions; beside it, for what is in none of them, the place of a session
    in its block and the block's lot, 0 to 1.
    """

    joint: np.ndarray
    place: np.ndarray
    lot: np.ndarray


def _draw(n: int, block: int, seed: int) -> _Blocks:
    bootstrap = StationaryBootstrap(block, np.arange(n), seed=seed)
    joint = np.array([bootstrap.update_indices() + 1 for _ in range(TRIES)])
    own = bootstrap.update_indices()
    begins = np.concatenate(([True], own[1:] != (own[:-1] + 1) % n))
    start = np.maximum.accumulate(np.where(begins, np.arange(n), 0))
    lots = np.random.default_rng([seed, 1]).random(n)
    return _Blocks(joint=joint, place=np.arange(n) - start, lot=lots[start])


@dataclass(frozen=True, kw_only=True)
class _Redrawn:
    """Levels put together anew, and the session that each one's last change came from."""

    levels: np.ndarray
    sources: np.ndarray


def _redraw(levels: pd.DataFrame, blocks: _Blocks, pull: float) -> _Redrawn:
    """Return columns that begin at their first level and change as the sessions drawn.

    A level is that of its source plus what lies between them. The latter changes at the joints of
    blocks alone, and goes back to zero by ``pull`` a session.
    """
    known = levels.notna().to_numpy()
    sources = _sources(known, blocks)
    old, column = levels.ffill().to_numpy(), np.arange(levels.shape[1])
    jumps = np.zeros(old.shape)
    jumps[1:] = old[sources[:-1], column] - old[sources[1:] - 1, column]
    jumps[np.arange(len(old))[:, None] <= known.argmax(axis=0)] = 0.0
    apart = np.cumsum(jumps, axis=0)
    if pull:
        apart = pd.DataFrame(jumps / pull).ewm(alpha=pull, adjust=False).mean().to_numpy()
    return _Redrawn(levels=old[sources, column] + apart, sources=sources)


def _sources(known: np.ndarray, blocks: _Blocks) -> np.ndarray:
    """Return for each session and column the session whose change it takes.

    Up to its first level a column has no change: the source is that level's own session.
    """
    first = known.argmax(axis=0)
    last = len(known) - 1 - known[::-1].argmax(axis=0)
    joint = blocks.joint[:, :, None]
    has = (joint > first) & (joint <= last)
    taken = np.take_along_axis(blocks.joint[:, :, None], has.argmax(axis=0)[None], axis=0)[0]
    changes = np.maximum(last - first, 1)
    own = (blocks.lot[:, None] * changes).astype(np.int64) + blocks.place[:, None]
    later = np.where(has.any(axis=0), taken, first + 1 + own % changes)
    sources = np.concatenate((first[None, :], np.minimum(later, len(known) - 1)))
    return np.where(np.arange(len(known))[:, None] <= first, first, sources)


def _shown(
    panel: pd.DataFrame, closes: pd.DataFrame, drawn: pd.DataFrame, prices: _Redrawn
) -> dict[str, np.ndarray]:
    """Return the panel's columns of prices, from closes that were drawn."""
    now, before = drawn.ffill(), drawn.ffill().shift(1)
    columns: dict[str, np.ndarray] = {}
    for at, name in enumerate(closes.columns):
        if asset(name).market == "crypto":
            moved = _moved_since(panel, closes, name)[prices.sources[:, at]]
            rested = _days(panel) > 1
            ahead = np.where(rested, moved, 0.0)
            columns[name] = before[name].to_numpy() * np.exp(ahead)
            columns[session_close_id(name)] = before[name].to_numpy()
        else:
            columns[name] = now[name].to_numpy()
    return {name: _like(panel[name], new) for name, new in columns.items() if name in panel}


def _moved_since(panel: pd.DataFrame, closes: pd.DataFrame, coin: str) -> np.ndarray:
    """Return by how much, in logs, a coin in the panel is ahead of its last session's close."""
    if coin not in panel:
        return np.zeros(len(panel))
    last = closes[coin].ffill().shift(1).to_numpy(dtype=np.float64)
    ahead = np.log(panel[coin].to_numpy(dtype=np.float64) / last)
    return np.where(np.isnan(ahead), 0.0, ahead)


def _days(panel: pd.DataFrame) -> np.ndarray:
    """Return the days from the session before; 1 at the first."""
    days = np.diff(panel.index.to_numpy().astype("datetime64[D]")).astype(np.int64)
    return np.concatenate(([1], days))


def _quotes(panel: pd.DataFrame, blocks: _Blocks) -> dict[str, np.ndarray]:
    """Return the panel's columns of market quotes that are no prices."""
    names = [name for name in panel.columns if is_quoted(name)]
    scaled = panel[names].astype("float64")
    logs = [name for name in names if name in PROPORTIONAL]
    scaled[logs] = np.log(scaled[logs])
    drawn = pd.DataFrame(_redraw(scaled, blocks, PULL).levels, panel.index, names)
    drawn = drawn.clip(scaled.min(), scaled.max(), axis=1)
    drawn[logs] = np.exp(drawn[logs])
    return {name: _like(panel[name], drawn[name].to_numpy()) for name in names}


def is_quoted(id: str) -> bool:
    """Return whether a series is quoted by a market each day, so that it goes with returns."""
    if id not in CATALOG or id in NOT_QUOTED:
        return False
    return CATALOG[id].source == "fred" and CATALOG[id].frequency == "day"


def _like(original: pd.Series, new: np.ndarray) -> np.ndarray:
    """Return new values where the original has any; the original where there is no new one."""
    old = original.to_numpy(dtype=np.float64)
    return np.where(np.isnan(old) | np.isnan(new), old, new)


def _first_price(panel: pd.DataFrame, closes: pd.DataFrame) -> int:
    """Return the position of the first session with a price, after checking what was given."""
    if not panel.index.equals(closes.index):
        raise DataError(
            f"expected closes on the panel's {len(panel)} sessions, were on {len(closes)} others; "
            "reindex them"
        )
    coins = {session_close_id(name) for name in closes.columns}
    for name in panel.columns:
        if name not in CATALOG and name not in closes.columns and name not in coins:
            raise DataError(
                f"expected closes of {name}, which the panel shows and the catalog does not list; "
                "add them or drop it"
            )
    priced = closes.notna().to_numpy().any(axis=1)
    first = int(priced.argmax())
    if not priced.any() or first + 1 >= len(closes):
        raise DataError("expected prices on at least 2 sessions, found none; import some")
    return first
