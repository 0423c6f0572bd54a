"""Resampled histories: the market takes another course, and quantities keep theirs.

A resampled history consists of blocks of whole sessions. It serves as a placebo for strategies
that follow prices. Flags that are read on it follow its prices, but chance decides when the market
moves. Patterns shorter than a block survive. A strategy that scales to clustered volatility still
times it, so its placebos share that skill.

At the joint of two blocks a look-back reads the market of the block before. Placebos therefore time
less well than the strategy, and its rank is too high on average: see
:data:`backtests.evidence.significance.MEAN_RANKS`.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from arch.bootstrap import StationaryBootstrap

from backtests.evidence.matching import check_same_sessions
from signals.catalog import CATALOG
from signals.errors import ConfigError, DataError
from signals.universe import asset, session_close_id

#: Mean length of a block of market moves, sessions: a year.
BLOCK = 252
#: Number of draws per session. An asset takes the first one in which it was listed.
TRIES = 8
#: Share of its distance from the source's level that a quoted level gives up per session.
PULL = 1 / 252
#: Daily series that an authority sets or counts. Other daily series that are fetched are quotes.
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
    """Return panel and closes of a history with another market and the same quantities.

    Whole sessions are drawn in blocks, so that all quotes of a session stay together: log returns
    of all assets, changes of yields and spreads, log changes of VIX and the dollar. Balance sheets,
    output, capital spending, ETF flows, funding rates and rates set by decision keep their dates.
    Values before the first price do not change.

    A block lasts one year on average. The look-backs that matter most (volatility, correlation,
    changes of yields) span 63 sessions or less. They lie within one block on 78 % of sessions;
    blocks of a quarter would give 37 %. Draws of far longer blocks would hardly differ. Each block
    lands on a random date, which cuts the link between the market and the quantities.

    Parameters
    ----------
    panel, closes
        See :class:`backtests.history.panel.History`.
    block
        Mean length of a block, sessions. Lengths are geometric (stationary bootstrap), and a block
        goes round from the end to the beginning.
    seed
        Equal seeds give equal draws.
    since
        The first session that is judged. Later sessions are drawn from later ones, and earlier
        sessions from earlier ones, so that placebos have the market of the judged years. None
        draws every session from all sessions.

    Returns
    -------
    Panel and closes of the same shape. Each column starts from its first level. Coins in the panel
    stay one session behind: they show the last close before the session's close. After a weekend
    or holiday they also show the move since then, if the drawn session follows one, too.

    Timing
        A series that is known late stays equally late, since its changes are drawn by panel row.

    NaN
        NaN stays in its place, so an asset is listed from its true date on. Where the drawn
        session has no return of a listed asset, the asset takes the next of 8 draws that has one.
        All assets that lack the earlier draws share this one, so coins mostly stay with coins.
        Where all 8 draws fail, the asset takes a separate block that begins at a random session of
        its listing, and some co-movement with assets listed earlier is lost.

    Raises
    ------
    ConfigError, DataError
        When the block is shorter than one session; when sessions differ, no asset has a price, or
        a price in the panel has no closes.

    Notes
    -----
    A chain of drawn yield changes would drift without bound. Each quoted level therefore moves
    back toward the level of its drawn session, by 1/252 of the distance per session, and stays
    between its lowest and highest value since the first price. Differences between yields stay
    intact inside the bounds.

    Reference
        Politis and Romano (1994), "The stationary bootstrap", JASA 89.
    """
    first = _first_price(panel, closes)
    if block < 1:
        raise ConfigError(f"expected a block of at least 1 session, was {block}")
    split = 0 if since is None else int(panel.index.searchsorted(since)) - first
    blocks = _draw(len(closes) - first - 1, block, seed, split)
    levels = closes.iloc[first:].astype("float64")
    drawn, sources = _redraw(levels.transform(np.log), blocks, 0.0)
    new_closes = closes.copy()
    new_closes.iloc[first + 1 :] = np.exp(drawn[1:])
    new_closes = new_closes.where(closes.notna())

    new_panel = panel.copy()
    rows = panel.index[first + 1 :]
    shown = _shown(panel.iloc[first:], closes.iloc[first:], new_closes.iloc[first:], sources)
    for name, values in {**shown, **_quotes(panel.iloc[first:], blocks)}.items():
        new_panel.loc[rows, name] = values[1:]
    return new_panel, new_closes


class _Blocks(NamedTuple):
    """The sessions that each session after the first may take its change from."""

    joint: np.ndarray  # the draws, tries × sessions
    # For an asset that is listed in none of the draws:
    place: np.ndarray  # the position of a session in its block
    lot: np.ndarray  # the block's random number, 0 to 1


def _draw(n: int, block: int, seed: int, split: int) -> _Blocks:
    """Return draws for n changes; changes before ``split`` do not mix with later ones."""
    bounds = [(0, split), (split, n)] if 0 < split < n else [(0, n)]
    parts = [_part(low, high - low, block, seed + i) for i, (low, high) in enumerate(bounds)]
    return _Blocks(*(np.concatenate(arrays, axis=-1) for arrays in zip(*parts, strict=True)))


def _part(low: int, n: int, block: int, seed: int) -> _Blocks:
    bootstrap = StationaryBootstrap(block, np.arange(n), seed=seed)
    joint = np.array([low + bootstrap.update_indices() + 1 for _ in range(TRIES)])
    own = bootstrap.update_indices()
    begins = np.concatenate(([True], own[1:] != (own[:-1] + 1) % n))
    start = np.maximum.accumulate(np.where(begins, np.arange(n), 0))
    lots = np.random.default_rng([seed, 1]).random(n)
    return _Blocks(joint=joint, place=np.arange(n) - start, lot=lots[start])


def _redraw(levels: pd.DataFrame, blocks: _Blocks, pull: float) -> tuple[np.ndarray, np.ndarray]:
    """Return columns that change as in the drawn sessions, and the source session of each change.

    A level is the level of its source session plus a gap. The gap jumps at the joints of blocks
    and shrinks toward zero by the share ``pull`` per session.
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
    """Return for each session and column the session whose change it takes, or its first level."""
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
    """Return the price columns of the panel, from resampled closes."""
    now, before = drawn.ffill(), drawn.ffill().shift(1)
    rested = (panel.index.to_series().diff() > pd.Timedelta(days=1)).to_numpy()
    columns: dict[str, np.ndarray] = {}
    for at, name in enumerate(closes.columns):
        if asset(name).market == "crypto":
            ahead = np.where(rested, _moved_since(panel, closes, name)[sources[:, at]], 0.0)
            columns[name] = before[name].to_numpy() * np.exp(ahead)
            columns[session_close_id(name)] = before[name].to_numpy()
        else:
            columns[name] = now[name].to_numpy()
    return {name: _like(panel[name], new) for name, new in columns.items() if name in panel}


