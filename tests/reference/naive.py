"""Twins of the signals: plain loops over rows, slow and literal, without pandas.

They are written from the definitions, and tests compare the fast versions with them. The twins of
signals on market prices are in :mod:`tests.reference.naive_market`, and those on funding are in
:mod:`tests.reference.naive_funding`. A column is a list with one value for each session, and None
where no value is known. A flag is a list of True, False and None.
"""

import math
from collections.abc import Callable, Sequence
from operator import itemgetter

import numpy as np
from arch.bootstrap import StationaryBootstrap, optimal_block_length

from tests.reference import naive_funding
from tests.reference import naive_market as market
from tests.reference.columns import (
    CONFIRM,
    Column,
    Flag,
    Gauges,
    Names,
    Panel,
    above,
    below,
    change,
    combined,
    complete,
    drawdown,
    growth,
    hundredths,
    latched,
    minus,
    negative,
    plus,
    zscore,
)


def dry_powder(
    panel: Panel, scale: str = "gdp", k: float = 0.09, a: float = 0.125
) -> tuple[Panel, Column, Flag]:
    """Return gauges, score and flag of idle capital."""
    of_gdp, of_banks = _idle(panel, "GDP", k), _idle(panel, "TLAACBW027SBOG", a)
    share, idle, excess = of_gdp if scale == "gdp" else of_banks
    gauges: Panel = {
        "share": share,
        "idle": idle,
        "reverse_repo": list(panel["RRPONTSYD"]),
        "excess_reserves": excess,
        "of_gdp": of_gdp[0],
        "of_bank_assets": of_banks[0],
    }
    return gauges, negative(zscore(share)), below(share, 1.0, 2.0)


def _idle(panel: Panel, by: str, need: float) -> tuple[Column, Column, Column]:
    """Return idle capital in % of the series ``by``, idle capital, and reserves above need."""
    share: Column = []
    idle: Column = []
    excess: Column = []
    for rrp, reserves, size in zip(panel["RRPONTSYD"], panel["WRESBAL"], panel[by], strict=True):
        over = None
        if reserves is not None and size is not None:
            over = max(0.0, reserves / 1000 - need * size)  # millions to billions
        stock = None if over is None or rrp is None else rrp + over
        excess.append(over)
        idle.append(stock)
        share.append(None if stock is None or size is None else 100 * stock / size)
    return share, idle, excess


def capex(
    panel: Panel,
    firms: tuple[str, ...] = ("MSFT", "GOOGL", "AMZN", "META", "ORCL"),
    minimum: int = 4,
) -> tuple[Panel, Column, Flag]:
    """Return gauges, score and flag of capital expenditure."""
    gauges: Panel = {"impulse": [], "level": [], "share": [], "firms": []}
    for i, gdp in enumerate(panel["GDP"]):
        now = [panel[f"CAPEX_TTM_{firm}"][i] for firm in firms]
        then = [panel[f"CAPEX_TTM_YEAR_AGO_{firm}"][i] for firm in firms]
        rows = map(complete, zip(now, then, strict=True))
        pairs = [row for row in rows if row is not None]
        impulse = None
        if len(pairs) >= minimum:
            impulse = (sum(a for a, _ in pairs) / sum(b for _, b in pairs) - 1) * 100
        spent = complete(now)
        level = None if spent is None else sum(spent) / 1e9  # USD to billions
        gauges["impulse"].append(impulse)
        gauges["level"].append(level)
        gauges["share"].append(None if level is None or gdp is None else level / gdp * 100)
        gauges["firms"].append(float(len(pairs)))
    return gauges, zscore(gauges["impulse"]), above(gauges["impulse"], 20.0, 10.0)


def _absorption_rows(
    panel: Panel, scale: str = "gdp"
) -> tuple[Panel, list[tuple[float, ...] | None]]:
    """Return the gauges, and for each session (u, impulse, idle share), None if one is missing."""
    spending, _, _ = capex(panel)
    powder, _, _ = dry_powder(panel, scale)
    u: Column = [
        None if a is None or p is None else a / (a + p)
        for a, p in zip(spending["level"], powder["idle"], strict=True)
    ]
    gauges = {
        "u": u,
        "impulse": spending["impulse"],
        "capex": spending["level"],
        "capex_share": spending["share"],
        "idle": powder["idle"],
        "idle_share": powder["share"],
        "excess_reserves": powder["excess_reserves"],
    }
    triples = zip(u, spending["impulse"], powder["share"], strict=True)
    return gauges, [complete(row) for row in triples]


