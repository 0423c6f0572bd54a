"""The orders that a backtest would place at one close, for the real holdings of a user.

The units of the orders come from the prices at the decision's close. A backtest computes units from
the target weights and the prices at the fill. If prices change before the fill, the units of the
orders differ from the units of a backtest. If prices rise before the fill, the ordered units can
cost more than the cash.

An account applies the drift band and the gross limit to real holdings after costs. A backtest
applies the band and the limit to model weights. Model weights start at the target, change with
prices, and ignore costs. If costs move a weight across the band or the limit, the orders of an
account and of a backtest can differ.

If the lag is longer than the time between two decisions, earlier orders can still wait for their
fill. An account does not place waiting orders again. An account uses the current holdings to find
out whether an earlier decision led to a trade. With daily decisions and a long lag, the orders of
an account and of a backtest may therefore differ.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile

import pandas as pd

from backtests.config import RunConfig
from backtests.history.panel import History
from backtests.holdings import after, check_held, orders_to, value_of, weights_of
from signals.universe import CASH
from strategies import Strategy

#: Largest number of trades that a search for an unfilled trade covers.
_REPEATS = 21


@dataclass(frozen=True, kw_only=True)
class Due:
    """The orders at one close; :class:`backtests.today.Today` describes the attributes."""

    waiting: pd.Timestamp | None
    value: float
    beyond_band: tuple[str, ...]
    beyond_limit: bool
    orders: pd.DataFrame


@dataclass(frozen=True, kw_only=True, eq=False)
class Account:
    """An account that follows the decisions of a :class:`backtests.today.Plan`.

    The units of each order are rounded to ``decimals`` decimals. :class:`backtests.today.Plan`
    describes the other attributes.
    """

    config: RunConfig
    strategy: Strategy
    history: History
    weights: pd.DataFrame
    stale: pd.DataFrame
    decided: pd.DatetimeIndex
    followed: pd.DatetimeIndex
    decimals: int

    def due(self, holdings: Mapping[str, float], session: pd.Timestamp) -> Due:
        """Return the orders of a backtest at a session's close.

        ``holdings`` comes from :func:`backtests.holdings.units_of`. A holding without a price
        raises MissingSeries, and holdings worth 0 USD or less raise ConfigError.
        """
        check_held(assets_of(holdings), self.history.closes.loc[:session])
        prices = self._prices(holdings, session)
        now = weights_of(holdings, prices)
        waiting, expected = self._after_waiting(session, holdings)
        target = self._target(session)
        reached = now if waiting is None else self._target(waiting)
        off = _differences(target, reached) > self.config.band
        beyond_limit = self._is_beyond_limit(holdings, session)
        orders = self._orders(target, expected, session)
        over = beyond_limit and waiting is None
        trades = over or (session in self.decided and bool(off.any()))
        return Due(
            waiting=waiting,
            value=value_of(holdings, prices),
            beyond_band=tuple(map(str, off.index[off])),
            beyond_limit=beyond_limit,
            orders=orders if trades else orders.iloc[:0],
        )

    def _after_waiting(
        self, session: pd.Timestamp, holdings: Mapping[str, float]
    ) -> tuple[pd.Timestamp | None, Mapping[str, float]]:
        """Return the holdings as if all unfilled earlier orders were filled.

        The first result is the session of the newest unfilled orders, or None.
        """
        waiting, expected = None, holdings
        for day in self._unfilled(session):
            now = weights_of(holdings, self._prices(holdings, day))
            reached = now if waiting is None else self._target(waiting)
            if (_differences(self._target(day), reached) > self.config.band).any():
                orders = self._orders(self._target(day), expected, day)
                waiting, expected = day, after(expected, orders)
        limited = self._waits_for_limit(session, holdings) if waiting is None else None
        if limited is None:
            return waiting, expected
        return limited, after(holdings, self._orders(self._target(limited), holdings, limited))

    def _waits_for_limit(
        self, session: pd.Timestamp, holdings: Mapping[str, float]
    ) -> pd.Timestamp | None:
        """Return the session at which an unfilled trade to the gross limit was ordered, or None.

        Unchanged holdings may be beyond the limit at several closes in a row. A trade is placed at
        the first close beyond the limit, and is filled ``lag`` sessions later. While the holdings
        stay beyond the limit, a new trade is placed every ``lag`` sessions.
        """
        earlier = self.followed[self.followed < session][::-1][: self.config.lag * _REPEATS]
        beyond = takewhile(lambda day: self._is_beyond_limit(holdings, day), earlier)
        unfilled = sum(1 for _ in beyond) % self.config.lag
        return earlier[unfilled - 1] if unfilled else None

    def _is_beyond_limit(self, holdings: Mapping[str, float], session: pd.Timestamp) -> bool:
        """Return whether holdings with a short position exceed the gross limit at a close.

        After a trade to the limit, the costs of the trade may leave exposure a little beyond the
        limit. So this function raises the limit by the highest cost rate.
        """
        prices = self._prices(holdings, session)
        values = prices * pd.Series(holdings, dtype="float64").reindex(prices.index)
        cost = max((self.config.costs.rate(str(asset)) for asset in prices.index), default=0.0)
        limit = self.strategy.gross_limit * (1 + cost) + 1e-9
        worth = values.sum() + holdings.get(CASH, 0.0)
        return bool((values < 0).any() and values.abs().sum() > limit * worth)

    def _target(self, session: pd.Timestamp) -> pd.Series:
        return target_at(self.weights, self.decided, session)

    def _unfilled(self, session: pd.Timestamp) -> pd.DatetimeIndex:
        """Return the earlier decisions whose orders are not filled at the close of ``session``."""
        at = int(self.weights.index.searchsorted(session))
        recent = self.weights.index[max(at - self.config.lag + 1, 0) : at]
        return self.decided[self.decided.isin(recent)]

    def _orders(
        self, target: pd.Series, holdings: Mapping[str, float], session: pd.Timestamp
    ) -> pd.DataFrame:
        prices = self._prices(holdings, session)
        unpriced = [a for a in prices.index if a in self.stale and self.stale.at[session, a]]
        return orders_to(target, holdings, prices, self.config.costs, self.decimals, unpriced)

    def _prices(self, holdings: Mapping[str, float], session: pd.Timestamp) -> pd.Series:
        """Return the price of each holding and of each asset of the strategy."""
        assets = dict.fromkeys((*assets_of(holdings), *self.strategy.assets))
        return pd.Series({a: self._price(a, session) for a in assets}, dtype="float64")

    def _price(self, asset: str, session: pd.Timestamp) -> float:
        """Return the close on the session's date, else the panel's price, else the last close."""
        if asset not in self.history.closes:
            return float("nan")
        closes = self.history.closes[asset].loc[:session]
        price = closes.iloc[-1]
        if pd.isna(price):
            price = self.history.panel[asset].loc[session]
        return float(closes.ffill().iloc[-1] if pd.isna(price) else price)


def target_at(weights: pd.DataFrame, decided: pd.DatetimeIndex, session: pd.Timestamp) -> pd.Series:
    """Return the target of the last decision on or before ``session``.

    Before the first decision, return the weights that a decision at ``session`` would give.
    """
    earlier = decided[decided <= session]
    return weights.iloc[weights.index.searchsorted(earlier[-1] if len(earlier) else session)]


def assets_of(holdings: Mapping[str, float]) -> list[str]:
    """Return the assets of holdings, without cash."""
    return [asset for asset in holdings if asset != CASH]


def _differences(target: pd.Series, now: pd.Series) -> pd.Series:
    """Return the absolute difference from the target weight, for each asset in ``now``."""
    return (target.reindex(now.index, fill_value=0.0) - now).abs()