def _moved_since(panel: pd.DataFrame, closes: pd.DataFrame, coin: str) -> np.ndarray:
    """Return the log change of a coin in the panel since the close of the session before."""
    if coin not in panel:
        return np.zeros(len(panel))
    last = closes[coin].ffill().shift(1).to_numpy(dtype=np.float64)
    ahead = np.log(panel[coin].to_numpy(dtype=np.float64) / last)
    return np.where(np.isnan(ahead), 0.0, ahead)


def _quotes(panel: pd.DataFrame, blocks: _Blocks) -> dict[str, np.ndarray]:
    """Return the panel's columns of market quotes other than prices, resampled."""
    names = [name for name in panel.columns if is_quoted(name)]
    scaled = panel[names].astype("float64")
    logs = [name for name in names if name in PROPORTIONAL]
    scaled[logs] = np.log(scaled[logs])
    drawn = pd.DataFrame(_redraw(scaled, blocks, PULL)[0], panel.index, names)
    drawn = drawn.clip(scaled.min(), scaled.max(), axis=1)
    drawn[logs] = np.exp(drawn[logs])
    return {name: _like(panel[name], drawn[name].to_numpy()) for name in names}


def is_quoted(id: str) -> bool:
    """Return whether a market quotes a series each day, so that it is resampled with returns."""
    if id not in CATALOG or id in NOT_QUOTED:
        return False
    return CATALOG[id].source != "file" and CATALOG[id].frequency == "day"


def _like(original: pd.Series, new: np.ndarray) -> np.ndarray:
    """Return new values where both the original and the new value exist, else the original."""
    old = original.to_numpy(dtype=np.float64)
    return np.where(np.isnan(old) | np.isnan(new), old, new)


def _first_price(panel: pd.DataFrame, closes: pd.DataFrame) -> int:
    """Return the position of the first session with a price; raise DataError for bad input."""
    check_same_sessions("closes", closes.index, "the panel", panel.index)
    known = {*CATALOG, *closes.columns, *map(session_close_id, closes.columns)}
    strange = [name for name in panel.columns if name not in known]
    if strange:
        raise DataError(
            f"expected closes of {strange[0]}, which stands in the panel but not in the catalog; "
            "add its closes or drop its column"
        )
    priced = closes.notna().to_numpy().any(axis=1)
    first = int(np.argmax(priced))
    if not priced.any() or first + 1 >= len(closes):
        raise DataError("expected prices on at least 2 sessions, found none; import some")
    return first
