"""The catalog: unit, publication rule and plausible range of every series.

The catalog has one entry for each series. An entry gives the unit of the stored values, the
publication rule and the plausible range. The entry also gives the number of days after which a
value counts as missing. Publication rules follow the publishers' calendars. Times are New York
times.

:mod:`signals.universe` defines the price series. The publication rule for an asset's prices depends
on the asset's market (fund, share or coin).

:mod:`signals.catalog.entry` defines the class of an entry. The other modules of ``signals.catalog``
list the entries.
"""

from signals.catalog.companies import (
    COMPANIES,
    CONCEPTS,
    FACT_RANGE,
    FILERS,
    HYPERSCALERS,
    IN_EVERY_STATEMENT,
    LATE_FILERS,
    annual_id,
    filers_of,
    is_year_ago,
    tags_of,
    ttm_id,
    year_ago_id,
)
from signals.catalog.entry import (
    AT_CLOSE,
    FILED,
    H8,
    H41,
    NEXT_SESSION,
    UTC_MIDNIGHT,
    WHEN_RECORDED,
    Dates,
    Frequency,
    Rule,
    RuleKind,
    Series,
)
from signals.catalog.events import BOND_ISSUERS, EVENTS, ISSUERS, REPORTERS
from signals.catalog.fred import FRED
from signals.catalog.tables import CRYPTO_TABLES, FLOW_TABLES, NYFED, PUBLISHERS_NAMES, RATE_TABLES
from signals.errors import MissingSeries, unknown

__all__ = [
    "AT_CLOSE",
    "BOND_ISSUERS",
    "CATALOG",
    "CONCEPTS",
    "FACT_RANGE",
    "FILED",
    "FILERS",
    "H8",
    "H41",
    "HOW_TO_ADD",
    "HYPERSCALERS",
    "IN_EVERY_STATEMENT",
    "ISSUERS",
    "LATE_FILERS",
    "NEXT_SESSION",
    "PUBLISHERS_NAMES",
    "REPORTERS",
    "UTC_MIDNIGHT",
    "WHEN_RECORDED",
    "Dates",
    "Frequency",
    "Rule",
    "RuleKind",
    "Series",
    "annual_id",
    "filers_of",
    "is_year_ago",
    "series",
    "tags_of",
    "ttm_id",
    "year_ago_id",
]

CATALOG: dict[str, Series] = {
    series.id: series
    for series in (
        *FRED,
        *NYFED,
        *COMPANIES,
        *CRYPTO_TABLES,
        *FLOW_TABLES,
        *RATE_TABLES,
        *EVENTS,
    )
}

#: The end of a message about a series outside the catalog.
HOW_TO_ADD = "'Add a series or a source' in CONTRIBUTING.md says how to add a series"


def series(id: str) -> Series:
    """Return the catalog entry of a series, found by the id of the series.

    Raise MissingSeries if the catalog lacks the id. The error message suggests the most similar
    known id, if there is one.
    """
    if id not in CATALOG:
        raise MissingSeries(unknown("series", id, CATALOG))
    return CATALOG[id]
