"""Twins of the signals on market prices: plain loops, written from the definitions.

See :mod:`tests.reference.naive`.
"""

import bisect
import math
from collections.abc import Iterator

import numpy as np

from signals.universe import UNIVERSE, members
from tests.reference.columns import (
    CONFIRM,
    Column,
    Flag,
    Gauges,
    Panel,
    above,
    change,
    combined,
    complete,
    growth,
    latched,
    minus,
    negative,
    zscore,
)

SHORT, LONG = ("memory", "defensive"), ("software", "speculative", "crypto")
CLASSES = tuple(dict.fromkeys(asset.asset_class for asset in UNIVERSE.values()))


def windows(x: Column, n: int) -> Iterator[list[float] | None]:
    """Yield the last n values for each session, or None if one of them is missing."""
    seen: list[float] = []
    for value in x:
        seen = [] if value is None else [*seen, value][-n:]
        yield seen if len(seen) == n else None


def mean(values: list[float | None]) -> float | None:
    """Return the mean of the values that are not None; None without values."""
    seen = [v for v in values if v is not None]
    return math.fsum(seen) / len(seen) if seen else None


def moment(xs: list[float], ys: list[float]) -> float:
    """Return the sum of the products of deviations from the two means."""
    x_mean, y_mean = math.fsum(xs) / len(xs), math.fsum(ys) / len(ys)
    return math.fsum([(x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True)])


def on_one_date(panel: Panel, ticker: str) -> Column:
    """Return, at each session, the known close of the session before, for a coin or a share."""
    if ticker.endswith("-USD"):
        return panel[f"{ticker}@session"]
    return [None, *panel[ticker][:-1]]


def average(columns: list[Column]) -> Column:
    """Return the mean of several columns at each session, over those with a value."""
    return [mean(list(row)) for row in zip(*columns, strict=True)]


def percent(x: Column) -> Column:
    return [None if v is None else 100 * v for v in x]


def inverse_qe(panel: Panel) -> tuple[Gauges, Column, Flag]:
    """Return gauges, score and flag of bonds that stop hedging."""
    correlation: Column = []
    shares, bonds = windows(growth(panel["SPY"], 1), 63), windows(growth(panel["TLT"], 1), 63)
    for a, b in zip(shares, bonds, strict=True):
        if a is None or b is None:
            correlation.append(None)
        else:
            correlation.append(moment(a, b) / math.sqrt(moment(a, a) * moment(b, b)))
    premium = change(panel["THREEFYTP10"], 63)
    parts = {"z_correlation": zscore(correlation), "z_term_premium": zscore(premium)}
    made = combined({"correlation": parts["z_correlation"], "THREEFYTP10": parts["z_term_premium"]})
    rows = [complete(row) for row in zip(made.mean, correlation, strict=True)]
    flag = latched(
        [row is not None and row[0] > 1 and row[1] > 0 for row in rows],
        [row is not None and (row[0] < 0 or row[1] < 0) for row in rows],
        [row is not None for row in rows],
        CONFIRM,
    )
    gauges = {"correlation": correlation, "term_premium": premium, **parts}
    return {**gauges, **made._asdict()}, made.score, flag


def duration(panel: Panel) -> tuple[Gauges, Column, Flag]:
    """Return gauges, score and flag of short-duration against long-duration assets."""
    returns: Panel = {
        name: percent(average([growth(on_one_date(panel, t), 63) for t in members(name)]))
        for name in (*SHORT, *LONG)
    }
    spread: Column = []
    for i in range(len(panel["SPY"])):
        short, long = [returns[c][i] for c in SHORT], [returns[c][i] for c in LONG]
        spread.append(None if None in (*short, *long) else minus(mean(short), mean(long)))
    score = zscore(spread)
    return {"spread": spread, **returns, "score": score}, score, above(score, 1.0, 0.0)


def fading_momentum(panel: Panel) -> tuple[Gauges, Column, Flag]:
    """Return gauges, score and flag of breakouts that fail."""
    sessions = len(panel["SPY"])
    breakouts: list[list[str]] = [[] for _ in range(sessions)]
    judged, high = [0] * sessions, [0] * sessions
    for ticker in UNIVERSE:
        prices = panel[ticker]
        for i, seen in enumerate(windows(prices, 61)):
            if seen is not None and seen[-1] > max(seen[:-1]):
                breakouts[i].append(ticker)
        for i, seen in enumerate(windows(prices, 200)):
            if seen is not None:
                judged[i] += 1
                high[i] += seen[-1] > math.fsum(seen) / 200
    breadth = [100 * h / n if n else None for h, n in zip(high, judged, strict=True)]
    follow: Column = []
    number: Column = []
    for i in range(sessions):
        pairs = (
            (panel[ticker][i], panel[ticker][then])
            for then in range(max(0, i - 41), i - 20)
            for ticker in breakouts[then]
        )
        held = [a > b for a, b in pairs if a is not None and b is not None]
        number.append(float(len(held)))
        follow.append(100 * sum(held) / len(held) if len(held) >= 10 else None)
    measures: Panel = {"follow_through": follow, "breadth": breadth}
    made = combined({k: negative(zscore(x)) for k, x in measures.items()})
    gauges: Gauges = {
        **measures,
        "breakouts": number,
        "score": made.score,
        "without": made.without,
    }
    return gauges, made.score, above(made.score, 1.0, 0.0)


