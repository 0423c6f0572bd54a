"""Portfolio accounting in plain Python, with which the engine is compared.

It is written only from the rules: one session, one position and one order at a time. It uses only
the standard library, and is slow but easy to read:

    rebuild   daily equity from executed orders, as anyone can from `orders.csv`
    run       daily equity and orders from target weights

Prices are a dict of sessions, and each session is a dict of assets. An asset without a close is
missing, None or NaN. The bill return of a session is the return since the session before.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import NamedTuple

Weights = Mapping[str, float]
Closes = Mapping[date, Mapping[str, float | None]]

ROUNDING = 1e-9
"""By how much a weight may exceed a limit before it counts."""

STALE_DAYS = {"coin": 4, "share": 10}
"""Calendar days without a price after which a holding is sold at its last one."""


class Order(NamedTuple):
    """One row of `orders.csv`: signed units, price before costs, and total cost in USD."""

    date: date
    asset: str
    units: float
    price: float
    cost: float


@dataclass
class Quotes:
    """The last close of every asset, and its date."""

    price: dict[str, float] = field(default_factory=dict)
    seen: dict[str, date] = field(default_factory=dict)

    def learn(self, day: date, closes: Mapping[str, float | None]) -> None:
        for asset, price in closes.items():
            if price is not None and not math.isnan(price):
                self.price[asset] = price
                self.seen[asset] = day

    def fresh(self, asset: str, day: date) -> bool:
        return self.seen.get(asset) == day

    def lost(self, asset: str, day: date, previous: date) -> bool:
        """Return whether the last price is too old at `day`, but was not too old at `previous`."""
        seen = self.seen.get(asset, day)
        limit = STALE_DAYS["coin" if asset.endswith("-USD") else "share"]
        return (previous - seen).days <= limit < (day - seen).days


# --- From orders -----------------------------------------------------------------------------


def rebuild(
    orders: Iterable[Order],
    closes: Closes,
    bills: Mapping[date, float],
    capital: float,
    borrow: Weights,
) -> tuple[list[float], list[float]]:
    """Return equity at each session's close, and the simple returns from the second session on."""
    by_day: dict[date, list[Order]] = {}
    for order in orders:
        by_day.setdefault(order.date, []).append(order)

    cash, units, quotes = capital, dict[str, float](), Quotes()
    equity: list[float] = []
    previous: date | None = None
    for day in sorted(closes):
        quotes.learn(day, closes[day])
        if previous is not None:
            cash *= 1 + bills[day]
            for asset in units:
                if units[asset] < 0:
                    units[asset] *= 1 + borrow.get(asset, 0.0) * (day - previous).days / 365
        for order in by_day.get(day, []):
            cash -= order.units * order.price + order.cost
            units[order.asset] = units.get(order.asset, 0.0) + order.units
        equity.append(cash + sum(held * quotes.price[asset] for asset, held in units.items()))
        previous = day
    return equity, [b / a - 1 for a, b in pairwise(equity)]


# --- From target weights ---------------------------------------------------------------------


@dataclass
class Pending:
    """A decision that waits for its fill."""

    fill: date
    weights: dict[str, float]


@dataclass
class Drift:
    """The weights since `base`, which drift with prices and bills, before costs."""

    base: date = date.min
    weights: dict[str, float] = field(default_factory=dict)
    prices: dict[str, float] = field(default_factory=dict)
    bill: float = 1.0

    def now(self, day: date, quotes: Quotes, bill: float) -> dict[str, float]:
        if day == self.base:
            return dict(self.weights)
        grown = {
            asset: weight * quotes.price[asset] / self.prices[asset]
            for asset, weight in self.weights.items()
            if weight != 0
        }
        cash = (1 - sum(self.weights.values())) * bill / self.bill
        total = cash + sum(grown.values())
        return {asset: value / total for asset, value in grown.items()}

    def restart(self, day: date, weights: dict[str, float], quotes: Quotes, bill: float) -> None:
        self.base, self.weights, self.prices, self.bill = day, weights, dict(quotes.price), bill


@dataclass
class Book:
    """Cash and positions. The long and the short side of an asset are two positions."""

    cash: float
    long: dict[str, float] = field(default_factory=dict)
    short: dict[str, float] = field(default_factory=dict)

    def accrue(self, bill: float, days: int, borrow: Weights) -> None:
        self.cash *= 1 + bill
        for asset in self.short:
            self.short[asset] *= 1 + borrow.get(asset, 0.0) * days / 365

    def value(self, quotes: Quotes) -> float:
        legs = [*self.long.items(), *self.short.items()]
        return self.cash + sum(units * quotes.price[asset] for asset, units in legs)

    def holds(self, asset: str) -> bool:
        return self.long.get(asset, 0.0) != 0 or self.short.get(asset, 0.0) != 0

    def trade(self, targets: Weights, day: date, quotes: Quotes, costs: Weights) -> list[Order]:
        """Trade the long and short sides of assets to their shares of the value before costs.

        The largest sale comes first, and the largest purchase last. Equal orders keep the order of
        assets.
        """
        value = self.value(quotes)
        wishes = []
        for asset, weight in targets.items():
            for leg, share in ((self.long, max(weight, 0.0)), (self.short, min(weight, 0.0))):
                price = quotes.price[asset]
                change = share * value - leg.get(asset, 0.0) * price
                wishes.append((change, asset, leg, share * value / price))
        wishes.sort(key=lambda wish: wish[0])

        orders = []
        for _, asset, leg, wanted in wishes:
            price, rate = quotes.price[asset], costs.get(asset, 0.0)
            units = wanted - leg.get(asset, 0.0)
            cut = units > 0 and units * price * (1 + rate) > self.cash
            if cut:
                units = max(self.cash, 0.0) / (1 + rate) / price
            if units == 0:
                continue
            cost = abs(units) * price * rate
            self.cash = 0.0 if cut else self.cash - units * price - cost
            leg[asset] = leg.get(asset, 0.0) + units
            orders.append(Order(day, asset, units, price, cost))
        return orders


