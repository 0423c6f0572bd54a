"""Series of FRED. To add a series, add one line to ``FRED``."""

from datetime import date
from typing import Any

from signals.catalog.entry import (
    BILLIONS,
    H8,
    H41,
    MILLIONS,
    POINTS,
    WHEN_RECORDED,
    Series,
    daily,
    monthly,
    quarterly,
    weekly,
)

# FRED dates a week by its last day, and a month and a quarter by its first day. A daily series has
# dates from Monday to Friday. There are two exceptions: a rate that a central bank sets has a value
# on every day, and the credit spreads of ICE also have a value on the last day of each month.
_RELEASED_WEEKLY: dict[str, Any] = {"sessions": 7, "stale_after": 24, "revised": True}
_ANY_DAY: dict[str, Any] = {"dates": "any day"}
_INDEX: dict[str, Any] = {"known": WHEN_RECORDED, "dates": "Friday"}
_MONEY: dict[str, Any] = {"frequency": "week", "dates": "Monday"}


def _h41(id: str, title: str, low: float, high: float, **rest: Any) -> Series:
    return weekly(id, title, MILLIONS, low, high, known=H41, dates="Wednesday", **rest)


def _accounts(id: str, title: str, low: float, high: float, **rest: Any) -> Series:
    return quarterly(id, title, "USD billions, annual rate", low, high, days=180, **rest)


