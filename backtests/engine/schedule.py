"""On which sessions something is decided, and which decisions become trades.

Trades are fixed before any accounting: the schedule and the changes of regime say when a strategy
decides, and the drift band says whether the decision is worth a trade. It compares the new target
with the last one, drifted by prices and bills before costs.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.history.calendar import all_sessions

BAND = 0.02
#: Days without a price after which a holding is closed at its last price.
GIVE_UP = 10


def decision_sessions(index: pd.DatetimeIndex, regime: pd.Series | None) -> pd.DatetimeIndex:
    """Return the sessions on which a strategy decides.

    The first one, every month's last session by the exchange's calendar (which is known ahead,
    so the last session of a history is none unless it ends its month), and, where a regime is
    given, every session on which it differs from the session before.
    """
    decide = is_month_end(index)
    decide[0] = True
    if regime is not None:
        name = regime.reindex(index).fillna("").to_numpy()
        decide[1:] |= name[1:] != name[:-1]
    return index[decide]


def is_month_end(index: pd.DatetimeIndex) -> np.ndarray:
    """Return where a session is the last of its month, by the exchange's calendar."""
    calendar = all_sessions()
    following = calendar[calendar.searchsorted(index, side="right")]
    return np.asarray(following.month != index.month)


@dataclass(frozen=True, kw_only=True)
class Trades:
    """What is traded when.

    Attributes
    ----------
    targets
        Decisions that were executed: index the session of the decision, one column an asset.
    fills
        The session of the fill for each row of ``targets``.
    sizes
        Sessions × assets: the target weight to trade to at that close, NaN where the asset is
        left alone.
    notes
        What could not be traded as decided, one line each.
    """

    targets: pd.DataFrame
    fills: pd.DatetimeIndex
    sizes: pd.DataFrame
    notes: tuple[str, ...]


def choose_trades(
    weights: pd.DataFrame, closes: pd.DataFrame, bills: pd.Series, lag: int, band: float = BAND
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

    Notes
    -----
    An asset without a price on the day of the fill is left alone until the next decision. A
    holding that has had no price for more than :data:`GIVE_UP` days is closed at its last price.
    """
    return _Chooser(weights, closes, bills, lag, band).run()


@dataclass
class _Waiting:
    """A decision on its way to its fill."""

    row: int
    fill: int
    target: np.ndarray


class _Chooser:
    """Walks through time with the drifted portfolio, knowing at each session what was known.

    On a session holdings that have lost their price are closed first, then a waiting decision is
    filled, then a new one is taken.
    """

    def __init__(
        self, weights: pd.DataFrame, closes: pd.DataFrame, bills: pd.Series, lag: int, band: float
    ) -> None:
        self.weights, self.closes, self.lag, self.band = weights, closes, lag, band
        self.index = pd.DatetimeIndex(closes.index)
        self.priced = closes.notna().to_numpy()
        self.prices = closes.ffill().to_numpy(dtype=np.float64)
        self.cash = (1 + bills.to_numpy(dtype=np.float64)).cumprod()
        self.sizes = np.full(closes.shape, np.nan)
        self.held = np.zeros(closes.shape[1])  # weights right after the last trade
        self.traded = 0  # position of the last trade
        self.waiting: list[_Waiting] = []  # oldest first
        self.executed: list[_Waiting] = []
        self.notes: list[str] = []

    def run(self) -> Trades:
        lost = _lost(self.closes)
        at_decisions = self.index.get_indexer(pd.DatetimeIndex(self.weights.index)).tolist()
        decided = {at: row for row, at in enumerate(at_decisions)}
        fills = {at + self.lag for at in decided}
        for at in sorted({*lost, *decided, *fills} & set(range(len(self.index)))):
            self._give_up(lost.get(at, []), at)
            if self.waiting and self.waiting[0].fill == at:
                self._fill(self.waiting.pop(0).target, at)
            if at in decided:
                self._decide(decided[at], at)
        return Trades(
            targets=self.weights.iloc[[w.row for w in self.executed]],
            fills=self.index[[w.fill for w in self.executed]],
            sizes=pd.DataFrame(self.sizes, index=self.index, columns=self.closes.columns),
            notes=tuple(self.notes),
        )

    def _decide(self, row: int, at: int) -> None:
        """Send a decision on its way if it is worth a trade and its fill is still in history."""
        target = self.weights.iloc[row].to_numpy(dtype=np.float64)
        last = self.waiting[-1].target if self.waiting else self._drifted(at)
        fill = at + self.lag
        if fill < len(self.index) and (np.abs(target - last) > self.band).any():
            decision = _Waiting(row=row, fill=fill, target=target.copy())
            self.waiting.append(decision)
            self.executed.append(decision)

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
        for decision in self.waiting:
            decision.target[gone] = 0.0
        self.notes += [
            f"{self.closes.columns[column]} has had no price for more than {GIVE_UP} days: closed "
            f"at its last price on {self.index[at].date()}"
            for column in gone
        ]

    def _drifted(self, at: int) -> np.ndarray:
        """Return the weights at a session's close, drifted since the last trade."""
        if at == self.traded:
            return self.held.copy()
        growth = np.where(self.held == 0, 1.0, self.prices[at] / self.prices[self.traded])
        values = self.held * growth
        cash = (1 - self.held.sum()) * self.cash[at] / self.cash[self.traded]
        drifted: np.ndarray = values / (values.sum() + cash)
        return drifted


def _lost(closes: pd.DataFrame) -> dict[int, list[int]]:
    """Return by position the columns that have first been without a price for too long."""
    days = closes.index.to_numpy().astype("datetime64[D]").astype(np.int64)
    lost: dict[int, list[int]] = {}
    for column in range(closes.shape[1]):
        priced = closes.iloc[:, column].notna().to_numpy()
        last = np.maximum.accumulate(np.where(priced, days, -1))
        gone = (last >= 0) & (days - last > GIVE_UP)
        for at in np.flatnonzero(gone & ~np.concatenate(([False], gone[:-1]))).tolist():
            lost.setdefault(at, []).append(column)
    return lost
