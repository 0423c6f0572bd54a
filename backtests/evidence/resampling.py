"""Resample the market prices of a history; balance sheets and other quantities stay unchanged.

A resampled history consists of blocks of whole sessions. Resampled histories are the placebos of
strategies that depend on prices. In a resampled history, the market's moves come at random dates.
The flags are computed again from the resampled prices, so they react to the resampled moves. Price
patterns shorter than a block, such as volatility clusters, remain in the resampled history. A
strategy can therefore adjust its weights to volatility even in a resampled history.

Shortly after the start of a block, a look-back window still contains sessions of the previous
block. A look-back window that covers two blocks makes the timing of a placebo worse. So the rank of
a strategy among resampled placebos is too high on average
(:data:`backtests.evidence.placebo_rank.MEAN_RANKS`).
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from backtests.evidence.matching import check_same_sessions
from signals.catalog import CATALOG
from signals.errors import ConfigError, DataError
from signals.universe import asset, session_close_id

#: Mean length of a block of market moves, in sessions. 252 sessions are about one year.
BLOCK = 252
#: Number of draws for each session. An asset uses the first draw in which it has a return.
TRIES = 8
#: Within a block, the distance from a resampled quote to the original quote of the source session
#: shrinks by this fraction at every session.
PULL = 1 / 252
#: Daily series that a central bank sets or reports. All other downloaded daily series are market
#: quotes.
NOT_QUOTED = ("RRPONTSYD", "RPONTSYD", "SRF", "IOER", "IORB", "DFEDTARU", "ECBDFR")
#: Quoted series whose changes are proportional to their level.
PROPORTIONAL = ("VIXCLS", "DTWEXBGS")


def resample_prices(
    panel: pd.DataFrame,
    closes: pd.DataFrame,
    *,
    block: int = BLOCK,
    seed: int,
    since: pd.Timestamp | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the panel and closes of a history with resampled prices and unchanged quantities.

    The resampling draws blocks of consecutive sessions. Each session gets the market moves of a
    drawn session, which is called the source session. Market moves are log returns of assets,
    changes of yields and spreads, and log changes of VIX and of the dollar. Quantities keep their
    original dates: balance sheets, output, capital spending and ETF flows. Funding rates, and
    interest rates that an authority sets, also keep their dates. Values before the earliest price
    of any asset are not resampled.

    A block lasts one year on average. The most important look-back windows, such as the window of
    volatility, have 63 sessions or fewer. With blocks of one year, 78 % of the windows of 63
    sessions lie within one block. With blocks of one quarter, only 37 % of the windows of 63
    sessions lie within one block. Blocks much longer than one year would make all resampled
    histories similar. Each block moves to a random date, so market moves lose their link with
    quantities.

    Parameters
    ----------
    panel, closes
        Panel and closes, as in :class:`backtests.history.panel.History`.
    block
        Mean length of a block, in sessions. The length of a block follows a geometric distribution
        (stationary bootstrap). A block that reaches the last session continues at the first
        session.
    seed
        Equal seeds give equal draws.
    since
        The first session of the backtest. Changes up to ``since`` are drawn only from sessions up
        to ``since``. Changes after ``since`` are drawn only from sessions after ``since``. So the
        market moves in a placebo's backtest come only from sessions after ``since``. If ``since``
        is None, changes are drawn from all sessions.

    Returns
    -------
    The resampled panel and closes, with the same shapes as the originals. Each resampled column
    starts at the first value of the original column. In the panel, a coin's price at a session is
    its last close before this session's close. So a coin's price in the panel lags by one session.
    Coins also trade on weekends and holidays, which have no session. The weekend move of a session
    is the coin's move on the weekend or holiday just before the session. If no weekend or holiday
    lies just before the session, the weekend move is 0. After a weekend or holiday, the resampled
    price includes the weekend move of the source session.

    Timing
        The changes of a series are drawn from the point-in-time panel, so each series keeps its
        publication delay.

    NaN
        Missing values stay missing, so the listing date of each asset does not change. For each
        session, 8 candidate sessions are drawn. The source session of a listed asset is the first
        candidate session on which the asset has a return. Assets with returns on the same candidate
        sessions have the same source session. So on most sessions, all coins have the same source
        session. If an asset has no return on any of the 8 candidate sessions, its return comes from
        a separate block. A separate block starts at a random session after the asset's listing. The
        separate block weakens the asset's correlation with assets that were listed earlier.

    Raises
    ------
    ConfigError
        Raised if the block is shorter than one session.
    DataError
        Raised if sessions differ, if no asset has a price, or if an asset of the panel has no
        closes.

    Notes
    -----
    A sum of drawn yield changes could drift without limit. To prevent drift, each resampled quote,
    such as a yield, is pulled toward the original quote of the source session. Within a block, the
    distance between the two quotes shrinks by the fraction 1/252 at every session. Each resampled
    quote also stays between the minimum and the maximum of the original quote. The minimum and the
    maximum cover the sessions since the earliest price of any asset. Because of the pull and the
    limits, the difference between two resampled yields does not move exactly as at the source
    session.

    Reference
        Politis and Romano (1994), "The stationary bootstrap", JASA 89.
    """
    first = _first_price(panel, closes)
    if block < 1:
        raise ConfigError(f"expected `block` of at least 1 session, was {block}")
    split = 0 if since is None else int(panel.index.searchsorted(since)) - first
    blocks = _draw(len(closes) - first - 1, block, seed, split)
    levels = closes.iloc[first:].astype("float64")
    drawn, sources = _redraw(levels.transform(np.log), blocks, 0.0)
    new_closes = closes.copy()
    new_closes.iloc[first + 1 :] = np.exp(drawn[1:])
    new_closes = new_closes.where(closes.notna())

    new_panel = panel.copy()
    shown = _shown(panel.iloc[first:], closes.iloc[first:], new_closes.iloc[first:], sources)
    columns = {**shown, **_quotes(panel.iloc[first:], blocks)}
    if columns:
        places = panel.columns.get_indexer(pd.Index(list(columns)))
        new_panel.iloc[first + 1 :, places] = np.column_stack(list(columns.values()))[1:]
    return new_panel, new_closes


