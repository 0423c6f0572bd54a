"""Choose the sessions on which a strategy decides, and the decisions that become trades.

Trades are chosen before the simulation. A strategy decides on scheduled sessions, and on sessions
at which its state, such as a regime, changes. After a trade, the weights drift away from their
targets, because assets and bills have different returns. A decision is traded if a target weight
differs from the drifted weight by more than the band. The drifted weights are computed without
costs.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import pandas as pd

from backtests.calendar import all_sessions
from backtests.engine.inputs import growth_of_bills
from signals.errors import ConfigError
from signals.params import Typed
from signals.universe import asset

BAND = 0.02
#: A sum of weights exceeds its limit only if it is above the limit by more than this fraction.
ROUNDING = 1e-9

Period = Literal["month", "quarter", "week", "day"]
#: Approximate number of sessions in each period.
PERIODS: dict[str, int] = {"month": 21, "quarter": 63, "week": 5, "day": 1}


@dataclass(frozen=True, kw_only=True)
class Schedule(Typed):
    """The sessions on which a strategy decides even if its state does not change.

    Parameters
    ----------
    every
        The strategy decides on the last session of every ``month``, ``quarter`` or ``week``, or
        on every ``day``.
    offset
        Number of sessions by which each scheduled decision is delayed, 0 to 60. The delay has no
        effect if the strategy decides on every day.
    """

    every: Period = "month"
    offset: int = 0

    def __post_init__(self) -> None:
        """Raise ConfigError if the offset is outside 0 to 60 sessions."""
        super().__post_init__()
        if not 0 <= self.offset <= 60:
            raise ConfigError(f"offset must be from 0 to 60 sessions, was {self.offset!r}")

    def sessions(self, index: pd.DatetimeIndex) -> np.ndarray:
        """Return True at scheduled sessions of the index, and False at all other sessions."""
        if self.every == "day":
            return np.ones(len(index), dtype=bool)
        scheduled: np.ndarray = _scheduled(self)[all_sessions().get_indexer(index)]
        return scheduled


@cache
def _scheduled(schedule: Schedule) -> np.ndarray:
    """Return one boolean per session of the calendar: whether this session is scheduled."""
    calendar = all_sessions()
    period = calendar.to_period(schedule.every[0].upper())
    last = np.append(period[1:] != period[:-1], False)
    due = np.zeros(len(calendar), dtype=bool)
    due[schedule.offset :] = last[: len(last) - schedule.offset]
    return due


def decision_sessions(
    index: pd.DatetimeIndex, state: pd.Series | None, schedule: Schedule
) -> pd.DatetimeIndex:
    """Return the sessions on which a strategy decides.

    A strategy decides on the first session, on every scheduled session, and on every session with a
    new state. The end of a month comes from the exchange's calendar, which is known in advance. So
    with the default schedule, the last session of a history is scheduled only if this session is
    the last session of its month.
    """
    decide = schedule.sessions(index)
    decide[0] = True
    if state is not None:
        name = state.reindex(index).fillna("").to_numpy()
        decide[1:] |= name[1:] != name[:-1]
    return index[decide]


@dataclass(frozen=True, kw_only=True)
class Trades:
    """The decisions and trades of a portfolio.

    Attributes
    ----------
    targets
        Target weights of the executed decisions, as fractions. The shape is decision sessions ×
        assets. A trade that restores the gross limit counts as an executed decision.
    sizes, notes
        ``sizes`` contains the target weights of the trades, as fractions: sessions × assets. Each
        target weight is in the row of the session at which the trade is filled. If an asset is not
        traded at a session, its target weight is NaN. ``notes`` has one line for each order that a
        missing price prevented, changed or caused.
    """

    targets: pd.DataFrame
    sizes: pd.DataFrame
    notes: tuple[str, ...]


def choose_trades(
    weights: pd.DataFrame,
    closes: pd.DataFrame,
    bills: pd.Series,
    lag: int,
    band: float,
    gross_limit: float,
) -> Trades:
    """Return the executed decisions and the target weight of each trade.

    :func:`backtests.engine.simulate.simulate` describes the parameters. ``closes`` has the same
    assets as ``weights``. A decision is executed if a target weight differs from the drifted weight
    by more than ``band``, a fraction. If an earlier decision is not filled yet, its target weights
    replace the drifted weights in the comparison with ``band``. A decision whose fill would come
    after the last session is not executed. If a portfolio with short positions exceeds
    ``gross_limit`` at a close, a trade restores the last target weights ``lag`` sessions later.
    While a decision waits for its fill, ``gross_limit`` is not enforced.

    An asset without a price on the day of the fill is not traded until the next decision. If a
    missing price prevents a sale, the cash can be too small for all purchases. In this case,
    purchases are reduced, the largest purchase first. A holding is closed at its last price if this
    price is older than the asset's staleness limit.
    """
    return _Chooser(weights, closes, bills, lag, band, gross_limit).run()


@dataclass
class _Waiting:
    """A decision that is not filled yet."""

    at: int
    fill: int
    target: np.ndarray
    decided: np.ndarray


@dataclass
class _Chooser:
    """Choose the trades, session after session, from the data known at each close."""

    weights: pd.DataFrame
    closes: pd.DataFrame
    bills: pd.Series
    lag: int
    band: float
    gross_limit: float

    def __post_init__(self) -> None:
        closes = self.closes
        self.index = pd.DatetimeIndex(closes.index)
        self.priced = closes.notna().to_numpy()
        self.prices = closes.ffill().to_numpy(dtype=np.float64)
        self.growth = growth_of_bills(self.bills)
        self.sizes = np.full(closes.shape, np.nan)
        self.held = np.zeros(closes.shape[1])  # weights immediately after the last trade
        self.traded = 0  # row number of the last trade's session
        self.waiting: list[_Waiting] = []  # the oldest decision comes first
        self.executed: list[_Waiting] = []
        self.last = np.zeros(closes.shape[1])  # weights of the last decision
        self.notes: list[str] = []

    def run(self) -> Trades:
        table = lost_prices(self.closes)
        lost = {at: np.flatnonzero(table[at]) for at in np.flatnonzero(table.any(axis=1)).tolist()}
        at_decisions = self.index.get_indexer(pd.DatetimeIndex(self.weights.index)).tolist()
        decided = dict(zip(at_decisions, self.weights.to_numpy(dtype=np.float64), strict=True))
        fills = {at + self.lag for at in decided}
        every = set(range(len(self.index)))
        shorts = bool((self.weights < 0).to_numpy().any())
        for at in sorted(every if shorts else {*lost, *decided, *fills} & every):
            if at in lost:
                self._give_up(lost[at].tolist(), at)
            if self.waiting and self.waiting[0].fill == at:
                self._fill(self.waiting.pop(0).target, at)
            if at in decided:
                self._decide(decided[at], at)
            if shorts and not self.waiting:
                self._hold_to_limit(at)
        made_on = self.index[[decision.at for decision in self.executed]]
        targets = [decision.decided for decision in self.executed]
        columns = self.closes.columns
        return Trades(
            targets=pd.DataFrame(targets, index=made_on, columns=columns, dtype="float64"),
            sizes=pd.DataFrame(self.sizes, index=self.index, columns=columns),
            notes=tuple(self.notes),
        )

    def _decide(self, target: np.ndarray, at: int) -> None:
        """Schedule the fill of a decision if a weight changes by more than the band."""
        self.last = target.copy()
        last = self.waiting[-1].target if self.waiting else self._drifted(at)
        if (np.abs(target - last) > self.band).any():
            self._send(target, at)

    def _hold_to_limit(self, at: int) -> None:
        """If gross exposure exceeds its limit, schedule a trade back to the last target weights."""
        now = self._drifted(at)
        if (now < 0).any() and np.abs(now).sum() > self.gross_limit + ROUNDING:
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
                f"{self.closes.columns[column]} had no price on {self.index[at].date()}: the "
                "asset is not traded until the next decision"
            )
        self.sizes[at, can] = target[can]
        wanted = np.where(can, target, before)
        self.held, self.traded = _affordable(wanted, before), at
        for column in np.flatnonzero(self.held < wanted - 1e-12).tolist():
            self.notes.append(
                f"{self.closes.columns[column]} is bought only in part on {self.index[at].date()}, "
                "because an asset without a price could not be sold"
            )

    def _give_up(self, columns: list[int], at: int) -> None:
        """If the price of a holding becomes stale, close the holding at this price."""
        self.sizes[at, columns] = 0.0  # if an asset is not held, target 0 gives no order
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
            f"{asset(str(self.closes.columns[column])).stale_after} days: the holding is closed "
            f"at its last price on {self.index[at].date()}"
            for column in gone
        ]

    def _drifted(self, at: int) -> np.ndarray:
        """Return the weights at a session's close after the drift since the last trade."""
        if at == self.traded:
            return self.held.copy()
        grown = np.where(self.held == 0, 1.0, self.prices[at] / self.prices[self.traded])
        values = self.held * grown
        cash = (1 - self.held.sum()) * self.growth[at] / self.growth[self.traded]
        worth = values.sum() + cash
        if worth <= 0:  # the simulation raises an error for a ruined portfolio
            return self.held.copy()
        drifted: np.ndarray = values / worth
        return drifted


