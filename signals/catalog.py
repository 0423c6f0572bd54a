"""The catalog: unit, publication rule and plausible range of every series.

The catalog has one entry for each series. It says in which unit a series is stored, when a value is
first known and which values are plausible. It also says how old the last value may be before it
counts as missing. Publication rules follow the publishers' calendars. Times are New York times.

Price series are defined in :mod:`signals.universe`. The publication rule for an asset's prices
depends on the asset's market.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from signals.errors import MissingSeries, unknown

Frequency = Literal["day", "week", "month", "quarter", "year", "event"]
RuleKind = Literal[
    "close",
    "sessions",
    "fed_sessions",
    "h41",
    "days",
    "midnight_utc",
    "filed",
    "stated",
    "recorded",
]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """The moment at which a value that describes a date is first known.

    Attributes
    ----------
    kind
        ``close``: at that date's New York close. ``sessions``: at the open of the n-th NYSE session
        after the date. ``fed_sessions``: like ``sessions``, but n counts only sessions on which the
        Federal Reserve Banks are open. On Columbus Day and Veterans Day, the New York exchanges are
        open, but the New York Fed and FRED publish nothing. ``h41``: with the Federal Reserve's
        H.4.1 release, at 16:30 on the next Thursday, or on Friday if that Thursday is a federal
        holiday. ``days``: n calendar days after the date. ``midnight_utc``: when the UTC day ends,
        at 19:00 or 20:00 in New York. ``filed``: at the session after the filing. ``stated``: the
        table states a day for each value, and the value is known when the first session on or after
        this day opens. Where the table states no day, the day is n calendar days after the date.
        ``recorded``: when the store recorded the value, for series whose whole past changes with
        each release.
    n
        Number of sessions or calendar days, for rules that count sessions or days.
    """

    kind: RuleKind
    n: int = 0

    def __str__(self) -> str:
        """Return the rule in a few words, for tables."""
        return {
            "close": "same close",
            "sessions": f"{self.n} session{'s' if self.n > 1 else ''} later",
            "fed_sessions": f"{self.n} session{'s' if self.n > 1 else ''} later, the Fed open",
            "h41": "Thursday 16:30 after",
            "days": f"{self.n} days later",
            "midnight_utc": "24:00 UTC",
            "filed": "session after filing",
            "stated": f"stated, else {self.n} day{'s' if self.n > 1 else ''} later",
            "recorded": "from when recorded",
        }[self.kind]


@dataclass(frozen=True, kw_only=True)
class Series:
    """One series of the catalog.

    Attributes
    ----------
    id
        The publisher's id, or our own id for a derived series.
    title, unit
        The publisher's title, and the unit of the stored values.
    source
        ``fred``, ``sec``, ``nyfed`` for the New York Fed, or ``file`` for a table that a user
        imports.
    frequency
        Period that a value describes. The values of an ``event`` series lie on the dates of events.
    known
        The publication rule.
    revised
        True when the publisher changes past values.
    low, high
        The plausible range, inclusive. The range contains every value that the publisher ever
        published for dates since ``first``. An import rejects a file with a value outside the
        range, because the file is probably in another unit.
    stale_after
        Number of calendar days for which a value is used, counted from the date that the value
        describes. An older value counts as missing.
    first
        First date whose values are read. Every import skips values of earlier dates. None when an
        import reads all values.
    steady
        True for a level that never changes fivefold from one date to the next. An import rejects a
        file with such a change, because a decimal point is probably wrong. The plausible range is
        too wide to find such an error.
    """

    id: str
    title: str
    unit: str
    frequency: Frequency
    known: Rule
    low: float
    high: float
    stale_after: int
    source: Literal["fred", "sec", "nyfed", "file"] = "fred"
    revised: bool = False
    first: date | None = None
    steady: bool = False


AT_CLOSE = Rule(kind="close")
NEXT_SESSION = Rule(kind="sessions", n=1)
H41 = Rule(kind="h41")
UTC_MIDNIGHT = Rule(kind="midnight_utc")
FILED = Rule(kind="filed")
WHEN_RECORDED = Rule(kind="recorded")
#: An event that the table dates; a release before the open of its date is known on that date.
STATED_NEXT_DAY = Rule(kind="stated", n=1)
#: H.8 appears nine days after its Wednesday, on Friday at 16:15. So it is known on Monday.
H8 = Rule(kind="days", n=12)


def _series(id: str, title: str, unit: str, low: float, high: float, **rest: Any) -> Series:
    return Series(id=id, title=title, unit=unit, low=low, high=high, **rest)


def _daily(
    *entry: Any, sessions: int = 1, stale_after: int = 10, fed: bool = False, **rest: Any
) -> Series:
    known = Rule(kind="fed_sessions" if fed else "sessions", n=sessions)
    return _series(*entry, frequency="day", known=known, stale_after=stale_after, **rest)


def _weekly(*entry: Any, known: Rule, revised: bool | None = None, **rest: Any) -> Series:
    changes = known == WHEN_RECORDED if revised is None else revised
    return _series(*entry, frequency="week", known=known, stale_after=21, revised=changes, **rest)


def _monthly(*entry: Any, days: int = 60, frequency: Frequency = "month", **rest: Any) -> Series:
    known = Rule(kind="days", n=days)
    return _series(*entry, frequency=frequency, known=known, stale_after=130, revised=True, **rest)


def _quarterly(*entry: Any, days: int, **rest: Any) -> Series:
    known = Rule(kind="days", n=days)
    return _series(*entry, frequency="quarter", known=known, stale_after=365, revised=True, **rest)


def _h41(id: str, title: str, low: float, high: float, **rest: Any) -> Series:
    return _weekly(id, title, _MILLIONS, low, high, known=H41, **rest)


def _accounts(id: str, title: str, low: float, high: float, **rest: Any) -> Series:
    return _quarterly(id, title, "USD billions, annual rate", low, high, days=180, **rest)


_MILLIONS = "USD millions"
_BILLIONS = "USD billions"
_POINTS = "percentage points"
_RELEASED_WEEKLY: dict[str, Any] = {"sessions": 7, "stale_after": 24, "revised": True}

_FRED = (
    # The Federal Reserve's balance sheet, H.4.1. The ranges reject values in billions: the largest
    # value of WTREGEN, if given in billions, was 1,817.
    _h41("WALCL", "Fed total assets, Wednesday level", 5e5, 3e7, steady=True),
    # Values of WTREGEN are read from the first date of WALCL on.
    _h41("WTREGEN", "Treasury General Account, week average", 2.1e3, 5e6, first=date(2002, 12, 18)),
    # The Fed kept reserves scarce before it paid interest on them.
    _h41("WRESBAL", "Reserve balances, week average", 1e4, 2e7, first=date(2008, 10, 1)),
    _h41("TREAST", "Treasuries held by the Fed, Wednesday level", 3e5, 2e7, steady=True),
    _h41("WDTGAL", "Treasury General Account, Wednesday level", 1e3, 5e6),
    _h41("WLCFLPCL", "Discount window, primary credit, Wednesday level", 0, 1e6),
    _weekly(
        "TLAACBW027SBOG",
        "Total assets, all commercial banks",
        _BILLIONS,
        1e2,  # about 700 in 1973
        1e5,
        known=H8,
        revised=True,
        steady=True,
    ),
    _weekly(
        "TOTBKCR",
        "Credit of all commercial banks",
        _BILLIONS,
        1e2,
        1e5,
        known=H8,
        revised=True,
        steady=True,
    ),
    _daily(
        "RRPONTSYD",
        "Overnight reverse repo, Treasury collateral",
        _BILLIONS,
        0,
        1e4,
        first=date(2013, 9, 23),  # earlier operations were sporadic tests
    ),
    # Money market and Treasury yields. The New York Fed publishes SOFR and EFFR on the next day on
    # which it is open. No holiday delays the other series: reverse repo and Treasury yields appear
    # on the day that they describe, and the Board announces its rates in advance.
    _daily("SOFR", "Secured Overnight Financing Rate", "%", -2, 25, fed=True),
    _daily("EFFR", "Effective federal funds rate", "%", -2, 25, fed=True),
    # Until 2021-07-28 the Board paid IOER; IORB took its place on the next day.
    _daily("IOER", "Interest on excess reserves", "%", -2, 25),
    _daily("IORB", "Interest on reserve balances", "%", -2, 25),
    _daily("DFEDTARU", "Fed funds target, upper limit", "%", -2, 25),
    _daily("DGS3MO", "Treasury 3 months, bond-equivalent", "%", -2, 25),
    _daily("DTB3", "Treasury bill 3 months, discount rate", "%", -2, 25),
    _daily("DGS2", "Treasury 2 years", "%", -2, 25),
    _daily("DGS10", "Treasury 10 years", "%", -2, 25),
    _daily("DGS30", "Treasury 30 years", "%", -2, 25),
    _daily("DFII10", "Treasury 10 years, inflation-indexed", "%", -5, 15),
    _daily("T10YIE", "Breakeven inflation 10 years", "%", -5, 15),
    _daily("T10Y2Y", "Treasury 10 years less 2 years", _POINTS, -10, 10),
    _daily("T10Y3M", "Treasury 10 years less 3 months", _POINTS, -10, 10),
    # The publisher re-estimates the model and releases daily values weekly.
    _daily("THREEFYTP10", "Term premium 10 years, Kim–Wright", "%", -5, 10, **_RELEASED_WEEKLY),
    # Credit and volatility. FRED publishes credit spreads on days on which it is open.
    _daily("BAA10Y", "Moody's Baa less Treasury 10 years", _POINTS, 0, 25, sessions=2, fed=True),
    _daily("BAMLH0A0HYM2", "ICE BofA US high yield spread", _POINTS, 0, 50, fed=True),
    _daily("BAMLC0A0CM", "ICE BofA US corporate spread", _POINTS, 0, 25, fed=True),
    _daily("VIXCLS", "VIX, from FRED", "index", 1, 200),
    _daily("DTWEXBGS", "Broad dollar index", "index", 20, 400, **_RELEASED_WEEKLY),
    # Financial conditions. Each release changes the whole past.
    _weekly("NFCI", "Chicago Fed financial conditions", "index", -10, 20, known=WHEN_RECORDED),
    _weekly("ANFCI", "Chicago Fed adjusted conditions", "index", -10, 20, known=WHEN_RECORDED),
    _weekly("STLFSI4", "St. Louis Fed financial stress", "index", -10, 20, known=WHEN_RECORDED),
    # Money, output, investment. The ranges hold all values since 1947 and 1959. They reject values
    # in trillions, and today's values in millions. WM2NS is released monthly since 2021.
    _monthly("M2SL", "M2, seasonally adjusted", _BILLIONS, 1e2, 1e5, steady=True),
    _monthly(
        "WM2NS", "M2, not seasonally adjusted", _BILLIONS, 1e2, 1e5, frequency="week", steady=True
    ),
    _monthly("FEDFUNDS", "Effective federal funds rate, month average", "%", -2, 25, days=45),
    _monthly("TB3MS", "Treasury bill 3 months, month average", "%", -2, 25, days=45),
    _accounts("GDP", "Gross domestic product", 1e2, 2e5, steady=True),
    _accounts("PNFI", "Private nonresidential fixed investment", 1e1, 5e4, steady=True),
    _accounts("A679RC1Q027SBEA", "Investment in information processing", 0.1, 2e4, steady=True),
    _accounts("B985RC1Q027SBEA", "Investment in software", 0, 2e4),  # 0.0 in 1959
    _quarterly("DRTSCILM", "Banks tightening loans to firms, net share", "%", -100, 100, days=75),
    # Retail money funds, in the H.6 release of the fourth Tuesday of the next month.
    _monthly("WRMFNS", "Retail money market funds", _BILLIONS, 1, 1e5, frequency="week"),
    # Overnight repo with Treasury collateral. FRED copies the last value to days without data.
    _daily("RPONTSYD", "Fed overnight repo, Treasury collateral", _BILLIONS, 0, 1e3),
    _daily("ECBDFR", "ECB deposit facility rate", "%", -5, 25),
)

#: Series of the New York Fed. Its markets API has them, and FRED does not.
_NYFED = (
    _daily("TGCR", "Tri-party general collateral rate", "%", -2, 25, fed=True, source="nyfed"),
    _daily(
        "SRF",
        "Standing repo facility, accepted, all collateral",
        _BILLIONS,
        0,
        1e3,
        source="nyfed",
        first=date(2021, 7, 29),  # earlier repo operations were not the standing facility
    ),
)

#: Names that publishers give to series of the catalog in files of FRED's form.
PUBLISHERS_NAMES = {"SRF_ACCEPTED_USD_BN": "SRF", "TGCRRATE": "TGCR"}

#: Tickers of the SEC registrants whose filings we read, by CIK.
FILERS: dict[int, str] = {
    789019: "MSFT",
    1652044: "GOOGL",
    1018724: "AMZN",
    1326801: "META",
    1341439: "ORCL",
    1045810: "NVDA",
    723125: "MU",
    1769628: "CRWV",
}

#: First trading day of filers that are outside the universe and went public after XBRL began.
LATE_FILERS = {"CRWV": date(2025, 3, 28)}

#: Companies that build the data centres. We read all concepts of their cash-flow statements.
HYPERSCALERS = ("MSFT", "GOOGL", "AMZN", "META", "ORCL")

#: Concept that each XBRL tag measures. Filers use different tags, and change them over time.
CONCEPTS: dict[str, str] = {
    "PaymentsToAcquirePropertyPlantAndEquipment": "CAPEX",
    "PaymentsToAcquireProductiveAssets": "CAPEX",
    "RevenueFromContractWithCustomerExcludingAssessedTax": "REVENUE",
    "NetCashProvidedByUsedInOperatingActivities": "OCF",
    "NetCashProvidedByUsedInOperatingActivitiesContinuingOperations": "OCF",
    "ProceedsFromIssuanceOfLongTermDebt": "DEBT_ISSUED",
    "ProceedsFromIssuanceOfSeniorLongTermDebt": "DEBT_ISSUED",
    "ProceedsFromDebtNetOfIssuanceCosts": "DEBT_ISSUED",
    "ProceedsFromIssuanceOfDebt": "DEBT_ISSUED",
    "PaymentsForRepurchaseOfCommonStock": "BUYBACKS",
    "RightOfUseAssetObtainedInExchangeForFinanceLeaseLiability": "LEASES",
    "PaymentsOfDividends": "DIVIDENDS",
    "PaymentsOfDividendsCommonStock": "DIVIDENDS",
}

#: Concepts that stand in every cash-flow or income statement. If a company files such an amount
#: late under one tag, it published the amount in time under another tag. Any other amount may not
#: have been published before its tag.
IN_EVERY_STATEMENT = ("CAPEX", "REVENUE", "OCF")

#: Plausible size of one fact of these companies, USD; zero is plausible too. Smaller values are
#: probably in millions, not dollars. AMZN's revenue will pass 1e12 USD within years.
FACT_RANGE = (1e6, 1e13)

_CONCEPT_TITLES = {
    "CAPEX": "Capital expenditure",
    "REVENUE": "Revenue",
    "OCF": "Operating cash flow",
    "DEBT_ISSUED": "Debt issued",
    "BUYBACKS": "Shares bought back",
    "LEASES": "Assets from new finance leases",
    "DIVIDENDS": "Dividends paid",
}
_ANNUAL_TITLES = {
    "DEBT": "Long-term debt",
    "DEBT_ISSUED": "Debt issued in the fiscal year",
    "INTEREST": "Interest expense of the fiscal year",
    "OCF": "Operating cash flow of the fiscal year",
}


def ttm_id(concept: str, ticker: str) -> str:
    """Return the id of a company's amount for the last four quarters, in USD."""
    return f"{concept}_TTM_{ticker}"


