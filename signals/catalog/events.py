"""Series of dated events: releases, decisions, bond deals, and market changes at announcements."""

from signals.catalog.companies import HYPERSCALERS
from signals.catalog.entry import (
    AT_CLOSE,
    POINTS,
    STATED_NEXT_DAY,
    WHEN_RECORDED,
    Rule,
    Series,
    new_series,
)


def event(id: str, title: str, unit: str, low: float, high: float, known: Rule) -> Series:
    """Return a series of dated events.

    The panel never contains an event series, so an event series cannot become stale.
    """
    entry = (id, title, unit, low, high)
    return new_series(*entry, source="file", frequency="event", known=known, stale_after=1)


#: Tickers of the companies with a series of earnings releases.
REPORTERS = (
    *HYPERSCALERS,
    *("NVDA", "MU", "WDC", "SNDK", "AVGO", "STX", "DELL"),
)
#: The imported table of dollar bonds names the issuers. This mapping gives the ticker for each
#: name.
ISSUERS = {"Meta": "META", "Oracle": "ORCL", "Alphabet": "GOOGL", "Amazon": "AMZN"}
BOND_ISSUERS = tuple(ISSUERS.values())

#: Market changes around a central bank's announcement, and policy surprises estimated from these
#: changes. The publisher estimates the policy surprises from the full sample. All series of
#: ``_SURPRISES`` are published after the events, so the panel never contains a series of
#: ``_SURPRISES``. Only tests of the reaction to an event may use the series of ``_SURPRISES``.
_SURPRISES = (
    *(
        event(
            f"FED_{window}_{id}",
            f"Change of the {title} in {what}",
            unit,
            -20,
            20,
            WHEN_RECORDED,
        )
        for window, what in (
            ("ST", "the 30 minutes around the FOMC statement"),
            ("PC", "the 70 minutes around the press conference"),
            ("ME", "the time around the statement and the press conference"),
        )
        for id, title, unit in (
            ("UST2Y", "2-year Treasury yield", POINTS),
            ("UST10Y", "10-year Treasury yield", POINTS),
            ("SP500", "S&P 500", "%"),
        )
    ),
    *(
        event(id, title, POINTS, -5, 5, WHEN_RECORDED)
        for id, title in (
            ("MPS_ST", "Policy surprise in the FOMC statement (San Francisco Fed estimate)"),
            ("MPS_PC", "Policy surprise in the press conference (San Francisco Fed estimate)"),
            ("MPS_ME", "Policy surprise in the whole announcement (San Francisco Fed estimate)"),
            ("MPS_BS", "Policy surprise (Bauer–Swanson estimate)"),
            ("MPS_BS_ORTH", "Policy surprise not explained by past news (Bauer–Swanson estimate)"),
        )
    ),
    event(
        "ECB_OIS2Y",
        "Change of the 2-year OIS rate around ECB decisions",
        "basis points",
        -200,
        200,
        WHEN_RECORDED,
    ),
    event(
        "ECB_STOXX50", "Change of the STOXX 50 around ECB decisions", "%", -20, 20, WHEN_RECORDED
    ),
    event("ECB_MP", "Monetary policy shock, Jarociński–Karadi", "index", -5, 5, WHEN_RECORDED),
    event("ECB_CBI", "Information shock, Jarociński–Karadi", "index", -5, 5, WHEN_RECORDED),
)

EVENTS = (
    # The value is 0 for a release before the open, and 1 for any other release.
    *(
        event(
            *(f"EARNINGS_{ticker}", f"Earnings release, {ticker}", "after close", 0, 1),
            STATED_NEXT_DAY,
        )
        for ticker in REPORTERS
    ),
    # The value is 1 for a scheduled meeting, and 0 for an unscheduled statement.
    event("FOMC", "FOMC statement", "scheduled", 0, 1, AT_CLOSE),
    *(
        event(f"BOND_DEAL_{ticker}", f"Dollar bonds of {ticker}", "USD", 1e8, 1e12, AT_CLOSE)
        for ticker in BOND_ISSUERS
    ),
    *(
        event(f"DECISION_{rate}", f"Board decision, {rate}", "%", -2, 25, AT_CLOSE)
        for rate in ("IOER", "IORB", "SRF_MINIMUM_BID")
    ),
    *_SURPRISES,
)
