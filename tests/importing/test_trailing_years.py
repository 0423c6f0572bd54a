"""A trailing year computed from three facts: value, first and last day, moment when known."""

from typing import Any

import pandas as pd
import pytest

from backtests.importing.sec_facts import Fact, batches, trailing_years

HALF, YEAR_BEFORE, HALF_BEFORE = "2025-06-30", "2024-12-31", "2024-06-30"


def fact(start: str, end: str, value: float, known: str) -> Fact:
    return Fact(
        start=pd.Timestamp(start),
        end=pd.Timestamp(end),
        value=value,
        known=pd.Timestamp(known),
        assumed=False,
    )


@pytest.mark.parametrize("last", [HALF, YEAR_BEFORE, HALF_BEFORE])
def test_a_trailing_year_is_known_with_the_last_of_its_parts(last: str) -> None:
    moment = dict.fromkeys((HALF, YEAR_BEFORE, HALF_BEFORE), "2025-08-01") | {last: "2025-09-01"}
    facts = [
        fact("2024-01-01", HALF_BEFORE, 40.0, moment[HALF_BEFORE]),
        fact("2024-01-01", YEAR_BEFORE, 100.0, moment[YEAR_BEFORE]),
        fact("2025-01-01", HALF, 70.0, moment[HALF]),
    ]
    solved = trailing_years(facts)[-1]
    assert solved.value == 70 + 100 - 40
    assert (solved.start, solved.end) == (pd.Timestamp("2024-07-01"), pd.Timestamp(HALF))
    assert solved.known == pd.Timestamp("2025-09-01")


def test_of_two_sums_of_one_year_the_one_that_was_known_first_counts() -> None:
    facts = [
        fact("2024-01-01", HALF_BEFORE, 40.0, "2024-08-01"),
        fact("2024-01-01", YEAR_BEFORE, 100.0, "2025-02-01"),
        fact("2025-01-01", HALF, 70.0, "2025-08-01"),
        fact("2024-07-01", HALF, 150.0, "2026-08-01"),  # the whole year, filed a year later
    ]
    year = trailing_years(facts)[-1]
    assert (year.value, year.known) == (130.0, pd.Timestamp("2025-08-01"))
    early = [*facts[:3], fact("2024-07-01", HALF, 131.0, "2025-08-01")]
    assert trailing_years(early)[-1].value == 131.0, "a fact about the whole year counts before"


def entry(tag: str, year: int, value: float, filed: str) -> dict[str, Any]:
    start, end = f"{year}-01-01", f"{year}-12-31"
    return {
        "tag": tag, "start": start, "end": end, "val": value, "filed": filed, "accn": filed,
    }  # fmt: skip


def test_growth_compares_amounts_under_one_tag() -> None:
    """In 2019 the company changes the tag, and files the year before under the new tag, too."""
    facts = [
        entry("net", 2016, 6.7e9, "2017-02-10"),
        entry("net", 2017, 10.1e9, "2018-02-02"),
        entry("gross", 2017, 11.955e9, "2019-02-01"),
        entry("gross", 2018, 13.427e9, "2019-02-01"),
    ]
    now, before = (batch.rows["value"].tolist() for batch in batches("CAPEX", "AMZN", facts))
    assert now == [6.7e9, 10.1e9, 13.427e9], "in each year, the amount that was known first"
    assert before[1:] == [6.7e9, 11.955e9]


def test_without_the_year_before_under_its_tag_another_tag_helps() -> None:
    facts = [
        entry("old", 2017, 10.0e9, "2018-02-02"),
        entry("new", 2018, 12.0e9, "2019-02-01"),
    ]
    _, ago = batches("CAPEX", "AMZN", facts)
    assert ago.rows["value"].iloc[-1] == 10.0e9


def test_without_one_of_its_parts_there_is_none() -> None:
    facts = [
        fact("2024-01-01", YEAR_BEFORE, 100.0, "2025-02-01"),
        fact("2025-01-01", HALF, 70.0, "2025-08-01"),
    ]
    assert [year.end for year in trailing_years(facts)] == [pd.Timestamp(YEAR_BEFORE)]
