"""Target weights at a session's close, the reason for a decision, and the orders of a backtest.

A backtest decides on scheduled sessions and on changes of state. On other sessions it trades only
for two reasons: to bring short holdings back within the gross limit, or to sell (or buy back) a
holding whose price is stale. A user can call :meth:`Plan.at` at every session and fill its orders
at the close ``lag`` sessions later. This user then places the same orders as the backtest.

:meth:`Plan.at` applies the drift band and the gross limit to real holdings after costs. A backtest
applies the drift band and the gross limit to drifted targets before costs. The orders may differ if
the distance of a holding from a limit is about as large as the costs of a trade.

A live user's data may be late. :meth:`Plan.at` therefore treats missing data differently:

- If a price is older than its staleness limit, a backtest sells (or buys back) the holding at the
  last price. :meth:`Plan.at` keeps the price and the target, does not trade the asset, and lists
  the asset in :attr:`Today.missing`.
- If the state is lost (see :mod:`backtests.lapse`), a backtest uses the remaining votes, and
  NEUTRAL without a regime. :meth:`Plan.at` makes no decision until the state is known again, and
  lists the stale inputs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from backtests.calendar import all_sessions
from backtests.config import RunConfig
from backtests.engine.schedule import Schedule
from backtests.history.panel import History
from backtests.holdings import CASH, check_held, orders_to, value_of, weights_of
from backtests.lapse import lost, rests_on, stale
from backtests.pipeline import decisions, read
from backtests.window import followed
from signals.errors import ConfigError
from signals.hysteresis import since
from signals.reading import Reading
from strategies import Strategy, decide, state_of
from strategies.base import check_weights


@dataclass(frozen=True, kw_only=True)
class Today:
    """A strategy's decision at one session's close, made without later data.

    Attributes
    ----------
    regime, since
        The regime at the session's close and the session on which the regime began. None without a
        regime.
    decided_because
        Reason for the decision: ``start``, ``schedule`` or ``change of state from A to B``. Several
        reasons are joined by ``; ``. None when the strategy does not decide at this close.
    next_decision
        The next scheduled session. A change of state may bring an earlier decision. None if the
        session is later than the end of the calendar, a year from now.
    fills_on
        The session at whose close a backtest fills the orders. None if this session is after the
        end of the calendar.
    target
        Target weight of each asset from this close on, a fraction. The rest is cash in bills. The
        weights come from this session's decision, or from the last decision before this session.
    if_decided
        The weights that a decision at this close would give, even if the strategy does not decide.
    decided_on, before
        The session and the weights of the previous decision. At the first decision there is no
        previous decision; the attributes then hold the session and the weights of the first
        decision.
    missing
        A mapping from ids with late data to dates. An id is late if its last value is older than
        the id's staleness limit. The mapping covers held assets, assets in the target and ids that
        the strategy reads. If the state is lost, the mapping also covers the inputs of each signal
        that determines the state and has no view. The date is the date of an asset's last price, or
        the date on which a series' last value became known.
    state_is_lost
        Whether the strategy's state is lost, see :func:`backtests.lapse.lost`. While it is lost,
        ``regime`` comes from the remaining signals, and the strategy does not follow this regime.
    value
        Value of the holdings, USD. None without holdings.
    beyond_band
        Assets whose weight differs from the target by more than the drift band. None without
        holdings.
    beyond_limit
        Whether short holdings have drifted beyond the strategy's gross limit. Beyond this limit, a
        backtest trades even without a decision. None without holdings.
    orders
        Orders of a backtest at this close, see :func:`backtests.holdings.orders_to`. Empty if the
        backtest would not trade. None without holdings.
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
    value: float | None = None
    beyond_band: tuple[str, ...] | None = None
    beyond_limit: bool | None = None
    orders: pd.DataFrame | None = None

    @property
    def is_decision_day(self) -> bool:
        """Whether the strategy decides at this close."""
        return self.decided_because is not None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A strategy's weights and decisions at every session of a history.

    Attributes
    ----------
    state
        The strategy's state at each session, see :meth:`strategies.Strategy.state`.
    weights
        Weights that a decision at each session gives. If an asset's price is older than its
        staleness limit, the weights use the last price.
    rests, lost, stale
        Results of :func:`backtests.lapse.rests_on`, :func:`backtests.lapse.lost` and
        :func:`backtests.lapse.stale`.
    decided
        The sessions on which the strategy decides.
    followed
        The sessions from the first decision on.
    """

    config: RunConfig
    strategy: Strategy
    history: History
    reading: Reading
    state: pd.Series | None
    weights: pd.DataFrame
    rests: dict[str, tuple[str, ...]]
    lost: pd.Series
    stale: pd.DataFrame
    decided: pd.DatetimeIndex
    followed: pd.DatetimeIndex

    def at(
        self,
        session: pd.Timestamp,
        holdings: Mapping[str, float] | None = None,
        *,
        decimals: int = 4,
    ) -> Today:
        """Return the decision and the target weights at a session's close.

        Parameters
        ----------
        session
            A session of the history. Later data are not read.
        holdings
            Units of each asset, and USD for ``CASH``. A coin is valued at the close of the
            session's date if the history has this close, as in a backtest.
        decimals
            Number of decimals to which units are rounded, toward zero.

        Raises
        ------
        MissingSeries
            When a holding has no price.
        ConfigError
            When the holdings are worth zero or less, or the session is before the start.
        """
        if session < self.followed[0]:
            raise ConfigError(
                f"expected a session on or after {self.followed[0].date()}, when the strategy "
                f"starts, was {session.date()}"
            )
        because = self._because(session)
        earlier = self.decided[self.decided < session]
        last = pd.Timestamp(earlier[-1] if len(earlier) else session)
        target = self._row(last if because is None else session)
        later = _sessions_after(session)
        regime = self.reading.regime.loc[:session]
        decision = Today(
            session=session,
            regime=regime.iloc[-1],
            since=since(regime),
            decided_because=because,
            next_decision=next_scheduled(self.config.schedule, session),
            fills_on=_first(later[self.config.lag - 1 :]),
            target=target.rename("target"),
            if_decided=self._row(session).rename("if decided"),
            decided_on=last,
            before=self._row(last).rename("before"),
            missing=self._missing(session, target, _held(holdings or {})),
            state_is_lost=bool(self.lost.loc[session]),
        )
        return decision if holdings is None else self._with_orders(decision, holdings, decimals)

    def _row(self, session: pd.Timestamp) -> pd.Series:
        return self.weights.iloc[self.weights.index.searchsorted(session)]

    def _because(self, session: pd.Timestamp) -> str | None:
        """Return the reason for the decision at a session; None without a decision."""
        if session not in self.decided:
            return None
        at_start = session == self.followed[0]
        reasons = ["start"] if at_start else []
        if self.config.schedule.sessions(pd.DatetimeIndex([session]))[0]:
            reasons.append("schedule")
        if self.state is not None and not at_start and not self.strategy.only_scheduled:
            now, was = self.state.loc[:session].iloc[[-1, -2]].fillna("none")
            if now != was:
                reasons.append(f"change of state from {was} to {now}")
        return "; ".join(reasons)

    def _with_orders(self, decision: Today, holdings: Mapping[str, float], decimals: int) -> Today:
        """Return the decision, extended by the value of the holdings and a backtest's orders."""
        session, target = decision.session, decision.target
        held = _held(holdings)
        check_held(held, self.history.closes.loc[:session])
        assets = dict.fromkeys((*held, *self.strategy.assets))
        prices = pd.Series({a: self._price(a, session) for a in assets}, dtype="float64")
        now = weights_of(holdings, prices)
        off = (target.reindex(now.index, fill_value=0.0) - now).abs() > self.config.band
        # After a trade exactly to the limit, the costs of the trade may push exposure beyond it.
        cost = max((self.config.costs.rate(str(asset)) for asset in now.index), default=0.0)
        limit = self.strategy.gross_limit * (1 + cost) + 1e-9
        beyond_limit = bool((now < 0).any() and now.abs().sum() > limit)
        unpriced = [asset for asset in assets if self._is_stale(asset, session)]
        orders = orders_to(target, holdings, prices, self.config.costs, decimals, unpriced)
        trades = beyond_limit or (session in self.decided and bool(off.any()))
        return replace(
            decision,
            value=value_of(holdings, prices),
            beyond_band=tuple(map(str, now.index[off])),
            beyond_limit=beyond_limit,
            orders=orders if trades else orders.iloc[:0],
        )

    def _price(self, asset: str, session: pd.Timestamp) -> float:
        """Return the close on the session's date, or else the panel's price, or the last close."""
        if asset not in self.history.closes:
            return float("nan")
        closes = self.history.closes[asset].loc[:session]
        choices = (closes.iloc[-1], self.history.panel[asset].loc[session], closes.ffill().iloc[-1])
        return float(next((price for price in choices if pd.notna(price)), float("nan")))

    def _missing(
        self, session: pd.Timestamp, target: pd.Series, held: list[str]
    ) -> dict[str, pd.Timestamp]:
        """Return a mapping from ids with late data to dates, see :attr:`Today.missing`."""
        shares = self._row(session).abs() + target.abs()
        needed = [*held, *shares.index[shares > 0], *self.strategy.reads]
        if self.lost.loc[session]:
            views = self.reading.flags.loc[session].dropna()
            needed += [id for name, ids in self.rests.items() if name not in views for id in ids]
        return {id: self._last_seen(id, session) for id in needed if self._is_stale(id, session)}

    def _is_stale(self, id: str, session: pd.Timestamp) -> bool:
        """Return whether, at the session, an id had a value earlier, but its next value is late."""
        return id in self.stale and bool(self.stale.at[session, id])

    def _last_seen(self, id: str, session: pd.Timestamp) -> pd.Timestamp:
        """Return the date of an asset's last price, or when a series' last value became known."""
        if id in self.history.closes:
            return pd.Timestamp(self.history.closes[id].loc[:session].dropna().index[-1])
        last = self.history.panel[id].loc[:session].dropna().index[-1]
        return pd.Timestamp(self.history.known[id].loc[last]).normalize()