class _Blocks(NamedTuple):
    """Random draws that choose the source session of each session after the first session."""

    joint: np.ndarray  # the draws, tries × sessions
    # If an asset has no return in any draw, ``place`` and ``lot`` choose the source session.
    place: np.ndarray  # the position of a session in its block
    lot: np.ndarray  # the block's random number, 0 to 1


def _draw(n: int, block: int, seed: int, split: int) -> _Blocks:
    """Return draws for ``n`` sessions; sessions before and after ``split`` are drawn separately."""
    bounds = [(0, split), (split, n)] if 0 < split < n else [(0, n)]
    parts = [_part(low, high - low, block, seed + i) for i, (low, high) in enumerate(bounds)]
    return _Blocks(*(np.concatenate(arrays, axis=-1) for arrays in zip(*parts, strict=True)))


def _part(low: int, n: int, block: int, seed: int) -> _Blocks:
    from arch.bootstrap import StationaryBootstrap

    bootstrap = StationaryBootstrap(block, np.arange(n), seed=seed)
    joint = np.array([low + bootstrap.update_indices() + 1 for _ in range(TRIES)])
    own = bootstrap.update_indices()
    begins = np.concatenate(([True], own[1:] != (own[:-1] + 1) % n))
    start = np.maximum.accumulate(np.where(begins, np.arange(n), 0))
    lots = np.random.default_rng([seed, 1]).random(n)
    return _Blocks(joint=joint, place=np.arange(n) - start, lot=lots[start])


