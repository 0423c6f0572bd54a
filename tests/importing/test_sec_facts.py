"""The moment when a figure filed with the SEC was first known, also for new listings."""

import pandas as pd
import pytest

from backtests.importing.sec_facts import batches, first_filed, trailing_years

TAG = "PaymentsToAcquirePropertyPlantAndEquipment"


def entry(year: int, filed: str) -> dict[str, object]:
    start, end = f"{year}-01-01", f"{year}-12-31"
    value = {"tag": TAG, "val": 1e9 * year, "accn": filed}
    return {"start": start, "end": end, "filed": filed, **value}


TWO_YEARS_AT_ONCE = [entry(2023, "2026-03-03"), entry(2024, "2026-03-03")]


@pytest.mark.parametrize(
    ("ticker", "known"),
    [
        ("MSFT", ["2024-02-14", "2025-02-14"]),  # a new tag: the figures were public long before
        ("CRWV", ["2026-03-04 09:30", "2026-03-04 09:30"]),  # public from 2025-03-28
    ],
)
def test_a_late_filing_is_a_new_tag_only_of_a_company_that_was_public(
    ticker: str, known: list[str]
) -> None:
    facts = first_filed("CAPEX", ticker, TWO_YEARS_AT_ONCE)
    assert [fact.known for fact in trailing_years(facts)] == [pd.Timestamp(at) for at in known]
    assert {fact.assumed for fact in facts} == {ticker == "MSFT"}


def test_a_filing_in_time_is_known_the_session_after() -> None:
    (fact,) = first_filed("CAPEX", "CRWV", [entry(2025, "2026-02-27")])
    assert fact.known == pd.Timestamp("2026-03-02 09:30")  # filed on a Friday, known on Monday


@pytest.mark.parametrize(
    ("filed", "known"),
    [
        ("2024-04-29", "2024-04-30 09:30"),  # 120 days after the period's end: filed late
        ("2024-04-30", "2024-02-14 00:00"),  # 121 days: a new tag, so known 45 days after the end
        ("2024-03-31", "2024-04-01 09:30"),  # 91 days
    ],
)
def test_more_than_120_days_after_the_periods_end_a_figure_had_long_been_out(
    filed: str, known: str
) -> None:
    (fact,) = first_filed("CAPEX", "MSFT", [entry(2023, filed)])
    assert fact.known == pd.Timestamp(known)


@pytest.mark.parametrize("concept", ["DEBT_ISSUED", "LEASES", "BUYBACKS", "DIVIDENDS"])
def test_an_amount_that_not_every_statement_contains_is_known_by_its_filing(concept: str) -> None:
    """META first tagged its debt in 2022.

    Before, nobody could read the amounts of earlier years.
    """
    facts = first_filed(concept, "MSFT", TWO_YEARS_AT_ONCE)
    assert {(fact.known, fact.assumed) for fact in facts} == {
        (pd.Timestamp("2026-03-04 09:30"), False)
    }


@pytest.mark.parametrize(
    ("year_ago_filed", "year_ago"),
    [
        ("2024-01-30", 1e9 * 2023),  # filed before the current year
        ("2025-01-30", 1e9 * 2023),  # filed with the current year
        ("2025-03-14", None),  # filed after the current year
    ],
)
def test_the_year_before_is_known_with_the_current_year_or_not_at_all(
    year_ago_filed: str, year_ago: float | None
) -> None:
    """A company that was not public in 2023 can file its amount of 2023 after its amount of 2024.

    Until both amounts are filed, nobody can compare them. If the row of the year before were
    missing, the panel would repeat an older row, and compare 2024 with a year before 2023.
    """
    entries = [entry(2023, year_ago_filed), entry(2024, "2025-01-30")]
    now, ago = batches("CAPEX", "CRWV", entries)
    for rows in (now.rows, ago.rows):
        assert rows["available_at"].iloc[-1] == pd.Timestamp("2025-01-31 09:30")
        assert rows["observed_on"].iloc[-1] == pd.Timestamp("2024-12-31")
    assert ago.rows["value"].iloc[-1] == pytest.approx(year_ago or float("nan"), nan_ok=True)


def test_a_solved_trailing_year_is_known_with_the_last_of_its_parts() -> None:
    """The sum is nine months + last year − nine months of last year.

    A later report states the last part first.
    """
    entries = [
        {
            "start": "2024-01-01",
            "end": "2024-09-30",
            "val": 7e9,
            "filed": "2024-10-30",
            "tag": TAG,
            "accn": "c",
        },
        {
            "start": "2023-01-01",
            "end": "2023-12-31",
            "val": 8e9,
            "filed": "2024-01-30",
            "tag": TAG,
            "accn": "b",
        },
        {
            "start": "2023-01-01",
            "end": "2023-09-30",
            "val": 5e9,
            "filed": "2024-11-15",
            "tag": TAG,
            "accn": "d",
        },
    ]
    year = trailing_years(first_filed("CAPEX", "CRWV", entries))[-1]
    assert (year.value, year.known) == (10e9, pd.Timestamp("2024-11-18 09:30"))
