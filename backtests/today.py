"""Target weights at a session's close, the reason for a decision, and the orders of a backtest.

A backtest decides on scheduled sessions and on changes of state. On other days it trades only to
bring short holdings back within the gross limit, or to close a holding whose price is stale. A user
who follows :func:`today` every session, and fills its orders at the close ``lag`` sessions later,
places the orders of the backtest.

One difference is small. :func:`today` compares the drift band and the gross limit with real
holdings after costs. A backtest compares them with drifted targets before costs. So the two may
differ when a holding is about as far from a limit as the costs of a trade.

Missing data are treated differently, because a live user's data may be late:

- A price is past its staleness limit. A backtest closes the holding at its last price.
  :func:`today` keeps the price and the target, does not trade the asset, and lists it in
  :attr:`Today.missing`.
- The state is lost, see :mod:`backtests.lapse`. A backtest uses the remaining votes, and NEUTRAL
  when there is no regime. :func:`today` decides nothing until the state is back, and lists the
  stale inputs.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from backtests.calendar import all_sessions, session_after
from backtests.config import RunConfig
from backtests.engine.schedule import Schedule
from backtests.history.panel import History
from backtests.holdings import CASH, check_held, orders_to, value_of, weights_of
from backtests.lapse import lost, rests_on, stale
from backtests.pipeline import decisions, read
from signals.errors import ConfigError
from signals.hysteresis import since
from signals.reading import Reading
from strategies import Strategy, decide, state_of
from strategies.base import check_weights


@dataclass(frozen=True, kw_only=True)
class Today:
    """A strategy's decision at one session's close.

    Attributes
    ----------
    session
        The session. No later data were read.
    regime, since
        The regime at the session's close and the session on which it began. None without a regime.
    decided_because
        Reason of the decision: ``start``, ``schedule``, ``change of state from A to B``, or several
        of them, joined by ``; ``. None when the strategy does not decide at this close.
    next_decision
        The next scheduled session. A change of state may come sooner. None beyond the calendar,
        which ends a year from now.
    fills_on
        The session at whose close a backtest fills the orders. None beyond the calendar.
    target
        Target weights by asset from this close on, fractions. The rest is cash in bills. They come
        from this session's decision, or without one, from the last decision.
    if_decided
        The weights that a decision at this close gives, even if the strategy does not decide.
    decided_on, before
        The session of the previous decision, and its weights. At the first decision, this session
        and its weights.
    missing
        Ids whose last value is past its staleness limit. For an asset, the date of its last price.
        For a series, the date on which its last value became known. Included are assets held or in
        the target, and the ids that the strategy reads. When the state is lost, also the inputs of
        the signals that determine the state and have no view.
    state_is_lost
        Whether the strategy's state is lost, see :func:`backtests.lapse.lost`. ``regime`` then
        comes from the remaining signals, and the strategy does not follow it.
    value
        Value of the holdings, USD. None without holdings.
    beyond_band
        Assets further than the drift band from the target. None without holdings.
    beyond_limit
        Whether short holdings have drifted beyond the strategy's gross limit. A backtest then
        trades on any day. None without holdings.
    orders
        Orders of a backtest at this close, see :func:`backtests.holdings.orders_to`. Empty when it
        would not trade. None without holdings.
    """

    session: pd.Timestamp
    regime: str | None
    since: pd.Timestamp | None
    decided_because: str | None
    next_decision: pd.Timestamp | None
    fills_on: pd.Timestamp | None
    target: pd.Series
    if_decided: pd.Series
    decided_on: pd.Timestamp
    before: pd.Series
    missing: dict[str, pd.Timestamp]
    state_is_lost: bool
    value: float | None
    beyond_band: tuple[str, ...] | None
    beyond_limit: bool | None
    orders: pd.DataFrame | None

    @property
    def is_decision_day(self) -> bool:
        """Whether the strategy decides at this close."""
        return self.decided_because is not None


def today(
    config: RunConfig,
    history: History,
    session: pd.Timestamp,
    holdings: Mapping[str, float] | None = None,
    *,
    decimals: int = 4,
) -> Today:
    """Return a strategy's decision and target weights at a session's close.

    Parameters
    ----------
    config
        Strategy, regime model, signals, schedule, band, costs and start. The first decision is at
        the close of the first session at or after ``start``. Without ``start``, it is at the first
        session with a regime.
    history
        A history with prices of the strategy's assets and of the holdings.
    session
        A session of the history.
    holdings
        Units by asset, and USD under ``CASH``. A coin is valued at the close of the session's own
        date when the history has it, as in a backtest.
    decimals
        Number of decimals to which units are rounded, toward zero.

    Raises
    ------
    MissingSeries
        When a holding has no price.
    ConfigError
        When the value of the holdings is not above zero, or the start lies after the session.
    """
    return make_plan(config, history.until(session)).at(session, holdings, decimals=decimals)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A strategy's weights and decisions at every session of a history.

    Attributes
    ----------
    config, strategy, history, reading
        The strategy with its config, and the data that it reads.
    state
        The strategy's state by session, see :meth:`strategies.Strategy.state`.
    weights
        Weights that a decision at each session gives. They use the last price of an asset whose
        price is past its staleness limit.
    rests
        Inputs of each signal that determines the state, by the signal's name.
    lost
        Whether the state is lost at each session, see :func:`backtests.lapse.lost`.
    decided
        The sessions on which the strategy decides.
    followed
        The sessions from the start of the strategy on.
    """

    config: RunConfig
    strategy: Strategy
    history: History
    reading: Reading
    state: pd.Series | None
    weights: pd.DataFrame
    rests: dict[str, tuple[str, ...]]
    lost: pd.Series
    decided: pd.DatetimeIndex
    followed: pd.DatetimeIndex

    def at(
        self,
        session: pd.Timestamp,
        holdings: Mapping[str, float] | None = None,
        *,
        decimals: int = 4,
    ) -> Today:
        """Return the decision at a session's close; parameters and errors as :func:`today`."""
        if session < self.followed[0]:
            raise ConfigError(
                f"expected a session from {self.followed[0].date()} on, where the strategy starts, "
                f"was {session.date()}"
            )
        because = self._because(session)
        earlier = self.decided[self.decided < session]
        last = pd.Timestamp(earlier[-1] if len(earlier) else session)
        target = self._row(last if because is None else session)
        held = {asset: u for asset, u in (holdings or {}).items() if asset != CASH}
        traded = None if holdings is None else self._trade(session, target, holdings, decimals)
        regime = self.reading.regime.loc[:session]
        return Today(
            session=session,
            regime=regime.iloc[-1],
            since=since(regime),
            decided_because=because,
            next_decision=next_scheduled(self.config.schedule, session),
            fills_on=_later(session, self.config.lag),
            target=target.rename("target"),
            if_decided=self._row(session).rename("if decided"),
            decided_on=last,
            before=self._row(last).rename("before"),
            missing=self._missing(session, target, held),
            state_is_lost=bool(self.lost.loc[session]),
            value=None if traded is None else traded.value,
            beyond_band=None if traded is None else traded.beyond_band,
            beyond_limit=None if traded is None else traded.beyond_limit,
            orders=None if traded is None else traded.orders,
        )

    def _row(self, session: pd.Timestamp) -> pd.Series:
        return self.weights.iloc[self.weights.index.searchsorted(session)]

    def _because(self, session: pd.Timestamp) -> str | None:
        """Return the reason of a decision at a session; None without a decision."""
        if session not in self.decided:
            return None
        reasons = ["start"] if session == self.followed[0] else []
        if self.config.schedule.sessions(pd.DatetimeIndex([session]))[0]:
            reasons.append("schedule")
        change = None if self.strategy.only_scheduled else self._change(session)
        return "; ".join([*reasons, *([change] if change else [])])

    def _change(self, session: pd.Timestamp) -> str | None:
        if self.state is None or session == self.followed[0]:
            return None
        now, was = self.state.loc[:session].iloc[[-1, -2]].fillna("none")
        return None if now == was else f"change of state from {was} to {now}"

    def _trade(
        self,
        session: pd.Timestamp,
        target: pd.Series,
        holdings: Mapping[str, float],
        decimals: int,
    ) -> "_Trade":
        """Return the value of the holdings and a backtest's orders at the session's close."""
        held = [asset for asset in holdings if asset != CASH]
        check_held(held, self.history.closes.loc[:session])
        assets = dict.fromkeys((*held, *self.strategy.assets))
        prices = pd.Series({a: self._price(a, session) for a in assets}, dtype="float64")
        now = weights_of(holdings, prices)
        off = (target.reindex(now.index, fill_value=0.0) - now).abs() > self.config.band
        beyond_limit = bool((now < 0).any() and now.abs().sum() > self._gross_limit(now))
        unpriced = [asset for asset in assets if self._is_stale(asset, session)]
        orders = orders_to(target, holdings, prices, self.config.costs, decimals, unpriced)
        trades = beyond_limit or (session in self.decided and bool(off.any()))
        return _Trade(
            value=value_of(holdings, prices),
            beyond_band=tuple(map(str, now.index[off])),
            beyond_limit=beyond_limit,
            orders=orders if trades else orders.iloc[:0],
        )

    def _gross_limit(self, held: pd.Series) -> float:
        """Return the gross limit plus the costs of a trade that reaches the limit exactly."""
        rates = [self.config.costs.rate(str(asset)) for asset in held.index]
        return self.strategy.gross_limit * (1 + max(rates, default=0.0)) + 1e-9

    def _price(self, asset: str, session: pd.Timestamp) -> float:
        """Return the close of the session's date, or else the panel's price, or the last close."""
        if asset not in self.history.closes:
            return float("nan")
        closes = self.history.closes[asset].loc[:session]
        choices = (closes.iloc[-1], self.history.panel[asset].loc[session], closes.ffill().iloc[-1])
        return float(next((price for price in choices if pd.notna(price)), float("nan")))

    def _missing(
        self, session: pd.Timestamp, target: pd.Series, held: Mapping[str, float]
    ) -> dict[str, pd.Timestamp]:
        """Return the ids with late data at a session, see :attr:`Today.missing`."""
        shares = self._row(session).abs() + target.abs()
        needed = [*held, *shares.index[shares > 0], *self.strategy.reads]
        if self.lost.loc[session]:
            needed += self._inputs_without_view(session)
        missing = [id for id in dict.fromkeys(needed) if self._is_stale(id, session)]
        return {id: self._last_seen(id, session) for id in missing}

    def _inputs_without_view(self, session: pd.Timestamp) -> list[str]:
        """Return the inputs of the signals that determine the state and have no view."""
        flags = self.reading.flags.loc[session].dropna()
        return [id for name, ids in self.rests.items() if name not in flags for id in ids]

    def _is_stale(self, id: str, session: pd.Timestamp) -> bool:
        """Return whether an id had a value before the session and its next value is late."""
        if id not in self.history.panel or pd.notna(self.history.panel[id].loc[session]):
            return False
        return bool(stale(self.history, id).loc[session])

    def _last_seen(self, id: str, session: pd.Timestamp) -> pd.Timestamp:
        """Return the date of an asset's last price, or of the moment a series was last known."""
        if id in self.history.closes:
            return pd.Timestamp(self.history.closes[id].loc[:session].dropna().index[-1])
        last = self.history.panel[id].loc[:session].dropna().index[-1]
        return pd.Timestamp(self.history.known[id].loc[last]).normalize()


