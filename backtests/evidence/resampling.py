"""A market that took another course, while the quantities took the same.

History drawn anew from blocks of whole sessions, for placebos of what follows prices: flags read
on it follow its prices as they do, but what the market did when is left to chance. What lasts less
than a block is kept: volatility that clusters is still timed by a strategy that scales to it, so
for such a one the placebos share that skill.

Where two blocks join, a look-back sees the market of the block before. What a flag knows of
volatility or of a crisis is then about another market, and placebos time less well than the
strategy does, so that its rank leans high: see :data:`backtests.evidence.significance.MEAN_RANKS`.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from arch.bootstrap import StationaryBootstrap

from signals.catalog import CATALOG
from signals.errors import ConfigError, DataError
from signals.universe import asset, session_close_id

#: Mean length of a block of market moves, sessions: a year.
BLOCK = 252
#: Joint draws, in order, of which an asset takes the first that it was listed in.
TRIES = 8
#: Share of the way to its source's level that a quoted level goes back a session.
PULL = 1 / 252
#: Daily series that are set or counted, not quoted by a market.
NOT_QUOTED = ("RRPONTSYD", "IORB", "DFEDTARU")
#: Quoted series whose moves are proportional to their level.
PROPORTIONAL = ("VIXCLS", "DTWEXBGS")


def resample_prices(
    panel: pd.DataFrame,
    closes: pd.DataFrame,
    *,
    block: int = BLOCK,
    seed: int,
    since: pd.Timestamp | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a history whose market took another course while quantities took the same.

    Whole sessions are drawn in blocks, so that everything quoted on a session keeps together: log
    returns of all assets, changes of yields and spreads, log changes of VIX and the dollar.
    Balance sheets, output, capital spending, ETF flows, funding rates and rates that are set by
    decision stay at their dates. Nothing before the first price is touched.

    A year is the mean length of a block. The look-backs that decide most span 63 sessions or less
    (volatility, correlation, changes of yields) and lie within one block on 78 % of sessions; with
    blocks of a quarter it would be 37 %. The longest, a mean over 200 sessions and a high over 252,
    are no longer than a block. Each block lands on a random date, which cuts the link between the
    market and the quantities, however long the block is. Eleven years hold about eleven blocks, so
    draws still differ; with far longer blocks they would hardly differ.

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
    since
        The first session that is judged: what comes after it is drawn from what came after it,
        and what came before from before, so that placebos have the market of the years judged.
        None draws all from all.

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
    split = 0 if since is None else int(panel.index.searchsorted(since)) - first
    blocks = _draw(len(closes) - first - 1, block, seed, split)
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


def _draw(n: int, block: int, seed: int, split: int) -> _Blocks:
    """Draw for n changes; those before ``split`` among themselves, and so those from it on."""
    bounds = [(0, split), (split, n)] if 0 < split < n else [(0, n)]
    parts = [_part(low, high - low, block, seed + i) for i, (low, high) in enumerate(bounds)]
    return _Blocks(
        joint=np.concatenate([part.joint for part in parts], axis=1),
        place=np.concatenate([part.place for part in parts]),
        lot=np.concatenate([part.lot for part in parts]),
    )


def _part(low: int, n: int, block: int, seed: int) -> _Blocks:
    bootstrap = StationaryBootstrap(block, np.arange(n), seed=seed)
    joint = np.array([low + bootstrap.update_indices() + 1 for _ in range(TRIES)])
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
    first = int(np.argmax(priced))
    if not priced.any() or first + 1 >= len(closes):
        raise DataError("expected prices on at least 2 sessions, found none; import some")
    return first