def year_ago_id(concept: str, ticker: str) -> str:
    """Return the id of the year-ago amount, which is known together with the current amount."""
    return f"{concept}_TTM_YEAR_AGO_{ticker}"


def annual_id(concept: str, ticker: str) -> str:
    """Return the id of a company's amount for a fiscal year, in USD."""
    return f"{concept}_FY_{ticker}"


def filers_of(concept: str) -> tuple[str, ...]:
    """Return the tickers of the companies for which we read facts about a concept."""
    return HYPERSCALERS if concept == "DIVIDENDS" else tuple(FILERS.values())


def tags_of(concept: str) -> tuple[str, ...]:
    """Return the XBRL tags that measure a concept."""
    return tuple(tag for tag, measured in CONCEPTS.items() if measured == concept)


def _company(id: str, title: str, **rest: Any) -> Series:
    # A trailing year may be an annual fact, so it counts until the next annual filing.
    return _series(id, title, "USD", -1e13, 1e13, stale_after=460, **rest)


def _sec(id: str, title: str) -> Series:
    return _company(id, title, source="sec", frequency="quarter", known=FILED)


def _annual(id: str, title: str) -> Series:
    known = Rule(kind="days", n=60)  # the table has no filing dates
    return _company(id, title, source="file", frequency="year", known=known)