def _affordable(wanted: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Return the weights that trades can reach. Trades begin at ``before`` and aim at ``wanted``.

    Cash does not fall below 0.

    If the sum of the wanted weights is above 1, purchases are reduced, the largest purchase first.
    A purchase that turns a short position into a long position counts as two purchases.
    """
    held, missing = wanted.copy(), wanted.sum() - 1
    if missing <= ROUNDING:
        return held
    bought = _legs(wanted) - _legs(before)
    for leg in np.argsort(bought, axis=None, kind="stable")[::-1]:
        cut = min(max(bought.flat[leg], 0.0), missing)
        held[leg // 2] -= cut
        missing -= cut
    return held


def _legs(weights: np.ndarray) -> np.ndarray:
    """Return the short and the long position of each asset, assets × 2."""
    return np.column_stack([np.minimum(weights, 0.0), np.maximum(weights, 0.0)])


def lost_prices(closes: pd.DataFrame) -> np.ndarray:
    """Return a table, sessions × assets: True on the session at which a price becomes stale."""
    days = closes.index.to_numpy().astype("datetime64[D]").astype(np.int64)[:, None]
    last = np.maximum.accumulate(np.where(closes.notna(), days, -1))
    limit = np.array([asset(str(column)).stale_after for column in closes.columns])
    gone = (last >= 0) & (days - last > limit)
    before = np.zeros_like(gone)
    before[1:] = gone[:-1]
    lost: np.ndarray = gone & ~before
    return lost
