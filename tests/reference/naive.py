"""The signals once more, as plain loops over rows: slow, literal, and free of pandas.

Written from the definitions, to hold the fast versions to. A column is a list with one value a
session, None where there is no view; a flag is a list of True, False and None.
"""

import math

Column = list[float | None]
Flag = list[bool | None]
Panel = dict[str, Column]

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
        variance = math.fsum((v - mean) ** 2 for v in seen) / (len(seen) - 1)
        out.append((value - mean) / math.sqrt(variance) if variance > 0 else None)
    return out


def latched(enter: list[bool], leave: list[bool], view: list[bool], confirm: int) -> Flag:
    """Return a flag that turns when its condition has held ``confirm`` sessions in a row."""
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
        if streak == confirm:
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
    return above([None if v is None else -v for v in x], -enter, -leave, confirm)


def dry_powder(panel: Panel, k: float = 0.09) -> tuple[Panel, Column, Flag]:
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
    score = [None if z is None else -z for z in zscore(share)]
    return gauges, score, below(share, 1.0, 2.0)


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


def _absorption_rows(panel: Panel) -> tuple[Panel, list[tuple[float, float, float] | None]]:
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


def absorption(panel: Panel) -> tuple[Panel, Column, Flag]:
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
TWINS = {"dry_powder": dry_powder, "capex": capex, "absorption": absorption}