FRED = (
    # The Federal Reserve's balance sheet, H.4.1. The series of H.4.1 are in millions, so their
    # ranges reject values in billions. For example, the largest value of WTREGEN in billions is
    # 1,817, which is below the lower limit. Only the ranges of WDTGAL and WLCFLPCL also accept
    # values in billions.
    _h41("WALCL", "Fed total assets, Wednesday level", 5e5, 3e7, steady=True),
    # WTREGEN is read from 2002-12-18 on, the first date of WALCL.
    _h41("WTREGEN", "Treasury General Account, week average", 2.1e3, 5e6, first=date(2002, 12, 18)),
    # WRESBAL is read from 2008-10 on. Before that month, the Fed paid no interest on reserves and
    # kept reserves scarce.
    _h41("WRESBAL", "Reserve balances, week average", 1e4, 2e7, first=date(2008, 10, 1)),
    _h41("TREAST", "Treasuries held by the Fed, Wednesday level", 3e5, 2e7, steady=True),
    _h41("WDTGAL", "Treasury General Account, Wednesday level", 1e3, 5e6),
    _h41("WLCFLPCL", "Discount window, primary credit, Wednesday level", 0, 1e6),
    weekly(
        "TLAACBW027SBOG",
        "Total assets, all commercial banks",
        BILLIONS,
        1e2,  # about 700 in 1973
        1e5,
        known=H8,
        dates="Wednesday",
        revised=True,
        steady=True,
    ),
    weekly(
        "TOTBKCR",
        "Credit of all commercial banks",
        BILLIONS,
        1e2,
        1e5,
        known=H8,
        dates="Wednesday",
        revised=True,
        steady=True,
    ),
    daily(
        "RRPONTSYD",
        "Overnight reverse repo, Treasury collateral",
        BILLIONS,
        0,
        1e4,
        first=date(2013, 9, 23),  # earlier operations were sporadic tests
    ),
    # Money market and Treasury yields. The New York Fed publishes SOFR and EFFR on its next
    # business day. A federal holiday delays SOFR and EFFR, but no other rate or yield of this
    # group. Reverse repo and Treasury yields are published on the day that they describe. The Board
    # of the Fed announces its rates in advance. On Friday, FRED already has IORB up to Monday.
    daily("SOFR", "Secured Overnight Financing Rate", "%", -2, 25, fed=True),
    daily("EFFR", "Effective federal funds rate", "%", -2, 25, fed=True),
    # The Fed paid the rate IOER until 2021-07-28, and has paid the rate IORB since 2021-07-29.
    daily("IOER", "Interest on excess reserves", "%", -2, 25, ended=date(2021, 7, 28), **_ANY_DAY),
    daily("IORB", "Interest on reserve balances", "%", -2, 25, announced=True, **_ANY_DAY),
    daily("DFEDTARU", "Fed funds target, upper limit", "%", -2, 25, announced=True, **_ANY_DAY),
    daily("DGS3MO", "3-month Treasury yield, bond-equivalent", "%", -2, 25),
    daily("DTB3", "3-month Treasury bill, discount rate", "%", -2, 25),
    daily("DGS2", "2-year Treasury yield", "%", -2, 25),
    daily("DGS10", "10-year Treasury yield", "%", -2, 25),
    daily("DGS30", "30-year Treasury yield", "%", -2, 25),
    daily("DFII10", "10-year inflation-indexed Treasury yield", "%", -5, 15),
    daily("T10YIE", "10-year breakeven inflation", "%", -5, 15),
    daily("T10Y2Y", "10-year minus 2-year Treasury yield", POINTS, -10, 10),
    daily("T10Y3M", "10-year minus 3-month Treasury yield", POINTS, -10, 10),
    # The publisher of the term premium re-estimates its model, and releases daily values once a
    # week.
    daily("THREEFYTP10", "10-year term premium, Kim–Wright", "%", -5, 10, **_RELEASED_WEEKLY),
    # Credit and volatility. FRED publishes credit spreads only on its business days.
    daily("BAA10Y", "Baa yield minus 10-year Treasury yield", POINTS, 0, 25, sessions=2, fed=True),
    daily("BAMLH0A0HYM2", "ICE BofA US high yield spread", POINTS, 0, 50, fed=True, **_ANY_DAY),
    daily("BAMLC0A0CM", "ICE BofA US corporate spread", POINTS, 0, 25, fed=True, **_ANY_DAY),
    daily("VIXCLS", "VIX, from FRED", "index", 1, 200),
    daily("DTWEXBGS", "Broad dollar index", "index", 20, 400, **_RELEASED_WEEKLY),
    # Financial conditions. Each release of an index changes all past values of the index.
    weekly("NFCI", "Chicago Fed financial conditions", "index", -10, 20, **_INDEX),
    weekly("ANFCI", "Chicago Fed adjusted conditions", "index", -10, 20, **_INDEX),
    weekly("STLFSI4", "St. Louis Fed financial stress", "index", -10, 20, **_INDEX),
    # Money, interest rates, output, investment. The ranges contain all values since each series
    # began. The ranges of M2, GDP and PNFI reject values in trillions. If a series of this group is
    # in USD billions, its range rejects current values in USD millions. WM2NS has been released
    # monthly since 2021.
    monthly("M2SL", "M2, seasonally adjusted", BILLIONS, 1e2, 1e5, steady=True),
    monthly("WM2NS", "M2, not seasonally adjusted", BILLIONS, 1e2, 1e5, steady=True, **_MONEY),
    monthly("FEDFUNDS", "Effective federal funds rate, month average", "%", -2, 25, days=45),
    monthly("TB3MS", "3-month Treasury bill, month average", "%", -2, 25, days=45),
    _accounts("GDP", "Gross domestic product", 1e2, 2e5, steady=True),
    _accounts("PNFI", "Private nonresidential fixed investment", 1e1, 5e4, steady=True),
    _accounts("A679RC1Q027SBEA", "Investment in information processing", 0.1, 2e4, steady=True),
    _accounts("B985RC1Q027SBEA", "Investment in software", 0, 2e4),  # 0.0 in 1959
    quarterly(
        *("DRTSCILM", "Net share of banks that tighten lending to firms", "%", -100, 100), days=75
    ),
    # Retail money funds appear in the H.6 release on the fourth Tuesday of the next month.
    monthly("WRMFNS", "Retail money market funds", BILLIONS, 1, 1e5, **_MONEY),
    # Overnight repo with Treasury collateral. On days without data, FRED repeats the last value.
    daily("RPONTSYD", "Fed overnight repo, Treasury collateral", BILLIONS, 0, 1e3),
    daily("ECBDFR", "ECB deposit facility rate", "%", -5, 25, announced=True, **_ANY_DAY),
)