_COMPANIES = (
    *(
        series
        for concept, title in _CONCEPT_TITLES.items()
        for ticker in filers_of(concept)
        for series in (
            _sec(ttm_id(concept, ticker), f"{title}, trailing year, {ticker}"),
            _sec(year_ago_id(concept, ticker), f"{title}, trailing year a year ago, {ticker}"),
        )
    ),
    *(
        _annual(annual_id(concept, ticker), f"{title}, {ticker}")
        for concept, title in _ANNUAL_TITLES.items()
        for ticker in FILERS.values()
    ),
)


#: Number of calendar days for which a value of an imported table is used, by frequency.
_STALE_TABLES = {"day": 10, "week": 21, "month": 70}


def _table(
    id: str,
    title: str,
    unit: str,
    low: float,
    high: float,
    known: Rule,
    *,
    frequency: Frequency = "day",
    revised: bool = False,
    stale_after: int | None = None,
) -> Series:
    return _series(
        *(id, title, unit, low, high),
        source="file",
        frequency=frequency,
        known=known,
        revised=revised or known == WHEN_RECORDED,
        stale_after=stale_after or _STALE_TABLES[frequency],
    )


_CRYPTO_TABLES = (
    _table("FLOW_BTC_ETF", "Spot bitcoin ETFs, net flow", _MILLIONS, -2e4, 2e4, NEXT_SESSION),
    _table("FLOW_ETH_ETF", "Spot ether ETFs, net flow", _MILLIONS, -2e4, 2e4, NEXT_SESSION),
    *(
        _table(
            f"FUNDING_{coin}", f"{coin} perpetual funding", "per 8 hours", -0.05, 0.05, UTC_MIDNIGHT
        )
        for coin in ("BTC", "ETH", "SOL")
    ),
    _table(
        *("STABLECOINS", "Stablecoin supply, month end", "USD", 0, 1e14, Rule(kind="days", n=5)),
        frequency="month",
    ),
)

