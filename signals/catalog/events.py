"""Series of dated events: releases, decisions, bond deals, and changes around announcements."""

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
    """Return a series of dated events. The panel never contains it, so it cannot become stale."""
    entry = (id, title, unit, low, high)
    return new_series(*entry, source="file", frequency="event", known=known, stale_after=1)


#: Companies with a series of earnings releases.
REPORTERS = (
    *("MSFT", "GOOGL", "AMZN", "META", "ORCL", "NVDA"),
    *("MU", "WDC", "SNDK", "AVGO", "STX", "DELL"),
)
#: Tickers of the issuers of dollar bonds, by their names in the imported table.
ISSUERS = {"Meta": "META", "Oracle": "ORCL", "Alphabet": "GOOGL", "Amazon": "AMZN"}
BOND_ISSUERS = tuple(ISSUERS.values())

#: Market changes in the 30 minutes around a central bank's announcement, and policy surprises
#: estimated from these changes. The publisher estimates the surprises on the full sample, and
#: publishes all of these series later. So the panel never contains them, and only tests of the
#: reaction to an event may use them.
_SURPRISES = (
    *(
        event(
            f"FED_{window}_{id}", f"{title}, 30 minutes around {what}", unit, -20, 20, WHEN_RECORDED
        )
        for window, what in (
            ("ST", "the FOMC statement"),
            ("PC", "the press conference"),
            ("ME", "the whole announcement"),
        )
        for id, title, unit in (
            ("UST2Y", "Treasury 2 years", POINTS),
            ("UST10Y", "Treasury 10 years", POINTS),
            ("SP500", "S&P 500", "%"),
        )
    ),
    *(
        event(id, title, POINTS, -5, 5, WHEN_RECORDED)
        for id, title in (
            ("MPS_ST", "Policy surprise of the statement, San Francisco Fed"),
            ("MPS_PC", "Policy surprise of the press conference, San Francisco Fed"),
            ("MPS_ME", "Policy surprise of the whole announcement, San Francisco Fed"),
            ("MPS_BS", "Policy surprise, Bauer–Swanson"),
            ("MPS_BS_ORTH", "Policy surprise, Bauer–Swanson, without past news"),
        )
    ),
    event("ECB_OIS2Y", "OIS 2 years, change around ECB", "basis points", -200, 200, WHEN_RECORDED),
    event("ECB_STOXX50", "STOXX 50, change around ECB decisions", "%", -20, 20, WHEN_RECORDED),
    event("ECB_MP", "Monetary policy shock, Jarociński–Karadi", "index", -5, 5, WHEN_RECORDED),
    event("ECB_CBI", "Information shock, Jarociński–Karadi", "index", -5, 5, WHEN_RECORDED),
)

EVENTS = (
    # Value: 1 if the company releases after the close, 0 if it releases before the open.
    *(
        event(
            *(f"EARNINGS_{ticker}", f"Earnings release, {ticker}", "after close", 0, 1),
            STATED_NEXT_DAY,
        )
        for ticker in REPORTERS
    ),
    # Value: 1 for a scheduled meeting, 0 for an unscheduled statement.
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
