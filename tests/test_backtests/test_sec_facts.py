"""When a figure filed with the SEC was first known, of companies that went public late too."""

import pandas as pd
import pytest

from backtests.history.sec import first_filed, trailing_years


def entry(year: int, filed: str) -> dict[str, object]:
    start, end = f"{year}-01-01", f"{year}-12-31"
    return {"start": start, "end": end, "val": 1e9 * year, "filed": filed, "accn": filed}


TWO_YEARS_AT_ONCE = [entry(2023, "2026-03-03"), entry(2024, "2026-03-03")]


@pytest.mark.parametrize(
    ("ticker", "known"),
    [
        ("MSFT", ["2024-02-14", "2025-02-14"]),  # a new tag: the figures had long been out
        ("CRWV", ["2026-03-04 09:30", "2026-03-04 09:30"]),  # public from 2025-03-28
    ],
)
def test_a_late_filing_is_a_new_tag_only_of_a_company_that_was_public(
    ticker: str, known: list[str]
) -> None:
    facts = first_filed(ticker, TWO_YEARS_AT_ONCE)
    assert [fact.known for fact in trailing_years(facts)] == [pd.Timestamp(at) for at in known]
    assert {fact.assumed for fact in facts} == {ticker == "MSFT"}


def test_a_filing_in_time_is_known_the_session_after() -> None:
    (fact,) = first_filed("CRWV", [entry(2025, "2026-02-27")])
    assert fact.known == pd.Timestamp("2026-03-02 09:30")  # a Friday's filing, on Monday