_FLOW_TABLES = (
    # FINRA publishes in the third week of the next month. The table states the 25th.
    *(
        _table(id, title, _MILLIONS, 1e4, 1e7, Rule(kind="stated", n=25), frequency="month")
        for id, title in (
            ("MARGIN_DEBT", "Margin debt at brokers, month end"),
            ("FREE_CREDIT", "Free credit balances at brokers, month end"),
        )
    ),
    # The publisher recounts past supply.
    _table("STABLECOIN_SUPPLY", "Stablecoin supply", "USD", 0, 1e14, NEXT_SESSION, revised=True),
    # A Tuesday's positions, published on Friday at 15:30.
    _table(
        *("COT_BTC_NET", "Bitcoin futures, speculators, net", "contracts", -1e6, 1e6),
        Rule(kind="stated", n=3),
        frequency="week",
    ),
    *(
        _table(
            *(id, title, "USD", 1e8, 1e12, Rule(kind="stated", n=75)),
            frequency="month",
            stale_after=130,
        )
        for id, title in (
            ("KOREA_CHIPS", "Korea, exports of chips"),
            ("KOREA_MEMORY", "Korea, exports of memory chips"),
        )
    ),
)

#: Other central banks and yields, from files.
_RATE_TABLES = (
    _table("ACMTP10", "Term premium 10 years, Adrian–Crump–Moench", "%", -5, 10, WHEN_RECORDED),
    _table("TONA", "Tokyo overnight average rate", "%", -5, 25, NEXT_SESSION),
    _table("BOJ_POLICY_RATE", "Bank of Japan policy rate", "%", -5, 25, NEXT_SESSION),
    _table("JGB10Y", "Japan government bond 10 years", "%", -5, 25, NEXT_SESSION),
)


