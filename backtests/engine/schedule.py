"""On which sessions something is decided, and which decisions become trades.

Trades are fixed before any accounting: the schedule and the changes of regime say when a strategy
decides, and the drift band says whether the decision is worth a trade. It compares the new target
with the last one, drifted by prices and bills before costs.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.calendar import all_sessions
from signals.errors import ConfigError, unknown
from signals.params import Typed
from signals.universe import asset

BAND = 0.02

PERIODS = ("month", "quarter", "week", "day")


@dataclass(frozen=True, kw_only=True)
class Schedule(Typed):
    """When something is decided whatever happens.

    Parameters
    ----------
    every
        A decision falls on the last session of every ``month``, ``quarter`` or ``week``, or on
        every ``day``.
    offset
        Sessions after that, 0 to 60.
    """

    every: str = "month"
    offset: int = 0

    def __post_init__(self) -> None:
        """Refuse a schedule that is none."""
        if self.every not in PERIODS:
            raise ConfigError(f"every: {unknown('period', str(self.every), PERIODS)}")
        if not 0 <= self.offset <= 60:
            raise ConfigError(f"offset must lie in 0 to 60 sessions, was {self.offset!r}")

    def sessions(self, index: pd.DatetimeIndex) -> np.ndarray:
        """Return where a session of the index is scheduled, as booleans."""
        if self.every == "day":
            return np.ones(len(index), dtype=bool)
        calendar = all_sessions()
        period = calendar.to_period(self.every[0].upper())
        last = np.append(period[1:] != period[:-1], False)
        due = np.zeros(len(calendar), dtype=bool)
        due[self.offset :] = last[: len(last) - self.offset]
        return due[calendar.get_indexer(index)]


MONTHLY = Schedule()


def decision_sessions(
    index: pd.DatetimeIndex, state: pd.Series | None, schedule: Schedule = MONTHLY
) -> pd.DatetimeIndex:
    """Return the sessions on which a strategy decides.

    The first one, the scheduled ones (the exchange's calendar is known ahead, so the last session
    of a history is none unless it ends its month), and, where a state is given, every session on
    which it differs from the session before.
    """
    decide = schedule.sessions(index)
    decide[0] = True
    if state is not None:
        name = state.reindex(index).fillna("").to_numpy()
        decide[1:] |= name[1:] != name[:-1]
    return index[decide]


@dataclass(frozen=True, kw_only=True)
class Trades:
    """What is traded when.

    Attributes
    ----------
    targets
        Decisions that were executed: index the session of the decision, one column an asset.
    sizes
        Sessions × assets: the target weight to trade to at that close, NaN where the asset is
        left alone.
    notes
        What could not be traded as decided, one line each.
    """

    targets: pd.DataFrame
    sizes: pd.DataFrame
    notes: tuple[str, ...]


def choose_trades(
    weights: pd.DataFrame,
    closes: pd.DataFrame,
    bills: pd.Series,
    lag: int,
    band: float = BAND,
    gross_limit: float = 1.0,
) -> Trades:
    """Return which decisions are executed, and the weights to trade to.

    Parameters
    ----------
    weights
        One row a decision: target weights, fractions.
    closes
        Sessions × the same assets, USD; NaN where an asset has no price of that date.
    bills
        Simple return of bills into each session.
    lag
        Sessions from decision to fill, at least 1.
    band
        A decision is executed when some asset is further than this from its drifted weight.
    gross_limit
        Where anything is short, a close at which long and short weights have drifted to more
        than this in sum sends the weights last decided on their way once more.

    Notes
    -----
    An asset without a price on the day of the fill is left alone until the next decision. A
    holding whose last price is older than its asset's staleness limit, past which no signal sees
    it either, is closed at that price.
    """
    return _Chooser(weights, closes, bills, lag, band, gross_limit).run()


@dataclass
class _Waiting:
    """A decision on its way to its fill."""

    at: int
    fill: int
    target: np.ndarray
    decided: np.ndarray


class _Chooser:
    """Walks through time with the drifted portfolio, knowing at each session what was known.

    On a session holdings that have lost their price are closed first, then a waiting decision is
    filled, then a new one is taken.
    """

    def __init__(
        self,
        weights: pd.DataFrame,
        closes: pd.DataFrame,
        bills: pd.Series,
        lag: int,
        band: float,
        gross_limit: float,
    ) -> None:
        self.weights, self.closes, self.lag, self.band = weights, closes, lag, band
        self.gross_limit = gross_limit
        self.index = pd.DatetimeIndex(closes.index)
        self.priced = closes.notna().to_numpy()
        self.prices = closes.ffill().to_numpy(dtype=np.float64)
        self.cash = (1 + bills.to_numpy(dtype=np.float64)).cumprod()
        self.sizes = np.full(closes.shape, np.nan)
        self.held = np.zeros(closes.shape[1])  # weights right after the last trade
        self.traded = 0  # position of the last trade
        self.waiting: list[_Waiting] = []  # oldest first
        self.executed: list[_Waiting] = []
        self.last = np.zeros(closes.shape[1])  # the weights last decided
        self.notes: list[str] = []

    def run(self) -> Trades:
        lost = _lost(self.closes)
        at_decisions = self.index.get_indexer(pd.DatetimeIndex(self.weights.index)).tolist()
        decided = {at: row for row, at in enumerate(at_decisions)}
        fills = {at + self.lag for at in decided}
        every = set(range(len(self.index)))
        shorts = bool((self.weights < 0).to_numpy().any())
        for at in sorted(every if shorts else {*lost, *decided, *fills} & every):
            self._give_up(lost.get(at, []), at)
            if self.waiting and self.waiting[0].fill == at:
                self._fill(self.waiting.pop(0).target, at)
            if at in decided:
                self._decide(self.weights.iloc[decided[at]].to_numpy(dtype=np.float64), at)
            if shorts and not self.waiting:
                self._hold_to_limit(at)
        return Trades(
            targets=self._targets(),
            sizes=pd.DataFrame(self.sizes, index=self.index, columns=self.closes.columns),
            notes=tuple(self.notes),
        )

    def _targets(self) -> pd.DataFrame:
        rows = [w.decided for w in self.executed]
        index = self.index[[w.at for w in self.executed]]
        values = np.array(rows, dtype=np.float64).reshape(len(rows), self.closes.shape[1])
        return pd.DataFrame(values, index=index, columns=self.closes.columns)

    def _decide(self, target: np.ndarray, at: int) -> None:
        """Send a decision on its way if it is worth a trade and its fill is still in history."""
        self.last = target.copy()
        last = self.waiting[-1].target if self.waiting else self._drifted(at)
        if (np.abs(target - last) > self.band).any():
            self._send(target, at)

    def _hold_to_limit(self, at: int) -> None:
        """Go back to the last target when shorts have let gross exposure drift beyond its limit."""
        now = self._drifted(at)
        if (now < 0).any() and np.abs(now).sum() > self.gross_limit + 1e-9:
            self._send(self.last, at)

    def _send(self, target: np.ndarray, at: int) -> None:
        fill = at + self.lag
        if fill < len(self.index):
            sent = _Waiting(at=at, fill=fill, target=target.copy(), decided=target.copy())
            self.waiting.append(sent)
            self.executed.append(sent)

    def _fill(self, target: np.ndarray, at: int) -> None:
        before, can = self._drifted(at), self.priced[at]
        for column in np.flatnonzero(~can & (np.abs(target - before) > 1e-12)).tolist():
            self.notes.append(
                f"{self.closes.columns[column]} had no price on {self.index[at].date()}: "
                "left alone until the next decision"
            )
        self.sizes[at, can] = target[can]
        self.held, self.traded = np.where(can, target, before), at

    def _give_up(self, columns: list[int], at: int) -> None:
        """Close at their last price the holdings that have been without one for too long."""
        self.sizes[at, columns] = 0.0  # no order where nothing is held
        gone = [column for column in columns if self.held[column] != 0]
        if not gone:
            return
        self.held, self.traded = self._drifted(at), at
        self.held[gone] = 0.0
        self.last[gone] = 0.0
        for decision in self.waiting:
            decision.target[gone] = 0.0
        self.notes += [
            f"{self.closes.columns[column]} has had no price for more than "
            f"{asset(str(self.closes.columns[column])).stale_after} days: closed at its last price "
            f"on {self.index[at].date()}"
            for column in gone
        ]

    def _drifted(self, at: int) -> np.ndarray:
        """Return the weights at a session's close, drifted since the last trade."""
        if at == self.traded:
            return self.held.copy()
        growth = np.where(self.held == 0, 1.0, self.prices[at] / self.prices[self.traded])
        values = self.held * growth
        cash = (1 - self.held.sum()) * self.cash[at] / self.cash[self.traded]
        worth = values.sum() + cash
        if worth <= 0:  # ruined, which the accounting finds and refuses
            return self.held.copy()
        drifted: np.ndarray = values / worth
        return drifted


def _lost(closes: pd.DataFrame) -> dict[int, list[int]]:
    """Return by position the columns whose last price has first become stale."""
    days = closes.index.to_numpy().astype("datetime64[D]").astype(np.int64)
    lost: dict[int, list[int]] = {}
    for column in range(closes.shape[1]):
        priced = closes.iloc[:, column].notna().to_numpy()
        last = np.maximum.accumulate(np.where(priced, days, -1))
        limit = asset(str(closes.columns[column])).stale_after
        gone = (last >= 0) & (days - last > limit)
        for at in np.flatnonzero(gone & ~np.concatenate(([False], gone[:-1]))).tolist():
            lost.setdefault(at, []).append(column)
    return lost
