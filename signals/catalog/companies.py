"""Companies, the XBRL tags of their cash flows, and the series for these cash flows."""

from datetime import date
from typing import Any

from signals.catalog.entry import FILED, Rule, Series, new_series

#: The companies whose SEC filings we read: a mapping from the CIK, which is the SEC's number of a
#: company, to the ticker.
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

#: First trading day of each company in :data:`FILERS` that went public after XBRL filings began.
#: The companies in :data:`signals.universe.UNIVERSE` are left out.
LATE_FILERS = {"CRWV": date(2025, 3, 28)}

#: Companies that build AI data centres. For each of these companies, we read all concepts of
#: :data:`CONCEPTS`.
HYPERSCALERS = ("MSFT", "GOOGL", "AMZN", "META", "ORCL")

#: For each XBRL tag, the concept that the tag measures. Companies use different tags for one
#: concept, and change their tags over time.
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

#: Concepts that are in every cash-flow or income statement. A company always publishes amounts of
#: these concepts on time. A late amount under one tag was therefore already filed under another
#: tag. An amount of any other concept can be late because the company published the amount late.
IN_EVERY_STATEMENT = ("CAPEX", "REVENUE", "OCF")

#: Plausible size of one reported amount, in USD. Zero is also a plausible amount. A nonzero amount
#: below this range is probably in millions of USD. AMZN's revenue will exceed 1e12 USD within a few
#: years.
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
    """Return the id of a company's trailing-year series for a concept such as CAPEX.

    Each value of the series is the sum of four quarterly amounts, in USD.
    """
    return f"{concept}_TTM_{ticker}"


def year_ago_id(concept: str, ticker: str) -> str:
    """Return the id of a company's year-ago series for a concept such as CAPEX.

    A value of the series :func:`ttm_id` is the sum of the last four quarters. A value of the
    year-ago series is the sum of the four quarters before the last four quarters, in USD. For each
    date, the values of the two series become known on the same day.
    """
    return f"{concept}_TTM_YEAR_AGO_{ticker}"


def is_year_ago(series_id: str) -> bool:
    """Return whether an id is the id of a year-ago series; see :func:`year_ago_id`."""
    return "_TTM_YEAR_AGO_" in series_id


def annual_id(concept: str, ticker: str) -> str:
    """Return the id of a company's annual series for a concept such as DEBT.

    Each value of the series is the amount of one fiscal year, in USD.
    """
    return f"{concept}_FY_{ticker}"


def filers_of(concept: str) -> tuple[str, ...]:
    """Return the tickers of the companies for which drypowder reads a concept such as CAPEX."""
    return HYPERSCALERS if concept == "DIVIDENDS" else tuple(FILERS.values())


def tags_of(concept: str) -> tuple[str, ...]:
    """Return the XBRL tags that measure a concept."""
    return tuple(tag for tag, measured in CONCEPTS.items() if measured == concept)


#: Number of calendar days for which an amount is used. Capital expenditure and revenue may be known
#: only for fiscal years, so their amounts are used until the next annual filing. Other amounts are
#: used until the next quarterly filing is due. The shorter limit prevents a comparison of old cash
#: flow with new spending.
_YEAR, _QUARTER = 460, 200
_ANNUAL_FACTS = ("CAPEX", "REVENUE")


def _company(id: str, title: str, stale_after: int = _YEAR, **rest: Any) -> Series:
    return new_series(id, title, "USD", -1e13, 1e13, stale_after=stale_after, **rest)


def _sec(concept: str, id: str, title: str) -> Series:
    stale_after = _YEAR if concept in _ANNUAL_FACTS else _QUARTER
    return _company(id, title, stale_after, source="sec", frequency="quarter", known=FILED)


def _annual(id: str, title: str) -> Series:
    known = Rule(kind="days", n=60)  # the table has no filing dates
    return _company(id, title, source="file", frequency="year", known=known)


COMPANIES = (
    *(
        series
        for concept, title in _CONCEPT_TITLES.items()
        for ticker in filers_of(concept)
        for series in (
            _sec(concept, ttm_id(concept, ticker), f"{title}, trailing year, {ticker}"),
            _sec(
                concept,
                year_ago_id(concept, ticker),
                f"{title}, one year before the trailing year, {ticker}",
            ),
        )
    ),
    *(
        _annual(annual_id(concept, ticker), f"{title}, {ticker}")
        for concept, title in _ANNUAL_TITLES.items()
        for ticker in FILERS.values()
    ),
)