def _event(id: str, title: str, unit: str, low: float, high: float, known: Rule) -> Series:
    entry = (id, title, unit, low, high)
    return _series(*entry, source="file", frequency="event", known=known, stale_after=1)


#: Companies whose earnings releases and dollar bonds are dated facts.
REPORTERS = (
    *("MSFT", "GOOGL", "AMZN", "META", "ORCL", "NVDA"),
    *("MU", "WDC", "SNDK", "AVGO", "STX", "DELL"),
)
#: Tickers of the issuers of dollar bonds, by the name in the table.
ISSUERS = {"Meta": "META", "Oracle": "ORCL", "Alphabet": "GOOGL", "Amazon": "AMZN"}
BOND_ISSUERS = tuple(ISSUERS.values())

#: Changes in the 30 minutes around an announcement, and surprises that are estimated from them.
#: The publisher estimates surprises on the full sample, and publishes all of these series later.
#: So no panel shows them, and only tests of the reaction to an event may use them.
_SURPRISES = (
    *(
        _event(
            f"FED_{window}_{id}", f"{title}, 30 minutes around {what}", unit, -20, 20, WHEN_RECORDED
        )
        for window, what in (
            ("ST", "the FOMC statement"),
            ("PC", "the press conference"),
            ("ME", "the whole announcement"),
        )
        for id, title, unit in (
            ("UST2Y", "Treasury 2 years", _POINTS),
            ("UST10Y", "Treasury 10 years", _POINTS),
            ("SP500", "S&P 500", "%"),
        )
    ),
    *(
        _event(id, title, _POINTS, -5, 5, WHEN_RECORDED)
        for id, title in (
            ("MPS_ST", "Policy surprise of the statement, San Francisco Fed"),
            ("MPS_PC", "Policy surprise of the press conference, San Francisco Fed"),
            ("MPS_ME", "Policy surprise of the whole announcement, San Francisco Fed"),
            ("MPS_BS", "Policy surprise, Bauer–Swanson"),
            ("MPS_BS_ORTH", "Policy surprise, Bauer–Swanson, without past news"),
        )
    ),
    _event("ECB_OIS2Y", "OIS 2 years, change around ECB", "basis points", -200, 200, WHEN_RECORDED),
    _event("ECB_STOXX50", "STOXX 50, change around ECB decisions", "%", -20, 20, WHEN_RECORDED),
    _event("ECB_MP", "Monetary policy shock, Jarociński–Karadi", "index", -5, 5, WHEN_RECORDED),
    _event("ECB_CBI", "Information shock, Jarociński–Karadi", "index", -5, 5, WHEN_RECORDED),
)