def volatility_ratio(prices: Column) -> Column:
    """Return the standard deviation of 10 daily returns over that of 63."""
    returns = growth(prices, 1)
    out: Column = []
    for near, far in zip(windows(returns, 10), windows(returns, 63), strict=True):
        if near is None or far is None:
            out.append(None)
        else:
            out.append(math.sqrt(moment(near, near) / 9) / math.sqrt(moment(far, far) / 62))
    return out


def common(returns: list[Column]) -> Column:
    """Return the largest eigenvalue of the correlation matrix over 21 sessions, % of its trace.

    The eigenvalue is the square of the largest singular value of the standardised returns.
    """
    out: Column = []
    for row in zip(*(windows(x, 21) for x in returns), strict=True):
        there = [seen for seen in row if seen is not None]
        if len(there) < 2:
            out.append(None)
            continue
        unit = []
        for seen in there:
            centre, length = math.fsum(seen) / 21, math.sqrt(moment(seen, seen))
            unit.append([(v - centre) / length for v in seen])
        largest = np.linalg.svd(np.array(unit), compute_uv=False)[0]
        out.append(100 * float(largest) ** 2 / len(there))
    return out


def forced_selling(panel: Panel) -> tuple[Gauges, Column, Flag]:
    """Return gauges, score and flag of forced selling."""
    falls = [growth(panel[ticker], 10) for ticker in UNIVERSE]
    falling: Column = []
    for row in zip(*falls, strict=True):
        seen = [v for v in row if v is not None]
        falling.append(100 * sum(v < 0 for v in seen) / len(seen) if seen else None)
    classes = [
        average([growth(on_one_date(panel, t), 1) for t in members(name)]) for name in CLASSES
    ]
    hedge = [
        None if h is None or i is None else h / i
        for h, i in zip(panel["HYG"], panel["IEF"], strict=True)
    ]
    gauges: Panel = {
        "falling": falling,
        "volatility_spy": volatility_ratio(panel["SPY"]),
        "volatility_btc": volatility_ratio(panel["BTC-USD"]),
        "common": common(classes),
        "vix": change(panel["VIXCLS"], 10),
        "credit": percent(growth(hedge, 10)),
    }
    made = combined({k: zscore(negative(x) if k == "credit" else x) for k, x in gauges.items()})
    return {**gauges, **made._asdict()}, made.score, above(made.mean, 1.5, 0.5, confirm=2)


def crypto_forced_selling(panel: Panel) -> tuple[Gauges, Column, Flag]:
    """Return gauges, score and flag of forced selling among coins."""
    coins = [panel[coin] for coin in ("BTC-USD", "ETH-USD", "SOL-USD")]
    flows = list(zip(panel["FLOW_BTC_ETF"], panel["FLOW_ETH_ETF"], strict=True))
    daily = [None if set(row) == {None} else sum(v for v in row if v is not None) for row in flows]
    gauges: Panel = {
        "fall": percent(negative(average([growth(coin, 10) for coin in coins]))),
        "volatility": volatility_ratio(panel["BTC-USD"]),
        "common": common([growth(coin, 1) for coin in coins]),
        "funding": average([panel[f"FUNDING_{coin}"] for coin in ("BTC", "ETH", "SOL")]),
        "flow": [None if seen is None else math.fsum(seen) for seen in windows(daily, 10)],
    }
    outward = ("funding", "flow")
    made = combined({k: zscore(negative(x) if k in outward else x) for k, x in gauges.items()})
    return {**gauges, **made._asdict()}, made.score, above(made.mean, 1.5, 0.5, confirm=2)


def speculative_drawdown(panel: Panel) -> Column:
    """Return the fall of a daily rebalanced basket from its highest value so far, %."""
    basket = [on_one_date(panel, ticker) for ticker in ("ARKK", "MSTR", "COIN", "BTC-USD")]
    out: Column = []
    value = highest = 1.0
    begun = False
    moves = [growth(prices, 1) for prices in basket]
    members = [sum(v is not None for v in row) for row in zip(*moves, strict=True)]
    for move, there in zip(average(moves), members, strict=True):
        today = move if there >= 1 else None
        begun = begun or today is not None
        value *= 1 + (today or 0.0)
        highest = max(highest, value)
        out.append(100 * (value / highest - 1) if begun else None)
    return out


def worst_decile(x: Column) -> Column:
    """Return the tenth percentile of all values so far."""
    past: list[float] = []
    out: Column = []
    for value in x:
        if value is not None:
            bisect.insort(past, value)
        if value is None or len(past) < 252:
            out.append(None)
            continue
        out.append(percentile(past, 0.1))
    return out


def percentile(ordered: list[float], share: float) -> float:
    """Return a quantile by linear interpolation between two ordered values."""
    place = share * (len(ordered) - 1)
    below = int(place)
    after = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[after] - ordered[below])