def _redraw(levels: pd.DataFrame, blocks: _Blocks, pull: float) -> tuple[np.ndarray, np.ndarray]:
    """Return resampled columns, and the source session of each change.

    The new level at a session is the level at the source session plus an offset. At the start of
    each block, the offset changes so that the new level does not jump. The offset shrinks by the
    fraction ``pull`` at every session.
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
    return old[sources, column] + apart, sources


def _sources(known: np.ndarray, blocks: _Blocks) -> np.ndarray:
    """Return the source session for each session and column, as a row number of ``known``.

    On sessions before the first value of a column, the source session is the session of this first
    value.
    """
    first = known.argmax(axis=0)
    last = len(known) - 1 - known[::-1].argmax(axis=0)
    joint = blocks.joint[:, :, None]
    has = (joint > first) & (joint <= last)
    taken = np.take_along_axis(joint, has.argmax(axis=0)[None], axis=0)[0]
    changes = np.maximum(last - first, 1)
    own = (blocks.lot[:, None] * changes).astype(np.int64) + blocks.place[:, None]
    later = np.where(has.any(axis=0), taken, first + 1 + own % changes)
    sources = np.concatenate((first[None, :], np.minimum(later, len(known) - 1)))
    return np.where(np.arange(len(known))[:, None] <= first, first, sources)


def _shown(
    panel: pd.DataFrame, closes: pd.DataFrame, drawn: pd.DataFrame, sources: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the price columns of the panel, computed from resampled closes."""
    now, before = drawn.ffill(), drawn.ffill().shift(1)
    rested = (panel.index.to_series().diff() > pd.Timedelta(days=1)).to_numpy()
    columns: dict[str, np.ndarray] = {}
    for at, name in enumerate(closes.columns):
        if asset(name).is_coin:
            ahead = np.where(rested, _moved_since(panel, closes, name)[sources[:, at]], 0.0)
            columns[name] = before[name].to_numpy() * np.exp(ahead)
            columns[session_close_id(name)] = before[name].to_numpy()
        else:
            columns[name] = now[name].to_numpy()
    return {name: _like(panel[name], new) for name, new in columns.items() if name in panel}


def _moved_since(panel: pd.DataFrame, closes: pd.DataFrame, coin: str) -> np.ndarray:
    """Return a coin's log return from the previous session's close to the price in the panel.

    The log return is 0 if one of the two prices is missing.
    """
    if coin not in panel:
        return np.zeros(len(panel))
    last = closes[coin].ffill().shift(1).to_numpy(dtype=np.float64)
    ahead = np.log(panel[coin].to_numpy(dtype=np.float64) / last)
    return np.where(np.isnan(ahead), 0.0, ahead)


def _quotes(panel: pd.DataFrame, blocks: _Blocks) -> dict[str, np.ndarray]:
    """Return the resampled market quotes of the panel, such as yields, but not the asset prices."""
    names = [name for name in panel.columns if is_quoted(name)]
    scaled = panel[names].astype("float64")
    logs = [name for name in names if name in PROPORTIONAL]
    scaled[logs] = np.log(scaled[logs])
    drawn = pd.DataFrame(_redraw(scaled, blocks, PULL)[0], panel.index, names)
    drawn = drawn.clip(scaled.min(), scaled.max(), axis=1)
    drawn[logs] = np.exp(drawn[logs])
    return {name: _like(panel[name], drawn[name].to_numpy()) for name in names}


def is_quoted(id: str) -> bool:
    """Return whether a series is a daily market quote, which is resampled together with returns."""
    if id not in CATALOG or id in NOT_QUOTED:
        return False
    return CATALOG[id].source != "file" and CATALOG[id].frequency == "day"


def is_resampled(id: str, closes: pd.DataFrame) -> bool:
    """Return whether :func:`resample_prices` changes a column of the panel.

    Resampling changes market quotes and the prices of the assets in ``closes``.
    """
    return id in {*closes, *map(session_close_id, map(str, closes))} or is_quoted(id)


def _like(original: pd.Series, new: np.ndarray) -> np.ndarray:
    """Return the new values. If an original or a new value is missing, the original is kept."""
    old = original.to_numpy(dtype=np.float64)
    return np.where(np.isnan(old) | np.isnan(new), old, new)


def _first_price(panel: pd.DataFrame, closes: pd.DataFrame) -> int:
    """Return the position of the first session with a price; bad input raises DataError."""
    check_same_sessions("closes", closes.index, "the panel", panel.index)
    known = {*CATALOG, *closes.columns, *map(session_close_id, closes.columns)}
    strange = [name for name in panel.columns if name not in known]
    if strange:
        raise DataError(
            f"expected closes of {strange[0]}, because {strange[0]} is a column of the panel and "
            "not a series of the catalog; add the closes or delete the column"
        )
    priced = closes.notna().to_numpy().any(axis=1)
    first = int(np.argmax(priced))
    if not priced.any() or first + 1 >= len(closes):
        raise DataError("expected prices on at least 2 sessions, found fewer; import prices")
    return first