_EVENTS = (
    # Value: 1 if the company releases after the close, 0 if it releases before the open.
    *(
        _event(
            *(f"EARNINGS_{ticker}", f"Earnings release, {ticker}", "after close", 0, 1),
            STATED_NEXT_DAY,
        )
        for ticker in REPORTERS
    ),
    # Value: 1 for a scheduled meeting, 0 for an unscheduled statement.
    _event("FOMC", "FOMC statement", "scheduled", 0, 1, AT_CLOSE),
    *(
        _event(f"BOND_DEAL_{ticker}", f"Dollar bonds of {ticker}", "USD", 1e8, 1e12, AT_CLOSE)
        for ticker in BOND_ISSUERS
    ),
    *(
        _event(f"DECISION_{rate}", f"Board decision, {rate}", "%", -2, 25, AT_CLOSE)
        for rate in ("IOER", "IORB", "SRF_MINIMUM_BID")
    ),
    *_SURPRISES,
)

CATALOG: dict[str, Series] = {
    series.id: series
    for series in (
        *_FRED,
        *_NYFED,
        *_COMPANIES,
        *_CRYPTO_TABLES,
        *_FLOW_TABLES,
        *_RATE_TABLES,
        *_EVENTS,
    )
}


def series(id: str) -> Series:
    """Return the catalog's entry for an id.

    Raise MissingSeries when the catalog lacks the id. The message gives the nearest known id.
    """
    if id not in CATALOG:
        raise MissingSeries(unknown("series", id, CATALOG))
    return CATALOG[id]
