"""Series of the New York Fed, and of imported tables."""

from datetime import date

from signals.catalog.entry import (
    BILLIONS,
    MILLIONS,
    NEXT_SESSION,
    UTC_MIDNIGHT,
    WHEN_RECORDED,
    Frequency,
    Rule,
    Series,
    daily,
    new_series,
)

#: A mapping from series names to catalog ids. Imported files in FRED's format use these names.
PUBLISHERS_NAMES = {"SRF_ACCEPTED_USD_BN": "SRF", "TGCRRATE": "TGCR"}

#: Series of the New York Fed's markets API. Each series is fetched from its date ``first`` on.
NYFED = (
    daily(
        *("TGCR", "Tri-party general collateral rate", "%", -2, 25),
        fed=True,
        source="nyfed",
        first=date(2018, 4, 2),
    ),
    daily(
        "SRF",
        "Fed lending through the standing repo facility, all collateral",
        BILLIONS,
        0,
        1e3,
        source="nyfed",
        dates="any day",  # the publisher does not rule out weekends
        first=date(2021, 7, 29),  # earlier repo operations were not the standing facility
    ),
)

#: Number of calendar days for which a value of an imported table is used, for each frequency.
_STALE_TABLES = {"day": 10, "week": 21, "month": 70}


def table(
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
    at_end: bool = False,
) -> Series:
    """Return a series of an imported table. :class:`Series` describes ``at_end``.

    ``stale_after`` is the number of days after which a value counts as missing. By default, the
    number depends on ``frequency``.
    """
    return new_series(
        *(id, title, unit, low, high),
        source="file",
        frequency=frequency,
        known=known,
        revised=revised or known == WHEN_RECORDED,
        stale_after=stale_after or _STALE_TABLES[frequency],
        at_end=at_end,
    )


CRYPTO_TABLES = (
    # The panel repeats the last flow for at most four days, the length of a long weekend. The limit
    # of four days is short, because a sum of flows counts a repeated flow again.
    *(
        table(
            *(
                f"FLOW_{coin}_ETF",
                f"Net flow into spot {name} ETFs",
                MILLIONS,
                -2e4,
                2e4,
                NEXT_SESSION,
            ),
            stale_after=4,
        )
        for coin, name in (("BTC", "bitcoin"), ("ETH", "ether"))
    ),
    *(
        table(
            f"FUNDING_{coin}", f"{coin} perpetual funding", "per 8 hours", -0.05, 0.05, UTC_MIDNIGHT
        )
        for coin in ("BTC", "ETH", "SOL")
    ),
    table(
        *("STABLECOINS", "Stablecoin supply, month end", "USD", 0, 1e14, Rule(kind="days", n=5)),
        frequency="month",
        at_end=True,
    ),
)

FLOW_TABLES = (
    # FINRA publishes the values of a month in the third week of the next month. The table states
    # the 25th of the next month as the publication day.
    *(
        table(
            *(id, title, MILLIONS, 1e4, 1e7, Rule(kind="stated", n=25)),
            frequency="month",
            at_end=True,
        )
        for id, title in (
            ("MARGIN_DEBT", "Margin debt at brokers, month end"),
            ("FREE_CREDIT", "Free credit balances at brokers, month end"),
        )
    ),
    # The publisher revises past values of the stablecoin supply.
    table("STABLECOIN_SUPPLY", "Stablecoin supply", "USD", 0, 1e14, NEXT_SESSION, revised=True),
    # The positions of each Tuesday are published on the next Friday at 15:30. The table always
    # states the next Friday as the publication day. During a government shutdown, however, the
    # publisher was late.
    table(
        *("COT_BTC_NET", "Net position of speculators in bitcoin futures", "contracts", -1e6, 1e6),
        Rule(kind="stated", n=3),
        frequency="week",
    ),
    *(
        table(
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

#: Rates, yields and a term premium from imported files.
RATE_TABLES = (
    # The publisher releases daily values once a week. Each release changes all past values.
    table(
        *("ACMTP10", "10-year term premium, Adrian–Crump–Moench", "%", -5, 10, WHEN_RECORDED),
        stale_after=24,
    ),
    table("TONA", "Tokyo overnight average rate", "%", -5, 25, NEXT_SESSION),
    table("BOJ_POLICY_RATE", "Bank of Japan policy rate", "%", -5, 25, NEXT_SESSION),
    table("JGB10Y", "10-year Japanese government bond yield", "%", -5, 25, NEXT_SESSION),
)