def differs(target: Weights, held: Weights, band: float) -> bool:
    """Return whether the target of an asset is further than `band` from its held weight."""
    return any(
        abs(target.get(asset, 0.0) - held.get(asset, 0.0)) > band for asset in {*target, *held}
    )


def affordable(before: Weights, wanted: Weights) -> dict[str, float]:
    """Return the weights after the trades, without costs: sales first, the largest purchase last.

    A purchase gets no more than the cash that is left, because no purchase is on credit.
    """
    trades = []
    for asset, weight in wanted.items():
        old = before.get(asset, 0.0)
        trades.append((min(weight, 0.0) - min(old, 0.0), asset))
        trades.append((max(weight, 0.0) - max(old, 0.0), asset))
    held = {asset: before.get(asset, 0.0) for asset in wanted}
    cash = 1 - sum(before.values())
    for size, asset in sorted(trades, key=lambda trade: trade[0]):
        filled = min(size, max(cash, 0.0)) if size > 0 else size
        held[asset] += filled
        cash -= filled
    return held


def too_large(held: Weights, limit: float | None) -> bool:
    """Return whether there is a short position and the gross exposure is above the limit."""
    if limit is None or min(held.values(), default=0.0) >= 0:
        return False
    return sum(abs(weight) for weight in held.values()) > limit + ROUNDING


def run(
    decisions: Mapping[date, Weights],
    closes: Closes,
    bills: Mapping[date, float],
    costs: Weights,
    borrow: Weights,
    capital: float,
    lag: int,
    band: float,
    gross_limit: float | None = None,
) -> tuple[list[float], list[Order]]:
    """Return equity at each session's close, and the executed orders.

    At every close, in this order: interest and borrow fees accrue, holdings without a recent price
    are closed, the decision of `lag` sessions ago fills, and a new decision is taken. A portfolio
    with shorts may have drifted above the gross limit. If no decision is taken and none waits, it
    then decides again for the last decided weights. Without a limit, it drifts.
    """
    sessions = sorted(closes)
    assets = list(dict.fromkeys(asset for row in decisions.values() for asset in row))
    book, drift, quotes, bill = Book(capital), Drift(), Quotes(), 1.0
    pending: list[Pending] = []
    last: Pending | None = None
    decided: dict[str, float] = {}
    equity: list[float] = []
    orders: list[Order] = []

    for i, day in enumerate(sessions):
        previous = sessions[max(i - 1, 0)]
        quotes.learn(day, closes[day])
        if i > 0:
            bill *= 1 + bills[day]
            book.accrue(bills[day], (day - previous).days, borrow)

        targets: dict[str, float] = {}

        dead = [a for a in assets if book.holds(a) and quotes.lost(a, day, previous)]
        if dead:
            drift.restart(
                day, drift.now(day, quotes, bill) | dict.fromkeys(dead, 0.0), quotes, bill
            )
            targets |= dict.fromkeys(dead, 0.0)
            for waiting in pending:
                waiting.weights |= dict.fromkeys(dead, 0.0)
            decided = decided | dict.fromkeys(dead, 0.0)

        if pending and pending[0].fill == day:
            wanted = pending.pop(0).weights
            untraded = {
                a: w for a, w in drift.now(day, quotes, bill).items() if not quotes.fresh(a, day)
            }
            traded = {a: wanted.get(a, 0.0) for a in assets if quotes.fresh(a, day)}
            targets = {a: (targets | traded)[a] for a in assets if a in targets | traded}
            before = drift.now(day, quotes, bill)
            drift.restart(day, affordable(before, untraded | traded), quotes, bill)

        orders += book.trade(targets, day, quotes, costs)

        decided = dict(decisions.get(day, decided))
        if i + lag < len(sessions):
            waits = last if last is not None and last.fill > day else None
            held = waits.weights if waits else drift.now(day, quotes, bill)
            taken = day in decisions and differs(decided, held, band)
            if taken or (not waits and too_large(held, gross_limit)):
                last = Pending(sessions[i + lag], decided.copy())
                pending.append(last)

        equity.append(book.value(quotes))
    return equity, orders
