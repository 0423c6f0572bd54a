"""Target weights at a session's close, the reason for a decision, and the orders of a backtest.

A backtest decides on scheduled sessions and on changes of state. A backtest trades without a
decision if a portfolio with a short position exceeds the gross limit. A backtest closes a holding
without a decision if the holding's price is stale. To make the same trades as a backtest, a user
calls :meth:`Plan.at` at every session. If there are orders, the user trades to the target weights
at the close ``lag`` sessions later.

For real holdings, the orders of :meth:`Plan.at` and of a backtest can differ. See
:mod:`backtests.due_orders`.

In daily use, data may be late. So :meth:`Plan.at` and a backtest treat missing data differently:

- If a price is older than its staleness limit, a backtest closes the holding at the last price.
  :meth:`Plan.at` keeps the price and the target, does not trade the asset, and lists it in
  :attr:`Today.missing`.

- If late data make the strategy's state unreliable, the state is called lost, see
  :mod:`backtests.lapse`. While the state is lost, a backtest uses the regime that the remaining
  signals give, or NEUTRAL. :meth:`Plan.at` lists the stale inputs, and makes no decision until the
  state is known again. As soon as the state is known again, :meth:`Plan.at` makes the decision that
  was due while the state was lost. If the new state differs from the last known state,
  :meth:`Plan.at` decides on the first day with a known state, unless the strategy decides only on
  its schedule.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from backtests.calendar import all_sessions
from backtests.config import RunConfig
from backtests.due_orders import Account, assets_of, target_at
from backtests.engine.schedule import Schedule
from backtests.format import percent_unit
from backtests.history.panel import History
from backtests.history.prices import check_priced
from backtests.holdings import units_of, with_cash
from backtests.lapse import lost, rests_on, stale
from backtests.pipeline import check_config, decisions, read
from backtests.simulated import label_of
from backtests.window import sessions_from_start
from signals.errors import ConfigError
from signals.explanation import is_missing
from signals.hysteresis import since
from signals.index import check_session
from signals.reading import Reading
from signals.summary import Summarised, Summary, described
from signals.universe import asset
from strategies import Strategy, decide, state_of
from strategies.base import check_weights


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Today(Summarised):
    """A strategy's decision at one session's close, made without later data.

    Attributes
    ----------
    simulated
        Whether the history is simulated.
    regime, since
        The regime at the session's close, and the session on which the regime began. None if there
        is no regime.
    decided_because
        Reason for the decision: ``start``, ``schedule``, ``change of state from A to B``, or ``due
        on DATE, but delayed by late data``. Several reasons are joined by ``; ``. If there is no
        decision at this close, the reason is None.
    next_decision
        The next session on which the schedule has a decision. A change of the state can cause a
        decision before ``next_decision``. The calendar of sessions ends a year from now. None if
        the next scheduled session is after the end of the calendar.
    fills_on
        The session at whose close a backtest fills the orders. None if the orders would be filled
        after the end of the calendar.
    target
        Target weight of each asset from this close on, a fraction. The rest of the portfolio is
        cash in bills. If there is no decision at this session, the weights come from the last
        earlier decision.
    if_decided
        The weights that a decision at this close would give. ``if_decided`` is never None, even if
        there is no decision at this close.
    decided_on, before
        The session and the weights of the last decision before this session. If there is no earlier
        decision, ``decided_on`` is this session, and ``before`` contains the weights at this close.
    missing
        A mapping that gives a date for each id with late data. The data of an id are late if its
        last value is older than its staleness limit. The mapping covers held assets, assets in
        ``target`` or ``if_decided``, and ids that the strategy reads. If the state is lost, the
        mapping also covers the inputs of each deciding flag that is NA; see :mod:`backtests.lapse`.
        The date of an asset is the date of its last price. The date of a series is the day on which
        its last value became known.
    older
        A mapping from ticker to the date of the last price. The mapping contains only shares and
        funds without a close at this session. The mapping covers held assets, and assets in
        ``target`` or ``if_decided``. Assets in ``missing`` are left out. Weights and orders use the
        last price of each asset in ``older``.
    no_view
        The keys are the regime's signals that have no view at this close. The value of each key
        contains the signal's inputs that have no value. The mapping is empty if the strategy does
        not follow the regime.
    unseen
        The inputs in ``no_view`` whose values were never known up to this close. A fetch or an
        import of the series in ``unseen`` can change the regime.
    state_is_lost
        Whether the strategy's state is lost because data are late; see :mod:`backtests.lapse`. If
        the state is lost, ``regime`` comes from the remaining signals, and the strategy does not
        follow ``regime``.
    waiting
        The session of an earlier decision whose orders are not filled yet. If several decisions
        have unfilled orders, ``waiting`` is the session of the newest decision. None if all earlier
        orders are filled, or if no holdings are given. Orders can be unfilled if the lag is longer
        than the time between two decisions.
    value
        Value of the holdings, USD; None if no holdings are given.
    beyond_band
        Assets whose weight differs from the target by more than the drift band. If orders wait for
        their fill, ``beyond_band`` uses the weights after these orders. None if no holdings are
        given.
    beyond_limit
        Whether holdings with a short position have drifted beyond the strategy's gross limit. If
        ``beyond_limit`` is True, a backtest trades even without a decision. None if no holdings are
        given.
    orders
        Orders from :func:`backtests.holdings.orders_to`, with units from the prices at this close.
        The orders assume that the orders of the session ``waiting`` are already filled. The table
        is empty if a backtest would not trade. None if no holdings are given.
    """

    session: pd.Timestamp
    simulated: bool
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
    older: dict[str, pd.Timestamp]
    no_view: dict[str, tuple[str, ...]]
    unseen: tuple[str, ...]
    state_is_lost: bool
    waiting: pd.Timestamp | None = None
    value: float | None = None
    beyond_band: tuple[str, ...] | None = None
    beyond_limit: bool | None = None
    orders: pd.DataFrame | None = None

    @property
    def is_decision_day(self) -> bool:
        """Whether the strategy decides at this close."""
        return self.decided_because is not None

    def _summary(self) -> Summary:
        orders = {} if self.orders is None else {"orders": f"{len(self.orders)}, see .orders"}
        return Summary(
            title=f"{label_of(self.simulated)}Decision at the close of {self.session.date()}",
            facts={
                "regime": str(self.regime or "none"),
                "decided": self.decided_because or "no decision at this close",
                **_targets_said(self),
                **orders,
            },
        )


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Plan(Summarised):
    """A strategy's weights and decisions at every session of a history.

    Attributes
    ----------
    state
        The strategy's state at each session, from :meth:`strategies.Strategy.state`. While the
        state is lost, ``state`` contains the last known state.
    weights
        Weights that a decision would give at each session. If an asset's price is older than its
        staleness limit, the weights use the last price.
    rests, lost, stale
        Results of :func:`backtests.lapse.rests_on`, :func:`backtests.lapse.lost` and
        :func:`backtests.lapse.stale`.
    due
        The sessions on which the strategy would decide if no state were lost.
    decided
        The sessions on which the strategy decides. If the state is lost when a decision is due, the
        decision is delayed until the state is known again.
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
    due: pd.DatetimeIndex
    decided: pd.DatetimeIndex
    followed: pd.DatetimeIndex

    def at(
        self,
        session: pd.Timestamp,
        holdings: Mapping[str, float] | pd.Series | None = None,
        *,
        decimals: int = 4,
    ) -> Today:
        """Return the decision and the target weights at a session's close.

        Parameters
        ----------
        session
            A session of the history. Later data are not read.
        holdings
            A mapping or a Series with the units of each asset, and USD for ``CASH``. A coin is
            priced at its close on the session's date, as in a backtest. If the history lacks the
            coin's close on this date, an earlier close is used.
        decimals
            Number of decimals to which units are rounded, toward zero; from 0 to 8.

        Raises
        ------
        MissingSeries
            Raised if a holding has no price.
        ConfigError
            Raised if the holdings have another type or are worth 0 USD or less, or if ``decimals``
            is out of range. Raised if the session is not in the history, or is before the start.
        """
        session = check_session(session, self.history.panel.index, "the history")
        if session < self.followed[0]:
            raise ConfigError(
                "expected a session on or after the strategy's start on "
                f"{self.followed[0].date()}, was {session.date()}"
            )
        held = {} if holdings is None else units_of(holdings)
        decision = self._decision(session, held)
        if holdings is None:
            return decision
        account = Account(
            config=self.config,
            strategy=self.strategy,
            history=self.history,
            weights=self.weights,
            stale=self.stale,
            decided=self.decided,
            followed=self.followed,
            decimals=decimals,
        )
        return replace(decision, **vars(account.due(held, session)))

    def _summary(self) -> Summary:
        title = f"{label_of(self.history.is_simulated)}Plan of {self.config.label}"
        decided = f"{len(self.decided):,}"
        if len(self.decided):
            decided += f", the last on {self.decided[-1].date()}"
        last = self.at(self.history.panel.index[-1])
        return Summary(
            title=f"{title}: {described(self.followed)}",
            facts={"decisions": decided, **_targets_said(last)},
        )

    def _decision(self, session: pd.Timestamp, held: Mapping[str, float]) -> Today:
        """Return the decision and the target weights at a session's close, without orders."""
        earlier = self.decided[self.decided < session]
        last = pd.Timestamp(earlier[-1] if len(earlier) else session)
        target = target_at(self.weights, self.decided, session)
        assets = self._held_or_wanted(session, target, held)
        no_view = self._no_view(session)
        regime = self.reading.regime.loc[:session]
        return Today(
            session=session,
            simulated=self.history.is_simulated,
            regime=regime.iloc[-1],
            since=since(regime),
            decided_because=self._because(session),
            next_decision=next_scheduled(self.config.schedule, session),
            fills_on=_first(_sessions_after(session)[self.config.lag - 1 :]),
            target=target.rename("target"),
            if_decided=self._row(session).rename("if decided"),
            decided_on=last,
            before=self._row(last).rename("before"),
            missing=self._missing(session, assets),
            older=self._older(session, assets),
            no_view=no_view,
            unseen=self._unseen(no_view, session),
            state_is_lost=bool(self.lost.loc[session]),
        )

    def _row(self, session: pd.Timestamp) -> pd.Series:
        return self.weights.iloc[self.weights.index.searchsorted(session)]

    def _because(self, session: pd.Timestamp) -> str | None:
        """Return the reason for the decision at a session; None without a decision."""
        if session not in self.decided:
            return None
        delayed = self.due[(self.due > self._known_before(session)) & (self.due < session)]
        reasons = [f"due on {day.date()}, but delayed by late data" for day in delayed]
        at_start = session == self.followed[0]
        reasons += ["start"] if at_start else []
        if self.config.schedule.sessions(pd.DatetimeIndex([session]))[0]:
            reasons.append("schedule")
        if self.state is not None and not at_start and not self.strategy.only_scheduled:
            now, was = self.state.loc[:session].iloc[[-1, -2]].fillna("none")
            if now != was:
                reasons.append(f"change of state from {was} to {now}")
        return "; ".join(reasons)

    def _known_before(self, session: pd.Timestamp) -> pd.Timestamp:
        """Return the last session before ``session`` on which the state was not lost."""
        known = self.lost.index[~self.lost.to_numpy(dtype=bool)]
        earlier = known[known < session]
        return pd.Timestamp(earlier[-1]) if len(earlier) else pd.Timestamp.min

    def _held_or_wanted(
        self, session: pd.Timestamp, target: pd.Series, holdings: Mapping[str, float]
    ) -> list[str]:
        """Return the held assets, and the assets in the target or in a decision at the close."""
        shares = self._row(session).abs() + target.abs()
        return list(dict.fromkeys((*assets_of(holdings), *shares.index[shares > 0])))

    def _missing(self, session: pd.Timestamp, assets: list[str]) -> dict[str, pd.Timestamp]:
        """Return a mapping from each id with late data to the date of its last value."""
        needed = [*assets, *self.strategy.reads]
        if self.lost.loc[session]:
            views = self.reading.flags.loc[session].dropna()
            needed += [id for name, ids in self.rests.items() if name not in views for id in ids]
        return {id: self._last_seen(id, session) for id in needed if self._is_stale(id, session)}

    def _older(self, session: pd.Timestamp, assets: list[str]) -> dict[str, pd.Timestamp]:
        """Return the date of the last price of each share or fund without a close at a session."""
        closes = self.history.closes.loc[:session]
        return {
            id: self._last_seen(id, session)
            for id in assets
            if id in closes and pd.isna(closes[id].iloc[-1]) and closes[id].notna().any()
            and not asset(id).is_coin and not self._is_stale(id, session)
        }  # fmt: skip

    def _no_view(self, session: pd.Timestamp) -> dict[str, tuple[str, ...]]:
        """Map each signal of the regime that has no view to the signal's inputs without a value."""
        panel, views = self.history.panel, self.reading.flags.loc[session].dropna()
        rests = self.rests if self.strategy.follows_regime else {}
        return {
            name: tuple(id for id in ids if is_missing(id, panel, session))
            for name, ids in rests.items()
            if name in self.reading.flags and name not in views
        }

    def _unseen(
        self, no_view: Mapping[str, tuple[str, ...]], session: pd.Timestamp
    ) -> tuple[str, ...]:
        """Return the inputs in ``no_view`` whose values were never known up to a session."""
        ids = dict.fromkeys(id for inputs in no_view.values() for id in inputs)
        return tuple(id for id in ids if self.history.last_known(id, session) is None)

    def _is_stale(self, id: str, session: pd.Timestamp) -> bool:
        """Return True if the data of an asset or a series are late at the session."""
        return id in self.stale and bool(self.stale.at[session, id])

    def _last_seen(self, id: str, session: pd.Timestamp) -> pd.Timestamp:
        """Return the date of an asset's last price, or of a series' last publication."""
        moment = self.history.last_known(id, session)
        if id in self.history.closes or moment is None:
            return pd.Timestamp(self.history.closes[id].loc[:session].dropna().index[-1])
        return moment.normalize()


