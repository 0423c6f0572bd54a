"""The signals once more, as plain loops over rows: slow, literal, and free of pandas.

Written from the definitions, to hold the fast versions to. A column is a list with one value a
session, None where there is no view; a flag is a list of True, False and None.
"""

import math

Column = list[float | None]
Flag = list[bool | None]
Panel = dict[str, Column]
Gauges = dict[str, Column | list[str | None]]

WINDOW = 1260
MINIMUM = 252
CONFIRM = 5


def zscore(x: Column, window: int = WINDOW, minimum: int = MINIMUM) -> Column:
    """Return (x − mean) / standard deviation over the window that ends at each session."""
    out: Column = []
    for i, value in enumerate(x):
        seen = [v for v in x[max(0, i + 1 - window) : i + 1] if v is not None]
        if value is None or len(seen) < minimum or min(seen) == max(seen):
            out.append(None)
            continue
        mean = math.fsum(seen) / len(seen)
        variance = math.fsum([(v - mean) * (v - mean) for v in seen]) / (len(seen) - 1)
        out.append((value - mean) / math.sqrt(variance) if variance > 0 else None)
    return out


def composite(parts: list[Column]) -> Column:
    """Return z of the mean of the parts that have a view, each within ±3, if half of them have."""
    means: Column = []
    for row in zip(*parts, strict=True):
        seen = [max(-3.0, min(3.0, v)) for v in row if v is not None]
        means.append(math.fsum(seen) / len(seen) if seen and len(seen) >= len(row) / 2 else None)
    return zscore(means)


def change(x: Column, n: int) -> Column:
    """Return the change over n sessions."""
    return [None if i < n else minus(x[i], x[i - n]) for i in range(len(x))]


def growth(x: Column, n: int) -> Column:
    """Return the relative change over n sessions."""
    out: Column = []
    for i, now in enumerate(x):
        then = x[i - n] if i >= n else None
        out.append(None if now is None or then is None else now / then - 1)
    return out