def absorption(panel: Panel, scale: str = "gdp") -> tuple[Panel, Column, Flag]:
    """Return gauges, score and the absorbing flag."""
    gauges, triples = _absorption_rows(panel, scale)
    logit: Column = []
    for u in gauges["u"]:
        clipped = None if u is None else min(0.99, max(0.01, u))
        logit.append(None if clipped is None else math.log(clipped / (1 - clipped)))
    flag = latched(
        [row is not None and row[0] > 0.5 and row[1] > 10.0 for row in triples],
        [row is not None and (row[0] < 0.4 or row[1] < 5.0) for row in triples],
        [row is not None for row in triples],
        CONFIRM,
    )
    return gauges, zscore(logit), flag


def injecting(panel: Panel) -> Flag:
    """Return a flag that is on while capital spending still injects money."""
    _, triples = _absorption_rows(panel)
    return latched(
        [row is not None and row[0] < 0.3 and row[1] > 10.0 and row[2] > 2.0 for row in triples],
        [row is not None and (row[0] > 0.4 or row[1] < 5.0 or row[2] < 1.0) for row in triples],
        [row is not None for row in triples],
        CONFIRM,
    )


def bathtub(panel: Panel) -> tuple[Gauges, Column, Flag]:
    """Return gauges, score and flag of net liquidity."""
    assets = [None if v is None else v / 1000 for v in panel["WALCL"]]  # millions to billions
    account = [None if v is None else v / 1000 for v in panel["WTREGEN"]]
    repo = panel["RRPONTSYD"]
    level = [minus(minus(a, t), r) for a, t, r in zip(assets, account, repo, strict=True)]
    tap = change(assets, 65)
    drained = zip(negative(change(repo, 65)), change(account, 65), strict=True)
    pipes = [minus(r, t) for r, t in drained]
    delta = [plus(a, b) for a, b in zip(tap, pipes, strict=True)]
    relative = [
        None if d is None or n is None else 100 * d / n for d, n in zip(delta, level, strict=True)
    ]
    score = negative(zscore(relative))
    gauges = {
        "change": relative,
        "level": level,
        "delta": delta,
        "tap": tap,
        "pipes": pipes,
        "score": score,
    }
    return gauges, score, above(score, 1.0, 0.0)