def make_plan(config: RunConfig, history: History) -> Plan:
    """Return a strategy's plan for every session of a history.

    The history must have prices of the strategy's assets and of the holdings. The first decision is
    defined by :func:`backtests.window.followed`, which raises ConfigError for a start outside the
    history.
    """
    strategy = config.build_strategy()
    reading = read(config, history)
    ids = [id for id in (*strategy.assets, *strategy.reads) if id in history.panel]
    # The strategy sees the last values even if they are past their staleness limit.
    panel = history.panel.assign(**{id: history.panel[id].ffill() for id in ids})
    weights = decide(strategy, reading, panel)
    check_weights(weights, strategy.name, strategy.gross_limit)
    state = state_of(strategy, reading, panel)
    index = followed(config, history, reading)
    decided = decisions(config, strategy, state, index)
    rests, late = rests_on(config), stale(history)
    is_lost = lost(state, late, reading, rests if strategy.follows_regime else {})
    return Plan(
        config=config,
        strategy=strategy,
        history=history,
        reading=reading,
        state=state,
        weights=weights,
        rests=rests,
        lost=is_lost,
        stale=late,
        decided=decided[~is_lost.loc[decided].to_numpy()],
        followed=index,
    )


def next_scheduled(schedule: Schedule, session: pd.Timestamp) -> pd.Timestamp | None:
    """Return the next scheduled session after a session; None if the calendar ends before it."""
    later = _sessions_after(session)
    return _first(later[schedule.sessions(later)])


def _held(holdings: Mapping[str, float]) -> list[str]:
    return [asset for asset in holdings if asset != CASH]


def _sessions_after(session: pd.Timestamp) -> pd.DatetimeIndex:
    calendar = all_sessions()
    return calendar[calendar > session]


def _first(index: pd.DatetimeIndex) -> pd.Timestamp | None:
    return pd.Timestamp(index[0]) if len(index) else None
