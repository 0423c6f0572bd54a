"""The New York Fed's operations of a day count only after the day has ended."""

import pandas as pd
import pytest

from backtests.sources.http import Deadline, RetryPolicy
from backtests.sources.nyfed import NewYorkFedSource

OPERATIONS = [
    {
        "operationType": "Repo",
        "term": "Overnight",
        "operationDate": day,
        "operationId": f"RP {day} {number}",
        "totalAmtAccepted": amount,
    }
    for day, number, amount in (
        ("2025-10-30", 1, 0),
        ("2025-10-31", 1, 20_350_000_000),
        ("2025-10-31", 2, 30_000_000_000),
    )
]


@pytest.mark.parametrize(
    ("now", "held"),
    [
        ("2025-10-31 16:00", {"2025-10-30": 0.0}),
        ("2025-11-01 00:00", {"2025-10-30": 0.0, "2025-10-31": 50.35}),
    ],
)
def test_a_day_counts_once_no_operation_can_follow(
    now: str, held: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    def rows(*asked: object, may_be_empty: bool) -> list[dict[str, object]]:
        return OPERATIONS if may_be_empty else []  # the operations of the present year

    source = NewYorkFedSource(Deadline(RetryPolicy()))
    monkeypatch.setattr(source, "_rows", rows)
    (batch,) = source.batches("SRF", pd.Timestamp(now))
    values = batch.rows.set_index("observed_on")["value"]
    assert {str(day)[:10]: value for day, value in values.items()} == held