def convexity(panel: Panel) -> tuple[Gauges, Column, Flag]:
    """Return gauges, score and flag of the convexity of the price of capital.

    The panel's column ``session`` has the dates as numbers, such as 20240102 for 2 January 2024.
    """
    days = [int(day) for day in panel["session"] if day is not None]
    quarters = [(day // 10000, (day // 100 % 100 - 1) // 3) for day in days]
    u = absorption(panel)[0]["u"]
    cost = [plus(y, s) for y, s in zip(panel["DGS10"], panel["BAA10Y"], strict=True)]
    begun = excursions(u)
    slope: float | None = None
    kink: float | None = None
    low: float | None = None
    high: float | None = None
    gauges: Panel = {name: [] for name in ("kink", "low", "high", "slope", "price")}
    for i, share in enumerate(u):
        if i and quarters[i] != quarters[i - 1]:
            rows = weekly_changes(u[:i], cost[:i])
            identified = begun[i - 1] >= 3 and len(rows) >= 104
            everyone = range(len(rows))
            slope, kink = bend(products(rows), everyone) if identified else (None, None)
            low, high = kink_bounds(rows, seed=days[i]) if identified else (None, None)
        price = None
        if slope is not None and kink is not None and share is not None:
            price = slope + kink if share > 0.5 else slope
        for name, value in zip(gauges, (kink, low, high, slope, price), strict=True):
            gauges[name].append(value)
    rows_of_flag = [complete(row) for row in zip(gauges["low"], u, strict=True)]
    steep = [row is not None and row[0] > 0 and row[1] > 0.5 for row in rows_of_flag]
    view = [row is not None for row in rows_of_flag]
    flag = latched(steep, [not s for s in steep], view, CONFIRM)
    gauges["u"] = u
    gauges["excursions"] = [float(n) for n in begun]
    return gauges, zscore(gauges["price"]), flag


def excursions(u: Column) -> list[int]:
    """Return the number of stays above 0.5 that have begun.

    A stay ends after 65 consecutive sessions below 0.4.
    """
    out = []
    number, low, inside = 0, 0, False
    for share in u:
        low = low + 1 if share is not None and share < 0.4 else 0
        if inside and low == 65:
            inside = False
        elif not inside and share is not None and share > 0.5:
            inside = True
            number += 1
        out.append(number)
    return out


def weekly_changes(u: Column, cost: Column) -> list[tuple[float, float, float]]:
    """Return the changes of u, max(0, u − 0.5) and cost over 65 sessions.

    They are taken at every fifth session, counted back from the last.
    """
    rows = []
    for i in range(len(u) - 1, 64, -5):
        row = complete((u[i], u[i - 65], cost[i], cost[i - 65]))
        if row is not None:
            share, share_before, price, price_before = row
            over = max(0.0, share - 0.5) - max(0.0, share_before - 0.5)
            rows.append((share - share_before, over, price - price_before))
    return rows[::-1]


def products(rows: list[tuple[float, float, float]]) -> list[list[float]]:
    """Return the columns a, b and y minus their means, and their products a², ab, b², ay, by."""
    a, b, y = ([v - math.fsum(x) / len(x) for v in x] for x in zip(*rows, strict=True))
    pairs = ((a, a), (a, b), (b, b), (a, y), (b, y))
    return [a, b, y, *([v * w for v, w in zip(p, q, strict=True)] for p, q in pairs)]


def bend(columns: list[list[float]], drawn: Sequence[int]) -> tuple[float, float]:
    """Return the slopes of y on a and b over the drawn rows, with a constant, by Cramer's rule."""
    n = len(drawn)
    a, b, y, aa, ab, bb, ay, by = (sum(itemgetter(*drawn)(column)) for column in columns)
    aa, ab, bb = aa - a * a / n, ab - a * b / n, bb - b * b / n
    ay, by = ay - a * y / n, by - b * y / n
    determinant = aa * bb - ab * ab
    return (ay * bb - by * ab) / determinant, (by * aa - ay * ab) / determinant


def kink_bounds(
    rows: list[tuple[float, float, float]], seed: int, draws: int = 400
) -> tuple[float, float]:
    """Return the 5th and the 95th percentile of the second slope over resampled rows."""
    prices = np.array([y for _, _, y in rows])
    block = max(optimal_block_length(prices)["stationary"].iloc[0], 13.0)
    numbers = StationaryBootstrap(block, np.arange(len(rows)), seed=np.random.default_rng(seed))
    columns = products(rows)
    drawn = (np.asarray(rows[0]).tolist() for rows, _ in numbers.bootstrap(draws))
    kinks = sorted(bend(columns, chosen)[1] for chosen in drawn)
    return market.percentile(kinks, 0.05), market.percentile(kinks, 0.95)


def cost_of_capital(panel: Panel) -> tuple[Gauges, Column, Flag]:
    """Return gauges, score and flag of the cost of capital."""
    treasury, spread = (
        hundredths(change(panel["DGS10"], 63)),
        hundredths(change(panel["BAA10Y"], 63)),
    )
    credit = hundredths([plus(t, s) for t, s in zip(treasury, spread, strict=True)])
    rows = [complete(row) for row in zip(treasury, spread, credit, strict=True)]
    parts: Panel = {
        "z_real_yield": zscore(panel["DFII10"]),
        "z_term_premium": zscore(panel["THREEFYTP10"]),
        "z_spread": zscore(panel["BAA10Y"]),
    }
    gauges: dict[str, Column | Names] = {
        "credit": credit,
        "treasury": treasury,
        "spread": spread,
        "credit_yield": [plus(t, s) for t, s in zip(panel["DGS10"], panel["BAA10Y"], strict=True)],
        "quadrant": [_quadrant(t, s) for t, s in zip(treasury, spread, strict=True)],
        **parts,
    }
    made = combined(dict(zip(("DFII10", "THREEFYTP10", "BAA10Y"), parts.values(), strict=True)))
    gauges["without"] = made.without
    flag = latched(
        [row is not None and row[0] > 0.10 and row[2] > 0.10 for row in rows],
        [row is not None and (row[0] < 0 or row[2] < 0) for row in rows],
        [row is not None for row in rows],
        CONFIRM,
    )
    return gauges, made.score, flag


def _quadrant(treasury: float | None, spread: float | None) -> str | None:
    if treasury is None or spread is None:
        return None
    if treasury > 0:
        return "scarcity" if spread > 0 else "growth"
    return "risk-off" if spread > 0 else "easing"


def crypto_probe(panel: Panel) -> tuple[Gauges, Column, Flag]:
    """Return gauges, score and flag of bitcoin as a probe.

    The gauges that compare bitcoin with shares use both closes of the session before. This is the
    newest date whose closes are both known.
    """
    yesterday = [None, *panel["SPY"][:-1]]
    bitcoin = growth(panel["BTC-USD@session"], 63)
    strength = [
        None if b is None or s is None else 100 * (b - s)
        for b, s in zip(bitcoin, growth(yesterday, 63), strict=True)
    ]
    fall, spy_fall = drawdown(panel["BTC-USD"], 252), drawdown(panel["SPY"], 252)
    rows = [complete(row) for row in zip(fall, strength, spy_fall, strict=True)]
    view = [row is not None for row in rows]
    warns = [row is not None and row[0] < -20 and row[1] < 0 and row[2] > -10 for row in rows]
    flag = latched(warns, [not w for w in warns], view, CONFIRM, 10)
    made = combined({"drawdown": zscore(negative(fall)), "strength": zscore(negative(strength))})
    gauges = {
        "drawdown": fall,
        "strength": strength,
        "spy_drawdown": spy_fall,
        "stablecoins": [
            None if g is None else 100 * g for g in growth(panel["STABLECOIN_SUPPLY"], 63)
        ],
        "fund_flows": _sums(panel["FLOW_BTC_ETF"], 21),
    }
    return {**gauges, "without": made.without}, made.score, flag


def _sums(x: Column, window: int) -> Column:
    """Return the sum over a window in which every session has a value."""
    out: Column = []
    for i in range(len(x)):
        seen = complete(x[max(0, i + 1 - window) : i + 1])
        out.append(math.fsum(seen) if seen and len(seen) == window else None)
    return out


def policy(panel: Panel) -> tuple[Gauges, Column, Flag]:
    """Return gauges, score and flag of policy that tightens."""
    front = [minus(y, r) for y, r in zip(panel["DGS2"], panel["EFFR"], strict=True)]
    shock = change(front, 63)
    balance = change([None if v is None else v / 1000 for v in panel["WALCL"]], 65)
    parts = {"z_shock": zscore(shock), "z_balance": negative(zscore(balance))}
    made = combined(dict(zip(("DGS2 − EFFR", "WALCL"), parts.values(), strict=True)))
    score = made.score
    gauges = {"shock": shock, "balance": balance, **parts, "score": score}
    return {**gauges, "without": made.without}, score, above(score, 1.0, 0.0)


def opportunity(panel: Panel) -> tuple[Gauges, Column, Flag]:
    """Return gauges, score and flag of an opportunity."""
    depth = market.speculative_drawdown(panel)
    decile = market.worst_decile(depth)
    _, _, selling = market.forced_selling(panel)
    _, tub, _ = bathtub(panel)
    measured, tightening, _ = policy(panel)
    members = measured["without"]
    eased = [
        delta if i >= 21 and members[i] == members[i - 21] else None
        for i, delta in enumerate(change(tightening, 21))
    ]
    turns = zip(change(tub, 21), eased, strict=True)
    liquidity = [min((v for v in row if v is not None), default=None) for row in turns]
    deep = [f is not None and d is not None and f <= d for f, d in zip(depth, decile, strict=True)]
    calm: Column = []
    capitulated: Column = []
    chance: list[bool] = []
    view: list[bool] = []
    for i, vix in enumerate(panel["VIXCLS"]):
        quarter = [v for v in panel["VIXCLS"][max(0, i - 62) : i + 1] if v is not None]
        ratio = vix / max(quarter) if vix is not None and len(quarter) == 63 else None
        calm.append(ratio)
        recent = range(max(0, i - 41), i + 1)
        both = any(deep[j] for j in recent) and any(selling[j] for j in recent)
        known = None not in (decile[i], selling[i])
        capitulated.append(float(both) if known else None)
        view.append(known and ratio is not None)
        quiet = ratio is not None and ratio <= 0.7
        ready = known and both and not selling[i] and quiet
        eases = liquidity[i]
        chance.append(ready and eases is not None and eases < 0)
    gauges: Gauges = {
        "drawdown": depth,
        "decile": decile,
        "capitulated": capitulated,
        "forced_selling": [None if on is None else float(on) for on in selling],
        "vix_of_high": calm,
        "liquidity": liquidity,
    }
    return gauges, negative(zscore(depth)), stays(chance, view)


def stays(chance: list[bool], view: list[bool]) -> Flag:
    """Return a flag that is on for 63 sessions from the fifth consecutive chance on.

    New chances count only after these sessions.
    """
    out: Flag = [None if not there else False for there in view]
    i = 0
    while i < len(view):
        if i >= 4 and all(chance[i - 4 : i + 1]) and all(v is False for v in out[i - 4 : i + 1]):
            for j in range(i, min(i + 63, len(view))):
                if not view[j]:
                    break
                out[j] = True
        i += 1
    return out


REGIME_OF = {
    "too few views": None,
    "forced_selling": "FORCED_SELLING",
    "opportunity": "OPPORTUNITY",
    "absorption": "ABSORPTION",
    "half of the votes": "ABSORPTION",
    "injecting": "INJECTION",
    "none": "NEUTRAL",
}


def raw_rule(
    flags: dict[str, Flag], injects: Flag, voters: tuple[str, ...], min_views: int
) -> list[str]:
    """Return the rule that decides the regime of each session, before confirmation."""
    out: list[str] = []
    for i, injection in enumerate(injects):
        today = {name: flag[i] for name, flag in flags.items()}
        votes = [today[name] for name in voters if name in today and today[name] is not None]
        if len(votes) < min_views:
            out.append("too few views")
        elif today.get("forced_selling"):
            out.append("forced_selling")
        elif today.get("opportunity"):
            out.append("opportunity")
        elif today.get("absorption"):
            out.append("absorption")
        elif votes.count(True) >= len(votes) / 2:
            out.append("half of the votes")
        elif injection:
            out.append("injecting")
        else:
            out.append("none")
    return out


def raw_regime(
    flags: dict[str, Flag], injects: Flag, voters: tuple[str, ...], min_views: int
) -> list[str | None]:
    """Return the regime that the votes of each session give, before confirmation."""
    return [REGIME_OF[rule] for rule in raw_rule(flags, injects, voters, min_views)]


def decided_by(regime: list[str | None], rule: list[str]) -> list[str | None]:
    """Return the latest rule that gave the confirmed regime."""
    return [
        None
        if name is None
        else next(rule[j] for j in range(i, -1, -1) if REGIME_OF[rule[j]] == name)
        for i, name in enumerate(regime)
    ]


def confirmed(raw: list[str | None], confirm: int = 10, forced: int = 2) -> list[str | None]:
    """Return the confirmed regime: the latest that has held for enough consecutive sessions."""
    out: list[str | None] = []
    for i, name in enumerate(raw):
        if name is None:
            out.append(None)
            continue
        wanted = forced if name == "FORCED_SELLING" else confirm
        last = raw[max(0, i + 1 - wanted) : i + 1]
        if len(last) == wanted and all(n == name for n in last):
            out.append(name)
        else:
            out.append(out[-1] if out else None)
    return out


#: Signal name → its twin, from the panel to gauges, score and flag.
TWINS: dict[str, Callable[[Panel], tuple[Gauges, Column, Flag]]] = {
    "dry_powder": dry_powder,
    "funding": naive_funding.funding,
    "capex": capex,
    "outside_capital": naive_funding.outside_capital,
    "absorption": absorption,
    "bathtub": bathtub,
    "cost_of_capital": cost_of_capital,
    "crypto_probe": crypto_probe,
    "inverse_qe": market.inverse_qe,
    "duration": market.duration,
    "fading_momentum": market.fading_momentum,
    "policy": policy,
    "leverage": naive_funding.leverage,
    "forced_selling": market.forced_selling,
    "crypto_forced_selling": market.crypto_forced_selling,
    "convexity": convexity,
    "opportunity": opportunity,
}
