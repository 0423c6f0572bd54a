"""Twins of the signals on the price of reserves, on who pays for spending, and on margin debt.

They are plain loops, written from the definitions, as in :mod:`tests.reference.naive`.
"""

from tests.reference.columns import (
    Column,
    Flag,
    Gauges,
    Panel,
    above,
    below,
    combined,
    complete,
    growth,
    negative,
    zscore,
)

FIRMS = ("MSFT", "GOOGL", "AMZN", "META", "ORCL")


def funding(panel: Panel, window: int = 21) -> tuple[Gauges, Column, Flag]:
    """Return gauges, score and flag of the price of reserves."""
    paid = [
        old if new is None else new for new, old in zip(panel["IORB"], panel["IOER"], strict=True)
    ]
    sofr, fed_funds = (_spread(panel[rate], paid) for rate in ("SOFR", "EFFR"))
    up: Column = [None if s is None else (100.0 if s > 0 else 0.0) for s in sofr]
    window_lending = [None if v is None else v / 1000 for v in panel["WLCFLPCL"]]
    means = {
        "mean_sofr_spread": _mean(sofr, window),
        "mean_fed_funds_spread": _mean(fed_funds, window),
    }
    made = combined({name: zscore(x) for name, x in means.items()})
    share = _mean(up, window)
    gauges: Gauges = {
        "scarce_days": share,
        "sofr_spread": sofr,
        "fed_funds_spread": fed_funds,
        **means,
        "standing_repo": _mean(panel["SRF"], window),
        "discount_window": _mean(window_lending, window),
        "without": made.without,
    }
    return gauges, made.score, above(share, 50.0, 25.0)


def _spread(rate: Column, paid: Column) -> Column:
    """Return ``rate`` minus ``paid`` in basis points, rounded to four decimals."""
    return [
        None if r is None or p is None else round(100 * (r - p), 4)
        for r, p in zip(rate, paid, strict=True)
    ]


def _mean(x: Column, window: int) -> Column:
    """Return the mean of a window. Its last session and at least half of all need a value."""
    out: Column = []
    for i, now in enumerate(x):
        seen = [v for v in x[max(0, i + 1 - window) : i + 1] if v is not None]
        out.append(None if now is None or 2 * len(seen) < window else sum(seen) / len(seen))
    return out


def outside_capital(
    panel: Panel, minimum: int = 4, least_growth: float = 10.0
) -> tuple[Gauges, Column, Flag]:
    """Return gauges, score and flag of who pays for the spending."""
    names = ("gap", "marginal", "from_payouts", "raised", "reporting")
    gauges: Panel = {name: [] for name in (*names, "debt", "leases", "buybacks", "firms")}
    for i in range(len(panel["CAPEX_TTM_MSFT"])):

        def all_of(concept: str, i: int = i) -> list[float | None]:
            return [panel[f"{concept}_{firm}"][i] for firm in FIRMS]

        capex, cash, buys = (all_of(f"{flow}_TTM") for flow in ("CAPEX", "OCF", "BUYBACKS"))
        before = [all_of(f"{flow}_TTM_YEAR_AGO") for flow in ("CAPEX", "OCF", "BUYBACKS")]
        debt, leases = all_of("DEBT_ISSUED_TTM"), all_of("LEASES_TTM")

        pairs = _there(capex, cash)
        spent = sum(a for a, _ in pairs)
        enough = len(pairs) >= minimum and spent > 0
        gauges["gap"].append(100 * (spent - sum(o for _, o in pairs)) / spent if enough else None)
        gauges["firms"].append(float(len(pairs)))

        years = _there(capex, before[0], cash, before[1])
        added = _added(years, minimum, least_growth)
        earned = sum(row[2] - row[3] for row in years)
        gauges["marginal"].append(None if added is None else 100 * (added - earned) / added)

        paid = _there(capex, before[0], cash, before[1], buys, before[2])
        added = _added(paid, minimum, least_growth)
        saved = sum(row[5] - row[4] for row in paid)
        gauges["from_payouts"].append(None if added is None else 100 * saved / added)

        taken: list[float | None] = [0.0 if v is None else v for v in leases]
        rows = _there(capex, debt, taken, buys)
        spent = sum(row[0] for row in rows)
        net = sum(d + l_ - b for _, d, l_, b in rows)
        gauges["raised"].append(100 * net / spent if spent > 0 else None)
        gauges["reporting"].append(float(len(rows)))
        for name, flow in (("debt", debt), ("leases", leases), ("buybacks", buys)):
            known = [v for v in flow if v is not None]
            gauges[name].append(sum(known) / 1e9 if known else None)
    return gauges, zscore(gauges["gap"]), above(gauges["gap"], 0.0, -10.0)


def _there(*amounts: list[float | None]) -> list[tuple[float, ...]]:
    """Return one tuple of amounts for each firm that has all of these amounts."""
    rows = (complete(row) for row in zip(*amounts, strict=True))
    return [row for row in rows if row is not None]


def _added(rows: list[tuple[float, ...]], minimum: int, least: float) -> float | None:
    """Return the growth of spending: first minus second amounts; None if it is too small."""
    now, then = sum(row[0] for row in rows), sum(row[1] for row in rows)
    return now - then if len(rows) >= minimum and now - then > least / 100 * then else None


def leverage(panel: Panel, horizon: int = 252) -> tuple[Gauges, Column, Flag]:
    """Return gauges, score and flag of margin debt."""
    debt = panel["MARGIN_DEBT"]
    grown: Column = [None if g is None else 100 * g for g in growth(debt, horizon)]
    gauges = {
        "growth": grown,
        "margin_debt": [None if d is None else d / 1000 for d in debt],  # millions to billions
        "free_credit": [
            None if f is None or d is None else 100 * f / d
            for f, d in zip(panel["FREE_CREDIT"], debt, strict=True)
        ],
    }
    return gauges, negative(zscore(grown)), below(grown, 0.0, 5.0)