@dataclass(frozen=True, kw_only=True)
class _Trade:
    """Value of the holdings and their orders; fields as in :class:`Today`."""

    value: float
    beyond_band: tuple[str, ...]
    beyond_limit: bool
    orders: pd.DataFrame


def make_plan(config: RunConfig, history: History) -> Plan:
    """Return a strategy's plan for every session of a history; errors as :func:`today`."""
    strategy = config.build_strategy()
    reading = read(config, history)
    panel = _carried(history.panel, (*strategy.assets, *strategy.reads))
    weights = decide(strategy, reading, panel)
    check_weights(weights, strategy.name, strategy.gross_limit)
    state = state_of(strategy, reading, panel)
    followed = _followed(config, history, reading)
    decided = decisions(config, strategy, state, followed)
    rests = rests_on(config)
    is_lost = lost(state, history, reading, rests if strategy.follows_regime else {})
    decided = decided[~is_lost.loc[decided].to_numpy()]
    return Plan(
        config=config,
        strategy=strategy,
        history=history,
        reading=reading,
        state=state,
        weights=weights,
        rests=rests,
        lost=is_lost,
        decided=decided,
        followed=followed,
    )


def _carried(panel: pd.DataFrame, ids: tuple[str, ...]) -> pd.DataFrame:
    """Return the panel with the last values of some ids carried beyond their staleness limit."""
    there = [id for id in dict.fromkeys(ids) if id in panel]
    return panel.assign(**{id: panel[id].ffill() for id in there})


def _followed(config: RunConfig, history: History, reading: Reading) -> pd.DatetimeIndex:
    """Return the sessions from the first decision on, as in a backtest."""
    index = pd.DatetimeIndex(history.panel.index)
    if config.start is None:
        return index[int(np.argmax(reading.regime.notna())) :]
    start = pd.Timestamp(config.start)
    history.session(start, "start")
    return index[index >= start]


def next_scheduled(schedule: Schedule, session: pd.Timestamp) -> pd.Timestamp | None:
    """Return the first scheduled session after one; None beyond the calendar."""
    calendar = all_sessions()
    later = calendar[calendar > session]
    due = later[schedule.sessions(later)]
    return pd.Timestamp(due[0]) if len(due) else None


def _later(session: pd.Timestamp, lag: int) -> pd.Timestamp | None:
    try:
        return pd.Timestamp(session_after(pd.DatetimeIndex([session]), lag)[0])
    except ConfigError:
        return None