def _targets_said(today: Today) -> dict[str, str]:
    """Return the target weights, the next scheduled decision and late prices, as text."""
    shares = with_cash(today.target)
    target = ", ".join(f"{asset} {percent_unit(share)}" for asset, share in shares.items())
    after = "unknown" if today.next_decision is None else str(today.next_decision.date())
    facts = {"target": target, "next decision": after}
    if today.missing:
        facts["late"] = ", ".join(map(str, today.missing))
    if today.no_view:
        facts["without a view"] = ", ".join(today.no_view)
    return facts


def make_plan(config: RunConfig, history: History, reading: Reading | None = None) -> Plan:
    """Return a strategy's plan for every session of a history.

    The history must have prices of the strategy's assets and of the holdings. To save time, pass
    the result of :func:`backtests.pipeline.read` as ``reading``. See
    :func:`backtests.window.sessions_from_start` for the session of the first decision. ConfigError
    is raised if ``config`` is not a configuration, or if its start is outside the history.
    """
    check_config(config)
    strategy = config.build_strategy()
    check_priced(config.universe.classes, history)
    reading = read(config, history) if reading is None else reading
    ids = [id for id in (*strategy.assets, *strategy.reads) if id in history.panel]
    # The strategy sees the last values, even beyond their staleness limit.
    panel = history.panel.assign(**{id: history.panel[id].ffill() for id in ids})
    weights = decide(strategy, reading, panel)
    index = sessions_from_start(config, history, reading)
    check_weights(weights.loc[index], strategy.name, strategy.gross_limit)
    state = state_of(strategy, reading, panel)
    rests, late = rests_on(config), stale(history)
    is_lost = lost(state, late, reading, rests if strategy.follows_regime else {})
    state = None if state is None else state.mask(is_lost).ffill()
    due = decisions(strategy, state, index, config.schedule)
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
        due=due,
        decided=_when_known(due, is_lost),
        followed=index,
    )


def next_scheduled(schedule: Schedule, session: pd.Timestamp) -> pd.Timestamp | None:
    """Return the next scheduled session after ``session``, or None if the calendar ends earlier."""
    later = _sessions_after(session)
    return _first(later[schedule.sessions(later)])


def _when_known(due: pd.DatetimeIndex, lost: pd.Series) -> pd.DatetimeIndex:
    """For each due day, return the first session from this day on at which the state is known."""
    known = pd.DatetimeIndex(lost.index[~lost])
    at = np.unique(known.searchsorted(due))
    return known[at[at < len(known)]]


def _sessions_after(session: pd.Timestamp) -> pd.DatetimeIndex:
    calendar = all_sessions()
    return calendar[calendar > session]


def _first(index: pd.DatetimeIndex) -> pd.Timestamp | None:
    return pd.Timestamp(index[0]) if len(index) else None