def minus(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b


def plus(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a + b


def hundredths(x: Column) -> Column:
    """Return the values in whole basis points, as yields are quoted."""
    return [None if v is None else round(v, 2) for v in x]


def negative(x: Column) -> Column:
    return [None if v is None else -v for v in x]


def latched(
    enter: list[bool], leave: list[bool], view: list[bool], confirm: int, confirm_leave: int = 0
) -> Flag:
    """Return a flag that turns when its condition has held ``confirm`` sessions in a row.

    Turning off takes ``confirm_leave`` sessions where that is given.
    """
    out: Flag = []
    on = False
    streak = 0
    for entering, leaving, there in zip(enter, leave, view, strict=True):
        if not there:
            on, streak = False, 0
            out.append(None)
            continue
        wants_to_turn = leaving if on else entering
        streak = streak + 1 if wants_to_turn else 0
        if streak == (confirm_leave if on and confirm_leave else confirm):
            on, streak = not on, 0
        out.append(on)
    return out


def above(x: Column, enter: float, leave: float, confirm: int = CONFIRM) -> Flag:
    """Return a flag that is on above ``enter`` and off again below ``leave``."""
    return latched(
        [v is not None and v > enter for v in x],
        [v is not None and v < leave for v in x],
        [v is not None for v in x],
        confirm,
    )


def below(x: Column, enter: float, leave: float, confirm: int = CONFIRM) -> Flag:
    """Return a flag that is on below ``enter`` and off again above ``leave``."""
    return above(negative(x), -enter, -leave, confirm)


def dry_powder(panel: Panel, k: float = 0.09) -> tuple[Gauges, Column, Flag]:
    """Return gauges, score and flag of idle capital."""
    share: Column = []
    idle: Column = []
    excess: Column = []
    for rrp, reserves, gdp in zip(panel["RRPONTSYD"], panel["WRESBAL"], panel["GDP"], strict=True):
        over = None
        if reserves is not None and gdp is not None:
            over = max(0.0, reserves / 1000 - k * gdp)  # millions to billions
        stock = None if over is None or rrp is None else rrp + over
        excess.append(over)
        idle.append(stock)
        share.append(None if stock is None else 100 * stock / gdp)
    gauges = {
        "share": share,
        "idle": idle,
        "reverse_repo": list(panel["RRPONTSYD"]),
        "excess_reserves": excess,
    }
    return gauges, negative(zscore(share)), below(share, 1.0, 2.0)


def capex(
    panel: Panel,
    firms: tuple[str, ...] = ("MSFT", "GOOGL", "AMZN", "META", "ORCL"),
    minimum: int = 4,
) -> tuple[Gauges, Column, Flag]:
    """Return gauges, score and flag of capital expenditure."""
    gauges: Gauges = {"impulse": [], "level": [], "share": [], "firms": []}
    for i, gdp in enumerate(panel["GDP"]):
        now = [panel[f"CAPEX_TTM_{firm}"][i] for firm in firms]
        then = [panel[f"CAPEX_TTM_YEAR_AGO_{firm}"][i] for firm in firms]
        pairs = [(a, b) for a, b in zip(now, then, strict=True) if None not in (a, b)]
        impulse = None
        if len(pairs) >= minimum:
            impulse = (sum(a for a, _ in pairs) / sum(b for _, b in pairs) - 1) * 100
        level = None if None in now else sum(now) / 1e9  # USD to billions
        gauges["impulse"].append(impulse)
        gauges["level"].append(level)
        gauges["share"].append(None if level is None or gdp is None else level / gdp * 100)
        gauges["firms"].append(float(len(pairs)))
    return gauges, zscore(gauges["impulse"]), above(gauges["impulse"], 20.0, 10.0)


def _absorption_rows(panel: Panel) -> tuple[Gauges, list[tuple[float, float, float] | None]]:
    """Return the gauges, and (u, impulse, idle share) for the sessions that have all three."""
    spending, _, _ = capex(panel)
    powder, _, _ = dry_powder(panel)
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
    }
    triples = [
        None if None in row else row
        for row in zip(u, spending["impulse"], powder["share"], strict=True)
    ]
    return gauges, triples


def absorption(panel: Panel) -> tuple[Gauges, Column, Flag]:
    """Return gauges, score and the absorbing flag."""
    gauges, triples = _absorption_rows(panel)
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
    """Return whether capital spending still injects."""
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


def cost_of_capital(panel: Panel) -> tuple[Gauges, Column, Flag]:
    """Return gauges, score and flag of the cost of capital."""
    treasury, spread = (
        hundredths(change(panel["DGS10"], 63)),
        hundredths(change(panel["BAA10Y"], 63)),
    )
    credit = hundredths([plus(t, s) for t, s in zip(treasury, spread, strict=True)])
    rises = list(zip(treasury, spread, credit, strict=True))
    parts = {
        "z_real_yield": zscore(panel["DFII10"]),
        "z_term_premium": zscore(panel["THREEFYTP10"]),
        "z_spread": zscore(panel["BAA10Y"]),
    }
    gauges: Gauges = {
        "credit": credit,
        "treasury": treasury,
        "spread": spread,
        "credit_yield": [plus(t, s) for t, s in zip(panel["DGS10"], panel["BAA10Y"], strict=True)],
        "quadrant": [_quadrant(t, s) for t, s, _ in rises],
        **parts,
    }
    flag = latched(
        [None not in row and row[0] > 0.10 and row[2] > 0.10 for row in rises],
        [None not in row and (row[0] < 0 or row[2] < 0) for row in rises],
        [None not in row for row in rises],
        CONFIRM,
    )
    return gauges, composite(list(parts.values())), flag


def _quadrant(treasury: float | None, spread: float | None) -> str | None:
    if treasury is None or spread is None:
        return None
    if treasury > 0:
        return "scarcity" if spread > 0 else "growth"
    return "risk-off" if spread > 0 else "easing"


def crypto_probe(panel: Panel) -> tuple[Gauges, Column, Flag]:
    """Return gauges, score and flag of bitcoin as a probe.

    Of what moves together both closes are those of the session before, the newest of a shared
    date that are known.
    """
    yesterday = [None, *panel["SPY"][:-1]]
    bitcoin = growth(panel["BTC-USD@session"], 63)
    strength = [
        None if b is None or s is None else 100 * (b - s)
        for b, s in zip(bitcoin, growth(yesterday, 63), strict=True)
    ]
    fall, spy_fall = drawdown(panel["BTC-USD"], 252), drawdown(panel["SPY"], 252)
    rows = list(zip(fall, strength, spy_fall, strict=True))
    view = [None not in row for row in rows]
    warns = [
        there and row[0] < -20 and row[1] < 0 and row[2] > -10
        for there, row in zip(view, rows, strict=True)
    ]
    flag = latched(warns, [not w for w in warns], view, CONFIRM, 10)
    score = composite([zscore(negative(fall)), zscore(negative(strength))])
    return {"drawdown": fall, "strength": strength, "spy_drawdown": spy_fall}, score, flag


def drawdown(x: Column, window: int) -> Column:
    """Return the fall from the highest of a full window of values, %."""
    out: Column = []
    for i in range(len(x)):
        seen = x[max(0, i + 1 - window) : i + 1]
        full = len(seen) == window and None not in seen
        out.append(100 * (x[i] / max(seen) - 1) if full else None)
    return out


def raw_regime(
    flags: dict[str, Flag], injects: Flag, voters: tuple[str, ...], min_views: int
) -> list[str | None]:
    """Return the regime that each session's votes speak for, before confirmation."""
    out: list[str | None] = []
    for i, injection in enumerate(injects):
        today = {name: flag[i] for name, flag in flags.items()}
        votes = [today[name] for name in voters if name in today and today[name] is not None]
        if len(votes) < min_views:
            out.append(None)
        elif today.get("forced_selling"):
            out.append("FORCED_SELLING")
        elif today.get("opportunity"):
            out.append("OPPORTUNITY")
        elif today.get("absorption") or votes.count(True) >= len(votes) / 2:
            out.append("ABSORPTION")
        elif injection:
            out.append("INJECTION")
        else:
            out.append("NEUTRAL")
    return out


def confirmed(raw: list[str | None], confirm: int = 10, forced: int = 2) -> list[str | None]:
    """Return the regime that stands: the newest that was spoken for so many sessions in a row."""
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
TWINS = {
    "dry_powder": dry_powder,
    "capex": capex,
    "absorption": absorption,
    "bathtub": bathtub,
    "cost_of_capital": cost_of_capital,
    "crypto_probe": crypto_probe,
}
